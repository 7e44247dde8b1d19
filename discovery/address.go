package discovery

import (
	"fmt"
	"net/netip"
)

// The filter accepts an address that is globally reachable as a rule of its
// registry, not by exception. For IPv4 this means outside the special-purpose
// registry (RFC 6890, RFC 8190), multicast and reserved space. For IPv6 it
// means inside 2000::/3, the only block from which IANA gives global unicast
// addresses, and outside the special-purpose registry. Whatever is registered
// later outside 2000::/3 is refused without a change here.
//
// Entries that the registries call globally reachable (anycast services such as
// AS112) are refused too. No web server uses them, and the nearest instance may
// be inside the operator's own network.

// A block is a prefix and what it is for.
type block struct {
	prefix  netip.Prefix
	purpose string
}

// refused is in numerical order; ref. IANA IPv4 and IPv6 Special-Purpose
// Address Registries.
var refused = []block{
	{netip.MustParsePrefix("0.0.0.0/8"), "this host on this network, RFC 791"}, // Linux connects 0.0.0.0 to itself
	{netip.MustParsePrefix("10.0.0.0/8"), "private use, RFC 1918"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared address space, RFC 6598"}, // carriers' and clouds' own services
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback, RFC 1122"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link local, RFC 3927"}, // clouds' metadata service
	{netip.MustParsePrefix("172.16.0.0/12"), "private use, RFC 1918"},
	{netip.MustParsePrefix("192.0.0.0/24"), "IETF protocol assignments, RFC 6890"}, // DS-Lite, PCP, NAT64 discovery
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation, RFC 5737"},
	{netip.MustParsePrefix("192.31.196.0/24"), "AS112 anycast, RFC 7535"},
	{netip.MustParsePrefix("192.52.193.0/24"), "AMT anycast, RFC 7450"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay anycast, RFC 7526"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private use, RFC 1918"},
	{netip.MustParsePrefix("192.175.48.0/24"), "AS112 anycast, RFC 7534"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking, RFC 2544"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation, RFC 5737"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation, RFC 5737"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast, RFC 5771"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved, RFC 1112"}, // the broadcast address too

	// Inside 2000::/3. 2001::/23 holds Teredo, benchmarking, ORCHID, AMT,
	// AS112 and others; Teredo and 6to4 carry an IPv4 address that a relay
	// anywhere would connect to.
	{netip.MustParsePrefix("2001::/23"), "IETF protocol assignments, RFC 2928"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation, RFC 3849"},
	{netip.MustParsePrefix("2002::/16"), "6to4, RFC 3056"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "AS112 anycast, RFC 7534"},
	{netip.MustParsePrefix("3fff::/20"), "documentation, RFC 9637"},
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")     // RFC 4291, Section 2.4 and the IANA allocations
	nat64         = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052, Section 2.1
)

// CheckAddress returns nil for an address that a stranger may send us to, and
// otherwise an error that says what the address is. An IPv4-mapped address is
// judged as the IPv4 address that a socket would connect to. An address with
// the well-known NAT64 prefix is judged as the one the translator would use
// (RFC 6052, Section 3.1 forbids private ones there). A zone does not change
// what an address is.
func CheckAddress(a netip.Addr) error {
	if !a.IsValid() {
		return fmt.Errorf("no address")
	}
	a = a.WithZone("").Unmap()
	if nat64.Contains(a) {
		octets := a.As16()
		if err := CheckAddress(netip.AddrFrom4([4]byte(octets[12:]))); err != nil {
			return fmt.Errorf("%s by NAT64: %w", a, err)
		}
		return nil
	}
	for _, b := range refused {
		if b.prefix.Contains(a) {
			return fmt.Errorf("%s is in %s (%s)", a, b.prefix, b.purpose)
		}
	}
	if a.Is6() && !globalUnicast.Contains(a) {
		return fmt.Errorf("%s is not in %s (global unicast)", a, globalUnicast)
	}
	return nil
}
