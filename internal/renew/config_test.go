package renew

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
)

// write puts files into a new folder and returns it.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const fleet = `# what all domains share
defaults:
  services: [xmpp-server]
  targets: ["xmpp.hosting.example:5269"]
  cert: /live/{domain}/fullchain.pem
  key: /live/{domain}/privkey.pem
  publish:
    - dns: {server: "192.0.2.53:53", tsig: tsig.key}
domains-from: names
domains:
  - a.example
  - domain: B.example.
    services:
      xmpp-server: [h.example:5269/10/20, {target: "g.example:5269", pins: ["` + pinText + `"]}]
      _xmpp-client._tcp: [h.example:5222]
    cert: b.pem
    formats: [jws, ac]
    valid: 7d
    publish:
      - https: {webroot: "/var/www/{domain}"}
      - file: "out/{domain}{service}.{format}"
      - dns: {authority: ["192.0.2.1:53", "[2001:db8::1]:53"], ttl: 600}
      - dns:
      - {command: [bin/lexicon, cloudflare, "{domain}"], ttl: 60, authority: ["192.0.2.1:53"]}
      - command: [lexicon]
  - {domain: no, services: [xmpp-client], targets: [h.example:5222]}
  - domain: gone.example
    revoke: true
`

const pinText = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestReadConfig(t *testing.T) {
	dir := write(t, map[string]string{
		"dna.yaml": strings.Replace(fleet, "domain: no,", "domain: no.example,", 1),
		"names":    "# customers\nc.example\n\n  d.example # since 2024\r\n",
	})
	c, err := ReadConfig(filepath.Join(dir, "dna.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var pin delegation.Pin
	if err := pin.UnmarshalText([]byte(pinText)); err != nil {
		t.Fatal(err)
	}
	target := func(host string, port uint16) delegation.Target {
		return delegation.Target{Endpoint: delegation.Endpoint{Host: host, Port: port}}
	}
	usual := func(domain string) Delegation {
		return Delegation{
			Source: domain, Service: "_xmpp-server._tcp", Targets: []delegation.Target{target("xmpp.hosting.example", 5269)},
			Cert: "/live/" + domain + "/fullchain.pem", Key: "/live/" + domain + "/privkey.pem", Formats: []delegation.Encoding{delegation.AC},
			Publish: []PlaceConfig{{DNS: &DNSConfig{Server: "192.0.2.53:53", TSIG: filepath.Join(dir, "tsig.key")}}},
		}
	}
	first, second := target("h.example", 5269), target("g.example", 5269)
	first.Priority, first.Weight, second.SPKI = 10, 20, []delegation.Pin{pin}
	server := Delegation{
		Source: "b.example", Service: "_xmpp-server._tcp", Targets: []delegation.Target{first, second},
		Cert: filepath.Join(dir, "b.pem"), Key: "/live/b.example/privkey.pem",
		Formats: []delegation.Encoding{delegation.JWS, delegation.AC}, Valid: 7 * 24 * time.Hour,
		Publish: []PlaceConfig{
			{Webroot: "/var/www/b.example"}, {Pattern: filepath.Join(dir, "out", "b.example{service}.{format}")},
			{DNS: &DNSConfig{Authorities: []string{"192.0.2.1:53", "[2001:db8::1]:53"}, TTL: 600}}, {DNS: &DNSConfig{}},
			{DNS: &DNSConfig{Command: []string{filepath.Join(dir, "bin/lexicon"), "cloudflare", "{domain}"}, TTL: 60, Authorities: []string{"192.0.2.1:53"}}},
			{DNS: &DNSConfig{Command: []string{"lexicon"}}},
		},
	}
	client := server
	client.Service, client.Targets = "_xmpp-client._tcp", []delegation.Target{target("h.example", 5222)}
	no, gone := usual("no.example"), usual("gone.example")
	no.Service, no.Targets, gone.Targets = "_xmpp-client._tcp", []delegation.Target{target("h.example", 5222)}, nil
	want := []Delegation{usual("c.example"), usual("d.example"), usual("a.example"), server, client, no, gone}
	if diff := cmp.Diff(want, c.Delegations); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := server.Publish[1].file("_xmpp-server._tcp", delegation.AC); got != filepath.Join(dir, "out", "b.example_xmpp-server._tcp.ac") {
		t.Errorf("file %s", got)
	}
	if only := c.Only(func(d *Delegation) bool { return d.Source == "b.example" }); len(only.Delegations) != 2 || !only.Has("b.example") || only.Has("c.example") {
		t.Errorf("%d delegations of b.example", len(only.Delegations))
	}
}

// TestUsualFormats: a configuration that names no formats has the attribute
// certificate in DNS.
func TestUsualFormats(t *testing.T) {
	for places, want := range map[string]delegation.Encoding{
		"[dns: ]":                      delegation.AC,
		"[command: [x]]":               delegation.AC,
		"[file: \"{service}\"]":        delegation.AC,
		"[https: {webroot: w}]":        delegation.JWS,
		"[https: {webroot: w}, dns: ]": delegation.AC,
	} {
		dir := write(t, map[string]string{"dna.yaml": "domains: [{domain: b.example, services: [xmpp-server], targets: [h.example:5269], cert: c, key: k, publish: " + places + "}]"})
		c, err := ReadConfig(filepath.Join(dir, "dna.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Delegations[0].Formats; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, want %s", places, got, want)
		}
	}
}

// TestConfigDocumented: the configuration in the documentation is one.
func TestConfigDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/renew.md")
	if err != nil {
		t.Fatal(err)
	}
	_, yaml, found := strings.Cut(string(text), "```yaml\n")
	yaml, _, end := strings.Cut(yaml, "```\n")
	if !found || !end {
		t.Fatal("there is no configuration in docs/renew.md")
	}
	dir := write(t, map[string]string{"dna.yaml": yaml, "customers.txt": "a.example\n"})
	c, err := ReadConfig(filepath.Join(dir, "dna.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Delegations) != 5 {
		t.Errorf("%d delegations", len(c.Delegations))
	}
}

