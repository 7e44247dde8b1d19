import com.ibm.icu.text.IDNA;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Pattern;

/** Names of domains and services (section 2). */
final class Names {
    private Names() {}

    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Set<String> NOBODYS = Set.of("localhost", "local", "onion", "internal", "invalid", "arpa");
    private static final Pattern SERVICE = Pattern.compile("_([a-z0-9]+(?:-[a-z0-9]+)*)\\._(?:tcp|udp)");

    /** [N3]: CheckHyphens is done here, because ICU counts hyphens in UTF-16 units. */
    private static final IDNA UTS46 = IDNA.getUTS46Instance(IDNA.NONTRANSITIONAL_TO_ASCII
            | IDNA.NONTRANSITIONAL_TO_UNICODE | IDNA.CHECK_BIDI | IDNA.CHECK_CONTEXTJ | IDNA.USE_STD3_RULES);

    /** [N1], [N2], [N3]. */
    static boolean isDomain(String name) {
        if (name == null || name.length() > 253) return false;
        String[] labels = name.split("\\.", -1);
        if (labels.length < 2) return false;
        for (String label : labels) {
            if (!LABEL.matcher(label).matches()) return false;
            if (label.startsWith("xn--") && !isALabel(label)) return false;
        }
        String last = labels[labels.length - 1];
        return !last.matches("[0-9]+") && !NOBODYS.contains(last);
    }

    private static boolean isALabel(String label) {
        StringBuilder unicode = new StringBuilder();
        StringBuilder ascii = new StringBuilder();
        IDNA.Info toUnicode = new IDNA.Info();
        IDNA.Info toAscii = new IDNA.Info();
        UTS46.labelToUnicode(label, unicode, toUnicode);
        if (hasErrors(toUnicode)) return false;
        int[] characters = unicode.codePoints().toArray();
        int n = characters.length;
        if (n == 0 || characters[0] == '-' || characters[n - 1] == '-') return false;
        if (n >= 4 && characters[2] == '-' && characters[3] == '-') return false;
        UTS46.labelToASCII(unicode, ascii, toAscii);
        return !hasErrors(toAscii) && label.contentEquals(ascii);
    }

    private static boolean hasErrors(IDNA.Info info) {
        Set<IDNA.Error> errors = EnumSet.noneOf(IDNA.Error.class);
        errors.addAll(info.getErrors());
        errors.remove(IDNA.Error.HYPHEN_3_4);
        return !errors.isEmpty();
    }

    /** [N4]. */
    static boolean isService(String service) {
        if (service == null) return false;
        java.util.regex.Matcher m = SERVICE.matcher(service);
        return m.matches() && m.group(1).length() <= 15 && m.group(1).matches(".*[a-z].*");
    }

    /** [N5]: the owner name of statements. */
    static String owner(String service, String source) {
        return service + "._dna." + source;
    }

    static boolean isOwner(String service, String source) {
        return owner(service, source).length() <= 253;
    }

    /** Whether it is empty or has dots at an end or side by side. */
    static boolean hasEmptyLabel(String name) {
        return Arrays.asList(name.split("\\.", -1)).contains("");
    }

    /** Whether a dNSName of lower case covers the name by a wildcard as its whole first label. */
    static boolean wildcardCovers(String dnsName, String name) {
        int dot = name.indexOf('.');
        return dnsName.startsWith("*.") && dot > 0 && dnsName.substring(1).equals(name.substring(dot));
    }
}
