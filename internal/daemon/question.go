package daemon

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// A question is what a client asks: does the peer that showed this chain count
// as the source?
type question struct {
	source    string
	nameless  bool   // the source is no name that could have a statement, in whatever form
	service   string // the role
	direction association.Direction
	shown     []byte                      // the chain as it stands in the question
	chain     []*x509.Certificate         // what it means
	known     uint64                      // its number among those that were known before; 0 if it is new
	unusable  *delegation.Error           // instead of the chain: what the peer showed cannot be used
	target    delegation.Endpoint         // outgoing: what was dialled; zero if nobody knows
	peer      netip.Addr                  // zero if nobody knows
	evidence  bool                        // in the answer
	recheck   bool                        // the connection is open because of an earlier answer
	verified  bool                        // the caller verified the path from the certificate to its own anchors
	brought   *delegation.StreamStatement // in the stream; nil if nothing was
	illegible *delegation.Error           // instead: what was brought is no statement
}

// readQuestion reads a question. It is strict: what the caller misspelt must
// not be taken for what it left out. The error is a *[delegation.Error],
// [reasons.BadQuery] or [reasons.MissingInput]. The question then has what was
// read of source, service and direction, so that the answer can repeat it. A
// fault of the peer, not of the caller, is not an error: the answer has to say
// all the same whether the source has a statement. A chain that is known is not
// read again.
func readQuestion(body []byte, known *chains) (question, error) {
	var q question
	var service, direction, chain, encoding, text string
	brought := false
	r := &reader{text: body}
	err := r.whole(func(name string) error {
		switch name {
		case "direction":
			return r.string(&direction)
		case "chain":
			q.shown = r.token()
			if q.chain, q.known = known.find(q.shown); q.known != 0 {
				return nil
			}
			return unquote(q.shown, &chain)
		case "recheck":
			return r.boolean(&q.recheck)
		case "chain_verified":
			return r.boolean(&q.verified)
		case "statement":
			brought = true
			return r.object(func(name string) error {
				switch name {
				case "encoding":
					return r.string(&encoding)
				case "text":
					return r.string(&text)
				}
				return unknown(name)
			}, "encoding", "text")
		case "target":
			return r.object(func(name string) error {
				switch name {
				case "host":
					return r.string(&q.target.Host)
				case "port":
					return r.port(&q.target.Port)
				}
				return unknown(name)
			}, "host", "port")
		}
		return r.member(name, &q, &service)
	}, "source", "service", "direction", "chain")
	if err != nil {
		return q, err
	}
	if err := q.about(service); err != nil {
		return q, err
	}
	switch q.direction = association.Direction(direction); q.direction {
	case association.Incoming, association.Outgoing:
	default:
		q.direction = ""
		return q, bad("direction %.40q is neither incoming nor outgoing", direction)
	}
	if q.target != (delegation.Endpoint{}) {
		if q.direction == association.Incoming {
			return q, bad("target: an incoming connection was not dialled by us")
		}
		if err := delegation.CheckName(q.target.Host); err != nil {
			return q, bad("target: %v", err)
		}
	}
	if brought {
		q.bring(encoding, text)
	}
	if q.known == 0 {
		q.chain, q.unusable, err = certificates(chain)
	}
	if q.verified && len(q.chain) > 1 {
		return q, bad("chain_verified: the chain has %d certificates; leave chain_verified out, and the daemon verifies the path", len(q.chain))
	}
	return q, err
}

// bring reads what the peer brought. The peer chose it.
func (q *question) bring(encoding, text string) {
	s, err := delegation.ParseStreamStatement(encoding, text)
	if err != nil {
		errors.As(err, &q.illegible)
		return
	}
	q.brought = &s
}

// member reads what every question may have.
func (r *reader) member(name string, q *question, service *string) error {
	switch name {
	case "source":
		return r.string(&q.source)
	case "service":
		return r.string(service)
	case "peer":
		return r.address(&q.peer)
	case "evidence":
		return r.boolean(&q.evidence)
	}
	return unknown(name)
}

