package association_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
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
		t: t, question: question(association.Outgoing), evidence: evidence([]string{statement(t, targets(at))}),
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
	return func(m *meeting) { m.evidence.TXT[0].Records = []string{statement(m.t, list)} }
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

func purposes(list ...x509.ExtKeyUsage) spoil {
	return shows(func(c *x509.Certificate) { c.DNSNames, c.ExtKeyUsage = []string{host}, list })
}

func clock(t time.Time) spoil {
	return func(m *meeting) { m.peers.Now = func() time.Time { return t } }
}

func pinned(pins ...delegation.Pin) spoil {
	return says(delegation.Target{Endpoint: at, SPKI: pins})
}

func replayed(m *meeting) {
	data, err := json.Marshal(m.evidence)
	if err != nil {
		m.t.Fatal(err)
	}
	m.evidence = new(delegation.Evidence)
	if err := json.Unmarshal(data, m.evidence); err != nil {
		m.t.Fatal(err)
	}
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

func acceptCases(t *testing.T) []acceptCase {
	const (
		yes = reasons.Verified
		no  = reasons.PeerNameMismatch
	)
	right, wrong := pinOf(of(host)), delegation.Pin{1}
	expires := now.Add(13 * day)
	wrongPort := delegation.Endpoint{Host: host, Port: 443}
	elsewhere := delegation.Endpoint{Host: "elsewhere.example", Port: 5269}
	client := func(m *meeting) {
		m.question.Service = "_xmpp-client._tcp"
		record := statement(m.t, targets(at), func(s *delegation.Statement) { s.Service = m.question.Service })
		m.evidence = evidenceOf(source, m.question.Service, []string{record})
	}
	return []acceptCase{
		{"delegated", all(), yes, association.Delegation},
		{"delegated, incoming", incoming, yes, association.Delegation},
		{"certificate of the source", names(source), yes, association.PKIX},
		{"certificate of the source, incoming", all(incoming, names(source)), yes, association.PKIX},
		{"certificate of the source, no statement", all(saysNothing, names(source)), yes, association.PKIX},
		{"certificate of the source, revoked", all(says(), names(source)), yes, association.PKIX},
		{"certificate of the source, SRV bogus", all(hasSRV(delegation.Bogus), names(source)), yes, association.PKIX},
		{"certificate of the source at any endpoint", all(reaches(elsewhere), names(source)), yes, association.PKIX},
		{"secure SRV", secureOnly, yes, association.DNSSEC},
		{"secure SRV, incoming", all(secureOnly, incoming), yes, association.DNSSEC},
		{"secure SRV and a statement", hasSRV(delegation.Secure, at), yes, association.DNSSEC},
		{"secure SRV and a statement, which comes first", all(hasSRV(delegation.Secure, at), func(m *meeting) { m.question.StatementFirst = true }), yes, association.DNSSEC},
		{"several names, the source among them", names(host, "other.example", source), yes, association.PKIX},
		{"several names, the target among them", names("other.example", host), yes, association.Delegation},
		{"several targets, one of them named", says(targets(backup, at)...), yes, association.Delegation},
		{"several targets, one of them named, incoming", all(says(targets(backup, at)...), incoming), yes, association.Delegation},
		{"insecure SRV, delegated", hasSRV(delegation.Insecure, at), yes, association.Delegation},
		{"insecure SRV of others, incoming", all(hasSRV(delegation.Insecure, elsewhere), incoming), yes, association.Delegation},
		{"SRV bogus, incoming", all(hasSRV(delegation.Bogus), incoming), yes, association.Delegation},

		{"insecure SRV only", all(saysNothing, hasSRV(delegation.Insecure, at)), no, ""},
		{"insecure SRV only, incoming", all(saysNothing, hasSRV(delegation.Insecure, at), incoming), no, ""},
		{"no SRV, no statement", saysNothing, no, ""},
		{"no SRV, no statement, incoming", all(saysNothing, incoming), no, ""},
		{"revoked", says(), no, ""},
		{"revoked, incoming", all(says(), incoming), no, ""},
		{"SRV bogus", hasSRV(delegation.Bogus), no, ""},
		{"statement that secure SRV leaves out", all(hasSRV(delegation.Secure, elsewhere), incoming), no, ""},
		{"insecure SRV without the target", all(says(targets(at, backup)...), hasSRV(delegation.Insecure, backup)), reasons.TargetMismatch, ""},
		{"secure SRV in replayed evidence", all(secureOnly, replayed), no, ""},
		{"secure SRV in replayed evidence, incoming", all(secureOnly, incoming, replayed), no, ""},
		{"secure SRV in replayed evidence that is believed", all(secureOnly, replayed, func(m *meeting) { m.policy.BelieveReplayedDNSSEC = true }), yes, association.DNSSEC},

		{"name of another", names("other.example"), no, ""},
		{"name of another, incoming", all(incoming, names("other.example")), no, ""},
		{"name of a parent of the source", names("example"), no, ""},
		{"name below the source", names("im.b.example"), no, ""},
		{"name below the target", names("a." + host), no, ""},
		{"no names", names(), no, ""},
		{"common name of the target only", shows(func(c *x509.Certificate) { c.Subject.CommonName = host }), no, ""},
		{"common name of the source only", shows(func(c *x509.Certificate) { c.Subject.CommonName = source }), no, ""},
		{"common name of the source only, incoming", all(incoming, shows(func(c *x509.Certificate) { c.Subject.CommonName = source })), no, ""},
		{"name in upper case", names("XMPP.Hosting.example"), yes, association.Delegation},
		{"wildcard that covers the target", names("*.hosting.example"), yes, association.Delegation},
		{"wildcard that covers the source", names("*.example"), yes, association.PKIX},
		{"wildcard two labels above the target", names("*.example.", "*.com"), no, ""},
		{"wildcard within a label", names("x*.hosting.example"), no, ""},
		{"certificate of another target", all(says(targets(at, backup)...), names(backup.Host)), no, ""},
		{"certificate of another target, incoming", all(says(targets(at, backup)...), incoming, names(backup.Host)), yes, association.Delegation},

		{"another endpoint", reaches(elsewhere), reasons.TargetMismatch, ""},
		{"another endpoint, the certificate is its own", all(reaches(elsewhere), names(elsewhere.Host)), reasons.TargetMismatch, ""},
		{"another port", reaches(wrongPort), reasons.PortMismatch, ""},
		{"another port of one of several targets", all(says(targets(at, backup)...), reaches(wrongPort)), reasons.PortMismatch, ""},
		{"another endpoint, secure SRV", all(secureOnly, reaches(elsewhere)), reasons.TargetMismatch, ""},
		{"another port, secure SRV", all(secureOnly, reaches(wrongPort)), reasons.PortMismatch, ""},
		{"another endpoint, nothing proven", all(saysNothing, reaches(elsewhere)), no, ""},
		{"another port, the chain is not trusted", all(reaches(wrongPort), purposes(x509.ExtKeyUsageClientAuth)), reasons.PeerUntrusted, ""},
		{"outgoing without an endpoint", reaches(nowhere), reasons.MissingInput, ""},
		{"incoming with an endpoint", all(incoming, reaches(at)), reasons.MissingInput, ""},

		{"right pin", pinned(right), yes, association.Delegation},
		{"right pin, incoming", all(pinned(right), incoming), yes, association.Delegation},
		{"right pin among others", pinned(wrong, right), yes, association.Delegation},
		{"wrong pin", pinned(wrong), reasons.PeerKeyMismatch, ""},
		{"wrong pin, incoming", all(pinned(wrong), incoming), reasons.PeerKeyMismatch, ""},
		{"pin of the intermediate", pinned(delegation.Pin(sha256.Sum256(ca().Certificate.RawSubjectPublicKeyInfo))), reasons.PeerKeyMismatch, ""},
		{"wrong pin, certificate of the source", all(pinned(wrong), names(source)), yes, association.PKIX},
		{"wrong pin on this port, right one on another", says(
			delegation.Target{Endpoint: at, SPKI: []delegation.Pin{wrong}},
			delegation.Target{Endpoint: wrongPort, SPKI: []delegation.Pin{right}}), reasons.PeerKeyMismatch, ""},
		{"wrong pin on a port, right one on another, incoming", all(incoming, says(
			delegation.Target{Endpoint: at, SPKI: []delegation.Pin{wrong}},
			delegation.Target{Endpoint: wrongPort, SPKI: []delegation.Pin{right}})), yes, association.Delegation},
		{"wrong pin, and secure SRV", all(pinned(wrong), hasSRV(delegation.Secure, at)), yes, association.DNSSEC},

		{"no extKeyUsage", purposes(), yes, association.Delegation},
		{"no extKeyUsage, incoming", all(incoming, purposes()), yes, association.Delegation},
		{"for serverAuth, incoming", all(incoming, purposes(x509.ExtKeyUsageServerAuth)), yes, association.Delegation},
		{"for both", all(incoming, purposes(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth)), yes, association.Delegation},
		{"for clientAuth only", purposes(x509.ExtKeyUsageClientAuth), reasons.PeerUntrusted, ""},
		{"for clientAuth only, incoming", all(incoming, purposes(x509.ExtKeyUsageClientAuth)), reasons.PeerUntrusted, ""},
		{"for clientAuth only, certificate of the source", all(incoming, shows(func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{source}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		})), reasons.PeerUntrusted, ""},

		{"a second before the proof ends", clock(expires.Add(-time.Second)), yes, association.Delegation},
		{"a nanosecond before the proof ends", clock(expires.Add(-1)), yes, association.Delegation},
		{"the proof has ended", clock(expires), reasons.ProofExpired, ""},
		{"the proof has ended, incoming", all(incoming, clock(expires)), reasons.ProofExpired, ""},
		{"the proof has ended, and the pin is wrong", all(pinned(wrong), clock(expires)), reasons.ProofExpired, ""},
		{"the proof has ended, and the name is another", all(names("other.example"), clock(expires)), no, ""},
		{"the proof has ended, certificate of the source", all(names(source), clock(expires)), yes, association.PKIX},
		{"the TTL has not passed", all(secureOnly, clock(now.Add(time.Hour-1))), yes, association.DNSSEC},
		{"the TTL has passed", all(secureOnly, clock(now.Add(time.Hour))), reasons.ProofExpired, ""},
		{"the TTL has passed, incoming", all(secureOnly, incoming, clock(now.Add(time.Hour))), reasons.ProofExpired, ""},

		{"the peer's chain has ended", all(names(source), clock(now.Add(60*day+time.Second))), reasons.PeerUntrusted, ""},
		{"the last second of the peer's chain", all(names(source), clock(now.Add(60*day))), yes, association.PKIX},
		{"the peer's chain has not begun", clock(now.Add(-11 * day)), reasons.PeerUntrusted, ""},
		{"no certificate", func(m *meeting) { m.chain = nil }, reasons.PeerUntrusted, ""},
		{"no intermediate", func(m *meeting) { m.chain = m.chain[:1] }, reasons.PeerUntrusted, ""},
		{"trust anchor of others", func(m *meeting) {
			other, err := localca.New("Other Root", now)
			if err != nil {
				m.t.Fatal(err)
			}
			m.peers.Roots = other.Pool()
		}, reasons.PeerUntrusted, ""},
		{"no trust anchors", func(m *meeting) { m.peers.Roots = nil }, reasons.MissingInput, ""},
		{"no clock", func(m *meeting) { m.peers.Now = nil }, reasons.MissingInput, ""},
		{"zero policy", func(m *meeting) { m.peers = delegation.PeerPolicy{} }, reasons.MissingInput, ""},
		{"clock that says nothing", clock(time.Time{}), reasons.MissingInput, ""},

		{"client service", client, yes, association.Delegation},
		{"client service, incoming", all(client, incoming), no, ""},
		{"client service, incoming, certificate of the source", all(client, incoming, names(source)), yes, association.PKIX},
	}
}

