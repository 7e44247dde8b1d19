package xmpptest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// A Stream is one XMPP stream, as far as a test needs it.
type Stream struct {
	T       *testing.T
	Conn    net.Conn
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
	s.decoder = xml.NewDecoder(s.Conn)
	for {
		token, err := s.decoder.Token()
		if err != nil {
			s.T.Fatalf("no stream: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "stream" {
			return s.Next()
		}
	}
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
	if err := s.Conn.SetReadDeadline(time.Now().Add(realtest.Timeout)); err != nil {
		s.T.Fatal(err)
	}
	for {
		token, err := s.decoder.Token()
		if err == io.EOF {
			return Element{}
		}
		if err != nil {
			s.T.Fatalf("waiting for an element: %v", err)
		}
		switch token := token.(type) {
		case xml.EndElement:
			return Element{}
		case xml.StartElement:
			var e Element
			if err := s.decoder.DecodeElement(&e, &token); err != nil {
				s.T.Fatal(err)
			}
			return e
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
