// Package publish tests the scripts of this folder, and that of docs/publish.md, with a
// real knot: lexicon with Debian's lexicon, and acme-sh with functions that have the
// interface of acme.sh's, or with acme.sh itself.
package publish

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

var build = clitest.Builder("../../cmd/dnasign", "../../cmd/dnaverify")

// An owner's machine has the programs, certificates, and a configuration.
type owner struct {
	*testing.T
	bin, dir string
	knot     string
	command  []string // of the place to publish at
}

// newOwner serves the zone of b.example with a knot. Beside the statement for servers
// there will be another record.
func newOwner(t *testing.T) *owner {
	t.Helper()
	o := &owner{T: t, bin: build(t), dir: t.TempDir()}
	o.knot, _ = realtest.Knot(t, realtest.Zone{Name: "b.example", Updated: true, Content: `_xmpp-server._tcp SRV 0 0 5269 h.example.
_xmpp-client._tcp SRV 0 0 5222 h.example.
_xmpp-server._tcp._dna TXT "v=spf1 -all"
`})
	if err := clitest.WriteWorld(o.dir); err != nil {
		t.Fatal(err)
	}
	return o
}

// script is the whole path of a script of this folder.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (o *owner) configure(domain string) {
	o.Helper()
	var words []string
	for _, word := range o.command {
		words = append(words, fmt.Sprintf("%q", word))
	}
	realtest.WriteFile(o, o.dir, "dna.yaml", fmt.Sprintf(`defaults:
  cert: b.pem
  key: b.key
  publish:
    - command: [%s]
      ttl: 60
      authority: [%q]
domains:
  - {domain: b.example, %s}
`, strings.Join(words, ", "), o.knot, domain))
}

// run runs a command, which must end with a code and say some things.
func (o *owner) run(code int, line string, says ...string) {
	o.Helper()
	args := strings.Fields(line)
	cmd := exec.CommandContext(o.Context(), filepath.Join(o.bin, args[0]), args[1:]...)
	cmd.Dir = o.dir
	// lexicon looks for the public suffix list, and finds no network here.
	cmd.Env = append(os.Environ(), "HOME="+o.dir, "https_proxy=http://127.0.0.1:9")
	out, err := cmd.CombinedOutput()
	o.Logf("$ %s\n%s", line, out)
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		o.Fatalf("%s: %v, want exit code %d", line, err, code)
	}
	for _, text := range says {
		if !strings.Contains(string(out), text) {
			o.Errorf("%s: does not say %q", line, text)
		}
	}
}

// records are the TXT records of a service, in the zone.
func (o *owner) records(service string) (list []string) {
	o.Helper()
	m := new(dns.Msg).SetQuestion(service+"._dna.b.example.", dns.TypeTXT)
	reply, _, err := (&dns.Client{Net: "tcp", Timeout: realtest.Timeout}).ExchangeContext(o.Context(), m, o.knot)
	if err != nil {
		o.Fatal(err)
	}
	for _, rr := range reply.Answer {
		if txt := rr.(*dns.TXT); txt.Hdr.Ttl != 0 {
			list = append(list, strings.Join(txt.Txt, ""))
		}
	}
	return list
}

// want checks how many statements and other records the services have.
func (o *owner) want(service string, statements, others int) {
	o.Helper()
	records := o.records(service)
	found := 0
	for _, record := range records {
		if strings.HasPrefix(record, "v=DNA1; e=ac; s=") {
			found++
		}
	}
	if found != statements || len(records)-found != others {
		o.Errorf("%s has %d statements and %d other records, want %d and %d: %.60q", service, found, len(records)-found, statements, others, records)
	}
}

const (
	server = "_xmpp-server._tcp"
	client = "_xmpp-client._tcp"
	flags  = " --config dna.yaml --roots roots.pem --resolver "
)

