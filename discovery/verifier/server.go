package verifier

import "crypto/tls"

// ServerConfig copies a server's configuration (nil for an empty one). The copy
// asks each peer for a certificate and accepts any or none. [Verifier.Check]
// judges the certificate, once the peer has said for whom it speaks: do nothing
// for the peer before.
//
// It never lets crypto/tls verify clients, which demands clientAuth: public
// authorities no longer issue that. A base that requires any certificate still
// does. There are no session tickets, so that every connection shows its
// certificate, and no TLS below 1.2. What GetConfigForClient returns is treated
// likewise. base is not changed.
func ServerConfig(base *tls.Config) *tls.Config {
	config := &tls.Config{}
	if base != nil {
		config = base.Clone()
	}
	if config.ClientAuth != tls.RequireAnyClientCert {
		config.ClientAuth = tls.RequestClientCert
	}
	config.SessionTicketsDisabled = true
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if forClient := config.GetConfigForClient; forClient != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			other, err := forClient(hello)
			if err != nil || other == nil {
				return nil, err
			}
			return ServerConfig(other), nil
		}
	}
	return config
}
