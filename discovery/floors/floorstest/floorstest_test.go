package floorstest_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/floors/filestore"
	"github.com/dnasign/dnasign/discovery/floors/floorstest"
)

func TestInMemory(t *testing.T) {
	open := func(string) (floors.Store, error) { return floors.InMemory(), nil }
	floorstest.Test(t, open, floorstest.Properties{Watches: true})
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	open := func(place string) (floors.Store, error) {
		return filestore.Open(t.Context(), filepath.Join(dir, place), nil)
	}
	floorstest.Test(t, open, floorstest.Properties{Lasts: true, Watches: true})
}

// TestOwn: a store that tells nothing, on top of others, in which several stores
// share a place.
func TestOwn(t *testing.T) {
	var mu sync.Mutex
	places := map[string]floors.Store{}
	open := func(place string) (floors.Store, error) {
		mu.Lock()
		defer mu.Unlock()
		if places[place] == nil {
			places[place] = floors.InMemory()
		}
		return &own{Store: places[place]}, nil
	}
	floorstest.Test(t, open, floorstest.Properties{Lasts: true, Shared: true})
}

// own is a store that ends alone.
type own struct {
	floors.Store
	mu     sync.Mutex
	closed bool
}

func (s *own) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return context.Canceled
	}
	return nil
}

func (s *own) Load(ctx context.Context, source, service string) (r floors.Record, err error) {
	if err := s.check(); err != nil {
		return r, err
	}
	return s.Store.Load(ctx, source, service)
}

func (s *own) Raise(ctx context.Context, source, service string, r floors.Record) (none delegation.Floor, err error) {
	if err := s.check(); err != nil {
		return none, err
	}
	return s.Store.Raise(ctx, source, service, r)
}

func (s *own) Watch(ctx context.Context, w floors.Watcher) {
	w.Watching(false)
	<-ctx.Done()
}

func (s *own) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
