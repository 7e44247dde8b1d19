import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The certificates of a statement: who may sign (section 6). */
final class Signer {
    /** The signer's first, each after it the issuer of the one before. */
    final List<Cert> chain;
    final Cert cert;
    /** Of the certificate, embedded by its authority. */
    private final List<Long> timestamps;

    /** Step 8: all parsed, W2 for all, A9, W1. */
    Signer(Statement s) throws Refusal {
        List<Cert> certificates = parse(s.certificates);
        timestamps = timestamps(certificates.get(0));
        for (Cert c : certificates) c.publicKey(); // [W2]
        chain = s.issuer == null ? certificates : sorted(certificates);
        cert = chain.get(0);
        checkLinear(chain);
    }

    /** Step 8 for the certificates of a file, which are in the order of [W1]. */
    static void check(List<byte[]> certificates) throws Refusal {
        List<Cert> chain = parse(certificates);
        for (Cert c : chain) c.publicKey(); // [W2]
        checkLinear(chain);
    }

    private static List<Cert> parse(List<byte[]> certificates) throws Refusal {
        List<Cert> out = new ArrayList<>();
        for (byte[] der : certificates) out.add(Cert.parse(der));
        return out;
    }

    private static List<Long> timestamps(Cert cert) throws Refusal {
        byte[] extension = cert.extensions.get(Sct.EXTENSION);
        if (extension == null) return List.of();
        try {
            return Sct.timestamps(extension);
        } catch (Der.Bad e) {
            throw new Refusal(Reason.MALFORMED_CERTIFICATE, e.getMessage());
        }
    }

    /** In milliseconds [O1]; only after check() it is no time in the far future. */
    long issuance(long issued) {
        if (cert.isSelfIssued()) return issued * 1000;
        return timestamps.stream().max(Long::compareUnsigned).orElse(cert.notBefore * 1000);
    }

    /** [W1]. */
    private static void checkLinear(List<Cert> chain) throws Refusal {
        Set<String> subjects = new HashSet<>();
        for (int i = 0; i < chain.size(); i++) {
            boolean follows = i == 0 || chain.get(i - 1).isIssuedBy(chain.get(i));
            if (!subjects.add(Octets.hex(chain.get(i).subject)) || !follows) {
                throw new Refusal(Reason.CHAIN_NOT_LINEAR, "not each the issuer of the one before");
            }
        }
    }

    /** [A9]: by following issuer names from the signer's certificate; those that are left over stay last. */
    private static List<Cert> sorted(List<Cert> certificates) {
        List<Cert> rest = new ArrayList<>(certificates);
        List<Cert> out = new ArrayList<>();
        for (Cert next = rest.get(0); next != null; ) {
            out.add(next);
            rest.remove(next);
            Cert last = next;
            next = rest.stream().filter(last::isIssuedBy).findFirst().orElse(null);
        }
        out.addAll(rest);
        return out;
    }

    /** Step 9; `named` are the keys that may sign, or null. */
    void check(String source, long issued, long t, NamedKeys named) throws Refusal {
        if (cert.version != 3) throw new Refusal(Reason.SIGNER_VERSION, "version " + cert.version); // [W3]
        if (cert.isAuthority) throw new Refusal(Reason.SIGNER_IS_CA, "basicConstraints");
        if (named != null) named.check(cert, t);
        else if (!cert.dnsNames.contains(source)) throw new Refusal(nameFault(source), "" + cert.dnsNames); // [W4]
        if (!cert.permitsUsage(Cert.DIGITAL_SIGNATURE)) { // [W5]
            throw new Refusal(Reason.SIGNER_KEY_USAGE, "no digitalSignature");
        }
        if (cert.purposes != null && !cert.purposes.contains(Cert.SERVER_AUTH)) {
            throw new Refusal(Reason.SIGNER_EXT_KEY_USAGE, "no serverAuth");
        }
        long latest = t + Policy.SKEW; // [W6]
        boolean future = timestamps.stream().anyMatch(ms -> Long.compareUnsigned(ms, latest * 1000) > 0);
        if (future || cert.notBefore > latest) throw new Refusal(Reason.SIGNER_NOT_YET_VALID, Octets.time(cert.notBefore));
        if (t > cert.notAfter) throw new Refusal(Reason.SIGNER_EXPIRED, Octets.time(cert.notAfter));
        if ((issued + Policy.SKEW) * 1000 < issuance(issued)) {
            throw new Refusal(Reason.ISSUED_BEFORE_SIGNER, Octets.ofMillis(issuance(issued)));
        }
    }

    private Reason nameFault(String source) {
        for (String name : cert.dnsNames) if (Names.wildcardCovers(name, source)) return Reason.SIGNER_WILDCARD;
        boolean commonName = cert.lastCommonName().toLowerCase(Locale.ROOT).equals(source);
        return cert.dnsNames.isEmpty() && commonName ? Reason.SIGNER_CN_ONLY : Reason.SIGNER_NAME_MISMATCH;
    }

    /** What steps 11 to 13 count as [V3]: one signature check, and one or two for each certificate. */
    int checks() throws Refusal {
        int sum = 1;
        for (Cert c : chain) sum += c.checks();
        return sum;
    }

    /** Steps 11 to 13, after which the end of the chain (V8) is known. */
    long prove(Statement s, Policy policy, NamedKeys named) throws Refusal {
        if (s.algorithm.key != cert.key()) throw new Refusal(Reason.ALGORITHM_MISMATCH, s.algorithm.jws); // [J5], [A8]
        if (s.issuer != null && !java.util.Arrays.equals(s.issuer, cert.subject)) { // [A4]
            throw new Refusal(Reason.ISSUER_NAME_MISMATCH, "another subject");
        }
        if (!s.algorithm.verifies(cert.publicKey(), s.signed, s.signature, s.issuer == null)) {
            throw new Refusal(Reason.BAD_SIGNATURE, s.algorithm.jws);
        }
        long end = named == null ? trust(policy) : Math.min(named.until, cert.notAfter + 1); // [K3b], [K3c]
        if (policy.signerRefused) throw new Refusal(Reason.SIGNER_REJECTED, "by the policy"); // [W8]
        return end;
    }

    /** Step 12: the end of the path to a trust anchor. */
    private long trust(Policy policy) throws Refusal {
        List<Cert> others = new ArrayList<>(chain.subList(1, chain.size()));
        others.removeIf(Cert::isSelfIssued); // [W7]: ignored
        Long end = Chain.longest(cert, others, policy.roots, Math.max(policy.time, cert.notBefore));
        if (end == null || cert.isSelfIssued()) throw new Refusal(Reason.UNTRUSTED_SIGNER, "no chain to a trust anchor");
        if (policy.roots.stream().anyMatch(cert::sameAs)) throw new Refusal(Reason.SIGNER_IS_CA, "a trust anchor");
        return end;
    }
}
