package association_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/keys"
)

// Two domains are with the same hosting provider, and one tries to pass for the
// other towards c.example.
const (
	tenantA = "a.example"
	tenantB = source
	ours    = "c.example"
)

// recordOfDomain makes the TXT record of a domain for a service.
func recordOfDomain(t *testing.T, domain, label string, list []delegation.Target, edits ...func(*delegation.Statement)) string {
	t.Helper()
	return statement(t, list, append(edits, func(s *delegation.Statement) { s.Source, s.Service = domain, label })...)
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

// TestTenants: in real handshakes, in both directions, what it takes to pass
// for tenant B, and that nothing of tenant A's does.
func TestTenants(t *testing.T) {
	const client = "_xmpp-client._tcp"
	list := targets(at)
	good := recordOfDomain(t, tenantB, service, list)
	provider, foreign := of(t, host), of(t, "xmpp.other-hosting.example")
	const (
		yes      = delegation.Verified
		name     = delegation.PeerNameMismatch
		none     = delegation.NoStatement
		mismatch = delegation.ServiceMismatch
	)
	cases := []struct {
		name    string
		label   string
		records []string
		peer    *keys.Signer
		at      delegation.Endpoint
		proof   delegation.Reason // how B's delegation fares, incoming
		in, out delegation.Reason // what becomes of the peer
	}{
		{"the provider that B delegates to", service, []string{good}, provider, at, yes, yes, yes},
		{"B itself", service, []string{good}, of(t, tenantB), at, yes, yes, yes},
		{"B itself, without a statement", service, nil, of(t, tenantB), at, none, yes, yes},
		{"A's own certificate", service, []string{good}, of(t, tenantA), at, yes, name, name},
		{"A's own certificate, for a name below B", service, []string{good}, of(t, "a."+tenantB), at, yes, name, name},
		{"a host that B did not delegate to", service, []string{good}, foreign, at, yes, name, name},
		{"another port of the provider's host", service, []string{good}, provider, delegation.Endpoint{Host: host, Port: 8443}, yes, yes, delegation.PortMismatch},
		{"another host of the provider", service, []string{good}, of(t, "tenant-a.hosting.example"), delegation.Endpoint{Host: "tenant-a.hosting.example", Port: 5269}, yes, name, delegation.TargetMismatch},
		{"another host of the provider, at B's endpoint", service, []string{good}, of(t, "tenant-a.hosting.example"), at, yes, name, name},
		{"a wildcard below A's host", service, []string{good}, of(t, "*.tenant-a.hosting.example"), at, yes, name, name},
		{"a wildcard for hosts below B's target", service, []string{good}, of(t, "*."+host), at, yes, name, name},
		// RFC 9525 lets a wildcard name the target; whoever has it can be the target.
		// It serves no further source on the same connection: TestReuse.
		{"a wildcard for the provider's hosts", service, []string{good}, of(t, "*.hosting.example"), at, yes, yes, yes},
		{"a host that A only delegates to", service, nil, provider, at, none, name, name},
		{"A's statement among B's records", service, []string{recordOfDomain(t, tenantA, service, list)}, provider, at, delegation.SourceMismatch, name, name},
		{"A's statement, relabelled", service, []string{relabel(t, recordOfDomain(t, tenantA, service, list), tenantA, tenantB)}, provider, at, delegation.SignerNameMismatch, name, name},
		{"B's statement for another host, relabelled", service, []string{relabel(t, recordOfDomain(t, tenantB, service, targets(backup)), backup.Host, "backup.elsewhere.exampl")}, provider, at, delegation.BadSignature, name, name},
		{"A's statement beside B's", service, []string{recordOfDomain(t, tenantA, service, targets(backup)), good}, of(t, backup.Host), at, yes, name, name},
		{"B's clients delegated, not its servers", service, []string{recordOfDomain(t, tenantB, client, list)}, provider, at, mismatch, name, name},
		{"B's clients delegated, claimed as such", client, []string{recordOfDomain(t, tenantB, client, list)}, provider, at, mismatch, name, yes},
		{"B's clients delegated, relabelled", service, []string{relabel(t, recordOfDomain(t, tenantB, client, list), client, service)}, provider, at, delegation.BadSignature, name, name},
		{"B has revoked", service, []string{recordOfDomain(t, tenantB, service, targets())}, provider, at, delegation.Revoked, name, name},
		{"B has revoked, and the old statement is shown too", service, []string{
			recordOfDomain(t, tenantB, service, list, func(s *delegation.Statement) { s.Issued = now.Add(-2 * day) }),
			recordOfDomain(t, tenantB, service, targets())}, provider, at, delegation.Revoked, name, name},
		{"B has revoked, B itself", service, []string{recordOfDomain(t, tenantB, service, targets())}, of(t, tenantB), at, delegation.Revoked, yes, yes},
		{"B's statement has expired", service, []string{recordOfDomain(t, tenantB, service, list, func(s *delegation.Statement) { s.Expires = now })}, provider, at, delegation.Expired, name, name},
		{"the provider's certificate for clients only", service, []string{good}, issue(t, func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{host}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), at, yes, delegation.PeerUntrusted, delegation.PeerUntrusted},
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
			_, serverErr, _ := handshake(t, association.ServerConfig(withCertificate(of(t, ours)), in, peers()), withCertificate(c.peer))
			wantReason(t, c.in, serverErr)

			q.Direction = association.Outgoing
			dialling := withCertificate(of(t, ours))
			dialling.VerifyConnection = decide(t, q, e).ConnectionCheck(c.at, peers())
			_, _, clientErr := handshake(t, withCertificate(c.peer), dialling)
			wantReason(t, c.out, clientErr)
		})
	}
}

