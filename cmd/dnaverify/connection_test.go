package main

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery/dial"
	"github.com/dnasign/dnasign/internal/localca"
)

// TestUnprovenCertificate: a certificate that was shown before the handshake
// failed is not reported as the peer's, one that was refused is.
func TestUnprovenCertificate(t *testing.T) {
	now := time.Now()
	ca, err := localca.New("Test Root", now)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ca.Issue("P-256", []string{"b.example"}, now, now.Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reason delegation.Reason
		shown  bool
	}{
		{delegation.TLSFailed, false},
		{delegation.ConnectTimeout, false},
		{delegation.ConnectFailed, false},
		{delegation.PeerNameMismatch, true},
		{delegation.PeerUntrusted, true},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			report := newConnection(delegation.Query{Source: "b.example", Service: "_xmpps-server._tcp"}, nil, nil)
			target := association.Dial{Target: delegation.Target{Endpoint: delegation.Endpoint{Host: "h.example", Port: 5270}}, Direct: true}
			report.add(target, &dial.Attempt{
				To: target, Address: "192.0.2.1:5270",
				State: &tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{signer.Leaf()}},
				Err:   &delegation.Error{Outcome: c.reason.Outcome(), Reason: c.reason, Detail: "x"},
			})
			got := report.Targets[len(report.Targets)-1]
			if (got.TLS != nil) != c.shown {
				t.Errorf("tls %+v, want it shown: %t", got.TLS, c.shown)
			}
			if last := got.Checks[len(got.Checks)-1]; last.Reason != c.reason || last.Outcome != delegation.CheckFail {
				t.Errorf("the last check is %+v, want it failed: %s", last, c.reason)
			}
		})
	}
}
