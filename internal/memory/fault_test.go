package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
)

var childContext = context.Background()

// shortly is for an Open that waits for a lock in vain.
func shortly(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 100*time.Millisecond)
}

// filled makes a file of some pages and returns it with what is in it.
func filled(t *testing.T) (image []byte, want map[string][]delegation.Floor) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "memory.db")
	s := mustOpen(t, path, plenty, nil)
	want = map[string][]delegation.Floor{}
	for i := range 150 {
		name := fmt.Sprintf("n%d.b%d.example", i, i%20)
		want[name] = mustRaise(t, s, name, floor(service, i, 0, "x.example"))
		if i%3 == 0 {
			want[name] = mustRaise(t, s, name, floor(direct, 0, i, ""))
		}
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
func judge(t *testing.T, path string, image []byte, want map[string][]delegation.Floor, what string) (refused bool) {
	t.Helper()
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), path, Options{}, plenty)
	if err != nil {
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "move the file away") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
		return true
	}
	defer s.Close()
	for name, floors := range want {
		if got, err := s.Floors(t.Context(), name); err != nil || !gocmp.Equal(got, floors) {
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
		if err := checkPages(bytes.NewReader(image), int64(len(image))); errors.Is(err, ErrDamaged) && i%20 != 0 {
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
	s := mustOpen(t, path, plenty, nil)
	for name := range want {
		want[name] = mustRaise(t, s, name, floor(service, 999, 0, "y.example"))
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
	s := mustOpen(t, path, plenty, nil)
	mustRaise(t, s, source, floor(service, 0, 0, "x.example")) // when the first look for old ones is over
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := s.Floors(t.Context(), source); !errors.Is(err, ErrDamaged) {
			t.Errorf("Floors: got %v, %v", got, err)
		}
		if got, err := s.Raise(t.Context(), source, floors{floor(service, 0, 1, "")}); !errors.Is(err, ErrDamaged) {
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
	if s, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
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
	if s, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "it belongs to user 65534") {
		t.Error(s, err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "memory.db")
	mustOpen(t, path, plenty, nil).Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Error("more than the file was left:", entries, err)
	}
}

// TestForget: a source is forgotten 400 days after its last Raise, and a wrong
// clock makes none forgotten.
func TestForget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	c := &clock{at: t0}
	f := floor(service, 0, 0, "x.example")
	remembered := func() (list []string) {
		mustOpen(t, path, plenty, c.now).Close() // looks for old ones before it ends
		s := mustOpen(t, path, plenty, c.now)
		defer s.Close()
		for _, name := range []string{"a.example", "b.example", "c.example"} {
			if len(mustFloors(t, s, name)) > 0 {
				list = append(list, name)
			}
		}
		return list
	}
	raise := func(name string) {
		s := mustOpen(t, path, plenty, c.now)
		defer s.Close()
		mustRaise(t, s, name, f)
	}
	const day = 24 * time.Hour
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"raised", func() { raise("a.example"); raise("b.example") }, []string{"a.example", "b.example"}},
		{"a clock far ahead", func() { c.set(t0.AddDate(30, 0, 0)) }, []string{"a.example", "b.example"}},
		{"a clock far behind", func() { c.set(t0.AddDate(-30, 0, 0)) }, []string{"a.example", "b.example"}},
		{"raised again by nothing new", func() { c.set(t0.Add(200 * day)); raise("b.example") }, []string{"a.example", "b.example"}},
		{"400 days after", func() { c.set(t0.Add(Keep)); raise("c.example") }, []string{"a.example", "b.example", "c.example"}},
		{"402 days after", func() { c.set(t0.Add(Keep + 2*day)); raise("c.example") }, []string{"b.example", "c.example"}},
		{"long after", func() { c.set(t0.Add(1000 * day)) }, []string{"b.example", "c.example"}},
		{"long after, and a source verified", func() { raise("a.example") }, []string{"a.example"}},
	} {
		step.do()
		if got := remembered(); !gocmp.Equal(got, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
}
