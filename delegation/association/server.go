package association

import (
	"crypto/tls"

	"github.com/dnasign/dnasign/delegation"
)

// ServerConfig makes, from a server's own configuration (nil for an empty one),
// one that lets connecting peers prove for whom they speak.
//
// If the source that a peer claims is known before the handshake, a is the
// decision for it, for [Incoming]: the handshake then fails unless
// [Association.Accept] takes the peer. Where the claim comes later, such as the
// from of an XMPP stream, a is nil. The handshake then asks for a certificate
// and judges nothing; call Accept with the connection's
// ConnectionState().PeerCertificates for every source that is claimed, and do
// nothing for the peer before.
//
// It asks for a certificate with [tls.RequireAnyClientCert], since
// [tls.RequireAndVerifyClientCert] demands clientAuth, which public authorities
// no longer issue. It has no session tickets, so that every connection shows
// its certificate, and no TLS below 1.2. Of base, VerifyConnection is called
// after the check, and what GetConfigForClient returns is treated likewise.
// base is not changed.
func ServerConfig(base *tls.Config, a *Association, p delegation.PeerPolicy) *tls.Config {
	config := &tls.Config{}
	if base != nil {
		config = base.Clone()
	}
	config.ClientAuth = tls.RequireAnyClientCert
	config.SessionTicketsDisabled = true
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if a != nil {
		check, further := a.ConnectionCheck(delegation.Endpoint{}, p), config.VerifyConnection
		config.VerifyConnection = func(cs tls.ConnectionState) error {
			if err := check(cs); err != nil || further == nil {
				return err
			}
			return further(cs)
		}
	}
	if forClient := config.GetConfigForClient; forClient != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			other, err := forClient(hello)
			if err != nil || other == nil {
				return nil, err
			}
			return ServerConfig(other, a, p), nil
		}
	}
	return config
}
