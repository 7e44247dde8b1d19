import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The peer's certificate (docs/connections.md, section 7). */
final class Peer {
    private static final int MAX_CERTIFICATES = 10, MAX_CHECKS = 12;

    final List<Cert> chain;
    final List<Cert> roots;
    final long time;
    /** The endpoint that was dialled; the host is null for an incoming connection, and where it is not told [C4]. */
    final String host;
    final long port;
    /** What is remembered at the moment of the connection, or null. */
    final Floor floor;

    /** @param endpoint null for an incoming connection, and where it is not told */
    Peer(Object chain, Map<?, ?> trust, Object endpoint) throws Refusal {
        Long at = Octets.time(trust.get("time"));
        this.roots = Policy.anchors(trust.get("roots"));
        if (at == null || roots == null) throw new Refusal(Reason.MISSING_INPUT, "roots or time of the peer");
        this.time = at;
        this.floor = Floor.read(trust.get("floor"));
        this.chain = certificates(chain);
        Object number = Json.object(endpoint).get("port");
        this.host = endpoint == null ? null : Json.string(Json.object(endpoint).get("host"));
        this.port = number instanceof Long ? (Long) number : 0;
        if (endpoint != null && !(Names.isDomain(host) && port >= 1 && port <= 65535)) {
            throw new Refusal(Reason.MISSING_INPUT, "endpoint");
        }
    }

    /** Null if this is no list of certificates that can be read. */
    private static List<Cert> certificates(Object value) {
        if (!(value instanceof List)) return null;
        List<Cert> out = new ArrayList<>();
        for (Object element : (List<?>) value) {
            byte[] der = Octets.base64(element);
            try {
                out.add(Cert.parse(der == null ? new byte[0] : der));
            } catch (Refusal unreadable) {
                return null;
            }
        }
        return out;
    }

    /** [P1a] to [P1e]. Returns the end of the peer's chain. */
    long checkChain() throws Refusal {
        if (chain == null || chain.isEmpty() || chain.size() > MAX_CERTIFICATES) {
            throw new Refusal(Reason.PEER_UNTRUSTED, "none or too many certificates, or one that cannot be read");
        }
        for (Cert c : chain) c.publicKey(); // [W2]
        Cert first = chain.get(0);
        List<Cert> others = new ArrayList<>(); // one that is shown twice is one certificate
        for (Cert c : chain) if (!c.sameAs(first) && others.stream().noneMatch(c::sameAs)) others.add(c);
        if (Chain.checksAskedFor(List.of(first), others, MAX_CHECKS) > MAX_CHECKS) {
            throw new Refusal(Reason.PEER_UNTRUSTED, "too many signature checks");
        }
        Long end = Chain.longest(first, others, roots, time);
        if (end == null) throw new Refusal(Reason.PEER_UNTRUSTED, "no chain to a trust anchor");
        return end;
    }

    /** RFC 9525: a dNSName, perhaps with a wildcard as its first label; the common name never. */
    boolean carries(String name, boolean wildcards) {
        for (String dnsName : chain.get(0).dnsNames) {
            if (dnsName.equals(name) || wildcards && Names.wildcardCovers(dnsName, name)) return true;
        }
        return false;
    }

    /**
     * [P1]: the reference that accepts the peer, until it or the peer's chain ends.
     *
     * @param candidates references of the decision, at whatever endpoint
     */
    Association.Reference check(Association decision, List<Association.Reference> candidates, boolean wildcards)
            throws Refusal {
        long end = checkChain();
        List<Association.Reference> references = new ArrayList<>(candidates);
        Reason overtaken = decision.overtaken(floor);
        boolean leftOut = overtaken != null && references.removeIf(r -> r.method.equals(Association.DELEGATION)); // [P1f]
        Reason refused = null;
        for (Association.Reference r : references) {
            if (!countsHere(r) || !carries(r.name, wildcards)) continue;
            if (time >= r.until) {
                refused = Reason.later(refused, Reason.PROOF_EXPIRED);
            } else if (r.pins != null && !r.pins.contains(chain.get(0).pin())) {
                refused = Reason.later(refused, Reason.PEER_KEY_MISMATCH);
            } else {
                return new Association.Reference(r.name, r.method, r.port, Math.min(r.until, end), r.pins);
            }
        }
        if (refused == null) refused = leftOut ? overtaken : whyNone(Association.proven(references)); // [P1g]
        throw new Refusal(refused, "" + chain.get(0).dnsNames);
    }

    /** Why the certificate carries none of the names that count. */
    private Reason whyNone(List<Association.Reference> proven) {
        if (proven.isEmpty() || proven.stream().anyMatch(this::countsHere)) return Reason.PEER_NAME_MISMATCH;
        boolean sameHost = proven.stream().anyMatch(r -> r.name.equals(host));
        return sameHost ? Reason.PORT_MISMATCH : Reason.TARGET_MISMATCH;
    }

    /** [C4]: for an outgoing connection, a proven name counts only at its endpoint. */
    private boolean countsHere(Association.Reference r) {
        return host == null || r.method.equals(Association.PKIX) || r.name.equals(host) && r.port == port;
    }

    static Map<String, Object> accepted(Association.Reference r) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("name", r.name);
        out.put("method", r.method);
        out.put("until", Octets.time(r.until));
        return out;
    }
}
