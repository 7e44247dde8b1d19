package filestore

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
	"slices"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

// lockTimeout is how long Open waits for another process to release the file. A
// process that is being stopped may take that long.
const lockTimeout = 5 * time.Second

// The file holds two buckets: the header, under one key, and the records. The
// key of a record is its source with the labels in reverse order, a dot after
// each, and then its service: example.b._xmpp-server._tcp. So the records below
// a domain stand together and are counted by reading.
var (
	headerBucket = []byte("header")
	headerKey    = []byte("header")
	recordBucket = []byte("sources")
)

func fileKey(s floorrecord.Subject) []byte { return append(domainKey(s.Source), s.Service...) }

// domainKey is what the keys of a domain and of all below it begin with.
func domainKey(domain string) []byte {
	key := make([]byte, 0, len(domain)+1+len("_submission._tcp"))
	for rest := domain; rest != ""; {
		i := strings.LastIndexByte(rest, '.')
		key = append(append(key, rest[i+1:]...), '.')
		rest = rest[:max(i, 0)]
	}
	return key
}

// keySubject undoes fileKey. No label of a source has an underscore.
func keySubject(key []byte) floorrecord.Subject {
	reversed, service, _ := strings.Cut(string(key), "._")
	labels := strings.Split(reversed, ".")
	slices.Reverse(labels)
	return floorrecord.About(strings.Join(labels, "."), "_"+service)
}

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// fileHeader is what must fit the records as a whole: how many there are, and
// the exclusive or of their checks. Without it a page that is lost, or an old
// one in its place, would be a source that was never seen.
type fileHeader struct {
	records uint64
	sum     uint32
}

func (h fileHeader) encode() []byte {
	b := binary.BigEndian.AppendUint64([]byte{floorrecord.FormatVersion}, h.records)
	b = binary.BigEndian.AppendUint32(b, h.sum)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crcTable))
}

func decodeHeader(b []byte) (h fileHeader, err error) {
	switch {
	case len(b) != 1+8+4+4 || binary.BigEndian.Uint32(b[13:]) != crc32.Checksum(b[:13], crcTable):
		return h, damaged("its header")
	case b[0] < floorrecord.OldestVersion || b[0] > floorrecord.FormatVersion:
		return h, fmt.Errorf("%w: %d, and this program knows %d to %d", floors.ErrVersion, b[0], floorrecord.OldestVersion, floorrecord.FormatVersion)
	}
	return fileHeader{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint32(b[9:])}, nil
}

func (h *fileHeader) add(encoded []byte) {
	h.records++
	h.sum ^= floorrecord.StoredSum(encoded)
}

func (h *fileHeader) remove(encoded []byte) {
	h.records--
	h.sum ^= floorrecord.StoredSum(encoded)
}

// Open opens the store in the file at path. If there is no file, Open makes it,
// whole or not at all; its folder must exist. The options may be nil.
//
// Open waits up to 5 seconds, or until the deadline of ctx, for another process
// to let go of the file. A file that somebody else owns or can write to is an
// error. Errors wrap [floors.ErrLocked], [floors.ErrDamaged],
// [floors.ErrVersion], [io/fs.ErrNotExist] or [io/fs.ErrPermission] where it is
// one of those, name the file and say what a person can do.
func Open(ctx context.Context, path string, options *floors.Options) (floors.Store, error) {
	if path == "" {
		return nil, errors.New("no place for the memory: give the name of a file")
	}
	return openLimited(ctx, path, options.WithDefaults(), floorrecord.DefaultLimits)
}

// openLimited is Open with other limits, for tests.
func openLimited(ctx context.Context, path string, options floors.Options, l floorrecord.Limits) (_ floors.Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the memory %s: %w%s", path, err, advice(path, err))
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

// advice is what a person can do about an error of open.
func advice(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("; make its folder: install -d -m 700 %s", filepath.Dir(path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("; this is user %d, which must be able to write to %s", os.Geteuid(), filepath.Dir(path))
	case errors.Is(err, floors.ErrLocked):
		return "; one process at a time can use a file, and several need a Redis"
	case errors.Is(err, floors.ErrDamaged):
		return "; restore a copy, or " + startEmpty
	case errors.Is(err, floors.ErrVersion):
		return "; use the program that wrote it, or " + startEmpty
	}
	return ""
}

const startEmpty = "move the file away and start again with an empty memory, " +
	"which costs that an attacker can show statements which were replaced or revoked until they expire (31 days at most by default)"

// create makes an empty store beside the path and then links it there. So an
// empty file is never a store that somebody has yet to fill. Its pages are
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
		if _, err := tx.CreateBucket(recordBucket); err != nil {
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
// start. So it cannot be damaged, and each write is shorter.
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
		return nil, floors.ErrLocked
	}
	var ofSystem syscall.Errno
	if err != nil && !errors.Is(err, floors.ErrDamaged) && !errors.As(err, &ofSystem) {
		return nil, fmt.Errorf("%w: %w", floors.ErrDamaged, err)
	}
	return db, err
}

// guard turns a panic of the library, and an access to a page that the file
// does not have any more, into an error.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", floors.ErrDamaged, p)
		}
	}()
	return f()
}

func (s *fileStore) scan(ctx context.Context) (err error) {
	s.newest, err = transact(ctx, s, s.db.View, func(tx *bbolt.Tx) (newest time.Time, err error) {
		want, err := header(tx)
		if err != nil {
			return newest, err
		}
		records := tx.Bucket(recordBucket)
		if records == nil {
			return newest, damaged("it has no place for records")
		}
		var have fileHeader
		for key, value := range all(records.Cursor(), nil) {
			r, err := decodeRecord(keySubject(key), value)
			if err != nil {
				return newest, err
			}
			have.add(value)
			newest = floorrecord.Later(newest, r.Raised)
			if have.records%pruneChunk == 0 && ctx.Err() != nil {
				return newest, ctx.Err()
			}
		}
		if have != want {
			return newest, damaged("it holds %d records, and %d were written, or other ones", have.records, want.records)
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
