package delegation

import "testing"

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

func failedDocument(reason Reason) func(*trial) {
	return served(func(d *Document) { *d = Document{URL: d.URL, Failure: &Failure{reason, "it did not work"}} })
}

func documentCases() []verifyCase {
	return []verifyCase{
		{"good", served(func(*Document) {}), Verified},
		{"status 404", status(404), NoStatement},
		{"status 410", status(410), NoStatement},
		{"status 301", status(301), HTTPSFailure},
		{"status 204", status(204), HTTPSFailure},
		{"status 206", status(206), HTTPSFailure},
		{"status 401", status(401), HTTPSFailure},
		{"status 403", status(403), HTTPSFailure},
		{"status 500", status(500), HTTPSFailure},
		{"status 503", status(503), HTTPSFailure},
		{"no status", status(0), HTTPSFailure},
		{"no address", served(func(d *Document) { *d = Document{URL: d.URL, NoAddress: true} }), NoStatement},
		{"media type of pages", mediaType("text/html"), NoStatement},
		{"media type of octets", mediaType("application/octet-stream"), NoStatement},
		{"media type of JOSE", mediaType("application/jose"), NoStatement},
		{"no media type", mediaType(""), NoStatement},
		{"time-out", failedDocument(HTTPSTimeout), HTTPSTimeout},
		{"failure", failedDocument(HTTPSFailure), HTTPSFailure},
		{"bad redirect", failedDocument(BadRedirect), BadRedirect},
		{"too large a body", failedDocument(DocumentTooLarge), DocumentTooLarge},
		{"address not allowed", failedDocument(AddressNotAllowed), AddressNotAllowed},
		{"unanswered", failedDocument(Unanswered), Unanswered},

		{"LF at the end", body(func(b string) string { return b + "\n" }), Verified},
		{"CR LF at the end", body(func(b string) string { return b + "\r\n" }), Verified},
		{"two LF at the end", body(func(b string) string { return b + "\n\n" }), MalformedToken},
		{"two CR LF at the end", body(func(b string) string { return b + "\r\n\r\n" }), MalformedToken},
		{"CR at the end", body(func(b string) string { return b + "\r" }), MalformedToken},
		{"LF CR at the end", body(func(b string) string { return b + "\n\r" }), MalformedToken},
		{"LF at the beginning", body(func(b string) string { return "\n" + b }), MalformedToken},
		{"space at the end", body(func(b string) string { return b + " " }), MalformedToken},
		{"byte order mark", body(func(b string) string { return "\ufeff" + b }), MalformedToken},
		{"text of a TXT record", body(func(b string) string { return TXTRecord(JWS, []byte(b)) }), MalformedToken},
		{"empty", body(func(string) string { return "" }), MalformedToken},
		{"a page", body(func(string) string { return "<html></html>" }), MalformedToken},
		{"32,768 octets", body(func(b string) string { return string(make([]byte, MaxStatementSize)) }), MalformedToken},
		{"32,769 octets", body(func(b string) string { return string(make([]byte, MaxStatementSize+1)) }), StatementTooLarge},
		{"32,768 octets and LF", body(func(b string) string { return string(make([]byte, MaxStatementSize)) + "\n" }), MalformedToken},
	}
}

func TestDocuments(t *testing.T) { runCases(t, 37, documentCases()) }

// TestFile: a file is judged as a document is, without the parts of HTTP.
func TestFile(t *testing.T) {
	tr := newTrial(t)
	tr.evidence = evidenceOf(Document{File: "statement.jws", Body: append(tr.sign(), '\n')})
	result, err := tr.verify()
	wantEnd(t, Verified, result, err)
	if got := result.Statements()[0].Origin; got != "statement.jws" {
		t.Errorf("origin %q", got)
	}
}
