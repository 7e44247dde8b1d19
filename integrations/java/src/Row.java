import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The SRV records of a role: what one or two labels say, as one row. */
final class Row {
    private static final int MAX_RECORDS = 32;

    /** A record, with the answer it is from. */
    record Entry(Evidence.Answer answer, String host, long port, long priority, long weight) {
        String endpoint() { return host + ":" + port; }

        private boolean isUsable() { return port > 0 && Names.isDomain(host); }
    }

    enum State { SECURE, INSECURE, FAILED }

    final State state;
    /** Why the row failed, or null. */
    final Reason failure;
    /** Whether a label failed and the row stands without it. */
    final boolean passesOver;
    /** The answers in use, the one for the role's own label first. */
    final List<Evidence.Answer> answers = new ArrayList<>();
    private final List<Entry> records = new ArrayList<>();
    /** The usable records, each endpoint once: the first one gives priority and weight. */
    final List<Entry> entries = new ArrayList<>();

    Row(Evidence evidence, Role role, Policy policy) {
        Evidence.Answer own = evidence.srv(role.service);
        Evidence.Answer second = role.second == null ? null : evidence.srv(role.second);
        Reason ownFault = fault(own);
        Reason secondFault = fault(second);
        boolean secure = isSecure(own, policy) || isSecure(second, policy);
        boolean ownIsUsable = own != null && ownFault == null && recordsOf(own).stream().anyMatch(Entry::isUsable);
        if (secure) failure = null;
        else if (ownFault != null) failure = ownFault;
        else failure = ownIsUsable ? null : secondFault;
        state = secure ? State.SECURE : failure != null ? State.FAILED : State.INSECURE;
        passesOver = failure == null && (ownFault != null || secondFault != null);
        for (Evidence.Answer answer : Arrays.asList(own, second)) {
            if (answer == null || failure != null || fault(answer) != null) continue;
            if (!secure || isSecure(answer, policy)) use(answer);
        }
    }

    /** Why the answer cannot be used, or null. */
    private static Reason fault(Evidence.Answer answer) {
        if (answer == null) return null;
        if (answer.failure != null) return answer.failure;
        if (answer.dnssec.equals("bogus")) return Reason.DNS_BOGUS;
        return answer.records.size() > MAX_RECORDS ? Reason.TOO_MANY_RECORDS : null;
    }

    /** Whether it has records that DNSSEC secures [D2]. */
    private static boolean isSecure(Evidence.Answer answer, Policy policy) {
        return answer != null && fault(answer) == null && answer.dnssec.equals("secure")
                && policy.believesReplayedDnssec && !answer.records.isEmpty();
    }

    private static List<Entry> recordsOf(Evidence.Answer answer) {
        List<Entry> out = new ArrayList<>();
        for (Object record : answer.records) out.add((Entry) record);
        return out;
    }

    private void use(Evidence.Answer answer) {
        answers.add(answer);
        Set<String> known = new HashSet<>();
        for (Entry e : entries) known.add(e.endpoint());
        for (Entry e : recordsOf(answer)) {
            records.add(e);
            if (e.isUsable() && known.add(e.endpoint())) entries.add(e);
        }
    }

    boolean isSecure() { return state == State.SECURE; }

    boolean isFailed() { return state == State.FAILED; }

    /** Whether there are no records at all. */
    boolean isAbsent() { return state == State.INSECURE && records.isEmpty(); }

    /** Whether there are records, but none to connect to, such as the target `.` alone. */
    boolean isNotAvailable() { return !records.isEmpty() && entries.isEmpty(); }

    /** The targets that the row lists [V7]: in its order, with its priority and weight. */
    List<Statement.Target> listed(List<Statement.Target> targets) {
        List<Statement.Target> out = new ArrayList<>();
        for (Entry e : entries) {
            for (Statement.Target t : targets) {
                if (t.endpoint().equals(e.endpoint())) {
                    out.add(new Statement.Target(t.host(), t.port(), e.priority, e.weight, t.direct(), t.pins()));
                }
            }
        }
        return out;
    }

    /** Why it lists no target [V7]. */
    Reason whyNothing(List<Statement.Target> targets) {
        if (isNotAvailable()) return Reason.SERVICE_NOT_AVAILABLE;
        if (isSecure()) return Reason.CONFLICT;
        boolean host = records.stream().anyMatch(e -> targets.stream().anyMatch(t -> t.host().equals(e.host)));
        return host ? Reason.PORT_MISMATCH : Reason.TARGET_MISMATCH;
    }
}
