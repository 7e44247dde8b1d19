package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/text"
)

// maxEvidence bounds an evidence file: the documents and TXT answers of one
// query, in base64 and JSON, several times over.
const maxEvidence = 4 << 20

type checkFlags struct {
	policyFlags
	lookupFlags
	save, replay string
	html         string
	list         string
	parallel     int
}

func checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check DOMAIN... | --list FILE",
		Short: "Find a domain's statement, verify it and compare it with SRV",
		Long: `Ask DNS for the SRV and TXT records, and the domain's web server for the
statement, in parallel. Verify what is found up to your trust anchors, and say to
which hosts you may connect. The verdict comes first, then what failed. -v adds
every check.

DNSSEC is used only if you name a resolver with --validating-resolver. By that you
vouch that it validates and that the path to it is safe. Without it only a
statement proves the target.

With --via auto the answer comes as soon as one statement verifies. It may miss a
newer one, or a revocation, that another place has. --via both looks everywhere.

--self-test first asks that resolver for two names of yours, one that is secure
and one that is bogus. If it does not tell them apart, nothing else is asked.

--html writes a page for people beside the verdict: the trust path, what was found,
what to do, and the evidence. It needs nothing else and has no script.

Several domains can be named, or listed one on a line in the file of --list. Each
gets one line, in their order, or with --json one object on a line. The exit code
is 1 if any is refused, else 3 if any is undetermined.`,
		Example: `  dnaverify check b.example --service xmpp-server
  dnaverify check b.example --via both --resolver 192.0.2.53:53 --json
  dnaverify check b.example --html b.example.html
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
	f.defineVerbose(cmd)
	f.lookupFlags.define(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.save, "save-evidence", "", "file to keep what was found in, as JSON; - for standard output")
	flags.StringVar(&f.replay, "evidence", "", "file with evidence to judge, instead of asking the network; - for standard input")
	flags.StringVar(&f.html, "html", "", "file to write a page with the verdict to; - for standard output")
	flags.StringVar(&f.list, "list", "", "file with domains, one on a line; - for standard input")
	flags.IntVar(&f.parallel, "parallel", 64, "of several domains, how many are looked up at one time")
	for _, name := range append(f.lookupFlags.names(), "save-evidence") {
		cmd.MarkFlagsMutuallyExclusive("evidence", name)
	}
	return cmd
}

func check(cmd *cobra.Command, domain string, f checkFlags) error {
	if err := checkNoFile(domain); err != nil {
		return err
	}
	if err := cli.OneInput(f.replay, f.roots); err != nil {
		return err
	}
	if f.save == cli.Standard && f.html == cli.Standard {
		return cli.Usagef("only one of --save-evidence and --html can be -, which is standard output")
	}
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
		if delegation.ReasonOf(err) == reasons.BadEvidence {
			return f.show(cmd, q, delegation.NewReport(q, nil, err), nil, p)
		}
		if err != nil {
			return err
		}
		result, err := delegation.Verify(q, e, p)
		return f.show(cmd, q, delegation.NewReport(q, result, err), e, p)
	}
	client, tested, err := f.tested(cmd.Context(), p.Roots)
	if err != nil {
		return err
	}
	if failed := failure(tested); failed != nil {
		return f.show(cmd, q, delegation.NewReport(q, nil, failed), nil, p)
	}
	v, err := newVerifier(verifier.Config{Roots: p.Roots, Discovery: client, Now: f.clock(p)})
	if err != nil {
		return err
	}
	defer v.Close()
	decision, r := look(cmd.Context(), v, q)
	r.Checks = append(tested, r.Checks...)
	var e *delegation.Evidence
	if decision != nil {
		if e, err = decision.Evidence(); err != nil {
			return err
		}
		if err := saveEvidence(cmd, f, e); err != nil {
			return err
		}
	}
	p.Time, p.BelieveReplayedDNSSEC = f.clock(p)(), true // it was looked up here
	return f.show(cmd, q, r, e, p)
}

// look decides about a domain, and reports what came of its statement. Without a
// decision the lookup failed.
func look(ctx context.Context, v *verifier.Verifier, q delegation.Query) (*verifier.Decision, delegation.Report) {
	decision, err := v.Decide(ctx, verifier.Question{Source: q.Source, Service: q.Service, Direction: association.Outgoing})
	if err != nil {
		return nil, delegation.NewReport(q, nil, err)
	}
	result, err := decision.Association.Statement()
	return decision, delegation.NewReport(q, result, err)
}

// checkNoFile refuses the name of a statement's file, which could be that of a
// domain.
func checkNoFile(domain string) error {
	if ext := filepath.Ext(domain); ext != ".jws" && ext != ".p7c" {
		return nil
	}
	if _, err := os.Stat(domain); err != nil {
		return nil // a domain
	}
	return cli.Usagef("%[1]s is a file and check wants a domain; to verify the file: dnaverify verify %[2]s --domain DOMAIN --service SERVICE", domain, text.Word(domain))
}

func checkAll(cmd *cobra.Command, names []string, f checkFlags) error {
	switch {
	case f.save != "" || f.replay != "" || f.html != "":
		return cli.Usagef("--save-evidence, --evidence and --html are about one domain")
	case f.parallel < 1 || f.parallel > maxParallel:
		return cli.Usagef("--parallel %d is not between 1 and %d", f.parallel, maxParallel)
	}
	service, err := cli.Service(f.service)
	if err != nil {
		return err
	}
	if err := cli.OneInput(f.list, f.roots); err != nil {
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
	client, tested, err := f.tested(cmd.Context(), p.Roots)
	if err != nil {
		return err
	}
	if failed := failure(tested); failed != nil {
		return failed
	}
	l, err := newListing(verifier.Config{Roots: p.Roots, Discovery: client, Now: f.clock(p)}, service, f.parallel)
	if err != nil {
		return err
	}
	defer l.verifier.Close()
	return checkList(cmd, l, domains, f.form)
}

// saveEvidence keeps what was found. If that is on standard output, the verdict
// moves to standard error.
func saveEvidence(cmd *cobra.Command, f checkFlags, evidence *delegation.Evidence) error {
	if f.save == "" {
		return nil
	}
	if f.save == cli.Standard {
		err := cli.WriteJSON(cmd.OutOrStdout(), evidence)
		cmd.SetOut(cmd.ErrOrStderr())
		return err
	}
	data, err := json.MarshalIndent(evidence, "", "  ")
	if err != nil {
		return err
	}
	return cli.WriteFile(f.save, append(data, '\n'), f.roots)
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
		return nil, badEvidence("%s is not evidence in JSON: %v", file, err)
	}
	return &e, nil
}

func badEvidence(format string, args ...any) error {
	return &delegation.Error{
		Outcome: reasons.OutcomeRefused, Reason: reasons.BadEvidence, Detail: fmt.Sprintf(format, args...),
	}
}