// about checks the source, and takes the service.
func (q *question) about(service string) error {
	if err := delegation.CheckName(q.source); err != nil {
		// The peer writes the name, for example in upper case. It must not
		// choose that way that the domain has no statement.
		_, unusable := delegation.ParseName(q.source)
		q.nameless, q.source = unusable != nil, ""
		return bad("source: %v", err)
	}
	service, err := delegation.ParseService(service)
	if err != nil {
		return bad("%v", err)
	}
	q.service = delegation.RoleOf(service).Service
	if err := delegation.CheckTXTName(q.source, q.service); err != nil {
		return bad("%v", err)
	}
	return nil
}

// certificates reads a chain in PEM: certificate after certificate, with blank
// lines around them at most. That PEM is the caller's. The peer chooses its
// content. It is unusable if it shows nothing, too much, no certificate, or a
// key of a size that nobody should verify with. This is decided before any
// signature is checked.
func certificates(text string) (chain []*x509.Certificate, unusable *delegation.Error, err error) {
	rest := afterBlankLines([]byte(text))
	if len(rest) == 0 {
		return nil, delegation.Errorf(reasons.PeerUntrusted, "the peer showed no certificate"), nil
	}
	const begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
	for n := 1; len(rest) > 0; n++ {
		if !bytes.HasPrefix(rest, []byte(begin)) {
			return nil, nil, bad("chain: after %d certificates comes something else", n-1)
		}
		// One block at a time, to the end of its last line: Decode passes over one
		// that it cannot read.
		piece, after, found := bytes.Cut(rest, []byte(end))
		if !found || bytes.Contains(piece[1:], []byte("-----BEGIN")) {
			return nil, nil, bad("chain: certificate %d has no end", n)
		}
		_, after, _ = bytes.Cut(after, []byte("\n"))
		block, _ := pem.Decode(rest[:len(rest)-len(after)])
		if block == nil || len(block.Headers) > 0 {
			return nil, nil, bad("chain: certificate %d is not in PEM", n)
		}
		rest = afterBlankLines(after)
		if unusable != nil {
			continue // the rest is to be PEM all the same
		}
		c, err := x509.ParseCertificate(block.Bytes)
		switch {
		case n > limits.MaxPeerCertificates:
			unusable = delegation.Errorf(reasons.PeerUntrusted, "the peer showed more than %d certificates", limits.MaxPeerCertificates)
		case err != nil:
			unusable = delegation.Errorf(reasons.PeerUntrusted, "certificate %d of the peer cannot be read: %v", n, err)
		default:
			if err := keys.CheckSize(c.PublicKey); err != nil {
				unusable = delegation.Errorf(reasons.UnsupportedKey, "certificate %d of the peer: %v", n, err)
			}
		}
		chain = append(chain, c)
	}
	if unusable != nil {
		return nil, unusable, nil
	}
	return chain, nil, nil
}

// afterBlankLines passes over lines that hold white space at most.
func afterBlankLines(text []byte) []byte {
	for {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		switch {
		case len(bytes.TrimSpace(line)) > 0:
			return text
		case !found:
			return nil
		}
		text = rest
	}
}

func bad(format string, args ...any) error {
	return delegation.Errorf(reasons.BadQuery, format, args...)
}

func missing(format string, args ...any) error {
	return delegation.Errorf(reasons.MissingInput, format, args...)
}

// A reader reads one JSON object strictly: encoding/json takes names in any case,
// names twice, null for anything and bytes that are no text. The module's own
// strict parser knows no escapes, which PEM needs for its line ends.
type reader struct {
	text []byte
	at   int
}

// whole reads a text that is one object and nothing else.
func (r *reader) whole(member func(name string) error, needed ...string) error {
	if !utf8.Valid(r.text) {
		return bad("the body is not UTF-8")
	}
	if err := r.object(member, needed...); err != nil {
		return err
	}
	if len(r.token()) > 0 {
		return bad("something follows the question")
	}
	return nil
}

