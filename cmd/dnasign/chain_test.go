package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// A bench is a folder with the two programs in PATH.
type bench struct {
	*testing.T
	dir string
}

func newBench(t *testing.T) *bench {
	t.Setenv("PATH", build(t)+string(os.PathListSeparator)+os.Getenv("PATH"))
	return &bench{t, t.TempDir()}
}

// sh gives a script to a shell, which must end with an exit code, and returns
// what it wrote to both outputs.
func (b *bench) sh(code int, script string) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "sh", "-ec", script)
	cmd.Dir = b.dir
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		b.Fatalf("%v, want exit code %d\n$ %s\n%s", err, code, script, out)
	}
	return string(out)
}

const (
	signChain   = "dnasign sign --offline --state none --domain b.example --service xmpp-server --target h.example:5269 --key leaf.key --out s.jws "
	verifyChain = "dnaverify verify s.jws --domain b.example --service xmpp-server --roots "
)

// authorities makes two roots, an intermediate that both have certified, and a
// stranger. It makes leaves for b.example: a usual one, and two that no
// verifier accepts.
const authorities = `
key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }
root() { key $1; openssl req -x509 -new -key $1.key -subj "/CN=$2" -days 3650 -addext keyUsage=critical,keyCertSign -out $1.pem; }
root r1 "Root 1"; root r2 "Root 2"; root other "Stranger"
key inter; openssl req -new -key inter.key -subj "/CN=Intermediate" -out inter.csr
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' > ca.ext
for n in 1 2; do openssl x509 -req -in inter.csr -CA r$n.pem -CAkey r$n.key -set_serial 10$n -days ${n}00 -extfile ca.ext -out inter$n.pem; done
key leaf; openssl req -new -key leaf.key -subj "/" -out leaf.csr
printf 'subjectAltName=critical,DNS:b.example\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\n' > leaf.ext
cp leaf.ext odd.ext; echo '1.3.6.1.4.1.99999.1=critical,DER:0500' >> odd.ext
leaf() { openssl x509 -req -in leaf.csr -CA inter1.pem -CAkey inter.key -set_serial 20$1 -days 90 -extfile $2 $3 -out $4; }
leaf 1 leaf.ext -sha256 leaf.pem; leaf 2 odd.ext -sha256 odd.pem; leaf 3 leaf.ext -sha1 sha1.pem
`

// TestChainsOfOpenSSL: chains as people have them, made by openssl. The
// statement has the path that verifiers can follow.
func TestChainsOfOpenSSL(t *testing.T) {
	realtest.Need(t, "openssl")
	b := newBench(t)
	b.sh(0, authorities)
	for _, c := range []struct {
		name, files string
		flags       string
		roots       string // that verify it
		unrooted    string // that do not, if any
		length      int    // certificates in the statement
	}{
		{"fullchain", "leaf inter1", "", "r1", "r2", 2},
		{"root at the end", "leaf inter1 r1", "", "r1", "r2", 2},
		{"Vault's ca_chain, root first", "r1 inter1 leaf", "", "r1", "r2", 2},
		{"everything twice", "leaf inter1 r1 leaf inter1 r1", "", "r1", "r2", 2},
		{"cross-signed pair, the longer one", "leaf inter1 inter2", "", "r2", "r1", 2},
		{"cross-signed pair, a root there", "leaf inter2 inter1 r1", "", "r1", "r2", 2},
		{"cross-signed pair, a root given", "leaf inter1 inter2", "--roots r1.pem", "r1", "r2", 2},
		{"a stranger among them", "other leaf inter1", "", "r1", "r2", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{t, b.dir}
			b.sh(0, "for f in "+c.files+"; do cat $f.pem; done > chain.pem")
			out := b.sh(0, signChain+"--cert chain.pem "+c.flags)
			if strings.Contains(out, "left out: CN=Stranger") != strings.Contains(c.files, "other") {
				t.Error(out)
			}
			if n := strings.Count(b.sh(0, "dnasign inspect --pem s.jws"), "BEGIN CERTIFICATE"); n != c.length {
				t.Errorf("%d certificates, want %d", n, c.length)
			}
			b.sh(0, verifyChain+c.roots+".pem")
			if out := b.sh(1, verifyChain+c.unrooted+".pem"); !strings.Contains(out, "untrusted-signer") {
				t.Error(out)
			}
		})
	}
	for name, says := range map[string]string{
		"odd":  "has the critical extension 1.3.6.1.4.1.99999.1, which verifiers do not know",
		"sha1": "is signed with ECDSA-SHA1, which verifiers refuse",
	} {
		out := b.sh(1, "rm -f s.jws; cat "+name+".pem inter1.pem > chain.pem; "+signChain+"--cert chain.pem")
		if !strings.Contains(out, "refused: untrusted-signer: ") || !strings.Contains(out, says) {
			t.Errorf("%s: %s", name, out)
		}
		b.sh(0, "! test -e s.jws")
	}
}