// TestConfigProblems: each mistake is told with its line, and with what to write
// instead. Every text stands on its own below these defaults, from line 7 on.
func TestConfigProblems(t *testing.T) {
	const head = `defaults:
  services: [xmpp-server]
  targets: [h.example:5269]
  cert: "{domain}.pem"
  key: "{domain}.key"
  publish: [{file: "{domain}"}]
`
	for _, tt := range []struct{ name, text, want string }{
		{"unknown key", "domain: [b.example]", `dna.yaml:7: the file has no key "domain"; its keys are defaults, domains, domains-from`},
		{"unknown key of a domain", "domains: [{domain: b.example, target: h.example:1}]", `dna.yaml:7: a domain has no key "target"; its keys are domain, services, targets`},
		{"revoke for all", "defaults: {revoke: true}", `dna.yaml:7: defaults is there twice, the first time in line 1; keep one`},
		{"key twice", "domains:\n  - domain: b.example\n    valid: 7d\n    valid: 8d", "dna.yaml:10: valid is there twice, the first time in line 9; keep one"},
		{"domain twice", "domains: [b.example,\n  B.example]", "dna.yaml:8: b.example is listed twice with the service _xmpp-server._tcp, first at dna.yaml:7: b.example; keep one"},
		{"no domain", "domains: [{services: [xmpp-server]}]", `dna.yaml:7: this entry has no domain; write "domain: b.example"`},
		{"no domains", "", "dna.yaml: there is no domain in it; list them under domains"},
		{"empty domains", "domains: []", `dna.yaml:7: domains is empty; write for example "- domain: b.example"`},
		{"domains no list", "domains: b.example", `dna.yaml:7: domains must be a list, such as "- domain: b.example"`},
		{"bad domain", "domains: [b_c.example]", "dna.yaml:7: a domain: not a usable domain name: "},
		{"wildcard", "domains: [\"*.b.example\"]", "dna.yaml:7: a domain: not a usable domain name: "},
		{"null", "domains: [{domain: }]", "dna.yaml:7: domain is empty; write a value, or leave the key out"},
		{"nested", "domains: [{domain: [b.example]}]", "dna.yaml:7: domain must be one value"},
		{"service", "domains: [{domain: b.example, services: [xmpp server]}]", "dna.yaml:7: services: not a service, such as xmpp-server"},
		{"service twice", "domains: [{domain: b.example, services: [xmpp-server, _xmpp-server._tcp]}]", "services: _xmpp-server._tcp is there twice; keep one"},
		{"service is no list", "domains: [{domain: b.example, services: xmpp-server}]", "dna.yaml:7: services must be a list, such as [xmpp-server]"},
		{"target", "domains:\n- domain: b.example\n  targets: [h.example]", `dna.yaml:9: targets: "h.example" is not host:port`},
		{"target twice", "domains: [{domain: b.example, targets: [h.example:1, h.example:1/2/3]}]", "targets: h.example:1 is there twice; keep one"},
		{"targets twice said", "domains: [{domain: b.example, services: {xmpp-server: [h.example:1]}, targets: [h.example:1]}]", "the services have targets of their own already; write the targets once"},
		{"pin", "domains: [{domain: b.example, targets: [{target: h.example:1, pins: [abc]}]}]", `"abc" is not a SHA-256 of a public key in 64 hexadecimal digits`},
		{"pins alone", "domains: [{domain: b.example, targets: [{pins: [" + pinText + "]}]}]", "a target has the key target"},
		{"targets and revoke", "domains: [{domain: b.example, targets: [h.example:1], revoke: true}]", "a revocation has no targets; remove targets, or revoke"},
		{"revoke", "domains: [{domain: b.example, revoke: maybe}]", `revoke: "maybe" is neither true nor false`},
		{"format", "domains: [{domain: b.example, formats: [JWT]}]", `formats: "JWT" is neither jws nor ac`},
		{"format twice", "domains: [{domain: b.example, formats: [ac, ac]}]", `formats: ac is there twice; keep one`},
		{"valid", "domains: [{domain: b.example, valid: 2 weeks}]", `valid: "2 weeks" is not a time to live such as 14d or 336h`},
		{"valid too long", "domains: [{domain: b.example, valid: 91d}]", `valid: 91d is longer than 90 days, which no verifier accepts`},
		{"placeholder", "domains: [{domain: b.example, cert: \"/live/{name}/cert.pem\"}]", "cert: {name} stands for nothing; what is filled in is {domain}"},
		{"placeholder in tsig", "domains: [{domain: b.example, publish: [dns: {tsig: \"{domain}.key\"}]}]", "tsig: {domain} stands for nothing here; write the path itself"},
		{"place", "domains: [{domain: b.example, publish: [{zone: x}]}]", `a place to publish at has no key "zone"; its keys are dns, https, file, command, ttl, authority`},
		{"two places in one", "domains: [{domain: b.example, publish: [{file: x, dns: }]}]", `a place is one of dns, command, https and file; give each its own "-"`},
		{"a place and a command", "domains: [{domain: b.example, publish: [{file: x, command: [x]}]}]", `a place is one of dns, command, https and file; give each its own "-"`},
		{"no command", "domains: [{domain: b.example, publish: [command: []]}]", "command is empty; write for example [/usr/local/lib/dnasign/lexicon, cloudflare]"},
		{"a command line", "domains: [{domain: b.example, publish: [command: lexicon ddns]}]", "command must be a list, such as [/usr/local/lib/dnasign/lexicon, cloudflare]"},
		{"a ttl without a command", "domains: [{domain: b.example, publish: [{file: x, ttl: 60}]}]", "ttl is beside command only; that of dns is inside the braces"},
		{"no web root", "domains: [{domain: b.example, publish: [https: {}]}]", "https needs webroot, the directory"},
		{"server", "domains: [{domain: b.example, publish: [dns: {server: ns.example}]}]", `server: "ns.example" is not an address:port, such as 192.0.2.53:53`},
		{"ttl", "domains: [{domain: b.example, publish: [dns: {ttl: 1h}]}]", `ttl: "1h" is not a number of seconds from 1 to 86400`},
		{"one file for two", "domains: [{domain: b.example, formats: [jws, ac]}]", "would write b.example, which is also for _xmpp-server._tcp of b.example as jws; use {domain}, {service} and {format}"},
		{"one web root for two", "domains: [{domain: b.example, publish: [https: {webroot: w}]}, {domain: c.example, publish: [https: {webroot: w}]}]", "c.example would write w/.well-known/dna/_xmpp-server._tcp.jws, which is also for _xmpp-server._tcp of b.example as jws"},
		{"long name", "domains: [" + strings.Repeat("a23456789.", 24) + "example]", "is too long: _xmpp-server._tcp._dna."},
		{"alias", "domains: [&b b.example, *b]", "dna.yaml:7: a domain is an alias (*b), which is not read here; what many domains share belongs under defaults"},
		{"no YAML", "domains: [b.example", "dna.yaml:6: this is not YAML, near that line: did not find expected"},
		{"second document", "domains: [b.example]\n---\ndomains: [c.example]", "dna.yaml:8: there is a second document; write everything into the first"},
		{"names missing", "domains-from: none", "dna.yaml:7: domains-from: none cannot be read: no such file or directory"},
		{"names bad", "domains-from: names", "names:2: not a usable domain name: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(write(t, map[string]string{"dna.yaml": head + tt.text, "names": "a.example\nb c\n"}))
			c, err := ReadConfig("dna.yaml")
			var e *ConfigError
			if c != nil || !errors.As(err, &e) || len(e.Problems) == 0 {
				t.Fatalf("config %v, error %v", c, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant:\n%s", err, tt.want)
			}
		})
	}
}

