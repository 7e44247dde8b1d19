package discovery

import (
	"net/netip"
	"strings"
	"testing"
)

// TestRefusedBlocks takes the first and the last address of each block, which
// are refused. It takes the neighbours outside, which are not, unless another
// block begins there.
func TestRefusedBlocks(t *testing.T) {
	if len(refused) != 23 {
		t.Fatalf("%d blocks, want 18 of IPv4 and 5 of IPv6", len(refused))
	}
	inBlock := func(a netip.Addr) bool {
		for _, b := range refused {
			if b.prefix.Contains(a) {
				return true
			}
		}
		return a.Is6() && !globalUnicast.Contains(a)
	}
	neighbours := 0
	for i, b := range refused {
		if b.prefix != b.prefix.Masked() {
			t.Errorf("%s has bits after its length", b.prefix)
		}
		if i > 0 && b.prefix.Addr().Compare(refused[i-1].prefix.Addr()) <= 0 {
			t.Errorf("%s is not in order", b.prefix)
		}
		first, last := b.prefix.Addr(), lastOf(b.prefix)
		for _, a := range []netip.Addr{first, last} {
			if err := CheckAddress(a); err == nil || !strings.Contains(err.Error(), b.prefix.String()) {
				t.Errorf("%s of %s: %v", a, b.prefix, err)
			}
			if a.Is4() {
				checkEmbedded(t, a, false)
			}
		}
		for _, a := range []netip.Addr{first.Prev(), last.Next()} {
			if !a.IsValid() || inBlock(a) {
				continue
			}
			neighbours++
			if err := CheckAddress(a); err != nil {
				t.Errorf("%s beside %s: %v", a, b.prefix, err)
			}
			if a.Is4() {
				checkEmbedded(t, a, true)
			}
		}
	}
	if neighbours != 42 {
		t.Errorf("%d neighbours, want 42", neighbours)
	}
}

// checkEmbedded: an IPv4 address inside an IPv6 one is judged as itself if this
// machine or the nearest translator would connect to it. It is refused in every
// other form.
func checkEmbedded(t *testing.T, v4 netip.Addr, allowed bool) {
	t.Helper()
	octets := v4.As4()
	embed := func(prefix string, at int) netip.Addr {
		b := netip.MustParseAddr(prefix).As16()
		copy(b[at:], octets[:])
		return netip.AddrFrom16(b)
	}
	for _, c := range []struct {
		a       netip.Addr
		allowed bool
	}{
		{embed("::ffff:0:0", 12), allowed},    // mapped
		{embed("64:ff9b::", 12), allowed},     // NAT64
		{embed("64:ff9b:1::", 12), false},     // NAT64 for local use, RFC 8215
		{embed("::", 12), false},              // IPv4-compatible
		{embed("::ffff:0:0:0", 12), false},    // translated, RFC 2765
		{embed("2002::", 2), false},           // 6to4
		{embed("2001::", 12), false},          // Teredo
		{embed("fe80::5efe:0:0", 12), false},  // ISATAP
		{embed("64:ff9b:0:0:1::", 12), false}, // beside the NAT64 prefix
		{embed("::fffe:0:0", 12), false},      // beside the mapped prefix
		{embed("2001:1ff:ffff::", 12), false}, // the end of 2001::/23
		{embed("100::", 12), false},           // discard only
		{embed("fec0::", 12), false},          // site local
		{embed("3ffe:ffff::", 12), true},      // as good as any other
		{embed("2001:200::", 12), true},       // after 2001::/23
		{embed("2a00:1450:4001::", 12), true}, // global
	} {
		if err := CheckAddress(c.a); (err == nil) != c.allowed {
			t.Errorf("%s with %s in it: %v, want allowed %v", c.a, v4, err, c.allowed)
		}
	}
}

func TestOtherAddresses(t *testing.T) {
	for text, allowed := range map[string]bool{
		"8.8.8.8":                  true,
		"1.1.1.1":                  true,
		"2606:4700:4700::1111":     true,
		"2606:4700:4700::1111%eth": true, // a zone changes nothing
		"1fff:ffff::1":             false,
		"2000::":                   true,
		"3fff:ffff::":              true,
		"4000::":                   false,
		"5f00::1":                  false, // segment routing, RFC 9602
		"100:0:0:1::1":             false, // dummy prefix
		"::":                       false,
		"::1":                      false,
		"::1%lo":                   false,
		"fe80::1%eth0":             false,
		"fd00::1":                  false,
		"fc00::":                   false,
		"ff02::1":                  false,
		"ff0e::1":                  false,
		"::ffff:127.0.0.1%lo":      false,
		"255.255.255.255":          false,
	} {
		if err := CheckAddress(netip.MustParseAddr(text)); (err == nil) != allowed {
			t.Errorf("%s: %v, want allowed %v", text, err, allowed)
		}
	}
	if CheckAddress(netip.Addr{}) == nil {
		t.Error("no address at all is allowed")
	}
}

func lastOf(p netip.Prefix) netip.Addr {
	octets := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(octets)*8; bit++ {
		octets[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(octets)
	return a
}
