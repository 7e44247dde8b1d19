import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** A TLSA record. */
record Tlsa(long usage, long selector, long matching, byte[] data) {
    static final int PKIX_TA = 0, PKIX_EE = 1, DANE_TA = 2, DANE_EE = 3;

    /** [K2c]. */
    boolean namesKey() {
        return usage == 3 && selector == 1 && matching == 1 && data.length == 32;
    }

    /** [E3]. */
    boolean isUsable() {
        if (usage > DANE_EE || selector > 1 || matching > 2) return false;
        return matching == 0 ? data.length > 0 : data.length == (matching == 1 ? 32 : 64);
    }

    /** [E5e]. */
    boolean matches(Cert c) {
        byte[] octets = selector == 1 ? c.spki : c.der;
        if (matching == 0) return Arrays.equals(data, octets);
        try {
            return Arrays.equals(data, MessageDigest.getInstance(matching == 1 ? "SHA-256" : "SHA-512").digest(octets));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
