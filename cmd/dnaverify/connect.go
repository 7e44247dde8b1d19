package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/dial"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/xmpp"
	"github.com/dnasign/dnasign/keys"
)

type connectFlags struct {
	trustFlags
	lookupFlags
	statementFirst, all bool
	from                string
}

func connectCommand() *cobra.Command {
	var f connectFlags
	cmd := &cobra.Command{
		Use:   "connect DOMAIN",
		Short: "Connect to a domain's service and explain why the peer is accepted, or not",
		Long: `Find out where a service of the domain is and which names may stand in the
certificate there: the domain's own (PKIX), those of secure SRV records (DNSSEC) and
those of a signed statement (delegation). Then connect, as a server or client would:
target by target, with an XMPP stream and STARTTLS for xmpp-server and xmpp-client,
with TLS at once for every other service, and hold the certificate to those names.

It ends at the first target that is accepted, unless you ask for --all. Nothing is
sent over the connection but what is needed to begin TLS.

With --self-test, a validating resolver that fails it ends the command as
undetermined before anything else is asked.`,
		Example: `  dnaverify connect b.example
  dnaverify connect b.example --service xmpps-client --validating-resolver 192.0.2.53:53 --all`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return connect(cmd, args[0], f) },
	}
	f.trustFlags.define(cmd)
	f.lookupFlags.define(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.statementFirst, "statement-first", false, "connect to the statement's own targets, whatever insecure or failed SRV records say")
	flags.BoolVar(&f.all, "all", false, "try every target, also after one was accepted")
	flags.StringVar(&f.from, "from", "", "the domain that connects, for the XMPP stream between servers")
	return cmd
}

func connect(cmd *cobra.Command, domain string, f connectFlags) error {
	q, err := query(domain, f.service)
	if err != nil {
		return err
	}
	if f.from != "" {
		if f.from, err = cli.Domain(f.from); err != nil {
			return err
		}
	}
	roots, err := keys.LoadRoots(f.roots)
	if err != nil {
		return err
	}
	client, err := f.client(roots)
	if err != nil {
		return err
	}
	tested, err := f.test(cmd.Context(), client)
	if err != nil {
		return err
	}
	if failed := failure(tested); failed != nil {
		return showConnection(cmd, f.json, newConnection(q, tested, nil).ended(failed))
	}
	d := &dial.Dialer{
		Client: client,
		Policy: func(string, string) delegation.Policy {
			return delegation.Policy{Roots: roots, Time: time.Now()}
		},
		Peers:          delegation.PeerPolicy{Roots: roots, Now: time.Now},
		StatementFirst: f.statementFirst,
		StartTLS:       f.startTLS,
	}
	ctx := cmd.Context()
	if !f.all {
		// As dial.Dialer.Dial does; with --all every target has its own time.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, dial.DefaultTimeout)
		defer cancel()
	}
	decision, err := d.Decide(ctx, q.Source, q.Service)
	if errors.Is(err, discovery.ErrConfig) {
		return cli.Usagef("%w", err)
	}
	if err != nil {
		return showConnection(cmd, f.json, newConnection(q, tested, nil).ended(err))
	}
	report := newConnection(q, tested, decision)
	var attempts []*dial.Attempt
	for _, to := range decision.Targets {
		if report.Accepted != nil && !f.all {
			report.add(to, nil)
			continue
		}
		attempt := d.Connect(ctx, decision, to)
		attempts = append(attempts, attempt)
		report.add(to, attempt)
		if conn := attempt.Conn(); conn != nil {
			_ = conn.Close() // the peer may have left already
		}
	}
	if report.Accepted == nil {
		report.ended(dial.NewError(decision, attempts))
	}
	return showConnection(cmd, f.json, report)
}

// startTLS opens the XMPP stream of a label that begins with one.
func (f connectFlags) startTLS(ctx context.Context, conn net.Conn, source string, to association.Dial) error {
	s := xmpp.Stream{Namespace: xmpp.NamespaceServer, To: source, From: f.from}
	switch to.Service {
	case "_xmpp-server._tcp":
	case "_xmpp-client._tcp":
		// RFC 6120, Section 4.7.1: a client does not say who it is in clear text.
		s.Namespace, s.From = xmpp.NamespaceClient, ""
	default:
		return &delegation.Error{
			Outcome: delegation.OutcomeRefused, Reason: delegation.STARTTLSFailed,
			Detail: fmt.Sprintf("there is no STARTTLS for %s", strings.TrimPrefix(to.Service, "_")),
		}
	}
	return xmpp.StartTLS(ctx, conn, s)
}

func showConnection(cmd *cobra.Command, asJSON bool, c *connection) error {
	out := cmd.OutOrStdout()
	if asJSON {
		if err := cli.WriteJSON(out, c.Connection); err != nil {
			return err
		}
	} else {
		cli.WriteConnection(out, c.Connection, cli.Color(out))
	}
	if c.Outcome != delegation.OutcomeVerified {
		return cli.Reported{Outcome: c.Outcome}
	}
	return nil
}
