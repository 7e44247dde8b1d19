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
	// Until is the earliest of the ends of the proof, of the peer's chain where one
	// is needed, and of the TLSA records, exclusive.
	Until time.Time `json:"until"`
	// TLSA is the record that the peer matches, nil if none was needed (DANE).
	TLSA *delegation.TLSARecord `json:"tlsa,omitempty"`
}

// Accept checks a peer's certificate chain, leaf first, against the
// association. The chain must lead to one of the peer policy's trust anchors
// for server authentication. This holds in both directions, because public
// authorities no longer issue clientAuth. The certificate must carry one of the
// references, which Accept tries in their order. For Outgoing, at is the
// endpoint that was dialled, and a name that was proven for another endpoint is
// not accepted. For Incoming, at must be zero.
//
// If the peer policy has answers about proven endpoints, TLSA records decide as
// section 9 of docs/connections.md says. For Outgoing they can accept and refuse, for
// Incoming they only accept.
//
// The error is a *delegation.Error with one of these reasons:
// [reasons.PeerUntrusted], [reasons.PeerNameMismatch], [reasons.DANEMismatch],
// [reasons.ProofExpired] or [reasons.PeerKeyMismatch]. If the answers about the
// endpoint do not tell, it is the reason of that lookup. It is [reasons.TargetMismatch] or
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
	return a.accept(at, p, chain, func(Reference) bool { return true })
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

// accept is Accept with only those references that a caller admits. It asks about
// each with the TLSA records that it is held to. Without an endpoint every name
// counts.
func (a *Association) accept(at delegation.Endpoint, p delegation.PeerPolicy, chain []*x509.Certificate, admit func(Reference) bool) (*Acceptance, error) {
	told := at != delegation.Endpoint{}
	overtaken := sync.OnceValue(func() error { return p.CheckFloor(a.question.Source, a.question.Service, a.floor) })
	var counting, left []Reference
	for _, r := range a.References() {
		switch {
		case r.Method == Delegation && overtaken() != nil:
			left = append(left, r) // P1f: wherever the name counts
		case told && !r.countsAt(at):
		case r.Method == POSH && p.Required(a.question.Source, a.question.Service):
		default:
			counting = append(counting, r)
		}
	}
	bound, lost := counting, error(nil)
	if told {
		bound, lost = a.bind(at, p, counting)
	}
	accepted, err := a.check(p, chain, bound, admit)
	switch {
	case err == nil:
		return accepted, nil
	case lost != nil:
		return nil, lost
	case !told:
		accepted, err = a.besides(p, chain, counting, admit, err)
	}
	switch delegation.ReasonOf(err) {
	case reasons.PeerNameMismatch:
		if len(left) > 0 {
			return nil, overtaken()
		}
		if told {
			err = cmp.Or(a.elsewhere(at), err)
		}
	case reasons.PeerUntrusted:
		// With DANE a peer needs no trusted chain, so this is not why.
		if len(a.held(p, left)) > 0 {
			return nil, overtaken()
		}
	}
	return accepted, err
}

// check holds the peer to the references that a caller admits.
func (a *Association) check(p delegation.PeerPolicy, chain []*x509.Certificate, references []Reference, admit func(Reference) bool) (*Acceptance, error) {
	admitted, names := make([]Reference, 0, len(references)), make([]delegation.Reference, 0, len(references))
	for _, r := range references {
		if admit(r) {
			admitted, names = append(admitted, r), append(names, r.Reference)
		}
	}
	match, err := p.Check(chain, names)
	if err != nil {
		return nil, err
	}
	by := admitted[match.Index]
	by.DANE = nil
	return &Acceptance{Source: a.question.Source, Direction: a.question.Direction, Reference: by, Until: match.Until, TLSA: match.TLSA}, nil
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
