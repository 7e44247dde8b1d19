package verifier

import (
	"context"
	"crypto/tls"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// ClientConfig copies a client's configuration (nil for an empty one), for a
// library that connects by itself to a target of a decision. The copy has the
// name for SNI, and the handshake ends with an *[Error] unless the peer is proven,
// as [Verifier.Prove] says. ctx is for this check. base is not changed.
//
// Take the decision and its targets from [Verifier.Decide] and [Decision.Targets].
// The program connects to to.Endpoint, and begins TLS as to.Start says. There is no
// resumption of sessions, and no TLS below 1.2. A VerifyConnection of base is
// called after the proof.
func (d *Verifier) ClientConfig(ctx context.Context, known *Decision, to association.Dial, base *tls.Config) *tls.Config {
	if base == nil {
		base = &tls.Config{}
	}
	return clientConfig(base, known.Association.Question().Service, to, func(state tls.ConnectionState) error {
		_, err := d.Prove(ctx, known, Peer{Direction: association.Outgoing, Endpoint: to.Endpoint, Chain: state.PeerCertificates})
		if err != nil || base.VerifyConnection == nil {
			return err
		}
		return base.VerifyConnection(state)
	})
}

// clientConfig leaves the whole check of the peer's certificates to check, which
// also builds the chain: more names than one host name may be accepted. That is
// what InsecureSkipVerify means here. Nothing is resumed.
func clientConfig(base *tls.Config, service string, to association.Dial, check func(tls.ConnectionState) error) *tls.Config {
	config := base.Clone()
	config.ServerName = to.ServerName
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12) // RFC 9325, Section 3.1.1
	config.SessionTicketsDisabled, config.ClientSessionCache = true, nil
	config.InsecureSkipVerify, config.VerifyPeerCertificate = true, nil
	config.VerifyConnection = check
	if alpn := delegation.RoleOf(service).ALPN; to.Start == delegation.DirectTLS && alpn != "" && config.NextProtos == nil {
		config.NextProtos = []string{alpn}
	}
	return config
}
