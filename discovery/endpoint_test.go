package discovery

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// TestGatherEndpoint: TLSA is asked for only where the addresses are secure, and
// the addresses once, also where somebody connects.
func TestGatherEndpoint(t *testing.T) {
	const host, tlsa = "xmpp.hosting.example", "_5269._tcp.xmpp.hosting.example"
	a, aaaa := host+". 600 IN A 127.0.0.1", host+". 500 IN AAAA ::1"
	record := tlsa + ". 300 IN TLSA 3 1 1 " + strings.Repeat("ab", 32)
	signed := tlsa + ". 300 IN RRSIG TLSA 13 5 300 20300101000000 20200101000000 1 hosting.example. AAAA"
	secure := dnsserver.Fault{Authentic: true}
	for _, c := range []struct {
		name      string
		records   []string
		faults    map[string]dnsserver.Fault // by name and type
		insecure  bool                       // the resolver is not named as validating
		address   delegation.DNSSEC
		failure   reasons.Reason // of the addresses
		partly    bool
		addresses int
		tlsa      string // what is known of it: "" if it was not asked for
	}{
		{name: "secure", records: []string{a, aaaa, record, signed}, faults: map[string]dnsserver.Fault{"": secure}, address: delegation.Secure, addresses: 2, tlsa: "secure 1"},
		{name: "no TLSA", records: []string{a}, faults: map[string]dnsserver.Fault{"": secure}, address: delegation.Secure, addresses: 1, tlsa: "secure 0"},
		{name: "no address", records: []string{record, signed}, faults: map[string]dnsserver.Fault{"": secure}, address: delegation.Secure, tlsa: "secure 1"},
		{name: "addresses that are not secure", records: []string{a, record}, faults: map[string]dnsserver.Fault{tlsa + " TLSA": secure}, address: delegation.Insecure, addresses: 1},
		{name: "one family that is not secure", records: []string{a, aaaa, record}, faults: map[string]dnsserver.Fault{host + " A": secure}, address: delegation.Insecure, addresses: 2},
		{name: "a resolver that is not named as validating", records: []string{a, record}, faults: map[string]dnsserver.Fault{"": secure}, insecure: true, address: delegation.Insecure, addresses: 1},
		{name: "TLSA that is not secure", records: []string{a, record}, faults: map[string]dnsserver.Fault{host + " A": secure, host + " AAAA": secure}, address: delegation.Secure, addresses: 1, tlsa: "insecure 1"},
		{name: "bogus addresses", records: []string{a, record}, faults: map[string]dnsserver.Fault{host + " A": {Bogus: true}, host + " AAAA": secure}, address: delegation.Bogus, failure: reasons.DNSBogus},
		{name: "bogus TLSA", records: []string{a, record}, faults: map[string]dnsserver.Fault{host + " A": secure, host + " AAAA": secure, tlsa + " TLSA": {Bogus: true}}, address: delegation.Secure, addresses: 1, tlsa: "bogus 0 dns-bogus"},
		{name: "TLSA fails", records: []string{a, record}, faults: map[string]dnsserver.Fault{host + " A": secure, host + " AAAA": secure, tlsa + " TLSA": {Rcode: servfail}}, address: delegation.Secure, addresses: 1, tlsa: "indeterminate 0 dns-failure"},
		{name: "one family fails", records: []string{a, record, signed}, faults: map[string]dnsserver.Fault{"": secure, host + " AAAA": {Rcode: servfail}}, address: delegation.Secure, addresses: 1, partly: true, tlsa: "secure 1"},
		{name: "one family fails, and the other has none", records: []string{record}, faults: map[string]dnsserver.Fault{"": secure, host + " AAAA": {Rcode: servfail}}, address: delegation.Indeterminate, failure: reasons.DNSFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, c.records...)
			for at, f := range c.faults {
				name, rtype, _ := strings.Cut(at, " ")
				setFault(t, s, name, rtype, f)
			}
			client := &Client{Resolver: s.Addr, Validating: !c.insecure, timeouts: timeoutsFor("")}
			got, err := client.GatherEndpoint(t.Context(), delegation.Endpoint{Host: host, Port: 5269})
			if err != nil {
				t.Fatal(err)
			}
			if got.Address.DNSSEC != c.address || reasonOf(got.Address.Failure) != c.failure || len(got.Address.Addresses) != c.addresses || got.Address.Partly != c.partly {
				t.Errorf("addresses: %+v", got.Address)
			}
			text := ""
			if a := got.TLSA; a != nil {
				text = strings.TrimSpace(fmt.Sprintf("%s %d %s", a.DNSSEC, len(a.Records), reasonOf(a.Failure)))
			}
			if text != c.tlsa {
				t.Errorf("TLSA: %q, want %q", text, c.tlsa)
			}
			asked := len(s.Queries())
			if conn, err := client.DialEndpoint(t.Context(), got); err == nil {
				conn.Close()
				t.Error("connected to the loopback address")
			}
			if n := len(s.Queries()); n != asked {
				t.Errorf("%d questions to connect", n-asked)
			}
		})
	}
}

// TestGatherEndpointInputs: mistakes of the caller, and a name that no TLSA record can
// be at.
func TestGatherEndpointInputs(t *testing.T) {
	s := setup.DNS(t)
	setFault(t, s, "", "", dnsserver.Fault{Authentic: true})
	client := &Client{Resolver: s.Addr, Validating: true}
	for _, at := range []delegation.Endpoint{{}, {Host: "xmpp.hosting.example"}, {Host: "no name", Port: 1}} {
		if _, err := client.GatherEndpoint(t.Context(), at); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", at, err)
		}
	}
	long := strings.Repeat(strings.Repeat("a", 60)+".", 4) + "example"
	got, err := client.GatherEndpoint(t.Context(), delegation.Endpoint{Host: long, Port: 5269})
	if err != nil || got.TLSA == nil || got.TLSA.Failure != nil || len(got.TLSA.Records) != 0 || got.TLSA.DNSSEC != delegation.Secure {
		t.Errorf("got %+v, %v", got, err)
	}
}
