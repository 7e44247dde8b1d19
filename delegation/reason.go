package delegation

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
// whole, closed set; their values are stable and are what errors, JSON and tests
// use. docs/spec.md lists them.
type Reason string

// Reasons that end a verification before anything was looked at.
const (
	// MissingInput: the query, the evidence or the policy lacks a part; a zero
	// value is never a default that lets something through.
	MissingInput Reason = "missing-input"
	// BadQuery: a name, service or port asked about is not in legal form.
	BadQuery Reason = "bad-query"
	// BadEvidence: evidence about another question, of another version, or
	// with more in it than can be looked at.
	BadEvidence Reason = "bad-evidence"
)

// Reasons about finding evidence. Those of a look-up that failed make the
// outcome undetermined, unless another way led to a verified statement.
const (
	// NoStatement: every place was looked at and none has a statement.
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
	// DocumentTooLarge: the web server sent more than can be looked at.
	DocumentTooLarge Reason = "document-too-large"
	// AddressNotAllowed: a name resolved to addresses that are not global.
	AddressNotAllowed Reason = "address-not-allowed"
	// SelfTestFailed: the resolver that is said to validate DNSSEC does not
	// tell a secure name from a bogus one.
	SelfTestFailed Reason = "self-test-failed"
)

// Reasons about the form of a statement, in the order of the checks.
const (
	// TooManyRecords: more records at one name, or more statements with bad
	// signatures, than can be looked at.
	TooManyRecords Reason = "too-many-records"
	// MalformedRecord: a TXT record that begins as version 1 and is not in its
	// form.
	MalformedRecord Reason = "malformed-record"
	// StatementTooLarge: more octets than MaxStatementSize.
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
	// MalformedCertificate: a certificate bag that is empty, too large or
	// holds something that is no certificate.
	MalformedCertificate Reason = "malformed-certificate"
	// MalformedBag: not a CMS certs-only message of certificates in strict DER.
	MalformedBag Reason = "malformed-bag"
	// BagContents: a CMS message with content, signers or revocation lists.
	BagContents Reason = "bag-contents"
	// BagDuplicate: a CMS message with a certificate twice.
	BagDuplicate Reason = "bag-duplicate"
	// BagCount: a CMS message with no attribute certificate or several.
	BagCount Reason = "bag-count"
	// MalformedAC: not an attribute certificate in strict DER.
	MalformedAC Reason = "malformed-ac"
	// IssuerForm: the attribute certificate's issuer is in v1Form, or is not
	// one directoryName.
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
	// MalformedAttribute: the delegation attribute is missing, not alone or
	// not in its form.
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
	// HolderMismatch: the attribute certificate's holder is not the list of
	// its targets' hosts.
	HolderMismatch Reason = "holder-mismatch"
	// SignerHashMismatch: no certificate in the bag is the one that the
	// attribute names as the signer's.
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
	// NotYetValid: issued more than ClockSkew in the future.
	NotYetValid Reason = "not-yet-valid"
	// Expired: its end has come.
	Expired Reason = "expired"
	// LifeTooLong: it lives longer than the policy accepts.
	LifeTooLong Reason = "life-too-long"
)

