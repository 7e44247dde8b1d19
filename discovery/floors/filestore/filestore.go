package filestore

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
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

// maxBatch bounds the Raises that share one write and fsync.
const maxBatch = 256

// A fileStore is a Store in a file. One goroutine writes, so that all Raises
// that wait share a transaction.
type fileStore struct {
	path    string
	db      *bbolt.DB
	limits  floorrecord.Limits
	log     *slog.Logger
	now     func() time.Time
	queue   chan *raising
	closing chan struct{}
	closed  chan struct{} // when the writer has ended
	once    sync.Once

	watchers floorrecord.Watchers

	mu     sync.Mutex
	newest time.Time     // the latest time of a Raise in the file
	damage error         // nothing is known of the file any more
	broken chan struct{} // closed when there is damage
}

// A raising is a Raise that waits for the writer.
type raising struct {
	subject floorrecord.Subject
	newest  floorrecord.Newest
	done    chan outcome // with room for one
}

// An outcome is what a Raise leads to.
type outcome struct {
	floor   delegation.Floor
	changed bool      // the record
	raised  bool      // the floor
	at      time.Time // of the record
	err     error
}

// transact runs f in a transaction: begin is View or Update of the database. f must
// leave nothing behind but what it returns: it may still run when transact has
// returned an error.
//
// Each transaction has a goroutine of its own. A panic in the library, as when
// somebody truncates the file, can leave its locks held. Callers must not block on
// those locks.
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

// Load is part of [floors.Store].
func (s *fileStore) Load(ctx context.Context, source, service string) (floors.Record, error) {
	about := floorrecord.About(source, service)
	if err := cmp.Or(ctx.Err(), about.Check()); err != nil {
		return floors.Record{}, err
	}
	r, err := transact(ctx, s, s.db.View, func(tx *bbolt.Tx) (floorrecord.Record, error) {
		r, _, err := load(tx, about)
		return r, err
	})
	return floors.Record(r.Newest), s.named(err)
}

// named says of which file an error is.
func (s *fileStore) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the memory %s: %w", s.path, err)
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", floors.ErrDamaged, fmt.Sprintf(format, args...))
}

func decodeRecord(about floorrecord.Subject, encoded []byte) (floorrecord.Record, error) {
	r, err := floorrecord.Decode(about, encoded)
	if err != nil {
		return r, damaged("%v", err)
	}
	return r, nil
}

// load reads the record of a subject, the zero one if there is none.
func load(tx *bbolt.Tx, about floorrecord.Subject) (r floorrecord.Record, encoded []byte, err error) {
	encoded = tx.Bucket(recordBucket).Get(fileKey(about))
	if encoded != nil {
		r, err = decodeRecord(about, encoded)
	}
	return r, encoded, err
}

// Raise is part of [floors.Store].
func (s *fileStore) Raise(ctx context.Context, source, service string, given floors.Record) (none delegation.Floor, err error) {
	r := &raising{floorrecord.About(source, service), floorrecord.Newest(given), make(chan outcome, 1)}
	if err := cmp.Or(ctx.Err(), r.subject.Check(), r.newest.Check()); err != nil {
		return none, err
	}
	// Most raise nothing, and those of a flood find no room. Neither is worth
	// a write.
	o, err := transact(ctx, s, s.db.View, func(tx *bbolt.Tx) (outcome, error) {
		_, _, o, err := s.apply(tx, r)
		return o, err
	})
	if err != nil || !o.changed {
		return o.floor, cmp.Or(s.named(err), o.err)
	}
	select {
	case s.queue <- r:
	case <-s.closing:
		return none, fs.ErrClosed
	case <-ctx.Done():
		return none, ctx.Err()
	}
	select {
	case o := <-r.done:
		return o.floor, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// apply works out what a Raise leads to, and the record to write if that is a
// change. It writes nothing.
func (s *fileStore) apply(tx *bbolt.Tx, r *raising) (next floorrecord.Record, old []byte, o outcome, err error) {
	have, old, err := load(tx, r.subject)
	if err != nil {
		return next, nil, o, err
	}
	h, err := header(tx)
	if err != nil {
		return next, nil, o, err
	}
	newest := r.newest
	if have.Statement == nil && h.records >= uint64(s.limits.Statements) {
		newest.Statement = nil
	}
	next, changed := have.Raise(newest, s.now())
	if old == nil {
		if full := s.room(tx, h, r.subject.Source); full != nil {
			return next, nil, outcome{err: full}, nil
		}
	}
	return next, old, outcome{floor: next.Floor, changed: changed, raised: next.Floor != have.Floor, at: next.Raised}, nil
}

// room tells whether one more record may be made: [floors.ErrFull] if not.
func (s *fileStore) room(tx *bbolt.Tx, h fileHeader, source string) error {
	if h.records >= uint64(s.limits.Records) {
		return fmt.Errorf("%w: %d records", floors.ErrFull, h.records)
	}
	for _, c := range s.limits.Crowds(source) {
		n, prefix := 0, domainKey(c.Domain)
		for key := range all(tx.Bucket(recordBucket).Cursor(), prefix) {
			if n == c.Most || !bytes.HasPrefix(key, prefix) {
				break
			}
			n++
		}
		if n >= c.Most {
			return fmt.Errorf("%w: %d records under %s", floors.ErrFull, n, c.Domain)
		}
	}
	return nil
}

// Watch is part of [floors.Store]. Nobody else uses the file, so nothing is missed.
func (s *fileStore) Watch(ctx context.Context, w floors.Watcher) {
	s.watchers.Watch(ctx, w)
}

// tell notes the time of a Raise that was written, and tells the watchers.
func (s *fileStore) tell(about floorrecord.Subject, o outcome) {
	if o.changed {
		s.mu.Lock()
		s.newest = floorrecord.Later(s.newest, o.at)
		s.mu.Unlock()
	}
	if o.raised {
		s.watchers.Tell(about, o.floor)
	}
}

// run writes until the store is closed.
func (s *fileStore) run() {
	defer close(s.closed)
	s.prune()
	ticker := time.NewTicker(floorrecord.PruneEvery)
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

// commit does Raises in one transaction and tells those who wait.
func (s *fileStore) commit(batch []*raising) {
	outcomes, err := transact(context.Background(), s, s.db.Update, func(tx *bbolt.Tx) ([]outcome, error) { return s.write(tx, batch) })
	for i, r := range batch {
		if err != nil {
			r.done <- outcome{err: s.named(err)}
			continue
		}
		s.tell(r.subject, outcomes[i])
		r.done <- outcomes[i]
	}
}

func (s *fileStore) write(tx *bbolt.Tx, batch []*raising) (outcomes []outcome, err error) {
	h, err := header(tx)
	if err != nil {
		return nil, err
	}
	for _, r := range batch {
		next, old, o, err := s.apply(tx, r)
		if err != nil {
			o = outcome{err: s.named(err)} // of this record alone
		}
		outcomes = append(outcomes, o)
		if !o.changed {
			continue
		}
		if old != nil {
			h.remove(old)
		}
		encoded := next.Encode(r.subject)
		h.add(encoded)
		err = errors.Join(tx.Bucket(recordBucket).Put(fileKey(r.subject), encoded), tx.Bucket(headerBucket).Put(headerKey, h.encode()))
		if err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

func (s *fileStore) newestRaise() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// Close is part of [floors.Store].
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
