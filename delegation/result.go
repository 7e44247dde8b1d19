package delegation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/text"
)

// An Error is the typed error of this package: a refusal or an undetermined
// outcome. It says why, and it holds nothing that could be used by mistake as
// if it were proven: no source and no targets.
type Error struct {
	Outcome Outcome
	Reason  Reason
	Detail  string  // one sentence, for a person
	Checks  []Check // everything that was checked, in order
	// Unverified is what was found and not accepted, as octets, for a person
	// to look at (dnasign inspect shows it).
	Unverified []Unverified
	// Floors is what to remember and to give as [Policy.Floor] next time, where
	// the end came after statements were verified: a revocation above all, which
	// would otherwise be forgotten as soon as somebody hides it. A floor holds no
	// names but the service.
	Floors []Floor
	// Authentic says that statements were verified before the end came, so that
	// the outcome is the owner's own word, such as a revocation. Otherwise
	// anybody on the path may have brought it about, by hiding what there is or
	// adding what is not good.
	Authentic bool
}

// Error gives outcome, reason and detail.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Outcome, e.Reason, e.Detail)
}

// Unverified is something found that was not accepted as a statement.
type Unverified struct {
	Origin string `json:"origin"` // where from, for a person
	Reason Reason `json:"reason"` // why it was not accepted
	Raw    []byte `json:"raw"`    // as received
}

func refuse(reason Reason, format string, args ...any) *Error {
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
	Name    string       `json:"name"` // what was checked: srv, txt, https, file, form, ...
	Outcome CheckOutcome `json:"outcome"`
	Reason  Reason       `json:"reason,omitempty"` // of a failure
	Origin  string       `json:"origin,omitempty"` // which answer or document
	Detail  string       `json:"detail"`           // the observation, for a person
	Hint    string       `json:"hint,omitempty"`   // what to do about a failure
}

// checks collects the explanation. Most of a good verification's lines are
// never read, so their sentences are made when somebody asks.
type checks []line

// A line is a Check whose Detail is still to be made of what follows it, unless
// there is no format. The arguments are values, which nobody can change.
type line struct {
	Check
	format string
	args   []any
}

func (c *checks) ok(name, origin, format string, args ...any) {
	*c = append(*c, line{Check{Name: name, Outcome: CheckOK, Origin: origin}, format, args})
}

func (c *checks) info(name, origin, format string, args ...any) {
	*c = append(*c, line{Check{Name: name, Outcome: CheckInfo, Origin: origin}, format, args})
}

func (c *checks) fail(name, origin string, e *Error) {
	check := Check{Name: name, Outcome: CheckFail, Reason: e.Reason, Origin: origin, Detail: e.Detail, Hint: e.Reason.Hint()}
	*c = append(*c, line{Check: check})
}

// written gives the lines with their sentences.
func (c checks) written() []Check {
	out := make([]Check, len(c))
	for i, l := range c {
		if out[i] = l.Check; l.format != "" {
			out[i].Detail = sentence(l.format, l.args...)
		}
	}
	return out
}

// A Result is the proof that a source delegates a service to targets. Only
// [Verify] makes one, and only when everything held. It is immutable and safe
// for concurrent use.
type Result struct {
	source, service string
	targets, dial   []Target
	statements      []Proven
	validUntil      time.Time
	refreshAt       time.Time
	notes           []string
	checks          checks
}

// Proven is one verified statement and what it rests on.
type Proven struct {
	Statement   Statement
	Encoding    Encoding
	Origin      string    // where it was found
	Signer      string    // the signer's certificate, for a person
	Fingerprint Digest    // SHA-256 of the signer's certificate in DER
	ValidUntil  time.Time // the earlier of Expires and the end of the chain
	Floor       Floor     // what to remember, so that nothing older passes again

	maxAge int64 // seconds, of the place it was found at; -1 unknown
}

// Source is the domain that delegates.
func (r *Result) Source() string { return r.source }

// Service is the service asked about.
func (r *Result) Service() string { return r.service }

// Targets is everything the service is delegated to. Where both labels of a
// role list an endpoint, what the label asked about says of it counts.
func (r *Result) Targets() []Target { return cloneTargets(r.targets) }

// Dial is where to connect: the targets that the SRV records name too, or all
// targets if there are no SRV records. Order them by priority and weight
// (RFC 2782). No endpoint is there twice.
func (r *Result) Dial() []Target { return cloneTargets(r.dial) }

