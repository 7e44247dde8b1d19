package ejabberd

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestReadme follows README.md on a machine with Debian's ejabberd. Folders of the
// test stand for /usr/local and for ejabberd's data, another port for 8853, and
// h.example for b.example where that is hosted. Everything else is as the page says: the commands, the options
// for Erlang, and what to add to Debian's configuration.
func TestReadme(t *testing.T) {
	t.Parallel()
	realtest.Need(t, "erlc", "ejabberdctl", "prosody")
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	local, address := t.TempDir(), fmt.Sprintf("127.0.0.1:%d", realtest.Port(t))
	handed := realtest.WriteFile(t, t.TempDir(), hosted+".jws", "x.y.z\n")
	here := strings.NewReplacer("/usr/local", local, "/var/lib/ejabberd", local, " b.example.jws", " "+handed, "/b.example/", "/"+hosted+"/").Replace

	var options []string
	sections, commands := "", 0
	for _, block := range regexp.MustCompile("(?ms)^```(console|yaml|)\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		switch erlang := regexp.MustCompile(`^ERL_OPTIONS="(.*)"$`).FindStringSubmatch(strings.TrimSpace(block[2])); {
		case block[1] == "yaml":
			sections += block[2]
		case erlang != nil:
			options = strings.Fields(here(erlang[1]))
		case block[1] == "console":
			for line := range strings.Lines(block[2]) {
				command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
				if !ok {
					t.Fatalf("%q is no command", line)
				}
				t.Logf("$ %s\n%s", command, realtest.Output(t, "../..", "sh", "-c", here(command)))
				commands++
			}
		}
	}
	if commands != 3 || len(options) == 0 || sections == "" {
		t.Fatalf("%d commands, options %q, sections %q", commands, options, sections)
	}
	debian, err := os.ReadFile("/etc/ejabberd/ejabberd.yml")
	if err != nil {
		t.Fatal(err)
	}
	there := regexp.MustCompile(`(?m)^modules:\n((?:(?: .*|#.*)?\n)*)`).FindStringSubmatch(string(debian))
	if there == nil {
		t.Fatal("Debian's configuration has no modules")
	}
	sections = strings.Replace(sections, "  # ... what is there already ...\n", there[1], 1)
	sections = strings.Replace(sections, "mod_s2s_dna: {}", fmt.Sprintf("mod_s2s_dna: {url: %q}\n  mod_s2s_dna_statements: {statements: %q}", "http://"+address+"/v1/check", local+"/dna"), 1)

	p := newPairWith(t, options, sections)
	b := p.prosody(domainB)
	dns := setup.DNS(t)
	owner, _, _ := p.Certify(domainB)
	statement := world.Statement(domainB, world.Service, time.Now().Add(-time.Minute), hostB)
	statement.Targets[0].Port = uint16(b.Server)
	if err := dns.SetRecords([]string{
		fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", domainB, b.Server, hostB),
		world.Line(statement, owner),
	}); err != nil {
		t.Fatal(err)
	}
	p.serve(address, dns, "dns")

	p.send(domainA, domainB)
	p.a.Log.Wait(t, 0, `b\.example may be served by xmpp\.beta\.example \(delegation, until .*\): certificate accepted`)

	if shown := p.dial(domainB, hosted).Features.Inner; !strings.Contains(shown, ">x.y.z</statement>") {
		t.Errorf("features: %s", shown)
	}
}
