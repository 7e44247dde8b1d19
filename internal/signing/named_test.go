package signing

import (
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// TestNamed: what an owner is told of the keys that the zone names.
func TestNamed(t *testing.T) {
	b := newBench(t)
	const domain, role = source, service
	byAuthority := b.certificate(time.Hour)
	own, err := keys.SelfIssue(byAuthority.Key(), domain, b.Now.Add(-time.Hour), b.Now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	ours := delegation.SignerRecord(own.Leaf())
	other := delegation.SignerRecord(b.CA.Root())
	answer := func(state delegation.DNSSEC, records ...delegation.TLSARecord) delegation.TLSAAnswer {
		return delegation.TLSAAnswer{Answer: delegation.Answer{Name: delegation.SignerName(domain, role), DNSSEC: state}, Records: records}
	}
	failed, alias, wildcard := answer(delegation.Indeterminate), answer(delegation.Secure, ours), answer(delegation.Secure, ours)
	failed.Failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "silence"}
	alias.Alias, wildcard.Wildcard = true, true
	line := NamingRecord(domain, role, own.Leaf())
	const validate = "only those who validate DNSSEC"
	for _, c := range []struct {
		name   string
		signer *keys.Signer
		answer delegation.TLSAAnswer
		reason reasons.Reason
		says   string // "": nothing
	}{
		{"own, named", own, answer(delegation.Secure, other, ours), "", validate},
		{"own, named, not known to be signed", own, answer(delegation.Insecure, ours), "", "does not say that DNSSEC secures"},
		{"own, none named", own, answer(delegation.Secure), reasons.UntrustedSigner, line},
		{"own, unusable record", own, answer(delegation.Secure, delegation.TLSARecord{Usage: 2, Selector: 1, Matching: 1, Data: ours.Data}), reasons.UntrustedSigner, line},
		{"own, another named", own, answer(delegation.Insecure, other), reasons.SignerNotNamed, line},
		{"own, alias", own, alias, reasons.UntrustedSigner, "is an alias"},
		{"own, wildcard", own, wildcard, reasons.UntrustedSigner, "a wildcard answers"},
		{"own, no answer", own, failed, reasons.DNSTimeout, "silence"},
		{"authority, none named", byAuthority, answer(delegation.Secure), "", ""},
		{"authority, named", byAuthority, answer(delegation.Secure, ours), "", ""},
		{"authority, another named", byAuthority, answer(delegation.Secure, other), reasons.SignerNotNamed, line},
		{"authority, another named, not known to be signed", byAuthority, answer(delegation.Insecure, other), "", line},
		{"authority, alias", byAuthority, alias, "", ""},
		{"authority, no answer", byAuthority, failed, "", ""},
	} {
		note, err := Named(c.answer, domain, role, c.signer.Leaf())
		said := note
		if err != nil {
			said = err.Error()
		}
		if delegation.ReasonOf(err) != c.reason || !strings.Contains(said, c.says) || c.says == "" && said != "" {
			t.Errorf("%s: %q, %v, want %q and %q", c.name, note, err, c.reason, c.says)
		}
	}
	long := strings.Repeat("a.", 110) + "example"
	if NamingRecord(long, role, own.Leaf()) != "" {
		t.Error("a record with a name that is too long")
	}
	if _, err := Named(delegation.TLSAAnswer{}, long, role, own.Leaf()); delegation.ReasonOf(err) != reasons.UntrustedSigner {
		t.Errorf("%v, for a name that is too long", err)
	}
}
