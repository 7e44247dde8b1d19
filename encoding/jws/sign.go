package jws

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/dnasign/dnasign/keys"
)

// Sign makes a token with the signer's key and whole chain. The algorithm must
// fit the key; [keys.AlgorithmFor] chooses one. The token is read back and its
// signature checked before it is returned. So a faulty key store cannot make us
// publish a token that nobody accepts.
func Sign(payload []byte, typ string, algorithm keys.Algorithm, signer *keys.Signer) ([]byte, error) {
	if err := algorithm.Fits(signer.Leaf().PublicKey); err != nil {
		return nil, err
	}
	var x5c []string
	for _, c := range signer.Chain() {
		x5c = append(x5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("x5c", x5c)
	js, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(algorithm),
		Key:       opaqueSigner{signer, algorithm},
	}, opts)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	object, err := js.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	compact, err := object.CompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	u, err := Parse([]byte(compact), typ)
	if err != nil {
		return nil, fmt.Errorf("what was signed is not a token: %w", err)
	}
	if _, err := u.Verify(signer.Leaf().PublicKey); err != nil {
		return nil, fmt.Errorf("the key store made an unusable signature: %w", err)
	}
	return []byte(compact), nil
}

// opaqueSigner lets go-jose sign with any crypto.Signer. go-jose's own
// cryptosigner makes PS256 signatures with the longest salt, which RFC 7518,
// Section 3.5 forbids and other libraries refuse.
type opaqueSigner struct {
	signer    *keys.Signer
	algorithm keys.Algorithm
}

// Public is asked for its key ID, which has no value: kid is not in the profile.
func (o opaqueSigner) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: o.signer.Leaf().PublicKey}
}

func (o opaqueSigner) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.SignatureAlgorithm(o.algorithm)}
}

func (o opaqueSigner) SignPayload(payload []byte, alg jose.SignatureAlgorithm) ([]byte, error) {
	if alg != jose.SignatureAlgorithm(o.algorithm) {
		return nil, errors.New("go-jose asked for another algorithm")
	}
	return o.algorithm.Sign(o.signer.Key(), payload)
}
