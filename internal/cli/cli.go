// Package cli is what the two commands share: exit codes, errors, names that a
// person types, and files that are written whole or not at all.
package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/text"
)

// Exit codes of both commands.
const (
	ExitDone         = 0 // verified, or done
	ExitRefused      = 1
	ExitUsage        = 2 // a wrong call: flags, arguments, files that are not there
	ExitUndetermined = 3 // a passing failure: try again
)

// A UsageError says that the command was called wrongly.
type UsageError struct{ err error }

func (e UsageError) Error() string { return e.err.Error() }
func (e UsageError) Unwrap() error { return e.err }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// Reported is an error whose text the command has already shown.
type Reported struct{ Outcome reasons.Outcome }

func (e Reported) Error() string { return string(e.Outcome) }

// Run runs a command line and returns the exit code. Messages go to stderr. It
// gives the command and those below it the behavior of both programs. What
// fails before a command begins its work is a wrong call, and a command that
// only groups others cannot be called alone.
func Run(root *cobra.Command) int {
	log.SetOutput(io.Discard) // net/http tells it what hostile web servers send
	root.SilenceErrors, root.SilenceUsage = true, true
	root.AddCommand(manCommand(), versionCommand())
	root.InitDefaultCompletionCmd()
	root.Version = thisVersion().String()
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	out := &output{File: os.Stdout}
	root.SetOut(out)
	root.SetErr(Wrapped(os.Stderr))
	root.SetHelpFunc(help)
	root.SetFlagErrorFunc(flagError)
	started := false
	prepare(root, &started)

	err := root.Execute()
	if err != nil && !started {
		err = UsageError{fmt.Errorf("%w; see --help", err)}
	}
	if out.err != nil {
		// A verdict that nobody can read is none.
		err = fmt.Errorf("standard output: %w", out.err)
	}
	var reported Reported
	if err != nil && !errors.As(err, &reported) {
		WriteError(root, err)
	}
	return exitCode(err)
}

// WriteError shows an error to a person, with what to do about it.
func WriteError(cmd *cobra.Command, err error) {
	// A message may quote what strangers wrote, and names of files.
	prefix := cmd.Root().Name() + ": "
	for line := range strings.SplitSeq(message(err), "\n") {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s%s\n", prefix, text.Printable(line))
		prefix = ""
	}
	hint := hints.For
	if cmd.Root().Name() == "dnasign" {
		hint = hints.ForOwner // for owners
	}
	if hint := hint(delegation.ReasonOf(err)); hint != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "hint: %s\n", hint)
	}
}

// ReportedErrors is the error of a command that did several things. Those that
// failed were shown. It is nil if none failed. A wrong call decides the exit
// code, then a refusal.
func ReportedErrors(failed []error) error {
	if len(failed) == 0 {
		return nil
	}
	worst := Reported{reasons.OutcomeUndetermined}
	for _, err := range failed {
		if exitCode(err) == ExitRefused {
			worst.Outcome = reasons.OutcomeRefused
		}
	}
	return errors.Join(append([]error{worst}, failed...)...)
}

func prepare(cmd *cobra.Command, started *bool) {
	cmd.SuggestionsMinimumDistance = 2 // letters
	if cmd.HasSubCommands() && cmd.RunE == nil {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return Usagef("there is no command %q%s; see %s --help", args[0], didYouMean(cmd.SuggestionsFor(args[0])), cmd.CommandPath())
			}
			return Usagef("name a command; see %s --help", cmd.CommandPath())
		}
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			if err := checkFlags(cmd); err != nil {
				return err
			}
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		prepare(c, started)
	}
}

// flagError says which flag was meant, where one is like it.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var near []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		// cobra measures the distance between names of commands.
		probe := &cobra.Command{SuggestionsMinimumDistance: 2}
		probe.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		if name := unknown.GetSpecifiedName(); len(name) > 1 && len(probe.SuggestionsFor(name)) > 0 {
			near = append(near, "--"+f.Name)
		}
	})
	return fmt.Errorf("%w%s", err, didYouMean(near))
}

func didYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(names, " or "))
}

// An output remembers that it could not be written to.
type output struct {
	*os.File
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.File.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// checkFlags refuses a flag that was given and is empty: an unset shell
// variable must not turn a check off.
func checkFlags(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.String() == "" && err == nil {
			err = Usagef("--%s is empty", f.Name)
		}
	})
	return err
}

func message(err error) string {
	if reason := delegation.ReasonOf(err); reason != "" {
		var e *delegation.Error
		if errors.As(err, &e) {
			return err.Error()
		}
		if exitCode(err) == ExitUsage {
			return fmt.Sprintf("%s: %v", reason, err)
		}
		return fmt.Sprintf("%s: %s: %v", reason.Outcome(), reason, err)
	}
	return err.Error()
}

func exitCode(err error) int {
	var usage UsageError
	var reported Reported
	var outcome reasons.Outcome
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &usage), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return ExitUsage
	case errors.As(err, &reported):
		outcome = reported.Outcome
	default:
		outcome = delegation.ReasonOf(err).Outcome()
	}
	switch outcome {
	case reasons.OutcomeVerified:
		return ExitDone
	case reasons.OutcomeUndetermined:
		return ExitUndetermined
	}
	return ExitRefused
}

// WriteJSON writes a value as indented JSON.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Color reports whether output to w may be coloured: a terminal, and no
// NO_COLOR in the environment (no-color.org).
func Color(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && Terminal(w)
}
