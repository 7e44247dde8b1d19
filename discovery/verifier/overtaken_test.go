package verifier

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// recheck is a question about a connection that is open.
var recheck = Question{Source: source, Service: service, Direction: association.Incoming, Recheck: true}

// told is what a question is told.
func told(d *Decision) string {
	if d == nil || d.Association == nil {
		return fmt.Sprintf("%+v", d)
	}
	return fmt.Sprintf("%q, refresh at %s, required %t, until %s, overtaken %t, ended %t", namesOf(d.Association), d.RefreshAt, d.Required, d.Until, d.Overtaken, d.Ended)
}

// newcomers are the names that let somebody new in: those by delegation only if
// the statement is not below the floor that is known.
func (l *lab) newcomers() []string {
	l.Helper()
	d, err := l.ask(l.Context(), incoming)
	if err != nil {
		return nil
	}
	if d.Association.Floor().CheckProof(l.floor(source, service)) != nil {
		return nil
	}
	return namesOf(d.Association)
}

// TestOvertaken: another node has seen a newer statement. Nobody new gets in by
// the older one. Open connections stay until a lookup has ended, and then the
// newest statement decides.
func TestOvertaken(t *testing.T) {
	for _, c := range []struct {
		name   string
		raised delegation.Floor
		shown  func(*network)
		stay   []string       // names that keep connections, after the lookup
		reason reasons.Reason // why there are none
		ended  bool
	}{
		{"moved", floorOf(time.Minute, other), func(n *network) { n.records[source] = []string{statement(time.Minute, other)} }, []string{other}, "", false},
		{"revoked", floorOf(time.Minute), func(n *network) { n.records[source] = []string{statement(time.Minute)} }, nil, reasons.Revoked, false},
		{"a newer one still", floorOf(time.Minute, other), func(n *network) { n.records[source] = []string{statement(2*time.Minute, host)} }, []string{host}, "", false},
		{"moved, and the old one is shown", floorOf(time.Minute, other), func(*network) {}, nil, reasons.Superseded, true},
		{"hidden", floorOf(time.Minute, other), func(n *network) { n.records[source] = nil }, nil, reasons.NoStatement, true},
		{"not to be found out", floorOf(time.Minute, other), func(n *network) {
			n.failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
		}, nil, reasons.DNSTimeout, true},
		{"contradicted", floorOf(0, other), func(*network) {}, nil, reasons.Conflict, true},
		{"older", floorOf(-time.Minute, other), func(*network) {}, []string{host}, "", false},
		{"the same, for longer", func() delegation.Floor {
			f := floorOf(0, host)
			f.ValidUntil = f.ValidUntil.Add(time.Hour)
			return f
		}(), func(*network) {}, []string{host}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				time.Sleep(10 * time.Minute)
				l.network.set(func(n *network) { c.shown(n); n.takes = 8 * time.Second })
				l.store.elsewhere(c.raised)
				synctest.Wait()
				overtaken := l.known(l.Context(), incoming) == nil
				if want := c.name != "older" && c.name != "the same, for longer"; overtaken != want || (l.network.count() == 2) != want {
					t.Fatalf("overtaken %t, want %t; %d lookups", overtaken, want, l.network.count())
				}
				begun := time.Now()
				var all sync.WaitGroup
				all.Go(func() { // an open connection does not wait for long
					d, err := l.ask(l.Context(), recheck)
					if err != nil || !slices.Equal(namesOf(d.Association), []string{host}) || d.Overtaken != overtaken {
						t.Errorf("an open connection is told %s, %v", told(d), err)
						return
					}
					if !overtaken {
						return
					}
					if took := time.Since(begun); took != recheckWait || !d.RefreshAt.Equal(whole(time.Now().Add(overtakenRetry))) || !d.Until.Equal(whole(begun.Add(maxOvertaken))) || !d.Required {
						t.Errorf("after %s an open connection is told %s", took, told(d))
					}
				})
				all.Go(func() { // who is new waits for the lookup
					if got := l.newcomers(); !slices.Equal(got, c.stay) {
						t.Errorf("%q are let in, want %q", got, c.stay)
					}
					if took := time.Since(begun); overtaken && took != 8*time.Second {
						t.Errorf("a newcomer waited %s", took)
					}
				})
				all.Wait()
				d, err := l.decide(recheck)
				if err != nil || d.Overtaken || d.Ended != c.ended || !slices.Equal(namesOf(d.Association), c.stay) || !d.Required {
					t.Fatalf("then an open connection is told %s, %v", told(d), err)
				}
				if c.reason != "" && reasonOf(d.Association) != c.reason {
					t.Errorf("reason %s, want %s", reasonOf(d.Association), c.reason)
				}
			})
		})
	}
}

