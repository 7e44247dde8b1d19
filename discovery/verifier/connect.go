package verifier

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/starttls"
)

// An Attempt is what happened at one target.
type Attempt struct {
	To association.Dial
	// Address is the IP address and port connected to; empty if there was no
	// connection.
	Address string
	// STARTTLS says that the target agreed to begin TLS.
	STARTTLS bool
	// State is the TLS connection once the handshake has the peer's
	// certificate, accepted or not. Without that it is nil.
	State *tls.ConnectionState
	// DNS is what DNS says of the endpoint, nil if it was not asked: no name is proven
	// there by more than PKIX, or the answers are not validated.
	DNS *delegation.EndpointAnswer
	// Acceptance is nil unless the peer was accepted.
	Acceptance *association.Acceptance
	// Err says why the target is not connected to, nil if it is. It is a
	// *[delegation.Error].
	Err error

	conn   *tls.Conn
	barred bool // nothing weaker may do: see bars
}

// Conn is the connection, nil unless Err is.
func (a *Attempt) Conn() *tls.Conn { return a.conn }

// attempt connects to one target of a decision. It finds the address, connects,
// does STARTTLS if needed, then TLS 1.2 or later, and checks the certificate.
func (d *Verifier) attempt(ctx context.Context, known *Decision, to association.Dial, opt *DialOptions) *Attempt {
	attempt := &Attempt{To: to}
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(opt.TargetTimeout, defaultTargetTimeout))
	defer cancel()
	if err := d.connect(ctx, known, opt, attempt); err != nil {
		attempt.Err = err
	}
	d.config.Logger.Debug("dial", "source", known.Association.Question().Source, "target", to.Endpoint.String(),
		"address", attempt.Address, "took", time.Since(start), "error", attempt.Err)
	return attempt
}

func (d *Verifier) connect(ctx context.Context, known *Decision, opt *DialOptions, attempt *Attempt) error {
	if ctx.Err() != nil {
		return delegation.Errorf(reasons.ConnectTimeout, "no time was left for %s", attempt.To.Endpoint)
	}
	q := known.Association.Question()
	if attempt.To.Start == delegation.UnknownStart {
		return delegation.Errorf(reasons.NoTLSStart, "it is not known how TLS begins for %s at %s", q.Service, attempt.To.Endpoint)
	}
	raw, err := d.begin(ctx, known, opt, attempt)
	if err != nil {
		return err
	}
	conn, err := d.handshake(ctx, raw, known, opt.Certificates, attempt)
	if err != nil {
		raw.Close()
		return err
	}
	attempt.conn = conn
	return nil
}

// reach opens the TCP connection. If TLSA records may have a say, it asks for them
// first, and for the addresses once.
func (d *Verifier) reach(ctx context.Context, known *Decision, attempt *Attempt) (net.Conn, error) {
	at := attempt.To.Endpoint
	if d.endpoints == nil || len(known.Association.Undecided(at, nil, nil)) == 0 {
		return d.config.Discovery.DialContext(ctx, "tcp", at.String())
	}
	answer, err := d.endpoints.gather(ctx, at)
	if err != nil {
		return nil, err
	}
	attempt.DNS = answer
	to, err := known.Association.Approach(attempt.To, answer)
	if attempt.barred = err != nil; err != nil && ctx.Err() != nil {
		return nil, delegation.Errorf(reasons.ConnectTimeout, "no time was left for %s: %v", at, err)
	} else if err != nil {
		return nil, err
	}
	attempt.To = to
	return d.endpoints.network.DialEndpoint(ctx, answer)
}

// begin connects, up to where TLS begins.
func (d *Verifier) begin(ctx context.Context, known *Decision, opt *DialOptions, attempt *Attempt) (net.Conn, error) {
	q := known.Association.Question()
	raw, err := d.reach(ctx, known, attempt)
	if err != nil {
		return nil, reasoned(ctx, reasons.ConnectFailed, err)
	}
	attempt.Address = raw.RemoteAddr().String()
	if attempt.To.Start == delegation.STARTTLS {
		if err := starttls.Negotiate(ctx, raw, starttls.Request{Role: q.Service, To: q.Source, From: opt.From}); err != nil {
			raw.Close()
			return nil, err
		}
		attempt.STARTTLS = true
	}
	return raw, nil
}

