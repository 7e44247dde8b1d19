import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Trust anchors, the time to verify for, the longest life accepted, the remembered floor. */
final class Policy {
    static final long SKEW = 300;
    private static final long DAY = 86400, DEFAULT_LIFE = 31 * DAY;

    long time;
    List<Cert> roots;
    long maxLife = DEFAULT_LIFE;
    /** Null if nothing is remembered. */
    Floor floor;
    boolean signerRefused;
    boolean believesReplayedDnssec;

    /** [V1]: what is missing or out of range is `missing-input`. */
    static Policy read(Object value) throws Refusal {
        Map<?, ?> json = Json.object(value);
        Policy p = new Policy();
        Long time = Octets.time(json.get("time"));
        if (time == null) throw missing("time");
        p.time = time;
        p.roots = anchors(json.get("roots"));
        if (p.roots == null) throw missing("roots");
        if (json.containsKey("max_life")) {
            if (!(json.get("max_life") instanceof Long)) throw missing("max_life");
            p.maxLife = (Long) json.get("max_life");
            if (p.maxLife < 0 || p.maxLife > 90 * DAY) throw missing("max_life");
            if (p.maxLife == 0) p.maxLife = DEFAULT_LIFE;
        }
        p.floor = Floor.read(json.get("floor"));
        p.signerRefused = "refuse".equals(json.get("signer_check"));
        p.believesReplayedDnssec = Boolean.TRUE.equals(json.get("believe_replayed_dnssec"));
        return p;
    }

    /** Trust anchors in base64, or null if this is no list of those. What the platform cannot read is no anchor. */
    static List<Cert> anchors(Object value) {
        if (!(value instanceof List)) return null;
        List<Cert> out = new ArrayList<>();
        for (Object element : (List<?>) value) {
            byte[] der = Octets.base64(element);
            if (der == null) return null;
            try {
                out.add(Cert.parse(der));
            } catch (Refusal unreadable) {
                continue;
            }
        }
        return out;
    }

    private static Refusal missing(String what) {
        return new Refusal(Reason.MISSING_INPUT, what);
    }
}
