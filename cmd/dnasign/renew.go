package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/renew"
)

const (
	// defaultConfig is the configuration that init writes and renew reads.
	defaultConfig = "dna.yaml"
	// lockWait is how long a run waits for another one with the same
	// configuration to end.
	lockWait = time.Minute
)

type renewFlags struct {
	strangerFlags
	config        string
	domains       []string
	dryRun, force bool
	wait          time.Duration
	json          bool
}

func renewCommand() *cobra.Command {
	var f renewFlags
	cmd := &cobra.Command{
		Use:   "renew [--config FILE]",
		Short: "Keep delegations signed and published",
		Long: `Look at each delegation that the configuration lists, sign and publish what needs
it, and verify the end as a stranger would. A statement is signed anew if its
certificate was renewed, if its targets changed, if less than a third of its life
is left, or if it is not where it belongs. Everything else is left alone, so that
this command can run at any time: from a timer twice a day, and from the hook of
a certificate client. It goes on past a domain that fails.

Called by certbot or lego (RENEWED_LINEAGE, LEGO_CERT_PATH), it does so for the
certificate that was renewed only. dnasign init writes a first configuration.

Exit codes: 0 all is well, 1 something was refused, 2 the configuration or the call
is wrong, 3 only passing failures: run it again.`,
		Example: `  dnasign renew --config /etc/dnasign/dna.yaml
  dnasign renew --dry-run
  certbot renew --deploy-hook "dnasign renew --config /etc/dnasign/dna.yaml"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRenew(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", defaultConfig, "the configuration")
	flags.StringArrayVar(&f.domains, "domain", nil, "do it for this domain only; repeat for more")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and write nothing")
	flags.BoolVar(&f.force, "force", false, "sign everything anew")
	flags.DurationVar(&f.wait, "wait", time.Minute, "how long to wait in the end for name servers that lag, all together")
	flags.BoolVar(&f.json, "json", false, "report as JSON")
	f.strangerFlags.define(cmd)
	return cmd
}

func runRenew(cmd *cobra.Command, f renewFlags) error {
	client, roots, err := f.stranger()
	if err != nil {
		return err
	}
	if f.wait < 0 {
		return cli.Usagef("--wait is less than nothing")
	}
	unlock, err := renew.Lock(cmd.Context(), f.config, lockWait)
	if errors.Is(err, renew.ErrLocked) {
		fmt.Fprintf(cmd.ErrOrStderr(), "dnasign: another run has been at work with %s for more than %v; nothing was done\nhint: run this again when that has ended\n", f.config, lockWait)
		return cli.Reported{Outcome: delegation.OutcomeUndetermined}
	}
	if err != nil {
		return err
	}
	defer unlock()
	config, err := f.read(cmd)
	if err != nil || config == nil {
		return err
	}
	runner := &renew.Runner{
		Config: config, Client: *client, Roots: roots, DryRun: f.dryRun, Force: f.force, Wait: f.wait,
		Progress: cli.Progress(cmd.ErrOrStderr(), "renewing"),
	}
	report := runner.Run(cmd.Context())
	if f.json {
		err = cli.WriteJSON(cmd.OutOrStdout(), report)
	} else {
		err = report.WriteText(cmd.OutOrStdout())
	}
	if err == nil && report.Outcome != delegation.OutcomeVerified {
		err = cli.Reported{Outcome: report.Outcome}
	}
	return err
}

// read reads the configuration, as far as this run is about it. It returns nil
// if a hook is about none of its domains.
func (f renewFlags) read(cmd *cobra.Command) (*renew.Config, error) {
	config, err := renew.ReadConfig(f.config)
	var wrong *renew.ConfigError
	if errors.As(err, &wrong) {
		return nil, cli.Usagef("the configuration is wrong\n%w", wrong)
	}
	if err != nil {
		return nil, err
	}
	var domains []string
	for _, text := range f.domains {
		name, err := cli.Domain(text)
		if err != nil {
			return nil, err
		}
		if !config.Has(name) {
			return nil, cli.Usagef("%s is not in %s", name, f.config)
		}
		domains = append(domains, name)
	}
	if len(domains) > 0 {
		return config.Only(func(d *renew.Delegation) bool { return slices.Contains(domains, d.Source) }), nil
	}
	hook := renew.HookFrom(os.Getenv)
	if hook == nil {
		return config, nil
	}
	if config = config.Only(hook.Concerns); len(config.Delegations) == 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "dnasign: %s has nothing that is signed with the renewed certificate of %s\n", f.config, hook)
		return nil, nil
	}
	return config, nil
}
