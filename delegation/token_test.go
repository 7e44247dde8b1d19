package delegation

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/testvectors"
)

// header is a spoiler that replaces a part of the header before it is signed.
func header(old, with string) func(*trial) {
	return func(tr *trial) { tr.header = replace(tr.t, old, with) }
}

// vectorCases are the test vectors that verify a statement, with what tables are used
// for besides verdicts: known chains, replay and reports. Evidence is as fresh here, so
// those are left out in which a file's claim of DNSSEC is not believed.
var vectorCases = sync.OnceValue(func() (list []verifyCase) {
	files := localca.Must(fs.Glob(testvectors.Files, "*.json"))
	for _, name := range files {
		var file struct{ Cases []vectorCase }
		if err := json.Unmarshal(localca.Must(testvectors.Files.ReadFile(name)), &file); err != nil {
			panic(err)
		}
		for _, c := range file.Cases {
			claims := bytes.Contains(c.Evidence, []byte(`"secure"`)) && !c.Policy.Believe
			if c.Operation != "verify" || claims || json.Unmarshal(c.Evidence, new(Evidence)) != nil {
				continue
			}
			list = append(list, verifyCase{c.ID, c.spoil, c.Expect.Reason})
		}
	}
	return list
})

// A vectorCase is one of the file.
type vectorCase struct {
	ID, Operation string
	Query         Query
	Policy        struct {
		Roots       *[][]byte
		Time        time.Time
		MaxLife     int64  `json:"max_life"`
		SignerCheck string `json:"signer_check"`
		Believe     bool   `json:"believe_replayed_dnssec"`
		Floor       Floor
	}
	Evidence json.RawMessage
	Expect   struct{ Reason reasons.Reason }
}

func (c vectorCase) spoil(tr *trial) {
	tr.query = c.Query
	tr.policy = Policy{Time: c.Policy.Time, MaxLife: time.Duration(c.Policy.MaxLife) * time.Second, Floor: c.Policy.Floor}
	if c.Policy.Roots != nil {
		tr.policy.Roots = x509.NewCertPool()
		for _, der := range *c.Policy.Roots {
			if anchor, err := x509.ParseCertificate(der); err == nil {
				tr.policy.Roots.AddCert(anchor)
			}
		}
	}
	if c.Policy.SignerCheck != "" {
		tr.policy.SignerCheck = func([]*x509.Certificate) error {
			if c.Policy.SignerCheck == "refuse" {
				return errRejected
			}
			return nil
		}
	}
	tr.evidence = new(Evidence)
	if err := json.Unmarshal(c.Evidence, tr.evidence); err != nil {
		tr.t.Fatal(err)
	}
	tr.evidence.replayed = false
}

func TestVectorCases(t *testing.T) { runCases(t, 1700, vectorCases()) }
