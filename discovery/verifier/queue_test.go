package verifier

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// unknown is a question about a domain that somebody made up.
func unknown(i int) Question {
	q := incoming
	q.Source = fmt.Sprintf("x%d.example", i)
	return q
}

// flood asks about so many domains at once and counts why there is no decision;
// "" is one.
func (l *lab) flood(n int, edit func(i int, q *Question)) map[string]int {
	details := map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		q := unknown(i)
		if edit != nil {
			edit(i, &q)
		}
		all.Go(func() {
			d, err := l.ask(l.Context(), q)
			if err == nil && len(namesOf(d.Association)) > 0 {
				l.Error("something was proven")
			}
			detail := ""
			if e, ok := err.(*delegation.Error); ok {
				detail = e.Detail
				if e.Reason != reasons.Overloaded {
					l.Error(err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			details[detail]++
		})
	}
	all.Wait()
	return details
}

// from has question i come from an address.
func from(format string) func(i int, q *Question) {
	return func(i int, q *Question) {
		q.Addr = netip.MustParseAddr(strings.Replace(format, "N", fmt.Sprintf("%x", i%100), 1))
	}
}

// TestLimits: at each limit lookups wait, and where that takes too long the answer
// is overloaded. What is cached is answered.
func TestLimits(t *testing.T) {
	const n = 60
	six := Limits{LookupsPerNetwork: 6}
	for _, c := range []struct {
		name   string
		limits Limits
		edit   func(int, *Question)
		slots  int // what is looked up at a time
		limit  string
	}{
		{"none", Limits{}, nil, n, ""},
		{"in flight", Limits{LookupsInFlight: 7}, nil, 7, limitInFlight},
		{"waiting", Limits{Waiting: 9}, nil, 9, limitWaiting},
		{"an address", six, from("192.0.2.1"), 4, limitNetwork},
		{"an address, IPv4 in IPv6", six, func(i int, q *Question) {
			if from("192.0.2.1")(i, q); i%2 == 0 {
				q.Addr = netip.AddrFrom16(q.Addr.As16())
			}
		}, 4, limitNetwork},
		{"a /24", six, func(i int, q *Question) { q.Addr = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }, 6, limitNetwork},
		{"a /64", six, from("2001:db8::N"), 4, limitNetwork},
		{"a /48", six, from("2001:db8:0:N::1"), 6, limitNetwork},
		{"many networks", six, from("2001:db8:N::1"), n, ""},
		{"a domain", six, func(i int, q *Question) { q.Source = fmt.Sprintf("x%d.b.example", i) }, 6, limitDomain},
		{"a domain, many networks", six, func(i int, q *Question) {
			from("2001:db8:N::1")(i, q)
			q.Source = fmt.Sprintf("x%d.b.co.uk", i)
		}, 6, limitDomain},
		{"a public suffix", six, func(i int, q *Question) { q.Source = fmt.Sprintf("x%d.github.io", i) }, n, ""},
		{"exempt", Limits{LookupsPerNetwork: 6, Exempt: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}}, from("2001:db8::N"), n, ""},
		{"not exempt", Limits{LookupsPerNetwork: 6, Exempt: []netip.Prefix{netip.MustParsePrefix("2001:db9::/32")}}, from("2001:db8::N"), 4, limitNetwork},
		{"an eighth", Limits{LookupsInFlight: 54}, from("192.0.2.1"), 6, limitNetwork},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, c.limits, func(l *lab) {
				l.want(incoming, 1, host)
				l.network.set(func(n *network) { n.takes = 10 * time.Second })
				details := l.flood(n, c.edit)
				if l.network.most != c.slots {
					t.Errorf("%d at a time, want %d", l.network.most, c.slots)
				}
				if details[""] != c.slots || c.limit != "" && details[overloaded(c.limit).Detail] != n-c.slots {
					t.Errorf("got %v, want %d decisions", details, c.slots)
				}
				// Those that take little time are all looked up.
				l.network.set(func(n *network) { n.takes = distant })
				time.Sleep(maxNegative)
				if details := l.flood(n, c.edit); c.limit != limitWaiting && details[""] != n {
					t.Errorf("got %v", details)
				}
				l.want(incoming, l.network.count(), host) // cached
				empty(l)
			})
		})
	}
}

// full takes all slots of a lane and keeps them.
func (l *lab) full(in lane) {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	l.queue.taken[in] = l.queue.slots
}

// empty wants a queue without lookups to have nothing left of any.
func empty(l *lab) {
	l.Helper()
	synctest.Wait()
	q := l.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.accounts) > 0 || len(q.tickets) > 0 || q.taken != [lanes]int{} {
		l.Errorf("%d accounts, %d questions and %v slots are left", len(q.accounts), len(q.tickets), q.taken)
	}
}

// TestTurns: with one slot, networks take turns, however many questions each has.
func TestTurns(t *testing.T) {
	bubble(t, nil, Limits{LookupsInFlight: 1}, func(l *lab) {
		var all sync.WaitGroup
		all.Go(func() { l.flood(60, from("192.0.2.1")) })
		all.Go(func() {
			time.Sleep(time.Millisecond)
			for i, peer := range []string{"192.0.2.2", "198.51.100.1", "2001:db8::1"} {
				begun := time.Now()
				q := unknown(100 + i)
				q.Addr = netip.MustParseAddr(peer)
				if _, err := l.ask(l.Context(), q); err != nil || time.Since(begun) > 4*l.network.takes {
					t.Errorf("%s waited %v: %v", peer, time.Since(begun), err)
				}
			}
		})
		all.Wait()
	})
}

