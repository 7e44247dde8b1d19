package decisions

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// forged has the order of a genuine statement, other targets and a signature
// that does not fit: whoever knows the genuine one can make it.
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
		why  delegation.Reason // of the decision, if want is empty
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
		{"a revocation", func(l *lab) { l.network.has(statement(time.Hour)) }, nil, delegation.Revoked},
		{"two that contradict each other", func(l *lab) { l.network.has(statement(time.Hour, host), statement(time.Hour, other)) }, nil, delegation.Conflict},
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
			for i := range l.store.floors[source] {
				l.store.floors[source][i].Order.Issued = start.Add(time.Hour)
			}
		}, nil, delegation.NoStatement},
		{"the memory fails when a newer one is found", func(l *lab) {
			l.network.has(statement(time.Hour, other))
			l.store.write = errAway
		}, []string{host}, ""},
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
				d, err := l.Decide(l.Context(), incoming)
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
		l.why(incoming, delegation.NoStatement)
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
		l.why(incoming, delegation.Revoked)
		if n := l.network.count(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
	})
	bubble(t, []string{statement(time.Minute)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.late = []string{statement(0, host)} })
		l.why(incoming, delegation.Revoked) // at once too
		if d := time.Since(start); d != 100*time.Millisecond {
			t.Errorf("it waited %s", d)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		l.why(incoming, delegation.Revoked)
	})
}

// TestFamily: what one question brings to light counts for the questions about
// the other direction and label at once.
func TestFamily(t *testing.T) {
	var all []Question
	for _, label := range []string{service, direct} {
		for _, d := range []association.Direction{association.Incoming, association.Outgoing} {
			all = append(all, Question{Source: source, Service: label, Direction: d})
		}
	}
	if len(all) != 4 {
		t.Fatal("not four")
	}
	for _, first := range all {
		bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
			for i, q := range all {
				l.want(q, i+1, host)
			}
			time.Sleep(30 * time.Minute)
			l.network.has(statement(time.Minute))
			l.mu.Lock()
			l.cache.remove(keyOf(first)) // as if it had been pushed out
			l.mu.Unlock()
			l.why(first, delegation.Revoked)
			for _, q := range all {
				l.why(q, delegation.Revoked)
			}
		})
	}
}

// TestFamilyRace: two look-ups of a family end at the same time, and the one
// that saw the older statement ends last.
func TestFamilyRace(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		outgoing := incoming
		outgoing.Direction = association.Outgoing
		l.network.has(statement(time.Minute))
		l.why(outgoing, delegation.Revoked)
		l.network.has(statement(0, host))
		l.store.floors = map[string][]delegation.Floor{} // its floors were read before
		d, err := l.Decide(l.Context(), incoming)
		if err != nil || len(namesOf(d.Association)) != 0 || reasonOf(d.Association) != delegation.Superseded {
			t.Errorf("got %+v, %v", d, err)
		}
	})
}

// TestFloors: what is remembered is read before a decision, raised before its
// answer, and the decision made again if somebody else was first.
func TestFloors(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		if f := l.store.floors[source]; len(f) != 1 || !f[0].Order.Issued.Equal(start) {
			t.Errorf("remembered: %+v", f)
		}
	})
	newer := delegation.Floor{Service: service, Order: delegation.Order{SignerNotBefore: start.Add(-10 * day), Issued: start.Add(time.Minute)}}
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.store.floors[source] = []delegation.Floor{newer}
		l.why(incoming, delegation.Superseded)
		if l.store.raised != 0 {
			t.Error("an old statement was raised")
		}
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.store.beforeRaise = func() { l.store.floors[source] = []delegation.Floor{newer} }
		l.why(incoming, delegation.Superseded)
	})
	bubble(t, []string{statement(0)}, Limits{}, func(l *lab) {
		l.why(incoming, delegation.Revoked)
		l.network.has(statement(-time.Minute, host))
		time.Sleep(maxNegative)
		l.why(incoming, delegation.Superseded)
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
				if d := l.reason(incoming, delegation.MemoryFailed); !d.Required || d.Association != nil {
					t.Errorf("got %+v", d)
				}
				l.store.read, l.store.write = nil, nil
				if got := l.names(incoming); len(got) != 1 {
					t.Errorf("after it came back: %q", got)
				}
				spoil(l.store)
				if l.Known(incoming) == nil {
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
				l.ahead = c.jump
				c.then(l.network)
				if known := l.Known(incoming) != nil; known != c.known {
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
			l.ahead -= 4 * time.Minute
		}
		if got := l.names(incoming); len(got) != 0 {
			t.Errorf("after %s: %q", time.Since(start), got)
		}
	})
}

// TestOneLabelRevoked: a revocation of one label, found beside a statement for
// the other, revokes the role and is remembered.
func TestOneLabelRevoked(t *testing.T) {
	revocation := signedFor(source, time.Minute, nil, func(s *delegation.Statement) { s.Service = direct })
	bubble(t, []string{statement(0, host), revocation}, Limits{}, func(l *lab) {
		l.why(incoming, delegation.Revoked)
		l.network.has(statement(0, host))
		time.Sleep(maxNegative)
		l.why(incoming, delegation.Superseded)
	})
}

// TestRevokedMeanwhile: what another look-up of the family revokes is not
// answered again by the one that is still under way.
func TestRevokedMeanwhile(t *testing.T) {
	outgoing := incoming
	outgoing.Direction = association.Outgoing
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.late = []string{statement(0, host)} })
		l.want(incoming, 1, host)
		l.network.has(statement(time.Minute))
		l.why(outgoing, delegation.Revoked)
		l.why(incoming, delegation.Revoked)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		l.why(incoming, delegation.Revoked)
	})
}

// TestFamilyRequires: once a statement is known by one question, no answer to
// the others says that there is none, so that something weaker would do:
// neither one that was given before nor one that is found after.
func TestFamilyRequires(t *testing.T) {
	outgoing := incoming
	outgoing.Direction = association.Outgoing
	required := func(l *lab, q Question) {
		l.Helper()
		if d, err := l.Decide(l.Context(), q); err != nil || !d.Required {
			l.Errorf("%s: got %+v, %v", q.Direction, d, err)
		}
	}
	bubble(t, nil, Limits{}, func(l *lab) {
		l.want(incoming, 1) // somebody hid it
		l.network.has(statement(0, host))
		l.want(outgoing, 2, host)
		required(l, incoming)
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(outgoing, 1, host)
		l.network.has()
		l.store.floors = map[string][]delegation.Floor{} // its floors were read before
		required(l, incoming)
	})
}

// TestTooHeavy: an entry that does not fit into the cache leaves nothing
// behind, such as a timer.
func TestTooHeavy(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{CacheBytes: 2000}, func(l *lab) {
		l.want(incoming, 1, host)
		d, err := l.Decide(l.Context(), incoming)
		if err != nil {
			t.Fatal(err)
		}
		at := l.now()
		e := &entry{association: d.Association, until: untilOf(d.Association), decided: at, looked: at, life: time.Hour}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.put(keyOf(incoming), e)
		if l.cache.peek(keyOf(incoming)) != nil || e.refresh != nil {
			t.Errorf("it stays, or waits for its refresh: %v", e.refresh)
		}
	})
}
