package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	newest time.Time // the latest time of a Raise in the file
	broken error     // set by a panic: nothing is known of the file any more
}

// A raising is a Raise that waits for the writer.
type raising struct {
	source  string
	floors  []delegation.Floor
	changed bool
	result  []delegation.Floor
	err     error
	done    chan struct{}
}

// view and update are transactions. After a panic in one nothing is asked of
// the library again: its locks may be held.
func (s *fileStore) view(f func(tx *bbolt.Tx) error) error {
	return s.transact(s.db.View, f)
}

func (s *fileStore) update(f func(tx *bbolt.Tx) error) error {
	return s.transact(s.db.Update, f)
}

func (s *fileStore) transact(begin func(func(*bbolt.Tx) error) error, f func(tx *bbolt.Tx) error) error {
	s.mu.Lock()
	err := s.broken
	s.mu.Unlock()
	if err != nil {
		return err
	}
	panicked := true
	err = guard(func() error {
		err := begin(f)
		panicked = false
		return err
	})
	if panicked {
		s.mu.Lock()
		s.broken = err
		s.mu.Unlock()
	}
	return err
}

// Floors is part of [Store].
func (s *fileStore) Floors(ctx context.Context, source string) ([]delegation.Floor, error) {
	if err := cmp.Or(ctx.Err(), checkFloors(source, nil)); err != nil {
		return nil, err
	}
	var r record
	err := s.view(func(tx *bbolt.Tx) (err error) {
		r, _, err = load(tx, source)
		return err
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
	r := &raising{source: source, floors: floors, done: make(chan struct{})}
	// Most raise nothing, and those of a flood find no room. Neither is worth
	// a write.
	err := s.view(func(tx *bbolt.Tx) error {
		_, _, err := s.apply(tx, r)
		return err
	})
	if err != nil || !r.changed {
		return r.result, cmp.Or(s.named(err), r.err)
	}
	select {
	case s.queue <- r:
	case <-s.closing:
		return nil, fs.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-r.done:
		return r.result, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// apply works out what a Raise leads to. It writes nothing. r.err is ErrFull
// or nil; any other error is returned.
func (s *fileStore) apply(tx *bbolt.Tx, r *raising) (next record, old []byte, err error) {
	have, old, err := load(tx, r.source)
	if err != nil {
		return next, nil, err
	}
	next, r.changed, r.err = have.raise(r.floors, s.now())
	if old == nil && r.changed {
		full, err := s.room(tx, r.source)
		if err != nil {
			return next, nil, err
		}
		if full != nil {
			next, r.changed, r.err = have, false, full
		}
	}
	r.result = next.floors
	return next, old, nil
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

// errNothing rolls a transaction back that would change nothing.
var errNothing = errors.New("nothing to write")

// commit does Raises in one transaction and tells those who wait.
func (s *fileStore) commit(batch []*raising) {
	newest := s.newestRaise()
	err := s.update(func(tx *bbolt.Tx) error {
		h, err := header(tx)
		if err != nil {
			return err
		}
		written := false
		for _, r := range batch {
			next, old, err := s.apply(tx, r)
			if err != nil {
				r.err = s.named(err) // of this source alone
				continue
			}
			if !r.changed {
				continue
			}
			if old != nil {
				h.remove(old)
			}
			encoded := next.encode(r.source)
			h.add(encoded)
			if err := tx.Bucket(sourceBucket).Put(sourceKey(r.source), encoded); err != nil {
				return err
			}
			if err := tx.Bucket(headerBucket).Put(headerKey, h.encode()); err != nil {
				return err
			}
			newest, written = later(newest, next.raised), true
		}
		if !written {
			return errNothing
		}
		return nil
	})
	if err == nil {
		s.mu.Lock()
		s.newest = newest
		s.mu.Unlock()
	}
	for _, r := range batch {
		if err != nil && !errors.Is(err, errNothing) {
			r.result, r.err = nil, s.named(err)
		}
		close(r.done)
	}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	return s.db.Close()
}