// TestOthersLookup: a domain that a flooding network asked about first does not wait
// with that network when somebody else asks.
func TestOthersLookup(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		l.network.set(func(n *network) {
			n.slow = func(source string) time.Duration {
				if source == "x999.example" {
					return distant
				}
				return silence
			}
		})
		var all sync.WaitGroup
		all.Go(func() { l.flood(200, from("192.0.2.1")) })
		time.Sleep(time.Millisecond)
		first, second := unknown(999), unknown(999)
		first.Addr, second.Addr = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")
		all.Go(func() { _, _ = l.ask(l.Context(), first) })
		time.Sleep(time.Second)
		if _, err := l.ask(l.Context(), second); err != nil || time.Since(start) > 2*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		all.Wait()
		empty(l)
	})
}

// TestFairWaiting: too many questions are those of who has the most.
func TestFairWaiting(t *testing.T) {
	bubble(t, nil, Limits{Waiting: 20}, func(l *lab) {
		l.network.set(func(n *network) { n.takes = time.Second })
		var all sync.WaitGroup
		var many map[string]int
		all.Go(func() { many = l.flood(20, from("192.0.2.1")) })
		all.Go(func() {
			time.Sleep(time.Millisecond)
			few := l.flood(10, func(i int, q *Question) {
				q.Source = fmt.Sprintf("few%d.example", i)
				from("2001:db8:N::1")(i, q)
			})
			if few[""] != 10 {
				t.Errorf("those with one question each: %v", few)
			}
		})
		all.Wait()
		if many[""] != 10 || many[overloaded(limitWaiting).Detail] != 10 {
			t.Errorf("the one with many: %v", many)
		}
		empty(l)
	})
}

// TestNobodyWaits: a lookup that has not begun does not begin for a client that is
// gone.
func TestNobodyWaits(t *testing.T) {
	bubble(t, nil, Limits{LookupsInFlight: 1}, func(l *lab) {
		l.network.set(func(n *network) { n.takes = 3 * time.Second })
		var all sync.WaitGroup
		all.Go(func() { l.flood(1, nil) })
		time.Sleep(time.Millisecond)
		ctx, cancel := context.WithTimeout(l.Context(), time.Second)
		defer cancel()
		if _, err := l.ask(ctx, unknown(1)); delegation.ReasonOf(err) != reasons.Unanswered {
			t.Error(err)
		}
		all.Wait()
		if n := l.network.count(); n != 1 {
			t.Errorf("%d lookups", n)
		}
		empty(l)
	})
}

// TestKnownFirst: domains that nobody has heard of do not keep those waiting
// that are remembered.
func TestKnownFirst(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{LookupsInFlight: 2}, func(l *lab) {
		l.want(incoming, 1, host)
		time.Sleep(time.Hour) // no longer fresh
		l.network.set(func(n *network) { n.takes = time.Second })
		var all sync.WaitGroup
		all.Go(func() { l.flood(50, nil) })
		all.Go(func() {
			time.Sleep(time.Millisecond)
			if got := l.names(incoming); len(got) != 1 {
				t.Errorf("got %q", got)
			}
			if d := l.known(l.Context(), incoming); d == nil || !d.RefreshAt.After(time.Now()) {
				t.Error("it was not looked up again")
			}
		})
		all.Wait()
	})
}

// TestOverloadKeepsProof: a proof that has not ended outlives an overload, also
// when it is time to look again.
func TestOverloadKeepsProof(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{Waiting: 1}, func(l *lab) {
		l.want(incoming, 1, host)
		time.Sleep(2 * time.Hour)
		l.network.set(func(n *network) { n.takes = time.Second })
		var all sync.WaitGroup
		all.Go(func() { l.why(unknown(1), reasons.NoStatement) })
		all.Go(func() {
			time.Sleep(time.Millisecond)
			l.want(incoming, 2, host) // x1.example is the second
			l.reason(unknown(2), reasons.Overloaded)
		})
		all.Wait()
	})
}

// TestOverloadRequires: a peer that uses up a limit does not thereby bring about
// that something weaker will do.
func TestOverloadRequires(t *testing.T) {
	for name, limits := range map[string]Limits{"network": {LookupsPerNetwork: 1}, "waiting": {Waiting: 1}, "in flight": {LookupsInFlight: 1}} {
		bubble(t, []string{statement(0, host)}, limits, func(l *lab) {
			l.network.set(func(n *network) { n.takes = silence })
			var all sync.WaitGroup
			all.Go(func() { l.flood(20, from("192.0.2.1")) })
			time.Sleep(time.Millisecond)
			q := incoming
			from("192.0.2.1")(0, &q)
			if d := l.reason(q, reasons.Overloaded); !d.Required {
				t.Errorf("%s: nothing is required", name)
			}
			all.Wait()
		})
	}
}
