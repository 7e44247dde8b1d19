package discovery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// A question is what one DNS message asks.
type question struct {
	name  string // canonical: lower-case, with the trailing dot
	qtype uint16
	// unchecked sets the CD flag: the resolver is to answer although DNSSEC
	// validation fails. Used only to learn that it failed.
	unchecked bool
	// signed sets the DO flag: the reply is to have the signatures too.
	signed bool
}

func (q question) String() string {
	return strings.TrimSuffix(q.name, ".") + " " + dns.TypeToString[q.qtype]
}

// isAnswered reports whether a record is one that was asked for, or says where
// to look for it.
func (q question) isAnswered(rr dns.RR) bool {
	h := rr.Header()
	return (h.Rrtype == q.qtype || h.Rrtype == dns.TypeCNAME) && h.Class == dns.ClassINET && dns.CanonicalName(h.Name) == q.name
}

// message makes the DNS message for a question with a new random ID. RD=1: the
// resolver is to do the work. AD=1: it may say that the answer is secure
// (RFC 6840, Section 5.7). DO=0, unless asked for: signatures only fill the reply.
func (q question) message() *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.qtype)
	m.AuthenticatedData = true
	m.CheckingDisabled = q.unchecked
	return m.SetEdns0(udpSize, q.signed)
}

// usable returns nil if the reply answers the question, even with "there is
// none". Otherwise it says why another resolver should be asked.
func usable(reply *dns.Msg, q question) error {
	rcode, known := dns.RcodeToString[reply.Rcode]
	if !known {
		rcode = fmt.Sprintf("response code %d", reply.Rcode)
	}
	switch {
	case dnsexchange.IsError(reply):
		return errors.New(rcode + extendedErrors(reply))
	case slices.ContainsFunc(reply.Answer, q.isAnswered):
		return nil
	case len(reply.Answer) > 0:
		h := reply.Answer[0].Header()
		return fmt.Errorf("%s with records for other questions, such as %s %s", rcode, quoted(h.Name), dns.Type(h.Rrtype))
	case !reply.RecursionAvailable && !reply.Authoritative:
		return fmt.Errorf("%s from a server that neither recurses nor has authority%s", rcode, extendedErrors(reply))
	case !reply.Authoritative && soa(reply) == nil && hasNS(reply):
		// RFC 2308, Section 2.2: NS and no SOA is a referral, not "no data".
		return fmt.Errorf("a referral to other servers%s", extendedErrors(reply))
	}
	return nil
}

// soa returns the SOA record that makes a reply a negative one, if any.
func soa(reply *dns.Msg) *dns.SOA {
	for _, rr := range reply.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}

func hasNS(reply *dns.Msg) bool {
	return slices.ContainsFunc(reply.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS })
}

// extendedErrors shows the extended DNS errors of a reply (RFC 8914).
func extendedErrors(reply *dns.Msg) string {
	var text strings.Builder
	for _, e := range edes(reply) {
		fmt.Fprintf(&text, ", extended error %d", e.InfoCode)
		if meaning := dns.ExtendedErrorCodeToString[e.InfoCode]; meaning != "" {
			fmt.Fprintf(&text, " (%s)", meaning)
		}
		if e.ExtraText != "" {
			fmt.Fprintf(&text, ": %s", quoted(e.ExtraText))
		}
	}
	return text.String()
}

func edes(reply *dns.Msg) []*dns.EDNS0_EDE {
	var list []*dns.EDNS0_EDE
	if opt := reply.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if e, ok := o.(*dns.EDNS0_EDE); ok {
				list = append(list, e)
			}
		}
	}
	return list
}

// saysBogus reports whether an extended error says that DNSSEC validation
// failed: codes 6 to 12 (RFC 8914, Sections 4.7 to 4.13).
func saysBogus(reply *dns.Msg) bool {
	return slices.ContainsFunc(edes(reply), func(e *dns.EDNS0_EDE) bool {
		return e.InfoCode >= dns.ExtendedErrorCodeDNSBogus && e.InfoCode <= dns.ExtendedErrorCodeNSECMissing
	})
}
