package dial

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/dnsserver"
	"github.com/dnasign/dnasign/internal/localca"
	"github.com/dnasign/dnasign/internal/xmpp"
	"github.com/dnasign/dnasign/internal/xmppserver"
	"github.com/dnasign/dnasign/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	host    = "xmpp.hosting.example"
	other   = "xmpp2.hosting.example"
	evil    = "evil.example"
)

const (
	// soon is for what never comes, patience for what must come on the
	// slowest machine.
	soon     = 500 * time.Millisecond
	patience = time.Minute
)

// A world is a resolver, an authority and the servers of a test.
type world struct {
	t      testing.TB
	ca     *localca.Authority
	dns    *dnsserver.Server
	zone   []string
	dialer *Dialer
	extra  time.Duration // how far the peers' clock is ahead
}

func newWorld(t testing.TB) *world {
	t.Helper()
	root, err := localca.New("Root", time.Now())
	check(t, err)
	w := &world{t: t}
	w.ca, err = root.Intermediate("Intermediate", time.Now(), nil)
	check(t, err)
	w.dns, err = dnsserver.Start(nil)
	check(t, err)
	t.Cleanup(func() { check(t, w.dns.Close()) })
	pool := w.ca.Pool()
	w.dialer = &Dialer{
		Client: &discovery.Client{Resolver: w.dns.Addr, Via: discovery.ViaDNS, AllowPrivateAddresses: true},
		Policy: func(string, string) delegation.Policy {
			return delegation.Policy{Roots: pool, Time: time.Now()}
		},
		Peers:    delegation.PeerPolicy{Roots: pool, Now: func() time.Time { return time.Now().Add(w.extra) }},
		StartTLS: startXMPP,
		Timeout:  patience, TargetTimeout: patience,
	}
	return w
}

func startXMPP(ctx context.Context, conn net.Conn, source string, _ association.Dial) error {
	return xmpp.StartTLS(ctx, conn, xmpp.Stream{Namespace: xmpp.NamespaceServer, To: source, From: "a.example"})
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) issue(names ...string) *keys.Signer {
	w.t.Helper()
	s, err := w.ca.Issue("P-256", names, time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour), nil)
	check(w.t, err)
	return s
}

func config(s *keys.Signer) *tls.Config {
	c := tls.Certificate{PrivateKey: s.Key()}
	for _, x := range s.Chain() {
		c.Certificate = append(c.Certificate, x.Raw)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS10}
}

// serve starts a server that is reached as name:port and shows a certificate
// for the names.
func (w *world) serve(name string, port uint16, fault xmppserver.Fault, names ...string) *xmppserver.Server {
	return w.serveWith(name, port, fault, config(w.issue(names...)))
}

func (w *world) serveWith(name string, port uint16, fault xmppserver.Fault, c *tls.Config) *xmppserver.Server {
	w.t.Helper()
	s, err := xmppserver.Start(c, fault)
	check(w.t, err)
	w.t.Cleanup(s.Close)
	w.reach(name, port, s.Addr)
	return s
}

// reach makes name:port lead to an address.
func (w *world) reach(name string, port uint16, address string) {
	w.dialer.Client.ConnectTo = append(w.dialer.Client.ConnectTo,
		discovery.ConnectTo{Host: name, Port: port, Addr: netip.MustParseAddrPort(address)})
}

// add puts lines into the zone.
func (w *world) add(lines ...string) {
	w.t.Helper()
	w.zone = append(w.zone, lines...)
	check(w.t, w.dns.SetRecords(w.zone))
}

// srv is a line of the zone.
func srv(service string, priority, weight, port int, host string) string {
	return fmt.Sprintf("%s.%s. 60 IN SRV %d %d %d %s.", service, source, priority, weight, port, host)
}

// delegate publishes a statement that ends so long from now.
func (w *world) delegate(service string, ends time.Duration, targets ...delegation.Endpoint) {
	w.t.Helper()
	now := time.Now()
	s := delegation.Statement{Source: source, Service: service, Issued: now.Add(min(0, ends) - time.Hour), Expires: now.Add(ends)}
	for i, e := range targets {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: e, Priority: uint16(i)})
	}
	_, err := rand.Read(s.ID[1:])
	check(w.t, err)
	raw, err := delegation.Sign(s, delegation.JWS, w.issue(source))
	check(w.t, err)
	text, quoted := delegation.TXTRecord(delegation.JWS, raw), ""
	for ; len(text) > 255; text = text[255:] {
		quoted += `"` + text[:255] + `" `
	}
	w.add(fmt.Sprintf(`%s. 60 IN TXT %s"%s"`, delegation.TXTName(source, service), quoted, text))
}

func (w *world) fault(name, rtype string, f dnsserver.Fault) {
	w.t.Helper()
	check(w.t, w.dns.Fault(name, rtype, f))
}

func to(host string, port uint16) delegation.Endpoint {
	return delegation.Endpoint{Host: host, Port: port}
}

// dial dials, and closes the connection when the test ends.
func (w *world) dial() (*Conn, error) {
	w.t.Helper()
	start := time.Now()
	conn, err := w.dialer.Dial(w.t.Context(), source, service)
	if took := time.Since(start); took > patience {
		w.t.Errorf("took %v", took)
	}
	if err == nil {
		w.t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// accepted wants a connection to an endpoint, by a method.
func (w *world) accepted(e delegation.Endpoint, m association.Method, attempts int) *Conn {
	w.t.Helper()
	conn, err := w.dial()
	check(w.t, err)
	if conn.To.Endpoint != e || conn.Acceptance.Reference.Method != m || len(conn.Attempts) != attempts {
		w.t.Fatalf("connected to %s by %s after %d attempts, want %s by %s after %d",
			conn.To.Endpoint, conn.Acceptance.Reference.Method, len(conn.Attempts), e, m, attempts)
	}
	return conn
}

// refused wants an error with a reason, and that of each attempt.
func (w *world) refused(want delegation.Reason, attempts ...delegation.Reason) *Error {
	w.t.Helper()
	conn, err := w.dial()
	if err == nil {
		w.t.Fatalf("connected to %s, want %s", conn.To.Endpoint, want)
	}
	e, ok := err.(*Error)
	if !ok {
		w.t.Fatalf("got %v, want an *Error with %s", err, want)
	}
	var got []string
	for _, a := range e.Attempts {
		got = append(got, string(delegation.ReasonOf(a.Err)))
		if a.Conn() != nil || a.Acceptance != nil {
			w.t.Errorf("%s: a refused attempt has a connection or an acceptance", a.To.Endpoint)
		}
	}
	var wanted []string
	for _, a := range attempts {
		wanted = append(wanted, string(a))
	}
	if delegation.ReasonOf(err) != want || e.Outcome != want.Outcome() || strings.Join(got, " ") != strings.Join(wanted, " ") {
		w.t.Fatalf("got %v with attempts %q, want %s with %q", err, got, want, wanted)
	}
	return e
}
