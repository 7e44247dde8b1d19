// Package reasons is the closed list of reasons with which a verification, a
// lookup or a connection can end. One table has them with the outcome of each.
// Errors, JSON and tests use their values, which are stable.
//
//	if delegation.ReasonOf(err) == reasons.Superseded { ... }
//
// The tables of docs/reasons.md are made from this file: from the table, and from
// the comments of the constants.
package reasons

// An Outcome is one of the three ends of a verification.
type Outcome string

// The outcomes. A caller goes on only after [OutcomeVerified]. Undetermined is
// a passing failure: try again later, and never go on with something weaker.
const (
	OutcomeVerified     Outcome = "verified"
	OutcomeRefused      Outcome = "refused"
	OutcomeUndetermined Outcome = "undetermined"
)

// A Reason says why an outcome is what it is. The constants below are the
// whole, closed set. Their values are stable: errors, JSON and tests use them.
type Reason string

// Reasons that end a verification before anything was looked at.
const (
	// MissingInput: the query, the evidence or the policy lacks a part; a zero
	// value never accepts anything.
	MissingInput Reason = "missing-input"
	// BadQuery: a name, service or port asked about is not in legal form.
	BadQuery Reason = "bad-query"
	// BadEvidence: evidence about another question or of another version, or too
	// much of it.
	BadEvidence Reason = "bad-evidence"
)

// Reasons about finding evidence. Those of a lookup that failed make the
// outcome undetermined, unless another way led to a verified statement.
const (
	// NoStatement: all places were looked up, and none has a statement.
	NoStatement Reason = "no-statement"
	// Unanswered: the collection ended before an answer came.
	Unanswered Reason = "unanswered"
	// DNSTimeout: no resolver answered in time.
	DNSTimeout Reason = "dns-timeout"
	// DNSFailure: SERVFAIL, REFUSED or an unusable reply from the resolvers.
	DNSFailure Reason = "dns-failure"
	// DNSBogus: a validating resolver says that DNSSEC validation failed.
	DNSBogus Reason = "dns-bogus"
	// AliasLoop: a chain of CNAME records that loops or is too long.
	AliasLoop Reason = "alias-loop"
	// HTTPSTimeout: the web server did not deliver in time.
	HTTPSTimeout Reason = "https-timeout"
	// HTTPSFailure: connection, TLS or protocol failure, or a status that is
	// neither 200, 404 nor 410.
	HTTPSFailure Reason = "https-failure"
	// BadRedirect: too many redirects, or one that is not to https on port 443.
	BadRedirect Reason = "bad-redirect"
	// DocumentTooLarge: the web server sent more than the limit.
	DocumentTooLarge Reason = "document-too-large"
	// AddressNotAllowed: a name resolved to addresses that are not global.
	AddressNotAllowed Reason = "address-not-allowed"
	// SelfTestFailed: the resolver that should validate DNSSEC does not tell a
	// secure name from a bogus one.
	SelfTestFailed Reason = "self-test-failed"
)

