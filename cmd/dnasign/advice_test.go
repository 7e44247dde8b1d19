package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// advised finds commands in a text for a person: what stands in quotes, on a
// line of its own, or behind a colon.
var advised = regexp.MustCompile(`(?m)(?:^  |["\x60]|: )((?:dnasign (?:sign|publish|renew|revoke|init|inspect)|dnaverify (?:check|verify|connect|watch)|openssl pkey|chmod) [^"\x60\n;]*|dnasign renew)`)

// An adviser types what the programs say, in a world where everything is there
// that the words in capitals stand for.
type adviser struct {
	t        *testing.T
	dir, bin string
	typed    map[string]bool
}

func newAdviser(t *testing.T) *adviser {
	realtest.Need(t, "openssl")
	a := &adviser{t: t, dir: t.TempDir(), bin: t.TempDir(), typed: map[string]bool{}}
	if err := clitest.WriteWorld(a.dir); err != nil {
		t.Fatal(err)
	}
	server := setup.DNS(t,
		"b.example. 60 IN SOA ns.b.example. h.b.example. 1 1 1 1 1", "b.example. 60 IN NS ns.b.example.", "ns.b.example. 60 IN A 127.0.0.1",
		"_xmpp-server._tcp.b.example. 60 IN SRV 0 0 5269 xmpp.hosting.example.",
	)
	for _, name := range []string{"www", "my folder"} {
		if err := os.Mkdir(filepath.Join(a.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	programs := build(t)
	realtest.Wrapper(t, a.bin, filepath.Join(programs, "dnasign"), fmt.Sprintf(`case "$1 $2" in
*" --help") ;;
"publish dns") case "$*" in *--help*) ;; *) set -- "$@" --server %[1]s --authority %[1]s --resolver %[1]s --roots roots.pem ;; esac ;;
"publish command") shift 2; set -- publish command --authority %[1]s --resolver %[1]s --roots roots.pem "$@" ;;
init*) set -- "$@" --resolver %[1]s --cert b.pem --key b.key ;;
renew*) set -- "$@" --resolver %[1]s --roots roots.pem ;;
"publish https") case "$*" in *--help*) ;; *) set -- "$@" --roots roots.pem --force ;; esac ;;
esac
exec REAL "$@"
`, server.Addr))
	realtest.Wrapper(t, a.bin, filepath.Join(programs, "dnaverify"), "exec REAL \"$@\" --roots roots.pem\n")
	a.run("dnasign sign --offline --state none --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 --cert b.pem --key b.key --out s.jws")
	a.run("openssl pkey -in b.key -out KEY -aes256 -passout pass:secret")
	return a
}

// run types a line, which must succeed, and returns all that was printed.
func (a *adviser) run(line string) string {
	a.t.Helper()
	out, err := a.try(line)
	if err != nil {
		a.t.Errorf("$ %s\n%s%v", line, out, err)
	}
	return out
}

func (a *adviser) try(line string) (string, error) {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "PATH="+a.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "DNASIGN_CONFIG=dna.yaml", "COLUMNS=")
	cmd.Stdin = strings.NewReader("secret\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// follow types the commands of a text, with what the words in capitals stand
// for, and returns how many there were.
func (a *adviser) follow(text string) (n int) {
	a.t.Helper()
	for _, found := range advised.FindAllStringSubmatch(text, -1) {
		command := strings.TrimSpace(found[1])
		n++
		a.typed[command] = true
		command = strings.NewReplacer("KEYFILE", "tsig.key", "DOMAIN", "b.example", "SERVICE", "xmpp-server", "DIR", "www", "PLAINKEY", "plain.key", "HOST:PORT", "xmpp.hosting.example:5269", "PROGRAM", "true").Replace(command)
		command = regexp.MustCompile(`\bFILE\b`).ReplaceAllString(command, "s.jws")
		switch {
		case strings.HasPrefix(command, "openssl pkey "):
			command += " -passin stdin"
		case strings.HasPrefix(command, "dnasign init "):
			os.Remove(filepath.Join(a.dir, "dna.yaml"))
		}
		a.run(command)
	}
	return n
}

// TestAdvice types every command that the programs advise, in hints and after
// what they did.
func TestAdvice(t *testing.T) {
	a := newAdviser(t)
	// The texts that are made where something happens.
	for _, c := range []struct {
		line string
		ok   bool
		want int // commands
	}{
		{"dnasign init --domain b.example --config 'my folder/dna.yaml'", true, 1},
		{"dnasign init --domain b.example", true, 1},
		{"dnaverify check s.jws", false, 1},
		{"dnasign revoke --offline --domain b.example --service xmpp-server --cert b.pem --key b.key --out 'my folder/r.jws'", true, 4},
		{"dnasign renew", true, 1}, // to delegate again
	} {
		out, err := a.try(c.line)
		if (err == nil) != c.ok {
			t.Errorf("$ %s\n%s%v", c.line, out, err)
		}
		if n := a.follow(out); n != c.want {
			t.Errorf("$ %s\n%sadvises %d commands, want %d", c.line, out, n, c.want)
		}
		time.Sleep(time.Second) // statements of one second contradict each other
		if strings.HasPrefix(c.line, "dnasign init --domain b.example --config") {
			continue
		}
		if strings.HasPrefix(c.line, "dnasign init") {
			config, err := os.ReadFile(filepath.Join(a.dir, "dna.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			resolver := regexp.MustCompile(`--resolver (\S+)`).FindStringSubmatch(a.run("cat " + filepath.Join(a.bin, "dnasign")))[1]
			realtest.WriteFile(t, a.dir, "dna.yaml", inPlaceOfPublish(t, string(config), fmt.Sprintf("  publish:\n    - dns: {server: %q, authority: [%[1]q], tsig: tsig.key}\n", resolver)))
		}
	}
	// A service that was taken out of the configuration.
	listed := a.run("cat dna.yaml")
	realtest.WriteFile(t, a.dir, "dna.yaml", listed+"      _xmpp-client._tcp:\n        - xmpp.hosting.example:5222\n")
	a.run("dnasign renew")
	realtest.WriteFile(t, a.dir, "dna.yaml", listed)
	if out := a.run("dnasign renew"); a.follow(out) != 2 {
		t.Errorf("advice about a service that is no longer listed:\n%s", out)
	}
	// The hints of reasons, for verifiers and for owners.
	least := 0
	for _, r := range reasons.Reasons() {
		for _, hint := range []string{hints.For(r), hints.ForOwner(r)} {
			least += a.follow("hint: " + hint)
			if words := regexp.MustCompile(`\b(dnasign|chmod|openssl) `).FindAllString(hint, -1); len(words) > len(advised.FindAllString("hint: "+hint, -1)) {
				t.Errorf("%s: a command that cannot be recognised: %s", r, hint)
			}
		}
	}
	if least < 8 {
		t.Errorf("only %d commands in hints", least)
	}
	a.follow(`hint: see "dnasign publish https --help" and "dnasign publish dns --help"`)
	if out := a.run("dnasign key new --domain b.example --service xmpp-server --cert own.pem --key own.key"); a.follow(out) != 1 {
		t.Errorf("advice about a new key:\n%s", out)
	}
	a.allTyped()
}

// allTyped compares the commands that were typed with those in the strings of
// the programs.
func (a *adviser) allTyped() {
	a.t.Helper()
	verbs := map[string]bool{}
	for command := range a.typed {
		verbs[verb(command)] = true
	}
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if pair, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := pair.Key.(*ast.Ident); ok && (key.Name == "Long" || key.Name == "Example" || key.Name == "Use") {
					return false // the help
				}
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				a.t.Fatal(err)
			}
			for _, command := range advised.FindAllStringSubmatch(text, -1) {
				found++
				if !verbs[verb(command[1])] {
					a.t.Errorf("%s: nobody types %q", path, command[1])
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
	if found < 10 {
		a.t.Errorf("only %d commands in the strings of the programs", found)
	}
}

// verb is a command without its arguments.
func verb(command string) string {
	words := strings.Fields(command)
	if len(words) > 2 && words[1] == "publish" {
		return strings.Join(words[:3], " ")
	}
	return strings.Join(words[:2], " ")
}
