package dnsexchange

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// reply is the bytes of a reply to a query, with EDNS.
func reply(t *testing.T, query *dns.Msg, edit func(*dns.Msg)) []byte {
	t.Helper()
	m := new(dns.Msg).SetReply(query)
	rr, err := dns.NewRR(`a.test. 60 IN TXT "here"`)
	if err != nil {
		t.Fatal(err)
	}
	m.Answer = []dns.RR{rr}
	m.SetEdns0(1232, true)
	if edit != nil {
		edit(m)
	}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

func TestRead(t *testing.T) {
	q := query()
	for _, c := range []struct {
		name    string
		edit    func(*dns.Msg)
		wire    func([]byte) []byte
		foreign bool
		want    string // in the error
		answers int
	}{
		{name: "good", answers: 1},
		{name: "name in capitals", edit: func(m *dns.Msg) { m.Question[0].Name = "A.TEST." }, answers: 1},
		{name: "other ID", edit: func(m *dns.Msg) { m.Id++ }, foreign: true, want: "ID"},
		{name: "other class", edit: func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, foreign: true, want: "question"},
		{name: "no question", edit: func(m *dns.Msg) { m.Question = nil }, foreign: true, want: "question"},
		{name: "no question, no answer", edit: func(m *dns.Msg) { m.Question, m.Answer = nil, nil }, foreign: true, want: "question"},
		{name: "no question, an error", edit: func(m *dns.Msg) { m.Question, m.Answer, m.Rcode = nil, nil, dns.RcodeRefused }},
		{name: "no question, an extended error", edit: func(m *dns.Msg) { m.Question, m.Answer, m.Rcode = nil, nil, dns.RcodeBadVers }},
		{name: "no question, an error, damaged", edit: func(m *dns.Msg) { m.Question, m.Answer, m.Rcode = nil, nil, dns.RcodeRefused },
			wire: func(w []byte) []byte { return w[:len(w)-1] }, foreign: true, want: "question"},
		{name: "truncated", edit: func(m *dns.Msg) { m.Truncated = true }, answers: 0},
		{name: "cut", wire: func(w []byte) []byte { return w[:len(w)-1] }, want: "damaged"},
		{name: "ends with a section", wire: func(w []byte) []byte { return w[:len(w)-11] }, want: "fewer records"},
		{name: "no data", edit: func(m *dns.Msg) { m.Answer[0] = &dns.ANY{Hdr: *m.Answer[0].Header()} }, want: "no data"},
		{name: "empty", wire: func([]byte) []byte { return nil }, foreign: true, want: "short"},
	} {
		wire := reply(t, q, c.edit)
		if c.wire != nil {
			wire = c.wire(wire)
		}
		m, err := Read(q, wire)
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) || errors.Is(err, errForeign) != c.foreign {
			t.Errorf("%s: %v, want %q, foreign %v", c.name, err, c.want, c.foreign)
		}
		if (m == nil) != (err != nil) || m != nil && len(m.Answer) != c.answers {
			t.Errorf("%s: %v, want %d records", c.name, m, c.answers)
		}
	}
}

// TestReadUpdate: the reply to an update may repeat the zone or not.
func TestReadUpdate(t *testing.T) {
	update := new(dns.Msg).SetUpdate("a.test.")
	for name, edit := range map[string]func(*dns.Msg){
		"with zone":    func(m *dns.Msg) { m.Answer = nil },
		"without zone": func(m *dns.Msg) { m.Question, m.Answer = nil, nil },
		// BIND repeats the prerequisites, which have no data.
		"repeats all": func(m *dns.Msg) { m.Answer[0] = &dns.ANY{Hdr: *m.Answer[0].Header()} },
	} {
		if m, err := Read(update, reply(t, update, edit)); err != nil || m.Opcode != dns.OpcodeUpdate {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if _, err := Read(update, reply(t, query(), func(m *dns.Msg) { m.Id = update.Id })); !errors.Is(err, errForeign) {
		t.Errorf("the reply to a query is taken for one to an update: %v", err)
	}
}

// TestReadKeepsTheRest: a damaged option takes nothing else with it. The
// records around it, the flags and codes of EDNS, and the readable options
// stay.
func TestReadKeepsTheRest(t *testing.T) {
	q := query()
	whole := func(m *dns.Msg) {
		m.Rcode = dns.RcodeBadCookie
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 9, ExtraText: "x"}, &dns.EDNS0_NSID{Code: dns.EDNS0NSID, Nsid: "aabb"}}
		m.Extra = append(m.Extra, &dns.A{Hdr: dns.RR_Header{Name: "b.a.test.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: []byte{192, 0, 2, 1}})
		m.SetTsig("key.test.", dns.HmacSHA256, 300, 1)
	}
	want, err := Read(q, reply(t, q, whole))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(q, reply(t, q, func(m *dns.Msg) {
		whole(m)
		opt := m.IsEdns0()
		damaged := &dns.EDNS0_LOCAL{Code: dns.EDNS0SUBNET, Data: []byte{1}} // as local, it is written without a look
		opt.Option = []dns.EDNS0{opt.Option[0], damaged, opt.Option[1]}
	}))
	if err != nil {
		t.Fatal(err)
	}
	want.IsEdns0().Hdr.Rdlength = 0
	got.IsEdns0().Hdr.Rdlength = 0
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Error(diff)
	}
	if got.Rcode != dns.RcodeBadCookie || got.IsTsig() == nil || !got.IsEdns0().Do() || len(got.IsEdns0().Option) != 2 {
		t.Errorf("%v", got)
	}
}
