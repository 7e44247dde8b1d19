package starttls

import (
	"context"
	"encoding/xml"
	"net"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// The name spaces of docs/stream.md and of SASL (RFC 6120, Section 6).
const (
	namespaceDNA  = "urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654"
	namespaceSASL = "urn:ietf:params:xml:ns:xmpp-sasl"
)

// A Stream is an XMPP stream between servers under TLS, before authentication. It
// bounds all that the peer says to 64 KiB.
type Stream struct{ n *negotiation }

// Features are what the receiving server offers, as far as statements need it.
type Features struct {
	// Statement is what the server shows about the domain that was asked for, nil if
	// it shows none. Nothing of it is verified.
	Statement *delegation.StreamStatement
	// Unusable is why what it shows is no statement, else nil.
	Unusable error
	// Takes says that the server takes a statement with [Stream.Assert].
	Takes bool
	// External says that SASL EXTERNAL is offered.
	External bool
}

// A Result is what the receiving server says about a statement that was brought. It
// is the server's word.
type Result struct{ Outcome, Reason string }

// OpenStream opens a stream on conn, where the TLS handshake is complete, and reads
// the features. Errors, time and deadlines are as for [Negotiate]. conn is of no
// use for anything else afterwards.
func OpenStream(ctx context.Context, conn net.Conn, r Request) (*Stream, *Features, error) {
	if r.To == "" {
		return nil, nil, delegation.Errorf(reasons.MissingInput, "an XMPP stream needs the domain whose service it is")
	}
	s := &Stream{newNegotiation(&wire{conn: conn, left: maxOctets})}
	var f *Features
	err := s.n.bounded(ctx, func() (err error) {
		if err := s.n.readable(s.n.open(header("jabber:server", r.From, r.To))); err != nil {
			return err
		}
		f, err = s.features()
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return s, f, nil
}

// Assert brings a statement of the domain that connects, and reads the result and
// the features that follow. The features are nil where the server ended the stream
// after its result. Bring at most one, and only where [Features.Takes] says so.
func (s *Stream) Assert(ctx context.Context, statement delegation.StreamStatement) (r *Result, f *Features, err error) {
	err = s.n.bounded(ctx, func() error {
		words := "<assert xmlns='" + namespaceDNA + "'><statement encoding='" + string(statement.Encoding) + "'>" +
			statement.Text() + "</statement></assert>"
		if err := s.n.say(words, "result"); err != nil {
			return err
		}
		start, err := s.n.element()
		if err != nil {
			return s.n.readable(err)
		}
		if start.Name == (xml.Name{Space: namespaceStreams, Local: "error"}) {
			return s.n.streamError()
		}
		e, err := s.n.whole(*start)
		if err != nil {
			return s.n.readable(err)
		}
		if start.Name != (xml.Name{Space: namespaceDNA, Local: "result"}) {
			return delegation.Errorf(reasons.STARTTLSFailed, "the peer answers the statement with <%s>", shown(start.Name.Local))
		}
		r = &Result{Outcome: shown(e.attribute("outcome")), Reason: shown(e.attribute("reason"))}
		f, err = s.features()
		return err
	})
	if r != nil && err != nil {
		return r, nil, nil // it has said why
	}
	return r, f, err
}

// features reads them whole.
func (s *Stream) features() (*Features, error) {
	s.n.waiting = "features"
	if err := s.n.features(); err != nil {
		return nil, s.n.readable(err)
	}
	e, err := s.n.whole(xml.StartElement{})
	if err != nil {
		return nil, s.n.readable(err)
	}
	f := &Features{}
	for _, feature := range e.children {
		switch feature.Name {
		case xml.Name{Space: namespaceDNA, Local: "dna"}:
			if f.Statement != nil || f.Unusable != nil {
				f.Statement, f.Unusable = nil, delegation.Errorf(reasons.MalformedRecord, "the features have more than one statement")
				continue
			}
			f.Takes = feature.attribute("assert") == "true" || feature.attribute("assert") == "1"
			f.Statement, f.Unusable = feature.statement()
		case xml.Name{Space: namespaceSASL, Local: "mechanisms"}:
			for _, mechanism := range feature.children {
				f.External = f.External || strings.TrimSpace(mechanism.text) == "EXTERNAL"
			}
		}
	}
	return f, nil
}

// An xmlElement is an element that was read whole.
type xmlElement struct {
	xml.StartElement
	children []xmlElement
	text     string // its own
}

// whole reads the rest of an element that has begun. The stream bounds depth and size.
func (n *negotiation) whole(start xml.StartElement) (xmlElement, error) {
	e := xmlElement{StartElement: start}
	var text strings.Builder
	for {
		token, err := n.token()
		if err != nil {
			return e, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			child, err := n.whole(token)
			if err != nil {
				return e, err
			}
			e.children = append(e.children, child)
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			e.text = text.String()
			return e, nil
		}
	}
}

// attribute is the value of one without a name space, or empty.
func (e xmlElement) attribute(name string) string {
	for _, a := range e.Attr {
		if a.Name == (xml.Name{Local: name}) {
			return a.Value
		}
	}
	return ""
}

// statement reads the statement in the feature <dna/>, nil if there is none.
func (e xmlElement) statement() (*delegation.StreamStatement, error) {
	if len(e.children) == 0 && strings.TrimSpace(e.text) == "" {
		return nil, nil
	}
	if len(e.children) != 1 || strings.TrimSpace(e.text) != "" ||
		e.children[0].Name != (xml.Name{Space: namespaceDNA, Local: "statement"}) || len(e.children[0].children) > 0 {
		return nil, delegation.Errorf(reasons.MalformedRecord, "the feature is to hold one <statement>, which holds text")
	}
	s, err := delegation.ParseStreamStatement(e.children[0].attribute("encoding"), e.children[0].text)
	if err != nil {
		return nil, err
	}
	return &s, nil
}
