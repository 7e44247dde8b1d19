package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/renew"
	"github.com/dnasign/dnasign/keys"
)

type initFlags struct {
	config, cert, key string
	domains           []string
	resolver          string
	json              bool
}

// usualCerts are where certificate clients keep certificates and keys.
var usualCerts = [][2]string{
	{"/etc/letsencrypt/live/{domain}/fullchain.pem", "/etc/letsencrypt/live/{domain}/privkey.pem"}, // certbot
	{".lego/certificates/{domain}.crt", ".lego/certificates/{domain}.key"},
	{
		"/var/lib/caddy/.local/share/caddy/certificates/acme-v02.api.letsencrypt.org-directory/{domain}/{domain}.crt",
		"/var/lib/caddy/.local/share/caddy/certificates/acme-v02.api.letsencrypt.org-directory/{domain}/{domain}.key",
	},
}

func initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init (--domain D ... | --cert FILE --key FILE)",
		Short: "Write a first configuration for renew",
		Long: `Write a first configuration for dnasign renew, with a comment for each line. The
domains are those given, or those that the certificate names; where their
services run is asked of DNS, which may have been answered by anybody: look at
the list before you use it. Without --cert, certificates are looked for where
certbot, lego and caddy keep them. A file that is there is never overwritten.`,
		Example: `  dnasign init --domain b.example
  dnasign init --cert fullchain.pem --key privkey.pem --config /etc/dnasign/dna.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", defaultConfig, "the configuration to write")
	flags.StringArrayVar(&f.domains, "domain", nil, "a domain that delegates; repeat for more")
	flags.StringVar(&f.cert, "cert", "", "PEM file with the certificate chain, leaf first")
	flags.StringVar(&f.key, "key", "", "PEM file with the private key of the leaf")
	flags.StringVar(&f.resolver, "resolver", "", "address:port of the resolver, instead of the system's")
	flags.BoolVar(&f.json, "json", false, "say as JSON what was found")
	cmd.MarkFlagsRequiredTogether("cert", "key")
	cmd.MarkFlagsOneRequired("domain", "cert")
	return cmd
}

func runInit(cmd *cobra.Command, f initFlags) error {
	if err := checkResolver(f.resolver); err != nil {
		return err
	}
	if _, err := os.Lstat(f.config); !errors.Is(err, fs.ErrNotExist) {
		return cli.Usagef("%s is there already; change it by hand, or name another file with --config", f.config)
	}
	say := func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), "dnasign: "+format+"\n", args...) }
	draft, domains, err := f.certificates(say)
	if err != nil {
		return err
	}
	client := &discovery.Client{Resolver: f.resolver, Via: discovery.ViaDNS}
	for _, domain := range domains {
		var services []renew.DraftService
		for _, service := range []string{"_xmpp-server._tcp", "_xmpp-client._tcp"} {
			e, err := client.GatherSRV(cmd.Context(), domain, service)
			if err != nil {
				return cli.Usagef("%w", err)
			}
			found, none, err := renew.DraftOf(e)
			if err != nil {
				return err
			}
			for _, service := range none {
				say("%s says in DNS that it has no service %s; it is left out", domain, service)
			}
			services = append(services, found...)
		}
		if len(services) == 0 {
			say("%s has no SRV records for XMPP; it is left out", domain)
			continue
		}
		draft.Domains = append(draft.Domains, renew.DraftDomain{Domain: domain, Services: services})
	}
	if len(draft.Domains) == 0 {
		return errors.New("no domain is left, so nothing was written; create the SRV records first, or write the configuration by hand")
	}
	if err := writeNew(f.config, []byte(draft.String())); err != nil {
		return err
	}
	say("wrote %s; the targets in it come from SRV records, which anybody on the way could have forged", f.config)
	say("next: check the targets, say under publish where statements go, then run\n  dnasign renew --config %s --dry-run", f.config)
	if f.json {
		return cli.WriteJSON(cmd.OutOrStdout(), map[string]any{"version": 1, "file": f.config, "domains": draft.Domains})
	}
	return nil
}

// certificates finds the certificates and keys, and the domains they are for.
func (f initFlags) certificates(say func(format string, args ...any)) (draft renew.Draft, domains []string, err error) {
	for _, text := range f.domains {
		name, err := cli.Domain(text)
		if err != nil {
			return draft, nil, err
		}
		if !slices.Contains(domains, name) {
			domains = append(domains, name)
		}
	}
	candidates := usualCerts
	if f.cert != "" {
		candidates = [][2]string{{f.cert, f.key}}
	}
	for _, c := range candidates {
		var wrong error
		for i := range c {
			if c[i], err = filepath.Abs(c[i]); err != nil {
				return draft, nil, err
			}
		}
		names := domains
		if len(names) == 0 {
			names = []string{""} // those of the one certificate
		}
		var all []string
		for _, name := range names {
			named, err := signerNames(strings.ReplaceAll(c[0], "{domain}", name), strings.ReplaceAll(c[1], "{domain}", name), name, say)
			if err != nil {
				wrong = err
				break
			}
			all = append(all, named...)
		}
		switch {
		case wrong == nil:
			return renew.Draft{Cert: c[0], Key: c[1]}, all, nil
		case f.cert != "" || !errors.Is(wrong, fs.ErrNotExist):
			return draft, nil, wrong
		}
	}
	return draft, nil, cli.Usagef("there is no certificate for %s where certbot, lego or caddy keep it; name it with --cert and --key", strings.Join(domains, ", "))
}

// signerNames reads a certificate and its key and returns the name, which the
// certificate must have, or all names if it is empty.
func signerNames(cert, key, name string, say func(format string, args ...any)) ([]string, error) {
	signer, warnings, err := keys.LoadSigner(cert, key)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		say("warning: %s", w)
	}
	var names []string
	for _, n := range signer.Leaf().DNSNames {
		if n = strings.ToLower(n); delegation.CheckName(n) == nil {
			names = append(names, n)
		}
	}
	switch {
	case name == "" && len(names) == 0:
		return nil, refuse(delegation.SignerNameMismatch, "%s names no domain that could delegate, only %q", cert, signer.Leaf().DNSNames)
	case name == "":
		return names, nil
	case !slices.Contains(names, name):
		return nil, refuse(delegation.SignerNameMismatch, "%s names %q and not %s", cert, signer.Leaf().DNSNames, name)
	}
	return []string{name}, nil
}

func refuse(reason delegation.Reason, format string, args ...any) error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// writeNew writes a file that must not be there, whole or not at all. Others
// may not read it: whoever can read a configuration can lock it.
func writeNew(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp") // of mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), name) // unlike a renaming, this replaces nothing
}
