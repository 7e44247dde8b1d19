package cli

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/text"
)

// Colors by meaning (ECMA-48).
const (
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// A writer writes for a person, in colour or not, in lines as wide as the
// terminal.
type writer struct {
	io.Writer
	color  bool
	hinted map[string]bool // the hints shown
}

func newWriter(w io.Writer, color bool) *writer {
	return &writer{Wrapped(w), color, map[string]bool{}}
}

func (w *writer) paint(c, s string) string {
	if w.color {
		return c + s + reset
	}
	return s
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// WriteReport tells a verdict to a person: the verdict, what to do, and what
// failed. With details it also has a line for each check. What strangers
// supplied stands there quoted or in a form that has been checked, never raw.
func WriteReport(out io.Writer, r delegation.Report, color, details bool) {
	w := newWriter(out, color)
	if r.Outcome == reasons.OutcomeVerified {
		w.printf("%s until %s: connect to\n", w.verdict(r.Outcome, 0), text.Stamp(*r.Expires))
		for _, e := range r.Dial {
			w.printf("  %s%s and accept a certificate for %s\n", e, withTLS(r.Targets, e), e.Host)
		}
	} else {
		w.end(r.Outcome, r.Reason, r.Detail, hints.For(r.Reason))
	}
	for _, note := range r.Notes {
		w.printf("note: %s\n", note)
	}
	if details {
		w.printf("%s of %s\n", r.Service, r.Source)
		w.checks(r.Checks)
	} else if r.Outcome != reasons.OutcomeVerified {
		w.failures(r.Checks, r.Reason, r.Detail)
	}
}

// WriteReportLine tells a verdict in one line, for lists, and with details each
// check below it.
func WriteReportLine(out io.Writer, r delegation.Report, color, details bool) {
	w := newWriter(out, color)
	if details {
		defer w.checks(r.Checks)
	}
	if r.Outcome != reasons.OutcomeVerified {
		w.printf("%s  %s  %s: %s\n", w.verdict(r.Outcome, 12), r.Source, r.Reason, text.Printable(r.Detail))
		return
	}
	var dial []string
	for _, e := range r.Dial {
		dial = append(dial, e.String())
	}
	w.printf("%s  %s  %s, until %s\n", w.verdict(r.Outcome, 12), r.Source, strings.Join(dial, " "), text.Stamp(*r.Expires))
}

// verdict is an outcome in capital letters, at least so wide.
func (w *writer) verdict(outcome reasons.Outcome, width int) string {
	colors := map[reasons.Outcome]string{reasons.OutcomeVerified: green, reasons.OutcomeUndetermined: yellow}
	color := colors[outcome]
	if color == "" {
		color = red
	}
	return w.paint(color, fmt.Sprintf("%-*s", width, strings.ToUpper(string(outcome))))
}

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
		w.printf("    %s  %-9s  %s\n", marks[c.Outcome], c.Name, said(c.Reason, c.Detail))
		w.hint(fmt.Sprintf("          %-9s  ", ""), hintOf(c))
	}
}

func said(reason reasons.Reason, detail string) string {
	detail = text.Printable(detail)
	if reason != "" {
		return fmt.Sprintf("%s: %s", reason, detail)
	}
	return detail
}

// failures writes the checks that failed, those with one cause in one line, and
// not that of the verdict again.
func (w *writer) failures(checks []delegation.Check, reason reasons.Reason, detail string) {
	type cause struct{ reason, detail string }
	said := map[cause]bool{{string(reason), causeOf(detail)}: true}
	var list []cause
	where := map[cause][]delegation.Check{}
	for _, c := range checks {
		is := cause{string(c.Reason), causeOf(c.Detail)}
		if c.Outcome != delegation.CheckFail || said[is] {
			continue
		}
		if where[is] == nil {
			list = append(list, is)
		}
		where[is] = append(where[is], c)
	}
	for _, is := range list {
		first := where[is][0]
		place := text.Printable(first.Origin)
		if n := len(where[is]); n > 1 {
			place = fmt.Sprintf("%s and %d more", place, n-1)
		}
		if place != "" {
			place += ": "
		}
		w.printf("  %s  %s  %s%s: %s\n", w.paint(red, "FAIL"), first.Name, place, is.reason, text.Printable(is.detail))
		w.hint("        ", hintOf(first))
	}
}

// particulars are what differs between the errors of one cause: what was asked,
// and the ports of sockets.
var particulars = regexp.MustCompile(`^(?:[^ ]+: )?[^ ]+ (?:A|AAAA|SRV|TXT|CNAME): |(?:read|write) (?:udp|tcp) [^ ]+->[^ ]+: (?:read: |write: )?`)

func causeOf(detail string) string { return particulars.ReplaceAllString(detail, "") }

// hint writes a hint, if it was not shown before.
func (w *writer) hint(indent, hint string) {
	if hint != "" && !w.hinted[hint] {
		w.printf("%shint: %s\n", indent, hint)
		w.hinted[hint] = true
	}
}

// end writes a verdict other than verified.
func (w *writer) end(outcome reasons.Outcome, reason reasons.Reason, detail, hint string) {
	w.printf("%s: %s: %s\n", w.verdict(outcome, 0), reason, text.Printable(detail))
	w.hint("", hint)
}