// live goes from nothing to a statement, to the next, to one service less, and to a
// revocation. Others are the records beside the statement that the program leaves.
func (o *owner) live(others int) {
	o.Helper()
	renew := "dnasign renew" + flags + o.knot
	o.configure("services: {xmpp-server: [h.example:5269], xmpp-client: [h.example:5222]}")
	name := filepath.Base(o.command[0])
	o.run(0, renew+" --check", "command      TXT _xmpp-server._tcp._dna.b.example: "+name+" says that it could change _xmpp-server._tcp._dna.b.example")
	o.want(server, 0, 1)
	o.run(0, renew, "2 signed, 0 kept, 0 failed", "at "+name+", verified")
	o.want(server, 1, 1)
	o.want(client, 1, 0)
	o.run(0, "dnaverify check b.example --via dns --roots roots.pem --resolver "+o.knot, "VERIFIED")
	o.run(0, renew, "nothing to do")

	// The statement becomes as large as one with a chain of Let's Encrypt.
	many := "services: {xmpp-server: [h.example:5269"
	for i := range 14 {
		many += fmt.Sprintf(", host-%d-with-a-name-of-some-length.hosting.example:5269", i)
	}
	o.configure(many + "], xmpp-client: [h.example:5222]}")
	o.run(0, renew, "targets-changed", "1 signed, 1 kept, 0 failed", "verified")
	o.want(server, 1, others)
	if records := o.records(server); len(records[0]) < 3400 && len(records[len(records)-1]) < 3400 {
		o.Errorf("no long record: %.60q", records)
	}

	o.configure(many + "]}")
	o.run(0, renew, "is no longer in dna.yaml, and its statement is still published")
	o.run(0, renew+" --prune", "removed     _xmpp-client._tcp of b.example")
	o.want(client, 0, 0)

	o.configure("services: [xmpp-server], revoke: true")
	o.run(0, renew, "1 signed, 0 kept, 0 failed", "verified")
	o.want(server, 1, others)
	o.run(1, "dnaverify check b.example --via dns --roots roots.pem --resolver "+o.knot, "REFUSED: revoked")
}

// TestLexicon: with lexicon and its provider for DNS updates.
func TestLexicon(t *testing.T) {
	realtest.Need(t, "knotd", "lexicon")
	o := newOwner(t)
	folder := t.TempDir()
	ip := realtest.Port53(t, o.knot) // it knows no other port
	account := func(key string) {
		realtest.WriteFile(t, folder, "lexicon_ddns.yml", fmt.Sprintf("auth_token: %s\nddns_server: %s\n", key, ip))
	}
	account("hmac-sha256:" + realtest.TSIGAll + ":" + realtest.TSIGSecret)
	o.command = []string{script(t, "lexicon"), "ddns", folder}
	o.live(1)

	// What it says when it fails is shown, and nothing has changed.
	account("none")
	o.configure("services: [xmpp-server], targets: [h.example:5269]")
	before := o.records(server)
	o.run(1, "dnasign renew"+flags+o.knot, "update-failed: lexicon present _xmpp-server._tcp._dna.b.example failed (exit status 1): it says: ",
		"not enough values to unpack", "hint: call the program by hand")
	if after := o.records(server); len(after) != len(before) || after[0] != before[0] {
		t.Errorf("%.60q, before %.60q", after, before)
	}
}

// TestPage: the script in docs/publish.md keeps the contract.
func TestPage(t *testing.T) {
	realtest.Need(t, "knotd", "nsupdate")
	page, err := os.ReadFile("../../docs/publish.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n```sh\n")
	text, _, _ = strings.Cut(text, "```\n")
	if !found {
		t.Fatal("the page has no script")
	}
	o := newOwner(t)
	addr, port, err := net.SplitHostPort(o.knot)
	if err != nil {
		t.Fatal(err)
	}
	text = strings.Replace(text, "server 192.0.2.53", "server "+addr+" "+port, 1)
	text = strings.Replace(text, "/etc/dnasign/tsig.key", realtest.TSIGFile(t, o.dir, realtest.TSIGAll, realtest.TSIGSecret), 1)
	o.command = []string{realtest.WriteFile(t, o.dir, "of-the-page", text)}
	if err := os.Chmod(o.command[0], 0o755); err != nil {
		t.Fatal(err)
	}
	o.live(1)
}

