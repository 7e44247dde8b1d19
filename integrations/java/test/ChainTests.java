import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.function.Consumer;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.asn1.x509.PolicyConstraints;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.cert.X509v1CertificateBuilder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v1CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** What the platform's path validation and the additions of Chain say [W7]. */
final class ChainTests {
    private static final long NOW = 1_800_000_000L, DAY = 86400;

    /** A certificate to be, with its key. */
    private static final class Maker {
        String subject;
        KeyPair keys;
        long from = NOW - DAY;
        long to = NOW + DAY;
        boolean v1;
        /** That it signs others with. */
        String hash = "SHA256";
        final List<Object[]> extensions = new ArrayList<>();

        Maker(String subject) throws Exception {
            this.subject = subject;
            KeyPairGenerator g = KeyPairGenerator.getInstance("EC");
            g.initialize(256);
            keys = g.generateKeyPair();
        }

        Maker with(String oid, boolean critical, ASN1Encodable value) {
            extensions.removeIf(e -> e[0].equals(oid));
            extensions.add(new Object[] {oid, critical, value});
            return this;
        }

        private static ContentSigner signer(Maker issuer) throws Exception {
            String algorithm = issuer.keys.getPrivate().getAlgorithm();
            return new JcaContentSignerBuilder(issuer.hash + "with" + (algorithm.equals("DSA") ? "DSA" : "ECDSA"))
                    .setProvider(Cert.PLATFORM).build(issuer.keys.getPrivate());
        }

        Cert by(Maker issuer) throws Exception {
            byte[] der;
            if (v1) {
                X509v1CertificateBuilder b = new JcaX509v1CertificateBuilder(name(issuer.subject), BigInteger.TEN,
                        new Date(from * 1000), new Date(to * 1000), name(subject), keys.getPublic());
                der = b.build(signer(issuer)).getEncoded();
            } else {
                X509v3CertificateBuilder b = new JcaX509v3CertificateBuilder(name(issuer.subject), BigInteger.TEN,
                        new Date(from * 1000), new Date(to * 1000), name(subject), keys.getPublic());
                for (Object[] e : extensions) {
                    b.addExtension(new ASN1ObjectIdentifier((String) e[0]), (Boolean) e[1], (ASN1Encodable) e[2]);
                }
                der = b.build(signer(issuer)).getEncoded();
            }
            return Cert.parse(der);
        }
    }

    private Maker root, ca, leaf;

