package prosody

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/realtest"
)

// A stream is one XMPP stream after TLS, as far as a test needs it.
type stream struct {
	t       *testing.T
	conn    *tls.Conn
	decoder *xml.Decoder
}

// An element is any child of a stream.
type element struct {
	XMLName xml.Name
	Type    string `xml:"type,attr"`
	From    string `xml:"from,attr"`
	Inner   string `xml:",innerxml"`
}

// open begins the stream, anew after authentication, and returns the features.
func (s *stream) open(namespace, attributes string) element {
	s.t.Helper()
	s.send("<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' %s version='1.0'>", namespace, attributes)
	s.decoder = xml.NewDecoder(s.conn)
	for {
		token, err := s.decoder.Token()
		if err != nil {
			s.t.Fatalf("no stream: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "stream" {
			return s.next()
		}
	}
}

func (s *stream) send(format string, args ...any) {
	s.t.Helper()
	if _, err := fmt.Fprintf(s.conn, format, args...); err != nil {
		s.t.Fatal(err)
	}
}

// next waits for an element. At the end of the stream it has no name.
func (s *stream) next() element {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(realtest.Timeout)); err != nil {
		s.t.Fatal(err)
	}
	for {
		token, err := s.decoder.Token()
		if err == io.EOF {
			return element{}
		}
		if err != nil {
			s.t.Fatalf("waiting for an element: %v", err)
		}
		switch token := token.(type) {
		case xml.EndElement:
			return element{}
		case xml.StartElement:
			var e element
			if err := s.decoder.DecodeElement(&e, &token); err != nil {
				s.t.Fatal(err)
			}
			return e
		}
	}
}

// want waits for an element of a name.
func (s *stream) want(name string) element {
	s.t.Helper()
	e := s.next()
	if e.XMLName.Local != name {
		s.t.Fatalf("<%s> %s, want <%s>", e.XMLName.Local, e.Inner, name)
	}
	return e
}

// A user is an anonymous user of a server, connected.
type user struct {
	stream
	jid string
}

// login connects a user of a domain, which the server chooses by its name, to
// a server that proves the name of its host.
func login(t *testing.T, roots *x509.CertPool, server *realtest.ProsodyServer, host, domain string) *user {
	t.Helper()
	dialer := &net.Dialer{Timeout: realtest.Timeout}
	conn, err := tls.DialWithDialer(dialer, "tcp", fmt.Sprintf("127.0.0.1:%d", server.ClientDirect), &tls.Config{
		ServerName:         domain,
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(cs tls.ConnectionState) error {
			o := x509.VerifyOptions{Roots: roots, DNSName: host, Intermediates: x509.NewCertPool()}
			for _, c := range cs.PeerCertificates[1:] {
				o.Intermediates.AddCert(c)
			}
			_, err := cs.PeerCertificates[0].Verify(o)
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	u := &user{stream: stream{t: t, conn: conn}}
	u.open("jabber:client", "to='"+domain+"'")
	u.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
	u.want("success")
	u.open("jabber:client", "to='"+domain+"'")
	u.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	var bound struct {
		JID string `xml:"jid"`
	}
	if err := xml.Unmarshal([]byte(u.want("iq").Inner), &bound); err != nil || !strings.Contains(bound.JID, "@"+domain+"/") {
		t.Fatalf("bound to %q: %v", bound.JID, err)
	}
	u.jid = bound.JID
	return u
}

// message sends a message to somebody else.
func (u *user) message(to *user, body string) {
	u.t.Helper()
	u.send("<message type='chat' to='%s'><body>%s</body></message>", to.jid, body)
}

// delivered sends a message, which must arrive.
func delivered(from, to *user, body string) {
	from.t.Helper()
	from.message(to, body)
	e := to.want("message")
	if e.Type == "error" || e.From != from.jid || !strings.Contains(e.Inner, body) {
		from.t.Fatalf("another message arrived: %+v", e)
	}
}

// bounced sends a message, which must come back.
func bounced(from, to *user, body string) element {
	from.t.Helper()
	from.message(to, body)
	e := from.want("message")
	if e.Type != "error" {
		from.t.Fatalf("not a bounce: %+v", e)
	}
	return e
}
