package publish

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
)

// A spot is where the records of a place are kept.
type spot struct {
	owner   string // the name of the record set, canonical, aliases followed
	zone    string // the zone it is in, canonical
	primary string // the host name of the zone's primary (SOA MNAME), canonical
}

// locate follows aliases from a name to its record set and finds the zone that
// is in, by SOA records: the zone's own in the answer, or the one that comes with
// "there is none" (RFC 2308, Section 2).
func (d *DNS) locate(ctx context.Context, name string) (spot, error) {
	owner := dns.CanonicalName(name)
	for links := 0; ; {
		reply, err := d.askNear(ctx, owner)
		if err != nil {
			return spot{}, err
		}
		asked := owner
		for next, ok := alias(reply.Answer, owner); ok; next, ok = alias(reply.Answer, owner) {
			if links++; links > maxAliases {
				return spot{}, failure(delegation.AliasLoop, "the CNAME records at %s loop, or are more than %d", name, maxAliases)
			}
			owner = next
		}
		for _, rr := range slices.Concat(reply.Answer, reply.Ns) {
			if soa, ok := rr.(*dns.SOA); ok && dns.IsSubDomain(soa.Hdr.Name, owner) {
				return spot{owner, dns.CanonicalName(soa.Hdr.Name), dns.CanonicalName(soa.Ns)}, nil
			}
		}
		if owner == asked {
			return spot{}, failure(delegation.DNSFailure, "the zone of %s cannot be found: no SOA record comes with the answer", owner)
		}
	}
}

// alias is where the CNAME record of a name leads.
func alias(answer []dns.RR, name string) (string, bool) {
	for _, rr := range answer {
		if c, ok := rr.(*dns.CNAME); ok && dns.CanonicalName(c.Hdr.Name) == name {
			return dns.CanonicalName(c.Target), true
		}
	}
	return "", false
}

// askNear asks for the SOA record at a name: first the servers that the caller
// named, and if they answer and have no authority for it, the resolver.
func (d *DNS) askNear(ctx context.Context, name string) (*dns.Msg, error) {
	named := d.Authorities
	if d.Server != "" {
		named = append([]string{d.Server}, named...)
	}
	servers, err := parseServers(named)
	if err != nil {
		return nil, err
	}
	var silent []string
	for _, server := range servers {
		reply, err := ask(ctx, server, name, dns.TypeSOA, false)
		switch {
		case err != nil:
			silent = append(silent, fmt.Sprintf("%s: %v", server, err))
		case answered(reply) && reply.Authoritative:
			return reply, nil
		}
	}
	if len(silent) > 0 && len(silent) == len(servers) {
		return nil, failure(delegation.DNSTimeout, "%s", strings.Join(silent, "; "))
	}
	return d.resolve(ctx, name, dns.TypeSOA)
}

// A nameServer is one server, whatever the number of its addresses.
type nameServer struct {
	name      string // empty if the caller gave an address
	addresses []netip.AddrPort
	err       error // why there are no addresses
}

func (s nameServer) String() string {
	if s.name == "" {
		return s.addresses[0].String()
	}
	return strings.TrimSuffix(s.name, ".")
}

// primary is the server to update.
func (d *DNS) primary(ctx context.Context, at spot) (nameServer, error) {
	if d.Server != "" {
		server, err := parseServer(d.Server)
		return nameServer{addresses: []netip.AddrPort{server}}, err
	}
	server := d.lookUp(ctx, at.primary)
	return server, server.err
}

// authorities are the servers that must show what is published.
func (d *DNS) authorities(ctx context.Context, at spot) ([]nameServer, error) {
	if len(d.Authorities) > 0 {
		addresses, err := parseServers(d.Authorities)
		var list []nameServer
		for _, a := range addresses {
			list = append(list, nameServer{addresses: []netip.AddrPort{a}})
		}
		return list, err
	}
	reply, err := d.resolve(ctx, at.zone, dns.TypeNS)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, rr := range reply.Answer {
		if ns, ok := rr.(*dns.NS); ok && dns.CanonicalName(ns.Hdr.Name) == at.zone {
			names = append(names, dns.CanonicalName(ns.Ns))
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 || len(names) > maxServers {
		return nil, failure(delegation.DNSFailure, "the zone %s has %d name servers, which is not between 1 and %d", at.zone, len(names), maxServers)
	}
	var list []nameServer
	for _, name := range names {
		list = append(list, d.lookUp(ctx, name))
	}
	return list, nil
}

// lookUp finds the addresses of a name server. One family that fails does not
// stop the other.
func (d *DNS) lookUp(ctx context.Context, name string) nameServer {
	server := nameServer{name: name, err: failure(delegation.DNSFailure, "the name server %s has no address; name the servers to use", name)}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		reply, err := d.resolve(ctx, name, qtype)
		if err != nil {
			server.err = err
			continue
		}
		for _, rr := range reply.Answer {
			var a netip.Addr
			switch rr := rr.(type) {
			case *dns.A:
				a, _ = netip.AddrFromSlice(rr.A.To4())
			case *dns.AAAA:
				a, _ = netip.AddrFromSlice(rr.AAAA.To16())
			}
			if a.IsValid() && len(server.addresses) < maxAddresses {
				server.addresses = append(server.addresses, netip.AddrPortFrom(a, dnsPort))
			}
		}
	}
	if len(server.addresses) > 0 {
		server.err = nil
	}
	return server
}
