import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One element of strict DER [A3]: definite and minimal lengths, minimal integers, nothing left over. */
final class Der {
    static final int BOOLEAN = 0x01, INTEGER = 0x02, BIT_STRING = 0x03, OCTET_STRING = 0x04, NULL = 0x05, OID = 0x06,
            ENUMERATED = 0x0A, IA5_STRING = 0x16, UTC_TIME = 0x17, GENERALIZED_TIME = 0x18, SEQUENCE = 0x30, SET = 0x31;
    static final int MAX_OID = 256;

    static final class Bad extends Exception {
        Bad(String what) { super(what, null, false, false); }
    }

    /** The octet of the tag; for tag numbers above 30, that octet with its number bits all set. */
    final int tag;
    private final byte[] all;
    private final int from;
    private final int body;
    private final int to;

    private Der(byte[] all, int from, int limit) throws Bad {
        this.all = all;
        this.from = from;
        int at = from;
        if (at >= limit) throw new Bad("an element is missing");
        tag = all[at++] & 0xFF;
        if ((tag & 0x1F) == 0x1F) at = highTag(at, limit);
        if (at >= limit) throw new Bad("no length");
        int length = all[at++] & 0xFF;
        if (length >= 0x80) {
            int octets = length & 0x7F;
            if (octets == 0 || octets > 4 || at + octets > limit) throw new Bad("length");
            long value = 0;
            for (int i = 0; i < octets; i++) value = value << 8 | all[at++] & 0xFF;
            if (value < 0x80 || value >> 8 * (octets - 1) == 0) throw new Bad("length not minimal");
            if (value > limit - at) throw new Bad("length beyond the end");
            length = (int) value;
        }
        if (length > limit - at) throw new Bad("length beyond the end");
        body = at;
        to = at + length;
    }

    private int highTag(int at, int limit) throws Bad {
        int number = 0;
        while (true) {
            if (at >= limit || number > 0xFFFFFF) throw new Bad("tag");
            int octet = all[at++] & 0xFF;
            if (number == 0 && octet == 0x80) throw new Bad("tag not minimal");
            number = number << 7 | octet & 0x7F;
            if (octet < 0x80) break;
        }
        if (number < 31) throw new Bad("tag not minimal");
        return at;
    }

    /** The element that these octets are, with nothing after it. */
    static Der whole(byte[] octets) throws Bad {
        Der der = new Der(octets, 0, octets.length);
        if (der.to != octets.length) throw new Bad("octets after the element");
        return der;
    }

    static Der whole(byte[] octets, int tag) throws Bad {
        return whole(octets).is(tag);
    }

    Der is(int wanted) throws Bad {
        if (tag != wanted) throw new Bad(String.format("tag %02x instead of %02x", tag, wanted));
        return this;
    }

    byte[] octets() { return Arrays.copyOfRange(all, from, to); }

    byte[] content() { return Arrays.copyOfRange(all, body, to); }

    int length() { return to - body; }

    boolean sameAs(Der other) {
        return Arrays.equals(all, from, to, other.all, other.from, other.to);
    }

    /** The elements inside, one after the other. */
    final class Cursor {
        private int at = body;

        boolean more() { return at < to; }

        Der any() throws Bad {
            Der next = new Der(all, at, to);
            at = next.to;
            return next;
        }

        Der next(int tag) throws Bad { return any().is(tag); }

        /** The next element if it has that tag, else null. */
        Der optional(int tag) throws Bad {
            return at < to && (all[at] & 0xFF) == tag ? any() : null;
        }

        void end() throws Bad {
            if (at < to) throw new Bad("octets left over");
        }
    }

    Cursor inside() { return new Cursor(); }

    List<Der> children() throws Bad { return children(Integer.MAX_VALUE); }

    List<Der> children(int most) throws Bad {
        List<Der> list = new ArrayList<>();
        for (Cursor c = inside(); c.more(); list.add(c.any())) {
            if (list.size() == most) throw new Bad("more than " + most + " elements");
        }
        return list;
    }

    BigInteger integer() throws Bad {
        if (to == body) throw new Bad("empty integer");
        if (to - body > 1 && (all[body] == 0 && all[body + 1] >= 0 || all[body] == -1 && all[body + 1] < 0)) {
            throw new Bad("integer not minimal");
        }
        return new BigInteger(content());
    }

