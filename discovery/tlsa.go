package discovery

import (
	"context"
	"encoding/hex"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// GatherSigners asks for the records that name who may sign for a role of a source,
// for tools of its owner. The DNSSEC state is what the resolver says, even if
// nobody vouches for that. So this is advice, and no evidence. It takes source and
// service, and has errors, like [Client.Gather]. A name that DNS cannot have is
// answered without records.
func (c *Client) GatherSigners(ctx context.Context, source, service string) (delegation.TLSAAnswer, error) {
	if err := c.check(source, service); err != nil {
		return delegation.TLSAAnswer{}, err
	}
	connector, err := c.connector()
	if err != nil {
		return delegation.TLSAAnswer{}, err
	}
	name := delegation.SignerName(source, delegation.RoleOf(service).Service)
	if name == "" {
		return delegation.TLSAAnswer{}, nil
	}
	r := *connector.resolver
	r.validating = true
	return r.tlsa(ctx, name), nil
}

// tlsa asks for TLSA records (RFC 6698) and for their signatures, which tell
// whether a wildcard made them.
func (r *resolver) tlsa(ctx context.Context, name string) delegation.TLSAAnswer {
	found := r.lookup(ctx, question{name: name, qtype: dns.TypeTLSA, signed: true})
	a := delegation.TLSAAnswer{Answer: found.Answer, Alias: found.alias != ""}
	if found.DNSSEC == delegation.Secure && len(found.records) > 0 {
		var known bool
		if a.Wildcard, known = madeByWildcard(found); !known {
			return unusable(a, "the signatures of %s do not tell whether a wildcard made its records", name)
		}
	}
	for _, rr := range found.records {
		tlsa := rr.(*dns.TLSA)
		data, err := hex.DecodeString(tlsa.Certificate)
		if err != nil {
			return unusable(a, "a TLSA record of %s cannot be read", name)
		}
		a.Records = append(a.Records, delegation.TLSARecord{Usage: tlsa.Usage, Selector: tlsa.Selector, Matching: tlsa.MatchingType, Data: data})
	}
	return a
}

// unusable makes a failure of an answer that came.
func unusable(a delegation.TLSAAnswer, format, name string) delegation.TLSAAnswer {
	a.DNSSEC, a.Wildcard, a.Records = delegation.Indeterminate, false, nil
	a.Failure = fail(reasons.DNSFailure, format, quoted(name)).failure()
	return a
}

// madeByWildcard compares the name of secure records with the number of labels
// that was signed (RFC 4034, Section 3.1.3). A resolver validates one signature
// and may hand out others beside it, which anybody can have added. So only
// signatures that agree tell something.
func madeByWildcard(found lookup) (wildcard, known bool) {
	labels := dns.CountLabel(found.records[0].Header().Name)
	for i, s := range found.signatures {
		is := int(s.Labels) < labels
		if i > 0 && is != wildcard {
			return false, false
		}
		wildcard = is
	}
	return wildcard, len(found.signatures) > 0
}
