package filestore

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// shortly is for an Open that waits for a lock in vain.
func shortly(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 100*time.Millisecond)
}

// filled makes a file of some pages and returns it with what is in it.
func filled(t *testing.T) (image []byte, want map[string]delegation.Floor) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "memory.db")
	s := mustOpen(t, path, floorlaws.Plenty, nil)
	want = map[string]delegation.Floor{}
	for i := range 200 {
		name := fmt.Sprintf("n%d.b%d.example", i, i%20)
		want[name] = floorlaws.MustRaise(t, s, name, floorlaws.Floor(i, 0, "x.example"))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return image, want
}

// judge opens a file that may be damaged. It is refused, and says so and what
// to do, or holds all that was written.
func judge(t *testing.T, path string, image []byte, want map[string]delegation.Floor, what string) (refused bool) {
	t.Helper()
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := openAt(t.Context(), path, floorlaws.Plenty, nil)
	if err != nil {
		if !errors.Is(err, floors.ErrDamaged) || !strings.Contains(err.Error(), "move the file away") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
		return true
	}
	defer s.Close()
	for name, f := range want {
		if got, err := s.Load(t.Context(), name, world.Service); err != nil || got.Floor != f {
			t.Fatalf("%s is not noticed: %s has %v, %v", what, name, got, err)
		}
	}
	return false
}

// TestFlippedBits flips bits all over the file.
func TestFlippedBits(t *testing.T) {
	image, want := filled(t)
	path := filepath.Join(t.TempDir(), "memory.db")
	judge(t, path, image, want, "the file as it was")
	page := os.Getpagesize()
	random := rand.New(rand.NewPCG(1, 2))
	var flips []int // bits
	for start := 0; start < len(image); start += page {
		for range 6 {
			flips = append(flips, start*8+random.IntN(48*8), start*8+random.IntN(page*8))
		}
	}
	for bit := range 8 * (pageHead + metaSize) {
		flips = append(flips, bit, page*8+bit)
	}
	refused := 0
	for i, bit := range flips {
		image[bit/8] ^= 1 << (bit % 8)
		if err := checkPages(bytes.NewReader(image), int64(len(image))); errors.Is(err, floors.ErrDamaged) && i%20 != 0 {
			refused++ // as open does; one of twenty goes the whole way, which writes a file
		} else if judge(t, path, image, want, fmt.Sprintf("bit %d of octet %d of page %d", bit%8, bit/8%page, bit/8/page)) {
			refused++
		}
		image[bit/8] ^= 1 << (bit % 8)
	}
	if len(flips) < 500 || refused < len(flips)/4 {
		t.Errorf("%d of %d flips were refused", refused, len(flips))
	}
}

func TestCutOff(t *testing.T) {
	image, want := filled(t)
	path := filepath.Join(t.TempDir(), "memory.db")
	page, cuts := os.Getpagesize(), 0
	for end := 0; end < len(image); end += page {
		for _, n := range []int{end - 1, end, end + 1, end + page/2} {
			if n >= 0 && n < len(image) {
				judge(t, path, image[:n], want, fmt.Sprintf("an end after %d of %d octets", n, len(image)))
				cuts++
			}
		}
	}
	if cuts < 20 {
		t.Errorf("only %d cuts", cuts)
	}
	if !judge(t, path, nil, want, "an empty file") || !judge(t, path, image[:2*page], want, "two roots alone") {
		t.Error("not refused")
	}
}

// TestOtherPages puts pages where they do not belong.
func TestOtherPages(t *testing.T) {
	image, want := filled(t)
	path := filepath.Join(t.TempDir(), "memory.db")
	page := os.Getpagesize()
	count, refused := len(image)/page, 0
	random := rand.New(rand.NewChaCha8([32]byte{}))
	for i := range count {
		for name, content := range map[string][]byte{
			"zeros": make([]byte, page), "ones": []byte(strings.Repeat("\xff", page)),
			"the next page": image[(i+1)%count*page:][:page], "garbage": nil,
		} {
			damaged := append([]byte(nil), image...)
			if content == nil {
				content = damaged[i*page:][:page]
				for at := range content {
					content[at] = byte(random.Uint32())
				}
			}
			copy(damaged[i*page:], content)
			if judge(t, path, damaged, want, fmt.Sprintf("%s as page %d", name, i)) {
				refused++
			}
		}
	}
	if count < 5 || refused < count {
		t.Errorf("%d of %d pages were refused", refused, 4*count)
	}
	for _, garbage := range [][]byte{[]byte("hello"), make([]byte, 1<<16), []byte(strings.Repeat("dna", 40000))} {
		if !judge(t, path, garbage, want, "a file of garbage") {
			t.Error("a file of garbage is accepted")
		}
	}
}

