import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON, read strictly by rule [J7] for statements, or laxly (all of RFC 8259, but no name twice) for cases.
 * Values are Map, List, String, Long (lax also Double, Boolean and NULL).
 */
final class Json {
    static final Object NULL = new Object() {
        @Override public String toString() { return "null"; }
    };
    private static final long MAX_NUMBER = (1L << 53) - 1;
    private static final int LAX_DEPTH = 200;

    static final class Bad extends Exception {
        Bad(String what) { super(what, null, false, false); }
    }

    private final String text;
    private final boolean strict;
    private int at;
    private int depth;

    private Json(String text, boolean strict) {
        this.text = text;
        this.strict = strict;
    }

    /** [J7]: every octet is one character here, so those above 0x7E are refused where they stand. */
    static Object strict(byte[] octets) throws Bad {
        return new Json(new String(octets, StandardCharsets.ISO_8859_1), true).document();
    }

    static Object lax(String text) throws Bad {
        return new Json(text, false).document();
    }

    private Object document() throws Bad {
        Object value = value();
        space();
        if (at < text.length()) throw new Bad("something after the value");
        return value;
    }

    private Object value() throws Bad {
        space();
        char c = peek();
        switch (c) {
            case '{': return object();
            case '[': return array();
            case '"': return string();
            default:
        }
        if (c == '-' || c >= '0' && c <= '9') return number();
        if (!strict) {
            if (word("true")) return Boolean.TRUE;
            if (word("false")) return Boolean.FALSE;
            if (word("null")) return NULL;
        }
        throw new Bad("no value at " + at);
    }

    private Map<String, Object> object() throws Bad {
        enter();
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        space();
        if (peek() == '}') {
            at++;
        } else {
            do {
                space();
                if (peek() != '"') throw new Bad("no name at " + at);
                String name = string();
                space();
                expect(':');
                if (members.containsKey(name)) throw new Bad("a name twice");
                members.put(name, value());
                if (strict && members.size() > 16) throw new Bad("more than 16 members");
            } while (more('}'));
        }
        depth--;
        return members;
    }

    private List<Object> array() throws Bad {
        enter();
        List<Object> elements = new ArrayList<>();
        at++;
        space();
        if (peek() == ']') {
            at++;
        } else {
            do {
                elements.add(value());
                if (strict && elements.size() > 32) throw new Bad("more than 32 elements");
            } while (more(']'));
        }
        depth--;
        return elements;
    }

    private void enter() throws Bad {
        if (++depth > (strict ? 4 : LAX_DEPTH)) throw new Bad("nested too deep");
    }

    private boolean more(char end) throws Bad {
        space();
        if (peek() == ',') {
            at++;
            return true;
        }
        expect(end);
        return false;
    }

    private String string() throws Bad {
        StringBuilder out = new StringBuilder();
        at++;
        while (true) {
            char c = peek();
            at++;
            if (c == '"') return out.toString();
            if (c < 0x20 || strict && (c > 0x7E || c == '\\')) throw new Bad("not legal in a string");
            out.append(c == '\\' ? escape() : c);
        }
    }

    private char escape() throws Bad {
        char c = peek();
        at++;
        switch (c) {
            case '"': case '\\': case '/': return c;
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                int code = 0;
                for (int i = 0; i < 4; i++, at++) {
                    int digit = Character.digit(peek(), 16);
                    if (digit < 0 || peek() > 'f') throw new Bad("not legal after \\u");
                    code = code * 16 + digit;
                }
                return (char) code;
            default: throw new Bad("unknown escape");
        }
    }

    private Object number() throws Bad {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
        String digits = text.substring(from, at);
        if (digits.matches("0|[1-9][0-9]{0,15}")) {
            long value = Long.parseLong(digits);
            if (value <= MAX_NUMBER) return value;
        }
        if (strict || !digits.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")) {
            throw new Bad("not a legal number");
        }
        if (digits.matches("-?[0-9]{1,18}")) return Long.parseLong(digits);
        return digits.length() > 100 ? (Object) Double.NaN : new BigDecimal(digits).doubleValue();
    }

    private boolean word(String word) {
        if (!text.startsWith(word, at)) return false;
        at += word.length();
        return true;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
    }

    private char peek() throws Bad {
        if (at >= text.length()) throw new Bad("it ends too early");
        return text.charAt(at);
    }

    private void expect(char c) throws Bad {
        if (peek() != c) throw new Bad("no " + c + " at " + at);
        at++;
    }

    /** The value if it is an object, else an empty one. */
    static Map<?, ?> object(Object value) {
        return value instanceof Map ? (Map<?, ?>) value : Map.of();
    }

    /** The value if it is a string, else an empty one. */
    static String string(Object value) {
        return value instanceof String ? (String) value : "";
    }

    /** Writes a value on one line. */
    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        String comma = "";
        if (value instanceof Map) {
            out.append('{');
            for (Map.Entry<?, ?> e : ((Map<?, ?>) value).entrySet()) {
                out.append(comma);
                write(e.getKey(), out);
                out.append(": ");
                write(e.getValue(), out);
                comma = ", ";
            }
            out.append('}');
        } else if (value instanceof Iterable) {
            out.append('[');
            for (Object e : (Iterable<?>) value) {
                out.append(comma);
                write(e, out);
                comma = ", ";
            }
            out.append(']');
        } else if (value instanceof String) {
            out.append('"');
            for (char c : ((String) value).toCharArray()) {
                if (c == '"' || c == '\\') out.append('\\').append(c);
                else if (c < 0x20 || c > 0x7E) out.append(String.format("\\u%04x", (int) c));
                else out.append(c);
            }
            out.append('"');
        } else {
            out.append(value == null ? "null" : value.toString());
        }
    }
}
