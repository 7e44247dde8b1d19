package discovery

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

const servfail = dns.RcodeServerFailure

// failures is what can go wrong with one DNS question.
var failures = []struct {
	name       string
	fault      dnsserver.Fault
	validating bool
	reason     reasons.Reason
	state      delegation.DNSSEC
	detail     string
}{
	{name: "silent", fault: dnsserver.Fault{Drop: true}, reason: reasons.DNSTimeout, detail: "no reply"},
	{name: "too slow", fault: dnsserver.Fault{Delay: atOnce}, reason: reasons.DNSTimeout},
	{name: "SERVFAIL", fault: dnsserver.Fault{Rcode: servfail}, reason: reasons.DNSFailure, detail: "SERVFAIL"},
	{name: "REFUSED", fault: dnsserver.Fault{Rcode: dns.RcodeRefused}, reason: reasons.DNSFailure, detail: "REFUSED"},
	{name: "FORMERR, header only", fault: dnsserver.Fault{Rcode: dns.RcodeFormatError, NoQuestion: true}, reason: reasons.DNSFailure, detail: "FORMERR"},
	{name: "NOTIMP", fault: dnsserver.Fault{Rcode: dns.RcodeNotImplemented}, reason: reasons.DNSFailure},
	{name: "extended code", fault: dnsserver.Fault{Rcode: dns.RcodeBadVers}, reason: reasons.DNSFailure, detail: "BADSIG"},
	{name: "unknown code", fault: dnsserver.Fault{Rcode: 3000}, reason: reasons.DNSFailure, detail: "response code 3000"},
	{name: "lame", fault: dnsserver.Fault{Lame: true}, reason: reasons.DNSFailure, detail: "neither recurses nor has authority"},
	{name: "referral", fault: dnsserver.Fault{Referral: true}, reason: reasons.DNSFailure, detail: "referral"},
	{name: "a record of another name", fault: dnsserver.Fault{NoOwner: true}, reason: reasons.DNSFailure, detail: `for other questions, such as "other.`},
	{name: "a record of another name from a validating one", fault: dnsserver.Fault{NoOwner: true, Authentic: true}, validating: true, reason: reasons.DNSFailure},
	{name: "truncated over TCP", fault: dnsserver.Fault{Truncated: true}, reason: reasons.DNSFailure, detail: "truncated"},
	{name: "cut over TCP", fault: dnsserver.Fault{Truncated: true, Short: true}, reason: reasons.DNSFailure, detail: "over TCP"},
	{name: "fewer records than promised", fault: dnsserver.Fault{WrongCounts: true}, reason: reasons.DNSFailure, detail: "over TCP: the reply is damaged"},
	{name: "answer without question", fault: dnsserver.Fault{NoQuestion: true}, reason: reasons.DNSTimeout, detail: "do not belong"},
	{name: "nothing but garbage", fault: dnsserver.Fault{Raw: []byte("garbage")}, reason: reasons.DNSTimeout, detail: "do not belong"},
	{name: "empty message", fault: dnsserver.Fault{Raw: []byte{}}, reason: reasons.DNSTimeout, detail: "do not belong"},
	{name: "extended error", fault: dnsserver.Fault{Rcode: servfail, Error: &dnsserver.ExtendedError{Code: 22, Text: "all\nservers " + strings.Repeat("x", 900)}},
		reason: reasons.DNSFailure, detail: `extended error 22 (No Reachable Authority): "all?servers xxx`},
	{name: "bogus, resolver not named as validating", fault: dnsserver.Fault{Bogus: true, Error: &dnsserver.ExtendedError{Code: 6}}, reason: reasons.DNSFailure},

	{name: "bogus by its code", fault: dnsserver.Fault{Rcode: servfail, Error: &dnsserver.ExtendedError{Code: 6}}, validating: true,
		reason: reasons.DNSBogus, state: delegation.Bogus},
	{name: "bogus by the last of the codes", fault: dnsserver.Fault{Rcode: servfail, Error: &dnsserver.ExtendedError{Code: 12}}, validating: true,
		reason: reasons.DNSBogus, state: delegation.Bogus},
	{name: "bogus without a code", fault: dnsserver.Fault{Bogus: true}, validating: true, reason: reasons.DNSBogus, state: delegation.Bogus},
	{name: "SERVFAIL, with CD too", fault: dnsserver.Fault{Rcode: servfail, Error: &dnsserver.ExtendedError{Code: 13}}, validating: true, reason: reasons.DNSFailure},
	{name: "REFUSED by the validating one", fault: dnsserver.Fault{Rcode: dns.RcodeRefused}, validating: true, reason: reasons.DNSFailure},
	{name: "silent validating one", fault: dnsserver.Fault{Drop: true}, validating: true, reason: reasons.DNSTimeout},
}

