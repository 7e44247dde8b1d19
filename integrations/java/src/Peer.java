import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

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
    /** What DNS says of endpoints. */
    final Map<String, Dane> endpoints;

    /** @param endpoint null for an incoming connection, and where it is not told */
    Peer(Object chain, Map<?, ?> trust, Object endpoint) throws Refusal {
        Long at = Octets.time(trust.get("time"));
        this.roots = Policy.anchors(trust.get("roots"));
        if (at == null || roots == null) throw new Refusal(Reason.MISSING_INPUT, "roots or time of the peer");
        this.time = at;
        this.floor = Floor.read(trust.get("floor"));
        this.endpoints = Dane.read(trust.get("endpoints"));
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

    /** What the peer shows, within the bounds of [P1a] to [P1c]. */
    static final class Shown {
        final Cert leaf;
        /** The others, none twice and none the leaf. */
        final List<Cert> others;
        final List<Cert> roots;
        private final long time;
        private Long end;
        private boolean searched;

        private Shown(Cert leaf, List<Cert> others, List<Cert> roots, long time) {
            this.leaf = leaf;
            this.others = others;
            this.roots = roots;
            this.time = time;
        }

        /** The end of the peer's chain [P1d], or null. */
        Long pkix() {
            if (!searched) end = Chain.longest(leaf, others, roots, time);
            searched = true;
            return end;
        }

        /** The end of the longest path that is wanted, or null. */
        Long longest(List<Cert> anchors, Predicate<List<Cert>> wanted) {
            return Chain.longest(leaf, others, anchors, time, wanted);
        }

        private long chain() throws Refusal {
            if (pkix() == null) throw new Refusal(Reason.PEER_UNTRUSTED, "no chain to a trust anchor");
            return pkix();
        }
    }

    /** [P1a] to [P1c]. */
    private Shown shown() throws Refusal {
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
        return new Shown(first, others, roots, time);
    }

    /** RFC 9525: a dNSName, perhaps with a wildcard as its first label; the common name never. */
    boolean carries(String name, boolean wildcards) {
        for (String dnsName : chain.get(0).dnsNames) {
            if (dnsName.equals(name) || wildcards && Names.wildcardCovers(dnsName, name)) return true;
        }
        return false;
    }

    /**
     * [P1]: the reference that accepts the peer, until it or what it rests on ends.
     *
     * @param candidates references of the decision, at whatever endpoint
     */
    Association.Reference check(Association decision, List<Association.Reference> candidates, boolean wildcards)
            throws Refusal {
        List<Association.Reference> references = new ArrayList<>(candidates);
        List<Association.Reference> left = new ArrayList<>(candidates);
        Reason overtaken = decision.overtaken(floor);
        references.removeIf(r -> overtaken != null && r.method().equals(Association.DELEGATION)); // [P1f]
        left.removeAll(references);
        List<Association.Reference> here = new ArrayList<>(references);
        here.removeIf(r -> !countsHere(r));
        if (floor != null && floor.isRequired(time)) here.removeIf(r -> r.method().equals(Association.POSH)); // [F2b]
        Dane answer = host == null || Association.proven(here).isEmpty() ? null : endpoints.get(host + ":" + port);
        try {
            return accept(answer == null ? here : bound(here, answer), decision, wildcards);
        } catch (Refusal refusal) {
            if (answer != null && answer.lost != null) throw new Refusal(answer.lost, "what DNS says of the endpoint"); // [E2c]
            Reason reason = refusal.reason;
            List<Association.Reference> held = host == null ? held(here) : List.of();
            if (!held.isEmpty()) {
                try {
                    return accept(held, decision, wildcards); // [E7b]
                } catch (Refusal other) {
                    if (other.reason != Reason.DANE_MISMATCH) reason = Reason.later(reason, other.reason);
                }
            }
            boolean named = reason == Reason.PEER_NAME_MISMATCH && !left.isEmpty();
            if (named || reason == Reason.PEER_UNTRUSTED && !held(left).isEmpty()) reason = overtaken; // [P1g], [E4d]
            if (reason == Reason.PEER_NAME_MISMATCH) reason = whyNone(Association.proven(references));
            throw new Refusal(reason, refusal.getMessage());
        }
    }

    /** The references with the records that they are held to [E4], where DNS speaks about the endpoint. */
    private static List<Association.Reference> bound(List<Association.Reference> here, Dane answer) {
        boolean everyName = here.stream().anyMatch(r -> r.method().equals(Association.DNSSEC));
        List<Association.Reference> out = new ArrayList<>();
        for (Association.Reference r : here) {
            if (!r.method().equals(Association.PKIX)) {
                if (answer.lost == null) out.add(r.with(answer));
            } else if (!everyName) {
                out.add(r);
            }
        }
        return out;
    }

    /** The references whose endpoints have usable records, with these. */
    private List<Association.Reference> held(List<Association.Reference> references) {
        List<Association.Reference> out = new ArrayList<>();
        for (Association.Reference r : Association.proven(references)) {
            Dane d = endpoints.get(r.name() + ":" + r.port());
            if (d != null && d.lost == null) out.add(r.with(d));
        }
        return out;
    }

    /** The first of the references for which all else holds. */
    private Association.Reference accept(List<Association.Reference> references, Association decision, boolean wildcards)
            throws Refusal {
        String source = decision.verified.query.source;
        Shown shown = shown();
        Reason refused = null;
        boolean none = true;
        for (Association.Reference r : references) {
            if (!wildcards && !carries(r.name(), false) && (r.dane() == null || !r.dane().namesKey(shown.leaf))) continue; // [R1d]
            none = false;
            try {
                if (r.method().equals(Association.POSH)) {
                    if (decision.posh.names(shown.leaf)) return byPosh(r, shown.leaf);
                    continue; // [F6c]
                }
                Dane.Match match = r.dane() == null ? new Dane.Match(null, shown.chain())
                        : r.dane().check(shown, carries(r.name(), true) || carries(source, true), time);
                if (r.dane() == null && !carries(r.name(), true)) continue;
                if (time >= r.until()) throw new Refusal(Reason.PROOF_EXPIRED, r.name());
                if (r.pins() != null && !r.pins().contains(shown.leaf.pin())) throw new Refusal(Reason.PEER_KEY_MISMATCH, r.name());
                return r.until(Math.min(r.until(), match.end()), match.numbers());
            } catch (Refusal refusal) {
                refused = Reason.later(refused, refusal.reason);
            }
        }
        if (none) shown.chain();
        throw new Refusal(refused == null ? Reason.PEER_NAME_MISMATCH : refused, "" + shown.leaf.dnsNames);
    }

    /** [F6]. */
    private Association.Reference byPosh(Association.Reference r, Cert leaf) throws Refusal {
        if (!leaf.isValidAt(time)) throw new Refusal(Reason.PEER_UNTRUSTED, "not valid now");
        if (r.until() <= time) throw new Refusal(Reason.PROOF_EXPIRED, r.name());
        return r.until(Math.min(r.until(), leaf.notAfter + 1), null);
    }

    /** Why the certificate carries none of the names that count. */
    private Reason whyNone(List<Association.Reference> proven) {
        if (proven.isEmpty() || proven.stream().anyMatch(this::countsHere)) return Reason.PEER_NAME_MISMATCH;
        boolean sameHost = proven.stream().anyMatch(r -> r.name().equals(host));
        return sameHost ? Reason.PORT_MISMATCH : Reason.TARGET_MISMATCH;
    }

    /** [C4]: for an outgoing connection, a proven name counts only at its endpoint. */
    private boolean countsHere(Association.Reference r) {
        return host == null || r.method().equals(Association.PKIX) || r.method().equals(Association.POSH) || r.name().equals(host) && r.port() == port;
    }

    static Map<String, Object> accepted(Association.Reference r) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("name", r.name());
        out.put("method", r.method());
        out.put("until", Octets.time(r.until()));
        if (r.tlsa() != null) out.put("tlsa", r.tlsa());
        return out;
    }
}
