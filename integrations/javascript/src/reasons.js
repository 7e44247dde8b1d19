// The closed list of reasons (docs/reasons.md), in the order of the list there: V4d, C9c and P1j choose by it.

const list = [
  ['bad-file', 'refused'],
  ['bad-pem', 'refused'],
  ['key-encrypted', 'refused'],
  ['key-readable', 'refused'],
  ['key-mismatch', 'refused'],
  ['missing-input', 'refused'],
  ['bad-query', 'refused'],
  ['bad-evidence', 'refused'],
  ['no-statement', 'refused'],
  ['unanswered', 'undetermined'],
  ['dns-timeout', 'undetermined'],
  ['dns-failure', 'undetermined'],
  ['dns-bogus', 'undetermined'],
  ['alias-loop', 'undetermined'],
  ['https-timeout', 'undetermined'],
  ['https-failure', 'undetermined'],
  ['bad-redirect', 'undetermined'],
  ['document-too-large', 'undetermined'],
  ['address-not-allowed', 'undetermined'],
  ['self-test-failed', 'undetermined'],
  ['too-many-records', 'refused'],
  ['malformed-record', 'refused'],
  ['statement-too-large', 'refused'],
  ['unsupported-encoding', 'refused'],
  ['malformed-token', 'refused'],
  ['bad-header', 'refused'],
  ['wrong-type', 'refused'],
  ['unsupported-algorithm', 'refused'],
  ['malformed-certificate', 'refused'],
  ['malformed-bag', 'refused'],
  ['bag-contents', 'refused'],
  ['bag-duplicate', 'refused'],
  ['bag-count', 'refused'],
  ['malformed-ac', 'refused'],
  ['issuer-form', 'refused'],
  ['inner-outer-mismatch', 'refused'],
  ['bad-serial', 'refused'],
  ['bad-ac-time', 'refused'],
  ['duplicate-attribute', 'refused'],
  ['duplicate-extension', 'refused'],
  ['critical-extension', 'refused'],
  ['bad-revocation', 'refused'],
  ['malformed-attribute', 'refused'],
  ['attribute-version', 'refused'],
  ['malformed-claims', 'refused'],
  ['bad-name', 'refused'],
  ['bad-targets', 'refused'],
  ['bad-lifetime', 'refused'],
  ['holder-mismatch', 'refused'],
  ['signer-hash-mismatch', 'refused'],
  ['source-mismatch', 'refused'],
  ['parent-source', 'refused'],
  ['service-mismatch', 'refused'],
  ['not-yet-valid', 'refused'],
  ['expired', 'refused'],
  ['life-too-long', 'refused'],
  ['unsupported-key', 'refused'],
  ['chain-not-linear', 'refused'],
  ['signer-version', 'refused'],
  ['signer-is-ca', 'refused'],
  ['signer-wildcard', 'refused'],
  ['signer-cn-only', 'refused'],
  ['signer-name-mismatch', 'refused'],
  ['signer-not-named', 'refused'],
  ['signer-key-usage', 'refused'],
  ['signer-ext-key-usage', 'refused'],
  ['signer-not-yet-valid', 'refused'],
  ['signer-expired', 'refused'],
  ['issued-before-signer', 'refused'],
  ['superseded', 'refused'],
  ['conflict', 'refused'],
  ['algorithm-mismatch', 'refused'],
  ['issuer-name-mismatch', 'refused'],
  ['bad-signature', 'refused'],
  ['untrusted-signer', 'refused'],
  ['signer-rejected', 'refused'],
  ['revoked', 'refused'],
  ['service-not-available', 'refused'],
  ['port-mismatch', 'refused'],
  ['target-mismatch', 'refused'],
  ['not-secure', 'refused'],
  ['not-used', 'refused'],
  ['no-posh', 'refused'],
  ['malformed-posh', 'refused'],
  ['connect-failed', 'undetermined'],
  ['connect-timeout', 'undetermined'],
  ['no-tls-start', 'refused'],
  ['starttls-missing', 'refused'],
  ['starttls-failed', 'refused'],
  ['starttls-injection', 'refused'],
  ['tls-failed', 'refused'],
  ['peer-untrusted', 'refused'],
  ['peer-name-mismatch', 'refused'],
  ['dane-mismatch', 'refused'],
  ['proof-expired', 'refused'],
  ['peer-key-mismatch', 'refused'],
  ['verified', 'verified'],
];

const rank = new Map(list.map(([reason], i) => [reason, i]));
const outcomes = new Map(list);

export const outcomeOf = (reason) => outcomes.get(reason);
export const isReason = (reason) => outcomes.has(reason);

/** The reason of these that stands last in the list; undefined if there are none. */
export const lastOf = (reasons) => [...reasons].sort((a, b) => rank.get(a) - rank.get(b)).at(-1);

/** Reasons that a failed look-up in evidence may have (13.3): from `unanswered` to `address-not-allowed`. */
export const isLookupFailure = (reason) =>
  rank.get(reason) >= rank.get('unanswered') && rank.get(reason) <= rank.get('address-not-allowed');

/** Why a candidate, an input or a peer is not accepted. Everything that judges throws this. */
export class Refusal extends Error {
  constructor(reason, detail = '') {
    super(detail ? `${reason}: ${detail}` : reason);
    this.reason = reason;
  }
}

/** What every operation answers with. */
export const answer = (reason, more = {}) => ({ outcome: outcomeOf(reason), reason, ...more });
