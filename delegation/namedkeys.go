package delegation

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// namedKeys is what DNSSEC says of the keys that may sign: docs/signers.md. The
// zero value says nothing, and then a signer needs a chain to a trust anchor.
// Otherwise no other key may sign, whatever its chain.
type namedKeys struct {
	spki  []Pin
	until time.Time // exclusive
}

// The numbers of RFC 7218 that name the key of a signer.
const (
	usageDANEEE    = 3
	selectorSPKI   = 1
	matchingSHA256 = 1
)

// namesSigner reports whether a record can name the key of a signer.
func (r TLSARecord) namesSigner() bool {
	return r.Usage == usageDANEEE && r.Selector == selectorSPKI && r.Matching == matchingSHA256 && len(r.Data) == sha256.Size
}

// namedKeys reads the answer about signers. It is looked at only if DNSSEC
// secures an answer of the same zone. The failure says why nobody can know who
// may sign.
func (e *Evidence) namedKeys(p *Policy) (named namedKeys, failure *Error) {
	secure := slices.ContainsFunc(e.SRV, func(a SRVAnswer) bool { return e.secures(a.Answer, p) }) ||
		slices.ContainsFunc(e.TXT, func(a TXTAnswer) bool { return e.secures(a.Answer, p) })
	if !secure || len(e.Signers) == 0 {
		return namedKeys{}, nil
	}
	a := e.Signers[0]
	switch {
	case a.Failure != nil:
		return namedKeys{}, a.Failure.error()
	case a.DNSSEC == Bogus:
		return namedKeys{}, Errorf(reasons.DNSBogus, "DNSSEC validation failed")
	case !e.secures(a.Answer, p) || a.Alias || a.Wildcard:
		return namedKeys{}, nil
	case len(a.Records) > maxSigners:
		return namedKeys{}, Errorf(reasons.TooManyRecords, "%d records, at most %d", len(a.Records), maxSigners)
	}
	for _, r := range a.Records {
		if r.namesSigner() {
			named.spki = append(named.spki, Pin(r.Data))
		}
	}
	if len(named.spki) > 0 {
		named.until = e.ProvenUntil(a.TTL, p.Time)
	}
	return named, nil
}

// secures reports whether DNSSEC secures an answer, as far as the policy lets
// that count.
func (e *Evidence) secures(a Answer, p *Policy) bool {
	return a.Failure == nil && e.state(a, p) == Secure
}

// any reports whether keys are named at all.
func (n namedKeys) any() bool { return len(n.spki) > 0 }

// check checks that the signer's key is named, at a time.
func (n namedKeys) check(leaf *x509.Certificate, at time.Time) *Error {
	if !slices.Contains(n.spki, Pin(sha256.Sum256(leaf.RawSubjectPublicKeyInfo))) {
		return Errorf(reasons.SignerNotNamed, "the zone names %d keys that may sign, and the key of the signer's certificate (%.100s) is not among them", len(n.spki), keys.Name(leaf))
	}
	if !at.Before(n.until) {
		return Errorf(reasons.ProofExpired, "the zone named the key, and the TTL of that passed at %s", text.FineStamp(n.until))
	}
	return nil
}
