package delegation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
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

func names(list ...string) func(*trial) {
	return leaf(func(c *x509.Certificate) { c.DNSNames = list })
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

// versionOne strips a certificate of its version and extensions. Its signature
// is then wrong, which is found later than the version.
func versionOne(t testing.TB, der []byte) []byte {
	var c struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	unmarshal(t, der, &c)
	var fields []asn1.RawValue
	for rest := c.TBS.Bytes; len(rest) > 0; {
		var field asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			t.Fatal(err)
		}
		if field.Class != asn1.ClassContextSpecific {
			fields = append(fields, field)
		}
	}
	tbs, err := asn1.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	c.TBS = asn1.RawValue{FullBytes: tbs}
	out, err := asn1.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unmarshal(t testing.TB, der []byte, into any) {
	t.Helper()
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		t.Fatalf("%v, %d octets left", err, len(rest))
	}
}

// srvName is a subjectAltName with only an SRVName (RFC 4985).
func srvName(t testing.TB) pkix.Extension {
	text, err := asn1.MarshalWithParams("_xmpp-server.b.example", "ia5")
	if err != nil {
		t.Fatal(err)
	}
	other, err := asn1.Marshal(struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue `asn1:"tag:0,explicit"`
	}{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7}, asn1.RawValue{FullBytes: text}})
	if err != nil {
		t.Fatal(err)
	}
	other[0] = 0xa0 // [0] IMPLICIT SEQUENCE
	value, err := asn1.Marshal([]asn1.RawValue{{FullBytes: other}})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}
}

func signerCases() []verifyCase {
	return []verifyCase{
		{"name in other case", names("B.Example"), reasons.Verified},
		{"name among others", names("a.example", "*.example", source, "c.example"), reasons.Verified},
		{"another name", names("c.example"), reasons.SignerNameMismatch},
		{"name of the parent", names("example"), reasons.SignerNameMismatch},
		{"name below the source", names("www.b.example"), reasons.SignerNameMismatch},
		{"name of the target", names(host), reasons.SignerNameMismatch},
		{"name with a trailing dot", names("b.example."), reasons.SignerNameMismatch},
		{"wildcard", names("*.example"), reasons.SignerWildcard},
		{"wildcard in other case", names("*.EXAMPLE"), reasons.SignerWildcard},
		{"wildcard below the source", names("*.b.example"), reasons.SignerNameMismatch},
		{"wildcard of all", names("*"), reasons.SignerNameMismatch},
		{"partial wildcard", names("b*.example"), reasons.SignerNameMismatch},
		{"common name only", leaf(func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, source }), reasons.SignerCommonNameOnly},
		{"common name and another name", leaf(func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = []string{"c.example"}, source }), reasons.SignerNameMismatch},
		{"no name at all", names(), reasons.SignerNameMismatch},
		{"address and URI of the source", leaf(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = nil, []net.IP{{192, 0, 2, 1}}
			c.URIs = []*url.URL{{Scheme: "https", Host: source}}
			c.EmailAddresses = []string{"x@" + source}
		}), reasons.SignerNameMismatch},
		{"SRVName only", func(tr *trial) {
			leaf(func(c *x509.Certificate) {
				c.DNSNames, c.ExtraExtensions = nil, []pkix.Extension{srvName(tr.t)}
			})(tr)
		}, reasons.SignerNameMismatch},
		{"subject in the leaf", leaf(func(c *x509.Certificate) { c.Subject.CommonName = "anything" }), reasons.Verified},

		{"version 1", func(tr *trial) {
			chain(func(_ *laboratory, der [][]byte) [][]byte { return [][]byte{versionOne(tr.t, der[0]), der[1]} })(tr)
		}, reasons.SignerVersion},
		{"authority", leaf(func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage, c.Subject.CommonName = true, c.KeyUsage|x509.KeyUsageCertSign, "authority"
		}), reasons.SignerIsCA},
		{"trust anchor", func(tr *trial) { tr.policy.Roots.AddCert(tr.signer.Leaf()) }, reasons.SignerIsCA},
		{"no basicConstraints", leaf(func(c *x509.Certificate) { c.BasicConstraintsValid = false }), reasons.Verified},

		{"no keyUsage", leaf(func(c *x509.Certificate) { c.KeyUsage = 0 }), reasons.Verified},
		{"keyUsage keyEncipherment", leaf(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), reasons.SignerKeyUsage},
		{"keyUsage contentCommitment", leaf(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }), reasons.SignerKeyUsage},
		{"keyUsage digitalSignature and keyAgreement", leaf(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyAgreement }), reasons.Verified},
		{"keyUsage empty", extension(oidKeyUsage, 3, 1, 0), reasons.SignerKeyUsage},
		{"keyUsage of a bit that nobody knows", extension(oidKeyUsage, 3, 3, 6, 0, 0x40), reasons.SignerKeyUsage},
		{"no extKeyUsage", leaf(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), reasons.Verified},
		{"extKeyUsage serverAuth and clientAuth", leaf(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		}), reasons.Verified},
		{"extKeyUsage clientAuth", leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), reasons.SignerExtKeyUsage},
		{"extKeyUsage any", leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), reasons.SignerExtKeyUsage},
		{"extKeyUsage unknown", leaf(func(c *x509.Certificate) {
			c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 99999}}
		}), reasons.SignerExtKeyUsage},
		{"extKeyUsage empty", extension(oidExtKeyUsage, 0x30, 0), reasons.SignerExtKeyUsage},
		{"unknown critical extension", leaf(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999}, Critical: true, Value: []byte{5, 0}}}
		}), reasons.UntrustedSigner},
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
		{"policy's check refuses", func(tr *trial) {
			tr.policy.SignerCheck = func([]*x509.Certificate) error { return errRejected }
		}, reasons.SignerRejected},
	}
}

