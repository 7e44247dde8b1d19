// Package xmpptest has what the tests of modules for XMPP servers share: the
// certificates of a site, a daemon that answers as a test wants, and a peer.
package xmpptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"github.com/dnasign/dnasign/discovery/starttls"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// A Site is one of setup, whose certificates a test may change.
type Site struct {
	*setup.Site
	T *testing.T
	// Edit, if any, changes certificates before they are signed.
	Edit func(*x509.Certificate)
}

// NewSite makes one that ends with the test.
func NewSite(t *testing.T) *Site {
	t.Helper()
	return &Site{Site: setup.NewSite(t), T: t}
}

// Certify makes a certificate, valid from yesterday, and writes it and its key to
// NAME.pem and NAME.key, NAME being the first of the domains.
func (s *Site) Certify(domains ...string) (signer *keys.Signer, cert, key string) {
	s.T.Helper()
	signer = localca.Must(s.CA.Issue("P-256", domains, s.Now.Add(-world.Day), s.Now.Add(world.Day), s.Edit))
	cert, key = s.WriteKeys(domains[0], signer)
	return signer, cert, key
}

// Pool holds the root.
func (s *Site) Pool() *x509.CertPool { return s.CA.Pool() }

// Dial connects to a domain at a server's port, as another server would: the
// server proves its host, and the peer shows the certificate of a name.
func (s *Site) Dial(port int, host, name, from, to string) *Stream {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), realtest.Timeout)
	defer cancel()
	stream := Plain(s.T, port)
	if err := starttls.Negotiate(ctx, stream.Conn, starttls.Request{Role: "_xmpp-server._tcp", To: to, From: from}); err != nil {
		s.T.Fatal(err)
	}
	s.Encrypt(stream, host, name)
	return stream
}

// Plain connects to a server's port, without TLS.
func Plain(t *testing.T, port int) *Stream {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &Stream{T: t, Conn: conn}
}

// Encrypt goes on in TLS: the server proves its host, and the peer shows the certificate
// of a name.
func (s *Site) Encrypt(stream *Stream, host, name string) {
	s.T.Helper()
	stream.Conn = tls.Client(stream.Conn, &tls.Config{RootCAs: s.Pool(), ServerName: host, Certificates: []tls.Certificate{s.certificate(name)}})
}

// certificate is what was issued to a name.
func (s *Site) certificate(name string) tls.Certificate {
	s.T.Helper()
	certificate, err := tls.LoadX509KeyPair(filepath.Join(s.Dir, name+".pem"), filepath.Join(s.Dir, name+".key"))
	if err != nil {
		s.T.Fatal(err)
	}
	return certificate
}

// In is the same site for a test that is part of the other one.
func (s *Site) In(t *testing.T) *Site {
	part := *s.Site
	part.TB = t
	return &Site{&part, t, s.Edit}
}
