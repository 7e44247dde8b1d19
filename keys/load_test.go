package keys_test

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

func block(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// pkcs8 is a private key, also one that cannot sign, in its PEM form.
func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

// leak fails the test if a text holds a piece of the contents of a PEM file.
func leak(t *testing.T, text string, files ...[]byte) {
	t.Helper()
	const piece = 12
	for _, file := range files {
		for line := range strings.Lines(string(file)) {
			if strings.HasPrefix(line, "-----") {
				continue
			}
			for i := 0; i+piece <= len(line); i += piece {
				if strings.Contains(text, line[i:i+piece]) {
					t.Errorf("the text holds what the file does: %s", text)
					return
				}
			}
		}
	}
}

func TestLoadSigner(t *testing.T) {
	ca := authority(t)
	key := newKey(t, "P-256").(*ecdsa.PrivateKey)
	rsaKey := newKey(t, "RSA-2048").(*rsa.PrivateKey)
	edKey := newKey(t, "Ed25519")
	chainOf := func(key crypto.Signer) []byte { return localca.PEM(issue(t, ca, key).Chain()...) }
	cert, keyPEM := chainOf(key), pkcs8(t, key)
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 this old form of encryption is what the test is about
	legacy, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", sec1, []byte("pass phrase"), x509.PEMCipherAES128)
	if err != nil {
		t.Fatal(err)
	}
	leaf := issue(t, ca, key).Leaf()
	issuer := ca.Certificate
	encipher, err := ca.IssueFor(rsaKey, []string{"b.example"}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour),
		func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment })
	if err != nil {
		t.Fatal(err)
	}
	const broken = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG!CCqGSM49AwEHBG0wawIBAQ==\n-----END PRIVATE KEY-----\n"

	cases := map[string]struct {
		cert, key []byte      // nil: there is no such file
		mode      fs.FileMode // of the key file, 0600 if zero
		want      error
		text      string // in the error or in the only warning
	}{
		"PKCS #8":                         {cert: cert, key: keyPEM},
		"SEC 1":                           {cert: cert, key: block("EC PRIVATE KEY", sec1)},
		"SEC 1 after parameters":          {cert: cert, key: join(block("EC PARAMETERS", []byte("\x06\x08*\x86H\xce=\x03\x01\x07")), block("EC PRIVATE KEY", sec1))},
		"PKCS #1":                         {cert: chainOf(rsaKey), key: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
		"RSA in PKCS #8":                  {cert: chainOf(rsaKey), key: pkcs8(t, rsaKey)},
		"Ed25519":                         {cert: chainOf(edKey), key: pkcs8(t, edKey)},
		"P-521, good for other encodings": {cert: chainOf(newKey(t, "P-521")), key: pkcs8(t, newKey(t, "P-521"))},
		"leaf only":                       {cert: localca.PEM(leaf), key: keyPEM, text: "cert.pem: the certificate of the issuer of b.example (CN=Test Issuing) is missing; "},
		"text around the blocks":          {cert: join([]byte("Bag Attributes\n"), cert, []byte("the end\n")), key: join([]byte("# key\n"), keyPEM)},
		"lines end in CR LF":              {cert: bytes.ReplaceAll(cert, []byte("\n"), []byte("\r\n")), key: bytes.ReplaceAll(keyPEM, []byte("\n"), []byte("\r\n"))},
		"certificate before key":          {cert: cert, key: join(cert, keyPEM)},
		"read by its owner only":          {cert: cert, key: keyPEM, mode: 0o400},
		"read by its group":               {cert: cert, key: keyPEM, mode: 0o640, text: "is readable by its group (mode 0640)"},
		"RSA that also deciphers":         {cert: localca.PEM(encipher.Chain()...), key: pkcs8(t, rsaKey), text: "keyEncipherment"},
		"read by everybody":               {cert: cert, key: keyPEM, mode: 0o644, want: keys.ErrKeyReadable, text: "mode 0644; run: chmod 600 "},
		"read by others only":             {cert: cert, key: keyPEM, mode: 0o604, want: keys.ErrKeyReadable},
		"no certificate file":             {key: keyPEM, want: fs.ErrNotExist, text: "cert.pem"},
		"no key file":                     {cert: cert, want: fs.ErrNotExist, text: "key.pem"},
		"empty certificate file":          {cert: []byte{}, key: keyPEM, want: keys.ErrPEM, text: "cert.pem holds no PEM certificate"},
		"empty key file":                  {cert: cert, key: []byte{}, want: keys.ErrPEM, text: "key.pem holds no PEM private key"},
		"certificate in DER":              {cert: leaf.Raw, key: keyPEM, want: keys.ErrPEM, text: "holds no PEM certificate"},
		"key in DER":                      {cert: cert, key: sec1, want: keys.ErrPEM, text: "holds no PEM private key"},
		"files exchanged":                 {cert: keyPEM, key: cert, want: keys.ErrPEM, text: "cert.pem holds no PEM certificate"},
		"certificate as key":              {cert: cert, key: cert, want: keys.ErrPEM, text: "key.pem holds no PEM private key"},
		"key label":                       {cert: cert, key: block("OPENSSH PRIVATE KEY", sec1), want: keys.ErrPEM, text: "in it is -----BEGIN OPENSSH PRIVATE KEY-----"},
		"public key":                      {cert: cert, key: block("PUBLIC KEY", leaf.RawSubjectPublicKeyInfo), want: keys.ErrPEM},
		"SEC 1 called PKCS #8":            {cert: cert, key: block("PRIVATE KEY", sec1), want: keys.ErrPEM, text: "PRIVATE KEY block that cannot be read"},
		"PKCS #1 called SEC 1":            {cert: cert, key: block("EC PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), want: keys.ErrPEM},
		"key cut short":                   {cert: cert, key: block("EC PRIVATE KEY", sec1[:len(sec1)-1]), want: keys.ErrPEM},
		"certificate cut short":           {cert: block("CERTIFICATE", leaf.Raw[:len(leaf.Raw)-1]), key: keyPEM, want: keys.ErrPEM, text: "cert.pem, line 1, -----BEGIN CERTIFICATE-----: x509: "},
		"certificate with more":           {cert: block("CERTIFICATE", append(leaf.Raw[:len(leaf.Raw):len(leaf.Raw)], 0)), key: keyPEM, want: keys.ErrPEM},
		"certificate of nothing":          {cert: block("CERTIFICATE", nil), key: keyPEM, want: keys.ErrPEM},
		"broken key":                      {cert: cert, key: []byte(broken), want: keys.ErrPEM, text: "key.pem has a broken PEM block"},
		"broken key before a good":        {cert: cert, key: join([]byte(broken), keyPEM), want: keys.ErrPEM, text: "broken PEM block"},
		"key without END":                 {cert: cert, key: keyPEM[:len(keyPEM)-20], want: keys.ErrPEM, text: "broken PEM block"},
		"broken certificate":              {cert: bytes.Replace(localca.PEM(leaf), []byte("MII"), []byte("M*I"), 1), key: keyPEM, want: keys.ErrPEM, text: "cert.pem has a broken PEM block"},
		"broken intermediate":             {cert: join(localca.PEM(leaf), bytes.Replace(localca.PEM(issuer), []byte("MII"), []byte("M*I"), 1)), key: keyPEM, want: keys.ErrPEM, text: "broken PEM block"},
		"intermediate without END":        {cert: cert[:len(cert)-20], key: keyPEM, want: keys.ErrPEM, text: "broken PEM block"},
		"encrypted PKCS #8":               {cert: cert, key: block("ENCRYPTED PRIVATE KEY", sec1), want: keys.ErrKeyEncrypted, text: "openssl pkey in "},
		"encrypted SEC 1":                 {cert: cert, key: pem.EncodeToMemory(legacy), want: keys.ErrKeyEncrypted},
		"key of another leaf":             {cert: cert, key: pkcs8(t, newOtherKey(t, "P-256")), want: keys.ErrKeyMismatch, text: "it is P-256, and the certificates are b.example (P-256), CN=Test Issuing (P-256); is "},
		"key of another kind":             {cert: cert, key: pkcs8(t, rsaKey), want: keys.ErrKeyMismatch},
		"two keys, wrong first":           {cert: cert, key: join(pkcs8(t, edKey), keyPEM), want: keys.ErrKeyMismatch},
		"issuer first":                    {cert: localca.PEM(issuer, leaf), key: keyPEM},
		"X25519 key":                      {cert: cert, key: pkcs8(t, x25519), want: keys.ErrUnsupportedKey, text: "cannot sign"},
		"RSA key too small":               {cert: small(t), key: pkcs8(t, newKey(t, "RSA-1024")), want: keys.ErrUnsupportedKey, text: "RSA-1024"},
		"certificate file too large":      {cert: bytes.Repeat([]byte("\n"), keys.MaxFileSize+1), key: keyPEM, want: keys.ErrPEM, text: "cert.pem is larger than 4194304 octets"},
		"key file too large":              {cert: cert, key: join(keyPEM, bytes.Repeat([]byte("\n"), keys.MaxFileSize+1-len(keyPEM))), want: keys.ErrPEM, text: "key.pem is larger"},
		"key file at the limit":           {cert: cert, key: join(keyPEM, bytes.Repeat([]byte("\n"), keys.MaxFileSize-len(keyPEM)))},
	}
	if len(cases) < 45 {
		t.Errorf("only %d cases", len(cases))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			if c.cert != nil {
				write(t, certFile, c.cert, 0o644)
			}
			if c.key != nil {
				write(t, keyFile, c.key, cmp.Or(c.mode, 0o600))
			}
			signer, warnings, err := keys.LoadSigner(certFile, keyFile)
			text := strings.Join(warnings, "\n")
			if err != nil {
				text = err.Error()
			}
			if !errors.Is(err, c.want) || (err == nil) != (signer != nil) {
				t.Fatalf("got %v, %v, want %v", signer, err, c.want)
			}
			if !strings.Contains(text, c.text) || c.want == nil && c.text == "" && text != "" {
				t.Errorf("got the text %q, want %q", text, c.text)
			}
			leak(t, text, c.key)
			if signer != nil && !signer.Leaf().Equal(signer.Chain()[0]) {
				t.Error("the leaf is not the first of the chain")
			}
		})
	}
}

