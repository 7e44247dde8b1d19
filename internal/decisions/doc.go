// Package decisions is the daemon's cache of decisions: for a source, a service
// and a direction, which names may a peer's certificate carry?
//
//	question -> entry, if it is fresh -> Decision
//	         -> flight: floors -> evidence -> Decide -> Raise -> entry -> Decision
//
// Only decisions are kept, never a verdict on a peer: whoever asks holds the
// peer's certificates to the association that it gets, every time. The trust
// anchors and the policy are those of the [Decider]; a program that gets others
// makes another Decider, which begins empty.
//
// What an entry is good for is in entry.go, what becomes of an entry when a
// look-up ends in settle.go, what a look-up is in flight.go, and what bounds the
// look-ups that strangers cause in budget.go.
//
// The package does no HTTP, opens no file and has no clock of its own but for the age of
// entries: the clock can jump, their age cannot.
package decisions