// Reasons about the form of a statement, in the order of the checks.
const (
	// TooManyRecords: more records at one name, or more statements with bad
	// signatures, than the limit.
	TooManyRecords Reason = "too-many-records"
	// MalformedRecord: a TXT record that begins as version 1 and is not in its
	// form.
	MalformedRecord Reason = "malformed-record"
	// StatementTooLarge: more than 32,768 bytes.
	StatementTooLarge Reason = "statement-too-large"
	// UnsupportedEncoding: an encoding this verifier does not have.
	UnsupportedEncoding Reason = "unsupported-encoding"
	// MalformedToken: not a JWS in canonical compact form.
	MalformedToken Reason = "malformed-token"
	// BadHeader: a JWS header with other parameters than alg, typ and x5c.
	BadHeader Reason = "bad-header"
	// WrongType: a JWS of another typ.
	WrongType Reason = "wrong-type"
	// UnsupportedAlgorithm: a signature algorithm that is not in the profile.
	UnsupportedAlgorithm Reason = "unsupported-algorithm"
	// MalformedCertificate: a certificate bag that is empty, too large, or holds
	// anything but certificates; or a malformed list of SCTs in the signer's
	// certificate.
	MalformedCertificate Reason = "malformed-certificate"
	// MalformedBag: not a CMS certs-only message in strict DER.
	MalformedBag Reason = "malformed-bag"
	// BagContents: a CMS message with content, signers or revocation lists.
	BagContents Reason = "bag-contents"
	// BagDuplicate: a CMS message with a certificate twice.
	BagDuplicate Reason = "bag-duplicate"
	// BagCount: a CMS message with no attribute certificate or several.
	BagCount Reason = "bag-count"
	// MalformedAC: not an attribute certificate in strict DER.
	MalformedAC Reason = "malformed-ac"
	// IssuerForm: the attribute certificate's issuer is in v1Form, or is not one
	// directoryName.
	IssuerForm Reason = "issuer-form"
	// InnerOuterMismatch: the signed signature algorithm of the attribute
	// certificate is not the one beside the signature.
	InnerOuterMismatch Reason = "inner-outer-mismatch"
	// BadSerial: a serial number that is zero, negative or too long.
	BadSerial Reason = "bad-serial"
	// BadACTime: a time that is not in UTC and whole seconds.
	BadACTime Reason = "bad-ac-time"
	// DuplicateAttribute: an attribute type that appears twice.
	DuplicateAttribute Reason = "duplicate-attribute"
	// DuplicateExtension: an extension that appears twice.
	DuplicateExtension Reason = "duplicate-extension"
	// CriticalExtension: a critical extension that the profile does not know.
	CriticalExtension Reason = "critical-extension"
	// BadRevocation: noRevAvail is missing, or there is a revocation pointer
	// besides.
	BadRevocation Reason = "bad-revocation"
	// MalformedAttribute: the delegation attribute is missing, not alone or not in
	// its form.
	MalformedAttribute Reason = "malformed-attribute"
	// AttributeVersion: the delegation attribute is of another version.
	AttributeVersion Reason = "attribute-version"
	// MalformedClaims: claims missing, unknown or of the wrong kind.
	MalformedClaims Reason = "malformed-claims"
	// BadName: a name in the statement is not in legal form.
	BadName Reason = "bad-name"
	// BadTargets: too many targets or pins, port 0, or an endpoint twice.
	BadTargets Reason = "bad-targets"
	// BadLifetime: it ends before it begins, or lies outside 1970 to 9999.
	BadLifetime Reason = "bad-lifetime"
	// HolderMismatch: the attribute certificate's holder is not the list of its
	// targets' hosts.
	HolderMismatch Reason = "holder-mismatch"
	// SignerHashMismatch: no certificate in the bag is the one that the attribute
	// names as the signer's.
	SignerHashMismatch Reason = "signer-hash-mismatch"
)

// Reasons about what a statement says, in the order of the checks.
const (
	// SourceMismatch: it is about another domain.
	SourceMismatch Reason = "source-mismatch"
	// ParentSource: it is about a parent of the domain; nothing is inherited.
	ParentSource Reason = "parent-source"
	// ServiceMismatch: it is about another service.
	ServiceMismatch Reason = "service-mismatch"
	// NotYetValid: issued more than 5 minutes in the future.
	NotYetValid Reason = "not-yet-valid"
	// Expired: the statement has expired.
	Expired Reason = "expired"
	// LifeTooLong: its lifetime is longer than the policy accepts.
	LifeTooLong Reason = "life-too-long"
)

// Reasons about who signed it, in the order of the checks.
const (
	// UnsupportedKey: a certificate with a key of a kind or size that is not
	// accepted.
	UnsupportedKey Reason = "unsupported-key"
	// ChainNotLinear: certificates that are not a chain, each the issuer of the
	// one before, or that repeat.
	ChainNotLinear Reason = "chain-not-linear"
	// SignerVersion: the signer's certificate is not X.509 version 3.
	SignerVersion Reason = "signer-version"
	// SignerIsCA: signed by a certification authority or a trust anchor.
	SignerIsCA Reason = "signer-is-ca"
	// SignerWildcard: the certificate covers the source by a wildcard only.
	SignerWildcard Reason = "signer-wildcard"
	// SignerCommonNameOnly: the certificate has the source in its subject's common
	// name only (RFC 9525, Section 2).
	SignerCommonNameOnly Reason = "signer-cn-only"
	// SignerNameMismatch: the certificate does not name the source.
	SignerNameMismatch Reason = "signer-name-mismatch"
	// SignerNotNamed: the zone of the source names the keys that may sign (TLSA),
	// and the signer's is not among them.
	SignerNotNamed Reason = "signer-not-named"
	// SignerKeyUsage: keyUsage without digitalSignature.
	SignerKeyUsage Reason = "signer-key-usage"
	// SignerExtKeyUsage: extKeyUsage without serverAuth.
	SignerExtKeyUsage Reason = "signer-ext-key-usage"
	// SignerNotYetValid: the signer's certificate begins, or has an SCT, more than
	// 5 minutes in the future.
	SignerNotYetValid Reason = "signer-not-yet-valid"
	// SignerExpired: the signer's certificate has expired.
	SignerExpired Reason = "signer-expired"
	// IssuedBeforeSigner: issued before the signer's certificate was.
	IssuedBeforeSigner Reason = "issued-before-signer"
	// Superseded: a newer statement has been verified before.
	Superseded Reason = "superseded"
	// Conflict: two authentic answers contradict each other: statements of the
	// same order with different targets, or a secure SRV record set and a
	// statement that have no target in common.
	Conflict Reason = "conflict"
	// AlgorithmMismatch: the algorithm does not belong to the signer's key.
	AlgorithmMismatch Reason = "algorithm-mismatch"
	// IssuerNameMismatch: the attribute certificate's issuer is not the subject of
	// the signer's certificate.
	IssuerNameMismatch Reason = "issuer-name-mismatch"
	// BadSignature: the signature does not verify.
	BadSignature Reason = "bad-signature"
	// UntrustedSigner: the chain does not lead to a trust anchor, or the signer's
	// certificate is self-issued.
	UntrustedSigner Reason = "untrusted-signer"
	// SignerRejected: the policy's own check of the chain said no.
	SignerRejected Reason = "signer-rejected"
)

