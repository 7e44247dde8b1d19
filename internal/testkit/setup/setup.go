// Package setup has the servers that most tests put around the code, on the loopback
// address, and a folder. Package world has what these serve, and package peerserver
// the servers that statements are about.
package setup

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// DNS runs a server with zone lines until the test ends. It takes updates that
// the key [realtest.TSIGName] signs.
func DNS(t testing.TB, records ...string) *dnsserver.Server {
	t.Helper()
	s, err := dnsserver.Start(records)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.AllowUpdates(realtest.TSIGName, realtest.TSIGSecret)
	return s
}

// Web serves over TLS until the test ends.
func Web(t testing.TB, s *http.Server, config *tls.Config) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.ErrorLog = log.New(io.Discard, "", 0) // it tells of clients that have enough and go
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(tls.NewListener(l, config)) })
	t.Cleanup(func() {
		_ = s.Close()
		serving.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}
