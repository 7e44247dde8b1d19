// Package xmpp is the client side of an XMPP stream (RFC 6120) as far as
// STARTTLS, between servers and from client to server. It says hello, looks for
// the offer, and asks for TLS; the handshake is the caller's.
//
//	StartTLS: stream header -> features -> <starttls/> -> <proceed/>
//
// Nothing it reads is protected, so nothing it reads is believed: it yields no
// value but "TLS may begin". It reads a restricted XML (RFC 6120, Section 11.1)
// within limits, and refuses octets that come with <proceed/>.
package xmpp

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/text"
)

// Limits of what is read before TLS.
const (
	// maxStream bounds the stream header, the features and the answer
	// together, in octets. Servers of the field send one or two thousand.
	maxStream = 64 << 10
	// maxDepth bounds the elements inside each other, the stream included.
	// Features need four.
	maxDepth = 8
	// maxText bounds what is shown of the peer's words, in octets.
	maxText = 200
)

// The name spaces of RFC 6120.
const (
	NamespaceServer = "jabber:server" // between servers
	NamespaceClient = "jabber:client" // from client to server

	namespaceStreams = "http://etherx.jabber.org/streams"
	namespaceTLS     = "urn:ietf:params:xml:ns:xmpp-tls"
)

// A Stream is what its header says.
type Stream struct {
	Namespace string // NamespaceServer or NamespaceClient
	To        string // the domain whose service it is
	From      string // the domain that connects; empty leaves it out
}

// StartTLS opens a stream and negotiates STARTTLS (RFC 6120, Section 5.4.2).
// When it returns nil, the next octet in either direction belongs to TLS. It
// reads from conn without knowing where the answer ends, unless conn gives
// single octets; what it has read beyond is a refusal, never kept for later.
// The end of ctx ends it; then conn is of no more use.
//
// The error is a *[delegation.Error]: [delegation.STARTTLSMissing],
// [delegation.STARTTLSFailed], [delegation.STARTTLSInjection],
// [delegation.ConnectTimeout], [delegation.ConnectFailed], or
// [delegation.MissingInput] for a stream without name space or domain.
func StartTLS(ctx context.Context, conn net.Conn, s Stream) error {
	if s.To == "" || s.Namespace != NamespaceServer && s.Namespace != NamespaceClient {
		return refuse(delegation.MissingInput, "a stream needs a name space and a domain")
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // a broken socket ends reads too
	defer stop()
	n := newNegotiation(conn)
	err := n.run(s)
	var e *delegation.Error
	switch {
	case err == nil || errors.As(err, &e):
		return err
	case ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(delegation.ConnectTimeout, "no %s before the time was over", n.waiting)
	case n.limited.N <= 0:
		return refuse(delegation.STARTTLSFailed, "more than %d octets before TLS", maxStream)
	}
	if n.conn.err != nil {
		return refuse(delegation.ConnectFailed, "the connection ended where the %s should come: %v", n.waiting, n.conn.err)
	}
	return refuse(delegation.STARTTLSFailed, "what should be the %s is not XML of a stream: %s", n.waiting, shown(err.Error()))
}

// A negotiation is the state of one StartTLS.
type negotiation struct {
	conn    *watched
	limited *io.LimitedReader
	buffer  *bufio.Reader
	decoder *xml.Decoder
	waiting string // for what, for messages
	depth   int    // of the open elements
	first   bool   // nothing has been read
}

// watched remembers the error of the connection, which the XML decoder turns
// into one of syntax.
type watched struct {
	net.Conn
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.err = err
	return n, err
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.err = err
	return n, err
}

func newNegotiation(conn net.Conn) *negotiation {
	n := &negotiation{conn: &watched{Conn: conn}, first: true}
	n.limited = &io.LimitedReader{R: n.conn, N: maxStream}
	n.buffer = bufio.NewReader(n.limited)
	// The decoder reads single octets from a bufio.Reader, no more than it
	// needs.
	n.decoder = xml.NewDecoder(n.buffer)
	return n
}

func (n *negotiation) run(s Stream) error {
	n.waiting = "stream header"
	if _, err := io.WriteString(n.conn, s.header()); err != nil {
		return err
	}
	if err := n.begin(); err != nil {
		return err
	}
	header, err := n.element()
	if err != nil {
		return err
	}
	if header.Name != (xml.Name{Space: namespaceStreams, Local: "stream"}) {
		return refuse(delegation.STARTTLSFailed, "the peer begins with <%s>, not with a stream", shown(header.Name.Local))
	}
	n.waiting = "offer of STARTTLS"
	features, err := n.element()
	if err != nil {
		return err
	}
	switch features.Name {
	case xml.Name{Space: namespaceStreams, Local: "features"}:
	case xml.Name{Space: namespaceStreams, Local: "error"}:
		return n.streamError()
	default:
		return refuse(delegation.STARTTLSFailed, "the peer sends <%s> where its features should be", shown(features.Name.Local))
	}
	offered := false
	for depth := n.depth; n.depth >= depth; {
		start, err := n.next()
		if err != nil {
			return err
		}
		if start != nil && n.depth == depth+1 && start.Name == (xml.Name{Space: namespaceTLS, Local: "starttls"}) {
			offered = true
		}
	}
	if !offered {
		return refuse(delegation.STARTTLSMissing, "the peer does not offer STARTTLS")
	}
	n.waiting = "answer to STARTTLS"
	if _, err := io.WriteString(n.conn, "<starttls xmlns='"+namespaceTLS+"'/>"); err != nil {
		return err
	}
	return n.answer()
}

// begin passes white space over and refuses what is no XML at all at its first
// octet, where the decoder would wait for a "<" that never comes.
func (n *negotiation) begin() error {
	for {
		octet, err := n.buffer.ReadByte()
		switch {
		case err != nil:
			return err
		case octet == '<':
			return n.buffer.UnreadByte()
		case !strings.ContainsRune(" \t\r\n", rune(octet)):
			return refuse(delegation.STARTTLSFailed, "what should be the %s begins with %q, not with XML", n.waiting, octet)
		}
	}
}

// answer reads <proceed/> to its end, after which nothing may have come.
func (n *negotiation) answer() error {
	start, err := n.element()
	if err != nil {
		return err
	}
	switch start.Name {
	case xml.Name{Space: namespaceTLS, Local: "proceed"}:
	case xml.Name{Space: namespaceTLS, Local: "failure"}:
		return refuse(delegation.STARTTLSFailed, "the peer offered STARTTLS and then refused it")
	case xml.Name{Space: namespaceStreams, Local: "error"}:
		return n.streamError()
	default:
		return refuse(delegation.STARTTLSFailed, "the peer answers STARTTLS with <%s>", shown(start.Name.Local))
	}
	if inside, err := n.next(); err != nil {
		return err
	} else if inside != nil {
		return refuse(delegation.STARTTLSFailed, "<proceed> holds an element")
	}
	// RFC 6120, Section 5.4.3.3: TLS begins right after the closing ">".
	if n.buffer.Buffered() > 0 {
		return refuse(delegation.STARTTLSInjection, "%d octets came with <proceed/>, before TLS", n.buffer.Buffered())
	}
	return nil
}

// streamError reads what the peer has to say (RFC 6120, Section 4.9).
func (n *negotiation) streamError() error {
	condition, text := "", ""
	for depth := n.depth; n.depth >= depth; {
		token, err := n.token()
		if err != nil {
			break // what has been read is worth showing
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local != "text" && condition == "" {
				condition = token.Name.Local
			}
		case xml.CharData:
			text += string(token)
		}
	}
	detail := "the peer ends the stream: " + shown(condition)
	if text = strings.TrimSpace(text); text != "" {
		detail += fmt.Sprintf(" (%q)", shown(text))
	}
	return refuse(delegation.STARTTLSFailed, "%s", detail)
}

// element reads on to the next element; white space is passed over. That the
// stream or the connection ends instead is an error.
func (n *negotiation) element() (*xml.StartElement, error) {
	depth := n.depth
	start, err := n.next()
	if err == nil && start == nil && n.depth < depth {
		return nil, refuse(delegation.STARTTLSFailed, "the peer ends the stream where the %s should come", n.waiting)
	}
	return start, err
}

// next reads the next start or, as nil, end of an element.
func (n *negotiation) next() (*xml.StartElement, error) {
	for {
		token, err := n.token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			return &token, nil
		case xml.EndElement:
			return nil, nil
		case xml.CharData:
			if n.depth <= 1 && strings.TrimSpace(string(token)) != "" {
				return nil, refuse(delegation.STARTTLSFailed, "the peer sends text where the %s should come: %q", n.waiting, shown(string(token)))
			}
		}
	}
}

