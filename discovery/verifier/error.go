package verifier

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// An Error says why a peer was not proven, or that it could not be decided. It
// wraps a *[delegation.Error], so that [delegation.ReasonOf] finds the reason.
type Error struct {
	// Outcome, Reason and Detail are those of the whole.
	Outcome reasons.Outcome
	Reason  reasons.Reason
	Detail  string
	// Required says that the source has a statement, now or by what is remembered,
	// or that nobody can tell, or that TLSA records name another key. A program that gives up then must not fall back to a
	// weaker way, such as dialback: see [MayFallBack].
	Required bool
	// Decision is nil if there is none.
	Decision *Decision
	// Attempts are the targets that were tried, in order, if we dialled.
	Attempts []*Attempt

	cause *delegation.Error
}

// Failure sums up a decision and the attempts at its targets, none of which
// succeeded. Without targets it is the reason why there are none, otherwise that
// of [association.Conclude].
func (d *Decision) Failure(attempts []*Attempt) *Error {
	e := &Error{Decision: d, Attempts: attempts, Required: d.Required}
	if len(attempts) == 0 {
		_, err := d.Association.Dial()
		return e.from(err)
	}
	var unavailable error
	for _, p := range d.Association.Proofs() {
		// Of the other methods, one whose lookup failed is not in the row.
		if p.Method == association.Delegation && p.Reason.Outcome() == reasons.OutcomeUndetermined {
			unavailable = delegation.Errorf(p.Reason, "no target shows a certificate for the source, and %s is not known: %s", p.Method, p.Detail)
		}
	}
	var ends []reasons.Reason
	for _, a := range attempts {
		e.Required = e.Required || a.barred
		ends = append(ends, delegation.ReasonOf(a.Err))
	}
	reason := association.Conclude(ends, delegation.ReasonOf(unavailable))
	if reason.Outcome() == reasons.OutcomeUndetermined && slices.Contains(ends, reasons.PeerNameMismatch) {
		return e.from(unavailable)
	}
	return e.from(attempts[slices.Index(ends, reason)].Err)
}

func (e *Error) from(err error) *Error {
	cause, ok := errors.AsType[*delegation.Error](err)
	if !ok {
		cause = delegation.Errorf(reasons.ConnectFailed, "there is no target to connect to")
	}
	e.Outcome, e.Reason, e.Detail, e.cause = cause.Outcome, cause.Reason, cause.Detail, cause
	return e
}

// Error gives the reason, and then each attempt.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", e.Outcome, e.Reason, e.Detail)
	if len(e.Attempts) > 1 {
		for _, a := range e.Attempts {
			fmt.Fprintf(&b, "; %s: %v", a.To.Endpoint, a.Err)
		}
	}
	return b.String()
}

// Unwrap gives the reason in the form of package delegation.
func (e *Error) Unwrap() error { return e.cause }
