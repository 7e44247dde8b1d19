package delegation

import (
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation/reasons"
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
var baseOrder = Order{Issuance: now.Add(-10 * day), Issued: goodStatement().Issued}

// remembered is a spoiler that sets a floor.
func remembered(f Floor) func(*trial) {
	return func(tr *trial) { tr.policy.Floor = f }
}

// floorAt is a floor at a distance from the base case.
func floorAt(signer, issued time.Duration, targets []Target) Floor {
	return Floor{
		Order: Order{baseOrder.Issuance.Add(signer), baseOrder.Issued.Add(issued)}, Targets: DigestTargets(targets),
		ValidUntil: goodStatement().Expires, SignerUntil: now.Add(80*day + time.Second),
	}
}

// contradictory is a floor at the base case that statements with different
// targets have made.
var contradictory = Floor{Order: baseOrder, Targets: Contradiction, ValidUntil: goodStatement().Expires, SignerUntil: now.Add(80*day + time.Second)}

func orderCases() []verifyCase {
	return []verifyCase{
		{"floor of a contradiction, revoked", both(func(tr *trial) { revocation(tr.draft) }, remembered(contradictory)), reasons.Conflict},
		{"the same order, direct TLS", beside(func(d *draft) { d.statement.Targets[0].TLS = Direct }), reasons.Conflict},
	}
}

func TestOrder(t *testing.T) { runCases(t, 2, orderCases()) }

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
			wantEnd(t, reasons.Verified, result, err)
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
		wantEnd(t, reasons.Verified, result, err)
		if want := goodStatement().Expires.Add(max(by, 0)); !result.ValidUntil().Equal(want) {
			t.Errorf("ends %s, want %s", result.ValidUntil(), want)
		}
	}
}

