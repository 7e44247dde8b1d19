package association

import (
	"slices"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// Conclude is rule C9 of docs/connections.md: how attempts at several targets end, given
// the reason that each of them ended with, in order. It is
//
//   - verified, if a target was accepted;
//   - refused, if a target was reached and refused: with the reason of the one
//     that got furthest in the list of [reasons.Reasons];
//   - but undetermined, if that was only for its name, and a place where the
//     names that count come from could not be looked at: with unavailable, the
//     reason of that lookup, empty if there is none;
//   - undetermined, if the network was all that failed: with the reason of the
//     first target. Without any, it is [reasons.ConnectFailed].
func Conclude(attempts []reasons.Reason, unavailable reasons.Reason) reasons.Reason {
	if slices.Contains(attempts, reasons.Verified) {
		return reasons.Verified
	}
	order := reasons.Reasons()
	furthest := -1
	for _, reason := range attempts {
		if reason.Outcome() == reasons.OutcomeRefused {
			furthest = max(furthest, slices.Index(order, reason))
		}
	}
	switch {
	case furthest >= 0 && order[furthest] == reasons.PeerNameMismatch && unavailable != "":
		return unavailable
	case furthest >= 0:
		return order[furthest]
	case len(attempts) > 0:
		return attempts[0]
	}
	return reasons.ConnectFailed
}
