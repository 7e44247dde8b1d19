package association

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// Decide makes the decision. It is a pure function. The error is about the
// call: a missing or malformed part of question, evidence or policy. That no
// method but PKIX counts is no error: see [Association.Proofs].
func Decide(q Question, e *delegation.Evidence, p delegation.Policy) (*Association, error) {
	if q.Direction != Outgoing && q.Direction != Incoming {
		return nil, delegation.Errorf(reasons.MissingInput, "the question has no direction")
	}
	role := delegation.RoleOf(q.Service)
	q.Service = role.Service
	d := &decision{question: q, role: role, evidence: e, policy: p}
	query := delegation.Query{Source: q.Source, Service: q.Service}
	d.srv, d.srvErr = delegation.ReadSRV(query, e, p)
	switch delegation.ReasonOf(d.srvErr) {
	case reasons.MissingInput, reasons.BadQuery, reasons.BadEvidence:
		return nil, d.srvErr
	}
	d.state = stateOf(d.srv, d.srvErr)
	query.AllTargets = d.allTargets()
	d.result, d.failed = delegation.Verify(query, e, p)
	a := &Association{question: q, result: d.result, failed: d.failed, required: d.required(), refreshAt: d.refreshAt()}
	a.authentic = d.state == secure
	if d.result != nil {
		a.floor, a.authentic = d.result.Floor(), true
	}
	var failure *delegation.Error
	if errors.As(d.failed, &failure) {
		a.floor, a.unpublished = failure.Floor, failure.Unpublished && d.state != secure
		a.authentic = a.authentic || failure.Authentic && failure.Outcome == reasons.OutcomeRefused
	}
	for _, m := range methods {
		a.proofs = append(a.proofs, d.prove(m))
	}
	if q.Direction == Outgoing {
		a.dial, a.stop = d.dial()
	}
	return a, nil
}

// A decision is the state of one call of Decide.
type decision struct {
	question Question
	role     delegation.Role
	evidence *delegation.Evidence
	policy   delegation.Policy

	srv    delegation.SRV
	srvErr error
	state  srvState
	result *delegation.Result // of the statement
	failed error              // why there is none
}

// prove tells how a method fares.
func (d *decision) prove(m method) Proof {
	references, err := []Reference(nil), d.mayProve(m.name)
	switch {
	case err != nil:
	case slices.Contains(m.in, d.state):
		references, err = m.names(d)
	default:
		err = m.left(d)
	}
	var e *delegation.Error
	if errors.As(err, &e) {
		return Proof{Method: m.name, References: []Reference{}, Reason: e.Reason, Detail: e.Detail}
	}
	var names []string
	for _, r := range references {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return Proof{Method: m.name, References: references, Reason: reasons.Verified, Detail: strings.Join(names, ", ")}
}

// allTargets reports whether all targets of the statement count, whatever the SRV
// records say: for incoming connections, and where the statement comes first. With
// secure records they are compared, so that a conflict comes to light.
func (d *decision) allTargets() bool {
	return d.state != secure && (d.question.Direction == Incoming || d.question.StatementFirst)
}

// required: see Association.Required. A revocation counts as a statement, and
// so do statements that contradict each other.
func (d *decision) required() bool {
	var e *delegation.Error
	if d.result != nil || errors.As(d.failed, &e) && e.Authentic {
		return true
	}
	return d.policy.Floor.Required(d.policy.Time)
}

// refreshAt: what was not found may be there soon, and a broken lookup mended.
func (d *decision) refreshAt() time.Time {
	now := d.policy.Time.Truncate(time.Second).UTC()
	at := now.Add(limits.MinRefresh)
	if until := d.evidence.ProvenUntil(d.srv.TTL, d.policy.Time); d.state == secure && now.Before(until) {
		at = until
		if latest := now.Add(limits.MaxRefresh); latest.Before(at) {
			at = latest
		}
	}
	if d.result != nil && (d.state != secure || d.result.RefreshAt().Before(at)) {
		at = d.result.RefreshAt()
	}
	if soon := now.Add(limits.MinRefresh); d.srv.Partly && soon.Before(at) {
		at = soon
	}
	return at
}
