package publish

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A wildcard answers for names that do not exist, with any number of labels in
// the place of its star. It answers for no name that exists, nor for any below
// such a name (RFC 4592, Section 3.3.1). So what a name shows is its own, unless
// a name below it, which nobody has heard of, shows the same.

// probeLength is that of a label that nobody has: with its "_", no longer than
// "_xmpp-server", and impossible to guess.
const probeLength = 11

// makesAlias reports whether it is a wildcard that leads a name to a target.
// What a DNAME record makes leads each name to another target, and is the
// owner's own.
func (a asker) makesAlias(ctx context.Context, owner, target string) (bool, error) {
	reply, probe, err := a.probe(ctx, owner, dns.TypeCNAME)
	if err != nil {
		return false, err
	}
	found, ok := alias(reply.Answer, probe)
	return ok && found == target, nil
}

// makesTXT reports whether a set of TXT records at a name is that of a wildcard.
func (a asker) makesTXT(ctx context.Context, owner string, set []dns.RR) (bool, error) {
	reply, probe, err := a.probe(ctx, owner, dns.TypeTXT)
	if err != nil {
		return false, err
	}
	return sameSet(set, txtOf(reply, probe)), nil
}

// probe asks for records at a name that nobody has, below another one.
func (a asker) probe(ctx context.Context, owner string, qtype uint16) (reply *dns.Msg, probe string, err error) {
	label := "_" + strings.ToLower(rand.Text()[:probeLength-1])
	probe = label + "." + owner
	if len(probe) > limits.MaxNameLength+1 {
		// There is no room below it. Beside it, a wildcard shows the same too; so
		// might one beside an alias with the same target, which nobody needs.
		next, _ := dns.NextLabel(owner, 0)
		probe = label[:min(len(label), next-1)] + "." + owner[next:]
	}
	reply, _, err = a.ask(ctx, probe, qtype)
	switch {
	case err != nil:
		err = delegation.Errorf(reasons.DNSTimeout, "%s: %v", a, err)
	case !a.answers(reply):
		err = delegation.Errorf(reasons.DNSFailure, "%s does not say whether a wildcard makes what is at %s: it says %s of a name below", a, owner, rcode(reply.Rcode))
	}
	return reply, probe, err
}

// txtOf are the TXT records in an answer that are those of a name.
func txtOf(reply *dns.Msg, name string) (set []dns.RR) {
	for _, rr := range reply.Answer {
		if txt, ok := rr.(*dns.TXT); ok && dns.CanonicalName(txt.Hdr.Name) == name {
			set = append(set, txt)
		}
	}
	return set
}

// sameSet compares two sets of TXT records by their texts.
func sameSet(a, b []dns.RR) bool { return sameTexts(textsOf(a), textsOf(b)) }

func sameTexts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
