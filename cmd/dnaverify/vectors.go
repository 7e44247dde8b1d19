package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
)

func vectorsCommand() *cobra.Command {
	var harness, family string
	var asJSON, verbose bool
	cmd := &cobra.Command{
		Use:   "vectors DIR",
		Short: "Run test vectors against this verifier, or another one",
		Long: `Run the test vectors in a folder against this verifier. With --harness, have
another program answer them: it is started once, without a shell, gets one case
a line on its standard input and writes one answer a line. testvectors/README.md
describes both.`,
		Example: `  dnaverify vectors testvectors
  dnaverify vectors testvectors --harness 'node integrations/javascript/harness.js'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err != nil {
				return err
			} else if !info.IsDir() {
				return cli.Usagef("%s is not a folder", args[0])
			}
			files, err := run.Load(os.DirFS(args[0]))
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if family != "" {
				files = slices.DeleteFunc(files, func(f vectors.File) bool { return f.Family != family })
			}
			if len(files) == 0 {
				return cli.Usagef("%s has no family %q", args[0], family)
			}
			var report vectorsReport
			if err := report.run(cmd.Context(), harness, files, cmd.ErrOrStderr()); err != nil {
				return err
			}
			if asJSON {
				err = cli.WriteJSON(cmd.OutOrStdout(), report)
			} else {
				_, err = io.WriteString(cmd.OutOrStdout(), report.text(verbose))
			}
			if err == nil && !report.passed() {
				err = cli.Reported{Outcome: reasons.OutcomeRefused}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&harness, "harness", "", "the command line of another verifier, words between spaces")
	flags.StringVar(&family, "family", "", "only this family, such as jws")
	flags.BoolVar(&asJSON, "json", false, "write the results as JSON")
	flags.BoolVarP(&verbose, "verbose", "v", false, "also list what passed and what was skipped")
	return cmd
}

// A vectorsReport is what came of a run.
type vectorsReport struct {
	Version  int            `json:"version"`
	Families []familyReport `json:"families"`
	Results  []run.Result   `json:"results"`

	all      familyReport
	comments map[string]string
}

type familyReport struct {
	Family  string `json:"family"`
	Cases   int    `json:"cases"`
	Passed  int    `json:"passed"`
	Failed  int    `json:"failed"`
	Skipped int    `json:"skipped"`
}

func (r *vectorsReport) run(ctx context.Context, harness string, files []vectors.File, messages io.Writer) (err error) {
	r.Version, r.all.Family, r.comments = 1, "all", map[string]string{}
	for _, f := range files {
		r.Families = append(r.Families, familyReport{Family: f.Family})
	}
	var v run.Verifier = run.This{}
	if harness != "" {
		h, err := run.Start(ctx, harness, messages)
		if err != nil {
			return cli.Usagef("%s: %w", harness, err)
		}
		defer h.Close() // how a program ends that has answered everything says nothing
		v = h
	}
	return run.Run(ctx, v, files, func(c vectors.Case, result run.Result) {
		r.comments[c.ID] = c.Comment
		r.Results = append(r.Results, result)
		i := slices.IndexFunc(r.Families, func(f familyReport) bool { return f.Family == result.Family })
		r.Families[i].count(result)
		r.all.count(result)
	})
}

func (f *familyReport) count(r run.Result) {
	f.Cases++
	switch {
	case r.Passed():
		f.Passed++
	case r.Skipped != "":
		f.Skipped++
	default:
		f.Failed++
	}
}

// passed: nothing failed, and not everything was skipped.
func (r *vectorsReport) passed() bool { return r.all.Failed == 0 && r.all.Passed > 0 }

func (r *vectorsReport) text(verbose bool) string {
	var b strings.Builder
	for _, result := range r.Results {
		switch {
		case result.Passed() && verbose:
			fmt.Fprintf(&b, "ok    %s\n", result.ID)
		case result.Skipped != "" && verbose:
			fmt.Fprintf(&b, "SKIP  %s: %s\n", result.ID, result.Skipped)
		case len(result.Differences) > 0:
			fmt.Fprintf(&b, "FAIL  %s: %s\n", result.ID, r.comments[result.ID])
			for _, d := range result.Differences {
				fmt.Fprintf(&b, "        %s: got %.300v, want %v\n", d.Member, d.Got, d.Want)
			}
		}
	}
	for _, f := range append(r.Families, r.all) {
		fmt.Fprintf(&b, "%-24s %4d cases, %4d passed, %d failed, %d skipped\n", f.Family, f.Cases, f.Passed, f.Failed, f.Skipped)
	}
	return b.String()
}
