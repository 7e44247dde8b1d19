package discovery

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// A chain follows CNAME records from the name of a question to its answer
// (RFC 1034, Section 3.6.2), through one reply or several.
type chain struct {
	name  string // canonical; where it has come to
	qtype uint16
	seen  []string // names before it
	ttl   uint32   // seconds, the least so far
}

func newChain(name string, qtype uint16) *chain {
	return &chain{name: dns.CanonicalName(name), qtype: qtype, ttl: 1<<31 - 1}
}

// follow takes the chain through a reply as far as it leads and returns the
// records at its end. Without any, moved reports whether the reply led on to
// another name. It ignores all records that are not on the chain.
func (c *chain) follow(reply *dns.Msg) (records []dns.RR, moved bool, p *problem) {
	for {
		if records = c.at(reply, c.qtype); len(records) > 0 {
			return records, moved, nil
		}
		aliases := c.at(reply, dns.TypeCNAME)
		if len(aliases) == 0 {
			return nil, moved, nil
		}
		if p := c.move(aliases); p != nil {
			return nil, moved, p
		}
		moved = true
	}
}

func (c *chain) at(reply *dns.Msg, rtype uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range reply.Answer {
		h := rr.Header()
		if h.Rrtype == rtype && h.Class == dns.ClassINET && dns.CanonicalName(h.Name) == c.name {
			found = append(found, rr)
			c.ttl = min(c.ttl, lifetime(h.Ttl))
		}
	}
	return found
}

// signatures returns those of the records at the end of the chain.
func (c *chain) signatures(reply *dns.Msg) (list []*dns.RRSIG) {
	for _, rr := range reply.Answer {
		s, ok := rr.(*dns.RRSIG)
		if ok && s.TypeCovered == c.qtype && s.Hdr.Class == dns.ClassINET && dns.CanonicalName(s.Hdr.Name) == c.name {
			list = append(list, s)
		}
	}
	return list
}

// move goes on to where the alias points.
func (c *chain) move(aliases []dns.RR) *problem {
	target := dns.CanonicalName(aliases[0].(*dns.CNAME).Target)
	for _, rr := range aliases[1:] {
		// RFC 2181, Section 10.1: one name has one CNAME record.
		if other := dns.CanonicalName(rr.(*dns.CNAME).Target); other != target {
			return fail(reasons.DNSFailure, "%s is an alias of two names, %s and %s", quoted(c.name), quoted(target), quoted(other))
		}
	}
	c.seen = append(c.seen, c.name)
	if slices.Contains(c.seen, target) {
		return fail(reasons.AliasLoop, "the CNAME records lead back to %s", quoted(target))
	}
	if len(c.seen) > maxLinks {
		return fail(reasons.AliasLoop, "more than %d CNAME records, the last to %s", maxLinks, quoted(target))
	}
	c.name = target
	return nil
}

// none notes how long it is true that there are no records (RFC 2308,
// Section 5). Without an SOA record nobody promised anything.
func (c *chain) none(reply *dns.Msg) {
	if soa := soa(reply); soa != nil {
		c.ttl = min(c.ttl, lifetime(soa.Hdr.Ttl), lifetime(soa.Minttl))
		return
	}
	c.ttl = 0
}

// lifetime: a TTL with the first bit set counts as zero (RFC 2181, Section 8).
func lifetime(ttl uint32) uint32 {
	if ttl > 1<<31-1 {
		return 0
	}
	return ttl
}
