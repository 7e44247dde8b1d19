package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// TestDialContext: a host leads to a connection, or to a reason.
func TestDialContext(t *testing.T) {
	const host = "xmpp.hosting.example"
	here := silentTCP(t)
	port := here.Port()
	many := make([]string, maxAddresses+1)
	for i := range many {
		many[i] = fmt.Sprintf("%s. IN A 127.0.0.%d", host, i+1)
	}
	a := []string{host + ". IN A 127.0.0.1"}
	for _, c := range []struct {
		name    string
		records []string
		fault   dnsserver.Fault // for A
		port    uint16          // 0: where somebody listens
		edit    func(*Client)
		reason  reasons.Reason // "": connected
		detail  string
	}{
		{name: "by its address", records: a},
		{name: "the first address is down", records: []string{host + ". IN AAAA ::1", a[0]}},
		{name: "by ConnectTo", edit: func(c *Client) { c.ConnectTo = []ConnectTo{{Host: host, Port: port, Addr: here}} }},
		{name: "ConnectTo for another port", edit: func(c *Client) { c.ConnectTo = []ConnectTo{{Host: host, Port: 443, Addr: here}} },
			reason: reasons.ConnectFailed, detail: "no address"},
		{name: "ConnectTo passes the filter", edit: func(c *Client) {
			c.ConnectTo, c.AllowPrivateAddresses = []ConnectTo{{Addr: here}}, false
		}, reason: reasons.AddressNotAllowed, detail: "loopback"},
		{name: "loopback by DNS", records: a, edit: func(c *Client) { c.AllowPrivateAddresses = false },
			reason: reasons.AddressNotAllowed, detail: "loopback"},
		{name: "no address", reason: reasons.ConnectFailed, detail: host + " has no address"},
		{name: "nobody listens", records: a, port: 9, reason: reasons.ConnectFailed, detail: "refused"},
		{name: "too many addresses", records: many, reason: reasons.ConnectFailed, detail: "17 addresses"},
		{name: "DNS fails", fault: dnsserver.Fault{Rcode: servfail}, reason: reasons.DNSFailure, detail: "SERVFAIL"},
		{name: "DNS is silent", fault: dnsserver.Fault{Drop: true}, reason: reasons.DNSTimeout},
		{name: "bogus address", records: a, fault: dnsserver.Fault{Bogus: true}, edit: func(c *Client) { c.Validating = true },
			reason: reasons.DNSBogus},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, c.records...)
			setFault(t, s, host, "A", c.fault)
			client := &Client{Resolver: s.Addr, AllowPrivateAddresses: true, timeouts: timeoutsFor(c.reason)}
			if c.edit != nil {
				c.edit(client)
			}
			if c.port == 0 {
				c.port = port
			}
			conn, err := client.DialContext(t.Context(), "tcp", fmt.Sprintf("%s:%d", host, c.port))
			if err == nil {
				conn.Close()
			}
			var e *delegation.Error
			if got := delegation.ReasonOf(err); got != c.reason || err != nil && !errors.As(err, &e) {
				t.Fatalf("got %v, want reason %q", err, c.reason)
			}
			if err != nil && !strings.Contains(e.Detail, c.detail) {
				t.Errorf("the detail %q does not contain %q", e.Detail, c.detail)
			}
		})
	}
}

// TestDialContextEnds: a connection that does not come ends with its context.
func TestDialContextEnds(t *testing.T) {
	s := setup.DNS(t, "xmpp.hosting.example. IN A 127.0.0.1")
	setFault(t, s, "", "A", dnsserver.Fault{Drop: true})
	client := &Client{Resolver: s.Addr, timeouts: patient}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	promptly(t, func() {
		_, err := client.DialContext(ctx, "tcp", "xmpp.hosting.example:5269")
		if got := delegation.ReasonOf(err); got != reasons.ConnectTimeout {
			t.Errorf("got %v, want %s", err, reasons.ConnectTimeout)
		}
	})
}