// TestFloor: what a verification gives to remember, verified or not.
func TestFloor(t *testing.T) {
	good := floorAt(0, 0, goodStatement().Targets)
	until := func(f Floor, end time.Time) Floor { f.ValidUntil = end; return f }
	for _, c := range []struct {
		name  string
		spoil func(*trial)
		end   reasons.Reason
		want  Floor
		word  bool // of the owner's
	}{
		{"verified", func(*trial) {}, reasons.Verified, good, true},
		{"verified, and an older one", beside(all(elsewhere, later(-time.Second))), reasons.Verified, good, true},
		{"equal, one for longer", beside(func(d *draft) { d.statement.Expires = d.statement.Expires.Add(day) }), reasons.Verified,
			until(good, goodStatement().Expires.Add(day)), true},
		{"revoked", func(tr *trial) { revocation(tr.draft) }, reasons.Revoked, floorAt(0, 0, nil), true},
		{"another target", asked("evil.example", 5269), reasons.TargetMismatch, good, true},
		{"SRV failed", answers(failed(srvAnswer(Insecure), reasons.DNSTimeout)), reasons.DNSTimeout, good, true},
		{"conflict", beside(elsewhere), reasons.Conflict, contradictory, true},
		{"conflict, and an older one", beside(all(elsewhere, later(-time.Second))), reasons.Verified, good, true},
		{"conflict, one for longer", beside(all(elsewhere, func(d *draft) { d.statement.Expires = d.statement.Expires.Add(day) })), reasons.Conflict,
			until(contradictory, goodStatement().Expires.Add(day)), true},
		{"refused", at(now.Add(100 * day)), reasons.Expired, Floor{}, false},
		{"superseded", remembered(floorAt(0, time.Second, nil)), reasons.Superseded, Floor{}, false},
		{"rejected by the policy", func(tr *trial) {
			tr.policy.SignerCheck = func([]*x509.Certificate) error { return errRejected }
		}, reasons.SignerRejected, Floor{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			wantEnd(t, c.end, result, err)
			var got Floor
			if err == nil {
				got = result.Floor()
			} else {
				refusal := wantRefusal(t, c.end, err)
				got = refusal.Floor
				if refusal.Authentic != c.word {
					t.Errorf("authentic is %t", refusal.Authentic)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestConflictRaisesFloor: after a contradiction neither of its statements nor
// an older one is accepted, whichever the network shows.
func TestConflictRaisesFloor(t *testing.T) {
	tr := newTrial(t)
	beside(elsewhere)(tr)
	_, err := tr.verify()
	floor := wantRefusal(t, reasons.Conflict, err).Floor
	for _, c := range []struct {
		name string
		edit func(*draft)
		want reasons.Reason
	}{
		{"the first", func(*draft) {}, reasons.Conflict},
		{"the second", elsewhere, reasons.Conflict},
		{"one below", later(-time.Second), reasons.Superseded},
		{"one above", later(time.Second), reasons.Verified},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.edit(tr.draft)
			tr.policy.Floor = floor
			result, err := tr.verify()
			wantEnd(t, c.want, result, err)
		})
	}
}

// TestJoin: joining floors is commutative, associative and idempotent, and never
// lowers one.
func TestJoin(t *testing.T) {
	var floors []Floor
	for _, signer := range []time.Duration{0, time.Millisecond} {
		for _, issued := range []time.Duration{0, time.Second} {
			for _, targets := range [][]Target{nil, goodStatement().Targets} {
				for _, longer := range []time.Duration{0, time.Hour} {
					f := floorAt(signer, issued, targets)
					f.ValidUntil = f.ValidUntil.Add(longer)
					floors = append(floors, f)
				}
			}
		}
	}
	floors = append(floors, Floor{}, contradictory)
	for _, a := range floors {
		if got := a.Join(a); got != a {
			t.Errorf("%v joined with itself is %v", a, got)
		}
		if err := a.CheckAgainst(Floor{}); err != nil {
			t.Errorf("%v where nothing is known: %v", a, err)
		}
		for _, b := range floors {
			ab := a.Join(b)
			if ab != b.Join(a) {
				t.Errorf("%v and %v: the order of joining matters", a, b)
			}
			if ab.Order.Compare(a.Order) < 0 || ab.Order.Compare(b.Order) < 0 {
				t.Errorf("%v joined with %v is %v", a, b, ab)
			}
			for _, c := range floors {
				if ab.Join(c) != a.Join(b.Join(c)) {
					t.Errorf("%v, %v and %v: grouping matters", a, b, c)
				}
			}
		}
	}
}

// TestFloorRequired: the two memories of docs/spec.md, O6 and O7.
func TestFloorRequired(t *testing.T) {
	delegated, revoked := floorAt(0, 0, goodStatement().Targets), floorAt(0, 0, nil)
	end := goodStatement().Expires
	for _, c := range []struct {
		name  string
		floor Floor
		at    time.Time
		want  bool
	}{
		{"none", Floor{}, time.Time{}, false},
		{"delegated", delegated, end.Add(-time.Second), true},
		{"delegated, the proof has ended", delegated, end, true},
		{"delegated, a second before 31 days", delegated, end.Add(31*day - time.Second), true},
		{"delegated, after 31 days", delegated, end.Add(31 * day), false},
		{"contradiction, a second before 31 days", contradictory, end.Add(31*day - time.Second), true},
		{"revoked", revoked, end.Add(-time.Second), true},
		{"revoked, the revocation has ended", revoked, end, false},
	} {
		if got := c.floor.Required(c.at); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if got, want := delegated.KeepUntil(now), now.Add(400*day); !got.Equal(want) {
		t.Errorf("kept until %s, want %s", got, want)
	}
	delegated.SignerUntil = now.Add(500 * day)
	if got := delegated.KeepUntil(now); !got.Equal(delegated.SignerUntil) {
		t.Errorf("kept until %s, want the end of the certificate", got)
	}
}

// TestSignerWithoutEnd: a floor by a certificate that never ends can be written
// as JSON.
func TestSignerWithoutEnd(t *testing.T) {
	tr := newTrial(t)
	tr.signer = tr.issue("P-256", func(c *x509.Certificate) { c.NotAfter = time.Unix(maxTime, 0) })
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	text, err := json.Marshal(result.Floor())
	if want := `"signer_until":"9999-12-31T23:59:59Z"`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}

// TestHiddenRevocation: a verifier with a memory has seen a revocation, which
// is then hidden. It does not accept the older statement, and accepts a newer
// one.
func TestHiddenRevocation(t *testing.T) {
	tr := newTrial(t)
	beside(all(revocation, later(time.Second)))(tr)
	_, err := tr.verify()
	floor := wantRefusal(t, reasons.Revoked, err).Floor

	tr = newTrial(t)
	tr.policy.Floor = floor
	_, err = tr.verify()
	wantRefusal(t, reasons.Superseded, err)

	tr = newTrial(t)
	tr.policy.Floor = floor
	later(time.Minute)(tr.draft)
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
}
