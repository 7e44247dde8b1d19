// Command conformance plays the daemon and its peers for an XMPP server under
// test, and says which rules of docs/integrating.md the server keeps, when others
// connect to it and when it connects to them. From the root of the module:
//
//	go run ./integrations/conformance --server 127.0.0.1:5269 --domain a.example \
//	    --cert peer.pem --key peer.key --daemon 127.0.0.1:8853 --back 127.0.0.1:5270
//
// The server hosts the domain, asks the daemon at the address given, trusts the
// authority of the peer's certificate, and finds the SRV record of b.example at
// the address of --back. The certificate names anything but b.example. The program
// ends with 0 if every rule is kept.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	var c config
	var cert, key string
	flag.StringVar(&c.server, "server", "127.0.0.1:5269", "address:port of the server under test, where it begins with STARTTLS")
	flag.StringVar(&c.domain, "domain", "", "a domain that the server hosts")
	flag.StringVar(&c.source, "source", "b.example", "the domain that the peers say they are")
	flag.StringVar(&cert, "cert", "", "PEM file with the peers' certificate chain")
	flag.StringVar(&key, "key", "", "PEM file with its key")
	flag.StringVar(&c.daemon, "daemon", "127.0.0.1:8853", "where to be the daemon")
	flag.StringVar(&c.back, "back", "127.0.0.1:5270", "where to be the server of the source, to which its SRV record leads")
	flag.DurationVar(&c.patience, "patience", time.Minute, "how long the server may take for one step")
	flag.Parse()
	var err error
	c.certificate, err = tls.LoadX509KeyPair(cert, key)
	if err == nil && len(c.certificate.Leaf.DNSNames) == 0 {
		err = errors.New("the certificate has no DNS name")
	}
	if err == nil {
		err = run(context.Background(), c, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// A config is what to test.
type config struct {
	server, domain, source, daemon, back string
	certificate                          tls.Certificate
	patience                             time.Duration
}

// A rule is one that a server keeps. keeps returns nil, or how it was broken.
type rule struct {
	name, text string
	keeps      func(*stage) error
}

// run tries each rule and writes a table.
func run(ctx context.Context, c config, out io.Writer) error {
	broken := 0
	for _, r := range rules() {
		err := func() error {
			s, err := newStage(ctx, c)
			if err != nil {
				return err
			}
			defer s.close()
			return r.keeps(s)
		}()
		verdict := "kept  "
		if err != nil {
			verdict = "BROKEN"
			broken++
		}
		fmt.Fprintf(out, "%s  %-16s %s\n", verdict, r.name, r.text)
		if err != nil {
			fmt.Fprintf(out, "        %v\n", err)
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d rules are broken", broken, len(rules()))
	}
	fmt.Fprintf(out, "all %d rules are kept\n", len(rules()))
	return nil
}
