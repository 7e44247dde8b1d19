package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/xmpp"
	"github.com/dnasign/dnasign/internal/xmppserver"
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
		first[order(targets, (&Dialer{}).random())[0].Host]++
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

// TestMistakes: what is missing is named, and nothing is asked.
func TestMistakes(t *testing.T) {
	for name, edit := range map[string]func(*Dialer){
		"client": func(d *Dialer) { d.Client = nil },
		"policy": func(d *Dialer) { d.Policy = nil },
		"roots":  func(d *Dialer) { d.Peers.Roots = nil },
		"clock":  func(d *Dialer) { d.Peers.Now = nil },
		"zero policy": func(d *Dialer) {
			d.Policy = func(string, string) delegation.Policy { return delegation.Policy{} }
		},
	} {
		w := newWorld(t)
		edit(w.dialer)
		if _, err := w.dialer.Dial(t.Context(), source, service); delegation.ReasonOf(err) != delegation.MissingInput {
			t.Errorf("%s: got %v, want %s", name, err, delegation.MissingInput)
		}
	}
	w := newWorld(t)
	if _, err := w.dialer.Dial(t.Context(), "localhost", service); !errors.Is(err, discovery.ErrConfig) {
		t.Errorf("got %v, want ErrConfig", err)
	}
	w.serve(host, 5269, xmppserver.None, source)
	w.add(srv(service, 0, 0, 5269, host))
	w.dialer.StartTLS = nil
	w.refused(delegation.MissingInput, delegation.MissingInput)
}

// TestSteps: what a caller's step can do wrong.
func TestSteps(t *testing.T) {
	type step = func(context.Context, net.Conn, string, association.Dial) error
	var kept net.Conn
	hello := func(c net.Conn) error {
		return xmpp.StartTLS(context.Background(), c, xmpp.Stream{Namespace: xmpp.NamespaceServer, To: source})
	}
	for name, c := range map[string]struct {
		fault xmppserver.Fault
		step  step
		want  delegation.Reason
	}{
		"an error without a reason": {xmppserver.None, func(context.Context, net.Conn, string, association.Dial) error {
			return errors.New("no")
		}, delegation.STARTTLSFailed},
		"an error with a reason": {xmppserver.None, func(context.Context, net.Conn, string, association.Dial) error {
			return fmt.Errorf("more: %w", refuse(delegation.STARTTLSMissing, "no"))
		}, delegation.STARTTLSMissing},
		// The large buffer of a careless step cannot swallow what comes after
		// the answer.
		"a buffer of its own": {xmppserver.Inject, func(_ context.Context, c net.Conn, _ string, _ association.Dial) error {
			r := bufio.NewReaderSize(c, 4096)
			if _, err := io.WriteString(c, "<stream:stream to='b.example'>"); err != nil {
				return err
			}
			for range 4 { // header, features, starttls, required
				if _, err := r.ReadString('>'); err != nil {
					return err
				}
			}
			if _, err := io.WriteString(c, "<starttls/>"); err != nil {
				return err
			}
			for text := ""; !strings.Contains(text, "<proceed"); {
				var err error
				if text, err = r.ReadString('>'); err != nil {
					return err
				}
			}
			return nil
		}, delegation.STARTTLSInjection},
		"it keeps the connection": {xmppserver.None, func(_ context.Context, c net.Conn, _ string, _ association.Dial) error {
			kept = c
			return hello(c)
		}, ""},
		"it begins TLS too early": {xmppserver.None, func(context.Context, net.Conn, string, association.Dial) error {
			return nil
		}, delegation.ConnectTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.serve(host, 5269, c.fault, source)
			w.add(srv(service, 0, 0, 5269, host))
			w.dialer.StartTLS = c.step
			if c.want == delegation.ConnectTimeout {
				w.dialer.TargetTimeout = soon
			}
			if c.want != "" {
				w.refused(c.want, c.want)
				return
			}
			w.accepted(to(host, 5269), association.PKIX, 1)
			if _, err := kept.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the step can still read: %v", err)
			}
			if _, err := kept.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the step can still write: %v", err)
			}
		})
	}
}

// TestCancel: the end of the context ends a dial at once.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	w.serve(host, 5269, xmppserver.Stall, source)
	w.add(srv(service, 0, 0, 5269, host))
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err := w.dialer.Dial(ctx, source, service)
	if delegation.ReasonOf(err) != delegation.ConnectTimeout {
		t.Errorf("got %v, want %s", err, delegation.ConnectTimeout)
	}
}

// TestMutual: the dialer shows its certificate to a server that asks.
func TestMutual(t *testing.T) {
	w := newWorld(t)
	c := config(w.issue(source))
	c.ClientAuth = tls.RequireAnyClientCert
	s := w.serveWith(host, 5269, xmppserver.None, c)
	w.add(srv(service, 0, 0, 5269, host))
	w.dialer.Certificates = config(w.issue("a.example")).Certificates
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

// TestUDP: what is delegated for UDP is not connected to by TCP, and nothing is
// asked.
func TestUDP(t *testing.T) {
	w := newWorld(t)
	_, err := w.dialer.Dial(t.Context(), source, "_turns._udp")
	if reason := delegation.ReasonOf(err); reason != delegation.BadQuery {
		t.Errorf("got %v, want %s", err, delegation.BadQuery)
	}
}

// TestMaxTargets: of very many targets only the first are tried.
func TestMaxTargets(t *testing.T) {
	w := newWorld(t)
	for i := range 2 * MaxTargets {
		w.add(srv(service, i, 0, 1000+i, fmt.Sprintf("h%d.example", i)))
	}
	decision, err := w.dialer.Decide(t.Context(), source, service)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(decision.Targets); n != MaxTargets {
		t.Fatalf("%d targets, want %d", n, MaxTargets)
	}
	if last := decision.Targets[MaxTargets-1]; int(last.Priority) != MaxTargets-1 {
		t.Errorf("the last has priority %d", last.Priority)
	}
}
