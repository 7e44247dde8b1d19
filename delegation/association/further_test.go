package association_test

import (
	"crypto/x509"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// decideFor decides about a domain that has these records.
func decideFor(t testing.TB, domain string, d association.Direction, records []string, answers ...delegation.SRVAnswer) *association.Association {
	t.Helper()
	return decide(t, association.Question{Source: domain, Service: service, Direction: d}, evidenceOf(domain, service, records, answers...))
}

func delegates(t *testing.T, domain string, d association.Direction, endpoints ...delegation.Endpoint) *association.Association {
	t.Helper()
	return decideFor(t, domain, d, []string{recordOfDomain(t, domain, service, targets(endpoints...))})
}

// TestReuse: what lets a further source use a connection that exists.
func TestReuse(t *testing.T) {
	const (
		in  = association.Incoming
		out = association.Outgoing
	)
	provider := of(host)
	both := issue(func(c *x509.Certificate) { c.DNSNames = []string{host, tenantB} })
	wildcard := issue(func(c *x509.Certificate) { c.DNSNames = []string{"*.hosting.example"} })
	wildcardAndSource := issue(func(c *x509.Certificate) { c.DNSNames = []string{"*.hosting.example", tenantB} })
	upper := issue(func(c *x509.Certificate) { c.DNSNames = []string{"XMPP.hosting.example"} })
	otherPort := delegation.Endpoint{Host: host, Port: 5270}
	secure := srv(service, delegation.Secure, recordOf(at))
	pinnedTo := func(pin delegation.Pin) []string {
		return []string{recordOfDomain(t, tenantB, service, []delegation.Target{{Endpoint: at, SPKI: []delegation.Pin{pin}}})}
	}
	client := func(d association.Direction) *association.Association {
		record := recordOfDomain(t, tenantB, "_xmpp-client._tcp", targets(at))
		return decide(t, association.Question{Source: tenantB, Service: "_xmpp-client._tcp", Direction: d}, evidenceOf(tenantB, "_xmpp-client._tcp", []string{record}))
	}
	second := func(d association.Direction) *association.Association {
		record := recordOfDomain(t, tenantB, service, targets(at))
		return decide(t, association.Question{Source: tenantB, Service: direct, Direction: d}, evidenceOf(tenantB, service, []string{record}))
	}
	expired := recordOfDomain(t, tenantB, service, targets(at), func(s *delegation.Statement) { s.Expires = now })
	const yes, no = reasons.Verified, reasons.PeerNameMismatch
	for _, c := range []struct {
		name string
		of   association.Direction // of the connection
		peer *keys.Signer
		next *association.Association
		want reasons.Reason
	}{
		{"delegated", out, provider, delegates(t, tenantB, out, at), yes},
		{"delegated, incoming", in, provider, delegates(t, tenantB, in, at), yes},
		{"delegated, to another target too", out, provider, delegates(t, tenantB, out, backup, at), yes},
		{"secure SRV", out, provider, decideFor(t, tenantB, out, nil, secure), yes},
		{"secure SRV, incoming", in, provider, decideFor(t, tenantB, in, nil, secure), yes},
		{"asked by the second label of the role", out, provider, second(out), yes},
		{"asked by the second label of the role, incoming", in, provider, second(in), yes},
		{"name in upper case", out, upper, delegates(t, tenantB, out, at), yes},
		{"right pin", out, provider, decideFor(t, tenantB, out, pinnedTo(pinOf(provider))), yes},
		{"the source it was opened for", out, provider, delegates(t, tenantA, out, at), yes},
		{"the source it was opened for, by a wildcard", out, wildcard, delegates(t, tenantA, out, at), yes},
		{"the source it was opened for, with another port now", out, provider, delegates(t, tenantA, out, otherPort), reasons.PortMismatch},
		{"any port of the host, incoming", in, provider, delegates(t, tenantB, in, otherPort), yes},

		{"wildcard", out, wildcard, delegates(t, tenantB, out, at), no},
		{"wildcard, incoming", in, wildcard, delegates(t, tenantB, in, at), no},
		{"wildcard, secure SRV", out, wildcard, decideFor(t, tenantB, out, nil, secure), no},
		{"wildcard, and the source itself", in, wildcardAndSource, delegates(t, tenantB, in, at), no},
		{"pkix only", out, both, decideFor(t, tenantB, out, nil), reasons.NoStatement},
		{"pkix only, incoming", in, both, decideFor(t, tenantB, in, nil), reasons.NoStatement},
		{"pkix, delegated to another host", out, both, delegates(t, tenantB, out, backup), reasons.TargetMismatch},
		{"pkix, delegated to another host, incoming", in, both, delegates(t, tenantB, in, backup), no},
		{"another port", out, provider, delegates(t, tenantB, out, otherPort), reasons.PortMismatch},
		{"another host", out, provider, delegates(t, tenantB, out, backup), reasons.TargetMismatch},
		{"another host, incoming", in, provider, delegates(t, tenantB, in, backup), no},
		{"other direction", out, provider, delegates(t, tenantB, in, at), reasons.ServiceMismatch},
		{"other direction, incoming", in, provider, delegates(t, tenantB, out, at), reasons.ServiceMismatch},
		{"other service", out, provider, client(out), reasons.ServiceMismatch},
		{"other service, incoming", in, provider, client(in), reasons.ServiceMismatch},
		{"wrong pin", out, provider, decideFor(t, tenantB, out, pinnedTo(delegation.Pin{1})), reasons.PeerKeyMismatch},
		{"nothing proven", in, provider, decideFor(t, tenantB, in, nil), reasons.NoStatement},
		{"revoked", in, provider, delegates(t, tenantB, in), reasons.Revoked},
		{"expired", in, provider, decideFor(t, tenantB, in, []string{expired}), reasons.Expired},
		{"insecure SRV", out, provider, decideFor(t, tenantB, out, nil, srv(service, delegation.Insecure, recordOf(at))), reasons.NoStatement},
		{"lookup failed", in, provider, decide(t, association.Question{Source: tenantB, Service: service, Direction: in}, silent(tenantB, service)), reasons.DNSTimeout},
		{"service not available, securely", in, provider, decideFor(t, tenantB, in, nil, srv(service, delegation.Secure, delegation.SRVRecord{Target: "."})), reasons.ServiceNotAvailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			place := at
			if c.of == in {
				place = nowhere
			}
			opener := delegates(t, tenantA, c.of, at)
			if _, err := opener.Accept(place, peers(), c.peer.Chain()); err != nil {
				t.Fatal(err)
			}
			got, err := c.next.AcceptFurther(opener.Question(), place, peers(), c.peer.Chain())
			wantReason(t, c.want, err)
			if (got != nil) != (c.want == yes) || got != nil && got.Source != c.next.Question().Source {
				t.Fatalf("acceptance %+v with %v", got, err)
			}
		})
	}
}

// TestReuseRefuses: who showed nothing, or is at an endpoint that nobody tells,
// serves no further source.
func TestReuseRefuses(t *testing.T) {
	opened := question(association.Outgoing)
	opened.Source = tenantA
	next := delegates(t, tenantB, association.Outgoing, at)
	_, err := next.AcceptFurther(opened, nowhere, peers(), of(host).Chain())
	wantReason(t, reasons.MissingInput, err)
	_, err = next.AcceptFurther(opened, at, peers(), nil)
	wantReason(t, reasons.PeerUntrusted, err)
	_, err = new(association.Association).AcceptFurther(opened, at, peers(), of(host).Chain())
	wantReason(t, reasons.ServiceMismatch, err)
}
