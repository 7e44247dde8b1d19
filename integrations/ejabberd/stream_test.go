package ejabberd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
	"github.com/dnasign/dnasign/keys"
)

// TestStreamEndToEnd: an ejabberd and a prosody talk for domains that each hosts without a
// certificate, and whose statements are published nowhere. Both show them, bring them
// and judge them, in both encodings. A revocation in DNS ends it.
func TestStreamEndToEnd(t *testing.T) {
	t.Parallel()
	realtest.Need(t, "prosodyctl")
	folder, address := t.TempDir(), fmt.Sprintf("127.0.0.1:%d", realtest.Port(t))
	p := newPair(t, "http://"+address+"/v1/check", showing(folder))
	plugins, err := filepath.Abs("../prosody")
	if err != nil {
		t.Fatal(err)
	}
	b := p.prosodyWith(map[string]string{
		"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "ping", "s2s_auth_dna", "s2s_dna_statements" }`,
		"plugin_paths":    fmt.Sprintf("{ %q }", plugins), "dna_url": fmt.Sprintf("%q", "http://"+address+"/v1/check"), "dna_statements": fmt.Sprintf("%q", folder),
	}, domainB)
	records := []string{
		fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", domainB, b.Server, hostB), fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", hosted, p.a.Server, hostA),
	}
	dns := setup.DNS(t, records...)
	daemon := p.serve(address, dns, "auto")
	ownerB, _, _ := p.Certify(domainB)
	ownerH, _, _ := p.Certify(hosted)

	// sign is a statement that delegates to a server from a moment on, for so long.
	sign := func(owner *keys.Signer, domain, host string, port int, issued time.Time, lifetime time.Duration, encoding delegation.Encoding) []byte {
		t.Helper()
		s := world.Statement(domain, world.Service, issued)
		s.Expires = s.Issued.Add(lifetime)
		if host != "" {
			s.Targets = []delegation.Target{{Endpoint: delegation.Endpoint{Host: host, Port: uint16(port)}}}
		}
		return world.Sign(s, encoding, owner)
	}
	p.refused(second, "refused, no-statement: ")

	now := time.Now()
	xmpptest.HandOver(t, folder, domainB, ".jws", sign(ownerB, domainB, hostB, b.Server, now.Add(-3*time.Hour), time.Hour, delegation.JWS))
	p.refused(component, "refused, expired: ")
	s := p.offered(p.dial, domainB, domainA)
	s.Send("%s", xmpptest.Assertion(xmpptest.Brought(string(sign(ownerB, domainB, hostB, b.Server, now.Add(-3*time.Hour), time.Hour, delegation.JWS)))))
	s.Result("refused", "expired")

	encodings := map[string]delegation.Encoding{".jws": delegation.JWS, ".p7c": delegation.AC}
	for i, round := range []struct{ byB, byA string }{{".jws", ".p7c"}, {".p7c", ".jws"}} {
		if i > 0 { // the daemon forgets what it was shown
			daemon.Stop()
			daemon = p.serve(address, dns, "auto")
			p.a.Command(t, "stop_s2s_connections", "{}")
		}
		for _, domain := range []string{domainB, hosted} {
			if err := os.RemoveAll(filepath.Join(folder, domain)); err != nil {
				t.Fatal(err)
			}
		}
		issued := now.Add(time.Duration(i-10) * time.Second)
		xmpptest.HandOver(t, folder, domainB, round.byB, sign(ownerB, domainB, hostB, b.Server, issued, 12*time.Hour, encodings[round.byB]))
		xmpptest.HandOver(t, folder, hosted, round.byA, sign(ownerH, hosted, hostA, p.a.Server, issued, 12*time.Hour, encodings[round.byA]))
		markA, markB := p.a.Log.Mark(), b.Log.Mark()
		if out := b.Shell(t, "xmpp", "ping", domainB, hosted); !strings.Contains(out, "pong from "+hosted) {
			t.Errorf("prosodyctl says:\n%s", out)
		}
		for _, direction := range []string{"outbound s2s EXTERNAL authentication h.example -> b.example", "inbound s2s EXTERNAL authentication xmpp.beta.example -> h.example"} {
			p.a.Log.Tells(t, markA, "Accepted "+direction)
		}
		for _, line := range []string{
			`b\.example may be served by xmpp\.beta\.example \(delegation, until .*, by the statement that it brought\): certificate accepted`,
			`The server of b\.example says about h\.example and the statement that it was shown: verified, verified`,
		} {
			p.a.Log.Wait(t, markA, line)
		}
		for _, line := range []string{
			`s2sin.*h\.example may be served by xmpp\.alpha\.example \(delegation, until .*, by the statement that it brought\)`,
			`s2sout.*h\.example may be served by xmpp\.alpha\.example \(delegation, until .*, by the statement that it brought\)`,
			`The server of h\.example says about b\.example and the statement that it was shown: verified`,
		} {
			b.Log.Wait(t, markB, line)
		}
	}

	if err := dns.SetRecords(append(records, world.TextLine(domainB, "_xmpp-server._tcp", delegation.JWS.TXTRecord(sign(ownerB, domainB, "", 0, time.Now(), 12*time.Hour, delegation.JWS))))); err != nil {
		t.Fatal(err)
	}
	mark := daemon.Log.Mark()
	daemon.Signal(t, syscall.SIGHUP) // look again
	daemon.Log.Wait(t, mark, "reloaded")
	p.a.Command(t, "stop_s2s_connections", "{}")
	p.refused(domainA, "refused, revoked: ", "(it has a statement, so nothing weaker counts)")
	mark = p.a.Log.Mark()
	if got := external(p.dial(domainB, hosted)); got != "error" {
		t.Errorf("incoming: %s", got)
	}
	p.a.Log.Tells(t, mark, "Certificate not accepted for b.example: ", "refused, revoked: ")
}

