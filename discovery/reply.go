package discovery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A question is what one DNS message asks.
type question struct {
	name  string // canonical: lower-case, with the trailing dot
	qtype uint16
	// unchecked sets the CD flag: the resolver is to answer although DNSSEC
	// validation fails. Used only to learn that it failed.
	unchecked bool
}

func (q question) String() string {
	return strings.TrimSuffix(q.name, ".") + " " + dns.TypeToString[q.qtype]
}

// message makes the DNS message for a question with a new random ID. RD=1: the
// resolver is to do the work. AD=1: it may say that the answer is secure
// (RFC 6840, Section 5.7). DO=0: no signatures, they would only fill the reply.
func (q question) message() *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.qtype)
	m.AuthenticatedData = true
	m.CheckingDisabled = q.unchecked
	return m.SetEdns0(udpSize, false)
}

// readReply parses octets that came back for a query. The error says why they
// are no reply to it: then over UDP somebody else may have sent them, and the
// reader waits for better ones (RFC 5452, Section 9.1).
func readReply(query *dns.Msg, wire []byte) (*dns.Msg, error) {
	reply := new(dns.Msg)
	if err := reply.Unpack(wire); err != nil {
		return nil, fmt.Errorf("no DNS message: %w", err)
	}
	switch {
	case reply.Id != query.Id:
		return nil, errors.New("another ID")
	case !reply.Response || reply.Opcode != dns.OpcodeQuery:
		return nil, errors.New("not a reply to a query")
	case len(reply.Question) == 0 && isError(reply) && len(reply.Answer) == 0:
		// Some servers send nothing but the header when they refuse.
		return reply, nil
	case len(reply.Question) != 1 || !sameQuestion(reply.Question[0], query.Question[0]):
		return nil, errors.New("another question")
	case !complete(reply, wire):
		return nil, errors.New("fewer records than it promises")
	}
	for _, rr := range reply.Answer {
		// The library reads a record without data as one with zero values.
		if rr.Header().Rdlength == 0 {
			return nil, errors.New("a record without data")
		}
	}
	return reply, nil
}

// isError: only NOERROR and NXDOMAIN are answers.
func isError(reply *dns.Msg) bool {
	return reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError
}

// sameQuestion compares names without regard to case (RFC 4343).
func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && dns.CanonicalName(a.Name) == dns.CanonicalName(b.Name)
}

// complete: the library takes a message that ends early for one with fewer
// records, so the counts of the header (RFC 1035, Section 4.1.1) are compared
// with what was read.
func complete(reply *dns.Msg, wire []byte) bool {
	count := func(offset int) int { return int(binary.BigEndian.Uint16(wire[offset:])) }
	return count(4) == len(reply.Question) && count(6) == len(reply.Answer) &&
		count(8) == len(reply.Ns) && count(10) == len(reply.Extra)
}

// usable returns nil if the reply answers the question, be it with "there is
// none", and otherwise why another resolver should be asked.
func usable(reply *dns.Msg, q question) error {
	rcode, known := dns.RcodeToString[reply.Rcode]
	if !known {
		rcode = fmt.Sprintf("response code %d", reply.Rcode)
	}
	switch {
	case isError(reply):
		return errors.New(rcode + extendedErrors(reply))
	case slices.ContainsFunc(reply.Answer, func(rr dns.RR) bool { return dns.CanonicalName(rr.Header().Name) == q.name }):
		return nil
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
	for _, rr := range reply.Ns {
		if _, ok := rr.(*dns.NS); ok {
			return true
		}
	}
	return false
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
	for _, e := range edes(reply) {
		if e.InfoCode >= dns.ExtendedErrorCodeDNSBogus && e.InfoCode <= dns.ExtendedErrorCodeNSECMissing {
			return true
		}
	}
	return false
}
