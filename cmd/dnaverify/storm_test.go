package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/daemon"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// A storm is a daemon that many questions are asked, over HTTP, and a resolver that
// takes 20 ms.
type storm struct {
	*served
	owners   *owners
	resolver *dnsserver.Server
	command  func() *exec.Cmd
	socket   string
}

func newStorm(t *testing.T, domains int) *storm {
	t.Helper()
	bin, dir := build(t), t.TempDir()
	w := &storm{owners: newOwners(t, domains), socket: filepath.Join(dir, "s")}
	w.resolver = setup.DNS(t, w.owners.newer...)
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, w.owners.roots, 0o600); err != nil {
		t.Fatal(err)
	}
	w.command = func() *exec.Cmd {
		return exec.Command(filepath.Join(bin, "dnaverify"), "serve", "--listen", "unix:"+w.socket, "--store", filepath.Join(dir, "memory.db"),
			"--resolver", w.resolver.Addr, "--via", "dns", "--roots", roots, "--log-level", "warn")
	}
	return w
}

// fault is what the resolver does about a name, "" for all others.
func (w *storm) fault(name string, f dnsserver.Fault) {
	w.Helper()
	types := []string{"TXT", "SRV"}
	if name == "" {
		types = []string{""}
	}
	for _, rtype := range types {
		if err := w.resolver.Fault(name, rtype, f); err != nil {
			w.Fatal(err)
		}
	}
}

// A count is how questions were answered.
type count struct {
	sync.Mutex
	reasons map[reasons.Reason]int
}

// ask asks for a peer at an address and returns the reason. It is "" where nobody
// answers.
func (w *storm) ask(domain, peer string, c *count) reasons.Reason {
	body, err := json.Marshal(map[string]string{
		"source": domain, "service": "xmpp-server", "direction": "incoming", "chain": string(w.owners.chain), "peer": peer,
	})
	if err != nil {
		w.Error(err)
	}
	var a daemon.Answer
	if response, err := w.http.Post("http://daemon/v1/check", "application/json", bytes.NewReader(body)); err == nil {
		_ = json.NewDecoder(response.Body).Decode(&a)
		response.Body.Close()
	}
	c.Lock()
	defer c.Unlock()
	if c.reasons == nil {
		c.reasons = map[reasons.Reason]int{}
	}
	c.reasons[a.Reason]++
	return a.Reason
}

// of counts the answers with a reason.
func (c *count) of(reason reasons.Reason) int {
	c.Lock()
	defer c.Unlock()
	return c.reasons[reason]
}

// verify asks until a domain is verified. How soon that is depends on the machine.
// The tests of discovery/verifier have the bounds, with a clock of their own.
func (w *storm) verify(domain, peer string, c *count) {
	for deadline := time.Now().Add(realtest.Timeout); ; {
		switch reason := w.ask(domain, peer, c); {
		case reason == reasons.Verified:
			return
		case reason != reasons.DNSTimeout && reason != reasons.Overloaded, time.Now().After(deadline):
			w.Errorf("%s: %q", domain, reason)
			return
		}
	}
}

// TestStorm: 600 new domains in one second, for one address. Then the daemon is
// started again and asked about the same domains, which it remembers.
func TestStorm(t *testing.T) {
	const domains = 600
	w := newStorm(t, domains)
	for _, when := range []string{"new", "after a restart"} {
		w.served = serving(t, w.socket, w.command())
		w.fault("", dnsserver.Fault{Delay: 20 * time.Millisecond})
		var c count
		var asking sync.WaitGroup
		for _, domain := range w.owners.domains {
			asking.Go(func() { w.verify(domain, "192.0.2.1", &c) })
			time.Sleep(time.Second / domains)
		}
		asking.Wait()
		t.Logf("%s: %v", when, c.reasons)
		if err := w.end(syscall.SIGTERM); err != nil {
			t.Errorf("%v\n%s", err, w.stderr.Bytes())
		}
	}
}

// TestSilentStorm: no name server answers for some domains. Peers in 16
// networks, and one in a /48, say 10 times a second that they are those
// domains. That is ten times as often as the limits allow. Others are verified.
func TestSilentStorm(t *testing.T) {
	const networks, perSecond, domains = 17, 10, 40
	w := newStorm(t, domains)
	command := w.command()
	command.Args = append(command.Args, "--lookups-in-flight", "256", "--questions-waiting", "256")
	w.served = serving(t, w.socket, command)
	w.fault("", dnsserver.Fault{Drop: true})
	for _, domain := range w.owners.domains {
		for _, name := range []string{"_xmpp-server._tcp._dna.", "_xmpp-server._tcp.", "_xmpps-server._tcp."} {
			w.fault(name+domain, dnsserver.Fault{Delay: 20 * time.Millisecond})
		}
	}
	var honest, silent count
	var flooding, asking sync.WaitGroup
	end := make(chan struct{})
	for n := range networks {
		flooding.Go(func() {
			for i := 0; ; i++ {
				peer := fmt.Sprintf("2001:db8:%x::1", n)
				if n == networks-1 {
					peer = fmt.Sprintf("2001:db9:0:%x::1", i)
				}
				flooding.Go(func() { _ = w.ask(fmt.Sprintf("silent%d-%d.example", n, i), peer, &silent) })
				select {
				case <-time.After(time.Second / perSecond):
				case <-end:
					return
				}
			}
		})
	}
	for begun := time.Now(); silent.of(reasons.Overloaded) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > realtest.Timeout {
			t.Fatal("it is no storm: nobody is turned away")
		}
	}
	for i, domain := range w.owners.domains {
		asking.Go(func() { w.verify(domain, fmt.Sprintf("192.0.%d.1", i%10), &honest) })
		time.Sleep(time.Second / 8)
	}
	asking.Wait()
	close(end)
	w.end(syscall.SIGKILL)
	flooding.Wait()
	t.Logf("others: %v, silent: %v", honest.reasons, silent.reasons)
}
