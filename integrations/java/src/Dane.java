import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** DANE (docs/connections.md, section 9): what DNS says of one endpoint. */
final class Dane {
    private static final int MAX_RECORDS = 16;
    private static final long LEAST = 300;

    /** The record that a peer matches, and the end of that. */
    record Match(String numbers, long end) {}

    /** Why nobody can tell [E2], or null. */
    final Reason lost;
    /** By usage, the highest first [E5e]. */
    private final List<Tlsa> records;
    private final long collected;
    private final long ttl;

    private Dane(Reason lost, List<Tlsa> records, long collected, long ttl) {
        this.lost = lost;
        this.records = records;
        this.collected = collected;
        this.ttl = ttl;
    }

    /** By endpoint, as `host:port`. Endpoints about which TLSA says nothing are not there. */
    static Map<String, Dane> read(Object answers) {
        Map<String, Dane> out = new LinkedHashMap<>();
        if (!(answers instanceof List)) return out;
        for (Object element : (List<?>) answers) {
            Map<?, ?> json = Json.object(element);
            Dane d = answer(json);
            if (d != null) out.put(json.get("host") + ":" + json.get("port"), d);
        }
        return out;
    }

    private static Dane answer(Map<?, ?> json) {
        Map<?, ?> address = Json.object(json.get("address"));
        if (failure(address) != null) return new Dane(failure(address), null, 0, 0);
        if (!"secure".equals(address.get("dnssec"))) return null; // [E1d]
        if (!json.containsKey("tlsa")) return new Dane(Reason.UNANSWERED, null, 0, 0);
        Map<?, ?> tlsa = Json.object(json.get("tlsa"));
        if (failure(tlsa) != null) return new Dane(failure(tlsa), null, 0, 0);
        if (!"secure".equals(tlsa.get("dnssec"))) return null;
        List<?> all = tlsa.get("records") instanceof List ? (List<?>) tlsa.get("records") : List.of();
        if (all.size() > MAX_RECORDS) return new Dane(Reason.TOO_MANY_RECORDS, null, 0, 0);
        List<Tlsa> usable = new ArrayList<>();
        for (Object element : all) {
            Map<?, ?> r = Json.object(element);
            Tlsa record = new Tlsa((Long) r.get("usage"), (Long) r.get("selector"), (Long) r.get("matching"), Octets.base64(r.get("data")));
            if (record.isUsable()) usable.add(record);
        }
        if (usable.isEmpty()) return null;
        usable.sort(Comparator.comparingLong(Tlsa::usage).reversed());
        long ttl = Math.min((Long) address.get("ttl"), (Long) tlsa.get("ttl"));
        return new Dane(null, usable, Octets.time(json.get("collected")), ttl);
    }

    private static Reason failure(Map<?, ?> answer) {
        if (answer.containsKey("failure")) return Reason.of(Json.object(answer.get("failure")).get("reason"));
        return "bogus".equals(answer.get("dnssec")) ? Reason.DNS_BOGUS : null;
    }

    /** Whether a record of usage 3 matches the peer's certificate. */
    boolean namesKey(Cert leaf) {
        return records.stream().anyMatch(r -> r.usage() == Tlsa.DANE_EE && r.matches(leaf));
    }

    /**
     * [E4c], [E5], [E6].
     *
     * @param named whether the peer's certificate names the target's host or the source
     */
    Match check(Peer.Shown shown, boolean named, long time) throws Refusal {
        long until = Math.min(collected, time) + Math.max(ttl, LEAST);
        for (Tlsa r : records) {
            Long end = end(r, shown, named);
            if (end == null) continue;
            if (time >= until) throw new Refusal(Reason.PROOF_EXPIRED, "the TLSA records");
            return new Match(r.usage() + " " + r.selector() + " " + r.matching(), Math.min(end, until));
        }
        throw new Refusal(Reason.DANE_MISMATCH, records.size() + " records");
    }

    /** When a match with a record ends, or null if there is none. */
    private static Long end(Tlsa r, Peer.Shown shown, boolean named) {
        if (r.usage() == Tlsa.DANE_EE) return r.matches(shown.leaf) ? Long.MAX_VALUE : null;
        if (!named) return null;
        if (r.usage() == Tlsa.PKIX_EE) return r.matches(shown.leaf) ? shown.pkix() : null;
        if (r.usage() == Tlsa.PKIX_TA) return shown.longest(shown.roots, path -> path.subList(1, path.size()).stream().anyMatch(r::matches));
        List<Cert> anchors = new ArrayList<>(shown.others);
        anchors.removeIf(c -> !r.matches(c));
        return anchors.isEmpty() ? null : shown.longest(anchors, path -> true);
    }
}
