package discovery

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
)

// Validates reports whether answers may be secure: see [Client.Validating].
func (c *Client) Validates() bool { return c.Validating }

// GatherEndpoint asks what DNS says of an endpoint: the addresses of its host and,
// only where these are secure, its TLSA records. It takes at most 5 seconds for
// each. The error is nil or wraps [ErrConfig], and then nothing was asked.
func (c *Client) GatherEndpoint(ctx context.Context, at delegation.Endpoint) (*delegation.EndpointAnswer, error) {
	if err := delegation.CheckName(at.Host); err != nil {
		return nil, configError("the host of the endpoint: %w", err)
	}
	if at.Port == 0 {
		return nil, configError("the endpoint %s has no port", at)
	}
	r, err := c.resolver()
	if err != nil {
		return nil, err
	}
	a := &delegation.EndpointAnswer{Endpoint: at, Collected: c.now()}
	a.Address = r.addresses(ctx, at.Host)
	switch name := at.TLSAName(); {
	case a.Address.Failure != nil || a.Address.DNSSEC != delegation.Secure:
	case len(name) > limits.MaxNameLength: // DNS has no such name
		a.TLSA = &delegation.TLSAAnswer{Answer: delegation.Answer{Name: name, DNSSEC: delegation.Secure, TTL: a.Address.TTL}}
	default:
		tlsa := r.tlsa(ctx, name)
		a.TLSA = &tlsa
	}
	return a, nil
}

// addresses asks for both families together and returns the addresses in the
// order to try them: IPv6 and IPv4 in turn (RFC 8305, Section 4). None and no
// failure means that the host has no address. If one family fails and the other
// has addresses, these are used. The exception is a failed DNSSEC validation:
// somebody forges, or the zone is broken. The whole is secure if all answers that
// came are.
func (r *resolver) addresses(ctx context.Context, host string) delegation.AddressAnswer {
	var v6, v4 lookup
	var both sync.WaitGroup
	both.Go(func() { v6 = r.lookup(ctx, question{name: host, qtype: dns.TypeAAAA}) })
	both.Go(func() { v4 = r.lookup(ctx, question{name: host, qtype: dns.TypeA}) })
	both.Wait()

	a := delegation.AddressAnswer{Answer: delegation.Answer{Name: host, DNSSEC: delegation.Indeterminate}}
	for _, l := range []lookup{v6, v4} {
		if l.DNSSEC == delegation.Bogus {
			a.Answer = l.Answer
			return a
		}
	}
	for i := range max(len(v6.records), len(v4.records)) {
		if i < len(v6.records) {
			a.Addresses = appendAddress(a.Addresses, v6.records[i].(*dns.AAAA).AAAA)
		}
		if i < len(v4.records) {
			a.Addresses = appendAddress(a.Addresses, v4.records[i].(*dns.A).A)
		}
	}
	for _, l := range []lookup{v4, v6} {
		switch {
		case l.Failure != nil && len(a.Addresses) == 0:
			a.Answer = l.Answer
			return a
		case l.Failure != nil:
			a.Partly = true
		case a.DNSSEC == delegation.Indeterminate:
			a.Answer = l.Answer
		default:
			a.TTL = min(a.TTL, l.TTL)
			if l.DNSSEC != delegation.Secure {
				a.DNSSEC = l.DNSSEC
			}
		}
	}
	return a
}

func appendAddress(list []netip.Addr, octets []byte) []netip.Addr {
	if a, ok := netip.AddrFromSlice(octets); ok {
		return append(list, a.Unmap())
	}
	return list
}

// DialEndpoint is [Client.DialContext] for an endpoint whose addresses are known: they
// are not asked for again.
func (c *Client) DialEndpoint(ctx context.Context, answer *delegation.EndpointAnswer) (net.Conn, error) {
	connector, err := c.connector()
	if err != nil {
		return nil, err
	}
	conn, err := connector.connectBy(ctx, answer.Host, answer.Port, func() delegation.AddressAnswer { return answer.Address })
	return c.connected(ctx, answer.Endpoint, conn, err)
}
