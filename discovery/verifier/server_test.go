package verifier

import (
	"crypto/tls"
	"net"
	"testing"
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

// TestServerHandshake: who gets in before the peer says for whom it speaks.
func TestServerHandshake(t *testing.T) {
	no := func(tls.ConnectionState) error { return errAway }
	for _, c := range []struct {
		name  string
		spoil func(base, client *tls.Config)
		in    bool
	}{
		{"a certificate", func(_, _ *tls.Config) {}, true},
		{"no certificate", func(_, c *tls.Config) { c.Certificates = nil }, true},
		{"no certificate where one is required", func(b, c *tls.Config) { b.ClientAuth, c.Certificates = tls.RequireAnyClientCert, nil }, false},
		{"no certificate where a chosen configuration requires one", func(b, c *tls.Config) {
			chosen := b.Clone()
			chosen.ClientAuth, c.Certificates = tls.RequireAnyClientCert, nil
			b.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
		}, false},
		{"TLS 1.1", func(_, c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }, false},
		{"base does not agree", func(b, _ *tls.Config) { b.VerifyConnection = no }, false},
		{"base cannot choose", func(b, _ *tls.Config) {
			b.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errAway }
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, client := config(signer(further)), config(signer(host))
			client.InsecureSkipVerify = true
			c.spoil(base, client)
			if _, serverErr, clientErr := handshake(t, ServerConfig(base), client); (serverErr == nil) != c.in || (clientErr == nil) != c.in {
				t.Errorf("the server says %v, the client %v", serverErr, clientErr)
			}
		})
	}
}

// TestNoResumption: a server hands out nothing with which a client could come
// again without its certificate.
func TestNoResumption(t *testing.T) {
	own := config(signer(further))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server := ServerConfig(own)
		client := config(signer(host))
		client.InsecureSkipVerify, client.MinVersion, client.MaxVersion, client.ServerName = true, version, version, "c.example"
		client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for range 2 {
			cs, serverErr, clientErr := handshake(t, server, client)
			if serverErr != nil || clientErr != nil || cs.DidResume || len(cs.PeerCertificates) == 0 {
				t.Errorf("%x: %v, %v, resumed %t with %d certificates", version, serverErr, clientErr, cs.DidResume, len(cs.PeerCertificates))
			}
		}
	}
}
