package verifier

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// restart is another Verifier with the same memory, and nothing in its cache.
func (l *lab) restart(edits ...func(*Config)) {
	l.Helper()
	l.Verifier.Close()
	c := l.Verifier.config
	for _, edit := range edits {
		edit(&c)
	}
	v, err := New(c)
	if err != nil {
		l.Fatal(err)
	}
	l.Verifier = v
	l.Cleanup(v.Close)
	synctest.Wait()
}

// silent: no server answers.
func (n *network) silent() {
	n.set(func(n *network) {
		n.takes = silence
		n.failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
		n.srv = delegation.SRVAnswer{Answer: delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Indeterminate, Failure: n.failure}}
	})
}

// atOnce asks, and wants an answer without any wait.
func (l *lab) atOnce(q Question, want ...string) *Decision {
	l.Helper()
	asked := time.Now()
	d, err := l.ask(l.Context(), q)
	if err != nil {
		l.Fatal(err)
	}
	if took := time.Since(asked); took > 0 || !slices.Equal(namesOf(d.Association), want) {
		l.Errorf("after %s: %s", took, told(d))
	}
	return d
}

// inMemory is the record of the source.
func (l *lab) inMemory() floorrecord.Newest { return l.store.records[subject{source, service}] }

// TestRestartSilent: after a start, a domain that the memory holds is answered at
// once, although nobody answers us. That lasts for a day after it was seen.
func TestRestartSilent(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		seen := time.Now()
		time.Sleep(5 * time.Hour)
		l.restart()
		l.network.silent()
		d := l.atOnce(incoming, host)
		if !d.Required || !d.Cached || !d.Until.Equal(whole(l.inMemory().Seen.Add(maxStored))) || d.RefreshAt.After(time.Now().Add(storedLife)) {
			t.Errorf("got %s", told(d))
		}
		if e, err := d.Evidence(); err != nil || len(e.Documents) != 1 || e.Documents[0].File != storedAs || !e.Collected.Equal(l.inMemory().Seen) {
			t.Errorf("it rests on %+v, %v", e, err)
		}
		proof, err := l.Check(l.Context(), source, service, peer(delegated))
		if err != nil || proof.Until.After(d.Until) || proof.Reference.Method != association.Delegation {
			t.Errorf("got %+v, %v", proof, err)
		}
		ctx, release := l.Hold(l.Context(), proof)
		defer release()
		lasts(ctx, maxStored)
		if ended := time.Since(seen); ended > maxStored || ended < maxStored-time.Minute {
			t.Errorf("it counted for %s after it was seen", ended)
		}
		time.Sleep(time.Minute)
		if d := l.reason(incoming, ""); d == nil || len(namesOf(d.Association)) > 0 || !d.Required {
			t.Errorf("got %s", told(d))
		}
		// Another start changes nothing about that.
		l.restart()
		if d := l.reason(incoming, ""); d == nil || len(namesOf(d.Association)) > 0 || !d.Required {
			t.Errorf("after another start: %s", told(d))
		}
	})
}

// TestRestartMeanwhile: what the owner has published while nobody looked takes
// effect as soon as it is found, for open connections too.
func TestRestartMeanwhile(t *testing.T) {
	delegated := chain(t, host)
	for name, c := range map[string]struct {
		record string
		names  []string
		ends   reasons.Reason
	}{
		"revoked": {statement(time.Minute), nil, reasons.Revoked},
		"moved":   {statement(time.Minute, other), []string{other}, reasons.PeerNameMismatch},
		"renewed": {statement(time.Minute, host), []string{host}, ""},
		"more":    {statement(time.Minute, host, other), []string{host, other}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				time.Sleep(time.Hour)
				l.network.has(c.record)
				l.restart()
				asked := time.Now()
				proof, err := l.Check(l.Context(), source, service, peer(delegated))
				if err != nil || time.Since(asked) > 0 {
					t.Fatalf("after %s: %v", time.Since(asked), err)
				}
				ctx, release := l.Hold(l.Context(), proof)
				defer release()
				took, cause := lasts(ctx, distant+time.Second)
				if delegation.ReasonOf(cause) != c.ends || c.ends != "" && took > distant {
					t.Errorf("after %s: %v", took, cause)
				}
				l.want(incoming, 2, c.names...)
			})
		})
	}
}

