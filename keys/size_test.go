package keys_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"

	"github.com/dnasign/dnasign/keys"
)

// modulus is a public key whose made-up modulus has that many bits: a size is
// refused before anybody could notice that it is no product of primes.
func modulus(bits uint) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

func TestCheckSize(t *testing.T) {
	accepted := map[string]crypto.PublicKey{
		"RSA-2048": modulus(2048), "RSA-2049": modulus(2049), "RSA-3072": modulus(3072), "RSA-4096": modulus(4096),
	}
	for _, kind := range []string{"P-256", "P-384", "P-521", "Ed25519"} {
		accepted[kind] = newKey(t, kind).Public()
	}
	for name, pub := range accepted {
		if err := keys.CheckSize(pub); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := keys.Describe(pub); got != name {
			t.Errorf("%s is described as %q", name, got)
		}
	}
	refused := others(t)
	delete(refused, "P-521")
	for name, bits := range map[string]uint{
		"RSA-512": 512, "RSA-1024": 1024, "RSA-2047": 2047, "RSA-4097": 4097, "RSA-8192": 8192, "RSA-65536": 65536,
	} {
		refused[name] = modulus(bits)
	}
	for name, pub := range refused {
		if err := keys.CheckSize(pub); !errors.Is(err, keys.ErrUnsupportedKey) {
			t.Errorf("%s: got %v, want ErrUnsupportedKey", name, err)
		}
	}
	for name, want := range map[string]string{
		"RSA-1024": "RSA-1024", "P-224": "P-224", "X25519": "X25519 (key agreement only)",
		"nothing": "a key of unknown kind", "octets": "[]uint8",
	} {
		if got := keys.Describe(refused[name]); got != want {
			t.Errorf("%s is described as %q, want %q", name, got, want)
		}
	}
}

func TestNewSigner(t *testing.T) {
	ca := authority(t)
	key := newKey(t, "P-256")
	good := issue(t, ca, key)
	leaf := good.Leaf()
	if len(good.Chain()) != 2 || good.Chain()[0] != leaf || good.Key() != key {
		t.Errorf("a signer of %d certificates with key %v", len(good.Chain()), good.Key())
	}
	five := []*x509.Certificate{leaf, leaf, leaf, leaf, leaf}
	if _, err := keys.NewSigner(five, key); err != nil {
		t.Errorf("%d certificates: %v", keys.MaxChain, err)
	}
	unknown := *leaf
	unknown.PublicKey = nil
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		key   crypto.Signer
		want  error
	}{
		"no certificate":          {nil, key, keys.ErrPEM},
		"six certificates":        {append(five, leaf), key, keys.ErrPEM},
		"no key":                  {five, nil, keys.ErrKeyMismatch},
		"another key":             {five, newOtherKey(t, "P-256"), keys.ErrKeyMismatch},
		"a key of another kind":   {five, newKey(t, "Ed25519"), keys.ErrKeyMismatch},
		"issuer first":            {[]*x509.Certificate{good.Chain()[1], leaf}, key, keys.ErrKeyMismatch},
		"a leaf of unknown kind":  {[]*x509.Certificate{&unknown}, key, keys.ErrUnsupportedKey},
		"a certificate by itself": {[]*x509.Certificate{leaf}, key, nil},
	} {
		if signer, err := keys.NewSigner(c.chain, c.key); !errors.Is(err, c.want) || (err == nil) != (signer != nil) {
			t.Errorf("%s: got %v, %v, want %v", name, signer, err, c.want)
		}
	}
	for _, kind := range []string{"RSA-1024", "RSA-2048", "P-521"} {
		want := error(nil)
		if kind == "RSA-1024" {
			want = keys.ErrUnsupportedKey
		}
		signer, err := ca.IssueFor(newKey(t, kind), nil, leaf.NotBefore, leaf.NotAfter, nil)
		if !errors.Is(err, want) || (err == nil) != (signer != nil) {
			t.Errorf("%s: got %v, %v, want %v", kind, signer, err, want)
		}
	}
}
