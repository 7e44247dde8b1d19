package verifier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

const evil = "evil.example"

const (
	// soon is for what never comes, patience for what must come on the
	// slowest machine.
	soon     = 500 * time.Millisecond
	patience = time.Minute
)

// A dialing is a site at which somebody dials.
type dialing struct {
	*setup.Site
	zone    []string
	dialer  *dialer
	service string // that is dialled
}

func newDialing(t testing.TB) *dialing {
	t.Helper()
	w := &dialing{Site: setup.NewSite(t), service: service}
	w.dialer = &dialer{
		t: t, roots: w.CA.Pool(), Floors: newStore(),
		Client:      &discovery.Client{Resolver: w.DNS.Addr, Via: discovery.ViaDNS, AllowPrivateAddresses: true},
		DialOptions: DialOptions{From: "a.example", Timeout: patience, TargetTimeout: patience},
	}
	return w
}

// A dialer makes a Verifier for each Dial, so that nothing comes from a cache.
type dialer struct {
	t              testing.TB
	Client         *discovery.Client
	Floors         *store
	StatementFirst bool
	roots          *x509.CertPool
	extra          func() time.Duration // how far the clock is ahead
	DialOptions
}

func (d *dialer) verifier() *Verifier {
	d.t.Helper()
	v := d.open()
	d.t.Cleanup(v.Close)
	return v
}

func (d *dialer) open() *Verifier {
	now := func() time.Time {
		if d.extra != nil {
			return set(time.Now(), d.extra())
		}
		return time.Now()
	}
	v, err := New(Config{Roots: d.roots, Floors: d.Floors, Discovery: d.Client, StatementFirst: d.StatementFirst, Now: now})
	must(d.t, err)
	return v
}

// A connection is what a Dial gave.
type connection struct {
	*tls.Conn
	*Proof
	To       association.Dial
	Attempts []*Attempt
}

func (d *dialer) Dial(ctx context.Context, source, service string) (*connection, error) {
	v := d.open()
	defer v.Close()
	known, attempts, err := v.dial(ctx, source, service, &d.DialOptions)
	if err != nil {
		return nil, err
	}
	last := attempts[len(attempts)-1]
	return &connection{last.Conn(), known.proof(last), last.To, attempts}, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func config(s *keys.Signer) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{localca.TLS(s)}, MinVersion: tls.VersionTLS10}
}

// serve starts a server that is reached as name:port and shows a certificate
// for the names.
func (w *dialing) serve(name string, port uint16, fault peerserver.Fault, names ...string) *peerserver.Server {
	return w.serveWith(name, port, fault, config(w.Issue(-day, day, names...)))
}

func (w *dialing) serveWith(name string, port uint16, fault peerserver.Fault, c *tls.Config) *peerserver.Server {
	w.Helper()
	s, err := peerserver.StartXMPP(c, fault)
	w.Must(err)
	w.Cleanup(s.Close)
	w.reach(name, port, s.Addr)
	return s
}

// reach makes name:port lead to an address.
func (w *dialing) reach(name string, port uint16, address string) {
	w.dialer.Client.ConnectTo = append(w.dialer.Client.ConnectTo,
		discovery.ConnectTo{Host: name, Port: port, Addr: netip.MustParseAddrPort(address)})
}

// add puts lines into the zone.
func (w *dialing) add(lines ...string) {
	w.Helper()
	w.zone = append(w.zone, lines...)
	w.Must(w.DNS.SetRecords(w.zone))
}

// srv is a line of the zone.
func srv(service string, priority, weight, port int, host string) string {
	return fmt.Sprintf("%s.%s. 60 IN SRV %d %d %d %s.", service, source, priority, weight, port, host)
}

// delegate publishes a statement that ends so long from now, for targets at which
// the role begins as it does.
func (w *dialing) delegate(service string, ends time.Duration, targets ...delegation.Endpoint) {
	w.Helper()
	var list []delegation.Target
	for i, e := range targets {
		list = append(list, delegation.Target{Endpoint: e, Priority: uint16(i)})
	}
	w.delegateTo(service, ends, list...)
}

func (w *dialing) delegateTo(service string, ends time.Duration, targets ...delegation.Target) {
	w.Helper()
	w.publish(source, service, ends, targets...)
}

// delegated leads to the host by an SRV record and a statement.
func (w *dialing) delegated() {
	w.Helper()
	w.add(srv(service, 0, 0, 5269, host))
	w.delegate(service, time.Hour, to(host, 5269))
}

// publish puts a statement into the zone.
func (w *dialing) publish(source, service string, ends time.Duration, targets ...delegation.Target) {
	w.Helper()
	now := time.Now()
	s := world.Statement(source, service, now.Add(min(0, ends)-time.Hour))
	s.Targets, s.Expires = targets, now.Add(ends)
	w.add(world.Line(s, w.Of(source)))
}

func (w *dialing) fault(name, rtype string, f dnsserver.Fault) {
	w.Helper()
	w.Must(w.DNS.Fault(name, rtype, f))
}

func to(host string, port uint16) delegation.Endpoint {
	return delegation.Endpoint{Host: host, Port: port}
}

// dial dials, and closes the connection when the test ends.
func (w *dialing) dial() (*connection, error) {
	w.Helper()
	start := time.Now()
	conn, err := w.dialer.Dial(w.Context(), source, w.service)
	if took := time.Since(start); took > patience {
		w.Errorf("took %v", took)
	}
	if err == nil {
		w.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// accepted wants a connection to an endpoint, by a method.
func (w *dialing) accepted(e delegation.Endpoint, m association.Method, attempts int) *connection {
	w.Helper()
	conn, err := w.dial()
	w.Must(err)
	if conn.To.Endpoint != e || conn.Reference.Method != m || len(conn.Attempts) != attempts {
		w.Fatalf("connected to %s by %s after %d attempts, want %s by %s after %d",
			conn.To.Endpoint, conn.Reference.Method, len(conn.Attempts), e, m, attempts)
	}
	return conn
}

// refused wants an error with a reason, and that of each attempt.
func (w *dialing) refused(want reasons.Reason, attempts ...reasons.Reason) *Error {
	w.Helper()
	conn, err := w.dial()
	if err == nil {
		w.Fatalf("connected to %s, want %s", conn.To.Endpoint, want)
	}
	e, ok := err.(*Error)
	if !ok {
		w.Fatalf("got %v, want an *Error with %s", err, want)
	}
	var got []string
	for _, a := range e.Attempts {
		got = append(got, string(delegation.ReasonOf(a.Err)))
		if a.Conn() != nil || a.Acceptance != nil {
			w.Errorf("%s: a refused attempt has a connection or an acceptance", a.To.Endpoint)
		}
	}
	var wanted []string
	for _, a := range attempts {
		wanted = append(wanted, string(a))
	}
	if delegation.ReasonOf(err) != want || e.Outcome != want.Outcome() || strings.Join(got, " ") != strings.Join(wanted, " ") {
		w.Fatalf("got %v with attempts %q, want %s with %q", err, got, want, wanted)
	}
	return e
}
