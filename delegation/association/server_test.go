package association_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/keys"
)

// handshake shakes hands on loopback and returns what each side says. A client
// of TLS 1.3 learns of a refusal only when it reads, so it does. In the end
// both sides are closed.
func handshake(t testing.TB, server, client *tls.Config) (serverState tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	there := make(chan error, 1)
	go func() {
		conn, err := tls.Dial("tcp", listener.Addr().String(), client)
		if err == nil {
			var n int
			if n, err = conn.Read(make([]byte, 1)); n == 1 {
				err = nil // the end may come with the octet
			}
			conn.Close()
		}
		there <- err
	}()
	raw, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Server(raw, server)
	serverErr = conn.Handshake()
	if serverErr == nil {
		_, serverErr = conn.Write([]byte("x"))
	}
	serverState = conn.ConnectionState()
	conn.Close()
	return serverState, serverErr, <-there
}

// withCertificate is a configuration that shows a certificate, and, as a
// client, takes every server.
func withCertificate(signer *keys.Signer) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate(signer)}, InsecureSkipVerify: true}
}

func TestServerConfig(t *testing.T) {
	base := withCertificate(of(t, "c.example"))
	a := decide(t, question(association.Incoming), evidence([]string{statement(t, targets(at))}))
	config := association.ServerConfig(base, a, peers())
	if config.ClientAuth != tls.RequireAnyClientCert || !config.SessionTicketsDisabled || config.MinVersion != tls.VersionTLS12 || config.VerifyConnection == nil {
		t.Errorf("%+v", config)
	}
	if base.ClientAuth != tls.NoClientCert || base.SessionTicketsDisabled || base.MinVersion != 0 || base.VerifyConnection != nil {
		t.Error("base was changed")
	}
	if got := association.ServerConfig(nil, nil, peers()); got.ClientAuth != tls.RequireAnyClientCert || got.VerifyConnection != nil {
		t.Errorf("of nothing: %+v", got)
	}
	if got := association.ServerConfig(&tls.Config{MinVersion: tls.VersionTLS13}, nil, peers()); got.MinVersion != tls.VersionTLS13 {
		t.Errorf("TLS 1.3 became %x", got.MinVersion)
	}
}

// TestServerHandshake: who gets in where the source is known beforehand.
func TestServerHandshake(t *testing.T) {
	a := decide(t, question(association.Incoming), evidence([]string{statement(t, targets(at))}))
	out := decide(t, question(association.Outgoing), evidence([]string{statement(t, targets(at))}))
	no := errors.New("not today")
	clientOnly := issue(t, func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{host}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	for _, c := range []struct {
		name   string
		a      *association.Association
		spoil  func(base, client *tls.Config)
		reason delegation.Reason // of the server; Verified if it takes the peer
		other  bool              // the server fails, and not with a reason
	}{
		{"delegated", a, func(_, _ *tls.Config) {}, delegation.Verified, false},
		{"delegated, TLS 1.2", a, func(_, c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, delegation.Verified, false},
		{"TLS 1.1", a, func(_, c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "", true},
		{"no certificate", a, func(_, c *tls.Config) { c.Certificates = nil }, "", true},
		{"no certificate, source not known", nil, func(_, c *tls.Config) { c.Certificates = nil }, "", true},
		{"another name", a, func(_, c *tls.Config) { c.Certificates[0] = certificate(of(t, "other.example")) }, delegation.PeerNameMismatch, false},
		{"another name, source not known", nil, func(_, c *tls.Config) { c.Certificates[0] = certificate(of(t, "other.example")) }, delegation.Verified, false},
		{"another name, TLS 1.2", a, func(_, c *tls.Config) {
			c.MaxVersion, c.Certificates[0] = tls.VersionTLS12, certificate(of(t, "other.example"))
		}, delegation.PeerNameMismatch, false},
		{"for clientAuth only", a, func(_, c *tls.Config) { c.Certificates[0] = certificate(clientOnly) }, delegation.PeerUntrusted, false},
		{"decision for the other direction", out, func(_, _ *tls.Config) {}, delegation.MissingInput, false},
		{"base agrees", a, func(b, _ *tls.Config) { b.VerifyConnection = func(tls.ConnectionState) error { return nil } }, delegation.Verified, false},
		{"base does not agree", a, func(b, _ *tls.Config) { b.VerifyConnection = func(tls.ConnectionState) error { return no } }, "", true},
		{"base does not agree, source not known", nil, func(b, _ *tls.Config) { b.VerifyConnection = func(tls.ConnectionState) error { return no } }, "", true},
		{"base chooses a configuration", a, func(b, c *tls.Config) {
			chosen := b.Clone()
			b.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
			c.Certificates[0] = certificate(of(t, "other.example"))
		}, delegation.PeerNameMismatch, false},
		{"base chooses a configuration, no certificate", nil, func(b, c *tls.Config) {
			chosen := b.Clone()
			b.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
			c.Certificates = nil
		}, "", true},
		{"base chooses none", a, func(b, c *tls.Config) {
			b.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
			c.Certificates[0] = certificate(of(t, "other.example"))
		}, delegation.PeerNameMismatch, false},
		{"base cannot choose", a, func(b, _ *tls.Config) {
			b.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, no }
		}, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, client := withCertificate(of(t, "c.example")), withCertificate(of(t, host))
			c.spoil(base, client)
			_, serverErr, clientErr := handshake(t, association.ServerConfig(base, c.a, peers()), client)
			if (serverErr == nil) != (clientErr == nil) {
				t.Errorf("the server says %v, the client %v", serverErr, clientErr)
			}
			if c.other {
				if serverErr == nil || delegation.ReasonOf(serverErr) != "" {
					t.Errorf("got %v", serverErr)
				}
				return
			}
			wantReason(t, c.reason, serverErr)
		})
	}
}

// TestNoResumption: a server hands out nothing with which a client could come
// again without its certificate.
func TestNoResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server := association.ServerConfig(withCertificate(of(t, "c.example")), nil, peers())
		client := withCertificate(of(t, host))
		client.MaxVersion, client.ServerName = version, "c.example"
		client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for range 2 {
			cs, serverErr, clientErr := handshake(t, server, client)
			if serverErr != nil || clientErr != nil || cs.DidResume || len(cs.PeerCertificates) == 0 {
				t.Errorf("%x: %v, %v, resumed %t with %d certificates", version, serverErr, clientErr, cs.DidResume, len(cs.PeerCertificates))
			}
		}
	}
}

// TestExampleIsShort: a server in Go needs no more than 25 lines.
func TestExampleIsShort(t *testing.T) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "example_server_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Name.Name == "serve" {
			if n := files.Position(d.End()).Line - files.Position(d.Pos()).Line + 1; n > 25 {
				t.Errorf("serve has %d lines", n)
			}
			return
		}
	}
	t.Error("the example has no function serve")
}
