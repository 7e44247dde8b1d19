package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
)

// FuzzList: every domain of a list that is read is a legal name. There is one
// for each line that is not empty. They are read again as the same.
func FuzzList(f *testing.F) {
	for _, text := range []string{
		"b.example\n", "# all\nB.Example. # one\n\n  c.example\r\n", "b.example c.example\n", "*.example\n", "b.example\x00\n", strings.Repeat("a", 70000), "",
	} {
		f.Add(text)
	}
	read := func(text string) ([]string, error) {
		cmd := new(cobra.Command)
		cmd.SetIn(strings.NewReader(text))
		return readList(cmd, "-")
	}
	f.Fuzz(func(t *testing.T, text string) {
		domains, err := read(text)
		if err != nil {
			var usage cli.UsageError
			if !errors.As(err, &usage) || domains != nil {
				t.Fatalf("%d domains, %v", len(domains), err)
			}
			return
		}
		full := 0
		for line := range strings.SplitSeq(text, "\n") {
			if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
				full++
			}
		}
		if len(domains) == 0 || len(domains) != full {
			t.Fatalf("%d domains in %d lines of %q", len(domains), full, text)
		}
		for _, d := range domains {
			if err := delegation.CheckName(d); err != nil {
				t.Fatal(err)
			}
		}
		if again, err := read(strings.Join(domains, "\n")); err != nil || strings.Join(again, " ") != strings.Join(domains, " ") {
			t.Fatalf("read again as %v, %v", again, err)
		}
	})
}
