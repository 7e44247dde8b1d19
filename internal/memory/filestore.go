package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/dnasign/dnasign/delegation"
)

// maxBatch bounds the Raises that share one write and fsync.
const maxBatch = 256

// A fileStore is a Store in a file. One goroutine writes, so that all Raises
// that wait share a transaction.
type fileStore struct {
	path    string
	db      *bbolt.DB
	limits  limits
	log     *slog.Logger
	now     func() time.Time
	queue   chan *raising
	closing chan struct{}
	closed  chan struct{} // when the writer has ended
	once    sync.Once

	mu     sync.Mutex
	newest time.Time     // the latest time of a Raise in the file
	damage error         // nothing is known of the file any more
	broken chan struct{} // closed when there is damage
}

// A raising is a Raise that waits for the writer.
type raising struct {
	source string
	floors []delegation.Floor
	done   chan outcome // with room for one
}

// An outcome is what a Raise leads to. err may be [ErrFull], beside floors.
type outcome struct {
	floors  []delegation.Floor
	changed bool
	err     error
}

// view and update run a transaction. f must leave nothing behind but what it
// returns: it may still run when they have returned an error.
func view[T any](ctx context.Context, s *fileStore, f func(tx *bbolt.Tx) (T, error)) (T, error) {
	return transact(ctx, s, s.db.View, f)
}

func update[T any](s *fileStore, f func(tx *bbolt.Tx) (T, error)) (T, error) {
	return transact(context.Background(), s, s.db.Update, f)
}

// transact has a goroutine of its own for each transaction. A panic in the
// library, as when somebody cuts the file off, can leave its locks held: those
// who wait for them then, wait for ever, and must not hold up the callers.
func transact[T any](ctx context.Context, s *fileStore, begin func(func(*bbolt.Tx) error) error, f func(tx *bbolt.Tx) (T, error)) (T, error) {
	var none T
	select {
	case <-s.broken:
		return none, s.damage
	default:
	}
	type end struct {
		value T
		err   error
	}
	done := make(chan end, 1)
	go func() {
		var e end
		panicked := true
		err := guard(func() error {
			err := begin(func(tx *bbolt.Tx) (err error) {
				e.value, err = f(tx)
				return err
			})
			panicked = false
			return err
		})
		if panicked {
			s.breakDown(err)
		}
		if e.err = err; err != nil {
			e.value = none
		}
		done <- e
	}()
	select {
	case e := <-done:
		return e.value, e.err
	case <-s.broken:
		return none, s.damage
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// breakDown notes that the library is not to be asked again.
func (s *fileStore) breakDown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.damage == nil {
		s.damage = err
		close(s.broken)
	}
}

// Floors is part of [Store].
func (s *fileStore) Floors(ctx context.Context, source string) ([]delegation.Floor, error) {
	if err := cmp.Or(ctx.Err(), checkFloors(source, nil)); err != nil {
		return nil, err
	}
	r, err := view(ctx, s, func(tx *bbolt.Tx) (record, error) {
		r, _, err := load(tx, source)
		return r, err
	})
	return r.floors, s.named(err)
}

// named says of which file an error is.
func (s *fileStore) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the memory %s: %w", s.path, err)
}

// load reads the record of a source, the zero one if there is none.
func load(tx *bbolt.Tx, source string) (r record, encoded []byte, err error) {
	encoded = tx.Bucket(sourceBucket).Get(sourceKey(source))
	if encoded != nil {
		r, err = decode(source, encoded)
	}
	return r, encoded, err
}

