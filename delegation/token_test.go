package delegation

import (
	"crypto/x509"
	"encoding/json"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/testvectors"
)

// header is a spoiler that replaces a part of the header before it is signed.
func header(old, with string) func(*trial) {
	return func(tr *trial) { tr.header = replace(tr.t, old, with) }
}

// chain is a spoiler that changes the certificates in x5c.
func chain(change func(lab *laboratory, der [][]byte) [][]byte) func(*trial) {
	return func(tr *trial) {
		var der [][]byte
		for _, c := range tr.signer.Chain() {
			der = append(der, c.Raw)
		}
		tr.chain = change(tr.laboratory, der)
	}
}

func repeated(n int) func(*trial) {
	return chain(func(_ *laboratory, der [][]byte) [][]byte {
		for len(der) < n {
			der = append(der, der[len(der)-1])
		}
		return der
	})
}

// vectorCases are the test vectors of a family, with what tables are used for
// besides verdicts: known chains, replay and reports.
func vectorCases(family string) (list []verifyCase) {
	data := localca.Must(testvectors.Files.ReadFile(family + ".json"))
	var file struct {
		Cases []struct {
			ID     string
			Policy struct {
				Roots [][]byte
				Floor Floor
			}
			Evidence json.RawMessage
			Expect   struct{ Reason reasons.Reason }
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		panic(err)
	}
	for _, c := range file.Cases {
		list = append(list, verifyCase{c.ID, func(tr *trial) {
			tr.policy.Roots = x509.NewCertPool()
			for _, der := range c.Policy.Roots {
				tr.policy.Roots.AddCert(localca.Must(x509.ParseCertificate(der)))
			}
			tr.policy.Floor = c.Policy.Floor
			tr.evidence = new(Evidence)
			if err := json.Unmarshal(c.Evidence, tr.evidence); err != nil {
				tr.t.Fatal(err)
			}
			tr.evidence.replayed = false
		}, c.Expect.Reason})
	}
	return list
}

func TestJWSCases(t *testing.T) { runCases(t, 247, vectorCases("jws")) }
