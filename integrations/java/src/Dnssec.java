import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The DNSSEC state of an answer [D1], and the test of a validating resolver. */
final class Dnssec {
    private Dnssec() {}

    private static final int MAX_LINKS = 8;

    static Map<String, Object> answer(Map<?, ?> vector) {
        boolean validating = Boolean.TRUE.equals(vector.get("validating"));
        List<?> replies = vector.get("replies") instanceof List ? (List<?>) vector.get("replies") : List.of();
        String state = validating ? "secure" : "insecure";
        Reason reason = replies.isEmpty() ? Reason.DNS_FAILURE : Reason.VERIFIED;
        for (int i = 0; i < replies.size() && reason == Reason.VERIFIED; i++) {
            Map<?, ?> reply = Json.object(replies.get(i));
            if (i > MAX_LINKS) {
                reason = Reason.ALIAS_LOOP;
            } else if (!isAnswer(reply.get("rcode"))) {
                reason = validating && isBogus(reply) ? Reason.DNS_BOGUS : Reason.DNS_FAILURE;
            } else if (!Boolean.TRUE.equals(reply.get("ad"))) {
                state = "insecure";
            }
        }
        if (reason != Reason.VERIFIED) state = reason == Reason.DNS_BOGUS ? "bogus" : "indeterminate";
        Map<String, Object> out = result(reason);
        out.put("state", state);
        return out;
    }

    private static boolean isAnswer(Object rcode) {
        return "NOERROR".equals(rcode) || "NXDOMAIN".equals(rcode);
    }

    /** SERVFAIL with an extended error from 6 to 12, or that succeeds when asked again with CD=1. */
    private static boolean isBogus(Map<?, ?> reply) {
        if (!"SERVFAIL".equals(reply.get("rcode"))) return false;
        if (reply.get("ede") instanceof List) {
            for (Object code : (List<?>) reply.get("ede")) {
                if (code instanceof Long && (Long) code >= 6 && (Long) code <= 12) return true;
            }
        }
        return isAnswer(reply.get("cd_rcode"));
    }

    static Map<String, Object> selfTest(Map<?, ?> vector) {
        boolean passed = "secure".equals(vector.get("good")) && "bogus".equals(vector.get("bogus"));
        return result(passed ? Reason.VERIFIED : Reason.SELF_TEST_FAILED);
    }

    static Map<String, Object> result(Reason reason) {
        Map<String, Object> out = new LinkedHashMap<>();
        return reason.in(out);
    }
}
