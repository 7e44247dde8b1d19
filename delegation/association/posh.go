package association

import (
	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// This is docs/posh.md, where a POSH file (RFC 7711) counts. Nobody signs it, and a
// stale one must not undo a revocation.

func (d *decision) posh() ([]Reference, error) {
	if !d.evidence.Unpublished() || len(d.evidence.Streams) > 0 || d.policy.Floor.Required(d.policy.Time) {
		return nil, d.poshNotUsed()
	}
	if err := d.sendsToo(); err != nil {
		return nil, err
	}
	file, err := d.evidence.ReadPOSH(d.policy.Time)
	if err != nil {
		return nil, err
	}
	return []Reference{{Reference: delegation.Reference{Name: d.question.Source, Until: file.Until, POSH: file}, Method: POSH}}, nil
}

func (d *decision) poshNotUsed() error {
	return delegation.Errorf(reasons.NotUsed, "a POSH file counts only where nothing else can decide")
}
