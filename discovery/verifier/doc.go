// Package verifier proves that a TLS peer may act for a domain. It looks up the
// domain's signed delegation, verifies it, remembers the newest one, and checks
// the peer's certificate. It does so for connections that a program opens and for
// those that it accepts.
//
// The owner of b.example signs a statement with the key of its own TLS certificate
// and publishes it in DNS or on its web server:
//
//	b.example delegates _xmpp-server._tcp to xmpp.hosting.example:5269
//
// A client calls [Verifier.Dial]:
//
//	roots, err := keys.LoadRoots("") // those of the system
//	store, err := filestore.Open(ctx, "floors.db", nil)
//	v, err := verifier.New(verifier.Config{Roots: roots, Floors: store, Discovery: &discovery.Client{HTTPSRoots: roots}})
//	conn, proof, err := v.Dial(ctx, "b.example", "_xmpp-server._tcp", nil)
//
// A server uses [ServerConfig], and calls [Verifier.Check] when a peer has said for
// whom it speaks. The examples in example_test.go are whole. [Verifier.Hold] tells
// when the proof of an open connection is over, and [Verifier.Share] whether the
// connection may serve another source.
//
//	Dial, Check -> Decide -> entry of the cache, if it is fresh -> Decision
//	                      -> flight: memory -> its statement -> Decision
//	                                        -> evidence -> Raise -> Decision
//	Decision    -> the peer's statement, if nothing is published -> Decision
//	Decision    -> the peer's certificates -> Proof
//	Memory      -> raised -> role -> entries that rest on an older statement
//	entries     -> proofs that are held -> Check
//
// A Verifier keeps decisions, never a verdict on a certificate: every
// connection is checked. Trust anchors, policy and clock are those of its
// [Config]. To use others, a program makes another Verifier, which begins
// empty.
//
// Dial never goes on without TLS, and never with a certificate that does not count
// for the source. The package does not look for the revocation of certificates. The
// rules are those of docs/connections.md; package delegation/association holds them
// as a pure function.
//
//   - machine.go: the state machine of a role, as a pure function: what an answer is
//     good for, when to look it up, and what becomes of it when a lookup ends.
//   - role.go: what this node knows of the newest statement of a source and role,
//     and how it learns of newer ones.
//   - flight.go: what a lookup is, and what its end means.
//   - stored.go: what a statement in the memory is good for after a start.
//   - queue.go: what bounds the lookups that strangers cause.
//   - dial.go, order.go, connect.go: how a connection begins; client.go: for a
//     library that connects by itself.
//   - check.go: how a peer is held to a decision.
//   - brought.go: what a statement is good for that a peer brings in its stream.
//   - hold.go: how a proof is renewed, or ends.
//
// The clock is for verification. A counter measures the age of entries: the
// clock can jump, their age cannot.
package verifier
