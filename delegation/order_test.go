package delegation

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// another gives a second token, drafted as edit wants.
func (tr *trial) another(edit func(d *draft)) []byte {
	d := tr.laboratory.draft()
	edit(d)
	return d.sign()
}

// beside is a spoiler that adds a second statement to the first, in a document.
func beside(edit func(d *draft)) func(*trial) {
	return func(tr *trial) {
		tr.adjust = func(e *Evidence) { e.Documents = append(e.Documents, document(tr.another(edit))) }
	}
}

func elsewhere(d *draft) { d.statement.Targets[0].Host = "other.hosting.example" }

func revocation(d *draft) { d.statement.Targets = nil }

func forDirect(d *draft) { d.statement.Service = direct }

func later(by time.Duration) func(d *draft) {
	return func(d *draft) { d.statement.Issued = d.statement.Issued.Add(by) }
}

// byCertificateOf signs with a certificate that begins then.
func byCertificateOf(notBefore time.Time) func(d *draft) {
	return func(d *draft) {
		d.signer = d.issue("P-256", func(c *x509.Certificate) { c.NotBefore = notBefore })
	}
}

func all(edits ...func(d *draft)) func(d *draft) {
	return func(d *draft) {
		for _, edit := range edits {
			edit(d)
		}
	}
}

// baseOrder is the order of the base case.
var baseOrder = Order{SignerNotBefore: now.Add(-10 * day), Issued: goodStatement().Issued}

// remembered is a spoiler that sets a floor.
func remembered(floors ...Floor) func(*trial) {
	return func(tr *trial) { tr.policy.Floor = floors }
}

func floorAt(service string, signer, issued time.Duration, targets []Target) Floor {
	return Floor{
		service, Order{baseOrder.SignerNotBefore.Add(signer), baseOrder.Issued.Add(issued)}, DigestTargets(targets),
		goodStatement().Expires,
	}
}