func TestDNSFailures(t *testing.T) {
	if len(failures) < 20 {
		t.Fatalf("only %d cases", len(failures))
	}
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := setup.DNS(t, srvName+". IN SRV 1 2 3 host.example.", txtName+`. IN TXT "v=DNA1"`)
			setFault(t, s, "", "", c.fault)
			e := gather(t, &Client{Resolver: s.Addr, Validating: c.validating, Via: ViaDNS, timeouts: timeoutsFor(c.reason)})
			if c.state == "" {
				c.state = delegation.Indeterminate
			}
			check := func(a delegation.Answer, name string, records int) {
				t.Helper()
				if a.Name != name || failed(a.Failure) != c.reason || a.DNSSEC != c.state || records != 0 {
					t.Fatalf("%s: %+v, failure %+v, %d records, want %s, %s and no records", name, a, a.Failure, records, c.reason, c.state)
				}
				if !strings.Contains(a.Failure.Detail, c.detail) || len(a.Failure.Detail) > maxDetail+50 || strings.Contains(a.Failure.Detail, "\n") {
					t.Errorf("detail %q, want %q in it, on one line", a.Failure.Detail, c.detail)
				}
				if answered := a.Resolver != ""; answered != (c.reason != reasons.DNSTimeout) {
					t.Errorf("resolver %q for %s", a.Resolver, c.reason)
				}
			}
			check(e.SRV[0].Answer, srvName, len(e.SRV[0].Records))
			check(e.TXT[0].Answer, txtName, len(e.TXT[0].Records))
			undetermined(t, e, c.reason)
			probed := countQueries(s, func(q dnsserver.Query) bool { return q.CD }) > 0
			if probed && !c.validating {
				t.Error("asked with CD although the resolver is not known to validate")
			}
		})
	}
}

func TestDNSAnswers(t *testing.T) {
	long := strings.Repeat(` "`+strings.Repeat("x", 250)+`"`, 16) // 4000 octets
	s := setup.DNS(t,
		srvName+". 300 IN SRV 10 20 5269 Host.EXAMPLE.",
		srvName+". 300 IN SRV 0 0 0 .",
		srvName+`. 300 IN SRV 1 1 1 \127o\.d\000d.example.`,
		txtName+". 200 IN TXT"+long,
		txtName+`. 100 IN TXT "one " "two" "\"quoted\" \\ \000\255;"`,
		txtName+`. 150 IN TXT ""`,
	)
	e := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS})
	wantSRV := []delegation.SRVAnswer{{
		Answer: delegation.Answer{Name: srvName, Resolver: s.Addr, DNSSEC: delegation.Insecure, TTL: 300},
		Records: []delegation.SRVRecord{
			{Priority: 10, Weight: 20, Port: 5269, Target: "host.example"},
			{Target: "."},
			{Priority: 1, Weight: 1, Port: 1, Target: `\127o\.d\000d.example`},
		},
	}}
	if diff := cmp.Diff(wantSRV, e.SRV); diff != "" {
		t.Error(diff)
	}
	wantTXT := []delegation.TXTAnswer{{
		Answer: delegation.Answer{Name: txtName, Resolver: s.Addr, DNSSEC: delegation.Insecure, TTL: 100},
		Records: []string{
			strings.Repeat("x", 4000),
			`one two\"quoted\" \\ \000\255;`,
			"",
		},
	}}
	if diff := cmp.Diff(wantTXT, e.TXT); diff != "" {
		t.Error(diff)
	}
	var networks []string
	for _, q := range s.Queries() {
		if !q.RD || !q.AD || q.CD || q.DO || q.UDPSize != udpSize {
			t.Errorf("query %+v, want RD, AD, EDNS of %d octets, and neither CD nor DO", q, udpSize)
		}
		if q.Type == "TXT" {
			networks = append(networks, q.Network)
		}
	}
	if diff := cmp.Diff([]string{"udp", "tcp"}, networks); diff != "" {
		t.Error("TXT was asked over:", diff)
	}
}

