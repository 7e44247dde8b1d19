package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/text"
)

// Colors by meaning (ECMA-48).
const (
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// A writer writes for a person, in colour or not.
type writer struct {
	io.Writer
	color  bool
	hinted map[string]bool // the hints shown
}

func newWriter(w io.Writer, color bool) *writer {
	return &writer{w, color, map[string]bool{}}
}

func (w *writer) paint(c, s string) string {
	if w.color {
		return c + s + reset
	}
	return s
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// WriteReport explains a verdict to a person: a line for each check, with what
// to do where one failed, and the verdict last. What strangers supplied stands
// there quoted or in a form that has been checked, never raw.
func WriteReport(out io.Writer, r delegation.Report, color bool) {
	w := newWriter(out, color)
	w.printf("%s of %s\n", r.Service, r.Source)
	w.checks(r.Checks)
	if r.Outcome == delegation.OutcomeVerified {
		w.printf("%s until %s: connect to\n", w.verdict(r.Outcome, 0), r.Expires.Format(timeForm))
		for _, t := range r.Dial {
			w.printf("  %s and accept a certificate for %s\n", t, t.Host)
		}
	} else {
		w.end(r.Outcome, r.Reason, r.Detail, r.Hint)
	}
	for _, note := range r.Notes {
		w.printf("note: %s\n", note)
	}
}

// WriteReportLine tells a verdict in one line, for lists.
func WriteReportLine(out io.Writer, r delegation.Report, color bool) {
	w := newWriter(out, color)
	if r.Outcome != delegation.OutcomeVerified {
		w.printf("%s  %s  %s: %s\n", w.verdict(r.Outcome, 12), r.Source, r.Reason, text.Printable(r.Detail))
		return
	}
	var dial []string
	for _, e := range r.Dial {
		dial = append(dial, e.String())
	}
	w.printf("%s  %s  %s, until %s\n", w.verdict(r.Outcome, 12), r.Source, strings.Join(dial, " "), r.Expires.Format(timeForm))
}

// verdict is an outcome in capital letters, at least so wide.
func (w *writer) verdict(outcome delegation.Outcome, width int) string {
	colors := map[delegation.Outcome]string{delegation.OutcomeVerified: green, delegation.OutcomeUndetermined: yellow}
	color := colors[outcome]
	if color == "" {
		color = red
	}
	return w.paint(color, fmt.Sprintf("%-*s", width, strings.ToUpper(string(outcome))))
}

// timeForm is how a person reads a time.
const timeForm = "2006-01-02 15:04:05 MST"

// checks writes a line for each check, below what it is about.
func (w *writer) checks(checks []delegation.Check) {
	marks := map[delegation.CheckOutcome]string{
		delegation.CheckOK:   w.paint(green, "OK  "),
		delegation.CheckFail: w.paint(red, "FAIL"),
		delegation.CheckInfo: "--  ",
	}
	origin := ""
	for _, c := range checks {
		if c.Origin != origin && c.Origin != "" {
			w.printf("  %s\n", text.Printable(c.Origin))
			origin = c.Origin
		}
		detail := text.Printable(c.Detail)
		if c.Reason != "" {
			detail = fmt.Sprintf("%s: %s", c.Reason, detail)
		}
		w.printf("    %s  %-9s  %s\n", marks[c.Outcome], c.Name, detail)
		if c.Hint != "" {
			w.printf("          %-9s  hint: %s\n", "", c.Hint)
			w.hinted[c.Hint] = true
		}
	}
}

// end writes a verdict other than verified.
func (w *writer) end(outcome delegation.Outcome, reason delegation.Reason, detail, hint string) {
	w.printf("%s: %s: %s\n", w.verdict(outcome, 0), reason, text.Printable(detail))
	if hint != "" && !w.hinted[hint] {
		w.printf("hint: %s\n", hint)
	}
}
