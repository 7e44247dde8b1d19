package main

import (
	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/cli"
)

func verifyCommand() *cobra.Command {
	var policy policyFlags
	var domain, service, target string
	cmd := &cobra.Command{
		Use:   "verify FILE --domain D --service S [--target H:P]",
		Short: "Verify a statement from a file, offline",
		Long: `Verify a signed statement from a file, in any encoding, against the domain and the
service you name; - is standard input. With --target, the statement must delegate to
that host and port. Nothing is looked up.`,
		Example: `  dnaverify verify b.example.jws --domain b.example --service xmpp-server --target xmpp.hosting.example:5269`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := query(domain, service)
			if err != nil {
				return err
			}
			if target != "" {
				if q.Target, err = cli.Endpoint(target); err != nil {
					return err
				}
			}
			if err := cli.OneInput(args[0], policy.roots); err != nil {
				return err
			}
			p, err := policy.policy()
			if err != nil {
				return err
			}
			// One that is too large is refused as a statement.
			raw, err := cli.ReadFile(args[0], limits.MaxStatementSize+2)
			if err != nil {
				return err
			}
			e := q.FileEvidence(args[0], raw)
			result, err := delegation.Verify(q, e, p)
			return report(cmd, policy.form, delegation.NewReport(q, result, err))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&domain, "domain", "", "the domain that delegates, such as b.example")
	flags.StringVar(&service, "service", "", "the service: xmpp-server means _xmpp-server._tcp")
	flags.StringVar(&target, "target", "", "host:port that must be delegated to")
	policy.define(cmd)
	policy.defineVerbose(cmd)
	cli.CompleteService(cmd)
	cli.Required(cmd, "domain", "service")
	return cmd
}

// query reads the question as a person asks it.
func query(domain, service string) (q delegation.Query, err error) {
	if q.Source, err = cli.Domain(domain); err != nil {
		return q, err
	}
	q.Service, err = cli.Service(service)
	return q, err
}