// TestChainsOfPebble: a real client's chain from an authority whose intermediate
// two roots have certified, with all of these together as people join them. With
// either root, others verify.
func TestChainsOfPebble(t *testing.T) {
	t.Setenv("PEBBLE_ALTERNATE_ROOTS", "1")
	l := newLaboratory(t, realtest.Zone{Name: "b.example", Content: zoneOfB, Signed: true, Updated: true})
	l.acme.Lego(t, l.bin)
	l.run("lego --path /etc/lego --email owner@b.example --domains b.example --http run")
	b := &bench{t, l.root}
	t.Setenv("PATH", build(t)+string(os.PathListSeparator)+os.Getenv("PATH"))
	b.sh(0, "cp etc/lego/certificates/b.example.crt issued.pem; cp etc/lego/certificates/b.example.key leaf.key")
	for i := range 2 {
		for _, what := range []string{"roots", "intermediates"} {
			realtest.WriteFile(t, l.root, fmt.Sprintf("%s%d.pem", what, i), l.managed(fmt.Sprintf("/%s/%d", what, i)))
		}
	}
	for i := range 2 {
		b.sh(0, "cat intermediates1.pem roots0.pem issued.pem intermediates0.pem roots1.pem issued.pem > chain.pem")
		out := b.sh(0, fmt.Sprintf("%s--cert chain.pem --roots roots%d.pem", signChain, i))
		if strings.Contains(out, "left out") {
			t.Error(out)
		}
		b.sh(0, fmt.Sprintf("%sroots%d.pem", verifyChain, i))
	}
	// Without roots of its own the chain still leads to one of the two.
	b.sh(0, signChain+"--cert chain.pem")
	b.sh(0, fmt.Sprintf("%[1]sroots0.pem || %[1]sroots1.pem", verifyChain))
}

// managed gets something from the authority's interface for tests.
func (l *laboratory) managed(path string) string {
	l.t.Helper()
	ca, err := os.ReadFile(l.acme.CA)
	if err != nil {
		l.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	reply, err := client.Get(l.acme.Management + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		l.t.Fatalf("%s: %s, %v", path, reply.Status, err)
	}
	return string(text)
}

// TestReadOnlyMount: a key as container engines mount it, which nobody can chmod
// there.
func TestReadOnlyMount(t *testing.T) {
	realtest.Need(t, "unshare", "mount")
	b := newBench(t)
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("mounts need more rights: %v, %s", err, out)
	}
	realtest.Need(t, "openssl")
	b.sh(0, authorities)
	b.sh(0, "mkdir secrets; cp leaf.key secrets/tls.key; chmod 444 secrets/tls.key; cat leaf.pem inter1.pem > chain.pem")
	mounted := func(command string) string {
		script := "mount --bind secrets secrets\nmount -o remount,bind,ro secrets\n! chmod 600 secrets/tls.key 2>chmod.txt\n" + command
		file := filepath.Join(b.dir, "script.sh")
		if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		return "unshare --mount sh -e script.sh"
	}
	sign := strings.Replace(signChain, "leaf.key", "secrets/tls.key", 1) + "--cert chain.pem"
	out := b.sh(1, mounted(sign))
	for _, want := range []string{"refused: key-readable: ", "secrets/tls.key has mode 0444", "read-only mount", "mode=0400", "defaultMode: 0400", "add --allow-readable-keys"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}
	if strings.Contains(out, "run: chmod") {
		t.Errorf("it says what cannot be done: %s", out)
	}
	out = b.sh(0, mounted(sign+" --allow-readable-keys"))
	if !strings.Contains(out, "warning: every user of this machine or container can read secrets/tls.key (mode 0444)") {
		t.Error(out)
	}
	b.sh(0, "grep -qi 'read-only' chmod.txt")
}
