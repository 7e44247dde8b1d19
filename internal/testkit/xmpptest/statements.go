package xmpptest

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// NamespaceDNA is that of docs/stream.md.
const NamespaceDNA = "urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654"

// Feature is the feature of docs/stream.md with attributes and what is in it.
func Feature(attributes, inner string) string {
	return "<dna xmlns='" + NamespaceDNA + "'" + attributes + ">" + inner + "</dna>"
}

// Assertion brings what is in it.
func Assertion(inner string) string {
	return "<assert xmlns='" + NamespaceDNA + "'>" + inner + "</assert>"
}

// Brought is a statement of a text in an element.
func Brought(text string) string { return "<statement encoding='jws'>" + text + "</statement>" }

// Mechanisms offers SASL EXTERNAL.
const Mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"

// External asks for authentication by the certificate.
const External = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"

// Unpublished answers that nothing is published. It verifies a peer by a name if the
// statement that it brought has the text "good", and else refuses it with that text.
func Unpublished(name string) func(fakedaemon.Question) any {
	return func(q fakedaemon.Question) any {
		switch {
		case q.Statement == nil:
			return q.Answer("refused", "no-statement").With("unpublished", true)
		case q.Statement.Text == "good":
			return q.Verified(name).With("found", "stream").With("unpublished", true)
		}
		return q.Answer("refused", q.Statement.Text).With("unpublished", true)
	}
}

// Result wants what a receiver says about a statement.
func (s *Stream) Result(outcome, reason string) {
	s.T.Helper()
	if e := s.Want("result"); e.XMLName.Space != NamespaceDNA || e.Outcome != outcome || e.Reason != reason {
		s.T.Errorf("result: %+v, want %s, %s", e, outcome, reason)
	}
}

// Ends wants a stream error, and the end.
func (s *Stream) Ends(condition string) {
	s.T.Helper()
	if e := s.Want("error"); !strings.Contains(e.Inner, "<"+condition+" ") {
		s.T.Errorf("error: %s, want %s", e.Inner, condition)
	}
	if e := s.Next(); e.XMLName.Local != "" {
		s.T.Errorf("the stream goes on: %+v", e)
	}
}

// Receiver is the server of a domain, with the certificate of a name, to which another
// one connects. It gives its port, and the streams after TLS when the header of both
// sides is sent. The features are left to the test.
func (s *Site) Receiver(name, domain string) (port int, streams <-chan *Stream) {
	s.T.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { listener.Close() })
	certificate := s.certificate(name)
	begun, t := make(chan *Stream, 10), s.T
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			stream := &Stream{T: t, Conn: conn}
			protected := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
			if stream.receive(domain) == nil && stream.startTLS(protected) == nil && stream.receive(domain) == nil {
				begun <- stream
			}
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, begun
}

// HandOver puts a statement into a folder of those that owners handed over.
func HandOver(t testing.TB, folder, domain, ending string, statement []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(folder, domain), 0o755); err != nil {
		t.Fatal(err)
	}
	realtest.WriteFile(t, filepath.Join(folder, domain), "_xmpp-server._tcp"+ending, string(statement))
}

// startTLS agrees to TLS, and goes on in it.
func (s *Stream) startTLS(protected net.Conn) error {
	if _, err := fmt.Fprint(s.Conn, "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"); err != nil {
		return err
	}
	if _, err := s.next(); err != nil {
		return err
	}
	_, err := fmt.Fprint(s.Conn, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	s.Conn = protected
	return err
}
