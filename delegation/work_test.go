package delegation

import (
	"crypto/x509"
	"fmt"
	"slices"
	"testing"
)

// TestFailedChecks: statements that fail at their signatures use up what may be
// spent on the others of their channel, and never on those of the other one.
func TestFailedChecks(t *testing.T) {
	three := longChain("P-256", "P-256", 2) // so many signature checks each
	six, ten := longChain("P-256", "P-256", 5), longChain("P-384", "P-521", 5)
	other := direct
	for _, c := range []struct {
		name      string
		txt, more []bomb // TXT records at the label asked about and at the other; nil is the good statement
		documents []bomb
		want      Reason
		skipped   int // statements that were not looked at further
	}{
		{name: "nothing else", txt: []bomb{nil}, want: Verified},
		{name: "9 checks before", txt: []bomb{three, three, three, nil}, want: Verified},
		{name: "10 checks before", txt: []bomb{ten, nil}, want: UntrustedSigner, skipped: 1},
		{name: "12 checks before", txt: []bomb{six, six, nil}, want: UntrustedSigner, skipped: 1},
		{name: "12 checks before, spoilt signatures", txt: []bomb{spoilt(six), spoilt(six), nil}, want: BadSignature, skipped: 1},
		{name: "12 checks before, at the other label", txt: []bomb{three, nil}, more: []bomb{three, three, three, three}, want: UntrustedSigner, skipped: 1 + 1},
		{name: "12 checks after", txt: []bomb{nil, six, six}, want: Verified},
		{name: "18 checks after", txt: []bomb{nil, six, six, six}, want: Verified, skipped: 1},
		{name: "a short one fits where a long one did not", txt: []bomb{six, three, six, nil}, want: Verified, skipped: 1},
		{name: "good ones use up nothing", txt: []bomb{nil, nil, nil, nil}, documents: []bomb{nil, nil, nil, nil, nil}, want: Verified},
		{name: "what fails before costs nothing", txt: []bomb{sameName, sameName, sameName, nil}, want: Verified},
		{name: "DNS used up, documents not", txt: []bomb{six, six, six, six}, documents: []bomb{nil}, want: Verified, skipped: 2},
		{name: "documents used up, DNS not", txt: []bomb{nil}, documents: []bomb{ten, ten, six}, want: Verified, skipped: 2},
		{name: "both used up", txt: []bomb{six, six, nil}, documents: []bomb{six, six, nil}, want: UntrustedSigner, skipped: 2},
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
			tr.evidence = evidenceOf()
			for label, list := range map[string][]bomb{service: c.txt, other: c.more} {
				answer := TXTAnswer{Answer: Answer{Name: TXTName(source, label), DNSSEC: Insecure, TTL: 60}}
				for _, b := range list {
					answer.Records = append(answer.Records, TXTRecord(make(b)))
				}
				if list != nil {
					tr.evidence.TXT = append(tr.evidence.TXT, answer)
				}
			}
			slices.SortFunc(tr.evidence.TXT, func(a, b TXTAnswer) int { return len(b.Name) - len(a.Name) }) // _xmpps-server first
			for i, b := range c.documents {
				_, raw := make(b)
				tr.evidence.Documents = append(tr.evidence.Documents, Document{File: fmt.Sprint(i), Body: raw})
			}
			result, err := tr.verify()
			wantEnd(t, c.want, result, err)
			report := NewReport(tr.query, result, err)
			skipped := 0
			for _, check := range report.Checks {
				if check.Reason == TooManyRecords {
					skipped++
				}
			}
			if skipped != c.skipped {
				t.Errorf("%d statements were not looked at further, want %d: %+v", skipped, c.skipped, report.Checks)
			}
			sameWithKnownChains(t, tr, result, err)
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
		records = append(records, TXTRecord(longChain("P-256", "P-256", 5)(t, n)))
	}
	tr.evidence = evidenceOf(txtAnswer(append(records, TXTRecord(JWS, good))...), document(good))
	result, err := tr.verify()
	wantEnd(t, Verified, result, err)
}

// TestPeerLimits: what bounds the cost of a peer's chain refuses no chain of the
// field.
func TestPeerLimits(t *testing.T) {
	lab := newLaboratory(t)
	leaf, between := lab.signer.Leaf(), lab.intermediate.Certificate
	check := func(chain ...*x509.Certificate) error {
		_, _, err := PeerPolicy{Roots: lab.root.Pool(), Now: clock(now)}.Check(chain, []Reference{{Name: source}})
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
		want  Reason
	}{
		{"leaf and intermediate", []*x509.Certificate{leaf, between}, ""},
		{"with the root", []*x509.Certificate{leaf, between, lab.root.Root()}, ""},
		{"in another order", []*x509.Certificate{leaf, lab.root.Root(), between}, ""},
		{"twice", []*x509.Certificate{leaf, between, leaf, between, between}, ""},
		{"cross-signed root", []*x509.Certificate{leaf, between, cross.certificate, nobodys.certificate, lab.root.Root()}, ""},
		{"10 certificates", many(10), ""},
		{"11 certificates", many(11), PeerUntrusted},
		{"11 checks", besides(5), ""},
		{"13 checks", besides(6), PeerUntrusted},
		{"leaf with a key too large", []*x509.Certificate{&wide, between}, UnsupportedKey},
		{"superfluous certificate with a key too large", []*x509.Certificate{leaf, between, &wide}, UnsupportedKey},
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
		{"three of the same name", sameNamePeer(t, 3), MaxPeerChecks + 1},
	} {
		if got := min(pathChecks(c.chain), MaxPeerChecks+1); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
