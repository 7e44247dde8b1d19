package association

import (
	"crypto/x509"
	"errors"
	"slices"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// This is section 9 of docs/connections.md: what the TLSA records of endpoints
// decide (DANE, RFC 7671 and RFC 7673).

// maxEndpoints bounds the endpoints that are asked about for one peer: as many as a
// statement can list.
const maxEndpoints = limits.MaxTargets

// scopeAt is which names the TLSA records of an endpoint decide about.
func scopeAt(at delegation.Endpoint, references []Reference) tlsaScope {
	scope := noName
	for _, r := range references {
		if r.target == at {
			scope = max(scope, r.Method.scope())
		}
	}
	return scope
}

// Approach says how to connect to a target, given what DNS says of its endpoint. If
// it has TLSA records, SNI asks for its host, whose certificate they are about (rule
// C8a). The error, a *delegation.Error, says that nobody can tell whether there are
// such records, so that nobody may connect (rule E4).
func (a *Association) Approach(to Dial, answer *delegation.EndpointAnswer) (Dial, error) {
	if scopeAt(to.Endpoint, a.References()) == noName {
		return to, nil
	}
	dane, err := answer.DANE(a.question.Source)
	if dane != nil {
		to.ServerName = to.Host
	}
	return to, err
}

// Undecided are the endpoints about which answers may change what a check without
// them came to: by and err are those of Accept, or of a sibling. Where the connection
// goes to is what at says for Outgoing; it is zero for Incoming, and where nobody
// knows. At most 16 are returned.
func (a *Association) Undecided(at delegation.Endpoint, by *Acceptance, err error) []delegation.Endpoint {
	references := a.References()
	if at != (delegation.Endpoint{}) {
		switch scope := scopeAt(at, references); {
		case scope == noName, scope == ownNames && by != nil && by.Reference.Method == PKIX:
			return nil
		}
		return []delegation.Endpoint{at}
	}
	switch delegation.ReasonOf(err) {
	case reasons.PeerUntrusted, reasons.PeerNameMismatch, reasons.ProofExpired, reasons.PeerKeyMismatch:
	default:
		return nil
	}
	var list []delegation.Endpoint
	for _, r := range references {
		if r.Method.scope() != noName && !slices.Contains(list, r.target) && len(list) < maxEndpoints {
			list = append(list, r.target)
		}
	}
	return list
}

// bind holds the references that count at an endpoint to its TLSA records. It leaves
// out names about which these decide and do not tell; lost says why.
func (a *Association) bind(at delegation.Endpoint, p delegation.PeerPolicy, counting []Reference) (bound []Reference, lost error) {
	scope := scopeAt(at, counting)
	i := slices.IndexFunc(p.Endpoints, func(e delegation.EndpointAnswer) bool { return e.Endpoint == at })
	if scope == noName || i < 0 {
		return counting, nil
	}
	dane, lost := p.Endpoints[i].DANE(a.question.Source)
	if dane == nil && lost == nil {
		return counting, nil
	}
	for _, r := range counting {
		switch {
		case r.target == at && lost == nil:
			r.DANE = dane
			bound = append(bound, r)
		case r.target != at && scope != allNames:
			bound = append(bound, r)
		}
	}
	return bound, lost
}

// held are the references with the TLSA records of their endpoints, those that have
// some.
func (a *Association) held(p delegation.PeerPolicy, references []Reference) (list []Reference) {
	for _, e := range p.Endpoints {
		dane, err := e.DANE(a.question.Source)
		if dane == nil || err != nil {
			continue
		}
		for _, r := range references {
			if r.target == e.Endpoint {
				r.DANE = dane
				list = append(list, r)
			}
		}
	}
	return list
}

// besides gives a peer another chance, which was refused for a reason and whose
// endpoint is not known: a record that needs no trust anchor of ours may accept it.
// That none matches is no reason to refuse anybody.
func (a *Association) besides(p delegation.PeerPolicy, chain []*x509.Certificate, counting []Reference, admit func(Reference) bool, refused error) (*Acceptance, error) {
	held := a.held(p, counting)
	if len(held) == 0 {
		return nil, refused
	}
	accepted, err := a.check(p, chain, held, admit)
	var before, now *delegation.Error
	switch {
	case err == nil:
		return accepted, nil
	case !errors.As(refused, &before) || !errors.As(err, &now) || now.Reason == reasons.DANEMismatch || before.Reason.Further(now.Reason):
		return nil, refused
	}
	return nil, err
}
