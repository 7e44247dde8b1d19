package keys_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"testing"

	"github.com/dnasign/dnasign/keys"
)

var message = []byte("header.payload")

// others are public keys that no algorithm fits.
func others(t *testing.T) map[string]crypto.PublicKey {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256 := newKey(t, "P-256").Public().(*ecdsa.PublicKey)
	return map[string]crypto.PublicKey{
		"P-224":                    p224.Public(),
		"P-521":                    newKey(t, "P-521").Public(),
		"X25519":                   x25519.Public(),
		"an ECDSA key by value":    *p256,
		"a private key":            newKey(t, "Ed25519").(ed25519.PrivateKey),
		"an Ed25519 key cut short": ed25519.PublicKey(make([]byte, 31)),
		"an empty Ed25519 key":     ed25519.PublicKey{},
		"octets":                   []byte("secret"),
		"nothing":                  nil,
	}
}

// fitting is what each kind of key can be used with.
var fitting = map[string][]keys.Algorithm{
	"P-256":    {keys.ES256},
	"P-384":    {keys.ES384},
	"RSA-2048": {keys.RS256, keys.PS256},
	"Ed25519":  {keys.EdDSA},
}

func TestSignAndVerify(t *testing.T) {
	fits := 0
	for kind, algorithms := range fitting {
		key, other := newKey(t, kind), newOtherKey(t, kind)
		for _, a := range keys.Algorithms() {
			t.Run(fmt.Sprintf("%s with %s", a, kind), func(t *testing.T) {
				want := false
				for _, f := range algorithms {
					want = want || f == a
				}
				signature, err := a.Sign(key, message)
				if !want {
					for operation, err := range map[string]error{
						"Fits": a.Fits(key.Public()), "Sign": err, "Verify": a.Verify(key.Public(), message, nil),
					} {
						if !errors.Is(err, keys.ErrAlgorithmMismatch) {
							t.Errorf("%s: got %v, want ErrAlgorithmMismatch", operation, err)
						}
					}
					return
				}
				fits++
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Verify(key.Public(), message, signature); err != nil {
					t.Fatal(err)
				}
				changed := append([]byte(nil), signature...)
				changed[len(changed)/2] ^= 1
				for name, err := range map[string]error{
					"changed message":   a.Verify(key.Public(), []byte("header.Payload"), signature),
					"empty message":     a.Verify(key.Public(), nil, signature),
					"changed signature": a.Verify(key.Public(), message, changed),
					"empty signature":   a.Verify(key.Public(), message, nil),
					"one octet less":    a.Verify(key.Public(), message, signature[:len(signature)-1]),
					"one octet more":    a.Verify(key.Public(), message, append(signature[:len(signature):len(signature)], 0)),
					"zero in front":     a.Verify(key.Public(), message, append([]byte{0}, signature...)),
					"all zero":          a.Verify(key.Public(), message, make([]byte, len(signature))),
					"another key":       a.Verify(other.Public(), message, signature),
				} {
					if !errors.Is(err, keys.ErrSignature) {
						t.Errorf("%s: got %v, want ErrSignature", name, err)
					}
				}
			})
		}
	}
	if fits != len(keys.Algorithms()) {
		t.Errorf("%d pairs of key and algorithm fit, want %d", fits, len(keys.Algorithms()))
	}
	for name, pub := range others(t) {
		for _, a := range keys.Algorithms() {
			if err := a.Verify(pub, message, make([]byte, 64)); !errors.Is(err, keys.ErrAlgorithmMismatch) {
				t.Errorf("%s with %s: got %v, want ErrAlgorithmMismatch", a, name, err)
			}
		}
	}
}

