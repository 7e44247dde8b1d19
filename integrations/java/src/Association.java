import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The decision on a connection (docs/connections.md). */
final class Association {
    static final String PKIX = "pkix", DNSSEC = "dnssec", DELEGATION = "delegation", POSH = "posh";
    private static final long RECHECK = 300, MAX_PROOF = 6 * 3600;

    /**
     * A name that the peer's certificate may carry.
     *
     * @param dane the records that take the place of a trust anchor and the name, or null
     * @param tlsa the numbers of the record by which a peer was accepted, or null
     */
    record Reference(String name, String method, long port, long until, List<String> pins, Dane dane, String tlsa) {
        Reference(String name, String method, long port, long until, List<String> pins) {
            this(name, method, port, until, pins, null, null);
        }

        Reference with(Dane records) {
            return new Reference(name, method, port, until, pins, records, null);
        }

        /** This one as it accepts a peer. */
        Reference until(long end, String record) {
            return new Reference(name, method, port, end, pins, null, record);
        }
    }

    /** Somewhere to connect to. */
    private record Dial(String host, long port, String serverName, String start) {}

    final Verify verified;
    final boolean outgoing;
    private final boolean statementFirst;
    private final Role role;
    private final Row row;
    private final long now;
    /** What the verification ends with, where the row lets a statement count [C2]. */
    private final Reason statement;

    final Map<String, Reason> methods = new LinkedHashMap<>();
    /** In the order of [P1j]. */
    final List<Reference> references = new ArrayList<>();
    /** What the POSH files say, if they count; else null. */
    Posh posh;
    private final List<Dial> dial = new ArrayList<>();
    /** Why `dial` is empty. */
    private Reason nowhere;

    Association(Object question, Object policy, Object evidence) throws Refusal {
        Map<?, ?> json = Json.object(question);
        outgoing = "outgoing".equals(json.get("direction"));
        if (!outgoing && !"incoming".equals(json.get("direction"))) throw new Refusal(Reason.MISSING_INPUT, "direction");
        Map<String, Object> asked = new LinkedHashMap<>();
        for (String part : List.of("source", "service")) if (json.containsKey(part)) asked.put(part, json.get(part));
        Query query = Query.read(asked);
        verified = new Verify(query, policy, evidence);
        statementFirst = outgoing && Boolean.TRUE.equals(json.get("statement_first"));
        role = query.role;
        row = verified.row;
        now = verified.policy.time;
        boolean withSrv = row.isSecure() || outgoing && !statementFirst;
        statement = withSrv ? verified.withSrv() : verified.reason;
        references.add(new Reference(query.source, PKIX, 0, Long.MAX_VALUE, null)); // [C1]
        methods.put(PKIX, Reason.VERIFIED);
        methods.put(DNSSEC, dnssec());
        methods.put(DELEGATION, delegation());
        methods.put(POSH, posh());
        if (outgoing) connect();
    }

    /** [C5]. */
    private boolean mayDelegate() {
        return outgoing || role.sendsToo;
    }

    /** When the records of the secure row prove nothing any more [C6]. */
    private long endOfSrv() {
        long ttl = row.answers.stream().mapToLong(a -> a.ttl).min().orElse(0);
        return Math.min(verified.evidence.collected, now) + Math.max(RECHECK, ttl);
    }

    private Reason dnssec() {
        if (!mayDelegate()) return Reason.SERVICE_MISMATCH;
        if (row.isFailed()) return row.failure; // [C2]
        if (!row.isSecure()) return Reason.NOT_SECURE;
        if (row.isNotAvailable()) return Reason.SERVICE_NOT_AVAILABLE;
        long until = endOfSrv();
        if (until <= now) return Reason.PROOF_EXPIRED;
        for (Row.Entry e : row.entries) references.add(new Reference(e.host(), DNSSEC, e.port(), until, null));
        return Reason.VERIFIED;
    }

    private Reason delegation() {
        if (!mayDelegate()) return Reason.SERVICE_MISMATCH;
        if (row.isSecure()) return statement == Reason.CONFLICT ? Reason.CONFLICT : Reason.NOT_USED; // [C2]
        if (statement == Reason.VERIFIED) {
            long until = verified.decides.floor().validUntil();
            for (Statement.Target t : proven()) {
                references.add(new Reference(t.host(), DELEGATION, t.port(), until, t.pins()));
            }
        }
        return statement;
    }