// TestOlderPages puts the pages of an older copy in the place of those of a
// newer one. Every check of a page and of a record fits then.
func TestOlderPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	old, want := filled(t)
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path, floorlaws.Plenty, nil)
	for name := range want {
		want[name] = floorlaws.MustRaise(t, s, name, floorlaws.Floor(999, 0, "y.example"))
	}
	s.Close()
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for i := range len(old) / page {
		mixed := append([]byte(nil), image...)
		copy(mixed[i*page:][:page], old[i*page:])
		judge(t, path, mixed, want, fmt.Sprintf("an old page %d", i))
	}
}

// TestCutOffWhileOpen: a file that somebody empties does not end the process.
func TestCutOffWhileOpen(t *testing.T) {
	image, _ := filled(t)
	path := filepath.Join(t.TempDir(), "memory.db")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path, floorlaws.Plenty, nil)
	floorlaws.MustRaise(t, s, world.Source, floorlaws.Floor(0, 0, "x.example")) // when the first look for old ones is over
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := s.Load(t.Context(), world.Source, world.Service); !errors.Is(err, floors.ErrDamaged) {
			t.Errorf("Load: got %v, %v", got, err)
		}
		if got, err := s.Raise(t.Context(), world.Source, world.Service, floors.Record{Floor: floorlaws.Floor(0, 1, "")}); !errors.Is(err, floors.ErrDamaged) {
			t.Errorf("Raise: got %v, %v", got, err)
		}
	}
	if err := s.Close(); err == nil {
		t.Error("Close says nothing")
	}
}

func TestWritableByOthers(t *testing.T) {
	image, _ := filled(t)
	path := filepath.Join(t.TempDir(), "memory.db")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(s, err)
	}
}

func TestOwnedByOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	image, _ := filled(t)
	path := filepath.Join(t.TempDir(), "memory.db")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), "it belongs to user 65534") {
		t.Error(s, err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "memory.db")
	mustOpen(t, path, floorlaws.Plenty, nil).Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Error("more than the file was left:", entries, err)
	}
}

