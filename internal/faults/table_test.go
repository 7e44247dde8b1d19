package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFaultsFit: the place of every fault is in the code, once. Whether vectors
// catch them takes minutes, and is for the command.
func TestFaultsFit(t *testing.T) {
	names := map[string]bool{}
	for _, f := range faults {
		if names[f.name] {
			t.Errorf("%s: there twice", f.name)
		}
		names[f.name] = true
		text, err := os.ReadFile(filepath.Join("..", "..", f.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), f.old); n != 1 || f.old == f.new {
			t.Errorf("%s: %q stands %d times in %s", f.name, f.old, n, f.file)
		}
	}
	if len(names) < 40 {
		t.Errorf("%d faults", len(names))
	}
}
