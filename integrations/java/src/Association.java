import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** The decision on a connection (section 12). */
final class Association {
    static final String PKIX = "pkix", DNSSEC = "dnssec", DELEGATION = "delegation";
    private static final long RECHECK = 300;

    /** A name that the peer's certificate may carry. */
    static final class Reference {
        final String name;
        final String method;
        final long port;
        final long until;
        final List<String> pins;

        Reference(String name, String method, long port, long until, List<String> pins) {
            this.name = name;
            this.method = method;
            this.port = port;
            this.until = until;
            this.pins = pins;
        }
    }

    private enum Row { SECURE, OTHER, FAILED }

    final Verify verified;
    final boolean outgoing;
    private final boolean statementFirst;
    private final long now;
    private Row row = Row.OTHER;
    private Reason srvFault;
    /** The answers that count in the row, that of the label asked about first [C1]. */
    private final List<Evidence.Answer> answers = new ArrayList<>();
    private final List<Srv.Entry> usable = new ArrayList<>();
    private boolean notAvailable;

    final Map<String, Reason> methods = new LinkedHashMap<>();
    final List<Reference> references = new ArrayList<>();
    /** Where to connect, by endpoint, with the server name; or if that is empty, the reason. */
    final Map<String, Srv.Connect> dial = new LinkedHashMap<>();
    private final Map<String, String> serverNames = new LinkedHashMap<>();
    Reason nowhere;
    final boolean required;
    long refresh;

    Association(Object question, Object policy, Object evidence) throws Refusal {
        Map<?, ?> json = Json.object(question);
        Map<String, Object> query = new LinkedHashMap<>();
        for (String part : List.of("source", "service")) if (json.containsKey(part)) query.put(part, json.get(part));
        Object direction = json.get("direction");
        if (direction == null) throw new Refusal(Reason.MISSING_INPUT, "direction");
        verified = new Verify(query, policy, evidence);
        outgoing = direction.equals("outgoing");
        if (!outgoing && !direction.equals("incoming")) throw new Refusal(Reason.BAD_QUERY, "direction");
        statementFirst = outgoing && Boolean.TRUE.equals(json.get("statement_first"));
        now = verified.policy.time;
        findRow();
        references.add(new Reference(verified.query.source, PKIX, 0, Long.MAX_VALUE, null)); // [C1]
        methods.put(PKIX, Reason.VERIFIED);
        methods.put(DNSSEC, dnssec());
        methods.put(DELEGATION, delegation());
        if (outgoing) connect();
        required = isRequired();
        refresh = refreshAt();
    }

    /** [C1]. */
    private void findRow() {
        Evidence.Answer first = Srv.answerFor(verified.evidence, verified.query.service);
        if (first != null) {
            srvFault = Srv.fault(first);
            if (srvFault != null) {
                row = Row.FAILED;
                return;
            }
            answers.add(first);
            for (String label : verified.query.family) {
                Evidence.Answer other = Srv.answerFor(verified.evidence, label);
                if (other == null || other == first || Srv.fault(other) != null) continue;
                if (state(other).equals(state(first))) answers.add(other);
            }
            answers.removeIf(a -> a.records.isEmpty());
            if (!answers.isEmpty() && state(first).equals("secure")) row = Row.SECURE;
        }
        for (Evidence.Answer a : answers) {
            for (Srv.Entry e : Srv.entries(a)) if (e.isUsable()) usable.add(e);
        }
        notAvailable = !answers.isEmpty() && usable.isEmpty();
    }

    /** [D2]. */
    private String state(Evidence.Answer a) {
        return a.dnssec.equals("secure") && !Srv.isSecure(a, verified.policy) ? "insecure" : a.dnssec;
    }

    /** [C5]. */
    private boolean mayDelegate() {
        return outgoing || verified.query.family.contains("_xmpp-server._tcp");
    }

    private Reason dnssec() {
        if (!mayDelegate()) return Reason.SERVICE_MISMATCH;
        if (row == Row.FAILED) return srvFault; // [C2]
        if (row == Row.OTHER) return Reason.NOT_SECURE;
        if (usable.isEmpty()) return Reason.SERVICE_NOT_AVAILABLE;
        Reason reason = Reason.PROOF_EXPIRED;
        for (Srv.Entry e : usable) { // [C6]
            long until = verified.evidence.collected + Math.max(RECHECK, e.answer.ttl);
            if (until <= now) continue;
            reason = Reason.VERIFIED;
            references.add(new Reference(e.host, DNSSEC, e.port, until, null));
        }
        return reason;
    }

    private Reason delegation() {
        if (!mayDelegate()) return Reason.SERVICE_MISMATCH;
        boolean verifies = verified.reason == Reason.VERIFIED;
        if (row == Row.SECURE) { // [C2]
            boolean common = !verifies || usable.isEmpty() || !new Srv(answers, verified, verified.policy).connect.isEmpty();
            return common ? Reason.NOT_USED : Reason.CONFLICT;
        }
        if (!verifies) return verified.reason;
        if (row == Row.FAILED && outgoing && !statementFirst) return srvFault;
        Map<String, Srv.Connect> proven = verified.targets;
        if (outgoing && !statementFirst && !answers.isEmpty()) {
            Srv srv = new Srv(answers, verified, verified.policy);
            if (srv.connect.isEmpty()) return srv.nothing; // [C3]: then only pkix counts
            proven = srv.connect;
        }
        for (Srv.Connect c : proven.values()) {
            references.add(new Reference(c.target.host, DELEGATION, c.target.port, verified.end, c.target.pins));
        }
        return Reason.VERIFIED;
    }

