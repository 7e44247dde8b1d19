package dnsexchange

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestSystemResolvers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	text := "# comment\nnameserver 192.0.2.1\nnameserver\nnameserver example\nnameserver 2001:db8::1\nnameserver fe80::1%eth0\nnameserver 192.0.2.4\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	servers, err := SystemResolvers(file)
	want := []netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:53"), netip.MustParseAddrPort("[fe80::1%eth0]:53"),
	}
	if err != nil || !slices.Equal(servers, want) {
		t.Errorf("%v, %v, want %v", servers, err, want)
	}
}
