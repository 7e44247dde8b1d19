package decisions

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// TestCached: a proof answers until it is to be looked at again.
func TestCached(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.want(incoming, 1, host)
		d, err := l.Decide(l.Context(), incoming)
		if err != nil || !d.Cached || !d.Required || !d.RefreshAt.Equal(start.Add(time.Hour)) {
			t.Errorf("got %+v, %v", d, err)
		}
		if known := l.Known(incoming); known == nil || known.Association != d.Association {
			t.Errorf("known is %+v", known)
		}
		// Another direction, label or source is another question.
		outgoing := incoming
		outgoing.Direction = association.Outgoing
		if l.Known(outgoing) != nil {
			t.Error("the other direction is known")
		}
		l.want(outgoing, 2, host)
	})
}

// TestRefreshAhead: what was asked for again is looked up before its time, with
// nobody waiting.
func TestRefreshAhead(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.want(incoming, 1, host) // somebody is interested
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		l.want(incoming, 2, host)
		if d := l.Known(incoming); d == nil || !d.RefreshAt.After(start.Add(90*time.Minute)) {
			t.Errorf("known is %+v", d)
		}
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		if n := l.network.count(); n != 1 {
			t.Errorf("%d look-ups, though nobody asked again", n)
		}
		time.Sleep(2 * time.Minute)
		if l.Known(incoming) != nil {
			t.Error("it is past its time and known")
		}
		l.want(incoming, 2, host)
	})
}

// TestNegative: that there is nothing counts for five minutes at most.
func TestNegative(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		l.why(incoming, delegation.NoStatement)
		l.network.has(statement(0, host))
		time.Sleep(maxNegative - time.Second)
		l.why(incoming, delegation.NoStatement)
		time.Sleep(time.Second)
		l.want(incoming, 2, host)
	})
}

// TestBackoff: failing look-ups become rarer, and not too rare.
func TestBackoff(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		l.network.fails()
		for second := range 3600 {
			l.why(incoming, delegation.DNSTimeout)
			if n := l.network.count(); second == 59 && (n < 6 || n > 7) {
				t.Errorf("%d look-ups in a minute", n)
			}
			time.Sleep(time.Second)
		}
		// 1, 2, 4, ... 256 seconds, then 300, all cut by up to a fifth.
		if n := l.network.count(); n < 9+10 || n > 9+16 {
			t.Errorf("%d look-ups in an hour", n)
		}
		l.network.has(statement(0, host))
		time.Sleep(maxNegative)
		if got := l.names(incoming); len(got) != 1 {
			t.Errorf("got %q", got)
		}
	})
}

// TestShared: equal questions share a look-up, which outlives the first of
// them; each has its own deadline.
func TestShared(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.takes = 3 * time.Second })
		var all sync.WaitGroup
		first, cancel := context.WithTimeout(l.Context(), time.Second)
		defer cancel()
		all.Go(func() {
			d, err := l.Decide(first, incoming)
			if delegation.ReasonOf(err) != delegation.Unanswered || d.Association != nil || !d.Required {
				t.Errorf("got %+v, %v", d, err)
			}
			if time.Since(start) != time.Second {
				t.Errorf("it waited %s", time.Since(start))
			}
		})
		synctest.Wait()
		for range 50 {
			all.Go(func() { l.want(incoming, 1, host) })
		}
		all.Wait()
		if time.Since(start) != 3*time.Second {
			t.Errorf("they waited %s", time.Since(start))
		}
	})
}

// TestEvidence: what a decision rests on can be judged again.
func TestEvidence(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		d, err := l.Decide(l.Context(), incoming)
		if err != nil {
			t.Fatal(err)
		}
		data, err := d.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		var e delegation.Evidence
		if err := json.Unmarshal(data, &e); err != nil {
			t.Fatal(err)
		}
		r, err := delegation.Verify(delegation.Query{Source: source, Service: service}, &e, delegation.Policy{Roots: pool(), Time: time.Now()})
		if err != nil || r.Targets()[0].Host != host {
			t.Errorf("got %v", err)
		}
	})
}

