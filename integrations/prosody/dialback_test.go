package prosody

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/realtest"
	"github.com/dnasign/dnasign/internal/xmpp"
)

// TestDialback: B's certificate is not accepted, and A's own rules would let it
// in by dialback. Whether they may is the daemon's word about B's domain.
func TestDialback(t *testing.T) {
	for direction, send := range map[string]func(a, b *user) (from, to *user){
		"outgoing": func(a, b *user) (from, to *user) { return a, b },
		"incoming": func(a, b *user) (from, to *user) { return b, a },
	} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			var says mouth
			url, questions := daemon(t, says.respond)
			p := newPair(t, withModule(t, url).and(weak).and(options{"dna_timeout": "2"}), nil)
			from, to := send(p.users())
			for _, c := range []struct {
				name    string
				respond func(question) any
				log     string
			}{
				{"statement", func(q question) any { return q.answer("refused", "peer-name-mismatch").with("required", true) }, "refused, peer-name-mismatch: "},
				{"statement, looked up in vain", func(q question) any { return q.answer("undetermined", "dns-timeout").with("required", true) }, "undetermined, dns-timeout: "},
				{"too much asked", func(q question) any { return q.answer("undetermined", "overloaded") }, "undetermined, overloaded: "},
				{"no memory", func(q question) any { return q.answer("undetermined", "memory-failed") }, "undetermined, memory-failed: "},
				{"status 500", func(q question) any { return 500 }, "undetermined, no-answer: "},
				{"bad query", func(q question) any { return 400 }, "undetermined, no-answer: "},
				{"silent", func(q question) any { return nil }, "undetermined, no-answer: "},
			} {
				t.Run(c.name, func(t *testing.T) {
					p.t, from.t, to.t = t, t, t
					says.say(c.respond)
					mark := p.a.Log.Mark()
					bounced(from, to, "hello")
					p.logged(mark, "Certificate not accepted for b.example: ", c.log)
					if q := <-questions; q.Direction != direction || len(questions) != 0 {
						t.Errorf("asked %+v and %d more", q, len(questions))
					}
				})
			}
			p.t, from.t, to.t = t, t, t
			// This shows that dialback works here, and that it is left alone.
			says.say(func(q question) any {
				if q.Direction == "incoming" {
					return q.answer("undetermined", "https-failure")
				}
				return q.answer("refused", "no-statement")
			})
			delivered(from, to, "hello")
		})
	}
}

// TestWithoutTLS: where no certificate is shown, nobody can tell that a domain
// has no statement, and dialback would be what an attacker wants. Here even A
// itself does not insist on TLS.
func TestWithoutTLS(t *testing.T) {
	plain := weak.and(options{"s2s_require_encryption": "false"})
	withoutTLS := options{"modules_enabled": `{ "saslauth", "dialback" }`, "modules_disabled": `{ "tls", "offline", "s2s_bidi" }`}
	t.Run("incoming", func(t *testing.T) {
		t.Parallel()
		url, questions := daemon(t, func(q question) any { return q.answer("refused", "no-statement") })
		p := newPair(t, withModule(t, url).and(plain), plain.and(withoutTLS))
		a, b := p.users()
		bounced(b, a, "hello")
		p.logged(0, "Certificate not accepted for b.example: ", "undetermined, no-answer: it showed no certificate")
		if len(questions) != 0 {
			t.Errorf("asked: %+v", <-questions)
		}
	})
	t.Run("outgoing", func(t *testing.T) {
		t.Parallel()
		url, _ := daemon(t, func(q question) any { return q.answer("refused", "no-statement") })
		p := newPair(t, withModule(t, url).and(plain), nil)
		p.records(attacker(t))
		a, b := p.users()
		bounced(a, b, "hello")
		p.logged(0, "Not authenticated as b.example by dialback: ", "its certificate was not checked")
	})
}

// attacker is a server without TLS that agrees to any dialback. It returns its
// port.
func attacker(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		decoder := xml.NewDecoder(conn)
		for {
			token, err := decoder.Token()
			if err != nil {
				return
			}
			switch start, _ := token.(xml.StartElement); start.Name.Local {
			case "stream":
				fmt.Fprintf(conn, "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' id='1' from='%s' to='%s' version='1.0'>"+
					"<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>", domainB, domainA)
			case "result":
				fmt.Fprintf(conn, "<db:result from='%s' to='%s' type='valid'/>", domainB, domainA)
			case "message":
				t.Errorf("the attacker got a message")
			}
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// dial connects to a domain at A as a server would, with B's certificate.
func (p *pair) dial(from, to string) *stream {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), realtest.Timeout)
	defer cancel()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.a.Server))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	if err := xmpp.StartTLS(ctx, conn, xmpp.Stream{Namespace: xmpp.NamespaceServer, To: to, From: from}); err != nil {
		p.t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(p.dir+"/"+hostB+".pem", p.dir+"/"+hostB+".key")
	if err != nil {
		p.t.Fatal(err)
	}
	return &stream{t: p.t, conn: tls.Client(conn, &tls.Config{RootCAs: p.pool(), ServerName: hostA, Certificates: []tls.Certificate{certificate}})}
}

