package cli

import (
	"net"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/dnasign/dnasign/delegation"
)

// Domain reads a domain name as a person types it: upper case, Unicode and one
// trailing dot are converted to the form of [delegation.CheckName].
func Domain(s string) (string, error) {
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(s, "."))
	if err != nil {
		return "", Usagef("%q is no domain name: %v", s, err)
	}
	if err := delegation.CheckName(name); err != nil {
		return "", Usagef("not a usable domain name: %w", err)
	}
	return name, nil
}

// Service reads xmpp-server or _xmpp-server._tcp.
func Service(s string) (string, error) {
	service := strings.ToLower(s)
	if !strings.HasPrefix(service, "_") {
		service = "_" + service + "._tcp"
	}
	if err := delegation.CheckService(service); err != nil {
		return "", Usagef("not a service: %w", err)
	}
	return service, nil
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

// Target reads host:port[/priority/weight].
func Target(s string) (delegation.Target, error) {
	parts := strings.Split(s, "/")
	endpoint, err := Endpoint(parts[0])
	if err != nil {
		return delegation.Target{}, err
	}
	t := delegation.Target{Endpoint: endpoint}
	switch len(parts) {
	case 1:
		return t, nil
	case 3:
		priority, err1 := strconv.ParseUint(parts[1], 10, 16)
		weight, err2 := strconv.ParseUint(parts[2], 10, 16)
		if err1 == nil && err2 == nil {
			t.Priority, t.Weight = uint16(priority), uint16(weight)
			return t, nil
		}
	}
	return t, Usagef("%q is not host:port or host:port/priority/weight, with numbers up to 65535", s)
}
