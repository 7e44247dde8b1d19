// Command dnaverify is for those who connect: it finds the statement by which
// a domain delegates a service, verifies it and explains the verdict.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
)

func main() { os.Exit(cli.Run(rootCommand())) }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dnaverify",
		Short: "Verify to whom a domain delegates a service",
		Long: `dnaverify finds the signed statement by which a domain delegates a service to
somebody else's host, verifies it up to your trust anchors and against the SRV
records, and explains the verdict.

  dnaverify demo
  dnaverify check b.example --service xmpp-server

Exit codes: 0 verified, 1 refused, 2 wrong call, 3 undetermined: try again, and
never go on with something weaker.`,
	}
	root.AddCommand(checkCommand(), connectCommand(), verifyCommand(), watchCommand(), serveCommand(), vectorsCommand(), demoCommand())
	return root
}