// small is a certificate for an RSA key of 1024 bits.
func small(t *testing.T) []byte {
	key := newKey(t, "RSA-1024")
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der)
}

func write(t testing.TB, file string, data []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, data, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // the process's umask does not count
		t.Fatal(err)
	}
}

// TestLoadSignerOneFile: certificate and key may be one file, which then has
// the mode of a key file.
func TestLoadSignerOneFile(t *testing.T) {
	key := newKey(t, "P-256")
	chain := localca.PEM(issue(t, authority(t), key).Chain()...)
	file := filepath.Join(t.TempDir(), "both.pem")
	for name, data := range map[string][]byte{
		"certificates first": join(chain, pkcs8(t, key)), "key first": join(pkcs8(t, key), chain),
	} {
		write(t, file, data, 0o600)
		if signer, warnings, err := keys.LoadSigner(file, file); err != nil || len(warnings) != 0 || len(signer.Chain()) != 2 {
			t.Errorf("%s: got %v, %q, %v", name, signer, warnings, err)
		}
		write(t, file, data, 0o644)
		if _, _, err := keys.LoadSigner(file, file); !errors.Is(err, keys.ErrKeyReadable) {
			t.Errorf("%s, readable: got %v, want ErrKeyReadable", name, err)
		}
	}
}

