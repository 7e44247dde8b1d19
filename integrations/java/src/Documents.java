import java.util.Arrays;

/** Documents of HTTPS and files (section 8). */
final class Documents {
    private Documents() {}

    private static final int MAX_BODY = 65536;

    /** [H3], [H4]: why this place could not be looked at, or null. */
    static Reason failure(Evidence.Document d) {
        if (d.failure != null) return d.failure;
        if (d.isFile || d.noAddress || d.status == 404 || d.status == 410) return null;
        if (d.status != 200) return Reason.HTTPS_FAILURE;
        return d.encoding != null && isStatement(d) && d.body.length > MAX_BODY ? Reason.DOCUMENT_TOO_LARGE : null;
    }

    /** [X2b]: of a document, whether it is known that it is there or not. */
    static boolean isAnswered(Evidence.Document d) {
        return !d.isFile && (d.noServer || failure(d) == null);
    }

    /** The candidate of a document that could be looked at, or null if it is no statement. */
    static Candidate candidate(Evidence.Document d) {
        if (!isStatement(d)) return null;
        return new Candidate(d.origin, d.encoding, d.encoding.equals("jws") ? withoutLineEnd(d.body) : d.body, d.maxAge);
    }

    private static boolean isStatement(Evidence.Document d) {
        if (d.isFile) return true;
        return isServed(d, d.encoding.equals("jws") ? "application/dna+jwt" : "application/pkcs7-mime");
    }

    /** Whether a web server has it, as the right media type. */
    static boolean isServed(Evidence.Document d, String type) {
        return !d.noAddress && d.status == 200 && type.equals(d.mediaType);
    }

    /** [H5]. */
    static byte[] withoutLineEnd(byte[] body) {
        int n = body.length;
        if (n == 0 || body[n - 1] != '\n') return body;
        return Arrays.copyOf(body, n > 1 && body[n - 2] == '\r' ? n - 2 : n - 1);
    }
}
