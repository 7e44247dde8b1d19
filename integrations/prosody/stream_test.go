package prosody

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// TestStreamEndToEnd: two providers exchange messages for domains whose statements
// are published nowhere: in the streams alone, in both encodings. A revocation in DNS
// ends it.
func TestStreamEndToEnd(t *testing.T) {
	folder := t.TempDir()
	f := newField(t, showing(folder))
	a := login(t, f.Pool(), f.alpha, hostA, domainA)
	b := login(t, f.Pool(), f.beta, hostB, domainB)
	bounced(a, b, "nothing is handed over")
	bounced(b, a, "nothing is handed over")

	signed := time.Now()
	f.Certify(domainA)
	f.Certify(domainB)
	sign := func(domain, host string, port int, format, file string) {
		t.Helper()
		f.dnasign("sign --domain %[1]s --service xmpp-server --target %[2]s:%[3]d --cert %[1]s.pem --key %[1]s.key --format %[4]s --out %[5]s", domain, host, port, format, file)
		statement, err := os.ReadFile(filepath.Join(f.Dir, file))
		if err != nil {
			t.Fatal(err)
		}
		xmpptest.HandOver(t, folder, domain, filepath.Ext(file), statement)
	}
	sign(domainA, hostA, f.alpha.Server, "jws", domainA+".jws")
	sign(domainB, hostB, f.beta.Server, "ac", domainB+".p7c")
	// The same by hand: read the statement of b.example, and bring that of a.example.
	said := realtest.Output(t, f.Dir, filepath.Join(f.bin, "dnaverify"), "connect", domainB, "-v", "--from", domainA, "--cert", hostA+".pem", "--key", hostA+".key",
		"--statement", domainA+".jws", "--roots", f.Roots, "--resolver", f.resolver, "--allow-private-addresses")
	for _, line := range []string{"OK    stream ", "the server says about a.example and its statement: verified, verified; it offers EXTERNAL", "counts as b.example by delegation"} {
		if !strings.Contains(said, line) {
			t.Errorf("connect does not say %q:\n%s", line, said)
		}
	}

	delivered(a, b, "from a to b")
	delivered(b, a, "from b to a")
	const by = `, until .*, by the statement that it brought\)`
	for _, c := range []struct {
		server *realtest.ProsodyServer
		peer   string
	}{{f.alpha, "s2sout.*b.example may be served by " + hostB}, {f.alpha, "s2sin.*b.example may be served by " + hostB},
		{f.beta, "s2sout.*a.example may be served by " + hostA}, {f.beta, "s2sin.*a.example may be served by " + hostA}} {
		t.Log(c.server.Log.Wait(t, 0, c.peer+` \(delegation`+by))
	}
	f.beta.Log.Wait(t, 0, `The server of a.example says about b.example and the statement that it was shown: verified`)

	hangUp := func() {
		t.Helper()
		mark := f.beta.Log.Mark()
		f.alpha.Shell(t, "s2s", "closeall", domainA)
		f.beta.Log.Wait(t, mark, "s2s stream .* closed")
	}

	// The daemon starts again, and the next stream brings the statement again.
	f.alphaDaemon.Stop()
	f.alphaDaemon = f.serve(f.alphaURL)
	hangUp()
	delivered(a, b, "the daemon has nothing but its floors")

	time.Sleep(time.Until(signed.Truncate(time.Second).Add(time.Second)))
	f.dnasign("revoke --domain %[1]s --service xmpp-server --cert %[1]s.pem --key %[1]s.key --format ac --out %[1]s.p7c", domainB)
	f.publish(domainB + ".p7c")
	lookAgain(t, f.alphaDaemon)
	hangUp()
	for _, way := range []func(){func() { bounced(a, b, "revoked") }, func() { bounced(b, a, "revoked") }} {
		mark := f.alpha.Log.Mark()
		way()
		t.Log(f.alpha.Log.Wait(t, mark, `Certificate not accepted for b\.example: refused, revoked: .*nothing weaker counts`))
	}
	// Taken out of DNS again, the floor keeps the old statement from coming back.
	f.update("_xmpp-server._tcp._dna."+domainB+". 1 TXT x", domainB)
	f.spread(domainB)
	lookAgain(t, f.alphaDaemon)
	mark := f.alpha.Log.Mark()
	bounced(a, b, "an old statement")
	t.Log(f.alpha.Log.Wait(t, mark, `Certificate not accepted for b\.example: refused, superseded: .*nothing weaker counts`))
}

