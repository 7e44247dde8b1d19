// Package discovery gathers the [delegation.Evidence] for a source domain and a
// service. It judges nothing: package delegation does.
//
// It looks in all places that docs/spec.md names, at the same time:
//
//	TXT    _xmpp-server._tcp._dna.b.example            statements in DNS
//	HTTPS  https://b.example/.well-known/dna/...       statements on a web server
//	SRV    _xmpp-server._tcp.b.example                 where the service is (RFC 2782)
//
// Data flows one way:
//
//	Client.Gather -> resolver (DNS) and fetcher (HTTPS) -> Evidence -> delegation.Verify
//
// Everything the network says or fails to say goes into the evidence: records,
// documents, or a [delegation.Failure] with a reason. A returned error always
// means a mistake of the caller.
//
// What strangers publish decides where this package connects. So a filter
// checks every connection at dial time, for HTTPS or by [Client.DialContext].
// It allows only globally reachable addresses; see
// [Client.AllowPrivateAddresses].
//
// A web server can send octets that nobody asked for. net/http, which speaks to it,
// quotes them in the default logger of package log. A program that keeps that
// logger for messages of its own should know that.
//
// The DNS side is a stub resolver (RFC 1034, Section 5.3.1) that asks a
// recursive one. It does not validate DNSSEC itself. It uses the AD flag of a
// resolver only if the operator vouches for that resolver, see
// [Client.Validating]. It does not use the search list of the system, its hosts
// file or Multicast DNS.
package discovery
