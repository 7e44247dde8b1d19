// Package delegation is the meaning of a signed service delegation: what a
// [Statement] says, who may sign it, and whether a given body of [Evidence]
// proves it.
//
// A statement says "service S of the source domain b.example is delegated to
// xmpp.hosting.example:5269", signed with the key of the TLS certificate that
// the owner of b.example has anyway. A program that connects to the service
// may then accept the provider's own certificate. docs/spec.md is the
// specification; comments beside a rule name the RFC it comes from.
//
// Data flows one way:
//
//	discovery -> Evidence -> Verify(Query, Evidence, Policy) -> Result or *Error
//
// [Verify] is pure: no I/O, no clock. err is nil if and only if the outcome is
// verified. A refusal carries a [Reason] and an explanation and no names that
// could be used by mistake. The query, the evidence and the policy are three
// values; a zero one refuses.
//
//	evidence, err := client.Gather(ctx, "b.example", "_xmpp-server._tcp", nil)
//	if err != nil {
//		return err // the client is set up wrongly
//	}
//	result, err := delegation.Verify(
//		delegation.Query{Source: "b.example", Service: "_xmpp-server._tcp"},
//		evidence,
//		delegation.Policy{Roots: roots, Time: time.Now()},
//	)
//	if err != nil {
//		return err // an *Error: refused or undetermined
//	}
//	for _, target := range result.Dial() {
//		// connect, with result.ConnectionCheck(target.Endpoint, peers)
//	}
//
// Two proofs stay apart: a [Result] proves that the source delegates to the
// target; [Result.ConnectionCheck] proves that the peer is the target. Only
// both together accept a peer.
//
// What this package does not do: it finds nothing (package discovery does),
// it keeps no memory (give [Policy.Floor] what [Result.Floors] returned, or
// a refusal had in [Error.Floors]), and
// it knows of no revocation of certificates ([Policy.SignerCheck] is where
// that can be added).
package delegation
