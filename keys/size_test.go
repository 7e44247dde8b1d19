package keys_test

import (
	"crypto"
	"crypto/rsa"
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