// showing has ejabberd show the statements of a folder too.
func showing(folder string) string {
	return fmt.Sprintf("  mod_s2s_dna_statements:\n    statements: %q\n", folder)
}

// offered is a stream whose features offer the peer to bring a statement, and no
// EXTERNAL yet.
func (p *pair) offered(dial func(from, to string) *xmpptest.Stream, from, to string) *xmpptest.Stream {
	p.T.Helper()
	s := dial(from, to)
	if f := s.Features.Inner; strings.Count(f, xmpptest.NamespaceDNA) != 1 || !strings.Contains(f, "assert='true'") || strings.Contains(f, "EXTERNAL") {
		p.T.Fatalf("features: %s", f)
	}
	return s
}

// dialDirect is dial at the port where TLS comes first.
func (p *pair) dialDirect(from, to string) *xmpptest.Stream {
	p.T.Helper()
	s := xmpptest.Plain(p.T, p.a.ServerDirect)
	p.Encrypt(s, hostA, hostB)
	open(s, from, to)
	return s
}

// TestStreamBrought: an incoming peer brings a statement, good or bad, in every way that
// is not allowed too.
func TestStreamBrought(t *testing.T) {
	t.Parallel()
	judge := xmpptest.Unpublished(hostB)
	url, _ := xmpptest.Daemon(t, func(q question) any {
		if q.Statement != nil && q.Statement.Text == "required" {
			return q.Answer("refused", "superseded").With("required", true)
		}
		if q.Source == "published.example" {
			return q.Answer("refused", "no-statement")
		}
		return judge(q)
	})
	p := newPair(t, url, dialback)
	good, malformed := xmpptest.Brought("good"), func(inner string) func(*xmpptest.Stream) {
		return func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(inner))
			s.Result("refused", "malformed-record")
			s.Want("features")
		}
	}
	accepted := func(s *xmpptest.Stream) {
		s.Send("%s", xmpptest.Assertion("\n"+good+" "))
		s.Result("verified", "verified")
		if e := s.Want("features"); !strings.Contains(e.Inner, "EXTERNAL") || strings.Contains(e.Inner, xmpptest.NamespaceDNA) {
			s.T.Errorf("features: %s", e.Inner)
		}
		if got := external(s); got != "success" {
			s.T.Fatal(got)
		}
		open(s, domainB, domainA)
		s.Send("%s", xmpptest.Assertion(good)) // after authentication
		s.Ends("policy-violation")
	}
	for _, c := range []struct {
		name   string
		dial   func(from, to string) *xmpptest.Stream
		play   func(s *xmpptest.Stream)
		logged string
	}{
		{"good", p.dial, accepted, "by the statement that it brought"},
		{"good, TLS comes first", p.dialDirect, accepted, "by the statement that it brought"},
		{"bad", p.dial, func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(xmpptest.Brought("expired")))
			s.Result("refused", "expired")
			if e := s.Want("features"); strings.Contains(e.Inner, "EXTERNAL") || strings.Contains(e.Inner, xmpptest.NamespaceDNA) || !strings.Contains(e.Inner, "dialback") {
				s.T.Errorf("features: %s", e.Inner)
			}
			if got := external(s); got != "failure" {
				s.T.Errorf("EXTERNAL that was not offered: %s", got)
			}
			s.Send("%s", xmpptest.Assertion(good)) // a second time
			s.Ends("policy-violation")
		}, "refused, expired: "},
		{"bad, and something is required", p.dial, func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(xmpptest.Brought("required")))
			s.Result("refused", "superseded")
			s.Ends("policy-violation")
		}, "refused, superseded: "},
		{"for others", p.dial, func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(xmpptest.Brought("source-mismatch")))
			s.Result("refused", "source-mismatch")
			s.Want("features")
		}, "refused, source-mismatch: "},
		{"several", p.dial, malformed(good + good), "is not used: refused, malformed-record"},
		{"none", p.dial, malformed(""), "is not used: refused, malformed-record"},
		{"text beside", p.dial, malformed("good" + good), "is not used: refused, malformed-record"},
		{"something else", p.dial, malformed("<good/>"), "is not used: refused, malformed-record"},
		{"an element inside", p.dial, malformed("<statement encoding='jws'>good<x/></statement>"), "is not used: refused, malformed-record"},
		{"no encoding", p.dial, malformed("<statement>good</statement>"), "is not used: refused, malformed-record"},
		{"another name space", p.dial, malformed("<statement xmlns='jabber:server' encoding='jws'>good</statement>"), "is not used: refused, malformed-record"},
		{"too large", p.dial, func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(xmpptest.Brought(strings.Repeat("x", 43_693))))
			s.Result("refused", "statement-too-large")
			s.Want("features")
		}, "is not used: refused, statement-too-large"},
		{"huge", p.dial, func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(xmpptest.Brought(strings.Repeat("x", 1<<20))))
			s.Result("refused", "statement-too-large") // no max_stanza_size is set
			s.Want("features")
		}, "is not used: refused, statement-too-large"},
		{"broken XML", p.dial, func(s *xmpptest.Stream) {
			s.Send("<assert xmlns='%s'><statement></assert>", xmpptest.NamespaceDNA)
			s.Ends("not-well-formed")
		}, ""},
		{"EXTERNAL at once", p.dial, func(s *xmpptest.Stream) {
			if got := external(s); got != "failure" {
				s.T.Errorf("EXTERNAL that was not offered: %s", got)
			}
			s.Send("%s", xmpptest.Assertion(good)) // too late
			s.Ends("policy-violation")
		}, "refused, no-statement: "},
		{"dialback at once", p.dial, func(s *xmpptest.Stream) {
			s.Send("<db:verify from='%s' to='%s' id='x'>key</db:verify>", domainB, domainA)
			s.Want("verify")
			s.Send("%s", xmpptest.Assertion(good)) // too late
			s.Ends("policy-violation")
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.T = t
			mark := p.a.Log.Mark()
			c.play(p.offered(c.dial, domainB, domainA))
			if c.logged != "" {
				p.a.Log.Tells(t, mark, c.logged)
			}
		})
	}
	t.Run("before TLS", func(t *testing.T) {
		s := xmpptest.Plain(t, p.a.Server)
		open(s, domainB, domainA)
		if f := s.Features.Inner; strings.Contains(f, xmpptest.NamespaceDNA) {
			t.Errorf("features: %s", f)
		}
		s.Send("%s", xmpptest.Assertion(good))
		s.Ends("policy-violation")
	})
	t.Run("not offered", func(t *testing.T) {
		p.T = t
		s := p.dial("published.example", domainA)
		if f := s.Features.Inner; strings.Contains(f, xmpptest.NamespaceDNA) || !strings.Contains(f, "EXTERNAL") {
			t.Errorf("features: %s", f)
		}
		s.Send("%s", xmpptest.Assertion(good))
		s.Ends("policy-violation")
	})
	p.T = t
}

