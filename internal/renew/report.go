package renew

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	words "github.com/dnasign/dnasign/internal/text"
)

// ReportVersion is the Version of a [Report].
const ReportVersion = 1

// An Action is what a run did about a delegation.
type Action string

// The actions.
const (
	Signed    Action = "signed"     // a new statement, published in one place at least
	Published Action = "published"  // the statement there is was put where it was missing
	Kept      Action = "kept"       // nothing was to be done
	Standby   Action = "standby"    // nor here: another machine has a newer certificate, and signs
	WouldSign Action = "would-sign" // of a dry run; the statement was made and thrown away
	WouldKeep Action = "would-keep" // of a dry run
	Failed    Action = "failed"     // nothing was changed
)

// A Report is what a run did. Its JSON form is described in docs/renew.md.
type Report struct {
	Version     int             `json:"version"`
	Config      string          `json:"config"`
	DryRun      bool            `json:"dry_run"`
	Outcome     reasons.Outcome `json:"outcome"` // refused if any is, else undetermined if any is
	Counts      Counts          `json:"counts"`
	Warnings    []string        `json:"warnings,omitempty"`
	Delegations []Entry         `json:"delegations"`
	Unlisted    []Unlisted      `json:"unlisted,omitempty"`
}

// Counts are how many delegations there are of each action, and how many of
// all of them did not end well.
type Counts struct {
	Signed       int `json:"signed"` // in a dry run: would be
	Published    int `json:"published"`
	Kept         int `json:"kept"`
	Failed       int `json:"failed"`
	Refused      int `json:"refused"`
	Undetermined int `json:"undetermined"`
}

// An Entry is one delegation and what became of it.
type Entry struct {
	Source  string                `json:"source"`
	Service string                `json:"service"`
	Formats []delegation.Encoding `json:"formats"`
	Action  Action                `json:"action"`
	Why     Why                   `json:"why,omitempty"` // it was signed
	// Outcome is verified if all went well, the worst of what did not else.
	Outcome   reasons.Outcome `json:"outcome"`
	ID        string          `json:"id,omitempty"`      // of the statement, base64url, as jti
	Expires   *time.Time      `json:"expires"`           // of the statement that is published; null if none is known
	Problem   *Trouble        `json:"problem,omitempty"` // why nothing could be signed
	Published []Publication   `json:"published"`         // not in a dry run
	Verified  []Verdict       `json:"verified"`          // not in a dry run
	Notes     []string        `json:"notes,omitempty"`
}

// Trouble is what went wrong, and what a person can do.
type Trouble struct {
	Outcome reasons.Outcome `json:"outcome"`
	Reason  reasons.Reason  `json:"reason,omitempty"`
	Detail  string          `json:"detail"`
	Hint    string          `json:"hint,omitempty"`
}

// A Publication is a statement in one format at one place.
type Publication struct {
	Place    string              `json:"place"`
	Format   delegation.Encoding `json:"format"`
	Where    string              `json:"where,omitempty"` // the server or the file that was changed
	Name     string              `json:"name,omitempty"`  // of the record that was changed, aliases followed
	Changed  bool                `json:"changed"`
	Replaced int                 `json:"replaced"` // old records or files that gave way
	Problem  *Trouble            `json:"problem,omitempty"`

	at    int  // the place, in the order of the configuration
	check bool // whether it can be seen there is still to be found out
	busy  bool // another process has locked the folder
}

// A Verdict is what a stranger finds who looks in one way.
type Verdict struct {
	Via     string          `json:"via"` // dns, https, or file for what somebody carries further
	Outcome reasons.Outcome `json:"outcome"`
	Note    string          `json:"note,omitempty"`
	Problem *Trouble        `json:"problem,omitempty"`
}

func trouble(err error) *Trouble {
	if err == nil {
		return nil
	}
	reason := delegation.ReasonOf(err)
	return &Trouble{Outcome: reason.Outcome(), Reason: reason, Detail: detail(err), Hint: hints.ForOwner(reason)}
}

// detail is the text of an error without its reason, or of several joined ones.
func detail(err error) string {
	switch e := err.(type) {
	case *delegation.Error:
		return e.Detail
	case interface{ Unwrap() []error }:
		if joined := e.Unwrap(); err.Error() == errors.Join(joined...).Error() {
			var details []string
			for _, one := range joined {
				details = append(details, detail(one))
			}
			return strings.Join(details, "; ")
		}
	}
	return err.Error()
}

// conclude sets the outcome of an entry from its parts.
func (e *Entry) conclude() {
	e.Outcome = reasons.OutcomeVerified
	for _, t := range e.troubles() {
		e.Outcome = worse(e.Outcome, t.Outcome)
	}
}

