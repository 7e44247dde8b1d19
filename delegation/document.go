package delegation

import (
	"strconv"
	"strings"
)

// The HTTP status codes that mean something here (RFC 9110, Section 15).
const (
	statusOK       = 200
	statusNotFound = 404
	statusGone     = 410
)

// gatherDocument judges what one HTTPS address served. Only a 200 with the
// right media type is a statement, good or bad. 404 and 410, a host without an
// address, and a 200 with another media type (many servers answer any path
// with a page) say that there is none. All else says nothing.
func (v *verification) gatherDocument(d *Document) {
	if d.URL == "" {
		body := trimDocument(d.Body)
		v.log.ok("file", d.File, "read, %d octets", len(d.Body))
		v.candidates = append(v.candidates, candidate{d.File, sniff(body), body, -1})
		return
	}
	encoding := v.encodingAt(d.URL)
	switch {
	case d.Failure != nil:
		v.lookupFailed("https", d.URL, d.Failure)
	case d.NoAddress:
		v.log.info("https", d.URL, "no statement there: the host has no address")
	case d.Status == statusNotFound || d.Status == statusGone:
		v.log.info("https", d.URL, "no statement there (status %d)", d.Status)
	case d.Status != statusOK:
		v.lookupFailed("https", d.URL, &Failure{HTTPSFailure, "status " + strconv.Itoa(d.Status)})
	case d.MediaType != encoding.MediaType():
		v.log.info("https", d.URL, "no statement there: it is served as %.100q; if it is one, configure the server to say %s", d.MediaType, encoding.MediaType())
	default:
		v.log.ok("https", d.URL, "found, %d octets", len(d.Body))
		v.candidates = append(v.candidates, candidate{d.URL, encoding, trimDocument(d.Body), d.MaxAge})
	}
}

// encodingAt is the encoding of a URL that Evidence.check has let pass.
func (v *verification) encodingAt(url string) Encoding {
	for _, e := range Encodings() {
		if strings.HasSuffix(url, e.suffix()) {
			return e
		}
	}
	return ""
}
