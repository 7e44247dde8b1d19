package association_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/keys"
)

type table = association.Table[string]

func newTable(clock func() time.Time) *table {
	return association.NewTable[string](delegation.PeerPolicy{Roots: lab().root.Pool(), Now: clock}, association.Limits{Connections: 10, Pairs: 100})
}

func fixed() time.Time { return now }

// decideFor decides about a domain that has these records.
func decideFor(t testing.TB, domain string, d association.Direction, records []string, answers ...delegation.SRVAnswer) *association.Association {
	t.Helper()
	return decide(t, association.Question{Source: domain, Service: service, Direction: d}, evidenceOf(domain, service, records, answers...))
}

func delegates(t *testing.T, domain string, d association.Direction, endpoints ...delegation.Endpoint) *association.Association {
	t.Helper()
	return decideFor(t, domain, d, []string{recordOfDomain(t, domain, service, targets(endpoints...))})
}

// issuedAt is delegates by a statement that was issued then, for a day.
func issuedAt(t *testing.T, domain string, d association.Direction, issued time.Time, endpoints ...delegation.Endpoint) *association.Association {
	t.Helper()
	return decideFor(t, domain, d, []string{recordOfDomain(t, domain, service, targets(endpoints...), func(s *delegation.Statement) {
		s.Issued, s.Expires = issued, issued.Add(day)
	})})
}

// connected is a table with one connection, "one", for a.example and ours.
func connected(t *testing.T, clock func() time.Time, d association.Direction, peer *keys.Signer) *table {
	t.Helper()
	endpoint := at
	if d == association.Incoming {
		endpoint = nowhere
	}
	table := newTable(clock)
	if _, err := table.Add("one", endpoint, peer.Chain(), ours, delegates(t, tenantA, d, at)); err != nil {
		t.Fatal(err)
	}
	return table
}

