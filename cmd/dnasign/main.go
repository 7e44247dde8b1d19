// Command dnasign is for the owner of a domain. It signs statements that
// delegate a service of the domain. It publishes them, or prints them, and it
// shows what a statement says.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
)

func main() { os.Exit(cli.Run(rootCommand())) }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dnasign",
		Short: "Sign and publish who may run a service of your domain",
		Long: `dnasign signs the statement "service S of my domain is delegated to that host",
with the key of the TLS certificate the domain has anyway, and publishes it.
Everybody who connects can then accept the host's own certificate.

  dnasign sign --domain b.example --service xmpp-server \
    --target xmpp.hosting.example:5269 \
    --cert fullchain.pem --key privkey.pem --out b.example.jws
  dnasign publish zone b.example.jws

Where a file is read or written, - is standard input or output.

Exit codes: 0 done, 1 refused, 2 wrong call, 3 undetermined: try again.`,
	}
	root.AddCommand(signCommand(), revokeCommand(), publishCommand(), renewCommand(), initCommand(), keyCommand(), aliasCommand(), inspectCommand(), vectorsCommand())
	return root
}

// untilStopped lets a signal end the work of a command in good order: a program that
// it has started is killed, and an old record that was removed is put back. A second
// signal ends it immediately.
func untilStopped(cmd *cobra.Command) (stop func()) {
	signals := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored) // nohup
	ctx, stop := signal.NotifyContext(cmd.Context(), signals...)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
	return stop
}

// say writes a message to standard error: standard output is for what was asked for.
func say(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintf(cmd.ErrOrStderr(), "dnasign: "+format+"\n", args...)
}

func warn(cmd *cobra.Command, warnings ...string) {
	for _, w := range warnings {
		say(cmd, "warning: %s", w)
	}
}

func writeLines[T any](cmd *cobra.Command, lines []T) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
			return err
		}
	}
	return nil
}
