// Package setup has what most tests put around the code: a DNS server, a web
// server, signed statements, and the zone lines that publish them. Package localca
// has the certificates, and peerserver the servers that statements are about.
package setup

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// Day is how long a day is.
const Day = 24 * time.Hour

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

// Statement delegates the service to port 5269 of the hosts, for 14 days.
func Statement(source, service string, issued time.Time, hosts ...string) delegation.Statement {
	issued = issued.Truncate(time.Second)
	s := delegation.Statement{
		Source: source, Service: service, Targets: []delegation.Target{},
		Issued: issued, Expires: issued.Add(14 * Day), ID: delegation.ID{1},
	}
	for _, h := range hosts {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: delegation.Endpoint{Host: h, Port: 5269}})
	}
	return s
}

// Nothing is evidence of an orderly look at every place, in a DNSSEC state. Nothing is
// there.
func Nothing(source, service string, state delegation.DNSSEC, collected time.Time) *delegation.Evidence {
	answer := func(name string) delegation.Answer { return delegation.Answer{Name: name, DNSSEC: state, TTL: 3600} }
	e := &delegation.Evidence{
		Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: collected,
		TXT: []delegation.TXTAnswer{{Answer: answer(delegation.TXTName(source, service)), Records: []string{}}},
	}
	for _, label := range delegation.RoleOf(service).Labels() {
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: answer(delegation.SRVName(source, label)), Records: []delegation.SRVRecord{}})
	}
	for _, encoding := range delegation.Encodings() {
		e.Documents = append(e.Documents, delegation.Document{URL: delegation.DocumentURL(source, service, encoding), Status: 404, MaxAge: -1})
	}
	return e
}

// Record is the text of a statement's TXT record.
func Record(s delegation.Statement, signer *keys.Signer) string {
	return delegation.JWS.TXTRecord(localca.Must(delegation.Sign(s, delegation.JWS, signer)))
}

// TXT is the zone line that publishes a statement.
func TXT(s delegation.Statement, signer *keys.Signer) string {
	return Line(s.Source, s.Service, Record(s, signer))
}

// Line is the zone line of a TXT record for a service.
func Line(source, service, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. 300 IN TXT", delegation.TXTName(source, service))
	for ; len(text) > 255; text = text[255:] {
		fmt.Fprintf(&b, ` "%s"`, text[:255])
	}
	fmt.Fprintf(&b, ` "%s"`, text)
	return b.String()
}

// Write puts a certificate chain and its key into the files name.pem and
// name.key of a folder.
func Write(t testing.TB, dir, name string, s *keys.Signer) (cert, key string) {
	t.Helper()
	return realtest.WriteFile(t, dir, name+".pem", string(localca.PEM(s.Chain()...))),
		realtest.WriteFile(t, dir, name+".key", string(localca.Must(localca.KeyPEM(s.Key()))))
}