// Reasons about using a verified statement.
const (
	// Revoked: the newest statement delegates to nobody.
	Revoked Reason = "revoked"
	// ServiceNotAvailable: no SRV record has a host and a port to connect to, as
	// with the target "." (RFC 2782).
	ServiceNotAvailable Reason = "service-not-available"
	// PortMismatch: the statement lists the host with another port.
	PortMismatch Reason = "port-mismatch"
	// TargetMismatch: the statement does not list the target.
	TargetMismatch Reason = "target-mismatch"
	// NotSecure: there are no SRV records that DNSSEC secures, so the names of SRV
	// targets prove nothing.
	NotSecure Reason = "not-secure"
	// NotUsed: something that ranks higher decides, so this adds nothing.
	NotUsed Reason = "not-used"
	// NoPOSH: the source has no POSH file.
	NoPOSH Reason = "no-posh"
	// MalformedPOSH: a POSH file that is not in its form, is taken back, or leads
	// nowhere.
	MalformedPOSH Reason = "malformed-posh"
	// ConnectFailed: the target has no address, cannot be reached, or ended the
	// connection.
	ConnectFailed Reason = "connect-failed"
	// ConnectTimeout: the connection was not ready in time, STARTTLS and TLS
	// included.
	ConnectTimeout Reason = "connect-timeout"
	// NoTLSStart: the statement does not ask for direct TLS, and it is not known
	// how this service begins TLS.
	NoTLSStart Reason = "no-tls-start"
	// STARTTLSMissing: the target does not offer STARTTLS, or somebody took the
	// offer out.
	STARTTLSMissing Reason = "starttls-missing"
	// STARTTLSFailed: the target refused STARTTLS, or what it said before is not
	// the protocol.
	STARTTLSFailed Reason = "starttls-failed"
	// STARTTLSInjection: bytes that are not TLS came after STARTTLS was agreed on.
	STARTTLSInjection Reason = "starttls-injection"
	// TLSFailed: the TLS handshake failed for another cause than the peer's
	// certificate.
	TLSFailed Reason = "tls-failed"
	// PeerUntrusted: the peer's certificate does not lead to a trust anchor, is
	// not for server authentication, or cannot be read.
	PeerUntrusted Reason = "peer-untrusted"
	// PeerNameMismatch: the peer's certificate does not name the target.
	PeerNameMismatch Reason = "peer-name-mismatch"
	// DANEMismatch: the endpoint has TLSA records, and the peer matches none of
	// them.
	DANEMismatch Reason = "dane-mismatch"
	// ProofExpired: the proof has ended since it was verified.
	ProofExpired Reason = "proof-expired"
	// PeerKeyMismatch: the statement pins other keys than the peer's.
	PeerKeyMismatch Reason = "peer-key-mismatch"
	// Verified: every step held.
	Verified Reason = "verified"
)