// TestStreamAgain: a question about an open stream brings the statement along, in both
// directions, and a revocation ends the stream.
func TestStreamAgain(t *testing.T) {
	t.Parallel()
	judge := xmpptest.Unpublished(hostB)
	url, questions := xmpptest.Daemon(t, func(q question) any {
		if q.Recheck {
			return q.Answer("refused", "revoked").With("required", true)
		}
		if a, ok := judge(q).(fakedaemon.Answer); ok && a["outcome"] == "verified" {
			return a.With("refresh_at", fakedaemon.In(2*time.Second))
		}
		return judge(q)
	})
	p := newPair(t, url, "")
	port, streams := p.Receiver(hostB, domainB)
	p.records(port, domainB)
	p.send(domainA, domainB)
	out := <-streams
	out.Send("<stream:features>%s%s</stream:features>", xmpptest.Mechanisms, xmpptest.Feature("", xmpptest.Brought("good")))
	out.Want("auth")
	in := p.offered(p.dial, domainB, domainA)
	in.Send("%s", xmpptest.Assertion(xmpptest.Brought("good")))
	in.Result("verified", "verified")
	in.Want("features")
	if got := external(in); got != "success" {
		t.Fatal(got)
	}
	open(in, domainB, domainA)
	again := map[string]bool{}
	for len(again) < 2 {
		if q := <-questions; q.Recheck {
			again[q.Direction] = true
			if q.Source != domainB || q.Statement == nil || *q.Statement != (fakedaemon.Statement{Encoding: "jws", Text: "good"}) {
				t.Errorf("question: %+v", q)
			}
		}
	}
	for _, s := range []*xmpptest.Stream{in, out} {
		s.Ends("policy-violation")
	}
	p.a.Log.Tells(t, 0, "Certificate no longer accepted for b.example: ", "refused, revoked: ")
}

