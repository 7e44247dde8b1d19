import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The attribute certificate encoding (section 5), read by a strict reader of its own, because libraries accept BER. */
final class AttributeCertificate {
    private static final String DELEGATION = "2.25.123451849705716964283098282175778140751";
    private static final String NO_REV_AVAIL = "2.5.29.56", AUTHORITY_KEY_IDENTIFIER = "2.5.29.35",
            CRL_DISTRIBUTION_POINTS = "2.5.29.31", AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";
    private static final int MAX_ATTRIBUTES = 64, MAX_VALUES = 1024, MAX_EXTENSIONS = 64, MAX_NESTING = 16;

    private final Statement statement = new Statement();
    /** The holder's dNSNames, or null if it has another well formed content. */
    private List<String> holder;
    private BigInteger serial;
    private byte[] algorithm;
    private boolean criticalExtension;
    private final Set<String> extensions = new HashSet<>();
    private final List<String> attributeTypes = new ArrayList<>();
    private List<Der> attributeValues = List.of();
    private byte[] signerHash;

    private AttributeCertificate() {}

    /** Steps 3 and 4 of section 11. */
    static Statement parse(byte[] message) throws Refusal {
        Cms cms = new Cms(message);
        AttributeCertificate ac = new AttributeCertificate();
        try {
            ac.fields(cms.attributeCertificate);
        } catch (Der.Bad e) {
            throw new Refusal(Reason.MALFORMED_AC, e.getMessage());
        }
        ac.statement.algorithm = algorithm(ac.algorithm); // 5.4
        ac.extensions(); // [A5]
        try {
            ac.delegation(); // [A6]
        } catch (Der.Bad e) {
            throw new Refusal(Reason.MALFORMED_ATTRIBUTE, e.getMessage());
        }
        if (ac.serial.bitLength() > 127) throw new Refusal(Reason.BAD_SERIAL, "more than 127 bits");
        ac.statement.checkClaims();
        if (!ac.statement.holders().equals(ac.holder)) throw new Refusal(Reason.HOLDER_MISMATCH, "" + ac.holder);
        ac.signer(cms.certificates);
        return ac.statement;
    }

    /** [A3] and the forms of [A4], field by field. */
    private void fields(byte[] der) throws Der.Bad, Refusal {
        Der.Cursor outer = Der.whole(der, Der.SEQUENCE).inside();
        Der info = outer.next(Der.SEQUENCE);
        statement.signed = info.octets(); // [A8]
        Der.Cursor fields = info.inside();
        if (!fields.next(Der.INTEGER).integer().equals(BigInteger.ONE)) throw new Der.Bad("version");
        holder(fields.next(Der.SEQUENCE));
        issuer(fields.any());
        Der inner = fields.next(Der.SEQUENCE);
        algorithmForm(inner);
        algorithm = inner.octets();
        serial = fields.next(Der.INTEGER).integer();
        if (serial.signum() <= 0) throw new Refusal(Reason.BAD_SERIAL, "not positive");
        Der.Cursor validity = fields.next(Der.SEQUENCE).inside();
        statement.issued = time(validity.any());
        statement.expires = time(validity.any()) + 1; // inclusive there
        validity.end();
        attributes(fields.next(Der.SEQUENCE));
        Der uniqueId = fields.optional(Der.BIT_STRING);
        if (uniqueId != null) uniqueId.bits();
        Der list = fields.optional(Der.SEQUENCE);
        if (list != null) extensionForms(list);
        fields.end();
        Der outerAlgorithm = outer.any();
        byte[] bits = outer.next(Der.BIT_STRING).bits().content();
        outer.end();
        if (bits[0] != 0) throw new Der.Bad("signature that is not of whole octets");
        statement.signature = Arrays.copyOfRange(bits, 1, bits.length);
        if (!outerAlgorithm.sameAs(inner)) throw new Refusal(Reason.INNER_OUTER_MISMATCH, "the two algorithms");
        if (uniqueId != null) throw new Der.Bad("issuerUniqueID");
    }

    private void holder(Der field) throws Der.Bad {
        if (field.length() == 0) throw new Der.Bad("empty holder");
        Der.Cursor parts = field.inside();
        Der baseCertificate = parts.optional(0xA0);
        if (baseCertificate != null) issuerSerial(baseCertificate);
        Der entityName = parts.optional(0xA1);
        List<Der> names = entityName == null ? null : GeneralNames.check(entityName);
        Der digestInfo = parts.optional(0xA2);
        if (digestInfo != null) objectDigestInfo(digestInfo);
        parts.end();
        if (names == null || baseCertificate != null || digestInfo != null) return;
        List<String> hosts = new ArrayList<>();
        for (Der name : names) {
            if (name.tag != GeneralNames.DNS_NAME) return;
            hosts.add(name.ascii());
        }
        holder = hosts;
    }

