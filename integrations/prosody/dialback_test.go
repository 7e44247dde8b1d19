package prosody

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
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
			url, questions := xmpptest.Daemon(t, says.respond)
			p := newPair(t, withModule(t, url).and(weak).and(options{"dna_timeout": "2"}), nil)
			from, to := send(p.users())
			for _, c := range []struct {
				name    string
				respond func(fakedaemon.Question) any
				log     string
			}{
				{"statement", func(q fakedaemon.Question) any {
					return q.Answer("refused", "peer-name-mismatch").With("required", true)
				}, "refused, peer-name-mismatch: "},
				{"statement, looked up in vain", func(q fakedaemon.Question) any { return q.Answer("undetermined", "dns-timeout").With("required", true) }, "undetermined, dns-timeout: "},
				{"too much asked", func(q fakedaemon.Question) any { return q.Answer("undetermined", "overloaded") }, "undetermined, overloaded: "},
				{"no memory", func(q fakedaemon.Question) any { return q.Answer("undetermined", "memory-failed") }, "undetermined, memory-failed: "},
				{"status 500", func(q fakedaemon.Question) any { return 500 }, "undetermined, no-answer: "},
				{"bad query", func(q fakedaemon.Question) any { return 400 }, "undetermined, no-answer: "},
				{"silent", func(q fakedaemon.Question) any { return nil }, "undetermined, no-answer: "},
			} {
				t.Run(c.name, func(t *testing.T) {
					p.T, from.T, to.T = t, t, t
					says.say(c.respond)
					mark := p.a.Log.Mark()
					bounced(from, to, "hello")
					p.a.Log.Tells(p.T, mark, "Certificate not accepted for b.example: ", c.log)
					if q := <-questions; q.Direction != direction || len(questions) != 0 {
						t.Errorf("asked %+v and %d more", q, len(questions))
					}
				})
			}
			p.T, from.T, to.T = t, t, t
			// This shows that dialback works here, and that it is left alone.
			says.say(func(q fakedaemon.Question) any {
				if q.Direction == "incoming" {
					return q.Answer("undetermined", "https-failure")
				}
				return q.Answer("refused", "no-statement")
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
		url, questions := xmpptest.Daemon(t, func(q fakedaemon.Question) any { return q.Answer("refused", "no-statement") })
		p := newPair(t, withModule(t, url).and(plain), plain.and(withoutTLS))
		a, b := p.users()
		bounced(b, a, "hello")
		p.a.Log.Tells(p.T, 0, "Certificate not accepted for b.example: ", "undetermined, no-answer: it showed no certificate")
		if len(questions) != 0 {
			t.Errorf("asked: %+v", <-questions)
		}
	})
	t.Run("outgoing", func(t *testing.T) {
		t.Parallel()
		url, _ := xmpptest.Daemon(t, func(q fakedaemon.Question) any { return q.Answer("refused", "no-statement") })
		p := newPair(t, withModule(t, url).and(plain), nil)
		p.records(xmpptest.Attacker(t, domainB, domainA))
		a, b := p.users()
		bounced(a, b, "hello")
		p.a.Log.Tells(p.T, 0, "Not authenticated as b.example by dialback: ", "its certificate was not checked")
	})
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
		respond func(fakedaemon.Question) any
		refused string // reason; none if dialback goes on
	}{
		{"with a statement", nil, domainB, domainA, func(q fakedaemon.Question) any {
			if q.Source == domainB {
				return q.Verified(hostB)
			}
			return q.Answer("refused", "peer-name-mismatch").With("required", true)
		}, "peer-name-mismatch"},
		{"not looked at", nil, domainB, domainA, func(q fakedaemon.Question) any {
			if q.Source == domainB {
				return q.Verified(hostB)
			}
			return q.Answer("undetermined", "overloaded")
		}, "overloaded"},
		{"on a stream without a domain", weak, "", domainA, func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) }, "revoked"},
		// On components no module is loaded that is enabled for all hosts.
		{"to a component", weak.and(options{"zone": "nil\nComponent \"" + component + "\" \"muc\"\n"}), "", component,
			func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) }, "revoked"},
		{"without a statement", nil, domainB, domainA, func(q fakedaemon.Question) any {
			if q.Source == domainB {
				return q.Verified(hostB)
			}
			return q.Answer("refused", "no-statement")
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, _ := xmpptest.Daemon(t, c.respond)
			p := newPair(t, withModule(t, url).and(c.options), nil)
			s := p.Dial(p.a.Server, hostA, hostB, c.from, c.to)
			attributes := "to='" + c.to + "'"
			if c.from != "" {
				attributes += " from='" + c.from + "'"
			}
			s.Open("jabber:server", attributes)
			if c.from != "" {
				s.Send(xmpptest.External)
				s.Want("success")
				s.Open("jabber:server", attributes)
			}
			s.Send("<db:result from='c.example' to='%s'>key</db:result>", c.to)
			if c.refused == "" {
				p.a.Log.Wait(t, 0, `Certificate not accepted for c.example: refused, no-statement`)
				// A now looks for c.example, which does not exist.
				p.a.Log.Wait(t, 0, `a.example->c.example|c.example.*(failed|closed)|replies for 1 queued`)
				return
			}
			e := s.Want("result")
			if e.Type != "error" || !strings.Contains(e.Inner, "policy-violation") || !strings.Contains(e.Inner, "not accepted for c.example: "+c.refused) {
				t.Errorf("answer: %+v", e)
			}
			p.a.Log.Tells(p.T, 0, "Certificate not accepted for c.example: ", c.refused)
		})
	}
}

