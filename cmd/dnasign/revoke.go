package main

import (
	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/text"
)

// revokeCommand is sign --revoke and a word about what comes next: signing is
// the smaller part of a revocation.
func revokeCommand() *cobra.Command {
	f := signFlags{revoke: true}
	cmd := &cobra.Command{
		Use:   "revoke --domain D --service S --cert FILE --key FILE",
		Short: "Sign that a service is delegated to nobody",
		Long: `Sign the statement that a service of a domain is delegated to nobody. Once
published, it replaces the delegation. A verifier that has seen it never accepts
an older statement. It covers all SRV labels of the service (xmpp-server and xmpps-server).
The domain's own certificate is accepted as before.

dnasign renew does not undo it: it renews the revocation, and says what to type to
delegate again.

Without --valid it lives for 31 days, the longest that verifiers accept, or until
the certificate ends, if that is earlier. Renew it in time: a verifier that has
not seen the revocation accepts an old statement until that one expires.`,
		Example: `  dnasign revoke --domain b.example --service xmpp-server \
    --cert fullchain.pem --key privkey.pem --out b.example.jws
  dnasign publish dns --tsig owner.key b.example.jws`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := signStatement(cmd, f)
			if err != nil {
				return err
			}
			file := "FILE"
			if f.out != "" && f.out != cli.Standard {
				file = text.Word(f.out)
			}
			life := s.Expires.Sub(s.Issued)
			say(cmd, `next: publish it in every place that has the old one
  dnasign publish dns --tsig KEYFILE %[1]s
  dnasign publish command %[1]s -- PROGRAM
  dnasign publish https --webroot DIR %[1]s
  dnasign publish zone %[1]s
dnasign: to stay revoked, run the same command and publish again between %[2]s and %[3]s`, file, text.Stamp(s.Issued.Add(life*2/3)), text.Stamp(s.Expires))
			return nil
		},
	}
	f.define(cmd)
	return cmd
}
