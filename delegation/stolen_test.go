package delegation

import (
	"crypto/x509"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/sct"
	"github.com/dnasign/dnasign/keys"
)

// An issuer says what an authority writes into a certificate that it issues at
// a moment. The applicant may ask for notBefore at another one.
type issuer struct {
	name      string
	notBefore func(at, asked time.Time) time.Time
	scts      bool
}

var issuers = []issuer{
	{"private, without SCTs", func(at, _ time.Time) time.Time { return at }, false},
	{"private, an hour early", func(at, _ time.Time) time.Time { return at.Add(-time.Hour) }, false},
	{"public, now", func(at, _ time.Time) time.Time { return at }, true},
	{"public, an hour early", func(at, _ time.Time) time.Time { return at.Add(-time.Hour) }, true},
	{"public, at midnight", func(at, _ time.Time) time.Time { return at.Truncate(day) }, true},
	{"public, when the applicant asks for it", func(_, asked time.Time) time.Time { return asked }, true},
}

// issueAt is a certificate for the source that the issuer makes at a moment.
func (i issuer) issueAt(lab *laboratory, kind string, at, asked time.Time) *keys.Signer {
	return lab.issue(kind, func(c *x509.Certificate) {
		c.NotBefore = i.notBefore(at, asked).Truncate(time.Second)
		c.NotAfter = c.NotBefore.Add(90 * day)
		if i.scts {
			sct.Embed(at.Add(-200*time.Millisecond), at)(c)
		}
	})
}

// roundUp is the first whole second that is not before a moment: iat of who
// signs at once.
func roundUp(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }

// statementTo delegates to a host, for as long as it can.
func statementTo(host string, issued time.Time) Statement {
	s := goodStatement()
	s.Targets[0].Host, s.Issued, s.Expires = host, issued, issued.Add(limits.DefaultMaxLife)
	return s
}

func signedWith(lab *laboratory, signer *keys.Signer, s Statement) []byte {
	d := lab.draft()
	d.signer, d.statement = signer, s
	return d.sign()
}

// TestStolenCertificate: somebody has a certificate for the source. The owner
// gets another one later and signs at once. Then the owner's statement counts,
// whatever the other one says, and is remembered.
func TestStolenCertificate(t *testing.T) {
	const thief = "xmpp.evil.example"
	stolen := now.Add(300 * time.Millisecond)
	for _, i := range issuers {
		// SCTs tell moments apart that notBefore does not.
		gap := time.Second
		if i.scts {
			gap = time.Millisecond
		}
		for _, asked := range []time.Duration{-time.Hour, 0, 4 * time.Minute, 20 * day} {
			t.Run(i.name+"/asked for "+asked.String(), func(t *testing.T) {
				tr := newTrial(t)
				replaced := stolen.Add(gap)
				theirs := i.issueAt(tr.laboratory, "P-384", stolen, stolen.Add(asked))
				ours := i.issueAt(tr.laboratory, "P-256", replaced, replaced)
				good := signedWith(tr.laboratory, ours, statementTo(host, roundUp(replaced)))

				// The thief signs later, and everybody looks when both are valid.
				at := roundUp(replaced).Add(time.Minute)
				if start := theirs.Leaf().NotBefore; at.Before(start) {
					at = start
				}
				bad := signedWith(tr.laboratory, theirs, statementTo(thief, at.Add(limits.ClockSkew)))
				tr.policy.Time = at

				tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(bad)))
				result, err := tr.verify()
				wantEnd(t, reasons.Verified, result, err)
				tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(bad), JWS.TXTRecord(good)))
				result, err = tr.verify()
				wantEnd(t, reasons.Verified, result, err)
				if got := result.Targets(); len(got) != 1 || got[0].Host != host {
					t.Fatalf("delegated to %v", got)
				}
				if i.scts && result.Floor().Order.Issuance != replaced {
					t.Errorf("the floor is of %s, want %s", result.Floor().Order.Issuance, replaced)
				}
				tr.policy.Floor = result.Floor()
				tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(bad)))
				result, err = tr.verify()
				wantEnd(t, reasons.Superseded, result, err)
			})
		}
	}
}

// TestReplacementOutranks: a statement signed with the later of two
// certificates ranks above one signed with the earlier. This holds for all
// moments and all iat that a verifier accepts.
func TestReplacementOutranks(t *testing.T) {
	lab := newLaboratory(t)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.SampledFrom(issuers).Draw(t, "issuer")
		unit := time.Second
		if i.scts {
			unit = time.Millisecond
		}
		first := now.Add(time.Duration(rapid.Int64Range(0, 86400_000).Draw(t, "first")) * time.Millisecond)
		second := first.Add(time.Duration(rapid.Int64Range(1, 10_000).Draw(t, "gap")) * unit)
		asked := time.Duration(rapid.Int64Range(-30*24*60, 30*24*60).Draw(t, "asked")) * time.Minute
		order := func(issued, asked time.Time, iat time.Duration) Order {
			s := Statement{Issued: roundUp(issued).Add(iat)}
			at, err := s.issuance(i.issueAt(lab, "P-256", issued, asked).Leaf())
			if err != nil {
				t.Fatal(err)
			}
			return Order{at, s.Issued}
		}
		iat := time.Duration(rapid.Int64Range(0, 90*86400).Draw(t, "iat")) * time.Second
		if old, replacement := order(first, first.Add(asked), iat), order(second, second, 0); replacement.Compare(old) <= 0 {
			t.Fatalf("the replacement %v is not above %v", replacement, old)
		}
	})
}

// TestWithoutSCTs states what notBefore alone cannot do. An authority without
// SCTs that backdates to midnight gives a certificate and its replacement of
// the same day one place, so that iat decides.
func TestWithoutSCTs(t *testing.T) {
	lab := newLaboratory(t)
	midnight := issuer{"private, at midnight", func(at, _ time.Time) time.Time { return at.Truncate(day) }, false}
	first, err := Issuance(midnight.issueAt(lab, "P-256", now, now).Leaf())
	if err != nil {
		t.Fatal(err)
	}
	second, err := Issuance(midnight.issueAt(lab, "P-256", now.Add(time.Hour), now).Leaf())
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Errorf("issued at %s and at %s", first, second)
	}
}
