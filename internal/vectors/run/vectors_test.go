package run_test

import (
	"testing"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
)

func TestGenerated(t *testing.T) {
	n := 0
	err := run.Run(t.Context(), run.This{}, vectors.Generate(), func(c vectors.Case, r run.Result) {
		n++
		for _, d := range r.Differences {
			t.Errorf("%s: %s is %v, want %v", c.ID, d.Member, d.Got, d.Want)
		}
		if r.Skipped != "" {
			t.Errorf("%s: %s", c.ID, r.Skipped)
		}
	})
	if err != nil {
		t.Error(err)
	}
	t.Log(n)
	for _, c := range vectors.Bases() {
		file := vectors.File{Family: "base", Cases: []vectors.Case{c}}
		if err := run.Run(t.Context(), run.This{}, []vectors.File{file}, func(c vectors.Case, r run.Result) {
			for _, d := range r.Differences {
				t.Errorf("the base of %s: %s is %v, want %v", c.ID, d.Member, d.Got, d.Want)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}