// Statements are the verified statements the result rests on: one, or two for
// the two labels of one XMPP role.
func (r *Result) Statements() []Proven {
	statements := slices.Clone(r.statements)
	for i := range statements {
		statements[i].Statement.Targets = cloneTargets(statements[i].Statement.Targets)
	}
	return statements
}

// cloneTargets lets a caller sort and change what it was given.
func cloneTargets(targets []Target) []Target {
	out := slices.Clone(targets)
	for i := range out {
		out[i].SPKI = slices.Clone(out[i].SPKI)
	}
	return out
}

// ValidUntil is when the proof ends, exclusive: the earliest end among the
// statements and the certificates of the signers' chains.
func (r *Result) ValidUntil() time.Time { return r.validUntil }

// RefreshAt is when to look again, never after ValidUntil. A proof stays valid
// until ValidUntil even if looking again fails.
func (r *Result) RefreshAt() time.Time { return r.refreshAt }

// Floors are what to remember and to give as [Policy.Floor] next time.
func (r *Result) Floors() []Floor { return floors(r.statements) }

func floors(statements []Proven) []Floor {
	var list []Floor
	for _, p := range statements {
		list = append(list, p.Floor)
	}
	return list
}

// Checks is everything that was checked, in order.
func (r *Result) Checks() []Check { return r.checks.written() }

// A Report is an outcome for a person or for another program. Its JSON form
// is described in docs/spec.md; Version changes when a member changes its
// meaning.
type Report struct {
	Version    int            `json:"version"`
	Outcome    Outcome        `json:"outcome"`
	Reason     Reason         `json:"reason"`
	Detail     string         `json:"detail,omitempty"`
	Hint       string         `json:"hint,omitempty"`
	Source     string         `json:"source"`
	Service    string         `json:"service"`
	Targets    []ReportTarget `json:"targets"` // verified targets only
	Dial       []Endpoint     `json:"dial"`
	Expires    *time.Time     `json:"expires"`
	RefreshAt  *time.Time     `json:"refresh_at"`
	Notes      []string       `json:"notes,omitempty"` // choices of the policy that weaken the result
	Checks     []Check        `json:"checks"`
	Unverified []Unverified   `json:"unverified,omitempty"`
}

// ReportVersion is the Version of a [Report].
const ReportVersion = 1

// ReportTarget is a [Target] in a [Report].
type ReportTarget struct {
	Endpoint
	Priority uint16   `json:"priority"`
	Weight   uint16   `json:"weight"`
	SPKI     []string `json:"spki,omitempty"` // lower-case hexadecimal
}

// ReportTargets puts targets into the form for a report.
func ReportTargets(targets []Target) []ReportTarget {
	list := []ReportTarget{}
	for _, t := range targets {
		rt := ReportTarget{Endpoint: t.Endpoint, Priority: t.Priority, Weight: t.Weight}
		for _, p := range t.SPKI {
			rt.SPKI = append(rt.SPKI, p.String())
		}
		list = append(list, rt)
	}
	return list
}

// NewReport puts what [Verify] returned for a query into a report. Neither a
// nil nor a zero Result makes one that says verified.
func NewReport(q Query, r *Result, err error) Report {
	if err == nil && (r == nil || len(r.statements) == 0) {
		err = refuse(MissingInput, "there is no result")
	}
	report := Report{
		Version: ReportVersion, Outcome: OutcomeRefused, Source: q.Source, Service: q.Service,
		Targets: []ReportTarget{}, Dial: []Endpoint{}, Checks: []Check{},
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		report.Outcome, report.Reason, report.Detail, report.Hint = e.Outcome, e.Reason, e.Detail, e.Reason.Hint()
		report.Unverified = e.Unverified
		report.Checks = append(report.Checks, e.Checks...)
	case err != nil:
		report.Reason, report.Detail = ReasonOf(err), err.Error()
		report.Hint = report.Reason.Hint()
	default:
		report.Outcome, report.Reason = OutcomeVerified, Verified
		report.Targets = ReportTargets(r.targets)
		for _, t := range r.dial {
			report.Dial = append(report.Dial, t.Endpoint)
		}
		expires, refreshAt := r.validUntil, r.refreshAt
		report.Expires, report.RefreshAt = &expires, &refreshAt
		report.Notes = slices.Clone(r.notes)
		report.Checks = r.checks.written()
	}
	return report
}
