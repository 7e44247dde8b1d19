package prosody

import (
	"fmt"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// TestConformance: Prosody keeps the rules of docs/integrating.md, also where its
// own rules leave peers to dialback.
func TestConformance(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dns := setup.DNS(t)
	_, certA, keyA := s.Certify(hostA, domainA)
	_, certB, keyB := s.Certify(hostB)
	c := xmpptest.Conformance{Domain: domainA, Cert: certB, Key: keyB, Daemon: realtest.Port(t), Back: realtest.Port(t)}
	a := s.prosody(certA, keyA, dns.Addr, withModule(t, fmt.Sprintf("http://127.0.0.1:%d/v1/check", c.Daemon)).and(weak), domainA)
	if err := dns.SetRecords([]string{hostB + ". A 127.0.0.1", fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", domainB, c.Back, hostB)}); err != nil {
		t.Fatal(err)
	}
	c.Server = a.Server
	c.Run(t, "Prosody")
}
