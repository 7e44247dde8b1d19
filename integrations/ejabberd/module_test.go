package ejabberd

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

type question = fakedaemon.Question

// TestVerified: B is accepted in both directions, by each host of A. It may
// send for its domain and for no other one. It may not send for the name in its
// certificate, nor for a name that it claims by dialback and that delegates to
// somebody else.
func TestVerified(t *testing.T) {
	t.Parallel()
	url, questions := xmpptest.Daemon(t, func(q question) any {
		if q.Source == domainB {
			return q.Verified(hostB)
		}
		return q.Answer("refused", "peer-name-mismatch").With("required", true)
	})
	p := newPair(t, url, dialback)
	p.prosody(domainB)
	p.send(domainA, domainB)
	p.a.Log.Tells(p.T, 0, `Accepted outbound s2s EXTERNAL authentication a\.example -> b\.example`)
	p.asked(questions, "outgoing", 1)
	for _, to := range []string{domainA, second, component} {
		s := p.dial(domainB, to)
		if got := external(s); got != "success" {
			t.Fatalf("to %s: %s", to, got)
		}
		p.asked(questions, "incoming", 2) // before the features, and at <auth/>
		open(s, domainB, to)
		s.Send("<db:result from='c.example' to='%s'>key</db:result>", to)
		if e := s.Want("result"); e.Type != "error" || !strings.Contains(e.Inner, "not accepted: peer-name-mismatch") {
			t.Errorf("dialback to %s: %+v", to, e)
		}
		<-questions
		s.Send("<message type='error' from='%s' to='user@%s'/>", domainB, to)
		s.Send("<message type='error' from='%s' to='user@%s'/></stream:stream>", hostB, to)
		if e := s.Want("error"); !strings.Contains(e.Inner, "invalid-from") {
			t.Errorf("a message for %s: %+v", hostB, e)
		}
	}
	s := p.dial(domainB, domainA)
	external(s)
	open(s, domainB, domainA)
	s.Send("<message type='error' from='%s' to='user@%s'/></stream:stream>", domainB, domainA)
	if e := s.Next(); e.XMLName.Local != "" {
		t.Errorf("a message for %s: %+v", domainB, e)
	}
}

// TestOwnCertificate: whose certificate ejabberd itself finds valid needs no
// daemon, and no daemon can take that away.
func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	url, questions := xmpptest.Daemon(t, func(q question) any { return q.Answer("refused", "revoked").With("required", true) })
	p := newPair(t, url, "")
	p.Certify(hostB, domainB)
	p.prosody(domainB)
	p.send(domainA, domainB)
	p.a.Log.Tells(p.T, 0, `Accepted outbound s2s EXTERNAL authentication a\.example -> b\.example`)
	if got := external(p.dial(domainB, domainA)); got != "success" {
		t.Error(got)
	}
	if len(questions) != 0 {
		t.Errorf("asked: %+v", <-questions)
	}
}

