/**
 * What may be a statement, with the place it was found at; or, with a refusal, what was bad at that place.
 *
 * @param ttl of the place it was found at, in seconds; null if unknown
 */
record Candidate(String origin, String encoding, byte[] octets, Long ttl, Refusal refusal) {
    Candidate(String origin, String encoding, byte[] octets, Long ttl) {
        this(origin, encoding, octets, ttl, null);
    }

    static Candidate refused(String origin, Reason reason) {
        return new Candidate(origin, null, null, null, new Refusal(reason, origin));
    }
}
