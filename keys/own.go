package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// maxCommonName is how long a common name may be (RFC 5280, Appendix A.1,
// ub-common-name).
const maxCommonName = 64

// SelfIssue makes a certificate for a key that no authority vouches for: it is
// signed with the key itself, names the domain, and may sign from notBefore to
// notAfter, in whole seconds. Who believes DNSSEC believes it if the zone of the
// domain names the key: see docs/signers.md. The domain has the form of
// delegation.CheckName, and the key is of a kind of [CheckSize].
func SelfIssue(key crypto.Signer, domain string, notBefore, notAfter time.Time) (*Signer, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	name := domain
	if len(name) > maxCommonName {
		name = "Signer" // the name that counts is in subjectAltName
	}
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{domain},
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return NewSigner([]*x509.Certificate{leaf}, key)
}