    private static void issuerSerial(Der element) throws Der.Bad {
        Der.Cursor parts = element.inside();
        GeneralNames.check(parts.next(Der.SEQUENCE));
        parts.next(Der.INTEGER).integer();
        Der uid = parts.optional(Der.BIT_STRING);
        if (uid != null) uid.bits();
        parts.end();
    }

    private static void objectDigestInfo(Der element) throws Der.Bad {
        Der.Cursor parts = element.inside();
        int type = parts.next(Der.ENUMERATED).integer().min(BigInteger.TEN).intValue();
        if (type < 0 || type > 2) throw new Der.Bad("digestedObjectType");
        Der other = parts.optional(Der.OID);
        if (other != null) other.oid();
        algorithmForm(parts.next(Der.SEQUENCE));
        parts.next(Der.BIT_STRING).bits();
        parts.end();
    }

    private void issuer(Der field) throws Der.Bad, Refusal {
        if (field.tag == Der.SEQUENCE) {
            GeneralNames.check(field);
            throw new Refusal(Reason.ISSUER_FORM, "v1Form");
        }
        Der.Cursor parts = field.is(0xA0).inside();
        Der issuerName = parts.optional(Der.SEQUENCE);
        List<Der> names = issuerName == null ? List.of() : GeneralNames.check(issuerName);
        Der baseCertificate = parts.optional(0xA0);
        if (baseCertificate != null) issuerSerial(baseCertificate);
        Der digestInfo = parts.optional(0xA1);
        if (digestInfo != null) objectDigestInfo(digestInfo);
        parts.end();
        if (names.size() != 1 || names.get(0).tag != GeneralNames.DIRECTORY_NAME || baseCertificate != null
                || digestInfo != null) {
            throw new Refusal(Reason.ISSUER_FORM, "not one directoryName");
        }
        statement.issuer = names.get(0).content();
    }

    private static void algorithmForm(Der algorithm) throws Der.Bad {
        Der.Cursor parts = algorithm.inside();
        parts.next(Der.OID).oid();
        if (parts.more()) parts.any().deep(MAX_NESTING);
        parts.end();
    }

    /** GeneralizedTime in UTC, exactly 15 octets; every fault but its length of DER is bad-ac-time. */
    private static long time(Der field) throws Refusal {
        String text = new String(field.content(), java.nio.charset.StandardCharsets.ISO_8859_1);
        if (field.tag != Der.GENERALIZED_TIME || !text.matches("[0-9]{14}Z")) throw new Refusal(Reason.BAD_AC_TIME, text);
        int[] n = new int[6];
        for (int i = 0; i < 6; i++) n[i] = Integer.parseInt(i == 0 ? text.substring(0, 4) : text.substring(2 + 2 * i, 4 + 2 * i));
        if (n[0] < 1950) throw new Refusal(Reason.BAD_AC_TIME, text);
        try {
            return LocalDateTime.of(n[0], n[1], n[2], n[3], n[4], n[5]).toEpochSecond(ZoneOffset.UTC);
        } catch (DateTimeException e) {
            throw new Refusal(Reason.BAD_AC_TIME, text);
        }
    }

    private void attributes(Der field) throws Der.Bad, Refusal {
        List<Der> list = field.children(MAX_ATTRIBUTES);
        if (list.isEmpty()) throw new Der.Bad("no attribute");
        for (Der attribute : list) {
            Der.Cursor parts = attribute.is(Der.SEQUENCE).inside();
            String type = parts.next(Der.OID).oid();
            List<Der> values = parts.next(Der.SET).children(MAX_VALUES);
            parts.end();
            if (values.isEmpty()) throw new Der.Bad("no value"); // RFC 5755, Section 4.1: "at least one value is required"
            Der.sorted(values);
            if (attributeTypes.contains(type)) throw new Refusal(Reason.DUPLICATE_ATTRIBUTE, type);
            attributeTypes.add(type);
            attributeValues = values;
        }
    }

    private void extensionForms(Der field) throws Der.Bad, Refusal {
        List<Der> list = field.children(MAX_EXTENSIONS);
        if (list.isEmpty()) throw new Der.Bad("no extension");
        for (Der extension : list) {
            Der.Cursor parts = extension.is(Der.SEQUENCE).inside();
            String type = parts.next(Der.OID).oid();
            Der flag = parts.optional(Der.BOOLEAN);
            boolean critical = flag != null;
            if (critical && !flag.bool()) throw new Der.Bad("default value encoded");
            byte[] value = parts.next(Der.OCTET_STRING).content();
            parts.end();
            if (!extensions.add(type)) throw new Refusal(Reason.DUPLICATE_EXTENSION, type);
            if (type.equals(NO_REV_AVAIL)) {
                if (critical || Der.whole(value, Der.NULL).length() != 0) throw new Der.Bad("noRevAvail");
            } else if (type.equals(AUTHORITY_KEY_IDENTIFIER)) {
                if (critical) throw new Der.Bad("authorityKeyIdentifier");
                Der.Cursor id = Der.whole(value, Der.SEQUENCE).inside();
                id.optional(0x80);
                Der issuer = id.optional(0xA1);
                if (issuer != null) GeneralNames.check(issuer);
                Der number = id.optional(0x82);
                if (number != null) number.integer();
                id.end();
            } else if (critical) {
                criticalExtension = true;
            }
        }
    }

