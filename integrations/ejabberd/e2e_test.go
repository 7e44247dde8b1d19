package ejabberd

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestEndToEnd: a real ejabberd and a real prosody exchange a ping for a domain
// whose certificate neither has. They do so as long as its owner says so to a
// real daemon.
func TestEndToEnd(t *testing.T) {
	t.Parallel()
	realtest.Need(t, "prosodyctl")
	address := fmt.Sprintf("127.0.0.1:%d", realtest.Port(t))
	p := newPair(t, "http://"+address+"/v1/check", dialback)
	b := p.prosody(domainB)
	owner, _, _ := p.Certify(domainB)

	// The names of hosts that only the daemon needs.
	dns := setup.DNS(t)
	daemon := p.serve(address, dns, "dns")
	// publish has the owner delegate to hosts; none is a revocation.
	publish := func(issued time.Time, hosts ...string) {
		t.Helper()
		s := world.Statement(domainB, world.Service, issued, hosts...)
		for i := range s.Targets {
			s.Targets[i].Port = uint16(b.Server)
		}
		if err := dns.SetRecords([]string{
			fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", domainB, b.Server, hostB), world.Line(s, owner),
		}); err != nil {
			t.Fatal(err)
		}
		mark := daemon.Log.Mark()
		daemon.Signal(t, syscall.SIGHUP) // look again
		daemon.Log.Wait(t, mark, "reloaded")
		p.a.Command(t, "stop_s2s_connections", "{}")
	}
	// refused looks in both directions.
	refused := func(from string, parts ...string) {
		t.Helper()
		p.refused(from, parts...)
		mark := p.a.Log.Mark()
		if got := external(p.dial(domainB, domainA)); got != "error" {
			t.Errorf("incoming: %s", got)
		}
		p.a.Log.Tells(p.T, mark, "Certificate not accepted for b.example: ", parts...)
	}

	signed := time.Now().Truncate(time.Second).Add(-time.Minute)
	publish(signed, "xmpp.gamma.example")
	refused(component, "refused, ", "(it has a statement, so nothing weaker counts)")

	publish(signed.Add(time.Second), hostB)
	if out := b.Shell(t, "xmpp", "ping", domainB, domainA); !strings.Contains(out, "pong from "+domainA) {
		t.Errorf("prosodyctl says:\n%s", out)
	}
	for _, direction := range []string{"outbound s2s EXTERNAL authentication a.example -> b.example", "inbound s2s EXTERNAL authentication xmpp.beta.example -> a.example"} {
		p.a.Log.Tells(p.T, 0, "Accepted "+direction)
	}
	daemon.Log.Wait(t, 0, "outcome=verified.*method=delegation.*chain_verified_by=caller")

	publish(signed.Add(2 * time.Second))
	refused(second, "refused, revoked: ", "(it has a statement, so nothing weaker counts)")

	daemon.Stop()
	refused(domainA, "undetermined, no-answer: ", "see whether dnaverify serve is running")
}
