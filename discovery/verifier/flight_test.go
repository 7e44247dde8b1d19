package verifier

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

// forged has the order of a genuine statement, other targets and a bad
// signature. Anybody who knows the genuine one can make it.
func forged(t *testing.T) string {
	t.Helper()
	genuine, fake := statement(0, host), statement(0, "xmpp.evil.example")
	i, j := strings.LastIndex(genuine, "."), strings.LastIndex(fake, ".")
	return fake[:j] + genuine[i:]
}

// TestNextLookup: what becomes of a proof that has not ended when looking again
// finds something else.
func TestNextLookup(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(*lab)
		want []string
		why  reasons.Reason // of the decision, if want is empty
	}{
		{"the same", func(*lab) {}, []string{host}, ""},
		{"resolver down", func(l *lab) { l.network.fails() }, []string{host}, ""},
		{"nothing", func(l *lab) { l.network.has() }, []string{host}, ""},
		{"garbage", func(l *lab) { l.network.has("v=DNA1; e=jws; s=x") }, []string{host}, ""},
		{"another domain's", func(l *lab) { l.network.has(signedFor("c.example", 0, []string{other})) }, []string{host}, ""},
		{"an older one", func(l *lab) { l.network.has(statement(-time.Hour, other)) }, []string{host}, ""},
		{"an expired one", func(l *lab) {
			l.network.has(signedFor(source, time.Minute, []string{other}, func(s *delegation.Statement) { s.Expires = start.Add(30 * time.Minute) }))
		}, []string{host}, ""},
		{"a forged one of the same order", func(l *lab) { l.network.has(forged(l.T)) }, []string{host}, ""},
		{"a signed one of the same order", func(l *lab) { l.network.has(statement(0, other)) }, []string{host}, ""},
		{"the memory fails", func(l *lab) { l.store.read = errAway }, []string{host}, ""},

		{"a newer one", func(l *lab) { l.network.has(statement(time.Hour, other)) }, []string{other}, ""},
		{"a newer one, with an older one", func(l *lab) { l.network.has(statement(0, host), statement(time.Hour, other)) }, []string{other}, ""},
		{"a revocation", func(l *lab) { l.network.has(statement(time.Hour)) }, nil, reasons.Revoked},
		{"two that contradict each other", func(l *lab) { l.network.has(statement(time.Hour, host), statement(time.Hour, other)) }, nil, reasons.Conflict},
		{"secure SRV records", func(l *lab) {
			l.network.set(func(n *network) {
				n.srv = delegation.SRVAnswer{
					Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 3600},
					Records: []delegation.SRVRecord{{Port: 5269, Target: other}},
				}
			})
		}, []string{other}, ""},
		{"nothing, and a newer one is remembered", func(l *lab) {
			l.network.has()
			l.store.elsewhere(floorOf(time.Hour, other))
		}, nil, reasons.NoStatement},
	} {
		t.Run(c.name, func(t *testing.T) {
			signer("c.example")
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				time.Sleep(time.Hour)
				c.then(l)
				looked := 2
				if c.name == "the memory fails" {
					looked = 1
				}
				l.want(incoming, looked, c.want...)
				if c.why != "" {
					l.why(incoming, c.why)
				}
				// An owner who takes the record away relies on the end.
				d, err := l.decide(incoming)
				if err != nil || !d.Required {
					t.Errorf("required is %+v, %v", d, err)
				}
			})
		})
	}
}

// TestEndOfProof: a proof that cannot be found again ends when it ends.
func TestEndOfProof(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.network.has()
		for time.Since(start) < 14*day-time.Hour {
			time.Sleep(time.Hour)
			if got := l.names(incoming); len(got) != 1 {
				t.Fatalf("after %s: %q", time.Since(start), got)
			}
		}
		time.Sleep(time.Hour)
		l.why(incoming, reasons.NoStatement)
	})
}

// TestLater: the answer does not wait for the slower channel, and what that
// brings counts as soon as it is there.
func TestLater(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.late = []string{statement(time.Minute)} })
		l.want(incoming, 1, host)
		if d := time.Since(start); d != 100*time.Millisecond {
			t.Errorf("it waited %s", d)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		l.why(incoming, reasons.Revoked)
		if n := l.network.count(); n != 1 {
			t.Errorf("%d lookups", n)
		}
	})
	bubble(t, []string{statement(time.Minute)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.late = []string{statement(0, host)} })
		l.why(incoming, reasons.Revoked) // at once too
		if d := time.Since(start); d != 100*time.Millisecond {
			t.Errorf("it waited %s", d)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		l.why(incoming, reasons.Revoked)
	})
}

