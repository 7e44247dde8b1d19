package starttls

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// maxDepth bounds the XML elements inside each other, the stream included.
// Features need four.
const maxDepth = 8

// The name spaces of RFC 6120.
const (
	namespaceStreams = "http://etherx.jabber.org/streams"
	namespaceTLS     = "urn:ietf:params:xml:ns:xmpp-tls"
)

func xmppServer(w *wire, r Request) error { return xmpp(w, "jabber:server", r.From, r.To) }

// xmppClient does not say who it is in clear text (RFC 6120, Section 4.7.1).
func xmppClient(w *wire, r Request) error { return xmpp(w, "jabber:client", "", r.To) }

// xmpp asks for TLS as RFC 6120, Section 5.4.2 says. It reads a restricted XML
// (RFC 6120, Section 11.1).
func xmpp(w *wire, namespace, from, to string) error {
	if to == "" {
		return delegation.Errorf(reasons.MissingInput, "an XMPP stream needs the domain whose service it is")
	}
	n := newNegotiation(w)
	return n.readable(n.run(header(namespace, from, to)))
}

func newNegotiation(w *wire) *negotiation {
	n := &negotiation{wire: w, first: true}
	n.decoder = xml.NewDecoder(n)
	return n
}

// readable gives errors of the decoder a reason.
func (n *negotiation) readable(err error) error {
	var e *delegation.Error
	if err != nil && n.wire.err == nil && !errors.As(err, &e) {
		return delegation.Errorf(reasons.STARTTLSFailed, "what should be the %s is not XML of a stream: %s", n.waiting, shown(err.Error()))
	}
	return err
}

// A negotiation is the state of a stream before authentication.
type negotiation struct {
	*wire
	decoder *xml.Decoder
	depth   int  // of the open elements
	begun   bool // an octet of XML has been read
	first   bool // no token has been read
}

func (n *negotiation) run(header string) error {
	if err := n.open(header); err != nil {
		return err
	}
	n.waiting = "offer of STARTTLS"
	if err := n.features(); err != nil {
		return err
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
		return delegation.Errorf(reasons.STARTTLSMissing, "the peer does not offer STARTTLS")
	}
	if err := n.say("<starttls xmlns='"+namespaceTLS+"'/>", "answer to STARTTLS"); err != nil {
		return err
	}
	return n.answer()
}

// open opens the stream and reads how the peer opens its own.
func (n *negotiation) open(header string) error {
	if err := n.say(header, "stream header"); err != nil {
		return err
	}
	stream, err := n.element()
	if err != nil {
		return err
	}
	if stream.Name != (xml.Name{Space: namespaceStreams, Local: "stream"}) {
		return delegation.Errorf(reasons.STARTTLSFailed, "the peer begins with <%s>, not with a stream", shown(stream.Name.Local))
	}
	return nil
}

// features reads how the features begin.
func (n *negotiation) features() error {
	features, err := n.element()
	if err != nil {
		return err
	}
	switch features.Name {
	case xml.Name{Space: namespaceStreams, Local: "features"}:
		return nil
	case xml.Name{Space: namespaceStreams, Local: "error"}:
		return n.streamError()
	}
	return delegation.Errorf(reasons.STARTTLSFailed, "the peer sends <%s> where its features should be", shown(features.Name.Local))
}

// ReadByte reads an octet of XML. It skips white space at the beginning and
// refuses anything else there. Otherwise the decoder would wait for a "<" that
// never comes.
func (n *negotiation) ReadByte() (byte, error) {
	for {
		octet, err := n.wire.ReadByte()
		switch {
		case err != nil || n.begun:
			return octet, err
		case octet == '<':
			n.begun = true
			return octet, nil
		case !strings.ContainsRune(" \t\r\n", rune(octet)):
			return 0, delegation.Errorf(reasons.STARTTLSFailed, "what should be the %s begins with %q, not with XML", n.waiting, octet)
		}
	}
}

// answer reads <proceed/> to its end, and TLS begins right after its closing ">"
// (RFC 6120, Section 5.4.3.3).
func (n *negotiation) answer() error {
	start, err := n.element()
	if err != nil {
		return err
	}
	switch start.Name {
	case xml.Name{Space: namespaceTLS, Local: "proceed"}:
	case xml.Name{Space: namespaceTLS, Local: "failure"}:
		return delegation.Errorf(reasons.STARTTLSFailed, "the peer offered STARTTLS and then refused it")
	case xml.Name{Space: namespaceStreams, Local: "error"}:
		return n.streamError()
	default:
		return delegation.Errorf(reasons.STARTTLSFailed, "the peer answers STARTTLS with <%s>", shown(start.Name.Local))
	}
	if inside, err := n.next(); err != nil {
		return err
	} else if inside != nil {
		return delegation.Errorf(reasons.STARTTLSFailed, "<proceed> holds an element")
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
	return delegation.Errorf(reasons.STARTTLSFailed, "%s", detail)
}

// element reads on to the next element; white space is passed over. That the
// stream or the connection ends instead is an error.
func (n *negotiation) element() (*xml.StartElement, error) {
	depth := n.depth
	start, err := n.next()
	if err == nil && start == nil && n.depth < depth {
		return nil, delegation.Errorf(reasons.STARTTLSFailed, "the peer ends the stream where the %s should come", n.waiting)
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
				return nil, delegation.Errorf(reasons.STARTTLSFailed, "the peer sends text where the %s should come: %q", n.waiting, shown(string(token)))
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
			return nil, delegation.Errorf(reasons.STARTTLSFailed, "the peer sends more than %d elements inside each other", maxDepth)
		}
		return token.Copy(), nil
	case xml.EndElement:
		n.depth--
	case xml.CharData:
		return token.Copy(), nil
	case xml.ProcInst:
		if !first || token.Target != "xml" {
			return nil, delegation.Errorf(reasons.STARTTLSFailed, "the peer sends a processing instruction, which a stream must not have")
		}
	case xml.Comment, xml.Directive:
		return nil, delegation.Errorf(reasons.STARTTLSFailed, "the peer sends a comment or a document type, which a stream must not have")
	}
	return token, nil
}

// header is how a stream begins (RFC 6120, Section 4.7).
func header(namespace, from, to string) string {
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?><stream:stream xmlns='" + namespace + "' xmlns:stream='" + namespaceStreams + "'")
	for _, attribute := range []struct{ name, value string }{{"from", from}, {"to", to}} {
		if attribute.value != "" {
			b.WriteString(" " + attribute.name + "='")
			_ = xml.EscapeText(&b, []byte(attribute.value)) // a Builder takes everything
			b.WriteString("'")
		}
	}
	b.WriteString(" version='1.0'>")
	return b.String()
}
