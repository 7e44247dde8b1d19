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

func body(change func(body string) string) func(*trial) {
	return served(func(d *Document) { d.Body = []byte(change(string(d.Body))) })
}

func status(code int) func(*trial) { return served(func(d *Document) { d.Status = code }) }

func mediaType(text string) func(*trial) { return served(func(d *Document) { d.MediaType = text }) }

func failedDocument(reason reasons.Reason) func(*trial) {
	return served(func(d *Document) { *d = Document{URL: d.URL, Failure: &Failure{reason, "it did not work"}} })
}

func documentCases() []verifyCase {
	return []verifyCase{
		{"good", served(func(*Document) {}), reasons.Verified},
		{"status 404", status(404), reasons.NoStatement},
		{"status 410", status(410), reasons.NoStatement},
		{"status 301", status(301), reasons.HTTPSFailure},
		{"status 204", status(204), reasons.HTTPSFailure},
		{"status 206", status(206), reasons.HTTPSFailure},
		{"status 401", status(401), reasons.HTTPSFailure},
		{"status 403", status(403), reasons.HTTPSFailure},
		{"status 500", status(500), reasons.HTTPSFailure},
		{"status 503", status(503), reasons.HTTPSFailure},
		{"no status", status(0), reasons.HTTPSFailure},
		{"no address", served(func(d *Document) { *d = Document{URL: d.URL, NoAddress: true} }), reasons.NoStatement},
		{"media type of pages", mediaType("text/html"), reasons.NoStatement},
		{"media type of octets", mediaType("application/octet-stream"), reasons.NoStatement},
		{"media type of JOSE", mediaType("application/jose"), reasons.NoStatement},
		{"no media type", mediaType(""), reasons.NoStatement},
		{"time-out", failedDocument(reasons.HTTPSTimeout), reasons.HTTPSTimeout},
		{"failure", failedDocument(reasons.HTTPSFailure), reasons.HTTPSFailure},
		{"bad redirect", failedDocument(reasons.BadRedirect), reasons.BadRedirect},
		{"too large a body", failedDocument(reasons.DocumentTooLarge), reasons.DocumentTooLarge},
		{"address not allowed", failedDocument(reasons.AddressNotAllowed), reasons.AddressNotAllowed},
		{"unanswered", failedDocument(reasons.Unanswered), reasons.Unanswered},

		{"LF at the end", body(func(b string) string { return b + "\n" }), reasons.Verified},
		{"CR LF at the end", body(func(b string) string { return b + "\r\n" }), reasons.Verified},
		{"two LF at the end", body(func(b string) string { return b + "\n\n" }), reasons.MalformedToken},
		{"two CR LF at the end", body(func(b string) string { return b + "\r\n\r\n" }), reasons.MalformedToken},
		{"CR at the end", body(func(b string) string { return b + "\r" }), reasons.MalformedToken},
		{"LF CR at the end", body(func(b string) string { return b + "\n\r" }), reasons.MalformedToken},
		{"LF at the beginning", body(func(b string) string { return "\n" + b }), reasons.MalformedToken},
		{"space at the end", body(func(b string) string { return b + " " }), reasons.MalformedToken},
		{"byte order mark", body(func(b string) string { return "\ufeff" + b }), reasons.MalformedToken},
		{"text of a TXT record", body(func(b string) string { return JWS.TXTRecord([]byte(b)) }), reasons.MalformedToken},
		{"empty", body(func(string) string { return "" }), reasons.MalformedToken},
		{"a page", body(func(string) string { return "<html></html>" }), reasons.MalformedToken},
		{"32,768 octets", body(func(b string) string { return string(make([]byte, MaxStatementSize)) }), reasons.MalformedToken},
		{"32,769 octets", body(func(b string) string { return string(make([]byte, MaxStatementSize+1)) }), reasons.StatementTooLarge},
		{"32,768 octets and LF", body(func(b string) string { return string(make([]byte, MaxStatementSize)) + "\n" }), reasons.MalformedToken},
	}
}

func TestDocuments(t *testing.T) { runCases(t, 37, documentCases()) }

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
