package renew

import (
	"crypto/tls"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// TestPOSH: the file beside the statements names what the targets show now, whether or
// not the statement is new. What does not work leaves it as it is, and a revocation
// removes it.
func TestPOSH(t *testing.T) {
	l := newLab(t, "b.example")
	l.Must(os.Mkdir(l.Path("www"), 0o755))
	configure := func(more string) {
		l.config("domains:\n  - domain: b.example\n    publish:\n      - https: {webroot: www, posh: true}\n" + more)
	}
	configure("")
	var addr netip.AddrPort
	show := func(s *keys.Signer) (stop func()) {
		server := localca.Must(peerserver.StartXMPP(&tls.Config{Certificates: []tls.Certificate{localca.TLS(s)}}, peerserver.None))
		addr = netip.MustParseAddrPort(server.Addr)
		return server.Close
	}
	run := func() string {
		e := l.entry(func(r *Runner) {
			r.Client.ConnectTo = []discovery.ConnectTo{{Host: "h.example", Port: 5269, Addr: addr}}
		})
		return strings.Join(e.Notes, "\n")
	}
	file := l.Path("www/.well-known/posh/xmpp-server.json")
	names := func(s *keys.Signer) bool {
		data, err := os.ReadFile(file)
		l.Must(err)
		e := &delegation.Evidence{Collected: time.Now(), POSH: []delegation.Document{{URL: "x", Status: 200, MediaType: delegation.POSHMediaType, Body: data}}}
		posh, err := e.ReadPOSH(time.Now())
		l.Must(err)
		policy := delegation.PeerPolicy{Roots: l.CA.Pool(), Now: time.Now}
		_, err = policy.Check(s.Chain()[:1], []delegation.Reference{{Name: "b.example", POSH: posh}})
		return err == nil && json.Valid(data)
	}

	first, second := l.Issue(-day, 60*day, "h.example"), l.Issue(-day, 60*day, "h.example")
	stop := show(first)
	if notes := run(); !strings.Contains(notes, "names the certificates") || !names(first) {
		t.Errorf("the first file: %s", notes)
	}
	if notes := run(); notes != "" {
		t.Errorf("nothing changed: %s", notes)
	}
	stop()
	stop = show(second)
	if notes := run(); !strings.Contains(notes, "names the certificates") || !names(second) || names(first) {
		t.Errorf("the provider has another certificate: %s", notes)
	}
	stop()
	if notes := run(); !strings.Contains(notes, "left as it is: h.example:5269: ") || !names(second) {
		t.Errorf("the target is down: %s", notes)
	}
	stop = show(world.At(l.Now).Issue(-day, 60*day, "h.example"))
	if notes := run(); !strings.Contains(notes, "left as it is: h.example:5269: ") || !names(second) {
		t.Errorf("a stranger's certificate: %s", notes)
	}
	stop()
	stop = show(l.Issue(-day, 60*day, "evil.example"))
	if notes := run(); !strings.Contains(notes, "left as it is: h.example:5269: ") || !names(second) {
		t.Errorf("another host's certificate: %s", notes)
	}
	stop()
	l.Write("dna.yaml", strings.Replace(string(localca.Must(os.ReadFile(l.Path("dna.yaml")))), "  - domain: b.example\n", "  - domain: b.example\n    revoke: true\n", 1))
	if notes := run(); !strings.Contains(notes, "is removed") {
		t.Errorf("revoked: %s", notes)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("after a revocation: %v", err)
	}
}
