package main

import (
	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/demo"
)

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show everything at work, on this machine alone",
		Long: `Make a certification authority, a DNS server and web servers in memory, sign a
delegation, publish, find and verify it, connect, and then let an attacker try.
It needs nothing, talks to the loopback address only and leaves nothing behind.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), cmd.OutOrStdout())
		},
	}
}
