import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The algorithm (section 11). */
final class Verify {
    private static final long MIN_TTL = 300, MAX_TTL = 6 * 3600;

    /**
     * A statement for which every step held.
     *
     * @param floor what is remembered of it
     */
    record Proven(Statement statement, Floor floor, long refresh) {}

    final Query query;
    final Policy policy;
    final Evidence evidence;
    final Row row;
    /** The floor of all statements that verified, those that contradict each other included; null if there is none. */
    Floor floor;
    /** Every place was answered, and there is nothing, good or bad [X2]. */
    boolean unpublished;
    /** The statement that decides, or null. */
    Proven decides;
    /** Of the statements alone, before SRV records and targets are compared (V4, O5). */
    Reason reason;

    /** [V1] to [V5]; throws what V1 refuses. */
    Verify(Query query, Object policy, Object evidence) throws Refusal {
        this.query = query;
        this.policy = Policy.read(policy);
        if (!(evidence instanceof Map)) throw new Refusal(Reason.MISSING_INPUT, "evidence");
        this.evidence = Evidence.read(evidence, query);
        this.row = new Row(this.evidence, query.role, this.policy);
        statements();
    }

    private void statements() {
        Reason failed = null;
        Reason refused = null;
        List<Proven> proven = new ArrayList<>();
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
        List<Candidate> inStream = new ArrayList<>();
        unpublished = inDns.isEmpty() && inDocuments.isEmpty() && isAnswered();
        if (unpublished && evidence.stream != null) {
            inStream.add(new Candidate("stream", evidence.stream.encoding, evidence.stream.body, evidence.txt.get(0).ttl)); // [X4]
        }
        NamedKeys named = null;
        if (inDns.size() + inDocuments.size() + inStream.size() > 0) {
            try {
                named = NamedKeys.read(evidence, policy);
            } catch (Refusal r) { // [K2b]: nobody knows who may sign
                inDns.clear();
                inDocuments.clear();
                inStream.clear();
                if (failed == null) failed = r.reason;
            }
        }
        List<Candidate> judged = new ArrayList<>();
        for (List<Candidate> candidates : List.of(inDns, inDocuments, inStream)) {
            Checks checks = new Checks(candidates == inStream ? 6 : 12); // [V3]: each way has its own
            for (Candidate c : candidates) {
                if (c.refusal() == null && judged.stream().anyMatch(
                        e -> c.encoding().equals(e.encoding()) && Arrays.equals(c.octets(), e.octets()))) continue;
                Reason why = null;
                try {
                    proven.add(judge(c, checks, named));
                } catch (Refusal r) {
                    why = r.reason;
                    refused = Reason.later(refused, why);
                }
                // Refused for want of checks [V3], it was not judged: documents have their own for the same octets.
                if (c.refusal() == null && why != Reason.TOO_MANY_RECORDS) judged.add(c);
            }
        }
        choose(proven, failed, refused);
    }

    /** The signature checks that are left for candidates that they refuse [V3]. */
    private static final class Checks {
        int left;

        Checks(int left) {
            this.left = left;
        }
    }

    /** [X2]: TXT and both documents are there and answered. */
    private boolean isAnswered() {
        if (evidence.txt.isEmpty() || evidence.txt.get(0).failure != null || evidence.txt.get(0).dnssec.equals("bogus")) return false;
        return evidence.documents.stream().filter(Documents::isAnswered).count() == 2;
    }

