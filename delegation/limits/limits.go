// Package limits holds the limits of the specification, each with its reason.
// Passing one is a refusal, never a silent cut. docs/reasons.md lists them.
package limits

import "time"

// Of names: RFC 1035, Section 2.3.4, in octets of the textual form without a
// trailing dot.
const (
	MaxNameLength  = 253
	MaxLabelLength = 63
)

// Of statements, and of what is looked at for one query.
const (
	// MaxStatementSize bounds a statement as it is carried, in octets. 16
	// targets and five RSA certificates make about 14 KB in either encoding.
	MaxStatementSize = 32 << 10
	// MaxTargets bounds the targets of a statement. No service in the field
	// has more SRV records than this.
	MaxTargets = 16
	// MaxPins bounds the spki pins of one target: the key in use, the next
	// one, and as much for a second certificate.
	MaxPins = 4
	// MaxTXTRecords bounds the TXT records of version 1 at one name: two
	// encodings, each old and new during a change.
	MaxTXTRecords = 4
	// MaxDocuments bounds the documents in one Evidence: two encodings, and some
	// files.
	MaxDocuments = 8
	// MaxSigners bounds the TLSA records that name signers: the key in use and
	// the next, of several machines.
	MaxSigners = 8
	// MaxPOSH bounds the POSH files in one Evidence: that of the source, and the one
	// it leads to.
	MaxPOSH = 2
	// MaxPOSHURL bounds the URL that a POSH file may lead to.
	MaxPOSHURL = 2048
	// MaxSRVRecords bounds the SRV records at one name: twice what a statement
	// can list.
	MaxSRVRecords = 32
	// MaxFailedChecks bounds the signature checks spent on statements that
	// these checks, or later ones, refuse. Statements from DNS and those in
	// documents each have this many: twice the longest chain. Without it, one
	// question could make a verifier check eighty signatures by keys that a
	// stranger chose. That is thousands of times the work of an honest one. See
	// checksOf.
	MaxFailedChecks = 12
	// MaxFailedStreamChecks is as MaxFailedChecks, for what came in a stream: a
	// statement with the longest chain.
	MaxFailedStreamChecks = 6
	// MaxPeerCertificates bounds the certificates that a peer shows. Real
	// chains have two to four.
	MaxPeerCertificates = 10
	// MaxPeerChecks bounds the signature checks that a peer's certificates can
	// ask for by their names. Real chains need two or three, with
	// cross-signed authorities up to eight.
	MaxPeerChecks = 12
	// MaxTLSARecords bounds the TLSA records of an endpoint. A key in use and the
	// next, each by several hashes and for several certificates, make about eight.
	MaxTLSARecords = 16
)

// Of time.
const (
	// DefaultMaxLife is the longest life of a statement, exp - iat, that a
	// policy accepts unless it says otherwise.
	DefaultMaxLife = 31 * 24 * time.Hour
	// LongestMaxLife is the most that a policy can say.
	LongestMaxLife = 90 * 24 * time.Hour
	// MaxPOSHLife bounds how long a POSH file counts, whatever it says: as long as a
	// statement.
	MaxPOSHLife = DefaultMaxLife
	// ClockSkew is how far iat may lie after the verifier's clock, and so may
	// the issuance and notBefore of the signer's certificate. It is also how
	// far iat may lie before that issuance.
	ClockSkew = 5 * time.Minute
	// DefaultLife is how long a statement is signed for when nobody says, or
	// until its certificate ends, if that is earlier.
	DefaultLife = 14 * 24 * time.Hour
	// MinRefresh and MaxRefresh bound how soon a proof is looked up again,
	// whatever a TTL or max-age says.
	MinRefresh = 5 * time.Minute
	MaxRefresh = 6 * time.Hour
	// KeepFloor is how long a floor is remembered after the last verification of
	// its statement, or longer; see [delegation.Floor.KeepUntil].
	KeepFloor = 400 * 24 * time.Hour
	// RequiredAfter is how long after the end of a proof nothing weaker than a
	// certificate is accepted; see [delegation.Floor.Required].
	RequiredAfter = 31 * 24 * time.Hour
)
