package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/text"
)

// Complete gives the values of a flag to shell completion.
func Complete(cmd *cobra.Command, flag string, values ...string) {
	CompleteFrom(cmd, flag, func() []string { return values })
}

// CompleteFrom is [Complete] with values that are found when they are needed.
func CompleteFrom(cmd *cobra.Command, flag string, values func() []string) {
	complete := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // a flag that is not defined
	}
}

// Required makes flags required.
func Required(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := cmd.MarkFlagRequired(flag); err != nil {
			panic(err) // a flag that is not defined
		}
	}
}

// CompleteService completes --service with the services of the table of roles.
func CompleteService(cmd *cobra.Command) {
	CompleteFrom(cmd, "service", func() (names []string) {
		for _, role := range delegation.Roles() {
			for _, label := range role.Labels() {
				names = append(names, text.ServiceName(label))
			}
		}
		return names
	})
}

// STARTTLSServices lists the services that can begin in clear text.
func STARTTLSServices() string {
	var names []string
	for _, role := range delegation.Roles() {
		if role.Start == delegation.STARTTLS {
			names = append(names, text.ServiceName(role.Service))
		}
	}
	return strings.Join(names, ", ")
}