// TestRestartUnused: what the memory holds is not used where it does not verify,
// where it is not the newest, or where nobody has seen it for a while. Then there is
// a lookup, as if it were not there.
func TestRestartUnused(t *testing.T) {
	signer("other.example")
	document := func(record string) []byte { return []byte(record[len("v=DNA1; e=jws; s="):]) }
	for name, c := range map[string]struct {
		change func(r *floorrecord.Newest)
		sleep  time.Duration
		edit   func(*Config)
		ask    Question
	}{
		"expired":         {func(*floorrecord.Newest) {}, 14 * day, nil, incoming},
		"seen a day ago":  {func(*floorrecord.Newest) {}, day, nil, incoming},
		"seen in future":  {func(r *floorrecord.Newest) { r.Seen = r.Seen.Add(time.Hour) }, 0, nil, incoming},
		"none":            {func(r *floorrecord.Newest) { r.Statement = nil }, 0, nil, incoming},
		"other anchors":   {func(*floorrecord.Newest) {}, 0, func(c *Config) { c.Roots = world.At(start).CA.Pool() }, incoming},
		"no anchors":      {func(*floorrecord.Newest) {}, 0, func(c *Config) { c.Roots = x509.NewCertPool() }, incoming},
		"shorter lives":   {func(*floorrecord.Newest) {}, 0, func(c *Config) { c.MaxLife = day }, incoming},
		"cut":             {func(r *floorrecord.Newest) { r.Statement = r.Statement[:len(r.Statement)/2] }, 0, nil, incoming},
		"one bit":         {func(r *floorrecord.Newest) { r.Statement[len(r.Statement)-9] ^= 1 }, 0, nil, incoming},
		"noise":           {func(r *floorrecord.Newest) { r.Statement = []byte{0x30, 0x80, 0} }, 0, nil, incoming},
		"another source":  {func(r *floorrecord.Newest) { r.Statement = document(signedFor("other.example", 0, []string{host})) }, 0, nil, incoming},
		"an older one":    {func(r *floorrecord.Newest) { r.Statement = document(statement(-time.Hour, host)) }, 0, nil, incoming},
		"a newer one":     {func(r *floorrecord.Newest) { r.Statement = document(statement(time.Minute, host)) }, 0, nil, incoming},
		"other targets":   {func(r *floorrecord.Newest) { r.Statement = document(statement(0, other)) }, 0, nil, incoming},
		"a newer floor":   {func(r *floorrecord.Newest) { r.Floor = floorOf(time.Minute, host) }, 0, nil, incoming},
		"a contradiction": {func(r *floorrecord.Newest) { r.Floor.Targets = delegation.Contradiction }, 0, nil, incoming},
		"to connect":      {func(*floorrecord.Newest) {}, 0, nil, outgoing},
		"for a report":    {func(*floorrecord.Newest) {}, 0, func(c *Config) { c.AwaitStatement = true }, incoming},
		"after a reload":  {func(*floorrecord.Newest) {}, 0, func(c *Config) { c.LookFirst = true }, incoming},
		"never seen":      {func(r *floorrecord.Newest) { r.Seen = time.Time{} }, 0, nil, incoming},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				r := l.inMemory()
				if !slices.Equal(r.Statement, document(statement(0, host))) && len(r.Statement) == 0 || r.Seen.IsZero() {
					t.Fatalf("the memory holds %q, seen %s", r.Statement, r.Seen)
				}
				time.Sleep(c.sleep)
				r.Statement = slices.Clone(r.Statement)
				c.change(&r)
				l.store.records[subject{source, service}] = r
				var edits []func(*Config)
				if c.edit != nil {
					edits = append(edits, c.edit)
				}
				l.restart(edits...)
				l.network.silent()
				asked := time.Now()
				d, err := l.ask(l.Context(), c.ask)
				if err != nil || len(namesOf(d.Association)) > 0 || time.Since(asked) != silence {
					t.Errorf("after %s: %s, %v", time.Since(asked), told(d), err)
				}
			})
		})
	}
}

