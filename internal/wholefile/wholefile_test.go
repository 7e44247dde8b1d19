//go:build unix

package wholefile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	root, above := openRoot(t, dir), openRoot(t, filepath.Dir(dir))
	got, err := Leftovers(root, "s.jws")
	if slices.Sort(got); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	base := filepath.Base(dir)
	got, err = Leftovers(above, base+"/s.jws")
	if slices.Sort(got); err != nil || len(got) != 2 || got[0] != base+"/"+want[0] {
		t.Errorf("%q, %v", got, err)
	}
	// What a Write makes is what is found.
	f, _, err := createTemp(root, "s.jws")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got, err := Leftovers(root, "s.jws"); err != nil || len(got) != 3 {
		t.Errorf("%q, %v", got, err)
	}
}

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// TestForeignFolder: what somebody has put into a folder of theirs is neither
// waited for nor followed.
func TestForeignFolder(t *testing.T) {
	dir := t.TempDir()
	outside, inside := filepath.Join(dir, "outside"), filepath.Join(dir, "inside")
	for _, d := range []string{outside, inside} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(inside, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(inside, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := openRoot(t, inside)
	for _, name := range []string{"link", "pipe"} {
		if err := WriteIn(root, name+"/s.jws", []byte("x"), 0o644); err == nil {
			t.Errorf("%s: written", name)
		}
		if _, err := Leftovers(root, name+"/s.jws"); err == nil {
			t.Errorf("%s: listed", name)
		}
		if _, _, err := LockIn(t.Context(), root, name, time.Minute); err == nil {
			t.Errorf("%s: locked", name)
		}
	}
	if _, err := OpenRoot(filepath.Join(inside, "pipe")); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a pipe as a folder: %v", err)
	}
	if err := Write(filepath.Join(inside, "pipe", "s.jws"), nil, 0o644); err == nil {
		t.Error("written below a pipe")
	}
	// The file itself is replaced, whatever it is.
	for _, name := range []string{"link", "pipe"} {
		if err := WriteIn(root, name, []byte("x"), 0o644); err != nil {
			t.Error(err)
		}
	}
	if list, err := os.ReadDir(outside); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
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

// TestLockFile: whoever has the lock replaces the file, and who waited has the
// lock of the new one.
func TestLockFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if _, _, err := LockFile(t.Context(), file, time.Minute); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := Write(file, []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			unlock, locked, err := LockFile(t.Context(), file, time.Minute)
			if err != nil || !locked {
				t.Error(locked, err)
				return
			}
			defer unlock()
			got, err := os.ReadFile(file)
			if err == nil {
				err = Write(file, []byte{got[0] + 1}, 0o600)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := os.ReadFile(file); err != nil || string(got) != "8" {
		t.Errorf("%q, %v", got, err)
	}
	unlock, _, err := LockFile(t.Context(), file, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, locked, err := LockFile(t.Context(), file, time.Millisecond); locked || err != nil {
		t.Errorf("%t, %v", locked, err)
	}
}

// TestNoTemporaryNames: an error names the file that was to be written.
func TestNoTemporaryNames(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "none", "a"), filepath.Join(dir, "folder")} {
		err := Write(name, nil, 0o600)
		if err == nil || !strings.HasPrefix(err.Error(), "write "+name+": ") || strings.Contains(err.Error(), ".tmp") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(filepath.Join(dir, "none", "a"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
