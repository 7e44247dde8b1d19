package verifier

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/dnasign/dnasign/delegation/association"
)

// maxTargets is how many targets are tried, the first in order. Both labels of a
// role may have 32 SRV records. A domain that a stranger names must not make us
// connect to all of them.
const maxTargets = 16

// Targets is where to connect, in an order to try, at most 16. If there are none,
// Association.Dial says why.
func (d *Decision) Targets() []association.Dial {
	targets, _ := d.Association.Dial() // why there are none stays in the association
	targets = order(targets, rand.IntN)
	return targets[:min(len(targets), maxTargets)]
}

// order puts targets in the order to try them (RFC 2782). The lowest priority
// number is first. Among equals, each next one is drawn by weight. Those of
// both labels of a role are one set (XEP-0368, Section 3).
func order(targets []association.Dial, random func(int) int) []association.Dial {
	left := slices.Clone(targets)
	// Those of weight 0 come first, so that they have a small chance.
	slices.SortStableFunc(left, func(a, b association.Dial) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(min(a.Weight, 1), min(b.Weight, 1)))
	})
	var ordered []association.Dial
	for len(left) > 0 {
		equal, sum := 0, 0
		for equal < len(left) && left[equal].Priority == left[0].Priority {
			sum += int(left[equal].Weight)
			equal++
		}
		// RFC 2782: a number from 0 to the sum, both included; the first whose
		// running sum is at least that is next.
		drawn, next := random(sum+1), 0
		for running := int(left[0].Weight); running < drawn; running += int(left[next].Weight) {
			next++
		}
		ordered = append(ordered, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return ordered
}
