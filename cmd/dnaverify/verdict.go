package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

// trustFlags are what every verdict rests on.
type trustFlags struct {
	roots string
	json  bool
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
	p.Roots, err = keys.LoadRoots(f.roots)
	return p, err
}

// conclude shows what a verification returned, below what was checked before,
// and makes it the exit code.
func conclude(cmd *cobra.Command, asJSON bool, q delegation.Query, result *delegation.Result, err error, before ...delegation.Check) error {
	r := delegation.NewReport(q, result, err)
	r.Checks = append(before, r.Checks...)
	return report(cmd, asJSON, r)
}

// report shows a verdict and makes it the exit code.
func report(cmd *cobra.Command, asJSON bool, r delegation.Report) error {
	out := cmd.OutOrStdout()
	if asJSON {
		if err := cli.WriteJSON(out, r); err != nil {
			return err
		}
	} else {
		cli.WriteReport(out, r, cli.Color(out))
	}
	if r.Outcome != delegation.OutcomeVerified {
		return cli.Reported{Outcome: r.Outcome}
	}
	return nil
}
