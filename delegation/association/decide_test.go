package association_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// TestDial: what to know of each endpoint, for both labels of both roles and a
// service without roles. An endpoint is written host:port label SNI, and
// "direct" where TLS begins at once.
func TestDial(t *testing.T) {
	const (
		client = "_xmpp-client._tcp"
		imaps  = "_imaps._tcp"
	)
	srvAt := func(label string, state delegation.DNSSEC, e ...delegation.Endpoint) delegation.SRVAnswer {
		a := srv(label, state)
		for _, endpoint := range e {
			a.Records = append(a.Records, recordOf(endpoint))
		}
		return a
	}
	tls := delegation.Endpoint{Host: host, Port: 5270}
	other := delegation.Endpoint{Host: "other.example", Port: 5269}
	dot := delegation.Endpoint{Host: "."}
	for _, c := range []struct {
		name    string
		service string // asked
		signed  string // label of the statement; "" for none
		targets []delegation.Endpoint
		srv     []delegation.SRVAnswer
		first   bool
		want    []string
	}{
		{"delegated, no SRV", service, service, []delegation.Endpoint{at}, nil, false,
			[]string{"xmpp.hosting.example:5269 _xmpp-server._tcp xmpp.hosting.example"}},
		{"delegated, with SRV for both labels", service, service, []delegation.Endpoint{at},
			[]delegation.SRVAnswer{srvAt(service, delegation.Insecure, at), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5269 _xmpp-server._tcp xmpp.hosting.example", "xmpp.hosting.example:5270 _xmpps-server._tcp xmpp.hosting.example direct"}},
		{"delegated, asked for direct TLS", direct, service, []delegation.Endpoint{at},
			[]delegation.SRVAnswer{srvAt(service, delegation.Insecure, at), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5270 _xmpps-server._tcp xmpp.hosting.example direct", "xmpp.hosting.example:5269 _xmpp-server._tcp xmpp.hosting.example"}},
		{"delegated for direct TLS only", service, direct, []delegation.Endpoint{tls}, nil, false,
			[]string{"xmpp.hosting.example:5270 _xmpps-server._tcp xmpp.hosting.example direct"}},
		{"the statement first, with other SRV", service, service, []delegation.Endpoint{at}, []delegation.SRVAnswer{srvAt(service, delegation.Insecure, other)}, true,
			[]string{"xmpp.hosting.example:5269 _xmpp-server._tcp xmpp.hosting.example"}},
		{"the statement first, its target stands in SRV for direct TLS", service, service, []delegation.Endpoint{at}, []delegation.SRVAnswer{srvAt(service, delegation.Insecure), srvAt(direct, delegation.Insecure, at)}, true,
			[]string{"xmpp.hosting.example:5269 _xmpp-server._tcp xmpp.hosting.example"}},
		{"the statement first, and there is none", service, "", nil, []delegation.SRVAnswer{srvAt(service, delegation.Insecure, other)}, true,
			[]string{"other.example:5269 _xmpp-server._tcp b.example"}},
		{"insecure SRV only", service, "", nil, []delegation.SRVAnswer{srvAt(service, delegation.Insecure, other), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"other.example:5269 _xmpp-server._tcp b.example", "xmpp.hosting.example:5270 _xmpps-server._tcp b.example direct"}},
		{"secure SRV only", service, "", nil, []delegation.SRVAnswer{srvAt(service, delegation.Secure, at)}, false,
			[]string{"xmpp.hosting.example:5269 _xmpp-server._tcp b.example"}},
		{"secure SRV, insecure for the other label", service, "", nil, []delegation.SRVAnswer{srvAt(service, delegation.Secure, at), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5269 _xmpp-server._tcp b.example"}},
		{"not available, but for the other label", service, "", nil, []delegation.SRVAnswer{srvAt(service, delegation.Insecure, dot), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5270 _xmpps-server._tcp b.example direct"}},
		{"not available for either label", service, "", nil, []delegation.SRVAnswer{srvAt(service, delegation.Insecure, dot), srvAt(direct, delegation.Insecure, dot)}, false,
			[]string{"service-not-available"}},
		{"nothing", service, "", nil, nil, false, []string{"b.example:5269 _xmpp-server._tcp b.example"}},
		{"nothing, client", client, "", nil, nil, false, []string{"b.example:5222 _xmpp-client._tcp b.example"}},
		{"client, delegated", client, client, []delegation.Endpoint{{Host: host, Port: 5222}}, nil, false,
			[]string{"xmpp.hosting.example:5222 _xmpp-client._tcp xmpp.hosting.example"}},
		{"nothing, direct TLS", direct, "", nil, nil, false, []string{"no-statement"}},
		{"nothing, another service", imaps, "", nil, nil, false, []string{"no-statement"}},
		{"another service, delegated", imaps, imaps, []delegation.Endpoint{{Host: host, Port: 993}}, nil, false,
			[]string{"xmpp.hosting.example:993 _imaps._tcp xmpp.hosting.example direct"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := evidenceOf(source, c.service, nil, c.srv...)
			if c.signed != "" {
				e.TXT[0].Records = []string{statement(t, targets(c.targets...), func(s *delegation.Statement) { s.Service = c.signed })}
			}
			a := decide(t, association.Question{Source: source, Service: c.service, Direction: association.Outgoing, StatementFirst: c.first}, e)
			dial, err := a.Dial()
			var got []string
			if err != nil {
				got = append(got, string(delegation.ReasonOf(err)))
			}
			for _, d := range dial {
				line := fmt.Sprintf("%s %s %s", d.Endpoint, d.Service, d.ServerName)
				if d.Direct {
					line += " direct"
				}
				got = append(got, line)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFamily: a statement for one label of a role counts for the other.
func TestFamily(t *testing.T) {
	for _, labels := range [][2]string{{service, direct}, {direct, service}} {
		for _, d := range []association.Direction{association.Outgoing, association.Incoming} {
			record := statement(t, targets(at), func(s *delegation.Statement) { s.Service = labels[0] })
			q := association.Question{Source: source, Service: labels[1], Direction: d}
			a := decide(t, q, evidenceOf(source, labels[1], []string{record}))
			if a.Question() != q {
				t.Errorf("the question %+v became %+v", q, a.Question())
			}
			endpoint := nowhere
			if d == association.Outgoing {
				endpoint = at
			}
			got, err := a.Accept(endpoint, peers(), of(t, host).Chain())
			if err != nil || got.Reference.Method != association.Delegation {
				t.Errorf("%v %s: %+v, %v", labels, d, got, err)
			}
		}
	}
}

// TestOtherServices: who is delegated a service other than that between XMPP
// servers does not speak for the source.
func TestOtherServices(t *testing.T) {
	tested := 0
	for _, label := range []string{service, direct, "_xmpp-client._tcp", "_xmpps-client._tcp", "_imaps._tcp", "_sip._udp"} {
		record := statement(t, targets(at), func(s *delegation.Statement) { s.Service = label })
		for _, secure := range []bool{false, true} {
			q := association.Question{Source: source, Service: label, Direction: association.Incoming}
			e := evidenceOf(source, label, []string{record})
			proof := 2
			if secure {
				answer := srv(label, delegation.Secure, recordOf(at))
				e.SRV, proof = append(e.SRV, answer), 1
			}
			want := delegation.ServiceMismatch
			if label == service || label == direct {
				want = delegation.Verified
			}
			if got := decide(t, q, e).Proofs()[proof]; got.Reason != want {
				t.Errorf("%s, secure %t: %+v, want %s", label, secure, got, want)
			}
			q.Direction = association.Outgoing
			if got := decide(t, q, e).Proofs()[proof]; got.Reason != delegation.Verified {
				t.Errorf("%s, secure %t, outgoing: %+v", label, secure, got)
			}
			tested++
		}
	}
	if tested != 12 {
		t.Errorf("%d tested", tested)
	}
}

// TestAuthentic: which decisions are the owner's word, and what they leave to
// remember.
func TestAuthentic(t *testing.T) {
	older := func(s *delegation.Statement) { s.Issued = s.Issued.Add(-time.Hour) }
	for _, c := range []struct {
		name     string
		evidence *delegation.Evidence
		floors   []delegation.Floor
		want     bool
		remember int
	}{
		{"verified", evidence([]string{statement(t, targets(at))}), nil, true, 1},
		{"revoked", evidence([]string{statement(t, targets())}), nil, true, 1},
		{"a contradiction", evidence([]string{statement(t, targets(at)), statement(t, targets(backup))}), nil, true, 0},
		{"secure SRV records", evidence(nil, one(delegation.Secure, at)...), nil, true, 0},
		{"secure SRV records, and a statement", evidence([]string{statement(t, targets(at))}, one(delegation.Secure, at)...), nil, true, 1},
		{"nothing", evidence(nil), nil, false, 0},
		{"insecure SRV records", evidence(nil, one(delegation.Insecure, at)...), nil, false, 0},
		{"bogus SRV records", evidence(nil, one(delegation.Bogus, at)...), nil, false, 0},
		{"garbage", evidence([]string{"v=DNA1; e=jws; s=x"}), nil, false, 0},
		{"an older statement", evidence([]string{statement(t, targets(at), older)}),
			decide(t, question(association.Incoming), evidence([]string{statement(t, targets(at))})).Floors(), false, 0},
	} {
		p := policy()
		p.Floor = c.floors
		a, err := association.Decide(question(association.Incoming), c.evidence, p)
		if err != nil {
			t.Fatal(err)
		}
		if a.Authentic() != c.want || len(a.Floors()) != c.remember {
			t.Errorf("%s: authentic is %t, floors %v", c.name, a.Authentic(), a.Floors())
		}
	}
	// Undetermined: a target of the statement is verified, SRV is not known.
	broken := evidence([]string{statement(t, targets(at))}, one(delegation.Bogus, at)...)
	if a := decide(t, question(association.Outgoing), broken); a.Authentic() || len(a.Floors()) != 1 {
		t.Errorf("broken SRV: authentic is %t, floors %v", a.Authentic(), a.Floors())
	}
}

// TestRequired: what a verifier remembers of a source makes it required for as
// long as the proof would last.
func TestRequired(t *testing.T) {
	before := decide(t, question(association.Incoming), evidence([]string{statement(t, targets(at))}))
	floors := before.Result().Floors()
	_, err := delegation.Verify(delegation.Query{Source: source, Service: service}, evidence([]string{statement(t, targets())}), policy())
	revoked, ok := err.(*delegation.Error)
	if !ok || len(revoked.Floors) != 1 || len(floors) != 1 {
		t.Fatalf("floors %v, revoked %v", floors, err)
	}
	relabelled := floors[0]
	relabelled.Service = direct
	foreign := floors[0]
	foreign.Service = "_xmpp-client._tcp"
	end := now.Add(13 * day)
	for _, c := range []struct {
		name   string
		floors []delegation.Floor
		time   time.Time
		want   bool
	}{
		{"nothing remembered", nil, now, false},
		{"a statement remembered", floors, now, true},
		{"the last second of its proof", floors, end.Add(-1), true},
		{"its proof has ended", floors, end, false},
		{"a revocation remembered", revoked.Floors, now, true},
		{"a revocation that has ended", revoked.Floors, end, false},
		{"of the other label", []delegation.Floor{relabelled}, now, true},
		{"of another service", []delegation.Floor{foreign}, now, false},
		{"of another service and of this one", []delegation.Floor{foreign, floors[0]}, now, true},
		{"a floor without an end", []delegation.Floor{{Service: service}}, now, false},
	} {
		for _, d := range []association.Direction{association.Outgoing, association.Incoming} {
			p := policy()
			p.Time, p.Floor = c.time, c.floors
			a, err := association.Decide(question(d), evidence(nil), p)
			if err != nil {
				t.Fatal(err)
			}
			if a.Required() != c.want {
				t.Errorf("%s, %s: required = %t", c.name, d, a.Required())
			}
			if got := a.Proofs()[2].Reason; got != delegation.NoStatement {
				t.Errorf("%s: what is remembered is no proof, got %s", c.name, got)
			}
		}
	}
}

// TestSecureTimes: names of secure SRV records count for their TTL, and long
// enough to connect; the decision is made again while they count.
func TestSecureTimes(t *testing.T) {
	for _, c := range []struct {
		ttl            uint32
		until, refresh time.Duration
	}{
		{0, 5 * time.Minute, 5 * time.Minute},
		{1, 5 * time.Minute, 5 * time.Minute},
		{300, 5 * time.Minute, 5 * time.Minute},
		{301, 301 * time.Second, 301 * time.Second},
		{3600, time.Hour, time.Hour},
		{86400, day, 6 * time.Hour},
		{1<<32 - 1, (1<<32 - 1) * time.Second, 6 * time.Hour},
	} {
		answer := srv(service, delegation.Secure, recordOf(at))
		answer.TTL = c.ttl
		p := policy()
		p.Time = now.Add(time.Second - 1) // the fraction does not count
		a, err := association.Decide(question(association.Outgoing), evidence(nil, answer), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Proofs()[1].References[0].Until; !got.Equal(now.Add(c.until)) {
			t.Errorf("TTL %d: until %s", c.ttl, got)
		}
		if got := a.RefreshAt(); !got.Equal(now.Add(c.refresh)) {
			t.Errorf("TTL %d: refreshed at %s", c.ttl, got)
		}
	}
}

// TestOldEvidence: the TTL of secure SRV records begins when they were
// collected, not when somebody decides by them.
func TestOldEvidence(t *testing.T) {
	for _, c := range []struct {
		age    time.Duration
		want   delegation.Reason
		until  time.Duration // from now
		method association.Method
	}{
		{-time.Hour, delegation.Verified, time.Hour, association.DNSSEC}, // a clock that is ahead
		{0, delegation.Verified, time.Hour, association.DNSSEC},
		{time.Hour - time.Second, delegation.Verified, time.Second, association.DNSSEC},
		{time.Hour, delegation.ProofExpired, 0, ""},
		{now.Sub(time.Time{}), delegation.ProofExpired, 0, ""}, // it does not say
	} {
		e := evidence(nil, one(delegation.Secure, at)...)
		e.Collected = now.Add(-c.age)
		if c.age > 100*365*day {
			e.Collected = time.Time{}
		}
		a := decide(t, question(association.Incoming), e)
		proof := a.Proofs()[1]
		if proof.Reason != c.want {
			t.Errorf("%s old: %+v, want %s", c.age, proof, c.want)
		}
		if c.method != "" && !proof.References[0].Until.Equal(now.Add(c.until)) {
			t.Errorf("%s old: until %s", c.age, proof.References[0].Until)
		}
		if at := a.RefreshAt(); !now.Before(at) {
			t.Errorf("%s old: refreshed at %s", c.age, at)
		}
	}
}

// TestUnusableSRV: records that nobody can connect to are no absence.
func TestUnusableSRV(t *testing.T) {
	for _, unusable := range [][]delegation.SRVRecord{
		{{Target: "printer.local", Port: 5269}}, {{Target: host}}, {{Target: "."}, {Target: "."}}, {{Target: "XMPP.hosting.example", Port: 5269}},
	} {
		for _, state := range []delegation.DNSSEC{delegation.Secure, delegation.Insecure} {
			e := evidence([]string{statement(t, targets(at))}, srv(service, state, unusable...))
			a := decide(t, question(association.Outgoing), e)
			if _, err := a.Dial(); delegation.ReasonOf(err) != delegation.ServiceNotAvailable {
				t.Errorf("%s %v: dial %v", state, unusable, err)
			}
			if len(a.References()) != 1 {
				t.Errorf("%s %v: %+v", state, unusable, a.References())
			}
			a = decide(t, question(association.Incoming), e)
			if got, want := len(a.References()) > 1, state == delegation.Insecure; got != want {
				t.Errorf("%s %v, incoming: %+v", state, unusable, a.References())
			}
			e.SRV = append(e.SRV, srv(direct, state, recordOf(at)))
			if dial, err := decide(t, question(association.Outgoing), e).Dial(); err != nil || len(dial) != 1 {
				t.Errorf("%s %v, and good ones of the other label: %v, %v", state, unusable, dial, err)
			}
		}
	}
}

// TestRefreshAt: the sooner of the places that were used; soon, if none was.
func TestRefreshAt(t *testing.T) {
	record := statement(t, targets(at))
	soon := evidence([]string{record}, one(delegation.Secure, at)...)
	soon.TXT[0].TTL = 600
	late := evidence([]string{record}, one(delegation.Secure, at)...)
	late.TXT[0].TTL = 7200
	plain := evidence([]string{record}, one(delegation.Insecure, at)...)
	for _, c := range []struct {
		name string
		e    *delegation.Evidence
		want time.Duration
	}{
		{"statement", plain, time.Hour},
		{"secure SRV, and a statement that is looked up sooner", soon, 10 * time.Minute},
		{"secure SRV, and a statement that is looked up later", late, time.Hour},
		{"nothing", evidence(nil), 5 * time.Minute},
		{"SRV bogus", evidence(nil, one(delegation.Bogus)...), 5 * time.Minute},
		{"SRV bogus, and a statement", evidence([]string{record}, one(delegation.Bogus)...), 5 * time.Minute},
	} {
		if got := decide(t, question(association.Outgoing), c.e).RefreshAt(); !got.Equal(now.Add(c.want)) {
			t.Errorf("%s: %s, want in %s", c.name, got, c.want)
		}
	}
}

// TestPins: the pins of a target come with its name and with where to connect.
func TestPins(t *testing.T) {
	list := targets(at, backup)
	list[0].SPKI = []delegation.Pin{{1}, {2}}
	a := decide(t, question(association.Outgoing), evidence([]string{statement(t, list)}))
	dial, err := a.Dial()
	if err != nil || len(dial) != 2 || len(dial[0].SPKI) != 2 || len(dial[1].SPKI) != 0 {
		t.Errorf("dial %+v, %v", dial, err)
	}
	references := a.References()
	if len(references) != 3 || len(references[1].SPKI) != 2 || len(references[2].SPKI) != 0 {
		t.Errorf("references %+v", references)
	}
}

// TestImmutable: what a caller does with the answers changes nothing.
func TestImmutable(t *testing.T) {
	list := targets(at)
	list[0].SPKI = []delegation.Pin{{1}}
	a := decide(t, question(association.Outgoing), evidence([]string{statement(t, list)}))
	spoil := func(references []association.Reference) {
		for i := range references {
			references[i].Name = "evil.example"
			for j := range references[i].SPKI {
				references[i].SPKI[j] = delegation.Pin{9}
			}
		}
	}
	before := fmt.Sprint(a.Proofs(), a.References(), a.Checks())
	dialBefore, _ := a.Dial()
	text := fmt.Sprint(dialBefore)
	spoil(a.References())
	for _, p := range a.Proofs() {
		spoil(p.References)
	}
	proofs := a.Proofs()
	proofs[0] = association.Proof{}
	a.Checks()[0] = delegation.Check{}
	dialBefore[0].Host, dialBefore[0].SPKI[0] = "evil.example", delegation.Pin{9}
	dialAfter, _ := a.Dial()
	if after := fmt.Sprint(a.Proofs(), a.References(), a.Checks()); after != before || fmt.Sprint(dialAfter) != text {
		t.Error("an answer was changed")
	}
}

// TestChecks: the explanation is there whether the statement verifies or not.
func TestChecks(t *testing.T) {
	for _, records := range [][]string{{statement(t, targets(at))}, {statement(t, targets())}, nil, {"v=DNA1; e=jws; s=x"}} {
		if len(decide(t, question(association.Incoming), evidence(records)).Checks()) == 0 {
			t.Errorf("no checks for %.40q", records)
		}
	}
}
