package discovery

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/text"
)

// A ConnectTo sends connections for a host and port to a fixed address instead
// of one from DNS, for tests on high ports. It applies to HTTPS and to
// [Client.DialContext]. The certificate must still be the host's, and the
// address passes the filter like any other.
type ConnectTo struct {
	Host string         // lower-case domain name; empty means every host
	Port uint16         // 0 means every port; for HTTPS it is 443
	Addr netip.AddrPort // where to connect
}

// ParseConnectTo reads the form HOST:PORT:ADDR:PORT of curl's option of the
// same name, where HOST and the first PORT may be empty. Unlike there, ADDR is
// an IP address (IPv6 in brackets). Errors wrap [ErrConfig].
func ParseConnectTo(s string) (ConnectTo, error) {
	host, rest, found := strings.Cut(s, ":")
	port, addr, found2 := strings.Cut(rest, ":")
	if !found || !found2 {
		return ConnectTo{}, configError("%q is not HOST:PORT:ADDR:PORT", s)
	}
	var c ConnectTo
	c.Host = text.LowerASCII(host)
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return ConnectTo{}, configError("%q: %q is not a port from 1 to 65535", s, port)
		}
		c.Port = uint16(n)
	}
	var err error
	if c.Addr, err = netip.ParseAddrPort(addr); err != nil {
		return ConnectTo{}, configError("%q: %q is not an IP address and a port", s, addr)
	}
	if err := c.check(); err != nil {
		return ConnectTo{}, err
	}
	return c, nil
}

// String is the form that [ParseConnectTo] reads.
func (c ConnectTo) String() string {
	port := ""
	if c.Port != 0 {
		port = strconv.Itoa(int(c.Port))
	}
	return fmt.Sprintf("%s:%s:%s", c.Host, port, c.Addr)
}

func (c ConnectTo) check() error {
	if c.Host != "" {
		if err := delegation.CheckName(c.Host); err != nil {
			return configError("the host of a fixed address: %w", err)
		}
	}
	if !c.Addr.IsValid() || c.Addr.Port() == 0 {
		return configError("the fixed address for %q has no address or no port", c.Host)
	}
	return nil
}

func (c ConnectTo) matches(host string, port uint16) bool {
	return (c.Host == "" || c.Host == host) && (c.Port == 0 || c.Port == port)
}