// TestRestartOnce: what this Verifier has decided by does not come back from the
// memory once it has ended, or makes room for others. No clock changes that.
func TestRestartOnce(t *testing.T) {
	for name, restart := range map[string]bool{"looked up": false, "from the memory": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				if restart {
					l.restart()
					l.atOnce(incoming, host)
					time.Sleep(distant)
					synctest.Wait()
				}
				l.mu.Lock()
				l.cache.remove(keyOf(incoming)) // as if it had been pushed out
				l.mu.Unlock()
				before, asked := l.network.count(), time.Now()
				l.want(incoming, before+1, host)
				if took := time.Since(asked); took != distant {
					t.Errorf("answered after %s", took)
				}
			})
		})
	}
}

// TestRestartRefusal: a statement from the memory keeps nobody out. Who is not in it
// waits for the lookup, and only where that fails is it what is known.
func TestRestartRefusal(t *testing.T) {
	moved := chain(t, other)
	for name, c := range map[string]struct {
		shown  func(*network)
		reason reasons.Reason
		after  time.Duration
	}{
		"moved":   {func(n *network) { n.has(statement(time.Minute, other)) }, "", distant},
		"not":     {func(*network) {}, reasons.PeerNameMismatch, distant},
		"revoked": {func(n *network) { n.has(statement(time.Minute)) }, reasons.Revoked, distant},
		"silent":  {(*network).silent, reasons.PeerNameMismatch, silence},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				time.Sleep(time.Hour)
				c.shown(l.network)
				l.restart()
				asked := time.Now()
				_, err := l.Check(l.Context(), source, service, peer(moved))
				if took := time.Since(asked); delegation.ReasonOf(err) != c.reason || took != c.after || MayFallBack(err) {
					t.Errorf("after %s: %v", took, err)
				}
				synctest.Wait()
				if n := l.network.count(); n != 2 {
					t.Errorf("%d lookups", n)
				}
			})
		})
	}
}

// TestKeeping: the memory is given what may answer after a start, and nothing
// else.
func TestKeeping(t *testing.T) {
	secure := func(n *network) {
		n.srv = delegation.SRVAnswer{
			Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 3600},
			Records: []delegation.SRVRecord{{Port: 5269, Target: host}},
		}
	}
	elsewhere := func(n *network) {
		n.srv = delegation.SRVAnswer{
			Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Insecure, TTL: 3600},
			Records: []delegation.SRVRecord{{Port: 5269, Target: other}},
		}
	}
	for name, c := range map[string]struct {
		record    string
		change    func(*network)
		ask       Question
		statement bool
		seen      bool
	}{
		"incoming":                        {statement(0, host), nil, incoming, true, true},
		"outgoing":                        {statement(0, host), nil, outgoing, true, true},
		"secure SRV records":              {statement(0, host), secure, incoming, false, true},
		"secure SRV records, outgoing":    {statement(0, host), secure, outgoing, false, true},
		"SRV records elsewhere":           {statement(0, host), elsewhere, incoming, true, true},
		"SRV records elsewhere, outgoing": {statement(0, host), elsewhere, outgoing, false, false},
		"revoked":                         {statement(0), nil, incoming, false, false},
		"key named":                       {statement(0, host), func(n *network) { n.names(signer(source)) }, incoming, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{c.record}, Limits{}, func(l *lab) {
				if c.change != nil {
					l.network.set(c.change)
				}
				if _, err := l.decide(c.ask); err != nil {
					t.Fatal(err)
				}
				r := l.inMemory()
				if r.Floor.IsZero() || len(r.Statement) > 0 != c.statement || r.Seen.IsZero() == c.seen {
					t.Errorf("the memory holds %+v", r)
				}
			})
		})
	}
	// Once the zone is signed, the statement adds no name: not after a start either.
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.network.set(func(n *network) {
			secure(n)
			n.srv.Records[0].Target = other
		})
		time.Sleep(2 * time.Hour)
		l.want(incoming, 2, other)
		l.restart()
		l.want(incoming, 3, other)
	})
}

