package main

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/cli"
)

// lookupFlags are how check and connect ask the network.
type lookupFlags struct {
	service              string
	resolver, validating string
	selfTest             string
	via                  string
	connectTo            []string
	private              bool
}

func (f *lookupFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.service, "service", "xmpp-server", "the service: xmpp-server means _xmpp-server._tcp")
	cli.CompleteService(cmd)
	f.definePlaces(cmd)
}

// definePlaces defines the flags for any service.
func (f *lookupFlags) definePlaces(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.resolver, "resolver", "", "address:port of the resolver, instead of the system's")
	flags.StringVar(&f.validating, "validating-resolver", "", "address:port of a resolver that you trust to validate DNSSEC")
	flags.StringVar(&f.selfTest, "self-test", "", "GOOD,BOGUS: first see whether the validating resolver finds the name GOOD secure and BOGUS bogus")
	flags.StringVar(&f.via, "via", string(discovery.ViaAuto), "where to look: auto (until a statement verifies), dns, https or both (everything)")
	flags.StringArrayVar(&f.connectTo, "connect-to", nil, "HOST:PORT:ADDR:PORT: connect to ADDR:PORT for HOST:PORT, as in curl")
	flags.BoolVar(&f.private, "allow-private-addresses", false, "let names lead to loopback and private addresses; for laboratories")
	cli.Complete(cmd, "via", "auto", "dns", "https", "both")
	cmd.MarkFlagsMutuallyExclusive("resolver", "validating-resolver")
}

// newVerifier makes a Verifier for one command: it remembers nothing of earlier
// ones. It waits for a statement: the report says whether one contradicts secure
// SRV records.
func newVerifier(c verifier.Config) (*verifier.Verifier, error) {
	c.Floors, c.AwaitStatement = floors.InMemory(), true
	v, err := verifier.New(c)
	if err != nil {
		return nil, cli.Usagef("%w", err)
	}
	return v, nil
}

// names are the flags that ask the network; the service is not among them.
func (f *lookupFlags) names() []string {
	return []string{"resolver", "validating-resolver", "self-test", "via", "connect-to", "allow-private-addresses"}
}

func (f lookupFlags) client(roots *x509.CertPool) (*discovery.Client, error) {
	client := &discovery.Client{
		Resolver: f.resolver, Via: discovery.Via(f.via),
		HTTPSRoots: roots, AllowPrivateAddresses: f.private,
	}
	if f.validating != "" {
		client.Resolver, client.Validating = f.validating, true
	}
	for _, text := range f.connectTo {
		c, err := discovery.ParseConnectTo(text)
		if err != nil {
			return nil, cli.Usagef("--connect-to: %w", err)
		}
		client.ConnectTo = append(client.ConnectTo, c)
	}
	return client, nil
}

// tested makes the client. It runs the self-test, if one was asked for, and returns
// its check line.
func (f lookupFlags) tested(ctx context.Context, roots *x509.CertPool) (*discovery.Client, []delegation.Check, error) {
	client, err := f.client(roots)
	if err != nil || f.selfTest == "" {
		return client, nil, err
	}
	good, bogus, err := f.testNames()
	if err != nil {
		return nil, nil, err
	}
	line := delegation.Check{Name: "self-test", Outcome: delegation.CheckOK, Origin: client.Resolver, Detail: good + " is secure and " + bogus + " is bogus, as they should be"}
	var e *delegation.Error
	switch err := client.SelfTest(ctx, good, bogus); {
	case errors.As(err, &e):
		line.Outcome, line.Reason, line.Detail = delegation.CheckFail, e.Reason, e.Detail
	case err != nil:
		return nil, nil, cli.Usagef("%w", err)
	}
	return client, []delegation.Check{line}, nil
}

// testNames are the two names of the self-test.
func (f lookupFlags) testNames() (good, bogus string, err error) {
	if f.validating == "" {
		return "", "", cli.Usagef("--self-test is about a resolver named with --validating-resolver")
	}
	first, second, found := strings.Cut(f.selfTest, ",")
	if !found {
		return "", "", cli.Usagef("--self-test %q is not GOOD,BOGUS: two names", f.selfTest)
	}
	if good, err = cli.Domain(first); err != nil {
		return "", "", err
	}
	bogus, err = cli.Domain(second)
	return good, bogus, err
}

// failure makes an error of a check line that failed, nil if none did.
func failure(checks []delegation.Check) *delegation.Error {
	for _, c := range checks {
		if c.Outcome == delegation.CheckFail {
			return &delegation.Error{Outcome: c.Reason.Outcome(), Reason: c.Reason, Detail: c.Detail, Checks: checks}
		}
	}
	return nil
}
