package delegation

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/keys"
)

// A table is a table of cases for Verify.
type table struct {
	name  string
	cases []verifyCase
}

func tables() []table {
	return []table{
		{"claims", claimsCases()}, {"token", tokenCases()}, {"signature", signatureCases()},
		{"TXT", txtCases()}, {"documents", documentCases()}, {"failures", failureCases()},
		{"signer", signerCases()}, {"keys", keyCases()}, {"chain", chainCases()}, {"time", timeCases()},
		{"order", orderCases()}, {"SRV", srvCases()}, {"inputs", inputCases()}, {"names", nameClaimCases()},
		{"subject", subjectCases()},
		{"AC message", acMessageCases()}, {"AC", acInfoCases()}, {"AC attribute", acAttributeCases()}, {"AC signer", acSignerCases()},
	}
}

// byOthers are the reasons that only other packages give: association, those
// that dial, and publish.
var byOthers = []Reason{
	NotSecure, NotUsed, Overloaded, MemoryFailed, SelfTestFailed, ConnectFailed, ConnectTimeout,
	STARTTLSMissing, STARTTLSFailed, STARTTLSInjection, TLSFailed,
	BadTSIGKey, TSIGRejected, ClockMismatch, UpdateRefused, UpdateTooLarge, UpdateFailed, UpdateRaced, NotEverywhere,
}

// TestEveryReason: every reason is expected by some case.
func TestEveryReason(t *testing.T) {
	expected := map[Reason]int{}
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
	if cases < 450 {
		t.Errorf("only %d cases", cases)
	}
	for _, reason := range Reasons() {
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
	if n := len(Reasons()); n < 59 {
		t.Errorf("only %d reasons", n)
	}
	seen := map[Reason]bool{}
	for _, r := range Reasons() {
		if seen[r] {
			t.Errorf("%s is there twice", r)
		}
		seen[r] = true
		if !r.Known() {
			t.Errorf("%s is not known", r)
		}
		if (r.Hint() == "") != (r == Verified) {
			t.Errorf("%s has the hint %q", r, r.Hint())
		}
		if (r.Outcome() == OutcomeVerified) != (r == Verified) {
			t.Errorf("%s has the outcome %s", r, r.Outcome())
		}
	}
	for _, r := range []Reason{"", "because", "VERIFIED"} {
		if r.Known() || r.Outcome() != OutcomeRefused || r.Hint() != "" {
			t.Errorf("%q: an unknown reason must refuse", r)
		}
	}
}

// causeCases are errors of the packages below.
var causeCases = []struct {
	err  error
	want Reason
}{
	{jws.ErrTooLarge, StatementTooLarge},
	{jws.ErrMalformed, MalformedToken},
	{jws.ErrHeader, BadHeader},
	{jws.ErrType, WrongType},
	{jws.ErrAlgorithm, UnsupportedAlgorithm},
	{jws.ErrCertificates, MalformedCertificate},
	{keys.ErrUnsupportedKey, UnsupportedKey},
	{keys.ErrUnsupportedAlgorithm, UnsupportedAlgorithm},
	{keys.ErrAlgorithmMismatch, AlgorithmMismatch},
	{keys.ErrSignature, BadSignature},
	{keys.ErrKeyEncrypted, KeyEncrypted},
	{keys.ErrKeyReadable, KeyReadable},
	{keys.ErrKeyMismatch, KeyMismatch},
	{keys.ErrPEM, BadPEM},
	{&fs.PathError{Op: "open", Path: "f", Err: fs.ErrNotExist}, BadFile},
	{&fs.PathError{Op: "open", Path: "f", Err: fs.ErrPermission}, BadFile},
	{&fs.PathError{Op: "read", Path: "f", Err: errors.New("input/output error")}, BadFile},
	{refuse(Revoked, "x"), Revoked},
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
