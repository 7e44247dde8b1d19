package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/keysource"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

type signFlags struct {
	beforeFlags
	domain, service string
	targets         []string
	revoke          bool
	cert, key       string
	format          string
	valid           string
	out             string
	json            bool
	readable        bool
}

func signCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign --domain D --service S (--target H:P ... | --revoke) --cert FILE --key FILE",
		Short: "Sign a delegation",
		Long: `Sign the statement that a service of a domain is delegated to targets, with the
key of the domain's TLS certificate. The certificate must name the domain itself
(not by a wildcard, not by its common name), and the whole chain must be in the
file, as in fullchain.pem. It may be in any order, with the root or others among
it: dnasign takes the chain of the key's certificate that leads to a trust anchor
(--roots) and lasts longest. The private key is read, used and forgotten.

A service has one statement, whatever number of SRV labels it has. A target at
which TLS begins with the first byte, as the SRV records of _xmpps-server say, is
written host:port/direct. --service xmpps-server means xmpp-server with all
targets like that.

Without --valid the statement lives for 14 days (a revocation for 31 days), or
until the certificate ends, if that is earlier. Sign again after two thirds of it.

Verifiers rank statements by the date of their certificate, then by their own, and
remember the highest. So dnasign looks at what is published, remembers what it has
signed (--state), and does not sign what would rank below.`,
		Example: `  dnasign sign --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 \
    --cert fullchain.pem --key privkey.pem --out b.example.jws
  dnasign sign --domain b.example --service xmpp-server --target xmpp.hosting.example:5269/10/0 \
    --target xmpp.hosting.example:5270/20/0/direct --cert fullchain.pem --key privkey.pem
  dnasign sign --domain b.example --service xmpp-server --revoke --cert fullchain.pem --key privkey.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := signStatement(cmd, f)
			return err
		},
	}
	f.define(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.targets, "target", nil, "where the service runs: host:port[/priority/weight][/direct]; repeat for more")
	flags.BoolVar(&f.revoke, "revoke", false, "delegate to nobody, instead of --target; see dnasign revoke")
	cmd.MarkFlagsMutuallyExclusive("target", "revoke")
	cmd.MarkFlagsOneRequired("target", "revoke")
	return cmd
}

// define defines the flags of every command that signs.
func (f *signFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.domain, "domain", "", "the domain that delegates, such as b.example")
	flags.StringVar(&f.service, "service", "", "the service: xmpp-server means _xmpp-server._tcp")
	flags.StringVar(&f.cert, "cert", "", "PEM file with the certificate and its chain, in any order")
	defineKey(cmd, &f.key)
	allowReadable(flags, &f.readable)
	flags.StringVar(&f.format, "format", string(delegation.JWS), "encoding: "+formats)
	flags.StringVar(&f.valid, "valid", "", "lifetime of the statement, such as 336h or 14d")
	flags.StringVar(&f.out, "out", "", "file to write the statement to, instead of standard output")
	flags.BoolVar(&f.json, "json", false, "describe what was signed as JSON; needs --out")
	cli.Complete(cmd, "format", "jws", "ac")
	cli.CompleteService(cmd)
	f.beforeFlags.define(cmd)
	cmd.MarkFlagsOneRequired("key", "key-command")
	cli.Required(cmd, "domain", "service", "cert")
}

// formats are the values of --format.
const formats = string(delegation.JWS + " or " + delegation.AC)

// signStatement signs, writes and tells what the flags say, and returns the statement.
func signStatement(cmd *cobra.Command, f signFlags) (delegation.Statement, error) {
	var s delegation.Statement
	if f.json && (f.out == "" || f.out == cli.Standard) {
		return s, cli.Usagef("--json describes the statement on standard output, so the statement itself needs --out FILE")
	}
	if f.out == cli.Standard {
		f.out = ""
	}
	if err := f.checkInputs(); err != nil {
		return s, err
	}
	if !slices.Contains(delegation.Encodings(), delegation.Encoding(f.format)) {
		return s, cli.Usagef("--format is %s, not %q", formats, f.format)
	}
	s, notes, err := f.statement()
	if err != nil {
		return s, err
	}
	for _, n := range notes {
		say(cmd, "%s", n)
	}
	life, err := f.life()
	if err != nil {
		return s, err
	}
	loader, err := f.loader()
	if err != nil {
		return s, err
	}
	signer, warnings, err := loader.LoadSigner(cli.Input(f.cert), cli.Input(f.key))
	if err != nil {
		return s, err
	}
	state, err := f.memory(f.cert)
	if err != nil {
		return s, err
	}
	before, err := f.before(cmd.Context(), s, signer, state.Of(s.Source, s.Service))
	if err != nil {
		return s, err
	}
	warnings = append(warnings, before.warnings...)
	s.Issued, notes, err = signing.Moment(signer.Leaf(), time.Now(), before.earlier, f.force)
	if err != nil {
		return s, err
	}
	warnings = append(warnings, notes...)
	var cut bool
	if s.Expires, cut = signing.Expires(s.Issued, life, signer.Leaf()); cut && f.valid != "" {
		warnings = append(warnings, fmt.Sprintf("the statement ends with its certificate, at %s", text.Stamp(s.Expires)))
	}
	if s.Expires.Sub(s.Issued) > limits.DefaultMaxLife {
		warnings = append(warnings, longLife("--valid "+f.valid))
	}
	warn(cmd, warnings...) // before anything is signed
	encoding := delegation.Encoding(f.format)
	all, err := signing.Sign(&s, []delegation.Encoding{encoding}, signer)
	if err != nil {
		return s, err
	}
	raw := all[encoding]
	in, err := delegation.Inspect(raw)
	if err != nil {
		return s, err
	}
	warn(cmd, before.about(in)...)
	if f.roots != "" {
		if err := (publish.Owner{Roots: loader.Roots}).CheckTrusted(in); err != nil {
			warn(cmd, fmt.Sprintf("who has the trust anchors of %s does not accept the statement: %v", f.roots, err))
		}
	}
	state.Add(in, false)
	if err := state.Save(cmd.Context()); err != nil {
		return s, fmt.Errorf("what was signed cannot be remembered, so it is not written (name another file with --state): %w", err)
	}
	if f.out == "" {
		if f.format == string(delegation.JWS) {
			raw = append(raw, '\n') // a text; in DER every octet counts
		}
		_, err := cmd.OutOrStdout().Write(raw)
		return s, err
	}
	if err := cli.WriteFile(f.out, raw, f.cert, f.key, f.roots, state.File()); err != nil {
		return s, err
	}
	if f.json {
		return s, cli.WriteJSON(cmd.OutOrStdout(), describe(f.out, in))
	}
	say(cmd, "wrote %s: %s of %s to %s, until %s", f.out, s.Service, s.Source, targetText(s.Targets), text.Stamp(s.Expires))
	return s, nil
}

// checkInputs refuses what cannot be read from standard input.
func (f signFlags) checkInputs() error {
	if err := cli.OneInput(f.cert, f.key); err != nil {
		return err
	}
	if f.cert == cli.Standard && f.state == "" {
		return cli.Usagef("--cert - needs --state: what was signed is remembered beside the certificate's file, and there is none")
	}
	if f.roots == cli.Standard {
		return cli.Usagef("--roots must be a file here: it is read more than once")
	}
	return nil
}

// loader reads the signer. The system's anchors are only a preference among
// several chains. Anchors that the user named must be there.
func (f signFlags) loader() (keys.Loader, error) {
	roots, err := keys.LoadRoots(f.roots)
	if err != nil && f.roots != "" {
		return keys.Loader{}, err
	}
	loader := signerKeys(f.readable)
	loader.Roots = roots
	return loader, nil
}

func defineKey(cmd *cobra.Command, key *string) {
	flags := cmd.Flags()
	flags.StringVar(key, "key", "", "PEM file with the private key of the certificate, or a pkcs11: URI of it in a token")
	flags.Var(commandFlag{key}, "key-command", "program that signs, instead of --key: it reads a digest from standard input and writes the signature (docs/keys.md)")
	cmd.MarkFlagsMutuallyExclusive("key", "key-command")
}

// A commandFlag names a key that a program signs with.
type commandFlag struct{ key *string }

func (c commandFlag) Set(line string) error { *c.key = keysource.Command + line; return nil }
func (c commandFlag) Type() string          { return "command" }

func (c commandFlag) String() string {
	if c.key == nil { // the flag package makes one of its own
		return ""
	}
	line, _ := strings.CutPrefix(*c.key, keysource.Command)
	return line
}

// signerKeys reads keys of owners from files, programs and tokens.
func signerKeys(readable bool) keys.Loader {
	return keys.Loader{AllowReadable: readable, Open: new(keysource.Source).Open}
}

// allowReadable defines the flag for read-only mounts in containers.
func allowReadable(flags *pflag.FlagSet, readable *bool) {
	flags.BoolVar(readable, "allow-readable-keys", false, "take key files that every user can read; for read-only mounts in containers, where nobody else is")
}

// statement is what the flags say, without id and times. The notes are for a
// person.
func (f signFlags) statement() (s delegation.Statement, notes []string, err error) {
	if s.Source, err = cli.Domain(f.domain); err != nil {
		return s, nil, err
	}
	label, err := cli.Service(f.service)
	if err != nil {
		return s, nil, err
	}
	role := delegation.RoleOf(label)
	s.Service = role.Service
	for _, text := range f.targets {
		t, err := cli.Target(text)
		if err != nil {
			return s, nil, err
		}
		if label == role.Second {
			t.TLS = delegation.Direct
		}
		s.Targets = append(s.Targets, t)
	}
	switch {
	case label == role.Service:
	case f.revoke:
		notes = append(notes, fmt.Sprintf("%s is not a service of its own: the revocation is for %s, and for both labels", label, role.Service))
	default:
		notes = append(notes, fmt.Sprintf("%s is not a service of its own: the statement is for %s, with /direct (TLS from the first byte) at its targets. It replaces the one there is, so name all targets of both", label, role.Service))
	}
	return s, notes, nil
}

// life is how long the statement is to live.
func (f signFlags) life() (life time.Duration, err error) {
	life = limits.DefaultLife
	if f.revoke {
		life = limits.DefaultMaxLife
	}
	if f.valid != "" {
		if life, err = cli.Life(f.valid); err != nil {
			return 0, err
		}
	}
	if life > limits.LongestMaxLife {
		return 0, cli.Usagef("--valid %s is longer than %d days, which no verifier accepts; verifiers accept %d days: --valid %[3]dd",
			f.valid, days(limits.LongestMaxLife), days(limits.DefaultMaxLife))
	}
	return life, nil
}

// longLife warns of a statement that lives longer than verifiers accept.
func longLife(what string) string {
	return fmt.Sprintf("%s is longer than the %d days that verifiers accept; all but those whose operator allows more will refuse the statement (%s). Sign with --valid %[2]dd or less",
		what, days(limits.DefaultMaxLife), reasons.LifeTooLong)
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
