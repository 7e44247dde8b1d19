package discovery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The question that most tests ask. Its role has one label only.
const (
	source  = world.Source
	service = "_sips._tcp"
	srvName = service + "." + source
	txtName = service + "._dna." + source
	docURL  = "https://" + source + "/.well-known/dna/" + service + ".jws"
)

// Time-outs for tests. A busy machine must not change what a test sees, so
// quick is only for what never answers, and the others never run out.
var (
	quick   = &timeouts{try: 300 * time.Millisecond, lookup: time.Second, connect: 2 * time.Second, document: 2 * time.Second}
	relaxed = &timeouts{try: 10 * time.Second, lookup: time.Minute, connect: time.Minute, document: time.Minute}
	patient = &timeouts{try: time.Hour, lookup: time.Hour, connect: time.Hour, document: time.Hour}
)

// atOnce is, on any machine, much less than the time-outs of patient.
const atOnce = time.Minute

// timeoutsFor is for a test that expects a reason.
func timeoutsFor(r reasons.Reason) *timeouts {
	if r == reasons.DNSTimeout || r == reasons.HTTPSTimeout {
		return quick
	}
	return relaxed
}

// rounds calls f with longer and longer time-outs until it has seen what it
// should. It is for tests in which something answers and something else never
// does: a machine with much to do makes the answer late.
func rounds(f func(unit time.Duration) bool) bool {
	for unit := time.Second; unit <= 16*time.Second; unit *= 4 {
		if f(unit) {
			return true
		}
	}
	return false
}

func setFault(t testing.TB, s *dnsserver.Server, name, rtype string, f dnsserver.Fault) {
	t.Helper()
	if err := s.Fault(name, rtype, f); err != nil {
		t.Fatal(err)
	}
}

// gather asks with relaxed time-outs unless the client has others.
func gather(t testing.TB, c *Client) *delegation.Evidence {
	t.Helper()
	if c.timeouts == nil {
		c.timeouts = relaxed
	}
	e, err := c.Gather(context.Background(), source, service, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A webServer is a TLS server on loopback.
type webServer struct {
	addr  netip.AddrPort
	roots *x509.CertPool
}

// startWeb serves with a certificate for the names, from an authority of its
// own.
func startWeb(t testing.TB, handler http.HandlerFunc, names ...string) webServer {
	t.Helper()
	return runWeb(t, &http.Server{Handler: handler}, names...)
}

func runWeb(t testing.TB, server *http.Server, names ...string) webServer {
	t.Helper()
	w := world.At(time.Now())
	certificate := localca.TLS(w.Issue(-time.Hour, time.Hour, names...))
	return webServer{setup.Web(t, server, &tls.Config{Certificates: []tls.Certificate{certificate}}), w.CA.Pool()}
}

// client asks the web server for every host.
func (w webServer) client(dns *dnsserver.Server) *Client {
	return &Client{
		Resolver: dns.Addr, Via: ViaHTTPS, HTTPSRoots: w.roots, timeouts: relaxed,
		ConnectTo: []ConnectTo{{Addr: w.addr}}, AllowPrivateAddresses: true,
	}
}

// silentTCP accepts connections and says nothing.
func silentTCP(t testing.TB) netip.AddrPort {
	s := localca.Must(peerserver.Start(nil))
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Addr)
}

// failed gives the reason, or "" without failure.
func failed(f *delegation.Failure) reasons.Reason { return reasonOf(f) }

func countQueries(s *dnsserver.Server, match func(dnsserver.Query) bool) int {
	n := 0
	for _, q := range s.Queries() {
		if match(q) {
			n++
		}
	}
	return n
}

// promptly fails the test if f takes longer than atOnce.
func promptly(t testing.TB, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > atOnce {
		t.Errorf("took %s, more than %s", took, atOnce)
	}
}
