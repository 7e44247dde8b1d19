package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/delegation"
)

// Target reads host:port[/priority/weight][/direct].
func Target(s string) (delegation.Target, error) {
	rest, direct := strings.CutSuffix(s, "/"+string(delegation.Direct))
	parts := strings.Split(rest, "/")
	endpoint, err := Endpoint(parts[0])
	if err != nil {
		return delegation.Target{}, err
	}
	t := delegation.Target{Endpoint: endpoint}
	if direct {
		t.TLS = delegation.Direct
	}
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
	return t, Usagef("%q is not a target: want host:port, host:port/priority/weight with numbers up to 65535, or either with /direct behind it", s)
}

// TargetText is what [Target] reads. It has no pins.
func TargetText(t delegation.Target) string {
	s := fmt.Sprintf("%s/%d/%d", t.Endpoint, t.Priority, t.Weight)
	if t.TLS == delegation.Direct {
		s += "/" + string(delegation.Direct)
	}
	return s
}

// TargetLines say to a person all that a statement says about a target.
func TargetLines(t delegation.Target) []string {
	first := fmt.Sprintf("%s priority %d weight %d", t.Endpoint, t.Priority, t.Weight)
	if t.TLS == delegation.Direct {
		first += ", TLS from the first byte"
	}
	lines := []string{first}
	for _, p := range t.SPKI {
		lines = append(lines, "key must be sha256 "+p.String())
	}
	return lines
}

// withTLS says how TLS begins at an endpoint, where a target says so.
func withTLS(targets []delegation.Target, e delegation.Endpoint) string {
	if slices.ContainsFunc(targets, func(t delegation.Target) bool { return t.Endpoint == e && t.TLS == delegation.Direct }) {
		return " with direct TLS"
	}
	return ""
}
