package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/vectors"
)

func vectorsCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "vectors --out DIR",
		Short: "Write the test vectors of the specification",
		Long: `Write the test vectors of the specification, for authors of other verifiers. They
are files in JSON that say, case by case, what a verifier must answer. They are
the same each time, octet for octet. Their keys are public and prove nothing.

dnaverify vectors runs them.`,
		Example: `  dnasign vectors --out testvectors`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			files, bases := vectors.Generate()
			if err := vectors.Lint(files, bases); err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			for _, f := range files {
				data, err := vectors.Marshal(f)
				if err != nil {
					return err
				}
				if err := cli.WriteFile(filepath.Join(out, f.Family+".json"), data); err != nil {
					return err
				}
			}
			return cli.WriteFile(filepath.Join(out, "schema.json"), vectors.Schema)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to; it is made if it is not there")
	cli.Required(cmd, "out")
	return cmd
}
