package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

const providersDoc = "../../docs/providers.md"

// A providerLab is a laboratory of a provider and its customers, in which
// everything is as docs/providers.md says.
type providerLab struct {
	*laboratory
	*world.World
	page []block
}

// part is a block of the page.
func (p *providerLab) part(section, kind string) string {
	p.t.Helper()
	for _, b := range p.page {
		if b.section == section && b.kind == kind {
			return p.rooted(b.text)
		}
	}
	p.t.Fatalf("%s has no %s in the section %q", providersDoc, kind, section)
	return ""
}

// follow types the commands of a section.
func (p *providerLab) follow(section string) {
	p.t.Helper()
	for line := range strings.Lines(p.part(section, "console")) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			p.run(strings.TrimSpace(command))
		}
	}
}

// certify puts a certificate where certbot keeps it, or somewhere else.
func (p *providerLab) certify(cert, key string, names ...string) {
	p.t.Helper()
	signer := p.Issue(-world.Day, world.Day, names...)
	p.write(cert, string(localca.PEM(signer.Chain()...)))
	p.write(key, string(localca.Must(localca.KeyPEM(signer.Key()))))
}

// at makes the ports of a server those of xmpp.hosting.example.
func (p *providerLab) at(port int) {
	p.write("web", fmt.Sprintf("xmpp.hosting.example:5269:127.0.0.1:%d", port))
}

// shown is the name in the certificate that a server shows with TLS at once.
func (p *providerLab) shown(port int, serverName string) (string, error) {
	p.t.Helper()
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{ServerName: serverName, RootCAs: p.CA.Pool(), InsecureSkipVerify: true})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].DNSNames[0], nil
}

// TestProviders follows docs/providers.md: the customer's mail with a real
// knot, then Debian's prosody and ejabberd with one certificate for all.
func TestProviders(t *testing.T) {
	realtest.Need(t, "knotd", "unbound", "prosody", "ejabberdctl")
	p := &providerLab{&laboratory{t: t, root: t.TempDir(), bin: t.TempDir()}, world.At(time.Now()), blocks(t, providersDoc)}
	const zoneSection = "A zone for the customers' statements"
	customers := p.part(zoneSection, "dns")
	p.knot, _ = realtest.KnotWith(t, p.part(zoneSection, "knot"),
		realtest.Zone{Name: "b.example", Content: "$TTL 1\n@ A 127.0.0.1\n" + customers},
		realtest.Zone{Name: "hosting.example", Content: "xmpp A 127.0.0.1\n"},
		realtest.Zone{Name: "dna.hosting.example", Listed: true},
	)
	p.unbound = realtest.Unbound(t, p.knot, nil, "b.example", "hosting.example", "dna.hosting.example")
	const live = "/etc/letsencrypt/live/"
	p.certify(live+"xmpp.hosting.example/fullchain.pem", live+"xmpp.hosting.example/privkey.pem", "xmpp.hosting.example")
	p.certify(live+"b.example/fullchain.pem", live+"b.example/privkey.pem", "b.example", "conference.b.example", "www.b.example")
	p.certify("/etc/prosody/certs/d.example.crt", "/etc/prosody/certs/d.example.key", "d.example")
	p.write("roots.pem", string(localca.PEM(p.CA.Root())))
	p.at(9) // nobody
	programs := build(t)
	realtest.Wrapper(t, p.bin, filepath.Join(programs, "dnasign"), fmt.Sprintf(`export DNASIGN_CONFIG='%[1]s/etc/dnasign/dna.yaml'
case $1 in
init) set -- "$@" --resolver %[2]s --cert '%[1]s%[3]sb.example/fullchain.pem' --key '%[1]s%[3]sb.example/privkey.pem' ;;
renew) set -- "$@" --resolver %[2]s --roots '%[1]s/roots.pem' ;;
esac
exec REAL "$@"
`, p.root, p.unbound, live))
	realtest.Wrapper(t, p.bin, filepath.Join(programs, "dnaverify"), fmt.Sprintf(
		`exec REAL "$@" --resolver %s --roots '%s/roots.pem' --via dns --connect-to "$(cat '%[2]s/web')" --allow-private-addresses`+"\n", p.unbound, p.root))

	t.Run("the mail", func(t *testing.T) { p.with(t).followMail() })
	t.Run("Prosody", func(t *testing.T) { p.with(t).prosody() })
	t.Run("ejabberd", func(t *testing.T) { p.with(t).ejabberd() })
}

// with is the same laboratory for a subtest.
func (p *providerLab) with(t *testing.T) *providerLab {
	one, lab := *p, *p.laboratory
	lab.t = t
	one.laboratory = &lab
	return &one
}

