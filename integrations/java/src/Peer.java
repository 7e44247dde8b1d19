import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The peer's certificate (section 12.1). */
final class Peer {
    final List<Cert> chain;
    final List<Cert> roots;
    final long time;
    final String host;
    final long port;

    /** Null parts were missing or are no certificates. */
    Peer(Object chain, Map<?, ?> trust, Map<?, ?> endpoint) throws Refusal {
        Long at = Octets.time(trust.get("time"));
        this.roots = Policy.certificates(trust.get("roots"));
        if (at == null || roots == null) throw new Refusal(Reason.MISSING_INPUT, "roots or time of the peer");
        this.time = at;
        this.chain = Policy.certificates(chain);
        this.host = Json.string(endpoint.get("host"));
        this.port = endpoint.get("port") instanceof Long ? (Long) endpoint.get("port") : 0;
    }

    /** The first step of [P1]: the chain leads to a trust anchor with the purpose serverAuth. Returns its end. */
    long checkChain() throws Refusal {
        Long end = chain == null || chain.isEmpty() ? null
                : Chain.longest(chain.get(0), chain.subList(1, chain.size()), roots, time);
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
     * @param proven all names proven by `dnssec` or `delegation`, at whatever endpoint
     * @param counting the names that count at the endpoint dialled, the best first
     */
    Association.Reference check(List<Association.Reference> counting, List<Association.Reference> proven,
            boolean outgoing, boolean wildcards) throws Refusal {
        long end = checkChain();
        Reason reason = Reason.PEER_NAME_MISMATCH;
        boolean carried = false;
        for (Association.Reference r : counting) {
            if (!carries(r.name, wildcards)) continue;
            carried = true;
            if (time >= r.until) {
                reason = Reason.later(reason, Reason.PROOF_EXPIRED);
            } else if (r.pins != null && !r.pins.contains(chain.get(0).pin())) {
                reason = Reason.later(reason, Reason.PEER_KEY_MISMATCH);
            } else {
                return new Association.Reference(r.name, r.method, r.port, Math.min(r.until, end), r.pins);
            }
        }
        if (!carried && outgoing && !proven.isEmpty() && proven.stream().noneMatch(this::isAtEndpoint)) {
            boolean sameHost = proven.stream().anyMatch(r -> r.name.equals(host));
            reason = sameHost ? Reason.PORT_MISMATCH : Reason.TARGET_MISMATCH;
        }
        throw new Refusal(reason, "" + chain.get(0).dnsNames);
    }

    /** [C4]. */
    boolean isAtEndpoint(Association.Reference r) {
        return r.name.equals(host) && r.port == port;
    }

    static Map<String, Object> accepted(Association.Reference r) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("name", r.name);
        out.put("method", r.method);
        out.put("until", Octets.time(r.until));
        return out;
    }

    /** The names that count at the endpoint dialled, or incoming at any. */
    List<Association.Reference> counting(List<Association.Reference> references, boolean outgoing) {
        List<Association.Reference> out = new ArrayList<>(references);
        if (outgoing) out.removeIf(r -> !r.method.equals(Association.PKIX) && !isAtEndpoint(r));
        return out;
    }
}
