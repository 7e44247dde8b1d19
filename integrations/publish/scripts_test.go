package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestValues: a script passes on a value as it is, whatever a shell would make of it.
// Without a value it calls nobody: for many providers that would mean all records.
func TestValues(t *testing.T) {
	dir := t.TempDir()
	realtest.WriteFile(t, dir, "lexicon", "#!/bin/sh\nprintf '%s|' \"$@\" >called\n")
	realtest.WriteFile(t, dir, "acme.sh", "_initpath() { :; }\n")
	if err := os.Mkdir(filepath.Join(dir, "dnsapi"), 0o700); err != nil {
		t.Fatal(err)
	}
	realtest.WriteFile(t, dir, "dnsapi/dns_own.sh", "dns_own_add() { printf '%s|' add \"$@\" >called; }\ndns_own_rm() { printf '%s|' remove \"$@\" >called; }\n")
	for _, program := range []string{"fold", "sed", "cat"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, program)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "lexicon"), 0o700); err != nil {
		t.Fatal(err)
	}
	called := filepath.Join(dir, "called")
	run := func(value string, args ...string) (string, string) {
		cmd := exec.CommandContext(t.Context(), script(t, args[0]), append(args[1:], "_xmpp-server._tcp._dna.b.example", "b.example", "60")...)
		cmd.Dir, cmd.Env, cmd.Stdin = dir, []string{"PATH=" + dir}, strings.NewReader(value)
		said, failed := cmd.CombinedOutput()
		got, err := os.ReadFile(called)
		if (err == nil) != (failed == nil) {
			t.Errorf("%q %q: %v, %v: %s", args, value, failed, err, said)
		}
		os.Remove(called)
		return string(got), string(said)
	}
	hostile := `v=DNA1; e=ac; s=$(touch x) ` + "`touch x`" + ` '* & \1 ; | > x ~ !!`
	for _, c := range []struct{ args, value, want string }{
		{"lexicon cloudflare " + dir + " absent", hostile, "|--content|" + hostile + "|"},
		{"lexicon route53 " + dir + " present", hostile, "|--content|" + hostile + "|"},
		{"lexicon ddns " + dir + " absent", hostile, `|--content|"` + hostile + `"|`},
		{"acme-sh dns_own " + dir + " absent", hostile, "remove|_xmpp-server._tcp._dna.b.example|" + hostile + "|"},
		{"acme-sh dns_own " + dir + " present", hostile, "add|_xmpp-server._tcp._dna.b.example|" + hostile + "|"},
	} {
		if got, said := run(c.value+"\n", strings.Fields(c.args)...); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s%s", c.args, got, said)
		}
	}
	none := func(value string) {
		t.Helper()
		for _, args := range []string{"lexicon cloudflare", "lexicon ddns", "lexicon route53", "acme-sh dns_own"} {
			for _, action := range []string{"absent", "present"} {
				if got, said := run(value, append(strings.Fields(args), dir, action)...); got != "" || !strings.Contains(said, "no record of a statement") {
					t.Errorf("%s %s: %q, %s", args, action, got, said)
				}
			}
		}
	}
	none("")
	none("\n")
	none("v=spf1 -all\n")
	// Without one of the programs that cut a value, there is none.
	os.Remove(filepath.Join(dir, "fold"))
	for _, args := range []string{"lexicon ddns", "lexicon route53"} {
		if got, said := run("v=DNA1; x\n", append(strings.Fields(args), dir, "absent")...); got != "" {
			t.Errorf("%s: %q, %s", args, got, said)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a shell has read the value")
	}
}
