package jws_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/keys"
)

// fixedTokens are the tokens in testdata/tokens, one for each algorithm, as
// Sign made them when this test was written. The keys for ECDSA and Ed25519
// are those of fixedKeys; those for RSA are not kept.
func fixedTokens(t testing.TB) map[keys.Algorithm][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/tokens/*.jws")
	if err != nil || len(files) < len(keys.Algorithms()) {
		t.Fatalf("%d files of tokens, want one for each algorithm (%v)", len(files), err)
	}
	tokens := map[keys.Algorithm][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a, err := keys.ParseAlgorithm(strings.TrimSuffix(filepath.Base(file), ".jws"))
		if err != nil {
			t.Fatal(err)
		}
		tokens[a] = bytes.TrimSuffix(data, []byte("\n"))
	}
	return tokens
}

// fixedKeys are private keys that everybody can know.
func fixedKeys(t testing.TB) map[keys.Algorithm]crypto.Signer {
	t.Helper()
	short, long := sha256.Sum256([]byte("dnasign test key")), sha512.Sum384([]byte("dnasign test key"))
	p256, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), short[:])
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), long[:])
	if err != nil {
		t.Fatal(err)
	}
	return map[keys.Algorithm]crypto.Signer{
		keys.ES256: p256, keys.ES384: p384, keys.EdDSA: ed25519.NewKeyFromSeed(short[:]),
	}
}

// fixedPublicKeys are the keys of the fixed tokens' leaves.
func fixedPublicKeys(t testing.TB) map[keys.Algorithm]crypto.PublicKey {
	t.Helper()
	public := map[keys.Algorithm]crypto.PublicKey{}
	for a, token := range fixedTokens(t) {
		u, err := jws.Parse(token, typ)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(u.Certificates[0])
		if err != nil {
			t.Fatal(err)
		}
		public[a] = leaf.PublicKey
	}
	return public
}

// TestFixedTokens: what was accepted once stays accepted.
func TestFixedTokens(t *testing.T) {
	public := fixedPublicKeys(t)
	for a, token := range fixedTokens(t) {
		mustAgree(t, string(token), public[a], payload)
	}
	for a, key := range fixedKeys(t) {
		if !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(public[a]) {
			t.Errorf("%s: the fixed key is not that of the fixed token", a)
		}
	}
}

// FuzzParse has two laws. A token that we accept, go-jose accepts with the
// same payload. And a token in good form is canonical: what its parts stand
// for is encoded as the same octets again.
func FuzzParse(f *testing.F) {
	for _, token := range fixedTokens(f) {
		f.Add(token)
	}
	public := fixedPublicKeys(f)
	f.Fuzz(func(t *testing.T, token []byte) { check(t, token, public) })
}

// FuzzHeader has the same laws. A changed token seldom has a good signature:
// here every header and payload has, so that all depends on the header.
func FuzzHeader(f *testing.F) {
	for _, token := range fixedTokens(f) {
		p := parts(f, token)
		f.Add(p[0], p[1])
	}
	for _, text := range []string{ // small ones, which change faster
		`{"alg":"EdDSA","typ":"dna+jwt","x5c":["AAAA"]}`,
		` { "x5c" : [ "AA==" , "AAA=" ] , "typ" : "dna+jwt" , "alg" : "ES256" } `,
	} {
		f.Add([]byte(text), payload)
	}
	public, private := fixedPublicKeys(f), fixedKeys(f)
	f.Fuzz(func(t *testing.T, header, payload []byte) {
		h, p := url(header), url(payload)
		u, err := jws.Parse([]byte(h+"."+p+".AA"), typ)
		if err != nil || private[u.Algorithm] == nil {
			return
		}
		token := seal(t, h, p, u.Algorithm, private[u.Algorithm])
		if len(token) <= jws.MaxSize && !check(t, []byte(token), public) {
			t.Fatalf("refused although signed: %s", token)
		}
	})
}

// check applies the laws and reports whether the token verifies.
func check(t *testing.T, token []byte, public map[keys.Algorithm]crypto.PublicKey) bool {
	before := bytes.Clone(token)
	u, err := jws.Parse(token, typ)
	if err != nil {
		return false
	}
	for i, part := range strings.Split(string(token), ".") {
		decoded, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || len(decoded) == 0 || url(decoded) != part {
			t.Fatalf("part %d is not canonical (%v): %s", i+1, err, token)
		}
		switch i {
		case 0:
			for _, der := range u.Certificates {
				if !bytes.Contains(decoded, []byte(`"`+std(der)+`"`)) {
					t.Fatalf("x5c is not canonical: %s", token)
				}
			}
		case 1:
			if !bytes.Equal(decoded, u.UnverifiedPayload()) {
				t.Fatalf("the payload is %q, not %q", decoded, u.UnverifiedPayload())
			}
		}
	}
	pub := public[u.Algorithm]
	payload, err := u.Verify(pub)
	if !bytes.Equal(before, token) {
		t.Fatalf("the token was changed from %s to %s", before, token)
	}
	if err != nil {
		if !errors.Is(err, keys.ErrSignature) {
			t.Fatalf("an error of another kind: %v", err)
		}
		return false
	}
	// go-jose also reads the certificates, which we leave to the caller.
	for _, der := range u.Certificates {
		if _, err := x509.ParseCertificate(der); err != nil {
			return true
		}
	}
	mustAgree(t, string(token), pub, payload)
	return true
}