// TestDialbackOfAnotherDomain: a peer that is authenticated for one domain
// claims a second one by dialback, on the same stream.
func TestDialbackOfAnotherDomain(t *testing.T) {
	const component = "rooms.a.example"
	for _, c := range []struct {
		name    string
		options options
		from    string // the stream's own domain, if it says one
		to      string
		respond func(question) any
		refused string // reason; none if dialback goes on
	}{
		{"with a statement", nil, domainB, domainA, func(q question) any {
			if q.Source == domainB {
				return q.verified()
			}
			return q.answer("refused", "peer-name-mismatch").with("required", true)
		}, "peer-name-mismatch"},
		{"not looked at", nil, domainB, domainA, func(q question) any {
			if q.Source == domainB {
				return q.verified()
			}
			return q.answer("undetermined", "overloaded")
		}, "overloaded"},
		{"on a stream without a domain", weak, "", domainA, func(q question) any { return q.answer("refused", "revoked").with("required", true) }, "revoked"},
		// On components no module is loaded that is enabled for all hosts.
		{"to a component", weak.and(options{"zone": "nil\nComponent \"" + component + "\" \"muc\"\n"}), "", component,
			func(q question) any { return q.answer("refused", "revoked").with("required", true) }, "revoked"},
		{"without a statement", nil, domainB, domainA, func(q question) any {
			if q.Source == domainB {
				return q.verified()
			}
			return q.answer("refused", "no-statement")
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, _ := daemon(t, c.respond)
			p := newPair(t, withModule(t, url).and(c.options), nil)
			s := p.dial(c.from, c.to)
			attributes := "to='" + c.to + "'"
			if c.from != "" {
				attributes += " from='" + c.from + "'"
			}
			s.open(xmpp.NamespaceServer, attributes)
			if c.from != "" {
				s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
				s.want("success")
				s.open(xmpp.NamespaceServer, attributes)
			}
			s.send("<db:result from='c.example' to='%s'>key</db:result>", c.to)
			if c.refused == "" {
				p.a.Log.Wait(t, 0, `Certificate not accepted for c.example: refused, no-statement`)
				// A now looks for c.example, which does not exist.
				p.a.Log.Wait(t, 0, `a.example->c.example|c.example.*(failed|closed)|replies for 1 queued`)
				return
			}
			e := s.want("result")
			if e.Type != "error" || !strings.Contains(e.Inner, "policy-violation") || !strings.Contains(e.Inner, "not accepted for c.example: "+c.refused) {
				t.Errorf("answer: %+v", e)
			}
			p.logged(0, "Certificate not accepted for c.example: ", c.refused)
		})
	}
}

// TestAgain: a domain that was accepted is asked about again when its answer
// says so, and leaves when it delegates no longer.
func TestAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(question) any
		log  string
	}{
		{"after a reload", func(q question) any { return q.answer("refused", "revoked").with("required", true) }, "refused, revoked: "},
		{"revoked", func(q question) any { return q.answer("refused", "revoked").with("required", true) }, "refused, revoked: "},
		{"not known until the end", func(q question) any { return q.answer("undetermined", "dns-timeout").with("required", true) }, "undetermined, dns-timeout: "},
		{"daemon away until the end", func(q question) any { return 500 }, "undetermined, no-answer: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			url, _ := daemon(t, func(q question) any {
				if asked++; asked <= 2 {
					return q.verified().with("valid_until", in(4*time.Second)).with("refresh_at", in(2*time.Second))
				}
				return c.then(q)
			})
			p := newPair(t, withModule(t, url), nil)
			a, b := p.users()
			delivered(a, b, "hello")
			if c.name == "after a reload" {
				p.a.Shell(t, "module", "reload", "s2s_auth_dna")
			}
			p.logged(0, "Certificate no longer accepted for b.example: ", c.log)
			p.a.Log.Wait(t, 0, `Outgoing s2s stream a.example->b.example closed: .*not accepted`)
			bounced(a, b, "still there?")
		})
	}
}