// TestThousandsOfRecords: all of them, or a failure; judging is not done here.
func TestThousandsOfRecords(t *testing.T) {
	t.Parallel()
	records := make([]string, 3000)
	for i := range records {
		records[i] = fmt.Sprintf("%s. IN TXT r%d", txtName, i)
	}
	s := setup.DNS(t, records...)
	e := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS})
	if n := len(e.TXT[0].Records); n != len(records) || e.TXT[0].Failure != nil {
		t.Errorf("%d records, failure %+v, want %d", n, e.TXT[0].Failure, len(records))
	}
}

func TestNothingThere(t *testing.T) {
	s := setup.DNS(t, "x."+txtName+". IN A 192.0.2.1")
	e := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS})
	for _, a := range []delegation.Answer{e.SRV[0].Answer /* NXDOMAIN */, e.TXT[0].Answer /* no data */} {
		if a.Failure != nil || a.DNSSEC != delegation.Insecure || a.TTL != 60 || a.Resolver != s.Addr {
			t.Errorf("%+v, failure %+v, want an insecure answer with the SOA's TTL of 60", a, a.Failure)
		}
	}
	setFault(t, s, "", "", dnsserver.Fault{NoSOA: true})
	if a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS}).SRV[0]; a.Failure != nil || a.TTL != 0 {
		t.Errorf("without SOA: %+v, failure %+v, want TTL 0", a, a.Failure)
	}
}

func TestForgedRepliesAreSkipped(t *testing.T) {
	s := setup.DNS(t, srvName+". IN SRV 1 2 3 host.example.", txtName+". IN TXT here")
	setFault(t, s, "", "", dnsserver.Fault{WrongID: true, WrongQuestion: true, Garbage: true})
	e := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS})
	if len(e.SRV[0].Records) != 1 || len(e.TXT[0].Records) != 1 {
		t.Errorf("SRV %+v, TXT %+v: the right reply came after the forged ones", e.SRV, e.TXT)
	}
	if n := len(s.Queries()); n != 2 {
		t.Errorf("%d queries, want 2", n)
	}
}

func TestLostPacketIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := setup.DNS(t, srvName+". IN SRV 1 2 3 host.example.")
	var a delegation.SRVAnswer
	if !rounds(func(unit time.Duration) bool {
		setFault(t, s, srvName, "SRV", dnsserver.Fault{Drop: true, Times: 1})
		a = gather(t, &Client{Resolver: s.Addr, Via: ViaDNS, timeouts: &timeouts{try: unit, lookup: time.Minute}}).SRV[0]
		return len(a.Records) == 1
	}) {
		t.Errorf("%+v, failure %+v", a, a.Failure)
	}
}

