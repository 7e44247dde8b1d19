package verifier

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
)

func target(host string, priority, weight uint16) association.Dial {
	return association.Dial{Target: delegation.Target{Endpoint: to(host, 1), Priority: priority, Weight: weight}}
}

func hosts(targets []association.Dial) string {
	var names []string
	for _, t := range targets {
		names = append(names, t.Host)
	}
	return strings.Join(names, " ")
}

// TestOrder: priorities first, then the draw by weight.
func TestOrder(t *testing.T) {
	targets := []association.Dial{target("late", 20, 100), target("small", 10, 10), target("zero", 10, 0), target("large", 10, 90)}
	for _, c := range []struct {
		draw func(n int) int
		want string
	}{
		{func(int) int { return 0 }, "zero small large late"},
		{func(n int) int { return min(n-1, 1) }, "small large zero late"},
		{func(n int) int { return min(n-1, 10) }, "small large zero late"},
		{func(n int) int { return min(n-1, 11) }, "large small zero late"},
		{func(n int) int { return n - 1 }, "large small zero late"},
	} {
		if got := hosts(order(targets, c.draw)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	first := map[string]int{}
	for range 2000 {
		first[order(targets, rand.IntN)[0].Host]++
	}
	// 90 of 101 draws; a ninth of that for small.
	if first["large"] < 1600 || first["small"] < 80 || first["late"] > 0 {
		t.Errorf("drawn first: %v", first)
	}
}

// TestOrderKeeps: the order is a permutation, by priority.
func TestOrderKeeps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var targets []association.Dial
		for i := range rapid.IntRange(0, 16).Draw(t, "n") {
			targets = append(targets, target(fmt.Sprint(i), rapid.Uint16Max(3).Draw(t, "priority"), rapid.Uint16().Draw(t, "weight")))
		}
		ordered := order(targets, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "random") })
		if len(ordered) != len(targets) {
			t.Fatalf("%d targets of %d", len(ordered), len(targets))
		}
		for _, want := range targets {
			if !slices.ContainsFunc(ordered, func(d association.Dial) bool { return d.Host == want.Host }) {
				t.Fatalf("%s is missing", want.Host)
			}
		}
		if !slices.IsSortedFunc(ordered, func(a, b association.Dial) int { return int(a.Priority) - int(b.Priority) }) {
			t.Fatal("not by priority")
		}
	})
}

// TestMistakes: a name that is none is refused, and nothing weaker may do.
func TestMistakes(t *testing.T) {
	w := newDialing(t)
	if _, err := w.dialer.Dial(t.Context(), "b.example:5269", service); delegation.ReasonOf(err) != reasons.BadQuery || MayFallBack(err) {
		t.Errorf("got %v, want %s", err, reasons.BadQuery)
	}
	w.dialer.Client.Resolver = "nowhere"
	if _, err := New(Config{Roots: w.dialer.roots, Floors: newStore(), Discovery: w.dialer.Client}); !errors.Is(err, discovery.ErrConfig) {
		t.Errorf("got %v, want ErrConfig", err)
	}
}

// TestCancel: the end of the context ends a dial at once.
func TestCancel(t *testing.T) {
	w := newDialing(t)
	w.serve(host, 5269, peerserver.Stall, source)
	w.add(srv(service, 0, 0, 5269, host))
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err := w.dialer.Dial(ctx, source, service)
	if delegation.ReasonOf(err) != reasons.ConnectTimeout {
		t.Errorf("got %v, want %s", err, reasons.ConnectTimeout)
	}
}

// TestMutual: the dialer shows its certificate to a server that asks.
func TestMutual(t *testing.T) {
	w := newDialing(t)
	c := config(w.Of(source))
	c.ClientAuth = tls.RequireAnyClientCert
	s := w.serveWith(host, 5269, peerserver.None, c)
	w.add(srv(service, 0, 0, 5269, host))
	w.dialer.Certificates = config(w.Of("a.example")).Certificates
	conn := w.accepted(to(host, 5269), association.PKIX, 1)
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if states := s.States(); len(states) != 1 || states[0].PeerCertificates[0].DNSNames[0] != "a.example" {
		t.Errorf("the server saw %d handshakes", len(states))
	}
}

// TestMaxTargets: of very many targets only the first are tried.
func TestMaxTargets(t *testing.T) {
	w := newDialing(t)
	for i := range 2 * maxTargets {
		w.add(srv(service, i, 0, 1000+i, fmt.Sprintf("h%d.example", i)))
	}
	decision, err := w.dialer.verifier().Decide(t.Context(), outgoing)
	if err != nil {
		t.Fatal(err)
	}
	targets := decision.Targets()
	if n := len(targets); n != maxTargets {
		t.Fatalf("%d targets, want %d", n, maxTargets)
	}
	if last := targets[maxTargets-1]; int(last.Priority) != maxTargets-1 {
		t.Errorf("the last has priority %d", last.Priority)
	}
}

// TestRole: the second label of a role stands for the role. Policy and floors
// are those of the role.
func TestRole(t *testing.T) {
	for _, label := range []string{service, direct} {
		w := newDialing(t)
		w.service = label
		w.serve(host, 5269, peerserver.None, host)
		w.delegate(service, time.Hour, to(host, 5269))
		conn := w.accepted(to(host, 5269), association.Delegation, 1)
		if got := conn.Decision.Association.Question().Service; got != service || conn.Service != service {
			t.Errorf("%s: decided about %s, proven for %s", label, got, conn.Service)
		}
		if records := w.dialer.Floors.records; len(records) != 1 || records[subject{source, service}].Floor.IsZero() {
			t.Errorf("%s: remembered is %v", label, records)
		}
	}
}

// TestFloorAtHandshake: what the statement proved does not count if a newer one
// is known by the time the peer shows its certificate.
func TestFloorAtHandshake(t *testing.T) {
	above := func(f delegation.Floor) delegation.Floor {
		f.Order.Issued, f.Targets = f.Order.Issued.Add(time.Second), delegation.DigestTargets(nil)
		return f
	}
	contradictory := func(f delegation.Floor) delegation.Floor {
		f.Targets = delegation.Contradiction
		return f
	}
	for _, c := range []struct {
		name, shows string
		raise       func(delegation.Floor) delegation.Floor
		want        reasons.Reason
	}{
		{"a newer statement", host, above, reasons.Superseded},
		{"a contradiction", host, contradictory, reasons.Conflict},
		{"a newer statement, certificate of the source", source, above, reasons.Verified},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newDialing(t)
			w.serve(host, 5269, peerserver.None, c.shows)
			w.delegate(service, time.Hour, to(host, 5269))
			v := w.dialer.verifier()
			decision, err := v.Decide(t.Context(), outgoing)
			must(t, err)
			w.dialer.Floors.elsewhere(c.raise(decision.Association.Floor()))
			_, attempts, _ := v.Connect(t.Context(), decision, &w.dialer.DialOptions, false)
			attempt := attempts[0]
			if c.want != reasons.Verified {
				e := decision.Failure(attempts)
				if e.Reason != c.want || !e.Required || attempt.Conn() != nil {
					t.Errorf("got %v, required %t, want %s", e, e.Required, c.want)
				}
				return
			}
			must(t, attempt.Err)
			must(t, attempt.Conn().Close())
			if got := attempt.Acceptance.Reference.Method; got != association.PKIX {
				t.Errorf("by %s", got)
			}
		})
	}
}