// TestBadQuestions are refused before anything is asked.
func TestBadQuestions(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		for _, c := range []struct {
			q    Question
			want delegation.Reason
		}{
			{Question{}, delegation.MissingInput},
			{Question{Source: source, Service: service}, delegation.MissingInput},
			{Question{Source: "B.example", Service: service, Direction: association.Incoming}, delegation.BadQuery},
			{Question{Source: source, Service: "xmpp", Direction: association.Incoming}, delegation.BadQuery},
		} {
			l.reason(c.q, c.want)
		}
		if l.network.count() != 0 || l.store.asks != 0 {
			t.Error("somebody was asked")
		}
	})
}

// TestClose: who waits is told, and nothing goes on.
func TestClose(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.takes = 10 * time.Second })
		var all sync.WaitGroup
		all.Go(func() { l.reason(incoming, delegation.Unanswered) })
		synctest.Wait()
		l.Decider.Close()
		all.Wait()
		l.reason(incoming, delegation.Unanswered)
		if l.network.count() != 1 || time.Since(start) != 0 {
			t.Error("it went on")
		}
	})
}

func TestNew(t *testing.T) {
	good := Config{Gatherer: newNetwork(), Memory: newStore(), Roots: pool()}
	for name, spoil := range map[string]func(*Config){
		"no gatherer":   func(c *Config) { c.Gatherer = nil },
		"no memory":     func(c *Config) { c.Memory = nil },
		"no roots":      func(c *Config) { c.Roots = nil },
		"negative rate": func(c *Config) { c.Limits.LookupsPerSecond = -1 },
		"negative size": func(c *Config) { c.Limits.CacheBytes = -1 },
	} {
		c := good
		spoil(&c)
		if d, err := New(c); err == nil {
			d.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// TestEviction: names that prove nothing push out only each other.
func TestEviction(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{CacheBytes: 200_000, LookupsPerSecond: 1e6}, func(l *lab) {
		l.want(incoming, 1, host)
		const many = 200
		for i := range many {
			q := incoming
			q.Source = fmt.Sprintf("x%d.example", i)
			l.why(q, delegation.NoStatement)
		}
		if l.Known(incoming) == nil {
			t.Error("the statement was pushed out")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		c := &l.cache.of[rest]
		if n := len(c.nodes); n == 0 || n >= many || c.weight > 50_000 {
			t.Errorf("%d entries of %d octets", n, c.weight)
		}
		if l.cache.peek(key{"x199.example", service, association.Incoming}) == nil {
			t.Error("the last one is not there")
		}
	})
}

// TestLRU holds the list to a simple model.
func TestLRU(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 20
		l := newLRU[int, int](limit)
		var order []int // the last used in front
		weights := map[int]int64{}
		drop := func(k int) {
			for i, o := range order {
				if o == k {
					order = append(order[:i:i], order[i+1:]...)
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			k := rapid.IntRange(0, 9).Draw(t, "key")
			_, has := weights[k]
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				if _, ok := l.get(k); ok != has {
					t.Fatalf("get %d: %t", k, ok)
				}
				if has {
					drop(k)
					order = append([]int{k}, order...)
				}
			case 1:
				if _, ok := l.remove(k); ok != has {
					t.Fatalf("remove %d: %t", k, ok)
				}
				drop(k)
				delete(weights, k)
			case 2:
				if has {
					continue
				}
				w := rapid.Int64Range(1, limit+1).Draw(t, "weight")
				evicted := l.put(k, k, w)
				order, weights[k] = append([]int{k}, order...), w
				for sum(weights) > limit {
					last := order[len(order)-1]
					if len(evicted) == 0 || evicted[0] != last {
						t.Fatalf("evicted %v, want %d first", evicted, last)
					}
					evicted = evicted[1:]
					drop(last)
					delete(weights, last)
				}
				if len(evicted) > 0 {
					t.Fatalf("evicted %v too", evicted)
				}
			}
			if l.weight != sum(weights) || len(l.nodes) != len(weights) || l.order.Len() != len(order) {
				t.Fatalf("weight %d, %d entries; want %d, %d", l.weight, len(l.nodes), sum(weights), len(weights))
			}
		}
	})
}

func sum(weights map[int]int64) (all int64) {
	for _, w := range weights {
		all += w
	}
	return all
}
