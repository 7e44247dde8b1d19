import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXCertPathChecker;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.NameConstraintValidatorException;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.asn1.x509.PKIXNameConstraintValidator;
import org.bouncycastle.operator.DefaultSignatureNameFinder;

/**
 * Chains to a trust anchor [W7]. BouncyCastle validates each path by RFC 5280, Section 6. What it does not look at is
 * added here: the purposes of authorities, weak signatures, and all that is in the trust anchor's own certificate.
 */
final class Chain {
    private static final Set<String> UNDERSTOOD = Set.of(Cert.KEY_USAGE, Cert.SUBJECT_ALT_NAME, Cert.BASIC_CONSTRAINTS,
            Cert.NAME_CONSTRAINTS, Cert.EXT_KEY_USAGE, "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"); // the last four: policies

    /** Forms of names in constraints: rfc822Name, dNSName, URI, iPAddress. */
    private static final Set<Integer> CONSTRAINED = Set.of(1, 2, 6, 7);

    private final List<Cert> others;
    private final List<Cert> anchors;
    private final long time;
    private final Predicate<List<Cert>> wanted;
    private Long end;

    private Chain(List<Cert> others, List<Cert> anchors, long time, Predicate<List<Cert>> wanted) {
        this.others = others;
        this.anchors = anchors;
        this.time = time;
        this.wanted = wanted;
    }

    /**
     * The end (exclusive, V8) of the chain that lasts longest, or null if none leads to an anchor.
     *
     * @param others certificates that may stand between the first and an anchor; what may be searched is bounded before:
     *     by W1 for a statement, by P1 for a peer
     */
    static Long longest(Cert first, List<Cert> others, List<Cert> anchors, long time) {
        return longest(first, others, anchors, time, path -> true);
    }

    /** The same, of the paths that are wanted, each with its anchor. */
    static Long longest(Cert first, List<Cert> others, List<Cert> anchors, long time, Predicate<List<Cert>> wanted) {
        Chain chain = new Chain(others, anchors, time, wanted);
        if (!first.permitsServerAuth()) return null;
        for (Cert anchor : anchors) {
            if (anchor.sameAs(first) && wanted.test(List.of(first)) && first.isValidAt(time) && isReadable(first)) {
                return first.notAfter + 1;
            }
        }
        List<Cert> path = new ArrayList<>();
        path.add(first);
        chain.extend(path);
        return chain.end;
    }

    private void extend(List<Cert> path) {
        Cert last = path.get(path.size() - 1);
        for (Cert anchor : anchors) {
            if (last.isIssuedBy(anchor) && isValid(path, anchor)) {
                long ends = anchor.notAfter;
                for (Cert c : path) ends = Math.min(ends, c.notAfter);
                if (end == null || ends + 1 > end) end = ends + 1;
            }
        }
        for (Cert next : others) {
            if (!last.isIssuedBy(next) || path.stream().anyMatch(next::sameAs)) continue;
            path.add(next);
            extend(path);
            path.remove(path.size() - 1);
        }
    }

    /**
     * How many signature checks a search asks for by names alone [P1]; not counted much beyond the most that is allowed.
     *
     * @param path of the search so far
     * @param others no certificate twice
     */
    static int checksAskedFor(List<Cert> path, List<Cert> others, int most) throws Refusal {
        int asked = 0;
        for (Cert next : others) {
            if (asked > most) break;
            if (!path.get(path.size() - 1).isIssuedBy(next) || path.contains(next)) continue;
            List<Cert> longer = new ArrayList<>(path);
            longer.add(next);
            asked += next.checks() + checksAskedFor(longer, others, most - asked - next.checks());
        }
        return asked;
    }

    private boolean isValid(List<Cert> path, Cert anchor) {
        List<Cert> all = new ArrayList<>(path);
        all.add(anchor);
        if (!all.stream().allMatch(c -> isReadable(c) && c.permitsServerAuth()) || !keepsPathLengths(all)) return false;
        if (!wanted.test(all)) return false;
        if (!anchor.isValidAt(time) || !anchor.hasAllowedKey() || !mayIssue(anchor)) return false;
        for (int i = 1; i < all.size(); i++) if (!permitsNames(all.get(i), all.subList(0, i))) return false;
        List<X509Certificate> certificates = new ArrayList<>();
        for (Cert c : path) {
            if (isWeak(c)) return false;
            certificates.add(c.platform);
        }
        try {
            PKIXParameters parameters = new PKIXParameters(Collections.singleton(
                    new TrustAnchor(anchor.platform, null)));
            parameters.setRevocationEnabled(false);
            parameters.addCertPathChecker(new Purposes());
            parameters.setDate(new Date(time * 1000));
            CertPathValidator.getInstance("PKIX", Cert.PLATFORM).validate(
                    CertificateFactory.getInstance("X.509", Cert.PLATFORM).generateCertPath(certificates), parameters);
            checkNameConstraints(anchor, path);
            return true;
        } catch (GeneralSecurityException | NameConstraintValidatorException | RuntimeException e) {
            return false;
        }
    }

