package run_test

import (
	"testing"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
	"github.com/dnasign/dnasign/testvectors"
)

// TestVectors: this verifier answers every case of the tree as it should.
func TestVectors(t *testing.T) {
	files, err := run.Load(testvectors.Files)
	if err != nil {
		t.Fatal(err)
	}
	if n := runAll(t, files); n < 300 {
		t.Errorf("only %d cases", n)
	}
}

// TestBases: without its one defect, every refused case verifies.
func TestBases(t *testing.T) {
	_, bases := vectors.Generate()
	if n := runAll(t, []vectors.File{{Family: "bases", Cases: bases}}); n < 300 {
		t.Errorf("only %d cases", n)
	}
}

func runAll(t *testing.T, files []vectors.File) int {
	t.Helper()
	n := 0
	err := run.Run(t.Context(), run.This{}, files, func(c vectors.Case, r run.Result) {
		n++
		for _, d := range r.Differences {
			t.Errorf("%s (%s): %s is %v, want %v", c.ID, c.Comment, d.Member, d.Got, d.Want)
		}
		if r.Skipped != "" {
			t.Errorf("%s: %s", c.ID, r.Skipped)
		}
	})
	if err != nil {
		t.Error(err)
	}
	return n
}
