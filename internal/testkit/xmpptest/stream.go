package xmpptest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// A Stream is one XMPP stream, as far as a test needs it.
type Stream struct {
	T        *testing.T
	Conn     net.Conn
	Features Element // of the last [Stream.Open]

	decoder *xml.Decoder
}

// An Element is any child of a stream.
type Element struct {
	XMLName xml.Name
	Type    string `xml:"type,attr"`
	From    string `xml:"from,attr"`
	Outcome string `xml:"outcome,attr"` // of docs/stream.md
	Reason  string `xml:"reason,attr"`
	Inner   string `xml:",innerxml"`
}

// Open begins the stream, anew after authentication, and returns the features.
func (s *Stream) Open(namespace, attributes string) Element {
	s.T.Helper()
	s.Send("<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' %s version='1.0'>", namespace, attributes)
	if err := s.begun(); err != nil {
		s.T.Fatalf("no stream: %v", err)
	}
	s.Features = s.Next()
	return s.Features
}

// begun waits for the other side's header.
func (s *Stream) begun() error {
	s.decoder = xml.NewDecoder(s.Conn)
	for {
		token, err := s.decoder.Token()
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "stream" {
			return nil
		}
	}
}

// receive waits for a stream and answers with a header for a domain.
func (s *Stream) receive(domain string) error {
	if err := s.begun(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Conn, "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='%s' id='1' version='1.0'>", domain)
	return err
}

// Send sends what the format gives.
func (s *Stream) Send(format string, args ...any) {
	s.T.Helper()
	if _, err := fmt.Fprintf(s.Conn, format, args...); err != nil {
		s.T.Fatal(err)
	}
}

// Next waits for an element. At the end of the stream it has no name.
func (s *Stream) Next() Element {
	s.T.Helper()
	e, err := s.next()
	if err != nil && err != io.EOF {
		s.T.Fatalf("waiting for an element: %v", err)
	}
	return e
}

// next is Next for any goroutine.
func (s *Stream) next() (e Element, err error) {
	if err := s.Conn.SetReadDeadline(time.Now().Add(realtest.Timeout)); err != nil {
		return e, err
	}
	for {
		token, err := s.decoder.Token()
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) && syntax.Msg == "unexpected EOF" || errors.Is(err, syscall.ECONNRESET) {
			return e, io.EOF // some close the connection without a word, or leave what was sent unread
		}
		if err != nil {
			return e, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return e, io.EOF
		case xml.StartElement:
			return e, s.decoder.DecodeElement(&e, &token)
		}
	}
}

// Want waits for an element of a name.
func (s *Stream) Want(name string) Element {
	s.T.Helper()
	e := s.Next()
	if e.XMLName.Local != name {
		s.T.Fatalf("<%s> %s, want <%s>", e.XMLName.Local, e.Inner, name)
	}
	return e
}
