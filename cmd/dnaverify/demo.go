package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/demo"
)

func demoCommand() *cobra.Command {
	const manyDomains = 10_000
	var scale bool
	var domains int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show everything at work, on this machine alone",
		Long: `Make a certification authority, a DNS server and web servers in memory, sign a
delegation, publish, find and verify it, connect, and then let an attacker try.
It needs nothing, talks to the loopback address only and leaves nothing behind.

With --scale, show instead how many connections two hosting providers with
10,000 domains each need, without delegation and with it. Every statement is
signed and verified, in both directions, which takes half a minute or so.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !scale && cmd.Flags().Changed("domains"):
				return cli.Usagef("--domains goes with --scale")
			case !scale:
				fmt.Fprintln(cmd.ErrOrStderr(), demo.Begins)
				return demo.Run(cmd.Context(), cmd.OutOrStdout())
			case domains < 1 || domains > manyDomains:
				return cli.Usagef("--domains is 1 to %d", manyDomains)
			}
			return demo.Scale(cmd.Context(), cmd.OutOrStdout(), domains, cli.Progress(cmd.ErrOrStderr(), "signing and proving"))
		},
	}
	cmd.Flags().BoolVar(&scale, "scale", false, "two providers with 10,000 domains each")
	cmd.Flags().IntVar(&domains, "domains", manyDomains, "domains of each provider, for --scale")
	return cmd
}
