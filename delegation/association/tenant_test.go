package association_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// Two domains are with the same hosting provider, and one tries to pass for the
// other.
const (
	tenantA = "a.example"
	tenantB = source
)

// recordOfDomain makes the TXT record of a domain for a service.
func recordOfDomain(t *testing.T, domain, label string, list []delegation.Target, edits ...func(*delegation.Statement)) string {
	t.Helper()
	return statement(list, append(edits, func(s *delegation.Statement) { s.Source, s.Service = domain, label })...)
}

// relabel changes the source in a statement and leaves all else as it is.
func relabel(t *testing.T, record, from, to string) string {
	t.Helper()
	parts := strings.Split(record, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !bytes.Contains(claims, []byte(from)) {
		t.Fatalf("claims %q, %v", claims, err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(claims, []byte(from), []byte(to), 1))
	return strings.Join(parts, ".")
}

// TestTenants: in both directions, what it takes to pass
// for tenant B, and that nothing of tenant A's does.
func TestTenants(t *testing.T) {
	const client = "_xmpp-client._tcp"
	list := targets(at)
	good := recordOfDomain(t, tenantB, service, list)
	provider, foreign := of(host), of("xmpp.other-hosting.example")
	const (
		yes      = reasons.Verified
		name     = reasons.PeerNameMismatch
		none     = reasons.NoStatement
		mismatch = reasons.ServiceMismatch
	)
	cases := []struct {
		name    string
		label   string
		records []string
		peer    *keys.Signer
		at      delegation.Endpoint
		proof   reasons.Reason // how B's delegation fares, incoming
		in, out reasons.Reason // what becomes of the peer
	}{
		{"the provider that B delegates to", service, []string{good}, provider, at, yes, yes, yes},
		{"B itself", service, []string{good}, of(tenantB), at, yes, yes, yes},
		{"B itself, without a statement", service, nil, of(tenantB), at, none, yes, yes},
		{"A's own certificate", service, []string{good}, of(tenantA), at, yes, name, name},
		{"A's own certificate, for a name below B", service, []string{good}, of("a." + tenantB), at, yes, name, name},
		{"a host that B did not delegate to", service, []string{good}, foreign, at, yes, name, name},
		{"another port of the provider's host", service, []string{good}, provider, delegation.Endpoint{Host: host, Port: 8443}, yes, yes, reasons.PortMismatch},
		{"another host of the provider", service, []string{good}, of("tenant-a.hosting.example"), delegation.Endpoint{Host: "tenant-a.hosting.example", Port: 5269}, yes, name, reasons.TargetMismatch},
		{"another host of the provider, at B's endpoint", service, []string{good}, of("tenant-a.hosting.example"), at, yes, name, name},
		{"a wildcard below A's host", service, []string{good}, of("*.tenant-a.hosting.example"), at, yes, name, name},
		{"a wildcard for hosts below B's target", service, []string{good}, of("*." + host), at, yes, name, name},
		// RFC 9525 lets a wildcard name the target; whoever has it can be the target.
		// It serves no further source on the same connection: TestReuse.
		{"a wildcard for the provider's hosts", service, []string{good}, of("*.hosting.example"), at, yes, yes, yes},
		{"a host that A only delegates to", service, nil, provider, at, none, name, name},
		{"A's statement among B's records", service, []string{recordOfDomain(t, tenantA, service, list)}, provider, at, reasons.SourceMismatch, name, name},
		{"A's statement, relabelled", service, []string{relabel(t, recordOfDomain(t, tenantA, service, list), tenantA, tenantB)}, provider, at, reasons.SignerNameMismatch, name, name},
		{"B's statement for another host, relabelled", service, []string{relabel(t, recordOfDomain(t, tenantB, service, targets(backup)), backup.Host, "backup.elsewhere.exampl")}, provider, at, reasons.BadSignature, name, name},
		{"A's statement beside B's", service, []string{recordOfDomain(t, tenantA, service, targets(backup)), good}, of(backup.Host), at, yes, name, name},
		{"B's clients delegated, not its servers", service, []string{recordOfDomain(t, tenantB, client, list)}, provider, at, mismatch, name, name},
		{"B's clients delegated, claimed as such", client, []string{recordOfDomain(t, tenantB, client, list)}, provider, at, mismatch, name, yes},
		{"B's clients delegated, relabelled", service, []string{relabel(t, recordOfDomain(t, tenantB, client, list), client, service)}, provider, at, reasons.BadSignature, name, name},
		{"B has revoked", service, []string{recordOfDomain(t, tenantB, service, targets())}, provider, at, reasons.Revoked, name, name},
		{"B has revoked, and the old statement is shown too", service, []string{
			recordOfDomain(t, tenantB, service, list, func(s *delegation.Statement) { s.Issued = now.Add(-2 * day) }),
			recordOfDomain(t, tenantB, service, targets())}, provider, at, reasons.Revoked, name, name},
		{"B has revoked, B itself", service, []string{recordOfDomain(t, tenantB, service, targets())}, of(tenantB), at, reasons.Revoked, yes, yes},
		{"B's statement has expired", service, []string{recordOfDomain(t, tenantB, service, list, func(s *delegation.Statement) { s.Expires = now })}, provider, at, reasons.Expired, name, name},
		{"the provider's certificate for clients only", service, []string{good}, issue(func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{host}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), at, yes, reasons.PeerUntrusted, reasons.PeerUntrusted},
	}
	if len(cases) < 24 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := evidenceOf(tenantB, c.label, c.records)
			q := association.Question{Source: tenantB, Service: c.label, Direction: association.Incoming}

			in := decide(t, q, e)
			if got := in.Proofs()[2].Reason; got != c.proof {
				t.Errorf("the delegation ends with %s, want %s", got, c.proof)
			}
			_, err := in.Accept(nowhere, peers(), c.peer.Chain())
			wantReason(t, c.in, err)

			q.Direction = association.Outgoing
			_, err = decide(t, q, e).Accept(c.at, peers(), c.peer.Chain())
			wantReason(t, c.out, err)
		})
	}
}

// TestClaims: on one connection of the provider, each source that
// is claimed is decided by itself, and only for the direction asked about.
func TestClaims(t *testing.T) {
	chain := of(host).Chain()
	for _, claim := range []struct {
		source  string
		records []string
		want    reasons.Reason
	}{
		{tenantA, []string{recordOfDomain(t, tenantA, service, targets(at))}, reasons.Verified},
		{tenantB, nil, reasons.PeerNameMismatch},
		{tenantB, []string{recordOfDomain(t, tenantB, service, targets(at))}, reasons.Verified},
		{tenantB, []string{recordOfDomain(t, tenantA, service, targets(at))}, reasons.PeerNameMismatch},
		{host, nil, reasons.Verified}, // the provider as itself
	} {
		q := association.Question{Source: claim.source, Service: service, Direction: association.Incoming}
		_, err := decide(t, q, evidenceOf(claim.source, service, claim.records)).Accept(nowhere, peers(), chain)
		wantReason(t, claim.want, err)
		q.Direction = association.Outgoing
		_, err = decide(t, q, evidenceOf(claim.source, service, claim.records)).Accept(nowhere, peers(), chain)
		wantReason(t, reasons.MissingInput, err)
	}
}