// TestLoadDirectory: a directory in place of any file.
func TestLoadDirectory(t *testing.T) {
	key := newKey(t, "P-256")
	dir := t.TempDir()
	certFile := filepath.Join(dir, "cert.pem")
	write(t, certFile, localca.PEM(issue(t, authority(t), key).Chain()...), 0o644)
	_, _, certErr := keys.LoadSigner(dir, certFile)
	_, _, keyErr := keys.LoadSigner(certFile, dir)
	_, rootErr := keys.LoadRoots(dir)
	for name, err := range map[string]error{"certificates": certErr, "key": keyErr, "roots": rootErr} {
		if !errors.Is(err, keys.ErrPEM) || !strings.Contains(err.Error(), "is a directory") {
			t.Errorf("%s: got %v, want ErrPEM that says so", name, err)
		}
	}
}

func TestLoadRoots(t *testing.T) {
	first, second := authority(t), authority(t)
	one, two := localca.PEM(first.Root()), localca.PEM(second.Root())
	file := filepath.Join(t.TempDir(), "roots.pem")
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"one":               {one, nil},
		"two":               {join(one, two), nil},
		"many":              {join(one, bytes.Repeat(two, 200)), nil},
		"with comments":     {join([]byte("# Test Root\n"), one, []byte("\n# other\n"), two), nil},
		"empty":             {[]byte{}, keys.ErrPEM},
		"no PEM":            {[]byte("hello"), keys.ErrPEM},
		"a key":             {pkcs8(t, newKey(t, "P-256")), keys.ErrPEM},
		"one of two wrong":  {join(one, block("CERTIFICATE", []byte("no DER"))), keys.ErrPEM},
		"one of two broken": {join(one, bytes.Replace(two, []byte("MII"), []byte("M*I"), 1)), keys.ErrPEM},
		"too large":         {bytes.Repeat(one, keys.MaxFileSize/len(one)+1), keys.ErrPEM},
	} {
		write(t, file, c.data, 0o644)
		pool, err := keys.LoadRoots(file)
		if !errors.Is(err, c.want) || (err == nil) != (pool != nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
			continue
		}
		if err != nil {
			continue
		}
		for i, ca := range []*localca.Authority{first, second} {
			_, err := ca.Root().Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			if trusted := bytes.Contains(c.data, localca.PEM(ca.Root())); (err == nil) != trusted {
				t.Errorf("%s: root %d: in the file: %t, verifying: %v", name, i+1, trusted, err)
			}
		}
	}
	if _, err := keys.LoadRoots(filepath.Join(t.TempDir(), "none.pem")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v, want fs.ErrNotExist", err)
	}
}

// TestLoadSystemRoots: no file name means the anchors of the system.
func TestLoadSystemRoots(t *testing.T) {
	pool, err := keys.LoadRoots("")
	if err != nil {
		t.Fatal(err)
	}
	if system, err := x509.SystemCertPool(); err != nil || !pool.Equal(system) {
		t.Errorf("not the pool of the system (%v)", err)
	}
}

func TestElsewhere(t *testing.T) {
	for name, want := range map[string]bool{
		"pkcs11:token=a": true, "command:x": true, "future:y": true, "key.pem": false, "/etc/a:b": false, "./a:b": false, "c:key.pem": false, "C:key": false, ":": false, "a b:c": false,
	} {
		if keys.Elsewhere(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}
