import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A statement (section 3), out of either encoding, and what is needed to verify its signature. */
final class Statement {
    static final long LAST_SECOND = 253402300799L;
    static final int MAX_OCTETS = 32768;
    static final int MAX_CERTIFICATES = 5;

    /**
     * @param direct whether TLS begins at once
     * @param pins in hexadecimal; null if there is no such member
     */
    record Target(String host, long port, long priority, long weight, boolean direct, List<String> pins) {
        String endpoint() { return host + ":" + port; }
    }

    String source;
    String service;
    List<Target> targets = new ArrayList<>();
    long issued;
    long expires;

    Algorithm algorithm;
    byte[] signed;
    byte[] signature;
    /** The signer's first; of a JWS in the order received, of an attribute certificate in any (A9). */
    List<byte[]> certificates = new ArrayList<>();
    /** Of an attribute certificate: the name of its issuer in DER. Null for a JWS. */
    byte[] issuer;

    boolean isRevocation() { return targets.isEmpty(); }

    /** Step 4 after the form: names, targets, lifetime. */
    void checkClaims() throws Refusal {
        if (!Names.isDomain(source) || !Names.isService(service) || !Names.isOwner(service, source)) {
            throw new Refusal(Reason.BAD_NAME, "source or service");
        }
        for (Target t : targets) {
            if (!Names.isDomain(t.host)) throw new Refusal(Reason.BAD_NAME, "host of a target");
        }
        // [S2] and the numbers of [S3]
        if (targets.size() > 16) throw new Refusal(Reason.BAD_TARGETS, "more than 16 targets");
        Set<String> endpoints = new HashSet<>();
        for (Target t : targets) {
            if (t.port < 1 || t.port > 65535 || !is16Bits(t.priority) || !is16Bits(t.weight)) {
                throw new Refusal(Reason.BAD_TARGETS, "a number out of range");
            }
            if (!endpoints.add(t.endpoint())) throw new Refusal(Reason.BAD_TARGETS, "an endpoint twice");
            if (t.pins != null && (t.pins.isEmpty() || t.pins.size() > 4)) {
                throw new Refusal(Reason.BAD_TARGETS, "number of pins");
            }
        }
        // [S4]
        if (issued < 0 || expires > LAST_SECOND || expires <= issued) {
            throw new Refusal(Reason.BAD_LIFETIME, "iat " + issued + ", exp " + expires);
        }
    }

    private static boolean is16Bits(long n) { return n >= 0 && n <= 65535; }

    /** What the holder of an attribute certificate must list [A4]. */
    List<String> holders() {
        Set<String> hosts = new LinkedHashSet<>();
        for (Target t : targets) hosts.add(t.host);
        return hosts.isEmpty() ? List.of(source) : new ArrayList<>(hosts);
    }

    /** The digest of targets (section 3) in hexadecimal. */
    static String digest(List<Target> targets) {
        List<Target> sorted = new ArrayList<>(targets);
        sorted.sort((a, b) -> a.host.equals(b.host) ? Long.compare(a.port, b.port) : a.host.compareTo(b.host));
        StringBuilder lines = new StringBuilder();
        for (Target t : sorted) {
            lines.append(t.host).append(' ').append(t.port).append(' ').append(t.priority).append(' ').append(t.weight);
            if (t.direct) lines.append(" direct");
            if (t.pins != null) {
                List<String> pins = new ArrayList<>(t.pins);
                pins.sort(null);
                for (String pin : pins) lines.append(' ').append(pin);
            }
            lines.append('\n');
        }
        return Octets.hex(Octets.sha256(lines.toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
    }

    static final String DIGEST_OF_NONE = digest(List.of());
}