func TestParseAlgorithm(t *testing.T) {
	if got := len(keys.Algorithms()); got != 5 {
		t.Errorf("%d algorithms, want 5", got)
	}
	for _, a := range keys.Algorithms() {
		if got, err := keys.ParseAlgorithm(string(a)); got != a || err != nil {
			t.Errorf("%s: got %q, %v", a, got, err)
		}
	}
	for _, name := range []string{
		"", "none", "None", "HS256", "HS512", "ES512", "ES256K", "RS384", "RS512", "PS384", "PS512",
		"RS1", "Ed25519", "Ed448", "es256", "Es256", "eddsa", "ES256 ", " ES256", "ES256\n",
	} {
		if got, err := keys.ParseAlgorithm(name); got != "" || !errors.Is(err, keys.ErrUnsupportedAlgorithm) {
			t.Errorf("%q: got %q, %v, want ErrUnsupportedAlgorithm", name, got, err)
		}
		for kind := range fitting {
			if err := keys.Algorithm(name).Fits(newKey(t, kind).Public()); !errors.Is(err, keys.ErrAlgorithmMismatch) {
				t.Errorf("%q with %s: got %v, want ErrAlgorithmMismatch", name, kind, err)
			}
		}
	}
}

func TestAlgorithmFor(t *testing.T) {
	for kind, algorithms := range fitting {
		if got, err := keys.AlgorithmFor(newKey(t, kind).Public()); got != algorithms[0] || err != nil {
			t.Errorf("%s: got %q, %v, want %s", kind, got, err, algorithms[0])
		}
	}
	for name, pub := range others(t) {
		if got, err := keys.AlgorithmFor(pub); got != "" || !errors.Is(err, keys.ErrUnsupportedKey) {
			t.Errorf("%s: got %q, %v, want ErrUnsupportedKey", name, got, err)
		}
	}
}

// TestECDSAForm: RFC 7518, Section 3.4: R and S, each in the size of the
// field, and nothing else. The one freedom that ECDSA leaves is s -> n-s.
func TestECDSAForm(t *testing.T) {
	for kind, size := range map[string]int{"P-256": 32, "P-384": 48} {
		a := fitting[kind][0]
		key := newKey(t, kind).(*ecdsa.PrivateKey)
		n := key.Curve.Params().N
		raw := func(r, s *big.Int) []byte {
			out := make([]byte, 2*size)
			r.FillBytes(out[:size])
			s.FillBytes(out[size:])
			return out
		}
		signature, err := a.Sign(key, message)
		if err != nil {
			t.Fatal(err)
		}
		if len(signature) != 2*size {
			t.Errorf("%s: a signature of %d octets, want %d", a, len(signature), 2*size)
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		if err := a.Verify(key.Public(), message, raw(r, new(big.Int).Sub(n, s))); err != nil {
			t.Errorf("%s: n-s: %v", a, err)
		}
		h := crypto.SHA256
		if a == keys.ES384 {
			h = crypto.SHA384
		}
		d := h.New()
		d.Write(message)
		der, err := key.Sign(rand.Reader, d.Sum(nil), h)
		if err != nil {
			t.Fatal(err)
		}
		zero, most := new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*size)), big.NewInt(1))
		for name, signature := range map[string][]byte{
			"ASN.1 form":       der,
			"r zero":           raw(zero, s),
			"s zero":           raw(r, zero),
			"r = n":            raw(n, s),
			"s = n":            raw(r, n),
			"r > n":            raw(most, s),
			"s > n":            raw(r, most),
			"r = n-1":          raw(new(big.Int).Sub(n, big.NewInt(1)), s),
			"r and s swapped":  raw(s, r),
			"r only":           signature[:size],
			"field too small":  append(append([]byte(nil), signature[:size-1]...), signature[size+1:]...),
			"field too large":  append(append([]byte{0}, signature[:size]...), append([]byte{0}, signature[size:]...)...),
			"twice":            append(append([]byte(nil), signature...), signature...),
			"an octet in each": make([]byte, 2),
		} {
			if err := a.Verify(key.Public(), message, signature); !errors.Is(err, keys.ErrSignature) {
				t.Errorf("%s: %s: got %v, want ErrSignature", a, name, err)
			}
		}
	}
}

