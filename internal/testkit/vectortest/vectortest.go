// Package vectortest runs the test vectors in the tests of the packages that
// they are about.
package vectortest

import (
	"slices"
	"testing"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
	"github.com/dnasign/dnasign/testvectors"
)

// Run runs every case of the operations, of which there must be at least so
// many, as a subtest that has its ID as its name.
func Run(t *testing.T, least int, operations ...string) {
	files, err := run.Load(testvectors.Files)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		f.Cases = slices.DeleteFunc(f.Cases, func(c vectors.Case) bool { return !slices.Contains(operations, c.Operation) })
		err := run.Run(t.Context(), run.This{}, []vectors.File{f}, func(c vectors.Case, r run.Result) {
			n++
			t.Run(c.ID, func(t *testing.T) {
				for _, d := range r.Differences {
					t.Errorf("%s: %s is %v, want %v", c.Comment, d.Member, d.Got, d.Want)
				}
				if r.Skipped != "" {
					t.Error(r.Skipped)
				}
			})
		})
		if err != nil {
			t.Error(err)
		}
	}
	if n < least {
		t.Errorf("only %d cases, at least %d are wanted", n, least)
	}
}