// Reasons about who signed it, in the order of the checks.
const (
	// UnsupportedKey: a certificate with a key of a kind or size that is not
	// accepted.
	UnsupportedKey Reason = "unsupported-key"
	// ChainNotLinear: certificates that are not a chain, each the issuer of
	// the one before, or that repeat.
	ChainNotLinear Reason = "chain-not-linear"
	// SignerVersion: the signer's certificate is not X.509 version 3.
	SignerVersion Reason = "signer-version"
	// SignerIsCA: signed by a certification authority or a trust anchor.
	SignerIsCA Reason = "signer-is-ca"
	// SignerWildcard: the certificate covers the source by a wildcard only.
	SignerWildcard Reason = "signer-wildcard"
	// SignerCommonNameOnly: the certificate has the source in its subject's
	// common name only (RFC 9525, Section 2).
	SignerCommonNameOnly Reason = "signer-cn-only"
	// SignerNameMismatch: the certificate does not name the source.
	SignerNameMismatch Reason = "signer-name-mismatch"
	// SignerKeyUsage: keyUsage without digitalSignature.
	SignerKeyUsage Reason = "signer-key-usage"
	// SignerExtKeyUsage: extKeyUsage without serverAuth.
	SignerExtKeyUsage Reason = "signer-ext-key-usage"
	// SignerNotYetValid: the signer's certificate is not yet valid.
	SignerNotYetValid Reason = "signer-not-yet-valid"
	// SignerExpired: the signer's certificate has expired.
	SignerExpired Reason = "signer-expired"
	// IssuedBeforeSigner: issued before the signer's certificate begins.
	IssuedBeforeSigner Reason = "issued-before-signer"
	// Superseded: a newer statement has been verified before.
	Superseded Reason = "superseded"
	// Conflict: two authentic answers contradict each other: statements of the
	// same order with different targets, or a secure SRV record set and a
	// statement that have no target in common.
	Conflict Reason = "conflict"
	// AlgorithmMismatch: the algorithm does not belong to the signer's key.
	AlgorithmMismatch Reason = "algorithm-mismatch"
	// IssuerNameMismatch: the attribute certificate's issuer is not the subject
	// of the signer's certificate.
	IssuerNameMismatch Reason = "issuer-name-mismatch"
	// BadSignature: the signature does not verify.
	BadSignature Reason = "bad-signature"
	// UntrustedSigner: the chain does not lead to a trust anchor.
	UntrustedSigner Reason = "untrusted-signer"
	// SignerRejected: the policy's own check of the chain said no.
	SignerRejected Reason = "signer-rejected"
)

// Reasons about using a verified statement.
const (
	// Revoked: the newest statement delegates to nobody.
	Revoked Reason = "revoked"
	// ServiceNotAvailable: the SRV record says so with the target "."
	// (RFC 2782).
	ServiceNotAvailable Reason = "service-not-available"
	// PortMismatch: the statement lists the host, under another port.
	PortMismatch Reason = "port-mismatch"
	// TargetMismatch: the statement does not list the target.
	TargetMismatch Reason = "target-mismatch"
	// NotSecure: there are no SRV records that DNSSEC secures, so the names of
	// SRV targets prove nothing.
	NotSecure Reason = "not-secure"
	// NotUsed: the SRV records are secure, so a statement adds nothing.
	NotUsed Reason = "not-used"
	// ConnectFailed: the target has no address, cannot be reached, or ended
	// the connection.
	ConnectFailed Reason = "connect-failed"
	// ConnectTimeout: the connection was not ready in time, STARTTLS and TLS
	// included.
	ConnectTimeout Reason = "connect-timeout"
	// STARTTLSMissing: the target does not offer STARTTLS, or somebody took
	// the offer out.
	STARTTLSMissing Reason = "starttls-missing"
	// STARTTLSFailed: the target refused STARTTLS, or what it said before is
	// not the protocol.
	STARTTLSFailed Reason = "starttls-failed"
	// STARTTLSInjection: octets that are not TLS came after STARTTLS was
	// agreed on.
	STARTTLSInjection Reason = "starttls-injection"
	// TLSFailed: the TLS handshake failed for another cause than the peer's
	// certificate.
	TLSFailed Reason = "tls-failed"
	// PeerUntrusted: the peer's certificate does not lead to a trust anchor,
	// or is not for server authentication.
	PeerUntrusted Reason = "peer-untrusted"
	// PeerNameMismatch: the peer's certificate does not name the target.
	PeerNameMismatch Reason = "peer-name-mismatch"
	// ProofExpired: the proof has ended since it was verified.
	ProofExpired Reason = "proof-expired"
	// PeerKeyMismatch: the peer's key is none of those the statement pins.
	PeerKeyMismatch Reason = "peer-key-mismatch"
	// Verified is the reason of the outcome verified.
	Verified Reason = "verified"
)

