// Package localca is a certification authority in memory, for the tests and
// for the demonstration. Its certificates look like those of today's public
// authorities: no subject in a leaf, serverAuth, and a chain of three.
package localca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/dnasign/dnasign/keys"
)

// Must is for a setup that cannot fail: it panics on an error.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// NewKey makes a private key of a kind as [keys.Describe] names it: P-256,
// P-384, P-521, RSA-2048, RSA-4096 or Ed25519.
func NewKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "P-256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "P-521":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "Ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	var bits int
	if _, err := fmt.Sscanf(kind, "RSA-%d", &bits); err != nil {
		return nil, fmt.Errorf("no kind of key is called %q", kind)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

// An Authority issues certificates.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
	above       []*x509.Certificate // what to send besides: intermediates, this one first
	root        *x509.Certificate
}

// New makes a root authority, valid for ten years around now.
func New(name string, now time.Time) (*Authority, error) {
	return issueAuthority(nil, name, now, nil)
}

// NewChain makes a root authority and returns an intermediate one below it.
func NewChain(now time.Time) *Authority {
	return Must(Must(New("Test Root", now)).Intermediate("Test Intermediate", now, nil))
}

// Intermediate makes an authority below this one. edit, if not nil, may change
// the certificate before it is signed.
func (a *Authority) Intermediate(name string, now time.Time, edit func(*x509.Certificate)) (*Authority, error) {
	return issueAuthority(a, name, now, edit)
}

func issueAuthority(parent *Authority, name string, now time.Time, edit func(*x509.Certificate)) (*Authority, error) {
	key, err := NewKey("P-256")
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.AddDate(-5, 0, 0),
		NotAfter:              now.AddDate(5, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	if edit != nil {
		edit(template)
	}
	a := &Authority{key: key}
	if parent == nil {
		a.Certificate, err = create(template, template, key.Public(), key)
		a.root = a.Certificate
		return a, err
	}
	a.Certificate, err = create(template, parent.Certificate, key.Public(), parent.key)
	a.above = append([]*x509.Certificate{a.Certificate}, parent.above...)
	a.root = parent.root
	return a, err
}

// Issue makes a leaf for a new key of that kind and returns it with its chain
// (without the root). The leaf has no subject, names the domains as DNS names
// and is good for server authentication from notBefore to notAfter, unless
// edit, if not nil, changes it.
func (a *Authority) Issue(kind string, domains []string, notBefore, notAfter time.Time, edit func(*x509.Certificate)) (*keys.Signer, error) {
	key, err := NewKey(kind)
	if err != nil {
		return nil, err
	}
	return a.IssueFor(key, domains, notBefore, notAfter, edit)
}

// IssueFor is Issue for a key that exists.
func (a *Authority) IssueFor(key crypto.Signer, domains []string, notBefore, notAfter time.Time, edit func(*x509.Certificate)) (*keys.Signer, error) {
	template := &x509.Certificate{
		DNSNames:              domains,
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if edit != nil {
		edit(template)
	}
	leaf, err := create(template, a.Certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return keys.NewSigner(append([]*x509.Certificate{leaf}, a.above...), key)
}

// TLS is a signer's key and chain for crypto/tls.
func TLS(s *keys.Signer) tls.Certificate {
	certificate := tls.Certificate{PrivateKey: s.Key()}
	for _, c := range s.Chain() {
		certificate.Certificate = append(certificate.Certificate, c.Raw)
	}
	return certificate
}

// Root is the trust anchor above this authority.
func (a *Authority) Root() *x509.Certificate { return a.root }

// Pool holds the trust anchor above this authority.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// PEM is certificates in a PEM file.
func PEM(certificates ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// KeyPEM is a private key in a PKCS #8 PEM file.
func KeyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func create(template, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
