package jws_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// parts are the three decoded parts of a token.
func parts(t testing.TB, token []byte) (list [3][]byte) {
	t.Helper()
	texts := strings.Split(string(token), ".")
	if len(texts) != len(list) {
		t.Fatalf("%d parts in %s", len(texts), token)
	}
	for i, text := range texts {
		var err error
		if list[i], err = base64.RawURLEncoding.DecodeString(text); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestSign(t *testing.T) {
	for _, a := range keys.Algorithms() {
		signer := signerFor(t, a)
		pub := signer.Leaf().PublicKey
		token, err := jws.Sign(payload, typ, a, signer)
		if err != nil {
			t.Errorf("%s: %v", a, err)
			continue
		}
		mustAgree(t, string(token), pub, payload)
		p := parts(t, token)
		var members map[string]any
		if err := json.Unmarshal(p[0], &members); err != nil {
			t.Fatal(err)
		}
		var chain []any
		for _, c := range signer.Chain() {
			chain = append(chain, std(c.Raw))
		}
		want := map[string]any{"alg": string(a), "typ": typ, "x5c": chain}
		if diff := cmp.Diff(want, members); diff != "" {
			t.Errorf("%s: the header (-want +got)\n%s", a, diff)
		}
		if a == keys.PS256 {
			digest := sha256.Sum256(token[:bytes.LastIndexByte(token, '.')])
			err := rsa.VerifyPSS(pub.(*rsa.PublicKey), crypto.SHA256, digest[:], p[2], &rsa.PSSOptions{SaltLength: 32})
			if err != nil {
				t.Errorf("%s: with a salt of 32 octets: %v", a, err)
			}
		}
		for _, other := range keys.Algorithms() {
			if other.Fits(pub) == nil {
				continue
			}
			if token, err := jws.Sign(payload, typ, other, signer); token != nil || !errors.Is(err, keys.ErrAlgorithmMismatch) {
				t.Errorf("%s with a key for %s: got %s, %v", other, a, token, err)
			}
		}
	}
}

// TestSignRefused: nothing is signed that Parse would refuse.
func TestSignRefused(t *testing.T) {
	signer := signerFor(t, keys.ES256)
	key := localca.Must(localca.NewKey("P-521"))
	p521 := localca.Must(stock.issuing.IssueFor(key, nil, signer.Leaf().NotBefore, signer.Leaf().NotAfter, nil))
	for name, c := range map[string]struct {
		payload   []byte
		typ       string
		algorithm keys.Algorithm
		signer    *keys.Signer
		want      error
	}{
		"no payload":         {nil, typ, keys.ES256, signer, jws.ErrMalformed},
		"payload too large":  {make([]byte, jws.MaxSize), typ, keys.ES256, signer, jws.ErrTooLarge},
		"no typ":             {payload, "", keys.ES256, signer, jws.ErrType},
		"typ with a quote":   {payload, `a"b`, keys.ES256, signer, jws.ErrMalformed},
		"typ not ASCII":      {payload, "dné+jwt", keys.ES256, signer, jws.ErrMalformed},
		"no algorithm":       {payload, typ, "", signer, keys.ErrAlgorithmMismatch},
		"none":               {payload, typ, "none", signer, keys.ErrAlgorithmMismatch},
		"ES512":              {payload, typ, "ES512", p521, keys.ErrAlgorithmMismatch},
		"ES256 with a P-521": {payload, typ, keys.ES256, p521, keys.ErrAlgorithmMismatch},
	} {
		token, err := jws.Sign(c.payload, c.typ, c.algorithm, c.signer)
		if token != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %s, %v, want %v", name, token, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "key store") {
			t.Errorf("%s: the error blames the key: %v", name, err)
		}
	}
}

// faulty is a key store whose signatures are made by a function.
type faulty struct {
	crypto.Signer
	sign func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

func (f faulty) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return f.sign(f.Signer, digest, opts)
}

// TestSignFaulty: a key store that does not sign as it must gives an error,
// not a token that nobody accepts.
func TestSignFaulty(t *testing.T) {
	errToken := errors.New("the token was pulled out")
	type sign = func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error)
	answer := func(signature []byte, err error) sign {
		return func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) { return signature, err }
	}
	faults := map[string]struct {
		sign sign
		want error
	}{
		"an error": {answer(nil, errToken), errToken},
		"nothing":  {answer(nil, nil), nil},
		"garbage":  {answer([]byte("not a signature"), nil), keys.ErrSignature},
		"zeros":    {answer(make([]byte, 64), nil), keys.ErrSignature},
		"another key": {func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			other := localca.Must(localca.NewKey(keys.Describe(key.Public())))
			return other.Sign(rand.Reader, digest, opts)
		}, keys.ErrSignature},
		"another message": {func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			digest = slices.Clone(digest)
			digest[0] ^= 1
			return key.Sign(rand.Reader, digest, opts)
		}, keys.ErrSignature},
		"one bit": {func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			signature, err := key.Sign(rand.Reader, digest, opts)
			signature[len(signature)-1] ^= 1
			return signature, err
		}, keys.ErrSignature},
	}
	check := func(name string, a keys.Algorithm, sign sign, want error) {
		signer := signerFor(t, a)
		broken, err := keys.NewSigner(signer.Chain(), faulty{signer.Key(), sign})
		if err != nil {
			t.Fatal(err)
		}
		token, err := jws.Sign(payload, typ, a, broken)
		if token != nil || err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s from %s: got %s, %v, want %v", name, a, token, err, want)
		}
	}
	for _, a := range keys.Algorithms() {
		for _, name := range slices.Sorted(maps.Keys(faults)) {
			check(name, a, faults[name].sign, faults[name].want)
		}
	}
	check("the longest salt", keys.PS256, func(key crypto.Signer, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
		return key.Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: crypto.SHA256})
	}, keys.ErrSignature)
	check("PKCS #1 v1.5", keys.PS256, func(key crypto.Signer, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
		return key.Sign(rand.Reader, digest, crypto.SHA256)
	}, keys.ErrSignature)
}