// Reasons of programs around a verifier, which no verification ends with: of a
// daemon about itself, and about publishing.
const (
	// Overloaded: too many lookups or questions are under way, so this one was not
	// begun.
	Overloaded Reason = "overloaded"
	// MemoryFailed: the memory of floors cannot be read or written, so a statement
	// could be older than one seen before.
	MemoryFailed Reason = "memory-failed"
	// BadTSIGKey: a TSIG key file without a key of a known form and algorithm.
	BadTSIGKey Reason = "bad-tsig-key"
	// TSIGRejected: the server does not know the TSIG key, or not for this zone,
	// or has another secret for it (RFC 8945, BADKEY and BADSIG).
	TSIGRejected Reason = "tsig-rejected"
	// ClockMismatch: the clocks of this machine and the server are too far apart
	// (RFC 8945, BADTIME).
	ClockMismatch Reason = "clock-mismatch"
	// UpdateRefused: the server does not make the update: the key may not change
	// this record, the server is not the zone's primary, or it updates something
	// else than it shows.
	UpdateRefused Reason = "update-refused"
	// UpdateTooLarge: old and new statement do not fit into one DNS message, or
	// the record is larger than the DNS provider takes.
	UpdateTooLarge Reason = "update-too-large"
	// UpdateFailed: the server was not reached, failed, or gave no reply that can
	// be trusted; or the program that changes the record failed, or no name server
	// shows what it did; nobody knows whether the update was made.
	UpdateFailed Reason = "update-failed"
	// UpdateRaced: somebody else changed the record set between reading and
	// writing, each time.
	UpdateRaced Reason = "update-raced"
	// NotEverywhere: a server of the place does not show the statement, or also
	// shows an older one.
	NotEverywhere Reason = "not-everywhere"
)

// Reasons about a person's own files, given by the commands.
const (
	// BadFile: a file that is missing, unreadable or not what it should be.
	BadFile Reason = "bad-file"
	// BadPEM: a file without the PEM block that is needed, with a broken one or
	// one that is not read, or with a chain of more than 5 certificates.
	BadPEM Reason = "bad-pem"
	// KeyEncrypted: a private key protected by a pass phrase.
	KeyEncrypted Reason = "key-encrypted"
	// KeyReadable: a private key that every user can read.
	KeyReadable Reason = "key-readable"
	// KeyMismatch: a private key that does not belong to the certificate.
	KeyMismatch Reason = "key-mismatch"
)

// reasonInfo is what belongs to a reason. The table is in the order in which
// the algorithm of docs/spec.md can end. Of two refused candidates, the one
// with the later reason got further.
type reasonInfo struct {
	reason  Reason
	outcome Outcome
}

