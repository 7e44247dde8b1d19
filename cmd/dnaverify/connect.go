package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery/starttls"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

type connectFlags struct {
	trustFlags
	lookupFlags
	bringFlags
	statementFirst, all bool
}

func connectCommand() *cobra.Command {
	var f connectFlags
	cmd := &cobra.Command{
		Use:   "connect DOMAIN",
		Short: "Connect to a domain's service and explain why the peer is accepted, or not",
		Long: `Find out where a service of the domain is and which names may stand in the
certificate there: the domain's own (PKIX), those of secure SRV records (DNSSEC) and
those of a signed statement (delegation). Where nothing of this is published, a POSH
file may name the certificate itself. Then connect, as a server or client would:
target by target, and check the certificate. The verdict comes first, then what
failed. -v adds every step.

TLS begins with the first byte or with STARTTLS, as the statement says, or without one
the SRV record. These services can begin with STARTTLS, and the name with an s, such as
imaps, means the same service:

  ` + cli.STARTTLSServices() + `

For every other service, such as sips, connect uses only targets that are signed with
tls direct.

It ends at the first target that is accepted, unless you ask for --all. Nothing is
sent over the connection but what is needed to begin TLS, with two exceptions for XMPP
servers. If nothing is published about the domain and the certificate is another's, it
reads the statement that the server shows in its stream, and connects again. With
--statement it opens the stream of an accepted connection, brings the statement of the
domain in --from there, and shows what the server says.

With --self-test, a validating resolver that fails it ends the command as
undetermined before anything else is asked.`,
		Example: `  dnaverify connect b.example
  dnaverify connect b.example --service xmpp-client --validating-resolver 192.0.2.53:53 --all
  dnaverify connect b.example --service imap -v
  dnaverify connect b.example --from a.example --cert a.pem --key a.key --statement a.jws`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return connect(cmd, args[0], f) },
	}
	f.trustFlags.define(cmd)
	f.defineVerbose(cmd)
	f.lookupFlags.define(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.statementFirst, "statement-first", false, "connect to the statement's own targets, whatever insecure or failed SRV records say")
	flags.BoolVar(&f.all, "all", false, "try every target, also after one was accepted")
	f.bringFlags.define(cmd)
	return cmd
}

func connect(cmd *cobra.Command, domain string, f connectFlags) error {
	q, err := query(domain, f.service)
	if err != nil {
		return err
	}
	opt, statement, err := f.options(q.Service)
	if err != nil {
		return err
	}
	roots, err := keys.LoadRoots(cli.Input(f.roots))
	if err != nil {
		return err
	}
	client, tested, err := f.tested(cmd.Context(), roots)
	if err != nil {
		return err
	}
	if failed := failure(tested); failed != nil {
		return showConnection(cmd, f.form, newConnection(q, tested).ended(failed))
	}
	v, err := newVerifier(verifier.Config{Roots: roots, Discovery: client, StatementFirst: f.statementFirst})
	if err != nil {
		return err
	}
	defer v.Close()
	ctx := cmd.Context()
	if !f.all {
		// As Verifier.Dial does; with --all every target has its own time.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, verifier.DefaultTimeout)
		defer cancel()
	}
	decision, err := v.Decide(ctx, verifier.Question{Source: q.Source, Service: q.Service, Direction: association.Outgoing})
	if err != nil {
		return showConnection(cmd, f.form, newConnection(q, tested).ended(err))
	}
	decision, attempts, untried := v.Connect(ctx, decision, opt, f.all)
	report := newConnection(q, tested)
	if err := report.decided(decision); err != nil {
		return err
	}
	for _, attempt := range attempts {
		report.add(attempt.To, attempt)
		if conn := attempt.Conn(); conn != nil {
			if statement != nil && report.Brought == nil {
				report.Brought = bring(ctx, conn, starttls.Request{Role: q.Service, To: q.Source, From: opt.From}, *statement)
			}
			_ = conn.Close() // the peer may have left already
		}
	}
	for _, to := range untried {
		report.add(to, nil)
	}
	if report.Accepted == nil {
		report.ended(decision.Failure(attempts))
	}
	return showConnection(cmd, f.form, report)
}

func showConnection(cmd *cobra.Command, f form, c *connection) error {
	return f.show(cmd, c.Outcome, c.Connection, func(out io.Writer, color, details bool) { cli.WriteConnection(out, c.Connection, color, details) })
}
