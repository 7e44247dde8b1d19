package main

import (
	"cmp"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/renew"
	"github.com/dnasign/dnasign/internal/signing"
)

const (
	// usualConfig is the configuration that init writes and renew reads.
	usualConfig = "/etc/dnasign/dna.yaml"
	// configVariable is the environment variable that names another one.
	configVariable = "DNASIGN_CONFIG"
	// lockWait is how long a run waits for another one with the same
	// configuration to end.
	lockWait = time.Minute
)

type renewFlags struct {
	strangerFlags
	config        string
	domains       []string
	state         string
	dryRun, force bool
	hookForAll    bool
	readable      bool
	prune, check  bool
	wait          time.Duration
	json          bool
}

func renewCommand() *cobra.Command {
	var f renewFlags
	cmd := &cobra.Command{
		Use:   "renew [DOMAIN ...] [--config FILE]",
		Short: "Keep delegations signed and published",
		Long: `Look at each delegation in the configuration, sign and publish what needs it, and
verify the result as a stranger would. A statement is signed again if its
certificate was renewed, if its targets changed, if less than a third of its
lifetime is left, or if it is not where it belongs. Nothing else is changed. So
this command can run at any time: from a timer twice a day, and from the hook of
a certificate client. If one domain fails, it continues with the others.

It never signs a statement that ranks below a published one, or below one that it
has signed before. It remembers those beside the configuration (--state). Of
several machines the one with the newest certificate signs. The others report
"standby". A revocation made with dnasign revoke stays until --force.

A service that is taken out of the configuration is not renewed. While its
statement is still published, each run warns. --prune removes the statement.

--check tries everything that a run needs. It signs and discards the statement,
sends each DNS server an update that changes nothing, and looks at folders, SRV
records and web servers. It prints a line for each check.

Called by certbot or lego (RENEWED_LINEAGE, LEGO_HOOK_CERT_PATH, LEGO_CERT_PATH),
it runs only for the certificate that was renewed. If nothing is signed with that
certificate, the configuration or the hook is wrong (exit code 2). A hook that is
called for all certificates needs --hook-for-all. dnasign init writes a first
configuration.

Exit codes: 0 all is well, 1 something was refused, 2 the configuration or the call
is wrong, 3 only passing failures: run it again.`,
		Example: `  dnasign renew --config /etc/dnasign/dna.yaml
  dnasign renew --check
  dnasign renew --dry-run
  dnasign renew b.example
  certbot renew --deploy-hook "dnasign renew --config /etc/dnasign/dna.yaml"`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.domains = append(f.domains, args...)
			return runRenew(cmd, f)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return f.configured(args), cobra.ShellCompDirectiveNoFileComp
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", defaultConfig(), "the configuration; "+configVariable+" in the environment names another default")
	flags.StringArrayVar(&f.domains, "domain", nil, "do it for this domain only, as the argument DOMAIN; repeat for more")
	cli.CompleteFrom(cmd, "domain", func() []string { return f.configured(f.domains) })
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and write nothing")
	allowReadable(flags, &f.readable)
	flags.BoolVar(&f.hookForAll, "hook-for-all", false, "called by a hook for all certificates: a certificate that signs nothing here is not a mistake")
	flags.BoolVar(&f.check, "check", false, "try every key, web root, certificate, server and the resolver, and change nothing")
	flags.BoolVar(&f.prune, "prune", false, "remove the published statements of services that were taken out of the configuration")
	flags.StringVar(&f.state, "state", "", "file that remembers what was signed; by default the configuration's name and .signed.json")
	flags.BoolVar(&f.force, "force", false, "sign everything anew, also after a revocation, and replace whatever is published")
	flags.DurationVar(&f.wait, "wait", time.Minute, "how long to wait in the end for name servers that lag, all together")
	flags.BoolVar(&f.json, "json", false, "report as JSON")
	f.strangerFlags.define(cmd)
	for _, other := range []string{"dry-run", "force", "prune"} {
		cmd.MarkFlagsMutuallyExclusive("check", other)
	}
	configFiles(cmd)
	return cmd
}

func defaultConfig() string { return cmp.Or(os.Getenv(configVariable), usualConfig) }

// configFiles are the files of the configuration, for the manual page.
func configFiles(cmd *cobra.Command) {
	cli.Files(cmd, usualConfig, "the configuration, unless --config or the environment variable "+configVariable+" names another one.",
		signing.StateFile(usualConfig), "what was signed, unless --state names another file. It lies beside the configuration and holds no keys.")
}

// configured are the domains of the configuration without those that are given.
func (f renewFlags) configured(given []string) (domains []string) {
	config, err := renew.ReadConfig(f.config)
	if err != nil {
		return nil // the run says what is wrong
	}
	for _, d := range config.Delegations {
		if !slices.Contains(given, d.Source) && !slices.Contains(domains, d.Source) {
			domains = append(domains, d.Source)
		}
	}
	return domains
}

func runRenew(cmd *cobra.Command, f renewFlags) error {
	defer untilStopped(cmd)()
	client, roots, err := f.stranger()
	if err != nil {
		return err
	}
	if f.config == cli.Standard {
		return cli.Usagef("--config must be a file: what was signed is remembered beside it")
	}
	if f.wait < 0 {
		return cli.Usagef("--wait is less than nothing")
	}
	unlock := func() {}
	if !f.check { // which changes nothing, so it waits for no other run
		unlock, err = renew.Lock(cmd.Context(), f.config, lockWait)
	}
	if errors.Is(err, renew.ErrLocked) {
		say(cmd, "another run has been at work with %s for more than %v; nothing was done\nhint: run this again when that has ended", f.config, lockWait)
		return cli.Reported{Outcome: reasons.OutcomeUndetermined}
	}
	if err != nil {
		return err
	}
	release := sync.OnceFunc(unlock)
	defer release()
	config, err := f.read(cmd)
	if err != nil || config == nil {
		return err
	}
	state, err := signing.ReadState(cmp.Or(f.state, signing.StateFile(f.config)))
	if err != nil {
		return err
	}
	runner := &renew.Runner{
		Config: config, Client: *client, Roots: roots, State: state, DryRun: f.dryRun, Force: f.force, Prune: f.prune, Wait: f.wait, Keys: signerKeys(f.readable),
		Release: release, Progress: cli.Progress(cmd.ErrOrStderr(), "renewing"),
	}
	if f.check {
		report := runner.Check(cmd.Context())
		return f.tell(cmd, report, report.Outcome)
	}
	report := runner.Run(cmd.Context())
	return f.tell(cmd, report, report.Outcome)
}

// tell writes a report.
func (f renewFlags) tell(cmd *cobra.Command, report interface{ WriteText(io.Writer) error }, outcome reasons.Outcome) (err error) {
	if f.json {
		err = cli.WriteJSON(cmd.OutOrStdout(), report)
	} else {
		err = report.WriteText(cli.Wrapped(cmd.OutOrStdout()))
	}
	if err == nil && outcome != reasons.OutcomeVerified {
		err = cli.Reported{Outcome: outcome}
	}
	return err
}

// read reads the configuration, as far as this run is about it. It returns nil
// if a hook for all certificates is about none of its domains.
func (f renewFlags) read(cmd *cobra.Command) (*renew.Config, error) {
	config, err := renew.ReadConfig(f.config)
	var wrong *renew.ConfigError
	if errors.As(err, &wrong) {
		return nil, cli.Usagef("the configuration is wrong\n%w", wrong)
	}
	if err != nil {
		return nil, err
	}
	for _, w := range config.Warnings {
		warn(cmd, w.String())
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
	concerned := config.Only(hook.Concerns)
	switch {
	case len(concerned.Delegations) > 0:
		return concerned, nil
	case !f.hookForAll:
		return nil, cli.Usagef("%s", hook.Nothing(config))
	}
	say(cmd, "nothing in %s is signed with the renewed certificate, and nothing was done", f.config)
	return nil, nil
}
