package cli

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"
)

// help writes the help of a command in lines that fit the terminal.
func help(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	w := &wrapper{out, cmp.Or(width(out), defaultWidth), 0}
	if text := cmp.Or(cmd.Long, cmd.Short); text != "" {
		fmt.Fprintf(w, "%s\n\n", reflow(text))
	}
	fmt.Fprint(w, cmd.UsageString())
}
