package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

// A form is how a verdict is shown.
type form struct{ json, verbose bool }

func (f *form) defineVerbose(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "below the verdict each check and what was found")
	cmd.MarkFlagsMutuallyExclusive("json", "verbose")
}

// trustFlags are what every verdict rests on, and how it is shown.
type trustFlags struct {
	roots string
	form
}

func (f *trustFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.roots, "roots", "", "PEM file with the trust anchors, instead of the system's")
	flags.BoolVar(&f.json, "json", false, "the verdict as JSON")
}

// policyFlags are what verify and check believe.
type policyFlags struct {
	trustFlags
	at string
}

func (f *policyFlags) define(cmd *cobra.Command) {
	f.trustFlags.define(cmd)
	cmd.Flags().StringVar(&f.at, "at", "", "verify for this moment (RFC 3339) instead of now")
}

func (f policyFlags) policy() (delegation.Policy, error) {
	p := delegation.Policy{Time: time.Now()}
	if f.at != "" {
		var err error
		if p.Time, err = time.Parse(time.RFC3339, f.at); err != nil {
			return p, cli.Usagef("--at %q is not a time such as 2026-01-31T12:00:00Z", f.at)
		}
	}
	var err error
	p.Roots, err = keys.LoadRoots(cli.Input(f.roots))
	return p, err
}

// clock is the time of each verdict.
func (f policyFlags) clock(p delegation.Policy) func() time.Time {
	if f.at == "" {
		return time.Now
	}
	return func() time.Time { return p.Time }
}

// report shows a verdict and makes it the exit code.
func report(cmd *cobra.Command, f form, r delegation.Report) error {
	return f.show(cmd, r.Outcome, cli.Explain(r), func(out io.Writer, color, details bool) { cli.WriteReport(out, r, color, details) })
}

// show shows something as JSON, or as write does, and makes its outcome the exit code.
func (f form) show(cmd *cobra.Command, outcome reasons.Outcome, value any, write func(out io.Writer, color, details bool)) error {
	out := cmd.OutOrStdout()
	if !f.json {
		write(out, cli.Color(out), f.verbose)
	} else if err := cli.WriteJSON(out, value); err != nil {
		return err
	}
	if outcome != reasons.OutcomeVerified {
		return cli.Reported{Outcome: outcome}
	}
	return nil
}
