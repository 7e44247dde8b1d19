import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One connection for many domains (section 12.2). */
final class Reuse {
    private Reuse() {}

    static Map<String, Object> answer(Map<?, ?> vector) {
        Map<String, Object> out = new LinkedHashMap<>();
        Reason reason = Reason.VERIFIED;
        try {
            out.put("accepted", Peer.accepted(check(vector)));
        } catch (Refusal r) {
            reason = r.reason;
        }
        out.put("outcome", reason.outcome());
        out.put("reason", reason.text);
        return out;
    }

    /** [R1]. */
    private static Association.Reference check(Map<?, ?> vector) throws Refusal {
        Map<?, ?> connection = Json.object(vector.get("connection"));
        Map<?, ?> question = Json.object(vector.get("question"));
        Association a = new Association(question, vector.get("policy"), vector.get("evidence"));
        Map<?, ?> trust = vector.get("peer") instanceof Map ? (Map<?, ?>) vector.get("peer") : vector;
        Peer peer = new Peer(connection.get("chain"), trust, Json.object(connection.get("endpoint")));
        if (!Names.family(Json.string(connection.get("service"))).contains(a.verified.query.service)
                || !question.get("direction").equals(connection.get("direction"))) {
            throw new Refusal(Reason.SERVICE_MISMATCH, "another role or direction");
        }
        Object openedFor = Json.object(connection.get("opened_for")).get("source");
        if (a.verified.query.source.equals(openedFor)) {
            return peer.check(peer.counting(a.references, a.outgoing), a.proven(), a.outgoing, true);
        }
        List<Association.Reference> proven = a.proven();
        if (proven.isEmpty()) throw new Refusal(a.whyNotProven(), "no name but the source's own");
        return peer.check(peer.counting(proven, a.outgoing), proven, a.outgoing, false);
    }
}
