package daemon

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/localca"
)

// TestKnownChain: the chain of a verified peer is parsed once, and judged for each
// question all the same.
func TestKnownChain(t *testing.T) {
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	kept := func(body string) bool {
		t.Helper()
		q, err := readQuestion([]byte(body), r.handler.chains)
		if err != nil {
			t.Fatal(err)
		}
		return q.known != 0
	}
	strange := strangers.Of(host).Chain()
	good := of(host).Chain()
	for _, c := range []struct {
		name, source string
		chain        []*x509.Certificate
		want         reasons.Reason
		kept         bool
	}{
		{"another name", source, of("evil.example").Chain(), reasons.PeerNameMismatch, false},
		{"another authority", source, strange, reasons.PeerUntrusted, false},
		{"good", source, good, reasons.Verified, true},
		{"known", source, good, reasons.Verified, true},
		{"known, for another source", "c.example", good, reasons.NoStatement, true},
	} {
		a := r.ask(c.source, "incoming", c.chain)
		if got := kept(ask(source, "incoming", c.chain)); a.Reason != c.want || got != c.kept {
			t.Errorf("%s: got %s, kept %t: %s", c.name, a.Reason, got, a.Message)
		}
	}
	if status, _, body := r.send(nil, "POST", "/v1/check", ask(source, "incoming", good, `"chain_verified":true`)); status != 400 {
		t.Errorf("chain_verified, with the chain: status %d, %s", status, body)
	}
}

// TestChainsWeight: what is kept takes no more memory than is counted, whatever
// is in the certificates.
func TestChainsWeight(t *testing.T) {
	short := func(i int) string { return string([]byte{'a' + byte(i/26%26), 'a' + byte(i%26)}) }
	for name, fill := range map[string]func(c *x509.Certificate, i int){
		"nothing":       func(*x509.Certificate, int) {},
		"DNS names":     func(c *x509.Certificate, i int) { c.DNSNames = append(c.DNSNames, short(i)) },
		"URIs":          func(c *x509.Certificate, i int) { c.URIs = append(c.URIs, &url.URL{Scheme: short(i)}) },
		"organisations": func(c *x509.Certificate, i int) { c.Subject.Organization = append(c.Subject.Organization, short(i)) },
		"policies": func(c *x509.Certificate, i int) {
			c.Policies = append(c.Policies, localca.Must(x509.OIDFromInts([]uint64{1, 2, uint64(i)})))
		},
	} {
		t.Run(name, func(t *testing.T) {
			signer := localca.Must(around.CA.Issue("P-256", []string{host}, time.Now().Add(-day), time.Now().Add(day), func(c *x509.Certificate) {
				for i := range 600 {
					fill(c, i)
				}
			}))
			body := []byte(with(chainMember(pemOf(signer.Leaf()))))
			known := newChains()
			before := heap()
			for n := range 100 {
				q, err := readQuestion(body, known)
				if err != nil || q.unusable != nil || q.known != 0 {
					t.Fatal(err, q.unusable, q.known)
				}
				q.shown = fmt.Appendf(nil, "%09d%s", n, q.shown[9:]) // another text
				known.keep(q)
			}
			if took, counted := int64(heap()-before), known.known.Weight(); took > counted || counted > chainsRoom {
				t.Errorf("the chains take %d bytes, %d are counted", took, counted)
			}
			runtime.KeepAlive(known)
		})
	}
}

// known is how many answers are remembered.
func (r *running) known() int {
	r.handler.answers.mu.Lock()
	defer r.handler.answers.mu.Unlock()
	return r.handler.answers.known.Len()
}

