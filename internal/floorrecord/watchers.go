package floorrecord

import (
	"context"
	"sync"

	"github.com/dnasign/dnasign/delegation"
)

// Watchers are those who watch a store that no other process raises. The zero
// value has none.
type Watchers struct {
	mu  sync.Mutex
	all map[*watcher]bool
}

// A watcher is a floors.Watcher.
type watcher interface {
	Raised(source, service string, f delegation.Floor)
	Watching(bool)
}

// Watch tells w of every floor that Tell is given until ctx ends. Nothing is
// missed meanwhile.
func (ws *Watchers) Watch(ctx context.Context, w watcher) {
	ws.mu.Lock()
	if ws.all == nil {
		ws.all = map[*watcher]bool{}
	}
	ws.all[&w] = true
	w.Watching(true)
	ws.mu.Unlock()
	<-ctx.Done()
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, &w)
}

// Tell tells that a floor was raised. The caller calls it in the order in which
// the floors were raised.
func (ws *Watchers) Tell(about Subject, f delegation.Floor) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		(*w).Raised(about.Source, about.Service, f)
	}
}
