package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/renew"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// The pages whose commands are tested, here without any server, and in
// TestHooks and TestOwners with real ones.
const (
	renewDoc  = "../../docs/renew.md"
	ownersDoc = "../../docs/owners.md"
	movingDoc = "../../docs/moving.md"
)

// A block is a fenced block of a page, below the headings it stands under.
type block struct {
	section, kind, text string
}

// blocks reads a page.
func blocks(t *testing.T, file string) (list []block) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var section string
	var open *block
	for line := range strings.Lines(string(text)) {
		switch {
		case open != nil && strings.HasPrefix(line, "```"):
			list = append(list, *open)
			open = nil
		case open != nil:
			open.text += line
		case strings.HasPrefix(line, "```"):
			open = &block{section: section, kind: strings.TrimSpace(strings.TrimPrefix(line, "```"))}
		case strings.HasPrefix(line, "#"):
			section = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return list
}

// command finds what the pages have this program do, in hooks and after "$ ".
var command = regexp.MustCompile(`dnasign( (?:init|sign|renew|revoke|publish|alias)[^"'|\\\n#]*)`)

// TestPageCommands: this program has the commands and flags of the pages.
func TestPageCommands(t *testing.T) {
	for file, least := range map[string]int{renewDoc: 8, ownersDoc: 6, movingDoc: 7, theftDoc: 2} {
		found := 0
		for _, b := range blocks(t, file) {
			if b.kind != "" && b.kind != "console" {
				continue
			}
			for _, m := range command.FindAllStringSubmatch(b.text, -1) {
				found++
				cmd, args, err := rootCommand().Find(strings.Fields(m[1]))
				if err == nil {
					err = cmd.ParseFlags(args)
				}
				if err != nil || cmd.RunE == nil {
					t.Errorf("%s: dnasign%s: %v", file, m[1], err)
				}
			}
		}
		if found < least {
			t.Errorf("%s: %d commands, want at least %d", file, found, least)
		}
	}
}

// inPlaceOfPublish puts a part of a page in place of what stands under publish
// in a configuration that init wrote.
func inPlaceOfPublish(t *testing.T, config, part string) string {
	t.Helper()
	publish := regexp.MustCompile(`(?m)^  publish:\n(    .*\n)+`)
	if n := len(publish.FindAllString(config, -1)); n != 1 {
		t.Fatalf("%d times publish in\n%s", n, config)
	}
	return publish.ReplaceAllLiteralString(config, part)
}

// TestOwnersConfigurations: what the page puts under publish fits what init
// writes.
func TestOwnersConfigurations(t *testing.T) {
	draft := renew.Draft{Cert: "cert.pem", Key: "key.pem", Domains: []renew.DraftDomain{{
		Domain: "b.example",
		Services: []renew.DraftService{{
			Service: "_xmpp-server._tcp",
			Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}}},
		}},
	}}}
	found := map[string]bool{}
	for _, b := range blocks(t, ownersDoc) {
		if b.kind != "yaml" {
			continue
		}
		config, err := renew.ReadConfig(realtest.WriteFile(t, t.TempDir(), "dna.yaml", inPlaceOfPublish(t, draft.String(), b.text)))
		if err != nil {
			t.Errorf("%s: %v", b.section, err)
			continue
		}
		for _, d := range config.Delegations {
			for _, p := range d.Publish {
				found["dns"] = found["dns"] || p.DNS != nil && p.DNS.Server != "" && p.DNS.TSIG == "/etc/dnasign/tsig.key"
				found["https"] = found["https"] || p.Webroot == "/var/www/b.example"
			}
		}
	}
	if !found["dns"] || !found["https"] {
		t.Errorf("places: %v", found)
	}
}