// TestKnownAnswer: a question gets the answer that was given before only where it
// is about the same, and as long as nothing has changed.
func TestKnownAnswer(t *testing.T) {
	n := &network{records: []string{issuedAt(time.Now().Add(-time.Hour), host)}}
	r := start(t, n, "", defaultBounds)
	chain := of(host).Chain()
	at := func(port int) string { return fmt.Sprintf(`"target":{"host":"%s","port":%d}`, host, port) }
	steps := []struct {
		name, source, direction string
		more                    string
		before                  func()
		want                    reasons.Reason
		known                   int // afterwards
	}{
		{"new", source, "incoming", "", nil, reasons.Verified, 0},
		{"in the cache", source, "incoming", "", nil, reasons.Verified, 1},
		{"known", source, "incoming", "", nil, reasons.Verified, 1},
		{"with an address", source, "incoming", `"peer":"192.0.2.1"`, nil, reasons.Verified, 1},
		{"of an open connection", source, "incoming", `"recheck":true`, nil, reasons.Verified, 1},
		{"with a statement, which nobody needs", source, "incoming", `"statement":{"encoding":"jws","text":"x"}`, nil, reasons.Verified, 1},
		{"with evidence", source, "incoming", `"evidence":true`, nil, reasons.Verified, 1},
		{"another source", "c.example", "incoming", "", nil, reasons.NoStatement, 1},
		{"another direction", source, "outgoing", "", nil, reasons.Verified, 1},
		{"another direction, known", source, "outgoing", "", nil, reasons.Verified, 2},
		{"a target", source, "outgoing", at(5269), nil, reasons.Verified, 3},
		{"another target", source, "outgoing", at(5270), nil, reasons.PortMismatch, 3},
		{"another state", source, "incoming", "", func() {
			n.set(func() { n.records = nil })
			r.handler.Use(newState(t, n, NewMetrics(), verifier.Limits{})).Close()
		}, reasons.NoStatement, 3},
		{"found again", source, "incoming", "", func() {
			n.set(func() { n.records = []string{issuedAt(time.Now().Add(-time.Minute), host)} })
			r.handler.Use(newState(t, n, NewMetrics(), verifier.Limits{})).Close()
		}, reasons.Verified, 3},
		{"moved", source, "incoming", "", func() {
			n.set(func() { n.records = []string{issuedAt(time.Now(), other)} })
			r.raise(time.Now(), other)
		}, reasons.PeerNameMismatch, 3},
	}
	for _, s := range steps {
		if s.before != nil {
			s.before()
		}
		var more []string
		if s.more != "" {
			more = append(more, s.more)
		}
		a := r.ask(s.source, s.direction, chain, more...)
		if got := r.known(); a.Reason != s.want || got != s.known || (a.Evidence != nil) != strings.Contains(s.more, "evidence") || a.Source != s.source || string(a.Direction) != s.direction {
			t.Errorf("%s: %d answers are known, want %d; got %s: %s", s.name, got, s.known, a.Reason, a.Message)
		}
	}
}

// TestAnswersWeight: what is kept takes no more memory than is counted, and that has
// a bound, whatever strangers ask.
func TestAnswersWeight(t *testing.T) {
	known := newAnswers()
	for hosts := range 17 {
		before, counted := heap(), known.known.Weight()
		for i := range 60 {
			source := fmt.Sprintf("%d.%d.example", i, hosts)
			q := question{source: source, service: service, direction: "incoming", known: 1}
			a := newAnswer(q)
			a.Outcome, a.Reason, a.Cached = reasons.OutcomeVerified, reasons.Verified, true
			for h := range hosts {
				until := time.Now()
				a.Names = append(a.Names, Name{Name: strings.Repeat("a.", 100*(i%2)) + fmt.Sprint(h), Method: "delegation", Until: &until})
			}
			handler := NewHandler(NewMetrics(), nil)
			known.put(q, &told{a, handler.encode(a), verifier.Mark{}})
		}
		if took, counted := int64(heap()-before), known.known.Weight()-counted; took > counted {
			t.Errorf("%d names: the answers take %d bytes, %d are counted", hosts, took, counted)
		}
	}
	for i := range 20_000 {
		q := question{source: fmt.Sprintf("%d.example", i), service: service, direction: "incoming", known: 1}
		known.put(q, &told{newAnswer(q), make([]byte, 800), verifier.Mark{}})
	}
	if w, n := known.known.Weight(), known.known.Len(); w > answersRoom || n > answersRoom/emptyWeight {
		t.Errorf("%d answers weigh %d", n, w)
	}
	runtime.KeepAlive(known)
}
