package renew

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A Config is what a configuration file says, with its defaults and patterns
// filled in.
type Config struct {
	File        string
	Delegations []Delegation // in the order of the file, no source and service twice
	Warnings    []Problem    // what is no mistake, and is told before anything is done

	// What the whole file says, also where Only has left out the rest.
	listed  map[[2]string]string     // source and service: where it is listed
	publish map[string][]PlaceConfig // by domain
	usual   []PlaceConfig            // of a domain that is not listed, with {domain} in the paths
	part    bool                     // Only has left something out
}

// A Delegation is one service of one domain that is to be kept signed.
type Delegation struct {
	Source, Service string
	Targets         []delegation.Target // none: a revocation
	Cert            string              // PEM file
	Key             string              // PEM file, or a key elsewhere, see [keys.Elsewhere]
	Formats         []delegation.Encoding
	Valid           time.Duration // 0: what is usual, see life
	Publish         []PlaceConfig
}

// String names the delegation in a message.
func (d *Delegation) String() string { return d.Service + " of " + d.Source }

// A PlaceConfig is a place of publication: exactly one of DNS, Webroot and Pattern
// is set.
type PlaceConfig struct {
	DNS     *DNSConfig
	Webroot string // directory
	POSH    bool   // beside the statements in Webroot
	Pattern string // of a file that somebody carries further, with {service} and {format}
}

// DNSConfig is how a zone is changed: by updates, or by a program.
type DNSConfig struct {
	Command     []string // the program and its arguments; none: by updates
	Server      string   // address:port; empty: the zone says
	TSIG        string   // key file; empty: updates are not signed
	Authorities []string // address:port; none: the zone says
	TTL         uint32   // seconds; 0: what is usual
}

// String names the place in a message, before more is known of it.
func (p PlaceConfig) String() string {
	switch {
	case p.Webroot != "":
		return p.Webroot
	case p.Pattern != "":
		return p.Pattern
	case p.DNS.Command != nil:
		return "DNS by " + filepath.Base(p.DNS.Command[0])
	case p.DNS.Server != "":
		return "DNS at " + p.DNS.Server
	}
	return "DNS"
}

// file is where a statement is put under a web root or by a pattern, "" for
// DNS.
func (p PlaceConfig) file(service string, format delegation.Encoding) string {
	switch {
	case p.Webroot != "":
		return filepath.Join(p.Webroot, filepath.FromSlash(delegation.DocumentPath(service, format)))
	case p.Pattern != "":
		return strings.NewReplacer("{service}", service, "{format}", string(format)).Replace(p.Pattern)
	}
	return ""
}

// Only returns the configuration with nothing but the delegations that keep
// says yes to.
func (c *Config) Only(keep func(*Delegation) bool) *Config {
	out := *c
	out.Delegations, out.part = nil, true
	for _, d := range c.Delegations {
		if keep(&d) {
			out.Delegations = append(out.Delegations, d)
		}
	}
	return &out
}

// Has reports whether the configuration is about a domain.
func (c *Config) Has(domain string) bool {
	return slices.ContainsFunc(c.Delegations, func(d Delegation) bool { return d.Source == domain })
}

// lists reports whether the whole file has a service of a domain.
func (c *Config) lists(source, service string) bool {
	_, listed := c.listed[[2]string{source, service}]
	return listed
}

// places are those of a domain, listed or not.
func (c *Config) places(domain string) []PlaceConfig {
	if list, listed := c.publish[domain]; listed {
		return list
	}
	return placesOf(domain, c.usual)
}

// A Problem is one mistake in a configuration.
type Problem struct {
	File string
	Line int // 0: the whole file
	Text string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// A ConfigError is everything that is wrong with a configuration, in the order
// in which it was found, up to maxProblems.
type ConfigError struct {
	Problems []Problem
	More     int // that were not kept
}

func (e *ConfigError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}
