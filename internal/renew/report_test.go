package renew

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestTrouble: a reason is told once, also where several things went wrong.
func TestTrouble(t *testing.T) {
	one := delegation.Errorf(reasons.DNSTimeout, "no answer from one")
	two := delegation.Errorf(reasons.DNSFailure, "REFUSED by two")
	for want, err := range map[string]error{
		"no answer from one":                                           one,
		"no answer from one; REFUSED by two":                           errors.Join(one, two),
		"no answer from one; REFUSED by two; it is full":               errors.Join(errors.Join(one, two), errors.New("it is full")),
		"undetermined: dns-timeout: no answer from one, at last":       fmt.Errorf("%w, at last", one),
		"undetermined: dns-timeout: no answer from one, or it is full": fmt.Errorf("%w, or %w", one, errors.New("it is full")),
	} {
		if got := trouble(err); got.Detail != want || got.Reason != reasons.DNSTimeout {
			t.Errorf("%v is told as %+v", err, got)
		}
	}
}
