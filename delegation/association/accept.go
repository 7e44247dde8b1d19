package association

import (
	"cmp"
	"crypto/x509"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
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

// Accept checks a peer's certificate chain, leaf first, against the
// association. The chain must lead to one of the peer policy's trust anchors
// for server authentication. This holds in both directions, because public
// authorities no longer issue clientAuth. The certificate must carry one of the
// references, which Accept tries in their order. For Outgoing, at is the
// endpoint that was dialled, and a name that was proven for another endpoint is
// not accepted. For Incoming, at must be zero.
//
// The error is a *delegation.Error with one of these reasons:
// [reasons.PeerUntrusted], [reasons.PeerNameMismatch], [reasons.ProofExpired]
// or [reasons.PeerKeyMismatch]. It is [reasons.TargetMismatch] or
// [reasons.PortMismatch] if at is not a proven endpoint. Call it for every
// connection, resumed ones included.
//
// A statement below the current floor of the peer policy proves no name. If the
// certificate carries no other name, the error is [reasons.Superseded] or
// [reasons.Conflict]. A connection that exists is not thereby over: decide
// again first.
func (a *Association) Accept(at delegation.Endpoint, p delegation.PeerPolicy, chain []*x509.Certificate) (*Acceptance, error) {
	if err := a.checkPlace(at); err != nil {
		return nil, err
	}
	return a.accept(at, p, chain, func(r Reference) bool { return r.countsAt(at) })
}

func (a *Association) checkPlace(at delegation.Endpoint) error {
	if (at == delegation.Endpoint{}) != (a.question.Direction == Incoming) {
		return delegation.Errorf(reasons.MissingInput, "an outgoing connection has an endpoint, an incoming one has none")
	}
	return nil
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
	references := a.References()
	counting, names := references[:0], make([]delegation.Reference, 0, len(references))
	overtaken := sync.OnceValue(func() error { return p.CheckFloor(a.question.Source, a.question.Service, a.floor) })
	var refused error
	for _, r := range references {
		admitted := admit(r)
		switch {
		case r.Method == Delegation && overtaken() != nil:
			refused = overtaken() // P1g: wherever the name counts
		case !admitted:
		default:
			counting, names = append(counting, r), append(names, r.Reference)
		}
	}
	i, until, err := p.Check(chain, names)
	if err != nil {
		if delegation.ReasonOf(err) != reasons.PeerNameMismatch {
			return nil, err
		}
		if at.Port != 0 {
			refused = cmp.Or(refused, a.elsewhere(at))
		}
		return nil, cmp.Or(refused, err)
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
			err = delegation.Errorf(reasons.PortMismatch, "%s counts, but not on port %d", at.Host, at.Port)
		case err == nil:
			err = delegation.Errorf(reasons.TargetMismatch, "%s is not a proven endpoint", at)
		}
	}
	return err
}
