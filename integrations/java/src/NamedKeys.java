import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The keys that may sign, because DNSSEC names them, and no others (docs/signers.md). */
final class NamedKeys {
    private static final int MAX_RECORDS = 8;
    private static final long MIN_TTL = 300;

    private final Set<String> pins = new HashSet<>();
    /** The first second in which the records prove nothing any more. */
    final long until;

    private NamedKeys(long until) {
        this.until = until;
    }

    /** Null if no key is named; throws where nobody can know [K2b]. */
    static NamedKeys read(Evidence evidence, Policy policy) throws Refusal {
        Evidence.Answer answer = evidence.signers;
        List<Evidence.Answer> others = new ArrayList<>(evidence.srv);
        others.addAll(evidence.txt);
        if (answer == null || others.stream().noneMatch(a -> a.isSecure(policy))) return null; // [K1a]
        if (answer.failure != null) throw new Refusal(answer.failure, answer.name);
        if (answer.dnssec.equals("bogus")) throw new Refusal(Reason.DNS_BOGUS, answer.name);
        if (!answer.isSecure(policy) || answer.isAlias || answer.isWildcard) return null; // [K2a]
        if (answer.records.size() > MAX_RECORDS) throw new Refusal(Reason.TOO_MANY_RECORDS, answer.name);
        long from = Math.min(evidence.collected, policy.time);
        NamedKeys named = new NamedKeys(from + Math.max(MIN_TTL, answer.ttl)); // [K3c]
        for (Object record : answer.records) {
            Tlsa tlsa = (Tlsa) record;
            if (tlsa.namesKey()) named.pins.add(Octets.hex(tlsa.data()));
        }
        return named.pins.isEmpty() ? null : named;
    }

    /** [K3a], [K3c]. */
    void check(Cert cert, long t) throws Refusal {
        if (!pins.contains(cert.pin())) throw new Refusal(Reason.SIGNER_NOT_NAMED, cert.pin());
        if (t >= until) throw new Refusal(Reason.PROOF_EXPIRED, Octets.time(until));
    }
}
