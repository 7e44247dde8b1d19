package delegation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// An Error is the typed error of this package: a refusal or an undetermined
// outcome. It says why. It holds no source and no targets, which somebody could
// use by mistake as if they were proven.
type Error struct {
	Outcome reasons.Outcome
	Reason  reasons.Reason
	Detail  string  // one sentence, for a person
	Checks  []Check // everything that was checked, in order
	// Unverified is what was found and not accepted, as octets, for a person
	// to look at (dnasign inspect shows it).
	Unverified []Unverified
	// Floor is what to remember and to give as [Policy.Floor] next time, if
	// statements were verified before the refusal. Without it a revocation would
	// be forgotten as soon as somebody hides it. It holds no names.
	Floor Floor
	// Authentic says that statements were verified first, so that the outcome is
	// the owner's own word, such as a revocation. Otherwise anybody on the path
	// may have caused it, by hiding answers or adding bad ones.
	Authentic bool
	// Unpublished says that every place answered and none has a statement, good or
	// bad. Only then a statement from a stream is judged: see Evidence.Streams.
	Unpublished bool
}

// Error gives outcome, reason and detail.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Outcome, e.Reason, e.Detail)
}

// Unverified is something found that was not accepted as a statement.
type Unverified struct {
	Origin string         `json:"origin"` // where from, for a person
	Reason reasons.Reason `json:"reason"` // why it was not accepted
	Raw    []byte         `json:"raw"`    // as received
}

// Errorf makes an error with the outcome of its reason. It may quote strangers: the
// detail is cut to 1 KiB and has no control characters.
func Errorf(reason reasons.Reason, format string, args ...any) *Error {
	return &Error{Outcome: reason.Outcome(), Reason: reason, Detail: sentence(format, args...)}
}

// maxSentence bounds what is said of one thing, in octets.
const maxSentence = 1 << 10

// sentence is for a person's terminal, and may quote what strangers wrote.
func sentence(format string, args ...any) string {
	return text.Short(fmt.Sprintf(format, args...), maxSentence)
}

// A CheckOutcome is how one check ended.
type CheckOutcome string

// How a check ended. Info is for an observation that decides nothing by
// itself, such as a place without a statement.
const (
	CheckOK   CheckOutcome = "ok"
	CheckFail CheckOutcome = "fail"
	CheckInfo CheckOutcome = "info"
)

// A Check is one line of the explanation of an outcome.
type Check struct {
	Name    string         `json:"name"` // what was checked: srv, txt, https, file, form, ...
	Outcome CheckOutcome   `json:"outcome"`
	Reason  reasons.Reason `json:"reason,omitempty"` // of a failure
	Origin  string         `json:"origin,omitempty"` // which answer or document
	Detail  string         `json:"detail"`           // the observation, for a person
	Hint    string         `json:"hint,omitempty"`   // what to do about a failure
}

// checks collects the explanation. Most of a good verification's lines are
// never read, so their sentences are made when somebody asks.
type checks []line

// A line is a Check whose Detail is still to be made of a format and arguments, if it
// is not that of an error. The arguments are values, which nobody can change.
type line struct {
	name, origin, format string
	info                 bool
	args                 []any
	err                  *Error
}

// usualLines is room for what is said of a statement in DNS, beside two answers of
// each other kind.
const usualLines = 12

func (c *checks) ok(name, origin, format string, args ...any) {
	*c = append(*c, line{name: name, origin: origin, format: format, args: args})
}

func (c *checks) info(name, origin, format string, args ...any) {
	*c = append(*c, line{name: name, origin: origin, format: format, args: args, info: true})
}

func (c *checks) fail(name, origin string, e *Error) {
	*c = append(*c, line{name: name, origin: origin, err: e})
}

// written gives the lines with their sentences.
func (c checks) written() []Check {
	out := make([]Check, len(c))
	for i, l := range c {
		out[i] = Check{Name: l.name, Origin: l.origin, Outcome: CheckOK}
		switch {
		case l.err != nil:
			out[i].Outcome, out[i].Reason, out[i].Detail = CheckFail, l.err.Reason, l.err.Detail
			continue
		case l.info:
			out[i].Outcome = CheckInfo
		}
		out[i].Detail = sentence(l.format, l.args...)
	}
	return out
}

// A Result is the proof that a source delegates a service to targets. Only
// [Verify] makes one, and only when everything held. It is immutable and safe
// for concurrent use.
type Result struct {
	proven    Proven
	dial      []Target
	refreshAt time.Time
	notes     []string
	checks    checks
}

