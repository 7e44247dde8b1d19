package prosody

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// A mouth is what a daemon says, to be changed while it runs.
type mouth struct {
	atomic.Pointer[func(fakedaemon.Question) any]
}

func (m *mouth) say(respond func(fakedaemon.Question) any) { m.Store(&respond) }

func (m *mouth) respond(q fakedaemon.Question) any { return (*m.Load())(q) }

// TestOutgoing: A connects to B, whose certificate is not for its domain.
func TestOutgoing(t *testing.T) {
	t.Parallel()
	var says mouth
	url, questions := xmpptest.Daemon(t, says.respond)
	p := newPair(t, withModule(t, url).and(options{"dna_timeout": "2"}), nil)
	a, b := p.users()
	for _, c := range []struct {
		name    string
		respond func(fakedaemon.Question) any
		log     []string
	}{
		{"refused", func(q fakedaemon.Question) any { return q.Answer("refused", "no-statement") },
			[]string{"refused, no-statement: the detail of no-statement; do this about no-statement"}},
		{"refused and required", func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) },
			[]string{"refused, revoked: ", "(it has a statement, so nothing weaker counts)"}},
		{"undetermined", func(q fakedaemon.Question) any { return q.Answer("undetermined", "dns-timeout") }, []string{"undetermined, dns-timeout: "}},
		{"verified without end", func(q fakedaemon.Question) any { return q.Verified(hostB).With("valid_until", nil) }, []string{"undetermined, no-answer: ", "without a name or an end"}},
		{"verified until a minute ago", func(q fakedaemon.Question) any {
			return q.Verified(hostB).With("valid_until", fakedaemon.In(-time.Minute))
		}, []string{"undetermined, no-answer: ", "past its end"}},
		{"verified without name", func(q fakedaemon.Question) any { return q.Verified(hostB).With("name", nil) }, []string{"undetermined, no-answer: "}},
		{"another source", func(q fakedaemon.Question) any { return q.Verified(hostB).With("source", "c.example") }, []string{"undetermined, no-answer: ", "not an answer to the question"}},
		{"another direction", func(q fakedaemon.Question) any { return q.Verified(hostB).With("direction", "incoming") }, []string{"undetermined, no-answer: "}},
		{"another version", func(q fakedaemon.Question) any { return q.Verified(hostB).With("version", 2) }, []string{"undetermined, no-answer: "}},
		{"no outcome", func(q fakedaemon.Question) any { return q.Verified(hostB).Without("outcome") }, []string{"undetermined, no-answer: "}},
		{"odd outcome", func(q fakedaemon.Question) any { return q.Verified(hostB).With("outcome", "VERIFIED") }, []string{"undetermined, no-answer: "}},
		{"required not said", func(q fakedaemon.Question) any { return q.Verified(hostB).Without("required") }, []string{"undetermined, no-answer: "}},
		{"null", func(q fakedaemon.Question) any { return "null" }, []string{"undetermined, no-answer: "}},
		{"garbage", func(q fakedaemon.Question) any { return "\x00\x1b]0;<html>" }, []string{"undetermined, no-answer: "}},
		{"deep", func(q fakedaemon.Question) any { return strings.Repeat("[", 60000) }, []string{"undetermined, no-answer: "}},
		{"nothing", func(q fakedaemon.Question) any { return "" }, []string{"undetermined, no-answer: "}},
		{"huge", func(q fakedaemon.Question) any { return q.Verified(hostB).With("detail", strings.Repeat("x", 100<<10)) }, []string{"undetermined, no-answer: "}},
		{"huge, in pieces", func(q fakedaemon.Question) any {
			return q.Verified(hostB).With("detail", strings.Repeat("x", 100<<10)).Cut(1 << 10)
		}, []string{"undetermined, no-answer: "}},
		{"status 500", func(q fakedaemon.Question) any { return 500 }, []string{"undetermined, no-answer: ", "status 500"}},
		{"status 204", func(q fakedaemon.Question) any { return 204 }, []string{"undetermined, no-answer: "}},
		{"silent", func(q fakedaemon.Question) any { return nil }, []string{"undetermined, no-answer: ", "no answer within 2 seconds; see whether dnaverify serve is running"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.T, a.T, b.T = t, t, t
			says.say(c.respond)
			mark := p.a.Log.Mark()
			bounce := bounced(a, b, "hello")
			if strings.Contains(bounce.Inner, domainB) || !strings.Contains(bounce.Inner, "Remote server") {
				t.Errorf("the sender is told: %s", bounce.Inner)
			}
			p.a.Log.Tells(p.T, mark, "warn.*Certificate not accepted for b.example: ", c.log...)
			p.asked(questions, "outgoing")
		})
	}
	p.T, a.T, b.T = t, t, t
	says.say(func(q fakedaemon.Question) any { return q.Verified(hostB) })
	delivered(a, b, "hello")
	p.a.Log.Tells(p.T, 0, "info.*b.example may be served by "+hostB, "(delegation, until ")
	p.asked(questions, "outgoing")
	delivered(a, b, "again")
	if len(questions) != 0 {
		t.Errorf("asked again about a stream that exists: %+v", <-questions)
	}
}

