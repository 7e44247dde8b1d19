package daemon

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/keys"
)

// A question is what a client asks: does the peer that showed this chain count
// as the source?
type question struct {
	source    string
	nameless  bool // the source is no name that could have a statement, in whatever form
	service   string
	direction association.Direction
	chain     []*x509.Certificate
	unusable  *delegation.Error   // instead of the chain: what the peer showed cannot be used
	target    delegation.Endpoint // outgoing: what was dialled; zero if nobody knows
	peer      netip.Addr          // zero if nobody knows
	evidence  bool                // in the answer
}

// decode reads a question. It is strict: what the caller misspelt must not be
// taken for what it left out. The error is a *[delegation.Error],
// [delegation.BadQuery] or [delegation.MissingInput], and then what was read of
// source, service and direction is in the question for the answer to repeat.
// What the peer did wrong, and not the caller, is no error: the answer has to
// say whether the source has a statement all the same.
func decode(body []byte) (question, error) {
	var q question
	var service, direction, chain string
	r := &reader{json.NewDecoder(bytes.NewReader(body))}
	r.UseNumber()
	err := r.whole(body, members{
		"source":    str(&q.source),
		"service":   str(&service),
		"direction": str(&direction),
		"chain":     str(&chain),
		"peer":      address(&q.peer),
		"evidence":  boolean(&q.evidence),
		"target": func(r *reader) error {
			return r.object(members{"host": str(&q.target.Host), "port": port(&q.target.Port)}, "host", "port")
		},
	}, "source", "service", "direction", "chain")
	if err != nil {
		return q, err
	}
	if err := delegation.CheckName(q.source); err != nil {
		q.nameless = !nearly(q.source)
		q.source = ""
		return q, bad("source: %v", err)
	}
	if q.service, err = serviceName(service); err != nil {
		return q, err
	}
	if name := delegation.TXTName(q.source, q.service); len(name) > delegation.MaxNameLength {
		return q, bad("%s is longer than %d octets", name, delegation.MaxNameLength)
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
	q.chain, q.unusable, err = certificates(chain)
	return q, err
}

// maxTyped bounds what may be a name in another form, in octets (RFC 7622,
// Section 3.2: the domain part of an address).
const maxTyped = 1023

// nearly reports whether a source is a name in another form, such as in upper
// case. It is the peer who writes it so, and who must not choose thereby that
// the domain has no statement.
func nearly(source string) bool {
	if len(source) > maxTyped {
		return false
	}
	_, err := delegation.ParseName(source)
	return err == nil
}

// serviceName takes _xmpp-server._tcp, and xmpp-server for short.
func serviceName(s string) (string, error) {
	if !strings.HasPrefix(s, "_") && !strings.Contains(s, ".") {
		s = "_" + s + "._tcp"
	}
	if err := delegation.CheckService(s); err != nil {
		return "", bad("%v", err)
	}
	return s, nil
}

// certificates reads a chain in PEM: certificate after certificate, with blank
// lines around them at most. That PEM is the caller's. What is in it is the
// peer's: if it shows nothing, too much, no certificate, or a key of a size that
// nobody should verify with, it is unusable, before any signature is checked.
func certificates(text string) (chain []*x509.Certificate, unusable *delegation.Error, err error) {
	rest := afterBlankLines([]byte(text))
	if len(rest) == 0 {
		return nil, refuse(delegation.PeerUntrusted, "the peer showed no certificate"), nil
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
		case n > delegation.MaxPeerCertificates:
			unusable = refuse(delegation.PeerUntrusted, "the peer showed more than %d certificates", delegation.MaxPeerCertificates)
		case err != nil:
			unusable = refuse(delegation.PeerUntrusted, "certificate %d of the peer cannot be read: %v", n, err)
		default:
			if err := keys.CheckSize(c.PublicKey); err != nil {
				unusable = refuse(delegation.UnsupportedKey, "certificate %d of the peer: %v", n, err)
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

// A reader reads one JSON object strictly: encoding/json by itself takes names
// in any case, names twice, null for anything and octets that are no text. The
// module's own strict parser knows no escapes, which PEM needs for its line
// ends.
type reader struct{ *json.Decoder }

// members says how the value of each name is read.
type members map[string]func(*reader) error

// whole reads a body that is one object and nothing else.
func (r *reader) whole(body []byte, m members, needed ...string) error {
	if !utf8.Valid(body) {
		return bad("the body is not UTF-8")
	}
	if err := r.object(m, needed...); err != nil {
		return err
	}
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return bad("something follows the question")
	}
	return nil
}

func (r *reader) object(m members, needed ...string) error {
	if t, err := r.Token(); err != nil || t != json.Delim('{') {
		return bad("an object is needed%s", detail(err))
	}
	var seen []string
	for r.More() {
		t, err := r.Token()
		if err != nil {
			return bad("not JSON%s", detail(err))
		}
		name, _ := t.(string) // within an object it is one
		read, known := m[name]
		switch {
		case !known:
			return bad("there is no member %.40q", name)
		case slices.Contains(seen, name):
			return bad("%q is there twice", name)
		}
		seen = append(seen, name)
		if err := read(r); err != nil {
			var e *delegation.Error
			if errors.As(err, &e) {
				return err
			}
			return bad("%s: %v", name, err)
		}
	}
	if t, err := r.Token(); err != nil || t != json.Delim('}') {
		return bad("not JSON%s", detail(err))
	}
	for _, name := range needed {
		if !slices.Contains(seen, name) {
			return missing("%q is needed", name)
		}
	}
	return nil
}

func detail(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// value reads a value that is no object and no array.
func value[T any](what string, set func(T) error) func(*reader) error {
	return func(r *reader) error {
		t, err := r.Token()
		v, ok := t.(T)
		if err != nil || !ok {
			return fmt.Errorf("%s is needed%s", what, detail(err))
		}
		return set(v)
	}
}

func str(to *string) func(*reader) error {
	return value("a string", func(s string) error { *to = s; return nil })
}

func boolean(to *bool) func(*reader) error {
	return value("true or false", func(b bool) error { *to = b; return nil })
}

func port(to *uint16) func(*reader) error {
	return value("a port from 1 to 65535", func(n json.Number) error {
		p, err := strconv.ParseUint(n.String(), 10, 16)
		if err != nil || p == 0 {
			return errors.New("a port from 1 to 65535 is needed")
		}
		*to = uint16(p)
		return nil
	})
}

func address(to *netip.Addr) func(*reader) error {
	return value("an IP address", func(s string) (err error) {
		if *to, err = netip.ParseAddr(s); err != nil {
			return errors.New("an IP address is needed, without a port")
		}
		return nil
	})
}

func bad(format string, args ...any) error { return refuse(delegation.BadQuery, format, args...) }

func missing(format string, args ...any) error {
	return refuse(delegation.MissingInput, format, args...)
}

func refuse(reason delegation.Reason, format string, args ...any) *delegation.Error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
