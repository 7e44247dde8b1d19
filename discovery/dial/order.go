package dial

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/dnasign/dnasign/delegation/association"
)

func (d *Dialer) random() func(int) int {
	if d.Random == nil {
		return rand.IntN
	}
	return d.Random
}

// order puts targets in the order to try them (RFC 2782): lowest priority
// number first; among equals, each next one is drawn by weight. Those at
// _xmpp-... and _xmpps-... are one set (XEP-0368, Section 3).
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
