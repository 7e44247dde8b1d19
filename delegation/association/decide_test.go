package association_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// negotiated and directly make the one target of a statement.
func negotiated(e delegation.Endpoint) delegation.Target { return delegation.Target{Endpoint: e} }

func directly(e delegation.Endpoint) delegation.Target {
	return delegation.Target{Endpoint: e, TLS: delegation.Direct}
}

func srvAt(label string, state delegation.DNSSEC, endpoints ...delegation.Endpoint) delegation.SRVAnswer {
	a := srv(label, state)
	for _, e := range endpoints {
		a.Records = append(a.Records, recordOf(e))
	}
	return a
}

// dialled writes each endpoint as host:port SNI start, or the reason why there
// is none.
func dialled(a *association.Association) []string {
	dial, err := a.Dial()
	var list []string
	if err != nil {
		list = append(list, string(delegation.ReasonOf(err)))
	}
	for _, d := range dial {
		list = append(list, fmt.Sprintf("%s %s %s", d.Endpoint, d.ServerName, cmp.Or(d.Start, "unknown")))
	}
	return list
}

// TestDial: where to connect, with which server name, and how TLS begins.
func TestDial(t *testing.T) {
	const (
		client  = "_xmpp-client._tcp"
		clients = "_xmpps-client._tcp"
		imap    = "_imap._tcp"
		imaps   = "_imaps._tcp"
		sip     = "_sip._tcp"
		turn    = "_turn._udp"
	)
	type answers []delegation.SRVAnswer
	type list []delegation.Target
	tls := delegation.Endpoint{Host: host, Port: 5270}
	other := delegation.Endpoint{Host: "other.example", Port: 5269}
	dot := delegation.Endpoint{Host: "."}
	on := func(port uint16) delegation.Endpoint { return delegation.Endpoint{Host: host, Port: port} }
	for _, c := range []struct {
		name    string
		service string // asked
		targets list   // of the statement; nil: there is none
		srv     answers
		first   bool
		want    []string
	}{
		{"delegated, no SRV", service, list{negotiated(at)}, nil, false, []string{"xmpp.hosting.example:5269 xmpp.hosting.example starttls"}},
		{"delegated for direct TLS, no SRV", service, list{directly(tls)}, nil, false, []string{"xmpp.hosting.example:5270 xmpp.hosting.example direct"}},
		{"delegated, with SRV of both labels", service, list{directly(tls), negotiated(at)},
			answers{srvAt(service, delegation.Insecure, at), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5269 xmpp.hosting.example starttls", "xmpp.hosting.example:5270 xmpp.hosting.example direct"}},
		{"asked for by the second label", direct, list{directly(tls), negotiated(at)},
			answers{srvAt(service, delegation.Insecure, at), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5269 xmpp.hosting.example starttls", "xmpp.hosting.example:5270 xmpp.hosting.example direct"}},
		{"the statement contradicts the labels", service, list{directly(at), negotiated(tls)},
			answers{srvAt(service, delegation.Insecure, at), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5269 xmpp.hosting.example direct", "xmpp.hosting.example:5270 xmpp.hosting.example starttls"}},
		{"delegated, only the second label names it", service, list{negotiated(at)}, answers{srvAt(service, delegation.Insecure), srvAt(direct, delegation.Insecure, at)}, false,
			[]string{"xmpp.hosting.example:5269 xmpp.hosting.example starttls"}},
		{"the statement first, with other SRV", service, list{negotiated(at)}, answers{srvAt(service, delegation.Insecure, other)}, true,
			[]string{"xmpp.hosting.example:5269 xmpp.hosting.example starttls"}},
		{"the statement first, and there is none", service, nil, answers{srvAt(service, delegation.Insecure, other)}, true,
			[]string{"other.example:5269 b.example starttls"}},
		{"the statement first, SRV failed", service, list{directly(tls), negotiated(at)}, answers{failing(reasons.DNSTimeout)}, true,
			[]string{"xmpp.hosting.example:5270 xmpp.hosting.example direct", "xmpp.hosting.example:5269 xmpp.hosting.example starttls"}},
		{"insecure SRV only", service, nil, answers{srvAt(service, delegation.Insecure, other), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"other.example:5269 b.example starttls", "xmpp.hosting.example:5270 b.example direct"}},
		{"insecure SRV only, one endpoint at both labels", service, nil, answers{srvAt(direct, delegation.Insecure, at), srvAt(service, delegation.Insecure, at)}, false,
			[]string{"xmpp.hosting.example:5269 b.example starttls"}},
		{"secure SRV only", service, nil, answers{srvAt(service, delegation.Secure, at)}, false,
			[]string{"xmpp.hosting.example:5269 b.example starttls"}},
		{"secure SRV, the statement contradicts the labels", service, list{directly(at), negotiated(tls)},
			answers{srvAt(service, delegation.Secure, at), srvAt(direct, delegation.Secure, tls)}, true,
			[]string{"xmpp.hosting.example:5269 b.example starttls", "xmpp.hosting.example:5270 b.example direct"}},
		{"secure SRV, insecure for the second label", service, nil, answers{srvAt(service, delegation.Secure, at), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5269 b.example starttls"}},
		{"secure SRV, insecure for the first label", service, nil, answers{srvAt(service, delegation.Insecure, at), srvAt(direct, delegation.Secure, tls)}, false,
			[]string{"xmpp.hosting.example:5270 b.example direct"}},
		{"not available, but for the second label", service, nil, answers{srvAt(service, delegation.Insecure, dot), srvAt(direct, delegation.Insecure, tls)}, false,
			[]string{"xmpp.hosting.example:5270 b.example direct"}},
		{"not available at either label", service, nil, answers{srvAt(service, delegation.Insecure, dot), srvAt(direct, delegation.Insecure, dot)}, false,
			[]string{"service-not-available"}},
		{"nothing", service, nil, nil, false, []string{"b.example:5269 b.example starttls"}},
		{"nothing, asked for by the second label", direct, nil, nil, false, []string{"b.example:5269 b.example starttls"}},
		{"client, nothing", client, nil, nil, false, []string{"b.example:5222 b.example starttls"}},
		{"client, nothing, asked for by the second label", clients, nil, nil, false, []string{"b.example:5222 b.example starttls"}},
		{"client, delegated", client, list{negotiated(on(5222)), directly(on(5223))}, nil, false,
			[]string{"xmpp.hosting.example:5222 xmpp.hosting.example starttls", "xmpp.hosting.example:5223 xmpp.hosting.example direct"}},
		{"IMAP, nothing", imap, nil, nil, false, []string{"no-statement"}},
		{"IMAP, nothing, asked for by the second label", imaps, nil, nil, false, []string{"no-statement"}},
		{"IMAP, delegated", imaps, list{negotiated(on(143)), directly(on(993))}, nil, false,
			[]string{"xmpp.hosting.example:143 xmpp.hosting.example starttls", "xmpp.hosting.example:993 xmpp.hosting.example direct"}},
		{"IMAP, insecure SRV only", imap, nil, answers{srvAt(imap, delegation.Insecure, on(143)), srvAt(imaps, delegation.Insecure, on(993))}, false,
			[]string{"xmpp.hosting.example:143 b.example starttls", "xmpp.hosting.example:993 b.example direct"}},
		{"outside the table, delegated", sip, list{negotiated(on(5060)), directly(on(5061))}, nil, false,
			[]string{"xmpp.hosting.example:5060 xmpp.hosting.example unknown", "xmpp.hosting.example:5061 xmpp.hosting.example direct"}},
		{"outside the table, delegated, with SRV", sip, list{directly(on(5061))}, answers{srvAt(sip, delegation.Insecure, on(5061))}, false,
			[]string{"xmpp.hosting.example:5061 xmpp.hosting.example direct"}},
		{"outside the table, SRV only", sip, nil, answers{srvAt(sip, delegation.Secure, on(5060))}, false,
			[]string{"xmpp.hosting.example:5060 b.example unknown"}},
		{"over UDP, delegated", turn, list{negotiated(on(3478)), directly(on(5349))}, nil, false,
			[]string{"xmpp.hosting.example:3478 xmpp.hosting.example unknown", "xmpp.hosting.example:5349 xmpp.hosting.example unknown"}},
		{"over UDP, SRV only", turn, nil, answers{srvAt(turn, delegation.Insecure, on(5349))}, false,
			[]string{"xmpp.hosting.example:5349 b.example unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			role := delegation.RoleOf(c.service).Service
			e := evidenceOf(source, role, nil, c.srv...)
			if c.targets != nil {
				e.TXT[0].Records = []string{statement(c.targets, func(s *delegation.Statement) { s.Service = role })}
			}
			a := decide(t, association.Question{Source: source, Service: c.service, Direction: association.Outgoing, StatementFirst: c.first}, e)
			if got := dialled(a); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestSecondLabel: a question for the second label of a role is one for the
// role, and a statement for the second label is none.
func TestSecondLabel(t *testing.T) {
	good := statement(targets(at))
	for _, d := range []association.Direction{association.Outgoing, association.Incoming} {
		q := question(d)
		q.Service = direct
		a := decide(t, q, evidence([]string{good}))
		if a.Question() != question(d) {
			t.Errorf("the question %+v became %+v", q, a.Question())
		}
		endpoint := nowhere
		if d == association.Outgoing {
			endpoint = at
		}
		got, err := a.Accept(endpoint, peers(), of(host).Chain())
		if err != nil || got.Reference.Method != association.Delegation {
			t.Errorf("%s: %+v, %v", d, got, err)
		}
		a = decide(t, q, evidence([]string{relabel(t, good, service, direct)}))
		if got := a.Proofs()[2].Reason; got != reasons.ServiceMismatch {
			t.Errorf("%s: a statement for the second label: %s", d, got)
		}
		_, err = association.Decide(q, evidenceOf(source, direct, nil), policy())
		wantReason(t, reasons.BadEvidence, err)
	}
}

// TestOtherServices: who is delegated a service other than that between XMPP
// servers does not speak for the source.
func TestOtherServices(t *testing.T) {
	tested := 0
	for _, label := range []string{service, direct, "_xmpp-client._tcp", "_xmpps-client._tcp", "_imaps._tcp", "_sip._udp"} {
		role := delegation.RoleOf(label).Service
		record := statement(targets(at), func(s *delegation.Statement) { s.Service = role })
		for _, secure := range []bool{false, true} {
			q := association.Question{Source: source, Service: label, Direction: association.Incoming}
			e := evidenceOf(source, role, []string{record})
			proof := 2
			if secure {
				e.SRV, proof = append(e.SRV, srvAt(label, delegation.Secure, at)), 1
			}
			want := reasons.ServiceMismatch
			if label == service || label == direct {
				want = reasons.Verified
			}
			if got := decide(t, q, e).Proofs()[proof]; got.Reason != want {
				t.Errorf("%s, secure %t: %+v, want %s", label, secure, got, want)
			}
			q.Direction = association.Outgoing
			if got := decide(t, q, e).Proofs()[proof]; got.Reason != reasons.Verified {
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
	known := decide(t, question(association.Incoming), evidence([]string{statement(targets(at))})).Floor()
	contradicted := known
	contradicted.Targets = delegation.Contradiction
	revoked := known
	revoked.Targets = delegation.DigestTargets(nil)
	var nothing delegation.Floor
	for _, c := range []struct {
		name     string
		evidence *delegation.Evidence
		floor    delegation.Floor
		want     bool
		remember delegation.Floor
	}{
		{"verified", evidence([]string{statement(targets(at))}), nothing, true, known},
		{"revoked", evidence([]string{statement(targets())}), nothing, true, revoked},
		{"a contradiction", evidence([]string{statement(targets(at)), statement(targets(backup))}), nothing, true, contradicted},
		{"a revocation and a contradiction", evidence([]string{statement(targets(at)), statement(targets())}), nothing, true, contradicted},
		{"secure SRV records", evidence(nil, one(delegation.Secure, at)...), nothing, true, nothing},
		{"secure SRV records, and a statement", evidence([]string{statement(targets(at))}, one(delegation.Secure, at)...), nothing, true, known},
		{"nothing", evidence(nil), nothing, false, nothing},
		{"insecure SRV records", evidence(nil, one(delegation.Insecure, at)...), nothing, false, nothing},
		{"bogus SRV records", evidence(nil, one(delegation.Bogus, at)...), nothing, false, nothing},
		{"garbage", evidence([]string{"v=DNA1; e=jws; s=x"}), nothing, false, nothing},
		{"an older statement", evidence([]string{statement(targets(at), older)}), known, false, nothing},
		{"one that others contradicted", evidence([]string{statement(targets(at))}), contradicted, false, nothing},
	} {
		p := policy()
		p.Floor = c.floor
		a, err := association.Decide(question(association.Incoming), c.evidence, p)
		if err != nil {
			t.Fatal(err)
		}
		if a.Authentic() != c.want || a.Floor() != c.remember {
			t.Errorf("%s: authentic is %t, floor %+v, want %+v", c.name, a.Authentic(), a.Floor(), c.remember)
		}
	}
	// Undetermined: a target of the statement is verified, SRV is not known.
	broken := evidence([]string{statement(targets(at))}, one(delegation.Bogus, at)...)
	if a := decide(t, question(association.Outgoing), broken); a.Authentic() || a.Floor() != known {
		t.Errorf("broken SRV: authentic is %t, floor %+v", a.Authentic(), a.Floor())
	}
}

// TestRequired: what a verifier remembers of a source makes it required until
// 31 days after the proof has ended. For a revocation it is required until the
// revocation ends.
func TestRequired(t *testing.T) {
	known := decide(t, question(association.Incoming), evidence([]string{statement(targets(at))})).Floor()
	revoked := decide(t, question(association.Incoming), evidence([]string{statement(targets())})).Floor()
	contradicted := known
	contradicted.Targets = delegation.Contradiction
	end := now.Add(13 * day)
	if !known.ValidUntil.Equal(end) || !revoked.ValidUntil.Equal(end) {
		t.Fatalf("the proofs end at %s and %s", known.ValidUntil, revoked.ValidUntil)
	}
	for _, c := range []struct {
		name  string
		floor delegation.Floor
		time  time.Time
		want  bool
	}{
		{"nothing remembered", delegation.Floor{}, now, false},
		{"a statement remembered", known, now, true},
		{"its proof has ended", known, end, true},
		{"its proof ended not quite 31 days ago", known, end.Add(31*day - time.Second), true},
		{"its proof ended 31 days ago", known, end.Add(31 * day), false},
		{"a contradiction, whose proofs ended not quite 31 days ago", contradicted, end.Add(31*day - time.Second), true},
		{"a contradiction, whose proofs ended 31 days ago", contradicted, end.Add(31 * day), false},
		{"a revocation remembered", revoked, now, true},
		{"the last second of a revocation", revoked, end.Add(-time.Second), true},
		{"a revocation that has ended", revoked, end, false},
	} {
		for _, d := range []association.Direction{association.Outgoing, association.Incoming} {
			p := policy()
			p.Time, p.Floor = c.time, c.floor
			a, err := association.Decide(question(d), evidence(nil), p)
			if err != nil {
				t.Fatal(err)
			}
			if a.Required() != c.want {
				t.Errorf("%s, %s: required = %t", c.name, d, a.Required())
			}
			if got := a.Proofs()[2].Reason; got != reasons.NoStatement {
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
		want   reasons.Reason
		until  time.Duration // from now
		method association.Method
	}{
		{-time.Hour, reasons.Verified, time.Hour, association.DNSSEC}, // a clock that is ahead
		{0, reasons.Verified, time.Hour, association.DNSSEC},
		{time.Hour - time.Second, reasons.Verified, time.Second, association.DNSSEC},
		{time.Hour, reasons.ProofExpired, 0, ""},
		{now.Sub(time.Time{}), reasons.ProofExpired, 0, ""}, // it does not say
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
			e := evidence([]string{statement(targets(at))}, srv(service, state, unusable...))
			a := decide(t, question(association.Outgoing), e)
			if _, err := a.Dial(); delegation.ReasonOf(err) != reasons.ServiceNotAvailable {
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
	record := statement(targets(at))
	soon := evidence([]string{record}, one(delegation.Secure, at)...)
	soon.TXT[0].TTL = 600
	late := evidence([]string{record}, one(delegation.Secure, at)...)
	late.TXT[0].TTL = 7200
	plain := evidence([]string{record}, one(delegation.Insecure, at)...)
	silentSecond := srvAt(direct, delegation.Indeterminate)
	silentSecond.Failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "silence"}
	partly := func(records []string, state delegation.DNSSEC) *delegation.Evidence {
		return evidence(records, srvAt(service, state, at), silentSecond)
	}
	for _, c := range []struct {
		name string
		e    *delegation.Evidence
		want time.Duration
	}{
		{"statement", plain, time.Hour},
		{"secure SRV, and a statement that is looked up sooner", soon, 10 * time.Minute},
		{"secure SRV, and a statement that is looked up later", late, time.Hour},
		{"statement, the second label failed", partly([]string{record}, delegation.Insecure), 5 * time.Minute},
		{"secure SRV, the second label failed", partly(nil, delegation.Secure), 5 * time.Minute},
		{"secure SRV and a statement, the second label failed", partly([]string{record}, delegation.Secure), 5 * time.Minute},
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
	a := decide(t, question(association.Outgoing), evidence([]string{statement(list)}))
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
	a := decide(t, question(association.Outgoing), evidence([]string{statement(list)}))
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
	for _, records := range [][]string{{statement(targets(at))}, {statement(targets())}, nil, {"v=DNA1; e=jws; s=x"}} {
		if len(decide(t, question(association.Incoming), evidence(records)).Checks()) == 0 {
			t.Errorf("no checks for %.40q", records)
		}
	}
}
