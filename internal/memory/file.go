package memory

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long Open waits for another process to let go of the
// file: as long as one that is being stopped may take.
const lockTimeout = 5 * time.Second

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
		return h, damaged("its header")
	case b[0] != fileVersion:
		return h, damaged("it has version %d, and this program knows %d", b[0], fileVersion)
	}
	return fileHeader{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint32(b[9:])}, nil
}

// add takes a written record into account.
func (h *fileHeader) add(encoded []byte) {
	h.sources++
	h.sum ^= storedSum(encoded)
}

// remove undoes add.
func (h *fileHeader) remove(encoded []byte) {
	h.sources--
	h.sum ^= storedSum(encoded)
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
		if err = create(path, 0); err != nil {
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
	case info.Size() == 0:
		return nil, damaged("it is empty, which a new one is not")
	case mode.Perm()&0o022 != 0:
		return nil, fmt.Errorf("others can write to it (mode %04o), and so make us forget; chmod 600 it", mode.Perm())
	}
	if owner, us := info.Sys().(*syscall.Stat_t).Uid, os.Geteuid(); owner != 0 && int(owner) != us {
		return nil, fmt.Errorf("it belongs to user %d, who can make us forget, and this is user %d; run as that user, or chown it", owner, us)
	}
	s := &fileStore{
		path: path, limits: l, log: options.Logger, now: options.Now,
		queue: make(chan *raising), closing: make(chan struct{}), closed: make(chan struct{}), broken: make(chan struct{}),
	}
	if s.db, err = openDB(ctx, path); err != nil {
		return nil, err
	}
	if err = s.scan(ctx); err != nil {
		s.shut()
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
// an empty file is never a memory that somebody has yet to fill. Its pages are
// those of the system if pageSize is 0.
func create(path string, pageSize int) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "memory")
	options := boltOptions(lockTimeout)
	options.PageSize = pageSize
	db, err := bbolt.Open(fresh, 0o600, options)
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
	reading := boltOptions(timeout)
	reading.ReadOnly = true // the library looks at the roots alone
	if db, err = openBolt(path, reading); err != nil {
		return nil, err
	}
	err = errors.Join(checkPath(path), db.Close())
	if err != nil {
		return nil, err
	}
	return openBolt(path, boltOptions(timeout))
}

func checkPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return checkPages(file, info.Size())
}

// openBolt: what is wrong, and neither the lock nor the operating system, is
// the file.
func openBolt(path string, options *bbolt.Options) (db *bbolt.DB, err error) {
	err = guard(func() error {
		db, err = bbolt.Open(path, 0o600, options)
		return err
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, ErrLocked
	}
	var ofSystem syscall.Errno
	if err != nil && !errors.Is(err, ErrDamaged) && !errors.As(err, &ofSystem) {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return db, err
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
func (s *fileStore) scan(ctx context.Context) (err error) {
	s.newest, err = view(ctx, s, func(tx *bbolt.Tx) (newest time.Time, err error) {
		want, err := header(tx)
		if err != nil {
			return newest, err
		}
		sources := tx.Bucket(sourceBucket)
		if sources == nil {
			return newest, damaged("it has no place for sources")
		}
		var have fileHeader
		for key, value := range all(sources.Cursor(), nil) {
			r, err := decode(keySource(key), value)
			if err != nil {
				return newest, err
			}
			have.add(value)
			newest = later(newest, r.raised)
			if have.sources%pruneChunk == 0 && ctx.Err() != nil {
				return newest, ctx.Err()
			}
		}
		if have != want {
			return newest, damaged("it holds %d sources, and %d were written, or other ones", have.sources, want.sources)
		}
		return newest, nil
	})
	return err
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
		return fileHeader{}, damaged("it has no header")
	}
	return decodeHeader(bucket.Get(headerKey))
}
