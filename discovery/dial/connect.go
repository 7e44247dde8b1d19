package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// alpn is the application protocol for labels where TLS begins at once
// (XEP-0368, Section 3).
var alpn = map[string][]string{
	"_xmpps-server._tcp": {"xmpp-server"},
	"_xmpps-client._tcp": {"xmpp-client"},
}

// An Attempt is what happened at one target.
type Attempt struct {
	To association.Dial
	// Address is the IP address and port connected to; empty if there was no
	// connection.
	Address string
	// STARTTLS says that the target agreed to begin TLS.
	STARTTLS bool
	// State is the TLS connection as far as the handshake got to the peer's
	// certificate, accepted or not; nil if it did not.
	State *tls.ConnectionState
	// Acceptance is nil unless the peer was accepted.
	Acceptance *association.Acceptance
	// Err says why the target is not connected to, nil if it is. It is a
	// *[delegation.Error].
	Err error

	conn *tls.Conn
}

// Conn is the connection, nil unless Err is.
func (a *Attempt) Conn() *tls.Conn { return a.conn }

// Connect connects to one target of a decision: address, connection, STARTTLS
// if it begins so, TLS 1.2 or later, and the check of its certificate. [Dialer.Dial]
// does so for one target after the other.
func (d *Dialer) Connect(ctx context.Context, decision *Decision, to association.Dial) *Attempt {
	attempt := &Attempt{To: to}
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, or(d.TargetTimeout, DefaultTargetTimeout))
	defer cancel()
	if err := d.connect(ctx, decision.Association, attempt); err != nil {
		attempt.Err = err
	}
	d.logger().Debug("dial", "source", decision.Association.Question().Source, "target", to.Endpoint.String(),
		"address", attempt.Address, "took", time.Since(start), "error", attempt.Err)
	return attempt
}

func (d *Dialer) connect(ctx context.Context, a *association.Association, attempt *Attempt) error {
	if ctx.Err() != nil {
		return refuse(delegation.ConnectTimeout, "no time was left for %s", attempt.To.Endpoint)
	}
	raw, err := d.Client.DialContext(ctx, "tcp", attempt.To.Endpoint.String())
	if err != nil {
		return reasoned(ctx, delegation.ConnectFailed, err)
	}
	attempt.Address = raw.RemoteAddr().String()
	if !attempt.To.Direct {
		if err := d.startTLS(ctx, raw, a.Question().Source, attempt.To); err != nil {
			raw.Close()
			return err
		}
		attempt.STARTTLS = true
	}
	conn, err := d.handshake(ctx, raw, a, attempt)
	if err != nil {
		raw.Close()
		return err
	}
	attempt.conn = conn
	return nil
}

// startTLS lets the caller's step speak in plain text. It is given single
// octets, so that whatever buffer it reads with cannot swallow what an attacker
// put behind the peer's agreement: that stays in the socket, where the
// handshake finds it and fails.
func (d *Dialer) startTLS(ctx context.Context, raw net.Conn, source string, to association.Dial) error {
	if d.StartTLS == nil {
		return refuse(delegation.MissingInput, "%s at %s begins with STARTTLS, and the dialer has no such step", to.Service, to.Endpoint)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = raw.SetDeadline(time.Unix(1, 0)) // of a broken socket reads end anyway
	})
	conn := &plain{Conn: raw}
	err := d.StartTLS(ctx, conn, source, to)
	conn.over.Store(true)
	late := !stop()
	if late {
		<-ended
	}
	switch {
	case err != nil:
		return reasoned(ctx, delegation.STARTTLSFailed, err)
	case late:
		return refuse(delegation.ConnectTimeout, "%s was not ready for TLS before the time was over", to.Endpoint)
	}
	if err := raw.SetDeadline(time.Time{}); err != nil { // the step may have set one
		return refuse(delegation.ConnectFailed, "%v", err)
	}
	return nil
}

// plain is a connection before TLS. It gives one octet for each Read, and
// nothing once TLS has begun.
type plain struct {
	net.Conn
	over atomic.Bool
}

func (p *plain) Read(b []byte) (int, error) {
	if p.over.Load() {
		return 0, net.ErrClosed
	}
	return p.Conn.Read(b[:min(len(b), 1)])
}

func (p *plain) Write(b []byte) (int, error) {
	if p.over.Load() {
		return 0, net.ErrClosed
	}
	return p.Conn.Write(b)
}

// handshake begins TLS. InsecureSkipVerify leaves the whole check of the peer's
// certificate to VerifyConnection, since which names count is not one host
// name; Accept builds the chain as well. Nothing is resumed: there is no cache
// of sessions.
func (d *Dialer) handshake(ctx context.Context, raw net.Conn, a *association.Association, attempt *Attempt) (*tls.Conn, error) {
	to := attempt.To
	var refused error
	config := &tls.Config{
		ServerName:             to.ServerName,
		MinVersion:             tls.VersionTLS12, // RFC 9325, Section 3.1.1
		Certificates:           d.Certificates,
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true,
		VerifyConnection: func(state tls.ConnectionState) error {
			attempt.State = &state
			attempt.Acceptance, refused = a.Accept(to.Endpoint, d.Peers, state.PeerCertificates)
			return refused
		},
	}
	if to.Direct {
		config.NextProtos = alpn[to.Service]
	}
	conn := tls.Client(raw, config)
	err := conn.HandshakeContext(ctx)
	var record tls.RecordHeaderError
	switch {
	case refused != nil:
		attempt.Acceptance = nil
		return nil, refused
	case err == nil && attempt.Acceptance == nil:
		return nil, refuse(delegation.PeerUntrusted, "the peer's certificate was not checked")
	case err == nil:
		return conn, nil
	}
	attempt.Acceptance = nil
	switch {
	case errors.As(err, &record) && !to.Direct:
		return nil, refuse(delegation.STARTTLSInjection, "%s sent %q where TLS should begin", to.Endpoint, record.RecordHeader[:])
	case errors.As(err, &record):
		return nil, refuse(delegation.TLSFailed, "%s sent %q where TLS should begin", to.Endpoint, record.RecordHeader[:])
	case lost(err):
		return nil, refuse(delegation.ConnectFailed, "%s ended the connection in the TLS handshake: %v", to.Endpoint, err)
	}
	return nil, reasoned(ctx, delegation.TLSFailed, err)
}

// lost reports whether a connection ended without a word.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// reasoned gives an error the reason it has, or that of a time-out, or
// otherwise.
func reasoned(ctx context.Context, otherwise delegation.Reason, err error) error {
	var e *delegation.Error
	var timeout net.Error
	switch {
	case errors.As(err, &e):
		return err
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return refuse(delegation.ConnectTimeout, "not done before the time was over: %v", err)
	}
	return refuse(otherwise, "%v", err)
}
