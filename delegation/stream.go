package delegation

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// StreamOrigin is the origin of a statement that came in an XMPP stream, in checks
// and in [Proven].
const StreamOrigin = "stream"

// ParseStreamStatement reads a statement as an XMPP stream carries it (docs/stream.md,
// section 5): as a TXT record does. It decodes and bounds; nothing is judged yet. The
// error is an *[Error].
func ParseStreamStatement(encoding, text string) (StreamStatement, error) {
	e := Encoding(encoding)
	switch {
	case !slices.Contains(Encodings(), e):
		return StreamStatement{}, Errorf(reasons.UnsupportedEncoding, "a stream carries no statement in the encoding %.40q", encoding)
	case text == "":
		return StreamStatement{}, Errorf(reasons.MalformedRecord, "the statement is empty")
	case len(text) > base64.StdEncoding.EncodedLen(limits.MaxStatementSize), e == JWS && len(text) > limits.MaxStatementSize:
		return StreamStatement{}, Errorf(reasons.StatementTooLarge, "%d characters; a statement has at most %d bytes", len(text), limits.MaxStatementSize)
	}
	if i := notOfValue(text); i < len(text) {
		return StreamStatement{}, Errorf(reasons.MalformedRecord, "after %d characters of the statement comes %s, which no statement has", i, shown(text[i:]))
	}
	if e == JWS {
		return StreamStatement{e, []byte(text)}, nil
	}
	body, err := strictBase64.DecodeString(text)
	if err != nil {
		return StreamStatement{}, Errorf(reasons.MalformedRecord, "the statement is not canonical base64")
	}
	return StreamStatement{e, body}, nil
}

// FileStatement is what stands in a file, as dnasign writes it, in whichever encoding.
func FileStatement(body []byte) StreamStatement {
	e := sniff(body)
	return StreamStatement{e, trimDocument(e, body)}
}

// Text is what a stream carries. For what [ParseStreamStatement] accepted it is the
// same text.
func (s StreamStatement) Text() string {
	_, text, _ := strings.Cut(s.Encoding.TXTRecord(s.Body), "; s=")
	return text
}

// gatherStream takes a statement out of a stream, if it may count:
// docs/stream.md. Whoever brings it chose it, and a newer one or a revocation may
// be published. So every place must have answered first, and hold nothing, good
// or bad.
// Otherwise why says why not.
func (v *verification) gatherStream(s *StreamStatement, why string) {
	if why != "" {
		v.log.info("stream", StreamOrigin, "not looked at: %s", why)
		return
	}
	v.log.ok("stream", StreamOrigin, "brought by the peer, %d octets", len(s.Body))
	v.add(candidate{origin: StreamOrigin, channel: inStream, encoding: s.Encoding, raw: s.Body, maxAge: int64(v.evidence.TXT[0].TTL)})
}

// Unpublished reports whether every place answered and none holds a statement, good
// or bad. Only then does a way count that anybody may choose or nobody signs: a
// statement from a stream, and POSH.
func (e *Evidence) Unpublished() bool { return e.published() == "" }

// published says why not, or "".
func (e *Evidence) published() string {
	if slices.ContainsFunc(e.Documents, func(d Document) bool { return d.holds() }) || slices.ContainsFunc(e.TXT, func(a TXTAnswer) bool {
		return slices.ContainsFunc(a.Records, isTXTRecord)
	}) {
		return "DNS or the web server has a statement"
	}
	if len(e.TXT) == 0 || e.TXT[0].Failure != nil || e.TXT[0].DNSSEC == Bogus {
		return "DNS has not answered"
	}
	answered := 0
	for i := range e.Documents {
		if e.Documents[i].answered() {
			answered++
		}
	}
	if answered < len(Encodings()) {
		return "the web server has not answered"
	}
	return ""
}

// answered reports whether it is known that no statement is there, given that
// none was found. A host that refuses connections serves nothing.
func (d *Document) answered() bool {
	return d.NoServer || d.Failure == nil && (d.NoAddress || d.Status == statusOK || d.Status == statusNotFound || d.Status == statusGone)
}