    private Reason posh() {
        boolean counts = !row.isSecure() && !row.isFailed() && verified.unpublished && verified.evidence.stream == null; // [F2a]
        if (!counts || verified.policy.floor != null && verified.policy.floor.isRequired(now)) return Reason.NOT_USED;
        if (!mayDelegate()) return Reason.SERVICE_MISMATCH;
        try {
            posh = Posh.read(verified.evidence, now);
        } catch (Refusal r) {
            return r.reason;
        }
        references.add(new Reference(verified.query.source, POSH, 0, posh.until, null));
        return Reason.VERIFIED;
    }

    /** The targets of the statement that count: for an outgoing connection, those that are dialled. */
    private List<Statement.Target> proven() {
        return outgoing && !statementFirst ? verified.dial() : verified.targets();
    }

    /** [C3], [C8]. */
    private void connect() {
        String source = verified.query.source;
        if (!row.isSecure() && statement == Reason.VERIFIED) {
            for (Statement.Target t : proven()) dial.add(new Dial(t.host(), t.port(), t.host(), role.startOf(t)));
        } else if (row.isFailed()) {
            nowhere = row.failure;
        } else if (row.isNotAvailable()) {
            nowhere = Reason.SERVICE_NOT_AVAILABLE;
        } else if (!row.isAbsent()) {
            for (Row.Entry e : row.entries) dial.add(new Dial(e.host(), e.port(), source, role.startAt(e.answer().label)));
        } else if (role.defaultPort != 0) {
            dial.add(new Dial(source, role.defaultPort, source, role.startAt(role.service)));
        } else {
            nowhere = statement;
        }
    }

    /** [C7]. */
    private boolean isRequired() {
        return verified.floor != null || verified.policy.floor != null && verified.policy.floor.isRequired(now);
    }

    /** [C6]. */
    private long refreshAt() {
        boolean bySrv = row.isSecure() && !row.isNotAvailable();
        long ends = bySrv ? endOfSrv() : now;
        long at = statement == Reason.VERIFIED ? verified.refresh() : Long.MAX_VALUE;
        if (ends > now) at = Math.min(at, Math.min(ends, now + MAX_PROOF));
        boolean soon = at == Long.MAX_VALUE || bySrv && ends <= now || row.passesOver;
        return soon ? Math.min(at, now + RECHECK) : at;
    }

    /** Why the statement of this decision does not count any more beside what is remembered now [P1f], or null. */
    Reason overtaken(Floor known) {
        if (known == null || verified.decides == null) return null;
        Floor own = verified.decides.floor();
        if (own.digest().equals(known.digest())) return null; // a newer statement with the same targets only renews it
        return known.refusal(own.order(), own.digest());
    }

    /** Names proven for an endpoint. */
    static List<Reference> proven(List<Reference> references) {
        List<Reference> out = new ArrayList<>(references);
        out.removeIf(r -> r.method.equals(PKIX) || r.method.equals(POSH));
        return out;
    }

    /** Why there are no such names. */
    Reason whyNotProven() {
        return methods.get(row.isSecure() ? DNSSEC : DELEGATION);
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
                a.approach(Dane.read(json.get("endpoints")));
                Peer peer = new Peer(json.get("chain"), json, a.outgoing ? json.get("endpoint") : null);
                try {
                    out.put("accepted", Peer.accepted(peer.check(a, a.references, true)));
                    reason = Reason.VERIFIED;
                } catch (Refusal r) {
                    reason = r.reason;
                }
            }
            a.describe(out);
        } catch (Refusal r) {
            reason = r.reason;
        }
        return reason.in(out);
    }

    /** Who may be connected to, and with what server name, by what DNS says of the endpoints [C8a], [E2a]. */
    private void approach(Map<String, Dane> endpoints) {
        for (Dial d : List.copyOf(dial)) {
            Dane answer = endpoints.get(d.host + ":" + d.port);
            if (answer == null || proven(references).stream().noneMatch(r -> r.name.equals(d.host) && r.port == d.port)) continue;
            dial.remove(d);
            if (answer.lost == null) dial.add(new Dial(d.host, d.port, d.host, d.start));
        }
    }

    private void describe(Map<String, Object> out) {
        Map<String, Object> texts = new LinkedHashMap<>();
        methods.forEach((method, reason) -> texts.put(method, reason.text));
        out.put("methods", texts);
        TreeSet<String> names = new TreeSet<>();
        for (Reference r : references) names.add(r.name);
        out.put("references", names);
        dial.sort((a, b) -> a.host.equals(b.host) ? Long.compare(a.port, b.port) : a.host.compareTo(b.host));
        List<Object> list = new ArrayList<>();
        for (Dial d : dial) list.add(Map.of("host", d.host, "port", d.port, "server_name", d.serverName, "start", d.start));
        out.put("dial", list);
        out.put("required", isRequired());
        out.put("refresh_at", Octets.time(refreshAt()));
        out.put("floor", Floor.write(verified.floor));
    }
}
