package prosody

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// A reader follows README.md on a machine that has Prosody and nothing else. A
// folder stands for /, and the programs know the servers of the test. Everything
// else is typed as it is written.
type reader struct {
	*site
	root, bin, checkout string
	port                int // in place of 8853
	prosody             *realtest.ProsodyServer
	resolver            string
}

// sh has a shell do what the page says, and returns what it printed.
func (r *reader) sh(command string) string {
	r.T.Helper()
	command = regexp.MustCompile(`(^|[\s>])/(usr|var|etc)/`).ReplaceAllString(command, "${1}"+r.root+"/$2/")
	command = strings.ReplaceAll(command, "8853", fmt.Sprint(r.port))
	out, err := os.CreateTemp(r.T.TempDir(), "")
	if err != nil {
		r.T.Fatal(err)
	}
	defer out.Close()
	// A daemon in the background may keep the outputs, so they are no pipes.
	cmd := exec.CommandContext(r.T.Context(), "sh", "-c", command)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.checkout, out, out
	cmd.Env = append(os.Environ(), "PATH="+r.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	err = cmd.Run()
	printed, err2 := os.ReadFile(out.Name())
	r.T.Logf("$ %s\n%s", command, printed)
	if err != nil || err2 != nil {
		log, _ := os.ReadFile(filepath.Join(r.root, "var/log/dnaverify.log"))
		r.T.Fatalf("%s: %v %v\n%s", command, err, err2, log)
	}
	return string(printed)
}

// configure puts what the page says into the configuration of a prosody that
// resolves names here.
func (r *reader) configure(lua string) {
	r.T.Helper()
	lua = strings.ReplaceAll(lua, `"/usr/`, `"`+r.root+`/usr/`)
	lua = strings.Replace(lua, "-- ... what is there already ...", `"tls"; "saslauth"; "dialback"; "admin_shell";`, 1)
	o := options{"dna_url": fmt.Sprintf("%q", fmt.Sprintf("http://127.0.0.1:%d/v1/check", r.port))}
	for _, option := range regexp.MustCompile(`(?m)^(\w+) = (\{[^\n]*\}|[^\n{]+|(?s:\{.*?^\}))$`).FindAllStringSubmatch(lua, -1) {
		o[option[1]] = option[2]
	}
	if len(o) != 4 {
		r.T.Fatalf("the page configures %v", o)
	}
	_, cert, key := r.Certify(hostA, domainA)
	r.prosody = r.site.prosody(cert, key, r.resolver, o, domainA)
}

// TestReadme follows the page from its beginning to its end. Every command works.
func TestReadme(t *testing.T) {
	realtest.Need(t, "prosodyctl", "curl")
	if os.Geteuid() != 0 {
		t.Log("not as root, as the page says")
	}
	// B is the server of the domain that delegates, with what Debian enables.
	p := newPair(t, nil, options{"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "ping" }`})
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{site: p.site, root: t.TempDir(), bin: t.TempDir(), checkout: t.TempDir(), port: realtest.Port(t), resolver: p.dns.Addr}
	for _, dir := range []string{"var/log", "var/lib", "etc", "usr/local/bin", "usr/local/lib"} { // what Debian has
		if err := os.MkdirAll(filepath.Join(r.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(checkout, "integrations"), filepath.Join(r.checkout, "integrations")); err != nil {
		t.Fatal(err)
	}
	realtest.Output(t, ".", "go", "build", "-o", r.checkout, "../../cmd/dnaverify")
	wrap := func(name, script string) {
		if err := os.Chmod(realtest.WriteFile(t, r.bin, name, "#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	wrap("dnaverify", fmt.Sprintf("echo $$ >%s/pid.$1\nexec %[1]s/usr/local/bin/dnaverify \"$@\" --resolver %s --roots %s --via dns --allow-private-addresses\n", r.root, p.dns.Addr, p.Roots))

	statement := world.Statement(domainB, world.Service, time.Now(), hostB)
	statement.Targets[0].Port = uint16(p.b.Server)
	owner, _, _ := p.Certify(domainB)
	txt := world.Line(statement, owner)
	records := func(portA int) {
		if err := p.dns.SetRecords([]string{
			hostA + ". A 127.0.0.1", hostB + ". A 127.0.0.1", txt,
			fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", domainA, portA, hostA),
			fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d %s.", domainB, p.b.Server, hostB),
		}); err != nil {
			t.Fatal(err)
		}
	}

	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pid, err := os.ReadFile(filepath.Join(r.root, "pid.serve"))
		n := 0
		if _, err2 := fmt.Sscan(string(pid), &n); err == nil && err2 == nil {
			_ = syscall.Kill(n, syscall.SIGTERM)
		}
	})
	commands := 0
	for _, block := range regexp.MustCompile("(?ms)^```(console|lua)\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		if block[1] == "lua" {
			r.configure(block[2])
			records(r.prosody.Server)
			wrap("prosodyctl", fmt.Sprintf("exec %s --config %s \"$@\"\n", realProsodyctl(t), r.prosody.Config))
			continue
		}
		for line := range strings.Lines(block[2]) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
			if !ok {
				t.Fatalf("%q is no command", line)
			}
			commands++
			switch {
			case command == "systemctl restart prosody": // no systemd here
				r.prosody.Restart()
			case strings.HasPrefix(command, "prosodyctl shell xmpp ping"):
				mark := r.prosody.Log.Mark()
				r.sh(command)
				r.prosody.Log.Wait(t, mark, `b\.example may be served by xmpp\.beta\.example \(delegation, until .*\): certificate accepted`)
			case strings.HasPrefix(command, "curl "):
				if out := r.sh(command); !strings.Contains(out, `"status":"ok"`) {
					t.Error(out)
				}
			default:
				r.sh(command)
			}
		}
	}
	if commands < 9 {
		t.Errorf("only %d commands", commands)
	}
	if info, err := os.Stat(filepath.Join(r.root, "var/lib/dnaverify/memory.db")); err != nil || info.Size() == 0 {
		t.Error(err)
	}
}

func realProsodyctl(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("prosodyctl")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
