package delegation

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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

// TestDocument: what a result rests on verifies again as a document, wherever it
// stood and whatever stood beside it.
func TestDocument(t *testing.T) {
	for _, encoding := range Encodings() {
		old := newTrial(t)
		old.statement.Issued = old.statement.Issued.Add(-time.Hour)
		tr := newTrial(t)
		raw, err := Sign(tr.statement, encoding, tr.signer)
		if err != nil {
			t.Fatal(err)
		}
		url := DocumentURL(source, service, encoding)
		web := Document{URL: url, Status: 200, MediaType: encoding.MediaType(), MaxAge: -1, Body: raw}
		older := JWS.TXTRecord(old.sign())
		for name, e := range map[string]*Evidence{
			"in DNS":                       evidenceOf(txtAnswer(encoding.TXTRecord(raw))),
			"in DNS, after an older one":   evidenceOf(txtAnswer("v=spf1", older, encoding.TXTRecord(raw))),
			"on the web":                   evidenceOf(web),
			"on the web, an older in DNS":  evidenceOf(txtAnswer(older), web),
			"in both places":               evidenceOf(txtAnswer(encoding.TXTRecord(raw)), web),
			"in DNS, with what is no good": evidenceOf(txtAnswer("v=DNA1; e=jws; s=x", encoding.TXTRecord(raw))),
		} {
			result, err := Verify(tr.query, e, tr.policy)
			if err != nil {
				t.Fatalf("%s, %s: %v", encoding, name, err)
			}
			document := result.Document(e)
			again, err := Verify(tr.query, tr.query.FileEvidence("kept", document), tr.policy)
			if err != nil || again.Floor() != result.Floor() || !bytes.Equal(document, raw) {
				t.Errorf("%s, %s: %d bytes: %v", encoding, name, len(document), err)
			}
			if got := result.Document(evidenceOf(txtAnswer())); got != nil {
				t.Errorf("%s, %s: in other evidence: %q", encoding, name, got)
			}
		}
	}
}
