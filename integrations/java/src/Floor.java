import java.util.Map;

/**
 * What is remembered of one role of one source: the highest order, and the targets of the statement that had it.
 *
 * @param digest of the targets
 * @param validUntil the end of the proof, exclusive
 * @param signerUntil the first second after the signer's certificate
 */
record Floor(Order order, String digest, long validUntil, long signerUntil) {
    /** The digest of statements of one order that contradict each other. No statement has it. */
    private static final String CONTRADICTION = "0".repeat(64);
    /** Without a newer statement, weaker ways stay closed for so long after the proof. */
    private static final long AFTER_PROOF = 31 * 86400L;

    /** Null if there is none. */
    static Floor read(Object value) throws Refusal {
        if (value == null) return null;
        Map<?, ?> json = Json.object(value);
        Map<?, ?> order = Json.object(json.get("order"));
        Long issuance = Octets.millis(order.get("issuance"));
        Long issued = Octets.time(order.get("issued"));
        Long validUntil = Octets.time(json.get("valid_until"));
        Long signerUntil = Octets.time(json.get("signer_until"));
        if (issuance == null || issued == null || validUntil == null || signerUntil == null) {
            throw new Refusal(Reason.MISSING_INPUT, "floor");
        }
        return new Floor(new Order(issuance, issued), Json.string(json.get("targets")), validUntil, signerUntil);
    }

    /** @param floor null if there is none */
    static Object write(Floor floor) {
        if (floor == null) return Json.NULL;
        return Map.of(
                "order", Map.of("issuance", Octets.ofMillis(floor.order.issuance()), "issued", Octets.time(floor.order.issued())),
                "targets", floor.digest,
                "valid_until", Octets.time(floor.validUntil),
                "signer_until", Octets.time(floor.signerUntil));
    }

    /** The higher one. Two of equal order are one that ends later, and a contradiction if their targets differ. */
    Floor join(Floor other) {
        int compared = order.compareTo(other.order);
        if (compared != 0) return compared > 0 ? this : other;
        return new Floor(order, digest.equals(other.digest) ? digest : CONTRADICTION,
                Math.max(validUntil, other.validUntil), Math.max(signerUntil, other.signerUntil));
    }

    boolean isContradiction() { return digest.equals(CONTRADICTION); }

    /** Why a statement of this order and these targets is refused, or null [O2]. */
    Reason refusal(Order order, String digest) {
        int compared = order.compareTo(this.order);
        if (compared < 0) return Reason.SUPERSEDED;
        return compared == 0 && !digest.equals(this.digest) ? Reason.CONFLICT : null;
    }

    /** Whether nothing weaker than a certificate may do. A revocation is the owner's way out: it ends on time. */
    boolean isRequired(long t) {
        return t < (digest.equals(Statement.DIGEST_OF_NONE) ? validUntil : validUntil + AFTER_PROOF);
    }
}
