package verifier

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestClientConfig: a library that connects by itself gets through to the target of
// a statement, and to nobody else.
func TestClientConfig(t *testing.T) {
	w := newDialing(t)
	w.service = "_imap._tcp"
	target := delegation.Target{Endpoint: to(host, 1), TLS: delegation.Direct}
	good := w.plain(1, config(w.Of(host)))
	bad := w.plain(2, config(w.Of(evil)))
	w.delegateTo(w.service, time.Hour, target)
	v := w.dialer.verifier()
	known, err := v.Decide(t.Context(), Question{Source: source, Service: w.service, Direction: association.Outgoing})
	must(t, err)
	targets := known.Targets()
	if len(targets) != 1 {
		t.Fatalf("%d targets", len(targets))
	}
	asked := errors.New("the program itself says no")
	for _, c := range []struct {
		name, address string
		to            delegation.Endpoint
		answer        error // of the program's own check
		want          reasons.Reason
		is            error
	}{
		{"the target", good.Addr, to(host, 1), nil, reasons.Verified, nil},
		{"another name", bad.Addr, to(host, 1), nil, reasons.PeerNameMismatch, nil},
		{"another port", good.Addr, to(host, 7), nil, reasons.PortMismatch, nil},
		{"the program's own check", good.Addr, to(host, 1), asked, "", asked},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := false
			base := &tls.Config{MinVersion: tls.VersionTLS10, ClientSessionCache: tls.NewLRUClientSessionCache(1), VerifyConnection: func(tls.ConnectionState) error {
				called = true
				return c.answer
			}}
			at := targets[0]
			at.Endpoint = c.to
			config := v.ClientConfig(t.Context(), known, at, base)
			if config.ServerName != host || config.MinVersion != tls.VersionTLS12 || config.ClientSessionCache != nil || base.InsecureSkipVerify {
				t.Errorf("%+v", config)
			}
			conn, err := tls.Dial("tcp", c.address, config)
			if err == nil {
				conn.Close()
			}
			var e *Error
			switch {
			case c.want == reasons.Verified && err != nil, c.is != nil && !errors.Is(err, c.is):
				t.Error(err)
			case c.want != "" && c.want != reasons.Verified && (!errors.As(err, &e) || e.Reason != c.want):
				t.Errorf("%v, want %s", err, c.want)
			case called != (c.want == reasons.Verified || c.is != nil):
				t.Errorf("the program's own check was called: %t", called)
			}
		})
	}
}
