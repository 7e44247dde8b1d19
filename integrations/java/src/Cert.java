import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** An X.509 certificate: its parts as octets, and as the platform (BouncyCastle) reads it. */
final class Cert {
    enum Key { RSA, P256, P384, P521, ED25519 }

    static final BouncyCastleProvider PLATFORM = new BouncyCastleProvider();
    static final String KEY_USAGE = "2.5.29.15", SUBJECT_ALT_NAME = "2.5.29.17", BASIC_CONSTRAINTS = "2.5.29.19",
            NAME_CONSTRAINTS = "2.5.29.30", EXT_KEY_USAGE = "2.5.29.37";
    static final int DIGITAL_SIGNATURE = 0x80, KEY_CERT_SIGN = 0x04; // bits of keyUsage
    static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1", ANY_PURPOSE = "2.5.29.37.0";

    final byte[] der;
    final byte[] subject;
    final byte[] issuer;
    final byte[] spki;
    /** As people count: 3 for v3. */
    final int version;
    final long notBefore;
    final long notAfter;
    final Map<String, byte[]> extensions = new HashMap<>();
    final boolean isAuthority;
    /** Lower case; empty if there are none. */
    final List<String> dnsNames = new ArrayList<>();
    /** The bits of keyUsage. Null if there is no such extension. */
    final byte[] usage;
    /** Null if there is no such extension. */
    final List<String> purposes;
    final NameConstraints constraints;
    /** Null for a certificate that only this class can read, of a version that is no good for anything. */
    final X509Certificate platform;

    /** [W1]: a Certificate with nothing after it, also not after its signature. */
    static Cert parse(byte[] der) throws Refusal {
        try {
            return new Cert(der);
        } catch (Der.Bad | GeneralSecurityException | RuntimeException e) {
            throw new Refusal(Reason.MALFORMED_CERTIFICATE, e.getMessage());
        }
    }

    private Cert(byte[] der) throws Der.Bad, GeneralSecurityException {
        this.der = der;
        Der.Cursor outer = Der.whole(der, Der.SEQUENCE).inside();
        Der signed = outer.next(Der.SEQUENCE);
        Der.Cursor tbs = signed.inside();
        outer.next(Der.SEQUENCE);
        outer.next(Der.BIT_STRING);
        outer.end();
        Der explicitVersion = tbs.optional(0xA0);
        version = explicitVersion == null ? 1
                : GeneralNames.single(explicitVersion).is(Der.INTEGER).integer().intValueExact() + 1;
        tbs.next(Der.INTEGER);
        tbs.next(Der.SEQUENCE);
        issuer = tbs.next(Der.SEQUENCE).octets();
        Der.Cursor validity = tbs.next(Der.SEQUENCE).inside();
        notBefore = time(validity.any());
        notAfter = time(validity.any());
        subject = tbs.next(Der.SEQUENCE).octets();
        spki = tbs.next(Der.SEQUENCE).octets();
        tbs.optional(0x81);
        tbs.optional(0x82);
        Der list = tbs.optional(0xA3);
        tbs.end();
        if (list != null) {
            for (Der extension : GeneralNames.single(list).is(Der.SEQUENCE).children()) {
                Der.Cursor parts = extension.is(Der.SEQUENCE).inside();
                String type = parts.next(Der.OID).oid();
                parts.optional(Der.BOOLEAN);
                if (extensions.put(type, parts.next(Der.OCTET_STRING).content()) != null) {
                    throw new Der.Bad("an extension twice");
                }
                parts.end();
            }
        }
        isAuthority = readAuthority(extensions.get(BASIC_CONSTRAINTS));
        usage = readKeyUsage(extensions.get(KEY_USAGE));
        purposes = readPurposes(extensions.get(EXT_KEY_USAGE));
        constraints = NameConstraints.getInstance(extensions.get(NAME_CONSTRAINTS));
        readDnsNames(extensions.get(SUBJECT_ALT_NAME));
        boolean regular = version == 3 || version > 0 && version < 3 && extensions.isEmpty();
        platform = regular ? (X509Certificate) CertificateFactory.getInstance("X.509", PLATFORM)
                .generateCertificate(new ByteArrayInputStream(der)) : null;
        if (regular && platform == null) throw new Der.Bad("not a certificate");
        // BouncyCastle verifies a signature over what it writes, not over what it read.
        if (regular && !Arrays.equals(platform.getTBSCertificate(), signed.octets())) throw new Der.Bad("not DER");
    }

    private static long time(Der field) throws Der.Bad {
        String t = field.ascii();
        if (field.tag == Der.UTC_TIME && t.matches("[0-9]{12}Z")) {
            t = (t.compareTo("5") < 0 ? "20" : "19") + t;
        } else if (field.tag != Der.GENERALIZED_TIME || !t.matches("[0-9]{14}Z")) {
            throw new Der.Bad("validity");
        }
        int[] n = new int[6];
        for (int i = 0; i < 6; i++) n[i] = Integer.parseInt(i == 0 ? t.substring(0, 4) : t.substring(2 + 2 * i, 4 + 2 * i));
        return LocalDateTime.of(n[0], n[1], n[2], n[3], n[4], n[5]).toEpochSecond(ZoneOffset.UTC);
    }

    private static boolean readAuthority(byte[] value) throws Der.Bad {
        if (value == null) return false;
        Der ca = Der.whole(value, Der.SEQUENCE).inside().optional(Der.BOOLEAN);
        return ca != null && ca.bool();
    }

