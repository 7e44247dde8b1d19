// Package delegation is the meaning of a signed service delegation. It defines
// what a [Statement] says, who may sign it, and whether some [Evidence] proves
// it.
//
// This is a statement, as the payload of a JWS. The owner of b.example signs it
// with the key of the TLS certificate that it has anyway:
//
//	{
//	  "iss": "b.example", "service": "_xmpp-server._tcp",
//	  "targets": [{"host": "xmpp.hosting.example", "port": 5269, "priority": 0, "weight": 0}],
//	  "iat": 1796112000, "exp": 1797321600, "jti": "LSlWm0cd-l3Ubbey-79fiQ"
//	}
//
// A program that connects to the service of b.example may then accept the
// certificate of xmpp.hosting.example. docs/spec.md is the specification. A comment
// beside a rule names the RFC that it comes from.
//
// Data flows one way:
//
//	discovery -> Evidence -> Verify(Query, Evidence, Policy) -> Result or *Error
//
// [Verify] is pure: no I/O, no clock. err is nil if and only if the outcome is
// verified. A refusal carries a [reasons.Reason] and an explanation and no names that
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
//		// connect to target.Endpoint: see package association
//	}
//
// There are two separate proofs. A [Result] proves that the source delegates to
// the target. The peer's certificate proves that the peer is the target. Only
// both together accept a peer: association.Association.Accept.
//
// What this package does not do:
//
//   - It finds nothing; package discovery does.
//   - It keeps no memory. Give [Policy.Floor] the [Floor.Join] of what
//     [Result.Floor], or a refusal in Error.Floor, gave before.
//   - It knows of no revocation of certificates. [Policy.SignerCheck] is where
//     that can be added.
package delegation
