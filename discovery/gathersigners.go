package discovery

import (
	"context"

	"github.com/dnasign/dnasign/delegation"
)

// GatherSigners asks for the records that name who may sign for a role of a source,
// for tools of its owner. The DNSSEC state is what the resolver says, even if
// nobody vouches for that. So this is advice, and no evidence. It takes source and
// service, and has errors, like [Client.Gather]. A name that DNS cannot have is
// answered without records.
func (c *Client) GatherSigners(ctx context.Context, source, service string) (delegation.TLSAAnswer, error) {
	if err := c.check(source, service); err != nil {
		return delegation.TLSAAnswer{}, err
	}
	connector, err := c.connector()
	if err != nil {
		return delegation.TLSAAnswer{}, err
	}
	name := delegation.SignerName(source, delegation.RoleOf(service).Service)
	if name == "" {
		return delegation.TLSAAnswer{}, nil
	}
	r := *connector.resolver
	r.validating = true
	return r.tlsa(ctx, name), nil
}
