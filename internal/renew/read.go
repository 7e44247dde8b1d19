package renew

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/keys"
)

// settings is what can be said of a domain, and in the defaults of all.
type settings struct {
	services  []serviceSetting
	targets   []delegation.Target
	revoke    bool
	cert, key string
	formats   []delegation.Encoding
	valid     time.Duration
	publish   []PlaceConfig // with {domain} in the paths

	given map[string]int // the keys that are there, with their lines
}

// A serviceSetting is a service; with targets of its own if the services are a
// mapping.
type serviceSetting struct {
	name    string
	targets []delegation.Target
	own     bool
}

// A domainSetting is a domain and where it is listed.
type domainSetting struct {
	name string
	file string
	line int
	settings
}

// ReadConfig reads a configuration file, and the list of domains that it
// names. The error is a *[ConfigError] with all that is wrong, or that of
// opening the file.
func ReadConfig(file string) (*Config, error) {
	data, err := cli.ReadFile(file, maxConfig)
	if err != nil {
		return nil, err
	}
	return parseConfig(file, data)
}

func parseConfig(file string, data []byte) (*Config, error) {
	r := &reader{file: file}
	domains, defaults := r.document(data)
	c := &Config{File: file, listed: map[[2]string]string{}, publish: map[string][]PlaceConfig{}, usual: defaults.publish}
	b := &builder{reader: r, config: c, defaults: defaults, files: map[string]string{}}
	for _, d := range domains {
		b.add(d)
	}
	if len(r.err.Problems) == 0 && len(c.Delegations) == 0 {
		r.problem(0, "there is no domain in it; list them under domains")
	}
	if len(r.err.Problems) > 0 {
		return nil, &r.err
	}
	return c, nil
}

// document reads the whole file.
func (r *reader) document(data []byte) (domains []domainSetting, defaults settings) {
	if len(data) > maxConfig {
		r.problem(0, "it is larger than %d octets; give the domains as a list with domains-from", maxConfig)
		return nil, defaults
	}
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		r.problem(0, "it is empty; dnasign init writes a first one")
		return nil, defaults
	case err != nil:
		line, text := yamlError(err)
		r.problem(line, "this is not YAML, near that line: %s", text)
		return nil, defaults
	}
	var next yaml.Node
	if err := decoder.Decode(&next); !errors.Is(err, io.EOF) {
		r.problem(next.Line, "there is a second document; write everything into the first")
	}
	r.mapping(root.Content[0], "the file",
		field{"defaults", func(n *yaml.Node) { defaults = r.settings(n, "defaults", nil) }},
		field{"domains", func(n *yaml.Node) {
			r.list(n, "domains", "\"- domain: b.example\"", func(n *yaml.Node) { domains = append(domains, r.domain(n)) })
		}},
		field{"domains-from", func(n *yaml.Node) {
			if name, ok := r.text(n, "domains-from"); ok {
				domains = append(domains, r.domainsFrom(r.path(name), n.Line)...)
			}
		}},
	)
	if len(domains) > maxDomains {
		r.problem(0, "%d domains, at most %d; split them into several files", len(domains), maxDomains)
		return nil, defaults
	}
	return domains, defaults
}

// yamlError takes the line out of an error of the library, which has it only in
// its text.
func yamlError(err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := lineOfError.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // 0 is the whole file
		text = m[2]
	}
	return line, text
}

var lineOfError = regexp.MustCompile(`^line (\d{1,9}): (.*)$`)

func (r *reader) domain(n *yaml.Node) domainSetting {
	d := domainSetting{file: r.file, line: n.Line}
	if n.Kind == yaml.ScalarNode { // a name alone, with all of the defaults
		d.name, _ = value(r, n, "a domain", cli.Domain)
		return d
	}
	d.settings = r.settings(n, "a domain", &d.name)
	if _, given := d.given["domain"]; !given && n.Kind == yaml.MappingNode {
		r.problem(n.Line, "this entry has no domain; write \"domain: b.example\"")
	}
	return d
}