// object reads an object. member reads the value of a name.
func (r *reader) object(member func(name string) error, needed ...string) error {
	if t := r.token(); string(t) != "{" {
		return bad("an object is needed%s", atEnd(t))
	}
	seen := make([]string, 0, 16)
	t := r.token()
	for string(t) != "}" {
		var name string
		if err := unquote(t, &name); err != nil {
			return bad("not JSON: the name of a member: %v", err)
		}
		if slices.Contains(seen, name) {
			return bad("%q is there twice", name)
		}
		seen = append(seen, name)
		if t = r.token(); string(t) != ":" {
			return bad("not JSON: a colon is needed after %.40q%s", name, atEnd(t))
		}
		if err := member(name); err != nil {
			var e *delegation.Error
			if errors.As(err, &e) {
				return err
			}
			return bad("%s: %v", name, err)
		}
		switch t = r.token(); string(t) {
		case "}":
		case ",":
			if t = r.token(); string(t) == "}" {
				return bad("not JSON: a comma stands before the end of an object")
			}
		default:
			return bad("not JSON: a comma or the end of an object is needed after %.40q%s", name, atEnd(t))
		}
	}
	for _, name := range needed {
		if !slices.Contains(seen, name) {
			return missing("%q is needed", name)
		}
	}
	return nil
}

// token reads the next bracket, colon or comma, or a string, number or word that
// may be malformed. It is empty at the end of the text.
func (r *reader) token() []byte {
	for r.at < len(r.text) && isSpace(r.text[r.at]) {
		r.at++
	}
	start := r.at
	switch {
	case start == len(r.text):
		return nil
	case r.text[start] == '"':
		r.at = endOfString(r.text, start)
	case isMark(r.text[start]):
		r.at++
	default:
		for r.at < len(r.text) && !isSpace(r.text[r.at]) && !isMark(r.text[r.at]) {
			r.at++
		}
	}
	return r.text[start:r.at]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isMark(c byte) bool { return bytes.IndexByte([]byte(`{}[]:,"`), c) >= 0 }

// endOfString is where a string that begins at start ends: behind a quotation mark
// that an even number of backslashes precedes, or at the end of the text.
func endOfString(text []byte, start int) int {
	for end := start + 1; ; end++ {
		i := bytes.IndexByte(text[end:], '"')
		if i < 0 {
			return len(text)
		}
		end += i
		inside := text[start+1 : end]
		if (len(inside)-len(bytes.TrimRight(inside, `\`)))%2 == 0 {
			return end + 1
		}
	}
}

func (r *reader) string(to *string) error { return unquote(r.token(), to) }

// unquote reads a string. encoding/json judges the ones with escapes, and those
// with bytes that need one.
func unquote(token []byte, to *string) error {
	if len(token) < 2 || token[0] != '"' {
		return fmt.Errorf("a string is needed%s", atEnd(token))
	}
	inside := token[1 : len(token)-1]
	if token[len(token)-1] == '"' && !bytes.ContainsFunc(inside, func(c rune) bool { return c < ' ' || c == '\\' }) {
		*to = string(inside)
		return nil
	}
	if err := json.Unmarshal(token, to); err != nil {
		return fmt.Errorf("a string is needed: %w", err)
	}
	return nil
}

func (r *reader) boolean(to *bool) error {
	t := r.token()
	*to = string(t) == "true"
	if !*to && string(t) != "false" {
		return fmt.Errorf("true or false is needed%s", atEnd(t))
	}
	return nil
}

func (r *reader) port(to *uint16) error {
	t := r.token()
	p, err := strconv.ParseUint(string(t), 10, 16)
	if err != nil || t[0] == '0' {
		return fmt.Errorf("a port from 1 to 65535 is needed%s", atEnd(t))
	}
	*to = uint16(p)
	return nil
}

func (r *reader) address(to *netip.Addr) error {
	var text string
	if err := r.string(&text); err != nil {
		return fmt.Errorf("an IP address: %w", err)
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return errors.New("an IP address is needed, without a port")
	}
	*to = address.WithZone("") // of our own machine, and as long as the caller likes
	return nil
}

// atEnd says so if a token is missing because the text has ended.
func atEnd(token []byte) string {
	if len(token) > 0 {
		return ""
	}
	return ": unexpected end of JSON input"
}

func unknown(name string) error { return bad("there is no member %.40q", name) }
