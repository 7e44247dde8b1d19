import java.util.Locale;
import java.util.Map;

/** The closed list of docs/reasons.md, in its order, which V4, C9 and P1 use. */
enum Reason {
    BAD_FILE, BAD_PEM, KEY_ENCRYPTED, KEY_READABLE, KEY_MISMATCH,
    MISSING_INPUT, BAD_QUERY, BAD_EVIDENCE, NO_STATEMENT,
    UNANSWERED, DNS_TIMEOUT, DNS_FAILURE, DNS_BOGUS, ALIAS_LOOP,
    HTTPS_TIMEOUT, HTTPS_FAILURE, BAD_REDIRECT, DOCUMENT_TOO_LARGE, ADDRESS_NOT_ALLOWED, SELF_TEST_FAILED,
    TOO_MANY_RECORDS, MALFORMED_RECORD, STATEMENT_TOO_LARGE, UNSUPPORTED_ENCODING,
    MALFORMED_TOKEN, BAD_HEADER, WRONG_TYPE, UNSUPPORTED_ALGORITHM, MALFORMED_CERTIFICATE,
    MALFORMED_BAG, BAG_CONTENTS, BAG_DUPLICATE, BAG_COUNT,
    MALFORMED_AC, ISSUER_FORM, INNER_OUTER_MISMATCH, BAD_SERIAL, BAD_AC_TIME, DUPLICATE_ATTRIBUTE,
    DUPLICATE_EXTENSION, CRITICAL_EXTENSION, BAD_REVOCATION, MALFORMED_ATTRIBUTE, ATTRIBUTE_VERSION,
    MALFORMED_CLAIMS, BAD_NAME, BAD_TARGETS, BAD_LIFETIME, HOLDER_MISMATCH, SIGNER_HASH_MISMATCH,
    SOURCE_MISMATCH, PARENT_SOURCE, SERVICE_MISMATCH, NOT_YET_VALID, EXPIRED, LIFE_TOO_LONG,
    UNSUPPORTED_KEY, CHAIN_NOT_LINEAR, SIGNER_VERSION, SIGNER_IS_CA, SIGNER_WILDCARD, SIGNER_CN_ONLY,
    SIGNER_NAME_MISMATCH, SIGNER_NOT_NAMED, SIGNER_KEY_USAGE, SIGNER_EXT_KEY_USAGE, SIGNER_NOT_YET_VALID, SIGNER_EXPIRED,
    ISSUED_BEFORE_SIGNER, SUPERSEDED, CONFLICT, ALGORITHM_MISMATCH, ISSUER_NAME_MISMATCH, BAD_SIGNATURE,
    UNTRUSTED_SIGNER, SIGNER_REJECTED, REVOKED, SERVICE_NOT_AVAILABLE, PORT_MISMATCH, TARGET_MISMATCH,
    NOT_SECURE, NOT_USED, NO_POSH, MALFORMED_POSH, CONNECT_FAILED, CONNECT_TIMEOUT, NO_TLS_START, STARTTLS_MISSING,
    STARTTLS_FAILED, STARTTLS_INJECTION, TLS_FAILED, PEER_UNTRUSTED, PEER_NAME_MISMATCH, DANE_MISMATCH, PROOF_EXPIRED,
    PEER_KEY_MISMATCH,
    VERIFIED;

    /** As it is written in reports and vectors. */
    final String text = name().toLowerCase(Locale.ROOT).replace('_', '-');

    String outcome() {
        if (this == VERIFIED) return "verified";
        return isFailedLookup() || this == SELF_TEST_FAILED || this == CONNECT_FAILED || this == CONNECT_TIMEOUT
                ? "undetermined" : "refused";
    }

    /** An answer with this reason. */
    Map<String, Object> in(Map<String, Object> out) {
        out.put("outcome", outcome());
        out.put("reason", text);
        return out;
    }

    /** What a failure in evidence may say: from `unanswered` to `address-not-allowed`. */
    boolean isFailedLookup() {
        return compareTo(UNANSWERED) >= 0 && compareTo(ADDRESS_NOT_ALLOWED) <= 0;
    }

    /** The reason of that text, or null. */
    static Reason of(Object text) {
        for (Reason r : values()) if (r.text.equals(text)) return r;
        return null;
    }

    /** Whichever stands later in the list; null stands before all. */
    static Reason later(Reason a, Reason b) {
        return a == null || b != null && b.compareTo(a) > 0 ? b : a;
    }
}
