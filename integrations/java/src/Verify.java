import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The algorithm (section 11). */
final class Verify {
    private static final long MIN_TTL = 300, MAX_TTL = 6 * 3600;

    /** A statement for which every step held. */
    static final class Proven {
        final Statement statement;
        final Order order;
        final String digest;
        /** The proof ends here, exclusive [V8]. */
        final long end;
        final long refresh;

        Proven(Statement statement, Order order, long end, long refresh) {
            this.statement = statement;
            this.order = order;
            this.digest = Statement.digest(statement.targets);
            this.end = end;
            this.refresh = refresh;
        }
    }

    final Query query;
    final Policy policy;
    Evidence evidence;
    /** The statement that counts for each label, the one asked about first. */
    final Map<String, Proven> counting = new LinkedHashMap<>();
    /** Whether any statement verified, those that contradict each other included. */
    boolean any;
    /** The verified targets by endpoint, each with the label of its statement [V5]. */
    final Map<String, Srv.Connect> targets = new LinkedHashMap<>();
    final List<Order.Floor> floors = new ArrayList<>();
    /** The end of the proof and when to look again [V8]. */
    long end = Long.MAX_VALUE;
    long refresh = Long.MAX_VALUE;
    /** Of the statements, before SRV records and targets are compared (V4, V5). */
    Reason reason;

    /** [V1] to [V5]; throws what V1 refuses. */
    Verify(Object query, Object policy, Object evidence) throws Refusal {
        this.query = Query.read(query);
        this.policy = Policy.read(policy);
        if (!(evidence instanceof Map)) throw new Refusal(Reason.MISSING_INPUT, "evidence");
        this.query.check();
        this.evidence = Evidence.read(evidence, this.query);
        statements();
    }

    private void statements() {
        Reason failed = null;
        Reason refused = null;
        Map<String, List<Proven>> proven = new LinkedHashMap<>();
        for (String label : query.family) proven.put(label, new ArrayList<>());
        List<Candidate> inDns = new ArrayList<>(); // [V2]
        List<Candidate> inDocuments = new ArrayList<>();
        for (Evidence.Answer answer : evidence.txt) {
            Reason fault = answer.failure != null ? answer.failure
                    : answer.dnssec.equals("bogus") ? Reason.DNS_BOGUS : null;
            if (failed == null) failed = fault;
            if (fault == null) inDns.addAll(Txt.candidates(answer));
        }
        for (Evidence.Document document : evidence.documents) {
            Reason fault = Documents.failure(document);
            if (failed == null) failed = fault;
            Candidate candidate = fault == null ? Documents.candidate(document) : null;
            if (candidate != null) inDocuments.add(candidate);
        }
        List<Candidate> judged = new ArrayList<>();
        for (List<Candidate> candidates : List.of(inDns, inDocuments)) {
            Checks checks = new Checks(); // [V3]: DNS and documents have their own
            for (Candidate c : candidates) {
                if (c.refusal == null && judged.stream().anyMatch(
                        e -> c.encoding.equals(e.encoding) && Arrays.equals(c.octets, e.octets))) continue;
                Reason why = null;
                try {
                    Proven p = judge(c, checks);
                    proven.get(p.statement.service).add(p);
                } catch (Refusal r) {
                    why = r.reason;
                    refused = Reason.later(refused, why);
                }
                // Refused for want of checks [V3], it was not judged: documents have their own for the same octets.
                if (c.refusal == null && why != Reason.TOO_MANY_RECORDS) judged.add(c);
            }
        }
        choose(proven, failed, refused);
    }

    /** The signature checks that are left for candidates that they refuse [V3]. */
    private static final class Checks {
        int left = 12;
    }

    /** Steps 1 to 13. */
    private Proven judge(Candidate c, Checks checks) throws Refusal {
        if (c.refusal != null) throw c.refusal;
        if (c.octets.length > Statement.MAX_OCTETS) throw new Refusal(Reason.STATEMENT_TOO_LARGE, c.origin);
        Statement s;
        if (c.encoding.equals("jws")) s = Jws.parse(c.octets);
        else if (c.encoding.equals("ac")) s = AttributeCertificate.parse(c.octets);
        else throw new Refusal(Reason.UNSUPPORTED_ENCODING, c.encoding);

        if (!s.source.equals(query.source)) {
            boolean parent = query.source.endsWith("." + s.source);
            throw new Refusal(parent ? Reason.PARENT_SOURCE : Reason.SOURCE_MISMATCH, s.source);
        }
        if (!query.family.contains(s.service)) throw new Refusal(Reason.SERVICE_MISMATCH, s.service);
        long t = policy.time;
        if (s.issued - Policy.SKEW > t) throw new Refusal(Reason.NOT_YET_VALID, Octets.time(s.issued));
        if (t >= s.expires) throw new Refusal(Reason.EXPIRED, Octets.time(s.expires));
        if (s.expires - s.issued > policy.maxLife) throw new Refusal(Reason.LIFE_TOO_LONG, "" + (s.expires - s.issued));

        Signer signer = new Signer(s);
        signer.check(s.source, s.issued, t);
        Order order = new Order(signer.cert.notBefore, s.issued);
        Order.checkFloors(s, order, query, policy.floors);
        int cost = signer.checks(); // [V3]: only now signatures are verified, and what they refuse is counted
        if (cost > checks.left) throw new Refusal(Reason.TOO_MANY_RECORDS, cost + " signature checks");
        checks.left -= cost;
        long end = Math.min(s.expires, signer.prove(s, policy));
        checks.left += cost;
        return new Proven(s, order, end, Math.min(end, t + interval(c.ttl)));
    }