// TestStreamShown: what a receiving server shows is judged before its features take
// effect. A plays the initiator, and the test the receiver.
func TestStreamShown(t *testing.T) {
	t.Parallel()
	good := xmpptest.Brought("good")
	cases := []struct {
		name, features string
		accepted       bool
		logged         string
	}{
		{"good", xmpptest.Feature("", good), true, "by the statement that it brought"},
		{"bad", xmpptest.Feature("", xmpptest.Brought("expired")), false, "refused, expired: "},
		{"none", "", false, "refused, no-statement: "},
		{"none, but it takes some", xmpptest.Feature(" assert='true'", "\n"), false, "refused, no-statement: "},
		{"several", xmpptest.Feature("", good+good), false, "is not used: refused, malformed-record"},
		{"several features", xmpptest.Feature("", good) + xmpptest.Feature("", good), false, "is not used: refused, malformed-record"},
		{"an element instead", xmpptest.Feature("", "<good/>"), false, "is not used: refused, malformed-record"},
		{"too large", xmpptest.Feature("", xmpptest.Brought(strings.Repeat("x", 43_693))), false, "is not used: refused, statement-too-large"},
		{"broken XML", "<dna><statement></dna>", false, "not-well-formed"},
	}
	url, _ := xmpptest.Daemon(t, xmpptest.Unpublished(hostB))
	p := newPair(t, url, "")
	domain := func(i int) string { return fmt.Sprintf("case%d.example", i) }
	var domains []string
	for i := range cases {
		domains = append(domains, domain(i))
	}
	port, streams := p.Receiver(hostB, domainB)
	p.records(port, domains...)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p.T = t
			p.send(domainA, domain(i))
			s := <-streams
			s.T = t
			s.Send("<stream:features>%s%s</stream:features>", xmpptest.Mechanisms, c.features)
			if got := s.Next().XMLName.Local; (got == "auth") != c.accepted {
				t.Errorf("it says <%s>", got)
			}
			p.a.Log.Tells(t, 0, c.logged)
		})
	}
	p.T = t
}

