package delegation

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
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

// SignerRecord is the record that names the key of a certificate.
func SignerRecord(leaf *x509.Certificate) TLSARecord {
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return TLSARecord{usageDANEEE, selectorSPKI, matchingSHA256, sum[:]}
}

// Keys are the digests of the SubjectPublicKeyInfos that the records name. Whether
// the answer counts is another question.
func (a TLSAAnswer) Keys() (list []Pin) {
	for _, r := range a.Records {
		if r.namesSigner() {
			list = append(list, Pin(r.Data))
		}
	}
	return list
}

// nameKeys reads the answer about signers. It is looked at only if DNSSEC secures
// an SRV or TXT answer. If it is not known who may sign, it says false.
func (v *verification) nameKeys() bool {
	e, p := v.evidence, v.policy
	if len(e.Signers) == 0 {
		return true
	}
	a := e.Signers[0]
	if !e.isSigned(p) {
		v.log.info("signers", a.Name, "not looked at: DNSSEC secures no SRV or TXT answer")
		return true
	}
	if err := e.unknownKeys(a, p); err != nil {
		v.lookupFailed("signers", a.Name, err)
		return false
	}
	if why := e.noKeys(a, p); why != "" {
		v.log.info("signers", a.Name, "no key is named: %s", why)
		return true
	}
	v.named.spki = a.Keys()
	if !v.named.any() {
		v.log.info("signers", a.Name, "no key is named: records: %d, and none is a 3 1 1", len(a.Records))
		return true
	}
	v.named.until = e.ProvenUntil(a.TTL, p.Time)
	v.log.ok("signers", a.Name, "keys named: %d, TTL %d s; no other may sign", len(v.named.spki), a.TTL)
	return true
}

// isSigned reports whether DNSSEC secures an SRV or TXT answer.
func (e *Evidence) isSigned(p *Policy) bool {
	return slices.ContainsFunc(e.SRV, func(a SRVAnswer) bool { return e.secures(a.Answer, p) }) ||
		slices.ContainsFunc(e.TXT, func(a TXTAnswer) bool { return e.secures(a.Answer, p) })
}

// unknownKeys says why nobody can know which keys are named (K2b).
func (e *Evidence) unknownKeys(a TLSAAnswer, p *Policy) *Error {
	switch {
	case a.Failure != nil:
		return a.Failure.error()
	case a.DNSSEC == Bogus:
		return Errorf(reasons.DNSBogus, "DNSSEC validation failed")
	case len(a.Records) > limits.MaxSigners && e.noKeys(a, p) == "":
		return Errorf(reasons.TooManyRecords, "%d records, at most %d", len(a.Records), limits.MaxSigners)
	}
	return nil
}

// noKeys says why an answer names no key, or "" (K2a). A wildcard or an alias can
// be there for other reasons, and somebody else may control where an alias leads.
func (e *Evidence) noKeys(a TLSAAnswer, p *Policy) string {
	switch {
	case !e.secures(a.Answer, p):
		return "DNSSEC does not secure the answer"
	case a.Alias:
		return "the name is an alias"
	case a.Wildcard:
		return "a wildcard made the records"
	case len(a.Records) == 0:
		return "there is no TLSA record"
	}
	return ""
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
		return Errorf(reasons.SignerNotNamed, "the zone names the keys that may sign, and the key of the signer's certificate (%.100s) is not among them", keys.Name(leaf))
	}
	if !at.Before(n.until) {
		return Errorf(reasons.ProofExpired, "the zone named the key, and the TTL of that passed at %s", text.FineStamp(n.until))
	}
	return nil
}
