package delegation

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"
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
//   - the proof has not ended,
//   - target is one of [Result.Dial],
//   - the peer's certificate leads to a trust anchor, is good for server
//     authentication and names target.Host as a DNS name (RFC 9525, wildcards
//     as it allows them, the common name never), and
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
	_, now, err := p.Trust(peer)
	if err != nil {
		return err
	}
	if !now.Before(r.validUntil) {
		return refuse(ProofExpired, "the proof ended at %s", stamp(r.validUntil))
	}
	i := slices.IndexFunc(r.dial, func(t Target) bool { return t.Endpoint == target })
	if i < 0 {
		return notListed(r.dial, target)
	}
	if err := peer[0].VerifyHostname(target.Host); err != nil {
		return refuse(PeerNameMismatch, "%v", err)
	}
	pins := r.dial[i].SPKI
	if len(pins) > 0 && !slices.Contains(pins, Pin(sha256.Sum256(peer[0].RawSubjectPublicKeyInfo))) {
		return refuse(PeerKeyMismatch, "the key of %s is none of the %d pinned", target.Host, len(pins))
	}
	return nil
}

// Trust lets crypto/x509 judge whether a peer's chain, leaf first, leads to a
// trust anchor for server authentication (RFC 5280, Section 6), now. It returns
// the first moment at which the chain is no longer valid, and the moment it was
// judged for, in whole seconds. It looks at no name. The error is an *[Error].
func (p PeerPolicy) Trust(chain []*x509.Certificate) (end, now time.Time, err error) {
	if p.Roots == nil || p.Now == nil {
		return end, now, refuse(MissingInput, "the peer policy has no trust anchors (Roots) or no clock (Now)")
	}
	if now = wholeSecond(p.Now()); now.IsZero() {
		return end, now, refuse(MissingInput, "the peer policy's clock gives no time")
	}
	if len(chain) == 0 {
		return end, now, refuse(PeerUntrusted, "the peer showed no certificate")
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	verified, verr := chain[0].Verify(x509.VerifyOptions{
		Roots: p.Roots, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if verr != nil {
		return end, now, refuse(PeerUntrusted, "%v", verr)
	}
	for _, c := range verified {
		if e := chainEnd(c); e.After(end) {
			end = e
		}
	}
	return end, now, nil
}
