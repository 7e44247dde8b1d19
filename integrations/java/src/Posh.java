import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** POSH files (RFC 7711): docs/posh.md. */
final class Posh {
    private static final String MEDIA_TYPE = "application/json";
    private static final Map<String, String> NAMES =
            Map.of("_xmpp-server._tcp", "xmpp-server", "_xmpp-client._tcp", "xmpp-client");
    private static final Map<String, String> DIGESTS = Map.of("sha-256", "SHA-256", "sha-512", "SHA-512");
    private static final Map<String, Integer> SIZES = Map.of("sha-256", 32, "sha-512", 64);
    private static final Pattern URL = Pattern.compile("https://([a-z0-9.-]+)(:443)?(/[!-\"$-~]*)?");
    private static final int MAX_URL = 2048;
    private static final long MIN_LIFE = 300, MAX_LIFE = 31 * 24 * 3600;

    private long expires;
    /** Where else to look; null if there are certificates. */
    private String url;
    /** The known digests of each certificate, by their names. */
    private final List<Map<String, byte[]>> certificates = new ArrayList<>();
    /** When this ends. */
    long until;

    private Posh() {}

    /** [F1a]: null for a role without a file. */
    static String url(Query query) {
        String name = NAMES.get(query.role.service);
        return name == null ? null : "https://" + query.source + "/.well-known/posh/" + name + ".json";
    }

    /** [F4a]. */
    static boolean isUrl(String text) {
        Matcher m = URL.matcher(text);
        return m.matches() && text.length() <= MAX_URL && Names.isDomain(m.group(1));
    }

    /** What the files say at a time [F3] to [F5]. */
    static Posh read(Evidence evidence, long now) throws Refusal {
        if (evidence.posh.isEmpty()) throw new Refusal(Reason.NO_POSH, "not asked for");
        Posh file = read(evidence.posh.get(0));
        long expires = file.expires;
        if (file.url != null) {
            if (evidence.posh.size() < 2 || !evidence.posh.get(1).origin.equals(file.url)) {
                throw new Refusal(Reason.NO_POSH, "the second file was not asked for");
            }
            file = read(evidence.posh.get(1));
            if (file.url != null) throw new Refusal(Reason.MALFORMED_POSH, "a second hop");
            expires = Math.min(expires, file.expires);
        }
        file.until = Math.min(evidence.collected, now) + Math.max(MIN_LIFE, Math.min(MAX_LIFE, expires));
        if (file.until <= now) throw new Refusal(Reason.PROOF_EXPIRED, "");
        return file;
    }

    private static Posh read(Evidence.Document d) throws Refusal {
        Reason failure = Documents.failure(d);
        if (failure != null) throw new Refusal(failure, d.origin);
        if (!Documents.isServed(d, MEDIA_TYPE)) throw new Refusal(Reason.NO_POSH, d.origin);
        Object value;
        try {
            value = Json.strict(d.body);
        } catch (Json.Bad e) {
            throw bad(e.getMessage());
        }
        if (!(value instanceof Map)) throw bad("no object");
        Map<?, ?> json = (Map<?, ?>) value;
        Posh file = new Posh();
        if (!(json.get("expires") instanceof Long) || (Long) json.get("expires") < 1) throw bad("expires");
        file.expires = (Long) json.get("expires");
        if (!json.containsKey("fingerprints")) {
            if (!(json.get("url") instanceof String) || !isUrl((String) json.get("url"))) throw bad("url");
            file.url = (String) json.get("url");
            return file;
        }
        if (!(json.get("fingerprints") instanceof List)) throw bad("fingerprints");
        for (Object element : (List<?>) json.get("fingerprints")) {
            Map<String, byte[]> known = digests(element);
            if (!known.isEmpty()) file.certificates.add(known);
        }
        if (file.certificates.isEmpty()) throw bad("no known digest");
        return file;
    }

    private static Map<String, byte[]> digests(Object value) throws Refusal {
        if (!(value instanceof Map)) throw bad("a fingerprint");
        Map<String, byte[]> known = new HashMap<>();
        for (String name : SIZES.keySet()) {
            if (!((Map<?, ?>) value).containsKey(name)) continue;
            byte[] octets = Octets.base64(((Map<?, ?>) value).get(name));
            if (octets == null || octets.length != SIZES.get(name)) throw bad(name);
            known.put(name, octets);
        }
        return known;
    }

    /** [F6b]: whether a certificate is one of those that the file names. */
    boolean names(Cert cert) {
        for (Map<String, byte[]> known : certificates) {
            boolean all = true;
            for (Map.Entry<String, byte[]> e : known.entrySet()) {
                all &= Arrays.equals(e.getValue(), Octets.digest(DIGESTS.get(e.getKey()), cert.der));
            }
            if (all) return true;
        }
        return false;
    }

    private static Refusal bad(String what) {
        return new Refusal(Reason.MALFORMED_POSH, what);
    }
}
