package delegation

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// served is a spoiler that changes the document, which is the only place.
func served(change func(d *Document)) func(*trial) {
	return func(tr *trial) {
		d := document(tr.sign())
		change(&d)
		tr.evidence = evidenceOf(d)
	}
}

func status(code int) func(*trial) { return served(func(d *Document) { d.Status = code }) }

func mediaType(text string) func(*trial) { return served(func(d *Document) { d.MediaType = text }) }

// documentCases are documents that the test vectors do not have.
func documentCases() []verifyCase {
	return []verifyCase{
		{"no status", status(0), reasons.HTTPSFailure},
	}
}

func TestDocuments(t *testing.T) { runCases(t, 1, documentCases()) }

// TestFile: a file is judged as a document is, without the parts of HTTP.
func TestFile(t *testing.T) {
	tr := newTrial(t)
	tr.evidence = evidenceOf(Document{File: "statement.jws", Body: append(tr.sign(), '\n')})
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	if got := result.Proven().Origin; got != "statement.jws" {
		t.Errorf("origin %q", got)
	}
}

// TestStatusDetail: what a status says about the cause is in the detail, wherever
// that is read.
func TestStatusDetail(t *testing.T) {
	for codes, want := range map[[3]int]string{
		{401, 403, 403}: "forbids",
		{429, 429, 429}: "too many requests",
		{500, 503, 599}: "fails",
		{204, 301, 451}: "200 and the file, or with 404",
	} {
		for _, code := range codes {
			tr := newTrial(t)
			status(code)(tr)
			_, err := tr.verify()
			var e *Error
			if !errors.As(err, &e) || e.Reason != reasons.HTTPSFailure || !strings.HasSuffix(e.Detail, fmt.Sprintf("(status %d)", code)) {
				t.Fatalf("%d: %v", code, err)
			}
			report := NewReport(tr.query, nil, err)
			if !strings.Contains(report.Detail, want) || !strings.Contains(report.Checks[0].Detail, want) {
				t.Errorf("%d: the details are\n%s\n%s\nand not about %q", code, report.Detail, report.Checks[0].Detail, want)
			}
		}
	}
}

// TestOtherMediaType: a verdict mentions a document that is served as something
// else, unless it is a page, which many servers show for any path.
func TestOtherMediaType(t *testing.T) {
	for _, served := range []string{"application/octet-stream", "text/plain", "application/jose", "", typeOfPages} {
		tr := newTrial(t)
		mediaType(served)(tr)
		_, err := tr.verify()
		e := wantRefusal(t, reasons.NoStatement, err)
		said := strings.Contains(e.Detail, fmt.Sprintf("served as %q; if it is one, configure the server to say %s", served, JWS.MediaType()))
		if said == (served == typeOfPages) {
			t.Errorf("%q: %s", served, e.Detail)
		}
	}
}