// troubles are all that went wrong, each told once.
func (e *Entry) troubles() (list []*Trouble) {
	add := func(t *Trouble) {
		if t != nil && !slices.ContainsFunc(list, func(o *Trouble) bool { return *o == *t }) {
			list = append(list, t)
		}
	}
	add(e.Problem)
	for _, p := range e.Published {
		add(p.Problem)
	}
	for _, v := range e.Verified {
		add(v.Problem)
	}
	return list
}

// conclude counts.
func (r *Report) conclude() {
	r.Outcome = reasons.OutcomeVerified
	for i := range r.Delegations {
		e := &r.Delegations[i]
		e.conclude()
		switch e.Action {
		case Signed, WouldSign:
			r.Counts.Signed++
		case Published:
			r.Counts.Published++
		case Kept, Standby, WouldKeep:
			r.Counts.Kept++
		case Failed:
			r.Counts.Failed++
		}
		switch e.Outcome {
		case reasons.OutcomeRefused:
			r.Counts.Refused++
		case reasons.OutcomeUndetermined:
			r.Counts.Undetermined++
		}
		r.Outcome = worse(r.Outcome, e.Outcome)
	}
	for _, u := range r.Unlisted {
		if u.Problem != nil {
			r.Outcome = worse(r.Outcome, u.Problem.Outcome)
		}
	}
}

func worse(a, b reasons.Outcome) reasons.Outcome {
	for _, o := range []reasons.Outcome{reasons.OutcomeRefused, reasons.OutcomeUndetermined} {
		if a == o || b == o {
			return o
		}
	}
	return a
}

// WriteText tells a person what was done: a line for each delegation that
// changed or did not end well, and the sum.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	for i := range r.Delegations {
		r.Delegations[i].text(&b)
	}
	for _, u := range r.Unlisted {
		u.text(&b, r.Config)
	}
	b.WriteString(r.Counts.text(r.DryRun))
	_, err := io.WriteString(w, b.String())
	return err
}

func (c Counts) text(dry bool) string {
	done := "signed"
	if dry {
		done = "would be signed"
	}
	parts := []string{fmt.Sprintf("%d %s", c.Signed, done)}
	if c.Published > 0 {
		parts = append(parts, fmt.Sprintf("%d published where it was missing", c.Published))
	}
	parts = append(parts, fmt.Sprintf("%d kept", c.Kept), fmt.Sprintf("%d failed", c.Failed))
	text := strings.Join(parts, ", ")
	if c.Refused+c.Undetermined > 0 {
		text += fmt.Sprintf("; of all, %d refused and %d to be tried again", c.Refused, c.Undetermined)
	} else if c.Signed+c.Published == 0 {
		text += "; nothing to do"
	}
	return text + "\n"
}

func (e *Entry) text(b *strings.Builder) {
	troubles := e.troubles()
	quiet := e.Action == Kept || e.Action == Standby || e.Action == WouldKeep
	if quiet && len(troubles)+len(e.Notes)+len(e.remarks()) == 0 {
		return
	}
	fmt.Fprintf(b, "%-10s  %s of %s", e.Action, e.Service, e.Source)
	if e.Why != "" {
		fmt.Fprintf(b, ": %s", e.Why)
	}
	if e.Expires != nil {
		fmt.Fprintf(b, ", until %s", words.Stamp(*e.Expires))
	}
	if changed := e.changed(); len(changed) > 0 {
		fmt.Fprintf(b, ", at %s", strings.Join(changed, " and "))
	}
	switch {
	case len(e.Verified) == 0:
	case slices.ContainsFunc(e.Verified, func(v Verdict) bool { return v.Outcome != reasons.OutcomeVerified }):
		b.WriteString(", NOT verified")
	default:
		b.WriteString(", verified")
	}
	b.WriteString("\n")
	for _, t := range troubles {
		t.text(b)
	}
	for _, note := range append(e.remarks(), e.Notes...) {
		fmt.Fprintf(b, "    note: %s\n", note)
	}
}

func (t *Trouble) text(b *strings.Builder) {
	fmt.Fprintf(b, "    %s: ", t.Outcome)
	if t.Reason != "" {
		fmt.Fprintf(b, "%s: ", t.Reason)
	}
	fmt.Fprintf(b, "%s\n", t.Detail)
	if t.Hint != "" {
		fmt.Fprintf(b, "    hint: %s\n", t.Hint)
	}
}

// changed are the servers and files that were written to. A record with another
// name than the place, to which an alias leads, is named.
func (e *Entry) changed() (list []string) {
	for _, p := range e.Published {
		where := p.Where
		if name := strings.TrimSuffix(p.Name, "."); name != "" && name != delegation.TXTName(e.Source, e.Service) {
			where += " (" + name + ")"
		}
		if p.Changed && !slices.Contains(list, where) {
			list = append(list, where)
		}
	}
	return list
}

// remarks are the notes of the verdicts.
func (e *Entry) remarks() (list []string) {
	for _, v := range e.Verified {
		if v.Note != "" {
			list = append(list, v.Note)
		}
	}
	return list
}
