package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write manual pages into a directory",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			return writePages(cmd.Root(), args[0])
		},
	}
}

func writePages(cmd *cobra.Command, dir string) error {
	if !cmd.IsAvailableCommand() {
		return nil // hidden
	}
	cmd.InitDefaultHelpFlag()
	page := manPage(cmd)
	if err := os.WriteFile(filepath.Join(dir, dashed(cmd)+".1"), []byte(page), 0o644); err != nil {
		return fmt.Errorf("manual pages: %w", err)
	}
	for _, c := range cmd.Commands() {
		if err := writePages(c, dir); err != nil {
			return err
		}
	}
	return nil
}

func dashed(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// exitCodes begins the paragraph of a help text that has a section of its own
// in the manual page.
const exitCodes = "Exit codes"

// filesKey is the annotation that [Files] makes.
const filesKey = "files"

// Files says for the manual page which files a command uses besides those that
// its flags name. It is pairs of a path and what it is.
func Files(cmd *cobra.Command, pairs ...string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[filesKey] = strings.Join(pairs, "\n")
}

// usualFiles are those that every command with a flag uses.
var usualFiles = []struct{ flag, path, what string }{
	{"roots", "/etc/ssl/certs/ca-certificates.crt", "the system's CA certificates, unless --roots names others. The environment variables SSL_CERT_FILE and SSL_CERT_DIR name other places."},
	{"resolver", "/etc/resolv.conf", "the system's resolvers, unless --resolver names another one."},
}

func manPage(cmd *cobra.Command) string {
	var p page
	fmt.Fprintf(&p, ".TH \"%s\" \"1\" \"\" \"dna\" \"\"\n", strings.ToUpper(dashed(cmd)))
	p.section("NAME")
	fmt.Fprintf(&p, "%s \\- %s\n", escape(dashed(cmd)), escape(cmd.Short))
	p.section("SYNOPSIS")
	fmt.Fprintf(&p, "%s\n", escape(cmd.UseLine()))
	p.section("DESCRIPTION")
	description, exits := splitExits(cmp.Or(cmd.Long, cmd.Short))
	p.paragraphs(description)
	if cmd.HasAvailableFlags() {
		p.section("OPTIONS")
		cmd.NonInheritedFlags().VisitAll(p.flag)
		cmd.InheritedFlags().VisitAll(p.flag)
	}
	if exits == "" {
		_, exits = splitExits(cmd.Root().Long)
	}
	p.section("EXIT STATUS")
	p.paragraphs(exits)
	p.section("FILES")
	p.files(cmd)
	if cmd.Example != "" {
		p.section("EXAMPLES")
		p.verbatim(strings.Split(cmd.Example, "\n"))
	}
	var see []string
	if cmd.HasParent() {
		see = append(see, dashed(cmd.Parent()))
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			see = append(see, dashed(c))
		}
	}
	if len(see) > 0 {
		p.section("SEE ALSO")
		fmt.Fprintf(&p, "%s(1)\n", escape(strings.Join(see, "(1), ")))
	}
	return p.String()
}

// splitExits takes the paragraph on exit codes out of a text.
func splitExits(text string) (rest, exits string) {
	var others []string
	for _, paragraph := range strings.Split(text, "\n\n") {
		if strings.HasPrefix(paragraph, exitCodes) {
			exits = paragraph
			continue
		}
		others = append(others, paragraph)
	}
	return strings.Join(others, "\n\n"), exits
}

// A page is the source of a manual page (man(7)).
type page struct{ strings.Builder }

func (p *page) section(title string) { fmt.Fprintf(p, ".SH %s\n", title) }

// paragraphs writes a text. Lines that are indented stay as they are.
func (p *page) paragraphs(text string) {
	for _, paragraph := range strings.Split(text, "\n\n") {
		p.WriteString(".PP\n")
		if strings.HasPrefix(paragraph, " ") {
			p.verbatim(strings.Split(paragraph, "\n"))
			continue
		}
		fmt.Fprintf(p, "%s\n", escape(paragraph))
	}
}

func (p *page) verbatim(lines []string) {
	fmt.Fprintf(p, ".nf\n")
	for _, line := range lines {
		fmt.Fprintf(p, "%s\n", escape(line))
	}
	fmt.Fprintf(p, ".fi\n")
}

func (p *page) flag(f *pflag.Flag) {
	if f.Hidden {
		return
	}
	name, usage := pflag.UnquoteUsage(f)
	text := "--" + f.Name
	if f.Shorthand != "" {
		text = "-" + f.Shorthand + ", " + text
	}
	if name != "" {
		text += " " + name
	}
	switch f.DefValue {
	case "", "false", "[]", "0", "0s":
	default:
		usage += fmt.Sprintf(" (default %s)", f.DefValue)
	}
	p.item(text, usage)
}

func (p *page) item(head, text string) { fmt.Fprintf(p, ".TP\n%s\n%s\n", escape(head), escape(text)) }

func (p *page) files(cmd *cobra.Command) {
	n := 0
	own := strings.Split(cmd.Annotations[filesKey], "\n")
	for i := 0; i+1 < len(own); i += 2 {
		p.item(own[i], own[i+1])
		n++
	}
	for _, f := range usualFiles {
		if cmd.Flags().Lookup(f.flag) != nil {
			p.item(f.path, f.what)
			n++
		}
	}
	if n == 0 {
		p.WriteString("The command uses no other files than those that are named when it is called.\n")
	}
}

// escape writes text so that roff does not read it as its own commands.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
