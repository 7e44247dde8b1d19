// Package association is the decision on a connection. It says which names a
// peer's certificate may carry to be accepted as a domain's, by which method,
// and until when.
//
// For a source domain, a service and a direction, [Decide] turns evidence into
// an [Association]. It lists the reference identifiers (RFC 9525) that are
// accepted, where to connect, and why the other methods failed. It is pure,
// like delegation.Verify, on which it stands. [Association.Accept] then holds
// the certificate chain of a peer to it, at the moment of the connection.
//
//	evidence -> Decide -> Association -> Accept(chain) -> Acceptance
//
// The methods are
//
//	pkix        the certificate names the source itself (RFC 6125, RFC 9525)
//	dnssec      it names the target of a secure SRV record (RFC 7673, RFC 7712)
//	delegation  it names a target of a verified statement (docs/spec.md)
//	posh        the source's POSH file has its hash (RFC 7711, docs/posh.md)
//
// One table says which of them are accepted, in table.go and in
// docs/connections.md. A new method is a row there and a function beside it.
//
// Only names are remembered between connections, never the verdict on a
// certificate: Accept runs for every one. [Association.AcceptFurther] says when a
// connection that exists may serve another source.
//
// If [Association.Required] says so, there is nothing weaker to fall back to.
// Package verifier finds the evidence, connects, and does all of this.
//
// One tenant of a shared provider cannot pass for another. The provider's host
// name is accepted for a source only by a statement, or by secure SRV records,
// of that source. What a tenant holds, its own certificate or that of another
// host or port, names nothing that counts.
//
// What this package does not do: it finds no evidence (package discovery does),
// opens no connection, and keeps no memory.
package association