// TestDialContextMistakes: what the caller got wrong is not asked of anybody.
func TestDialContextMistakes(t *testing.T) {
	s := setup.DNS(t)
	for _, c := range []struct{ network, address string }{
		{"tcp", "xmpp.hosting.example"}, {"tcp", "xmpp.hosting.example:0"}, {"tcp", "xmpp.hosting.example:xmpp"},
		{"udp", "xmpp.hosting.example:5269"}, {"tcp", "127.0.0.1:5269"}, {"tcp", "[::1]:5269"}, {"tcp", "localhost:5269"},
		{"tcp", "XMPP.hosting.example:5269"},
	} {
		client := &Client{Resolver: s.Addr, AllowPrivateAddresses: true}
		if _, err := client.DialContext(t.Context(), c.network, c.address); !errors.Is(err, ErrConfig) {
			t.Errorf("%s %s: got %v, want ErrConfig", c.network, c.address, err)
		}
	}
	for _, client := range []*Client{{Resolver: "nonsense"}, {Resolver: s.Addr, ConnectTo: []ConnectTo{{}}}} {
		if _, err := client.DialContext(t.Context(), "tcp", "xmpp.hosting.example:5269"); !errors.Is(err, ErrConfig) {
			t.Errorf("got %v, want ErrConfig", err)
		}
	}
	if n := len(s.Queries()); n > 0 {
		t.Errorf("%d questions were asked", n)
	}
}

// TestSelfTest: the two names must be what they are said to be, by a resolver
// that was named as validating.
func TestSelfTest(t *testing.T) {
	const good, bad = "good.example", "bad.example"
	ede := &dnsserver.ExtendedError{Code: 6, Text: "signature crypto failed"}
	for _, c := range []struct {
		name      string
		good, bad dnsserver.Fault
		want      []string // in the detail; none: it passes
	}{
		{name: "as it should be", good: dnsserver.Fault{Authentic: true}, bad: dnsserver.Fault{Bogus: true, Error: ede}},
		{name: "does not validate", want: []string{"good.example is insecure, not secure", "bad.example is insecure, not bogus"}},
		{name: "claims everything", good: dnsserver.Fault{Authentic: true}, bad: dnsserver.Fault{Authentic: true},
			want: []string{"bad.example is secure, not bogus"}},
		{name: "refuses everything", good: dnsserver.Fault{Bogus: true, Error: ede}, bad: dnsserver.Fault{Bogus: true},
			want: []string{"good.example is bogus, not secure (dns-bogus:", "extended error 6 (DNSSEC Bogus)", "signature crypto failed"}},
		{name: "fails", good: dnsserver.Fault{Authentic: true}, bad: dnsserver.Fault{Rcode: servfail},
			want: []string{"bad.example is indeterminate, not bogus (dns-failure:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, good+". IN A 192.0.2.1", bad+". IN A 192.0.2.2")
			setFault(t, s, good, "", c.good)
			setFault(t, s, bad, "", c.bad)
			client := &Client{Resolver: s.Addr, Validating: true, timeouts: relaxed}
			err := client.SelfTest(t.Context(), good, bad)
			if len(c.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got := delegation.ReasonOf(err); got != reasons.SelfTestFailed {
				t.Fatalf("got %v, want %s", err, reasons.SelfTestFailed)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not contain %q", err, want)
				}
			}
		})
	}

	s := setup.DNS(t)
	for _, c := range []struct {
		client    *Client
		good, bad string
	}{
		{&Client{Resolver: s.Addr}, good, bad},
		{&Client{Resolver: "nonsense", Validating: true}, good, bad},
		{&Client{Resolver: s.Addr, Validating: true}, "", bad},
		{&Client{Resolver: s.Addr, Validating: true}, good, "localhost"},
	} {
		if err := c.client.SelfTest(t.Context(), c.good, c.bad); !errors.Is(err, ErrConfig) {
			t.Errorf("got %v, want ErrConfig", err)
		}
	}
}

var _ func(context.Context, string, string) (net.Conn, error) = (*Client)(nil).DialContext // the form of net.Dialer's
