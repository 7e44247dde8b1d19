package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// errNoAddress: the host has neither an A nor an AAAA record.
var errNoAddress = errors.New("no address")

// errRefused: every address of the host refused the connection.
var errRefused = errors.New("by every address")

// A connector opens TCP connections to hosts that strangers named. It resolves
// them, and checks each address at the moment of the connection.
type connector struct {
	resolver  *resolver
	connectTo []ConnectTo
	private   bool // let every address through
	timeouts  timeouts
}

// connector makes one from the client's fields. Errors wrap ErrConfig.
func (c *Client) connector() (connector, error) {
	for _, to := range c.ConnectTo {
		if err := to.check(); err != nil {
			return connector{}, err
		}
	}
	r, err := c.resolver()
	return connector{resolver: r, connectTo: c.ConnectTo, private: c.AllowPrivateAddresses, timeouts: c.limits()}, err
}

// DialContext opens a TCP connection to address, a host name and a port as in
// xmpp.hosting.example:5269. The rules for web servers hold here too. The
// client's resolver looks the host up, unless [Client.ConnectTo] has an address
// for it. If DNSSEC validation fails, nothing is connected to. Every address
// passes the filter at the moment of the connection. Addresses are tried in
// turn, 16 of them at most and 2 seconds each, besides the end of ctx. It has
// the form of [net.Dialer.DialContext]; network is "tcp".
//
// The error is a *[delegation.Error]: that of the lookup (such as
// [reasons.DNSBogus]), [reasons.AddressNotAllowed], [reasons.ConnectTimeout] or
// [reasons.ConnectFailed]. If it wraps [ErrConfig] instead, nothing was asked.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := splitHostPort(address)
	if err != nil {
		return nil, configError("%w", err)
	}
	if err := delegation.CheckName(host); err != nil {
		return nil, configError("the host to connect to: %w", err)
	}
	if network != "tcp" || port == 0 {
		return nil, configError("cannot connect to %s over %s", address, network)
	}
	connector, err := c.connector()
	if err != nil {
		return nil, err
	}
	conn, err := connector.connect(ctx, host, port)
	return c.connected(ctx, delegation.Endpoint{Host: host, Port: port}, conn, err)
}

// connected logs a connection, or why there is none, and gives its error the reason.
func (c *Client) connected(ctx context.Context, at delegation.Endpoint, conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		p := explainDial(ctx, at.Host, err)
		c.logger().Debug("connect", "to", at.String(), "failure", p.Reason, "detail", p.Detail)
		return nil, &delegation.Error{Outcome: p.Reason.Outcome(), Reason: p.Reason, Detail: p.Detail}
	}
	c.logger().Debug("connect", "to", at.String(), "address", conn.RemoteAddr().String())
	return conn, nil
}

// explainDial finds the reason in an error of connect.
func explainDial(ctx context.Context, host string, err error) *problem {
	var p *problem
	var netError net.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, errNoAddress):
		return fail(reasons.ConnectFailed, "%s has no address", host)
	case ctx.Err() != nil:
		return fail(reasons.ConnectTimeout, "%s: no connection before the time was over", host)
	case errors.As(err, &netError) && netError.Timeout():
		return fail(reasons.ConnectTimeout, "%s", remote(err))
	}
	return fail(reasons.ConnectFailed, "%s", remote(err))
}

func splitHostPort(hostPort string) (string, uint16, error) {
	host, text, err := net.SplitHostPort(hostPort)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return host, uint16(port), err
}

// connect opens a connection to one of the host's addresses. Errors are a
// *problem, errNoAddress, errRefused, that of ctx, or of the network.
func (c *connector) connect(ctx context.Context, host string, port uint16) (net.Conn, error) {
	return c.connectBy(ctx, host, port, func() delegation.AddressAnswer { return c.resolver.addresses(ctx, host) })
}

// dial is connect in the form of [net.Dialer.DialContext].
func (c *connector) dial(ctx context.Context, _, hostPort string) (net.Conn, error) {
	host, port, err := splitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	return c.connect(ctx, host, port)
}

// connectBy is connect with the answer about the host's addresses. It is asked for
// unless there is a fixed address.
func (c *connector) connectBy(ctx context.Context, host string, port uint16, lookup func() delegation.AddressAnswer) (net.Conn, error) {
	endpoints, all, err := c.endpoints(ctx, host, port, lookup)
	if err != nil {
		return nil, err
	}
	conn, refused, err := c.dialAny(ctx, host, endpoints)
	if all && refused {
		err = fmt.Errorf("%w (%w)", err, errRefused)
	}
	return conn, err
}

// endpoints finds where to connect, in the order to try. all says that these are
// all addresses of the host: no lookup of some of them failed.
func (c *connector) endpoints(ctx context.Context, host string, port uint16, lookup func() delegation.AddressAnswer) (list []netip.AddrPort, all bool, err error) {
	for _, to := range c.connectTo {
		if to.matches(host, port) {
			return []netip.AddrPort{to.Addr}, true, nil
		}
	}
	answer := lookup()
	switch n := len(answer.Addresses); {
	case ctx.Err() != nil:
		return nil, false, ctx.Err()
	case answer.Failure != nil:
		return nil, false, (*problem)(answer.Failure)
	case n == 0:
		return nil, false, errNoAddress
	case n > maxAddresses:
		return nil, false, fmt.Errorf("%s has %d addresses, at most %d", host, n, maxAddresses)
	}
	for _, a := range answer.Addresses {
		list = append(list, netip.AddrPortFrom(a, port))
	}
	return list, !answer.Partly, nil
}

// dialAny connects to the first endpoint that is allowed and answers. refused
// says that each of them refused the connection.
func (c *connector) dialAny(ctx context.Context, host string, endpoints []netip.AddrPort) (conn net.Conn, refused bool, err error) {
	dialer := net.Dialer{Timeout: c.timeouts.connect, ControlContext: c.filter}
	var first error // of an address that is allowed
	var p *problem
	refusals := 0
	for _, e := range endpoints {
		conn, err := dialer.DialContext(ctx, "tcp", e.String())
		if err == nil {
			return conn, false, nil
		}
		if ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			refusals++
		}
		if !errors.As(err, &p) && first == nil {
			first = err
		}
	}
	if first == nil {
		return nil, false, fail(reasons.AddressNotAllowed, "%s: %s", host, p.Detail)
	}
	return nil, refusals == len(endpoints), fmt.Errorf("%s: none of %d addresses can be connected to: %w", host, len(endpoints), first)
}

// filter runs between the making of a socket and its connection, so it sees
// the very address that is connected to, however it was found.
func (c *connector) filter(_ context.Context, _, address string, _ syscall.RawConn) error {
	if c.private {
		return nil
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fail(reasons.AddressNotAllowed, "%s is not an address", quoted(address))
	}
	if err := CheckAddress(a.Addr()); err != nil {
		return fail(reasons.AddressNotAllowed, "%v", err)
	}
	return nil
}
