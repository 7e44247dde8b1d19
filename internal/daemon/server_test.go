package daemon

import (
	"bufio"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestAnswers: what is said of peers.
func TestAnswers(t *testing.T) {
	foreign := strangers.Of(host)
	expired := around.Issue(-2*day, -day, host)
	both := around.Issue(-day, day, host, source)
	const (
		verified     = reasons.OutcomeVerified
		refused      = reasons.OutcomeRefused
		undetermined = reasons.OutcomeUndetermined
	)
	port := func(n int) string { return fmt.Sprintf(`"target":{"host":"%s","port":%d}`, host, n) }
	down := &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
	for _, c := range []struct {
		name      string
		network   *network
		direction string
		chain     []*x509.Certificate
		more      string
		outcome   reasons.Outcome
		reason    reasons.Reason
		method    association.Method
		required  bool
	}{
		{"delegated", &network{records: []string{record(host)}}, "incoming", of(host).Chain(), "", verified, reasons.Verified, association.Delegation, true},
		{"delegated, outgoing", &network{records: []string{record(host)}}, "outgoing", of(host).Chain(), "", verified, reasons.Verified, association.Delegation, true},
		{"delegated, target", &network{records: []string{record(host)}}, "outgoing", of(host).Chain(), port(5269), verified, reasons.Verified, association.Delegation, true},
		{"another port", &network{records: []string{record(host)}}, "outgoing", of(host).Chain(), port(5270), refused, reasons.PortMismatch, "", true},
		{"another host", &network{records: []string{record("x.example")}}, "outgoing", of(host).Chain(), port(5269), refused, reasons.TargetMismatch, "", true},
		{"another peer", &network{records: []string{record(host)}}, "incoming", of("evil.example").Chain(), "", refused, reasons.PeerNameMismatch, "", true},
		{"without intermediate", &network{records: []string{record(host)}}, "incoming", of(host).Chain()[:1], "", refused, reasons.PeerUntrusted, "", true},
		{"of another authority", &network{records: []string{record(host)}}, "incoming", foreign.Chain(), "", refused, reasons.PeerUntrusted, "", true},
		{"expired", &network{records: []string{record(host)}}, "incoming", expired.Chain(), "", refused, reasons.PeerUntrusted, "", true},
		{"its own certificate", &network{}, "incoming", of(source).Chain(), "", verified, reasons.Verified, association.PKIX, false},
		{"its own certificate, target", &network{}, "outgoing", of(source).Chain(), port(1), verified, reasons.Verified, association.PKIX, false},
		{"its own certificate, resolver down", &network{failure: down}, "incoming", of(source).Chain(), "", verified, reasons.Verified, association.PKIX, false},
		{"its own certificate, revoked", &network{records: []string{record()}}, "incoming", of(source).Chain(), `"evidence":true`, verified, reasons.Verified, association.PKIX, true},
		{"both names", &network{records: []string{record(host)}}, "incoming", both.Chain(), `"evidence":true`, verified, reasons.Verified, association.PKIX, true},
		{"no statement", &network{}, "incoming", of(host).Chain(), "", refused, reasons.NoStatement, "", false},
		{"no statement, and a chain of nobody's", &network{}, "incoming", foreign.Chain(), "", refused, reasons.PeerUntrusted, "", false},
		{"revoked", &network{records: []string{record()}}, "incoming", of(host).Chain(), "", refused, reasons.Revoked, "", true},
		{"a bad statement", &network{records: []string{"v=DNA1; e=jws; s=x"}}, "incoming", of(host).Chain(), "", refused, reasons.MalformedToken, "", false},
		{"resolver down", &network{failure: down}, "incoming", of(host).Chain(), "", undetermined, reasons.DNSTimeout, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, c.network, "", defaultBounds)
			more := []string{}
			if c.more != "" {
				more = append(more, c.more)
			}
			a := r.ask(source, c.direction, c.chain, more...)
			method := value0(a.Method)
			if a.Outcome != c.outcome || a.Reason != c.reason || method != c.method || a.Required != c.required {
				t.Errorf("got %s, %s, %q, required %t: %s", a.Outcome, a.Reason, method, a.Required, a.Detail)
			}
			if a.Version != 1 || a.Source != source || a.Service != service || string(a.Direction) != c.direction {
				t.Errorf("about %+v", a)
			}
			if yes := c.outcome == verified; (a.Name != nil) != yes || (a.ValidUntil != nil) != yes || (a.Hint == "") != yes {
				t.Errorf("name %v, valid until %v, hint %q", a.Name, a.ValidUntil, a.Hint)
			}
			if a.Name != nil && !slices.ContainsFunc(a.Names, func(n Name) bool { return n.Name == *a.Name && n.Method == *a.Method }) {
				t.Errorf("%s is not among %v", *a.Name, a.Names)
			}
			if !strings.HasPrefix(a.Message, source+" ") || strings.Contains(a.Message, "\n") || a.Detail == "" {
				t.Errorf("message %q, detail %q", a.Message, a.Detail)
			}
			if (a.Evidence != nil) != strings.Contains(c.more, "evidence") {
				t.Errorf("evidence: %+v", a.Evidence)
			}
			// From the cache, with the peer checked, and as it was answered before.
			_, _, checked := r.send(nil, "POST", "/v1/check", ask(source, c.direction, c.chain, more...))
			if _, _, again := r.send(nil, "POST", "/v1/check", ask(source, c.direction, c.chain, more...)); again != checked {
				t.Errorf("answered before %s, and then %s", checked, again)
			}
			if kept := c.outcome == verified && c.method == association.Delegation; kept != (r.known() == 1) {
				t.Errorf("%d answers are known", r.known())
			}
			if strings.Contains(r.log.String(), "MII") || strings.Contains(r.log.String(), "BEGIN") {
				t.Error("certificates are in the log")
			}
		})
	}
}

