package main

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestUnprovenCertificate: a certificate that was shown before the handshake
// failed is not reported as the peer's, one that was refused is.
func TestUnprovenCertificate(t *testing.T) {
	signer := world.At(time.Now()).Of("b.example")
	for _, c := range []struct {
		reason reasons.Reason
		shown  bool
	}{
		{reasons.TLSFailed, false},
		{reasons.ConnectTimeout, false},
		{reasons.ConnectFailed, false},
		{reasons.PeerNameMismatch, true},
		{reasons.PeerUntrusted, true},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			report := newConnection(delegation.Query{Source: "b.example", Service: "_xmpps-server._tcp"}, nil)
			target := association.Dial{Target: delegation.Target{Endpoint: delegation.Endpoint{Host: "h.example", Port: 5270}}, Start: delegation.DirectTLS}
			if report.Service != "_xmpp-server._tcp" {
				t.Errorf("service %s, want the role", report.Service)
			}
			report.add(target, &verifier.Attempt{
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

// TestThorough: a report waits for the statement, although secure SRV records were
// there first.
func TestThorough(t *testing.T) {
	o := newOwners(t, 1)
	source, service := o.domains[0], "_xmpp-server._tcp"
	server := setup.DNS(t, append(o.newer, delegation.SRVName(source, service)+". 60 IN SRV 0 0 5269 xmpp.hosting.example.")...)
	for rtype, delay := range map[string]time.Duration{"SRV": 0, "TXT": 300 * time.Millisecond} {
		if err := server.Fault("", rtype, dnsserver.Fault{Authentic: true, Delay: delay}); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(o.roots)
	client := &discovery.Client{Resolver: server.Addr, Validating: true, Via: discovery.ViaDNS}
	v, err := newVerifier(verifier.Config{Roots: roots, Discovery: client})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	d, err := v.Decide(t.Context(), verifier.Question{Source: source, Service: service, Direction: association.Outgoing})
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	if len(e.TXT) != 1 || e.TXT[0].Failure != nil || !d.Association.Required() {
		t.Errorf("decided before the statement was there: %+v", e.TXT)
	}
}

// TestNoStart: a target that was not connected to, since it is not known how TLS
// begins there, is reported so.
func TestNoStart(t *testing.T) {
	report := newConnection(delegation.Query{Source: "b.example", Service: "_sip._tcp"}, nil)
	target := association.Dial{Target: delegation.Target{Endpoint: delegation.Endpoint{Host: "h.example", Port: 5060}}}
	report.add(target, &verifier.Attempt{To: target, Err: &delegation.Error{Outcome: reasons.OutcomeRefused, Reason: reasons.NoTLSStart, Detail: "x"}})
	got := report.Targets[0]
	if got.Start != delegation.UnknownStart || !got.Tried || got.Reason != reasons.NoTLSStart || len(got.Checks) != 1 || got.Checks[0].Name != "tls" {
		t.Errorf("%+v", got)
	}
}