// Reasons of programs around a verifier, which no verification ends with: of a
// daemon about itself, and about publishing.
const (
	// Overloaded: so much is being looked up, or asked, that this was not begun.
	Overloaded Reason = "overloaded"
	// MemoryFailed: the memory of floors cannot be read or written, so that a
	// statement could be older than one seen before.
	MemoryFailed Reason = "memory-failed"
	// BadTSIGKey: a TSIG key file without a key of a known form and algorithm.
	BadTSIGKey Reason = "bad-tsig-key"
	// TSIGRejected: the server does not know the TSIG key, or not for this
	// zone, or has another secret for it (RFC 8945, BADKEY and BADSIG).
	TSIGRejected Reason = "tsig-rejected"
	// ClockMismatch: the clocks of this machine and the server are too far
	// apart (RFC 8945, BADTIME).
	ClockMismatch Reason = "clock-mismatch"
	// UpdateRefused: the server does not make the update: the key may not, or
	// the server is not the zone's primary.
	UpdateRefused Reason = "update-refused"
	// UpdateTooLarge: old and new statement do not fit into one DNS message.
	UpdateTooLarge Reason = "update-too-large"
	// UpdateFailed: the server was not reached, failed, or gave no reply that
	// can be trusted, so that it is not known whether it made the update.
	UpdateFailed Reason = "update-failed"
	// UpdateRaced: somebody else changed the record set each time, between
	// reading and writing.
	UpdateRaced Reason = "update-raced"
	// NotEverywhere: one who serves the place does not show the statement, or
	// shows an older one besides.
	NotEverywhere Reason = "not-everywhere"
)

// Reasons about a person's own files, given by the commands.
const (
	// BadFile: a file that is missing, unreadable or not what it should be.
	BadFile Reason = "bad-file"
	// BadPEM: a file without the PEM block that is needed.
	BadPEM Reason = "bad-pem"
	// KeyEncrypted: a private key protected by a pass phrase.
	KeyEncrypted Reason = "key-encrypted"
	// KeyReadable: a private key that every user can read.
	KeyReadable Reason = "key-readable"
	// KeyMismatch: a private key that does not belong to the certificate.
	KeyMismatch Reason = "key-mismatch"
)

// reasonInfo is what belongs to a reason. The table is in the order in which
// the algorithm of docs/spec.md can end: of two refused candidates, the one
// whose reason stands later got further.
type reasonInfo struct {
	reason  Reason
	outcome Outcome
	hint    string // what a person can do about it
}