// TestConfigIncomplete: what is said nowhere.
func TestConfigIncomplete(t *testing.T) {
	t.Chdir(write(t, map[string]string{"dna.yaml": "domains:\n  - domain: b.example\n    services: [xmpp-server]\n  - c.example\n"}))
	_, err := ReadConfig("dna.yaml")
	want := `dna.yaml:2: b.example has no place to publish at; write publish there or under defaults
dna.yaml:2: b.example has no cert; write "cert: FILE" there, or under defaults with {domain} in the path
dna.yaml:2: b.example has no key; write "key: FILE" there, or under defaults with {domain} in the path
dna.yaml:3: b.example has no targets for _xmpp-server._tcp; write "targets: [host:port]", or "revoke: true" if nobody runs it
dna.yaml:4: c.example has no services; write "services: [xmpp-server]" there or under defaults
dna.yaml:4: c.example has no cert; write "cert: FILE" there, or under defaults with {domain} in the path
dna.yaml:4: c.example has no key; write "key: FILE" there, or under defaults with {domain} in the path`
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
	// Targets of the domain under services that have their own by default.
	t.Chdir(write(t, map[string]string{"dna.yaml": `defaults: {services: {xmpp-server: [h.example:1]}, cert: c, key: k, publish: [file: "{domain}"]}
domains: [a.example, {domain: b.example, targets: [g.example:1]}]`}))
	_, err = ReadConfig("dna.yaml")
	if want := "dna.yaml:2: b.example has targets, but under defaults each service has its own; write services with their targets here too"; err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

// TestConfigManyProblems: the first ones are told, the rest is counted.
func TestConfigManyProblems(t *testing.T) {
	var text strings.Builder
	for i := range maxProblems + 7 {
		fmt.Fprintf(&text, "key%d: x\n", i)
	}
	t.Chdir(write(t, map[string]string{"dna.yaml": text.String()}))
	_, err := ReadConfig("dna.yaml")
	var e *ConfigError
	if !errors.As(err, &e) || len(e.Problems) != maxProblems || e.More != 7 || !strings.HasSuffix(err.Error(), "\nand 7 more") {
		t.Errorf("error: %v", err)
	}
}

func TestConfigEmpty(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "dna.yaml: it is empty; dnasign init writes a first one",
		"# nothing\n":       "dna.yaml: it is empty; dnasign init writes a first one",
		"[1]":               `dna.yaml:1: the file must be keys and values, such as "defaults: ..."`,
		"domains: \xff\xfe": "dna.yaml: this is not YAML, near that line: ",
	} {
		t.Chdir(write(t, map[string]string{"dna.yaml": text}))
		if _, err := ReadConfig("dna.yaml"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// FuzzReadConfig: whatever the file says, there is a configuration in good form
// or a problem, and no panic.
func FuzzReadConfig(f *testing.F) {
	f.Add([]byte(fleet))
	f.Add([]byte("domains: [b.example]"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig("dna.yaml", data)
		if (err == nil) == (c == nil) {
			t.Fatalf("config %v, error %v", c, err)
		}
		if err != nil {
			return
		}
		for _, d := range c.Delegations {
			if delegation.CheckName(d.Source) != nil || delegation.CheckService(d.Service) != nil || d.Cert == "" || d.Key == "" || len(d.Formats) == 0 {
				t.Errorf("delegation %+v", d)
			}
		}
	})
}
