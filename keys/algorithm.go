package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the table below
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// An Algorithm is a JWS signature algorithm by its registered name
// (RFC 7518, Section 3.1; RFC 8037, Section 3.1). The constants below are the
// whole set; there is no registry to extend.
type Algorithm string

// The algorithms of the JWS encoding.
const (
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256
	ES384 Algorithm = "ES384" // ECDSA on P-384 with SHA-384
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
	PS256 Algorithm = "PS256" // RSASSA-PSS with SHA-256, salt of 32 octets
	EdDSA Algorithm = "EdDSA" // Ed25519
)

// Algorithms lists every [Algorithm], in the order of the specification.
func Algorithms() []Algorithm { return []Algorithm{ES256, ES384, RS256, PS256, EdDSA} }

// ParseAlgorithm returns the algorithm of exactly that name, or
// [ErrUnsupportedAlgorithm].
func ParseAlgorithm(name string) (Algorithm, error) {
	for _, a := range Algorithms() {
		if string(a) == name {
			return a, nil
		}
	}
	return "", fmt.Errorf("%w: %.20q (want one of %v)", ErrUnsupportedAlgorithm, name, Algorithms())
}

// AlgorithmFor returns the algorithm to sign with when nobody chose one: ES256,
// ES384, EdDSA, or RS256 for an RSA key. Every JOSE library and every hardware
// token has RS256. It returns [ErrUnsupportedKey] for a key that none of them
// fits, P-521 included.
func AlgorithmFor(pub crypto.PublicKey) (Algorithm, error) {
	for _, a := range Algorithms() {
		if a.Fits(pub) == nil {
			return a, nil
		}
	}
	return "", fmt.Errorf("%w: no JWS algorithm for %s", ErrUnsupportedKey, Describe(pub))
}

// Fits reports whether the algorithm belongs to the key, as
// [ErrAlgorithmMismatch] if not. One curve has one algorithm (RFC 7518,
// Section 3.4).
func (a Algorithm) Fits(pub crypto.PublicKey) error {
	fits := false
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		fits = a == ES256 && k.Curve == elliptic.P256() || a == ES384 && k.Curve == elliptic.P384()
	case *rsa.PublicKey:
		fits = a == RS256 || a == PS256
	case ed25519.PublicKey:
		fits = a == EdDSA && len(k) == ed25519.PublicKeySize
	}
	if !fits {
		return fmt.Errorf("%w: %s with %s", ErrAlgorithmMismatch, a, Describe(pub))
	}
	return nil
}

// X509 is the same algorithm in an attribute certificate. It belongs to the same
// keys there.
func (a Algorithm) X509() x509.SignatureAlgorithm {
	switch a {
	case ES256:
		return x509.ECDSAWithSHA256
	case ES384:
		return x509.ECDSAWithSHA384
	case RS256:
		return x509.SHA256WithRSA
	case PS256:
		return x509.SHA256WithRSAPSS
	case EdDSA:
		return x509.PureEd25519
	}
	return x509.UnknownSignatureAlgorithm
}

func (a Algorithm) hash() crypto.Hash {
	switch a {
	case ES384:
		return crypto.SHA384
	case EdDSA:
		return 0 // Ed25519 signs the message itself
	}
	return crypto.SHA256
}

// digest returns what the signature operation of the algorithm takes.
func (a Algorithm) digest(message []byte) []byte {
	h := a.hash()
	if h == 0 {
		return message
	}
	d := h.New()
	d.Write(message)
	return d.Sum(nil)
}

// pssOptions: RFC 7518, Section 3.5: the salt has the size of the hash.
var pssOptions = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}

// Verify checks a JWS signature over message. It returns [ErrAlgorithmMismatch]
// if the algorithm does not belong to the key. It returns [ErrSignature] if the
// signature is not one of that key over that message.
func (a Algorithm) Verify(pub crypto.PublicKey, message, signature []byte) error {
	if err := a.Fits(pub); err != nil {
		return err
	}
	digest := a.digest(message)
	ok := false
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		// RFC 7518, Section 3.4: R and S, each in the size of the field.
		if size := (k.Curve.Params().BitSize + 7) / 8; len(signature) == 2*size {
			r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
			ok = ecdsa.Verify(k, digest, r, s)
		}
	case *rsa.PublicKey:
		if a == PS256 {
			ok = rsa.VerifyPSS(k, crypto.SHA256, digest, signature, pssOptions) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(k, crypto.SHA256, digest, signature) == nil
		}
	case ed25519.PublicKey:
		ok = ed25519.Verify(k, digest, signature)
	}
	if !ok {
		return fmt.Errorf("%w (%s)", ErrSignature, a)
	}
	return nil
}

// Sign makes a JWS signature over message with a key that may live anywhere,
// a hardware token included. ECDSA signatures come out in the fixed-size form
// of RFC 7518, Section 3.4.
func (a Algorithm) Sign(key crypto.Signer, message []byte) ([]byte, error) {
	pub := key.Public()
	if err := a.Fits(pub); err != nil {
		return nil, err
	}
	var opts crypto.SignerOpts = a.hash()
	if a == PS256 {
		opts = pssOptions
	}
	signature, err := key.Sign(rand.Reader, a.digest(message), opts)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", a, err)
	}
	if k, ok := pub.(*ecdsa.PublicKey); ok {
		return fixedSize(signature, (k.Curve.Params().BitSize+7)/8)
	}
	return signature, nil
}

// fixedSize turns the ASN.1 form that crypto.Signer gives into R || S.
func fixedSize(der []byte, size int) ([]byte, error) {
	var rs struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &rs)
	if err != nil || len(rest) != 0 || rs.R.Sign() <= 0 || rs.S.Sign() <= 0 ||
		rs.R.BitLen() > 8*size || rs.S.BitLen() > 8*size {
		return nil, fmt.Errorf("%w: the signer returned a malformed ECDSA signature", ErrSignature)
	}
	out := make([]byte, 2*size)
	rs.R.FillBytes(out[:size])
	rs.S.FillBytes(out[size:])
	return out, nil
}