// TestFloors: what is remembered is read before a decision, raised before its
// answer, and the decision made again if somebody else was first.
func TestFloors(t *testing.T) {
	about := subject{source, service}
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		if f := l.store.records[about].Floor; f != floorOf(0, host) || l.floor(source, service) != f {
			t.Errorf("remembered: %+v", f)
		}
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.store.records[about] = floorrecord.Newest{Floor: floorOf(time.Minute, other)}
		l.why(incoming, reasons.Superseded)
		if l.store.raised != 0 {
			t.Error("an old statement was raised")
		}
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.store.beforeRaise = func() { l.store.records[about] = floorrecord.Newest{Floor: floorOf(time.Minute, other)} }
		l.why(incoming, reasons.Superseded)
		if n := l.network.count(); n != 2 {
			t.Errorf("%d lookups, and there could have been newer evidence", n)
		}
	})
	bubble(t, []string{statement(0)}, Limits{}, func(l *lab) {
		l.why(incoming, reasons.Revoked)
		l.network.has(statement(-time.Minute, host))
		time.Sleep(maxNegative)
		l.why(incoming, reasons.Superseded)
	})
	// Two that contradict each other: neither counts any more.
	bubble(t, []string{statement(0, host), statement(0, other)}, Limits{}, func(l *lab) {
		l.why(incoming, reasons.Conflict)
		l.network.has(statement(0, host))
		time.Sleep(maxNegative)
		l.why(incoming, reasons.Conflict)
	})
}

// TestMemoryFails: nothing is verified that cannot be compared or remembered,
// and then nobody knows whether there is a statement.
func TestMemoryFails(t *testing.T) {
	for name, spoil := range map[string]func(*store){
		"read":  func(s *store) { s.read = errAway },
		"write": func(s *store) { s.write = errAway },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				spoil(l.store)
				if d := l.reason(incoming, reasons.MemoryFailed); !d.Required || d.Association != nil {
					t.Errorf("got %+v", d)
				}
				l.store.read, l.store.write = nil, nil
				if got := l.names(incoming); len(got) != 1 {
					t.Errorf("after it came back: %q", got)
				}
				spoil(l.store)
				if l.known(l.Context(), incoming) == nil {
					t.Error("what is known waits for the memory")
				}
			})
		})
	}
}

// TestClock: the clock jumps.
func TestClock(t *testing.T) {
	for _, c := range []struct {
		name  string
		jump  time.Duration
		then  func(*network)
		known bool
		names int
	}{
		{"a little back", -time.Minute, (*network).fails, true, 1},
		{"far back", -time.Hour, (*network).fails, false, 0},
		{"far back, and the network is there", -time.Hour, func(*network) {}, false, 0}, // not yet issued
		{"forward, past the refresh", 2 * time.Hour, (*network).fails, false, 1},
		{"forward, past the end", 15 * day, (*network).fails, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.want(incoming, 1, host)
				l.ahead.Store(int64(c.jump))
				c.then(l.network)
				if known := l.known(l.Context(), incoming) != nil; known != c.known {
					t.Errorf("known is %t", known)
				}
				if got := l.names(incoming); len(got) != c.names {
					t.Errorf("got %q", got)
				}
			})
		})
	}
	// A clock that stands still makes nothing live longer.
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.network.fails()
		for time.Since(start) < 15*day {
			time.Sleep(4 * time.Minute)
			l.ahead.Add(int64(-4 * time.Minute))
		}
		if got := l.names(incoming); len(got) != 0 {
			t.Errorf("after %s: %q", time.Since(start), got)
		}
	})
}

// TestRevokedMeanwhile: what the lookup of the other direction revokes is not
// answered again by the one that is still under way.
func TestRevokedMeanwhile(t *testing.T) {
	outgoing := incoming
	outgoing.Direction = association.Outgoing
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.late = []string{statement(0, host)} })
		l.want(incoming, 1, host)
		l.network.set(func(n *network) { n.records[source], n.late = []string{statement(time.Minute)}, nil })
		l.why(outgoing, reasons.Revoked)
		l.why(incoming, reasons.Revoked)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		l.why(incoming, reasons.Revoked)
	})
}

// TestRequiredBoth: once a statement is known in one direction, no answer in
// the other says that there is none, which would allow something weaker. This
// holds for an answer that was given before and for one that is found after.
func TestRequiredBoth(t *testing.T) {
	outgoing := incoming
	outgoing.Direction = association.Outgoing
	required := func(l *lab, q Question) {
		l.Helper()
		if d, err := l.decide(q); err != nil || !d.Required {
			l.Errorf("%s: got %+v, %v", q.Direction, d, err)
		}
	}
	bubble(t, nil, Limits{}, func(l *lab) {
		l.want(incoming, 1) // somebody hid it
		l.network.has(statement(0, host))
		l.want(outgoing, 2, host)
		l.network.has()
		required(l, incoming)
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(outgoing, 1, host)
		l.network.has()
		required(l, incoming)
	})
}

// TestTooHeavy: an entry that does not fit into the cache leaves nothing
// behind, such as a timer.
func TestTooHeavy(t *testing.T) {
	published := []string{statement(0, host)}
	bubble(t, published, Limits{CacheBytes: 2000}, func(l *lab) {
		l.want(incoming, 1, host)
		d, err := l.decide(incoming)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := d.Evidence(); err != nil || len(e.TXT) != 1 || !slices.Equal(e.TXT[0].Records, published) {
			t.Errorf("the decision rests on %+v, %v", e, err)
		}
		at := l.now()
		e := &entry{key: keyOf(incoming), association: d.Association, until: untilOf(d.Association), decided: at, looked: at, life: time.Hour}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.put(e)
		if l.cache.peek(keyOf(incoming)) != nil || e.refresh != nil || len(l.roles) != 0 {
			t.Errorf("it stays, or waits for its refresh: %v, %v", e.refresh, l.roles)
		}
	})
}
