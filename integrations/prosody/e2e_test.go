package prosody

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

const (
	domainG = "g.example" // whose server leaves much to dialback
	domainN = "n.example" // at beta, without a statement
)

// A field is two providers that hold no certificate of the domains they host,
// owners who delegate to them, and the DNS. All of it is real.
type field struct {
	*site
	bin, tsig, authority, resolver string
	alpha, beta, gamma             *realtest.ProsodyServer
	alphaDaemon, betaDaemon        *realtest.Process
	alphaURL                       string
}

// Both providers have more options, if there are any.
func newField(t *testing.T, more options) *field {
	t.Helper()
	realtest.Need(t, "knotd", "keymgr", "unbound", "prosodyctl")
	f := &field{site: newSite(t), bin: t.TempDir()}
	realtest.Output(t, ".", "go", "build", "-o", f.bin, "../../cmd/dnasign", "../../cmd/dnaverify")
	f.tsig = realtest.TSIGFile(t, f.Dir, realtest.TSIGName, realtest.TSIGSecret)

	// The providers choose their ports when they start, after the DNS.
	f.authority, f.resolver = realtest.KnotAndUnbound(t, []realtest.Zone{
		{Name: "alpha.example", Content: "xmpp A 127.0.0.1\n"}, {Name: "beta.example", Content: "xmpp A 127.0.0.1\n"},
		{Name: domainA, Updated: true}, {Name: domainB, Updated: true}, {Name: domainG, Updated: true}, {Name: domainN, Updated: true},
	}...)

	_, certA, keyA := f.Certify(hostA)
	_, certB, keyB := f.Certify(hostB)
	_, certG, keyG := f.Certify("xmpp.gamma.example", domainG)
	f.alphaURL = fmt.Sprintf("http://127.0.0.1:%d", realtest.Port(t))
	f.alphaDaemon = f.serve(f.alphaURL)
	beta := fmt.Sprintf("http://127.0.0.1:%d", realtest.Port(t))
	f.betaDaemon = f.serve(beta)
	f.alpha = f.prosody(certA, keyA, f.resolver, withModule(t, f.alphaURL+"/v1/check").and(more), domainA)
	f.beta = f.prosody(certB, keyB, f.resolver, withModule(t, beta+"/v1/check").and(more), domainB, domainN)
	f.gamma = f.prosody(certG, keyG, f.resolver, withModule(t, f.alphaURL+"/v1/check").and(weak), domainG)
	for _, s := range []struct {
		domain, host string
		server       *realtest.ProsodyServer
	}{{domainA, hostA, f.alpha}, {domainB, hostB, f.beta}, {domainN, hostB, f.beta}, {domainG, hostA, f.gamma}} {
		f.update(fmt.Sprintf("_xmpp-server._tcp.%s. 300 SRV 0 0 %d %s.", s.domain, s.server.Server, s.host), s.domain)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of alpha:\n%s\nlog of beta:\n%s\nlog of gamma:\n%s\nlog of alpha's daemon:\n%s", f.alpha.Log, f.beta.Log, f.gamma.Log, f.alphaDaemon.Log)
		}
	})
	return f
}

// serve starts a daemon that listens at a URL and remembers in a file of its
// own.
func (f *field) serve(url string) *realtest.Process {
	f.T.Helper()
	address := strings.TrimPrefix(url, "http://")
	return realtest.Start(f.T, func() bool {
		reply, err := http.Get(url + "/healthz")
		if err != nil {
			return false
		}
		reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	}, filepath.Join(f.bin, "dnaverify"), "serve", "--listen", address, "--store", filepath.Join(f.Dir, address+".db"),
		"--roots", f.Roots, "--resolver", f.resolver, "--allow-private-addresses", "--log-level", "debug")
}

// dnasign runs a command of an owner.
func (f *field) dnasign(format string, args ...any) {
	f.T.Helper()
	realtest.Output(f.T, f.Dir, filepath.Join(f.bin, "dnasign"), strings.Fields(fmt.Sprintf(format, args...))...)
}