// TestNotAccepted: what is no acceptance, and whether it leaves a peer to
// dialback, which A's own rules allow here. Each case has a domain of its own.
func TestNotAccepted(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		respond func(question) any
		log     string
		left    bool // to ejabberd's own rules
	}{
		{"no statement", func(q question) any { return q.Answer("refused", "no-statement") },
			"refused, no-statement: the detail of no-statement; do this about no-statement (ejabberd's own rules decide)", true},
		{"undetermined", func(q question) any { return q.Answer("undetermined", "dns-timeout") }, "undetermined, dns-timeout: ", true},
		{"revoked", func(q question) any { return q.Answer("refused", "revoked").With("required", true) },
			"(it has a statement, so nothing weaker counts)", false},
		{"undetermined and required", func(q question) any { return q.Answer("undetermined", "dns-timeout").With("required", true) }, "undetermined, dns-timeout: ", false},
		{"too much asked", func(q question) any { return q.Answer("undetermined", "overloaded") }, "undetermined, overloaded: ", false},
		{"no memory", func(q question) any { return q.Answer("undetermined", "memory-failed") }, "undetermined, memory-failed: ", false},
		{"verified without end", func(q question) any { return q.Verified(hostB).With("valid_until", nil) }, "without a name or an end", false},
		{"verified until a minute ago", func(q question) any { return q.Verified(hostB).With("valid_until", fakedaemon.In(-time.Minute)) }, "past its end", false},
		{"verified without name", func(q question) any { return q.Verified(hostB).With("name", nil) }, "without a name", false},
		{"another source", func(q question) any { return q.Verified(hostB).With("source", "c.example") }, "not an answer to the question", false},
		{"another direction", func(q question) any { return q.Verified(hostB).With("direction", "sideways") }, "not an answer to the question", false},
		{"another version", func(q question) any { return q.Verified(hostB).With("version", 2) }, "not an answer to the question", false},
		{"no outcome", func(q question) any { return q.Verified(hostB).Without("outcome") }, "not an answer to the question", false},
		{"odd outcome", func(q question) any { return q.Verified(hostB).With("outcome", "VERIFIED") }, "not an answer to the question", false},
		{"required not said", func(q question) any { return q.Answer("refused", "no-statement").Without("required") }, "not an answer to the question", false},
		{"null", func(q question) any { return "null" }, "not an answer to the question", false},
		{"garbage", func(q question) any { return "\x00\x1b]0;<html>" }, "not JSON", false},
		{"cut off", func(q question) any { return q.Verified(hostB).Cut(100)[:1] }, "not JSON", false},
		{"deep", func(q question) any { return strings.Repeat("[", 60000) }, "not JSON", false},
		{"nothing", func(q question) any { return "" }, "not JSON", false},
		{"huge", func(q question) any { return q.Verified(hostB).With("detail", strings.Repeat("x", 100<<10)) }, "too long", false},
		{"huge, in pieces", func(q question) any {
			return q.Verified(hostB).With("detail", strings.Repeat("x", 100<<10)).Cut(1 << 10)
		}, "too long", false},
		{"status 400", func(q question) any { return 400 }, "status 400", false},
		{"status 204", func(q question) any { return 204 }, "status 204", false},
		{"silent", func(q question) any { return nil }, "no answer in time; see whether dnaverify serve is running", false},
	}
	domain := func(i int) string { return fmt.Sprintf("case%d.example", i) }
	var domains []string
	responses := map[string]func(question) any{}
	for i, c := range cases {
		domains = append(domains, domain(i))
		responses[domain(i)] = c.respond
	}
	url, _ := xmpptest.Daemon(t, func(q question) any { return responses[q.Source](q) })
	p := newPair(t, url, dialback)
	p.prosody(domains...)
	t.Run("cases", func(t *testing.T) {
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				p := &pair{p.In(t), p.a, p.dns}
				name := regexp.QuoteMeta(domain(i))
				p.send(domainA, domain(i))
				p.a.Log.Tells(p.T, 0, "warning.*Certificate not accepted for "+name+": ", c.log)
				s := p.dial(domain(i), domainA)
				got := external(s)
				d := p.dial(domain(i), domainA)
				d.Send("<db:result from='%s' to='%s'>key</db:result>", domain(i), domainA)
				result := d.Want("result")
				if c.left {
					p.a.Log.Tells(p.T, 0, `Accepted outbound s2s EXTERNAL authentication a\.example -> `+name)
					if got != "failure" {
						t.Errorf("incoming: %s", got)
					}
					// A asked B for the key, which is wrong.
					if result.Type != "invalid" {
						t.Errorf("dialback: %+v", result)
					}
					return
				}
				p.a.Log.Tells(p.T, 0, "a.example -> "+name+": Peer certificate rejected: ")
				if got != "error" {
					t.Errorf("incoming: %s", got)
				}
				if result.Type != "error" || !strings.Contains(result.Inner, "policy-violation") || !strings.Contains(result.Inner, "certificate is not accepted: ") {
					t.Errorf("dialback: %+v", result)
				}
			})
		}
	})
	if accepted := regexp.MustCompile("Accepted inbound|certificate accepted").FindString(p.a.Log.String()); accepted != "" {
		t.Error(accepted)
	}
}

// TestWithoutTLS: where no certificate is shown, nobody can tell that a domain
// has no statement. Here A's own rules do not insist on TLS.
func TestWithoutTLS(t *testing.T) {
	t.Parallel()
	url, questions := xmpptest.Daemon(t, func(q question) any { return q.Answer("refused", "no-statement") })
	p := newPair(t, url, dialback+"s2s_use_starttls: optional\n")
	p.records(xmpptest.Attacker(t, domainB, domainA), domainB)
	p.send(domainA, domainB)
	p.a.Log.Tells(p.T, 0, "Not authenticated as b.example: ", "its certificate was not checked")

	s := xmpptest.Plain(t, p.a.Server)
	open(s, domainB, domainA)
	s.Send("<db:result from='%s' to='%s'>key</db:result>", domainB, domainA)
	if e := s.Want("result"); e.Type != "error" {
		t.Errorf("dialback: %+v", e)
	}
	p.a.Log.Tells(p.T, 0, "Certificate not accepted for b.example: ", "undetermined, no-answer: it showed no certificate")
	if len(questions) != 0 {
		t.Errorf("asked: %+v", <-questions)
	}
}

// TestChainNotVerified: a certificate that leads to no anchor of ejabberd's is
// not said to be verified.
func TestChainNotVerified(t *testing.T) {
	t.Parallel()
	url, questions := xmpptest.Daemon(t, func(q question) any { return q.Answer("refused", "peer-untrusted").With("required", true) })
	p := newPair(t, url, dialback)
	// The name and the key files are those of B.
	strange := xmpptest.NewSite(t)
	strange.Dir = p.Dir
	strange.Certify(hostB)
	p.prosody(domainB)
	p.send(domainA, domainB)
	if q := <-questions; q.ChainVerified || q.Direction != "outgoing" {
		t.Errorf("%+v", q)
	}
	p.a.Log.Tells(p.T, 0, "a.example -> b.example: Peer certificate rejected: ")
	if got := external(p.dial(domainB, domainA)); got != "error" {
		t.Error(got)
	}
	if q := <-questions; q.ChainVerified || q.Direction != "incoming" {
		t.Errorf("%+v", q)
	}
}