// domainsFrom reads a list of names, one a line.
func (r *reader) domainsFrom(file string, line int) (domains []domainSetting) {
	data, err := cli.ReadFile(file, maxConfig)
	if err != nil {
		r.problem(line, "domains-from: %s cannot be read: %s", file, why(err))
		return nil
	}
	if len(data) > maxConfig {
		r.problem(line, "domains-from: %s is larger than %d octets", file, maxConfig)
		return nil
	}
	at := 0
	for text := range strings.Lines(string(data)) {
		at++
		text, _, _ = strings.Cut(text, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		name, err := cli.Domain(text)
		if err != nil {
			r.problemIn(file, at, "%v; write one domain a line", err)
			continue
		}
		domains = append(domains, domainSetting{name: name, file: file, line: at})
	}
	if at == 0 {
		r.problem(line, "domains-from: %s is empty", file)
	}
	return domains
}

// settings reads the keys that defaults and domains share. A domain also has
// its name, and may be revoked.
func (r *reader) settings(n *yaml.Node, what string, name *string) (s settings) {
	fields := []field{
		{"services", func(n *yaml.Node) { s.services = r.services(n) }},
		{"targets", func(n *yaml.Node) { s.targets = r.targets(n, "targets") }},
		{"cert", func(n *yaml.Node) { s.cert = r.pattern(n, "cert", "{domain}") }},
		{"key", func(n *yaml.Node) { s.key = r.pattern(n, "key", "{domain}") }},
		{"formats", func(n *yaml.Node) { s.formats = r.formats(n) }},
		{"valid", func(n *yaml.Node) { s.valid, _ = value(r, n, "valid", life) }},
		{"publish", func(n *yaml.Node) { s.publish = r.places(n) }},
	}
	if name != nil {
		fields = append([]field{{"domain", func(n *yaml.Node) { *name, _ = value(r, n, "domain", cli.Domain) }}}, fields...)
		fields = append(fields, field{"revoke", func(n *yaml.Node) { s.revoke, _ = value(r, n, "revoke", yes) }})
	}
	s.given = r.mapping(n, what, fields...)
	own := slices.ContainsFunc(s.services, func(v serviceSetting) bool { return v.own })
	line, targets := s.given["targets"]
	switch {
	case targets && s.revoke:
		r.problem(line, "a revocation has no targets; remove targets, or revoke")
	case targets && own:
		r.problem(line, "the services have targets of their own already; write the targets once")
	}
	return s
}

func yes(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("%.40q is neither true nor false", text)
	}
	return text == "true", nil
}

func life(text string) (time.Duration, error) {
	d, err := cli.Life(text)
	if err == nil && d > limits.LongestMaxLife {
		return 0, fmt.Errorf("%s is longer than 90 days, which no verifier accepts", text)
	}
	return d, err
}

// services reads a list of services, or a mapping of services to targets.
func (r *reader) services(n *yaml.Node) (list []serviceSetting) {
	const example = "[xmpp-server]"
	add := func(n *yaml.Node, own bool) bool {
		name, ok := value(r, n, "services", cli.Service)
		if !ok {
			return false
		}
		if role := delegation.RoleOf(name).Service; role != name {
			r.problem(n.Line, "services: %s has no statement of its own; write its targets under %s, with /direct behind them", n.Value, role)
			return false
		}
		if slices.ContainsFunc(list, func(s serviceSetting) bool { return s.name == name }) {
			r.problem(n.Line, "services: %s is there twice; keep one", n.Value)
			return false
		}
		list = append(list, serviceSetting{name: name, own: own})
		return true
	}
	if n.Kind != yaml.MappingNode {
		r.list(n, "services", example, func(n *yaml.Node) { add(n, false) })
		return list
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if add(n.Content[i], true) {
			list[len(list)-1].targets = r.targets(n.Content[i+1], n.Content[i].Value)
		}
	}
	return list
}

