package delegation

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// A table is a table of cases for Verify.
type table struct {
	name  string
	cases []verifyCase
}

func tables() []table {
	return []table{
		{"vectors", vectorCases()},
		{"TXT", txtCases()}, {"documents", documentCases()}, {"signer", signerCases()}, {"keys", keyCases()}, {"time", timeCases()},
		{"issuance", signerIssuanceCases()}, {"paths", signerPathCases()}, {"order", orderCases()}, {"inputs", inputCases()}, {"AC", acCases()},
	}
}

// byOthers are the reasons that only other packages give: association, those
// that dial, and publish.
var byOthers = []reasons.Reason{
	reasons.NotSecure, reasons.NotUsed, reasons.NoPOSH, reasons.MalformedPOSH, reasons.Overloaded, reasons.MemoryFailed, reasons.SelfTestFailed, reasons.ConnectFailed, reasons.ConnectTimeout,
	reasons.NoTLSStart, reasons.STARTTLSMissing, reasons.STARTTLSFailed, reasons.STARTTLSInjection, reasons.TLSFailed,
	reasons.BadTSIGKey, reasons.TSIGRejected, reasons.ClockMismatch, reasons.UpdateRefused, reasons.UpdateTooLarge, reasons.UpdateFailed, reasons.UpdateRaced, reasons.NotEverywhere,
}

// TestEveryReason: every reason is expected by some case.
func TestEveryReason(t *testing.T) {
	expected := map[reasons.Reason]int{}
	cases := 0
	for _, table := range tables() {
		for _, c := range table.cases {
			expected[c.want]++
			cases++
		}
	}
	for _, c := range peerCases() {
		expected[c.want]++
	}
	for _, c := range causeCases {
		expected[c.want]++
	}
	for _, want := range recordCases {
		expected[want]++
	}
	if cases < 450 {
		t.Errorf("only %d cases", cases)
	}
	for _, reason := range reasons.Reasons() {
		if expected[reason] == 0 && !slices.Contains(byOthers, reason) {
			t.Errorf("no case expects %s", reason)
		}
	}
	for reason := range expected {
		if !reason.Known() {
			t.Errorf("a case expects %q, which is no reason", reason)
		}
	}
}

func TestReasonTable(t *testing.T) {
	if n := len(reasons.Reasons()); n < 59 {
		t.Errorf("only %d reasons", n)
	}
	seen := map[reasons.Reason]bool{}
	for _, r := range reasons.Reasons() {
		if seen[r] {
			t.Errorf("%s is there twice", r)
		}
		seen[r] = true
		if !r.Known() {
			t.Errorf("%s is not known", r)
		}
		if (r.Outcome() == reasons.OutcomeVerified) != (r == reasons.Verified) {
			t.Errorf("%s has the outcome %s", r, r.Outcome())
		}
	}
	for _, r := range []reasons.Reason{"", "because", "VERIFIED"} {
		if r.Known() || r.Outcome() != reasons.OutcomeRefused {
			t.Errorf("%q: an unknown reason must refuse", r)
		}
	}
}

// causeCases are errors of the packages below. The test vectors have those of
// statements.
var causeCases = []struct {
	err  error
	want reasons.Reason
}{
	{keys.ErrKeyEncrypted, reasons.KeyEncrypted},
	{keys.ErrKeyReadable, reasons.KeyReadable},
	{keys.ErrKeyMismatch, reasons.KeyMismatch},
	{keys.ErrPEM, reasons.BadPEM},
	{&fs.PathError{Op: "open", Path: "f", Err: fs.ErrNotExist}, reasons.BadFile},
	{&fs.PathError{Op: "open", Path: "f", Err: fs.ErrPermission}, reasons.BadFile},
	{&fs.PathError{Op: "read", Path: "f", Err: errors.New("input/output error")}, reasons.BadFile},
	{Errorf(reasons.Revoked, "x"), reasons.Revoked},
}

func TestReasonOf(t *testing.T) {
	for _, c := range causeCases {
		if got := ReasonOf(fmt.Errorf("more: %w", c.err)); got != c.want {
			t.Errorf("%v: got %q, want %s", c.err, got, c.want)
		}
	}
	if got := ReasonOf(errors.New("something else")); got != "" {
		t.Errorf("got %q, want none", got)
	}
}