// TestChainVerified: the caller verified the path from the peer's certificate. The
// daemon judges everything but that path, says so, and remembers nothing of it.
func TestChainVerified(t *testing.T) {
	now := time.Now()
	theirs := world.At(now).CA
	leaf := func(edit func(*x509.Certificate), names ...string) []*x509.Certificate {
		return localca.Must(theirs.Issue("P-256", names, now.Add(-day), now.Add(day), edit)).Chain()[:1]
	}
	const verified, refused = reasons.OutcomeVerified, reasons.OutcomeRefused
	chain := of(host).Chain()
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	for _, c := range []struct {
		name    string
		chain   []*x509.Certificate
		said    string
		outcome reasons.Outcome
		reason  reasons.Reason
		by      string
	}{
		{"not said", chain[:1], "false", refused, reasons.PeerUntrusted, ""},
		{"said", chain[:1], "true", verified, reasons.Verified, "caller"},
		{"nothing of it is remembered", chain[:1], "false", refused, reasons.PeerUntrusted, ""},
		{"the daemon's own path", chain, "false", verified, reasons.Verified, "daemon"},
		{"by anchors of the caller", leaf(nil, host), "true", verified, reasons.Verified, "caller"},
		{"the source's own certificate", of(source).Chain()[:1], "true", verified, reasons.Verified, "caller"},
		{"another name", leaf(nil, "evil.example"), "true", refused, reasons.PeerNameMismatch, ""},
		{"the common name", leaf(func(c *x509.Certificate) { c.Subject.CommonName = host }), "true", refused, reasons.PeerNameMismatch, ""},
		{"expired", leaf(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }, host), "true", refused, reasons.PeerUntrusted, ""},
		{"of the future", leaf(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }, host), "true", refused, reasons.PeerUntrusted, ""},
		{"for clients only", leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, host), "true", refused, reasons.PeerUntrusted, ""},
		{"with an unknown critical extension", leaf(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true}}
		}, host), "true", refused, reasons.PeerUntrusted, ""},
		{"no certificate", nil, "true", refused, reasons.PeerUntrusted, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := r.ask(source, "incoming", c.chain, `"chain_verified":`+c.said)
			if a.Outcome != c.outcome || a.Reason != c.reason || value0(a.ChainVerifiedBy) != c.by {
				t.Errorf("got %s, %s, chain verified by %q: %s", a.Outcome, a.Reason, value0(a.ChainVerifiedBy), a.Detail)
			}
			if strings.Contains(a.Message, "the caller verified") != (c.by == "caller") {
				t.Errorf("message %q", a.Message)
			}
		})
	}
	if !strings.Contains(r.log.String(), "chain_verified_by=caller") {
		t.Error("the log does not say who verified the path")
	}
	// Whoever has the whole chain has no reason to leave its path out.
	status, _, body := r.send(nil, "POST", "/v1/check", ask(source, "incoming", chain, `"chain_verified":true`))
	if a := r.read(body); status != 400 || a.Reason != reasons.BadQuery || !a.Required || a.ChainVerifiedBy != nil {
		t.Errorf("the whole chain: status %d: %s", status, body)
	}
}

