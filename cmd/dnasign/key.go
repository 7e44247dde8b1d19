package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

func keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Name the key that signs in a zone with DNSSEC",
		Long: `In a zone that is signed with DNSSEC you can name the keys that may sign. A named
key needs no certificate of an authority, and no other key can sign any more, for
those who validate DNSSEC. See docs/keys.md.`,
	}
	cmd.AddCommand(keyNewCommand(), keyTLSACommand())
	return cmd
}

// ownLife is how long a certificate of one's own is good. The zone says how long
// the key is, so that this is no more than a bound.
const ownLife = 3650 * 24 * time.Hour

func keyNewCommand() *cobra.Command {
	var domain, cert, key string
	var services []string
	cmd := &cobra.Command{
		Use:   "new --domain D --service S ... --cert FILE --key FILE",
		Short: "Make a key of your own, and print the record that names it",
		Long: `Make a private key (ECDSA, P-256) and a certificate for it that no authority has
issued, and print the TLSA record that names the key, for each service. Put the
records into the zone, which must be signed with DNSSEC. Then sign and renew with
the two files as with any others.

Only those who validate DNSSEC accept what such a key signs. For all others get a
certificate from an authority and name its key too: dnasign key tlsa.

The key file can be read by its owner alone. No file is overwritten.`,
		Example: `  dnasign key new --domain b.example --service xmpp-server --cert b.example.pem --key b.example.key`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, roles, err := rolesToName(domain, services)
			if err != nil {
				return err
			}
			for _, file := range []string{cert, key} {
				if file == cli.Standard {
					return cli.Usagef("--cert and --key must be files")
				}
				if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
					return cli.Usagef("%s is there already, and no file is overwritten; name another one", file)
				}
			}
			now := time.Now().Truncate(time.Second)
			signer, err := newKey(source, now, cert, key)
			if err != nil {
				return err
			}
			say(cmd, "wrote %s, the private key, and %s, its certificate until %s", key, cert, text.Stamp(signer.Leaf().NotAfter))
			if err := writeRecords(cmd, source, roles, signer.Leaf()); err != nil {
				return err
			}
			say(cmd, "next: put what is printed into the zone of %s, beside the records of other keys that sign for it; the zone must be signed with DNSSEC. Then sign:\n  dnasign sign --domain %[1]s --service %s --target HOST:PORT --cert %s --key %s",
				source, roles[0], text.Word(cert), text.Word(key))
			return nil
		},
	}
	flags := cmd.Flags()
	defineRoles(cmd, &domain, &services)
	flags.StringVar(&cert, "cert", "", "file to write the certificate to")
	flags.StringVar(&key, "key", "", "file to write the private key to")
	cli.Required(cmd, "cert", "key")
	return cmd
}

func keyTLSACommand() *cobra.Command {
	var domain, cert string
	var services []string
	cmd := &cobra.Command{
		Use:   "tlsa --domain D --service S ... --cert FILE",
		Short: "Print the record that names the key of a certificate",
		Long: `Print the TLSA record that names the key of a certificate, for each service. The
certificate can be one of an authority: then one statement serves those who
validate DNSSEC and all others. Clients of authorities make a new key with each
certificate, unless they are told to keep it (certbot: --reuse-key).

Once a key is named, no other key can sign for those who validate DNSSEC. So name
every key that signs.`,
		Example: `  dnasign key tlsa --domain b.example --service xmpp-server --cert fullchain.pem`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, roles, err := rolesToName(domain, services)
			if err != nil {
				return err
			}
			chain, err := keys.LoadCertificates(cli.Input(cert))
			if err != nil {
				return err
			}
			leaf := chain[0]
			if i := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return !c.IsCA }); i >= 0 {
				leaf = chain[i] // the chain may be in any order
			}
			return writeRecords(cmd, source, roles, leaf)
		},
	}
	defineRoles(cmd, &domain, &services)
	cmd.Flags().StringVar(&cert, "cert", "", "PEM file with the certificate")
	cli.Required(cmd, "cert")
	return cmd
}

func defineRoles(cmd *cobra.Command, domain *string, services *[]string) {
	flags := cmd.Flags()
	flags.StringVar(domain, "domain", "", "the domain that delegates, such as b.example")
	flags.StringArrayVar(services, "service", nil, "the service: xmpp-server means _xmpp-server._tcp; repeat for more")
	cli.CompleteService(cmd)
	cli.Required(cmd, "domain", "service")
}

// rolesOf reads what the flags say. A second label is its role, which is there once.
func rolesOf(domain string, services []string) (source string, roles []string, err error) {
	if source, err = cli.Domain(domain); err != nil {
		return "", nil, err
	}
	for _, s := range services {
		label, err := cli.Service(s)
		if err != nil {
			return "", nil, err
		}
		if role := delegation.RoleOf(label).Service; !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return source, roles, nil
}

// rolesToName is rolesOf for records that name a key.
func rolesToName(domain string, services []string) (source string, roles []string, err error) {
	source, roles, err = rolesOf(domain, services)
	for _, role := range roles {
		if delegation.SignerName(source, role) == "" {
			return "", nil, cli.Usagef("the name of the record for %s of %s would be longer than the %d characters that DNS allows, so no key can be named there", role, source, limits.MaxNameLength)
		}
	}
	return source, roles, err
}

func writeRecords(cmd *cobra.Command, source string, roles []string, leaf *x509.Certificate) error {
	var lines []string
	for _, role := range roles {
		lines = append(lines, signing.NamingRecord(source, role, leaf))
	}
	return writeLines(cmd, lines)
}

// newKey makes a key and its certificate, and writes both or none.
func newKey(domain string, now time.Time, cert, key string) (*keys.Signer, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := keys.SelfIssue(private, domain, now, now.Add(ownLife))
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	if err := writeNew(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, err
	}
	if err := writeNew(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signer.Leaf().Raw})); err != nil {
		return nil, errors.Join(err, os.Remove(key))
	}
	return signer, nil
}
