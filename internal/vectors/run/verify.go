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
	"github.com/dnasign/dnasign/delegation/reasons"
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
		return reason(reasons.Verified), nil
	}
	r := delegation.ReasonOf(err)
	if r == "" {
		return nil, err
	}
	return reason(r), nil
}

// reason is an answer that is no more than that.
func reason(r reasons.Reason) *vectors.Expect {
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
		said.Floor = remembered(refused.Floor)
	default:
		said.Targets, said.Dial = slices.Sorted(slices.Values(spell(result.Targets()))), spell(result.Dial())
		said.Expires, said.RefreshAt = new(result.ValidUntil()), new(result.RefreshAt())
		said.Floor = remembered(result.Floor())
	}
	return said, nil
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
		return nil, &delegation.Error{Outcome: reasons.OutcomeRefused, Reason: reasons.BadEvidence, Detail: err.Error()}
	}
	return e, nil
}

var errCheck = errors.New("the policy's own check says no")

func policyOf(p *vectors.Policy) (delegation.Policy, error) {
	if p == nil {
		return delegation.Policy{}, errors.New("there is no policy")
	}
	policy := delegation.Policy{BelieveReplayedDNSSEC: p.BelieveReplayedDNSSEC}
	if p.MaxLife != nil {
		policy.MaxLife = time.Duration(*p.MaxLife) * time.Second
	}
	var err error
	if policy.Time, err = timeOf(p.Time); err != nil {
		return policy, err
	}
	if p.Roots != nil {
		policy.Roots = poolOf(*p.Roots)
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
	policy.Floor, err = floorOf(p.Floor)
	return policy, err
}

// floorOf is a floor that is remembered, or none.
func floorOf(f *vectors.Floor) (delegation.Floor, error) {
	if f == nil {
		return delegation.Floor{}, nil
	}
	floor := delegation.Floor{
		Order:      delegation.Order{Issuance: f.Order.Issuance, Issued: f.Order.Issued},
		ValidUntil: f.ValidUntil, SignerUntil: f.SignerUntil,
	}
	return floor, floor.Targets.UnmarshalText([]byte(f.Targets))
}

// remembered is what to remember, or none.
func remembered(f delegation.Floor) vectors.Remembered {
	if f.IsZero() {
		return vectors.Remembered{Said: true}
	}
	return vectors.Remembered{Said: true, Floor: &vectors.Floor{
		Order:   vectors.Order{Issuance: f.Order.Issuance, Issued: f.Order.Issued},
		Targets: f.Targets.String(), ValidUntil: f.ValidUntil, SignerUntil: f.SignerUntil,
	}}
}

// timeOf reads a time; a missing one is the zero time.
func timeOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

// poolOf leaves out what it cannot read: that is no anchor.
func poolOf(certificates [][]byte) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, der := range certificates {
		if c, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(c)
		}
	}
	return pool
}

func spell(targets []delegation.Target) []string {
	list := []string{}
	for _, t := range targets {
		list = append(list, t.Endpoint.String())
	}
	return list
}