// TestEvidenceInAnswer: it gives the same verdict again.
func TestEvidenceInAnswer(t *testing.T) {
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	for range 2 { // looked up, and from the cache
		a := r.ask(source, "incoming", of(host).Chain(), `"evidence":true`)
		d, err := association.Decide(association.Question{Source: source, Service: service, Direction: association.Incoming}, a.Evidence,
			delegation.Policy{Roots: around.CA.Pool(), Time: time.Now()})
		if err != nil || len(d.References()) != 2 {
			t.Errorf("got %v, %v", d, err)
		}
	}
}

// TestRequests: what is no question, and from where none is taken.
func TestRequests(t *testing.T) {
	good := ask(source, "incoming", of(host).Chain())
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	network := &network{records: []string{record(host)}}
	unix, tcp := start(t, network, "", defaultBounds), start(t, network, "127.0.0.1:0", defaultBounds)
	hostIs := func(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }
	for _, c := range []struct {
		name, method, path, body string
		edit                     func(*http.Request)
		unix, tcp                int
	}{
		{"good", "POST", "/v1/check", good, nil, 200, 200},
		{"charset", "POST", "/v1/check", good, header("Content-Type", "application/json; charset=utf-8"), 200, 200},
		{"health", "GET", "/healthz", "", nil, 200, 200},
		{"metrics", "GET", "/metrics", "", nil, 200, 200},
		{"another path", "POST", "/v1/check/", good, nil, 404, 404},
		{"another version", "POST", "/v2/check", good, nil, 404, 404},
		{"the root", "GET", "/", "", nil, 404, 404},
		{"GET", "GET", "/v1/check", "", nil, 405, 405},
		{"PUT", "PUT", "/v1/check", good, nil, 405, 405},
		{"POST for health", "POST", "/healthz", "", nil, 405, 405},
		{"DELETE of metrics", "DELETE", "/metrics", "", nil, 405, 405},
		{"a form", "POST", "/v1/check", good, header("Content-Type", "application/x-www-form-urlencoded"), 415, 415},
		{"plain text", "POST", "/v1/check", good, header("Content-Type", "text/plain"), 415, 415},
		{"no media type", "POST", "/v1/check", good, func(r *http.Request) { r.Header.Del("Content-Type") }, 415, 415},
		{"too large", "POST", "/v1/check", strings.Repeat(" ", maxBody+1), nil, 413, 413},
		{"too large, without a length", "POST", "/v1/check", strings.Repeat(" ", maxBody+1), func(r *http.Request) { r.ContentLength = -1 }, 413, 413},
		{"as large as can be", "POST", "/v1/check", good + strings.Repeat(" ", maxBody-len(good)), nil, 200, 200},
		{"no JSON", "POST", "/v1/check", "x", nil, 400, 400},
		{"an empty body", "POST", "/v1/check", "", nil, 400, 400},
		{"a web page", "POST", "/v1/check", good, header("Origin", "https://evil.example"), 403, 403},
		{"a web page, nobody's", "GET", "/metrics", "", header("Origin", "null"), 403, 403},
		{"a web page, unnamed", "GET", "/metrics", "", header("Origin", ""), 403, 403},
		{"a name that leads here", "POST", "/v1/check", good, hostIs("evil.example"), 200, 403},
		{"a name that begins well", "POST", "/v1/check", good, hostIs("localhost.evil.example"), 200, 403},
		{"another address", "POST", "/v1/check", good, hostIs("192.0.2.1:80"), 200, 403},
		{"localhost", "POST", "/v1/check", good, hostIs("localhost:80"), 200, 200},
		{"IPv6", "POST", "/v1/check", good, hostIs("[::1]:80"), 200, 200},
		{"another loopback", "POST", "/v1/check", good, hostIs("127.0.0.2"), 200, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			for r, want := range map[*running]int{unix: c.unix, tcp: c.tcp} {
				status, header, body := r.send(c.edit, c.method, c.path, c.body)
				if status != want {
					t.Fatalf("%s: status %d, want %d: %s", r.network, status, want, body)
				}
				if status == 200 {
					continue
				}
				a := r.read(body)
				if a.Outcome != reasons.OutcomeRefused || a.Reason != reasons.BadQuery && a.Reason != reasons.MissingInput || a.Detail == "" {
					t.Errorf("got %s", body)
				}
				if status != 400 && a.Hint != "" {
					t.Errorf("no question, and a hint about questions: %q", a.Hint)
				}
				if !a.Required {
					t.Error("a caller that does not look at the status may fall back")
				}
				if status == 405 && header.Get("Allow") == "" {
					t.Error("what is allowed is not said")
				}
				if got := header.Get("Content-Type"); got != "application/json" {
					t.Errorf("media type %q", got)
				}
			}
		})
	}
}

