// Package prosody tests the module mod_s2s_auth_dna.lua in a real prosody. It
// runs alone, with a daemon that answers as a test wants, and with everything
// it is made for.
package prosody

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// A site is one that has a prosody.
type site struct{ *xmpptest.Site }

func newSite(t *testing.T) *site {
	t.Helper()
	realtest.Need(t, "prosody")
	// Without lua-unbound a prosody would ask the resolvers of this machine.
	realtest.NeedLua(t, "lunbound")
	return &site{xmpptest.NewSite(t)}
}

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
	s.T.Helper()
	return realtest.Prosody(s.T, cert, key, options{
		"authentication":      `"anonymous"`,
		"allow_anonymous_s2s": "true",
		"s2s_close_timeout":   "1",
		"s2s_ssl":             fmt.Sprintf("{ cafile = %q }", s.Roots),
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
	// So that go test knows that the modules are part of what was tested.
	for _, file := range []string{"mod_s2s_auth_dna.lua", "mod_s2s_dna_statements.lua"} {
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
	return options{
		"plugin_paths":    fmt.Sprintf("{ %q }", here),
		"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "s2s_auth_dna" }`,
		"dna_url":         strconv.Quote(url),
	}
}

// showing also loads the module that shows statements, those of a folder.
func showing(folder string) options {
	return options{
		"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "s2s_auth_dna", "s2s_dna_statements" }`,
		"dna_statements":  strconv.Quote(folder),
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
	dns := setup.DNS(t)
	p := &pair{site: s, dns: dns}
	_, certA, keyA := s.Certify(hostA, domainA)
	_, certB, keyB := s.Certify(hostB)
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
	p.T.Helper()
	if err := p.dns.SetRecords([]string{
		hostA + ". A 127.0.0.1", hostB + ". A 127.0.0.1",
		"_xmpp-server._tcp." + domainA + ". SRV 0 0 " + strconv.Itoa(p.a.Server) + " " + hostA + ".",
		"_xmpp-server._tcp." + domainB + ". SRV 0 0 " + strconv.Itoa(portB) + " " + hostB + ".",
	}); err != nil {
		p.T.Fatal(err)
	}
}

// users connects a user to each.
func (p *pair) users() (userA, userB *user) {
	p.T.Helper()
	return login(p.T, p.Pool(), p.a, hostA, domainA), login(p.T, p.Pool(), p.b, hostB, domainB)
}
