package delegation

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/dnasign/dnasign/keys"
)

// A PeerPolicy is what a program believes about the certificates of peers.
type PeerPolicy struct {
	// Roots are the trust anchors for peers. Required: nil refuses everything.
	Roots *x509.CertPool
	// Now is the clock. Required, since a connection is checked later than the
	// statement was: a nil Now refuses everything. Usually time.Now.
	Now func() time.Time
}

// ConnectionCheck returns a function for [tls.Config.VerifyConnection] that
// accepts the peer only if, at the moment of the connection,
//
//   - the peer's certificate leads to a trust anchor and is good for server
//     authentication,
//   - target is one of [Result.Dial],
//   - the certificate names target.Host as a DNS name (RFC 9525, wildcards as it
//     allows them, the common name never),
//   - the proof has not ended, and
//   - its key is one of the statement's pins, if the target has any.
//
// This is the second of the two proofs: the result proves that the source
// delegates to target.Host, the connection that the peer is target.Host.
//
// The function does all of this by itself, so it is safe with
// InsecureSkipVerify and with [tls.RequireAnyClientCert]. Go calls
// VerifyConnection on resumed sessions too, which VerifyPeerCertificate is
// not; set SessionTicketsDisabled all the same. A refusal is an *[Error].
func (r *Result) ConnectionCheck(target Endpoint, p PeerPolicy) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error { return r.checkPeer(target, p, cs.PeerCertificates) }
}

func (r *Result) checkPeer(target Endpoint, p PeerPolicy, peer []*x509.Certificate) error {
	var references []Reference
	for _, t := range r.dial {
		if t.Endpoint == target {
			references = append(references, Reference{Name: t.Host, SPKI: t.SPKI, Until: r.validUntil})
		}
	}
	_, _, err := p.Check(peer, references)
	if len(references) == 0 && ReasonOf(err) == PeerNameMismatch {
		return notListed(r.dial, target)
	}
	return err
}

// A Reference is a name that a peer's certificate may carry, a reference
// identifier of RFC 9525, Section 6.1, and what bounds it.
type Reference struct {
	Name string `json:"name"`
	// SPKI, if any, are the keys that the peer may have.
	SPKI []Pin `json:"-"`
	// Until is when the name stops to count, exclusive; zero means that only
	// the end of the peer's certificates bounds it.
	Until time.Time `json:"until,omitzero"`
}

// Check holds a peer's certificate chain, leaf first, to the references, in
// this order: the chain leads to a trust anchor and is good for server
// authentication ([PeerUntrusted]), the certificate carries the name, as a DNS
// name by RFC 9525 ([PeerNameMismatch]), the name still counts
// ([ProofExpired]), the key is one of its pins, if it has any
// ([PeerKeyMismatch]).
//
// It returns the index of the first reference for which all of this holds, and
// the end of that: the earlier of Until and of the chain. If there is none, the
// error, an *[Error], is that of the reference that got furthest.
func (p PeerPolicy) Check(chain []*x509.Certificate, references []Reference) (holds int, until time.Time, err error) {
	end, now, refused := p.trust(chain)
	if refused != nil {
		return -1, until, refused
	}
	names := make([]string, len(references))
	for i, r := range references {
		names[i] = r.Name
	}
	furthest := refuse(PeerNameMismatch, "the certificate names %.300q and none of %.300q", chain[0].DNSNames, names)
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
		case reasonRank[e.Reason] > reasonRank[furthest.Reason]:
			furthest = e
		}
	}
	return -1, until, furthest
}

// check is what is left once the certificate is known to carry the name.
func (r Reference) check(leaf *x509.Certificate, now time.Time) *Error {
	if !r.Until.IsZero() && !now.Before(r.Until) {
		return refuse(ProofExpired, "the proof for %s ended at %s", r.Name, stamp(r.Until))
	}
	if len(r.SPKI) > 0 && !slices.Contains(r.SPKI, Pin(sha256.Sum256(leaf.RawSubjectPublicKeyInfo))) {
		return refuse(PeerKeyMismatch, "the key of %s is none of the %d pinned", r.Name, len(r.SPKI))
	}
	return nil
}

// trust lets crypto/x509 judge whether a peer's chain leads to a trust anchor
// for server authentication (RFC 5280, Section 6), now. It returns the first
// moment at which the chain is no longer valid, and the moment it was judged
// for, in whole seconds.
func (p PeerPolicy) trust(chain []*x509.Certificate) (end, now time.Time, err *Error) {
	if p.Roots == nil || p.Now == nil {
		return end, now, refuse(MissingInput, "the peer policy has no trust anchors (Roots) or no clock (Now)")
	}
	if now = wholeSecond(p.Now()); now.IsZero() {
		return end, now, refuse(MissingInput, "the peer policy's clock gives no time")
	}
	if err := checkPeerCost(chain); err != nil {
		return end, now, err
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	verified, failure := chain[0].Verify(x509.VerifyOptions{
		Roots: p.Roots, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if failure != nil {
		return end, now, refuse(PeerUntrusted, "%v", failure)
	}
	for _, c := range verified {
		if e := chainEnd(c); e.After(end) {
			end = e
		}
	}
	return end, now, nil
}

// checkPeerCost bounds what judging a peer's chain can take, before it is
// judged. Other than that of a statement it need not be linear: servers send
// cross-signed and superfluous certificates.
func checkPeerCost(chain []*x509.Certificate) *Error {
	if len(chain) == 0 {
		return refuse(PeerUntrusted, "the peer showed no certificate")
	}
	if len(chain) > MaxPeerCertificates {
		return refuse(PeerUntrusted, "the peer showed %d certificates, at most %d", len(chain), MaxPeerCertificates)
	}
	for i, c := range chain {
		if err := keys.CheckSize(c.PublicKey); err != nil {
			return refuse(UnsupportedKey, "certificate %d of the peer: %v", i+1, err)
		}
	}
	if pathChecks(chain) > MaxPeerChecks {
		return refuse(PeerUntrusted, "by their names, the peer's certificates can ask for more than %d signature checks", MaxPeerChecks)
	}
	return nil
}

// pathChecks counts the steps that a search for paths from the leaf can take
// through the other certificates, by their names alone, with the weight of the
// key that a signature would be checked with; it stops above MaxPeerChecks.
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