// TestIncoming: B connects to A.
func TestIncoming(t *testing.T) {
	t.Parallel()
	var says mouth
	url, questions := xmpptest.Daemon(t, says.respond)
	p := newPair(t, withModule(t, url), nil)
	a, b := p.users()
	says.say(func(q fakedaemon.Question) any { return q.Answer("refused", "no-statement") })
	bounced(b, a, "hello")
	p.a.Log.Tells(p.T, 0, "Certificate not accepted for b.example: ", "refused, no-statement: ")
	p.asked(questions, "incoming")
	says.say(func(q fakedaemon.Question) any { return q.Verified(hostB) })
	delivered(b, a, "hello")
	p.a.Log.Tells(p.T, 0, "info.*b.example may be served by "+hostB)
	p.asked(questions, "incoming")
}

// asked checks the one question that was asked, about B.
func (p *pair) asked(questions chan fakedaemon.Question, direction string) {
	p.T.Helper()
	q := <-questions
	if q.Source != domainB || q.Service != "_xmpp-server._tcp" || q.Direction != direction || q.Peer != "127.0.0.1" || q.Recheck {
		p.T.Errorf("question: %+v", q)
	}
	want, err := os.ReadFile(p.Dir + "/" + hostB + ".pem")
	if err != nil {
		p.T.Fatal(err)
	}
	if q.Chain != string(want) {
		p.T.Errorf("chain:\n%s\nwant leaf and intermediate:\n%s", q.Chain, want)
	}
	if n := len(questions); n != 0 {
		p.T.Errorf("%d more questions", n)
	}
}

// TestOwnCertificate: whose certificate Prosody itself finds valid needs no
// daemon, and no daemon can take that away.
func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	url, questions := xmpptest.Daemon(t, func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) })
	p := newPair(t, options{"s2s_secure_auth": "false"}, withModule(t, url)) // here B has the module
	a, b := p.users()
	delivered(b, a, "hello")
	if len(questions) != 0 {
		t.Errorf("asked: %+v", <-questions)
	}
}

// TestWaiting: while the daemon looks something up, the server goes on.
func TestWaiting(t *testing.T) {
	t.Parallel()
	found := make(chan struct{})
	url, questions := xmpptest.Daemon(t, func(q fakedaemon.Question) any {
		if q.Direction == "outgoing" {
			<-found
		}
		return q.Verified(hostB)
	})
	p := newPair(t, withModule(t, url), nil)
	a, b := p.users()
	a.message(b, "slow")
	<-questions // on its way to B, and waiting
	delivered(b, a, "another session")
	a.Send("<iq type='get' id='ping' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", domainA)
	a.Want("iq")
	close(found)
	if e := b.Want("message"); e.Type == "error" || !strings.Contains(e.Inner, "slow") {
		t.Errorf("arrived: %+v", e)
	}
}

// TestAway: the daemon is not there, or cannot be where the configuration says.
func TestAway(t *testing.T) {
	nobody := strconv.Itoa(realtest.Port(t))
	for _, c := range []struct {
		url, log string
	}{
		{"http://127.0.0.1:" + nobody + "/v1/check", "see whether dnaverify serve is running"},
		{"http://[::1]:" + nobody + "/v1/check", "see whether dnaverify serve is running"},
		{"http://localhost:" + nobody + "/v1/check", "not an http:// URL with a loopback address"},
		{"http://127.0.0.1:" + nobody + "@dna.example/v1/check", "not an http:// URL with a loopback address"},
	} {
		t.Run(c.url, func(t *testing.T) {
			t.Parallel()
			// Dialback would let B in; but nobody said that B has no statement.
			p := newPair(t, withModule(t, c.url).and(weak), nil)
			a, b := p.users()
			bounced(a, b, "hello")
			p.a.Log.Tells(p.T, 0, "Certificate not accepted for b.example: ", "undetermined, no-answer: ", c.log)
		})
	}
}
