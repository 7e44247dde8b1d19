import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The JWS encoding (section 4). */
final class Jws {
    private Jws() {}

    /** Steps 3 and 4 of section 11. */
    static Statement parse(byte[] octets) throws Refusal {
        String token = new String(octets, StandardCharsets.ISO_8859_1);
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3) throw new Refusal(Reason.MALFORMED_TOKEN, "not three parts");
        byte[][] decoded = new byte[3][];
        for (int i = 0; i < 3; i++) { // [J1], [S6]
            decoded[i] = Octets.base64url(parts[i]);
            if (parts[i].isEmpty() || decoded[i] == null) throw new Refusal(Reason.MALFORMED_TOKEN, "part " + (i + 1));
        }
        Statement s = new Statement();
        header(s, decoded[0]);
        s.signed = (parts[0] + "." + parts[1]).getBytes(StandardCharsets.ISO_8859_1); // [J8]
        s.signature = decoded[2];
        claims(s, decoded[1]);
        s.checkClaims();
        return s;
    }

    private static void header(Statement s, byte[] json) throws Refusal {
        Object value;
        try {
            value = Json.strict(json);
        } catch (Json.Bad e) {
            throw new Refusal(Reason.MALFORMED_TOKEN, "header: " + e.getMessage()); // [J7]
        }
        Map<?, ?> header = value instanceof Map ? (Map<?, ?>) value : Map.of();
        Object typ = header.get("typ");
        Object alg = header.get("alg");
        Object x5c = header.get("x5c");
        if (!header.keySet().equals(Set.of("alg", "typ", "x5c"))
                || !(alg instanceof String) || !(typ instanceof String) || !(x5c instanceof List)) {
            throw new Refusal(Reason.BAD_HEADER, "members"); // [J2]
        }
        if (!typ.equals("dna+jwt")) throw new Refusal(Reason.WRONG_TYPE, (String) typ); // [J3]
        s.algorithm = Algorithm.ofJws((String) alg); // [J4]
        if (s.algorithm == null) throw new Refusal(Reason.UNSUPPORTED_ALGORITHM, (String) alg);
        List<?> chain = (List<?>) x5c; // [J6]
        if (chain.isEmpty() || chain.size() > Statement.MAX_CERTIFICATES) {
            throw new Refusal(Reason.MALFORMED_CERTIFICATE, "x5c of " + chain.size());
        }
        for (Object element : chain) {
            byte[] der = Octets.base64(element);
            if (der == null || der.length == 0) throw new Refusal(Reason.MALFORMED_CERTIFICATE, "element of x5c");
            s.certificates.add(der);
        }
    }

    /** S1, S3, S5, S6 and the JSON of the payload. */
    private static void claims(Statement s, byte[] json) throws Refusal {
        Map<?, ?> claims;
        try {
            claims = object(Json.strict(json));
        } catch (Json.Bad e) {
            throw malformed("payload: " + e.getMessage());
        }
        if (!claims.keySet().equals(Set.of("iss", "service", "targets", "iat", "exp", "jti"))) { // [S1]
            throw malformed("members");
        }
        s.source = string(claims.get("iss"));
        s.service = string(claims.get("service"));
        s.issued = number(claims.get("iat"));
        s.expires = number(claims.get("exp"));
        byte[] id = Octets.base64url(claims.get("jti"));
        if (id == null || id.length != 16 || id[0] < 0) throw malformed("jti"); // [S5]
        int any = 0;
        for (byte b : id) any |= b;
        if (any == 0) throw malformed("jti");
        for (Object element : array(claims.get("targets"))) s.targets.add(target(object(element)));
    }

    private static Statement.Target target(Map<?, ?> t) throws Refusal {
        boolean direct = t.containsKey("tls");
        int optional = (direct ? 1 : 0) + (t.containsKey("spki") ? 1 : 0);
        if (!t.keySet().containsAll(Set.of("host", "port", "priority", "weight")) || t.size() != 4 + optional) {
            throw malformed("members of a target");
        }
        if (direct && !t.get("tls").equals("direct")) throw malformed("tls");
        List<String> pins = null;
        if (t.containsKey("spki")) {
            pins = new ArrayList<>();
            for (Object element : array(t.get("spki"))) { // [S3]
                byte[] pin = Octets.base64url(element);
                if (pin == null || pin.length != 32) throw malformed("pin");
                pins.add(Octets.hex(pin));
            }
        }
        return new Statement.Target(string(t.get("host")), number(t.get("port")), number(t.get("priority")),
                number(t.get("weight")), direct, pins);
    }

    private static Refusal malformed(String what) {
        return new Refusal(Reason.MALFORMED_CLAIMS, what);
    }

    private static Map<?, ?> object(Object value) throws Refusal {
        if (value instanceof Map) return (Map<?, ?>) value;
        throw malformed("no object");
    }

    private static List<?> array(Object value) throws Refusal {
        if (value instanceof List) return (List<?>) value;
        throw malformed("no array");
    }

    private static String string(Object value) throws Refusal {
        if (value instanceof String) return (String) value;
        throw malformed("no string");
    }

    private static long number(Object value) throws Refusal {
        if (value instanceof Long) return (Long) value;
        throw malformed("no number");
    }
}
