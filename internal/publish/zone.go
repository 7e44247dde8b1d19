package publish

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// A spot is where the records of a place are kept.
type spot struct {
	owner   string // the name of the record set, canonical, aliases followed
	zone    string // the zone it is in, canonical
	primary string // the host name of the zone's primary (SOA MNAME), canonical
}

// locate follows aliases from a name to its record set and finds the zone that
// holds it. It reads SOA records: the zone's own in the answer, or the one that
// comes with "there is none" (RFC 2308, Section 2).
//
// Only an alias that somebody wrote for that name is followed. An alias from a
// wildcard leads many names to one, and nobody asked for statements there. The
// record set is then at the name itself, where a record takes the place of what
// the wildcard makes.
func (d *DNS) locate(ctx context.Context, name string) (spot, error) {
	owner := dns.CanonicalName(name)
	for links := 0; ; {
		reply, from, err := d.askNear(ctx, owner)
		if err != nil {
			return spot{}, err
		}
		asked := owner
		for next, ok := alias(reply.Answer, owner); ok; next, ok = alias(reply.Answer, owner) {
			switch made, err := from.makesAlias(ctx, owner, next); {
			case err != nil:
				return spot{}, err
			case made:
				return d.around(ctx, owner)
			}
			if links++; links > maxAliases {
				return spot{}, delegation.Errorf(reasons.AliasLoop, "the CNAME records at %s loop, or are more than %d", name, maxAliases)
			}
			owner = next
		}
		if at, ok := zoneOf(reply, owner); ok {
			return at, nil
		}
		if owner == asked {
			return spot{}, noZone(owner)
		}
	}
}

// around finds the zone of a name that has no records, and so is not the top of
// a zone. It is the zone of the next name above that is not an alias.
func (d *DNS) around(ctx context.Context, owner string) (spot, error) {
	for name := owner; ; {
		next, end := dns.NextLabel(name, 0)
		if end {
			return spot{}, noZone(owner)
		}
		name = name[next:]
		reply, _, err := d.askNear(ctx, name)
		if err != nil {
			return spot{}, err
		}
		if _, ok := alias(reply.Answer, name); ok {
			continue
		}
		if at, ok := zoneOf(reply, name); ok {
			at.owner = owner
			return at, nil
		}
	}
}

// zoneOf is the zone of a name by the answer to a question about its SOA record.
func zoneOf(reply *dns.Msg, owner string) (spot, bool) {
	for _, rr := range slices.Concat(reply.Answer, reply.Ns) {
		if soa, ok := rr.(*dns.SOA); ok && dns.IsSubDomain(soa.Hdr.Name, owner) {
			return spot{owner, dns.CanonicalName(soa.Hdr.Name), dns.CanonicalName(soa.Ns)}, true
		}
	}
	return spot{}, false
}

func noZone(owner string) error {
	return delegation.Errorf(reasons.DNSFailure, "the zone of %s cannot be found: no SOA record comes with the answer", owner)
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
// named, or those of the zone above the name. If they answer and have no
// authority for it, the resolver is asked.
//
// A resolver that was asked for a name remembers for a while that it is not
// there. So the name of a record that is still to be published is asked of
// servers that know. from is who answered.
func (d *DNS) askNear(ctx context.Context, name string) (reply *dns.Msg, from asker, err error) {
	named := d.Authorities
	if d.Server != "" {
		named = append([]string{d.Server}, named...)
	}
	servers, err := parseServers(named)
	if err != nil {
		return nil, asker{}, err
	}
	if len(servers) == 0 {
		servers = d.above(ctx, name)
	}
	var asked []netip.AddrPort
	var silent, said []string
	var wrongKey error
	for _, server := range servers {
		if slices.Contains(asked, server) {
			continue // the server to update is one that must show it, too
		}
		asked = append(asked, server)
		a := d.asker(server)
		reply, key, err := a.ask(ctx, name, dns.TypeSOA)
		switch {
		case err != nil:
			silent = append(silent, fmt.Sprintf("%s: %v", server, err))
		case a.answers(reply):
			return reply, a, nil
		case key.rejected != nil:
			wrongKey = d.tsigError(server, key.rejected)
		default:
			said = append(said, a.said(reply, key))
		}
	}
	if len(named) > 0 && len(silent) == len(asked) {
		return nil, asker{}, delegation.Errorf(reasons.DNSTimeout, "%s", strings.Join(silent, "; "))
	}
	reply, from, err = d.resolve(ctx, name, dns.TypeSOA)
	switch {
	case err != nil && wrongKey != nil: // for whoever has the right one there may be a zone
		err = wrongKey
	case delegation.ReasonOf(err) == reasons.DNSFailure && len(named) > 0 && len(said) > 0:
		err = delegation.Errorf(reasons.DNSFailure, "%s; %s", strings.Join(said, "; "), detail(err))
	}
	return reply, from, err
}

// above are a few servers of the zone that holds the domain of a name such as
// _xmpp-server._tcp._dna.b.example. There are none if the name has no labels
// of a service, or if they cannot be found.
func (d *DNS) above(ctx context.Context, name string) (servers []netip.AddrPort) {
	domain := name
	for strings.HasPrefix(domain, "_") {
		_, domain, _ = strings.Cut(domain, ".")
	}
	if domain == name || domain == "" {
		return nil
	}
	reply, _, err := d.resolve(ctx, domain, dns.TypeSOA)
	if err != nil {
		return nil
	}
	at, ok := zoneOf(reply, domain)
	if !ok {
		return nil
	}
	list, err := d.authorities(ctx, at)
	if err != nil {
		return nil
	}
	for _, s := range list {
		if len(s.addresses) > 0 && len(servers) < dnsexchange.MaxResolvers {
			servers = append(servers, s.addresses[0])
		}
	}
	return servers
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
	names, err := d.nameServers(ctx, at.zone)
	var list []nameServer
	for _, name := range names {
		list = append(list, d.lookUp(ctx, name))
	}
	return list, err
}

// nameServers are the names in the NS records of a zone.
func (d *DNS) nameServers(ctx context.Context, zone string) (names []string, err error) {
	reply, _, err := d.resolve(ctx, zone, dns.TypeNS)
	if err != nil {
		return nil, err
	}
	for _, rr := range reply.Answer {
		if ns, ok := rr.(*dns.NS); ok && dns.CanonicalName(ns.Hdr.Name) == zone {
			names = append(names, dns.CanonicalName(ns.Ns))
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 || len(names) > maxServers {
		return nil, delegation.Errorf(reasons.DNSFailure, "the zone %s has %d name servers, which is not between 1 and %d", zone, len(names), maxServers)
	}
	return names, nil
}

// lookUp finds the addresses of a name server. One family that fails does not
// stop the other.
func (d *DNS) lookUp(ctx context.Context, name string) nameServer {
	server := nameServer{name: name, err: delegation.Errorf(reasons.DNSFailure, "the name server %s has no address; name the servers to use", name)}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		reply, _, err := d.resolve(ctx, name, qtype)
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
				server.addresses = append(server.addresses, netip.AddrPortFrom(a, cmp.Or(d.port, dnsexchange.Port)))
			}
		}
	}
	if len(server.addresses) > 0 {
		server.err = nil
	}
	return server
}
