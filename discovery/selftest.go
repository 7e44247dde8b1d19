package discovery

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// SelfTest asks the validating resolver for a name that is known to be secure,
// and for one whose DNSSEC signatures are known to be broken. It says which of
// the two gets a wrong answer. It checks a set-up. Passing it is never a reason
// to believe a resolver that was not named as validating. The two names decide
// nothing else.
//
// The question is for the addresses of each name; that a name has none, or
// does not exist, is as good an answer. It takes at most 5 seconds. The error
// is a *[delegation.Error] with [reasons.SelfTestFailed], or it wraps
// [ErrConfig]: of a client that is not [Client.Validating], or bad names.
func (c *Client) SelfTest(ctx context.Context, secure, bogus string) error {
	if !c.Validating {
		return configError("only a resolver that is said to validate can be tested for it (Validating)")
	}
	wanted := []struct {
		name  string
		state delegation.DNSSEC
		found lookup
	}{{name: secure, state: delegation.Secure}, {name: bogus, state: delegation.Bogus}}
	for _, w := range wanted {
		if err := delegation.CheckName(w.name); err != nil {
			return configError("a name for the self-test: %w", err)
		}
	}
	r, err := c.resolver()
	if err != nil {
		return err
	}
	var both sync.WaitGroup
	for i := range wanted {
		both.Go(func() { wanted[i].found = r.lookup(ctx, question{name: wanted[i].name, qtype: dns.TypeA}) })
	}
	both.Wait()
	var wrong []string
	for _, w := range wanted {
		if w.found.DNSSEC == w.state {
			continue
		}
		text := fmt.Sprintf("%s is %s, not %s", w.name, w.found.DNSSEC, w.state)
		if f := w.found.Failure; f != nil {
			text += fmt.Sprintf(" (%s: %s)", f.Reason, f.Detail)
		}
		wrong = append(wrong, text)
	}
	if len(wrong) == 0 {
		return nil
	}
	p := fail(reasons.SelfTestFailed, "by %s: %s", c.Resolver, strings.Join(wrong, "; "))
	return &delegation.Error{Outcome: p.Reason.Outcome(), Reason: p.Reason, Detail: p.Detail}
}