    private ChainTests() throws Exception {
        root = authority("CN=Root");
        ca = authority("CN=CA");
        leaf = new Maker("").with(Cert.SUBJECT_ALT_NAME, true, names("b.example"))
                .with(Cert.EXT_KEY_USAGE, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
    }

    private static Maker authority(String name) throws Exception {
        return new Maker(name).with(Cert.BASIC_CONSTRAINTS, true, new BasicConstraints(true))
                .with(Cert.KEY_USAGE, true, new KeyUsage(KeyUsage.keyCertSign));
    }

    private static X500Name name(String text) {
        return text.isEmpty() ? new X500Name(new org.bouncycastle.asn1.x500.RDN[0]) : new X500Name(text);
    }

    private static ASN1Encodable names(String name) {
        return new org.bouncycastle.asn1.x509.GeneralNames(new GeneralName(GeneralName.dNSName, name));
    }

    private static ASN1Encodable raw(byte[] der) {
        return () -> {
            try {
                return ASN1Primitive.fromByteArray(der);
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        };
    }

    private static KeyPair keys(String algorithm, String curve) {
        try {
            KeyPairGenerator g = KeyPairGenerator.getInstance(algorithm, Cert.PLATFORM);
            if (curve != null) g.initialize(new ECGenParameterSpec(curve));
            else g.initialize(1024);
            return g.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static NameConstraints constraints(String permitted, String excluded) {
        return new NameConstraints(subtrees(permitted), subtrees(excluded));
    }

    private static GeneralSubtree[] subtrees(String name) {
        return name == null ? null : new GeneralSubtree[] {new GeneralSubtree(new GeneralName(GeneralName.dNSName, name))};
    }

    private Long end() throws Exception {
        return Chain.longest(leaf.by(ca), List.of(ca.by(root)), List.of(root.by(root)), NOW);
    }

    private static void expect(String what, boolean valid, Consumer<ChainTests> change) throws Exception {
        ChainTests t = new ChainTests();
        change.accept(t);
        Tests.check((t.end() != null) == valid, "chain: " + what);
    }

    static void run() throws Exception {
        String eku = Cert.EXT_KEY_USAGE, constraint = Cert.NAME_CONSTRAINTS;
        ASN1Encodable client = new ExtendedKeyUsage(KeyPurposeId.id_kp_clientAuth);
        ASN1Encodable any = new ExtendedKeyUsage(KeyPurposeId.anyExtendedKeyUsage);
        expect("usual", true, t -> { });
        expect("leaf is no good at its notAfter + 1", false, t -> t.leaf.to = NOW - 1);
        expect("leaf at its notAfter", true, t -> t.leaf.to = NOW);
        expect("intermediate at its notAfter", true, t -> t.ca.to = NOW);
        expect("intermediate has ended", false, t -> t.ca.to = NOW - 1);
        expect("intermediate begins", true, t -> t.ca.from = NOW);
        expect("intermediate has not begun", false, t -> t.ca.from = NOW + 1);
        expect("anchor has ended", false, t -> t.root.to = NOW - 1);
        expect("anchor at its notAfter", true, t -> t.root.to = NOW);
        expect("anchor for clients", false, t -> t.root.with(eku, false, client));
        expect("intermediate for clients", false, t -> t.ca.with(eku, false, client));
        expect("intermediate for any purpose", true, t -> t.ca.with(eku, false, any));
        expect("intermediate for any purpose, critical", true, t -> t.ca.with(eku, true, any));
        expect("intermediate permits the source", true, t -> t.ca.with(constraint, true, constraints("example", null)));
        expect("intermediate permits another", false, t -> t.ca.with(constraint, true, constraints("c.example", null)));
        expect("intermediate excludes the source", false, t -> t.ca.with(constraint, true, constraints(null, "b.example")));
        expect("anchor permits the source", true, t -> t.root.with(constraint, true, constraints("b.example", null)));
        expect("anchor permits another", false, t -> t.root.with(constraint, true, constraints("c.example", null)));
        expect("anchor excludes the source", false, t -> t.root.with(constraint, false, constraints(null, "example")));
        expect("path length 0", true, t -> t.ca.with(Cert.BASIC_CONSTRAINTS, true, new BasicConstraints(0)));
        expect("no authority", false, t -> t.ca.with(Cert.BASIC_CONSTRAINTS, true, new BasicConstraints(false)));
        expect("no basicConstraints", false, t -> t.ca.extensions.remove(0));
        expect("intermediate of version 1", false, t -> t.ca.v1 = true);
        expect("anchor of version 1", true, t -> t.root.v1 = true);
        expect("anchor that is no authority", false, t -> t.root.extensions.remove(0));
        expect("anchor of path length 0", false, t -> t.root.with(Cert.BASIC_CONSTRAINTS, true, new BasicConstraints(0)));
        expect("anchor of path length 1", true, t -> t.root.with(Cert.BASIC_CONSTRAINTS, true, new BasicConstraints(1)));
        expect("anchor without keyCertSign", false,
                t -> t.root.with(Cert.KEY_USAGE, true, new KeyUsage(KeyUsage.digitalSignature)));
        expect("anchor without keyUsage", true, t -> t.root.extensions.remove(1));
        expect("unknown critical extension of the anchor", false, t -> t.root.with("1.2.3.4", true, DERNull.INSTANCE));
        expect("signed with SHA-1", false, t -> t.root.hash = "SHA1");
        expect("signs with SHA-1 itself", true, t -> t.leaf.hash = "SHA1");
        expect("intermediate without keyCertSign", false,
                t -> t.ca.with(Cert.KEY_USAGE, true, new KeyUsage(KeyUsage.digitalSignature)));
        expect("unknown critical extension of the leaf", false, t -> t.leaf.with("1.2.3.4", true, DERNull.INSTANCE));
        expect("unknown critical extension of the intermediate", false, t -> t.ca.with("1.2.3.4", true, DERNull.INSTANCE));
        expect("intermediate that requires a policy", false,
                t -> t.ca.with("2.5.29.36", true, new PolicyConstraints(BigInteger.ZERO, null)));
        byte[] noBits = {3, 1, 0};
        byte[] noPurposes = {0x30, 0};
        for (boolean critical : new boolean[] {true, false}) {
            expect("intermediate with empty keyUsage", false, t -> t.ca.with(Cert.KEY_USAGE, critical, raw(noBits)));
            expect("anchor with empty keyUsage", false, t -> t.root.with(Cert.KEY_USAGE, critical, raw(noBits)));
            expect("leaf with empty keyUsage", false, t -> t.leaf.with(Cert.KEY_USAGE, critical, raw(noBits)));
            expect("intermediate with empty extKeyUsage", false, t -> t.ca.with(eku, critical, raw(noPurposes)));
            expect("anchor with empty extKeyUsage", false, t -> t.root.with(eku, critical, raw(noPurposes)));
            expect("leaf with empty extKeyUsage", false, t -> t.leaf.with(eku, critical, raw(noPurposes)));
        }
        expect("leaf for key encipherment", true,
                t -> t.leaf.with(Cert.KEY_USAGE, true, new KeyUsage(KeyUsage.keyEncipherment)));
        String san = Cert.SUBJECT_ALT_NAME;
        for (String excluded : List.of("bar.example.com", "example.com", "com", ".example.com", "x.bar.example.com",
                ".bar.example.com", "other.com", "foo.example.net")) {
            boolean covered = List.of("bar.example.com", "example.com", "com", ".example.com").contains(excluded);
            expect("wildcard, excluded " + excluded, !covered, t -> {
                t.leaf.with(san, true, names("*.example.com"));
                t.ca.with(constraint, true, constraints(null, excluded));
            });
            expect("wildcard, the anchor excludes " + excluded, !covered, t -> {
                t.leaf.with(san, true, names("*.example.com"));
                t.root.with(constraint, false, constraints(null, excluded));
            });
        }
        expect("wildcard, permitted", true, t -> {
            t.leaf.with(san, true, names("*.example.com"));
            t.ca.with(constraint, true, constraints("example.com", null));
        });
        for (String bad : List.of(".example.com", "a..example.com", "", "example.com.", "*..example.com")) {
            expect("constrained " + bad, false, t -> {
                t.leaf.with(san, true, names(bad));
                t.ca.with(constraint, true, constraints("com", null));
            });
            expect("other names excluded, " + bad, false, t -> {
                t.leaf.with(san, true, names(bad));
                t.ca.with(constraint, true, constraints(null, "net"));
            });
            expect("not constrained " + bad, true, t -> t.leaf.with(san, true, names(bad)));
        }
        GeneralName directory = new GeneralName(new X500Name("O=Else"));
        NameConstraints other = new NameConstraints(null, new GeneralSubtree[] {new GeneralSubtree(directory)});
        expect("critical constraints of another form", false, t -> t.ca.with(constraint, true, other));
        expect("critical constraints of another form in the anchor", false, t -> t.root.with(constraint, true, other));
        expect("constraints of another form", true, t -> t.ca.with(constraint, false, other));
        try {
            new ChainTests().ca.with(constraint, true, raw(new byte[] {0x30, 2, 5, 0})).by(authority("CN=Root"));
            Tests.check(false, "constraints that are none");
        } catch (Refusal r) {
            Tests.check(r.reason == Reason.MALFORMED_CERTIFICATE, "constraints that are none");
        }
        expect("anchor that requires a policy", true,
                t -> t.root.with("2.5.29.36", true, new PolicyConstraints(BigInteger.ZERO, null)));
        for (String curve : List.of("secp192r1", "secp256r1")) {
            expect("anchor with " + curve, curve.equals("secp256r1"), t -> t.root.keys = keys("EC", curve));
        }
        expect("anchor with DSA", false, t -> t.root.keys = keys("DSA", null));
        expect("self-issued authority beyond the path length", false, t -> {
            t.ca.subject = t.root.subject;
            t.root.with(Cert.BASIC_CONSTRAINTS, true, new BasicConstraints(0));
        });
        expect("unknown extension", true, t -> t.leaf.with("1.2.3.4", false, DERNull.INSTANCE));

        ChainTests t = new ChainTests();
        Maker second = authority("CN=CA 2");
        t.leaf.to = t.root.to = NOW + 50 * DAY;
        Cert leafBySecond = t.leaf.by(second);
        Cert first = t.ca.by(t.root);
        Cert root = t.root.by(t.root);
        Tests.check(Chain.longest(t.leaf.by(authority("CN=CA")), List.of(first), List.of(root), NOW) == null, "another key of the issuer");
        Tests.check(Chain.longest(leafBySecond, List.of(second.by(t.ca), first), List.of(root), NOW) == NOW + DAY + 1, "chain of four");
        t.ca.with(Cert.BASIC_CONSTRAINTS, true, new BasicConstraints(0));
        Tests.check(Chain.longest(leafBySecond, List.of(second.by(t.ca), t.ca.by(t.root)), List.of(root), NOW) == null, "path length exceeded");
        Tests.check(Chain.longest(leafBySecond, List.of(first), List.of(root), NOW) == null, "no intermediate");
        Tests.check(Chain.longest(leafBySecond, List.of(), List.of(leafBySecond), NOW) == NOW + 50 * DAY + 1, "itself an anchor");
        Tests.check(Chain.checksAskedFor(List.of(leafBySecond), List.of(second.by(t.ca), first), 12) == 2, "two steps by names");
        Tests.check(Chain.checksAskedFor(List.of(leafBySecond), List.of(first), 12) == 0, "no step by names");
        List<Cert> same = new ArrayList<>();
        for (int i = 0; i < 9; i++) same.add(authority("CN=CA 2").by(second));
        Tests.check(Chain.checksAskedFor(List.of(leafBySecond), same.subList(0, 2), 12) == 4, "each by each");
        Tests.check(Chain.checksAskedFor(List.of(leafBySecond), same, 12) > 12, "more than are allowed");
        for (int size : new int[] {384, 521}) {
            KeyPairGenerator g = KeyPairGenerator.getInstance("EC");
            g.initialize(size);
            t.leaf.keys = g.generateKeyPair();
            Tests.check(t.leaf.by(second).checks() == (size == 521 ? 2 : 1), "checks of P-" + size); // [V3]
        }
        for (int exponent : new int[] {65537, 65539}) {
            KeyPairGenerator g = KeyPairGenerator.getInstance("RSA");
            g.initialize(new java.security.spec.RSAKeyGenParameterSpec(2048, BigInteger.valueOf(exponent)));
            t.leaf.keys = g.generateKeyPair();
            Tests.check(t.leaf.by(second).checks() == (exponent > 65537 ? 2 : 1), "checks of RSA with exponent " + exponent);
        }
        second.to = NOW + 20 * DAY;
        t.ca.to = NOW + 10 * DAY;
        Cert secondByRoot = second.by(t.root);
        Tests.check(Chain.longest(leafBySecond, List.of(second.by(t.ca), first), List.of(root, secondByRoot), NOW) == NOW + 20 * DAY + 1,
                "the chain that lasts longest");
    }
}