// TestStatements: which file ejabberd shows to who connects, that a new one is shown at
// once, and what is never shown. It brings the same where a server takes one.
func TestStatements(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	url, _ := xmpptest.Daemon(t, func(q question) any { return q.Verified(hostB) })
	p := newPair(t, url, showing(folder))
	port, streams := p.Receiver(hostB, domainB)
	domain := func(i int) string { return fmt.Sprintf("case%d.example", i) }
	var domains []string
	for i := range 20 {
		domains = append(domains, domain(i))
	}
	p.records(port, domains...)
	file := func(ending string) string { return filepath.Join(folder, hosted, "_xmpp-server._tcp"+ending) }
	write := func(ending, content string, age time.Duration) {
		xmpptest.HandOver(t, folder, hosted, ending, []byte(content))
		if err := os.Chtimes(file(ending), time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	// brings has A connect to the test, which takes statements, and says what it brings.
	brings := func(t *testing.T, domain, features string) (*xmpptest.Stream, xmpptest.Element) {
		t.Helper()
		p.T = t
		p.send(hosted, domain)
		s := <-streams
		s.T = t
		s.Send("<stream:features>%s</stream:features>", features)
		return s, s.Next()
	}
	takes := xmpptest.Feature(" assert='true'", "")
	for i, c := range []struct {
		name           string
		set            func()
		encoding, text string
	}{
		{"nothing", func() {}, "", ""},
		{"a JWS", func() { write(".jws", "x.y.z\n", time.Hour) }, "jws", "x.y.z"},
		{"a newer attribute certificate", func() { write(".p7c", "0123", time.Minute) }, "ac", "MDEyMw=="},
		{"a newer JWS", func() { write(".jws", "a.b.c", 2*time.Second) }, "jws", "a.b.c"},
		{"too long", func() { write(".jws", strings.Repeat("x", 8001), 0) }, "", ""},
		{"too long in base64", func() { write(".p7c", strings.Repeat("x", 6001), -time.Hour) }, "", ""},
		{"something else", func() { write(".jws", "<x/>", -2*time.Hour) }, "", ""},
		{"empty", func() { write(".jws", "", -2*time.Hour) }, "", ""},
		{"a folder", func() { os.Remove(file(".jws")); os.Remove(file(".p7c")); os.Mkdir(file(".jws"), 0o755) }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.T = t
			c.set()
			mark := p.a.Log.Mark()
			want := fmt.Sprintf("<statement xmlns='%s' encoding='%s'>%s</statement>", xmpptest.NamespaceDNA, c.encoding, c.text)
			for _, shown := range []string{p.dial(domainB, hosted).Features.Inner, p.dialDirect(domainB, hosted).Features.Inner} {
				if c.text == "" && strings.Contains(shown, "statement") || c.text != "" && strings.Count(shown, want) != 1 {
					t.Errorf("features: %s", shown)
				}
			}
			s, e := brings(t, domain(i), takes)
			if c.text == "" {
				if e.XMLName.Local == "assert" {
					t.Errorf("it brings %s", e.Inner)
				}
				if i > 0 {
					p.a.Log.Tells(t, mark, "is not shown to other servers: ")
				}
				return
			}
			if e.XMLName.Local != "assert" || e.XMLName.Space != xmpptest.NamespaceDNA || !strings.Contains(e.Inner, want) {
				t.Fatalf("it brings <%s> %s", e.XMLName.Local, e.Inner)
			}
			s.Send("<result xmlns='%s' outcome='verified' reason='verified'/><stream:features>%s%s</stream:features>", xmpptest.NamespaceDNA, takes, xmpptest.Mechanisms)
			s.Want("auth")
		})
	}
	write(".p7c", "0123", 0)
	if err := os.Remove(file(".jws")); err != nil {
		t.Fatal(err)
	}
	t.Run("EXTERNAL is offered", func(t *testing.T) {
		if _, e := brings(t, domain(10), takes+xmpptest.Mechanisms); e.XMLName.Local != "auth" {
			t.Errorf("it says <%s> %s", e.XMLName.Local, e.Inner)
		}
	})
	t.Run("none is taken", func(t *testing.T) {
		if _, e := brings(t, domain(11), xmpptest.Feature("", "")); e.XMLName.Local == "assert" {
			t.Errorf("it brings %s", e.Inner)
		}
	})
	t.Run("refused", func(t *testing.T) {
		s, _ := brings(t, domain(12), takes)
		mark := p.a.Log.Mark()
		s.Send("<result xmlns='%s' outcome='refused' reason='expired&#10;'/><stream:features>%s</stream:features>", xmpptest.NamespaceDNA, takes)
		if e := s.Next(); e.XMLName.Local == "assert" || e.XMLName.Local == "auth" { // nothing a second time
			t.Errorf("it says <%s> %s", e.XMLName.Local, e.Inner)
		}
		p.a.Log.Tells(t, mark, `The server of case12\.example says about h\.example and the statement that it was shown: refused, expired\?`)
	})
	t.Run("it waits for the result", func(t *testing.T) {
		s, _ := brings(t, domain(13), takes)
		s.Send("<stream:features>%s</stream:features><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><result xmlns='%s' outcome='verified' reason='verified'/><stream:features>%s</stream:features>",
			xmpptest.Mechanisms, xmpptest.NamespaceDNA, xmpptest.Mechanisms)
		s.Want("auth")
		s.Send("</stream:stream>")
		if e := s.Next(); e.XMLName.Local != "" {
			t.Errorf("it says <%s> %s", e.XMLName.Local, e.Inner)
		}
	})
	p.T = t
}

// TestStatementsAlone: a provider that judges nobody needs no daemon.
func TestStatementsAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := newPairWith(t, []string{"-pa", realtest.EjabberdModules(t, "../..")}, "modules:\n"+showing(folder))
	xmpptest.HandOver(t, folder, hosted, ".jws", []byte("x.y.z"))
	for _, s := range []*xmpptest.Stream{p.dial(domainB, hosted), p.dialDirect(domainB, hosted)} {
		if f := s.Features.Inner; !strings.Contains(f, ">x.y.z</statement>") || strings.Contains(f, "assert=") || !strings.Contains(f, "EXTERNAL") {
			t.Errorf("features: %s", f)
		}
		if got := external(s); got != "failure" {
			t.Error(got)
		}
	}
}
