package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/watch"
)

// WriteWatch tells a person what others conclude about a domain: a line for
// the domain, and below it the findings, each with what to do.
func WriteWatch(out io.Writer, r watch.Report, color bool) {
	w := newWriter(out, color)
	colors := map[watch.Status]string{watch.StatusOK: green, watch.StatusError: red}
	status := func(s string, width int) string {
		c, known := colors[watch.Status(strings.ToLower(s))]
		if !known {
			c = yellow
		}
		return w.paint(c, fmt.Sprintf("%-*s", width, s))
	}
	w.printf("%s  %s  %s\n", status(strings.ToUpper(string(r.Status)), 12), r.Source, conclusion(r))
	for _, f := range r.Findings {
		detail := said(f.Reason, f.Detail)
		if len(f.Resolvers) < len(r.Verdicts) {
			detail += fmt.Sprintf(" (through %s)", strings.Join(f.Resolvers, ", "))
		}
		w.printf("    %s  %-17s  %s\n", status(string(f.Severity), 12), f.Name, detail)
		w.hint(fmt.Sprintf("    %-12s  %-17s  ", "", ""), f.Hint)
	}
}

// conclusion is what others do, in a line.
func conclusion(r watch.Report) string {
	var dial []string
	verified, accepted := 0, 0
	for _, v := range r.Verdicts {
		if v.Host != nil && v.Host.Outcome == reasons.OutcomeVerified {
			accepted++
		}
		if v.Outcome != reasons.OutcomeVerified {
			continue
		}
		if verified++; verified == 1 {
			for _, e := range v.Dial {
				dial = append(dial, e.String())
			}
		}
	}
	line := "nothing is verified"
	if verified > 0 {
		line = fmt.Sprintf("%s, statement until %s", strings.Join(dial, " "), text.Stamp(*r.StatementEnds))
		if r.CertificateEnds != nil {
			line += fmt.Sprintf(", certificate until %s", text.Stamp(*r.CertificateEnds))
		}
	}
	if at := slices.IndexFunc(r.Verdicts, func(v watch.Verdict) bool { return v.Alias != "" }); at >= 0 {
		line += ", the record is an alias of " + text.Printable(r.Verdicts[at].Alias)
	}
	if of := len(r.Verdicts); verified > 0 && verified < of {
		line += fmt.Sprintf(", through %d of %d resolvers", verified, of)
	}
	if r.Target != nil {
		line += fmt.Sprintf("; %s is accepted through %d of %d", r.Target, accepted, len(r.Verdicts))
	}
	return line
}
