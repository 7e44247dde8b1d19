package delegation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMixed has every pair of ends of the two ways: any verified statement
// decides; else a failed look-up leaves it open; else the refusal stands; else
// there is no statement.
func TestMixed(t *testing.T) {
	ends := []string{"verified", "refused", "failed", "absent"}
	want := map[[2]string]Reason{
		{"verified", "verified"}: Verified,
		{"verified", "refused"}:  Verified,
		{"verified", "failed"}:   Verified,
		{"verified", "absent"}:   Verified,
		{"refused", "verified"}:  Verified,
		{"refused", "refused"}:   WrongType,
		{"refused", "failed"}:    HTTPSTimeout,
		{"refused", "absent"}:    MalformedRecord,
		{"failed", "verified"}:   Verified,
		{"failed", "refused"}:    DNSTimeout,
		{"failed", "failed"}:     DNSTimeout,
		{"failed", "absent"}:     DNSTimeout,
		{"absent", "verified"}:   Verified,
		{"absent", "refused"}:    WrongType,
		{"absent", "failed"}:     HTTPSTimeout,
		{"absent", "absent"}:     NoStatement,
	}
	for _, txt := range ends {
		for _, https := range ends {
			t.Run(fmt.Sprintf("txt %s, https %s", txt, https), func(t *testing.T) {
				tr := newTrial(t)
				good := tr.sign()
				tr.draft = tr.laboratory.draft()
				tr.header = replace(t, "dna+jwt", "JWT")
				wrong := tr.sign()

				answer := map[string]TXTAnswer{
					"verified": txtAnswer(TXTRecord(JWS, good)),
					"refused":  txtAnswer("v=DNA1"),
					"failed":   {Answer: Answer{Name: txtPlace, DNSSEC: Indeterminate, Failure: &Failure{DNSTimeout, "no answer"}}},
					"absent":   txtAnswer(),
				}[txt]
				document := map[string]Document{
					"verified": document(good),
					"refused":  document(wrong),
					"failed":   {URL: documentPlace, Failure: &Failure{HTTPSTimeout, "no answer"}},
					"absent":   {URL: documentPlace, Status: 404},
				}[https]
				tr.evidence = evidenceOf(answer, document)
				result, err := tr.verify()
				wantEnd(t, want[[2]string{txt, https}], result, err)
			})
		}
	}
}

// failureCases: every reason of a failed look-up, as the only thing found.
func failureCases() []verifyCase {
	var cases []verifyCase
	for _, reason := range Reasons() {
		if !reason.ofLookup() {
			continue
		}
		cases = append(cases, verifyCase{"TXT " + string(reason), func(tr *trial) {
			tr.adjust = func(e *Evidence) { e.TXT[0].Failure = &Failure{reason, "it did not work"} }
		}, reason})
	}
	return append(cases,
		verifyCase{"TXT bogus", func(tr *trial) { tr.adjust = func(e *Evidence) { e.TXT[0].DNSSEC = Bogus } }, DNSBogus},
		verifyCase{"TXT secure", func(tr *trial) { tr.adjust = func(e *Evidence) { e.TXT[0].DNSSEC = Secure } }, Verified},
		verifyCase{"TXT indeterminate", func(tr *trial) { tr.adjust = func(e *Evidence) { e.TXT[0].DNSSEC = Indeterminate } }, Verified},
		verifyCase{"the first of two failures", func(tr *trial) {
			tr.evidence = evidenceOf(
				TXTAnswer{Answer: Answer{Name: TXTName(source, direct), DNSSEC: Indeterminate, Failure: &Failure{DNSFailure, "first"}}},
				TXTAnswer{Answer: Answer{Name: txtPlace, DNSSEC: Indeterminate, Failure: &Failure{DNSTimeout, "second"}}})
		}, DNSFailure},
	)
}

func TestFailures(t *testing.T) { runCases(t, 14, failureCases()) }

