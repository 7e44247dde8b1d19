package main

import (
	"encoding/json"
	"fmt"

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
}

func checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check DOMAIN",
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
again from such a file, with nothing asked of the network.`,
		Example: `  dnaverify check b.example --service xmpp-server
  dnaverify check b.example --via both --resolver 192.0.2.53:53 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return check(cmd, args[0], f) },
	}
	f.policyFlags.define(cmd)
	f.lookupFlags.define(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.save, "save-evidence", "", "file to keep what was found in, as JSON")
	flags.StringVar(&f.replay, "evidence", "", "file with evidence to judge, instead of asking the network")
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
		return conclude(cmd, f.json, q, e, p)
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
	e, err := client.Gather(cmd.Context(), q.Source, q.Service, func(e *delegation.Evidence) bool {
		_, err := delegation.Verify(q, e, p)
		return err == nil
	})
	if err != nil {
		return cli.Usagef("%w", err)
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
	return conclude(cmd, f.json, q, e, p, tested...)
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
