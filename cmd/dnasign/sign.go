package main

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

type signFlags struct {
	domain, service string
	targets         []string
	revoke          bool
	cert, key       string
	format          string
	valid           string
	out             string
	json            bool
}

func signCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign --domain D --service S (--target H:P ... | --revoke) --cert FILE --key FILE",
		Short: "Sign a delegation",
		Long: `Sign the statement that a service of a domain is delegated to targets, with the
key of the domain's TLS certificate. The certificate must name the domain itself
(not by a wildcard, not by its common name), and the whole chain must be in the
file, as in fullchain.pem. The private key is read, used and forgotten.

Without --valid the statement lives for 14 days (a revocation for 31 days), or
until the certificate ends, if that is earlier. Sign again after two thirds of it.`,
		Example: `  dnasign sign --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 \
    --cert fullchain.pem --key privkey.pem --out b.example.jws
  dnasign sign --domain b.example --service xmpp-server --revoke --cert fullchain.pem --key privkey.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := sign(cmd, f)
			return err
		},
	}
	f.define(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.targets, "target", nil, "where the service runs: host:port[/priority/weight]; repeat for more")
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
	flags.StringVar(&f.cert, "cert", "", "PEM file with the certificate chain, leaf first")
	flags.StringVar(&f.key, "key", "", "PEM file with the private key of the leaf")
	flags.StringVar(&f.format, "format", string(delegation.JWS), "encoding: "+formats())
	flags.StringVar(&f.valid, "valid", "", "how long it shall live, such as 336h or 14d")
	flags.StringVar(&f.out, "out", "", "file to write the statement to, instead of standard output")
	flags.BoolVar(&f.json, "json", false, "describe what was signed as JSON; needs --out")
	cli.Complete(cmd, "format", "jws", "ac")
	cli.CompleteService(cmd)
	for _, name := range []string{"domain", "service", "cert", "key"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag that was not defined above
		}
	}
}

func formats() string {
	list := ""
	for i, e := range delegation.Encodings() {
		if i > 0 {
			list += " or "
		}
		list += string(e)
	}
	return list
}

// sign signs, writes and tells what the flags say, and returns the statement.
func sign(cmd *cobra.Command, f signFlags) (delegation.Statement, error) {
	var s delegation.Statement
	if f.json && f.out == "" {
		return s, cli.Usagef("--json describes the statement on standard output, so the statement itself needs --out FILE")
	}
	if !slices.Contains(delegation.Encodings(), delegation.Encoding(f.format)) {
		return s, cli.Usagef("--format is %s, not %q", formats(), f.format)
	}
	s, err := f.statement()
	if err != nil {
		return s, err
	}
	signer, warnings, err := keys.LoadSigner(f.cert, f.key)
	if err != nil {
		return s, err
	}
	s.Issued = time.Now().UTC().Truncate(time.Second)
	warning, err := f.setExpires(&s, signer)
	if err != nil {
		return s, err
	}
	if warning != "" {
		warnings = append(warnings, warning)
	}
	raw, err := delegation.Sign(s, delegation.Encoding(f.format), signer)
	if err != nil {
		return s, err
	}
	for _, w := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "dnasign: warning: %s\n", w)
	}
	if f.out == "" {
		if f.format == string(delegation.JWS) {
			raw = append(raw, '\n') // a text; in DER every octet counts
		}
		_, err := cmd.OutOrStdout().Write(raw)
		return s, err
	}
	if err := cli.WriteFile(f.out, raw, f.cert, f.key); err != nil {
		return s, err
	}
	if f.json {
		in, err := delegation.Inspect(raw)
		if err != nil {
			return s, err
		}
		return s, cli.WriteJSON(cmd.OutOrStdout(), describe(f.out, in))
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "dnasign: wrote %s: %s of %s to %s, until %s\n",
		f.out, s.Service, s.Source, targetText(s.Targets), s.Expires.Format(time.RFC3339))
	return s, nil
}

// statement is what the flags say, without times.
func (f signFlags) statement() (delegation.Statement, error) {
	var s delegation.Statement
	var err error
	if s.Source, err = cli.Domain(f.domain); err != nil {
		return s, err
	}
	if s.Service, err = cli.Service(f.service); err != nil {
		return s, err
	}
	for _, text := range f.targets {
		t, err := cli.Target(text)
		if err != nil {
			return s, err
		}
		s.Targets = append(s.Targets, t)
	}
	for !s.ID.Valid() {
		if _, err := rand.Read(s.ID[:]); err != nil {
			return s, err
		}
		s.ID[0] &= 0x7f
	}
	return s, nil
}

// setExpires gives the statement its end, never after the certificate's.
func (f signFlags) setExpires(s *delegation.Statement, signer *keys.Signer) (warning string, err error) {
	life := delegation.DefaultLife
	if f.revoke {
		life = delegation.DefaultMaxLife
	}
	if f.valid != "" {
		if life, err = cli.Life(f.valid); err != nil {
			return "", err
		}
	}
	switch {
	case life > delegation.LongestMaxLife:
		return "", cli.Usagef("--valid %s is longer than %d days, which no verifier accepts", f.valid, days(delegation.LongestMaxLife))
	case life > delegation.DefaultMaxLife:
		warning = fmt.Sprintf("verifiers accept at most %d days unless their operator says otherwise", days(delegation.DefaultMaxLife))
	}
	s.Expires = s.Issued.Add(life.Truncate(time.Second))
	// A certificate that has ended already is for Sign to refuse.
	if end := signer.Leaf().NotAfter; s.Expires.After(end) && end.After(s.Issued) {
		s.Expires = end.UTC()
		if f.valid != "" {
			warning = fmt.Sprintf("the statement ends with its certificate, at %s", end.UTC().Format(time.RFC3339))
		}
	}
	return warning, nil
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
