// Package discovery gathers the [delegation.Evidence] for a source domain and
// a service, and judges nothing: package delegation does.
//
// It looks in the places that docs/spec.md names, all of them together:
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
// documents, or a [delegation.Failure] with a reason. An error is returned only
// for a mistake of the caller's.
//
// What strangers publish decides where this package connects, so every
// connection, for HTTPS or by [Client.DialContext], passes a filter at dial time
// that lets only globally reachable addresses through; see
// [Client.AllowPrivateAddresses].
//
// The DNS side is a stub resolver (RFC 1034, Section 5.3.1) that asks a
// recursive one. It does not validate DNSSEC by itself: the AD flag of a
// resolver counts only if the operator vouches for it, see
// [Client.Validating]. It does not use the search list of the system, its
// hosts file or Multicast DNS.
package discovery
