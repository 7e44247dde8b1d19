package association_test

import (
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// These tests keep what a security review found mended.

// silent is evidence of a domain whose TXT records could not be looked at.
func silent(domain, label string, answers ...delegation.SRVAnswer) *delegation.Evidence {
	e := evidenceOf(domain, label, nil, answers...)
	e.TXT[0].Failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "no answer"}
	e.TXT[0].DNSSEC = delegation.Indeterminate
	return e
}

// TestNowhere: a service without a default port has nowhere to connect to, for
// the reason why there is no statement.
func TestNowhere(t *testing.T) {
	const imap = "_imap._tcp"
	q := association.Question{Source: source, Service: imap, Direction: association.Outgoing}
	revocation := statement(targets(), func(s *delegation.Statement) { s.Service = imap })
	for _, c := range []struct {
		name     string
		evidence *delegation.Evidence
		want     reasons.Reason
	}{
		{"nothing", evidenceOf(source, imap, nil), reasons.NoStatement},
		{"lookup failed", silent(source, imap), reasons.DNSTimeout},
		{"revoked", evidenceOf(source, imap, []string{revocation}), reasons.Revoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decide(t, q, c.evidence).Dial()
			wantReason(t, c.want, err)
		})
	}
}
