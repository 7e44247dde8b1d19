package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/dnasign/dnasign/delegation"
)

const (
	// lockTimeout is how long Open waits for another process to let go of the
	// file: as long as one that is being stopped may take.
	lockTimeout = 5 * time.Second
	// maxBatch bounds the Raises that share one write and fsync.
	maxBatch = 256
	// pruneEvery is how often sources that are too old are looked for, and
	// pruneChunk how many are looked at in one transaction, so that no Raise
	// waits for long.
	pruneEvery = 24 * time.Hour
	pruneChunk = 10_000
)

// The file holds two buckets: the header, under one key, and the records,
// under the labels of their source in reverse order, each with a dot behind
// it. So the sources below a domain stand together and are counted by reading.
var (
	headerBucket = []byte("header")
	headerKey    = []byte("header")
	sourceBucket = []byte("sources")
)

func sourceKey(source string) []byte {
	key := make([]byte, 0, len(source)+1)
	for rest := source; rest != ""; {
		i := strings.LastIndexByte(rest, '.')
		key = append(append(key, rest[i+1:]...), '.')
		rest = rest[:max(i, 0)]
	}
	return key
}

func keySource(key []byte) string {
	labels := strings.Split(strings.TrimSuffix(string(key), "."), ".")
	for i, j := 0, len(labels)-1; i < j; i, j = i+1, j-1 {
		labels[i], labels[j] = labels[j], labels[i]
	}
	return strings.Join(labels, ".")
}

// fileHeader is what must fit the records as a whole: how many there are, and
// the exclusive or of their checks. Without it a page that is lost, or an old
// one in its place, would be a source that was never seen.
type fileHeader struct {
	sources uint64
	sum     uint32
}

const fileVersion = 1

func (h fileHeader) encode() []byte {
	b := binary.BigEndian.AppendUint64([]byte{fileVersion}, h.sources)
	b = binary.BigEndian.AppendUint32(b, h.sum)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crcTable))
}

func decodeHeader(b []byte) (h fileHeader, err error) {
	switch {
	case len(b) != 1+8+4+4 || binary.BigEndian.Uint32(b[13:]) != crc32.Checksum(b[:13], crcTable):
		return h, fmt.Errorf("%w: its header", ErrDamaged)
	case b[0] != fileVersion:
		return h, fmt.Errorf("%w: it has version %d, and this program knows %d", ErrDamaged, b[0], fileVersion)
	}
	return fileHeader{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint32(b[9:])}, nil
}

// add takes a record into account, or away: it is its own inverse but for the
// count.
func (h *fileHeader) add(source string, encoded []byte, n int64) {
	h.sources += uint64(n)
	h.sum ^= recordSum(source, encoded)
}

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

// openFile opens a file or makes it, whole or not at all.
func openFile(ctx context.Context, path string, options Options, l limits) (_ Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the memory %s: %w%s", path, err, advice(err))
		}
	}()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err != nil {
			return nil, err
		}
		options.Logger.Info("made a new memory: nothing is remembered yet", "file", path)
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, errors.New("it is not a regular file")
	case mode.Perm()&0o022 != 0:
		return nil, fmt.Errorf("others can write to it (mode %04o), and so make us forget; chmod 600 it", mode.Perm())
	}
	s := &fileStore{
		path: path, limits: l, log: options.Logger, now: options.Now,
		queue: make(chan *raising), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	if s.db, err = openDB(ctx, path); err != nil {
		return nil, err
	}
	if err = s.scan(ctx); err != nil {
		s.db.Close()
		return nil, err
	}
	go s.run()
	return s, nil
}

// advice is what a person can do about an error of openFile.
func advice(err error) string {
	switch {
	case errors.Is(err, ErrLocked):
		return "; one process at a time can use a file, and several need a Redis"
	case errors.Is(err, ErrDamaged):
		return "; restore a copy, or move the file away and start again with an empty memory, " +
			"which costs that an attacker can show statements which were replaced or revoked until they expire (31 days at most by default)"
	}
	return ""
}