// publish puts a statement into the domain's zone and waits until the resolver
// has it.
func (f *field) publish(file string) {
	f.T.Helper()
	f.dnasign("publish dns --ttl 1s --server %[1]s --authority %[1]s --resolver %[2]s --tsig %[3]s %[4]s", f.authority, f.resolver, f.tsig, file)
	f.spread(strings.TrimSuffix(file, filepath.Ext(file)))
}

// spread waits until the resolver has the statements that the domain's zone
// has.
func (f *field) spread(domain string) {
	f.T.Helper()
	want := f.txt(f.authority, domain)
	for deadline := time.Now().Add(realtest.Timeout); f.txt(f.resolver, domain) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.T.Fatalf("the resolver has not what the authority has for %s", domain)
		}
	}
}

// txt are the statements of a domain that a DNS server has.
func (f *field) txt(server, domain string) string {
	f.T.Helper()
	m := new(dns.Msg)
	m.SetQuestion("_xmpp-server._tcp._dna."+domain+".", dns.TypeTXT)
	reply, _, err := (&dns.Client{Net: "tcp", Timeout: realtest.Timeout}).Exchange(m, server)
	if err != nil {
		f.T.Fatal(err)
	}
	var all []string
	for _, rr := range reply.Answer {
		if txt, ok := rr.(*dns.TXT); ok {
			all = append(all, strings.Join(txt.Txt, ""))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// update puts a record into a zone, instead of what is there.
func (f *field) update(record, zone string) {
	f.T.Helper()
	rr, err := dns.NewRR(record)
	if err != nil {
		f.T.Fatal(err)
	}
	m := new(dns.Msg)
	m.SetUpdate(zone + ".")
	m.RemoveRRset([]dns.RR{dns.Copy(rr)})
	m.Insert([]dns.RR{rr})
	m.SetTsig(realtest.TSIGAll+".", dns.HmacSHA256, 300, time.Now().Unix())
	reply, _, err := (&dns.Client{Net: "tcp", TsigSecret: map[string]string{realtest.TSIGAll + ".": realtest.TSIGSecret}}).Exchange(m, f.authority)
	if err != nil || reply.Rcode != dns.RcodeSuccess {
		f.T.Fatalf("update of %s: %v %v", zone, err, reply)
	}
}

// lookAgain makes a daemon forget what it decided, as an operator does who does
// not want to wait.
func lookAgain(t *testing.T, daemon *realtest.Process) {
	t.Helper()
	mark := daemon.Log.Mark()
	daemon.Signal(t, syscall.SIGHUP)
	daemon.Log.Wait(t, mark, "reloaded")
}

// hangUp ends the streams of alpha and gamma, so that the next message makes a
// new one, and waits until beta knows of the end of its own.
func (f *field) hangUp(ofBeta ...string) {
	f.T.Helper()
	mark := f.beta.Log.Mark()
	f.alpha.Shell(f.T, "s2s", "closeall", domainA)
	f.gamma.Shell(f.T, "s2s", "closeall", domainG)
	for _, stream := range ofBeta {
		f.beta.Log.Wait(f.T, mark, "Outgoing s2s stream "+stream+" closed")
	}
}

// TestEndToEnd: two providers exchange messages for domains whose certificates
// neither has, as long as the owners say so.
func TestEndToEnd(t *testing.T) {
	f := newField(t, nil)
	a := login(t, f.Pool(), f.alpha, hostA, domainA)
	b := login(t, f.Pool(), f.beta, hostB, domainB)
	n := login(t, f.Pool(), f.beta, hostB, domainN)
	g := login(t, f.Pool(), f.gamma, domainG, domainG)
	// refused sends a message, which must not arrive, and whose sender's server
	// says so. It says what the server says, in a sentence.
	refused := func(from, to *user, server *realtest.ProsodyServer, pattern string) {
		t.Helper()
		mark := server.Log.Mark()
		bounced(from, to, "not to be read by anybody else")
		t.Log(server.Log.Wait(t, mark, pattern))
	}
	target := func(host string, server *realtest.ProsodyServer) string {
		return fmt.Sprintf("%s:%d", host, server.Server)
	}

	// Nobody delegates.
	refused(a, b, f.alpha, `Certificate not accepted for b\.example: refused, no-statement: `)
	refused(b, a, f.beta, `Certificate not accepted for a\.example: refused, no-statement: `)

	// Both owners sign and publish, one in each form.
	f.Certify(domainA)
	f.Certify(domainB)
	f.dnasign("sign --domain %[1]s --service xmpp-server --target %[2]s --cert %[1]s.pem --key %[1]s.key --format jws --out %[1]s.jws", domainA, target(hostA, f.alpha))
	f.dnasign("sign --domain %[1]s --service xmpp-server --target %[2]s --cert %[1]s.pem --key %[1]s.key --format ac --out %[1]s.p7c", domainB, target(hostB, f.beta))
	signed := time.Now()
	f.publish(domainA + ".jws")
	f.publish(domainB + ".p7c")
	lookAgain(t, f.alphaDaemon)
	lookAgain(t, f.betaDaemon)
	delivered(a, b, "from a to b")
	delivered(b, a, "from b to a")
	for _, c := range []struct {
		server *realtest.ProsodyServer
		peer   string
	}{{f.alpha, "s2sout.*b.example may be served by " + hostB}, {f.alpha, "s2sin.*b.example may be served by " + hostB},
		{f.beta, "s2sout.*a.example may be served by " + hostA}, {f.beta, "s2sin.*a.example may be served by " + hostA}} {
		t.Log(c.server.Log.Wait(t, 0, c.peer+` \(delegation, until `))
	}

	// Where dialback is allowed, it serves a domain without a statement, and no
	// domain with one.
	delivered(g, n, "by dialback, outgoing")
	delivered(n, g, "by dialback, incoming")

	// Without the daemon nobody is let in by his delegation, nor by dialback.
	f.hangUp("b.example->a.example", "n.example->g.example")
	f.alphaDaemon.Stop()
	refused(a, b, f.alpha, `Certificate not accepted for b\.example: undetermined, no-answer: .*see whether dnaverify serve is running`)
	refused(b, a, f.alpha, `Certificate not accepted for b\.example: undetermined, no-answer: `)
	refused(g, b, f.gamma, `Certificate not accepted for b\.example: undetermined, no-answer: `)
	refused(b, g, f.gamma, `Certificate not accepted for b\.example: undetermined, no-answer: `)
	f.alphaDaemon = f.serve(f.alphaURL)
	delivered(a, b, "the daemon is back")
	delivered(g, b, "by delegation")

	// The owner of b.example revokes, in a later second than that of signing.
	time.Sleep(time.Until(signed.Truncate(time.Second).Add(time.Second)))
	before := f.txt(f.authority, domainB)
	f.dnasign("revoke --domain %[1]s --service xmpp-server --cert %[1]s.pem --key %[1]s.key --format ac --out %[1]s.p7c", domainB)
	f.publish(domainB + ".p7c")
	lookAgain(t, f.alphaDaemon)
	f.hangUp()
	refused(a, b, f.alpha, `Certificate not accepted for b\.example: refused, revoked: .*nothing weaker counts`)
	refused(b, a, f.alpha, `Certificate not accepted for b\.example: refused, revoked: .*nothing weaker counts`)
	refused(g, b, f.gamma, `Certificate not accepted for b\.example: refused, revoked: .*nothing weaker counts`)
	refused(b, g, f.gamma, `Certificate not accepted for b\.example: refused, revoked: .*nothing weaker counts`)
	delivered(g, n, "dialback is as it was")

	// An attacker shows the statement of before, to a daemon that was restarted.
	var quoted strings.Builder
	for part := range slices.Chunk([]byte(before), 255) {
		fmt.Fprintf(&quoted, " %q", part)
	}
	f.update(fmt.Sprintf("_xmpp-server._tcp._dna.%s. 1 TXT%s", domainB, quoted.String()), domainB)
	f.spread(domainB)
	f.alphaDaemon.Stop()
	f.alphaDaemon = f.serve(f.alphaURL)
	refused(a, b, f.alpha, `Certificate not accepted for b\.example: refused, superseded: .*nothing weaker counts`)
	refused(b, g, f.gamma, `Certificate not accepted for b\.example: refused, superseded: .*nothing weaker counts`)
}
