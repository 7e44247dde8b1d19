package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/vectors/run"
	"github.com/dnasign/dnasign/testvectors"
)

// TestOwnFaultsFit: the same for the mistakes that models and tests must catch.
func TestOwnFaultsFit(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	for _, f := range slices.Concat(modelFaults, machineFaults, testFaults) {
		if _, err := changed(f.in(worlds)); err != nil || f.vectors == "" {
			t.Errorf("%s: scenarios %q, %v", f.name, f.vectors, err)
		}
	}
}

// TestFaultsFit: the place of every mistake is in the code, once, and there are
// vectors that must catch it. Whether they do takes minutes, and is for the
// command.
func TestFaultsFit(t *testing.T) {
	files, err := run.Load(testvectors.Files)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join("..", "..", ".."))
	names := map[string]bool{}
	for _, f := range faults {
		if names[f.name] {
			t.Errorf("%s: there twice", f.name)
		}
		names[f.name] = true
		found := 0
		for _, l := range languages {
			if _, ok := l.(ownFaults); ok {
				continue
			}
			found += len(f.in(l))
			if _, err := changed(f.in(l)); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
		}
		if found == 0 || found != len(f.edits) {
			t.Errorf("%s: %d edits, %d of them in a known language", f.name, len(f.edits), found)
		}
		for _, e := range f.edits {
			if _, err := os.Stat(e.file); err != nil || e.old == e.new {
				t.Errorf("%s: %s: no change (%v)", f.name, e.file, err)
			}
		}
		for _, begin := range strings.Fields(f.vectors) {
			n := 0
			for _, file := range files {
				for _, c := range file.Cases {
					if chooses(begin, c.ID) {
						n++
					}
				}
			}
			if n == 0 {
				t.Errorf("%s: no vector begins with %s", f.name, begin)
			}
		}
		if f.vectors == "" {
			t.Errorf("%s: no vectors must catch it", f.name)
		}
	}
	if len(names) < 90 {
		t.Errorf("%d mistakes, at least 90 are wanted", len(names))
	}
}
