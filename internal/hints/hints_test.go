package hints

import (
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestFor: every reason has words and, except verified, a hint. Nothing else has.
func TestFor(t *testing.T) {
	for _, r := range reasons.Reasons() {
		if (For(r) == "") != (r == reasons.Verified) {
			t.Errorf("%s has the hint %q", r, For(r))
		}
		if words := Plain(r, "it"); words == "" || strings.ContainsAny(words, "{}") {
			t.Errorf("%s has the words %q", r, words)
		}
	}
	for r := range table {
		if !r.Known() {
			t.Errorf("words for %s, which is no reason", r)
		}
	}
	if hint, words := For("because"), Plain("because", ""); hint != "" || words != "" {
		t.Errorf("an unknown reason has the hint %q and the words %q", hint, words)
	}
	if hint := For(reasons.UnsupportedAlgorithm); hint != "sign with ES256, ES384, RS256, PS256 or EdDSA" {
		t.Errorf("unsupported-algorithm: %q", hint)
	}
	if words := Plain(reasons.TargetMismatch, "this host"); words != "the domain did not delegate to this host" {
		t.Errorf("target-mismatch: %q", words)
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