// TestRenewed: another node has seen a newer statement with the same targets. The
// older one goes on, whatever this node's resolver shows, and nobody waits longer
// than for a lookup.
func TestRenewed(t *testing.T) {
	for name, shown := range map[string]func(*network){
		"the new one": func(n *network) { n.records[source] = []string{statement(time.Minute, host)} },
		"the old one": func(*network) {},
		"none":        func(n *network) { n.records[source] = nil },
		"a failure": func(n *network) {
			n.failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				time.Sleep(10 * time.Minute)
				l.network.set(func(n *network) { shown(n); n.takes = time.Second })
				l.store.elsewhere(floorOf(time.Minute, host))
				for range 3 {
					if got := l.newcomers(); !slices.Equal(got, []string{host}) {
						t.Errorf("%q are let in", got)
					}
					d, err := l.decide(recheck)
					if err != nil || d.Overtaken || d.Ended || !d.Required || !slices.Equal(namesOf(d.Association), []string{host}) {
						t.Errorf("an open connection is told %s, %v", told(d), err)
					}
					time.Sleep(time.Minute)
				}
				if n := l.network.count(); n < 2 || n > 12 {
					t.Errorf("%d lookups", n)
				}
			})
		})
	}
}

// TestOvertakenByOtherDirection: what a lookup of one direction finds overtakes
// the proof of the other, which is looked up at once.
func TestOvertakenByOtherDirection(t *testing.T) {
	outgoing := incoming
	outgoing.Direction = association.Outgoing
	for name, c := range map[string]struct {
		record string
		want   []string
	}{"renewed": {statement(time.Minute, host), []string{host}}, "revoked": {statement(time.Minute), nil}} {
		for _, first := range []Question{incoming, outgoing} {
			t.Run(name+", "+string(first.Direction), func(t *testing.T) {
				second := incoming
				if first == incoming {
					second = outgoing
				}
				bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
					l.want(incoming, 1, host)
					l.want(outgoing, 2, host)
					l.network.has(c.record)
					l.mu.Lock()
					l.cache.remove(keyOf(first)) // as if it had been pushed out
					l.mu.Unlock()
					if got := l.names(first); !slices.Equal(got, c.want) {
						t.Errorf("got %q", got)
					}
					time.Sleep(time.Second)
					synctest.Wait()
					if l.network.count() != 4 || l.known(l.Context(), second) == nil {
						t.Errorf("%d lookups, and the other direction is not here", l.network.count())
					}
					l.want(second, 4, c.want...)
				})
			})
		}
	}
}

// TestOvertakenMeanwhile: what was gathered before a newer statement came to be
// known is not the last word.
func TestOvertakenMeanwhile(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.takes = time.Second })
		var all sync.WaitGroup
		all.Go(func() { l.want(incoming, 2, other) })
		time.Sleep(500 * time.Millisecond)
		l.network.has(statement(time.Minute, other)) // the answer is on its way already
		l.network.set(func(n *network) { n.records[source] = []string{statement(time.Minute, other)} })
		l.store.elsewhere(floorOf(time.Minute, other))
		all.Wait()
	})
}

// TestOvertakenWithoutLookup: where no lookup can be made, nobody new gets in,
// and open connections end after a while.
func TestOvertakenWithoutLookup(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.full(laneKnown)
		l.store.elsewhere(floorOf(time.Minute, other))
		synctest.Wait()
		for range 4 {
			if d := l.reason(incoming, reasons.Overloaded); !d.Required {
				t.Errorf("got %s", told(d))
			}
			d, err := l.decide(recheck)
			if err != nil || !d.Overtaken || !d.RefreshAt.Equal(whole(time.Now().Add(overtakenRetry))) {
				t.Errorf("%s: an open connection is told %s, %v", time.Since(start), told(d), err)
			}
			time.Sleep(maxOvertaken / 4)
		}
		if d := l.reason(recheck, reasons.Overloaded); !d.Ended || !d.Required {
			t.Errorf("an open connection is told %s", told(d))
		}
	})
}

// TestOvertakenUnwritten: a newer statement that cannot be remembered is not
// verified, and the older one lets nobody in all the same.
func TestOvertakenUnwritten(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		time.Sleep(time.Hour)
		l.network.has(statement(time.Hour, other))
		l.store.write = errAway
		l.reason(incoming, reasons.MemoryFailed)
		if d, err := l.decide(recheck); err != nil || !d.Overtaken {
			t.Errorf("an open connection is told %s, %v", told(d), err)
		}
		time.Sleep(maxOvertaken)
		if d := l.reason(recheck, reasons.MemoryFailed); !d.Ended {
			t.Errorf("an open connection is told %s", told(d))
		}
		l.store.write = nil
		if got := l.names(recheck); !slices.Equal(got, []string{other}) {
			t.Errorf("after it came back: %q", got)
		}
	})
}

