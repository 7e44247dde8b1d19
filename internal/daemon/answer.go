package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/hints"
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
	Outcome   reasons.Outcome       `json:"outcome"`
	Reason    reasons.Reason        `json:"reason"`
	Detail    string                `json:"detail"`
	Hint      string                `json:"hint"`
	Source    string                `json:"source"`
	Service   string                `json:"service"`
	Direction association.Direction `json:"direction"`
	// Method is how the peer was accepted, and Name the name in its
	// certificate; null unless verified.
	Method *association.Method `json:"method"`
	Name   *string             `json:"name"`
	// TLSA are the numbers of the TLSA record that the peer matches, such as 3 1 1;
	// null if none was needed.
	TLSA *string `json:"tlsa"`
	// ChainVerifiedBy is who verified the path from the peer's certificate to a
	// trust anchor, "daemon" or "caller"; null unless verified.
	ChainVerifiedBy *string `json:"chain_verified_by"`
	// Names are all that would count, as far as they are known.
	Names []Name `json:"names"`
	// Required: the source has a statement, or had one less than 31 days ago, or
	// nobody can say. "undetermined leaves weaker ways, such as dialback, open
	// only where required is false."
	Required bool `json:"required"`
	// ValidUntil is when the peer is no longer accepted, null unless verified.
	ValidUntil *time.Time `json:"valid_until"`
	// RefreshAt is when the daemon decides again; null if it did not decide.
	RefreshAt *time.Time `json:"refresh_at"`
	// Cached: no lookup was made for this answer.
	Cached bool `json:"cached"`
	// Found is where the verified statement was found: dns, https, stream (the peer
	// brought it) or store; null if there is none.
	Found *string `json:"found"`
	// Unpublished: every place answered, and none has a statement. One that the peer
	// brings in its stream may change the answer.
	Unpublished bool `json:"unpublished"`
	// Message is one sentence for an administrator's log.
	Message string `json:"message"`
	// Targets are where to connect, in an order to try. Only answers about that
	// have them.
	Targets []Target `json:"targets,omitempty"`
	// Evidence is what the decision rests on, if it was asked for.
	Evidence *delegation.Evidence `json:"evidence,omitempty"`
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
		Version: AnswerVersion, Outcome: reasons.OutcomeRefused, Reason: reasons.MissingInput,
		Source: q.source, Service: q.service, Direction: q.direction, Names: []Name{},
	}
}

// decided notes what is known of the source.
func (a *Answer) decided(h *Handler, q question, d *verifier.Decision) *Answer {
	refreshAt := d.RefreshAt
	a.Required, a.Cached, a.RefreshAt = d.Required, d.Cached, &refreshAt
	a.Unpublished = d.Unpublished
	if result, err := d.Association.Statement(); err == nil {
		found := foundAt(result)
		a.Found = &found
	}
	references := d.Association.References()
	a.Names = make([]Name, 0, len(references))
	for _, r := range references {
		a.name(r)
	}
	if q.evidence {
		evidence, err := d.Evidence()
		if err != nil {
			h.log.Error("evidence cannot be shown", "source", q.source, "error", err)
		}
		a.Evidence = evidence
	}
	return a
}

// foundAt is where a statement was found.
func foundAt(r *delegation.Result) string {
	switch origin := r.Proven().Origin; {
	case origin == delegation.StreamOrigin:
		return "stream"
	case origin == delegation.TXTName(r.Source(), r.Service()):
		return "dns"
	case strings.HasPrefix(origin, "https://"):
		return "https"
	}
	return "store"
}

// failed says no, or that it is not known, with what is known of the source.
func (a *Answer) failed(h *Handler, q question, err error) *Answer {
	a.Required = !verifier.MayFallBack(err)
	var e *verifier.Error
	if errors.As(err, &e) && e.Decision != nil {
		a.decided(h, q, e.Decision)
	}
	return a.refused(err)
}

// name lists a name once for each method: endpoints are not told apart.
func (a *Answer) name(r association.Reference) {
	n := nameOf(r)
	if !slices.ContainsFunc(a.Names, func(o Name) bool { return o.Name == n.Name && o.Method == n.Method }) {
		a.Names = append(a.Names, n)
	}
}

func nameOf(r association.Reference) Name {
	n := Name{Name: r.Name, Method: r.Method}
	if !r.Until.IsZero() {
		until := r.Until.UTC()
		n.Until = &until
	}
	return n
}

// accepted says yes.
func (a *Answer) accepted(q question, by *verifier.Proof) *Answer {
	r, path := by.Reference, "daemon"
	if q.verified {
		path = "caller"
	}
	a.ChainVerifiedBy = &path
	until := by.Until.UTC()
	a.Outcome, a.Reason, a.Method, a.Name, a.ValidUntil = reasons.OutcomeVerified, reasons.Verified, &r.Method, &r.Name, &until
	why := r.Name + ", which counts by " + string(r.Method)
	a.Detail = "the certificate names " + why
	a.Message = a.Source + " is verified: the peer shows a certificate for " + why + " until " + text.Stamp(until)
	if by.TLSA != nil {
		numbers := by.TLSA.Numbers()
		a.TLSA = &numbers
		why = "a TLSA record (" + numbers + ") of " + why
		a.Detail = "the certificate matches " + why
		a.Message = a.Source + " is verified: the peer shows a certificate that matches " + why + " until " + text.Stamp(until)
	}
	if q.verified {
		a.Message += "; the caller verified the certificate's path"
	}
	return a
}

// refused says no, or that it is not known, for the reason in err, and what to do.
func (a *Answer) refused(err error) *Answer {
	return a.explain(err, hints.For)
}

// explain is refused with other hints.
func (a *Answer) explain(err error, hint func(reasons.Reason) string) *Answer {
	var e *delegation.Error
	if !errors.As(err, &e) {
		e = delegation.Errorf(reasons.MissingInput, "%v", err)
	}
	a.Outcome, a.Reason, a.Detail, a.Hint = e.Outcome, e.Reason, text.Short(e.Detail, maxDetail), hint(e.Reason)
	verb := "is refused"
	if a.Outcome == reasons.OutcomeUndetermined {
		verb = "cannot be decided on now"
	}
	a.Message = fmt.Sprintf("%s %s (%s): %s", cmp.Or(a.Source, "the question"), verb, a.Reason, a.Detail)
	switch {
	case !a.Required || a.Source == "":
	case a.RefreshAt == nil: // nothing was decided
		a.Message += "; the domain may have a statement, so nothing weaker may do"
	default:
		a.Message += "; the domain has a statement, so nothing weaker may do"
	}
	if a.Hint != "" {
		a.Message += "; " + a.Hint
	}
	return a
}
