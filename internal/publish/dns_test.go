package publish

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

func mustServers(t testing.TB, list ...string) []netip.AddrPort {
	t.Helper()
	servers, err := parseServers(list)
	if err != nil {
		t.Fatal(err)
	}
	return servers
}

func sorted(list ...string) []string {
	slices.Sort(list)
	return list
}

// TestReplace: what goes and what stays.
func TestReplace(t *testing.T) {
	old := draft{age: time.Hour}.sign(t)
	oldAC := draft{age: time.Hour, encoding: delegation.AC}.sign(t)
	other := draft{age: time.Hour, service: "_xmpp-client._tcp"}.sign(t)
	foreign := draft{age: time.Hour, source: "c.example"}.sign(t)
	fresh := draft{}.sign(t)
	text := func(raw []byte) string { return delegation.JWS.TXTRecord(raw) }
	textAC := delegation.AC.TXTRecord(oldAC)
	for _, c := range []struct {
		name         string
		there, after []string // besides the new one
	}{
		{"nothing there", nil, nil},
		{"an old one", []string{text(old)}, nil},
		{"several old ones", []string{text(old), text(draft{age: 2 * time.Hour}.sign(t)), text(draft{age: 3 * time.Hour}.sign(t))}, nil},
		{"records of others", []string{"v=spf1 -all", "v=DNA10; x", "", text(old), `odd \" \\ \000`}, []string{"v=spf1 -all", "v=DNA10; x", "", `odd \" \\ \000`}},
		{"the other encoding", []string{textAC, text(old)}, []string{textAC}},
		{"another service and another domain", []string{text(other), text(foreign)}, []string{text(other), text(foreign)}},
		{"an encoding of the future", []string{"v=DNA1; e=cbor; s=AAAA"}, []string{"v=DNA1; e=cbor; s=AAAA"}},
		{"half of one", []string{text(old)[:500], "v=DNA1", textAC[:300], "v=DNA1; e=jws; s="}, nil},
		{"expired, but newer", []string{text(draft{age: -time.Minute, life: time.Second}.sign(t))}, nil},
		{"spoiled, but newer", []string{text(draft{age: -time.Minute, spoil: true}.sign(t))}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			records := zone()
			for _, text := range c.there {
				records = append(records, line(text))
			}
			s := setup.DNS(t, records...)
			place := at(t, s).Place(source, service)
			if c.name == "expired, but newer" {
				place.dns.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
			}
			change, err := place.Publish(t.Context(), fresh)
			if err != nil {
				t.Fatal(err)
			}
			if replaced := len(c.there) - len(c.after); !change.Changed || change.Replaced != replaced || change.Where != s.Addr {
				t.Errorf("%+v, want %d replaced at %s", change, replaced, s.Addr)
			}
			if diff := cmp.Diff(sorted(append(c.after, text(fresh))...), sorted(recordsAt(t, s.Addr)...)); diff != "" {
				t.Error(diff)
			}
			if err := place.Check(t.Context(), fresh); err != nil {
				t.Error(err)
			}
			// A second time, nothing is written.
			before := len(s.Queries())
			change, err = place.Publish(t.Context(), fresh)
			if err != nil || change.Changed || change.Replaced != 0 {
				t.Errorf("again: %+v, %v", change, err)
			}
			for _, q := range s.Queries()[before:] {
				if q.Type == "UPDATE" || q.Network != "tcp" {
					t.Errorf("again: %s over %s", q.Type, q.Network)
				}
			}
		})
	}
}

