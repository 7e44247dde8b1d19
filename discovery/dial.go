package discovery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
)

// httpsPort is the only port of a web server that is connected to.
const httpsPort = 443

// A dialer opens TLS connections to web servers for one Gather.
type dialer struct {
	connector
	ctx   context.Context // of the Gather: its end ends every dial
	roots *x509.CertPool

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// enter counts a dial in, unless the dialer is closed. The transport may start
// one at any time, also for a request that has been given up.
func (d *dialer) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.running.Add(1)
	return true
}

// close returns when no dial is under way; none begins after it. The context
// of the dialer should have ended, or it waits for their time-outs.
func (d *dialer) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.running.Wait()
}

// dialTLS has the form of [net/http.Transport.DialTLSContext]. Errors are a
// *problem, errNoAddress, that of ctx, or of the network or TLS.
func (d *dialer) dialTLS(ctx context.Context, _, hostPort string) (net.Conn, error) {
	if !d.enter() {
		return nil, net.ErrClosed
	}
	defer d.running.Done()
	// The end of the request does not end ctx: the transport would give the
	// connection to the next one. So a dial has a limit of its own, and ends
	// with the Gather.
	ctx, cancel := context.WithTimeout(ctx, d.timeouts.document)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()

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