// TestECDSAShortNumbers: about one signature in 128 has an R or S with a
// leading zero octet, which must stay.
func TestECDSAShortNumbers(t *testing.T) {
	key := newKey(t, "P-256")
	for i := 0; ; i++ {
		message := fmt.Appendf(nil, "message %d", i)
		signature, err := keys.ES256.Sign(key, message)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.ES256.Verify(key.Public(), message, signature); err != nil || len(signature) != 64 {
			t.Fatalf("%x: %v", signature, err)
		}
		if signature[0] == 0 || signature[32] == 0 {
			return
		}
		if i == 10_000 {
			t.Fatal("no short number in 10,000 signatures")
		}
	}
}

// TestPSSSalt: RFC 7518, Section 3.5: the salt is as long as the hash.
func TestPSSSalt(t *testing.T) {
	key := newKey(t, "RSA-2048").(*rsa.PrivateKey)
	digest := sha256.Sum256(message)
	signature, err := keys.PS256.Sign(key, message)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: 32}); err != nil {
		t.Errorf("our signature with a salt of 32 octets: %v", err)
	}
	for _, salt := range []int{1, 20, 31, 32, 33, 64, 256 - 32 - 2} { // the last is the longest
		signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		var want error
		if salt != 32 {
			want = keys.ErrSignature
		}
		if err := keys.PS256.Verify(&key.PublicKey, message, signature); !errors.Is(err, want) {
			t.Errorf("a salt of %d octets: got %v, want %v", salt, err, want)
		}
	}
	long := sha512.Sum512(message)
	signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA512, long[:], &rsa.PSSOptions{SaltLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.PS256.Verify(&key.PublicKey, message, signature); !errors.Is(err, keys.ErrSignature) {
		t.Errorf("PSS with SHA-512: got %v, want ErrSignature", err)
	}
}

// faulty is a key store that answers with something else.
type faulty struct {
	crypto.Signer
	answer func() ([]byte, error)
}

func (f faulty) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return f.answer() }

// TestSignFaulty: what a key store answers is not believed to be a signature
// of the right form, and its own error stays visible.
func TestSignFaulty(t *testing.T) {
	key := newKey(t, "P-256")
	marshal := func(r, s *big.Int) []byte {
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	one, wide := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256)
	for name, answer := range map[string][]byte{
		"nothing":       nil,
		"garbage":       []byte("not a signature"),
		"raw form":      make([]byte, 64),
		"r zero":        marshal(new(big.Int), one),
		"s zero":        marshal(one, new(big.Int)),
		"r negative":    marshal(big.NewInt(-1), one),
		"s negative":    marshal(one, big.NewInt(-1)),
		"r too wide":    marshal(wide, one),
		"s too wide":    marshal(one, wide),
		"trailing data": append(marshal(one, one), 0),
		"one number":    {0x30, 3, 2, 1, 1},
	} {
		signature, err := keys.ES256.Sign(faulty{key, func() ([]byte, error) { return answer, nil }}, message)
		if signature != nil || !errors.Is(err, keys.ErrSignature) {
			t.Errorf("%s: got %x, %v, want ErrSignature", name, signature, err)
		}
	}
	errToken := errors.New("the token was pulled out")
	for kind, algorithms := range fitting {
		broken := faulty{newKey(t, kind), func() ([]byte, error) { return nil, errToken }}
		if signature, err := algorithms[0].Sign(broken, message); signature != nil || !errors.Is(err, errToken) {
			t.Errorf("%s: got %x, %v, want the key store's error", kind, signature, err)
		}
	}
}

// TestX509: each algorithm is another one in a certificate, too.
func TestX509(t *testing.T) {
	seen := map[x509.SignatureAlgorithm]keys.Algorithm{x509.UnknownSignatureAlgorithm: "none"}
	for _, a := range keys.Algorithms() {
		if other, ok := seen[a.X509()]; ok {
			t.Errorf("%s is %v, which is that of %s", a, a.X509(), other)
		}
		seen[a.X509()] = a
	}
	if a := keys.Algorithm("none").X509(); a != x509.UnknownSignatureAlgorithm {
		t.Errorf("an unknown algorithm is %v", a)
	}
}