// TestReuse: what lets a further source use a connection that exists.
func TestReuse(t *testing.T) {
	const (
		in  = association.Incoming
		out = association.Outgoing
	)
	provider := of(t, host)
	both := issue(t, func(c *x509.Certificate) { c.DNSNames = []string{host, tenantB} })
	wildcard := issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.hosting.example"} })
	wildcardAndSource := issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.hosting.example", tenantB} })
	upper := issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"XMPP.hosting.example"} })
	otherPort := delegation.Endpoint{Host: host, Port: 5270}
	secure := srv(service, delegation.Secure, recordOf(at))
	pinnedTo := func(pin delegation.Pin) []string {
		return []string{recordOfDomain(t, tenantB, service, []delegation.Target{{Endpoint: at, SPKI: []delegation.Pin{pin}}})}
	}
	client := func(d association.Direction) *association.Association {
		record := recordOfDomain(t, tenantB, "_xmpp-client._tcp", targets(at))
		return decide(t, association.Question{Source: tenantB, Service: "_xmpp-client._tcp", Direction: d}, evidenceOf(tenantB, "_xmpp-client._tcp", []string{record}))
	}
	family := func(d association.Direction) *association.Association {
		record := recordOfDomain(t, tenantB, direct, targets(at))
		return decide(t, association.Question{Source: tenantB, Service: direct, Direction: d}, evidenceOf(tenantB, direct, []string{record}))
	}
	expired := recordOfDomain(t, tenantB, service, targets(at), func(s *delegation.Statement) { s.Expires = now })
	const yes, no = delegation.Verified, delegation.PeerNameMismatch
	for _, c := range []struct {
		name string
		of   association.Direction // of the connection
		peer *keys.Signer
		next *association.Association
		want delegation.Reason
	}{
		{"delegated", out, provider, delegates(t, tenantB, out, at), yes},
		{"delegated, incoming", in, provider, delegates(t, tenantB, in, at), yes},
		{"delegated, to another target too", out, provider, delegates(t, tenantB, out, backup, at), yes},
		{"secure SRV", out, provider, decideFor(t, tenantB, out, nil, secure), yes},
		{"secure SRV, incoming", in, provider, decideFor(t, tenantB, in, nil, secure), yes},
		{"the other label of the role", out, provider, family(out), yes},
		{"the other label of the role, incoming", in, provider, family(in), yes},
		{"name in upper case", out, upper, delegates(t, tenantB, out, at), yes},
		{"right pin", out, provider, decideFor(t, tenantB, out, pinnedTo(pinOf(provider))), yes},
		{"the source it was opened for", out, provider, delegates(t, tenantA, out, at), yes},
		{"the source it was opened for, by a wildcard", out, wildcard, delegates(t, tenantA, out, at), yes},
		{"the source it was opened for, with another port now", out, provider, delegates(t, tenantA, out, otherPort), delegation.PortMismatch},
		{"any port of the host, incoming", in, provider, delegates(t, tenantB, in, otherPort), yes},

		{"wildcard", out, wildcard, delegates(t, tenantB, out, at), no},
		{"wildcard, incoming", in, wildcard, delegates(t, tenantB, in, at), no},
		{"wildcard, secure SRV", out, wildcard, decideFor(t, tenantB, out, nil, secure), no},
		{"wildcard, and the source itself", in, wildcardAndSource, delegates(t, tenantB, in, at), no},
		{"pkix only", out, both, decideFor(t, tenantB, out, nil), delegation.NoStatement},
		{"pkix only, incoming", in, both, decideFor(t, tenantB, in, nil), delegation.NoStatement},
		{"pkix, delegated to another host", out, both, delegates(t, tenantB, out, backup), delegation.TargetMismatch},
		{"pkix, delegated to another host, incoming", in, both, delegates(t, tenantB, in, backup), no},
		{"another port", out, provider, delegates(t, tenantB, out, otherPort), delegation.PortMismatch},
		{"another host", out, provider, delegates(t, tenantB, out, backup), delegation.TargetMismatch},
		{"another host, incoming", in, provider, delegates(t, tenantB, in, backup), no},
		{"other direction", out, provider, delegates(t, tenantB, in, at), delegation.ServiceMismatch},
		{"other direction, incoming", in, provider, delegates(t, tenantB, out, at), delegation.ServiceMismatch},
		{"other service", out, provider, client(out), delegation.ServiceMismatch},
		{"other service, incoming", in, provider, client(in), delegation.ServiceMismatch},
		{"wrong pin", out, provider, decideFor(t, tenantB, out, pinnedTo(delegation.Pin{1})), delegation.PeerKeyMismatch},
		{"nothing proven", in, provider, decideFor(t, tenantB, in, nil), delegation.NoStatement},
		{"revoked", in, provider, delegates(t, tenantB, in), delegation.Revoked},
		{"expired", in, provider, decideFor(t, tenantB, in, []string{expired}), delegation.Expired},
		{"insecure SRV", out, provider, decideFor(t, tenantB, out, nil, srv(service, delegation.Insecure, recordOf(at))), delegation.NoStatement},
		{"service not available, securely", in, provider, decideFor(t, tenantB, in, nil, srv(service, delegation.Secure, delegation.SRVRecord{Target: "."})), delegation.ServiceNotAvailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := connected(t, fixed, c.of, c.peer)
			source := c.next.Question().Source
			got, err := table.Request("one", "d.example", c.next)
			wantReason(t, c.want, err)
			if (got != nil) != (c.want == yes) {
				t.Fatalf("acceptance %+v with %v", got, err)
			}
			served, ok := table.Serves("one", "d.example", source)
			if ok != (got != nil) || ok && served.Reference.Name != got.Reference.Name {
				t.Errorf("serves = %t, %+v", ok, served)
			}
			if _, ok := table.Serves("one", "e.example", source); ok {
				t.Error("another local domain is served without having asked")
			}
			if _, ok := table.Serves("one", source, "d.example"); ok {
				t.Error("the pair is served the other way round")
			}
		})
	}
}