func (d *Verifier) handshake(ctx context.Context, raw net.Conn, known *Decision, certificates []tls.Certificate, attempt *Attempt) (*tls.Conn, error) {
	a, to := known.Association, attempt.To
	floor, err := d.floors(ctx, subject{a.Question().Source, a.Question().Service})
	if err != nil {
		return nil, err
	}
	var refused error
	config := clientConfig(&tls.Config{Certificates: certificates}, a.Question().Service, to, func(state tls.ConnectionState) error {
		attempt.State = &state
		peer := Peer{Direction: association.Outgoing, Endpoint: to.Endpoint, Chain: state.PeerCertificates}
		if attempt.DNS != nil {
			peer.endpoints = []delegation.EndpointAnswer{*attempt.DNS}
		}
		attempt.Acceptance, refused = d.accept(ctx, known, peer, floor)
		attempt.barred = refused != nil && bars(refused)
		return refused
	})
	conn := tls.Client(raw, config)
	err = conn.HandshakeContext(ctx)
	var record tls.RecordHeaderError
	switch {
	case refused != nil:
		attempt.Acceptance = nil
		return nil, refused
	case err == nil && attempt.Acceptance == nil:
		return nil, delegation.Errorf(reasons.PeerUntrusted, "the peer's certificate was not checked")
	case err == nil:
		return conn, nil
	}
	attempt.Acceptance = nil
	switch {
	case errors.As(err, &record) && to.Start == delegation.STARTTLS:
		return nil, delegation.Errorf(reasons.STARTTLSInjection, "%s sent %q where TLS should begin", to.Endpoint, record.RecordHeader[:])
	case errors.As(err, &record):
		return nil, delegation.Errorf(reasons.TLSFailed, "%s begins in clear text, with %q, and TLS was to begin with the first byte", to.Endpoint, record.RecordHeader[:])
	case lost(err) && to.Start == delegation.DirectTLS:
		return nil, delegation.Errorf(reasons.ConnectFailed, "%s ended the connection in the TLS handshake, as some servers do that begin in clear text, or that have no certificate for %s: %v", to.Endpoint, to.ServerName, err)
	case lost(err):
		return nil, delegation.Errorf(reasons.ConnectFailed, "%s ended the connection in the TLS handshake, as some servers do that have no certificate for %s: %v", to.Endpoint, namesAsked(a, to), err)
	case saysNoCertificate(err):
		return nil, delegation.Errorf(reasons.TLSFailed, "%s seems to have no certificate for %s: it ended the handshake (%v)", to.Endpoint, namesAsked(a, to), err)
	}
	return nil, reasoned(ctx, reasons.TLSFailed, err)
}

// namesAsked are the names by which a server can choose its certificate: the
// name in the protocol, such as an XMPP stream, and the name in TLS.
func namesAsked(a *association.Association, to association.Dial) string {
	source := a.Question().Source
	if to.ServerName == source || to.Start != delegation.STARTTLS {
		return to.ServerName
	}
	return source + " or " + to.ServerName
}

// saysNoCertificate reports whether the peer sent an alert that servers send
// when they have no certificate to show. These are handshake_failure (40; RFC
// 8446, Section 6.2) and unrecognized_name (112).
func saysNoCertificate(err error) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	if !ok || remote.Op != "remote error" {
		return false
	}
	text := remote.Err.Error()
	return text == tls.AlertError(40).Error() || text == tls.AlertError(112).Error()
}

// lost reports whether a connection ended without a word.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// reasoned gives an error the reason it has, or that of a time-out, or
// otherwise.
func reasoned(ctx context.Context, otherwise reasons.Reason, err error) error {
	var e *delegation.Error
	var timeout net.Error
	switch {
	case errors.As(err, &e):
		return err
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return delegation.Errorf(reasons.ConnectTimeout, "not done before the time was over: %v", err)
	}
	return delegation.Errorf(otherwise, "%v", err)
}
