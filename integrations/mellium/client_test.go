package mellium

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"

	"mellium.im/xmpp/jid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestLogin: a real Prosody hosts b.example and has a certificate for its own name
// alone. With the statement of b.example a client logs in, by STARTTLS and by
// direct TLS. Without one it sends no password.
func TestLogin(t *testing.T) {
	realtest.Need(t, "prosody", "prosodyctl")
	const role, host = "_xmpp-client._tcp", world.Host
	site := setup.NewSite(t)
	cert, key := site.WriteKeys("provider", site.Of(host))
	server := realtest.Prosody(t, cert, key, nil, "b.example", "c.example", host)
	for _, domain := range []string{"b.example", "c.example"} {
		realtest.Output(t, filepath.Dir(server.Config), "prosodyctl", "--config", server.Config, "register", "user", domain, "secret")
	}
	to := func(port int, mode delegation.TLSMode) delegation.Target {
		return delegation.Target{Endpoint: delegation.Endpoint{Host: host, Port: uint16(port)}, TLS: mode}
	}
	for _, c := range []struct {
		name, domain string
		target       delegation.Target
		want         reasons.Reason
	}{
		{"STARTTLS", "b.example", to(server.Client, ""), ""},
		{"direct TLS", "b.example", to(server.ClientDirect, delegation.Direct), ""},
		{"no statement", "c.example", to(server.Client, ""), reasons.PeerNameMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := []string{fmt.Sprintf("%s. 60 IN SRV 0 0 %d %s.", delegation.SRVName(c.domain, role), c.target.Port, host)}
			if c.want == "" {
				s := world.Statement(c.domain, role, site.Now)
				s.Targets = []delegation.Target{c.target}
				zone = []string{world.Line(s, site.Of(c.domain))}
			}
			at := discovery.ConnectTo{Host: host, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), c.target.Port)}
			v, err := verifier.New(verifier.Config{Roots: site.CA.Pool(), Floors: floors.InMemory(), Discovery: &discovery.Client{
				Resolver: setup.DNS(t, zone...).Addr, Via: discovery.ViaDNS, AllowPrivateAddresses: true, ConnectTo: []discovery.ConnectTo{at},
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			session, err := Login(t.Context(), v, jid.MustParse("user@"+c.domain), "secret")
			if delegation.ReasonOf(err) != c.want && (err != nil || c.want != "") {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if err == nil {
				if session.LocalAddr().Resourcepart() == "" {
					t.Error("no resource was bound")
				}
				session.Close()
			}
		})
	}
}