func orderCases() []verifyCase {
	same := goodStatement().Targets
	other := []Target{{Endpoint: Endpoint{"other.hosting.example", 5269}}}
	return []verifyCase{
		{"floor below", remembered(floorAt(service, 0, -time.Second, other)), Verified},
		{"floor of an older certificate, issued later", remembered(floorAt(service, -time.Second, day, other)), Verified},
		{"floor equal", remembered(floorAt(service, 0, 0, same)), Verified},
		{"floor equal, other targets", remembered(floorAt(service, 0, 0, other)), Conflict},
		{"floor equal, revoked", remembered(floorAt(service, 0, 0, nil)), Conflict},
		{"floor above", remembered(floorAt(service, 0, time.Second, same)), Superseded},
		{"floor of a newer certificate, issued earlier", remembered(floorAt(service, time.Second, -day, same)), Superseded},
		{"floor revoked below", remembered(floorAt(service, 0, -time.Second, nil)), Verified},
		{"floor revoked above", remembered(floorAt(service, 0, time.Second, nil)), Superseded},
		{"zero floor", remembered(Floor{Service: service}), Verified},
		{"floor of another service above", remembered(floorAt("_xmpp-client._tcp", 0, day, nil)), Verified},
		{"floor of the other label above", remembered(floorAt(direct, 0, day, same)), Verified},
		{"floor of the other label revoked above", remembered(floorAt(direct, 0, time.Second, nil)), Superseded},
		{"floor of the other label revoked equal", remembered(floorAt(direct, 0, 0, nil)), Superseded},
		{"floor of the other label revoked below", remembered(floorAt(direct, 0, -time.Second, nil)), Verified},
		{"two floors, the second above", remembered(floorAt(direct, 0, 0, same), floorAt(service, 0, time.Second, same)), Superseded},
		{"stolen old key after a new certificate", func(tr *trial) {
			byCertificateOf(now.Add(-20 * day))(tr.draft)
			later(time.Hour)(tr.draft)
			remembered(floorAt(service, 0, 0, same))(tr)
		}, Superseded},

		{"revoked", func(tr *trial) { revocation(tr.draft) }, Revoked},
		{"revoked, the floor revoked too", func(tr *trial) {
			revocation(tr.draft)
			remembered(floorAt(service, 0, 0, nil), floorAt(direct, 0, time.Second, nil))(tr)
		}, Revoked},
		{"revoked later", beside(all(revocation, later(time.Second))), Revoked},
		{"revoked at the same time", beside(revocation), Conflict},
		{"revoked earlier", beside(all(revocation, later(-time.Second))), Verified},
		{"revoked by a newer certificate, issued earlier", beside(all(revocation, byCertificateOf(now.Add(-9*day)), later(-time.Minute))), Revoked},
		{"revoked by an older certificate, issued later", beside(all(revocation, byCertificateOf(now.Add(-11*day)), later(time.Minute))), Verified},
		{"other label revoked", beside(all(revocation, forDirect)), Revoked},
		{"other label revoked earlier", beside(all(revocation, forDirect, later(-time.Minute))), Revoked},
		{"other label revoked, asked about that", func(tr *trial) {
			tr.query.Service = direct
			beside(all(revocation, forDirect))(tr)
			tr.evidence = evidenceOf(txtAnswer(TXTRecord(JWS, tr.sign())))
			tr.evidence.Service = direct
		}, Revoked},
		{"another role revoked", beside(all(revocation, func(d *draft) { d.statement.Service = "_xmpp-client._tcp" })), Verified},

		{"the same octets twice", func(tr *trial) {
			tr.adjust = func(e *Evidence) { e.TXT[0].Records = append(e.TXT[0].Records, e.TXT[0].Records[0]) }
		}, Verified},
		{"the same order and targets", beside(func(d *draft) { d.statement.ID[1]++ }), Verified},
		{"the same order, targets in another sequence", func(tr *trial) {
			two := []Target{goodStatement().Targets[0], other[0]}
			tr.statement.Targets = two
			beside(func(d *draft) { d.statement.Targets = []Target{two[1], two[0]} })(tr)
		}, Verified},
		{"the same order, other targets", beside(elsewhere), Conflict},
		{"the same order, another priority", beside(func(d *draft) { d.statement.Targets[0].Priority++ }), Conflict},
		{"the same order, another weight", beside(func(d *draft) { d.statement.Targets[0].Weight++ }), Conflict},
		{"the same order, with a pin", beside(func(d *draft) { d.statement.Targets[0].SPKI = []Pin{{1}} }), Conflict},
		{"the same order, other targets, for the other label", beside(all(elsewhere, forDirect)), Verified},
		{"a conflict below the highest order", func(tr *trial) {
			tr.adjust = func(e *Evidence) {
				e.TXT[0].Records = append(e.TXT[0].Records,
					TXTRecord(JWS, tr.another(later(-time.Second))), TXTRecord(JWS, tr.another(all(later(-time.Second), elsewhere))))
			}
		}, Verified},
		{"a conflict, and the other label agrees", func(tr *trial) {
			tr.adjust = func(e *Evidence) {
				e.TXT[0].Records = append(e.TXT[0].Records,
					TXTRecord(JWS, tr.another(elsewhere)), TXTRecord(JWS, tr.another(forDirect)))
			}
		}, Verified},
	}
}

func TestOrder(t *testing.T) { runCases(t, 38, orderCases()) }

// TestHighestCounts: of several statements the one of the highest order counts.
func TestHighestCounts(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(d *draft)
		want string // the host
	}{
		{"newer", all(elsewhere, later(time.Second)), "other.hosting.example"},
		{"older", all(elsewhere, later(-time.Second)), host},
		{"newer by an older certificate", all(elsewhere, later(time.Second), byCertificateOf(now.Add(-11*day))), host},
		{"older by a newer certificate", all(elsewhere, later(-time.Second), byCertificateOf(now.Add(-9*day))), "other.hosting.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			beside(c.edit)(tr)
			result, err := tr.verify()
			wantEnd(t, Verified, result, err)
			if targets := result.Targets(); len(targets) != 1 || targets[0].Host != c.want {
				t.Errorf("got %v, want %s", targets, c.want)
			}
		})
	}
}