    /** Whether it permits anything at all, and BouncyCastle or this class looks at each critical extension. */
    private static boolean isReadable(Cert c) {
        if (c.platform == null || c.permitsNothing()) return false;
        Set<String> critical = c.platform.getCriticalExtensionOIDs();
        if (critical == null) return true;
        return UNDERSTOOD.containsAll(critical) && (!critical.contains(Cert.NAME_CONSTRAINTS) || hasUsualConstraints(c));
    }

    /** Whether it constrains no form of name that only some platforms can read [W7k]. */
    private static boolean hasUsualConstraints(Cert c) {
        return Stream.concat(bases(c.constraints.getPermittedSubtrees()), excluded(c))
                .allMatch(name -> CONSTRAINED.contains(name.getTagNo()));
    }

    /** What BouncyCastle asks of an authority below the anchor: basicConstraints but for versions 1 and 2, keyUsage. */
    private static boolean mayIssue(Cert anchor) {
        return (anchor.isAuthority || anchor.version < 3) && anchor.permitsUsage(Cert.KEY_CERT_SIGN);
    }

    /** Self-issued authorities count too, which BouncyCastle leaves out as RFC 5280 does. */
    private static boolean keepsPathLengths(List<Cert> all) {
        for (int i = 1; i < all.size(); i++) {
            int most = all.get(i).platform.getBasicConstraints();
            if (most >= 0 && i - 1 > most) return false; // -1: no authority
        }
        return true;
    }

    /** What BouncyCastle does not see: a wildcard that covers an excluded name [W7i], and a name that is none [W7j]. */
    private static boolean permitsNames(Cert authority, List<Cert> below) {
        if (authority.constraints == null) return true;
        if (below.stream().anyMatch(c -> c.dnsNames.stream().anyMatch(Names::hasEmptyLabel))) return false;
        return excluded(authority).filter(name -> name.getTagNo() == GeneralName.dNSName)
                .map(name -> name.getName().toString().toLowerCase(Locale.ROOT))
                .noneMatch(name -> below.get(0).dnsNames.stream().anyMatch(n -> Names.wildcardCovers(n, name)));
    }

    private static Stream<GeneralName> excluded(Cert authority) {
        return bases(authority.constraints.getExcludedSubtrees());
    }

    private static Stream<GeneralName> bases(GeneralSubtree[] trees) {
        return trees == null ? Stream.empty() : Stream.of(trees).map(GeneralSubtree::getBase);
    }

    /** Signatures made with MD5 or SHA-1 count nowhere [W7]. */
    private static boolean isWeak(Cert c) {
        String name = new DefaultSignatureNameFinder().getAlgorithmName(
                org.bouncycastle.asn1.x509.Certificate.getInstance(c.der).getSignatureAlgorithm());
        return name.toUpperCase(Locale.ROOT).matches("(MD[245]|SHA1)WITH.*");
    }

    /** Tells BouncyCastle that somebody looks at extKeyUsage: isValid does, for every certificate. */
    private static final class Purposes extends PKIXCertPathChecker {
        @Override public void init(boolean forward) { }

        @Override public boolean isForwardCheckingSupported() { return true; }

        @Override public Set<String> getSupportedExtensions() { return Set.of(Cert.EXT_KEY_USAGE); }

        @Override public void check(Certificate certificate, Collection<String> unresolvedCritical) {
            unresolvedCritical.remove(Cert.EXT_KEY_USAGE);
        }
    }

    /** The name constraints of the anchor itself, which RFC 5280 leaves out. */
    private static void checkNameConstraints(Cert anchor, List<Cert> path) throws NameConstraintValidatorException {
        NameConstraints constraints = anchor.constraints;
        if (constraints == null) return;
        PKIXNameConstraintValidator validator = new PKIXNameConstraintValidator();
        if (constraints.getPermittedSubtrees() != null) {
            validator.intersectPermittedSubtree(constraints.getPermittedSubtrees());
        }
        if (constraints.getExcludedSubtrees() != null) {
            for (GeneralSubtree tree : constraints.getExcludedSubtrees()) validator.addExcludedSubtree(tree);
        }
        for (Cert c : path) {
            if (c.isSelfIssued() && c != path.get(0)) continue;
            List<GeneralName> names = new ArrayList<>();
            X500Name subject = X500Name.getInstance(c.subject);
            if (subject.getRDNs().length > 0) names.add(new GeneralName(subject));
            byte[] alternative = c.extensions.get(Cert.SUBJECT_ALT_NAME);
            if (alternative != null) names.addAll(List.of(GeneralNames.getInstance(alternative).getNames()));
            for (GeneralName name : names) {
                validator.checkPermitted(name);
                validator.checkExcluded(name);
            }
        }
    }
}