var reasonTable = []reasonInfo{
	{BadFile, OutcomeRefused, "check the file's name, permissions and contents"},
	{BadPEM, OutcomeRefused, "give a PEM file: the certificate chain, leaf first, and the private key"},
	{KeyEncrypted, OutcomeRefused, "decrypt the key first, for example: openssl pkey -in KEY -out PLAINKEY"},
	{KeyReadable, OutcomeRefused, "make the key private: chmod 600 KEY"},
	{KeyMismatch, OutcomeRefused, "give the key that belongs to the first certificate of the chain"},
	{MissingInput, OutcomeRefused, "give what is named; there are no defaults for trust, time or question"},
	{BadQuery, OutcomeRefused, "give a domain such as b.example, a service such as xmpp-server, a target such as host.example:5269"},
	{BadEvidence, OutcomeRefused, "use evidence that was saved for this domain and service by this version"},
	{NoStatement, OutcomeRefused, "the owner can publish one: dnasign sign, then dnasign publish; what was found in other form is said above"},
	{Unanswered, OutcomeUndetermined, "try again"},
	{DNSTimeout, OutcomeUndetermined, "is the resolver reachable? try again, or name another with --resolver"},
	{DNSFailure, OutcomeUndetermined, "ask the name with another resolver; the zone's servers may be broken"},
	{DNSBogus, OutcomeUndetermined, "DNSSEC validation failed: the zone is broken or somebody forges answers; do not go on"},
	{AliasLoop, OutcomeUndetermined, "the owner must mend the CNAME chain"},
	{HTTPSTimeout, OutcomeUndetermined, "try again; the web server is slow or away"},
	{HTTPSFailure, OutcomeUndetermined, "look at the web server and its certificate (is the chain complete, its trust anchor among yours or --roots?); without HTTPS: --via dns"},
	{BadRedirect, OutcomeUndetermined, "the owner must serve the file itself, or redirect to https on port 443, three times at most"},
	{DocumentTooLarge, OutcomeUndetermined, "the owner must serve the statement and nothing else at that address"},
	{AddressNotAllowed, OutcomeUndetermined, "the name points to a private or special address; in a laboratory use --allow-private-addresses"},
	{SelfTestFailed, OutcomeUndetermined, "name a resolver that validates DNSSEC, and two names whose state you know"},
	{TooManyRecords, OutcomeRefused, "the owner must remove old records, and those that do not verify"},
	{MalformedRecord, OutcomeRefused, "publish the record again, quoted, as dnasign publish zone prints it"},
	{StatementTooLarge, OutcomeRefused, "sign with a shorter chain or fewer targets"},
	{UnsupportedEncoding, OutcomeRefused, "use a verifier that knows this encoding"},
	{MalformedToken, OutcomeRefused, "the statement was damaged on its way, or is none; publish it again"},
	{BadHeader, OutcomeRefused, "sign with alg, typ and x5c in the header and nothing else"},
	{WrongType, OutcomeRefused, "this is another kind of token; a delegation has typ dna+jwt"},
	{UnsupportedAlgorithm, OutcomeRefused, "sign with ES256, ES384, RS256, PS256 or EdDSA"},
	{MalformedCertificate, OutcomeRefused, "put the signer's chain, leaf first and at most five certificates, into the statement"},
	{MalformedBag, OutcomeRefused, "the statement was damaged on its way, or is none; publish it again"},
	{BagContents, OutcomeRefused, "put certificates into the CMS message and nothing else"},
	{BagDuplicate, OutcomeRefused, "put each certificate into the CMS message once"},
	{BagCount, OutcomeRefused, "put exactly one attribute certificate into the CMS message"},
	{MalformedAC, OutcomeRefused, "make the attribute certificate in strict DER by RFC 5755"},
	{IssuerForm, OutcomeRefused, "name the issuer in v2Form, by one directoryName"},
	{InnerOuterMismatch, OutcomeRefused, "the attribute certificate was altered, or made by faulty software"},
	{BadSerial, OutcomeRefused, "use a positive serial number of 16 octets at most"},
	{BadACTime, OutcomeRefused, "write times in UTC and whole seconds, as YYYYMMDDHHMMSSZ"},
	{DuplicateAttribute, OutcomeRefused, "write each attribute type once"},
	{DuplicateExtension, OutcomeRefused, "write each extension once"},
	{CriticalExtension, OutcomeRefused, "leave out critical extensions"},
	{BadRevocation, OutcomeRefused, "write noRevAvail and no pointer to revocation information"},
	{MalformedAttribute, OutcomeRefused, "write the one attribute of the specification, in strict DER"},
	{AttributeVersion, OutcomeRefused, "use a verifier that knows this version"},
	{MalformedClaims, OutcomeRefused, "sign exactly the claims of the specification"},
	{BadName, OutcomeRefused, "sign names in ASCII, lower-case, without a trailing dot"},
	{BadTargets, OutcomeRefused, "sign 0 to 16 distinct targets with ports from 1 to 65535"},
	{BadLifetime, OutcomeRefused, "sign with an end that is after the beginning"},
	{HolderMismatch, OutcomeRefused, "write the targets' hosts as the holder, each once, in order"},
	{SignerHashMismatch, OutcomeRefused, "carry the very certificate the statement was signed with"},
	{SourceMismatch, OutcomeRefused, "this statement belongs to another domain; find the one for the domain you ask about"},
	{ParentSource, OutcomeRefused, "a delegation covers exactly one domain; the owner must sign one for this domain"},
	{ServiceMismatch, OutcomeRefused, "this statement is for another service; the owner must sign one for this service"},
	{NotYetValid, OutcomeRefused, "compare the clocks of signer and verifier"},
	{Expired, OutcomeRefused, "the owner must sign and publish a new one: dnasign sign"},
	{LifeTooLong, OutcomeRefused, "the owner must sign for a shorter time: dnasign sign --valid 336h"},
	{UnsupportedKey, OutcomeRefused, "sign with RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519"},
	{ChainNotLinear, OutcomeRefused, "give the chain leaf first, each certificate followed by its issuer, none twice"},
	{SignerVersion, OutcomeRefused, "sign with an X.509 version 3 certificate"},
	{SignerIsCA, OutcomeRefused, "sign with the domain's server certificate, not with a certification authority"},
	{SignerWildcard, OutcomeRefused, "a wildcard is not enough: get a certificate that names the domain itself"},
	{SignerCommonNameOnly, OutcomeRefused, "the common name does not count: get a certificate with the domain as DNS name (subjectAltName)"},
	{SignerNameMismatch, OutcomeRefused, "sign with a certificate that has the domain as DNS name (subjectAltName)"},
	{SignerKeyUsage, OutcomeRefused, "sign with a certificate whose keyUsage has digitalSignature"},
	{SignerExtKeyUsage, OutcomeRefused, "sign with a certificate for TLS servers (extKeyUsage serverAuth)"},
	{SignerNotYetValid, OutcomeRefused, "wait until the certificate is valid, or look at the clock"},
	{SignerExpired, OutcomeRefused, "renew the certificate and sign again"},
	{IssuedBeforeSigner, OutcomeRefused, "sign again: a statement cannot be older than its certificate"},
	{Superseded, OutcomeRefused, "somebody shows an old statement; the newest one counts"},
	{Conflict, OutcomeRefused, "the owner must publish one statement that agrees with its secure SRV records"},
	{AlgorithmMismatch, OutcomeRefused, "sign with the algorithm that belongs to the certificate's key"},
	{IssuerNameMismatch, OutcomeRefused, "write the subject of the signer's certificate as the issuer, octet for octet"},
	{BadSignature, OutcomeRefused, "the statement was altered, or signed with another key"},
	{UntrustedSigner, OutcomeRefused, "is the chain complete, and its trust anchor among yours? others are given with --roots"},
	{SignerRejected, OutcomeRefused, "your own policy refuses this certificate"},
	{Revoked, OutcomeRefused, "the owner delegates to nobody; only the domain's own certificate counts"},
	{ServiceNotAvailable, OutcomeRefused, "the domain says that it does not have this service"},
	{PortMismatch, OutcomeRefused, "the host is delegated to on another port; the owner must sign this one or mend the SRV record"},
	{TargetMismatch, OutcomeRefused, "do not connect there: the owner did not delegate to it"},
	{NotSecure, OutcomeRefused, "sign the zone, and name a validating resolver with --validating-resolver"},
	{NotUsed, OutcomeRefused, "nothing: secure SRV records come first"},
	{ConnectFailed, OutcomeUndetermined, "is the target up, and its port open? try again later"},
	{ConnectTimeout, OutcomeUndetermined, "the target is slow or silent; try again later"},
	{STARTTLSMissing, OutcomeRefused, "somebody on the path may have removed the offer; never go on in plain text"},
	{STARTTLSFailed, OutcomeRefused, "the target must speak the protocol of the service, host this domain and have a certificate set up"},
	{STARTTLSInjection, OutcomeRefused, "somebody on the path adds plain text, or the server is faulty; do not go on"},
	{TLSFailed, OutcomeRefused, "the target must speak TLS 1.2 or later on this port"},
	{PeerUntrusted, OutcomeRefused, "the provider must show a certificate that leads to a trust anchor of yours"},
	{PeerNameMismatch, OutcomeRefused, "the provider must show a certificate for the name it was delegated to"},
	{ProofExpired, OutcomeRefused, "verify again"},
	{PeerKeyMismatch, OutcomeRefused, "the provider changed its key; the owner must sign its new pin"},
	{Verified, OutcomeVerified, ""},
	{Overloaded, OutcomeUndetermined, "try again later; the limits are options of dnaverify serve, and its metrics show who uses them up"},
	{MemoryFailed, OutcomeUndetermined, "look at the memory of statements (--store): its disk, permissions, or server; the log of dnaverify serve says what failed"},
	{BadTSIGKey, OutcomeRefused, "give a key file as tsig-keygen or keymgr -t writes it, for hmac-sha256, hmac-sha384 or hmac-sha512"},
	{TSIGRejected, OutcomeRefused, "compare name, algorithm and secret of the key with those of the server, and which zones it may update"},
	{ClockMismatch, OutcomeRefused, "set the clock of this machine, or the server's, from the network (NTP)"},
	{UpdateRefused, OutcomeRefused, "let the key update this name at the server; name the zone's primary with --server"},
	{UpdateTooLarge, OutcomeRefused, "remove old records by hand, or sign with a shorter chain or fewer targets"},
	{UpdateFailed, OutcomeUndetermined, "is the server up and reachable over TCP? try again; the old statement or the new one is there, never none"},
	{UpdateRaced, OutcomeUndetermined, "try again; is another program writing these records all the time?"},
	{NotEverywhere, OutcomeUndetermined, "look at the servers named: do they get the zone from the primary? nothing needs to be undone"},
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

// ofLookup reports whether r is why a look-up failed: an undetermined reason
// that comes before those about a statement.
func (r Reason) ofLookup() bool {
	return r.Outcome() == OutcomeUndetermined && reasonRank[r] <= reasonRank[AddressNotAllowed]
}

// Hint is one sentence about what a person can do, empty for [Verified].
func (r Reason) Hint() string {
	if i, ok := reasonRank[r]; ok {
		return reasonTable[i].hint
	}
	return ""
}