// waiting is the stream of a peer that may bring a statement.
func (p *pair) waiting() *xmpptest.Stream {
	p.T.Helper()
	s := p.Dial(p.a.Server, hostA, hostB, domainB, domainA)
	features := s.Open("jabber:server", "from='"+domainB+"' to='"+domainA+"'")
	if !strings.Contains(features.Inner, xmpptest.NamespaceDNA) || !strings.Contains(features.Inner, "assert='true'") || strings.Contains(features.Inner, "EXTERNAL") {
		p.T.Fatalf("features: %s", features.Inner)
	}
	return s
}

// TestStreamBrought: an incoming peer brings a statement, good or bad, in every way that
// is not allowed too. Each has its refusal, and none more than two questions.
func TestStreamBrought(t *testing.T) {
	url, questions := xmpptest.Daemon(t, xmpptest.Unpublished(hostB))
	p := newPair(t, withModule(t, url), nil)
	lax := newPair(t, withModule(t, url).and(weak), nil)
	good := xmpptest.Brought("good")
	refused := func(inner, reason string) func(*xmpptest.Stream) {
		return func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(inner))
			s.Result("refused", reason)
			s.Ends("not-authorized")
		}
	}
	for _, c := range []struct {
		name   string
		pair   *pair
		play   func(s *xmpptest.Stream)
		asked  int // questions; 0: not counted
		logged string
	}{
		{"a good one", p, func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(good))
			s.Result("verified", "verified")
			if e := s.Want("features"); !strings.Contains(e.Inner, "EXTERNAL") || strings.Contains(e.Inner, "assert=") {
				s.T.Errorf("features: %s", e.Inner)
			}
			s.Send(xmpptest.External)
			s.Want("success")
			s.Open("jabber:server", "from='"+domainB+"' to='"+domainA+"'")
			s.Send("%s", xmpptest.Assertion(good)) // after authentication
			s.Ends("policy-violation")
		}, 2, "by the statement that it brought"},
		{"a bad one", p, refused(xmpptest.Brought("expired"), "expired"), 2, "refused, expired: "},
		{"a bad one, where dialback may follow", lax, func(s *xmpptest.Stream) {
			s.Send("%s", xmpptest.Assertion(xmpptest.Brought("expired")))
			s.Result("refused", "expired")
			if e := s.Want("features"); strings.Contains(e.Inner, "EXTERNAL") || strings.Contains(e.Inner, "assert=") || !strings.Contains(e.Inner, "dialback") {
				s.T.Errorf("features: %s", e.Inner)
			}
			s.Send("%s", xmpptest.Assertion(good)) // a second time
			s.Ends("policy-violation")
		}, 2, "refused, expired: "},
		{"several", p, refused(good+good, "malformed-record"), 2, "is not used: refused, malformed-record"},
		{"none", p, refused("", "malformed-record"), 2, "is not used: refused, malformed-record"},
		{"text beside", p, refused("good"+good, "malformed-record"), 2, "is not used: refused, malformed-record"},
		{"in another name space", p, refused("<statement xmlns='jabber:server' encoding='jws'>good</statement>", "malformed-record"), 2, "is not used: refused, malformed-record"},
		{"for others", p, refused(xmpptest.Brought("source-mismatch"), "source-mismatch"), 2, "refused, source-mismatch: "},
		{"too large", p, func(s *xmpptest.Stream) {
			// Prosody 13 keeps its own limit before authentication, and 0.12 does not.
			s.Send("%s", xmpptest.Assertion(xmpptest.Brought(strings.Repeat("x", 43_693))))
			e := s.Next()
			if e.XMLName.Local == "error" && strings.Contains(e.Inner, "<policy-violation ") {
				return
			}
			if e.XMLName.Local != "result" || e.Outcome != "refused" || e.Reason != "statement-too-large" {
				s.T.Errorf("result: %+v", e)
			}
			s.Ends("not-authorized")
		}, 0, ""},
		{"huge", p, func(s *xmpptest.Stream) {
			go fmt.Fprint(s.Conn, xmpptest.Assertion(xmpptest.Brought(strings.Repeat("x", 3<<20)))) // not read to its end
			s.Ends("policy-violation")
		}, 1, ""},
		{"broken XML", p, func(s *xmpptest.Stream) {
			s.Send("<assert xmlns='%s'><statement></assert>", xmpptest.NamespaceDNA)
			s.Ends("not-well-formed")
		}, 1, ""},
		{"EXTERNAL that was not offered", p, func(s *xmpptest.Stream) {
			s.Send(xmpptest.External)
			s.Ends("not-authorized")
		}, 2, "refused, no-statement: "},
		{"dialback at once", p, func(s *xmpptest.Stream) {
			s.Send("<db:result from='%s' to='%s'>key</db:result>", domainB, domainA)
			s.Ends("not-authorized")
		}, 2, "refused, no-statement: "},
		{"a key to verify", p, func(s *xmpptest.Stream) {
			s.Send("<db:verify from='%s' to='%s' id='x'>key</db:verify>", domainB, domainA)
			s.Ends("not-authorized")
		}, 2, "refused, no-statement: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.pair.T = t
			mark := c.pair.a.Log.Mark()
			s := c.pair.waiting()
			c.play(s)
			if n := len(questions); c.asked > 0 && n != c.asked {
				t.Errorf("%d questions, want %d", n, c.asked)
			}
			for len(questions) > 0 {
				if q := <-questions; q.Direction != "incoming" || q.Source != domainB {
					t.Errorf("asked: %+v", q)
				}
			}
			if c.logged != "" {
				t.Log(c.pair.a.Log.Wait(t, mark, c.logged))
			}
		})
	}
	p.T, lax.T = t, t
	t.Run("before TLS", func(t *testing.T) {
		s := xmpptest.Plain(t, p.a.Server)
		if e := s.Open("jabber:server", "from='"+domainB+"' to='"+domainA+"'"); strings.Contains(e.Inner, xmpptest.NamespaceDNA) {
			t.Errorf("features: %s", e.Inner)
		}
		s.Send("%s", xmpptest.Assertion(good))
		s.Ends("policy-violation")
	})
	t.Run("published", func(t *testing.T) {
		url, _ := xmpptest.Daemon(t, func(q fakedaemon.Question) any { return q.Answer("refused", "no-statement") })
		p := newPair(t, withModule(t, url).and(weak), nil)
		s := p.Dial(p.a.Server, hostA, hostB, domainB, domainA)
		if e := s.Open("jabber:server", "from='"+domainB+"' to='"+domainA+"'"); strings.Contains(e.Inner, xmpptest.NamespaceDNA) {
			t.Errorf("features: %s", e.Inner)
		}
		s.Send("%s", xmpptest.Assertion(good))
		s.Ends("policy-violation")
	})
}

