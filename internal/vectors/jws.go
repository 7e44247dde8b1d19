package vectors

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"strings"

	"github.com/dnasign/dnasign/internal/testkit/acder"
)

// jwsEdits are what a case changes of a token, in the order of its making: what
// comes before the signature is signed as changed.
type jwsEdits struct {
	algorithm string // that signs, "" for what fits the key
	header    []func(json string) string
	payload   []func(json string) string
	parts     []func(parts []string) // of the signed token, without dots
	token     []func(compact string) string
}

// jws makes a token.
func (t *trial) jws() []byte {
	e := t.jwsEdits
	key := t.signingKey()
	if e.algorithm == "" {
		e.algorithm = algorithmOf(t.signer.key.Public())
	}
	x5c := must(json.Marshal(t.certificates())) // []byte marshals as base64 with padding
	header := apply(e.header, `{"alg":"`+e.algorithm+`","typ":"dna+jwt","x5c":`+string(x5c)+`}`)
	payload := apply(e.payload, t.statement.claims())
	input := base64url([]byte(header)) + "." + base64url([]byte(payload))
	parts := append(strings.Split(input, "."), base64url(jwsSignature(e.algorithm, key, []byte(input))))
	for _, edit := range e.parts {
		edit(parts)
	}
	return []byte(apply(e.token, strings.Join(parts, ".")))
}

func apply(edits []func(string) string, text string) string {
	for _, edit := range edits {
		text = edit(text)
	}
	return text
}

// replaced is an edit that must find what it replaces.
func replaced(old, with string) func(string) string {
	return func(text string) string {
		if !strings.Contains(text, old) {
			panic("vectors: the usual case has no " + old)
		}
		return strings.Replace(text, old, with, 1)
	}
}

// algorithmOf is the name of the algorithm that fits a key.
func algorithmOf(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return "RS256"
	case ed25519.PublicKey:
		return "EdDSA"
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return "ES384"
		}
	}
	return "ES256"
}

// jwsSignature signs by RFC 7518, Section 3, with a hash of any size where the
// algorithm does not fit the key, so that nothing but that is wrong.
func jwsSignature(algorithm string, key crypto.Signer, input []byte) []byte {
	hash := crypto.SHA256
	if strings.HasSuffix(algorithm, "384") {
		hash = crypto.SHA384
	}
	switch pub := key.Public().(type) {
	case ed25519.PublicKey:
		return acder.Sign(nil, key, crypto.Hash(0), input)
	case *rsa.PublicKey:
		if algorithm == "PS256" {
			return acder.Sign(nil, key, pss(32), input)
		}
		return acder.Sign(nil, key, hash, input)
	case *ecdsa.PublicKey:
		var rs struct{ R, S *big.Int }
		must(asn1.Unmarshal(acder.Sign(nil, key, hash, input), &rs))
		size := (pub.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		rs.R.FillBytes(out[:size])
		rs.S.FillBytes(out[size:])
		return out
	}
	panic("vectors: no such key")
}

func pss(salt int) *rsa.PSSOptions { return &rsa.PSSOptions{SaltLength: salt, Hash: crypto.SHA256} }
