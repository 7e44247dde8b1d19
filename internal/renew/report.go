package renew

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
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
	WouldSign Action = "would-sign" // of a dry run; the statement was made and thrown away
	WouldKeep Action = "would-keep" // of a dry run
	Failed    Action = "failed"     // nothing was changed
)

// A Report is what a run did. Its JSON form is described in docs/renew.md.
type Report struct {
	Version     int                `json:"version"`
	Config      string             `json:"config"`
	DryRun      bool               `json:"dry_run"`
	Outcome     delegation.Outcome `json:"outcome"` // refused if any is, else undetermined if any is
	Counts      Counts             `json:"counts"`
	Warnings    []string           `json:"warnings,omitempty"`
	Delegations []Entry            `json:"delegations"`
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
	Outcome   delegation.Outcome `json:"outcome"`
	ID        string             `json:"id,omitempty"`      // of the statement, base64url, as jti
	Expires   *time.Time         `json:"expires"`           // of the statement that is published; null if none is known
	Problem   *Trouble           `json:"problem,omitempty"` // why nothing could be signed
	Published []Publication      `json:"published"`         // not in a dry run
	Verified  []Verdict          `json:"verified"`          // not in a dry run
	Notes     []string           `json:"notes,omitempty"`
}

// Trouble is what went wrong, and what a person can do.
type Trouble struct {
	Outcome delegation.Outcome `json:"outcome"`
	Reason  delegation.Reason  `json:"reason,omitempty"`
	Detail  string             `json:"detail"`
	Hint    string             `json:"hint,omitempty"`
}

// A Publication is a statement in one format at one place.
type Publication struct {
	Place    string              `json:"place"`
	Format   delegation.Encoding `json:"format"`
	Where    string              `json:"where,omitempty"` // the server or the file that was changed
	Changed  bool                `json:"changed"`
	Replaced int                 `json:"replaced"` // old records or files that gave way
	Problem  *Trouble            `json:"problem,omitempty"`

	way   string // in which a stranger gets there
	check bool   // whether it can be seen there is still to be found out
}

// A Verdict is what a stranger finds who looks in one way.
type Verdict struct {
	Via     string             `json:"via"` // dns, https, or file for what somebody carries further
	Outcome delegation.Outcome `json:"outcome"`
	Note    string             `json:"note,omitempty"`
	Problem *Trouble           `json:"problem,omitempty"`
}

// trouble makes Trouble of an error.
func trouble(err error) *Trouble {
	if err == nil {
		return nil
	}
	reason := delegation.ReasonOf(err)
	t := &Trouble{Outcome: reason.Outcome(), Reason: reason, Detail: err.Error(), Hint: reason.Hint()}
	if e, ok := err.(*delegation.Error); ok {
		t.Detail = e.Detail
	}
	return t
}

// conclude sets the outcome of an entry from its parts.
func (e *Entry) conclude() {
	e.Outcome = delegation.OutcomeVerified
	for _, t := range e.troubles() {
		if t.Outcome == delegation.OutcomeRefused || e.Outcome == delegation.OutcomeVerified {
			e.Outcome = t.Outcome
		}
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
	r.Outcome = delegation.OutcomeVerified
	for i := range r.Delegations {
		e := &r.Delegations[i]
		e.conclude()
		switch e.Action {
		case Signed, WouldSign:
			r.Counts.Signed++
		case Published:
			r.Counts.Published++
		case Kept, WouldKeep:
			r.Counts.Kept++
		case Failed:
			r.Counts.Failed++
		}
		switch e.Outcome {
		case delegation.OutcomeRefused:
			r.Counts.Refused++
			r.Outcome = delegation.OutcomeRefused
		case delegation.OutcomeUndetermined:
			r.Counts.Undetermined++
			if r.Outcome == delegation.OutcomeVerified {
				r.Outcome = delegation.OutcomeUndetermined
			}
		}
	}
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
	quiet := e.Action == Kept || e.Action == WouldKeep
	if quiet && len(troubles)+len(e.Notes)+len(e.remarks()) == 0 {
		return
	}
	fmt.Fprintf(b, "%-10s  %s of %s", e.Action, e.Service, e.Source)
	if e.Why != "" {
		fmt.Fprintf(b, ": %s", e.Why)
	}
	if e.Expires != nil {
		fmt.Fprintf(b, ", until %s", stamp(*e.Expires))
	}
	if changed := e.changed(); len(changed) > 0 {
		fmt.Fprintf(b, ", at %s", strings.Join(changed, " and "))
	}
	switch {
	case len(e.Verified) == 0:
	case slices.ContainsFunc(e.Verified, func(v Verdict) bool { return v.Outcome != delegation.OutcomeVerified }):
		b.WriteString(", NOT verified")
	default:
		b.WriteString(", verified")
	}
	b.WriteString("\n")
	for _, t := range troubles {
		fmt.Fprintf(b, "    %s: ", t.Outcome)
		if t.Reason != "" {
			fmt.Fprintf(b, "%s: ", t.Reason)
		}
		fmt.Fprintf(b, "%s\n", t.Detail)
		if t.Hint != "" {
			fmt.Fprintf(b, "    hint: %s\n", t.Hint)
		}
	}
	for _, note := range append(e.remarks(), e.Notes...) {
		fmt.Fprintf(b, "    note: %s\n", note)
	}
}

// changed are the servers and files that were written to.
func (e *Entry) changed() (list []string) {
	for _, p := range e.Published {
		if p.Changed && !slices.Contains(list, p.Where) {
			list = append(list, p.Where)
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
