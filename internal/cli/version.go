package cli

import (
	_ "embed"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/text"
)

// archived names the commit in a source archive: its hash, its time, and its
// tag or the last one before it. "git archive" writes them in place of the
// format (export-subst, gitattributes(5)), so a build without git knows them.
//
//go:embed commit.txt
var archived string

// A version says which source a program was built from.
type version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"`   // of the commit
	Module   string `json:"module,omitempty"` // checksum, where there is no commit: of go install MODULE@VERSION
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// versionOf reads the archive's line, and without one what the Go command has
// put into the program.
func versionOf(archived string, info *debug.BuildInfo) version {
	v := version{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info != nil {
		v.Version = info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.time":
				v.Date = s.Value
			}
		}
		if v.Commit == "" {
			v.Module = info.Main.Sum
		}
	}
	if fields := strings.Fields(archived); len(fields) >= 2 && !strings.HasPrefix(archived, "$") {
		v.Version, v.Commit, v.Module = "", fields[0], ""
		if seconds, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
			v.Date = text.Stamp(time.Unix(seconds, 0))
		}
		if len(fields) > 2 {
			v.Version = fields[2]
		}
	}
	if v.Version == "" {
		v.Version = "(devel)" // as the Go command calls what has no version
	}
	return v
}

// String is a version in one line, for bug reports.
func (v version) String() string {
	parts := []string{v.Version}
	switch {
	case v.Commit != "":
		parts = append(parts, "commit "+v.Commit, v.Date)
	case v.Module != "":
		parts = append(parts, "module "+v.Module)
	default:
		parts = append(parts, "commit unknown")
	}
	return strings.Join(append(parts, v.Go, v.Platform), ", ")
}

// thisVersion is that of the running program.
func thisVersion() version {
	info, _ := debug.ReadBuildInfo()
	return versionOf(archived, info)
}

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is, for bug reports",
		Long: `Say which version this is: its tag, the commit it was built from, the commit's
date, and the version of Go. A program that "go install" built from a published
version does not know its commit; it names the checksum of the module instead.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return WriteJSON(cmd.OutOrStdout(), thisVersion())
			}
			fmt.Fprintln(cmd.OutOrStdout(), cmd.Root().Name(), thisVersion())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write it as JSON")
	return cmd
}
