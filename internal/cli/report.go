package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/dnasign/dnasign/delegation"
)

// Colors by meaning (ECMA-48).
const (
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// WriteReport explains a verdict to a person: a line for each check, with what
// to do where one failed, and the verdict last. What strangers supplied stands
// there quoted or in a form that has been checked, never raw.
func WriteReport(w io.Writer, r delegation.Report, color bool) {
	paint := func(c, s string) string {
		if color {
			return c + s + reset
		}
		return s
	}
	marks := map[delegation.CheckOutcome]string{
		delegation.CheckOK:   paint(green, "OK  "),
		delegation.CheckFail: paint(red, "FAIL"),
		delegation.CheckInfo: "--  ",
	}
	fmt.Fprintf(w, "%s of %s\n", r.Service, r.Source)
	origin, hinted := "", false
	for _, c := range r.Checks {
		if c.Origin != origin && c.Origin != "" {
			fmt.Fprintf(w, "  %s\n", printable(c.Origin))
			origin = c.Origin
		}
		detail := printable(c.Detail)
		if c.Reason != "" {
			detail = fmt.Sprintf("%s: %s", c.Reason, detail)
		}
		fmt.Fprintf(w, "    %s  %-9s  %s\n", marks[c.Outcome], c.Name, detail)
		if c.Hint != "" {
			fmt.Fprintf(w, "          %-9s  hint: %s\n", "", c.Hint)
			hinted = hinted || c.Hint == r.Hint
		}
	}
	switch r.Outcome {
	case delegation.OutcomeVerified:
		fmt.Fprintf(w, "%s until %s: connect to\n", paint(green, "VERIFIED"), r.Expires.Format("2006-01-02 15:04:05 MST"))
		for _, t := range r.Dial {
			fmt.Fprintf(w, "  %s and accept a certificate for %s\n", t, t.Host)
		}
	case delegation.OutcomeUndetermined:
		fmt.Fprintf(w, "%s: %s: %s\n", paint(yellow, "UNDETERMINED"), r.Reason, printable(r.Detail))
	default:
		fmt.Fprintf(w, "%s: %s: %s\n", paint(red, "REFUSED"), r.Reason, printable(r.Detail))
	}
	if r.Hint != "" && !hinted {
		fmt.Fprintf(w, "hint: %s\n", r.Hint)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
}

// printable keeps a terminal safe from control characters in strangers' text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return '\ufffd'
		}
		return r
	}, s)
}
