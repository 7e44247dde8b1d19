package cli

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// Domain reads a domain name as a person types it, see [delegation.ParseName].
func Domain(s string) (string, error) {
	name, err := delegation.ParseName(s)
	if err != nil {
		return "", Usagef("not a usable domain name: %w", err)
	}
	return name, nil
}

// Service reads xmpp-server or _xmpp-server._tcp, see [delegation.ParseService].
func Service(s string) (string, error) {
	service, err := delegation.ParseService(s)
	if err != nil {
		return "", Usagef("not a service, such as xmpp-server or _xmpp-server._tcp: %w", err)
	}
	if name, _, _ := strings.Cut(service, "."); name == "_xmpp" || name == "_xmpps" || name == "_jabber" {
		return "", Usagef("%q is not a service; xmpp-server (between servers) or xmpp-client (for clients)?", s)
	}
	return service, nil
}

// Life reads a duration such as 336h or 14d.
func Life(s string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(s, "d")
	if n, err := strconv.ParseUint(days, 10, 16); isDays && err == nil && n > 0 {
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second {
		return 0, Usagef("%q is not a time to live such as 14d or 336h, of a second at least", s)
	}
	return d, nil
}

// Endpoint reads host:port.
func Endpoint(s string) (delegation.Endpoint, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return delegation.Endpoint{}, Usagef("%q is not host:port, such as xmpp.hosting.example:5269", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return delegation.Endpoint{}, Usagef("%q has no port from 1 to 65535", s)
	}
	name, err := Domain(host)
	return delegation.Endpoint{Host: name, Port: uint16(n)}, err
}
