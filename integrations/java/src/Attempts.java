import java.util.List;
import java.util.Map;

/** The outcome of trying targets, one after the other [C9]. */
final class Attempts {
    private Attempts() {}

    private static final int MAX_TARGETS = 16;

    static Map<String, Object> answer(Map<?, ?> vector) {
        List<?> attempts = vector.get("attempts") instanceof List ? (List<?>) vector.get("attempts") : List.of();
        Reason first = null;
        Reason refused = null;
        for (int i = 0; i < attempts.size() && i < MAX_TARGETS; i++) {
            Reason reason = Reason.of(attempts.get(i));
            if (reason == null) continue;
            if (reason == Reason.VERIFIED) return Dnssec.result(reason);
            if (first == null) first = reason;
            if (reason.outcome().equals("refused")) refused = Reason.later(refused, reason);
        }
        Reason unavailable = Reason.of(vector.get("unavailable"));
        if (refused == Reason.PEER_NAME_MISMATCH && unavailable != null) return Dnssec.result(unavailable);
        if (refused != null) return Dnssec.result(refused);
        return Dnssec.result(first != null ? first : Reason.CONNECT_FAILED);
    }
}