// TestStreamShown: what a receiving server shows is judged before its features take
// effect. A plays the initiator, and the test the receiver.
func TestStreamShown(t *testing.T) {
	good := xmpptest.Brought("good")
	for _, c := range []struct {
		name, features string
		accepted       bool
		logged         string
	}{
		{"a good one", xmpptest.Feature("", good), true, "by the statement that it brought"},
		{"a bad one", xmpptest.Feature("", xmpptest.Brought("expired")), false, "refused, expired: "},
		{"none", "", false, "refused, no-statement: "},
		{"none, but it takes some", xmpptest.Feature(" assert='true'", ""), false, "refused, no-statement: "},
		{"several", xmpptest.Feature("", good+good), false, "is not used: refused, malformed-record"},
		{"an element instead", xmpptest.Feature("", "<good/>"), false, "is not used: refused, malformed-record"},
		{"too large", xmpptest.Feature("", xmpptest.Brought(strings.Repeat("x", 43_693))), false, "refused, statement-too-large|XML stanza is too big"},
		{"huge", xmpptest.Feature("", xmpptest.Brought(strings.Repeat("x", 3<<20))), false, "refused, statement-too-large|XML stanza is too big"},
		{"broken XML", xmpptest.Feature("", "<statement>"), false, "closed: .*(not-well-formed|invalid XML)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, questions := xmpptest.Daemon(t, xmpptest.Unpublished(hostB))
			p := newPair(t, withModule(t, url), nil)
			port, streams := p.Receiver(hostB, domainB)
			p.records(port)
			a, b := p.users()
			a.message(b, "hello")
			select {
			case s := <-streams:
				fmt.Fprintf(s.Conn, "<stream:features>%s%s</stream:features>", xmpptest.Mechanisms, c.features) // not always read to its end
				if got := s.Next().XMLName.Local; (got == "auth") != c.accepted {
					t.Errorf("it says <%s>", got)
				}
			case <-time.After(realtest.Timeout):
				t.Fatal("it does not connect")
			}
			t.Log(p.a.Log.Wait(t, 0, c.logged))
			if n := len(questions); n > 2 {
				t.Errorf("%d questions", n)
			}
		})
	}
}

