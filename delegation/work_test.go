package delegation

import (
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestFailedChecks: statements that fail at their signatures use up the budget
// of the other statements of their channel. They never use up the budget of the
// other channel.
func TestFailedChecks(t *testing.T) {
	three := longChain("P-256", "P-256", 2) // so many signature checks each
	six, ten := longChain("P-256", "P-256", 5), longChain("P-384", "P-521", 5)
	for _, c := range []struct {
		name      string
		txt       []bomb // TXT records; nil is the good statement
		documents []bomb
		want      reasons.Reason
		skipped   int // statements that were not looked at further
	}{
		{name: "nothing else", txt: []bomb{nil}, want: reasons.Verified},
		{name: "9 checks before", txt: []bomb{three, three, three, nil}, want: reasons.Verified},
		{name: "10 checks before", txt: []bomb{ten, nil}, want: reasons.UntrustedSigner, skipped: 1},
		{name: "12 checks before", txt: []bomb{six, six, nil}, want: reasons.UntrustedSigner, skipped: 1},
		{name: "12 checks before, spoilt signatures", txt: []bomb{spoilt(six), spoilt(six), nil}, want: reasons.BadSignature, skipped: 1},
		{name: "12 checks after", txt: []bomb{nil, six, six}, want: reasons.Verified},
		{name: "18 checks after", txt: []bomb{nil, six, six, six}, want: reasons.Verified, skipped: 1},
		{name: "a short one fits where a long one did not", txt: []bomb{six, three, six, nil}, want: reasons.Verified, skipped: 1},
		{name: "good ones use up nothing", txt: []bomb{nil, nil, nil, nil}, documents: []bomb{nil, nil, nil, nil, nil}, want: reasons.Verified},
		{name: "what fails before costs nothing", txt: []bomb{sameName, sameName, sameName, nil}, want: reasons.Verified},
		{name: "DNS used up, documents not", txt: []bomb{six, six, six, six}, documents: []bomb{nil}, want: reasons.Verified, skipped: 2},
		{name: "documents used up, DNS not", txt: []bomb{nil}, documents: []bomb{ten, ten, six}, want: reasons.Verified, skipped: 2},
		{name: "both used up", txt: []bomb{six, six, nil}, documents: []bomb{six, six, nil}, want: reasons.UntrustedSigner, skipped: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			var n byte
			make := func(b bomb) (Encoding, []byte) {
				if n++; b != nil {
					return b(t, n)
				}
				return JWS, tr.another(func(d *draft) { d.statement.ID[1] = n })
			}
			answer := txtAnswer()
			for _, b := range c.txt {
				e, raw := make(b)
				answer.Records = append(answer.Records, e.TXTRecord(raw))
			}
			tr.evidence = evidenceOf(answer)
			for i, b := range c.documents {
				_, raw := make(b)
				tr.evidence.Documents = append(tr.evidence.Documents, Document{File: fmt.Sprint(i), Body: raw})
			}
			result, err := tr.verify()
			wantEnd(t, c.want, result, err)
			report := NewReport(tr.query, result, err)
			skipped := 0
			for _, check := range report.Checks {
				if check.Reason == reasons.TooManyRecords {
					skipped++
				}
			}
			if skipped != c.skipped {
				t.Errorf("%d statements were not looked at further, want %d: %+v", skipped, c.skipped, report.Checks)
			}
			sameWithCache(t, tr, result, err)
		})
	}
}

// TestSameOctetsElsewhere: bad statements beside the good one in DNS do not hide
// it where it is published as a document too.
func TestSameOctetsElsewhere(t *testing.T) {
	tr := newTrial(t)
	good := tr.sign()
	var records []string
	for n := range byte(2) {
		e, raw := longChain("P-256", "P-256", 5)(t, n)
		records = append(records, e.TXTRecord(raw))
	}
	tr.evidence = evidenceOf(txtAnswer(append(records, JWS.TXTRecord(good))...), document(good))
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
}

// TestPeerLimits: what bounds the cost of a peer's chain refuses no chain of the
// field.
func TestPeerLimits(t *testing.T) {
	lab := newLaboratory(t)
	leaf, between := lab.signer.Leaf(), lab.intermediate.Certificate
	check := func(chain ...*x509.Certificate) error {
		_, err := PeerPolicy{Roots: lab.root.Pool(), Now: clock(now)}.Check(chain, []Reference{{Name: source}})
		return err
	}
	many := func(n int) []*x509.Certificate {
		list := []*x509.Certificate{leaf, between}
		for i := len(list); i < n; i++ {
			list = append(list, newStranger(t, keyOf("P-256"), nil, commonName(fmt.Sprint(i))).certificate)
		}
		return list
	}
	wide := *leaf
	wide.PublicKey = wideRSA()
	nobodys := newStranger(t, keyOf("P-384"), nil, commonName("Nobody"))
	cross := newStranger(t, keyOf("P-384"), nobodys, func(c *x509.Certificate) { c.RawSubject = lab.root.Root().RawSubject })
	// besides is the good chain and others that could have signed the leaf, by
	// their names.
	besides := func(n int) []*x509.Certificate {
		list := []*x509.Certificate{leaf}
		for range n {
			list = append(list, newStranger(t, keyOf("P-521"), nobodys, func(c *x509.Certificate) { c.RawSubject = between.RawSubject }).certificate)
		}
		return append(list, between)
	}
	for _, c := range []struct {
		name  string
		chain []*x509.Certificate
		want  reasons.Reason
	}{
		{"leaf and intermediate", []*x509.Certificate{leaf, between}, ""},
		{"with the root", []*x509.Certificate{leaf, between, lab.root.Root()}, ""},
		{"in another order", []*x509.Certificate{leaf, lab.root.Root(), between}, ""},
		{"twice", []*x509.Certificate{leaf, between, leaf, between, between}, ""},
		{"cross-signed root", []*x509.Certificate{leaf, between, cross.certificate, nobodys.certificate, lab.root.Root()}, ""},
		{"10 certificates", many(10), ""},
		{"11 certificates", many(11), reasons.PeerUntrusted},
		{"11 checks", besides(5), ""},
		{"13 checks", besides(6), reasons.PeerUntrusted},
		{"leaf with a key too large", []*x509.Certificate{&wide, between}, reasons.UnsupportedKey},
		{"superfluous certificate with a key too large", []*x509.Certificate{leaf, between, &wide}, reasons.UnsupportedKey},
	} {
		if err := check(c.chain...); ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestPathChecks counts by hand.
func TestPathChecks(t *testing.T) {
	for _, c := range []struct {
		name  string
		chain []*x509.Certificate
		want  int
	}{
		{"one", peerChain("P-256", 0)(t), 0},
		{"four", peerChain("P-256", 4)(t), 4},
		{"four of P-521", peerChain("P-521", 4)(t), 8},
		{"six of P-521", peerChain("P-521", 6)(t), 12},
		{"one that could have signed itself", sameNamePeer(t, 1), 2},
		{"two of the same name", sameNamePeer(t, 2), 2 * (2 + 2)},
		{"three of the same name", sameNamePeer(t, 3), limits.MaxPeerChecks + 1},
	} {
		if got := min(pathChecks(c.chain), limits.MaxPeerChecks+1); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
