import java.io.ByteArrayInputStream;
import java.io.FileReader;
import java.io.Reader;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;

import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1IA5String;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1TaggedObject;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERIA5String;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.x509.AttCertIssuer;
import org.bouncycastle.asn1.x509.Attribute;
import org.bouncycastle.asn1.x509.AttributeCertificateInfo;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.Holder;
import org.bouncycastle.asn1.x509.V2AttributeCertificateInfoGenerator;
import org.bouncycastle.asn1.x509.V2Form;
import org.bouncycastle.cert.X509AttributeCertificateHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cms.CMSAbsentContent;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.util.encoders.Hex;

/**
 * Reads and issues signed service delegations in the attribute certificate
 * encoding (docs/spec.md, section 5), with BouncyCastle.
 *
 *   show FILE ...    prints what each message says and whether its signature
 *                    holds; exits 1 if one does not
 *   issue FILE ...   issues what each file of properties says: certificates
 *                    (PEM, the signer's first), key (PKCS #8 in DER), kind (EC,
 *                    RSA, Ed25519), algorithm, source, service, target.1,
 *                    target.2 and so on ("host port priority weight pin ..."),
 *                    issued, expires (RFC 3339), id (hexadecimal), out
 *
 * It shows how the encoding is read and written. It is no verifier: it asks
 * neither who the signer is nor what time it is.
 */
