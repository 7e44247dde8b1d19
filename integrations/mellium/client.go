// Package mellium logs in to an XMPP server of a domain that somebody else may
// host, with the library mellium.im/xmpp. The server needs no certificate for the
// domain: the domain's signed statement says who runs the service.
//
// It is an example. It has a module of its own, so that nobody else gets the
// library.
package mellium

import (
	"context"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	"github.com/dnasign/dnasign/discovery/verifier"
)

// Login connects to the server of an account, proves the server, and only then
// authenticates. The caller closes the session.
func Login(ctx context.Context, v *verifier.Verifier, account jid.JID, password string) (*xmpp.Session, error) {
	conn, _, err := v.Dial(ctx, account.Domainpart(), "xmpp-client", nil)
	if err != nil {
		return nil, err
	}
	session, err := xmpp.NewSession(ctx, account.Domain(), account, conn, xmpp.Secure, xmpp.NewNegotiator(
		func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: []xmpp.StreamFeature{
				xmpp.BindResource(), xmpp.SASL("", password, sasl.ScramSha256Plus, sasl.ScramSha256, sasl.ScramSha1Plus, sasl.ScramSha1),
			}}
		}))
	if err != nil {
		conn.Close()
	}
	return session, err
}
