import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** TXT records (section 7). */
final class Txt {
    private Txt() {}

    private static final int MAX_RECORDS = 4;
    private static final String VERSION = "v=DNA1";
    private static final Pattern RECORD = Pattern.compile("v=DNA1; e=([a-z]+); s=([A-Za-z0-9._+/=-]+)");

    /** The candidates of an answer that is neither a failure nor bogus. */
    static List<Candidate> candidates(Evidence.Answer answer) {
        List<String> counting = new ArrayList<>();
        for (Object record : answer.records) if (counts((String) record)) counting.add((String) record);
        String origin = "TXT " + answer.name;
        if (counting.size() > MAX_RECORDS) return List.of(Candidate.refused(origin, Reason.TOO_MANY_RECORDS)); // [T2]
        List<Candidate> out = new ArrayList<>();
        for (String record : counting) out.add(candidate(origin, record, answer.ttl));
        return out;
    }

    /** [T1]. */
    static boolean counts(String record) {
        if (!record.startsWith(VERSION)) return false;
        if (record.length() == VERSION.length()) return true;
        char next = record.charAt(VERSION.length());
        return !(next >= '0' && next <= '9' || next >= 'A' && next <= 'Z' || next >= 'a' && next <= 'z');
    }

    private static Candidate candidate(String origin, String record, Long ttl) {
        Matcher m = RECORD.matcher(record);
        if (!m.matches()) return Candidate.refused(origin, Reason.MALFORMED_RECORD);
        byte[] octets = m.group(2).getBytes(StandardCharsets.US_ASCII);
        if (m.group(1).equals("ac")) octets = Octets.base64(m.group(2)); // [T3]
        if (octets == null) return Candidate.refused(origin, Reason.MALFORMED_RECORD);
        return new Candidate(origin, m.group(1), octets, ttl);
    }
}
