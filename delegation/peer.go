package delegation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// A PeerPolicy is what a program believes about the certificates of peers.
type PeerPolicy struct {
	// Roots are the trust anchors for peers. Required: nil refuses everything.
	Roots *x509.CertPool
	// Cache, if not nil, saves work and changes no answer. It must have been made
	// for Roots.
	Cache *Cache
	// Now is the clock. Required, since a connection is checked later than the
	// statement was: a nil Now refuses everything. Usually time.Now.
	Now func() time.Time
	// Floor gives what is known of a source and role at this moment. Names that
	// a statement below it proved are accepted no longer, see
	// association.Association.Accept. Nil says that nothing is remembered.
	Floor func(source, service string) Floor
}

// CheckFloor compares a decision's statement, given as its floor, with what is
// now known of its source and role. It uses [Floor.CheckProof]. The error is an
// *[Error], [reasons.Superseded] or [reasons.Conflict].
func (p PeerPolicy) CheckFloor(source, service string, f Floor) error {
	if p.Floor == nil || f.IsZero() {
		return nil
	}
	return f.CheckProof(p.Floor(source, service))
}

// A Reference is a name that a peer's certificate may carry (a reference
// identifier of RFC 9525, Section 6.1), with its limits.
type Reference struct {
	Name string `json:"name"`
	// SPKI, if any, are the keys that the peer may have.
	SPKI []Pin `json:"-"`
	// Until is when the name is no longer accepted, exclusive. Zero means that
	// only the end of the peer's certificates bounds it.
	Until time.Time `json:"until,omitzero"`
}

// Check checks a peer's certificate chain, leaf first, against the references,
// in this order. The chain leads to a trust anchor and is good for server
// authentication ([reasons.PeerUntrusted]). The certificate carries the name as
// a DNS name by RFC 9525 ([reasons.PeerNameMismatch]). The name has not ended
// ([reasons.ProofExpired]). The key is one of the name's pins, if it has any
// ([reasons.PeerKeyMismatch]).
//
// It returns the index of the first reference for which all of this is true,
// and when that ends: the earlier of Until and the end of the chain. If there
// is none, the error, an *[Error], is that of the reference that got furthest.
func (p PeerPolicy) Check(chain []*x509.Certificate, references []Reference) (holds int, until time.Time, err error) {
	end, now, refused := p.trust(chain)
	if refused != nil {
		return -1, until, refused
	}
	var furthest *Error
	for i, r := range references {
		if chain[0].VerifyHostname(r.Name) != nil {
			continue
		}
		e := r.check(chain[0], now)
		switch {
		case e == nil && !r.Until.IsZero() && r.Until.Before(end):
			return i, r.Until.UTC(), nil
		case e == nil:
			return i, end.UTC(), nil
		case furthest == nil || e.Reason.Further(furthest.Reason):
			furthest = e
		}
	}
	if furthest == nil {
		names := make([]string, len(references))
		for i, r := range references {
			names[i] = r.Name
		}
		furthest = Errorf(reasons.PeerNameMismatch, "the certificate names %.300q and none of %.300q", chain[0].DNSNames, names)
	}
	return -1, until, furthest
}

// check is what is left once the certificate is known to carry the name.
func (r Reference) check(leaf *x509.Certificate, now time.Time) *Error {
	if !r.Until.IsZero() && !now.Before(r.Until) {
		return Errorf(reasons.ProofExpired, "the proof for %s ended at %s", r.Name, text.FineStamp(r.Until))
	}
	if len(r.SPKI) > 0 && !slices.Contains(r.SPKI, Pin(sha256.Sum256(leaf.RawSubjectPublicKeyInfo))) {
		return Errorf(reasons.PeerKeyMismatch, "the key of %s is not one of the %d pinned", r.Name, len(r.SPKI))
	}
	return nil
}

// trust checks that a peer's chain leads to a trust anchor for server
// authentication, now. It returns the first moment at which the chain is no
// longer valid, and the moment it was judged for, in whole seconds.
func (p PeerPolicy) trust(chain []*x509.Certificate) (end, now time.Time, err *Error) {
	if p.Roots == nil || p.Now == nil {
		return end, now, Errorf(reasons.MissingInput, "the peer policy has no trust anchors (Roots) or no clock (Now)")
	}
	if !p.Cache.serves(p.Roots) {
		return end, now, Errorf(reasons.MissingInput, "the peer policy's cache (Cache) was made for other trust anchors than Roots")
	}
	if now = wholeSecond(p.Now()); now.IsZero() {
		return end, now, Errorf(reasons.MissingInput, "the peer policy's clock gives no time")
	}
	if err := checkPeerCost(chain); err != nil {
		return end, now, err
	}
	best, failure := longestPath(forPeer, chain, p.Roots, p.Cache, now)
	if failure != nil {
		return end, now, Errorf(reasons.PeerUntrusted, "%v", failure)
	}
	return best.end, now, nil
}

// checkPeerCost bounds what judging a peer's chain can take, before it is
// judged. Other than that of a statement it need not be linear: servers send
// cross-signed and superfluous certificates.
func checkPeerCost(chain []*x509.Certificate) *Error {
	if len(chain) == 0 {
		return Errorf(reasons.PeerUntrusted, "the peer showed no certificate")
	}
	if len(chain) > MaxPeerCertificates {
		return Errorf(reasons.PeerUntrusted, "the peer showed %d certificates, at most %d", len(chain), MaxPeerCertificates)
	}
	for i, c := range chain {
		if err := keys.CheckSize(c.PublicKey); err != nil {
			return Errorf(reasons.UnsupportedKey, "certificate %d of the peer: %v", i+1, err)
		}
	}
	if pathChecks(chain) > MaxPeerChecks {
		return Errorf(reasons.PeerUntrusted, "by their names, the peer's certificates can ask for more than %d signature checks", MaxPeerChecks)
	}
	return nil
}

// pathChecks counts the steps that a search for paths from the leaf can take
// through the other certificates, by their names alone. Each step has the
// weight of the key that would check the signature. It stops above
// MaxPeerChecks.
func pathChecks(chain []*x509.Certificate) int {
	checks := 0
	var walk func(path []*x509.Certificate)
	walk = func(path []*x509.Certificate) {
		for i, c := range chain {
			if checks > MaxPeerChecks {
				return
			}
			same := func(other *x509.Certificate) bool { return other.Equal(c) }
			if bytes.Equal(path[len(path)-1].RawIssuer, c.RawSubject) && !slices.ContainsFunc(chain[:i], same) && !slices.ContainsFunc(path, same) {
				checks += weight(c)
				walk(append(slices.Clone(path), c))
			}
		}
	}
	walk(chain[:1])
	return checks
}
