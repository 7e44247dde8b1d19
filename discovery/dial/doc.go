// Package dial connects to the service of a domain over TLS and proves that
// whoever answers may answer for it: by PKIX, DNSSEC or a signed delegation.
//
//	Dialer.Dial: Decide  gathers evidence (discovery) and decides (association)
//	             order   targets by priority and weight (RFC 2782)
//	             Connect TCP, STARTTLS if the service begins so, TLS, and the
//	                     check of the peer's certificate, target by target
//
// It never goes on without TLS, and never with a certificate that does not
// count for the source. Whatever the service begins with before TLS, such as an
// XMPP stream, is the caller's: see [Dialer.StartTLS]. It remembers nothing
// from one call to the next; whether a connection that exists may serve another
// source is decided by an association.Table.
//
// The rules are those of docs/spec.md, section 12.
package dial
