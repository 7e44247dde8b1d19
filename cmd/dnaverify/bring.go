package main

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/discovery/starttls"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

// bringFlags are how connect shows itself to the server, as another server would.
type bringFlags struct {
	from                 string
	cert, key, statement string
}

func (f *bringFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the domain that connects, for the XMPP stream between servers")
	flags.StringVar(&f.cert, "cert", "", "PEM file with a certificate and its chain, to be shown to the server")
	flags.StringVar(&f.key, "key", "", "PEM file with the private key of that certificate")
	flags.StringVar(&f.statement, "statement", "", "file with a statement of the domain that connects, to be brought in the XMPP stream")
	cmd.MarkFlagsRequiredTogether("cert", "key")
}

// options checks the flags and reads the files. The statement is nil if there is none.
func (f *bringFlags) options(service string) (opt *verifier.DialOptions, statement *delegation.StreamStatement, err error) {
	if f.from != "" {
		if f.from, err = cli.Domain(f.from); err != nil {
			return nil, nil, err
		}
	}
	opt = &verifier.DialOptions{From: f.from}
	if f.cert != "" {
		signer, _, err := keys.LoadSigner(f.cert, f.key)
		if err != nil {
			return nil, nil, err
		}
		own := tls.Certificate{PrivateKey: signer.Key()}
		for _, c := range signer.Chain() {
			own.Certificate = append(own.Certificate, c.Raw)
		}
		opt.Certificates = []tls.Certificate{own}
	}
	if f.statement == "" {
		return opt, nil, nil
	}
	if f.from == "" || f.cert == "" || delegation.RoleOf(service).Service != "_xmpp-server._tcp" {
		return nil, nil, cli.Usagef("--statement is about the domain that connects as an XMPP server: it needs --from, --cert and --key, and the service xmpp-server")
	}
	body, err := cli.ReadFile(f.statement, limits.MaxStatementSize)
	if err != nil {
		return nil, nil, err
	}
	s := delegation.FileStatement(body)
	return opt, &s, nil
}

// bring opens the stream of an accepted connection, brings the statement and reports
// what the server says.
func bring(ctx context.Context, conn net.Conn, r starttls.Request, statement delegation.StreamStatement) *cli.ConnectionBrought {
	b := &cli.ConnectionBrought{From: r.From}
	stream, features, err := starttls.OpenStream(ctx, conn, r)
	switch {
	case err != nil:
		b.Detail = err.Error()
		return b
	case !features.Takes && features.External:
		b.External, b.Detail = true, "the server needs no statement: it offers EXTERNAL without one"
		return b
	case !features.Takes:
		b.Detail = "the server takes no statement in the stream"
		return b
	}
	result, features, err := stream.Assert(ctx, statement)
	if err != nil {
		b.Detail = err.Error()
		return b
	}
	b.Outcome, b.Reason = result.Outcome, result.Reason
	b.External = features != nil && features.External
	return b
}
