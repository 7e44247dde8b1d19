package renew

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/signing"
)

// A named is what the zone says of the keys that may sign for a delegation, as the
// resolver tells it. Nobody vouches for that here, so it is told to the owner and
// believed by nobody.
type named struct {
	answer delegation.TLSAAnswer
	own    bool   // no authority vouches for the certificate
	note   string // for a person
	err    error  // why those who validate DNSSEC refuse
}

// keysOf asks which keys the zone names.
func (r *Runner) keysOf(ctx context.Context, d *Delegation, leaf *x509.Certificate) named {
	n := named{own: signing.IssuedItself(leaf)}
	var err error
	if n.answer, err = r.Client.GatherSigners(ctx, d.Source, d.Service); err != nil {
		n.answer.Failure = &delegation.Failure{Reason: reasons.DNSFailure, Detail: err.Error()}
	}
	n.note, n.err = signing.Named(n.answer, d.Source, d.Service, leaf)
	return n
}

// validated is what a stranger has who validates DNSSEC, if the zone is signed.
func (n named) validated(e *delegation.Evidence) *delegation.Evidence {
	out := *e
	name := delegation.TXTName(e.Source, e.Service)
	if out.TXT = slices.Clone(e.TXT); len(out.TXT) == 0 {
		out.TXT = []delegation.TXTAnswer{{Answer: delegation.Answer{Name: name}, Records: []string{}}}
	}
	if out.TXT[0].Failure == nil {
		out.TXT[0].DNSSEC = delegation.Secure
	}
	if n.answer.Name != "" {
		a := n.answer
		if a.Failure == nil {
			a.DNSSEC = delegation.Secure
		}
		out.Signers = []delegation.TLSAAnswer{a}
	}
	return &out
}
