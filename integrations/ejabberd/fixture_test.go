// Package ejabberd tests the module mod_s2s_dna.erl in a real ejabberd. It runs
// with a daemon that answers as a test wants, and with everything it is made
// for.
package ejabberd

import (
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// The names of the pair below.
const (
	domainA, hostA = "a.example", "xmpp.alpha.example"
	domainB, hostB = "b.example", "xmpp.beta.example"
	component      = "rooms.a.example"
	second         = "second.example" // at A too
	hosted         = "h.example"      // at A, which has no certificate for it
)

// A pair is a real ejabberd, A, and a peer, B. A has the module and a
// certificate for its own domain. B has a certificate only for the name of its
// host.
type pair struct {
	*xmpptest.Site
	a   *realtest.EjabberdServer
	dns *dnsserver.Server
}

// dialback has ejabberd leave what it does not accept to dialback.
const dialback = "  mod_s2s_dialback: {}\n"

// newPair starts A, which asks a daemon at a URL. The text is the rest of its
// configuration, from further modules on.
func newPair(t *testing.T, url, more string) *pair {
	t.Helper()
	return newPairWith(t, []string{"-pa", realtest.EjabberdModules(t, "../..")}, fmt.Sprintf("modules:\n  mod_admin_extra: {}\n  mod_ping: {}\n  mod_muc:\n    hosts: [%s]\n  mod_s2s_dna:\n    url: %q\n    timeout: 5\n%s",
		component, url, more))
}

// newPairWith starts A with the arguments for Erlang and the sections of the
// configuration that are about more than names, ports and certificates.
func newPairWith(t *testing.T, arguments []string, sections string) *pair {
	t.Helper()
	s := xmpptest.NewSite(t)
	// ejabberd before 25.07 takes no certificate from who connects that is for
	// servers only.
	s.Edit = func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) }
	dns := setup.DNS(t)
	p := &pair{Site: s, dns: dns}
	_, certA, keyA := s.Certify(hostA, domainA, component, second)
	s.Certify(hostB)
	address, port, _ := strings.Cut(dns.Addr, ":")
	inetrc := realtest.WriteFile(t, s.Dir, "inetrc", fmt.Sprintf("{resolv_conf, \"\"}.\n{hosts_file, \"\"}.\n{lookup, [dns]}.\n{nameserver, {%s}, %s}.\n", strings.ReplaceAll(address, ".", ","), port))
	lines := fmt.Sprintf("hosts: [%s, %s, %s]\ncertfiles: [%q, %q]\nca_file: %q\ns2s_max_retry_delay: 1\noutgoing_s2s_families: [ipv4]\n"+
		"api_permissions:\n  test:\n    from: mod_http_api\n    who: all\n    what: \"*\"\n%s",
		domainA, second, hosted, certA, keyA, s.Roots, sections)
	p.a = realtest.Ejabberd(t, lines, append(arguments, "-kernel", "inetrc", fmt.Sprintf("%q", inetrc))...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of A:\n%s", p.a.Log)
		}
	})
	return p
}

