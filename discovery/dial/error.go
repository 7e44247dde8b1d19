package dial

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// An Error says why no target was connected to. It wraps a
// *[delegation.Error], so that [delegation.ReasonOf] finds its reason.
type Error struct {
	// Outcome, Reason and Detail are those of the whole; see [NewError].
	Outcome delegation.Outcome
	Reason  delegation.Reason
	Detail  string
	// Required says that whoever gives up here must not fall back to a weaker
	// way: see association.Association.Required.
	Required bool
	Decision *Decision
	Attempts []*Attempt
}

// NewError sums up a decision and the attempts at its targets, none of which
// succeeded. Without targets it is the reason why there are none, otherwise that
// of [Conclude].
func NewError(decision *Decision, attempts []*Attempt) *Error {
	e := &Error{Decision: decision, Attempts: attempts, Required: decision.Association.Required()}
	if len(attempts) == 0 {
		_, err := decision.Association.Dial()
		return e.from(err)
	}
	var unavailable error
	for _, p := range decision.Association.Proofs() {
		// Of the other methods, one whose look-up failed is not in the row.
		if p.Method == association.Delegation && p.Reason.Outcome() == delegation.OutcomeUndetermined {
			unavailable = refuse(p.Reason, "no target shows a certificate for the source, and %s is not known: %s", p.Method, p.Detail)
		}
	}
	var reasons []delegation.Reason
	for _, a := range attempts {
		reasons = append(reasons, delegation.ReasonOf(a.Err))
	}
	reason := Conclude(reasons, delegation.ReasonOf(unavailable))
	if reason.Outcome() == delegation.OutcomeUndetermined && slices.Contains(reasons, delegation.PeerNameMismatch) {
		return e.from(unavailable)
	}
	return e.from(attempts[slices.Index(reasons, reason)].Err)
}

// Conclude is rule C9 of docs/spec.md: how attempts at several targets end, given
// the reason that each of them ended with, in order. It is
//
//   - verified, if a target was accepted;
//   - refused, if a target was reached and refused: with the reason of the one
//     that got furthest in the list of [delegation.Reasons];
//   - but undetermined, if that was only for its name, and a place where the
//     names that count come from could not be looked at: with unavailable, the
//     reason of that look-up, empty if there is none;
//   - undetermined, if the network was all that failed: with the reason of the
//     first target. Without any, it is [delegation.ConnectFailed].
func Conclude(attempts []delegation.Reason, unavailable delegation.Reason) delegation.Reason {
	if slices.Contains(attempts, delegation.Verified) {
		return delegation.Verified
	}
	order := delegation.Reasons()
	furthest := -1
	for _, reason := range attempts {
		if reason.Outcome() == delegation.OutcomeRefused {
			furthest = max(furthest, slices.Index(order, reason))
		}
	}
	switch {
	case furthest >= 0 && order[furthest] == delegation.PeerNameMismatch && unavailable != "":
		return unavailable
	case furthest >= 0:
		return order[furthest]
	case len(attempts) > 0:
		return attempts[0]
	}
	return delegation.ConnectFailed
}

func (e *Error) from(err error) *Error {
	var cause *delegation.Error
	if !errors.As(err, &cause) {
		cause = refuse(delegation.ConnectFailed, "there is no target to connect to")
	}
	e.Outcome, e.Reason, e.Detail = cause.Outcome, cause.Reason, cause.Detail
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
func (e *Error) Unwrap() error {
	return &delegation.Error{Outcome: e.Outcome, Reason: e.Reason, Detail: e.Detail}
}
