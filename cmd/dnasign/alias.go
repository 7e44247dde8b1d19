package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
)

// aliasCommand is for an owner whose DNS provider offers only a form.
func aliasCommand() *cobra.Command {
	var domain, to string
	var services []string
	cmd := &cobra.Command{
		Use:   "alias --domain D --service S ... --to ZONE",
		Short: "Print the record that leads to a zone where statements can be updated",
		Long: `Print an alias (CNAME) for each service, to be pasted once into the form of your
DNS provider. It leads to a zone that takes updates: one of your own, or one that
your XMPP provider keeps for its customers. Whoever runs that zone carries your
statements and cannot sign any.

The owner of the zone gives you a TSIG key that may change the TXT record at the end
of the alias. dnasign renew signs, follows the alias and updates that record. Without
such a key, send each new statement to the owner of the zone, who puts it there.
Remove TXT records at the name before you paste: a name with an alias has no others.

dnaverify watch finds an alias that leads to no statement.`,
		Example: `  dnasign alias --domain b.example --service xmpp-server --to dna.hosting.example`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, roles, err := rolesOf(domain, services)
			if err != nil {
				return err
			}
			zone, err := cli.Domain(to)
			if err != nil {
				return err
			}
			if zone == source {
				return cli.Usagef("--to %s is the domain itself, and an alias leads somewhere else", zone)
			}
			var ends [][2]string // the name and where it leads
			for _, role := range roles {
				name := delegation.TXTName(source, role)
				end := name + "." + zone // with the domain in it: the zone may be for many
				if len(end) > limits.MaxNameLength {
					return cli.Usagef("%s has %d characters, and a name in DNS has at most %d", end, len(end), limits.MaxNameLength)
				}
				ends = append(ends, [2]string{name, end})
			}
			for _, e := range ends {
				say(cmd, "paste once: a record with the name %s, the type CNAME and the value %s; the statement is then the TXT record at %[2]s", e[0], e[1])
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s. %d IN CNAME %s.\n", e[0], publish.DefaultTTL/time.Second, e[1]); err != nil {
					return err
				}
			}
			return nil
		},
	}
	defineRoles(cmd, &domain, &services)
	cmd.Flags().StringVar(&to, "to", "", "the zone that takes updates, such as dna.hosting.example")
	cli.Required(cmd, "to")
	return cmd
}