// create makes an empty memory beside the path and then links it there, so that
// an empty file is never a memory that somebody has yet to fill.
func create(path string) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "memory")
	db, err := bbolt.Open(fresh, 0o600, boltOptions(lockTimeout))
	if err != nil {
		return err
	}
	err = errors.Join(db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket(sourceBucket); err != nil {
			return err
		}
		header, err := tx.CreateBucket(headerBucket)
		if err != nil {
			return err
		}
		return header.Put(headerKey, fileHeader{}.encode())
	}), db.Close())
	if err != nil {
		return err
	}
	if err := os.Link(fresh, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// boltOptions: the list of free pages is not stored but found again at each
// start, so it cannot be damaged, and each write is shorter.
func boltOptions(timeout time.Duration) *bbolt.Options {
	return &bbolt.Options{Timeout: timeout, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
}

// openDB opens the file for writing after a look at all its pages.
func openDB(ctx context.Context, path string) (db *bbolt.DB, err error) {
	timeout := lockTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(min(timeout, time.Until(deadline)), time.Millisecond)
	}
	err = guard(func() error {
		db, err = bbolt.Open(path, 0o600, boltOptions(timeout))
		return err
	})
	return db, asOurs(err)
}

// asOurs translates errors of the library.
func asOurs(err error) error {
	for _, damage := range []error{berrors.ErrInvalid, berrors.ErrChecksum, berrors.ErrVersionMismatch} {
		if errors.Is(err, damage) {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if errors.Is(err, berrors.ErrTimeout) {
		return ErrLocked
	}
	return err
}

// guard turns a panic of the library, and an access to a page that the file
// does not have any more, into an error.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}

// scan reads every record once.
func (s *fileStore) scan(ctx context.Context) error {
	return s.view(func(tx *bbolt.Tx) error {
		want, err := header(tx)
		if err != nil {
			return err
		}
		sources := tx.Bucket(sourceBucket)
		if sources == nil {
			return fmt.Errorf("%w: it holds no sources, not even none", ErrDamaged)
		}
		var have fileHeader
		for key, value := range all(sources.Cursor(), nil) {
			source := keySource(key)
			r, err := decode(source, value)
			if err != nil {
				return err
			}
			have.add(source, value, 1)
			s.newest = later(s.newest, r.raised)
			if have.sources%pruneChunk == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if have != want {
			return fmt.Errorf("%w: %d sources and not %d, or others than were written", ErrDamaged, have.sources, want.sources)
		}
		return nil
	})
}

// all yields what a cursor finds from a key on.
func all(c *bbolt.Cursor, from []byte) func(yield func(key, value []byte) bool) {
	return func(yield func(key, value []byte) bool) {
		for key, value := c.Seek(from); key != nil; key, value = c.Next() {
			if !yield(key, value) {
				return
			}
		}
	}
}

func header(tx *bbolt.Tx) (fileHeader, error) {
	bucket := tx.Bucket(headerBucket)
	if bucket == nil {
		return fileHeader{}, fmt.Errorf("%w: it has no header", ErrDamaged)
	}
	return decodeHeader(bucket.Get(headerKey))
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
	return asOurs(err)
}

// Floors is part of [Store].
func (s *fileStore) Floors(ctx context.Context, source string) ([]delegation.Floor, error) {
	if err := cmpErr(ctx.Err(), checkFloors(source, nil)); err != nil {
		return nil, err
	}
	var r record
	err := s.view(func(tx *bbolt.Tx) (err error) {
		r, _, err = load(tx, source)
		return err
	})
	return r.floors, err
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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
	if err := cmpErr(ctx.Err(), checkFloors(source, floors)); err != nil {
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
		return r.result, cmpErr(err, r.err)
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
				r.err = err // of this source alone
				continue
			}
			if !r.changed {
				continue
			}
			if old != nil {
				h.add(r.source, old, -1)
			}
			encoded := next.encode(r.source)
			h.add(r.source, encoded, 1)
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
			r.result, r.err = nil, fmt.Errorf("the memory %s: %w", s.path, err)
		}
		close(r.done)
	}
}

func (s *fileStore) newestRaise() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// prune forgets sources that were not raised for [Keep], seen from the last
// Raise of any source if the clock is ahead of it: a clock that is wrong by
// years lets no certificate be valid, so it raises nothing and must not make
// us forget.
func (s *fileStore) prune() {
	now := s.now()
	if newest := s.newestRaise(); newest.Before(now) {
		now = newest
	}
	forgotten, err := 0, error(nil)
	for from := []byte(nil); err == nil; {
		var stale []string
		stale, from, err = s.stale(from, now)
		if err == nil && len(stale) > 0 {
			forgotten, err = forgotten+len(stale), s.forget(stale)
		}
		if from == nil {
			break
		}
	}
	if err != nil {
		s.log.Error("sources that are too old cannot be forgotten", "file", s.path, "error", err)
	} else if forgotten > 0 {
		s.log.Info("forgot sources that were not verified for 400 days", "file", s.path, "sources", forgotten)
	}
}

// stale looks at the next sources and says where to go on, nil for the end.
func (s *fileStore) stale(from []byte, now time.Time) (list []string, next []byte, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		n := 0
		for key, value := range all(tx.Bucket(sourceBucket).Cursor(), from) {
			if n++; n > pruneChunk {
				next = bytes.Clone(key)
				return nil
			}
			r, err := decode(keySource(key), value)
			if err != nil {
				return err
			}
			if now.Sub(r.raised) > Keep {
				list = append(list, keySource(key))
			}
		}
		return nil
	})
	return list, next, err
}

// forget removes sources. Nobody else writes, so they are still stale.
func (s *fileStore) forget(sources []string) error {
	return s.update(func(tx *bbolt.Tx) error {
		h, err := header(tx)
		if err != nil {
			return err
		}
		for _, source := range sources {
			_, old, err := load(tx, source)
			if err != nil {
				return err
			}
			h.add(source, old, -1)
			if err := tx.Bucket(sourceBucket).Delete(sourceKey(source)); err != nil {
				return err
			}
		}
		return tx.Bucket(headerBucket).Put(headerKey, h.encode())
	})
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