    /** [V8]: the seconds after which something with this TTL, null if unknown, is looked up again. */
    static long interval(Long ttl) {
        return ttl == null ? MAX_TTL : Math.max(MIN_TTL, Math.min(MAX_TTL, ttl));
    }

    /** [V4] and [O5]. */
    private void choose(Map<String, List<Proven>> proven, Reason failed, Reason refused) {
        boolean conflict = false;
        for (Map.Entry<String, List<Proven>> e : proven.entrySet()) {
            if (e.getValue().isEmpty()) continue;
            any = true;
            Proven best = Order.highest(e.getValue());
            if (best == null) {
                conflict = true;
                continue;
            }
            counting.put(e.getKey(), best);
            floors.add(new Order.Floor(e.getKey(), best.order, best.digest, best.end)); // [O3]
            end = Math.min(end, best.end);
            refresh = Math.min(refresh, best.refresh);
        }
        if (counting.isEmpty()) {
            reason = failed != null ? failed : conflict ? Reason.CONFLICT : refused != null ? refused : Reason.NO_STATEMENT;
            return;
        }
        if (counting.values().stream().anyMatch(p -> p.statement.isRevocation())) { // [O5]
            reason = Reason.REVOKED;
            return;
        }
        for (Map.Entry<String, Proven> e : counting.entrySet()) { // [V5]
            for (Statement.Target t : e.getValue().statement.targets) {
                targets.putIfAbsent(t.endpoint(), new Srv.Connect(t, e.getKey()));
            }
        }
        reason = Reason.VERIFIED;
    }

    /** [V6] and [V7]: the answer to the operation `verify`. */
    static Map<String, Object> answer(Map<?, ?> vector) {
        Map<String, Object> out = new LinkedHashMap<>();
        try {
            Verify v = new Verify(vector.get("query"), vector.get("policy"), vector.get("evidence"));
            List<String> connect = new ArrayList<>();
            Reason reason = v.reason == Reason.VERIFIED ? v.use(connect) : v.reason;
            out.put("outcome", reason.outcome());
            out.put("reason", reason.text);
            List<Object> floors = new ArrayList<>();
            for (Order.Floor floor : v.floors) floors.add(floor.write());
            out.put("floors", floors);
            if (reason != Reason.VERIFIED) return out;
            List<String> targets = new ArrayList<>(v.targets.keySet());
            targets.sort(null);
            out.put("targets", targets);
            out.put("dial", connect);
            out.put("expires", Octets.time(v.end));
            out.put("refresh_at", Octets.time(v.refresh));
        } catch (Refusal r) {
            out.put("outcome", r.reason.outcome());
            out.put("reason", r.reason.text);
            out.put("floors", List.of());
        }
        return out;
    }

    private Reason use(List<String> connect) {
        if (query.hasTarget) { // [V6]
            String endpoint = query.host + ":" + query.port;
            connect.add(endpoint);
            if (targets.containsKey(endpoint)) return Reason.VERIFIED;
            boolean host = targets.values().stream().anyMatch(c -> c.target.host.equals(query.host));
            return host ? Reason.PORT_MISMATCH : Reason.TARGET_MISMATCH;
        }
        List<Evidence.Answer> answers = new ArrayList<>(); // [V7]
        for (String label : query.family) {
            Evidence.Answer a = Srv.answerFor(evidence, label);
            Reason fault = a == null ? null : Srv.fault(a);
            if (fault != null && label.equals(query.service)) return fault;
            if (a != null && fault == null && !a.records.isEmpty()) answers.add(a);
        }
        if (answers.isEmpty()) {
            connect.addAll(targets.keySet());
            return Reason.VERIFIED;
        }
        Srv srv = new Srv(answers, this, policy);
        connect.addAll(srv.connect.keySet());
        return connect.isEmpty() ? srv.nothing : Reason.VERIFIED;
    }
}
