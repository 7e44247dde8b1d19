package association

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// An Acceptance says that a peer counts as the source, by which name and
// method, and until when.
type Acceptance struct {
	Source    string    `json:"source"`
	Direction Direction `json:"direction"`
	Reference Reference `json:"reference"`
	// Until is the earliest end of the proof and of the peer's chain.
	Until time.Time `json:"until"`
}

// Accept holds a peer's certificate chain, leaf first, to the association: it
// must lead to one of the peer policy's trust anchors for server
// authentication, in both directions (public authorities no longer issue
// clientAuth), and name one of the references, in their order. For Outgoing,
// at is the endpoint that was dialled, and a name that was proven for another
// one does not count; for Incoming it is zero.
//
// The error is a *delegation.Error: [delegation.PeerUntrusted],
// [delegation.PeerNameMismatch], [delegation.PeerKeyMismatch] or
// [delegation.ProofExpired]. Call it for every connection, resumed ones
// included.
func (a *Association) Accept(at delegation.Endpoint, p delegation.PeerPolicy, chain []*x509.Certificate) (*Acceptance, error) {
	if (at == delegation.Endpoint{}) != (a.question.Direction == Incoming) {
		return nil, refuse(delegation.MissingInput, "an outgoing connection has an endpoint, an incoming one has none")
	}
	end, now, err := p.Trust(chain)
	if err != nil {
		return nil, err
	}
	// The refusal that got furthest is the one to tell of.
	refused := refuse(delegation.PeerNameMismatch, "the certificate names %q and none of %q", chain[0].DNSNames, a.names(at))
	for _, r := range a.References() {
		if r.Endpoint != (delegation.Endpoint{}) && r.Endpoint != at || chain[0].VerifyHostname(r.Name) != nil {
			continue
		}
		if !r.Until.IsZero() && !now.Before(r.Until) {
			refused = refuse(delegation.ProofExpired, "the proof for %s by %s ended at %s", r.Name, r.Method, r.Until.Format(time.RFC3339))
			continue
		}
		if len(r.SPKI) > 0 && !slices.Contains(r.SPKI, delegation.Pin(sha256.Sum256(chain[0].RawSubjectPublicKeyInfo))) {
			refused = refuse(delegation.PeerKeyMismatch, "the key of %s is none of the %d pinned", r.Name, len(r.SPKI))
			continue
		}
		until := end
		if !r.Until.IsZero() && r.Until.Before(until) {
			until = r.Until
		}
		return &Acceptance{Source: a.question.Source, Direction: a.question.Direction, Reference: r, Until: until.UTC()}, nil
	}
	return nil, refused
}

// names are those that count at an endpoint, for a message.
func (a *Association) names(at delegation.Endpoint) []string {
	var names []string
	for _, r := range a.References() {
		if (r.Endpoint == delegation.Endpoint{} || r.Endpoint == at) && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// ConnectionCheck is [Association.Accept] as a function for
// [tls.Config.VerifyConnection]. It does the whole check of the peer's
// certificate, so it is safe with InsecureSkipVerify and with
// [tls.RequireAnyClientCert].
func (a *Association) ConnectionCheck(at delegation.Endpoint, p delegation.PeerPolicy) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error {
		_, err := a.Accept(at, p, cs.PeerCertificates)
		return err
	}
}
