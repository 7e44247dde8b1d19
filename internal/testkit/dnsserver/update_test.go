package dnsserver

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const keyName = "key.test."

var secret = base64.StdEncoding.EncodeToString([]byte("a secret of the tests"))

// update sends an update, signed unless the key is empty.
func update(t *testing.T, s *Server, zone, key string, edit func(*dns.Msg)) (*dns.Msg, error) {
	t.Helper()
	m := new(dns.Msg).SetUpdate(zone)
	edit(m)
	client := &dns.Client{Net: "tcp", TsigSecret: map[string]string{keyName: secret, "other.test.": secret}}
	if key != "" {
		m.SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())
	}
	reply, _, err := client.Exchange(m, s.Addr)
	if reply == nil {
		t.Fatal(err)
	}
	return reply, err
}

func records(t *testing.T, lines ...string) []dns.RR {
	t.Helper()
	var list []dns.RR
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rr)
	}
	return list
}

func TestUpdate(t *testing.T) {
	const soa = "test. 3600 IN SOA ns.test. hostmaster.test. 1 2 3 4 5"
	s := start(t, soa, "a.test. 60 IN TXT one", "a.test. 60 IN TXT two", "a.test. 60 IN A 192.0.2.1")
	s.AllowUpdates(keyName, secret)
	texts := func() int { return len(ask(t, s, "tcp", "a.test.", "TXT", nil).Answer) }
	one := func() []dns.RR { return records(t, "a.test. 60 IN TXT one") }
	for _, c := range []struct {
		name  string
		edit  func(m *dns.Msg)
		rcode int
		texts int
	}{
		{"set is another", func(m *dns.Msg) { m.Used(one()); m.Remove(one()) }, dns.RcodeNXRrset, 2},
		{"set is there", func(m *dns.Msg) { m.RRsetNotUsed(one()); m.Remove(one()) }, dns.RcodeYXRrset, 2},
		{"set is not there", func(m *dns.Msg) { m.RRsetUsed(records(t, "b.test. IN TXT x")); m.Remove(one()) }, dns.RcodeNXRrset, 2},
		{"outside of the zone", func(m *dns.Msg) { m.Remove(one()); m.Insert(records(t, "a.other. IN TXT x")) }, dns.RcodeNotZone, 2},
		{"replace one of two", func(m *dns.Msg) {
			m.Used(records(t, "a.test. IN TXT two", "a.test. IN TXT one"))
			m.Remove(one())
			m.Insert(records(t, "a.test. 60 IN TXT three"))
		}, dns.RcodeSuccess, 2},
		{"add what is there", func(m *dns.Msg) { m.Insert(records(t, "a.test. 60 IN TXT three")) }, dns.RcodeSuccess, 2},
		{"remove what is not there", func(m *dns.Msg) { m.Remove(one()) }, dns.RcodeSuccess, 2},
		{"remove the set", func(m *dns.Msg) { m.RemoveRRset(one()) }, dns.RcodeSuccess, 0},
		{"remove the name", func(m *dns.Msg) { m.RemoveName(one()) }, dns.RcodeSuccess, 0},
	} {
		reply, err := update(t, s, "test.", keyName, c.edit)
		if err != nil || reply.Rcode != c.rcode || reply.IsTsig() == nil {
			t.Errorf("%s: %s, %v, want %s, signed", c.name, dns.RcodeToString[reply.Rcode], err, dns.RcodeToString[c.rcode])
		}
		if n := texts(); n != c.texts {
			t.Errorf("%s: %d records, want %d", c.name, n, c.texts)
		}
	}
	if reply := ask(t, s, "udp", "a.test.", "A", nil); reply.Rcode != dns.RcodeNameError || reply.Ns[0].Header().Name != "test." {
		t.Errorf("%v, want NXDOMAIN with the zone's SOA record", reply)
	}
	add := func(m *dns.Msg) { m.Insert(one()) }
	for _, c := range []struct {
		name, zone, key string
		fault           Fault
		rcode           int
		tsig            uint16
	}{
		{name: "not signed", zone: "test.", rcode: dns.RcodeRefused},
		{name: "another key", zone: "test.", key: "other.test.", rcode: dns.RcodeNotAuth, tsig: dns.RcodeBadKey},
		{name: "no such zone", zone: "other.", key: keyName, rcode: dns.RcodeNotAuth},
		{name: "fault", zone: "test.", key: keyName, fault: Fault{Rcode: dns.RcodeServerFailure, Times: 1}, rcode: dns.RcodeServerFailure},
	} {
		if err := s.Fault("", "UPDATE", c.fault); err != nil {
			t.Fatal(err)
		}
		reply, _ := update(t, s, c.zone, c.key, add)
		if reply.Rcode != c.rcode || c.tsig != 0 && reply.IsTsig().Error != c.tsig {
			t.Errorf("%s: %v", c.name, reply)
		}
		if texts() != 0 {
			t.Errorf("%s: it was made", c.name)
		}
	}
	s.AllowUpdates(keyName, base64.StdEncoding.EncodeToString([]byte("another secret")))
	if reply, _ := update(t, s, "test.", keyName, add); reply.IsTsig().Error != dns.RcodeBadSig || texts() != 0 {
		t.Errorf("another secret: %v", reply)
	}
}
