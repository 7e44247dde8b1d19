package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/renew"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/wholefile"
	"github.com/dnasign/dnasign/keys"
)

type initFlags struct {
	config, cert, key string
	domains           []string
	resolver          string
	json              bool
	readable          bool
}

// machine is the folder that holds the files of this machine. The tests build
// with another one, so that they do not read what the machine really has.
var machine = "/"

// usualCerts are where certificate clients keep certificates and keys.
func usualCerts() [][2]string {
	certbot := filepath.Join(machine, "etc/letsencrypt/live/{domain}")
	caddy := filepath.Join(machine, "var/lib/caddy/.local/share/caddy/certificates/acme-v02.api.letsencrypt.org-directory/{domain}/{domain}")
	return [][2]string{
		{certbot + "/fullchain.pem", certbot + "/privkey.pem"},
		{".lego/certificates/{domain}.crt", ".lego/certificates/{domain}.key"},
		{caddy + ".crt", caddy + ".key"},
	}
}

func initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init (--domain D ... | --cert FILE --key FILE)",
		Short: "Write a first configuration for renew",
		Long: `Write a first configuration for dnasign renew, with a comment for each line. The
domains are those given and the names below them in the certificate, such as
conference.b.example, or all that the certificate names. XMPP components are
domains of their own: each needs a name in the certificate, SRV records and a
statement. DNS says where the services run. A forged DNS answer could have put a
wrong host there, so check the list before you use it. The SRV records of both
labels of a service (_xmpp-server and _xmpps-server) become one list of targets.
Without --cert, init looks for certificates where certbot, lego and caddy keep
them. It never overwrites a file.`,
		Example: `  dnasign init --domain b.example
  dnasign init --cert fullchain.pem --key privkey.pem --config /etc/dnasign/dna.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", defaultConfig(), "the configuration to write; - for standard output")
	flags.StringArrayVar(&f.domains, "domain", nil, "a domain that delegates; repeat for more")
	flags.StringVar(&f.cert, "cert", "", "PEM file with the certificate and its chain, in any order")
	defineKey(cmd, &f.key)
	allowReadable(flags, &f.readable)
	flags.StringVar(&f.resolver, "resolver", "", "address:port of the resolver, instead of the system's")
	flags.BoolVar(&f.json, "json", false, "say as JSON what was found")
	cmd.MarkFlagsOneRequired("domain", "cert")
	configFiles(cmd)
	return cmd
}

func runInit(cmd *cobra.Command, f initFlags) error {
	if err := checkResolver(f.resolver); err != nil {
		return err
	}
	if (f.cert == "") != (f.key == "") {
		return cli.Usagef("--cert needs --key or --key-command, and they need --cert")
	}
	if f.cert == cli.Standard || f.key == cli.Standard {
		return cli.Usagef("--cert and --key must be files: the configuration names them")
	}
	if f.config == cli.Standard && f.json {
		return cli.Usagef("--json and --config - both write to standard output")
	}
	if _, err := os.Lstat(f.config); f.config != cli.Standard && !errors.Is(err, fs.ErrNotExist) {
		return cli.Usagef("%s is there already; change it by hand, or name another file with --config", f.config)
	}
	draft, domains, below, err := f.certificates(cmd)
	if err != nil {
		return err
	}
	client := &discovery.Client{Resolver: f.resolver, Via: discovery.ViaDNS}
	for _, domain := range append(domains, below...) {
		isBelow := slices.Contains(below, domain)
		services, err := servicesOf(cmd, client, domain)
		switch {
		case err != nil && isBelow:
			say(cmd, "the certificate also names %s; it is left out, since its SRV records cannot be read: %v", domain, err)
			continue
		case err != nil:
			return err
		case len(services) == 0 && isBelow:
			say(cmd, "the certificate also names %s, which has no SRV records for XMPP; it is left out. If it is a component, create them and add it", domain)
			continue
		case len(services) == 0:
			say(cmd, "%s has no SRV records for XMPP; it is left out", domain)
			continue
		case isBelow:
			say(cmd, "the certificate also names %s, which has SRV records: it gets a statement of its own; remove it if you do not want that", domain)
		}
		for _, found := range services {
			say(cmd, "%s: found the service %s; its record will be TXT %s", domain, found.Service, delegation.TXTName(domain, found.Service))
		}
		draft.Domains = append(draft.Domains, renew.DraftDomain{Domain: domain, Services: services})
		if too := tooLarge(cmd.Context(), f.resolver, domain, strings.ReplaceAll(draft.Cert, "{domain}", domain)); too != "" {
			warn(cmd, domain+": "+too)
		}
	}
	if len(draft.Domains) == 0 {
		return errors.New("no domain is left, so nothing was written; create the SRV records first, or write the configuration by hand")
	}
	if f.config == cli.Standard {
		_, err := io.WriteString(cmd.OutOrStdout(), draft.String())
		return err
	}
	if f.config == usualConfig {
		if err := os.MkdirAll(filepath.Dir(f.config), 0o755); err != nil {
			return err
		}
	}
	if err := writeNew(f.config, []byte(draft.String())); err != nil {
		return err
	}
	say(cmd, "wrote %s; the targets in it come from SRV records, and a forged DNS answer could have put a wrong host there", f.config)
	say(cmd, "next: check the targets, take out what you do not want to sign for, say under publish where statements go, then run\n  dnasign renew --config %s --check", text.Word(f.config))
	if f.json {
		return cli.WriteJSON(cmd.OutOrStdout(), map[string]any{"version": 1, "file": f.config, "domains": draft.Domains})
	}
	return nil
}

// tooLarge says that the DNS provider of a domain is known to take no record of the
// size that one with this certificate will have.
func tooLarge(ctx context.Context, resolver, domain, cert string) string {
	provider := (&publish.DNS{Resolver: resolver}).Provider(ctx, domain)
	chain, err := keys.LoadCertificates(cert)
	if provider == nil || err != nil {
		return ""
	}
	too := provider.Exceeded(publish.Likely(chain))
	if too == "" {
		return ""
	}
	return too + "; publish over HTTPS, or " + publish.Advice(delegation.AC) // what init writes
}

// servicesOf asks DNS where the services of a domain run.
func servicesOf(cmd *cobra.Command, client *discovery.Client, domain string) (services []renew.DraftService, err error) {
	for _, service := range []string{"_xmpp-server._tcp", "_xmpp-client._tcp"} {
		e, err := client.GatherSRV(cmd.Context(), domain, service)
		if err != nil {
			return nil, cli.Usagef("%w", err)
		}
		found, notes, err := renew.DraftOf(e)
		if err != nil {
			return nil, err
		}
		for _, note := range notes {
			say(cmd, "%s", note)
		}
		if len(found.Targets) > 0 {
			services = append(services, found)
		}
	}
	return services, nil
}

// certificates finds the certificates and keys, the domains they are for, and
// further names of them that are below these domains.
func (f initFlags) certificates(cmd *cobra.Command) (draft renew.Draft, domains, below []string, err error) {
	for _, text := range f.domains {
		name, err := cli.Domain(text)
		if err != nil {
			return draft, nil, nil, err
		}
		if !slices.Contains(domains, name) {
			domains = append(domains, name)
		}
	}
	candidates := usualCerts()
	if f.cert != "" {
		candidates = [][2]string{{f.cert, f.key}}
	}
	for _, c := range candidates {
		var wrong error
		for i := range c {
			if keys.Elsewhere(c[i]) {
				continue
			}
			if c[i], err = filepath.Abs(c[i]); err != nil {
				return draft, nil, nil, err
			}
		}
		names := domains
		if len(names) == 0 {
			names = []string{""} // those of the one certificate
		}
		var all, further []string
		for _, name := range names {
			named, more, err := f.signerNames(cmd, strings.ReplaceAll(c[0], "{domain}", name), strings.ReplaceAll(c[1], "{domain}", name), name)
			if err != nil {
				wrong = err
				break
			}
			all, further = append(all, named...), append(further, more...)
		}
		switch {
		case wrong == nil:
			further = slices.DeleteFunc(further, func(n string) bool { return slices.Contains(all, n) })
			slices.Sort(further)
			return renew.Draft{Cert: c[0], Key: c[1]}, all, slices.Compact(further), nil
		case f.cert != "" || !errors.Is(wrong, fs.ErrNotExist):
			return draft, nil, nil, wrong
		}
	}
	return draft, nil, nil, cli.Usagef("there is no certificate for %s where certbot, lego or caddy keep it; name it with --cert and --key", strings.Join(domains, ", "))
}

// signerNames reads a certificate and its key. It returns the name, which the
// certificate must have, and the names below it. An empty name means all names.
func (f initFlags) signerNames(cmd *cobra.Command, cert, key, name string) (names, below []string, err error) {
	signer, warnings, err := signerKeys(f.readable).LoadSigner(cert, key)
	if err != nil {
		return nil, nil, err
	}
	warn(cmd, warnings...)
	for _, n := range signer.Leaf().DNSNames {
		if n = strings.ToLower(n); delegation.CheckName(n) == nil {
			names = append(names, n)
		}
	}
	switch {
	case name == "" && len(names) == 0:
		return nil, nil, delegation.Errorf(reasons.SignerNameMismatch, "%s names no domain that could delegate, only %q", cert, signer.Leaf().DNSNames)
	case name == "":
		return names, nil, nil
	case !slices.Contains(names, name):
		return nil, nil, delegation.Errorf(reasons.SignerNameMismatch, "%s names %q and not %s", cert, signer.Leaf().DNSNames, name)
	}
	for _, n := range names {
		if strings.HasSuffix(n, "."+name) {
			below = append(below, n)
		}
	}
	return []string{name}, below, nil
}

// writeNew writes a file that must not be there, whole or not at all. Others
// may not read it: anybody who can read a configuration can lock it.
func writeNew(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp") // of mode 0600
	if err != nil {
		return wholefile.About(name, err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return wholefile.About(name, err)
	}
	return wholefile.About(name, os.Link(f.Name(), name)) // unlike a renaming, this replaces nothing
}