    /** [A5]. */
    private void extensions() throws Refusal {
        if (criticalExtension) throw new Refusal(Reason.CRITICAL_EXTENSION, "" + extensions);
        if (!extensions.contains(NO_REV_AVAIL) || extensions.contains(CRL_DISTRIBUTION_POINTS)
                || extensions.contains(AUTHORITY_INFO_ACCESS)) {
            throw new Refusal(Reason.BAD_REVOCATION, "" + extensions);
        }
    }

    /** [A6]. */
    private void delegation() throws Der.Bad, Refusal {
        if (!attributeTypes.equals(List.of(DELEGATION)) || attributeValues.size() != 1) {
            throw new Der.Bad("not the one attribute with one value");
        }
        Der.Cursor parts = attributeValues.get(0).is(Der.SEQUENCE).inside();
        if (!parts.next(Der.INTEGER).integer().equals(BigInteger.ONE)) {
            throw new Refusal(Reason.ATTRIBUTE_VERSION, "not version 1");
        }
        statement.source = parts.next(Der.IA5_STRING).ascii();
        statement.service = parts.next(Der.IA5_STRING).ascii();
        for (Der target : parts.next(Der.SEQUENCE).children()) {
            Der.Cursor t = target.is(Der.SEQUENCE).inside();
            String host = t.next(Der.IA5_STRING).ascii();
            long port = number(t.next(Der.INTEGER));
            long priority = number(t.next(Der.INTEGER));
            long weight = number(t.next(Der.INTEGER));
            Der spki = t.optional(0xA0);
            List<String> pins = null;
            if (spki != null) {
                pins = new ArrayList<>();
                for (Der pin : spki.children()) pins.add(Octets.hex(hash(pin)));
            }
            Der direct = t.optional(0x81); // a NULL, with an implicit tag
            if (direct != null && direct.length() != 0) throw new Der.Bad("directTLS");
            t.end();
            statement.targets.add(new Statement.Target(host, port, priority, weight, direct != null, pins));
        }
        signerHash = hash(parts.next(Der.OCTET_STRING));
        parts.end();
    }

    private static long number(Der field) throws Der.Bad {
        if (field.length() > 8) throw new Der.Bad("integer of more than 8 octets");
        return field.integer().longValueExact();
    }

    private static byte[] hash(Der field) throws Der.Bad {
        if (field.is(Der.OCTET_STRING).length() != 32) throw new Der.Bad("not 32 octets");
        return field.content();
    }

    /** [A7]: the signer's certificate first, the others as they are. */
    private void signer(List<byte[]> certificates) throws Refusal {
        if (certificates.size() > Statement.MAX_CERTIFICATES) {
            throw new Refusal(Reason.MALFORMED_CERTIFICATE, certificates.size() + " certificates");
        }
        for (byte[] certificate : certificates) {
            boolean isSigner = Arrays.equals(Octets.sha256(certificate), signerHash);
            statement.certificates.add(isSigner ? 0 : statement.certificates.size(), certificate);
            if (isSigner) signerHash = null;
        }
        if (signerHash != null) throw new Refusal(Reason.SIGNER_HASH_MISMATCH, "no such certificate");
    }

    /** Section 5.4: the AlgorithmIdentifiers, octet for octet. */
    private static Algorithm algorithm(byte[] der) throws Refusal {
        switch (Octets.hex(der)) {
            case "300a06082a8648ce3d040302": return Algorithm.ES256;
            case "300a06082a8648ce3d040303": return Algorithm.ES384;
            case "300d06092a864886f70d01010b0500": return Algorithm.RS256;
            case "300506032b6570": return Algorithm.EDDSA;
            default:
        }
        if (pssEncodings().contains(Octets.hex(der))) return Algorithm.PS256;
        throw new Refusal(Reason.UNSUPPORTED_ALGORITHM, Octets.hex(der));
    }

    /** RSASSA-PSS with SHA-256 named twice, each time with the parameters NULL or absent. */
    private static Set<String> pssEncodings() {
        String absent = "300b0609608648016503040201";
        String isNull = "300d06096086480165030402010500";
        Set<String> all = new HashSet<>();
        for (String hash : List.of(absent, isNull)) {
            for (String mgfHash : List.of(absent, isNull)) {
                String mgf = wrap("30", "06092a864886f70d010108" + mgfHash);
                String parameters = wrap("a0", hash) + wrap("a1", mgf) + "a203020120";
                all.add(wrap("30", "06092a864886f70d01010a" + wrap("30", parameters)));
            }
        }
        return all;
    }

    private static String wrap(String tag, String content) {
        return tag + String.format("%02x", content.length() / 2) + content;
    }
}