// TestStatementFiles: which file is shown, that a new one is shown at once, and what is
// never shown.
func TestStatementFiles(t *testing.T) {
	folder := t.TempDir()
	url, _ := xmpptest.Daemon(t, xmpptest.Unpublished(hostB))
	p := newPair(t, withModule(t, url).and(weak).and(showing(folder)), nil)
	file := func(ending string) string { return filepath.Join(folder, domainA, "_xmpp-server._tcp"+ending) }
	write := func(ending, content string, age time.Duration) {
		xmpptest.HandOver(t, folder, domainA, ending, []byte(content))
		if err := os.Chtimes(file(ending), time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		set  func()
		want string
	}{
		{"nothing", func() {}, ""},
		{"a JWS", func() { write(".jws", "x.y.z\n", time.Hour) }, "<statement encoding='jws'>x.y.z</statement>"},
		{"a newer attribute certificate", func() { write(".p7c", "0123", time.Minute) }, "<statement encoding='ac'>MDEyMw==</statement>"},
		{"a newer JWS", func() { write(".jws", "a.b.c", time.Second) }, "<statement encoding='jws'>a.b.c</statement>"},
		{"too long", func() { write(".jws", strings.Repeat("x", 8001), 0) }, ""},
		{"too long in base64", func() { write(".p7c", strings.Repeat("x", 6001), -time.Hour) }, ""},
		{"something else", func() { write(".jws", "<x/>", -2*time.Hour) }, ""},
		{"a folder", func() { os.Remove(file(".jws")); os.Remove(file(".p7c")); os.Mkdir(file(".jws"), 0o755) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.T = t
			c.set()
			s := p.Dial(p.a.Server, hostA, hostB, domainB, domainA)
			features := s.Open("jabber:server", "from='"+domainB+"' to='"+domainA+"'").Inner
			if !strings.Contains(features, c.want) || c.want == "" && strings.Contains(features, "<statement") {
				t.Errorf("features: %s", features)
			}
		})
	}
	p.T = t
	if text := p.a.Log.String(); strings.Count(text, "is not shown to other servers") != 4 {
		t.Errorf("what is not shown is not told once each:\n%s", text)
	}
}
