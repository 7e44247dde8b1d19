package discovery

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// FuzzReply sends arbitrary octets as the reply to a question. The laws:
// nothing panics. Octets are taken for a reply only if a second implementation
// reads the same ID and the same question in them. Records come out only if the
// CNAME records of the reply lead to them from the name that was asked.
func FuzzReply(f *testing.F) {
	q := question{name: srvName + ".", qtype: dns.TypeSRV}
	query := q.message()
	query.Id = 0x1234
	for _, seed := range replySeeds(f, query) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		reply, err := dnsexchange.Read(query, wire)
		if err != nil {
			return
		}
		sameInBothLibraries(t, reply, wire)
		if usable(reply, q) != nil {
			return
		}
		if len(reply.Question) != 1 {
			t.Fatal("a reply without the question is taken for an answer")
		}
		c := newChain(q.name, q.qtype)
		records, _, p := c.follow(reply)
		if p != nil && (len(records) > 0 || p.Reason.Outcome() != reasons.OutcomeUndetermined) {
			t.Fatalf("%d records together with %v", len(records), p)
		}
		if len(records) == 0 {
			return
		}
		onChain := reachable(reply, q.name)
		for _, rr := range records {
			if rr.Header().Rrtype != q.qtype || !onChain[dns.CanonicalName(rr.Header().Name)] || rr.Header().Ttl < c.ttl && rr.Header().Ttl>>31 == 0 {
				t.Fatalf("%s, TTL %d, is not the answer to %s", rr, c.ttl, q)
			}
			hostName(rr.(*dns.SRV).Target)
		}
	})
}

// replySeeds are replies good and bad.
func replySeeds(f *testing.F, query *dns.Msg) [][]byte {
	var seeds [][]byte
	add := func(edit func(*dns.Msg), records ...string) {
		reply := new(dns.Msg).SetReply(query)
		reply.RecursionAvailable, reply.Compress = true, true
		for _, text := range records {
			rr, err := dns.NewRR(text)
			if err != nil {
				f.Fatal(err)
			}
			reply.Answer = append(reply.Answer, rr)
		}
		if edit != nil {
			edit(reply)
		}
		wire, err := reply.Pack()
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, wire)
	}
	add(nil)
	add(nil, srvName+". 300 IN SRV 1 2 3 host.example.", srvName+". 300 IN SRV 1 2 3 .")
	add(nil, strings.ToUpper(srvName)+". 300 IN CNAME a.example.", "a.example. 2 IN SRV 1 2 3 host.example.", "c.example. 1 IN SRV 1 2 3 evil.example.")
	add(nil, srvName+". 300 IN CNAME a.example.", "a.example. IN CNAME "+srvName+".")
	add(func(m *dns.Msg) { m.Id++ }, srvName+". 300 IN SRV 1 2 3 host.example.")
	add(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT }, srvName+". 300 IN SRV 1 2 3 host.example.")
	add(func(m *dns.Msg) { m.Question, m.Rcode = nil, dns.RcodeRefused })
	add(func(m *dns.Msg) {
		m.Rcode = dns.RcodeServerFailure
		m.SetEdns0(udpSize, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 6, ExtraText: "bad\x00\xff"}}
	})
	if len(seeds) < 8 {
		f.Fatalf("only %d seeds", len(seeds))
	}
	cut := seeds[1]
	return append(seeds, cut[:len(cut)-7], cut[:12], nil)
}

// sameInBothLibraries compares the front of a message that was accepted with
// what another library reads.
func sameInBothLibraries(t *testing.T, reply *dns.Msg, wire []byte) {
	t.Helper()
	var parser dnsmessage.Parser
	h, err := parser.Start(wire)
	if err != nil || h.ID != 0x1234 || !h.Response || h.OpCode != 0 {
		t.Fatalf("accepted, but another library reads %+v, %v", h, err)
	}
	if len(reply.Question) == 0 {
		return // nothing but an error
	}
	q, err := parser.Question()
	if err != nil || !strings.EqualFold(q.Name.String(), srvName+".") || q.Type != dnsmessage.TypeSRV || q.Class != dnsmessage.ClassINET {
		t.Fatalf("accepted, but another library reads the question %+v, %v", q, err)
	}
	if _, err := parser.Question(); err != dnsmessage.ErrSectionDone {
		t.Fatalf("accepted with more than one question: %v", err)
	}
}

