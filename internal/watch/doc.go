// Package watch tells the owner of a domain, or a monitor, what others conclude
// about its delegation. It looks through each of several resolvers, in every
// place, and reports where these contradict each other.
//
//	Watcher -> discovery.Client, one for each resolver -> Observation
//	Conclude(Question, []Observation) -> Report -> text, JSON, TAP, metrics
//
// [Conclude] is pure. [delegation.Verify] makes every verdict: about a
// resolver, one place or one statement. It gets all of the evidence or a part
// of it. This package only compares the verdicts. It does not connect to the
// peer.
package watch
