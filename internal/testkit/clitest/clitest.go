// Package clitest runs the testscript files of the two commands. Each script
// finds, in its folder, a small world of certificates and keys. The default
// configuration of dnasign is dna.yaml there. It has these commands besides those of testscript:
//
//	code N program args...   runs a program and wants exactly that exit code
//	alter FILE N             changes octet N (from the end, if negative) to an
//	                         A or B, so that base64 stays base64
//	dns FILE                 starts a DNS server that has the zone lines of a file: $RESOLVER;
//	                         it takes updates that are signed with the key in tsig.key
//	fault FAULT NAME TYPE    makes it misbehave: see dnsFaults
//	web DIR NAME             serves a folder over TLS as NAME.pem: $WEB
//	xmpp VAR NAME [FAULT]    starts an XMPP server that shows NAME.pem: $VAR; see peerserver
//	plain VAR NAME SERVICE   starts a server of another service, which begins in clear text
//	                         and shows NAME.pem: $VAR; see peerserver
//	ask SOCKET SOURCE DIRECTION NAME [JSON]
//	                         asks a daemon about a peer that shows NAME.pem
//	get SOCKET PATH [TEXT]   gets something else from it, again and again until it has a text
//	signal NAME              sends HUP or TERM to the programs in the background
//	zone FILE                gives the DNS server these zone lines instead
package clitest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// Run runs every script in testdata, of which there must be at least that many.
// Programs in the folders of path can be run by their names.
func Run(t *testing.T, least int, path ...string) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) < least {
		t.Fatalf("%d scripts found, want at least %d (%v)", len(scripts), least, err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			path := append(path, env.Getenv("PATH"))
			env.Setenv("DNASIGN_CONFIG", "dna.yaml")
			env.Setenv("PATH", strings.Join(path, string(os.PathListSeparator)))
			return WriteWorld(env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "alter": alter, "dns": serveDNS, "zone": changeDNS, "fault": faultDNS, "web": serveWeb, "xmpp": serveXMPP, "plain": servePlain,
			"ask": ask, "get": get, "signal": signal,
		},
	})
}

// WriteWorld writes the certificates and keys into a folder.
func WriteWorld(dir string) error {
	files, err := certificates()
	if err != nil {
		return err
	}
	for name, data := range files {
		mode := os.FileMode(0o644)
		if filepath.Ext(name) == ".key" {
			mode = 0o600
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, mode); err != nil {
			return err
		}
	}
	return nil
}

// servers holds the DNS servers that run, by address.
var servers sync.Map

func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func alter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: alter FILE N")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := []byte(ts.ReadFile(args[0]))
	if at < 0 {
		at += len(data)
	}
	if data[at] == 'A' {
		data[at] = 'B'
	} else {
		data[at] = 'A'
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

// certificates makes them once: each name.pem is a chain, name.key its
// key; leaf.pem is b.pem without its issuer; roots.pem is the anchor of all,
// other-roots.pem of none.
var certificates = sync.OnceValues(func() (map[string][]byte, error) {
	files := map[string][]byte{}
	now := time.Now()
	ca, other := world.At(now).CA, world.At(now).CA
	files["tsig.key"] = fmt.Appendf(nil, "key \"%s\" {\n\talgorithm hmac-sha256;\n\tsecret \"%s\";\n};\n", realtest.TSIGName, realtest.TSIGSecret)
	files["roots.pem"] = localca.PEM(ca.Root())
	files["other-roots.pem"] = localca.PEM(other.Root())
	const day = world.Day
	for name, leaf := range map[string]struct {
		kind       string
		domains    []string
		start, end time.Duration
		edit       func(*x509.Certificate)
	}{
		"b":        {"P-256", []string{"b.example"}, -day, 60 * day, nil},
		"short":    {"P-256", []string{"b.example"}, -day, 2 * day, nil},
		"p384":     {"P-384", []string{"b.example"}, -day, 60 * day, nil},
		"rsa":      {"RSA-2048", []string{"b.example"}, -day, 60 * day, nil},
		"ed25519":  {"Ed25519", []string{"b.example"}, -day, 60 * day, nil},
		"p521":     {"P-521", []string{"b.example"}, -day, 60 * day, nil},
		"c":        {"P-256", []string{"c.example"}, -day, 60 * day, nil},
		"hosting":  {"P-256", []string{"xmpp.hosting.example"}, -day, 60 * day, nil},
		"evil":     {"P-256", []string{"evil.example"}, -day, 60 * day, nil},
		"idn":      {"P-256", []string{"xn--bcher-kva.example"}, -day, 60 * day, nil},
		"wildcard": {"P-256", []string{"*.b.example"}, -day, 60 * day, nil},
		"cn": {"P-256", nil, -day, 60 * day, func(c *x509.Certificate) {
			c.Subject.CommonName = "b.example"
		}},
		"ca": {"P-256", []string{"b.example"}, -day, 60 * day, func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign
		}},
		"older":   {"P-256", []string{"b.example"}, -2 * day, 60 * day, nil},
		"expired": {"P-256", []string{"b.example"}, -60 * day, -day, nil},
		"future":  {"P-256", []string{"b.example"}, day, 60 * day, nil},
		"client": {"P-256", []string{"b.example"}, -day, 60 * day, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}},
		"encipher": {"RSA-2048", []string{"b.example"}, -day, 60 * day, func(c *x509.Certificate) {
			c.KeyUsage |= x509.KeyUsageKeyEncipherment
		}},
	} {
		signer := localca.Must(ca.Issue(leaf.kind, leaf.domains, now.Add(leaf.start), now.Add(leaf.end), leaf.edit))
		if err := put(files, name, signer); err != nil {
			return nil, err
		}
	}
	return files, nil
})

func put(files map[string][]byte, name string, signer *keys.Signer) error {
	key, err := localca.KeyPEM(signer.Key())
	files[name+".pem"], files[name+".key"] = localca.PEM(signer.Chain()...), key
	if name == "b" {
		files["leaf.pem"] = localca.PEM(signer.Leaf())
	}
	return err
}
