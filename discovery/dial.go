package discovery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"

	"github.com/dnasign/dnasign/delegation"
)

// httpsPort is the only port that is connected to.
const httpsPort = 443

// errNoAddress: the host has neither an A nor an AAAA record.
var errNoAddress = errors.New("no address")

// A dialer opens TLS connections to web servers for one Gather.
type dialer struct {
	ctx       context.Context // of the Gather: its end ends every dial
	resolver  *resolver
	connectTo []ConnectTo
	roots     *x509.CertPool
	private   bool // let every address through
	timeouts  timeouts

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// enter counts a dial in, unless the dialer is closed. The transport may start
// one at any time, also for a request that has been given up.
func (d *dialer) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.running.Add(1)
	return true
}

// close returns when no dial is under way; none begins after it. The context
// of the dialer should have ended, or it waits for their time-outs.
func (d *dialer) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.running.Wait()
}

// dialTLS has the form of [net/http.Transport.DialTLSContext]. Errors are a
// *problem, errNoAddress, that of ctx, or of the network or TLS.
func (d *dialer) dialTLS(ctx context.Context, _, hostPort string) (net.Conn, error) {
	if !d.enter() {
		return nil, net.ErrClosed
	}
	defer d.running.Done()
	// The end of the request does not end ctx: the transport would give the
	// connection to the next one. So a dial has a limit of its own, and ends
	// with the Gather.
	ctx, cancel := context.WithTimeout(ctx, d.timeouts.document)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()

	host, text, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, err
	}
	endpoints, err := d.endpoints(ctx, host, uint16(port))
	if err != nil {
		return nil, err
	}
	raw, err := d.dialAny(ctx, host, endpoints)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, &tls.Config{
		RootCAs:    d.roots,
		ServerName: host,
		MinVersion: tls.VersionTLS12, // RFC 9325, Section 3.1.1
		NextProtos: []string{"http/1.1"},
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// endpoints finds where to connect, in the order to try.
func (d *dialer) endpoints(ctx context.Context, host string, port uint16) ([]netip.AddrPort, error) {
	for _, c := range d.connectTo {
		if c.matches(host, port) {
			return []netip.AddrPort{c.Addr}, nil
		}
	}
	addresses, p := d.resolver.addresses(ctx, host)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case p != nil:
		return nil, p
	case len(addresses) == 0:
		return nil, errNoAddress
	}
	list := make([]netip.AddrPort, len(addresses))
	for i, a := range addresses {
		list[i] = netip.AddrPortFrom(a, port)
	}
	return list, nil
}

// dialAny connects to the first endpoint that is allowed and answers.
func (d *dialer) dialAny(ctx context.Context, host string, endpoints []netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{Timeout: d.timeouts.connect, ControlContext: d.filter}
	var first error // of an address that is allowed
	var p *problem
	for _, e := range endpoints {
		conn, err := dialer.DialContext(ctx, "tcp", e.String())
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !errors.As(err, &p) && first == nil {
			first = err
		}
	}
	if first == nil {
		return nil, fail(delegation.AddressNotAllowed, "%s: %s", host, p.Detail)
	}
	return nil, fmt.Errorf("%s: none of %d addresses can be connected to: %w", host, len(endpoints), first)
}

// filter runs between the making of a socket and its connection, so it sees
// the very address that is connected to, however it was found.
func (d *dialer) filter(_ context.Context, _, address string, _ syscall.RawConn) error {
	if d.private {
		return nil
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fail(delegation.AddressNotAllowed, "%s is no address", quoted(address))
	}
	if err := checkAddress(a.Addr()); err != nil {
		return fail(delegation.AddressNotAllowed, "%v", err)
	}
	return nil
}
