package filestore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
)

// openAt is an opener of floorlaws.
func openAt(ctx context.Context, place string, l floorrecord.Limits, now func() time.Time) (floors.Store, error) {
	return openLimited(ctx, place, (&floors.Options{Now: now}).WithDefaults(), l)
}

func mustOpen(t *testing.T, place string, l floorrecord.Limits, now func() time.Time) floors.Store {
	t.Helper()
	return floorlaws.Opener(openAt).Must(t, place, l, now)
}

// TestMain runs the test binary again as another process that uses a file, if
// the environment says so.
func TestMain(m *testing.M) {
	floorlaws.Main(m, openAt, map[string]func(path string) int{"full": fillDisk, "cut": cutOffWhileReading})
}

func kind(t *testing.T) floorlaws.Kind {
	fresh := func() string { return filepath.Join(t.TempDir(), "memory.db") }
	return floorlaws.Kind{Fresh: fresh, Open: openAt, Lasting: true, Statements: true}
}

func TestLaws(t *testing.T) { floorlaws.All(t, kind) }
func TestKill(t *testing.T) { floorlaws.Kill(t, kind(t)) }

// TestProcesses: one process at a time uses a file.
func TestProcesses(t *testing.T) {
	path := kind(t).Fresh()
	_, lines := floorlaws.Child(t, "hold", path)
	if !lines.Scan() {
		t.Fatal("the other process did not open it")
	}
	ctx, cancel := shortly(t)
	defer cancel()
	s, err := Open(ctx, path, nil)
	if !errors.Is(err, floors.ErrLocked) || !strings.Contains(err.Error(), "one process at a time") {
		t.Error(s, err)
	}
}

func TestOpenNowhere(t *testing.T) {
	for _, path := range []string{"", t.TempDir(), filepath.Join(t.TempDir(), "none", "memory.db")} {
		if s, err := Open(t.Context(), path, nil); err == nil {
			s.Close()
			t.Errorf("%q: no error", path)
		}
	}
}
