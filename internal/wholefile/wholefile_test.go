//go:build unix

package wholefile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWrite(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := t.TempDir()
	t.Chdir(dir)
	for name, mode := range map[string]fs.FileMode{filepath.Join(dir, "a"): 0o644, "b": 0o600} {
		for _, text := range []string{"one", "", "a longer text"} {
			if err := Write(name, []byte(text), mode); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(name)
			info, _ := os.Stat(name)
			if string(got) != text || err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %q, %v, %v", name, got, err, info.Mode())
			}
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestFailed: nothing is left, and what was there is there.
func TestFailed(t *testing.T) {
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "none", "a"), nil, 0o644); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "a"), []byte("x"), 0o644); err == nil {
		t.Error("a folder was replaced")
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 || !list[0].IsDir() {
		t.Errorf("%v, %v", list, err)
	}
}

func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"s.jws", ".s.jws.1.tmp", ".s.jws.234.tmp", ".s.jws.x.tmp", ".s.jws.tmp", ".other.5.tmp", "s.jws.6.tmp", ".sxjws.7.tmp"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{".s.jws.1.tmp", ".s.jws.234.tmp"}
	got, err := Leftovers("s.jws")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	got, err = Leftovers(filepath.Join(dir, "s.jws"))
	if err != nil || len(got) != 2 || got[0] != filepath.Join(dir, want[0]) {
		t.Errorf("%q, %v", got, err)
	}
	// What a Write makes is what is found.
	f, err := os.CreateTemp(".", pattern("s.jws"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got, err := Leftovers("s.jws"); err != nil || len(got) != 3 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want it to be locked", err)
	}
	unlock()
	if _, err := Lock(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	// One at a time.
	var all sync.WaitGroup
	var inside atomic.Int32
	for range 8 {
		all.Go(func() {
			unlock, err := Lock(t.Context(), dir)
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d have the lock", n)
			}
			inside.Add(-1)
			unlock()
		})
	}
	all.Wait()
}
