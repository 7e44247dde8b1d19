package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// A laboratory is the machine of the owner of b.example as in the
// documentation. Around it are real servers: a certification authority, a DNS
// server and a validating resolver. A folder stands for /, and the programs in
// PATH know where those servers are. Everything else is run as it is written.
type laboratory struct {
	t             *testing.T
	root          string // stands for /
	bin           string // before everything else in PATH
	acme          *realtest.ACME
	knot, unbound string
}

// zoneOfB is b.example at its provider: the host, and where its services run.
const zoneOfB = `@ A 127.0.0.1
_xmpp-server._tcp SRV 0 0 5269 xmpp.hosting.example.
_xmpp-client._tcp SRV 0 0 5222 xmpp.hosting.example.
`

func newLaboratory(t *testing.T, zones ...realtest.Zone) *laboratory {
	realtest.Need(t, "knotd", "unbound", "pebble")
	l := &laboratory{t: t, root: t.TempDir(), bin: t.TempDir()}
	l.serve(fmt.Sprintf("127.0.0.1:%d", realtest.Port(t))) // nobody
	l.knot, l.unbound = realtest.KnotAndUnbound(t, zones...)
	l.acme = realtest.Pebble(t, l.unbound)
	programs := build(t)
	stranger := fmt.Sprintf(`--resolver %s --roots '%s' --connect-to "b.example:443:$(cat '%s')" --allow-private-addresses`, l.unbound, l.acme.Roots, l.path("web"))
	realtest.Wrapper(t, l.bin, filepath.Join(programs, "dnasign"), fmt.Sprintf(`case $1 in
init) set -- "$@" --resolver %s --cert '%s/fullchain.pem' --key '%[2]s/privkey.pem' ;;
renew) set -- "$@" %s ;;
esac
exec REAL "$@"
`, l.unbound, l.path("/etc/letsencrypt/live/{domain}"), stranger))
	realtest.Wrapper(t, l.bin, filepath.Join(programs, "dnaverify"), "exec REAL \"$@\" "+stranger+"\n")
	l.write("/etc/dnasign/tsig.key", realtest.TSIGKey+"\n")
	return l
}

// path is where a path of the documentation is.
func (l *laboratory) path(name string) string { return filepath.Join(l.root, name) }

// serve says who answers for https://b.example.
func (l *laboratory) serve(addr string) { l.write("web", addr) }

// absolute finds the paths of the documentation in what it says.
var absolute = regexp.MustCompile(`(^|[\s"'=])(/(?:etc|var|usr)/)`)

func (l *laboratory) rooted(text string) string {
	return absolute.ReplaceAllString(text, "${1}"+l.root+"${2}")
}

func (l *laboratory) write(name, text string) {
	l.t.Helper()
	if err := os.MkdirAll(filepath.Dir(l.path(name)), 0o755); err != nil {
		l.t.Fatal(err)
	}
	realtest.WriteFile(l.t, filepath.Dir(l.path(name)), filepath.Base(name), text)
}

// run gives a line to a shell, as its user types it, and returns what it wrote
// to standard output. It must succeed.
func (l *laboratory) run(line string) string {
	l.t.Helper()
	stdout, stderr, err := l.try(line)
	l.t.Logf("$ %s\n%s%s", line, stdout, stderr)
	if err != nil {
		l.t.Fatalf("%s: %v", line, err)
	}
	return stdout
}

// try is run for what may fail.
func (l *laboratory) try(line string) (stdout, stderr string, err error) {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), "sh", "-c", l.rooted(line))
	cmd.Dir = l.root
	cmd.Env = append(os.Environ(), "PATH="+l.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+l.root)
	var out, errout strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errout
	err = cmd.Run()
	return out.String(), errout.String(), err
}

// wantSigner checks what everybody finds against a certificate file. There is
// one statement, at the authoritative server and behind the resolver. It
// verifies, and that certificate signed it. It returns the fingerprints of the
// certificate and its key.
func (l *laboratory) wantSigner(certFile, keyFile string) (cert, key delegation.Digest) {
	l.t.Helper()
	cert, key = l.fingerprints(certFile, keyFile)
	authority := &discovery.Client{Resolver: l.knot, Via: discovery.ViaDNS}
	e, err := authority.Gather(l.t.Context(), "b.example", "_xmpp-server._tcp", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if got := l.signers(e); !slices.Equal(got, []delegation.Digest{cert}) {
		l.t.Fatalf("the zone has statements signed by %v, want one by %v", got, cert)
	}
	l.wantOthersFind(discovery.ViaDNS, cert)
	return cert, key
}

// fingerprints are those of a certificate, which must be usable as it is, and
// of its key.
func (l *laboratory) fingerprints(certFile, keyFile string) (cert, key delegation.Digest) {
	l.t.Helper()
	signer, warnings, err := keys.LoadSigner(l.path(certFile), l.path(keyFile))
	if err != nil || len(warnings) > 0 {
		l.t.Fatal(err, warnings)
	}
	return sha256.Sum256(signer.Leaf().Raw), sha256.Sum256(signer.Leaf().RawSubjectPublicKeyInfo)
}

// wantOthersFind waits until dnaverify finds one statement, and nothing else,
// signed with a certificate. A resolver may have what was there before for as
// long as its TTL says.
func (l *laboratory) wantOthersFind(via discovery.Via, cert delegation.Digest) {
	l.t.Helper()
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(50 * time.Millisecond) {
		out, errout, err := l.try("dnaverify check b.example --save-evidence evidence.json --via " + string(via))
		if err == nil && slices.Equal(l.signers(l.evidence("evidence.json")), []delegation.Digest{cert}) {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("others do not find one statement signed by %v: %v\n%s%s", cert, err, out, errout)
		}
	}
}

func (l *laboratory) evidence(name string) *delegation.Evidence {
	l.t.Helper()
	data, err := os.ReadFile(l.path(name))
	if err != nil {
		l.t.Fatal(err)
	}
	e := new(delegation.Evidence)
	if err := json.Unmarshal(data, e); err != nil {
		l.t.Fatal(err)
	}
	return e
}

// signers are the certificates that signed the statements in evidence, of which
// each must verify by itself.
func (l *laboratory) signers(e *delegation.Evidence) (list []delegation.Digest) {
	l.t.Helper()
	roots, err := keys.LoadRoots(l.acme.Roots)
	if err != nil {
		l.t.Fatal(err)
	}
	verify := func(one delegation.Evidence) {
		l.t.Helper()
		result, err := delegation.Verify(delegation.Query{Source: e.Source, Service: e.Service}, &one, delegation.Policy{Roots: roots, Time: time.Now()})
		if err != nil {
			l.t.Fatalf("a statement that does not verify: %v", err)
		}
		list = append(list, result.Proven().Fingerprint)
	}
	for i, answer := range e.TXT {
		for _, record := range answer.Records {
			one := *e
			one.Documents, one.TXT = nil, slices.Clone(e.TXT[i:i+1])
			one.TXT[0].Records = []string{record}
			verify(one)
		}
	}
	for i, document := range e.Documents {
		if document.Status == http.StatusOK {
			one := *e
			one.TXT, one.Documents = nil, e.Documents[i:i+1]
			verify(one)
		}
	}
	return list
}
