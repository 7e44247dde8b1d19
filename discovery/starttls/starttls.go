// Package starttls brings a connection that begins in clear text to the point
// where TLS begins. It speaks XMPP (RFC 6120), IMAP (RFC 9051), POP3 (RFC
// 2595), submission of mail (RFC 3207) and LDAP (RFC 4511, Section 4.14).
//
//	greeting -> what the peer offers -> the command -> the peer's consent -> TLS
//
// The handshake is the caller's. Nothing that is read here is protected, so
// nothing is believed or kept: all it yields is "TLS may begin".
//
// The package reads single octets, and none behind the peer's consent. What
// somebody on the path has put there stays in the connection. It is no TLS, so
// the handshake fails with a [crypto/tls.RecordHeaderError], and nobody can take
// it for what TLS protects.
//
// [OpenStream] is for after TLS: it reads the statement that a server shows in its
// XMPP stream, and can bring one (docs/stream.md). A statement proves itself.
package starttls

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A Request says which service is wanted.
type Request struct {
	// Role is the service as in [delegation.Role], such as _imap._tcp.
	Role string
	// To is the domain whose service it is. XMPP tells it to the peer.
	To string
	// From is the domain that connects, for the XMPP stream between servers.
	// Empty leaves it out.
	From string
}

// protocols are what is spoken before TLS, for each role of the table in package
// delegation that begins in clear text.
var protocols = map[string]func(*wire, Request) error{
	"_xmpp-server._tcp": xmppServer,
	"_xmpp-client._tcp": xmppClient,
	"_imap._tcp":        imap,
	"_pop3._tcp":        pop3,
	"_submission._tcp":  submission,
	"_ldap._tcp":        ldap,
}

// Negotiate asks for TLS. When it returns nil, the next octet in either
// direction belongs to TLS. When it returns an error, conn is of no more use.
// It ends with ctx, and after 30 seconds at most. It sets no deadline on a conn
// that it leaves in use.
//
// The error is a *[delegation.Error]:
//
//   - [reasons.STARTTLSMissing]: the peer does not offer TLS
//   - [reasons.STARTTLSFailed]: it refuses, or does not speak the protocol
//   - [reasons.ConnectTimeout], [reasons.ConnectFailed]
//   - [reasons.NoTLSStart]: the role has no such protocol
//   - [reasons.MissingInput]: an XMPP stream without a domain
func Negotiate(ctx context.Context, conn net.Conn, r Request) error {
	protocol := protocols[r.Role]
	if protocol == nil {
		return delegation.Errorf(reasons.NoTLSStart, "it is not known how to ask for TLS in clear text for %q", r.Role)
	}
	w := &wire{conn: conn, left: maxOctets}
	return w.bounded(ctx, func() error { return protocol(w, r) })
}

// bounded runs what reads and writes until ctx or maxTime ends, and gives its error a
// reason.
func (w *wire) bounded(ctx context.Context, protocol func() error) error {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = w.conn.SetDeadline(time.Unix(1, 0)) // reads of a broken socket end anyway
	})
	err := protocol()
	late := !stop()
	if late {
		<-ended
	}
	var e *delegation.Error
	if err != nil && !errors.As(err, &e) && w.err != nil {
		err = w.err // the decoder of XML makes errors of its own out of it
	}
	switch {
	case errors.As(err, &e):
		return err
	case late || errors.Is(err, os.ErrDeadlineExceeded):
		return delegation.Errorf(reasons.ConnectTimeout, "no %s before the time was over%s", w.waiting, w.perhapsTLS())
	case w.err != nil:
		return delegation.Errorf(reasons.ConnectFailed, "the connection ended where the %s should come%s: %v", w.waiting, w.perhapsTLS(), w.err)
	}
	return err
}
