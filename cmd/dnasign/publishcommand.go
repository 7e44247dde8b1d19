package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
)

func publishCommandCommand() *cobra.Command {
	var f dnsFlags
	cmd := &cobra.Command{
		Use:   "command FILE ... -- PROGRAM [ARGUMENT ...]",
		Short: "Have a program change the record, at any DNS provider",
		Long: `Put each statement into DNS by a program that knows the DNS provider, such as those
in integrations/publish for lexicon and acme.sh. The program is called as

  PROGRAM [ARGUMENT ...] present|absent NAME ZONE TTL

with the value of the TXT record on its standard input. docs/publish.md has all that
it must do. The new record is added first. When a name server shows it, the old one
is removed. Other TXT records stay. Afterwards every authoritative server is asked.

What is not published, and what is replaced, are as in dnasign publish dns.`,
		Example: `  dnasign publish command b.example.ac -- /usr/local/lib/dnasign/lexicon cloudflare
  dnasign publish command b.example.ac -- /usr/local/lib/dnasign/acme-sh dns_cf`,
		RunE: func(cmd *cobra.Command, args []string) error {
			at := cmd.ArgsLenAtDash()
			if at < 1 || at == len(args) {
				return cli.Usagef("name the files, then --, and then the program: dnasign publish command FILE -- PROGRAM")
			}
			f.command = args[at:]
			return publishDNS(cmd, f, slices.Clone(args[:at]))
		},
	}
	f.define(cmd)
	return cmd
}
