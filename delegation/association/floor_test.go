package association_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A store is a memory of floors that others write to.
type store struct {
	floor atomic.Pointer[delegation.Floor]
	asked atomic.Int32
}

func (s *store) raise(f delegation.Floor) { s.floor.Store(&f) }

func (s *store) policy(t *testing.T) delegation.PeerPolicy {
	p := peers()
	p.Floor = func(domain, role string) delegation.Floor {
		s.asked.Add(1)
		if role != service || domain != tenantA && domain != tenantB {
			t.Errorf("asked for the floor of %s of %s", role, domain)
		}
		if f := s.floor.Load(); f != nil {
			return *f
		}
		return delegation.Floor{}
	}
	return p
}

// floors around that of a statement.
func renewal(f delegation.Floor) delegation.Floor {
	f.Order.Issued = f.Order.Issued.Add(time.Second)
	return f
}

func above(f delegation.Floor) delegation.Floor { return withOtherTargets(renewal(f)) }

func byNewerCertificate(f delegation.Floor) delegation.Floor {
	f.Order = delegation.Order{Issuance: f.Order.Issuance.Add(time.Millisecond), Issued: f.Order.Issued.Add(-time.Hour)}
	return withOtherTargets(f)
}

func contradictory(f delegation.Floor) delegation.Floor {
	f.Targets = delegation.Contradiction
	return f
}

func withOtherTargets(f delegation.Floor) delegation.Floor {
	f.Targets = delegation.DigestTargets(targets(backup))
	return f
}

// TestFloorAtConnection: a floor that rises between Decide and Accept takes away
// what the statement proved, and nothing else.
func TestFloorAtConnection(t *testing.T) {
	const yes = reasons.Verified
	secureToo := hasSRV(delegation.Secure, at)
	same := func(f delegation.Floor) delegation.Floor { return f }
	none := func(delegation.Floor) delegation.Floor { return delegation.Floor{} }
	below := func(f delegation.Floor) delegation.Floor {
		f.Order.Issued = f.Order.Issued.Add(-time.Second)
		return withOtherTargets(f)
	}
	for _, c := range []struct {
		name   string
		spoil  spoil
		floor  func(delegation.Floor) delegation.Floor
		want   reasons.Reason
		method association.Method
	}{
		{"nothing remembered", all(), none, yes, association.Delegation},
		{"its own floor", all(), same, yes, association.Delegation},
		{"a floor below", all(), below, yes, association.Delegation},
		{"a renewal", all(), renewal, yes, association.Delegation},
		{"a renewal, incoming", incoming, renewal, yes, association.Delegation},
		{"a renewal, name of another", names("other.example"), renewal, reasons.PeerNameMismatch, ""},
		{"a newer statement", all(), above, reasons.Superseded, ""},
		{"a newer statement, incoming", incoming, above, reasons.Superseded, ""},
		{"a newer certificate by a millisecond", all(), byNewerCertificate, reasons.Superseded, ""},
		{"a contradiction", all(), contradictory, reasons.Conflict, ""},
		{"a contradiction, incoming", incoming, contradictory, reasons.Conflict, ""},
		{"other targets in the same second", all(), withOtherTargets, reasons.Conflict, ""},
		{"a newer statement, certificate of the source", names(source), above, yes, association.PKIX},
		{"a newer statement, certificate of the source, incoming", all(incoming, names(source)), above, yes, association.PKIX},
		{"a newer statement, both names", names(host, source), above, yes, association.PKIX},
		{"a newer statement, secure SRV", secureToo, above, yes, association.DNSSEC},
		{"a newer statement, secure SRV, incoming", all(incoming, secureToo), above, yes, association.DNSSEC},
		{"a contradiction, secure SRV", secureToo, contradictory, yes, association.DNSSEC},
		{"a contradiction, certificate of the source", names(source), contradictory, yes, association.PKIX},
		{"a newer statement, secure SRV that has ended", all(secureToo, clock(now.Add(time.Hour))), above, reasons.ProofExpired, ""},
		// What else is wrong with the peer comes first, or is no matter of names.
		{"a newer statement, the chain is not trusted", func(m *meeting) { m.chain = m.chain[:1] }, above, reasons.PeerUntrusted, ""},
		{"a newer statement, name of another", names("other.example"), above, reasons.Superseded, ""},
		{"a newer statement, another endpoint", reaches(delegation.Endpoint{Host: "elsewhere.example", Port: 1}), above, reasons.Superseded, ""},
		{"a newer statement, wrong pin", pinned(delegation.Pin{1}), above, reasons.Superseded, ""},
		{"a newer statement, the proof has ended", clock(now.Add(13 * day)), above, reasons.Superseded, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, s := newMeeting(t), new(store)
			c.spoil(m)
			a, err := association.Decide(m.question, m.evidence, m.policy)
			if err != nil {
				t.Fatal(err)
			}
			if a.Floor().IsZero() {
				t.Fatal("the decision has no floor")
			}
			p := s.policy(t)
			p.Now = m.peers.Now
			s.raise(c.floor(a.Floor()))
			got, err := a.Accept(m.at, p, m.chain)
			wantReason(t, c.want, err)
			if (got != nil) != (c.method != "") || got != nil && got.Reference.Method != c.method {
				t.Errorf("accepted %+v, want %s", got, c.method)
			}
			if n := s.asked.Load(); n > 1 {
				t.Errorf("the floor was asked for %d times", n)
			}
			if m.at == nowhere {
				got, err = a.AcceptAnywhere(p, m.chain)
				wantReason(t, c.want, err)
				if (got != nil) != (c.method != "") {
					t.Errorf("accepted anywhere: %+v", got)
				}
			}
		})
	}
}

// TestFloorOfSecondLabel: whoever asks for the second label is answered with
// the floor of the role.
func TestFloorOfSecondLabel(t *testing.T) {
	q, s := question(association.Outgoing), new(store)
	q.Service = direct
	a := decide(t, q, evidence([]string{statement(targets(at))}))
	s.raise(above(a.Floor()))
	_, err := a.Accept(at, s.policy(t), of(host).Chain())
	wantReason(t, reasons.Superseded, err)
}
