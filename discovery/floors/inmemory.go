package floors

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

// InMemory returns a store that forgets everything when it is closed or the
// process ends.
//
// What is lost at a restart is the protection against old statements. The
// verifier then meets each source for the first time again. An attacker who can
// hide the newest statement and show an older one is believed until the older
// one expires (at most 31 days by default). A provider that was replaced or
// revoked counts as a provider again.
//
// So InMemory suits tests, and programs that ask once and end. A server that
// runs for long needs a file or a Redis.
//
// It keeps no statements: after a start nothing would be there.
//
// It has the limits of the other stores. Its errors are [ErrFull], the error of
// a context that has ended, [io/fs.ErrClosed] after Close, and those of
// arguments that are wrong.
func InMemory() Store { return newInMemory(floorrecord.DefaultLimits, time.Now) }

// An inMemory is a Store in a map.
type inMemory struct {
	limits   floorrecord.Limits
	now      func() time.Time
	watchers floorrecord.Watchers

	mu      sync.Mutex
	closed  bool
	records map[floorrecord.Subject]floorrecord.Record
	crowds  map[string]int // how many records each crowd has
	newest  time.Time      // the latest time of a Raise
	pruned  time.Time      // when it was last looked for old records
}

func newInMemory(limits floorrecord.Limits, now func() time.Time) *inMemory {
	return &inMemory{
		limits: limits, now: now, pruned: now(),
		records: map[floorrecord.Subject]floorrecord.Record{}, crowds: map[string]int{},
	}
}

// Load is part of [Store].
func (s *inMemory) Load(ctx context.Context, source, service string) (Record, error) {
	about := floorrecord.About(source, service)
	if err := cmp.Or(ctx.Err(), about.Check()); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Record{}, fs.ErrClosed
	}
	return Record(s.records[about].Newest), nil
}

// Raise is part of [Store].
func (s *inMemory) Raise(ctx context.Context, source, service string, r Record) (none delegation.Floor, err error) {
	about, newest := floorrecord.About(source, service), floorrecord.Newest(r)
	if err := cmp.Or(ctx.Err(), about.Check(), newest.Check()); err != nil {
		return none, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return none, fs.ErrClosed
	}
	s.prune()
	have, known := s.records[about]
	next, changed := have.Raise(floorrecord.Newest{Floor: r.Floor}, s.now())
	if !changed {
		return next.Floor, nil
	}
	if !known {
		if err := s.count(source); err != nil {
			return none, err
		}
	}
	s.records[about] = next
	s.newest = floorrecord.Later(s.newest, next.Raised)
	s.watchers.Tell(about, next.Floor)
	return next.Floor, nil
}

// count counts one more record of a source, or returns [ErrFull].
func (s *inMemory) count(source string) error {
	if len(s.records) >= s.limits.Records {
		return fmt.Errorf("%w: %d records", ErrFull, len(s.records))
	}
	crowds := s.limits.Crowds(source)
	for _, c := range crowds {
		if s.crowds[c.Domain] >= c.Most {
			return fmt.Errorf("%w: %d records under %s", ErrFull, c.Most, c.Domain)
		}
	}
	for _, c := range crowds {
		s.crowds[c.Domain]++
	}
	return nil
}

// prune forgets records whose time is over, at most once in PruneEvery. If the
// clock is ahead of the last Raise of any record, that one counts, as in the
// other stores.
func (s *inMemory) prune() {
	now := s.now()
	if now.Sub(s.pruned).Abs() < floorrecord.PruneEvery {
		return
	}
	s.pruned = now
	if s.newest.Before(now) {
		now = s.newest
	}
	maps.DeleteFunc(s.records, func(about floorrecord.Subject, r floorrecord.Record) bool {
		if !now.After(r.KeepUntil()) {
			return false
		}
		for _, c := range s.limits.Crowds(about.Source) {
			if s.crowds[c.Domain]--; s.crowds[c.Domain] == 0 {
				delete(s.crowds, c.Domain)
			}
		}
		return true
	})
}

// Watch is part of [Store]. Nobody else uses the map, so nothing is missed.
func (s *inMemory) Watch(ctx context.Context, w Watcher) { s.watchers.Watch(ctx, w) }

// Close is part of [Store]. It forgets everything.
func (s *inMemory) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.records, s.crowds = true, nil, nil
	return nil
}