// TestClaimAfterHandshake: on one connection of the provider, each source that
// is claimed is decided by itself, and only for the direction asked about.
func TestClaimAfterHandshake(t *testing.T) {
	cs, serverErr, clientErr := handshake(t, association.ServerConfig(withCertificate(of(t, ours)), nil, peers()), withCertificate(of(t, host)))
	if serverErr != nil || clientErr != nil {
		t.Fatal(serverErr, clientErr)
	}
	for _, claim := range []struct {
		source  string
		records []string
		want    delegation.Reason
	}{
		{tenantA, []string{recordOfDomain(t, tenantA, service, targets(at))}, delegation.Verified},
		{tenantB, nil, delegation.PeerNameMismatch},
		{tenantB, []string{recordOfDomain(t, tenantB, service, targets(at))}, delegation.Verified},
		{tenantB, []string{recordOfDomain(t, tenantA, service, targets(at))}, delegation.PeerNameMismatch},
		{host, nil, delegation.Verified}, // the provider as itself
	} {
		q := association.Question{Source: claim.source, Service: service, Direction: association.Incoming}
		_, err := decide(t, q, evidenceOf(claim.source, service, claim.records)).Accept(nowhere, peers(), cs.PeerCertificates)
		wantReason(t, claim.want, err)
		q.Direction = association.Outgoing
		_, err = decide(t, q, evidenceOf(claim.source, service, claim.records)).Accept(nowhere, peers(), cs.PeerCertificates)
		wantReason(t, delegation.MissingInput, err)
	}
}

// TestMutual: both servers of a connection check each other, each for the
// domain that it wants to speak with.
func TestMutual(t *testing.T) {
	elsewhere := delegation.Endpoint{Host: "xmpp.other-hosting.example", Port: 5269}
	calling := decide(t, association.Question{Source: tenantA, Service: service, Direction: association.Incoming},
		evidenceOf(tenantA, service, []string{recordOfDomain(t, tenantA, service, targets(elsewhere))}))
	called := decide(t, question(association.Outgoing), evidence([]string{statement(t, targets(at))}))
	for _, c := range []struct {
		name           string
		caller, callee *keys.Signer
		server, client delegation.Reason
	}{
		{"each by its provider", of(t, elsewhere.Host), of(t, host), delegation.Verified, delegation.Verified},
		{"the providers exchanged", of(t, host), of(t, elsewhere.Host), delegation.PeerNameMismatch, delegation.PeerNameMismatch},
		{"the caller by the provider of the called", of(t, host), of(t, host), delegation.PeerNameMismatch, delegation.Verified},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := association.ServerConfig(withCertificate(c.callee), calling, peers())
			client := withCertificate(c.caller)
			var said error
			check := called.ConnectionCheck(at, peers())
			client.VerifyConnection = func(cs tls.ConnectionState) error {
				said = check(cs)
				return said
			}
			_, serverErr, _ := handshake(t, server, client)
			wantReason(t, c.client, said)
			if c.client == delegation.Verified {
				wantReason(t, c.server, serverErr)
			} else if serverErr == nil {
				t.Error("the server goes on with a client that has gone")
			}
		})
	}
}