// records lead from A's domains to A, and from B's domains to a port of B's server.
// ejabberd looks a host up with the system's resolver, which knows only localhost.
func (p *pair) records(port int, domains ...string) {
	p.T.Helper()
	records := []string{hostA + ". A 127.0.0.1"}
	for _, domain := range []string{domainA, hosted} {
		records = append(records, fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", domain, p.a.Server, hostA))
	}
	for _, domain := range domains {
		records = append(records, fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d localhost.", domain, port))
	}
	if err := p.dns.SetRecords(records); err != nil {
		p.T.Fatal(err)
	}
}

// prosody is a real server of B's domains. It accepts A by its certificate.
func (p *pair) prosody(domains ...string) *realtest.ProsodyServer {
	p.T.Helper()
	return p.prosodyWith(nil, domains...)
}

// prosodyWith is prosody with options that win over those below.
func (p *pair) prosodyWith(more map[string]string, domains ...string) *realtest.ProsodyServer {
	p.T.Helper()
	realtest.Need(p.T, "prosody")
	// Without lua-unbound a prosody would ask the resolvers of this machine.
	realtest.NeedLua(p.T, "lunbound")
	options := map[string]string{
		"s2s_ssl":           fmt.Sprintf("{ cafile = %q }", p.Roots),
		"s2s_close_timeout": "1",
		"modules_enabled":   `{ "tls", "saslauth", "dialback", "admin_shell", "ping" }`,
		"unbound": fmt.Sprintf(`{ resolvconf = false; hoststxt = false; forward = %q; options = { ["do-not-query-localhost:"] = "no" } }`,
			strings.Replace(p.dns.Addr, ":", "@", 1)),
	}
	maps.Copy(options, more)
	b := realtest.Prosody(p.T, filepath.Join(p.Dir, hostB+".pem"), filepath.Join(p.Dir, hostB+".key"), options, domains...)
	p.T.Cleanup(func() {
		if p.T.Failed() {
			p.T.Logf("log of B:\n%s", b.Log)
		}
	})
	p.records(b.Server, domains...)
	return b
}

// serve runs a real daemon at an address, which looks for statements in dns, and for
// documents too where via is auto.
func (p *pair) serve(address string, dns *dnsserver.Server, via string) *realtest.Process {
	p.T.Helper()
	realtest.Output(p.T, ".", "go", "build", "-o", p.Dir, "../../cmd/dnaverify")
	return realtest.Start(p.T, func() bool {
		reply, err := http.Get("http://" + address + "/healthz")
		if err != nil {
			return false
		}
		reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	}, filepath.Join(p.Dir, "dnaverify"), "serve", "--listen", address, "--store", filepath.Join(p.Dir, "memory.db"),
		"--roots", p.Roots, "--resolver", dns.Addr, "--via", via, "--allow-private-addresses", "--log-level", "debug")
}

// send has a user of a domain at A send a message to another domain, which does
// not answer it.
func (p *pair) send(from, domain string) {
	p.T.Helper()
	p.a.Command(p.T, "send_stanza", fmt.Sprintf(`{"from":"user@%s/x","to":"user@%s","stanza":"<message type='error'/>"}`, from, domain))
}

// refused has a domain of A that was not refused before send to B, in vain: ejabberd
// does not try that again for a second.
func (p *pair) refused(from string, parts ...string) {
	p.T.Helper()
	mark := p.a.Log.Mark()
	p.send(from, domainB)
	p.a.Log.Tells(p.T, mark, "Certificate not accepted for b.example: ", parts...)
	p.a.Log.Tells(p.T, mark, from+" -> b.example: Peer certificate rejected: ")
}

// dial connects to a domain at A for a domain, with B's certificate, and begins
// a stream after TLS.
func (p *pair) dial(from, to string) *xmpptest.Stream {
	p.T.Helper()
	s := p.Dial(p.a.Server, hostA, hostB, from, to)
	open(s, from, to)
	return s
}

// open begins a stream, after TLS or after authentication.
func open(s *xmpptest.Stream, from, to string) {
	s.T.Helper()
	s.Open("jabber:server", fmt.Sprintf("from='%s' to='%s'", from, to))
}

// external asks for authentication by the certificate, and returns the answer.
func external(s *xmpptest.Stream) string {
	s.T.Helper()
	s.Send(xmpptest.External)
	return s.Next().XMLName.Local
}

// asked checks the questions that were asked, all about B.
func (p *pair) asked(questions chan fakedaemon.Question, direction string, times int) {
	p.T.Helper()
	if n := len(questions); n != times {
		p.T.Errorf("%d questions, want %d", n, times)
	}
	chain, err := os.ReadFile(filepath.Join(p.Dir, hostB+".pem"))
	if err != nil {
		p.T.Fatal(err)
	}
	const end = "-----END CERTIFICATE-----\n"
	leaf, _, _ := strings.Cut(string(chain), end)
	for len(questions) > 0 {
		q := <-questions
		if q.Source != domainB || q.Service != "_xmpp-server._tcp" || q.Direction != direction || q.Peer != "127.0.0.1" || q.Recheck || !q.ChainVerified {
			p.T.Errorf("question: %+v", q)
		}
		if lines := strings.Fields(q.Chain); !slices.Equal(lines, strings.Fields(leaf+end)) {
			p.T.Errorf("chain:\n%s\nwant the leaf:\n%s", q.Chain, leaf+end)
		}
	}
}
