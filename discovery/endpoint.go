package discovery

import (
	"context"
	"net"

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
