package delegation

import (
	"slices"
	"time"
)

// A Floor remembers the newest verified statement for a service of a source:
// its place in the order and the digest of its targets. Nothing below it is
// accepted again. Keep it for 400 days, whatever the statement's own end.
type Floor struct {
	Service string `json:"service"`
	Order   Order  `json:"order"`
	Targets Digest `json:"targets"`
	// ValidUntil is when that statement's proof ended, exclusive. It bounds
	// nothing but association.Association.Required.
	ValidUntil time.Time `json:"valid_until"`
}

// An Order is the place of a statement among those for the same source and
// service: first the start of the signer's certificate, which the
// certification authority sets, so that a thief with an old key cannot
// outrank a new certificate; then the time of issue.
type Order struct {
	SignerNotBefore time.Time `json:"signer_not_before"`
	Issued          time.Time `json:"issued"`
}

// Compare returns -1, 0 or 1 as o stands before, at or after other.
func (o Order) Compare(other Order) int {
	if c := o.SignerNotBefore.Compare(other.SignerNotBefore); c != 0 {
		return c
	}
	return o.Issued.Compare(other.Issued)
}

// nobody is the digest of no targets: that of a revocation.
var nobody = DigestTargets(nil)

// CheckAgainst holds a statement, given as the floor it would become, to what
// is remembered of its source: for its service, and a revocation for the other
// label of its role. The error is an *[Error], [Superseded] or [Conflict]. A
// proof that was verified earlier is over when its floors no longer pass.
func (f Floor) CheckAgainst(remembered []Floor) error {
	if err := f.checkAgainst(remembered); err != nil {
		return err
	}
	return nil
}

// checkAgainst is CheckAgainst. Whoever can hide the revocation of a label must
// not bring back what it revoked for the role.
func (f Floor) checkAgainst(remembered []Floor) *Error {
	for _, r := range remembered {
		c := f.Order.Compare(r.Order)
		if r.Service != f.Service {
			if r.Targets == nobody && f.Targets != nobody && c <= 0 && slices.Contains(Services(f.Service), r.Service) {
				return refuse(Superseded, "a revocation of %s of %s is remembered; this statement is of %s",
					r.Service, stamp(r.Order.Issued), stamp(f.Order.Issued))
			}
			continue
		}
		switch {
		case c < 0:
			return refuse(Superseded, "a statement of %s is remembered, by a certificate of %s; this one is of %s, by a certificate of %s",
				stamp(r.Order.Issued), stamp(r.Order.SignerNotBefore), stamp(f.Order.Issued), stamp(f.Order.SignerNotBefore))
		case c == 0 && f.Targets != r.Targets:
			return refuse(Conflict, "another statement of %s by a certificate of %s, with other targets, is remembered",
				stamp(r.Order.Issued), stamp(r.Order.SignerNotBefore))
		}
	}
	return nil
}

// newest chooses among verified statements for one service. Statements of the
// same, highest order must agree; lower ones have been replaced by them.
func newest(found []*Proven, log *checks) (*Proven, *Error) {
	var top *Proven
	for _, p := range found {
		if top == nil || p.Floor.Order.Compare(top.Floor.Order) > 0 {
			top = p
		}
	}
	for _, p := range found {
		switch c := p.Floor.Order.Compare(top.Floor.Order); {
		case c < 0:
			log.info("order", p.Origin, "replaced by the newer statement from %s", top.Origin)
		case p.Floor.Targets != top.Floor.Targets:
			e := refuse(Conflict, "the statements from %s and %s were issued at the same time and list other targets", top.Origin, p.Origin)
			log.fail("order", p.Origin, e)
			return nil, e
		case p != top && p.ValidUntil.After(top.ValidUntil):
			top = p // the same statement, for longer or on a chain that lives longer
		}
	}
	return top, nil
}
