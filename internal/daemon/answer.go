package daemon

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/internal/decisions"
	"github.com/dnasign/dnasign/internal/text"
)

// AnswerVersion is the Version of an [Answer].
const AnswerVersion = 1

// maxDetail bounds, in octets, what is said of one thing: names in strangers'
// certificates are among it.
const maxDetail = 1 << 10

// An Answer is what the daemon says of a peer. docs/openapi.yaml describes it.
type Answer struct {
	Version   int                   `json:"version"`
	Outcome   delegation.Outcome    `json:"outcome"`
	Reason    delegation.Reason     `json:"reason"`
	Detail    string                `json:"detail"`
	Hint      string                `json:"hint"`
	Source    string                `json:"source"`
	Service   string                `json:"service"`
	Direction association.Direction `json:"direction"`
	// Method is how the peer counts, and Name the name in its certificate that
	// does; null unless verified.
	Method *association.Method `json:"method"`
	Name   *string             `json:"name"`
	// Names are all that would count, as far as they are known.
	Names []Name `json:"names"`
	// Required: the source has a statement, or nobody can say. Whoever refuses
	// the peer must not fall back to anything weaker.
	Required bool `json:"required"`
	// ValidUntil is when the peer stops to count, null unless verified.
	ValidUntil *time.Time `json:"valid_until"`
	// RefreshAt is when the daemon decides again; null if it did not decide.
	RefreshAt *time.Time `json:"refresh_at"`
	// Cached: no look-up was made for this answer.
	Cached bool `json:"cached"`
	// Message is one sentence for an administrator's log.
	Message string `json:"message"`
	// Evidence is what the decision rests on, if it was asked for.
	Evidence json.RawMessage `json:"evidence,omitempty"`
}

// A Name is a name that a peer's certificate may carry.
type Name struct {
	Name   string             `json:"name"`
	Method association.Method `json:"method"`
	Until  *time.Time         `json:"until"` // null: as long as the certificate
}

// newAnswer begins an answer that says no.
func newAnswer(q question) *Answer {
	return &Answer{
		Version: AnswerVersion, Outcome: delegation.OutcomeRefused, Reason: delegation.MissingInput,
		Source: q.source, Service: q.service, Direction: q.direction, Names: []Name{},
	}
}

// decided notes what is known of the source.
func (a *Answer) decided(d *decisions.Decision) {
	a.Required = d.Required
	if d.Association == nil {
		return
	}
	refreshAt := d.RefreshAt
	a.Cached, a.RefreshAt = d.Cached, &refreshAt
	for _, r := range d.Association.References() {
		a.name(r)
	}
}

// name lists a name once for each method: endpoints are not told apart.
func (a *Answer) name(r association.Reference) {
	n := Name{Name: r.Name, Method: r.Method}
	if !r.Until.IsZero() {
		until := r.Until.UTC()
		n.Until = &until
	}
	if !slices.ContainsFunc(a.Names, func(o Name) bool { return o.Name == n.Name && o.Method == n.Method }) {
		a.Names = append(a.Names, n)
	}
}

// accepted says yes.
func (a *Answer) accepted(by *association.Acceptance) *Answer {
	r := by.Reference
	until := by.Until.UTC()
	a.Outcome, a.Reason, a.Method, a.Name, a.ValidUntil = delegation.OutcomeVerified, delegation.Verified, &r.Method, &r.Name, &until
	a.Detail = fmt.Sprintf("the certificate names %s, which counts by %s", r.Name, r.Method)
	a.Message = fmt.Sprintf("%s is verified: the peer shows a certificate for %s, which counts by %s until %s",
		a.Source, r.Name, r.Method, until.Format(time.RFC3339))
	return a
}

// refused says no, or that it is not known, for the reason in err.
func (a *Answer) refused(err error) *Answer {
	var e *delegation.Error
	if !errors.As(err, &e) {
		e = refuse(delegation.MissingInput, "%v", err)
	}
	a.Outcome, a.Reason, a.Detail, a.Hint = e.Outcome, e.Reason, text.Short(e.Detail, maxDetail), e.Reason.Hint()
	verb := "is refused"
	if a.Outcome == delegation.OutcomeUndetermined {
		verb = "cannot be decided on now"
	}
	a.Message = fmt.Sprintf("%s %s (%s): %s", cmp.Or(a.Source, "the question"), verb, a.Reason, a.Detail)
	if a.Required && a.Source != "" {
		a.Message += "; the domain has a statement, so nothing weaker may do"
	}
	if a.Hint != "" {
		a.Message += "; " + a.Hint
	}
	return a
}

// why tells of a peer that was refused for its name why no statement gives
// that name: that is what somebody can do something about. If it is not known,
// because a look-up failed, the outcome is undetermined.
func why(a *association.Association, refused error) error {
	if delegation.ReasonOf(refused) != delegation.PeerNameMismatch {
		return refused
	}
	for _, p := range a.Proofs() {
		if p.Method != association.Delegation || p.Reason == delegation.Verified || p.Reason == delegation.NotUsed {
			continue
		}
		var e *delegation.Error
		if errors.As(refused, &e) {
			return refuse(p.Reason, "%s; %s", p.Detail, e.Detail)
		}
	}
	return refused
}
