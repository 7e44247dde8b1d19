package dial

import (
	"errors"
	"fmt"
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
// succeeded. Without targets it is the reason why there are none. Otherwise
//
//   - refused, if a target was reached and refused: with the reason of the one
//     that got furthest in the list of [delegation.Reasons], the first of equals;
//   - but undetermined, if that was only for its name, and a place where the
//     names that count come from could not be looked at: with the reason of
//     that look-up;
//   - undetermined, if the network was all that failed: with the reason of the
//     first target.
func NewError(decision *Decision, attempts []*Attempt) *Error {
	e := &Error{Decision: decision, Attempts: attempts, Required: decision.Association.Required()}
	if len(attempts) == 0 {
		_, err := decision.Association.Dial()
		return e.from(err)
	}
	rank := map[delegation.Reason]int{}
	for i, reason := range delegation.Reasons() {
		rank[reason] = i
	}
	var refused error
	for _, a := range attempts {
		reason := delegation.ReasonOf(a.Err)
		if reason.Outcome() == delegation.OutcomeRefused && (refused == nil || rank[reason] > rank[delegation.ReasonOf(refused)]) {
			refused = a.Err
		}
	}
	if refused == nil {
		return e.from(attempts[0].Err)
	}
	if delegation.ReasonOf(refused) == delegation.PeerNameMismatch {
		for _, p := range decision.Association.Proofs() {
			// Of the other methods, one whose look-up failed is not in the row.
			if p.Method == association.Delegation && p.Reason.Outcome() == delegation.OutcomeUndetermined {
				return e.from(refuse(p.Reason, "no target shows a certificate for the source, and %s is not known: %s", p.Method, p.Detail))
			}
		}
	}
	return e.from(refused)
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
