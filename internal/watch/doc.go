// Package watch says, for the owner of a domain or a monitor, what others
// conclude about its delegation: through each of several resolvers, in every
// place, and where those contradict each other.
//
//	Watcher -> discovery.Client, one for each resolver -> Observation
//	Conclude(Question, []Observation) -> Report -> text, JSON, TAP, metrics
//
// [Conclude] is pure. Every verdict in it, about a resolver, about one place or
// about one statement, is [delegation.Verify]'s, which is given all of the
// evidence or a part of it; this package only compares what came out. The peer
// is not connected to.
package watch
