package verifier

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
)

// plain starts a server of a role at host:port, which says the parts before TLS.
func (w *dialing) plain(port uint16, c *tls.Config, parts ...string) *peerserver.Server {
	w.Helper()
	s, err := peerserver.Start(c, parts...)
	w.Must(err)
	w.Cleanup(s.Close)
	w.reach(host, port, s.Addr)
	return s
}

// TestProtocols: the services besides XMPP are dialled by both ways of TLS, and
// what somebody plants between the consent and TLS is found.
func TestProtocols(t *testing.T) {
	tested := 0
	for _, role := range delegation.Roles() {
		parts := peerserver.Dialogue(role.Service)
		if parts == nil {
			continue
		}
		tested++
		t.Run(role.Service, func(t *testing.T) {
			negotiated := delegation.Target{Endpoint: to(host, 1)}
			directly := delegation.Target{Endpoint: to(host, 2), TLS: delegation.Direct}
			for _, c := range []struct {
				name   string
				target delegation.Target
				direct bool // the server speaks TLS from the first byte
				plant  string
				want   reasons.Reason
				detail string
			}{
				{"STARTTLS", negotiated, false, "", reasons.Verified, ""},
				{"direct TLS", directly, true, "", reasons.Verified, ""},
				{"a planted line", negotiated, false, "a OK and now?\r\n", reasons.STARTTLSInjection, `"a OK " where TLS should begin`},
				{"a planted octet", negotiated, false, "\n", reasons.STARTTLSInjection, `"\n`},
				{"STARTTLS, but TLS begins at once", negotiated, true, "", reasons.ConnectTimeout, "as with a server where TLS begins with the first byte"},
				{"direct TLS, but it begins in clear text", directly, false, "", reasons.TLSFailed, "begins in clear text, with "},
			} {
				t.Run(c.name, func(t *testing.T) {
					w := newDialing(t)
					w.service = role.Service
					says := append([]string(nil), parts...)
					says[len(says)-1] += c.plant
					speaksFirst := says[0] != ""
					if c.direct {
						says = nil
					}
					w.plain(c.target.Port, config(w.Of(host)), says...)
					w.delegateTo(role.Service, time.Hour, c.target)
					switch {
					case c.want == reasons.Verified:
						conn := w.accepted(c.target.Endpoint, association.Delegation, 1)
						if conn.Attempts[0].STARTTLS == c.direct {
							t.Errorf("STARTTLS %t", conn.Attempts[0].STARTTLS)
						}
						return
					case c.want == reasons.ConnectTimeout && speaksFirst:
						w.dialer.TargetTimeout = soon
					case c.want == reasons.ConnectTimeout: // our words in clear text end it
						c.want = reasons.ConnectFailed
					}
					e := w.refused(c.want, c.want)
					if !strings.Contains(e.Error(), c.detail) {
						t.Errorf("%v, without %q", e, c.detail)
					}
				})
			}
		})
	}
	if tested < 4 {
		t.Errorf("only %d roles", tested)
	}
	t.Run("direct TLS, and it hangs up", func(t *testing.T) { // as slapd does
		w := newDialing(t)
		w.service = "_ldap._tcp"
		w.plain(2, nil, "", peerserver.HangUp)
		w.delegateTo(w.service, time.Hour, delegation.Target{Endpoint: to(host, 2), TLS: delegation.Direct})
		if e := w.refused(reasons.ConnectFailed, reasons.ConnectFailed); !strings.Contains(e.Error(), "as some servers do that begin in clear text") {
			t.Error(e)
		}
	})
	t.Run("XMPP at a port for direct TLS", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.Direct, host)
		w.delegate(service, time.Hour, to(host, 5269))
		if e := w.refused(reasons.ConnectFailed, reasons.ConnectFailed); !strings.Contains(e.Error(), "where TLS begins with the first byte") {
			t.Error(e)
		}
	})
}