    String oid() throws Bad {
        if (to == body || to - body > MAX_OID || all[to - 1] < 0) throw new Bad("object identifier");
        StringBuilder out = new StringBuilder();
        BigInteger arc = BigInteger.ZERO;
        boolean begins = true;
        for (int i = body; i < to; i++) {
            if (begins && all[i] == (byte) 0x80) throw new Bad("object identifier not minimal");
            arc = arc.shiftLeft(7).or(BigInteger.valueOf(all[i] & 0x7F));
            begins = all[i] >= 0;
            if (!begins) continue;
            if (out.length() == 0) {
                int first = arc.min(BigInteger.valueOf(80)).intValue() / 40;
                out.append(first);
                arc = arc.subtract(BigInteger.valueOf(40L * first));
            }
            out.append('.').append(arc);
            arc = BigInteger.ZERO;
        }
        return out.toString();
    }

    boolean bool() throws Bad {
        if (to - body != 1 || all[body] != 0 && all[body] != -1) throw new Bad("boolean");
        return all[body] != 0;
    }

    /** Checks a BIT STRING; its content begins with the number of unused bits. */
    Der bits() throws Bad {
        if (to == body) throw new Bad("bit string");
        int unused = all[body];
        if (unused < 0 || unused > 7 || unused > 0 && to - body == 1) throw new Bad("bit string");
        if ((all[to - 1] & (1 << unused) - 1) != 0 && to - body > 1) throw new Bad("unused bits");
        return this;
    }

    /** A string of octets below 0x80. */
    String ascii() throws Bad {
        for (int i = body; i < to; i++) if (all[i] < 0) throw new Bad("not ASCII");
        return new String(all, body, to - body, StandardCharsets.US_ASCII);
    }

    /** [A3]: the elements of a SET OF in ascending order, the shorter one padded with zeros. */
    static void sorted(List<Der> elements) throws Bad {
        for (int i = 1; i < elements.size(); i++) {
            Der a = elements.get(i - 1);
            Der b = elements.get(i);
            int n = Math.max(a.to - a.from, b.to - b.from);
            if (Arrays.compareUnsigned(Arrays.copyOf(a.octets(), n), Arrays.copyOf(b.octets(), n)) > 0) {
                throw new Bad("set not sorted");
            }
        }
    }

    /** Checks all that is inside an element whose type is not known, at most so many levels of it. */
    void deep(int levels) throws Bad {
        boolean constructed = (tag & 0x20) != 0;
        if (tag < 0x40) universal(constructed);
        if (!constructed) return;
        if (levels == 0) throw new Bad("nested too deep");
        List<Der> children = children();
        if (tag == SET && !sortedByTag(children)) sorted(children);
        for (Der child : children) child.deep(levels - 1);
    }

    /** A SET, other than a SET OF, is in the order of its tags, each once. */
    private static boolean sortedByTag(List<Der> elements) {
        for (int i = 1; i < elements.size(); i++) {
            if ((elements.get(i - 1).tag & 0xDF) >= (elements.get(i).tag & 0xDF)) return false;
        }
        return true;
    }

    private void universal(boolean constructed) throws Bad {
        int number = tag & 0x1F;
        boolean isConstructed = number == 8 || number == 11 || number == 16 || number == 17 || number == 29;
        if (number == 0 || constructed != isConstructed) throw new Bad("form of tag");
        switch (number) {
            case 1: bool(); break;
            case 2: case 10: integer(); break;
            case 3: bits(); break;
            case 5: if (to != body) throw new Bad("null"); break;
            case 6: oid(); break;
            case 12: utf8(); break;
            case 18: characters("[0-9 ]*"); break;
            case 19: characters("[A-Za-z0-9 '()+,./:=?-]*"); break;
            case 22: case 26: ascii(); break;
            case 28: if ((to - body) % 4 != 0) throw new Bad("UniversalString"); break;
            case 30: if ((to - body) % 2 != 0) throw new Bad("BMPString"); break;
            default:
        }
    }

    private void utf8() throws Bad {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(all, body, to - body));
        } catch (CharacterCodingException e) {
            throw new Bad("UTF8String");
        }
    }

    private void characters(String legal) throws Bad {
        if (!ascii().matches(legal)) throw new Bad("not legal in this type of string");
    }
}
