package delegation

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// leaf is a spoiler that signs with another certificate.
func leaf(edit func(c *x509.Certificate)) func(*trial) {
	return func(tr *trial) { tr.signer = tr.issue("P-256", edit) }
}

// extension replaces keyUsage or extKeyUsage by an extension of any value.
func extension(id asn1.ObjectIdentifier, value ...byte) func(*trial) {
	return leaf(func(c *x509.Certificate) {
		if id.Equal(oidKeyUsage) {
			c.KeyUsage = 0
		} else {
			c.ExtKeyUsage = nil
		}
		c.ExtraExtensions = []pkix.Extension{{Id: id, Value: value}}
	})
}

func signerCases() []verifyCase {
	return []verifyCase{
		{"keyUsage of a bit that nobody knows", extension(oidKeyUsage, 3, 3, 6, 0, 0x40), reasons.SignerKeyUsage},
		{"unknown extension", leaf(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999}, Value: []byte{5, 0}}}
		}), reasons.Verified},
		{"policy's check agrees", func(tr *trial) {
			tr.policy.SignerCheck = func(chain []*x509.Certificate) error {
				if len(chain) != 3 || !chain[0].Equal(tr.signer.Leaf()) || !chain[2].Equal(tr.root.Root()) {
					return errors.New("not the chain, leaf first and trust anchor last")
				}
				clear(chain) // is a copy
				return nil
			}
		}, reasons.Verified},
	}
}

func TestSigner(t *testing.T) { runCases(t, 3, signerCases()) }

// forged is a spoiler with a certificate of an authority in the chain that
// has any public key. What it seems to have signed it did not.
func forged(pub crypto.PublicKey) func(*trial) {
	return func(tr *trial) {
		authority := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Forged Authority"},
			NotBefore: now.Add(-day), NotAfter: now.Add(day), IsCA: true, BasicConstraintsValid: true,
		}
		signer := &x509.Certificate{
			SerialNumber: big.NewInt(2), DNSNames: []string{source},
			NotBefore: now.Add(-10 * day), NotAfter: now.Add(day),
		}
		tr.chain = [][]byte{
			certificate(tr.t, signer, authority, tr.signer.Key().Public()),
			certificate(tr.t, authority, &x509.Certificate{Subject: pkix.Name{CommonName: "Anybody"}}, pub),
		}
	}
}

// certificate signs with a key that belongs to nobody.
func certificate(t testing.TB, template, parent *x509.Certificate, pub crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, strangersKey())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func strangersKey() crypto.Signer { return keyOf("P-384") }