// TestForget: a record is forgotten 400 days after its last Raise, or when its
// signer's certificate has expired if that is later. A wrong clock makes none
// forgotten.
func TestForget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	c := floorlaws.NewClock(world.Noon)
	const day = 24 * time.Hour
	raised := map[string]delegation.Floor{"a.example": floorlaws.Floor(0, 0, "x.example"), "b.example": floorlaws.Floor(0, 0, "x.example"), "c.example": floorlaws.Floor(0, 0, "x.example")}
	raised["long.example"] = floorlaws.Until(raised["a.example"], world.Noon, world.Noon.Add(600*day))
	remembered := func() (list []string) {
		mustOpen(t, path, floorlaws.Plenty, c.Now).Close() // looks for old ones before it ends
		s := mustOpen(t, path, floorlaws.Plenty, c.Now)
		defer s.Close()
		for name := range raised {
			if !floorlaws.MustFloor(t, s, name).IsZero() {
				list = append(list, name)
			}
		}
		slices.Sort(list)
		return list
	}
	raise := func(names ...string) {
		s := mustOpen(t, path, floorlaws.Plenty, c.Now)
		defer s.Close()
		for _, name := range names {
			floorlaws.MustRaise(t, s, name, raised[name])
		}
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"raised", func() { raise("a.example", "b.example", "long.example") }, "a b long"},
		{"a clock far ahead", func() { c.Set(world.Noon.AddDate(30, 0, 0)) }, "a b long"},
		{"a clock far behind", func() { c.Set(world.Noon.AddDate(-30, 0, 0)) }, "a b long"},
		{"raised again by nothing new", func() { c.Set(world.Noon.Add(200 * day)); raise("b.example") }, "a b long"},
		{"400 days after", func() { c.Set(world.Noon.Add(400 * day)); raise("c.example") }, "a b c long"},
		{"402 days after", func() { c.Set(world.Noon.Add(402 * day)); raise("c.example") }, "b c long"},
		{"601 days after", func() { c.Set(world.Noon.Add(601 * day)); raise("c.example") }, "b c long"},
		{"602 days after", func() { c.Set(world.Noon.Add(602 * day)); raise("c.example") }, "c"},
		{"long after", func() { c.Set(world.Noon.Add(2000 * day)) }, "c"},
		{"long after, and a source verified", func() { raise("a.example") }, "a"},
	} {
		step.do()
		if got := strings.ReplaceAll(strings.Join(remembered(), " "), ".example", ""); got != step.want {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
}

// TestOldVersion: a file of another version is neither read nor taken for a
// damaged one.
func TestOldVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	mustOpen(t, path, floorlaws.Plenty, nil).Close()
	db, err := bbolt.Open(path, 0o600, boltOptions(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	old := binary.BigEndian.AppendUint32(append([]byte{1}, make([]byte, 8)...), 0)
	old = binary.BigEndian.AppendUint32(old, crc32.Checksum(old, crcTable))
	if err := errors.Join(db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(headerBucket).Put(headerKey, old) }), db.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, nil)
	if !errors.Is(err, floors.ErrVersion) || errors.Is(err, floors.ErrDamaged) || !strings.Contains(err.Error(), "1, and this program knows 2 to 3; use the program that wrote it, or move the file away") {
		t.Error(s, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Error("the file was changed", err)
	}
}

// TestVersion2: a file of version 2 is read, and becomes one of today when something
// is raised. testdata/version2.db.gz was written by a program of that version.
func TestVersion2(t *testing.T) {
	packed, err := os.Open("testdata/version2.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	old, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if order.Uint32(old[16:]) != metaMagic {
		t.Skip("the file is of a machine with another byte order")
	}
	path := filepath.Join(t.TempDir(), "memory.db")
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	clock := floorlaws.NewClock(world.Noon.Add(time.Hour))
	version := func(want byte) {
		t.Helper()
		db, err := bbolt.Open(path, 0o600, boltOptions(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		err = db.View(func(tx *bbolt.Tx) error {
			if got := tx.Bucket(headerBucket).Get(headerKey)[0]; got != want {
				t.Errorf("it is a file of version %d, want %d", got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	b := floors.Record{Floor: floorlaws.Floor(3, 9, "x.example")}
	revoked, contradicted := floorlaws.Floor(0, 1, ""), floorlaws.Contradiction(floorlaws.Floor(0, 1, "x.example"))
	check := func(s floors.Store) {
		t.Helper()
		if got := floorlaws.MustLoad(t, s, "b.example"); !gocmp.Equal(got, b) {
			t.Error(gocmp.Diff(b, got))
		}
		if got := floorlaws.MustFloor(t, s, "a.b.example"); got != revoked {
			t.Errorf("got %v", got)
		}
		if got := floorlaws.MustFloor(t, s, "c.example"); got != contradicted {
			t.Errorf("got %v", got)
		}
	}
	s := mustOpen(t, path, floorlaws.Plenty, clock.Now)
	check(s)
	s.Close()
	version(2)
	s = mustOpen(t, path, floorlaws.Plenty, clock.Now)
	b.Statement, b.Seen = []byte("a statement"), world.Noon
	floorlaws.MustKeep(t, s, "b.example", b)
	check(s)
	s.Close()
	version(3)
	check(mustOpen(t, path, floorlaws.Plenty, clock.Now))
}

// cutOffWhileReading reads in many goroutines and then cuts the file off. Some of
// them can be left behind by the library; the callers are not.
func cutOffWhileReading(path string) int {
	s, err := openAt(context.Background(), path, floorlaws.Plenty, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	const readers = 20
	begun, ended := make(chan bool, readers), make(chan error, readers)
	for range readers {
		go func() {
			begun <- true
			var err error
			for err == nil {
				_, err = s.Load(context.Background(), world.Source, world.Service)
			}
			ended <- err
		}()
	}
	for range readers {
		<-begun
	}
	if err := os.Truncate(path, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for range readers {
		if err := <-ended; !errors.Is(err, floors.ErrDamaged) {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := s.Close(); !errors.Is(err, floors.ErrDamaged) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestCutOffWhileReading(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "memory.db")
		mustOpen(t, path, floorlaws.Plenty, nil).Close()
		cmd, _ := floorlaws.Child(t, "cut", path)
		hung := time.AfterFunc(realtest.Timeout, func() { cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v (killed, if a reader was held up)", err)
		}
		hung.Stop()
	}
}