var reasonTable = []reasonInfo{
	{BadFile, OutcomeRefused},
	{BadPEM, OutcomeRefused},
	{KeyEncrypted, OutcomeRefused},
	{KeyReadable, OutcomeRefused},
	{KeyMismatch, OutcomeRefused},
	{MissingInput, OutcomeRefused},
	{BadQuery, OutcomeRefused},
	{BadEvidence, OutcomeRefused},
	{NoStatement, OutcomeRefused},
	{Unanswered, OutcomeUndetermined},
	{DNSTimeout, OutcomeUndetermined},
	{DNSFailure, OutcomeUndetermined},
	{DNSBogus, OutcomeUndetermined},
	{AliasLoop, OutcomeUndetermined},
	{HTTPSTimeout, OutcomeUndetermined},
	{HTTPSFailure, OutcomeUndetermined},
	{BadRedirect, OutcomeUndetermined},
	{DocumentTooLarge, OutcomeUndetermined},
	{AddressNotAllowed, OutcomeUndetermined},
	{SelfTestFailed, OutcomeUndetermined},
	{TooManyRecords, OutcomeRefused},
	{MalformedRecord, OutcomeRefused},
	{StatementTooLarge, OutcomeRefused},
	{UnsupportedEncoding, OutcomeRefused},
	{MalformedToken, OutcomeRefused},
	{BadHeader, OutcomeRefused},
	{WrongType, OutcomeRefused},
	{UnsupportedAlgorithm, OutcomeRefused},
	{MalformedCertificate, OutcomeRefused},
	{MalformedBag, OutcomeRefused},
	{BagContents, OutcomeRefused},
	{BagDuplicate, OutcomeRefused},
	{BagCount, OutcomeRefused},
	{MalformedAC, OutcomeRefused},
	{IssuerForm, OutcomeRefused},
	{InnerOuterMismatch, OutcomeRefused},
	{BadSerial, OutcomeRefused},
	{BadACTime, OutcomeRefused},
	{DuplicateAttribute, OutcomeRefused},
	{DuplicateExtension, OutcomeRefused},
	{CriticalExtension, OutcomeRefused},
	{BadRevocation, OutcomeRefused},
	{MalformedAttribute, OutcomeRefused},
	{AttributeVersion, OutcomeRefused},
	{MalformedClaims, OutcomeRefused},
	{BadName, OutcomeRefused},
	{BadTargets, OutcomeRefused},
	{BadLifetime, OutcomeRefused},
	{HolderMismatch, OutcomeRefused},
	{SignerHashMismatch, OutcomeRefused},
	{SourceMismatch, OutcomeRefused},
	{ParentSource, OutcomeRefused},
	{ServiceMismatch, OutcomeRefused},
	{NotYetValid, OutcomeRefused},
	{Expired, OutcomeRefused},
	{LifeTooLong, OutcomeRefused},
	{UnsupportedKey, OutcomeRefused},
	{ChainNotLinear, OutcomeRefused},
	{SignerVersion, OutcomeRefused},
	{SignerIsCA, OutcomeRefused},
	{SignerWildcard, OutcomeRefused},
	{SignerCommonNameOnly, OutcomeRefused},
	{SignerNameMismatch, OutcomeRefused},
	{SignerNotNamed, OutcomeRefused},
	{SignerKeyUsage, OutcomeRefused},
	{SignerExtKeyUsage, OutcomeRefused},
	{SignerNotYetValid, OutcomeRefused},
	{SignerExpired, OutcomeRefused},
	{IssuedBeforeSigner, OutcomeRefused},
	{Superseded, OutcomeRefused},
	{Conflict, OutcomeRefused},
	{AlgorithmMismatch, OutcomeRefused},
	{IssuerNameMismatch, OutcomeRefused},
	{BadSignature, OutcomeRefused},
	{UntrustedSigner, OutcomeRefused},
	{SignerRejected, OutcomeRefused},
	{Revoked, OutcomeRefused},
	{ServiceNotAvailable, OutcomeRefused},
	{PortMismatch, OutcomeRefused},
	{TargetMismatch, OutcomeRefused},
	{NotSecure, OutcomeRefused},
	{NotUsed, OutcomeRefused},
	{NoPOSH, OutcomeRefused},
	{MalformedPOSH, OutcomeRefused},
	{ConnectFailed, OutcomeUndetermined},
	{ConnectTimeout, OutcomeUndetermined},
	{NoTLSStart, OutcomeRefused},
	{STARTTLSMissing, OutcomeRefused},
	{STARTTLSFailed, OutcomeRefused},
	{STARTTLSInjection, OutcomeRefused},
	{TLSFailed, OutcomeRefused},
	{PeerUntrusted, OutcomeRefused},
	{PeerNameMismatch, OutcomeRefused},
	{DANEMismatch, OutcomeRefused},
	{ProofExpired, OutcomeRefused},
	{PeerKeyMismatch, OutcomeRefused},
	{Verified, OutcomeVerified},
	{Overloaded, OutcomeUndetermined},
	{MemoryFailed, OutcomeUndetermined},
	{BadTSIGKey, OutcomeRefused},
	{TSIGRejected, OutcomeRefused},
	{ClockMismatch, OutcomeRefused},
	{UpdateRefused, OutcomeRefused},
	{UpdateTooLarge, OutcomeRefused},
	{UpdateFailed, OutcomeUndetermined},
	{UpdateRaced, OutcomeUndetermined},
	{NotEverywhere, OutcomeUndetermined},
}

var reasonRank = func() map[Reason]int {
	rank := make(map[Reason]int, len(reasonTable))
	for i, info := range reasonTable {
		rank[info.reason] = i
	}
	return rank
}()

// Reasons lists every reason, in the order in which a verification can end
// with it. What comes after [Verified] is of programs around a verifier.
func Reasons() []Reason {
	list := make([]Reason, len(reasonTable))
	for i, info := range reasonTable {
		list[i] = info.reason
	}
	return list
}

// Known reports whether r is one of the reasons of this package.
func (r Reason) Known() bool { _, ok := reasonRank[r]; return ok }

// Outcome is the outcome that a reason leads to. An unknown reason leads to
// refused.
func (r Reason) Outcome() Outcome {
	if i, ok := reasonRank[r]; ok {
		return reasonTable[i].outcome
	}
	return OutcomeRefused
}

// Further reports whether a verification that ends with r got further than one
// that ends with other: it stands later in [Reasons].
func (r Reason) Further(other Reason) bool { return rank(r) > rank(other) }

// rank is the place of a reason in the table, and -1 of one that is unknown.
func rank(r Reason) int {
	if i, ok := reasonRank[r]; ok {
		return i
	}
	return -1
}

// OfLookup reports whether r is why a lookup failed: an undetermined reason
// that comes before those about a statement.
func (r Reason) OfLookup() bool {
	return r.Outcome() == OutcomeUndetermined && reasonRank[r] <= reasonRank[AddressNotAllowed]
}
