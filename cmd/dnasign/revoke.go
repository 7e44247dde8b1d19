package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// revokeCommand is sign --revoke and a word about what comes next: signing is
// the smaller part of a revocation.
func revokeCommand() *cobra.Command {
	f := signFlags{revoke: true}
	cmd := &cobra.Command{
		Use:   "revoke --domain D --service S --cert FILE --key FILE",
		Short: "Sign that a service is delegated to nobody",
		Long: `Sign the statement that a service of a domain is delegated to nobody. Published,
it takes the place of the delegation, and whoever has seen it never accepts an
older one. The other label of the same service (xmpps-server besides xmpp-server)
is revoked too. The domain's own certificate is accepted as ever.

Without --valid it lives for 31 days, the longest that verifiers accept, or until
the certificate ends, if that is earlier. Renew it in time: to somebody who has
not seen the revocation, an old statement counts until its own end.`,
		Example: `  dnasign revoke --domain b.example --service xmpp-server \
    --cert fullchain.pem --key privkey.pem --out b.example.jws
  dnasign publish dns --tsig owner.key b.example.jws`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := sign(cmd, f)
			if err != nil {
				return err
			}
			file := f.out
			if file == "" {
				file = "FILE"
			}
			life := s.Expires.Sub(s.Issued)
			fmt.Fprintf(cmd.ErrOrStderr(), `dnasign: next: publish it in every place that has the old one: dnasign publish dns %[1]s, or zone, or https
dnasign: then revoke again after %[2]s, and publish that before %[3]s, as long as nobody shall be delegated to
`, file, s.Issued.Add(life*2/3).Format(time.RFC3339), s.Expires.Format(time.RFC3339))
			return nil
		},
	}
	f.define(cmd)
	return cmd
}
