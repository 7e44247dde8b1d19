package association

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// An Acceptance says that a peer counts as the source, by which name and
// method, and until when.
type Acceptance struct {
	Source    string    `json:"source"`
	Direction Direction `json:"direction"`
	Reference Reference `json:"reference"`
	// Until is the earlier of the ends of the proof and of the peer's chain,
	// exclusive.
	Until time.Time `json:"until"`
}

// Accept holds a peer's certificate chain, leaf first, to the association: it
// must lead to one of the peer policy's trust anchors for server
// authentication, in both directions (public authorities no longer issue
// clientAuth), and carry one of the references; they are tried in their order.
// For Outgoing, at is the endpoint that was dialled, and a name that was proven
// for another one does not count; for Incoming it is zero.
//
// The error is a *delegation.Error: [delegation.PeerUntrusted],
// [delegation.TargetMismatch] or [delegation.PortMismatch] if at is none of the
// endpoints that were proven, [delegation.PeerNameMismatch],
// [delegation.ProofExpired] or [delegation.PeerKeyMismatch]. Call it for every
// connection, resumed ones included.
func (a *Association) Accept(at delegation.Endpoint, p delegation.PeerPolicy, chain []*x509.Certificate) (*Acceptance, error) {
	if (at == delegation.Endpoint{}) != (a.question.Direction == Incoming) {
		return nil, refuse(delegation.MissingInput, "an outgoing connection has an endpoint, an incoming one has none")
	}
	return a.accept(at, p, chain, func(r Reference) bool { return r.countsAt(at) })
}

// AcceptAnywhere is [Association.Accept] for a connection whose endpoint the
// caller cannot tell, because another program dialled and does not say where. A
// name that was proven for any endpoint counts then, as for [Incoming]. The
// error is one of those of Accept but for the mismatches of target and port.
func (a *Association) AcceptAnywhere(p delegation.PeerPolicy, chain []*x509.Certificate) (*Acceptance, error) {
	return a.accept(delegation.Endpoint{}, p, chain, func(Reference) bool { return true })
}

// countsAt reports whether the name counts at the endpoint that was dialled.
func (r Reference) countsAt(at delegation.Endpoint) bool {
	return r.Endpoint == delegation.Endpoint{} || r.Endpoint == at
}

// accept is Accept with only those references that a caller admits.
func (a *Association) accept(at delegation.Endpoint, p delegation.PeerPolicy, chain []*x509.Certificate, admit func(Reference) bool) (*Acceptance, error) {
	var counting []Reference
	var names []delegation.Reference
	for _, r := range a.References() {
		if admit(r) {
			counting, names = append(counting, r), append(names, r.Reference)
		}
	}
	i, until, err := p.Check(chain, names)
	if err != nil {
		if elsewhere := a.elsewhere(at); at.Port != 0 && elsewhere != nil && delegation.ReasonOf(err) == delegation.PeerNameMismatch {
			return nil, elsewhere
		}
		return nil, err
	}
	return &Acceptance{Source: a.question.Source, Direction: a.question.Direction, Reference: counting[i], Until: until}, nil
}

// elsewhere says that names were proven for other endpoints than at, if that is
// so.
func (a *Association) elsewhere(at delegation.Endpoint) error {
	var err error
	for _, r := range a.References() {
		switch {
		case r.Endpoint == delegation.Endpoint{}:
		case r.Endpoint == at:
			return nil
		case r.Endpoint.Host == at.Host:
			err = refuse(delegation.PortMismatch, "%s counts, but not on port %d", at.Host, at.Port)
		case err == nil:
			err = refuse(delegation.TargetMismatch, "%s is none of the endpoints that were proven", at)
		}
	}
	return err
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
