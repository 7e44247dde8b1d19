package keysource

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// TestMain: this test's own program is the one that signs.
func TestMain(m *testing.M) {
	if file := os.Getenv("SIGN_WITH"); file != "" {
		if err := asProgram(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	dir, err := os.MkdirTemp("", "softhsm")
	if err != nil {
		panic(err)
	}
	os.Setenv("SOFTHSM2_CONF", filepath.Join(dir, "softhsm2.conf")) // a process reads it once
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// asProgram keeps the contract of docs/keys.md.
func asProgram(file string) error {
	digest, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	hash := map[int]crypto.Hash{32: crypto.SHA256, 48: crypto.SHA384}[len(digest)]
	signature, err := key.(crypto.Signer).Sign(nil, digest, hash)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(signature)
	return err
}

// files are a certificate chain and its key in files of a site.
func files(t *testing.T, kind string) (site *setup.Site, cert, key string) {
	t.Helper()
	site = setup.NewSite(t)
	signer := localca.Must(site.CA.Issue(kind, []string{world.Source}, site.Now.Add(-time.Hour), site.Now.Add(60*world.Day), nil))
	cert, key = site.WriteKeys("signer", signer)
	return site, cert, key
}

// sign has a key somewhere else sign a statement in both forms. A verifier
// accepts them.
func sign(t *testing.T, site *setup.Site, cert, key string) {
	t.Helper()
	signer, warnings, err := keys.Loader{Roots: site.CA.Pool(), Open: new(Source).Open}.LoadSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 && !strings.Contains(warnings[0], "RSA") {
		t.Error(warnings)
	}
	s := site.Statement(0, world.Host)
	all, err := signing.Sign(&s, delegation.Encodings(), signer)
	if err != nil {
		t.Fatal(err)
	}
	for encoding, raw := range all {
		q := delegation.Query{Source: world.Source, Service: world.Service}
		if _, err := delegation.Verify(q, q.FileEvidence("signed", raw), site.Policy()); err != nil {
			t.Errorf("%s: %v", encoding, err)
		}
	}
}

func TestCommand(t *testing.T) {
	for _, kind := range []string{"P-256", "P-384", "RSA-2048", "Ed25519"} {
		t.Run(kind, func(t *testing.T) {
			site, cert, key := files(t, kind)
			sign(t, site, cert, "command:SIGN_WITH='"+key+"' '"+os.Args[0]+"'")
		})
	}
}

// TestCommandFails: every way in which a program fails has a message that says
// what to look at, and nothing is signed.
func TestCommandFails(t *testing.T) {
	_, cert, _ := files(t, "P-256")
	_, _, other := files(t, "P-256")
	for _, c := range []struct{ name, line, want string }{
		{"missing program", "./no-such-program", "no-such-program"},
		{"status", "echo no token in the slot >&2; : secret; exit 7", "exit status 7): it says: no token in the slot"},
		{"silent", ":", "wrote no signature"},
		{"endless", "while :; do echo 0123456789; done", "more than 4096 bytes"},
		{"not a signature", "echo hello", "no signature by the certificate's key (P-256)"},
		{"another key", "SIGN_WITH='" + other + "' '" + os.Args[0] + "'", "is it the right key"},
		{"terminal", `printf '\033[2J' >&2; exit 1`, "?[2J"},
	} {
		t.Run(c.name, func(t *testing.T) {
			signer, _, err := keys.Loader{Open: new(Source).Open}.LoadSigner(cert, "command:"+c.line)
			if err != nil {
				t.Fatal(err)
			}
			signature, err := keys.ES256.Sign(signer.Key(), []byte("statement"))
			if err == nil || !strings.Contains(err.Error(), c.want) || signature != nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q, %v, want %s", signature, err, c.want)
			}
		})
	}
	_, err := command{":", nil}.Sign(nil, nil, &rsa.PSSOptions{})
	if err == nil || !strings.Contains(err.Error(), "PSS") {
		t.Error(err)
	}
}

// TestOpen: what cannot be a key somewhere else is refused before anything runs.
func TestOpen(t *testing.T) {
	site, cert, _ := files(t, "P-256")
	authority := site.Write("ca.pem", string(localca.PEM(site.CA.Certificate)))
	const module = "?module-path=/usr/lib/token.so"
	for _, c := range []struct{ cert, key, want string }{
		{cert, "command: ", "no command line"},
		{cert, "pkcs12:key", "unknown kind of key \"pkcs12:\" (want command: or pkcs11:"},
		{cert, "pkcs11:" + module, "token or serial"},
		{cert, "pkcs11:token=a;serial=b;object=c" + module, "not both"},
		{cert, "pkcs11:token=a" + module, "object or id"},
		{cert, "pkcs11:token=a;object=b", "module-path"},
		{cert, "pkcs11:token=a;object=b?module-path=token.so", "whole path"},
		{cert, "pkcs11:token=a;object=b;token=c" + module, `"token" once`},
		{cert, "pkcs11:token=a;object=%zz" + module, `"object" once`},
		{cert, "pkcs11:token=a;object" + module, `"object" once`},
		{cert, "pkcs11:token=a;object=b;type=cert" + module, "not for a private key"},
		{cert, "pkcs11:token=a;object=b;slot-id=1" + module, `unknown attribute "slot-id"`},
		{cert, "pkcs11:token=a;object=b" + module + "&pin-value=1234", "pin-source"},
		{authority, "command:true", "all certificates in the file are CA certificates"},
	} {
		_, _, err := keys.Loader{Open: new(Source).Open}.LoadSigner(c.cert, c.key)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: %v, want %s", c.key, err, c.want)
		}
	}
	if _, _, err := keys.LoadSigner(cert, "command:true"); !errors.Is(err, keys.ErrUnsupportedKey) {
		t.Errorf("a loader of files: %v", err)
	}
}
