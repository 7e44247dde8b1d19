package watch

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A TAP writes reports in the Test Anything Protocol: a test point for each
// domain and finding that there could be. An error or an undetermined result is
// "not ok". A warning is a TODO, a failure that does not count, unless strict.
//
// The version line says 13. Everything written means the same in version 14
// (testanything.org), and harnesses in use today, such as prove of Perl 5.36,
// refuse a 14.
type TAP struct {
	w      io.Writer
	strict bool
	points int
}

// NewTAP begins the output for so many domains.
func NewTAP(w io.Writer, domains int, strict bool) (*TAP, error) {
	_, err := fmt.Fprintf(w, "TAP version 13\n1..%d\n", domains*len(Names()))
	return &TAP{w: w, strict: strict}, err
}

// Write writes the test points of a domain.
func (t *TAP) Write(r Report) error {
	var b strings.Builder
	for _, name := range Names() {
		t.points++
		var found []Finding
		for _, f := range r.Findings {
			if f.Name == name {
				found = append(found, f)
			}
		}
		warning := !t.strict && !slices.ContainsFunc(found, func(f Finding) bool { return f.Severity != SeverityWarning })
		switch {
		case len(found) == 0:
			fmt.Fprintf(&b, "ok %d - %s %s: none\n", t.points, r.Source, name)
			continue
		case warning:
			fmt.Fprintf(&b, "not ok %d - %s %s # TODO warning\n", t.points, r.Source, name)
		default:
			fmt.Fprintf(&b, "not ok %d - %s %s\n", t.points, r.Source, name)
		}
		b.WriteString("  ---\n")
		for _, f := range found {
			// A string of JSON is one of YAML.
			fmt.Fprintf(&b, "  - severity: %s\n    through: %s\n    message: %s\n    hint: %s\n",
				f.Severity, quote(strings.Join(f.Resolvers, ", ")), quote(f.message()), quote(f.Hint))
		}
		b.WriteString("  ...\n")
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}

func quote(s string) string {
	q, _ := json.Marshal(s) // a string always marshals
	return string(q)
}

// message is the detail behind its reason.
func (f Finding) message() string {
	if f.Reason == "" {
		return f.Detail
	}
	return string(f.Reason) + ": " + f.Detail
}