// Proven is one verified statement and what it rests on.
type Proven struct {
	Statement   Statement
	Encoding    Encoding
	Origin      string    // where it was found
	Signer      string    // the signer's certificate, for a person
	Fingerprint Digest    // SHA-256 of the signer's certificate in DER
	Named       bool      // DNSSEC names the signer's key, and nothing else vouches for it
	ValidUntil  time.Time // the earliest of Expires and the end of the chain, or of what DNSSEC says
	Floor       Floor     // what to remember, so that nothing older passes again

	maxAge int64 // seconds, of the place it was found at; -1 unknown
	place  int   // in what gather finds
}

// Source is the domain that delegates.
func (r *Result) Source() string { return r.proven.Statement.Source }

// Service is the role that it delegates.
func (r *Result) Service() string { return r.proven.Statement.Service }

// Targets is everything the role is delegated to.
func (r *Result) Targets() []Target { return cloneTargets(r.proven.Statement.Targets) }

// Dial is where to connect: the targets that the SRV records name too, or all
// targets if there are no SRV records. Order them by priority and weight
// (RFC 2782).
func (r *Result) Dial() []Target { return cloneTargets(r.dial) }

// Proven is the verified statement that the result rests on.
func (r *Result) Proven() Proven {
	p := r.proven
	p.Statement.Targets = cloneTargets(p.Statement.Targets)
	return p
}

// cloneTargets lets a caller sort and change what it was given.
func cloneTargets(targets []Target) []Target {
	out := slices.Clone(targets)
	for i := range out {
		out[i].SPKI = slices.Clone(out[i].SPKI)
	}
	return out
}

// Document is the statement as it stands in the evidence that was verified, in its
// encoding. A program can keep it and verify it later: see [Query.FileEvidence]. It
// is nil for other evidence.
func (r *Result) Document(e *Evidence) []byte {
	v := &verification{evidence: e, policy: &Policy{}}
	v.gather()
	if i := r.proven.place; i < len(v.candidates) && v.candidates[i].origin == r.proven.Origin {
		return slices.Clone(v.candidates[i].raw)
	}
	return nil
}

// ValidUntil is when the proof ends, exclusive: the earliest end of the
// statement and of the certificates of the signer's chain.
func (r *Result) ValidUntil() time.Time { return r.proven.ValidUntil }

// RefreshAt is when to look again, never after ValidUntil. A proof stays valid
// until ValidUntil even if looking again fails.
func (r *Result) RefreshAt() time.Time { return r.refreshAt }

// Floor is what to remember and to give as [Policy.Floor] next time.
func (r *Result) Floor() Floor { return r.proven.Floor }

// Checks is everything that was checked, in order.
func (r *Result) Checks() []Check { return r.checks.written() }

// A Report is an outcome for a person or for another program. Its JSON form
// is described in docs/reports.md; Version changes when a member changes its
// meaning.
type Report struct {
	Version    int             `json:"version"`
	Outcome    reasons.Outcome `json:"outcome"`
	Reason     reasons.Reason  `json:"reason"`
	Detail     string          `json:"detail,omitempty"`
	Source     string          `json:"source"`
	Service    string          `json:"service"`
	Targets    []Target        `json:"targets"` // verified targets only
	Dial       []Endpoint      `json:"dial"`
	Expires    *time.Time      `json:"expires"`
	RefreshAt  *time.Time      `json:"refresh_at"`
	Notes      []string        `json:"notes,omitempty"` // choices of the policy that weaken the result
	Checks     []Check         `json:"checks"`
	Unverified []Unverified    `json:"unverified,omitempty"`
}

// reportVersion is the Version of a [Report].
const reportVersion = 1

// NewReport puts what [Verify] returned for a query into a report. Neither a
// nil nor a zero Result makes one that says verified.
func NewReport(q Query, r *Result, err error) Report {
	if err == nil && (r == nil || r.proven.Statement.Source == "") {
		err = Errorf(reasons.MissingInput, "there is no result")
	}
	report := Report{
		Version: reportVersion, Outcome: reasons.OutcomeRefused, Source: q.Source, Service: RoleOf(q.Service).Service,
		Targets: []Target{}, Dial: []Endpoint{}, Checks: []Check{},
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		report.Outcome, report.Reason, report.Detail = e.Outcome, e.Reason, e.Detail
		report.Unverified = e.Unverified
		report.Checks = append(report.Checks, e.Checks...)
	case err != nil:
		report.Reason, report.Detail = ReasonOf(err), err.Error()
	default:
		report.Outcome, report.Reason = reasons.OutcomeVerified, reasons.Verified
		report.Targets = r.Targets()
		for _, t := range r.dial {
			report.Dial = append(report.Dial, t.Endpoint)
		}
		expires, refreshAt := r.proven.ValidUntil, r.refreshAt
		report.Expires, report.RefreshAt = &expires, &refreshAt
		report.Notes = slices.Clone(r.notes)
		report.Checks = r.checks.written()
	}
	return report
}
