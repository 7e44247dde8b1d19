package renew

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A builder makes delegations of domains and defaults, and holds them against
// each other.
type builder struct {
	*reader
	config   *Config
	defaults settings
	files    map[string]string // that are written: by which delegation
}

func (b *builder) add(d domainSetting) {
	if d.name == "" {
		return // told already
	}
	problem := func(key, format string, args ...any) {
		line := cmp.Or(d.given[key], d.line)
		b.problemIn(d.file, line, d.name+" "+format, args...)
	}
	s := b.merge(d.settings)
	own := slices.ContainsFunc(s.services, func(v serviceSetting) bool { return v.own })
	switch {
	case own && d.given["targets"] > 0 && d.given["services"] == 0:
		problem("targets", "has targets, but under defaults each service has its own; write services with their targets here too")
	case len(s.services) == 0 && !has(d, b.defaults, "services"):
		problem("", "has no services; write \"services: [xmpp-server]\" there or under defaults")
	case len(s.publish) == 0 && !has(d, b.defaults, "publish"):
		problem("", "has no place to publish at; write publish there or under defaults")
	}
	for _, key := range []string{"cert", "key"} {
		if !has(d, b.defaults, key) {
			problem("", "has no %s; write \"%[1]s: FILE\" there, or under defaults with {domain} in the path", key)
		}
	}
	b.warn(d, s)
	fill := strings.NewReplacer("{domain}", d.name)
	for _, service := range s.services {
		one := Delegation{
			Source: d.name, Service: service.name, Cert: fill.Replace(s.cert), Key: fill.Replace(s.key),
			Formats: s.formats, Valid: s.valid,
		}
		switch {
		case s.revoke:
		case service.own:
			one.Targets = service.targets
		default:
			one.Targets = s.targets
			if !has(d, b.defaults, "targets") {
				problem("services", "has no targets for %s; write \"targets: [host:port]\", or \"revoke: true\" if nobody runs it", service.name)
			}
		}
		if err := delegation.CheckTXTName(d.name, service.name); err != nil {
			problem("services", "is too long: %v", err)
		}
		one.Publish = placesOf(d.name, s.publish)
		if len(one.Formats) == 0 {
			one.Formats = usualFormats(one.Publish)
		}
		b.config.publish[d.name] = one.Publish
		id := [2]string{one.Source, one.Service}
		if earlier, twice := b.config.listed[id]; twice {
			problem("services", "is listed twice with the service %s, first at %s; keep one", one.Service, earlier)
			continue
		}
		b.config.listed[id] = Problem{File: d.file, Line: d.line, Text: one.Source}.String()
		b.claimFiles(&one, problem)
		b.config.Delegations = append(b.config.Delegations, one)
	}
}

// warn tells of a life that verifiers do not accept, once for each place in the
// files that says so.
func (b *builder) warn(d domainSetting, s settings) {
	if s.valid <= limits.DefaultMaxLife {
		return
	}
	const day = 24 * time.Hour
	life := s.valid.String()
	if s.valid%day == 0 {
		life = fmt.Sprintf("%dd", s.valid/day)
	}
	file, line := b.file, b.defaults.given["valid"]
	if d.given["valid"] > 0 {
		file, line = d.file, d.given["valid"]
	}
	w := Problem{File: file, Line: line, Text: fmt.Sprintf("valid: %s is longer than the %d days that verifiers accept; "+
		"all but those whose operator allows more will refuse the statements (%s). Write \"valid: %[2]dd\" or less",
		life, limits.DefaultMaxLife/day, reasons.LifeTooLong)}
	if !slices.Contains(b.config.Warnings, w) {
		b.config.Warnings = append(b.config.Warnings, w)
	}
}

// placesOf are places with the domain filled in.
func placesOf(domain string, settings []PlaceConfig) (list []PlaceConfig) {
	fill := strings.NewReplacer("{domain}", domain)
	for _, p := range settings {
		p.Webroot, p.Pattern = fill.Replace(p.Webroot), fill.Replace(p.Pattern)
		list = append(list, p)
	}
	return list
}

// usualFormats are those of a delegation that names none. In DNS it is the smaller
// one, which fits where providers take 4,000 characters. What is carried further by
// somebody ends up there too.
func usualFormats(places []PlaceConfig) []delegation.Encoding {
	if slices.ContainsFunc(places, func(p PlaceConfig) bool { return p.Webroot == "" }) {
		return []delegation.Encoding{delegation.AC}
	}
	return []delegation.Encoding{delegation.JWS}
}

// claimFiles sees that no two statements are written to one file.
func (b *builder) claimFiles(d *Delegation, problem func(key, format string, args ...any)) {
	for _, p := range d.Publish {
		for _, format := range d.Formats {
			file := p.file(d.Service, format)
			if file == "" {
				continue
			}
			if earlier, taken := b.files[file]; taken {
				problem("publish", "would write %s, which is also for %s; use {domain}, {service} and {format}, or a web root of its own", file, earlier)
				continue
			}
			b.files[file] = d.String() + " as " + string(format)
		}
	}
}

// merge gives a domain the defaults for what it does not say.
func (b *builder) merge(s settings) settings {
	d := b.defaults
	inherit(&s.services, d.services, s.given["services"])
	inherit(&s.targets, d.targets, s.given["targets"])
	inherit(&s.cert, d.cert, s.given["cert"])
	inherit(&s.key, d.key, s.given["key"])
	inherit(&s.formats, d.formats, s.given["formats"])
	inherit(&s.valid, d.valid, s.given["valid"])
	inherit(&s.publish, d.publish, s.given["publish"])
	return s
}

// inherit takes a default where a domain does not say anything, not in any line.
func inherit[T any](own *T, usual T, line int) {
	if line == 0 {
		*own = usual
	}
}

// has reports whether a key is there at all: what is wrong with its value has
// been told.
func has(d domainSetting, defaults settings, key string) bool {
	return d.given[key] > 0 || defaults.given[key] > 0
}
