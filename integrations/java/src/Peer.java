import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The peer's certificate (section 12.1). */
final class Peer {
    private static final int MAX_CERTIFICATES = 10, MAX_CHECKS = 12;

    final List<Cert> chain;
    final List<Cert> roots;
    final long time;
    /** The endpoint that was dialled; the host is null for an incoming connection, and where it is not told [C4]. */
    final String host;
    final long port;

    /** @param endpoint null for an incoming connection, and where it is not told */
    Peer(Object chain, Map<?, ?> trust, Object endpoint) throws Refusal {
        Long at = Octets.time(trust.get("time"));
        this.roots = Policy.certificates(trust.get("roots"));
        if (at == null || roots == null) throw new Refusal(Reason.MISSING_INPUT, "roots or time of the peer");
        this.time = at;
        this.chain = Policy.certificates(chain);
        Object number = Json.object(endpoint).get("port");
        this.host = endpoint == null ? null : Json.string(Json.object(endpoint).get("host"));
        this.port = number instanceof Long ? (Long) number : 0;
        if (endpoint != null && !(Names.isDomain(host) && port >= 1 && port <= 65535)) {
            throw new Refusal(Reason.MISSING_INPUT, "endpoint");
        }
    }

    /** The beginning of [P1], in its order: number of certificates, keys, signature checks asked for; the chain leads to a trust anchor with the purpose serverAuth. Returns its end. */
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
     * @param references the names, at whatever endpoint
     */
    Association.Reference check(List<Association.Reference> references, boolean wildcards) throws Refusal {
        long end = checkChain();
        Reason reason = Reason.PEER_NAME_MISMATCH;
        boolean carried = false;
        for (Association.Reference r : references) {
            if (!countsHere(r) || !carries(r.name, wildcards)) continue;
            carried = true;
            if (time >= r.until) {
                reason = Reason.later(reason, Reason.PROOF_EXPIRED);
            } else if (r.pins != null && !r.pins.contains(chain.get(0).pin())) {
                reason = Reason.later(reason, Reason.PEER_KEY_MISMATCH);
            } else {
                return new Association.Reference(r.name, r.method, r.port, Math.min(r.until, end), r.pins);
            }
        }
        List<Association.Reference> proven = Association.proven(references);
        if (!carried && !proven.isEmpty() && proven.stream().noneMatch(this::countsHere)) {
            boolean sameHost = proven.stream().anyMatch(r -> r.name.equals(host));
            reason = sameHost ? Reason.PORT_MISMATCH : Reason.TARGET_MISMATCH;
        }
        throw new Refusal(reason, "" + chain.get(0).dnsNames);
    }

    /** [C4]: outgoing, what was proven counts only at the endpoint that it was proven for. */
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