// impatient are bounds for clients that are slow on purpose.
func impatient() bounds {
	b := defaultBounds
	b.read, b.idle, b.connections = 100*time.Millisecond, 100*time.Millisecond, 4
	return b
}

// TestSlow: a client that does not go on is cut off.
func TestSlow(t *testing.T) {
	for name, sent := range map[string]string{
		"nothing":       "",
		"half a line":   "POST /v1/ch",
		"half a header": "POST /v1/check HTTP/1.1\r\nHost: x\r\n",
		"a long header": "POST /v1/check HTTP/1.1\r\nX: " + strings.Repeat("x", 2*maxHeader),
		"half a body":   "POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			conn := start(t, &network{}, "", impatient()).dial()
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(realtest.Timeout))
			_, _ = io.WriteString(conn, sent) // it may be cut off before the end
			answer, err := io.ReadAll(conn)   // ends only if the daemon ends it
			if strings.Contains(string(answer), " 200 ") || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %q, %v", answer, err)
			}
		})
	}
}

// TestIdle: a connection that asks no further question ends.
func TestIdle(t *testing.T) {
	b := defaultBounds
	b.idle = 100 * time.Millisecond
	conn := start(t, &network{}, "", b).dial()
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	if _, err := io.Copy(io.Discard, reader); err != nil {
		t.Error(err)
	}
	response.Body.Close()
}