// TestEqualStatements: of equal ones the one whose proof ends last counts.
func TestEqualStatements(t *testing.T) {
	for _, by := range []time.Duration{-day, day} {
		tr := newTrial(t)
		beside(func(d *draft) { d.statement.Expires = d.statement.Expires.Add(by) })(tr)
		result, err := tr.verify()
		wantEnd(t, Verified, result, err)
		if want := goodStatement().Expires.Add(max(by, 0)); !result.ValidUntil().Equal(want) {
			t.Errorf("ends %s, want %s", result.ValidUntil(), want)
		}
		if n := len(result.Statements()); n != 1 {
			t.Errorf("%d statements", n)
		}
	}
}

// TestFloors: what a verification gives to remember, verified or not.
func TestFloors(t *testing.T) {
	good := floorAt(service, 0, 0, goodStatement().Targets)
	for _, c := range []struct {
		name  string
		spoil func(*trial)
		end   Reason
		want  []Floor
		word  bool // of the owner's
	}{
		{"verified", func(*trial) {}, Verified, []Floor{good}, true},
		{"both labels", beside(forDirect), Verified, []Floor{good, floorAt(direct, 0, 0, goodStatement().Targets)}, true},
		{"revoked", func(tr *trial) { revocation(tr.draft) }, Revoked, []Floor{floorAt(service, 0, 0, nil)}, true},
		{"another target", asked("evil.example", 5269), TargetMismatch, []Floor{good}, true},
		{"other label revoked", beside(all(revocation, forDirect)), Revoked, []Floor{good, floorAt(direct, 0, 0, nil)}, true},
		{"conflict", beside(elsewhere), Conflict, nil, true},
		{"refused", at(now.Add(100 * day)), Expired, nil, false},
		{"superseded", remembered(floorAt(service, 0, time.Second, nil)), Superseded, nil, false},
		{"rejected by the policy", func(tr *trial) {
			tr.policy.SignerCheck = func([]*x509.Certificate) error { return errRejected }
		}, SignerRejected, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			wantEnd(t, c.end, result, err)
			var got []Floor
			if err == nil {
				got = result.Floors()
			} else {
				refusal := wantRefusal(t, c.end, err)
				got = refusal.Floors
				if refusal.Authentic != c.word {
					t.Errorf("authentic is %t", refusal.Authentic)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for _, f := range got {
				if err := f.CheckAgainst([]Floor{f}); err != nil {
					t.Errorf("it is not what is remembered: %v", err)
				}
				higher := f
				higher.Order.Issued = higher.Order.Issued.Add(time.Second)
				wantRefusal(t, Superseded, f.CheckAgainst([]Floor{higher}))
				different := f
				different.Targets[0]++
				wantRefusal(t, Conflict, f.CheckAgainst([]Floor{different}))
			}
		})
	}
}

// TestHiddenRevocation: a verifier with a memory that has seen a revocation,
// of either label, does not take the older statement when the revocation is
// hidden, and takes a newer one.
func TestHiddenRevocation(t *testing.T) {
	for _, label := range []string{service, direct} {
		t.Run(label, func(t *testing.T) {
			tr := newTrial(t)
			beside(all(revocation, later(time.Second), func(d *draft) { d.statement.Service = label }))(tr)
			_, err := tr.verify()
			floors := wantRefusal(t, Revoked, err).Floors

			tr = newTrial(t)
			tr.policy.Floor = floors
			_, err = tr.verify()
			wantRefusal(t, Superseded, err)

			tr = newTrial(t)
			tr.policy.Floor = floors
			later(time.Minute)(tr.draft)
			result, err := tr.verify()
			wantEnd(t, Verified, result, err)
		})
	}
}
