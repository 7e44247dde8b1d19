package discovery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
)

// httpsPort is the only port of a web server that is connected to.
const httpsPort = 443

// A dialer opens TLS connections to web servers.
type dialer struct {
	connector
	roots *x509.CertPool
}

// dialTLS has the form of [net/http.Transport.DialTLSContext]. When it returns
// an error, no socket of it is open. Errors are a *problem, errNoAddress, that
// of ctx, or of the network or TLS.
func (d *dialer) dialTLS(ctx context.Context, _, hostPort string) (net.Conn, error) {
	host, port, err := splitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	raw, err := d.connect(ctx, host, port)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, &tls.Config{
		RootCAs:    d.roots,
		ServerName: host,
		MinVersion: tls.VersionTLS12, // RFC 9325, Section 3.1.1
		NextProtos: []string{"http/1.1"},
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}