// reachable is every name that CNAME records lead to, by trying them all again
// and again.
func reachable(reply *dns.Msg, name string) map[string]bool {
	names := map[string]bool{name: true}
	for range reply.Answer {
		for _, rr := range reply.Answer {
			if c, ok := rr.(*dns.CNAME); ok && names[dns.CanonicalName(c.Hdr.Name)] {
				names[dns.CanonicalName(c.Target)] = true
			}
		}
	}
	return names
}

// TestUsable: an answer section with something in it must answer the question.
// Else it is no "there is none".
func TestUsable(t *testing.T) {
	q := question{name: srvName + ".", qtype: dns.TypeSRV}
	for _, c := range []struct {
		name    string
		rcode   int
		records []string
		usable  bool
	}{
		{"nothing", dns.RcodeSuccess, nil, true},
		{"no such name", dns.RcodeNameError, nil, true},
		{"the record", dns.RcodeSuccess, []string{srvName + ". IN SRV 1 2 3 h.example."}, true},
		{"the record in capitals", dns.RcodeSuccess, []string{strings.ToUpper(srvName) + ". IN SRV 1 2 3 h.example."}, true},
		{"an alias", dns.RcodeSuccess, []string{srvName + ". IN CNAME h.example."}, true},
		{"an alias of no name", dns.RcodeNameError, []string{srvName + ". IN CNAME h.example."}, true},
		{"the record and another", dns.RcodeSuccess, []string{"x.example. IN SRV 1 2 3 h.example.", srvName + ". IN SRV 1 2 3 h.example."}, true},
		{"another name", dns.RcodeSuccess, []string{"x." + srvName + ". IN SRV 1 2 3 h.example."}, false},
		{"the domain itself", dns.RcodeSuccess, []string{source + ". IN SRV 1 2 3 h.example."}, false},
		{"a wildcard that was not expanded", dns.RcodeSuccess, []string{"*." + source + ". IN SRV 1 2 3 h.example."}, false},
		{"another name, which is said not to be", dns.RcodeNameError, []string{"x." + srvName + ". IN SRV 1 2 3 h.example."}, false},
		{"an alias of another name", dns.RcodeSuccess, []string{"x.example. IN CNAME " + srvName + "."}, false},
		{"a DNAME alone", dns.RcodeSuccess, []string{source + ". IN DNAME c.example."}, false},
		{"a DNAME with its alias", dns.RcodeSuccess, []string{source + ". IN DNAME c.example.", srvName + ". IN CNAME " + service + ".c.example."}, true},
		{"another type", dns.RcodeSuccess, []string{srvName + ". IN A 192.0.2.1"}, false},
		{"another class", dns.RcodeSuccess, []string{srvName + ". CH SRV 1 2 3 h.example."}, false},
	} {
		reply := new(dns.Msg).SetReply(q.message())
		reply.Rcode, reply.RecursionAvailable = c.rcode, true
		for _, text := range c.records {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			reply.Answer = append(reply.Answer, rr)
		}
		if err := usable(reply, q); (err == nil) != c.usable {
			t.Errorf("%s: %v, want usable %v", c.name, err, c.usable)
		}
	}
}

func TestForeignRecordsAreNotLookedAt(t *testing.T) {
	query := question{name: srvName + ".", qtype: dns.TypeSRV}
	reply := new(dns.Msg).SetReply(query.message())
	for _, text := range []string{
		"evil.example. 1 IN SRV 1 2 3 evil.example.",
		srvName + ". 2 IN TXT evil",
		srvName + ". 1 CH SRV 1 2 3 evil.example.",
		strings.ToUpper(srvName) + ". 300 IN CNAME Hop.example.",
		srvName + ".example. 1 IN SRV 1 2 3 evil.example.",
		"hOP.example. 200 IN SRV 1 2 3 host.example.",
	} {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		reply.Answer = append(reply.Answer, rr)
	}
	c := newChain(query.name, query.qtype)
	records, moved, p := c.follow(reply)
	if p != nil || !moved || len(records) != 1 || records[0].(*dns.SRV).Target != "host.example." || c.ttl != 200 {
		t.Errorf("%v, TTL %d, moved %v, %v", records, c.ttl, moved, p)
	}
}

func TestLifetime(t *testing.T) {
	for ttl, want := range map[uint32]uint32{0: 0, 1: 1, 1<<31 - 1: 1<<31 - 1, 1 << 31: 0, 1<<32 - 1: 0} {
		if got := lifetime(ttl); got != want {
			t.Errorf("%d: %d, want %d", ttl, got, want)
		}
	}
}
