package hints

import (
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestFor: every reason but verified has a hint, and nothing else has.
func TestFor(t *testing.T) {
	for _, r := range reasons.Reasons() {
		if (For(r) == "") != (r == reasons.Verified) {
			t.Errorf("%s has the hint %q", r, For(r))
		}
	}
	for r := range forVerifiers {
		if !r.Known() {
			t.Errorf("a hint for %s, which is no reason", r)
		}
	}
	if hint := For("because"); hint != "" {
		t.Errorf("an unknown reason has the hint %q", hint)
	}
	if hint := For(reasons.TLSFailed); !strings.Contains(hint, "certificate") {
		t.Errorf("tls-failed: %q", hint)
	}
}

// TestHint: the owner reads what to do, and not what the owner should do.
func TestHint(t *testing.T) {
	for _, r := range reasons.Reasons() {
		hint := ForOwner(r)
		if strings.Contains(hint, "owner") || (hint == "") != (r == reasons.Verified) {
			t.Errorf("%s: the owner reads %q", r, hint)
		}
	}
	for r, want := range map[reasons.Reason]string{
		reasons.Superseded: "theft.md", reasons.Conflict: "sign again, with targets", reasons.AliasLoop: "mend the CNAME chain",
		reasons.PeerKeyMismatch: "the provider changed its key; sign its new pin",
	} {
		if hint := ForOwner(r); !strings.Contains(hint, want) {
			t.Errorf("%s: %q without %q", r, hint, want)
		}
	}
}
