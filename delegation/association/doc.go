// Package association is the decision on a connection: which names may the
// certificate of a peer carry so that it counts as a domain's, by which method,
// and until when.
//
// For a source domain, a service and a direction, [Decide] turns evidence into
// an [Association]: the reference identifiers (RFC 9525) that count, where to
// connect, and why the methods that do not count failed. It is pure, like
// delegation.Verify, on which it stands. [Association.Accept] then holds the
// certificate chain of a peer to it, at the moment of the connection.
//
//	evidence -> Decide -> Association -> Accept(chain) -> Acceptance
//
// The methods are
//
//	pkix        the certificate names the source itself (RFC 6125, RFC 9525)
//	dnssec      it names the target of a secure SRV record (RFC 7673, RFC 7712)
//	delegation  it names a target of a verified statement (docs/spec.md)
//
// Which of them count is one table, in table.go, the same as in docs/spec.md;
// a further method is a row there and a function beside it.
//
// Only names are remembered between connections, never the verdict on a
// certificate: Accept runs for every one. A [Table] says when a connection that
// exists may serve another source.
//
// A client dials what [Association.Dial] lists and sets
// tls.Config.VerifyConnection to [Association.ConnectionCheck], with
// InsecureSkipVerify since the check does all and more. A server has
// [ServerConfig], and Accept for a claim that comes after the handshake. Either
// way, if [Association.Required] says so, there is nothing weaker to fall back
// to.
//
// Why one tenant of a shared provider cannot pass for another: the provider's
// host name counts for a source only by a statement, or secure SRV records, of
// that very source. What a tenant holds, its own certificate or that of another
// host or port, names nothing that counts.
//
// What this package does not do: it finds no evidence (package discovery does),
// opens no connection, and keeps no memory but that of a Table.
package association
