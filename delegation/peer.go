package delegation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
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
	// Endpoints are what DNS says of endpoints, for DANE: see
	// association.Association.Accept. They are believed as they stand. Without the
	// answer about an endpoint, TLSA records have no say there.
	Endpoints []EndpointAnswer
}

// Required reports whether what is known of a source and role at this moment keeps
// everything weaker than a certificate from counting: see [Floor.Required].
func (p PeerPolicy) Required(source, service string) bool {
	return p.Floor != nil && p.Now != nil && p.Floor(source, service).Required(p.Now())
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
	// DANE, if not nil, holds the peer to TLSA records. They take the place of the
	// trust anchors and of the name, as far as their usages say.
	DANE *DANE `json:"-"`
	// POSH, if not nil, holds the peer to a POSH file, in place of the trust anchors
	// and of the name.
	POSH *POSH `json:"-"`
}

// A PeerMatch says by which reference a peer is accepted.
type PeerMatch struct {
	Index int // of the reference
	// Until is the earliest end of what it rests on, exclusive: of the reference,
	// of its TLSA records, and of the chain where one is needed.
	Until time.Time
	// TLSA is the record that the peer matches, nil without DANE.
	TLSA *TLSARecord
}

// Check checks a peer's certificate chain, leaf first, against the references,
// in this order. The chain leads to a trust anchor and is good for server
// authentication ([reasons.PeerUntrusted]). The certificate carries the name as
// a DNS name by RFC 9525 ([reasons.PeerNameMismatch]). The name has not ended
// ([reasons.ProofExpired]). The key is one of the name's pins, if it has any
// ([reasons.PeerKeyMismatch]). If the reference has TLSA records, the peer must
// match one of them instead of the first two ([reasons.DANEMismatch]).
//
// It returns the first reference for which all of this is true. If there is
// none, the error, an *[Error], is that of the reference that got furthest.
func (p PeerPolicy) Check(chain []*x509.Certificate, references []Reference) (*PeerMatch, error) {
	s, refused := p.look(chain, references)
	if refused != nil {
		return nil, refused
	}
	if len(references) == 0 {
		if _, err := s.pkix(); err != nil {
			return nil, err
		}
	}
	var furthest *Error
	for i, r := range references {
		match, e := s.satisfies(r)
		switch {
		case match != nil:
			match.Index = i
			return match, nil
		case e != nil && (furthest == nil || e.Reason.Further(furthest.Reason)):
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
	return nil, furthest
}

// A presented is a chain that a peer showed, within the bounds of checkPeerCost, and
// the moment it is judged for, in whole seconds. Paths are looked for once, when
// they are needed.
type presented struct {
	chain    []*x509.Certificate
	now      time.Time
	pkix     func() (path, *Error) // the longest to a trust anchor
	trusted  func() []path         // all to a trust anchor
	anchored func() []path         // all to what TLSA records name
	selected map[selection][]byte
}

// look begins to judge a chain.
func (p PeerPolicy) look(chain []*x509.Certificate, references []Reference) (*presented, *Error) {
	if p.Roots == nil || p.Now == nil {
		return nil, Errorf(reasons.MissingInput, "the peer policy has no trust anchors (Roots) or no clock (Now)")
	}
	if !p.Cache.serves(p.Roots) {
		return nil, Errorf(reasons.MissingInput, "the peer policy's cache (Cache) was made for other trust anchors than Roots")
	}
	now := wholeSecond(p.Now())
	if now.IsZero() {
		return nil, Errorf(reasons.MissingInput, "the peer policy's clock gives no time")
	}
	if err := checkPeerCost(chain); err != nil {
		return nil, err
	}
	s := &presented{chain: chain, now: now, selected: map[selection][]byte{}}
	s.pkix = sync.OnceValues(func() (path, *Error) {
		best, failure := longestPath(forPeer, p.Cache.pathKey(chain), chain, p.Roots, p.Cache, now)
		if failure != nil {
			return path{}, Errorf(reasons.PeerUntrusted, "%v", failure)
		}
		return best, nil
	})
	s.trusted = sync.OnceValue(func() []path {
		paths, _, _ := goodPaths(forPeer, chain, p.Roots, now) // pkix says why there is none
		return paths
	})
	s.anchored = sync.OnceValue(func() []path { return s.pathsBelow(references) })
	return s, nil
}

// satisfies checks the peer against one reference. It returns neither a match nor an
// error where the certificate does not carry the name.
func (s *presented) satisfies(r Reference) (*PeerMatch, *Error) {
	match := &PeerMatch{}
	switch {
	case r.POSH != nil:
		if !r.POSH.names(s.chain[0]) {
			return nil, nil
		}
		end, err := r.POSH.check(s.chain[0], s.now)
		if err != nil {
			return nil, err
		}
		match.Until = end
	case r.DANE != nil:
		record, end, err := s.dane(r)
		if err != nil {
			return nil, err
		}
		match.Until, match.TLSA = end, &record
	default:
		best, err := s.pkix()
		if err != nil {
			return nil, err
		}
		if !s.carries(r.Name) {
			return nil, nil
		}
		match.Until = best.end.UTC()
	}
	if err := r.check(s.chain[0], s.now); err != nil {
		return nil, err
	}
	if !r.Until.IsZero() && r.Until.Before(match.Until) {
		match.Until = r.Until.UTC()
	}
	return match, nil
}

// carries reports whether the peer's certificate names a host (RFC 9525).
func (s *presented) carries(name string) bool { return s.chain[0].VerifyHostname(name) == nil }

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

// checkPeerCost bounds what judging a peer's chain can take, before it is
// judged. Other than that of a statement it need not be linear: servers send
// cross-signed and superfluous certificates.
func checkPeerCost(chain []*x509.Certificate) *Error {
	if len(chain) == 0 {
		return Errorf(reasons.PeerUntrusted, "the peer showed no certificate")
	}
	if len(chain) > limits.MaxPeerCertificates {
		return Errorf(reasons.PeerUntrusted, "the peer showed %d certificates, at most %d", len(chain), limits.MaxPeerCertificates)
	}
	for i, c := range chain {
		if err := keys.CheckSize(c.PublicKey); err != nil {
			return Errorf(reasons.UnsupportedKey, "certificate %d of the peer: %v", i+1, err)
		}
	}
	if pathChecks(chain) > limits.MaxPeerChecks {
		return Errorf(reasons.PeerUntrusted, "by their names, the peer's certificates can ask for more than %d signature checks", limits.MaxPeerChecks)
	}
	return nil
}

// pathChecks counts the steps that a search for paths from the leaf can take
// through the other certificates, by their names alone. Each step has the
// weight of the key that would check the signature. It stops above
// limits.MaxPeerChecks.
func pathChecks(chain []*x509.Certificate) int {
	checks := 0
	var walk func(path []*x509.Certificate)
	walk = func(path []*x509.Certificate) {
		for i, c := range chain {
			if checks > limits.MaxPeerChecks {
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
