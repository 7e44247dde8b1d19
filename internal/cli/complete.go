package cli

import "github.com/spf13/cobra"

// Complete gives the values of a flag to shell completion.
func Complete(cmd *cobra.Command, flag string, values ...string) {
	complete := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // a flag that is not defined
	}
}

// CompleteService completes --service with the services of XMPP.
func CompleteService(cmd *cobra.Command) {
	Complete(cmd, "service", "xmpp-server", "xmpp-client", "xmpps-server", "xmpps-client")
}
