import java.util.List;

/** The forms of names by RFC 5280, in strict DER (docs/reasons.md, section 2). */
final class GeneralNames {
    static final int DNS_NAME = 0x82, DIRECTORY_NAME = 0xA4;
    private static final int MAX_NAMES = 256;
    private static final int MAX_NESTING = 16;

    private GeneralNames() {}

    /** The names inside an element of type GeneralNames, whatever its tag is. */
    static List<Der> check(Der names) throws Der.Bad {
        List<Der> list = names.children(MAX_NAMES);
        if (list.isEmpty()) throw new Der.Bad("no name");
        for (Der name : list) checkOne(name);
        return list;
    }

    private static void checkOne(Der name) throws Der.Bad {
        Der.Cursor inside;
        switch (name.tag) {
            case 0xA0: // otherName
                inside = name.inside();
                inside.next(Der.OID).oid();
                single(inside.next(0xA0)).deep(MAX_NESTING);
                inside.end();
                break;
            case 0x81: case DNS_NAME: case 0x86: // rfc822Name, dNSName, uniformResourceIdentifier: IA5String
                name.ascii();
                break;
            case 0xA3: // x400Address
                name.deep(MAX_NESTING);
                break;
            case DIRECTORY_NAME:
                directoryName(single(name));
                break;
            case 0xA5: // ediPartyName
                inside = name.inside();
                Der assigner = inside.optional(0xA0);
                if (assigner != null) single(assigner).deep(MAX_NESTING);
                single(inside.next(0xA1)).deep(MAX_NESTING);
                inside.end();
                break;
            case 0x87: // iPAddress
                if (name.length() != 4 && name.length() != 16) throw new Der.Bad("iPAddress");
                break;
            case 0x88: // registeredID
                name.oid();
                break;
            default:
                throw new Der.Bad("form of a name");
        }
    }

    /** Name: RDNs, each a sorted set of one or more types with values. */
    static void directoryName(Der name) throws Der.Bad {
        for (Der rdn : name.is(Der.SEQUENCE).children(MAX_NAMES)) {
            List<Der> pairs = rdn.is(Der.SET).children(MAX_NAMES);
            if (pairs.isEmpty()) throw new Der.Bad("empty RDN");
            Der.sorted(pairs);
            for (Der pair : pairs) {
                Der.Cursor inside = pair.is(Der.SEQUENCE).inside();
                inside.next(Der.OID).oid();
                inside.any().deep(MAX_NESTING);
                inside.end();
            }
        }
    }

    /** The one element inside an explicit tag. */
    static Der single(Der explicit) throws Der.Bad {
        Der.Cursor inside = explicit.inside();
        Der only = inside.any();
        inside.end();
        return only;
    }
}
