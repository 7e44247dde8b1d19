import java.util.ArrayList;
import java.util.List;

/** The signed certificate timestamps that are embedded in a certificate (RFC 6962, Section 3.3). */
final class Sct {
    static final String EXTENSION = "1.3.6.1.4.1.11129.2.4.2";
    private static final int V1 = 0, LOG_ID = 32;

    /** A part of the list: opaque bytes of the TLS presentation language. */
    private final byte[] octets;
    private final int end;
    private int at;

    private Sct(byte[] octets, int from, int end) {
        this.octets = octets;
        this.at = from;
        this.end = end;
    }

    /**
     * The timestamps of version 1, in unsigned milliseconds. Other versions are skipped, and no signature is checked.
     *
     * @param value of the extension: an OCTET STRING with a SignedCertificateTimestampList
     */
    static List<Long> timestamps(byte[] value) throws Der.Bad {
        byte[] octets = Der.whole(value, Der.OCTET_STRING).content();
        Sct whole = new Sct(octets, 0, octets.length);
        Sct list = whole.opaque();
        whole.finish();
        if (!list.more()) throw new Der.Bad("an empty list of timestamps");
        List<Long> out = new ArrayList<>();
        while (list.more()) {
            Sct one = list.opaque();
            if (one.number(1) != V1) continue;
            one.skip(LOG_ID);
            out.add(one.number(8));
            one.opaque(); // extensions
            one.skip(2); // the algorithms of the signature
            one.opaque();
            one.finish();
        }
        return out;
    }

    private boolean more() { return at < end; }

    private void skip(int count) throws Der.Bad {
        if (count > end - at) throw new Der.Bad("a timestamp that is cut off");
        at += count;
    }

    private long number(int count) throws Der.Bad {
        skip(count);
        long value = 0;
        for (int i = at - count; i < at; i++) value = value << 8 | octets[i] & 0xFF;
        return value;
    }

    /** What follows a length of two bytes. */
    private Sct opaque() throws Der.Bad {
        int length = (int) number(2);
        skip(length);
        return new Sct(octets, at - length, at);
    }

    private void finish() throws Der.Bad {
        if (more()) throw new Der.Bad("bytes after a timestamp");
    }
}