// TestTTL: of the set that is there, else the caller's, else an hour.
func TestTTL(t *testing.T) {
	for _, c := range []struct {
		name  string
		ttl   time.Duration
		there []string
		want  string
	}{
		{"the set's", time.Minute, []string{line("other")}, " 300 IN TXT"},
		{"the caller's", time.Minute, nil, " 60 IN TXT"},
		{"an hour", 0, nil, " 3600 IN TXT"},
	} {
		s := setup.DNS(t, zone(c.there...)...)
		d := at(t, s)
		d.TTL = c.ttl
		u, err := d.Place(source, service).Plan(t.Context(), draft{}.sign(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(u.Add) != 1 || !strings.HasPrefix(u.Add[0], owner+c.want) {
			t.Errorf("%s: %.80q", c.name, u.Add)
		}
		if n := len(recordsAt(t, s.Addr)); n != len(c.there) {
			t.Errorf("%s: a plan changed the zone: %d records", c.name, n)
		}
	}
}

// TestNotPublished: what is refused, and changes nothing.
func TestNotPublished(t *testing.T) {
	newer := draft{host: "nobody"}.sign(t)
	full := zone()
	for _, d := range []draft{{service: "_sip._tcp"}, {service: "_xmpp-client._tcp"}, {source: "c.example"}, {encoding: delegation.AC}} {
		e := delegation.JWS
		if d.encoding != "" {
			e = d.encoding
		}
		full = append(full, record(e, d.sign(t)))
	}
	for _, c := range []struct {
		name  string
		there []string
		raw   []byte
		want  reasons.Reason
	}{
		{"older than a revocation", zone(record(delegation.JWS, newer)), draft{age: time.Minute}.sign(t), reasons.Superseded},
		{"same second, other targets", zone(record(delegation.JWS, newer)), draft{}.sign(t), reasons.Conflict},
		{"same second, other targets, other encoding", zone(record(delegation.JWS, newer)), draft{encoding: delegation.AC}.sign(t), reasons.Conflict},
		{"too many others", full, draft{}.sign(t), reasons.TooManyRecords},
		{"no statement", zone(), []byte("x"), reasons.MalformedToken},
		{"altered", zone(), draft{spoil: true}.sign(t), reasons.BadSignature},
		{"expired", zone(), draft{age: time.Hour, life: time.Minute}.sign(t), reasons.Expired},
		{"another domain", zone(), draft{source: "c.example"}.sign(t), reasons.SourceMismatch},
		{"another service", zone(), draft{service: "_sip._tcp"}.sign(t), reasons.ServiceMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, c.there...)
			before := recordsAt(t, s.Addr)
			_, err := at(t, s).Place(source, service).Publish(t.Context(), c.raw)
			wantReason(t, err, c.want)
			if diff := cmp.Diff(before, recordsAt(t, s.Addr)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFaults: each a reason, and the old statement still there, or the new one.
func TestFaults(t *testing.T) {
	old, fresh := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	for _, c := range []struct {
		name  string
		fault func(t *testing.T, s *dnsserver.Server, d *DNS)
		want  reasons.Reason
		says  string
		made  bool // the update was made all the same
		raced bool // others added records
	}{
		{name: "unknown key", want: reasons.TSIGRejected, says: "does not know the key owner-key",
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) { s.AllowUpdates(realtest.TSIGName, "") }},
		{name: "another secret", want: reasons.TSIGRejected, says: "BADSIG",
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				s.AllowUpdates(realtest.TSIGName, "AAAAAAAAAAAAAAAAAAAAAAAAAAAA")
			}},
		{name: "another algorithm", want: reasons.TSIGRejected,
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) { d.Key.algorithm = "hmac-sha224." }},
		{name: "clock wrong", want: reasons.ClockMismatch, says: time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:"),
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				d.Now = func() time.Time { return time.Now().Add(time.Hour) }
			}},
		{name: "clock wrong, the server's time is told", want: reasons.ClockMismatch, says: "that of 127.0.0.1:",
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				d.Now = func() time.Time { return time.Now().Add(time.Hour) }
			}},
		{name: "no key", want: reasons.MissingInput,
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) { d.Key = nil }},
		{name: "REFUSED", want: reasons.UpdateRefused, says: "may not change TXT " + owner,
			fault: faultOf(dnsserver.Fault{Rcode: 5})},
		{name: "REFUSED, unsigned", want: reasons.UpdateRefused, says: "not signed",
			fault: faultOf(dnsserver.Fault{Rcode: 5, Unsigned: true})},
		{name: "NOTAUTH", want: reasons.UpdateRefused, says: "not the primary",
			fault: faultOf(dnsserver.Fault{Rcode: 9})},
		{name: "NOTZONE", want: reasons.UpdateRefused, fault: faultOf(dnsserver.Fault{Rcode: 10})},
		{name: "NOTIMP", want: reasons.UpdateRefused, says: "does not take", fault: faultOf(dnsserver.Fault{Rcode: 4})},
		{name: "SERVFAIL", want: reasons.UpdateFailed, fault: faultOf(dnsserver.Fault{Rcode: 2})},
		{name: "reply without TSIG", want: reasons.UpdateFailed, says: "not known whether", made: true,
			fault: faultOf(dnsserver.Fault{Unsigned: true})},
		{name: "reply with a forged TSIG", want: reasons.UpdateFailed, says: "not signed with the key", made: true,
			fault: faultOf(dnsserver.Fault{Forged: true})},
		{name: "refusal with a forged TSIG", want: reasons.UpdateRefused, says: "not signed with the key",
			fault: faultOf(dnsserver.Fault{Rcode: 5, Forged: true})},
		{name: "failed prerequisite without TSIG", want: reasons.UpdateFailed, fault: faultOf(dnsserver.Fault{Rcode: 8, Unsigned: true})},
		{name: "always another faster", want: reasons.UpdateRaced, says: "changed 5 times", raced: true, fault: faultOf(dnsserver.Fault{Raced: true})},
		{name: "nobody faster, and NXRRSET", want: reasons.UpdateRefused, says: "nobody else changes them", fault: faultOf(dnsserver.Fault{Rcode: 8})},
		{name: "nobody faster, and YXRRSET", want: reasons.UpdateRefused, says: "as Technitium DNS Server does", fault: faultOf(dnsserver.Fault{Rcode: 7})},
		{name: "server away", want: reasons.UpdateFailed, says: "nothing was sent",
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) { d.Server = closedPort(t) }},
		{name: "lame", want: reasons.UpdateRefused, says: "no authority",
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				if err := s.Fault("", "TXT", dnsserver.Fault{Lame: true}); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "server refuses questions", want: reasons.UpdateRefused, says: "REFUSED",
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				if err := s.Fault("", "TXT", dnsserver.Fault{Rcode: 5}); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "cut reply", want: reasons.UpdateFailed,
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				if err := s.Fault("", "TXT", dnsserver.Fault{Short: true}); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "fewer records than promised", want: reasons.UpdateFailed,
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				if err := s.Fault("", "TXT", dnsserver.Fault{WrongCounts: true}); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "no address", want: reasons.BadQuery,
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) { d.Server = "ns.example" }},
		{name: "resolver fails", want: reasons.DNSFailure,
			fault: func(t *testing.T, s *dnsserver.Server, d *DNS) {
				d.Server, d.Authorities = "", nil
				if err := s.Fault("", "SOA", dnsserver.Fault{Rcode: 2}); err != nil {
					t.Fatal(err)
				}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, zone(record(delegation.JWS, old))...)
			d := at(t, s)
			d.testPause = time.Millisecond
			place := d.Place(source, service)
			c.fault(t, s, d)
			_, err := place.Publish(t.Context(), fresh)
			wantReason(t, err, c.want)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %q, want %q in it", err, c.says)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("shows the secret: %s", err)
			}
			if err := s.Fault("", "TXT", dnsserver.Fault{}); err != nil {
				t.Fatal(err)
			}
			want := old
			if c.made {
				want = fresh
			}
			there := recordsAt(t, s.Addr)
			if c.raced {
				there = there[:1]
			}
			if diff := cmp.Diff([]string{delegation.JWS.TXTRecord(want)}, there); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// faultOf is a fault of updates.
