package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

// policyFlags are what verify and check believe.
type policyFlags struct {
	roots string
	at    string
	json  bool
}

func (f *policyFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.roots, "roots", "", "PEM file with the trust anchors, instead of the system's")
	flags.StringVar(&f.at, "at", "", "verify for this moment (RFC 3339) instead of now")
	flags.BoolVar(&f.json, "json", false, "the verdict as JSON")
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

// conclude verifies, shows the verdict and makes it the exit code.
func (f policyFlags) conclude(cmd *cobra.Command, q delegation.Query, e *delegation.Evidence, p delegation.Policy) error {
	result, err := delegation.Verify(q, e, p)
	return f.show(cmd, q, result, err)
}

// show shows what a verification came to and makes it the exit code.
func (f policyFlags) show(cmd *cobra.Command, q delegation.Query, result *delegation.Result, err error) error {
	report := delegation.NewReport(q, result, err)
	out := cmd.OutOrStdout()
	if f.json {
		if err := cli.WriteJSON(out, report); err != nil {
			return err
		}
	} else {
		cli.WriteReport(out, report, cli.Color(out))
	}
	if err != nil {
		return cli.Reported{Outcome: report.Outcome}
	}
	return nil
}
