import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.x509.AttCertIssuer;
import org.bouncycastle.asn1.x509.Attribute;
import org.bouncycastle.asn1.x509.AttributeCertificateInfo;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.Holder;
import org.bouncycastle.asn1.x509.IssuerSerial;
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
 * Shows and issues attribute certificates with BouncyCastle. Arguments are
 * name=value, those marked * may be repeated; output is name=value lines.
 *
 *   show ac=FILE [issuer=FILE]
 *       reads an attribute certificate in DER and checks its signature with the
 *       certificate in issuer
 *   show bag=FILE
 *       reads a CMS message, finds the issuer's certificate in it by name and
 *       checks the signature
 *   issue issuer=FILE key=FILE kind=EC|RSA|Ed25519 algorithm=NAME out=FILE
 *         serial=N notBefore=SECONDS notAfter=SECONDS
 *         attribute*=OID:HEX[:HEX...] (dns*=NAME | holder=FILE)
 *         [noRevAvail=yes] [keyID=yes] [bag=FILE]
 *       issues one with a PKCS #8 key, each HEX being a value in DER, and
 *       packs it with the issuer's certificate into bag
 */
public class AttrCert {
    private static final PrintStream OUT = System.out;

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        Map<String, List<String>> options = new LinkedHashMap<>();
        for (int i = 1; i < args.length; i++) {
            String[] option = args[i].split("=", 2);
            options.computeIfAbsent(option[0], k -> new ArrayList<>()).add(option[1]);
        }
        switch (args[0]) {
            case "show":
                show(options);
                break;
            case "issue":
                issue(options);
                break;
            default:
                throw new IllegalArgumentException(args[0]);
        }
    }

    private static String one(Map<String, List<String>> options, String name) {
        List<String> values = options.get(name);
        if (values == null || values.size() != 1) {
            throw new IllegalArgumentException("exactly one " + name + "= is needed");
        }
        return values.get(0);
    }

    private static byte[] file(Map<String, List<String>> options, String name) throws Exception {
        return Files.readAllBytes(Path.of(one(options, name)));
    }

    private static void show(Map<String, List<String>> options) throws Exception {
        if (options.containsKey("bag")) {
            CMSSignedData bag = new CMSSignedData(file(options, "bag"));
            OUT.println("version=" + bag.getVersion());
            OUT.println("signers=" + bag.getSignerInfos().size());
            OUT.println("content=" + (bag.getSignedContent() != null));
            OUT.println("certificates=" + bag.getCertificates().getMatches(null).size());
            for (Object o : bag.getAttributeCertificates().getMatches(null)) {
                X509AttributeCertificateHolder ac = (X509AttributeCertificateHolder) o;
                X509CertificateHolder issuer = null;
                for (Object c : bag.getCertificates().getMatches(null)) {
                    if (ac.getIssuer().match(c)) {
                        issuer = (X509CertificateHolder) c;
                    }
                }
                show(ac, issuer);
            }
            return;
        }
        X509CertificateHolder issuer = null;
        if (options.containsKey("issuer")) {
            issuer = new X509CertificateHolder(file(options, "issuer"));
        }
        show(new X509AttributeCertificateHolder(file(options, "ac")), issuer);
    }

    private static void show(X509AttributeCertificateHolder ac, X509CertificateHolder issuer) throws Exception {
        AttributeCertificateInfo info = ac.toASN1Structure().getAcinfo();
        OUT.println("serial=" + ac.getSerialNumber());
        OUT.println("notBefore=" + ac.getNotBefore().getTime() / 1000);
        OUT.println("notAfter=" + ac.getNotAfter().getTime() / 1000);
        // X509AttributeCertificateHolder.getHolder() gives directory names only.
        GeneralNames names = info.getHolder().getEntityName();
        if (names != null) {
            for (GeneralName name : names.getNames()) {
                OUT.println("holder=" + Hex.toHexString(name.getEncoded("DER")));
            }
        }
        if (info.getHolder().getBaseCertificateID() != null) {
            OUT.println("holder-serial=" + info.getHolder().getBaseCertificateID().getSerial().getValue());
        }
        for (Attribute attribute : ac.getAttributes()) {
            StringBuilder line = new StringBuilder("attribute=" + attribute.getAttrType().getId());
            for (ASN1Encodable value : attribute.getAttributeValues()) {
                line.append(':').append(Hex.toHexString(value.toASN1Primitive().getEncoded("DER")));
            }
            OUT.println(line);
        }
        for (Object id : ac.getExtensionOIDs()) {
            OUT.println("extension=" + id);
        }
        for (Object id : ac.getCriticalExtensionOIDs()) {
            OUT.println("critical=" + id);
        }
        if (issuer != null) {
            OUT.println("issuer-matches=" + ac.getIssuer().match(issuer));
            boolean valid = ac.isSignatureValid(
                new JcaContentVerifierProviderBuilder().setProvider("BC").build(issuer));
            OUT.println("signature=" + (valid ? "valid" : "invalid"));
        }
    }

    private static void issue(Map<String, List<String>> options) throws Exception {
        X509CertificateHolder issuer = new X509CertificateHolder(file(options, "issuer"));
        PrivateKey key = KeyFactory.getInstance(one(options, "kind"), "BC")
            .generatePrivate(new PKCS8EncodedKeySpec(file(options, "key")));
        ContentSigner signer = new JcaContentSignerBuilder(one(options, "algorithm")).setProvider("BC").build(key);

        V2AttributeCertificateInfoGenerator info = new V2AttributeCertificateInfoGenerator();
        info.setHolder(holder(options));
        info.setIssuer(AttCertIssuer.getInstance(
            new V2Form(new GeneralNames(new GeneralName(issuer.getSubject())))));
        info.setSignature(signer.getAlgorithmIdentifier());
        info.setSerialNumber(new ASN1Integer(new BigInteger(one(options, "serial"))));
        info.setStartDate(new ASN1GeneralizedTime(new Date(1000 * Long.parseLong(one(options, "notBefore")))));
        info.setEndDate(new ASN1GeneralizedTime(new Date(1000 * Long.parseLong(one(options, "notAfter")))));
        for (String attribute : options.get("attribute")) {
            String[] parts = attribute.split(":");
            ASN1EncodableVector values = new ASN1EncodableVector();
            for (int i = 1; i < parts.length; i++) {
                values.add(ASN1Primitive.fromByteArray(Hex.decode(parts[i])));
            }
            info.addAttribute(new Attribute(new ASN1ObjectIdentifier(parts[0]), new DERSet(values)));
        }
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        if (options.containsKey("keyID")) {
            extensions.addExtension(Extension.authorityKeyIdentifier, false,
                new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(issuer));
        }
        if (options.containsKey("noRevAvail")) {
            extensions.addExtension(Extension.noRevAvail, false, DERNull.INSTANCE);
        }
        if (!extensions.isEmpty()) {
            info.setExtensions(extensions.generate());
        }

        AttributeCertificateInfo acinfo = info.generateAttributeCertificateInfo();
        signer.getOutputStream().write(acinfo.getEncoded("DER"));
        ASN1EncodableVector parts = new ASN1EncodableVector();
        parts.add(acinfo);
        parts.add(signer.getAlgorithmIdentifier());
        parts.add(new DERBitString(signer.getSignature()));
        byte[] der = new DERSequence(parts).getEncoded("DER");
        Files.write(Path.of(one(options, "out")), der);

        if (options.containsKey("bag")) {
            CMSSignedDataGenerator bag = new CMSSignedDataGenerator();
            bag.addCertificate(issuer);
            bag.addAttributeCertificate(new X509AttributeCertificateHolder(der));
            byte[] encoded = bag.generate(new CMSAbsentContent()).toASN1Structure().getEncoded("DER");
            Files.write(Path.of(one(options, "bag")), encoded);
        }
    }

    private static Holder holder(Map<String, List<String>> options) throws Exception {
        if (options.containsKey("holder")) {
            X509CertificateHolder cert = new X509CertificateHolder(file(options, "holder"));
            return new Holder(new IssuerSerial(
                new GeneralNames(new GeneralName(cert.getIssuer())), new ASN1Integer(cert.getSerialNumber())));
        }
        List<GeneralName> names = new ArrayList<>();
        for (String name : options.getOrDefault("dns", Collections.emptyList())) {
            names.add(new GeneralName(GeneralName.dNSName, name));
        }
        return new Holder(new GeneralNames(names.toArray(new GeneralName[0])));
    }
}
