package daemon

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/floors/redisstore"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

const other = "xmpp.other.example"

// A node is a daemon that shares a Redis with others.
type node struct {
	*running
	metrics *Metrics
}

func newNode(t *testing.T, redis string, n *network) *node {
	t.Helper()
	store, err := redisstore.Open(t.Context(), redis, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	m := NewMetrics()
	engine, err := verifier.New(verifier.Config{Discovery: n, Floors: store, Roots: around.CA.Pool(), Metrics: m.Engine})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, n, "", defaultBounds)
	r.handler.Use(&State{
		Verifier: engine, Health: &Health{Memory: store},
	}).Close()
	return &node{r, m}
}

// until asks until an answer is as wanted.
func (n *node) until(what string, wanted func(*Answer) bool) {
	n.Helper()
	for deadline := time.Now().Add(realtest.Timeout); !wanted(n.ask(source, "incoming", of(host).Chain())); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.Fatalf("%s: not within %s", what, realtest.Timeout)
		}
	}
}

func is(reason reasons.Reason) func(*Answer) bool {
	return func(a *Answer) bool { return a.Reason == reason && a.Required }
}

// TestNodes: two nodes with one Redis. What one has seen, the other acts on as soon
// as it is told, not hours later. It is the attack of a former provider:
// node B has the proof in its cache, and the network shows B nothing else. B has the
// newer statement from the Redis.
func TestNodes(t *testing.T) {
	server := realtest.Redis(t, "secret")
	redis := "redis://" + url.UserPassword("", "secret").String() + "@" + server.Addr
	now := time.Now()
	old := issuedAt(now.Add(-time.Hour), host)
	a, b := newNode(t, redis, &network{records: []string{issuedAt(now, other)}}), newNode(t, redis, &network{records: []string{old}})
	b.until("watching", func(a *Answer) bool {
		return a.Outcome == reasons.OutcomeVerified && a.ValidUntil.After(now.Add(day))
	})

	if got := a.ask(source, "incoming", of(other).Chain()); got.Outcome != reasons.OutcomeVerified {
		t.Fatalf("got %+v", got)
	}
	b.until("moved", is(reasons.PeerNameMismatch))
	if got := b.ask(source, "incoming", of(host).Chain(), `"recheck":true`); got.Reason != reasons.PeerNameMismatch {
		t.Errorf("its connection is told %+v", got)
	}
	if got := b.ask(source, "incoming", of(other).Chain()); got.Outcome != reasons.OutcomeVerified {
		t.Errorf("the new provider is told %+v", got)
	}
}

// TestNodesAway: without the Redis what is known goes on for 5 minutes, and says
// so, and nothing else is verified.
func TestNodesAway(t *testing.T) {
	server := realtest.Redis(t, "")
	n := &network{records: []string{record(host)}}
	b := newNode(t, "redis://"+server.Addr, n)
	subscribed := func(a *Answer) bool {
		return a.Outcome == reasons.OutcomeVerified && a.ValidUntil.After(time.Now().Add(day))
	}
	b.until("watching", subscribed)
	server.Stop()
	bounded := func(a *Answer) bool {
		return a.Outcome == reasons.OutcomeVerified && !a.ValidUntil.After(time.Now().Add(5*time.Minute)) && !a.RefreshAt.After(*a.ValidUntil)
	}
	b.until("bounded", bounded)
	if a := b.ask("c.example", "incoming", of(host).Chain()); a.Reason != reasons.MemoryFailed || !a.Required {
		t.Errorf("got %+v", a)
	}
	server.Start(t)
	b.until("watching again", subscribed)
}

// raise lets the daemon know of a newer statement that is not here.
func (r *running) raise(issued time.Time, hosts ...string) {
	r.Helper()
	s := world.Statement(source, service, issued, hosts...)
	_, err := r.handler.state.Health.Memory.Raise(r.Context(), source, service, floors.Record{Floor: delegation.Floor{
		Order:   delegation.Order{Issuance: of(source).Leaf().NotBefore, Issued: s.Issued},
		Targets: delegation.DigestTargets(s.Targets), ValidUntil: s.Expires,
	}})
	if err != nil {
		r.Fatal(err)
	}
}

// TestSecondLabel: the second label of a role is a question about the role.
func TestSecondLabel(t *testing.T) {
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	body := strings.Replace(ask(source, "incoming", of(host).Chain()), service, "_xmpps-server._tcp", 1)
	_, _, answer := r.send(nil, "POST", "/v1/check", body)
	if a := r.read(answer); a.Outcome != reasons.OutcomeVerified || a.Service != service {
		t.Errorf("got %+v", a)
	}
	if a := r.ask(source, "incoming", of(host).Chain()); !a.Cached {
		t.Error("it is another question")
	}
}

// TestRecheck: a newer statement is known and its lookup takes long. A connection
// that is open stays meanwhile, and is asked about again soon. A new one waits.
func TestRecheck(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		raised    []string // hosts of the newer statement
		found     *network
		new, open reasons.Reason // for connections, then
	}{
		"changed":      {[]string{host, other}, &network{records: []string{issuedAt(now, host, other)}}, reasons.Verified, reasons.Verified},
		"revoked":      {nil, &network{records: []string{issuedAt(now)}}, reasons.Revoked, reasons.Revoked},
		"contradicted": {[]string{other}, &network{records: []string{issuedAt(now, host)}}, reasons.Conflict, reasons.Conflict},
		"not to be found out": {[]string{other}, &network{failure: &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}},
			reasons.DNSTimeout, reasons.ProofExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &network{records: []string{issuedAt(now.Add(-time.Hour), host)}}
			r := start(t, n, "", defaultBounds)
			chain := of(host).Chain()
			r.ask(source, "incoming", chain)
			n.set(func() {
				n.records, n.failure = c.found.records, c.found.failure
				n.hold = make(chan struct{})
			})
			r.raise(now, c.raised...)
			new := make(chan *Answer)
			go func() { new <- r.ask(source, "incoming", chain) }()
			a := r.ask(source, "incoming", chain, `"recheck":true`) // and the lookup goes on
			if a.Outcome != reasons.OutcomeVerified ||
				a.RefreshAt.After(time.Now().Add(5*time.Second)) || a.ValidUntil.After(time.Now().Add(5*time.Minute)) || !a.Required {
				t.Errorf("an open connection is told %+v", a)
			}
			select {
			case a := <-new:
				t.Errorf("a new connection is told %+v", a)
			default:
			}
			close(n.hold)
			if a := <-new; a.Reason != c.new || !a.Required {
				t.Errorf("a new connection is told %+v", a)
			}
			if a := r.ask(source, "incoming", chain, `"recheck":true`); a.Reason != c.open || !a.Required {
				t.Errorf("then an open connection is told %+v", a)
			}
		})
	}
}
