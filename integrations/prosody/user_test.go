package prosody

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// A user is an anonymous user of a server, connected.
type user struct {
	xmpptest.Stream
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
	u := &user{Stream: xmpptest.Stream{T: t, Conn: conn}}
	u.Open("jabber:client", "to='"+domain+"'")
	u.Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
	u.Want("success")
	u.Open("jabber:client", "to='"+domain+"'")
	u.Send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	var bound struct {
		JID string `xml:"jid"`
	}
	if err := xml.Unmarshal([]byte(u.Want("iq").Inner), &bound); err != nil || !strings.Contains(bound.JID, "@"+domain+"/") {
		t.Fatalf("bound to %q: %v", bound.JID, err)
	}
	u.jid = bound.JID
	return u
}

// message sends a message to somebody else.
func (u *user) message(to *user, body string) {
	u.T.Helper()
	u.Send("<message type='chat' to='%s'><body>%s</body></message>", to.jid, body)
}

// delivered sends a message, which must arrive.
func delivered(from, to *user, body string) {
	from.T.Helper()
	from.message(to, body)
	e := to.Want("message")
	if e.Type == "error" || e.From != from.jid || !strings.Contains(e.Inner, body) {
		from.T.Fatalf("another message arrived: %+v", e)
	}
}

// bounced sends a message, which must come back.
func bounced(from, to *user, body string) xmpptest.Element {
	from.T.Helper()
	from.message(to, body)
	e := from.Want("message")
	if e.Type != "error" {
		from.T.Fatalf("not a bounce: %+v", e)
	}
	return e
}
