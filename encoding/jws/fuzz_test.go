package jws_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/keys"
	"github.com/dnasign/dnasign/testvectors"
)

// fixedTokens are the tokens in testdata/tokens, one for each algorithm, as
// Sign made them when this test was written. Only the private key of the one
// for EdDSA is known, see fixedKey.
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

// fixedKey is the private key of the fixed token for EdDSA, whose signatures
// are the same each time.
func fixedKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("dnasign test key"))
	return ed25519.NewKeyFromSeed(seed[:])
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
	if !fixedKey().Public().(ed25519.PublicKey).Equal(public[keys.EdDSA]) {
		t.Error("the fixed key is not that of the fixed token")
	}
}

// FuzzParse has two laws. A token that we accept, go-jose accepts with the
// same payload. And a token in good form is canonical: what its parts stand
// for is encoded as the same octets again.
func FuzzParse(f *testing.F) {
	for _, token := range fixedTokens(f) {
		f.Add(token)
	}
	seeds, err := testvectors.ReadSeeds()
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range seeds.Tokens {
		f.Add(token)
	}
	public := fixedPublicKeys(f)
	f.Fuzz(func(t *testing.T, token []byte) { check(t, token, public) })
}

// FuzzHeader has the same laws. A changed token seldom has a good signature:
// here it has if its algorithm is EdDSA, so that all depends on the header.
func FuzzHeader(f *testing.F) {
	for _, token := range fixedTokens(f) {
		p := parts(f, token)
		f.Add(p[0], p[1])
	}
	for _, text := range []string{ // small ones, which change faster
		`{"alg":"EdDSA","typ":"dna+jwt","x5c":["AAAA"]}`,
		` { "x5c" : [ "AA==" , "AAA=" ] , "typ" : "dna+jwt" , "alg" : "EdDSA" } `,
	} {
		f.Add([]byte(text), payload)
	}
	public := fixedPublicKeys(f)
	f.Fuzz(func(t *testing.T, header, payload []byte) {
		// Making a signature is most of the work, and the form does not depend on it.
		if _, err := jws.Parse([]byte(url(header)+"."+url(payload)+".AAAA"), typ); err != nil {
			return
		}
		token := []byte(seal(t, url(header), url(payload), keys.EdDSA, fixedKey()))
		u, err := jws.Parse(token, typ)
		if verified := check(t, token, public); err == nil && u.Algorithm == keys.EdDSA && !verified {
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
