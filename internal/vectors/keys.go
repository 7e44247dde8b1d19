package vectors

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
)

// The keys here are no secrets. Everybody can make them from their labels, and
// the others lie beside this file: a signature by one of them proves nothing.
//
//go:embed keys/*.pem
var keyFiles embed.FS

var curves = map[string]elliptic.Curve{
	"P-224": elliptic.P224(), "P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521(),
}

// newKey makes the key of a kind and a label, the same each time. Kinds are
// P-224, P-256, P-384, P-521, Ed25519, and rsa-BITS, of which there is one each;
// rsa-2048-65539 has the modulus of rsa-2048 and that exponent.
func newKey(kind, label string) crypto.Signer {
	if curve, ok := curves[kind]; ok {
		// FIPS 186-5, Appendix A.2.1: far more octets than the order, reduced.
		n := new(big.Int).Sub(curve.Params().N, big.NewInt(1))
		d := new(big.Int).SetBytes(octets(kind+label, len(n.Bytes())+16))
		d.Mod(d, n).Add(d, big.NewInt(1))
		key, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, len(n.Bytes()))))
		return deterministic{must(key, err)}
	}
	if kind == "Ed25519" {
		return deterministic{ed25519.NewKeyFromSeed(octets(kind+label, ed25519.SeedSize))}
	}
	if kind == "rsa-2048-65539" {
		return deterministic{withExponent(rsaKey("rsa-2048"), 65539)}
	}
	return deterministic{rsaKey(kind)}
}

func rsaKey(kind string) *rsa.PrivateKey {
	block, _ := pem.Decode(must(keyFiles.ReadFile("keys/" + kind + ".pem")))
	return must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*rsa.PrivateKey)
}

// withExponent is the key of the same primes with another public exponent.
func withExponent(key *rsa.PrivateKey, e int) *rsa.PrivateKey {
	one := big.NewInt(1)
	p, q := new(big.Int).Sub(key.Primes[0], one), new(big.Int).Sub(key.Primes[1], one)
	d := new(big.Int).ModInverse(big.NewInt(int64(e)), p.Mul(p, q))
	other := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: key.N, E: e}, D: d, Primes: key.Primes}
	other.Precompute()
	return other
}

// octets are n octets that follow from a label.
func octets(label string, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(label), i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

// deterministic is a key that makes the same signature for the same octets:
// ECDSA by RFC 6979, RSASSA-PSS with a salt of zeros.
type deterministic struct{ crypto.Signer }

// Sign is that of crypto.Signer. It does not look at the source of randomness.
func (d deterministic) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, ok := d.Signer.(*rsa.PrivateKey); ok {
		return d.Signer.Sign(zeros{}, digest, opts)
	}
	return d.Signer.Sign(nil, digest, opts)
}

// zeros is a source of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// must is for what fails only if the generator itself is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic("vectors: " + err.Error())
	}
	return v
}
