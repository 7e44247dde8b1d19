package dnsexchange

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, f dnsserver.Fault) (*dnsserver.Server, netip.AddrPort) {
	t.Helper()
	s := setup.DNS(t, `a.test. IN TXT "here"`)
	if err := s.Fault("", "", f); err != nil {
		t.Fatal(err)
	}
	return s, netip.MustParseAddrPort(s.Addr)
}

func query() *dns.Msg { return new(dns.Msg).SetQuestion("a.test.", dns.TypeTXT).SetEdns0(1232, false) }

// TestNewIDForTCP: somebody who has seen the ID over UDP knows nothing of the
// one over TCP.
func TestNewIDForTCP(t *testing.T) {
	ids := make(chan uint16, 10)
	_, server := start(t, dnsserver.Fault{
		Edit:    func(w []byte) []byte { ids <- uint16(w[0])<<8 | uint16(w[1]); return w },
		EditUDP: func(w []byte) []byte { w[2] |= 2; return w }, // TC
	})
	q := query()
	q.Id = 7
	differ := false
	for range 3 { // one in 65536 times they are the same
		if reply, err := Exchange(t.Context(), server, q); err != nil || len(reply.Answer) != 1 {
			t.Fatalf("%v, %v", reply, err)
		}
		if id := <-ids; id != 7 {
			t.Fatalf("the ID over UDP is %d, that of the query 7", id)
		}
		differ = <-ids != 7 || differ
	}
	if !differ || q.Id != 7 || len(ids) != 0 {
		t.Errorf("another ID over TCP: %v, in the query %d, %d more questions", differ, q.Id, len(ids))
	}
}

func TestOverTCP(t *testing.T) {
	wire, err := query().Pack()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := netip.MustParseAddrPort(listener.Addr().String())
	listener.Close()
	_, good := start(t, dnsserver.Fault{})
	_, cut := start(t, dnsserver.Fault{HangUp: true})
	_, mute := start(t, dnsserver.Fault{Drop: true})
	for _, c := range []struct {
		name         string
		server       netip.AddrPort
		sent, silent bool
		want         string
	}{
		{"good", good, true, false, ""},
		{"nobody there", closed, false, true, "refused"},
		{"hangs up", cut, true, false, "ends before the reply"},
		{"says nothing", mute, true, true, "in time"},
	} {
		limit := time.Minute
		if c.name == "says nothing" {
			limit = 100 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		reply, sent, err := OverTCP(ctx, c.server, wire)
		cancel()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if sent != c.sent || errors.Is(err, ErrSilent) != c.silent || (reply == nil) != (err != nil) {
			t.Errorf("%s: sent %v, silent %v, %d bytes; want sent %v, silent %v", c.name, sent, errors.Is(err, ErrSilent), len(reply), c.sent, c.silent)
		}
	}
}

// TestNotAsked: a name that cannot be written is no silence.
func TestNotAsked(t *testing.T) {
	s, server := start(t, dnsserver.Fault{})
	_, err := Exchange(t.Context(), server, new(dns.Msg).SetQuestion(strings.Repeat("a", 64)+".", dns.TypeTXT))
	if err == nil || errors.Is(err, ErrSilent) || len(s.Queries()) != 0 {
		t.Errorf("%v, %d queries", err, len(s.Queries()))
	}
}
