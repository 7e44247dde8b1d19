package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
)

// Elsewhere reports whether a key has a name that is not that of a file. It begins
// with two or more lower-case letters or digits and a colon, such as pkcs11:. A file
// with such a name is written with "./" before it.
func Elsewhere(key string) bool {
	scheme, _, found := strings.Cut(key, ":")
	return found && len(scheme) > 1 && strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// elsewhere opens a key that is not in a file. Whoever keeps it may not say what
// its public key is. So it is taken to be the key of the first certificate in the
// file that is no CA certificate.
func (l Loader) elsewhere(key string, all []*x509.Certificate) (crypto.Signer, error) {
	if l.Open == nil {
		return nil, fmt.Errorf("%w: this program reads keys from files only", ErrUnsupportedKey)
	}
	for _, c := range all {
		if c.IsCA {
			continue
		}
		if err := CheckSize(c.PublicKey); err != nil {
			return nil, err
		}
		signer, err := l.Open(key, c.PublicKey)
		if err != nil {
			return nil, err
		}
		return checked{signer, c.PublicKey}, nil
	}
	return nil, fmt.Errorf("%w: all certificates in the file are CA certificates", ErrKeyMismatch)
}

// A checked signer is somewhere else. What it returns is a signature by the key
// of the certificate, or an error.
type checked struct {
	crypto.Signer
	public crypto.PublicKey
}

func (c checked) Public() crypto.PublicKey { return c.public }

func (c checked) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := c.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, err
	}
	good := false
	switch k := c.public.(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(k, digest, signature)
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			good = rsa.VerifyPSS(k, opts.HashFunc(), digest, signature, pss) == nil
		} else {
			good = rsa.VerifyPKCS1v15(k, opts.HashFunc(), digest, signature) == nil
		}
	case ed25519.PublicKey:
		good = ed25519.Verify(k, digest, signature)
	}
	if !good {
		return nil, fmt.Errorf("%w: the %d bytes that came back are no signature by the certificate's key (%s) over the %d bytes that were sent; "+
			"is it the right key, and does it sign a digest as it is, without hashing it again?", ErrSignature, len(signature), Describe(c.public), len(digest))
	}
	return signature, nil
}