// TestOvertakenSecure: secure SRV records need no statement, and go on while a
// newer one cannot be looked up.
func TestOvertakenSecure(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		l.network.set(func(n *network) {
			n.srv = delegation.SRVAnswer{
				Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 3600},
				Records: []delegation.SRVRecord{{Port: 5269, Target: host}},
			}
		})
		l.want(incoming, 1, host)
		time.Sleep(time.Second)
		l.full(laneKnown)
		l.store.elsewhere(floorOf(0, other))
		if got := l.names(incoming); !slices.Equal(got, []string{host}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestFormerProvider is an attack. Node B has the proof of a former provider in
// its cache, and the network shows B the old statement only. Node A has seen
// the new one. B lets the former provider in no more, with a subscription and
// without, whose memory keeps floors alone.
func TestFormerProvider(t *testing.T) {
	for name, connected := range map[string]bool{"subscribed": true, "cut off": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(b *lab) {
				b.store.bare = true
				network := newNetwork(statement(time.Minute, other))
				a, err := New(Config{Discovery: network, Floors: b.store, Roots: pool(), Now: time.Now})
				if err != nil {
					t.Fatal(err)
				}
				defer a.Close()
				synctest.Wait()
				b.want(incoming, 1, host)
				b.store.connect(connected)
				synctest.Wait()
				before, err := b.ask(b.Context(), incoming) // on its way to a peer's check
				if err != nil {
					t.Fatal(err)
				}
				if d, err := a.ask(b.Context(), incoming); err != nil || !slices.Equal(namesOf(d.Association), []string{other}) {
					t.Fatalf("A knows %s, %v", told(d), err)
				}
				if got := b.newcomers(); got != nil {
					t.Errorf("%q are let in", got)
				}
				b.why(incoming, reasons.Superseded)
				if err := before.Association.Floor().CheckAgainst(b.floor(source, service)); delegation.ReasonOf(err) != reasons.Superseded {
					t.Errorf("a decision from before passes: %v", err)
				}
				d, err := b.ask(b.Context(), recheck)
				if err != nil || len(namesOf(d.Association)) > 0 || !d.Ended {
					t.Errorf("its connection is told %s, %v", told(d), err)
				}
			})
		})
	}
}

// TestSubscription: while the store tells of raised floors it is not asked for
// what is in the cache. While it does not tell, it is asked for each question.
// When it tells again, all floors in use are read once.
func TestSubscription(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		asks := func(want int, do func()) {
			t.Helper()
			before := l.store.asks
			do()
			synctest.Wait()
			if got := l.store.asks - before; got != want {
				t.Errorf("the memory was asked %d times, want %d", got, want)
			}
		}
		ask := func() { l.want(incoming, 1, host) }
		ask()
		l.why(unknown(1), reasons.NoStatement)
		count := l.network.count()
		ask = func() { l.want(incoming, count, host) }
		asks(0, ask)
		l.store.connect(false)
		asks(3, func() { ask(); ask(); ask() })
		if d := l.known(l.Context(), incoming); d == nil || !d.Until.Equal(whole(time.Now().Add(maxUnsure))) {
			t.Errorf("got %s", told(d))
		}
		asks(2, func() { l.store.connect(true) })
		asks(0, ask)
		if d := l.known(l.Context(), incoming); d == nil || !d.Until.IsZero() {
			t.Errorf("got %s", told(d))
		}

		// What was missed is seen at the next question, or when it is read again.
		for _, connected := range []bool{false, true} {
			l.store.connect(false)
			f := l.store.records[subject{source, service}].Floor
			f.Order.Issued = f.Order.Issued.Add(time.Second)
			l.network.has(statement(f.Order.Issued.Sub(start), host))
			l.store.elsewhere(f)
			l.store.connect(connected)
			synctest.Wait()
			if known := l.known(l.Context(), incoming); known != nil {
				t.Errorf("connected %t: a raise was missed", connected)
			}
			l.store.connect(true)
			if got := l.names(incoming); !slices.Equal(got, []string{host}) {
				t.Errorf("got %q", got)
			}
		}
	})
}

// TestAway: a memory that cannot be reached lets proofs live for 5 minutes, and
// they are there again when it is.
func TestAway(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		time.Sleep(10 * time.Minute)
		gone := time.Now()
		l.store.away(true)
		for time.Since(gone) < maxUnsure {
			d, err := l.ask(l.Context(), incoming)
			if err != nil || !slices.Equal(namesOf(d.Association), []string{host}) || !d.Until.Equal(whole(gone.Add(maxUnsure))) || d.RefreshAt.After(d.Until) {
				t.Errorf("after %s: got %s, %v", time.Since(gone), told(d), err)
			}
			time.Sleep(maxUnsure / 5)
		}
		for _, q := range []Question{incoming, recheck} {
			if d := l.reason(q, reasons.MemoryFailed); !d.Required || !d.Ended {
				t.Errorf("after %s: got %s", time.Since(gone), told(d))
			}
		}
		lookups := l.network.count()
		l.store.away(false)
		synctest.Wait()
		l.want(incoming, lookups, host)
		if d := l.known(l.Context(), incoming); d == nil || !d.Until.IsZero() {
			t.Errorf("got %s", told(d))
		}
	})
}

// TestRoles: what is not in use takes no memory.
func TestRoles(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{CacheBytes: 50_000}, func(l *lab) {
		l.want(incoming, 1, host)
		for i := range 100 {
			l.why(unknown(i), reasons.NoStatement)
		}
		time.Sleep(time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		entries := 0
		for i := range l.cache.of {
			entries += l.cache.of[i].Len()
		}
		if len(l.roles) != entries || entries < 2 || entries > 20 {
			t.Errorf("%d roles, %d entries", len(l.roles), entries)
		}
	})
}