func faultOf(f dnsserver.Fault) func(*testing.T, *dnsserver.Server, *DNS) {
	return func(t *testing.T, s *dnsserver.Server, _ *DNS) {
		if err := s.Fault("", "UPDATE", f); err != nil {
			t.Fatal(err)
		}
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestLostReply: the update was made and nobody heard of it; the next run finds
// it done.
func TestLostReply(t *testing.T) {
	s := setup.DNS(t, zone(record(delegation.JWS, draft{age: time.Hour}.sign(t)))...)
	if err := s.Fault("", "UPDATE", dnsserver.Fault{Lost: true, Times: 1}); err != nil {
		t.Fatal(err)
	}
	place, fresh := at(t, s).Place(source, service), draft{}.sign(t)
	ctx, cancel := contextUntil(t, func() bool {
		return slices.Contains(recordsAt(t, s.Addr), delegation.JWS.TXTRecord(fresh))
	})
	defer cancel()
	_, err := place.Publish(ctx, fresh)
	wantReason(t, err, reasons.UpdateFailed)
	if change, err := place.Publish(t.Context(), fresh); err != nil || change.Changed {
		t.Errorf("%+v, %v, want it to be there", change, err)
	}
}

// TestRetry: another was faster once.
func TestRetry(t *testing.T) {
	s := setup.DNS(t, zone()...)
	faultOf(dnsserver.Fault{Raced: true, Times: 2})(t, s, nil)
	change, err := at(t, s).Place(source, service).Publish(t.Context(), draft{}.sign(t))
	if err != nil || !change.Changed || len(recordsAt(t, s.Addr)) != 3 {
		t.Errorf("%+v, %v", change, err)
	}
}

// TestTwoAtOnce: many publish different statements, and somebody else other
// records. In the end the newest is there alone, and at no moment was there none.
func TestTwoAtOnce(t *testing.T) {
	first := draft{age: time.Hour}.sign(t)
	s := setup.DNS(t, zone(record(delegation.JWS, first), line("v=spf1 -all"))...)
	var statements [][]byte
	for i := range 6 {
		statements = append(statements, draft{age: time.Duration(6-i) * time.Minute}.sign(t))
	}
	var publishing, watching sync.WaitGroup
	done := make(chan struct{})
	looking := make(chan struct{})
	watching.Go(func() {
		for looks := 0; ; looks++ {
			select {
			case <-done:
				return
			default:
			}
			if looks == 1 {
				close(looking)
			}
			if n := len(recordsAt(t, s.Addr)); n != 2 {
				t.Errorf("%d records at one moment", n)
			}
		}
	})
	<-looking
	var mu sync.Mutex
	changed := 0
	for _, raw := range statements {
		publishing.Go(func() {
			change, err := at(t, s).Place(source, service).Publish(t.Context(), raw)
			switch reason := delegation.ReasonOf(err); {
			case err == nil && change.Changed:
				mu.Lock()
				changed++
				mu.Unlock()
			case reason != reasons.Superseded && reason != reasons.UpdateRaced:
				t.Errorf("%+v, %v", change, err)
			}
		})
	}
	publishing.Wait()
	close(done)
	watching.Wait()
	if changed == 0 {
		t.Error("nobody published")
	}
	// Who was refused as raced tries again later.
	newest := statements[len(statements)-1]
	if _, err := at(t, s).Place(source, service).Publish(t.Context(), newest); err != nil {
		t.Fatal(err)
	}
	want := sorted("v=spf1 -all", delegation.JWS.TXTRecord(newest))
	if diff := cmp.Diff(want, sorted(recordsAt(t, s.Addr)...)); diff != "" {
		t.Error(diff)
	}
}

// TestBothEncodings: one record for each.
func TestBothEncodings(t *testing.T) {
	s := setup.DNS(t, zone()...)
	place := at(t, s).Place(source, service)
	for _, host := range []string{"one.example", "two.example"} {
		for _, e := range delegation.Encodings() {
			age := time.Minute
			if host == "two.example" {
				age = 0
			}
			if _, err := place.Publish(t.Context(), draft{encoding: e, host: host, age: age}.sign(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	views, err := place.Current(t.Context())
	if err != nil || len(views) != 1 || views[0].Err != nil || views[0].Where != s.Addr || len(views[0].Found) != 2 {
		t.Fatalf("%+v, %v", views, err)
	}
	for _, f := range views[0].Found {
		if f.Err != nil || f.Where != owner || f.Statement.Statement.Targets[0].Host != "two.example" {
			t.Errorf("%+v", f)
		}
	}
}

// TestLongJunk: what a stranger left at the name fills half of a message, and
// does not keep the owner out.
func TestLongJunk(t *testing.T) {
	s := setup.DNS(t, zone(line("v=DNA1; e=jws; s="+strings.Repeat("A", 33000)))...)
	change, err := at(t, s).Place(source, service).Publish(t.Context(), draft{}.sign(t))
	if err != nil || !change.Changed || change.Replaced != 1 || len(recordsAt(t, s.Addr)) != 1 {
		t.Errorf("%+v, %v, %d records", change, err, len(recordsAt(t, s.Addr)))
	}
}

// TestTooLarge: two statements that do not fit into one message.
func TestTooLarge(t *testing.T) {
	u := &Update{Zone: "b.example.", Name: owner}
	d := &DNS{Key: goodKey(t)}
	for range 3 {
		text := "v=DNA1; e=jws; s=" + strings.Repeat("A", 30000)
		u.present = append(u.present, newTXT(t, line(text)))
	}
	_, err := d.send(t.Context(), u)
	wantReason(t, err, reasons.UpdateTooLarge)
}
