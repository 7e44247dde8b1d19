// Package page shows in HTML what was concluded about a domain.
//
//	watch.Report -> Domain -> one page that needs nothing else
//
// It is a pure function: no I/O, no clock. It judges nothing. The report comes
// from internal/watch, with the checks and the evidence of each resolver.
//
// Everything in a report may come from a stranger. html/template escapes it, and
// [render] replaces what is not printable. A page has no script. The only style
// that it allows is its own, see [SecurityPolicy].
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"github.com/dnasign/dnasign/internal/text"
)

const (
	// maxEvidence bounds the evidence of one resolver in a page, in octets of
	// JSON. Honest evidence has a fortieth of it.
	maxEvidence = 1 << 20
	// maxAllEvidence bounds that of all resolvers together. A person on a phone
	// loads the page.
	maxAllEvidence = 2 << 20
	// maxText bounds one text that may quote strangers, in octets.
	maxText = 1 << 10
	// maxRows bounds a list in a page: of checks, findings or records.
	maxRows = 200
)

//go:embed page.html
var markup string

//go:embed page.css
var style string

var templates = template.Must(template.New("").Parse(markup))

// SecurityPolicy is the value of Content-Security-Policy that lets a browser
// show a page, and nothing that somebody may have put into it.
func SecurityPolicy() string { return ownPolicy() + "; frame-ancestors 'none'" }

// ownPolicy is what a page can say itself (CSP, Section 3.3).
func ownPolicy() string {
	hash := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'self'"
}

// frame is what every page has.
type frame struct {
	Title  string
	Style  template.CSS
	Policy string
	Page   any
}

// render makes a page by its template.
func render(name, title string, content any) []byte {
	var out bytes.Buffer
	f := frame{title, template.CSS(style), ownPolicy(), content}
	if err := templates.ExecuteTemplate(&out, name, f); err != nil {
		panic(err) // a template that does not fit its own type
	}
	lines := strings.Split(out.String(), "\n")
	for i, line := range lines {
		lines[i] = text.Printable(line)
	}
	return []byte(strings.Join(lines, "\n"))
}

// A Form asks for a domain.
type Form struct{ Service, Target string }

// HTML is the page.
func (f Form) HTML() []byte { return render("form", "Is a service delegated?", f) }

// A List shows the domains of a list.
type List struct {
	Service string
	Rows    []Row
	// Previous and Next are links to the rows before and after, "" without.
	Previous, Next string
	From, Of       int // the number of the first row, and of all
}

// A Row is one domain of a list.
type Row struct {
	Domain, Link string
	Verdict      Verdict
}

// HTML is the page.
func (l List) HTML() []byte { return render("list", "Watched domains", l) }

// A Refusal says why there is no page about a domain.
type Refusal struct {
	Code   int // HTTP status
	Detail string
	ToDo   string
}

// Status is the HTTP status in words.
func (r Refusal) Status() string { return http.StatusText(r.Code) }

// HTML is the page.
func (r Refusal) HTML() []byte {
	r.Detail = sentence(r.Detail)
	return render("refusal", r.Status(), r)
}
