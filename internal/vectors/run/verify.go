package run

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/vectors"
)

// This is the verifier of this module, through its public packages.
type This struct{}

// answers are the operations.
var answers = map[string]func(context.Context, vectors.Case) (*vectors.Expect, error){
	"verify": verify, "associate": associate, "reuse": reuse, "attempts": attempts,
	"dnssec": resolve, "self-test": selfTest, "address": address, "signer-files": signerFiles,
}

// Answer is that of [Verifier].
func (This) Answer(ctx context.Context, c vectors.Case) (Answer, error) {
	answer, ok := answers[c.Operation]
	if !ok {
		return nil, fmt.Errorf("%w: no operation %.40q", ErrSkipped, c.Operation)
	}
	said, err := answer(ctx, c)
	if err != nil {
		return nil, err
	}
	return members(said)
}

// ended is an answer that is a reason; nil is verified. What has no reason is a
// mistake in the case and ends the run.
func ended(err error) (*vectors.Expect, error) {
	if err == nil {
		return reason(delegation.Verified), nil
	}
	r := delegation.ReasonOf(err)
	if r == "" {
		return nil, err
	}
	return reason(r), nil
}

// reason is an answer that is no more than that.
func reason(r delegation.Reason) *vectors.Expect {
	return &vectors.Expect{Outcome: string(r.Outcome()), Reason: string(r)}
}

func verify(_ context.Context, c vectors.Case) (*vectors.Expect, error) {
	q, err := queryOf(c.Query)
	if err != nil {
		return nil, err
	}
	p, err := policyOf(c.Policy)
	if err != nil {
		return nil, err
	}
	e, err := evidenceOf(c.Evidence)
	if err != nil {
		return ended(err)
	}
	result, err := delegation.Verify(q, e, p)
	said, unknown := ended(err)
	if unknown != nil {
		return nil, unknown
	}
	var refused *delegation.Error
	switch {
	case errors.As(err, &refused):
		said.Floors, err = floors(refused.Floors)
		return said, err
	default:
		said.Targets, said.Dial = slices.Sorted(slices.Values(spell(result.Targets()))), spell(result.Dial())
		said.Expires, said.RefreshAt = new(result.ValidUntil()), new(result.RefreshAt())
		said.Floors, err = floors(result.Floors())
		return said, err
	}
}

func queryOf(q *vectors.Query) (delegation.Query, error) {
	if q == nil {
		return delegation.Query{}, errors.New("there is no query")
	}
	query := delegation.Query{Source: q.Source, Service: q.Service}
	if q.Target != nil {
		query.Target = delegation.Endpoint{Host: q.Target.Host, Port: q.Target.Port}
	}
	return query, nil
}

// evidenceOf reads evidence as a command does that was given it in a file.
func evidenceOf(raw json.RawMessage) (*delegation.Evidence, error) {
	if raw == nil {
		return nil, nil
	}
	e := new(delegation.Evidence)
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, &delegation.Error{Outcome: delegation.OutcomeRefused, Reason: delegation.BadEvidence, Detail: err.Error()}
	}
	return e, nil
}

var errCheck = errors.New("the policy's own check says no")

func policyOf(p *vectors.Policy) (delegation.Policy, error) {
	if p == nil {
		return delegation.Policy{}, errors.New("there is no policy")
	}
	policy := delegation.Policy{MaxLife: time.Duration(p.MaxLife) * time.Second, BelieveReplayedDNSSEC: p.BelieveReplayedDNSSEC}
	var err error
	if policy.Time, err = timeOf(p.Time); err != nil {
		return policy, err
	}
	if p.Roots != nil {
		if policy.Roots, err = poolOf(*p.Roots); err != nil {
			return policy, err
		}
	}
	switch p.SignerCheck {
	case "":
	case "accept":
		policy.SignerCheck = func([]*x509.Certificate) error { return nil }
	case "refuse":
		policy.SignerCheck = func([]*x509.Certificate) error { return errCheck }
	default:
		return policy, fmt.Errorf("signer_check %.20q", p.SignerCheck)
	}
	for _, f := range p.Floor {
		floor := delegation.Floor{
			Service: f.Service, Order: delegation.Order{SignerNotBefore: f.Order.SignerNotBefore, Issued: f.Order.Issued}, ValidUntil: f.ValidUntil,
		}
		if err := floor.Targets.UnmarshalText([]byte(f.Targets)); err != nil {
			return policy, err
		}
		policy.Floor = append(policy.Floor, floor)
	}
	return policy, nil
}

// timeOf reads a time; a missing one is the zero time.
func timeOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

func poolOf(certificates [][]byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, der := range certificates {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		pool.AddCert(c)
	}
	return pool, nil
}

func floors(list []delegation.Floor) (*[]vectors.Floor, error) {
	out := []vectors.Floor{}
	for _, f := range list {
		out = append(out, vectors.Floor{
			Service: f.Service, Order: vectors.Order{SignerNotBefore: f.Order.SignerNotBefore, Issued: f.Order.Issued},
			Targets: f.Targets.String(), ValidUntil: f.ValidUntil,
		})
	}
	return &out, nil
}

func spell(targets []delegation.Target) []string {
	list := []string{}
	for _, t := range targets {
		list = append(list, t.Endpoint.String())
	}
	return list
}