// TestRestartOtherNode: a node that hears of a newer floor has its statement from
// the memory, also while nobody answers it. So nobody is locked out by a renewal
// or a move that another node saw first.
func TestRestartOtherNode(t *testing.T) {
	for name, connected := range map[string]bool{"subscribed": true, "cut off": false} {
		t.Run(name, func(t *testing.T) {
			delegated := chain(t, host)
			bubble(t, []string{statement(0, host)}, Limits{}, func(b *lab) {
				network := newNetwork(statement(time.Minute, other))
				b.want(incoming, 1, host)
				proof := b.proven(peer(delegated))
				ctx, release := b.Hold(b.Context(), proof)
				defer release()
				a, err := New(Config{Discovery: network, Floors: b.store, Roots: pool()})
				if err != nil {
					t.Fatal(err)
				}
				defer a.Close()
				synctest.Wait()
				b.network.silent()
				b.store.connect(connected)
				synctest.Wait()
				if d, err := a.ask(b.Context(), outgoing); err != nil || !slices.Equal(namesOf(d.Association), []string{other}) {
					t.Fatalf("A knows %s, %v", told(d), err)
				}
				synctest.Wait()
				b.atOnce(incoming, other)
				if took, cause := lasts(ctx, time.Minute); delegation.ReasonOf(cause) != reasons.PeerNameMismatch || took > recheckWait {
					t.Errorf("the connection of the former provider: after %s, %v", took, cause)
				}
			})
		})
	}
}

// TestRestartStorm: 10,000 domains that the memory holds are asked about within a
// minute, while their servers are silent. New ones are among them whose servers are
// not. Nobody waits for the silent ones.
func TestRestartStorm(t *testing.T) {
	n := 10_000
	if raceDetector {
		n = 1000
	}
	all := domainsOf(n)
	bubble(t, nil, Limits{}, func(l *lab) {
		held(l, all)
		l.restart()
		l.network.set(func(n *network) {
			n.takes = silence
			n.slow = func(source string) time.Duration {
				if source[0] == 'x' {
					return distant
				}
				return 0
			}
		})
		var known, new tally
		var asking sync.WaitGroup
		for i, domain := range all {
			peer := netip.AddrFrom4([4]byte{198, byte(i), byte(i / 256), 1})
			asking.Go(func() {
				d, err := known.ask(l, about(domain, peer))
				if err == nil && !slices.Equal(namesOf(d.Association), []string{host}) {
					t.Errorf("%s is not verified", domain)
				}
			})
			if i%100 == 0 {
				asking.Go(func() { new.ask(l, about(fmt.Sprintf("x%d.example", i), peer)) })
			}
			time.Sleep(time.Minute / time.Duration(len(all)))
		}
		asking.Wait()
		if known.reasons[""] != len(all) || known.slowest > 0 {
			t.Errorf("those that are held: %v", &known)
		}
		if new.reasons[""] != len(all)/100 || new.slowest > time.Second {
			t.Errorf("new ones: %v", &new)
		}
		// What was not looked up then is looked up when it is asked about again.
		time.Sleep(time.Minute)
		l.network.set(func(n *network) { n.takes, n.slow = distant, nil })
		for _, domain := range all[:100] {
			if d, err := l.ask(l.Context(), about(domain, netip.Addr{})); err != nil || len(namesOf(d.Association)) != 1 {
				t.Fatalf("%s: %s, %v", domain, told(d), err)
			}
		}
	})
}