// TestManyConnections: connections without a question, more than there may be,
// keep nobody out for long.
func TestManyConnections(t *testing.T) {
	b := impatient()
	b.connections = 100
	r := start(t, &network{records: []string{record(host)}}, "", b)
	for range 1500 {
		conn, err := net.DialTimeout(r.network, r.address, 10*time.Millisecond)
		if err != nil {
			continue // the queue of the kernel is full
		}
		defer conn.Close()
	}
	client := r.client()
	client.Timeout = realtest.Timeout
	deadline := time.Now().Add(realtest.Timeout)
	for { // until it is not refused, nor slow itself on a busy machine
		response, err := client.Post("http://daemon/v1/check", "application/json", strings.NewReader(ask(source, "incoming", of(host).Chain())))
		if err == nil {
			response.Body.Close()
			if response.StatusCode == 200 {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal(response, err)
		}
	}
}

// TestStop: the question under way is answered, and no other.
func TestStop(t *testing.T) {
	n := &network{records: []string{record(host)}, hold: make(chan struct{}), begun: make(chan struct{}, 1)}
	r := start(t, n, "", defaultBounds)
	var asking sync.WaitGroup
	asking.Go(func() {
		if a := r.ask(source, "incoming", of(host).Chain()); a.Outcome != reasons.OutcomeVerified {
			t.Errorf("got %+v", a)
		}
	})
	<-n.begun
	r.stop()
	for { // until it no longer listens
		conn, err := net.Dial(r.network, r.address)
		if err != nil {
			break
		}
		conn.Close()
	}
	close(n.hold)
	asking.Wait()
	if err := r.wait(); err != nil {
		t.Error(err)
	}
}

// TestStopInTime: a question that takes too long does not keep the daemon.
func TestStopInTime(t *testing.T) {
	n := &network{hold: make(chan struct{}), begun: make(chan struct{}, 1)}
	b := defaultBounds
	b.stop = time.Millisecond
	r := start(t, n, "", b)
	conn := r.dial()
	defer conn.Close()
	body := ask(source, "incoming", of(host).Chain())
	fmt.Fprintf(conn, "POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	<-n.begun
	r.stop()
	if err := r.wait(); err == nil {
		t.Error("that something was under way is not said")
	}
	close(n.hold)
}

// TestUse: after a reload new questions meet the new state, those under way
// end with the old one.
func TestUse(t *testing.T) {
	old := &network{records: []string{record(host)}, hold: make(chan struct{}), begun: make(chan struct{}, 1)}
	r := start(t, old, "", defaultBounds)
	var asking, closing sync.WaitGroup
	asking.Go(func() {
		if a := r.ask(source, "incoming", of(host).Chain()); a.Outcome != reasons.OutcomeVerified {
			t.Errorf("got %+v", a)
		}
	})
	<-old.begun
	before := r.handler.Use(newState(t, &network{}, NewMetrics(), verifier.Limits{}))
	closing.Go(before.Close)
	if a := r.ask(source, "incoming", of(host).Chain()); a.Reason != reasons.NoStatement {
		t.Errorf("got %+v", a)
	}
	close(old.hold)
	asking.Wait()
	closing.Wait()
}

// TestOverload: when too much is asked the answer says so, and what is cached is
// answered.
func TestOverload(t *testing.T) {
	n := &network{records: []string{record(host)}}
	r := start(t, n, "", defaultBounds)
	state := newState(t, n, NewMetrics(), verifier.Limits{Waiting: 1})
	r.handler.Use(state).Close()
	r.ask(source, "incoming", of(host).Chain())
	n.set(func() { n.hold, n.begun = make(chan struct{}), make(chan struct{}, 1) })
	var waiting sync.WaitGroup
	waiting.Go(func() { r.ask("slow.example", "incoming", of(host).Chain()) })
	defer waiting.Wait()
	defer close(n.hold)
	<-n.begun
	a := r.ask("c.example", "incoming", of(host).Chain())
	if a.Outcome != reasons.OutcomeUndetermined || a.Reason != reasons.Overloaded || a.Cached || a.RefreshAt != nil {
		t.Errorf("got %+v", a)
	}
	if a := r.ask(source, "incoming", of(host).Chain()); a.Outcome != reasons.OutcomeVerified || !a.Cached {
		t.Errorf("got %+v", a)
	}
	// Who needs no lookup gets an answer.
	if a := r.ask("c.example", "incoming", of("c.example").Chain()); a.Outcome != reasons.OutcomeVerified {
		t.Errorf("got %+v", a)
	}
}

// TestWaiting: hundreds of questions that wait for a lookup keep nobody out
// whose answer is in the cache.
func TestWaiting(t *testing.T) {
	n := &network{records: []string{record(host)}}
	r := start(t, n, "", defaultBounds)
	r.ask(source, "incoming", of(host).Chain())
	n.set(func() { n.hold, n.begun = make(chan struct{}), make(chan struct{}, 1) })
	var waiting sync.WaitGroup
	for range 300 {
		waiting.Go(func() {
			if a := r.ask("slow.example", "incoming", of(host).Chain()); a.Reason != reasons.NoStatement {
				t.Errorf("got %+v", a)
			}
		})
	}
	<-n.begun
	if a := r.ask(source, "incoming", of(host).Chain()); a.Outcome != reasons.OutcomeVerified || !a.Cached {
		t.Errorf("got %+v", a)
	}
	close(n.hold)
	waiting.Wait()
}

// A failing memory.
type failing struct{ floors.Store }

func (failing) Load(context.Context, string, string) (floors.Record, error) {
	return floors.Record{}, errors.New("disk on fire")
}

func (failing) Watch(ctx context.Context, _ floors.Watcher) { <-ctx.Done() }

// TestMemoryFails: a decision without the memory is none; what is cached goes
// on, and health says so.
func TestMemoryFails(t *testing.T) {
	r := start(t, &network{}, "", defaultBounds)
	metrics := NewMetrics()
	engine, err := verifier.New(verifier.Config{Discovery: &network{records: []string{record(host)}}, Floors: failing{}, Roots: around.CA.Pool(), Metrics: metrics.Engine})
	if err != nil {
		t.Fatal(err)
	}
	r.handler.Use(&State{
		Verifier: engine, Health: &Health{Memory: failing{}},
	}).Close()
	a := r.ask(source, "incoming", of(host).Chain())
	if a.Outcome != reasons.OutcomeUndetermined || a.Reason != reasons.MemoryFailed || !a.Required {
		t.Errorf("got %+v", a)
	}
	status, _, body := r.send(nil, "GET", "/healthz", "")
	if status != 503 || !strings.Contains(body, `"reason":"memory-failed"`) || !strings.Contains(body, "disk on fire") {
		t.Errorf("status %d: %s", status, body)
	}
}

// TestHealth: the tests run now and then only, and say since when.
func TestHealth(t *testing.T) {
	state := newState(t, &network{}, NewMetrics(), verifier.Limits{})
	defer state.Close()
	asked, wrong := 0, error(nil)
	h := state.Health
	h.SelfTest = func(context.Context) error { asked++; return wrong }
	first := h.report(t.Context())
	if again := h.report(t.Context()); first.Status != "ok" || again.Status != "ok" || asked != 1 || len(first.Tests) != 2 {
		t.Errorf("got %+v, asked %d times", again, asked)
	}
	wrong = delegation.Errorf(reasons.SelfTestFailed, "it lies")
	h.tested = h.tested.Add(-healthLife)
	second := h.report(t.Context())
	if second.Status != "failing" || asked != 2 || second.Tests[1].Reason != reasons.SelfTestFailed || second.Tests[1].Hint == "" {
		t.Errorf("got %+v", second)
	}
	h.tested = h.tested.Add(-healthLife)
	h.last.Since = first.Since.Add(-time.Hour)
	if third := h.report(t.Context()); !third.Since.Equal(first.Since.Add(-time.Hour)) {
		t.Errorf("since %s", third.Since)
	}
}

// TestMetrics: answers are counted, and nothing that strangers choose is a
// label.
func TestMetrics(t *testing.T) {
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	r.ask(source, "incoming", of(host).Chain(), `"peer":"192.0.2.7"`)
	r.ask("c.example", "outgoing", of("evil.example").Chain())
	r.send(nil, "POST", "/v1/check", "{}")
	_, _, body := r.send(nil, "GET", "/metrics", "")
	for _, want := range []string{
		`dnaverify_questions_total{chain_verified_by="daemon",direction="incoming",method="delegation",outcome="verified",reason="verified"} 1`,
		`dnaverify_questions_total{chain_verified_by="",direction="outgoing",method="",outcome="refused",reason="no-statement"} 1`,
		`dnaverify_bad_requests_total{status="400"} 1`,
		`dnaverify_lookups_total{result="proven"} 1`,
		`dnaverify_lookups_total{result="none"} 1`,
		`dnaverify_cache_entries{class="statement"} 1`,
		`dnaverify_cache_entries{class="other"} 1`,
		`dnaverify_lookup_seconds_count 2`,
		`dnaverify_start_time_seconds`,
		`go_goroutines`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("there is no %s", want)
		}
	}
	for _, secret := range []string{"example", "192.0.2"} {
		if strings.Contains(body, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}