func TestSigner(t *testing.T) { runCases(t, 38, signerCases()) }

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

func on(curve elliptic.Curve) *ecdsa.PublicKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return &key.PublicKey
}

func keyCases() []verifyCase {
	return []verifyCase{
		{"RSA of 1024 bits", forged(modulus(1024)), reasons.UnsupportedKey},
		{"RSA of 2047 bits", forged(modulus(2047)), reasons.UnsupportedKey},
		{"RSA of 2048 bits", forged(modulus(2048)), reasons.UntrustedSigner},
		{"RSA of 4096 bits", forged(modulus(4096)), reasons.UntrustedSigner},
		{"RSA of 4097 bits", forged(modulus(4097)), reasons.UnsupportedKey},
		{"RSA of 8192 bits", forged(modulus(8192)), reasons.UnsupportedKey},
		{"RSA of 65536 bits", forged(modulus(65536)), reasons.UnsupportedKey},
		{"P-224", forged(on(elliptic.P224())), reasons.UnsupportedKey},
		{"P-256", forged(on(elliptic.P256())), reasons.UntrustedSigner},
		{"P-384", forged(on(elliptic.P384())), reasons.UntrustedSigner},
		{"P-521", forged(on(elliptic.P521())), reasons.UntrustedSigner},
		{"Ed25519", forged(keyOf("Ed25519").Public()), reasons.UntrustedSigner},
		{"RSA of 1024 bits in the leaf", func(tr *trial) {
			tr.chain = [][]byte{certificate(tr.t, &x509.Certificate{
				SerialNumber: big.NewInt(2), DNSNames: []string{source}, NotBefore: now.Add(-10 * day), NotAfter: now.Add(day),
			}, &x509.Certificate{RawSubject: tr.intermediate.Certificate.RawSubject}, modulus(1024)), tr.intermediate.Certificate.Raw}
		}, reasons.UnsupportedKey},
	}
}

func TestKeys(t *testing.T) { runCases(t, 13, keyCases()) }

// below is a spoiler that signs below an intermediate of its own.
func below(edit func(c *x509.Certificate)) func(*trial) {
	return func(tr *trial) {
		tr.signer = tr.issueBelow(tr.authority(tr.root, "Another Intermediate", edit), "P-256", nil)
	}
}

