package discovery

import (
	"context"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
)

// srv asks for SRV records (RFC 2782).
func (r *resolver) srv(ctx context.Context, name string) delegation.SRVAnswer {
	found := r.lookup(ctx, name, dns.TypeSRV)
	a := delegation.SRVAnswer{Answer: found.Answer}
	for _, rr := range found.records {
		srv := rr.(*dns.SRV)
		a.Records = append(a.Records, delegation.SRVRecord{
			Priority: srv.Priority, Weight: srv.Weight, Port: srv.Port, Target: hostName(srv.Target),
		})
	}
	return a
}

// hostName is the form of [delegation.SRVRecord]: lower-case without the
// trailing dot, except "." alone. A name that is no host name keeps the
// escapes of its presentation form, which no statement can list.
func hostName(target string) string {
	if target == "." {
		return target
	}
	return strings.TrimSuffix(dns.CanonicalName(target), ".")
}

// txt asks for TXT records. The strings of one record belong together without
// anything between them. The library escapes octets outside printable ASCII;
// see [delegation.TXTAnswer].
func (r *resolver) txt(ctx context.Context, name string) delegation.TXTAnswer {
	found := r.lookup(ctx, name, dns.TypeTXT)
	a := delegation.TXTAnswer{Answer: found.Answer, Alias: found.alias}
	for _, rr := range found.records {
		a.Records = append(a.Records, strings.Join(rr.(*dns.TXT).Txt, ""))
	}
	return a
}

// addresses asks for both families together and returns the addresses in the
// order to try them: IPv6 and IPv4 in turn (RFC 8305, Section 4). None and no
// failure means that the host has no address. If one family fails and the other
// has addresses, these are used. The exception is a failed DNSSEC validation:
// somebody forges, or the zone is broken. The whole is secure if all answers that
// came are.
func (r *resolver) addresses(ctx context.Context, host string) delegation.AddressAnswer {
	var v6, v4 lookup
	var both sync.WaitGroup
	both.Go(func() { v6 = r.lookup(ctx, host, dns.TypeAAAA) })
	both.Go(func() { v4 = r.lookup(ctx, host, dns.TypeA) })
	both.Wait()

	a := delegation.AddressAnswer{Answer: delegation.Answer{Name: host, DNSSEC: delegation.Indeterminate}}
	for _, l := range []lookup{v6, v4} {
		if l.DNSSEC == delegation.Bogus {
			a.Answer = l.Answer
			return a
		}
	}
	for i := range max(len(v6.records), len(v4.records)) {
		if i < len(v6.records) {
			a.Addresses = appendAddress(a.Addresses, v6.records[i].(*dns.AAAA).AAAA)
		}
		if i < len(v4.records) {
			a.Addresses = appendAddress(a.Addresses, v4.records[i].(*dns.A).A)
		}
	}
	for _, l := range []lookup{v4, v6} {
		switch {
		case l.Failure != nil && len(a.Addresses) == 0:
			a.Answer = l.Answer
			return a
		case l.Failure != nil:
			a.Partly = true
		case a.DNSSEC == delegation.Indeterminate:
			a.Answer = l.Answer
		default:
			a.TTL = min(a.TTL, l.TTL)
			if l.DNSSEC != delegation.Secure {
				a.DNSSEC = l.DNSSEC
			}
		}
	}
	return a
}

func appendAddress(list []netip.Addr, octets []byte) []netip.Addr {
	if a, ok := netip.AddrFromSlice(octets); ok {
		return append(list, a.Unmap())
	}
	return list
}
