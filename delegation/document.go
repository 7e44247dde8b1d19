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
		v.log.ok("file", d.File, "read, %d octets", len(d.Body))
		v.addDocument(d.File, sniff(d.Body), d.Body, -1)
		return
	}
	encoding := encodingAt(d.URL)
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
		v.addDocument(d.URL, encoding, d.Body, d.MaxAge)
	}
}

func (v *verification) addDocument(origin string, e Encoding, body []byte, maxAge int64) {
	v.candidates = append(v.candidates, candidate{origin, inDocument, e, trimDocument(e, body), maxAge})
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
