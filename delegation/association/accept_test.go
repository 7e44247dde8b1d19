package association_test

import (
	"crypto/sha256"
	"crypto/x509"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// A meeting is a peer that shows its certificate after a decision was made. The
// base case is outgoing, to the one target of a statement, without SRV.
type meeting struct {
	t        *testing.T
	question association.Question
	evidence *delegation.Evidence
	policy   delegation.Policy
	at       delegation.Endpoint
	chain    []*x509.Certificate
	peers    delegation.PeerPolicy
}

func newMeeting(t *testing.T) *meeting {
	return &meeting{
		t: t, question: question(association.Outgoing), evidence: evidence([]string{statement(targets(at))}),
		policy: policy(), at: at, chain: of(host).Chain(), peers: peers(),
	}
}

func (m *meeting) accept() (*association.Acceptance, error) {
	m.t.Helper()
	a, err := association.Decide(m.question, m.evidence, m.policy)
	if err != nil {
		m.t.Fatal(err)
	}
	return a.Accept(m.at, m.peers, m.chain)
}

// spoil is what is different in a case.
type spoil func(*meeting)

func all(list ...spoil) spoil {
	return func(m *meeting) {
		for _, s := range list {
			s(m)
		}
	}
}

func incoming(m *meeting) { m.question.Direction, m.at = association.Incoming, nowhere }

func says(list ...delegation.Target) spoil {
	return func(m *meeting) { m.evidence.TXT[0].Records = []string{statement(list)} }
}

func saysNothing(m *meeting) { m.evidence.TXT[0].Records = nil }

func hasSRV(state delegation.DNSSEC, endpoints ...delegation.Endpoint) spoil {
	return func(m *meeting) { m.evidence.SRV = one(state, endpoints...) }
}

func secureOnly(m *meeting) { all(saysNothing, hasSRV(delegation.Secure, at))(m) }

func reaches(e delegation.Endpoint) spoil { return func(m *meeting) { m.at = e } }

func shows(edit func(*x509.Certificate)) spoil {
	return func(m *meeting) { m.chain = issue(edit).Chain() }
}

func names(list ...string) spoil {
	return shows(func(c *x509.Certificate) { c.DNSNames = list })
}

func clock(t time.Time) spoil {
	return func(m *meeting) { m.peers.Now = func() time.Time { return t } }
}

func pinned(pins ...delegation.Pin) spoil {
	return says(delegation.Target{Endpoint: at, SPKI: pins})
}

func pinOf(s *keys.Signer) delegation.Pin {
	return sha256.Sum256(s.Leaf().RawSubjectPublicKeyInfo)
}

type acceptCase struct {
	name   string
	spoil  spoil
	want   reasons.Reason
	method association.Method // if verified
}

// acceptCases are what the test vectors cannot say: endpoints that do not belong to the
// direction, and policies without a part.
func acceptCases() []acceptCase {
	return []acceptCase{
		{"delegated", all(), reasons.Verified, association.Delegation},
		{"delegated, incoming", incoming, reasons.Verified, association.Delegation},
		{"a nanosecond before the proof ends", clock(now.Add(13*day - 1)), reasons.Verified, association.Delegation},
		{"outgoing without an endpoint", reaches(nowhere), reasons.MissingInput, ""},
		{"incoming with an endpoint", all(incoming, reaches(at)), reasons.MissingInput, ""},
		{"zero policy", func(m *meeting) { m.peers = delegation.PeerPolicy{} }, reasons.MissingInput, ""},
	}
}

// TestAccept holds peers to associations.
func TestAccept(t *testing.T) {
	for _, c := range acceptCases() {
		t.Run(c.name, func(t *testing.T) {
			m := newMeeting(t)
			c.spoil(m)
			got, err := m.accept()
			wantReason(t, c.want, err)
			if (got != nil) != (c.want == reasons.Verified) {
				t.Fatalf("acceptance %+v with %v", got, err)
			}
			if got != nil && (got.Reference.Method != c.method || got.Source != source || got.Direction != m.question.Direction || !got.Until.Equal(now.Add(13*day))) {
				t.Errorf("accepted %+v, want %s", got, c.method)
			}
		})
	}
}

// TestZeroAssociation: one that Decide did not make accepts nobody.
func TestZeroAssociation(t *testing.T) {
	zero := new(association.Association)
	_, err := zero.Accept(at, peers(), of(host).Chain())
	wantReason(t, reasons.PeerNameMismatch, err)
	_, err = zero.Accept(nowhere, peers(), of(host).Chain())
	wantReason(t, reasons.MissingInput, err)
}

// TestAcceptAnywhere is about connections that another program dialled.
func TestAcceptAnywhere(t *testing.T) {
	tests := []struct {
		name   string
		spoil  spoil
		reason reasons.Reason
	}{
		{"a delegated target", says(targets(at)...), ""},
		{"secure SRV", secureOnly, ""},
		{"the source itself", names(source), ""},
		{"incoming", incoming, ""},
		{"another name", names("evil.example"), reasons.PeerNameMismatch},
		{"nothing proven", saysNothing, reasons.PeerNameMismatch},
		{"insecure SRV", all(saysNothing, hasSRV(delegation.Insecure, at)), reasons.PeerNameMismatch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMeeting(t)
			test.spoil(m)
			a, err := association.Decide(m.question, m.evidence, m.policy)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.AcceptAnywhere(m.peers, m.chain); delegation.ReasonOf(err) != test.reason {
				t.Errorf("%v, want %s", err, test.reason)
			}
		})
	}
}
