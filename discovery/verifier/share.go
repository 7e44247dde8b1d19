package verifier

import (
	"context"

	"github.com/dnasign/dnasign/delegation/association"
)

// Share proves that the connection of p may also serve another source, for the
// same role, direction and endpoint. The rule is stricter than that of
// [Verifier.Check]. The other source must have proven a name by DNSSEC or by a
// statement, and the peer's certificate must carry that name without a wildcard
// (docs/connections.md, section 8). The error is an *[Error].
func (d *Verifier) Share(ctx context.Context, p *Proof, source string) (*Proof, error) {
	if err := p.check(); err != nil {
		return nil, failed(err, nil)
	}
	peer := p.peer
	peer.Statement = nil // it is about the first source
	if peer.opened == nil {
		peer.opened = &association.Question{Source: p.Source, Service: p.Service, Direction: p.Direction}
	}
	return d.Check(ctx, source, p.Service, peer)
}
