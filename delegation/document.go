package delegation

import (
	"fmt"
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// The HTTP status codes that mean something here (RFC 9110, Section 15).
const (
	statusOK       = 200
	statusNotFound = 404
	statusGone     = 410
)

// gatherDocument judges what one HTTPS address served. Only a 200 with the
// right media type is a statement, good or bad. There is no statement after
// 404 or 410, or at a host without an address. The same holds after a 200 with
// another media type: many servers answer any path with a page. All else says
// nothing.
func (v *verification) gatherDocument(d *Document) {
	if d.URL == "" {
		v.log.ok("file", d.File, "read, %d octets", len(d.Body))
		v.addDocument(d.File, sniff(d.Body), d.Body, -1)
		return
	}
	encoding := encodingAt(d.URL)
	switch {
	case d.Failure != nil:
		v.lookupFailed("https", d.URL, d.Failure.error())
	case d.NoAddress:
		v.log.info("https", d.URL, "no statement there: the host has no address")
	case d.Status == statusNotFound || d.Status == statusGone:
		v.log.info("https", d.URL, "no statement there (status %d)", d.Status)
	case d.Status != statusOK:
		v.lookupFailed("https", d.URL, Errorf(reasons.HTTPSFailure, "%s (status %d)", aboutStatus(d.Status), d.Status))
	case !d.holds():
		v.otherType(d, encoding)
	default:
		v.log.ok("https", d.URL, "found, %d octets", len(d.Body))
		v.addDocument(d.URL, encoding, d.Body, d.MaxAge)
	}
}

// holds reports whether a statement is there, good or bad: a file, or a 200 with the
// right media type.
func (d *Document) holds() bool {
	return d.URL == "" || d.Failure == nil && !d.NoAddress && d.Status == statusOK && d.MediaType == encodingAt(d.URL).MediaType()
}

// typeOfPages is what many servers show for any path. No statement is there by
// mistake then, so a verdict does not mention it.
const typeOfPages = "text/html"

// otherType notes a document with the media type of something else.
func (v *verification) otherType(d *Document, e Encoding) {
	instead := fmt.Sprintf("it is served as %.100q; if it is one, configure the server to say %s", d.MediaType, e.MediaType())
	if d.MediaType == typeOfPages {
		v.log.info("https", d.URL, "no statement there: %s", instead)
		return
	}
	v.nothing("https", d.URL, instead)
}

// aboutStatus is what a status says that is neither 200, 404 nor 410.
func aboutStatus(status int) string {
	switch {
	case status == 401 || status == 403:
		return "the web server forbids it: look at the permissions, at rules against names with a dot in front, and at bot filters"
	case status == 429:
		return "the web server had too many requests: wait, and take /.well-known/dna/ out of its limit"
	case status >= 500:
		return "the web server fails, or what is behind it: look at its log, or try again later"
	}
	return "the web server must answer with 200 and the file, or with 404 if there is none"
}

func (v *verification) addDocument(origin string, e Encoding, body []byte, maxAge int64) {
	v.add(candidate{origin: origin, channel: inDocument, encoding: e, raw: trimDocument(e, body), maxAge: maxAge})
}

// encodingAt is the encoding of a URL that Evidence.check has let pass.
func encodingAt(url string) Encoding {
	for _, e := range Encodings() {
		if strings.HasSuffix(url, e.suffix()) {
			return e
		}
	}
	return ""
}