// TestAccept holds peers to associations.
func TestAccept(t *testing.T) {
	cases := acceptCases(t)
	if len(cases) < 95 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMeeting(t)
			c.spoil(m)
			got, err := m.accept()
			wantReason(t, c.want, err)
			if (got != nil) != (c.want == reasons.Verified) {
				t.Fatalf("acceptance %+v with %v", got, err)
			}
			if got == nil {
				return
			}
			if got.Reference.Method != c.method || got.Source != source || got.Direction != m.question.Direction {
				t.Errorf("accepted %+v, want %s", got, c.method)
			}
			if at := m.peers.Now(); !at.Before(got.Until) {
				t.Errorf("accepted at %s until %s", at, got.Until)
			}
		})
	}
}

// TestAcceptUntil: an acceptance ends with the proof or with the peer's chain.
func TestAcceptUntil(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil spoil
		want  time.Time
	}{
		{"statement", all(), now.Add(13 * day)},
		{"TTL", secureOnly, now.Add(time.Hour)},
		{"chain, pkix", names(source), now.Add(60*day + time.Second)},
		{"chain, before the statement", shows(func(c *x509.Certificate) {
			c.DNSNames, c.NotAfter = []string{host}, now.Add(day)
		}), now.Add(day + time.Second)},
	} {
		m := newMeeting(t)
		c.spoil(m)
		got, err := m.accept()
		if err != nil || !got.Until.Equal(c.want) || got.Until.Location() != time.UTC {
			t.Errorf("%s: %+v, %v, want until %s", c.name, got, err, c.want)
		}
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