func TestDNSSECState(t *testing.T) {
	for _, c := range []struct {
		name       string
		validating bool
		authentic  map[string]bool // names whose replies have AD
		want       delegation.DNSSEC
	}{
		{"forged AD from a resolver that does not count", false, map[string]bool{srvName: true, "hop.example": true}, delegation.Insecure},
		{"AD on every reply", true, map[string]bool{srvName: true, "hop.example": true}, delegation.Secure},
		{"AD on the first reply only", true, map[string]bool{srvName: true}, delegation.Insecure},
		{"AD on the last reply only", true, map[string]bool{"hop.example": true}, delegation.Insecure},
		{"no AD", true, nil, delegation.Insecure},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, srvName+". IN CNAME hop.example.", "hop.example. IN SRV 1 2 3 host.example.")
			for _, name := range []string{srvName, "hop.example"} {
				setFault(t, s, name, "SRV", dnsserver.Fault{NoFollow: true, Authentic: c.authentic[name]})
			}
			a := gather(t, &Client{Resolver: s.Addr, Validating: c.validating, Via: ViaDNS}).SRV[0]
			if a.DNSSEC != c.want || len(a.Records) != 1 {
				t.Errorf("%+v, failure %+v, want %s", a, a.Failure, c.want)
			}
		})
	}
	t.Run("where the aliases lead", func(t *testing.T) {
		s := setup.DNS(t, txtName+". IN CNAME hop.example.", "hop.example. IN CNAME end.example.")
		if a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS}).TXT[0]; a.Alias != "end.example" || len(a.Records) != 0 || a.Failure != nil {
			t.Errorf("%+v", a)
		}
		setFault(t, s, txtName, "TXT", dnsserver.Fault{NoFollow: true})
		setFault(t, s, "hop.example", "TXT", dnsserver.Fault{Rcode: servfail})
		if a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS}).TXT[0]; a.Alias != "hop.example" || a.Failure == nil {
			t.Errorf("%+v", a)
		}
		if a := gather(t, &Client{Resolver: setup.DNS(t).Addr, Via: ViaDNS}).TXT[0]; a.Alias != "" {
			t.Errorf("%+v", a)
		}
	})
	t.Run("that there is none", func(t *testing.T) {
		s := setup.DNS(t)
		setFault(t, s, "", "", dnsserver.Fault{Authentic: true})
		a := gather(t, &Client{Resolver: s.Addr, Validating: true, Via: ViaDNS}).SRV[0]
		if a.DNSSEC != delegation.Secure || a.Failure != nil {
			t.Errorf("%+v, want secure", a)
		}
	})
}

func TestAliases(t *testing.T) {
	links := func(n int) []string {
		list := []string{fmt.Sprintf("%s. 300 IN CNAME hop0.example.", srvName)}
		for i := range n - 1 {
			list = append(list, fmt.Sprintf("hop%d.example. %d IN CNAME hop%d.example.", i, 299-i, i+1))
		}
		return append(list, fmt.Sprintf("hop%d.example. 400 IN SRV 1 2 3 host.example.", n-1))
	}
	for _, c := range []struct {
		name    string
		records []string
		fault   dnsserver.Fault
		reason  reasons.Reason
		ttl     uint32
		queries int
		none    bool
	}{
		{name: "followed within a reply", records: links(3), ttl: 298, queries: 1},
		{name: "followed by asking again", records: links(3), fault: dnsserver.Fault{NoFollow: true}, ttl: 298, queries: 4},
		{name: "as long as may be", records: links(maxLinks), ttl: 293, queries: 1},
		{name: "one too long", records: links(maxLinks + 1), reason: reasons.AliasLoop, queries: 1},
		{name: "one too long, by asking again", records: links(maxLinks + 1), fault: dnsserver.Fault{NoFollow: true}, reason: reasons.AliasLoop, queries: maxLinks + 1},
		{name: "itself", records: []string{srvName + ". IN CNAME " + srvName + "."}, reason: reasons.AliasLoop, queries: 1},
		{name: "a loop", records: []string{srvName + ". IN CNAME A.example.", "a.example. IN CNAME " + srvName + "."}, reason: reasons.AliasLoop, queries: 1},
		{name: "a loop, by asking again", records: []string{srvName + ". IN CNAME a.example.", "a.example. IN CNAME b.example.", "b.example. IN CNAME a.example."},
			fault: dnsserver.Fault{NoFollow: true}, reason: reasons.AliasLoop, queries: 3},
		{name: "two aliases", records: []string{srvName + ". IN CNAME a.example.", srvName + ". IN CNAME b.example.", "a.example. IN SRV 1 2 3 h.example."},
			reason: reasons.DNSFailure, queries: 1},
		{name: "to no name", records: links(2)[:2], ttl: 60, queries: 1, none: true},
		{name: "to a name without such records", records: append(links(2)[:2], "hop1.example. IN A 192.0.2.1"), ttl: 60, queries: 1, none: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, c.records...)
			setFault(t, s, "", "SRV", c.fault)
			a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS}).SRV[0]
			if failed(a.Failure) != c.reason {
				t.Fatalf("failure %+v, want %q", a.Failure, c.reason)
			}
			wantRecords := 1
			if c.none || c.reason != "" {
				wantRecords = 0
			}
			if len(a.Records) != wantRecords || a.TTL != c.ttl {
				t.Errorf("%d records, TTL %d, want %d, %d", len(a.Records), a.TTL, wantRecords, c.ttl)
			}
			if n := countQueries(s, func(q dnsserver.Query) bool { return q.Type == "SRV" }); n != c.queries {
				t.Errorf("%d queries, want %d", n, c.queries)
			}
		})
	}
}