    private static byte[] readKeyUsage(byte[] value) throws Der.Bad {
        if (value == null) return null;
        byte[] content = Der.whole(value, Der.BIT_STRING).content();
        return Arrays.copyOfRange(content, 1, content.length);
    }

    private static List<String> readPurposes(byte[] value) throws Der.Bad {
        if (value == null) return null;
        List<String> list = new ArrayList<>();
        for (Der purpose : Der.whole(value, Der.SEQUENCE).children()) list.add(purpose.is(Der.OID).oid());
        return list;
    }

    private void readDnsNames(byte[] value) throws Der.Bad {
        if (value == null) return;
        for (Der name : Der.whole(value, Der.SEQUENCE).children()) {
            if (name.tag == GeneralNames.DNS_NAME) dnsNames.add(name.ascii().toLowerCase(Locale.ROOT));
        }
    }

    /** The last common name of the subject, or "". */
    String lastCommonName() {
        String found = "";
        try {
            for (Der rdn : Der.whole(subject).children()) {
                for (Der pair : rdn.children()) {
                    Der.Cursor parts = pair.inside();
                    if (parts.next(Der.OID).oid().equals("2.5.4.3")) {
                        found = new String(parts.any().content(), java.nio.charset.StandardCharsets.UTF_8);
                    }
                }
            }
        } catch (Der.Bad e) {
            return "";
        }
        return found;
    }

    boolean isSelfIssued() { return Arrays.equals(subject, issuer); }

    boolean isIssuedBy(Cert other) { return Arrays.equals(issuer, other.subject); }

    boolean sameAs(Cert other) { return Arrays.equals(der, other.der); }

    boolean isValidAt(long t) { return notBefore <= t && t <= notAfter; }

    /** Whether keyUsage, if there, has this bit. */
    boolean permitsUsage(int bit) {
        return usage == null || usage.length > 0 && (usage[0] & bit) != 0;
    }

    /** Whether it has keyUsage without any bit, or extKeyUsage without any purpose [W7f]. */
    boolean permitsNothing() {
        return usage != null && new BigInteger(1, usage).signum() == 0 || purposes != null && purposes.isEmpty();
    }

    /** Whether its key may be used as a server's by extKeyUsage, or by any purpose. */
    boolean permitsServerAuth() {
        return purposes == null || purposes.contains(SERVER_AUTH) || purposes.contains(ANY_PURPOSE);
    }

    /** [W2]: kind and size of the key, out of its octets. */
    Key key() throws Refusal {
        try {
            Der.Cursor parts = Der.whole(spki, Der.SEQUENCE).inside();
            Der algorithm = parts.next(Der.SEQUENCE);
            byte[] bits = parts.next(Der.BIT_STRING).bits().content();
            parts.end();
            byte[] point = Arrays.copyOfRange(bits, 1, bits.length);
            switch (Octets.hex(algorithm.octets())) {
                case "300d06092a864886f70d0101010500": return rsa(point);
                case "301306072a8648ce3d020106082a8648ce3d030107": return uncompressed(point, 32, Key.P256);
                case "301006072a8648ce3d020106052b81040022": return uncompressed(point, 48, Key.P384);
                case "301006072a8648ce3d020106052b81040023": return uncompressed(point, 66, Key.P521);
                case "300506032b6570": if (point.length == 32) return Key.ED25519; break;
                default:
            }
        } catch (Der.Bad e) {
            throw new Refusal(Reason.UNSUPPORTED_KEY, e.getMessage());
        }
        throw new Refusal(Reason.UNSUPPORTED_KEY, "kind of key");
    }

    private static Key rsa(byte[] key) throws Der.Bad, Refusal {
        Der.Cursor numbers = Der.whole(key, Der.SEQUENCE).inside();
        BigInteger modulus = numbers.next(Der.INTEGER).integer();
        BigInteger exponent = numbers.next(Der.INTEGER).integer();
        numbers.end();
        if (modulus.signum() <= 0 || exponent.signum() <= 0 || modulus.bitLength() < 2048 || modulus.bitLength() > 4096) {
            throw new Refusal(Reason.UNSUPPORTED_KEY, "RSA of " + modulus.bitLength() + " bits");
        }
        return Key.RSA;
    }

    private static Key uncompressed(byte[] point, int octets, Key kind) throws Refusal {
        if (point.length != 1 + 2 * octets || point[0] != 4) throw new Refusal(Reason.UNSUPPORTED_KEY, "form of point");
        return kind;
    }

    boolean hasAllowedKey() {
        try {
            publicKey();
            return true;
        } catch (Refusal e) {
            return false;
        }
    }

    PublicKey publicKey() throws Refusal {
        Key kind = key();
        String name = kind == Key.RSA ? "RSA" : kind == Key.ED25519 ? "Ed25519" : "EC";
        try {
            return KeyFactory.getInstance(name).generatePublic(new X509EncodedKeySpec(spki));
        } catch (GeneralSecurityException | RuntimeException e) {
            throw new Refusal(Reason.UNSUPPORTED_KEY, "the platform cannot read it");
        }
    }

    /** As how many signature checks V3 counts the use of its key. */
    int checks() throws Refusal {
        PublicKey key = publicKey();
        boolean large = key instanceof RSAPublicKey
                && ((RSAPublicKey) key).getPublicExponent().compareTo(BigInteger.valueOf(65537)) > 0;
        return large || key() == Key.P521 ? 2 : 1;
    }

    String pin() { return Octets.hex(Octets.sha256(spki)); }
}