// TestFind: a connection is found by the endpoints of the new source.
func TestFind(t *testing.T) {
	otherPort := delegation.Endpoint{Host: host, Port: 5270}
	filled := func() *table {
		table := connected(t, fixed, association.Outgoing, of(t, host))
		add := func(conn, domain string, endpoint delegation.Endpoint, peer string) {
			t.Helper()
			if _, err := table.Add(conn, endpoint, of(t, peer).Chain(), ours, delegates(t, domain, association.Outgoing, endpoint)); err != nil {
				t.Fatal(err)
			}
		}
		add("port", "p.example", otherPort, host)
		add("backup", "q.example", backup, backup.Host)
		add("wild", "w.example", delegation.Endpoint{Host: "wild.hosting.example", Port: 1}, "*.hosting.example")
		if _, err := table.Add("incoming", nowhere, of(t, "in.hosting.example").Chain(), ours, delegates(t, "r.example", association.Incoming, delegation.Endpoint{Host: "in.hosting.example", Port: 9})); err != nil {
			t.Fatal(err)
		}
		return table
	}
	for _, c := range []struct {
		name string
		a    *association.Association
		want string // connection, reason or error
	}{
		{"the very endpoint", delegates(t, tenantB, association.Outgoing, at), "one"},
		{"another port", delegates(t, tenantB, association.Outgoing, otherPort), "port"},
		{"by priority", delegates(t, tenantB, association.Outgoing, backup, at), "backup"},
		{"an endpoint that nobody dialled first", delegates(t, tenantB, association.Outgoing, delegation.Endpoint{Host: host, Port: 9}, at), "one"},
		{"the source it was opened for", delegates(t, tenantA, association.Outgoing, at), "one"},
		{"no such endpoint", delegates(t, tenantB, association.Outgoing, delegation.Endpoint{Host: host, Port: 9}), association.ErrNoConnection.Error()},
		{"an endpoint that only an incoming connection could be from", delegates(t, tenantB, association.Outgoing, delegation.Endpoint{Host: "in.hosting.example", Port: 9}), association.ErrNoConnection.Error()},
		{"an endpoint by a wildcard", delegates(t, tenantB, association.Outgoing, delegation.Endpoint{Host: "wild.hosting.example", Port: 1}), "peer-name-mismatch"},
		{"insecure SRV to the endpoint", decideFor(t, tenantB, association.Outgoing, nil, srv(service, delegation.Insecure, recordOf(at))), "no-statement"},
		{"SRV bogus", decideFor(t, tenantB, association.Outgoing, nil, one(delegation.Bogus, at)...), "dns-bogus"},
		{"incoming", delegates(t, tenantB, association.Incoming, at), association.ErrNoConnection.Error()},
	} {
		table := filled()
		conn, acceptance, err := table.Find("d.example", c.a)
		got := conn
		if err != nil {
			if got = string(delegation.ReasonOf(err)); got == "" {
				got = err.Error()
			}
			if conn != "" || acceptance != nil {
				t.Errorf("%s: %q, %+v beside %v", c.name, conn, acceptance, err)
			}
		} else if _, ok := table.Serves(conn, "d.example", c.a.Question().Source); !ok {
			t.Errorf("%s: found, and not served", c.name)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestEndOfPairs: expiry, a later decision, revocation and closing.
func TestEndOfPairs(t *testing.T) {
	const in = association.Incoming
	expires := now.Add(13 * day)
	failed := evidenceOf(tenantB, service, nil)
	failed.TXT[0].Failure = &delegation.Failure{Reason: delegation.DNSTimeout, Detail: "silence"}
	undetermined := decide(t, association.Question{Source: tenantB, Service: service, Direction: in}, failed)
	later := decideFor(t, tenantB, in, []string{recordOfDomain(t, tenantB, service, targets(at), func(s *delegation.Statement) {
		s.Issued, s.Expires = now, now.Add(20*day)
	})})
	for _, c := range []struct {
		name string
		do   func(t *testing.T, table *table, clock *time.Time)
		a, b bool // whether the pairs with tenants A and B go on
	}{
		{"nothing", func(*testing.T, *table, *time.Time) {}, true, true},
		{"a nanosecond before the end", func(_ *testing.T, _ *table, clock *time.Time) { *clock = expires.Add(-1) }, true, true},
		{"the end", func(_ *testing.T, _ *table, clock *time.Time) { *clock = expires }, false, false},
		{"the end, renewed before", func(t *testing.T, table *table, clock *time.Time) {
			if ended := table.Update(later); len(ended) != 0 {
				t.Errorf("ended %q", ended)
			}
			*clock = expires
		}, false, true},
		{"a clock that says nothing", func(_ *testing.T, _ *table, clock *time.Time) { *clock = time.Time{} }, false, false},
		{"B is revoked", func(t *testing.T, table *table, _ *time.Time) {
			if ended := table.Revoke(tenantB); !slices.Equal(ended, []string{"one"}) {
				t.Errorf("ended %q", ended)
			}
			if ended := table.Revoke(tenantB); len(ended) != 0 {
				t.Errorf("ended again: %q", ended)
			}
		}, true, false},
		{"a later decision that B has revoked", func(t *testing.T, table *table, _ *time.Time) {
			if ended := table.Update(delegates(t, tenantB, in)); !slices.Equal(ended, []string{"one"}) {
				t.Errorf("ended %q", ended)
			}
		}, true, false},
		{"a later decision for another host", func(t *testing.T, table *table, _ *time.Time) { table.Update(delegates(t, tenantB, in, backup)) }, true, false},
		{"a later decision without an answer", func(_ *testing.T, table *table, _ *time.Time) { table.Update(undetermined) }, true, true},
		{"a later decision for the other direction", func(t *testing.T, table *table, _ *time.Time) {
			table.Update(delegates(t, tenantB, association.Outgoing))
		}, true, true},
		{"a later decision about somebody else", func(t *testing.T, table *table, _ *time.Time) { table.Update(delegates(t, ours, in)) }, true, true},
		{"a later request that is refused", func(t *testing.T, table *table, _ *time.Time) {
			_, err := table.Request("one", "x.example", delegates(t, tenantB, in))
			wantReason(t, delegation.Revoked, err)
		}, true, false},
		{"a later request without an answer", func(t *testing.T, table *table, _ *time.Time) {
			_, err := table.Request("one", "x.example", undetermined)
			wantReason(t, delegation.DNSTimeout, err)
		}, true, true},
		{"the connection is closed", func(t *testing.T, table *table, _ *time.Time) {
			table.Remove("one")
			table.Remove("one")
			if _, err := table.Request("one", ours, delegates(t, tenantB, in, at)); !errors.Is(err, association.ErrNoConnection) {
				t.Errorf("a request on it: %v", err)
			}
			if connections, pairs := table.Len(); connections != 0 || pairs != 0 {
				t.Errorf("%d connections, %d pairs", connections, pairs)
			}
		}, false, false},
		{"another connection of that name", func(t *testing.T, table *table, _ *time.Time) {
			if _, err := table.Add("one", nowhere, of(t, backup.Host).Chain(), ours, issuedAt(t, tenantA, in, now, backup)); err != nil {
				t.Error(err)
			}
		}, true, false},
		{"another connection of that name that is refused", func(t *testing.T, table *table, _ *time.Time) {
			_, err := table.Add("one", nowhere, of(t, "other.example").Chain(), ours, delegates(t, tenantA, in, at))
			wantReason(t, delegation.PeerNameMismatch, err)
		}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := now
			table := connected(t, func() time.Time { return clock }, in, of(t, host))
			if _, err := table.Request("one", ours, delegates(t, tenantB, in, at)); err != nil {
				t.Fatal(err)
			}
			c.do(t, table, &clock)
			if _, ok := table.Serves("one", ours, tenantA); ok != c.a {
				t.Errorf("A is served: %t", ok)
			}
			if _, ok := table.Serves("one", ours, tenantB); ok != c.b {
				t.Errorf("B is served: %t", ok)
			}
		})
	}
}

// TestLate: a decision on statements older than those that the table was told
// of lets nobody in, and neither lengthens nor ends anything (rule R1).
func TestLate(t *testing.T) {
	const in = association.Incoming
	older, newer := delegates(t, tenantB, in, at), issuedAt(t, tenantB, in, now, at)
	revoked := issuedAt(t, tenantB, in, now)
	for name, tell := range map[string]func(table *table){
		"an update":                        func(table *table) { table.Update(revoked) },
		"an update of the other direction": func(table *table) { table.Update(issuedAt(t, tenantB, association.Outgoing, now)) },
		"a request": func(table *table) {
			_, err := table.Request("one", "d.example", revoked)
			wantReason(t, delegation.Revoked, err)
		},
	} {
		t.Run("granted before a revocation by "+name, func(t *testing.T) {
			table := connected(t, fixed, in, of(t, host))
			tell(table)
			_, err := table.Request("one", ours, older)
			wantReason(t, delegation.Superseded, err)
			_, err = table.Add("two", nowhere, of(t, host).Chain(), ours, older)
			wantReason(t, delegation.Superseded, err)
			if acceptance, ok := table.Serves("one", ours, tenantB); ok {
				t.Errorf("served until %s", acceptance.Until)
			}
			_, err = table.Request("one", ours, newer) // of the second of the revocation
			wantReason(t, delegation.Conflict, err)
		})
	}
	for name, late := range map[string]*association.Association{
		"older": older, "older, a revocation": delegates(t, tenantB, in), "older, to another host": delegates(t, tenantB, in, backup),
	} {
		t.Run(name, func(t *testing.T) {
			table := connected(t, fixed, in, of(t, host))
			if _, err := table.Request("one", ours, newer); err != nil {
				t.Fatal(err)
			}
			if ended := table.Update(late); len(ended) != 0 {
				t.Errorf("ended %q", ended)
			}
			_, err := table.Request("one", ours, late)
			wantReason(t, delegation.Superseded, err)
			if acceptance, ok := table.Serves("one", ours, tenantB); !ok || !acceptance.Until.Equal(now.Add(day)) {
				t.Errorf("served: %t, until %s", ok, acceptance.Until)
			}
		})
	}
	t.Run("what is remembered is bounded", func(t *testing.T) {
		table := association.NewTable[string](peers(), association.Limits{Connections: 1, Pairs: 2})
		if _, err := table.Add("one", nowhere, of(t, host).Chain(), ours, issuedAt(t, tenantA, in, now, at)); err != nil {
			t.Fatal(err)
		}
		table.Update(revoked)
		for i := range 6 {
			table.Update(issuedAt(t, fmt.Sprintf("t%d.example", i), in, now))
		}
		_, err := table.Request("one", ours, delegates(t, tenantA, in, at))
		wantReason(t, delegation.Superseded, err) // it has a pair
		_, err = table.Request("one", ours, delegates(t, "t5.example", in, at))
		wantReason(t, delegation.Superseded, err) // one of the last
		_, err = table.Request("one", ours, older)
		wantReason(t, delegation.Verified, err) // forgotten, as is documented
	})
}

// TestExpire frees what has ended, and tells of connections without use.
func TestExpire(t *testing.T) {
	clock := now
	table := connected(t, func() time.Time { return clock }, association.Incoming, of(t, host))
	if idle := table.Expire(); len(idle) != 0 {
		t.Errorf("idle %q", idle)
	}
	clock = now.Add(13 * day)
	if idle := table.Expire(); !slices.Equal(idle, []string{"one"}) {
		t.Errorf("idle %q", idle)
	}
	if connections, pairs := table.Len(); connections != 1 || pairs != 0 {
		t.Errorf("%d connections, %d pairs", connections, pairs)
	}
	if idle := newTable(nil).Expire(); len(idle) != 0 {
		t.Errorf("an empty table without a clock: idle %q", idle)
	}
}

// TestLimits: a full table lets nothing in, and what has ended makes room.
func TestLimits(t *testing.T) {
	const in = association.Incoming
	clock := now
	provider := of(t, host).Chain()
	newLimited := func(connections, pairs int) *table {
		return association.NewTable[string](delegation.PeerPolicy{Roots: lab().root.Pool(), Now: func() time.Time { return clock }}, association.Limits{Connections: connections, Pairs: pairs})
	}
	a, b := delegates(t, tenantA, in, at), delegates(t, tenantB, in, at)
	if _, err := newLimited(0, 1).Add("one", nowhere, provider, ours, a); !errors.Is(err, association.ErrFull) {
		t.Errorf("no connections: %v", err)
	}
	if _, err := newLimited(1, 0).Add("one", nowhere, provider, ours, a); !errors.Is(err, association.ErrFull) {
		t.Errorf("no pairs: %v", err)
	}
	table := newLimited(1, 2)
	for i, c := range []struct {
		conn, local string
		a           *association.Association
		want        error
	}{
		{"one", ours, a, nil},
		{"two", ours, a, association.ErrFull},
		{"one", ours, a, nil}, // in its own place
	} {
		if _, err := table.Add(c.conn, nowhere, provider, c.local, c.a); !errors.Is(err, c.want) {
			t.Errorf("%d: %v, want %v", i, err, c.want)
		}
	}
	for i, c := range []struct {
		local string
		a     *association.Association
		want  error
	}{
		{ours, b, nil}, {ours, b, nil}, {"d.example", b, association.ErrFull}, {"d.example", a, association.ErrFull}, {ours, a, nil},
	} {
		if _, err := table.Request("one", c.local, c.a); !errors.Is(err, c.want) {
			t.Errorf("%d: %v, want %v", i, err, c.want)
		}
	}
	table.Revoke(tenantA)
	if _, err := table.Request("one", "d.example", b); err != nil {
		t.Errorf("after a revocation: %v", err)
	}
	clock = now.Add(13*day - time.Second)
	c := decideFor(t, tenantA, in, []string{recordOfDomain(t, tenantA, service, targets(at), func(s *delegation.Statement) { s.Expires = now.Add(14 * day) })})
	if _, err := table.Request("one", ours, c); !errors.Is(err, association.ErrFull) {
		t.Errorf("before the end: %v", err)
	}
	clock = now.Add(13 * day)
	if _, err := table.Request("one", ours, c); err != nil {
		t.Errorf("after the end: %v", err)
	}
	if connections, pairs := table.Len(); connections != 1 || pairs != 1 {
		t.Errorf("%d connections, %d pairs", connections, pairs)
	}
}

// TestTableRefuses: wrong calls.
func TestTableRefuses(t *testing.T) {
	const in = association.Incoming
	a, provider := delegates(t, tenantA, in, at), of(t, host).Chain()
	table := newTable(fixed)
	for name, add := range map[string]func() error{
		"no local domain":         func() error { _, err := table.Add("one", nowhere, provider, "", a); return err },
		"incoming, with endpoint": func() error { _, err := table.Add("one", at, provider, ours, a); return err },
		"zero policy": func() error {
			zero := association.NewTable[string](delegation.PeerPolicy{}, association.Limits{Connections: 1, Pairs: 1})
			_, err := zero.Add("one", nowhere, provider, ours, a)
			return err
		},
		"request without a local domain": func() error {
			_, err := connected(t, fixed, in, of(t, host)).Request("one", "", a)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { wantReason(t, delegation.MissingInput, add()) })
	}
	if connections, _ := table.Len(); connections != 0 {
		t.Errorf("%d connections", connections)
	}
	if _, err := table.Request("none", ours, a); !errors.Is(err, association.ErrNoConnection) {
		t.Errorf("got %v", err)
	}
	if _, ok := new(association.Table[string]).Serves("none", ours, tenantA); ok {
		t.Error("an empty table serves")
	}
}

// TestConcurrent: requests, revocations and closings at once leave nothing
// behind of a source that was revoked, however late the requests come that were
// decided before.
func TestConcurrent(t *testing.T) {
	const connections, domains = 4, 8
	table := association.NewTable[int](peers(), association.Limits{Connections: connections, Pairs: 1000})
	provider := of(t, host).Chain()
	var decisions, revocations []*association.Association
	for i := range domains {
		decisions = append(decisions, delegates(t, fmt.Sprintf("t%d.example", i), association.Outgoing, at))
		revocations = append(revocations, issuedAt(t, fmt.Sprintf("t%d.example", i), association.Outgoing, now))
	}
	// Sources of odd number are revoked while they are asked for.
	allowed := func(i int, err error) bool {
		return err == nil || i%2 == 1 && delegation.ReasonOf(err) == delegation.Superseded
	}
	var running sync.WaitGroup
	for worker := range connections {
		running.Go(func() {
			for round := range 20 {
				if _, err := table.Add(worker, at, provider, ours, decisions[0]); err != nil {
					t.Error(err)
				}
				for i, a := range decisions {
					local := fmt.Sprintf("l%d.example", round%3)
					if _, err := table.Request(worker, local, a); !allowed(i, err) {
						t.Error(err)
					}
					if _, _, err := table.Find(local, a); !allowed(i, err) {
						t.Error(err)
					}
					table.Serves(worker, local, a.Question().Source)
					if i%2 == 1 && round == 10 && i%connections == worker {
						table.Update(revocations[i])
					}
					switch (round + i) % 5 {
					case 0:
						if i%2 == 0 {
							table.Revoke(a.Question().Source)
						}
					case 1:
						table.Update(a)
					case 2:
						table.Expire()
					}
				}
			}
		})
	}
	running.Wait()
	for i := 1; i < domains; i += 2 {
		for worker := range connections {
			for l := range 3 {
				if _, ok := table.Serves(worker, fmt.Sprintf("l%d.example", l), fmt.Sprintf("t%d.example", i)); ok {
					t.Errorf("connection %d serves t%d.example, which was revoked", worker, i)
				}
			}
		}
	}
	if got, _ := table.Len(); got != connections {
		t.Errorf("%d connections", got)
	}
	for worker := range connections {
		table.Remove(worker)
	}
	if got, pairs := table.Len(); got != 0 || pairs != 0 {
		t.Errorf("%d connections, %d pairs", got, pairs)
	}
}