// TestAgain: a domain that was accepted is asked about again when its answer
// says so, and leaves when it delegates no longer. The questions say that its
// stream is open.
func TestAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(fakedaemon.Question) any
		log  string
	}{
		{"after a reload", func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) }, "refused, revoked: "},
		{"revoked", func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) }, "refused, revoked: "},
		{"a newer statement was not found", func(q fakedaemon.Question) any { return q.Answer("refused", "proof-expired").With("required", true) }, "refused, proof-expired: "},
		{"not known until the end", func(q fakedaemon.Question) any { return q.Answer("undetermined", "dns-timeout").With("required", true) }, "undetermined, dns-timeout: "},
		{"daemon away until the end", func(q fakedaemon.Question) any { return 500 }, "undetermined, no-answer: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var over atomic.Bool
			url, questions := xmpptest.Daemon(t, func(q fakedaemon.Question) any {
				if over.Load() {
					return c.then(q)
				}
				return q.Verified(hostB).With("valid_until", fakedaemon.In(12*time.Second)).With("refresh_at", fakedaemon.In(2*time.Second))
			})
			p := newPair(t, withModule(t, url), nil)
			a, b := p.users()
			delivered(a, b, "hello")
			if c.name == "after a reload" {
				p.a.Shell(t, "module", "reload", "s2s_auth_dna")
			}
			over.Store(true)
			p.a.Log.Tells(p.T, 0, "Certificate no longer accepted for b.example: ", c.log)
			p.a.Log.Wait(t, 0, `Outgoing s2s stream a.example->b.example closed: .*not accepted`)
			for i := 0; len(questions) > 0; i++ {
				if q := <-questions; q.Recheck != (i > 0) {
					t.Errorf("question %d: recheck is %t", i+1, q.Recheck)
				}
			}
			bounced(a, b, "still there?")
		})
	}
}

// TestStays: while the daemon looks up a newer statement the stream stays, and is
// asked about again soon. When it is found, it goes on as before.
func TestStays(t *testing.T) {
	t.Parallel()
	asked := 0
	url, questions := xmpptest.Daemon(t, func(q fakedaemon.Question) any {
		asked++
		switch asked {
		case 1:
			return q.Verified(hostB).With("refresh_at", fakedaemon.In(2*time.Second))
		case 2, 3: // the older statement, for a connection that is open
			return q.Verified(hostB).With("valid_until", fakedaemon.In(time.Minute)).With("refresh_at", fakedaemon.In(time.Second))
		}
		return q.Verified(hostB)
	})
	p := newPair(t, withModule(t, url), nil)
	a, b := p.users()
	delivered(a, b, "hello")
	for i := range 4 {
		if q := <-questions; q.Recheck != (i > 0) {
			t.Errorf("question %d: recheck is %t", i+1, q.Recheck)
		}
	}
	delivered(a, b, "still there")
	if len(questions) > 0 {
		t.Errorf("a new stream was made: %+v", <-questions)
	}
}
