import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One connection for many domains (docs/connections.md, section 8). */
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
        return reason.in(out);
    }

    /** [R1]. */
    private static Association.Reference check(Map<?, ?> vector) throws Refusal {
        Map<?, ?> connection = Json.object(vector.get("connection"));
        Map<?, ?> question = Json.object(vector.get("question"));
        Association a = new Association(question, vector.get("policy"), vector.get("evidence"));
        Map<?, ?> trust = Json.object(vector.get("peer"));
        if (!Role.of(Json.string(connection.get("service"))).service.equals(a.verified.query.role.service)
                || !question.get("direction").equals(connection.get("direction"))) {
            throw new Refusal(Reason.SERVICE_MISMATCH, "another role or direction");
        }
        Object endpoint = a.outgoing ? connection.get("endpoint") : null;
        if (a.outgoing && endpoint == null) throw new Refusal(Reason.MISSING_INPUT, "the very endpoint that was dialled");
        Peer peer = new Peer(connection.get("chain"), trust, endpoint);
        Object openedFor = Json.object(connection.get("opened_for")).get("source");
        if (a.verified.query.source.equals(openedFor)) return peer.check(a, a.references, true);
        List<Association.Reference> proven = Association.proven(a.references);
        if (proven.isEmpty()) throw new Refusal(a.whyNotProven(), "no name but the source's own");
        return peer.check(a, proven, false);
    }
}