func (r *reader) targets(n *yaml.Node, what string) (list []delegation.Target) {
	r.list(n, what, `["xmpp.hosting.example:5269"], or "revoke: true" at the domain`, func(n *yaml.Node) {
		t, ok := r.target(n, what)
		switch {
		case !ok:
		case slices.ContainsFunc(list, func(e delegation.Target) bool { return e.Endpoint == t.Endpoint }):
			r.problem(n.Line, "%s: %s is there twice; keep one", what, t.Endpoint)
		case len(list) == limits.MaxTargets:
			r.problem(n.Line, "%s: more than %d targets", what, limits.MaxTargets)
		default:
			list = append(list, t)
		}
	})
	return list
}

// target reads host:port[/priority/weight][/direct], or a mapping with that,
// tls and pins.
func (r *reader) target(n *yaml.Node, what string) (t delegation.Target, ok bool) {
	if n.Kind == yaml.ScalarNode {
		return value(r, n, what, cli.Target)
	}
	var pins []delegation.Pin
	var mode delegation.TLSMode
	r.mapping(n, "a target",
		field{"target", func(n *yaml.Node) { t, ok = value(r, n, what, cli.Target) }},
		field{"tls", func(n *yaml.Node) { mode, _ = value(r, n, "tls", tlsMode) }},
		field{"pins", func(n *yaml.Node) {
			r.list(n, "pins", "a list of SHA-256 in hexadecimal", func(n *yaml.Node) {
				p, good := value(r, n, "pins", pin)
				if good && len(pins) == limits.MaxPins {
					r.problem(n.Line, "more than %d pins", limits.MaxPins)
				} else if good {
					pins = append(pins, p)
				}
			})
		}})
	if !ok && n.Kind == yaml.MappingNode {
		r.problem(n.Line, "a target has the key target: \"target: xmpp.hosting.example:5269\"")
	}
	t.SPKI = pins
	if mode != "" {
		t.TLS = mode
	}
	return t, ok
}

func tlsMode(text string) (delegation.TLSMode, error) {
	if text != string(delegation.Direct) {
		return "", fmt.Errorf("unknown mode %.40q (want direct, or leave the key out)", text)
	}
	return delegation.Direct, nil
}

func pin(text string) (p delegation.Pin, err error) {
	if err := p.UnmarshalText([]byte(text)); err != nil {
		return p, fmt.Errorf("%.80q is not a SHA-256 of a public key in 64 hexadecimal digits", text)
	}
	return p, nil
}

func (r *reader) formats(n *yaml.Node) (list []delegation.Encoding) {
	r.list(n, "formats", "[jws]", func(n *yaml.Node) {
		e, ok := value(r, n, "formats", func(text string) (delegation.Encoding, error) {
			if e := delegation.Encoding(text); slices.Contains(delegation.Encodings(), e) {
				return e, nil
			}
			return "", fmt.Errorf("%.40q is neither jws nor ac", text)
		})
		if ok && slices.Contains(list, e) {
			r.problem(n.Line, "formats: %s is there twice; keep one", e)
		} else if ok {
			list = append(list, e)
		}
	})
	return list
}

func (r *reader) places(n *yaml.Node) (list []PlaceConfig) {
	r.list(n, "publish", `"- https: {webroot: /var/www/b.example}"`, func(n *yaml.Node) {
		p, command := PlaceConfig{}, &DNSConfig{}
		given := r.mapping(n, "a place to publish at",
			field{"dns", func(n *yaml.Node) { p.DNS = r.dns(n) }},
			field{"https", func(n *yaml.Node) {
				r.mapping(n, "https",
					field{"webroot", func(n *yaml.Node) { p.Webroot = r.pattern(n, "webroot", "{domain}") }},
					field{"posh", func(n *yaml.Node) { p.POSH, _ = value(r, n, "posh", yes) }})
				if p.Webroot == "" && n.Kind == yaml.MappingNode {
					r.problem(n.Line, "https needs webroot, the directory that the web server serves as / of the domain")
				}
			}},
			field{"file", func(n *yaml.Node) { p.Pattern = r.pattern(n, "file", "{domain}", "{service}", "{format}") }},
			field{"command", func(n *yaml.Node) { command.Command = r.command(n) }},
			field{"ttl", func(n *yaml.Node) { command.TTL, _ = value(r, n, "ttl", ttl) }},
			field{"authority", func(n *yaml.Node) { command.Authorities = r.authorities(n) }},
		)
		if given["command"] > 0 {
			p.DNS = command
			delete(given, "ttl")
			delete(given, "authority")
		}
		for _, key := range []string{"ttl", "authority"} {
			if line := given[key]; line > 0 {
				r.problem(line, "%s is beside command only; that of dns is inside the braces", key)
				delete(given, key)
			}
		}
		if n.Kind == yaml.MappingNode && len(given) != 1 {
			r.problem(n.Line, "a place is one of dns, command, https and file; give each its own \"-\"")
		}
		list = append(list, p)
	})
	return list
}

