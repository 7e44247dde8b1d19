/** What may be a statement, with the place it was found at; or, with a refusal, what was bad at that place. */
final class Candidate {
    final String origin;
    final String encoding;
    final byte[] octets;
    /** Of the place it was found at, in seconds; null if unknown. */
    final Long ttl;
    final Refusal refusal;

    Candidate(String origin, String encoding, byte[] octets, Long ttl) {
        this(origin, encoding, octets, ttl, null);
    }

    Candidate(String origin, String encoding, byte[] octets, Long ttl, Refusal refusal) {
        this.origin = origin;
        this.encoding = encoding;
        this.octets = octets;
        this.ttl = ttl;
        this.refusal = refusal;
    }

    static Candidate refused(String origin, Reason reason) {
        return new Candidate(origin, null, null, null, new Refusal(reason, origin));
    }
}
