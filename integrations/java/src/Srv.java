import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** SRV records and the targets of a statement [V7]. */
final class Srv {
    static final int MAX_RECORDS = 32;

    /** A record, with the answer it is from. */
    static final class Entry {
        final Evidence.Answer answer;
        final String host;
        final long port;
        final long priority;
        final long weight;

        Entry(Evidence.Answer answer, String host, long port, long priority, long weight) {
            this.answer = answer;
            this.host = host;
            this.port = port;
            this.priority = priority;
            this.weight = weight;
        }

        boolean isUsable() { return port > 0 && Names.isDomain(host); }
    }

    static List<Entry> entries(Evidence.Answer answer) {
        List<Entry> out = new ArrayList<>();
        for (Object record : answer.records) out.add((Entry) record);
        return out;
    }

    /** Why the answer cannot be used, or null. */
    static Reason fault(Evidence.Answer answer) {
        if (answer.failure != null) return answer.failure;
        if (answer.dnssec.equals("bogus")) return Reason.DNS_BOGUS;
        return answer.records.size() > MAX_RECORDS ? Reason.TOO_MANY_RECORDS : null;
    }

    static Evidence.Answer answerFor(Evidence evidence, String label) {
        for (Evidence.Answer a : evidence.srv) if (a.label.equals(label)) return a;
        return null;
    }

    /** "A single SRV record with the target `.`". */
    static boolean isNotAvailable(List<Entry> entries) {
        return entries.size() == 1 && entries.get(0).host.equals(".");
    }

    /** [D2]. */
    static boolean isSecure(Evidence.Answer answer, Policy policy) {
        return answer.dnssec.equals("secure") && policy.believesReplayedDnssec;
    }

    /** Where to connect, by endpoint; or if that is empty, the reason. */
    final Map<String, Connect> connect = new LinkedHashMap<>();
    Reason nothing;

    /** An endpoint to connect to: a target with the label it was found under. */
    static final class Connect {
        final Statement.Target target;
        final String label;

        Connect(Statement.Target target, String label) {
            this.target = target;
            this.label = label;
        }
    }

    /**
     * Compares the answers, the one asked about first, with the statements that count.
     *
     * @param answers those that can be used, perhaps none
     */
    Srv(List<Evidence.Answer> answers, Verify verified, Policy policy) {
        Set<String> hosts = new LinkedHashSet<>();
        for (Connect c : verified.targets.values()) hosts.add(c.target.host);
        for (Evidence.Answer answer : answers) {
            List<Entry> entries = entries(answer);
            if (entries.isEmpty()) continue;
            Reason reason = Reason.TARGET_MISMATCH;
            if (isNotAvailable(entries)) {
                reason = Reason.SERVICE_NOT_AVAILABLE;
            } else if (isSecure(answer, policy)) {
                reason = Reason.CONFLICT;
            } else if (entries.stream().anyMatch(e -> hosts.contains(e.host))) {
                reason = Reason.PORT_MISMATCH;
            }
            if (nothing == null) nothing = reason; // of the label asked about if it has records
            for (Entry e : entries) {
                if (!matches(e, verified, hosts)) continue;
                String endpoint = e.host + ":" + e.port;
                connect.putIfAbsent(endpoint, new Connect(new Statement.Target(e.host, e.port, e.priority, e.weight,
                        pins(e.host, endpoint, verified)), answer.label));
            }
        }
    }

    private static boolean matches(Entry e, Verify verified, Set<String> hosts) {
        Verify.Proven own = verified.counting.get(e.answer.label);
        if (own == null) return e.port != 0 && hosts.contains(e.host);
        return own.statement.targets.stream().anyMatch(t -> t.host.equals(e.host) && t.port == e.port);
    }

    /** The pins it is listed with, or else those of all targets of its host. */
    private static List<String> pins(String host, String endpoint, Verify verified) {
        Connect listed = verified.targets.get(endpoint);
        if (listed != null) return listed.target.pins;
        Set<String> pins = new LinkedHashSet<>();
        for (Connect c : verified.targets.values()) {
            if (c.target.host.equals(host) && c.target.pins != null) pins.addAll(c.target.pins);
        }
        return pins.isEmpty() ? null : new ArrayList<>(pins);
    }
}
