import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Base64;

/** Base64, digests and times. */
final class Octets {
    private Octets() {}

    /** Canonical base64 with padding [S6], or null. */
    static byte[] base64(Object text) {
        return canonical(text, Base64.getDecoder(), Base64.getEncoder());
    }

    /** Canonical base64url without padding [S6], or null. */
    static byte[] base64url(Object text) {
        return canonical(text, Base64.getUrlDecoder(), Base64.getUrlEncoder().withoutPadding());
    }

    private static byte[] canonical(Object text, Base64.Decoder decoder, Base64.Encoder encoder) {
        if (!(text instanceof String)) return null;
        try {
            byte[] octets = decoder.decode(((String) text).getBytes(StandardCharsets.UTF_8));
            return encoder.encodeToString(octets).equals(text) ? octets : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    static byte[] sha256(byte[] octets) {
        return digest("SHA-256", octets);
    }

    static byte[] digest(String algorithm, byte[] octets) {
        try {
            return MessageDigest.getInstance(algorithm).digest(octets);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String hex(byte[] octets) {
        StringBuilder out = new StringBuilder();
        for (byte b : octets) out.append(String.format("%02x", b));
        return out.toString();
    }

    /** Milliseconds since 1970 of an RFC 3339 time, a finer fraction cut off, or null. */
    static Long millis(Object text) {
        if (!(text instanceof String)) return null;
        try {
            return OffsetDateTime.parse((String) text).toInstant().toEpochMilli();
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    /** Seconds since 1970 of an RFC 3339 time, the fraction cut off, or null. */
    static Long time(Object text) {
        Long millis = millis(text);
        return millis == null ? null : Math.floorDiv(millis, 1000L);
    }

    static String time(long seconds) {
        return ofMillis(seconds * 1000);
    }

    static String ofMillis(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }
}
