package delegation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestMixed has every pair of ends of the two ways. Any verified statement
// decides. Otherwise a failed lookup leaves it open, then a refusal stands.
// Otherwise there is no statement.
func TestMixed(t *testing.T) {
	ends := []string{"verified", "refused", "failed", "absent"}
	want := map[[2]string]reasons.Reason{
		{"verified", "verified"}: reasons.Verified,
		{"verified", "refused"}:  reasons.Verified,
		{"verified", "failed"}:   reasons.Verified,
		{"verified", "absent"}:   reasons.Verified,
		{"refused", "verified"}:  reasons.Verified,
		{"refused", "refused"}:   reasons.WrongType,
		{"refused", "failed"}:    reasons.HTTPSTimeout,
		{"refused", "absent"}:    reasons.MalformedRecord,
		{"failed", "verified"}:   reasons.Verified,
		{"failed", "refused"}:    reasons.DNSTimeout,
		{"failed", "failed"}:     reasons.DNSTimeout,
		{"failed", "absent"}:     reasons.DNSTimeout,
		{"absent", "verified"}:   reasons.Verified,
		{"absent", "refused"}:    reasons.WrongType,
		{"absent", "failed"}:     reasons.HTTPSTimeout,
		{"absent", "absent"}:     reasons.NoStatement,
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
					"verified": txtAnswer(JWS.TXTRecord(good)),
					"refused":  txtAnswer("v=DNA1"),
					"failed":   {Answer: Answer{Name: txtPlace, DNSSEC: Indeterminate, Failure: &Failure{reasons.DNSTimeout, "no answer"}}},
					"absent":   txtAnswer(),
				}[txt]
				document := map[string]Document{
					"verified": document(good),
					"refused":  document(wrong),
					"failed":   {URL: documentPlace, Failure: &Failure{reasons.HTTPSTimeout, "no answer"}},
					"absent":   {URL: documentPlace, Status: 404},
				}[https]
				tr.evidence = evidenceOf(answer, document)
				result, err := tr.verify()
				wantEnd(t, want[[2]string{txt, https}], result, err)
			})
		}
	}
}

// TestFurthest: of several refused statements the one that got furthest gives
// the reason, wherever it stands.
func TestFurthest(t *testing.T) {
	tr := newTrial(t)
	tr.chain = [][]byte{tr.signer.Leaf().Raw}
	untrusted := JWS.TXTRecord(tr.sign())
	expired := JWS.TXTRecord(tr.another(func(d *draft) { d.statement.Issued, d.statement.Expires = now.Add(-2*day), now.Add(-day) }))
	for _, records := range [][]string{
		{untrusted, expired, "v=DNA1"}, {expired, "v=DNA1", untrusted}, {"v=DNA1", untrusted, expired},
	} {
		_, err := Verify(tr.query, evidenceOf(txtAnswer(records...)), tr.policy)
		if e := wantRefusal(t, reasons.UntrustedSigner, err); len(e.Unverified) != 3 {
			t.Errorf("%d unverified, want 3", len(e.Unverified))
		}
	}
}

// TestOrderOfSteps gives a statement a defect of every step, and takes the
// first away again and again. The reason is always that of the first step left.
func TestOrderOfSteps(t *testing.T) {
	steps := []struct {
		reason reasons.Reason
		spoil  func(tr *trial)
	}{
		{reasons.BadHeader, header(`{"alg"`, `{"kid":"1","alg"`)},
		{reasons.WrongType, header(`"dna+jwt"`, `"JWT"`)},
		{reasons.UnsupportedAlgorithm, header(`"alg":"ES`, `"alg":"HS`)},
		{reasons.BadName, func(tr *trial) { tr.statement.Targets[0].Host = "localhost" }},
		{reasons.BadTargets, func(tr *trial) { tr.statement.Targets[1].Port = 0 }},
		{reasons.SourceMismatch, func(tr *trial) { tr.statement.Source = "c.example" }},
		{reasons.ServiceMismatch, func(tr *trial) { tr.statement.Service = "_imap._tcp" }},
		{reasons.NotYetValid, func(tr *trial) { tr.statement.Issued = now.Add(time.Hour) }},
		{reasons.LifeTooLong, func(tr *trial) { tr.statement.Expires = now.Add(400 * day) }},
		{reasons.UnsupportedKey, forged(modulus(1024))},
		{reasons.SignerIsCA, func(tr *trial) {
			tr.chain = [][]byte{certificate(tr.t, &x509.Certificate{
				SerialNumber: big.NewInt(1), DNSNames: []string{source}, Subject: pkix.Name{CommonName: "authority"},
				NotBefore: now.Add(-10 * day), NotAfter: now.Add(day), IsCA: true, BasicConstraintsValid: true,
			}, &x509.Certificate{Subject: pkix.Name{CommonName: "Anybody"}}, tr.signer.Key().Public())}
		}},
		{reasons.Superseded, remembered(floorAt(day, 0, nil))},
		{reasons.AlgorithmMismatch, func(tr *trial) { tr.algorithm = "ES384" }},
		{reasons.BadSignature, func(tr *trial) { tr.token = func(c string) string { return c[:len(c)-8] + "AAAAAAAA" } }},
		{reasons.UntrustedSigner, func(tr *trial) { tr.policy.Roots = x509.NewCertPool() }},
		{reasons.SignerRejected, func(tr *trial) { tr.policy.SignerCheck = func([]*x509.Certificate) error { return errRejected } }},
	}
	var last reasons.Reason
	for i, first := range steps {
		if !first.reason.Further(last) {
			t.Errorf("%s does not stand after the reason of the step before", first.reason)
		}
		last = first.reason
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
	e := wantRefusal(t, reasons.NotYetValid, err)
	var names []string
	for _, c := range e.Checks {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"txt", "form", "subject", "time"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