// ourFunctions are a dnsapi function with the interface of acme.sh's: two arguments,
// the helpers _info and _err, and settings from account.conf. As that for nsupdate
// does, it removes all records of a name.
const ourFunctions = `dns_test_add() {
  _info "adding $1"
  send "update add $1. 60 in txt \"$2\""
}
dns_test_rm() {
  _info "removing $1"
  send "update delete $1. txt"
}
send() {
  [ -n "$TEST_KEY" ] || { _err "there is no TEST_KEY"; return 1; }
  printf 'server 127.0.0.1 %s\n%s\nsend\n' "$TEST_PORT" "$1" | nsupdate -k "$TEST_KEY"
}
`

// ourAcme has what the script uses of acme.sh.
const ourAcme = `_info() { printf '%s\n' "$1"; }
_err() { printf '%s\n' "$1" >&2; return 1; }
_initpath() { . "$LE_WORKING_DIR/account.conf"; }
main() { [ -z "$1" ] || echo "called with $*" >&2; }
main "$@"
`

// TestAcme: with functions of ours.
func TestAcme(t *testing.T) {
	realtest.Need(t, "knotd", "nsupdate")
	o := newOwner(t)
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "dnsapi"), 0o755); err != nil {
		t.Fatal(err)
	}
	realtest.WriteFile(t, folder, "acme.sh", ourAcme)
	realtest.WriteFile(t, folder, "dnsapi/dns_nsupdate.sh", strings.ReplaceAll(ourFunctions, "dns_test", "dns_nsupdate"))
	_, port, err := net.SplitHostPort(o.knot)
	if err != nil {
		t.Fatal(err)
	}
	key := realtest.TSIGFile(t, folder, realtest.TSIGAll, realtest.TSIGSecret)
	account := fmt.Sprintf("TEST_KEY='%s'\nTEST_PORT=%s\n", key, port)
	realtest.WriteFile(t, folder, "account.conf", account)
	o.command = []string{script(t, "acme-sh"), "dns_nsupdate", folder}
	o.live(0)

	realtest.WriteFile(t, folder, "account.conf", "")
	o.configure("services: [xmpp-server], targets: [h.example:5269]")
	o.run(1, "dnasign renew"+flags+o.knot, "acme-sh present _xmpp-server._tcp._dna.b.example failed (exit status 1): it says: there is no TEST_KEY")
	o.want(server, 1, 0)

	// dnasign is killed while the function removes all records: it goes on, and the
	// next run publishes again.
	realtest.WriteFile(t, folder, "account.conf", account)
	realtest.WriteFile(t, folder, "dnsapi/dns_nsupdate.sh", strings.ReplaceAll(ourFunctions, "dns_test", "dns_nsupdate")+"dns_nsupdate_rm() { kill -9 \"$PPID\"; send \"update delete $1. txt\"; }\n")
	o.run(-1, "dnasign renew"+flags+o.knot)
	for len(o.records(server)) > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	o.run(0, "dnasign renew"+flags+o.knot, "verified")
	o.want(server, 1, 0)

	o.command[1] = "dns_other"
	o.configure("services: [xmpp-server], targets: [h.example:5269]")
	o.run(3, "dnasign renew"+flags+o.knot+" --check", "dnsapi/dns_other.sh cannot be read")
}

// TestAcmeItself: the same with acme.sh, which no Debian has. ACMESH in the
// environment names a folder with acme.sh and dnsapi, and without it the test is
// skipped.
func TestAcmeItself(t *testing.T) {
	source := os.Getenv("ACMESH")
	if source == "" {
		t.Skip("ACMESH names no folder with acme.sh")
	}
	realtest.Need(t, "knotd", "nsupdate")
	o := newOwner(t)
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(o.knot)
	if err != nil {
		t.Fatal(err)
	}
	key := realtest.TSIGFile(t, folder, realtest.TSIGAll, realtest.TSIGSecret)
	realtest.WriteFile(t, folder, "account.conf", fmt.Sprintf("SAVED_NSUPDATE_SERVER='127.0.0.1'\nSAVED_NSUPDATE_SERVER_PORT='%s'\nSAVED_NSUPDATE_KEY='%s'\n", port, key))
	o.command = []string{script(t, "acme-sh"), "dns_nsupdate", folder}
	o.live(0)
}