// Raise is part of [Store].
func (s *fileStore) Raise(ctx context.Context, source string, floors []delegation.Floor) ([]delegation.Floor, error) {
	if err := cmp.Or(ctx.Err(), checkFloors(source, floors)); err != nil {
		return nil, err
	}
	r := &raising{source: source, floors: slices.Clone(floors), done: make(chan outcome, 1)}
	// Most raise nothing, and those of a flood find no room. Neither is worth
	// a write.
	o, err := view(ctx, s, func(tx *bbolt.Tx) (outcome, error) {
		_, _, o, err := s.apply(tx, r)
		return o, err
	})
	if err != nil || !o.changed {
		return o.floors, cmp.Or(s.named(err), o.err)
	}
	select {
	case s.queue <- r:
	case <-s.closing:
		return nil, fs.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case o := <-r.done:
		return o.floors, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// apply works out what a Raise leads to, and the record to write if that is a
// change. It writes nothing.
func (s *fileStore) apply(tx *bbolt.Tx, r *raising) (next record, old []byte, o outcome, err error) {
	have, old, err := load(tx, r.source)
	if err != nil {
		return next, nil, o, err
	}
	next, changed, full := have.raise(r.floors, s.now())
	if old == nil && changed {
		noRoom, err := s.room(tx, r.source)
		if err != nil {
			return next, nil, o, err
		}
		if noRoom != nil {
			next, changed, full = have, false, noRoom
		}
	}
	return next, old, outcome{next.floors, changed, full}, nil
}

// room tells whether one more source may be remembered: full is [ErrFull] if
// not.
func (s *fileStore) room(tx *bbolt.Tx, source string) (full, err error) {
	h, err := header(tx)
	if err != nil {
		return nil, err
	}
	if h.sources >= uint64(s.limits.sources) {
		return fmt.Errorf("%w: %d sources", ErrFull, h.sources), nil
	}
	for _, c := range s.limits.crowds(source) {
		n, prefix := 0, sourceKey(c.domain)
		for key := range all(tx.Bucket(sourceBucket).Cursor(), prefix) {
			if n == c.most || !bytes.HasPrefix(key, prefix) {
				break
			}
			n++
		}
		if n >= c.most {
			return fmt.Errorf("%w: %d sources under %s", ErrFull, n, c.domain), nil
		}
	}
	return nil, nil
}

// run writes until the store is closed.
func (s *fileStore) run() {
	defer close(s.closed)
	s.prune()
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		select {
		case r := <-s.queue:
			s.commit(s.collect(r))
		case <-ticker.C:
			s.prune()
		case <-s.closing:
			return
		}
	}
}

// collect gathers the Raises that wait already.
func (s *fileStore) collect(first *raising) []*raising {
	batch := []*raising{first}
	for len(batch) < maxBatch {
		select {
		case r := <-s.queue:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// A batchEnd is what a batch of Raises led to.
type batchEnd struct {
	outcomes []outcome
	newest   time.Time
}

// commit does Raises in one transaction and tells those who wait.
func (s *fileStore) commit(batch []*raising) {
	end, err := update(s, func(tx *bbolt.Tx) (batchEnd, error) { return s.write(tx, batch) })
	if err == nil {
		s.mu.Lock()
		s.newest = later(s.newest, end.newest)
		s.mu.Unlock()
	}
	for i, r := range batch {
		if err != nil {
			r.done <- outcome{err: s.named(err)}
		} else {
			r.done <- end.outcomes[i]
		}
	}
}

// write does Raises in a transaction.
func (s *fileStore) write(tx *bbolt.Tx, batch []*raising) (end batchEnd, err error) {
	h, err := header(tx)
	if err != nil {
		return end, err
	}
	for _, r := range batch {
		next, old, o, err := s.apply(tx, r)
		if err != nil {
			o = outcome{err: s.named(err)} // of this source alone
		}
		end.outcomes = append(end.outcomes, o)
		if !o.changed {
			continue
		}
		if old != nil {
			h.remove(old)
		}
		encoded := next.encode(r.source)
		h.add(encoded)
		err = errors.Join(tx.Bucket(sourceBucket).Put(sourceKey(r.source), encoded), tx.Bucket(headerBucket).Put(headerKey, h.encode()))
		if err != nil {
			return end, err
		}
		end.newest = later(end.newest, next.raised)
	}
	return end, nil
}

func (s *fileStore) newestRaise() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// Close is part of [Store].
func (s *fileStore) Close() error {
	s.once.Do(func() { close(s.closing) })
	<-s.closed
	return s.named(s.shut())
}

// shut closes the file, unless the locks of the library may be held for ever.
func (s *fileStore) shut() error {
	select {
	case <-s.broken:
		return s.damage
	default:
		return s.db.Close()
	}
}
