package verifier

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// mark proves a peer by what is in the cache, and marks the proof.
func (l *lab) mark(p Peer) Mark {
	l.Helper()
	var proof *Proof
	for range 2 {
		var err error
		if proof, err = l.Check(l.Context(), source, service, p); err != nil {
			l.Fatal(err)
		}
		synctest.Wait()
	}
	return l.Mark(proof)
}

// TestStands: a mark stands as long as nothing has changed that its proof rests on.
func TestStands(t *testing.T) {
	short := func(from, to time.Duration) Peer {
		return peer(around.Issue(from, to, host).Chain())
	}
	for name, c := range map[string]struct {
		peer   Peer
		change func(l *lab)
		want   bool
	}{
		"nothing":                             {change: func(*lab) {}, want: true},
		"a minute":                            {change: func(*lab) { time.Sleep(time.Minute) }, want: true},
		"the decision is out of date":         {change: func(*lab) { time.Sleep(12 * time.Hour) }},
		"the peer's certificate ends":         {peer: short(-day, time.Minute), change: func(*lab) { time.Sleep(2 * time.Minute) }},
		"the peer's certificate is not begun": {peer: short(-10*time.Second, day), change: func(l *lab) { l.ahead.Store(-int64(30 * time.Second)) }},
		"the clock jumps":                     {change: func(l *lab) { l.ahead.Store(int64(20 * day)) }},
		"a newer statement is known": {change: func(l *lab) {
			l.network.fails()
			l.store.elsewhere(floorOf(time.Second, other))
		}},
		"a contradiction is known": {change: func(l *lab) {
			l.network.fails()
			l.store.elsewhere(floorOf(0, other))
		}},
		"another statement was found": {change: func(l *lab) {
			l.network.has(statement(time.Second, host))
			l.store.elsewhere(floorOf(time.Second, host))
			time.Sleep(time.Second)
		}},
		"the memory is away": {change: func(l *lab) { l.store.away(true) }},
		"the memory tells nothing": {change: func(l *lab) {
			l.store.connect(false)
			l.store.elsewhere(floorOf(time.Second, other))
		}},
		"the decision made room": {change: func(l *lab) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.cache.clear()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.peer
			if p.Chain == nil {
				p = peer(chain(t, host))
			}
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				m := l.mark(p)
				if !l.Stands(m) {
					t.Fatal("a new mark does not stand")
				}
				c.change(l)
				if got := l.Stands(m); got != c.want {
					t.Errorf("it stands: %t", got)
				}
				if !c.want {
					return
				}
				if proof, err := l.Check(l.Context(), source, service, p); err != nil || proof.Decision != m.decision.Value() || !proof.Until.Equal(m.until) {
					t.Errorf("it stands, and Check gives %+v, %v", proof, err)
				}
			})
		})
	}
}

// TestStandsRandom: whenever a mark stands, Check gives the same proof.
func TestStandsRandom(t *testing.T) {
	peers := []Peer{peer(chain(t, host)), peer(chain(t, other)), peer(chain(t, source))}
	stood := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 17))
		bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
			var marks [3]Mark
			away := false
			for step := range 40 {
				switch r.IntN(8) {
				case 0:
					l.network.has(statement(time.Duration(r.IntN(3))*time.Second, [][]string{{host}, {other}, {host, other}, nil}[r.IntN(4)]...))
				case 1:
					l.network.fails()
				case 2:
					if away {
						break
					}
					l.store.elsewhere(floorOf(time.Duration(r.IntN(3))*time.Second, [][]string{{host}, {other}}[r.IntN(2)]...))
				case 3:
					away = r.IntN(2) == 0
					l.store.away(away)
				case 4:
					time.Sleep(time.Duration(r.IntN(100)) * time.Minute)
				case 5:
					l.ahead.Store(int64(time.Duration(r.IntN(11)-5) * time.Minute))
				}
				synctest.Wait()
				i := r.IntN(len(peers))
				stands, want := l.Stands(marks[i]), marks[i]
				proof, err := l.Check(l.Context(), source, service, peers[i])
				synctest.Wait()
				if stands {
					stood++
					if err != nil || proof.Decision != want.decision.Value() || !proof.Until.Equal(want.until) {
						t.Errorf("seed %d, step %d: it stands, and Check gives %+v, %v", seed, step, proof, err)
					}
				}
				if marks[i] = (Mark{}); err == nil {
					marks[i] = l.Mark(proof)
				}
			}
		})
	}
	if stood < 100 {
		t.Errorf("only %d marks stood", stood)
	}
}

// TestMark: what rests on more than a decision has no mark, and a mark keeps nothing.
func TestMark(t *testing.T) {
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		if own, err := l.Check(l.Context(), source, service, peer(chain(t, source))); err != nil || l.Stands(l.Mark(own)) {
			t.Errorf("the source's own certificate, with no decision: %v", err)
		}
		m := l.mark(peer(chain(t, host)))
		l.mu.Lock()
		l.cache.clear()
		l.mu.Unlock()
		time.Sleep(20 * day) // stopped timers are kept until then
		for range 3 {
			runtime.GC()
		}
		if m.decision.Value() != nil {
			t.Error("a mark keeps its decision")
		}
		if l.Stands(Mark{}) {
			t.Error("no mark stands")
		}
		l.network.has(statement(20*day, host))
		l.store.connect(false)
		if m := l.mark(peer(chain(t, host))); m == (Mark{}) || l.Stands(m) {
			t.Error("nobody tells of newer statements, and a mark stands")
		}
	})
	pointed(t, []string{statement(0, host)}, func(l *lab, p *pointing) {
		c := chain(t, host)
		p.has(c[0])
		dialled := Peer{Direction: association.Outgoing, Chain: c, Endpoint: delegation.Endpoint{Host: host, Port: 5269}}
		proof, err := l.Check(l.Context(), source, service, dialled)
		if err != nil || l.Mark(proof) != (Mark{}) {
			t.Errorf("an endpoint with TLSA records: %+v, %v", proof, err)
		}
	})
}
