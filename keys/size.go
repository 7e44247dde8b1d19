package keys

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
)

// The sizes an RSA key may have, in bits.
const (
	// MinRSABits is the least that public certification authorities issue.
	MinRSABits = 2048
	// MaxRSABits bounds the work a stranger can ask for. One check with a key
	// of 65,536 bits takes 290 ms, one with 4096 bits a tenth of a millisecond.
	MaxRSABits = 4096
)

// CheckSize reports whether a public key is of a kind and size that is safe to
// verify with. That is RSA of [MinRSABits] to [MaxRSABits], ECDSA on P-256,
// P-384 or P-521, or Ed25519. Anything else is [ErrUnsupportedKey]. Call it
// before any signature check with a key that came from outside.
func CheckSize(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n >= MinRSABits && n <= MaxRSABits {
			return nil
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521() {
			return nil
		}
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return nil
		}
	}
	return fmt.Errorf("%w: %s (accepted: RSA %d to %d, P-256, P-384, P-521, Ed25519)",
		ErrUnsupportedKey, Describe(pub), MinRSABits, MaxRSABits)
}

// Describe names a public key for a message: "RSA-2048", "P-256", "Ed25519".
func Describe(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdh.PublicKey:
		return fmt.Sprintf("%v (key agreement only)", k.Curve())
	case nil: // what crypto/x509 gives for a kind that it does not know
		return "a key of unknown kind"
	}
	return fmt.Sprintf("%T", pub)
}