    /** [C3], [C8]. */
    private void connect() {
        boolean verifies = methods.get(DELEGATION) == Reason.VERIFIED;
        if (verified.query.service.endsWith("._udp")) {
            nowhere = Reason.BAD_QUERY;
        } else if (row == Row.FAILED && !verifies) {
            nowhere = srvFault;
        } else if (row != Row.SECURE && verifies && (statementFirst || answers.isEmpty())) {
            verified.targets.values().forEach(c -> connectTo(c.target, c.label, c.target.host));
        } else if (notAvailable) {
            nowhere = Reason.SERVICE_NOT_AVAILABLE;
        } else if (row != Row.SECURE && verifies) {
            new Srv(answers, verified, verified.policy).connect.values()
                    .forEach(c -> connectTo(c.target, c.label, c.target.host));
        } else if (!usable.isEmpty()) {
            for (Srv.Entry e : usable) {
                connectTo(new Statement.Target(e.host, e.port, e.priority, e.weight, null), e.answer.label,
                        verified.query.source);
            }
        } else {
            int port = defaultPort(verified.query.service);
            if (port == 0) {
                nowhere = verified.reason;
            } else {
                connectTo(new Statement.Target(verified.query.source, port, 0, 0, null), verified.query.service,
                        verified.query.source);
            }
        }
    }

    private void connectTo(Statement.Target target, String label, String serverName) {
        if (dial.putIfAbsent(target.endpoint(), new Srv.Connect(target, label)) == null) {
            serverNames.put(target.endpoint(), serverName);
        }
    }

    private static int defaultPort(String service) {
        return service.equals("_xmpp-server._tcp") ? 5269 : service.equals("_xmpp-client._tcp") ? 5222 : 0;
    }

    /** [C8]. */
    private static boolean directTls(String label) {
        return defaultPort(label) == 0;
    }

    /** [C7]. */
    private boolean isRequired() {
        if (verified.any) return true;
        return verified.policy.floors.stream()
                .anyMatch(f -> verified.query.family.contains(f.service) && f.validUntil > now);
    }

    /** [C6]: as V8 says of a statement, and of secure SRV records; if there is neither, in 5 minutes. */
    private long refreshAt() {
        boolean bySrv = methods.get(DNSSEC) == Reason.VERIFIED;
        boolean byStatement = methods.get(DELEGATION) == Reason.VERIFIED || bySrv && verified.reason == Reason.VERIFIED;
        if (!bySrv && !byStatement) return now + RECHECK;
        long at = byStatement ? verified.refresh : Long.MAX_VALUE;
        if (!bySrv) return at;
        for (Evidence.Answer a : answers) at = Math.min(at, now + Verify.interval(a.ttl));
        for (Reference r : references) if (r.method.equals(DNSSEC)) at = Math.min(at, r.until);
        return at;
    }

    /** Names proven by more than PKIX. */
    static List<Reference> proven(List<Reference> references) {
        List<Reference> out = new ArrayList<>(references);
        out.removeIf(r -> r.method.equals(PKIX));
        return out;
    }

    /** Why there are no such names. */
    Reason whyNotProven() {
        return methods.get(row == Row.SECURE ? DNSSEC : DELEGATION);
    }

    /** The answer to the operation `associate`. */
    static Map<String, Object> answer(Map<?, ?> vector) {
        Map<String, Object> out = new LinkedHashMap<>();
        Reason reason;
        try {
            Association a = new Association(vector.get("question"), vector.get("policy"), vector.get("evidence"));
            reason = a.nowhere != null ? a.nowhere : Reason.VERIFIED;
            if (vector.get("peer") instanceof Map) {
                Map<?, ?> json = (Map<?, ?>) vector.get("peer");
                Peer peer = new Peer(json.get("chain"), json, a.outgoing ? json.get("endpoint") : null);
                try {
                    out.put("accepted", Peer.accepted(peer.check(a.references, true)));
                    reason = Reason.VERIFIED;
                } catch (Refusal r) {
                    reason = r.reason;
                }
            }
            a.describe(out);
        } catch (Refusal r) {
            reason = r.reason;
        }
        out.put("outcome", reason.outcome());
        out.put("reason", reason.text);
        return out;
    }

    private void describe(Map<String, Object> out) {
        Map<String, Object> texts = new LinkedHashMap<>();
        methods.forEach((method, reason) -> texts.put(method, reason.text));
        out.put("methods", texts);
        TreeSet<String> names = new TreeSet<>();
        for (Reference r : references) names.add(r.name);
        out.put("references", names);
        List<Srv.Connect> sorted = new ArrayList<>(dial.values());
        sorted.sort((a, b) -> a.target.host.equals(b.target.host) ? Long.compare(a.target.port, b.target.port)
                : a.target.host.compareTo(b.target.host));
        List<Object> list = new ArrayList<>();
        for (Srv.Connect c : sorted) {
            Map<String, Object> one = new TreeMap<>();
            one.put("host", c.target.host);
            one.put("port", c.target.port);
            one.put("server_name", serverNames.get(c.target.endpoint()));
            one.put("direct_tls", directTls(c.label));
            list.add(one);
        }
        out.put("dial", list);
        out.put("required", required);
        out.put("refresh_at", Octets.time(refresh));
    }
}