// TestBadTCP: a stream that ends where it should not.
func TestBadTCP(t *testing.T) {
	for name, send := range map[string]string{
		"closed at once":     "",
		"half a length":      "\x00",
		"less than promised": "\x00\x20 0123456789",
		"a length of zero":   "\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			// UDP and TCP on one port: the DNS server for UDP only would keep
			// both, so this test speaks UDP itself.
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			packets, err := net.ListenPacket("udp", listener.Addr().String())
			if err != nil {
				t.Skip("the port is taken:", err)
			}
			done := make(chan struct{}, 2)
			go func() {
				defer func() { done <- struct{}{} }()
				buffer := make([]byte, 512)
				for {
					n, from, err := packets.ReadFrom(buffer)
					if err != nil {
						return
					}
					query := new(dns.Msg)
					if query.Unpack(buffer[:n]) == nil {
						reply := new(dns.Msg).SetReply(query)
						reply.Truncated = true
						wire, _ := reply.Pack()
						packets.WriteTo(wire, from)
					}
				}
			}()
			go func() {
				defer func() { done <- struct{}{} }()
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					conn.Read(make([]byte, 512))
					conn.Write([]byte(send))
					conn.Close()
				}
			}()
			a := gather(t, &Client{Resolver: listener.Addr().String(), Via: ViaDNS}).SRV[0]
			if failed(a.Failure) != reasons.DNSFailure || !strings.Contains(a.Failure.Detail, "over TCP") {
				t.Errorf("failure %+v, want %s", a.Failure, reasons.DNSFailure)
			}
			listener.Close()
			packets.Close()
			<-done
			<-done
		})
	}
}

func TestServersInTurn(t *testing.T) {
	t.Parallel()
	refusing, good := setup.DNS(t), setup.DNS(t, srvName+". IN SRV 1 2 3 host.example.")
	setFault(t, refusing, "", "", dnsserver.Fault{Rcode: dns.RcodeRefused})
	silent := nobody(t) // one that says nothing would take the time of a try
	r := &resolver{timeouts: *relaxed, log: new(Client).logger()}
	for _, addr := range []string{silent, refusing.Addr, good.Addr} {
		r.servers = append(r.servers, netip.MustParseAddrPort(addr))
	}
	a := r.srv(t.Context(), srvName)
	if a.Failure != nil || a.Resolver != good.Addr || len(a.Records) != 1 {
		t.Errorf("%+v, failure %+v, want the answer of the last", a, a.Failure)
	}
	r.servers = r.servers[:2]
	a = r.srv(t.Context(), srvName)
	if failed(a.Failure) != reasons.DNSFailure || !strings.Contains(a.Failure.Detail, silent) || !strings.Contains(a.Failure.Detail, "REFUSED") {
		t.Errorf("failure %+v, want a detail about both servers", a.Failure)
	}
	if n := len(refusing.Queries()); n != 2 {
		t.Errorf("the server that refused was asked %d times in two lookups", n)
	}
}

// nobody is an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	return packets.LocalAddr().String()
}

func TestUnreachableResolver(t *testing.T) {
	addr := nobody(t)
	a := gather(t, &Client{Resolver: addr, Via: ViaDNS}).SRV[0]
	if failed(a.Failure) != reasons.DNSTimeout || !strings.Contains(a.Failure.Detail, addr) {
		t.Errorf("failure %+v, want %s that names %s", a.Failure, reasons.DNSTimeout, addr)
	}
}