// modulus is a public RSA key of exactly so many bits, of which nobody has the
// private one.
func modulus(bits int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

func keyCases() []verifyCase {
	return []verifyCase{
		{"RSA of 8192 bits", forged(modulus(8192)), reasons.UnsupportedKey},
		{"RSA of 65536 bits", forged(modulus(65536)), reasons.UnsupportedKey},
	}
}

func TestKeys(t *testing.T) { runCases(t, 2, keyCases()) }

// below is a spoiler that signs below an intermediate of its own.
func below(edit func(c *x509.Certificate)) func(*trial) {
	return func(tr *trial) {
		tr.signer = tr.issueBelow(tr.authority(tr.root, "Another Intermediate", edit), "P-256", nil)
	}
}

// impostor is a certificate that differs in its key and signature only.
func impostor(t testing.TB, c *x509.Certificate) []byte {
	template := *c
	issuer := &x509.Certificate{RawSubject: c.RawIssuer}
	return certificate(t, &template, issuer, strangersKey().Public())
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestImpostor: what the cases above rest on.
func TestImpostor(t *testing.T) {
	lab := newLaboratory(t)
	root := parse(t, impostor(t, lab.root.Root()))
	if !bytes.Equal(root.RawSubject, lab.root.Root().RawSubject) || !bytes.Equal(root.RawSubject, root.RawIssuer) ||
		bytes.Equal(root.RawSubjectPublicKeyInfo, lab.root.Root().RawSubjectPublicKeyInfo) {
		t.Error("not another key of the same name")
	}
}

// TestSignRefusesSigner: what a verifier refuses of the signer, Sign does.
func TestSignRefusesSigner(t *testing.T) {
	lab := newLaboratory(t)
	for _, c := range []struct {
		name string
		edit func(c *x509.Certificate)
		want reasons.Reason
	}{
		{"authority", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }, reasons.SignerIsCA},
		{"wildcard", func(c *x509.Certificate) { c.DNSNames = []string{"*.example"} }, reasons.SignerWildcard},
		{"common name only", func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, source }, reasons.SignerCommonNameOnly},
		{"another name", func(c *x509.Certificate) { c.DNSNames = []string{"c.example"} }, reasons.SignerNameMismatch},
		{"key usage", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, reasons.SignerKeyUsage},
		{"purpose", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, reasons.SignerExtKeyUsage},
		{"expired when issued", func(c *x509.Certificate) { c.NotAfter = goodStatement().Issued.Add(-time.Second) }, reasons.SignerExpired},
		{"unknown critical extension", extended(true, asn1.ObjectIdentifier{1, 2, 3}, 4, 0), reasons.UntrustedSigner},
		{"unknown extension", extended(false, asn1.ObjectIdentifier{1, 2, 3}, 4, 0), reasons.Verified},
		{"policy constraints, critical", extended(true, asn1.ObjectIdentifier{2, 5, 29, 36}, 0x30, 0x03, 0x80, 0x01, 0x00), reasons.Verified},
		{"issued 5 minutes before", func(c *x509.Certificate) { c.NotBefore = goodStatement().Issued.Add(limits.ClockSkew) }, reasons.Verified},
		{"issued more than 5 minutes before", func(c *x509.Certificate) { c.NotBefore = goodStatement().Issued.Add(limits.ClockSkew + time.Second) }, reasons.IssuedBeforeSigner},
		{"nothing", nil, reasons.Verified},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := Sign(goodStatement(), JWS, lab.issue("P-256", c.edit))
			if c.want == reasons.Verified {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantRefusal(t, c.want, err)
			if raw != nil {
				t.Error("a token beside the error")
			}
		})
	}
	unrelated := append(slices.Clone(lab.signer.Chain()), lab.authority(lab.root, "Unrelated", nil).Certificate)
	unordered, err := keys.NewSigner(unrelated, lab.signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Sign(goodStatement(), JWS, unordered)
	wantRefusal(t, reasons.ChainNotLinear, err)
	_, err = Sign(goodStatement(), "cbor", lab.signer)
	wantRefusal(t, reasons.UnsupportedEncoding, err)

	t.Run("a certificate of 40 KB", func(t *testing.T) {
		_, err := Sign(goodStatement(), JWS, lab.issue("P-256", func(c *x509.Certificate) {
			for i := range 1000 {
				c.DNSNames = append(c.DNSNames, fmt.Sprintf("%036d.example", i))
			}
		}))
		if ReasonOf(err) != reasons.StatementTooLarge {
			t.Errorf("got %v, want %s", err, reasons.StatementTooLarge)
		}
	})
	t.Run("P-521", func(t *testing.T) {
		_, err := Sign(goodStatement(), JWS, lab.issue("P-521", nil))
		if ReasonOf(err) != reasons.UnsupportedKey {
			t.Errorf("got %v, want %s", err, reasons.UnsupportedKey)
		}
	})
}

// TestHostileNames: what a certificate says reaches a person's terminal as
// printable text of bounded length.
func TestHostileNames(t *testing.T) {
	tr := newTrial(t)
	leaf(func(c *x509.Certificate) {
		c.DNSNames = nil
		c.Subject.CommonName = "\x1b[2J\u202e" + strings.Repeat("x", 60)
		c.Subject.Organization = slices.Repeat([]string{strings.Repeat("y", 60)}, 30)
		c.IsCA = true
		c.KeyUsage |= x509.KeyUsageCertSign
	})(tr)
	_, err := tr.verify()
	e := wantRefusal(t, reasons.SignerIsCA, err)
	texts := []string{e.Error()}
	for _, check := range e.Checks {
		texts = append(texts, check.Detail)
	}

	tr = newTrial(t)
	leaf(func(c *x509.Certificate) {
		c.DNSNames = slices.Repeat([]string{strings.Repeat("z", 60) + ".example"}, 100)
	})(tr)
	_, err = tr.verify()
	texts = append(texts, wantRefusal(t, reasons.SignerNameMismatch, err).Detail)
	for _, text := range texts {
		if strings.ContainsAny(text, "\x1b\u202e\n") || len(text) > 2*maxSentence {
			t.Errorf("%q", text)
		}
	}
}
