package decisions

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// unknown is a question about a domain that somebody made up.
func unknown(i int) Question {
	q := incoming
	q.Source = fmt.Sprintf("x%d.example", i)
	return q
}

// flood asks about so many domains at once and counts the reasons; "" is a
// decision.
func (l *lab) flood(n int, peer func(int) netip.Addr) map[delegation.Reason]int {
	reasons := map[delegation.Reason]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			q := unknown(i)
			if peer != nil {
				q.Peer = peer(i)
			}
			d, err := l.Decide(l.Context(), q)
			if err == nil && len(namesOf(d.Association)) > 0 {
				l.Error("something was proven")
			}
			mu.Lock()
			defer mu.Unlock()
			reasons[delegation.ReasonOf(err)]++
		})
	}
	all.Wait()
	return reasons
}

// TestFlood: beyond each limit the answer is overloaded, while what is cached
// and what is remembered is answered.
func TestFlood(t *testing.T) {
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, c := range []struct {
		name      string
		limits    Limits
		peer      func(int) netip.Addr
		decisions int // of a flood of 100
	}{
		{"none", Limits{}, nil, 100},
		{"rate", Limits{LookupsPerSecond: 2}, nil, 20},
		{"in flight", Limits{LookupsInFlight: 7}, nil, 7},
		{"waiting", Limits{Waiting: 9}, nil, 9},
		{"one peer", Limits{LookupsPerPeer: 1}, func(int) netip.Addr { return here }, 10},
		{"one peer, IPv4 in IPv6", Limits{LookupsPerPeer: 1}, func(i int) netip.Addr {
			if i%2 == 0 {
				return netip.AddrFrom16(here.As16())
			}
			return here
		}, 10},
		{"one network", Limits{LookupsPerPeer: 1}, func(i int) netip.Addr {
			a := there.As16()
			a[15] = byte(i)
			return netip.AddrFrom16(a)
		}, 10},
		{"many peers", Limits{LookupsPerPeer: 1}, func(i int) netip.Addr {
			a := here.As4()
			a[3] = byte(i)
			return netip.AddrFrom4(a)
		}, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, c.limits, func(l *lab) {
				l.want(incoming, 1, host)
				time.Sleep(time.Minute) // the budgets are full again
				reasons := l.flood(100, c.peer)
				if reasons[""] != c.decisions || reasons[delegation.Overloaded] != 100-c.decisions {
					t.Errorf("got %v, want %d decisions", reasons, c.decisions)
				}
				l.want(incoming, l.network.count(), host) // cached
			})
		})
	}
}

// TestKnownFirst: domains that nobody has heard of do not keep those waiting
// that are remembered.
func TestKnownFirst(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{LookupsPerSecond: 1, LookupsInFlight: 2}, func(l *lab) {
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
			if d := l.Known(incoming); d == nil || !d.RefreshAt.After(time.Now()) {
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
		all.Go(func() { l.why(unknown(1), delegation.NoStatement) })
		all.Go(func() {
			time.Sleep(time.Millisecond)
			l.want(incoming, 2, host) // x1.example is the second
			l.reason(unknown(2), delegation.Overloaded)
		})
		all.Wait()
	})
}

// TestFlightsAreBounded: no more look-ups at a time than the limit, of slow
// domains too.
func TestFlightsAreBounded(t *testing.T) {
	bubble(t, nil, Limits{LookupsInFlight: 5, LookupsPerSecond: 1000}, func(l *lab) {
		l.network.set(func(n *network) { n.takes = 10 * time.Second })
		for range 3 {
			l.flood(50, nil)
		}
		if l.network.most != 5 {
			t.Errorf("%d at a time", l.network.most)
		}
	})
}

// TestOverloadRequires: a peer that uses up a budget does not thereby bring
// about that something weaker will do.
func TestOverloadRequires(t *testing.T) {
	peer := netip.MustParseAddr("192.0.2.1")
	for name, limits := range map[string]Limits{"peer": {LookupsPerPeer: 1}, "rate": {LookupsPerSecond: 1}, "in flight": {LookupsInFlight: 1}} {
		bubble(t, []string{statement(0, host)}, limits, func(l *lab) {
			l.network.set(func(n *network) { n.takes = time.Second })
			var all sync.WaitGroup
			all.Go(func() { l.flood(20, func(int) netip.Addr { return peer }) })
			time.Sleep(time.Millisecond)
			q := incoming
			q.Peer = peer
			if d := l.reason(q, delegation.Overloaded); !d.Required {
				t.Errorf("%s: nothing is required", name)
			}
			all.Wait()
		})
	}
}