// TestFurthest: of several refused statements the one that got furthest gives
// the reason, wherever it stands.
func TestFurthest(t *testing.T) {
	tr := newTrial(t)
	tr.chain = [][]byte{tr.signer.Leaf().Raw}
	untrusted := TXTRecord(JWS, tr.sign())
	expired := TXTRecord(JWS, tr.another(func(d *draft) { d.statement.Issued, d.statement.Expires = now.Add(-2*day), now.Add(-day) }))
	for _, records := range [][]string{
		{untrusted, expired, "v=DNA1"}, {expired, "v=DNA1", untrusted}, {"v=DNA1", untrusted, expired},
	} {
		_, err := Verify(tr.query, evidenceOf(txtAnswer(records...)), tr.policy)
		if e := wantRefusal(t, UntrustedSigner, err); len(e.Unverified) != 3 {
			t.Errorf("%d unverified, want 3", len(e.Unverified))
		}
	}
}

// TestOrderOfSteps gives a statement a defect of every step, and takes the
// first away again and again: the reason is always that of the first step left.
func TestOrderOfSteps(t *testing.T) {
	steps := []struct {
		reason Reason
		spoil  func(tr *trial)
	}{
		{BadHeader, header(`{"alg"`, `{"kid":"1","alg"`)},
		{WrongType, header(`"dna+jwt"`, `"JWT"`)},
		{UnsupportedAlgorithm, header(`"alg":"ES`, `"alg":"HS`)},
		{BadName, func(tr *trial) { tr.statement.Targets[0].Host = "localhost" }},
		{BadTargets, func(tr *trial) { tr.statement.Targets[1].Port = 0 }},
		{SourceMismatch, func(tr *trial) { tr.statement.Source = "c.example" }},
		{ServiceMismatch, func(tr *trial) { tr.statement.Service = "_imap._tcp" }},
		{NotYetValid, func(tr *trial) { tr.statement.Issued = now.Add(time.Hour) }},
		{LifeTooLong, func(tr *trial) { tr.statement.Expires = now.Add(400 * day) }},
		{UnsupportedKey, forged(modulus(1024))},
		{SignerIsCA, func(tr *trial) {
			tr.chain = [][]byte{certificate(tr.t, &x509.Certificate{
				SerialNumber: big.NewInt(1), DNSNames: []string{source}, Subject: pkix.Name{CommonName: "authority"},
				NotBefore: now.Add(-10 * day), NotAfter: now.Add(day), IsCA: true, BasicConstraintsValid: true,
			}, &x509.Certificate{Subject: pkix.Name{CommonName: "Anybody"}}, tr.signer.Key().Public())}
		}},
		{Superseded, remembered(floorAt(service, day, 0, nil))},
		{AlgorithmMismatch, func(tr *trial) { tr.algorithm = "ES384" }},
		{BadSignature, func(tr *trial) { tr.token = func(c string) string { return c[:len(c)-8] + "AAAAAAAA" } }},
		{UntrustedSigner, func(tr *trial) { tr.policy.Roots = x509.NewCertPool() }},
		{SignerRejected, func(tr *trial) { tr.policy.SignerCheck = func([]*x509.Certificate) error { return errRejected } }},
	}
	last := -1
	for i, first := range steps {
		if rank := reasonRank[first.reason]; rank <= last {
			t.Errorf("%s does not stand after the reason of the step before", first.reason)
		} else {
			last = rank
		}
		t.Run(string(first.reason), func(t *testing.T) {
			tr := newTrial(t)
			tr.statement.Targets = append(tr.statement.Targets, Target{Endpoint: Endpoint{"backup.example", 5269}})
			var headers []func(string) string
			for j := len(steps) - 1; j >= i; j-- {
				tr.header = nil
				steps[j].spoil(tr)
				if tr.header != nil {
					headers = append(headers, tr.header)
				}
			}
			tr.header = func(text string) string {
				for _, change := range headers {
					text = change(text)
				}
				return text
			}
			result, err := tr.verify()
			wantEnd(t, first.reason, result, err)
		})
	}
}

// TestCheapStepsFirst: V3: no signature is checked, and the policy's function
// is not asked, about what a cheap step refuses.
func TestCheapStepsFirst(t *testing.T) {
	tr := newTrial(t)
	later(2 * time.Hour)(tr.draft)
	tr.policy.SignerCheck = func([]*x509.Certificate) error {
		t.Error("the policy's function was asked")
		return nil
	}
	_, err := tr.verify()
	e := wantRefusal(t, NotYetValid, err)
	var names []string
	for _, c := range e.Checks {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"txt", "form", "subject", "time"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