    /** Steps 1 to 13. */
    private Proven judge(Candidate c, Checks checks, NamedKeys named) throws Refusal {
        if (c.refusal() != null) throw c.refusal();
        if (c.octets().length > Statement.MAX_OCTETS) throw new Refusal(Reason.STATEMENT_TOO_LARGE, c.origin());
        Statement s;
        if (c.encoding().equals("jws")) s = Jws.parse(c.octets());
        else if (c.encoding().equals("ac")) s = AttributeCertificate.parse(c.octets());
        else throw new Refusal(Reason.UNSUPPORTED_ENCODING, c.encoding());

        if (!s.source.equals(query.source)) {
            boolean parent = query.source.endsWith("." + s.source);
            throw new Refusal(parent ? Reason.PARENT_SOURCE : Reason.SOURCE_MISMATCH, s.source);
        }
        if (!s.service.equals(query.role.service)) throw new Refusal(Reason.SERVICE_MISMATCH, s.service);
        long t = policy.time;
        if (s.issued - Policy.SKEW > t) throw new Refusal(Reason.NOT_YET_VALID, Octets.time(s.issued));
        if (t >= s.expires) throw new Refusal(Reason.EXPIRED, Octets.time(s.expires));
        if (s.expires - s.issued > policy.maxLife) throw new Refusal(Reason.LIFE_TOO_LONG, "" + (s.expires - s.issued));

        Signer signer = new Signer(s);
        signer.check(s.source, s.issued, t, named);
        Order order = new Order(signer.issuance(s.issued), s.issued);
        String digest = Statement.digest(s.targets);
        Reason below = policy.floor == null ? null : policy.floor.refusal(order, digest);
        if (below != null) throw new Refusal(below, "the floor");
        int cost = signer.checks(); // [V3]: only now signatures are verified, and what they refuse is counted
        if (cost > checks.left) throw new Refusal(Reason.TOO_MANY_RECORDS, cost + " signature checks");
        checks.left -= cost;
        long end = Math.min(s.expires, signer.prove(s, policy, named));
        checks.left += cost;
        long signerUntil = named != null ? end : Math.min(signer.cert.notAfter + 1, Statement.LAST_SECOND); // [K3d]
        return new Proven(s, new Floor(order, digest, end, signerUntil), Math.min(end, t + interval(c.ttl())));
    }

    /** [V8]: the seconds after which something with this TTL, null if unknown, is looked up again. */
    static long interval(Long ttl) {
        return ttl == null ? MAX_TTL : Math.max(MIN_TTL, Math.min(MAX_TTL, ttl));
    }

    /** [O3] to [O5], [V4]. */
    private void choose(List<Proven> proven, Reason failed, Reason refused) {
        for (Proven p : proven) floor = floor == null ? p.floor : floor.join(p.floor);
        if (floor == null || floor.isContradiction()) {
            if (failed != null) reason = failed;
            else if (floor != null) reason = Reason.CONFLICT;
            else reason = refused != null ? refused : Reason.NO_STATEMENT;
            return;
        }
        for (Proven p : proven) {
            if (p.floor.order().compareTo(floor.order()) < 0) continue;
            if (decides == null || p.floor.validUntil() > decides.floor.validUntil()) decides = p; // [O4]
        }
        reason = decides.statement.isRevocation() ? Reason.REVOKED : Reason.VERIFIED;
    }

    List<Statement.Target> targets() {
        return decides.statement.targets;
    }

    /** [V7]: why there is nothing to connect to after a look at the SRV records; `verified` if there is something. */
    Reason withSrv() {
        if (reason != Reason.VERIFIED) return reason;
        if (row.isFailed()) return row.failure;
        return row.isAbsent() || !row.listed(targets()).isEmpty() ? Reason.VERIFIED : row.whyNothing(targets());
    }

    /** [V6]. */
    private Reason withTarget() {
        if (reason != Reason.VERIFIED) return reason;
        boolean host = false;
        for (Statement.Target t : targets()) {
            host |= t.host().equals(query.host);
            if (t.host().equals(query.host) && t.port() == query.port) return Reason.VERIFIED;
        }
        return host ? Reason.PORT_MISMATCH : Reason.TARGET_MISMATCH;
    }

    /** Where to connect if the outcome is `verified`. */
    List<Statement.Target> dial() {
        return row.isAbsent() ? targets() : row.listed(targets());
    }

    /** When to look again [V8], if a statement verified. */
    long refresh() {
        return row.passesOver ? Math.min(decides.refresh, policy.time + MIN_TTL) : decides.refresh;
    }

    /** The answer to the operation `verify`. */
    static Map<String, Object> answer(Map<?, ?> vector) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("floor", Json.NULL);
        Reason reason;
        try {
            Verify v = new Verify(Query.read(vector.get("query")), vector.get("policy"), vector.get("evidence"));
            reason = v.query.hasTarget ? v.withTarget() : v.withSrv();
            out.put("floor", Floor.write(v.floor));
            if (reason == Reason.VERIFIED) v.describe(out);
        } catch (Refusal r) {
            reason = r.reason;
        }
        return reason.in(out);
    }

    private void describe(Map<String, Object> out) {
        List<String> listed = new ArrayList<>();
        for (Statement.Target t : targets()) listed.add(t.endpoint());
        listed.sort(null);
        List<String> connect = new ArrayList<>();
        if (query.hasTarget) connect.add(query.host + ":" + query.port);
        else for (Statement.Target t : dial()) connect.add(t.endpoint());
        out.put("targets", listed);
        out.put("dial", connect);
        out.put("expires", Octets.time(decides.floor.validUntil()));
        out.put("refresh_at", Octets.time(refresh()));
    }
}