// held makes so many domains, with statements that the memory holds.
func held(l *lab, domains []string) {
	for _, domain := range domains {
		record := signedFor(domain, 0, []string{host})
		l.network.records[domain] = []string{record}
		l.store.records[subject{domain, service}] = floorrecord.Newest{
			Floor: floorOf(0, host), Statement: []byte(record[len("v=DNA1; e=jws; s="):]), Seen: start,
		}
	}
}

// TestLinger: a lookup whose questions are answered is on the account of who
// asked, and makes room for those who wait.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		q := newQueue(Limits{LookupsInFlight: 1, LookupsPerNetwork: 1, Waiting: 2})
		peer := netip.MustParseAddr("192.0.2.1")
		busy := q.lookup("busy.example")
		q.join(busy, netip.Addr{})
		if limit := q.enter(ctx, busy, laneKnown); limit != "" {
			t.Fatal(limit)
		}
		// Its question stays beside the lookup, so there is room for one more.
		lingers := q.lookup("b.example")
		ticket := q.join(lingers, peer)
		ended := make(chan string, 1)
		go func() { ended <- q.enter(ctx, lingers, laneKnown) }()
		synctest.Wait()
		q.linger(lingers)
		q.leave(ticket)
		if len(q.tickets) != 2 || q.accounts[netip.MustParsePrefix("192.0.2.1/32")] == nil {
			t.Fatalf("%d tickets, accounts %v", len(q.tickets), q.accounts)
		}
		waits := q.join(q.lookup("c.example"), peer)
		synctest.Wait()
		select {
		case <-waits.out:
			t.Error("who waits is sent away")
		default:
		}
		if limit := <-ended; limit != limitWaiting || len(q.tickets) != 2 {
			t.Errorf("got %q, %d tickets", limit, len(q.tickets))
		}
		q.exit(lingers)
		q.exit(busy)
		// With a slot, a lookup is made.
		q.leave(waits)
		again := q.lookup("b.example")
		ticket = q.join(again, peer)
		q.linger(again)
		q.leave(ticket)
		if limit := q.enter(ctx, again, laneKnown); limit != "" {
			t.Error(limit)
		}
		q.exit(again)
	})
	// Such lookups take a part of the slots, whether their questions have left or not.
	synctest.Test(t, func(t *testing.T) {
		const slots = 2 * lingerShare
		q := newQueue(Limits{LookupsInFlight: slots, LookupsPerNetwork: slots, Waiting: slots + 1})
		limits := make(chan string, slots+1)
		ask := func(i int, peer string, linger bool) *lookup {
			l := q.lookup(fmt.Sprintf("d%d.example", i))
			ticket := q.join(l, netip.MustParseAddr(peer))
			if linger {
				q.linger(l)
				if i%2 == 0 {
					q.leave(ticket)
				}
			}
			go func() { limits <- q.enter(t.Context(), l, laneKnown) }()
			return l
		}
		var all []*lookup
		for i := range slots {
			all = append(all, ask(i, fmt.Sprintf("198.51.%d.1", i), true))
		}
		synctest.Wait()
		if begun := q.taken[laneKnown]; begun != slots/lingerShare {
			t.Errorf("%d have begun", begun)
		}
		all = append(all, ask(slots, "192.0.2.1", false))
		synctest.Wait()
		if begun := q.taken[laneKnown]; begun != slots/lingerShare+1 {
			t.Errorf("who waits does not begin: %d have", begun)
		}
		counts := map[string]int{}
		for range all {
			counts[<-limits]++
		}
		if counts[""] != slots/lingerShare+1 || counts[limitInFlight] != slots-slots/lingerShare {
			t.Errorf("got %v", counts)
		}
		for _, l := range all {
			q.exit(l)
		}
	})
}