// token reads one token of the restricted XML: no comments, no document type,
// no processing instructions but the XML declaration at the beginning
// (RFC 6120, Section 11.1).
func (n *negotiation) token() (xml.Token, error) {
	token, err := n.decoder.Token()
	if err != nil {
		return nil, err
	}
	first := n.first
	n.first = false
	switch token := token.(type) {
	case xml.StartElement:
		if n.depth++; n.depth > maxDepth {
			return nil, refuse(delegation.STARTTLSFailed, "the peer sends more than %d elements inside each other", maxDepth)
		}
		return token.Copy(), nil
	case xml.EndElement:
		n.depth--
	case xml.CharData:
		return token.Copy(), nil
	case xml.ProcInst:
		if !first || token.Target != "xml" {
			return nil, refuse(delegation.STARTTLSFailed, "the peer sends a processing instruction, which a stream must not have")
		}
	case xml.Comment, xml.Directive:
		return nil, refuse(delegation.STARTTLSFailed, "the peer sends a comment or a document type, which a stream must not have")
	}
	return token, nil
}

// header is how a stream begins (RFC 6120, Section 4.7).
func (s Stream) header() string {
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?><stream:stream xmlns='" + s.Namespace + "' xmlns:stream='" + namespaceStreams + "'")
	for _, attribute := range []struct{ name, value string }{{"from", s.From}, {"to", s.To}} {
		if attribute.value != "" {
			b.WriteString(" " + attribute.name + "='")
			_ = xml.EscapeText(&b, []byte(attribute.value)) // a Builder takes everything
			b.WriteString("'")
		}
	}
	b.WriteString(" version='1.0'>")
	return b.String()
}

// shown is a piece of the peer's words for a message.
func shown(words string) string { return text.Short(words, maxText) }

func refuse(reason delegation.Reason, format string, args ...any) error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
