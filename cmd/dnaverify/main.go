// Command dnaverify is for those who connect. It finds the statement by which a
// domain delegates a service, verifies it and explains the verdict.
package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
)

func main() {
	root := rootCommand()
	root.SetArgs(withCheck(root, os.Args[1:]))
	os.Exit(cli.Run(root))
}

// withCheck puts "check" before arguments that name a domain and no command.
func withCheck(root *cobra.Command, args []string) []string {
	for _, arg := range args {
		switch {
		case arg == "-h", arg == "--help", arg == "--version", arg == "help", arg == "completion", arg == "man", strings.HasPrefix(arg, "__"),
			slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == arg }):
			return args
		case strings.ContainsAny(arg, ".@/"):
			return append([]string{"check"}, args...)
		case !strings.HasPrefix(arg, "-"):
			return args // a mistyped command, most likely
		}
	}
	return args
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dnaverify",
		Short: "Verify to whom a domain delegates a service",
		Long: `dnaverify finds the signed statement by which a domain delegates a service to
somebody else's host, verifies it up to your trust anchors and against the SRV
records, and explains the verdict.

  dnaverify demo
  dnaverify check b.example --service xmpp-server

A domain without a command means check. Where a file is read, - is standard input.

Exit codes: 0 verified, 1 refused, 2 wrong call, 3 undetermined: try again, and
never go on with something weaker.`,
	}
	root.AddCommand(checkCommand(), connectCommand(), verifyCommand(), watchCommand(), serveCommand(), vectorsCommand(), demoCommand())
	return root
}
