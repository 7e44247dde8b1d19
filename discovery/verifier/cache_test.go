package verifier

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/allocs"
)

// TestCached: a proof answers until it is to be looked at again.
func TestCached(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.want(incoming, 1, host)
		d, err := l.decide(incoming)
		if err != nil || !d.Cached || !d.Required || !d.RefreshAt.Equal(start.Add(time.Hour)) {
			t.Errorf("got %+v, %v", d, err)
		}
		if known := l.known(l.Context(), incoming); known == nil || known.Association != d.Association {
			t.Errorf("known is %+v", known)
		}
		// Another direction or source is another question.
		outgoing := incoming
		outgoing.Direction = association.Outgoing
		if l.known(l.Context(), outgoing) != nil {
			t.Error("the other direction is known")
		}
		l.want(outgoing, 2, host)
		// The second label of the role is not.
		second := incoming
		second.Service = direct
		l.want(second, 2, host)
	})
}

// TestSharedDecision: questions in the same situation get the same decision.
// Another situation makes a new one and leaves the first as it was.
func TestSharedDecision(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		first, again := l.known(l.Context(), incoming), l.known(l.Context(), incoming)
		if first == nil || first != again {
			t.Errorf("%p and %p in the same situation", first, again)
		}
		told := *first
		l.store.connect(false) // so that a decision ends soon
		synctest.Wait()
		later := l.known(l.Context(), incoming)
		if later == nil || later == first || later.Until.IsZero() || *first != told {
			t.Errorf("got %+v after %+v", later, first)
		}
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
		if d := l.known(l.Context(), incoming); d == nil || !d.RefreshAt.After(start.Add(90*time.Minute)) {
			t.Errorf("known is %+v", d)
		}
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		if n := l.network.count(); n != 1 {
			t.Errorf("%d lookups, though nobody asked again", n)
		}
		time.Sleep(2 * time.Minute)
		if l.known(l.Context(), incoming) != nil {
			t.Error("it is past its time and known")
		}
		l.want(incoming, 2, host)
	})
}

// TestRefreshSpares: looking again at the statement that was verified, and for
// the other direction, takes no signature check and no parsing.
func TestRefreshSpares(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		if allocs.In(t, allocs.SignatureCheck, func() { l.want(incoming, 1, host) }) == 0 {
			t.Fatal("no signature check was seen")
		}
		for i, function := range []string{allocs.SignatureCheck, allocs.ParsedCertificates} {
			n := allocs.In(t, function, func() {
				time.Sleep(2 * time.Hour)
				l.want(incoming, 2+2*i, host)
				l.want(outgoing, 3+2*i, host)
			})
			if n != 0 {
				t.Errorf("%s: %d", function, n)
			}
		}
	})
}

// TestNegative: that there is nothing counts for five minutes at most.
func TestNegative(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		l.why(incoming, reasons.NoStatement)
		l.network.has(statement(0, host))
		time.Sleep(maxNegative - time.Second)
		l.why(incoming, reasons.NoStatement)
		time.Sleep(time.Second)
		l.want(incoming, 2, host)
	})
}

// TestBackoff: failing lookups become rarer, and not too rare.
func TestBackoff(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		l.network.fails()
		for second := range 3600 {
			l.why(incoming, reasons.DNSTimeout)
			if n := l.network.count(); second == 59 && (n < 6 || n > 7) {
				t.Errorf("%d lookups in a minute", n)
			}
			time.Sleep(time.Second)
		}
		// 1, 2, 4, ... 256 seconds, then 300, all cut by up to a fifth.
		if n := l.network.count(); n < 9+10 || n > 9+16 {
			t.Errorf("%d lookups in an hour", n)
		}
		l.network.has(statement(0, host))
		time.Sleep(maxNegative)
		if got := l.names(incoming); len(got) != 1 {
			t.Errorf("got %q", got)
		}
	})
}

// TestShared: equal questions share a lookup, which outlives the first of
// them; each has its own deadline.
func TestShared(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.takes = 3 * time.Second })
		var all sync.WaitGroup
		first, cancel := context.WithTimeout(l.Context(), time.Second)
		defer cancel()
		all.Go(func() {
			d, err := l.ask(first, incoming)
			if delegation.ReasonOf(err) != reasons.Unanswered || d.Association != nil || !d.Required {
				t.Errorf("got %+v, %v", d, err)
			}
			if time.Since(start) != time.Second {
				t.Errorf("it waited %s", time.Since(start))
			}
		})
		synctest.Wait()
		for range 50 {
			all.Go(func() {
				if d, err := l.ask(l.Context(), incoming); err != nil || !slices.Equal(namesOf(d.Association), []string{host}) {
					t.Errorf("got %+v, %v", d, err)
				}
			})
		}
		all.Wait()
		l.want(incoming, 1, host)
		if time.Since(start) != 3*time.Second {
			t.Errorf("they waited %s", time.Since(start))
		}
	})
}

// TestEvidence: what a decision rests on can be judged again.
func TestEvidence(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		d, err := l.decide(incoming)
		if err != nil {
			t.Fatal(err)
		}
		e, err := d.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		r, err := delegation.Verify(delegation.Query{Source: source, Service: service}, e, delegation.Policy{Roots: pool(), Time: time.Now()})
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
			want reasons.Reason
		}{
			{Question{}, reasons.MissingInput},
			{Question{Source: source, Service: service}, reasons.MissingInput},
			{Question{Source: "b.example:1", Service: service, Direction: association.Incoming}, reasons.BadQuery},
			{Question{Source: source, Service: "xmpp.", Direction: association.Incoming}, reasons.BadQuery},
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
		all.Go(func() { l.reason(incoming, reasons.Unanswered) })
		synctest.Wait()
		l.Verifier.Close()
		all.Wait()
		l.reason(incoming, reasons.Unanswered)
		if l.network.count() != 1 || time.Since(start) != 0 {
			t.Error("it went on")
		}
	})
}

func TestNew(t *testing.T) {
	good := Config{Discovery: newNetwork(), Floors: newStore(), Roots: pool()}
	for name, spoil := range map[string]func(*Config){
		"no memory":      func(c *Config) { c.Floors = nil },
		"no roots":       func(c *Config) { c.Roots = nil },
		"negative slots": func(c *Config) { c.Limits.LookupsPerNetwork = -1 },
		"negative size":  func(c *Config) { c.Limits.CacheBytes = -1 },
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
	bubble(t, []string{statement(0, host)}, Limits{CacheBytes: 200_000}, func(l *lab) {
		l.want(incoming, 1, host)
		const many = 200
		for i := range many {
			q := incoming
			q.Source = fmt.Sprintf("x%d.example", i)
			l.why(q, reasons.NoStatement)
		}
		if l.known(l.Context(), incoming) == nil {
			t.Error("the statement was pushed out")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		c := l.cache.of[rest]
		if n := c.Len(); n == 0 || n >= many || c.Weight() > 50_000 {
			t.Errorf("%d entries of %d octets", n, c.Weight())
		}
		if l.cache.peek(key{subject{"x199.example", service}, association.Incoming}) == nil {
			t.Error("the last one is not there")
		}
	})
}
