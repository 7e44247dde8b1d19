package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
)

// maxEvidence bounds an evidence file: the documents and TXT answers of one
// query, in base64 and JSON, several times over.
const maxEvidence = 4 << 20

type checkFlags struct {
	policyFlags
	lookupFlags
	save, replay string
	list         string
	parallel     int
}

func checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check DOMAIN... | --list FILE",
		Short: "Find a domain's statement, verify it and compare it with SRV",
		Long: `Ask DNS for the SRV and TXT records and the web server of the domain for the
statement, all at once, verify what is found up to your trust anchors, and say to
which hosts you may connect.

DNSSEC counts only if you name a resolver with --validating-resolver and by that
vouch that it validates and that the way to it is safe. Without it a statement
is what proves the target.

With --via auto the answer comes as soon as one statement verifies: it may miss a
newer one, or a revocation, that another place has. --via both looks at all.

--self-test asks that resolver for two names of yours first, one that is secure
and one that is bogus; if it does not tell them apart, nothing else is asked.

--save-evidence keeps everything that was found; --evidence gives the verdict
again from such a file, with nothing asked of the network.

Of several domains, named here or one on a line of the file of --list, each gets
one line, in their order, with --json one object on a line. The exit code is 1
if any is refused, else 3 if any is undetermined.`,
		Example: `  dnaverify check b.example --service xmpp-server
  dnaverify check b.example --via both --resolver 192.0.2.53:53 --json
  dnaverify check --list domains.txt --json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.list == "" && len(args) == 1 {
				return check(cmd, args[0], f)
			}
			return checkAll(cmd, args, f)
		},
	}
	f.policyFlags.define(cmd)
	f.lookupFlags.define(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.save, "save-evidence", "", "file to keep what was found in, as JSON")
	flags.StringVar(&f.replay, "evidence", "", "file with evidence to judge, instead of asking the network")
	flags.StringVar(&f.list, "list", "", "file with domains, one on a line; - for standard input")
	flags.IntVar(&f.parallel, "parallel", 64, "of several domains, how many are looked up at one time")
	for _, name := range append(f.lookupFlags.names(), "save-evidence") {
		cmd.MarkFlagsMutuallyExclusive("evidence", name)
	}
	return cmd
}

func check(cmd *cobra.Command, domain string, f checkFlags) error {
	q, err := query(domain, f.service)
	if err != nil {
		return err
	}
	p, err := f.policy()
	if err != nil {
		return err
	}
	if f.replay != "" {
		e, err := readEvidence(f.replay)
		if delegation.ReasonOf(err) == delegation.BadEvidence {
			return report(cmd, f.json, delegation.NewReport(q, nil, err))
		}
		if err != nil {
			return err
		}
		result, err := delegation.Verify(q, e, p)
		return conclude(cmd, f.json, q, result, err)
	}
	client, err := f.client(p.Roots)
	if err != nil {
		return err
	}
	tested, err := f.test(cmd.Context(), client)
	if err != nil {
		return err
	}
	if failed := failure(tested); failed != nil {
		return report(cmd, f.json, delegation.NewReport(q, nil, failed))
	}
	e, result, verdict := look(cmd.Context(), client, q, p)
	if e == nil {
		return cli.Usagef("%w", verdict)
	}
	if f.save != "" {
		data, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			return err
		}
		if err := cli.WriteFile(f.save, append(data, '\n'), f.roots); err != nil {
			return err
		}
	}
	return conclude(cmd, f.json, q, result, verdict, tested...)
}

// checkAll checks several domains.
func checkAll(cmd *cobra.Command, names []string, f checkFlags) error {
	switch {
	case f.save != "" || f.replay != "":
		return cli.Usagef("--save-evidence and --evidence are about one domain")
	case f.parallel < 1 || f.parallel > maxParallel:
		return cli.Usagef("--parallel %d is not between 1 and %d", f.parallel, maxParallel)
	}
	service, err := cli.Service(f.service)
	if err != nil {
		return err
	}
	domains, err := domainsOf(cmd, names, f.list)
	if err != nil {
		return err
	}
	p, err := f.policy()
	if err != nil {
		return err
	}
	p.Known = delegation.NewKnownChains(p.Roots)
	client, err := f.client(p.Roots)
	if err != nil {
		return err
	}
	tested, err := f.test(cmd.Context(), client)
	if err != nil {
		return err
	}
	if failed := failure(tested); failed != nil {
		return failed
	}
	l := listing{client: client, policy: p, service: service, parallel: f.parallel}
	if f.at == "" {
		l.now = time.Now
	}
	return checkList(cmd, l, domains, f.json)
}

func readEvidence(file string) (*delegation.Evidence, error) {
	data, err := cli.ReadFile(file, maxEvidence)
	if err != nil {
		return nil, err
	}
	if len(data) > maxEvidence {
		return nil, badEvidence("%s has more than %d octets", file, maxEvidence)
	}
	var e delegation.Evidence
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, badEvidence("%s is no evidence in JSON: %v", file, err)
	}
	return &e, nil
}

func badEvidence(format string, args ...any) error {
	return &delegation.Error{
		Outcome: delegation.OutcomeRefused, Reason: delegation.BadEvidence, Detail: fmt.Sprintf(format, args...),
	}
}