func chainCases() []verifyCase {
	return []verifyCase{
		{"issued by the root", func(tr *trial) { tr.signer = tr.issueBelow(tr.root, "P-256", nil) }, reasons.Verified},
		{"five certificates", func(tr *trial) {
			ca := tr.intermediate
			for _, name := range []string{"Second", "Third", "Fourth"} {
				ca = tr.authority(ca, name, nil)
			}
			tr.signer = tr.issueBelow(ca, "P-256", nil)
		}, reasons.Verified},
		{"root included", chain(func(lab *laboratory, der [][]byte) [][]byte {
			return append(der, lab.root.Root().Raw)
		}), reasons.Verified},
		{"another root of the same name included", chain(func(lab *laboratory, der [][]byte) [][]byte {
			return append(der, impostor(lab.t, lab.root.Root()))
		}), reasons.Verified},
		{"root included twice", chain(func(lab *laboratory, der [][]byte) [][]byte {
			return append(der, lab.root.Root().Raw, lab.root.Root().Raw)
		}), reasons.ChainNotLinear},
		{"swapped", chain(func(_ *laboratory, der [][]byte) [][]byte {
			slices.Reverse(der)
			return der
		}), reasons.ChainNotLinear},
		{"intermediates swapped", func(tr *trial) {
			tr.signer = tr.issueBelow(tr.authority(tr.intermediate, "Second", nil), "P-256", nil)
			chain(func(_ *laboratory, der [][]byte) [][]byte { return [][]byte{der[0], der[2], der[1]} })(tr)
		}, reasons.ChainNotLinear},
		{"leaf twice", chain(func(_ *laboratory, der [][]byte) [][]byte { return [][]byte{der[0], der[0], der[1]} }), reasons.ChainNotLinear},
		{"intermediate twice", repeated(3), reasons.ChainNotLinear},
		{"two intermediates of the same name", chain(func(lab *laboratory, der [][]byte) [][]byte {
			return append(der, impostor(lab.t, lab.intermediate.Certificate))
		}), reasons.ChainNotLinear},
		{"unrelated certificate last", chain(func(lab *laboratory, der [][]byte) [][]byte {
			return append(der, lab.authority(lab.root, "Unrelated", nil).Certificate.Raw)
		}), reasons.ChainNotLinear},
		{"unrelated certificate between", chain(func(lab *laboratory, der [][]byte) [][]byte {
			return [][]byte{der[0], lab.authority(lab.root, "Unrelated", nil).Certificate.Raw, der[1]}
		}), reasons.ChainNotLinear},
		{"no intermediate", chain(func(_ *laboratory, der [][]byte) [][]byte { return der[:1] }), reasons.UntrustedSigner},
		{"only the intermediate", chain(func(_ *laboratory, der [][]byte) [][]byte { return der[1:] }), reasons.SignerIsCA},
		{"another key of the intermediate's name", chain(func(lab *laboratory, der [][]byte) [][]byte {
			return [][]byte{der[0], impostor(lab.t, lab.intermediate.Certificate)}
		}), reasons.UntrustedSigner},
		{"another trust anchor", func(tr *trial) {
			tr.policy.Roots = x509.NewCertPool()
			tr.policy.Roots.AddCert(parse(tr.t, impostor(tr.t, tr.root.Root())))
		}, reasons.UntrustedSigner},
		{"no trust anchor", func(tr *trial) { tr.policy.Roots = x509.NewCertPool() }, reasons.UntrustedSigner},
		{"signed by itself", func(tr *trial) {
			template := &x509.Certificate{
				SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Self"}, DNSNames: []string{source},
				NotBefore: now.Add(-10 * day), NotAfter: now.Add(day),
			}
			der, err := x509.CreateCertificate(rand.Reader, template, template, tr.signer.Key().Public(), tr.signer.Key())
			if err != nil {
				tr.t.Fatal(err)
			}
			tr.chain = [][]byte{der}
		}, reasons.UntrustedSigner},

		{"intermediate expired", below(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), reasons.UntrustedSigner},
		{"intermediate not yet valid", below(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }), reasons.UntrustedSigner},
		{"intermediate that is no authority", below(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, 0 }), reasons.UntrustedSigner},
		{"intermediate without keyCertSign", below(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), reasons.UntrustedSigner},
		{"intermediate for clientAuth", below(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), reasons.UntrustedSigner},
		{"intermediate with an unknown critical extension", below(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999}, Critical: true, Value: []byte{5, 0}}}
		}), reasons.UntrustedSigner},
		{"intermediate permitted for another name", below(func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"c.example"} }), reasons.UntrustedSigner},
		{"intermediate permitted for the source", below(func(c *x509.Certificate) { c.PermittedDNSDomains = []string{source} }), reasons.Verified},
		{"intermediate excluded from the source", below(func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example"} }), reasons.UntrustedSigner},
		{"path length 0 kept", below(func(c *x509.Certificate) { c.MaxPathLenZero = true }), reasons.Verified},
		{"path length 0 exceeded", func(tr *trial) {
			above := tr.authority(tr.root, "Above", func(c *x509.Certificate) { c.MaxPathLenZero = true })
			tr.signer = tr.issueBelow(tr.authority(above, "Below", nil), "P-256", nil)
		}, reasons.UntrustedSigner},
		{"a leaf that issues", func(tr *trial) {
			template := &x509.Certificate{
				SerialNumber: big.NewInt(1), DNSNames: []string{"c.example"}, Subject: pkix.Name{CommonName: "c.example"},
				NotBefore: now.Add(-10 * day), NotAfter: now.Add(day),
			}
			victim := tr.issue("P-384", func(c *x509.Certificate) { *c = *template })
			der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
				SerialNumber: big.NewInt(2), DNSNames: []string{source}, NotBefore: template.NotBefore, NotAfter: template.NotAfter,
			}, victim.Leaf(), tr.signer.Key().Public(), victim.Key())
			if err != nil {
				tr.t.Fatal(err)
			}
			tr.chain = [][]byte{der, victim.Leaf().Raw, tr.intermediate.Certificate.Raw}
		}, reasons.UntrustedSigner},
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

func TestChain(t *testing.T) { runCases(t, 30, chainCases()) }

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
