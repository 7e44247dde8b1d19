package run

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/vectors"
)

func associate(_ context.Context, c vectors.Case) (*vectors.Expect, error) {
	a, refused, err := decisionOf(c)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return ended(refused)
	}
	outgoing := a.Question().Direction == association.Outgoing
	targets, stopped := a.Dial()
	said := reason(reasons.Verified)
	switch {
	case c.Peer != nil:
		said, err = meet(a, c.Peer)
	case outgoing:
		said, err = ended(stopped)
	}
	if err != nil {
		return nil, err
	}

	said.Methods, said.References = map[string]string{}, []string{}
	for _, p := range a.Proofs() {
		said.Methods[string(p.Method)] = string(p.Reason)
		for _, r := range p.References {
			said.References = append(said.References, r.Name)
		}
	}
	slices.Sort(said.References)
	said.References = slices.Compact(said.References)
	said.Required, said.RefreshAt = new(a.Required()), new(a.RefreshAt())
	list := []vectors.Dial{}
	if targets, err = approach(a, targets, c.Peer); err != nil {
		return nil, err
	}
	for _, t := range targets {
		list = append(list, vectors.Dial{Endpoint: vectors.Endpoint{Host: t.Host, Port: t.Port}, ServerName: t.ServerName, Start: string(t.Start)})
	}
	slices.SortFunc(list, func(a, b vectors.Dial) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
	})
	said.Dial = list
	said.Floor = remembered(a.Floor())
	return said, nil
}

// approach leaves the targets that may be connected to, as what DNS says of their
// endpoints has it.
func approach(a *association.Association, targets []association.Dial, p *vectors.Peer) (list []association.Dial, err error) {
	if p == nil {
		return targets, nil
	}
	answers, err := endpointsOf(p)
	for _, t := range targets {
		var lost error
		if i := slices.IndexFunc(answers, func(e delegation.EndpointAnswer) bool { return e.Endpoint == t.Endpoint }); i >= 0 {
			t, lost = a.Approach(t, &answers[i])
		}
		if lost == nil {
			list = append(list, t)
		}
	}
	return list, err
}

// endpointsOf reads what DNS says of endpoints.
func endpointsOf(p *vectors.Peer) (list []delegation.EndpointAnswer, err error) {
	text, err := json.Marshal(p.Endpoints)
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal(text, &list)
}

// decisionOf makes the decision of a case. It is refused if a part of the
// question, the evidence or the policy is missing or malformed.
func decisionOf(c vectors.Case) (a *association.Association, refused, err error) {
	if c.Question == nil {
		return nil, nil, errors.New("there is no question")
	}
	p, err := policyOf(c.Policy)
	if err != nil {
		return nil, nil, err
	}
	e, refused := evidenceOf(c.Evidence)
	if refused != nil {
		return nil, refused, nil
	}
	a, refused = association.Decide(association.Question{
		Source: c.Question.Source, Service: c.Question.Service,
		Direction: association.Direction(c.Question.Direction), StatementFirst: c.Question.StatementFirst,
	}, e, p)
	return a, refused, nil
}

// meet holds a peer to a decision.
func meet(a *association.Association, p *vectors.Peer) (*vectors.Expect, error) {
	policy, err := peersOf(p)
	if err != nil {
		return nil, err
	}
	chain, err := chainOf(p.Chain)
	if err != nil {
		return reason(reasons.PeerUntrusted), nil
	}
	accept := func() (*association.Acceptance, error) { return a.Accept(endpointOf(p.Endpoint), policy, chain) }
	if p.Endpoint == nil && a.Question().Direction == association.Outgoing {
		accept = func() (*association.Acceptance, error) { return a.AcceptAnywhere(policy, chain) }
	}
	accepted, refused := accept()
	said, err := ended(refused)
	if err == nil && refused == nil {
		said.Accepted = &vectors.Accepted{Name: accepted.Reference.Name, Method: string(accepted.Reference.Method), Until: accepted.Until}
		if r := accepted.TLSA; r != nil {
			said.Accepted.TLSA = r.Numbers()
		}
	}
	return said, err
}

func peersOf(p *vectors.Peer) (delegation.PeerPolicy, error) {
	at, err := timeOf(p.Time)
	if err != nil {
		return delegation.PeerPolicy{}, err
	}
	floor, err := floorOf(p.Floor)
	if err != nil {
		return delegation.PeerPolicy{}, err
	}
	endpoints, err := endpointsOf(p)
	return delegation.PeerPolicy{
		Roots:     poolOf(p.Roots),
		Now:       func() time.Time { return at },
		Floor:     func(string, string) delegation.Floor { return floor },
		Endpoints: endpoints,
	}, err
}

// chainOf reads certificates of a peer. One that cannot be read leads nowhere.
func chainOf(list [][]byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for _, der := range list {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	return chain, nil
}

func endpointOf(e *vectors.Endpoint) delegation.Endpoint {
	if e == nil {
		return delegation.Endpoint{}
	}
	return delegation.Endpoint{Host: e.Host, Port: e.Port}
}

// reuse has a connection meet its opener at the policy's time, and the further
// source at the peer's time.
func reuse(_ context.Context, c vectors.Case) (*vectors.Expect, error) {
	if c.Connection == nil || c.Peer == nil || c.Policy == nil {
		return nil, errors.New("there is no connection, no peer, or no policy")
	}
	peers, err := peersOf(c.Peer)
	if err != nil {
		return nil, err
	}
	chain, err := chainOf(c.Connection.Chain)
	if err != nil {
		return nil, err
	}
	opening := c
	opening.Question = &vectors.Question{Source: c.Connection.OpenedFor.Source, Service: c.Connection.Service, Direction: c.Connection.Direction}
	opening.Evidence = c.Connection.OpenedFor.Evidence
	unknowing := *c.Policy
	unknowing.Floor = nil
	opening.Policy = &unknowing
	opener, refused, err := decisionOf(opening)
	if err := errors.Join(refused, err); err != nil {
		return nil, fmt.Errorf("the decision by which it was opened: %w", err)
	}
	opened, err := timeOf(c.Policy.Time)
	if err != nil {
		return nil, err
	}
	at := endpointOf(c.Connection.Endpoint)
	then := delegation.PeerPolicy{Roots: peers.Roots, Now: func() time.Time { return opened }, Endpoints: peers.Endpoints}
	if _, err := opener.Accept(at, then, chain); err != nil {
		return nil, fmt.Errorf("the connection does not hold: %w", err)
	}
	next, refused, err := decisionOf(c)
	if err != nil {
		return nil, err
	}
	if refused == nil {
		_, refused = next.AcceptFurther(opener.Question(), at, peers, chain)
	}
	return ended(refused)
}

// attempts is rule C9.
func attempts(_ context.Context, c vectors.Case) (*vectors.Expect, error) {
	var ends []reasons.Reason
	for _, text := range c.Attempts {
		ends = append(ends, reasons.Reason(text))
	}
	return reason(association.Conclude(ends, reasons.Reason(c.Unavailable))), nil
}
