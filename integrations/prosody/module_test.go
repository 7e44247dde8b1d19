package prosody

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/realtest"
)

// TestOutgoing: A connects to B, whose certificate is not for its domain.
func TestOutgoing(t *testing.T) {
	for _, c := range []struct {
		name    string
		respond func(question) any
		options options
		log     []string // of one line; none if the message arrives
	}{
		{"verified", func(q question) any { return q.verified() }, nil, nil},
		{"refused", func(q question) any { return q.answer("refused", "no-statement") }, nil,
			[]string{"refused, no-statement: the detail of no-statement; do this about no-statement"}},
		{"refused and required", func(q question) any { return q.answer("refused", "revoked").with("required", true) }, nil,
			[]string{"refused, revoked: ", "(it has a statement, so nothing weaker counts)"}},
		{"undetermined", func(q question) any { return q.answer("undetermined", "dns-timeout") }, nil,
			[]string{"undetermined, dns-timeout: "}},
		{"verified without end", func(q question) any { return q.verified().with("valid_until", nil) }, nil, []string{"undetermined, no-answer: ", "without a name or an end"}},
		{"verified until a minute ago", func(q question) any { return q.verified().with("valid_until", in(-time.Minute)) }, nil, []string{"undetermined, no-answer: ", "past its end"}},
		{"verified without name", func(q question) any { return q.verified().with("name", nil) }, nil, []string{"undetermined, no-answer: "}},
		{"another source", func(q question) any { return q.verified().with("source", "c.example") }, nil, []string{"undetermined, no-answer: ", "not an answer to the question"}},
		{"another direction", func(q question) any { return q.verified().with("direction", "incoming") }, nil, []string{"undetermined, no-answer: "}},
		{"another version", func(q question) any { return q.verified().with("version", 2) }, nil, []string{"undetermined, no-answer: "}},
		{"no outcome", func(q question) any { return q.verified().without("outcome") }, nil, []string{"undetermined, no-answer: "}},
		{"odd outcome", func(q question) any { return q.verified().with("outcome", "VERIFIED") }, nil, []string{"undetermined, no-answer: "}},
		{"required not said", func(q question) any { return q.verified().without("required") }, nil, []string{"undetermined, no-answer: "}},
		{"null", func(q question) any { return "null" }, nil, []string{"undetermined, no-answer: "}},
		{"garbage", func(q question) any { return "\x00\x1b]0;<html>" }, nil, []string{"undetermined, no-answer: "}},
		{"deep", func(q question) any { return strings.Repeat("[", 60000) }, nil, []string{"undetermined, no-answer: "}},
		{"nothing", func(q question) any { return "" }, nil, []string{"undetermined, no-answer: "}},
		{"huge", func(q question) any { return q.verified().with("detail", strings.Repeat("x", 100<<10)) }, nil, []string{"undetermined, no-answer: "}},
		{"status 500", func(q question) any { return 500 }, nil, []string{"undetermined, no-answer: ", "status 500"}},
		{"status 204", func(q question) any { return 204 }, nil, []string{"undetermined, no-answer: "}},
		{"silent", func(q question) any { return nil }, options{"dna_timeout": "1"}, []string{"undetermined, no-answer: ", "no answer within 1 seconds; see whether dnaverify serve is running"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, questions := daemon(t, c.respond)
			p := newPair(t, withModule(t, url).and(c.options), nil)
			a, b := p.users()
			if c.log == nil {
				delivered(a, b, "hello")
				p.logged("info.*b.example may be served by "+hostB, "(delegation, until ")
			} else {
				bounce := bounced(a, b, "hello")
				if strings.Contains(bounce.Inner, "b.example:") || !strings.Contains(bounce.Inner, "Remote server") {
					t.Errorf("the sender is told: %s", bounce.Inner)
				}
				p.logged(append([]string{"Certificate not accepted for b.example: "}, c.log...)...)
			}
			p.asked(<-questions, "outgoing")
			if n := len(questions); n != 0 {
				t.Errorf("%d more questions", n)
			}
		})
	}
}

// asked checks a question about B.
func (p *pair) asked(q question, direction string) {
	p.t.Helper()
	if q.Source != domainB || q.Service != "_xmpp-server._tcp" || q.Direction != direction || q.Peer != "127.0.0.1" {
		p.t.Errorf("question: %+v", q)
	}
	want := realtest.Output(p.t, p.dir, "cat", hostB+".pem")
	if q.Chain != want {
		p.t.Errorf("chain:\n%s\nwant leaf and intermediate:\n%s", q.Chain, want)
	}
}

// TestAway: the daemon is not there, or cannot be where the configuration says.
func TestAway(t *testing.T) {
	nobody := realtest.Port(t)
	for _, c := range []struct {
		url, log string
	}{
		{"http://127.0.0.1:" + strconv.Itoa(nobody) + "/v1/check", "see whether dnaverify serve is running"},
		{"http://[::1]:" + strconv.Itoa(nobody) + "/v1/check", "see whether dnaverify serve is running"},
		{"http://dna.example/v1/check", "not an http:// URL with a loopback address"},
		{"http://127.0.0.1:1@dna.example/v1/check", "not an http:// URL with a loopback address"},
		{"http://localhost:1/v1/check", "not an http:// URL with a loopback address"},
		{"https://127.0.0.1:1/v1/check", "not an http:// URL with a loopback address"},
		{"", "not an http:// URL with a loopback address"},
	} {
		t.Run(c.url, func(t *testing.T) {
			t.Parallel()
			// Dialback would let B in; but nobody said that B has no statement.
			p := newPair(t, withModule(t, c.url).and(weak), weak)
			a, b := p.users()
			bounced(a, b, "hello")
			p.logged("Certificate not accepted for b.example", "undetermined, no-answer: ", c.log)
		})
	}
}
