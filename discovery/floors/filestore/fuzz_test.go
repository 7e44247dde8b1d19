package filestore

import (
	"bytes"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// smallPages are pages of a size that gives a fuzzer less to go through.
const smallPages = 512

// FuzzPages: a file whose pages are in order is one that the library opens,
// reads to its end and writes to, without a panic.
func FuzzPages(f *testing.F) {
	path := filepath.Join(f.TempDir(), "memory.db")
	if err := create(path, smallPages); err != nil {
		f.Fatal(err)
	}
	add := func() {
		image, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if err := checkPages(bytes.NewReader(image), int64(len(image))); err != nil {
			f.Fatal(err)
		}
		f.Add(image)
	}
	add()
	s, err := openAt(f.Context(), path, floorlaws.Plenty, nil)
	if err != nil {
		f.Fatal(err)
	}
	for i := range 20 {
		if _, err := s.Raise(f.Context(), floorlaws.WorkerSource(i), world.Service, floors.Record{Floor: floorlaws.Floor(0, 0, "x.example")}); err != nil {
			f.Fatal(err)
		}
	}
	s.Close()
	add()
	f.Fuzz(func(t *testing.T, image []byte) {
		mend(image)
		if checkPages(bytes.NewReader(image), int64(len(image))) != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "memory.db")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		options := boltOptions(time.Second)
		options.NoSync = true
		db, err := bbolt.Open(path, 0o600, options)
		if err != nil {
			t.Fatalf("in order, and not opened: %v", err)
		}
		defer db.Close()
		err = db.View(func(tx *bbolt.Tx) error {
			for err := range tx.Check() {
				t.Errorf("in order, and the library finds: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists(recordBucket)
			if errors.Is(err, berrors.ErrIncompatibleValue) {
				return nil // a value in the place of a bucket, which scan looks at
			}
			if err != nil {
				return err
			}
			for key := range all(bucket.Cursor(), nil) {
				_ = keySubject(key)
			}
			return bucket.Put(fileKey(floorrecord.About(world.Source, world.Service)), []byte("x"))
		})
		if err != nil {
			t.Errorf("in order, and not written to: %v", err)
		}
	})
}

// mend puts the checks of the two roots right.
func mend(image []byte) {
	for at := pageHead; at+metaSize <= min(len(image), 2*smallPages); at += smallPages {
		sum := fnv.New64a()
		sum.Write(image[at : at+metaSize-8])
		order.PutUint64(image[at+metaSize-8:], sum.Sum64())
	}
}
