package delegation

import (
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// The attacks of this file were found on the first edition. There each SRV
// label of a role had its own statements, and the verdict joined both. All of
// them show a statement for the second label. Today no verifier takes one: a
// role has one statement.

// secondLabel drafts a statement that a former provider or a thief has. It is
// signed with the owner's own key, for the second label, for another host.
func secondLabel(d *draft) {
	d.statement.Service = "_xmpps-server._tcp"
	d.statement.Targets = []Target{{Endpoint: Endpoint{"evil.example", 5270}}}
}

// wantOnly checks that what is proven is the owner's newest target alone.
func wantOnly(t *testing.T, result *Result, err error) {
	t.Helper()
	wantEnd(t, reasons.Verified, result, err)
	for _, target := range append(result.Targets(), result.Dial()...) {
		if target.Endpoint != endpoint {
			t.Errorf("%s is proven", target.Endpoint)
		}
	}
}

// TestFormerProviderBeside: the former provider shows a statement for the second
// label beside the owner's new one.
func TestFormerProviderBeside(t *testing.T) {
	tr := newTrial(t)
	beside(all(secondLabel, later(-24*time.Hour)))(tr)
	result, err := tr.verify()
	wantOnly(t, result, err)
}

// TestThiefBeside: the same by a thief with the key of an older certificate.
func TestThiefBeside(t *testing.T) {
	tr := newTrial(t)
	beside(all(secondLabel, byCertificateOf(now.Add(-20*day)), later(time.Minute)))(tr)
	result, err := tr.verify()
	wantOnly(t, result, err)
}

// TestFormerProviderInstead: the network hides the owner's newest statement,
// which the verifier remembers, and shows the one for the second label.
func TestFormerProviderInstead(t *testing.T) {
	result, err := newTrial(t).verify()
	wantEnd(t, reasons.Verified, result, err)

	tr := newTrial(t)
	tr.policy.Floor = result.Floor()
	all(secondLabel, later(-24*time.Hour))(tr.draft)
	result, err = tr.verify()
	wantEnd(t, reasons.ServiceMismatch, result, err)
}

// TestOldRevocationReplayed: an old revocation for the second label does not
// end the newer delegation of the role.
func TestOldRevocationReplayed(t *testing.T) {
	tr := newTrial(t)
	beside(all(secondLabel, revocation, later(-24*time.Hour)))(tr)
	result, err := tr.verify()
	wantOnly(t, result, err)
}