func (r *reader) dns(n *yaml.Node) *DNSConfig {
	d := &DNSConfig{}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return d // "dns:" alone: everything is found by asking
	}
	r.mapping(n, "dns",
		field{"server", func(n *yaml.Node) { d.Server, _ = value(r, n, "server", address) }},
		field{"tsig", func(n *yaml.Node) { d.TSIG = r.pattern(n, "tsig") }},
		field{"authority", func(n *yaml.Node) { d.Authorities = r.authorities(n) }},
		field{"ttl", func(n *yaml.Node) { d.TTL, _ = value(r, n, "ttl", ttl) }},
	)
	return d
}

func (r *reader) authorities(n *yaml.Node) (list []string) {
	r.list(n, "authority", `["192.0.2.53:53"]`, func(n *yaml.Node) {
		if a, ok := value(r, n, "authority", address); ok {
			list = append(list, a)
		}
	})
	return list
}

// command reads a program and its arguments. A name without a slash is looked for
// in PATH; another one is a path.
func (r *reader) command(n *yaml.Node) (args []string) {
	r.list(n, "command", "[/usr/local/lib/dnasign/lexicon, cloudflare]", func(n *yaml.Node) {
		text, ok := r.text(n, "command")
		if ok && len(args) == 0 && strings.Contains(text, "/") {
			if text = r.path(text); !strings.Contains(text, "/") {
				text = "./" + text // or it would be looked for in PATH
			}
		}
		args = append(args, text)
	})
	if len(args) == 0 {
		return []string{""} // told already
	}
	return args
}

func address(text string) (string, error) {
	a, err := netip.ParseAddrPort(text)
	if err != nil || a.Port() == 0 {
		return "", fmt.Errorf("%.80q is not an address:port, such as 192.0.2.53:53 or [2001:db8::53]:53", text)
	}
	return text, nil
}

// maxTTL bounds what is asked for: a statement that stays in caches for longer
// than a day is hard to take back.
const maxTTL = 24 * time.Hour

func ttl(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 || n > uint64(maxTTL/time.Second) {
		return 0, fmt.Errorf("%.40q is not a number of seconds from 1 to %d", text, uint64(maxTTL/time.Second))
	}
	return uint32(n), nil
}

// pattern reads a path in which the given words in braces stand for something.
func (r *reader) pattern(n *yaml.Node, what string, words ...string) string {
	text, ok := r.text(n, what)
	if !ok {
		return ""
	}
	for _, word := range braces.FindAllString(text, -1) {
		switch {
		case slices.Contains(words, word):
		case len(words) == 0:
			r.problem(n.Line, "%s: %s stands for nothing here; write the path itself", what, word)
		default:
			r.problem(n.Line, "%s: %s stands for nothing; what is filled in is %s", what, word, strings.Join(words, ", "))
		}
	}
	return r.path(text)
}

var braces = regexp.MustCompile(`\{[^{}]*\}`)

// path is a path as seen from the folder of the configuration: hooks and timers
// run anywhere.
func (r *reader) path(name string) string {
	if filepath.IsAbs(name) || keys.Elsewhere(name) {
		return name
	}
	return filepath.Join(filepath.Dir(r.file), name)
}
