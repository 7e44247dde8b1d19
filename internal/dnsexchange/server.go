package dnsexchange

import (
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

const (
	// Port is the port of DNS servers.
	Port = 53
	// MaxResolvers is how many resolvers of the system are used, as many as
	// resolv.conf(5) documents.
	MaxResolvers = 3

	resolvConf = "/etc/resolv.conf"
)

// ParseServer reads address:port, or an address alone for port 53. The error
// quotes what was given.
func ParseServer(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, Port), nil
	}
	server, err := netip.ParseAddrPort(s)
	if err != nil || server.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is not an IP address and a port, such as 192.0.2.1:53 or [2001:db8::1]:53", s)
	}
	return server, nil
}

// SystemResolvers reads the name servers of a file in the form of
// resolv.conf(5); an empty name is the system's own file. It returns at least
// one and at most [MaxResolvers]. What is not an address is passed over.
func SystemResolvers(file string) ([]netip.AddrPort, error) {
	if file == "" {
		file = resolvConf
	}
	conf, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("the system names no resolver: %w", err)
	}
	var servers []netip.AddrPort
	for _, s := range conf.Servers {
		if server, err := ParseServer(s); err == nil && len(servers) < MaxResolvers {
			servers = append(servers, server)
		}
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("%s names no resolver", file)
	}
	return servers, nil
}
