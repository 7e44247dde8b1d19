import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The CMS message around an attribute certificate (section 5.1). */
final class Cms {
    private static final String SIGNED_DATA = "1.2.840.113549.1.7.2";
    private static final String DATA = "1.2.840.113549.1.7.1";
    private static final int CERTIFICATE = 0x30, V2_ATTR_CERT = 0xA2;
    private static final int MAX_MEMBERS = 16;

    /** In DER with the tag SEQUENCE, as it stands alone [A2]. */
    byte[] attributeCertificate;
    final List<byte[]> certificates = new ArrayList<>();

    Cms(byte[] octets) throws Refusal {
        try {
            parse(octets);
        } catch (Der.Bad e) {
            throw new Refusal(Reason.MALFORMED_BAG, e.getMessage());
        }
    }

    private void parse(byte[] octets) throws Der.Bad, Refusal {
        // The syntax, of everything that must be there [A1].
        Der.Cursor info = Der.whole(octets, Der.SEQUENCE).inside();
        if (!info.next(Der.OID).oid().equals(SIGNED_DATA)) throw new Der.Bad("not signed-data");
        Der.Cursor data = GeneralNames.single(info.next(0xA0)).is(Der.SEQUENCE).inside();
        info.end();
        BigInteger version = data.next(Der.INTEGER).integer();
        Der digestAlgorithms = data.next(Der.SET);
        Der.Cursor encapsulated = data.next(Der.SEQUENCE).inside();
        String contentType = encapsulated.next(Der.OID).oid();
        Der content = encapsulated.optional(0xA0);
        encapsulated.end();
        Der bag = data.optional(0xA0);
        Der crls = data.optional(0xA1);
        Der signerInfos = data.next(Der.SET);
        data.end();
        List<Der> members = bag == null ? List.of() : bag.children();

        if (content != null || !contentType.equals(DATA) || digestAlgorithms.length() != 0 || crls != null
                || signerInfos.length() != 0) {
            throw new Refusal(Reason.BAG_CONTENTS, "it has content, signers or lists");
        }
        Set<String> seen = new HashSet<>();
        for (Der m : members) {
            if (!seen.add(Octets.hex(m.octets()))) throw new Refusal(Reason.BAG_DUPLICATE, "a member twice");
        }
        if (!version.equals(BigInteger.valueOf(4))) throw new Der.Bad("version");
        if (members.size() > MAX_MEMBERS) throw new Der.Bad("more than 16 members"); // [A2]
        int count = 0;
        for (Der m : members) {
            if (m.tag == V2_ATTR_CERT) {
                count++;
                attributeCertificate = m.octets();
                attributeCertificate[0] = Der.SEQUENCE;
            } else if (m.tag == CERTIFICATE) {
                certificates.add(m.octets());
            } else {
                throw new Der.Bad("another choice of certificate");
            }
        }
        if (count != 1) throw new Refusal(Reason.BAG_COUNT, count + " attribute certificates");
    }
}
