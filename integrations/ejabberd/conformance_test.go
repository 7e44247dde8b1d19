package ejabberd

import (
	"fmt"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// TestConformance: ejabberd keeps the rules of docs/integrating.md, also where
// it has dialback.
func TestConformance(t *testing.T) {
	t.Parallel()
	c := xmpptest.Conformance{Domain: domainA, Daemon: realtest.Port(t), Back: realtest.Port(t)}
	p := newPair(t, fmt.Sprintf("http://127.0.0.1:%d/v1/check", c.Daemon), dialback)
	_, c.Cert, c.Key = p.Certify(hostB)
	if err := p.dns.SetRecords([]string{fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d localhost.", domainB, c.Back)}); err != nil {
		t.Fatal(err)
	}
	c.Server = p.a.Server
	c.Run(t, "ejabberd")
}
