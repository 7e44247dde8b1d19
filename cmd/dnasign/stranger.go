package main

import (
	"crypto/x509"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

// strangerFlags are how the owner's tool looks at the network as a stranger
// does.
type strangerFlags struct {
	resolver, roots string
	connectTo       []string
	private         bool
}

func (f *strangerFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.resolver, "resolver", "", "address:port of the resolver, instead of the system's")
	flags.StringVar(&f.roots, "roots", "", "PEM file with the trust anchors, instead of the system's")
	flags.StringArrayVar(&f.connectTo, "connect-to", nil, "HOST:PORT:ADDR:PORT: connect to ADDR:PORT for HOST:PORT, as in curl")
	flags.BoolVar(&f.private, "allow-private-addresses", false, "let names lead to loopback and private addresses; for laboratories")
}

func (f strangerFlags) stranger() (*discovery.Client, *x509.CertPool, error) {
	if err := checkResolver(f.resolver); err != nil {
		return nil, nil, err
	}
	roots, err := keys.LoadRoots(cli.Input(f.roots))
	if err != nil {
		return nil, nil, err
	}
	client := &discovery.Client{Resolver: f.resolver, HTTPSRoots: roots, AllowPrivateAddresses: f.private}
	for _, text := range f.connectTo {
		c, err := discovery.ParseConnectTo(text)
		if err != nil {
			return nil, nil, cli.Usagef("--connect-to: %w", err)
		}
		client.ConnectTo = append(client.ConnectTo, c)
	}
	return client, roots, nil
}

func checkResolver(text string) error {
	_, err1 := netip.ParseAddr(text)
	_, err2 := netip.ParseAddrPort(text)
	if text != "" && err1 != nil && err2 != nil {
		return cli.Usagef("--resolver %q is not an address, or address:port, such as 192.0.2.53:53", text)
	}
	return nil
}
