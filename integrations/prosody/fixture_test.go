// Package prosody tests the module mod_s2s_auth_dna.lua in a real prosody: by
// itself, with a daemon that answers as a test wants, and together with
// everything it is made for.
package prosody

import (
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/dnsserver"
	"github.com/dnasign/dnasign/internal/localca"
	"github.com/dnasign/dnasign/internal/realtest"
	"github.com/dnasign/dnasign/keys"
)

// A site is a folder with the root certificate that everybody in a test trusts.
type site struct {
	t     *testing.T
	dir   string
	ca    *localca.Authority
	roots string // file
}

func newSite(t *testing.T) *site {
	t.Helper()
	realtest.Need(t, "prosody")
	// Without lua-unbound a prosody would ask the resolvers of this machine.
	needLua(t, "lunbound")
	root, err := localca.New("Root", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := root.Intermediate("Intermediate", time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: t.TempDir(), ca: ca}
	s.roots = realtest.WriteFile(t, s.dir, "roots.pem", string(localca.PEM(ca.Root())))
	return s
}

// needLua skips the test unless prosody's Lua has a library.
func needLua(t *testing.T, library string) {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/*/lua/*/" + library + ".so", "/usr/local/lib/lua/*/" + library + ".so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return
		}
	}
	realtest.NeedFile(t, "/usr/lib/lua/"+library+".so")
}

// issue makes a certificate, valid from yesterday, and writes it and its key to
// NAME.pem and NAME.key, NAME being the first of the domains.
func (s *site) issue(domains ...string) (signer *keys.Signer, cert, key string) {
	s.t.Helper()
	signer, err := s.ca.Issue("P-256", domains, time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	secret, err := localca.KeyPEM(signer.Key())
	if err != nil {
		s.t.Fatal(err)
	}
	return signer, realtest.WriteFile(s.t, s.dir, domains[0]+".pem", string(localca.PEM(signer.Chain()...))),
		realtest.WriteFile(s.t, s.dir, domains[0]+".key", string(secret))
}

// pool holds the root.
func (s *site) pool() *x509.CertPool { return s.ca.Pool() }

// options are options of a prosody's configuration.
type options map[string]string

// and returns the options of both.
func (o options) and(more options) options {
	both := maps.Clone(o)
	maps.Copy(both, more)
	return both
}

// prosody hosts domains that anybody may be a user of. It resolves names by
// one resolver on the loopback address and asks nobody else.
func (s *site) prosody(cert, key, resolver string, o options, domains ...string) *realtest.ProsodyServer {
	s.t.Helper()
	return realtest.Prosody(s.t, cert, key, options{
		"authentication":      `"anonymous"`,
		"allow_anonymous_s2s": "true",
		"s2s_close_timeout":   "1",
		"s2s_ssl":             fmt.Sprintf("{ cafile = %q }", s.roots),
		"unbound": fmt.Sprintf(`{ resolvconf = false; hoststxt = false; forward = %q; options = { ["do-not-query-localhost:"] = "no" } }`,
			strings.Replace(resolver, ":", "@", 1)),
	}.and(o), domains...)
}

// withModule is the configuration of the module, for a daemon at a URL.
func withModule(t *testing.T, url string) options {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	// So that go test knows that the module is part of what was tested.
	if _, err := os.Stat("mod_s2s_auth_dna.lua"); err != nil {
		t.Fatal(err)
	}
	return options{
		"plugin_paths":    fmt.Sprintf("{ %q }", here),
		"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "s2s_auth_dna" }`,
		"dna_url":         strconv.Quote(url),
	}
}

// weak leaves domains whose certificate is not valid to dialback.
var weak = options{"s2s_secure_auth": "false"}

// The names of the pair below.
const (
	domainA, hostA = "a.example", "xmpp.alpha.example"
	domainB, hostB = "b.example", "xmpp.beta.example"
)

// A pair is two real prosodys. A has the module, and a certificate for its own
// domain. B has neither, only one for the name of its host.
type pair struct {
	*site
	a, b *realtest.ProsodyServer
	dns  *dnsserver.Server
}

func newPair(t *testing.T, optionsA, optionsB options) *pair {
	t.Helper()
	s := newSite(t)
	dns, err := dnsserver.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Close() })
	p := &pair{site: s, dns: dns}
	_, certA, keyA := s.issue(hostA, domainA)
	_, certB, keyB := s.issue(hostB)
	p.a = s.prosody(certA, keyA, dns.Addr, optionsA, domainA)
	p.b = s.prosody(certB, keyB, dns.Addr, optionsB, domainB)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of A:\n%s\nlog of B:\n%s", p.a.Log, p.b.Log)
		}
	})
	p.records(p.b.Server)
	return p
}

// records are the names of both, B's with a port of its server.
func (p *pair) records(portB int) {
	p.t.Helper()
	if err := p.dns.SetRecords([]string{
		hostA + ". A 127.0.0.1", hostB + ". A 127.0.0.1",
		"_xmpp-server._tcp." + domainA + ". SRV 0 0 " + strconv.Itoa(p.a.Server) + " " + hostA + ".",
		"_xmpp-server._tcp." + domainB + ". SRV 0 0 " + strconv.Itoa(portB) + " " + hostB + ".",
	}); err != nil {
		p.t.Fatal(err)
	}
}

// users connects a user to each.
func (p *pair) users() (userA, userB *user) {
	p.t.Helper()
	return login(p.t, p.pool(), p.a, hostA, domainA), login(p.t, p.pool(), p.b, hostB, domainB)
}

// logged waits for a line of A's log after a mark, and wants it to tell more.
func (p *pair) logged(mark int, pattern string, parts ...string) {
	p.t.Helper()
	line := p.a.Log.Wait(p.t, mark, pattern)
	for _, part := range parts {
		if !strings.Contains(line, part) {
			p.t.Errorf("the line does not tell %q:\n%s", part, line)
		}
	}
}