// TestAgain: a domain that was accepted is asked about again when its answer says
// so, and leaves when it delegates no longer. A reload of the configuration and a
// restart of the module change nothing about that.
func TestAgain(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		then func(question) any
		log  string
	}{
		"revoked.example":   {func(q question) any { return q.Answer("refused", "revoked").With("required", true) }, "refused, revoked: "},
		"not-found.example": {func(q question) any { return q.Answer("refused", "proof-expired").With("required", true) }, "refused, proof-expired: "},
		"unknown.example":   {func(q question) any { return q.Answer("undetermined", "dns-timeout").With("required", true) }, "undetermined, dns-timeout: "},
		"away.example":      {func(q question) any { return 500 }, "undetermined, no-answer: "},
	}
	var over atomic.Bool
	url, questions := xmpptest.Daemon(t, func(q question) any {
		if over.Load() {
			return cases[q.Source].then(q)
		}
		return q.Verified(hostB).With("valid_until", fakedaemon.In(12*time.Second)).With("refresh_at", fakedaemon.In(2*time.Second))
	})
	p := newPair(t, url, "")
	p.prosody(slices.Collect(maps.Keys(cases))...)
	streams := map[string]*xmpptest.Stream{}
	for domain := range cases {
		p.send(domainA, domain)
		p.a.Log.Tells(p.T, 0, "Accepted outbound s2s EXTERNAL authentication a.example -> "+domain)
		streams[domain] = p.dial(domain, domainA)
		if got := external(streams[domain]); got != "success" {
			t.Fatalf("%s: %s", domain, got)
		}
		open(streams[domain], domain, domainA)
	}
	p.a.Command(t, "reload_config", "{}")
	p.a.Command(t, "restart_module", `{"host":"`+domainA+`","module":"mod_s2s_dna"}`)
	asked, first := map[string]int{}, map[string]int{"outgoing": 1, "incoming": 2}
	for n := 0; n < 4*len(cases); n++ { // they stay as long as the daemon says so
		q := <-questions
		about := q.Source + " " + q.Direction
		if asked[about]++; q.Recheck != (asked[about] > first[q.Direction]) {
			t.Errorf("%s, question %d: recheck is %t", about, asked[about], q.Recheck)
		}
	}
	if left := regexp.MustCompile("no longer accepted.*").FindString(p.a.Log.String()); left != "" {
		t.Error(left)
	}
	over.Store(true)
	for domain, c := range cases {
		if e := streams[domain].Want("error"); !strings.Contains(e.Inner, "policy-violation") {
			t.Errorf("%+v", e)
		}
		p.a.Log.Tells(p.T, 0, "Certificate no longer accepted for "+domain+": ", c.log)
		p.a.Log.Wait(t, 0, "Closing outbound s2s connection a.example -> "+domain+": Stream closed by local host: .*not accepted")
	}
}

// TestAway: nobody answers where the daemon should be.
func TestAway(t *testing.T) {
	t.Parallel()
	p := newPair(t, fmt.Sprintf("http://127.0.0.1:%d/v1/check", realtest.Port(t)), dialback)
	p.prosody(domainB)
	p.send(domainA, domainB)
	p.a.Log.Tells(p.T, 0, "Certificate not accepted for b.example: ", "undetermined, no-answer: ", "econnrefused; see whether dnaverify serve is running")
	p.a.Log.Tells(p.T, 0, "a.example -> b.example: Peer certificate rejected: ")
	if got := external(p.dial(domainB, domainA)); got != "error" {
		t.Error(got)
	}
}

// TestURL: the option takes a loopback address and nothing else.
func TestURL(t *testing.T) {
	t.Parallel()
	realtest.Need(t, "erlc", "erl", "ejabberdctl")
	code, err := filepath.Glob("/usr/lib/*/ejabberd-*/ebin")
	if err != nil || len(code) == 0 {
		t.Fatal(err)
	}
	good := []string{"http://127.0.0.1:8853/v1/check", "http://[::1]:8853/v1/check", "http://127.0.0.1/v1/check"}
	bad := []string{
		"https://127.0.0.1:8853/v1/check", "http://localhost:8853/v1/check", "http://192.0.2.1:8853/v1/check",
		"http://127.0.0.1.dna.example/v1/check", "http://127.0.0.1:8853@dna.example/v1/check", "http://127.0.0.1:8853/v1/check\nHost: a.example",
	}
	urls, err := json.Marshal(append(good, bad...))
	if err != nil {
		t.Fatal(err)
	}
	got := realtest.Output(t, ".", "erl", "-noinput", "-pa", realtest.EjabberdModules(t, "../.."), "-pa", code[0], "-eval",
		fmt.Sprintf(`[io:format("~p ", [element(1, econf:validate(mod_s2s_dna:mod_opt_type(url), list_to_binary(U)))]) || U <- %s], halt().`, urls))
	if want := strings.Repeat("ok ", len(good)) + strings.Repeat("error ", len(bad)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
