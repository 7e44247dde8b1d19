package demo

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

func TestScale(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out bytes.Buffer
	var total int
	var steps atomic.Int64
	err := Scale(t.Context(), &out, 5, func(n int) func() {
		total = n
		return func() { steps.Add(1) }
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := int(steps.Load()); got != total || total != 6*7 {
		t.Errorf("%d steps of %d", got, total)
	}
	for want, count := range map[string]int{
		"5 accepted, 2 refused (1 no-statement, 1 target-mismatch)":    2,
		"5 accepted, 2 refused (1 no-statement, 1 peer-name-mismatch)": 2,
		"without delegation            50 ":                            1,
		"with delegation                2 ":                            1,
	} {
		if strings.Count(out.String(), want) != count {
			t.Errorf("not %d times %q in\n%s", count, want, &out)
		}
	}
}

func TestScaleEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	err := Scale(ctx, &out, 50, func(int) func() { return cancel })
	if !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("got %v and %q", err, &out)
	}
}

// TestTally: the demonstration fails if anybody ends other than deserved.
func TestTally(t *testing.T) {
	refused := &delegation.Error{Outcome: reasons.OutcomeRefused, Reason: reasons.NoStatement}
	undetermined := &delegation.Error{Outcome: reasons.OutcomeUndetermined, Reason: reasons.DNSTimeout}
	for _, c := range []struct {
		stranger bool
		err      error
		good     bool
	}{
		{false, nil, true},
		{true, refused, true},
		{true, nil, false},
		{false, refused, false},
		{true, undetermined, false},
		{true, errors.New("connection reset"), false},
	} {
		if err := newTally().count(tenant{stranger: c.stranger}, c.err); (err == nil) != c.good {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 20_007: "20,007", 200_000_000: "200,000,000"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
