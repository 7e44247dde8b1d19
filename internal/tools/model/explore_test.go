package model

import (
	"slices"
	"sync/atomic"
	"testing"
)

// explore visits every world that can be reached, breadth first, and reports the
// first way to break each law, step by step. It gives the laws that were broken
// and how many worlds there are.
func (l *lab) explore(r *rules) (broken map[string][]string, states int) {
	begin := world{now: 5}
	for i, c := range r.certs {
		begin.certs[i] = l.cert(c)
	}
	reached := map[world]world{begin: {}} // from which world
	queue := []world{begin}
	broken = map[string][]string{}
	note := func(w world, laws map[string]string, last ...string) {
		for law, what := range laws {
			if slices.Contains(r.laws, law) && broken[law] == nil {
				broken[law] = append(l.trace(reached, r, w), append(last, what)...)
			}
		}
	}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		note(w, l.broken(&w, r))
		for s := range l.moves(w, r) {
			if laws := l.brokenBy(&w, r, &s); len(laws) > 0 {
				note(w, laws, s.words())
			}
			if _, ok := reached[s.world]; !ok {
				reached[s.world] = w
				queue = append(queue, s.world)
			}
		}
	}
	return broken, len(reached)
}

// trace tells the steps that led to a world.
func (l *lab) trace(reached map[world]world, r *rules, w world) []string {
	var steps []string
	for from := reached[w]; from != (world{}); w, from = from, reached[from] {
		for s := range l.moves(from, r) {
			if s.world == w {
				steps = append(steps, s.words())
				break
			}
		}
	}
	slices.Reverse(steps)
	return steps
}

// TestModel explores the worlds of every scenario. No law is broken in any.
func TestModel(t *testing.T) {
	if raceDetector {
		t.Skip("there is one goroutine for each scenario and nothing shared; the race detector only makes this ten times slower")
	}
	var total atomic.Int64
	t.Cleanup(func() { t.Logf("%d states in all", total.Load()) })
	for _, r := range scenarios() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			broken, states := newLab(t).explore(&r)
			t.Logf("%d states, laws %v", states, r.laws)
			total.Add(int64(states))
			if states < r.states {
				t.Errorf("only %d states, want at least %d", states, r.states)
			}
			for _, law := range r.laws {
				if steps := broken[law]; steps != nil {
					t.Errorf("%s is broken:", law)
					for i, step := range steps {
						t.Logf("%d. %s", i+1, step)
					}
				}
			}
		})
	}
}
