package delegation

import (
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// A Floor remembers the newest verified statement for a role of a source: its
// place in the order and the digest of its targets. No statement below it is
// accepted. The zero Floor remembers nothing.
//
// A Floor does not name its source and role. Keep it under both, until
// [Floor.KeepUntil].
type Floor struct {
	Order   Order  `json:"order"`
	Targets Digest `json:"targets"`
	// ValidUntil is the end of that statement's proof, exclusive.
	ValidUntil time.Time `json:"valid_until"`
	// SignerUntil is the first moment at which the signer's certificate has
	// expired.
	SignerUntil time.Time `json:"signer_until"`
}

// An Order is the place of a statement among those for the same source and
// role. The issuance of the signer's certificate comes first, so that a thief
// with an old key cannot outrank a new certificate.
type Order struct {
	Issuance time.Time `json:"issuance"` // of the signer's certificate, in whole milliseconds; see [Issuance]
	Issued   time.Time `json:"issued"`   // of the statement, in whole seconds
}

// Compare returns -1, 0 or 1 as o stands before, at or after other.
func (o Order) Compare(other Order) int {
	if c := o.Issuance.Compare(other.Issuance); c != 0 {
		return c
	}
	return o.Issued.Compare(other.Issued)
}

// Contradiction stands in a [Floor] for the targets of verified statements of
// one order that list different ones. No list of targets has this digest, so no
// statement of that order is accepted again.
var Contradiction Digest

// nobody is the digest of no targets: that of a revocation.
var nobody = DigestTargets(nil)

// IsZero reports whether nothing is remembered.
func (f Floor) IsZero() bool { return f == Floor{} }

// Join remembers both. The result does not depend on the order of joining. It
// is the higher floor. For two of the same statement it is the one that ends
// later, otherwise a [Contradiction].
func (f Floor) Join(other Floor) Floor {
	if f.IsZero() {
		return other
	}
	c := f.Order.Compare(other.Order)
	switch {
	case other.IsZero() || c > 0:
		return f
	case c < 0:
		return other
	case f.Targets != other.Targets:
		f.Targets = Contradiction
	}
	f.ValidUntil = latest(f.ValidUntil, other.ValidUntil)
	f.SignerUntil = latest(f.SignerUntil, other.SignerUntil)
	return f
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// CheckAgainst compares a statement, given as the floor it would become, with
// what is known of its source and role. The error is an *[Error], [reasons.Superseded]
// or [reasons.Conflict].
func (f Floor) CheckAgainst(known Floor) error {
	if err := f.checkAgainst(known); err != nil {
		return err
	}
	return nil
}

func (f Floor) checkAgainst(known Floor) *Error {
	if known.IsZero() {
		return nil
	}
	switch c := f.Order.Compare(known.Order); {
	case c < 0:
		return Errorf(reasons.Superseded, "a statement of %s is remembered, by a certificate of %s; this one is of %s, by a certificate of %s",
			text.FineStamp(known.Order.Issued), text.FineStamp(known.Order.Issuance), text.FineStamp(f.Order.Issued), text.FineStamp(f.Order.Issuance))
	case c == 0 && known.Targets == Contradiction:
		return Errorf(reasons.Conflict, "statements of %s by a certificate of %s are remembered that contradict each other",
			text.FineStamp(known.Order.Issued), text.FineStamp(known.Order.Issuance))
	case c == 0 && f.Targets != known.Targets:
		return Errorf(reasons.Conflict, "another statement of %s by a certificate of %s, with other targets, is remembered",
			text.FineStamp(known.Order.Issued), text.FineStamp(known.Order.Issuance))
	}
	return nil
}

// Same reports whether two floors are those of one statement, or of one
// contradiction. Their ends may differ.
func (f Floor) Same(other Floor) bool {
	return f.Order.Compare(other.Order) == 0 && f.Targets == other.Targets
}

// RenewedBy reports whether known is of a newer statement that lists the same
// targets: the owner has said the same again.
func (f Floor) RenewedBy(known Floor) bool {
	return f.Targets == known.Targets && f.Targets != Contradiction && f.Order.Compare(known.Order) < 0
}

// CheckProof is [Floor.CheckAgainst] for a statement that was verified before: a
// newer one that only renews it is no error.
func (f Floor) CheckProof(known Floor) error {
	if f.RenewedBy(known) {
		return nil
	}
	return f.CheckAgainst(known)
}

// Required reports whether nothing weaker than a certificate may be accepted
// for the source. This lasts until 31 days after the end of the newest
// statement's proof. After a revocation that is only until the revocation ends,
// which is the owner's way out.
func (f Floor) Required(at time.Time) bool {
	end := f.ValidUntil
	if f.Targets != nobody {
		end = end.Add(limits.RequiredAfter)
	}
	return !f.IsZero() && at.Before(end)
}

// KeepUntil is how long the floor must be remembered when it was verified
// again, or for the first time, at a moment.
func (f Floor) KeepUntil(verified time.Time) time.Time {
	return latest(verified.Add(limits.KeepFloor), f.SignerUntil)
}

// newest chooses among verified statements. Statements of the same, highest
// order must agree; lower ones have been replaced by them. The floor is what to
// remember, also of statements that contradict each other.
func newest(found []*Proven, log *checks) (top *Proven, floor Floor, conflict *Error) {
	for _, p := range found {
		if top == nil || p.Floor.Order.Compare(top.Floor.Order) > 0 {
			top = p
		}
	}
	for _, p := range found {
		floor = floor.Join(p.Floor)
		switch c := p.Floor.Order.Compare(top.Floor.Order); {
		case c < 0:
			log.info("order", p.Origin, "replaced by the newer statement from %s", top.Origin)
		case p.Floor.Targets != top.Floor.Targets && conflict == nil:
			conflict = Errorf(reasons.Conflict, "the statements from %s and %s were issued at the same time and list different targets", top.Origin, p.Origin)
			log.fail("order", p.Origin, conflict)
		case p != top && p.ValidUntil.After(top.ValidUntil):
			top = p // the same statement, for longer or on a chain that lives longer
		}
	}
	return top, floor, conflict
}
