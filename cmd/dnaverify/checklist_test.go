package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
)

// numbered are so many names.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("d%d.example", i)
	}
	return names
}

// TestSlowDomain: one that takes as long as all others does not stop them. The order
// stays, and no more are looked up at a time than was asked for.
func TestSlowDomain(t *testing.T) {
	const parallel = 2
	domains := numbered(maxAhead)
	last := make(chan struct{})
	var now, most atomic.Int64
	look := func(_ context.Context, domain string) string {
		defer now.Add(-1)
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		switch domain {
		case domains[0]:
			<-last
		case domains[len(domains)-1]:
			close(last)
		}
		return domain
	}
	var got []string
	err := inOrder(t.Context(), domains, parallel, look, func(domain string) error {
		got = append(got, domain)
		return nil
	})
	if err != nil || !slices.Equal(got, domains) {
		t.Errorf("%v, and %d of %d domains in order", err, len(got), len(domains))
	}
	if n := most.Load(); n > parallel {
		t.Errorf("%d at a time, want %d at most", n, parallel)
	}
}

// TestListEnds: where a result cannot be written, no other domain is begun, and all
// that were have ended.
func TestListEnds(t *testing.T) {
	full := errors.New("the disk is full")
	var begun, ended atomic.Int64
	look := func(context.Context, string) int {
		defer ended.Add(1)
		return int(begun.Add(1))
	}
	err := inOrder(t.Context(), numbered(10*maxAhead), 4, look, func(int) error { return full })
	if n := begun.Load(); !errors.Is(err, full) || n != ended.Load() || n > 2*maxAhead {
		t.Errorf("%v; %d begun, %d ended", err, n, ended.Load())
	}
}
