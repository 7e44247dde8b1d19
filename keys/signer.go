package keys

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/dnasign/dnasign/internal/text"
)

// MaxChain is the most certificates a signer may carry, the leaf included: a
// leaf and four more. Chains of today's public authorities have two to four.
const MaxChain = 5

// A Signer is a certificate chain, leaf first, with the private key of the
// leaf. Make one with [NewSigner] or [LoadSigner]; it is safe for concurrent
// use if its private key is.
type Signer struct {
	chain []*x509.Certificate
	key   crypto.Signer
}

// NewSigner binds a chain (leaf first, 1 to [MaxChain] certificates) and the
// leaf's private key. The key may live in a hardware token. It returns
// [ErrKeyMismatch] if the two do not belong together. It returns
// [ErrUnsupportedKey] if no verifier would accept a key of the leaf's kind.
func NewSigner(chain []*x509.Certificate, key crypto.Signer) (*Signer, error) {
	if len(chain) == 0 || len(chain) > MaxChain {
		return nil, fmt.Errorf("%w: a signer has 1 to %d certificates, not %d", ErrPEM, MaxChain, len(chain))
	}
	leaf := chain[0]
	if err := CheckSize(leaf.PublicKey); err != nil {
		return nil, err
	}
	pub, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || key == nil || !pub.Equal(key.Public()) {
		return nil, fmt.Errorf("%w: the first certificate (%s) has another key", ErrKeyMismatch, Name(leaf))
	}
	return &Signer{chain: chain, key: key}, nil
}

// Leaf is the certificate that verifies what the signer signs.
func (s *Signer) Leaf() *x509.Certificate { return s.chain[0] }

// Chain is the whole chain, leaf first. Do not change it.
func (s *Signer) Chain() []*x509.Certificate { return s.chain }

// Key is the private key, usable for signing only.
func (s *Signer) Key() crypto.Signer { return s.key }

// Name names a certificate for a message: its first DNS name, else its
// subject, else its serial number (many domain certificates have no subject).
// A stranger wrote these: what is not printable, as the control characters of
// a terminal, is replaced by a question mark.
func Name(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return text.Printable(c.DNSNames[0])
	}
	if name := c.Subject.String(); name != "" {
		return text.Printable(name)
	}
	return fmt.Sprintf("serial number %x", c.SerialNumber)
}
