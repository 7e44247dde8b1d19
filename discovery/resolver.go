package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// A resolver is a stub resolver: it asks recursive ones.
type resolver struct {
	servers []netip.AddrPort // in turn
	// validating: the operator vouches that the one server validates.
	validating bool
	timeouts   timeouts
	log        *slog.Logger
}

// A lookup is the answer to one question, CNAME records followed: records, or
// a Failure, or neither for "there is none".
type lookup struct {
	delegation.Answer
	records []dns.RR
	alias   string // where CNAME records lead, "" without any
	// signatures are those of the records, if they were asked for.
	signatures []*dns.RRSIG
}

// lookup finds the records of a type at a name, with the signatures if the
// question asks for them.
//
// The DNSSEC state is secure only if a validating resolver set the AD flag on
// every reply that led to the answer. One flag covers all records of a reply's
// chain (RFC 4035, Section 3.2.3). From any other resolver the flag is ignored,
// since a stub in between may have copied a forged one.
func (r *resolver) lookup(ctx context.Context, asks question) lookup {
	name, qtype := asks.name, asks.qtype
	found := lookup{Answer: delegation.Answer{Name: name, DNSSEC: delegation.Indeterminate}}
	ctx, cancel := context.WithTimeout(ctx, r.timeouts.lookup)
	defer cancel()

	chain := newChain(name, qtype)
	secure := r.validating
	for {
		q := question{name: chain.name, qtype: qtype, signed: asks.signed}
		a := r.ask(ctx, q)
		if a.server.IsValid() {
			found.Resolver = a.server.String()
		}
		if a.problem != nil {
			found.Failure = a.problem.failure()
			if r.isBogus(ctx, q, a) {
				found.DNSSEC = delegation.Bogus
				found.Failure.Reason = reasons.DNSBogus
			}
			break
		}
		secure = secure && a.reply.AuthenticatedData
		records, moved, p := chain.follow(a.reply)
		nameError := a.reply.Rcode == dns.RcodeNameError
		if p == nil && nameError && len(records) > 0 {
			p = fail(reasons.DNSFailure, "%s says NXDOMAIN and sends records all the same", a.server)
		}
		if p != nil {
			found.Failure = p.failure()
			break
		}
		if len(records) == 0 {
			if moved && !nameError && soa(a.reply) == nil {
				continue // the resolver did not follow to the end
			}
			chain.none(a.reply)
		}
		found.records, found.TTL, found.DNSSEC = records, chain.ttl, delegation.Insecure
		found.signatures = chain.signatures(a.reply)
		if secure {
			found.DNSSEC = delegation.Secure
		}
		break
	}
	if len(chain.seen) > 0 {
		found.alias = strings.TrimSuffix(chain.name, ".")
	}
	r.log.Debug("dns", "name", name, "type", dns.TypeToString[qtype], "resolver", found.Resolver,
		"records", len(found.records), "dnssec", found.DNSSEC, "failure", reasonOf(found.Failure))
	return found
}

// An asked is what came of one question: a reply that answers it, or a problem
// and perhaps the last reply that does not. The server is the one that replied.
type asked struct {
	reply   *dns.Msg
	server  netip.AddrPort
	problem *problem
}

// ask puts a question to every server in turn until one answers it. A server
// that replied badly is not asked again; one that was silent is.
func (r *resolver) ask(ctx context.Context, q question) asked {
	bad := asked{}
	replied := map[netip.AddrPort]bool{}
	said := map[netip.AddrPort]string{}
	for range maxRounds {
		for _, server := range r.servers {
			if replied[server] || ctx.Err() != nil {
				continue
			}
			reply, err := r.exchange(ctx, server, q)
			replied[server] = !errors.Is(err, dnsexchange.ErrSilent)
			if err == nil {
				if err = usable(reply, q); err == nil {
					return asked{reply: reply, server: server}
				}
			}
			if replied[server] {
				bad.reply, bad.server = reply, server
			}
			said[server] = remote(err)
		}
	}
	var detail []string
	for _, server := range r.servers {
		if text := said[server]; text != "" {
			detail = append(detail, fmt.Sprintf("%s: %s", server, text))
		}
	}
	reason := reasons.DNSTimeout
	if bad.server.IsValid() {
		reason = reasons.DNSFailure
	}
	if len(detail) == 0 {
		detail = []string{"no time was left to ask"}
	}
	bad.problem = fail(reason, "%s: %s", q, strings.Join(detail, "; "))
	return bad
}

// exchange asks one server once, within a limit.
func (r *resolver) exchange(ctx context.Context, server netip.AddrPort, q question) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeouts.try)
	defer cancel()
	return dnsexchange.Exchange(ctx, server, q.message())
}

// isBogus reports whether a failure is one of DNSSEC validation. Either the
// resolver says so, or it fails only while it validates. The second question
// sets CD, and its records are used for nothing.
func (r *resolver) isBogus(ctx context.Context, q question, a asked) bool {
	if !r.validating || a.reply == nil || a.reply.Rcode != dns.RcodeServerFailure {
		return false
	}
	if saysBogus(a.reply) {
		return true
	}
	q.unchecked = true
	reply, err := r.exchange(ctx, a.server, q)
	return err == nil && usable(reply, q) == nil
}