public class Delegation {
    private static final ASN1ObjectIdentifier DELEGATION =
        new ASN1ObjectIdentifier("2.25.123451849705716964283098282175778140751");

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        List<String> files = Arrays.asList(args).subList(1, args.length);
        boolean valid = true;
        for (String file : files) {
            if (args[0].equals("show")) {
                valid &= show(Files.readAllBytes(Path.of(file)));
            } else if (args[0].equals("issue")) {
                Properties what = new Properties();
                try (Reader in = new FileReader(file)) {
                    what.load(in);
                }
                Files.write(Path.of(what.getProperty("out")), issue(what));
            } else {
                throw new IllegalArgumentException(args[0]);
            }
        }
        System.exit(valid ? 0 : 1);
    }

    private static boolean show(byte[] message) throws Exception {
        CMSSignedData bag = new CMSSignedData(message);
        Collection<X509AttributeCertificateHolder> all = bag.getAttributeCertificates().getMatches(null);
        if (all.size() != 1) {
            throw new IllegalArgumentException(all.size() + " attribute certificates");
        }
        X509AttributeCertificateHolder ac = all.iterator().next();
        Attribute[] attributes = ac.getAttributes(DELEGATION);
        ASN1Sequence delegation = ASN1Sequence.getInstance(attributes[0].getAttributeValues()[0]);
        System.out.println("version " + integer(delegation, 0));
        System.out.println("source " + text(delegation, 1));
        System.out.println("service " + text(delegation, 2));
        for (ASN1Encodable element : ASN1Sequence.getInstance(delegation.getObjectAt(3))) {
            ASN1Sequence target = ASN1Sequence.getInstance(element);
            System.out.println("target " + text(target, 0) + ":" + integer(target, 1)
                + " priority " + integer(target, 2) + " weight " + integer(target, 3));
            if (target.size() > 4) {
                ASN1TaggedObject pins = ASN1TaggedObject.getInstance(target.getObjectAt(4));
                for (ASN1Encodable pin : ASN1Sequence.getInstance(pins, false)) {
                    System.out.println("key must be sha256 " + hex(pin));
                }
            }
        }
        // getHolder().getEntityNames() gives directory names only.
        for (GeneralName name : ac.toASN1Structure().getAcinfo().getHolder().getEntityName().getNames()) {
            System.out.println("holder " + ASN1IA5String.getInstance(name.getName()).getString());
        }
        System.out.println("issued " + ac.getNotBefore().toInstant());
        System.out.println("expires " + ac.getNotAfter().toInstant().plusSeconds(1));
        System.out.println("id " + ac.getSerialNumber().toString(16));

        String signerHash = hex(delegation.getObjectAt(4));
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        Collection<X509CertificateHolder> certificates = bag.getCertificates().getMatches(null);
        for (X509CertificateHolder certificate : certificates) {
            if (Hex.toHexString(sha256.digest(certificate.getEncoded())).equals(signerHash)) {
                System.out.println("issuer " + (ac.getIssuer().match(certificate) ? "matches" : "DIFFERS"));
                boolean valid = ac.isSignatureValid(
                    new JcaContentVerifierProviderBuilder().setProvider("BC").build(certificate));
                System.out.println("signature " + (valid ? "valid" : "INVALID"));
                return valid;
            }
        }
        System.out.println("signer MISSING");
        return false;
    }

    private static String text(ASN1Sequence s, int i) {
        return ASN1IA5String.getInstance(s.getObjectAt(i)).getString();
    }

    private static BigInteger integer(ASN1Sequence s, int i) {
        return ASN1Integer.getInstance(s.getObjectAt(i)).getValue();
    }

    private static String hex(ASN1Encodable octets) {
        return Hex.toHexString(ASN1OctetString.getInstance(octets).getOctets());
    }

    private static byte[] issue(Properties what) throws Exception {
        List<X509CertificateHolder> chain = new ArrayList<>();
        byte[] pem = Files.readAllBytes(Path.of(what.getProperty("certificates")));
        for (java.security.cert.Certificate c : CertificateFactory.getInstance("X.509", "BC")
                .generateCertificates(new ByteArrayInputStream(pem))) {
            chain.add(new X509CertificateHolder(c.getEncoded()));
        }
        X509CertificateHolder leaf = chain.get(0);
        PrivateKey key = KeyFactory.getInstance(what.getProperty("kind"), "BC")
            .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(what.getProperty("key")))));
        ContentSigner signer = new JcaContentSignerBuilder(what.getProperty("algorithm")).setProvider("BC").build(key);

        Set<String> hosts = new LinkedHashSet<>();
        ASN1EncodableVector targets = new ASN1EncodableVector();
        for (int i = 1; what.containsKey("target." + i); i++) {
            String[] parts = what.getProperty("target." + i).split(" ");
            hosts.add(parts[0]);
            targets.add(target(parts));
        }
        if (hosts.isEmpty()) {
            hosts.add(what.getProperty("source"));
        }
        ASN1EncodableVector delegation = new ASN1EncodableVector();
        delegation.add(new ASN1Integer(1));
        delegation.add(new DERIA5String(what.getProperty("source"), true));
        delegation.add(new DERIA5String(what.getProperty("service"), true));
        delegation.add(new DERSequence(targets));
        delegation.add(new DEROctetString(MessageDigest.getInstance("SHA-256").digest(leaf.getEncoded())));

        V2AttributeCertificateInfoGenerator info = new V2AttributeCertificateInfoGenerator();
        info.setHolder(new Holder(new GeneralNames(hosts.stream()
            .map(host -> new GeneralName(GeneralName.dNSName, host)).toArray(GeneralName[]::new))));
        info.setIssuer(AttCertIssuer.getInstance(new V2Form(new GeneralNames(new GeneralName(leaf.getSubject())))));
        info.setSignature(signer.getAlgorithmIdentifier());
        info.setSerialNumber(new ASN1Integer(new BigInteger(what.getProperty("id"), 16)));
        info.setStartDate(time(what.getProperty("issued"), 0));
        info.setEndDate(time(what.getProperty("expires"), -1)); // inclusive there
        info.addAttribute(new Attribute(DELEGATION, new DERSet(new DERSequence(delegation))));
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(Extension.authorityKeyIdentifier, false,
            new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(leaf.getSubjectPublicKeyInfo()));
        extensions.addExtension(Extension.noRevAvail, false, DERNull.INSTANCE);
        info.setExtensions(extensions.generate());

        AttributeCertificateInfo acinfo = info.generateAttributeCertificateInfo();
        signer.getOutputStream().write(acinfo.getEncoded("DER"));
        ASN1EncodableVector parts = new ASN1EncodableVector();
        parts.add(acinfo);
        parts.add(signer.getAlgorithmIdentifier());
        parts.add(new DERBitString(signer.getSignature()));

        CMSSignedDataGenerator bag = new CMSSignedDataGenerator();
        for (X509CertificateHolder certificate : chain) {
            bag.addCertificate(certificate);
        }
        bag.addAttributeCertificate(new X509AttributeCertificateHolder(new DERSequence(parts).getEncoded("DER")));
        // Without "DER" this would come out in BER.
        return bag.generate(new CMSAbsentContent()).toASN1Structure().getEncoded("DER");
    }

    private static DERSequence target(String[] parts) {
        ASN1EncodableVector target = new ASN1EncodableVector();
        target.add(new DERIA5String(parts[0], true));
        for (int i = 1; i < 4; i++) {
            target.add(new ASN1Integer(new BigInteger(parts[i])));
        }
        if (parts.length > 4) {
            ASN1EncodableVector pins = new ASN1EncodableVector();
            for (int i = 4; i < parts.length; i++) {
                pins.add(new DEROctetString(Hex.decode(parts[i])));
            }
            target.add(new DERTaggedObject(false, 0, new DERSequence(pins)));
        }
        return new DERSequence(target);
    }

    private static ASN1GeneralizedTime time(String rfc3339, long seconds) {
        return new ASN1GeneralizedTime(Date.from(Instant.parse(rfc3339).plusSeconds(seconds)));
    }
}
