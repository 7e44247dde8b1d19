package vectors

import (
	"fmt"
	"time"
)

// txtCosts are about how many signature checks are spent on statements that
// they refuse: rule V3.
func txtCosts() []entry {
	const untrusted = "untrusted-signer"
	// below makes the record of a statement by the source's name, below so many
	// authorities of nobody's: as many signature checks, and two.
	below := func(w *world, n int, kind string, authorities int) string {
		ca := newRoot(kind, fmt.Sprintf("Nobody's Root %d", n))
		for i := range authorities {
			ca = ca.under(kind, fmt.Sprintf("Nobody's Authority %d of %d", i+1, n))
		}
		return w.trial(func(t *trial) { t.signer = ca.issue("P-256") }).record()
	}
	before := func(kind string, authorities ...int) step {
		return func(t *trial) {
			var records []string
			for n, depth := range authorities {
				records = append(records, below(t.world, n, kind, depth))
			}
			has(func(e *evidence) { e.TXT[0].Records = append(records, e.TXT[0].Records...) })(t)
		}
	}
	// older has statements of the same signer before it, each with five
	// certificates, which take six signature checks.
	older := func(n int) step {
		return func(t *trial) {
			var records []string
			for i := range n {
				records = append(records, t.world.trial(signedBy(longChain(5)), later(-time.Duration(i+1)*time.Minute)).record())
			}
			has(func(e *evidence) { e.TXT[0].Records = append(records, e.TXT[0].Records...) })(t)
		}
	}
	after := func(t *trial) {
		record := below(t.world, 0, "P-256", 4)
		other := below(t.world, 1, "P-256", 4)
		has(func(e *evidence) { e.TXT[0].Records = append(e.TXT[0].Records, record, other) })(t)
	}
	// elsewhere serves the statement as a document too.
	elsewhere := func(t *trial) {
		has(func(e *evidence) { e.Documents = append(e.Documents, documentAt(service, t.encoding, t.signed())) })(t)
	}
	return []entry{
		good("checks-document-too", "cost", "two statements below nobody's anchors before it, which take all 12 signature checks; a document has the same octets", all(before("P-256", 4, 4), elsewhere)),
		good("checks-9", "cost", "three statements below nobody's anchors before it, which take 9 signature checks of 12", before("P-256", 1, 1, 1)),
		bad("checks-12", "cost", untrusted, "two statements below nobody's anchors before it, which take all 12 signature checks", before("P-256", 4, 4)),
		bad("checks-p521", "cost", untrusted, "a statement below nobody's anchor before it, whose keys on P-521 count twice", before("P-521", 4)),
		good("checks-p384", "cost", "a statement below nobody's anchor before it, whose keys on P-384 count once", before("P-384", 4)),
		good("checks-rsa", "cost", "a statement below nobody's anchor before it, whose RSA keys with the exponent 65537 count once", before("rsa-2048", 4)),
		bad("checks-rsa-65539", "cost", untrusted, "a statement below nobody's anchor before it, whose RSA keys with the exponent 65539 count twice", before("rsa-2048-65539", 4)),
		good("checks-same", "cost", "one statement below nobody's anchor twice before it, which takes 6 signature checks: the same octets are judged once", func(t *trial) {
			record := below(t.world, 0, "P-256", 4)
			has(func(e *evidence) { e.TXT[0].Records = append([]string{record, record}, e.TXT[0].Records...) })(t)
		}),
		good("checks-verified", "cost", "three older statements before it, which take 18 signature checks and verify: these do not count", older(3)),
		good("checks-verified-and-12", "cost", "an older statement before it that verifies, and two below nobody's anchors that take all but the 3 checks it needs", all(before("P-256", 1, 2), older(1))),
		good("checks-18-and-short", "cost", "the third statement below nobody's anchor needs more than is left, and uses up nothing; the good one fits", before("P-256", 4, 1, 4)),
		good("checks-after", "cost", "two statements after it, which take all 12 signature checks", after),
	}
}
