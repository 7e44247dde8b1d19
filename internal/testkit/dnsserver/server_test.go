package dnsserver

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, records ...string) *Server {
	t.Helper()
	s, err := Start(records)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func ask(t *testing.T, s *Server, network, name, rtype string, edit func(*dns.Msg)) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.StringToType[rtype])
	if edit != nil {
		edit(m)
	}
	reply, _, err := (&dns.Client{Net: network}).Exchange(m, s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestAnswers(t *testing.T) {
	s := start(t,
		"a.test. 60 IN A 192.0.2.1",
		"; a comment",
		"",
		"b.test. IN CNAME a.test.",
		"lost.test. IN CNAME nowhere.test.",
		"loop.test. IN CNAME loop.test.",
		"x.y.test. IN TXT one two",
	)
	for _, c := range []struct {
		name, rtype string
		answers     int
		rcode       int
	}{
		{"a.test.", "A", 1, dns.RcodeSuccess},
		{"A.Test.", "A", 1, dns.RcodeSuccess},
		{"a.test.", "AAAA", 0, dns.RcodeSuccess},
		{"b.test.", "A", 2, dns.RcodeSuccess},
		{"b.test.", "CNAME", 1, dns.RcodeSuccess},
		{"lost.test.", "A", 1, dns.RcodeNameError},
		{"loop.test.", "A", maxLinks, dns.RcodeSuccess},
		{"y.test.", "A", 0, dns.RcodeSuccess}, // an empty non-terminal
		{"z.test.", "A", 0, dns.RcodeNameError},
	} {
		for _, network := range []string{"udp", "tcp"} {
			reply := ask(t, s, network, c.name, c.rtype, nil)
			if len(reply.Answer) != c.answers || reply.Rcode != c.rcode {
				t.Errorf("%s %s over %s: %d answers, %s, want %d, %s", c.name, c.rtype, network,
					len(reply.Answer), dns.RcodeToString[reply.Rcode], c.answers, dns.RcodeToString[c.rcode])
			}
			if wantSOA := c.answers == 0 || c.rcode != 0 || c.name == "loop.test."; wantSOA != (len(reply.Ns) == 1) {
				t.Errorf("%s %s over %s: %d records in the authority section", c.name, c.rtype, network, len(reply.Ns))
			}
		}
	}
	if err := s.SetRecords([]string{"a.test. IN A 192.0.2.2", "a.test. IN A 192.0.2.3"}); err != nil {
		t.Fatal(err)
	}
	if reply := ask(t, s, "udp", "a.test.", "A", nil); len(reply.Answer) != 2 {
		t.Errorf("after SetRecords: %d answers, want 2", len(reply.Answer))
	}
}

func TestBadRecords(t *testing.T) {
	if _, err := Start([]string{"a.test. IN A nonsense"}); err == nil {
		t.Error("Start accepted a bad record")
	}
	s := start(t)
	if err := s.Fault("a.test.", "NONSENSE", Fault{}); err == nil {
		t.Error("Fault accepted a bad type")
	}
}

func TestTruncation(t *testing.T) {
	long := strings.Repeat(` "`+strings.Repeat("x", 250)+`"`, 16)
	s := start(t, "a.test. IN TXT"+long, "b.test. IN TXT"+long[:253*3])
	edns := func(m *dns.Msg) { m.SetEdns0(1232, false) }
	for _, c := range []struct {
		network, name string
		edit          func(*dns.Msg)
		truncated     bool
	}{
		{"udp", "a.test.", nil, true},
		{"udp", "a.test.", edns, true},
		{"tcp", "a.test.", nil, false},
		{"udp", "b.test.", nil, true},
		{"udp", "b.test.", edns, false},
	} {
		reply := ask(t, s, c.network, c.name, "TXT", c.edit)
		if reply.Truncated != c.truncated || (len(reply.Answer) == 0) != c.truncated {
			t.Errorf("%s over %s, EDNS %v: truncated %v with %d answers, want %v",
				c.name, c.network, c.edit != nil, reply.Truncated, len(reply.Answer), c.truncated)
		}
	}
}

func TestFaults(t *testing.T) {
	s := start(t, "a.test. IN A 192.0.2.1")
	fault := func(name, rtype string, f Fault) {
		if err := s.Fault(name, rtype, f); err != nil {
			t.Fatal(err)
		}
	}
	fault("", "", Fault{Authentic: true})
	fault("a.test", "", Fault{Rcode: dns.RcodeRefused})
	fault("a.test", "A", Fault{Bogus: true, Times: 2, Error: &ExtendedError{6, "broken"}})

	edns := func(m *dns.Msg) { m.SetEdns0(1232, true); m.CheckingDisabled = true }
	if reply := ask(t, s, "udp", "a.test.", "A", edns); reply.Rcode != 0 || len(reply.Answer) != 1 || len(reply.IsEdns0().Option) != 1 {
		t.Errorf("with CD: %v", reply)
	}
	if reply := ask(t, s, "tcp", "a.test.", "A", nil); reply.Rcode != dns.RcodeServerFailure {
		t.Errorf("without CD: %v", reply)
	}
	if reply := ask(t, s, "udp", "a.test.", "A", nil); reply.Rcode != dns.RcodeRefused {
		t.Errorf("the fault of the name: %v", reply)
	}
	if reply := ask(t, s, "udp", "b.test.", "A", nil); !reply.AuthenticatedData {
		t.Errorf("the fault of everything: %v", reply)
	}
	want := []Query{
		{"a.test.", "A", "udp", true, false, true, true, 1232},
		{"a.test.", "A", "tcp", true, false, false, false, 0},
		{"a.test.", "A", "udp", true, false, false, false, 0},
		{"b.test.", "A", "udp", true, false, false, false, 0},
	}
	if diff := cmp.Diff(want, s.Queries()); diff != "" {
		t.Error(diff)
	}
}
