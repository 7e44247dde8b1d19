package main

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/keys"
)

// A tlsaLine is a TLSA record to be put into a zone.
type tlsaLine struct {
	Name string                `json:"name"` // with the trailing dot
	TTL  int                   `json:"ttl"`  // seconds
	Type string                `json:"type"`
	Data delegation.TLSARecord `json:"record"`
}

func publishTLSACommand() *cobra.Command {
	var host string
	var ports []uint
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tlsa CERTIFICATE ...",
		Short: "Print TLSA lines for a provider's zone file",
		Long: `For a provider whose zone is signed: print a TLSA record "3 1 1" for each port and the
key of each certificate. Of a file, the first certificate counts. The key and
not the certificate is named, so the record stays when a certificate is renewed with
the same key.

Before the server gets another key, publish the record of both: name the certificate
in use and the next one. Wait until the TTL of the old records has passed, change the
certificate, and then remove the record of the old key. Who connects and validates
DNSSEC refuses a key that no record names.`,
		Example: `  dnasign publish tlsa fullchain.pem --host xmpp.hosting.example --port 5269 --port 5270
  dnasign publish tlsa fullchain.pem next.pem --host xmpp.hosting.example --port 5269`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lines, err := tlsaLines(args, host, ports)
			if err != nil {
				return err
			}
			if asJSON {
				return cli.WriteJSON(cmd.OutOrStdout(), lines)
			}
			return writeLines(cmd, lines)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&host, "host", "", "the host that statements and SRV records name")
	flags.UintSliceVar(&ports, "port", nil, "a port of the service; repeatable")
	flags.BoolVar(&asJSON, "json", false, "as JSON")
	cli.Required(cmd, "host", "port")
	return cmd
}

// tlsaLines are the records of the first certificates in files.
func tlsaLines(files []string, host string, ports []uint) (lines []tlsaLine, err error) {
	if host, err = cli.Domain(host); err != nil {
		return nil, err
	}
	if err := cli.OneInput(files...); err != nil {
		return nil, err
	}
	var leaves []*x509.Certificate
	for _, file := range files {
		list, err := keys.LoadCertificates(cli.Input(file))
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, list[0])
	}
	for _, port := range ports {
		if port == 0 || port > 65535 {
			return nil, cli.Usagef("--port %d is not between 1 and 65535", port)
		}
		at := delegation.Endpoint{Host: host, Port: uint16(port)}
		for _, leaf := range leaves {
			lines = append(lines, tlsaLine{Name: at.TLSAName() + ".", TTL: int(publish.DefaultTTL / time.Second), Type: "TLSA", Data: delegation.SignerRecord(leaf)})
		}
	}
	return lines, nil
}

// String is the record in the form of RFC 6698, Section 2.2.
func (l tlsaLine) String() string {
	return fmt.Sprintf("%s %d IN %s %s", l.Name, l.TTL, l.Type, l.Data)
}
