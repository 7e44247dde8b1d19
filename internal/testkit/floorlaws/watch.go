package floorlaws

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// A Seen is what a store tells of itself.
type Seen struct {
	mu      sync.Mutex // of On, Begun and Floors
	On      bool
	Begun   int // how often Watching(true) was called
	Floors  map[floorrecord.Subject]delegation.Floor
	changed chan struct{}
	Stop    func()
}

// Watch watches a store until the test ends.
func Watch(t *testing.T, s floors.Store) *Seen {
	w := &Seen{Floors: map[floorrecord.Subject]delegation.Floor{}, changed: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Watch(ctx, w)
	}()
	w.Stop = func() { cancel(); <-ended }
	t.Cleanup(w.Stop)
	return w
}

func (w *Seen) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Raised is part of [floors.Watcher].
func (w *Seen) Raised(source, service string, f delegation.Floor) {
	w.change(func() { w.Floors[floorrecord.About(source, service)] = f })
}

// Watching is part of [floors.Watcher].
func (w *Seen) Watching(on bool) {
	w.change(func() {
		if w.On = on; on {
			w.Begun++
		}
	})
}

// Times is how often Watching(true) was called.
func (w *Seen) Times() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Begun
}

// Until waits until something holds.
func (w *Seen) Until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.After(realtest.Timeout); ; {
		w.mu.Lock()
		ok := holds()
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-w.changed:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, realtest.Timeout)
		}
	}
}

// Wait waits until the store is watched, or is not.
func (w *Seen) Wait(t *testing.T, on bool) {
	t.Helper()
	w.Until(t, "watching", func() bool { return w.On == on })
}

// Told waits until a floor is told.
func (w *Seen) Told(t *testing.T, about floorrecord.Subject, f delegation.Floor) {
	t.Helper()
	w.Until(t, "told of "+about.String(), func() bool { return w.Floors[about] == f })
}

// Watched: what one node raises the others are told, and so is the node itself.
func Watched(t *testing.T, k Kind) {
	place := k.Fresh()
	s := k.Open.Must(t, place, Plenty, nil)
	stores := []floors.Store{s}
	if k.Shared {
		stores = append(stores, k.Open.Must(t, place, Plenty, nil))
	}
	var watchers []*Seen
	for _, s := range append(stores, stores...) {
		w := Watch(t, s)
		w.Wait(t, true)
		watchers = append(watchers, w)
	}
	elsewhere := k.Open.Must(t, k.Fresh(), Plenty, nil) // in a Redis, another database of the same server
	MustRaise(t, elsewhere, world.Source, Floor(9, 9, ""))
	about := floorrecord.About(world.Source, world.Service)
	for _, f := range []delegation.Floor{Floor(0, 0, "x.example"), Floor(0, 1, ""), Floor(0, 1, "y.example")} {
		want := MustRaise(t, s, world.Source, f)
		for _, w := range watchers {
			w.Told(t, about, want)
		}
	}
	MustRaise(t, s, world.Source, Floor(0, 0, "")) // raises nothing
	if _, err := s.Raise(t.Context(), world.Source, Client, floors.Record{Floor: Floor(0, 0, "")}); err != nil {
		t.Fatal(err)
	}
	for _, w := range watchers {
		w.Told(t, floorrecord.About(world.Source, Client), Floor(0, 0, ""))
		w.mu.Lock()
		if w.Floors[about] != Contradiction(Floor(0, 1, "")) || w.Begun != 1 {
			t.Errorf("told %v, begun %d times", w.Floors[about], w.Begun)
		}
		w.mu.Unlock()
	}
}

// Unwatched: a store that does not tell of raised floors says so.
func Unwatched(t *testing.T, k Kind) {
	s := k.Open.Must(t, k.Fresh(), Plenty, nil)
	w := Watch(t, s)
	select {
	case <-w.changed:
	case <-time.After(realtest.Timeout):
		t.Fatalf("Watch says nothing for %s", realtest.Timeout)
	}
	MustRaise(t, s, world.Source, Floor(0, 0, "x.example"))
	w.Stop()
	if w.Times() > 0 {
		t.Error("Watching(true), and it is said that the store tells of nothing")
	}
}