// followMail does what the customer is asked to.
func (p *providerLab) followMail() {
	mail := p.part("A mail to your customers", "mail")
	line := func(pattern string) string {
		p.t.Helper()
		found := regexp.MustCompile(`(?m)^ +(` + pattern + `.*)$`).FindStringSubmatch(mail)
		if found == nil {
			p.t.Fatalf("the mail has no line like %s", pattern)
		}
		return found[1]
	}
	for _, record := range []string{"_xmpp-server._tcp ", "_xmpp-server._tcp._dna "} {
		if !strings.Contains(p.part("A zone for the customers' statements", "dns"), strings.Join(strings.Fields(line(record))[2:], " ")) {
			p.t.Errorf("the mail and the page have different records: %s", line(record))
		}
	}
	p.write("/etc/dnasign/tsig.key", line("hmac-sha256:")+"\n")
	ran := 0
	for _, found := range regexp.MustCompile(`(?m)^ +\$ (.*)$`).FindAllStringSubmatch(mail, -1) {
		command := found[1]
		ran++
		if strings.HasPrefix(command, "dnaverify ") {
			(&owner{laboratory: p.laboratory}).patiently(command)
			continue
		}
		p.run(command)
		if strings.HasPrefix(command, "dnasign init") {
			(&owner{laboratory: p.laboratory}).configure("  publish:\n    " + line("- dns:") + "\n")
		}
	}
	if ran < 3 {
		p.t.Errorf("the mail has only %d commands", ran)
	}
	config, err := os.ReadFile(p.path("/etc/dnasign/dna.yaml"))
	if err != nil || !strings.Contains(string(config), "- domain: conference.b.example\n") || strings.Contains(string(config), "www.b.example") {
		p.t.Errorf("the component is not in the configuration, or www is: %v\n%s", err, config)
	}
	// The key of another customer changes nothing here.
	key := regexp.MustCompile(`id: c.example\n +algorithm: hmac-sha256\n +secret: (.*)`).FindStringSubmatch(p.part("A zone for the customers' statements", "knot"))
	p.write("/etc/dnasign/tsig.key", "hmac-sha256:c.example:"+key[1]+"\n")
	if out, _, err := p.try("dnasign renew --force"); err == nil || !strings.Contains(out, "refused") {
		p.t.Errorf("the key of c.example changes the statement of b.example: %v\n%s", err, out)
	}
}

// connects holds what connect says about a domain to a pattern.
func (p *providerLab) connects(domain string, ok bool, patterns ...string) {
	p.t.Helper()
	out, errout, err := p.try("dnaverify connect " + domain)
	// A server that has just begun on a busy machine may be slow, which is no verdict.
	var exit *exec.ExitError
	for again := 0; ok && again < 5 && errors.As(err, &exit) && exit.ExitCode() == cli.ExitUndetermined; again++ {
		out, errout, err = p.try("dnaverify connect " + domain)
	}
	if (err == nil) != ok {
		p.t.Errorf("connect %s: %v\n%s%s", domain, err, out, errout)
	}
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(out) {
			p.t.Errorf("connect %s does not say %q:\n%s", domain, pattern, out)
		}
	}
}

const byDelegation = `^VERIFIED until .* by delegation, as xmpp.hosting.example\n`

func (p *providerLab) prosody() {
	p.follow("Prosody")
	var lua []string
	for _, b := range p.page {
		if b.section == "Prosody" && b.kind == "lua" {
			lua = append(lua, p.rooted(b.text))
		}
	}
	if len(lua) != 2 {
		p.t.Fatalf("%d parts of a configuration, want 2", len(lua))
	}
	certs := p.path("/etc/prosody/certs")
	p.t.Run("Debian's default", func(t *testing.T) {
		p := p.with(t)
		hosts := regexp.MustCompile(`(?m)^(VirtualHost|Component) .*$`).FindAllString(strings.ReplaceAll(lua[0], `VirtualHost "xmpp.hosting.example"`, ""), -1)
		port, direct := realtest.DebianProsody(t, t.TempDir(), strings.Join(hosts, "\n")+"\n")
		p.at(port)
		p.connects("b.example", false, `^REFUSED: tls-failed: xmpp.hosting.example:5269 seems to have no certificate for b.example or xmpp.hosting.example`, `hint: .*certificate`)
		if name, err := p.shown(direct, "xmpp.hosting.example"); err == nil {
			t.Errorf("a certificate for %s", name)
		}
	})
	port, direct := realtest.DebianProsody(p.t, certs, lua[0]+lua[1])
	p.at(port)
	p.connects("b.example", true, byDelegation)
	p.connects("conference.b.example", true, byDelegation)
	for asked, want := range map[string]string{"xmpp.hosting.example": "xmpp.hosting.example", "b.example": "xmpp.hosting.example", "d.example": "d.example"} {
		if name, err := p.shown(direct, asked); name != want {
			p.t.Errorf("asked for %s with direct TLS, Prosody shows %q, %v", asked, name, err)
		}
	}
	p.connects("www.b.example", false)
}

func (p *providerLab) ejabberd() {
	if err := os.MkdirAll(p.path("/etc/ejabberd"), 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.follow("ejabberd")
	server := realtest.Ejabberd(p.t, p.part("ejabberd", "yaml"))
	p.at(server.Server)
	p.connects("b.example", true, byDelegation)
	p.connects("conference.b.example", true, byDelegation)
	if name, err := p.shown(server.ServerDirect, "xmpp.hosting.example"); name != "xmpp.hosting.example" {
		p.t.Errorf("with direct TLS ejabberd shows %q, %v", name, err)
	}
}
