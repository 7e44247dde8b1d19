package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// fillDisk raises new sources until a file cannot grow any more, and then goes
// on with more room. The limit on the size of files is the disk that is full.
func fillDisk(path string) int {
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return fail(err)
	}
	s, err := openAt(context.Background(), path, floorlaws.Plenty, nil)
	if err != nil {
		return fail(err)
	}
	defer s.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100_000, Max: old.Max}); err != nil {
		return fail(err)
	}
	n := 0
	for ; n < 1000 && err == nil; n++ {
		if _, err = s.Raise(context.Background(), floorlaws.WorkerSource(n), world.Service, floors.Record{Floor: floorlaws.Floor(0, n, "x.example")}); err == nil {
			fmt.Println(n)
		}
	}
	if err == nil || !strings.Contains(err.Error(), syscall.EFBIG.Error()) || errors.Is(err, floors.ErrDamaged) || errors.Is(err, floors.ErrFull) {
		return fail(fmt.Errorf("after %d sources: %w", n, err))
	}
	for range 3 { // what was known is still known, and nothing new is
		if got, err := s.Load(context.Background(), floorlaws.WorkerSource(0), world.Service); err != nil || got.Floor.IsZero() {
			return fail(fmt.Errorf("the disk is full: %v, %w", got, err))
		}
		if got, err := s.Raise(context.Background(), floorlaws.WorkerSource(0), world.Service, floors.Record{Floor: floorlaws.Floor(0, 0, "x.example")}); err != nil || got.IsZero() {
			return fail(fmt.Errorf("the disk is full, and nothing is to be written: %v, %w", got, err))
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return fail(err)
	}
	if _, err := s.Raise(context.Background(), floorlaws.WorkerSource(n), world.Service, floors.Record{Floor: floorlaws.Floor(0, n, "x.example")}); err != nil {
		return fail(err)
	}
	fmt.Println(n)
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	cmd, lines := floorlaws.Child(t, "full", path)
	var acknowledged []int
	for lines.Scan() {
		var n int
		fmt.Sscan(lines.Text(), &n)
		acknowledged = append(acknowledged, n)
	}
	if err := cmd.Wait(); err != nil || len(acknowledged) < 10 {
		t.Fatal(err, acknowledged)
	}
	s := mustOpen(t, path, floorlaws.Plenty, nil)
	for _, n := range acknowledged {
		if got := floorlaws.MustFloor(t, s, floorlaws.WorkerSource(n)); got.IsZero() {
			t.Errorf("%d was acknowledged, and is %v", n, got)
		}
	}
}

// TestReadOnly opens what may not be written to, as nobody.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "memory.db")
	mustOpen(t, path, floorlaws.Plenty, nil).Close()
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		runtime.LockOSThread() // and never unlocked: the thread ends with the test
		syscall.Setfsuid(65534)
		defer syscall.Setfsuid(0)
	} else if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{path, filepath.Join(dir, "new.db")} {
		s, err := Open(t.Context(), place, nil)
		if !errors.Is(err, fs.ErrPermission) || errors.Is(err, floors.ErrDamaged) || !strings.Contains(err.Error(), place) {
			t.Errorf("got %v, %v", s, err)
		}
	}
}
