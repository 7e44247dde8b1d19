package x509attr

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	encoding_asn1 "encoding/asn1"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// TestCheckSignatureRefuses spoils the issuer's certificate or the attribute
// certificate in one way at a time.
func TestCheckSignatureRefuses(t *testing.T) {
	key := testKeys()["P-256"]
	type arguments struct {
		ac     *AttributeCertificate
		issuer *x509.Certificate
	}
	// reissue replaces the issuer's certificate by one with the same name and
	// key.
	reissue := func(edit func(template *x509.Certificate)) func(*arguments) {
		return func(a *arguments) {
			template := issuerTemplate("Issuer")
			edit(template)
			a.issuer = selfSigned(t, template, key)
		}
	}
	rsaIssuer := func(bits int) func(*arguments) {
		return func(a *arguments) {
			n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
			a.issuer.PublicKey = &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
		}
	}
	tests := []struct {
		name string
		want Problem // empty: accepted
		edit func(a *arguments)
	}{
		{"nothing", "", func(*arguments) {}},
		{"no keyUsage", "", reissue(func(c *x509.Certificate) { c.KeyUsage = 0 })},
		{"more keyUsage", "", reissue(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageContentCommitment })},
		{"no basicConstraints", "", reissue(func(c *x509.Certificate) { c.BasicConstraintsValid = false })},
		{"expired issuer", "", reissue(func(c *x509.Certificate) { c.NotAfter = c.NotBefore })},
		{"no issuer", ProblemIssuerName, func(a *arguments) { a.issuer = nil }},
		{"other subject", ProblemIssuerName, reissue(func(c *x509.Certificate) { c.Subject.CommonName = "Other" })},
		{"subject in other case", ProblemIssuerName, reissue(func(c *x509.Certificate) { c.Subject.CommonName = "ISSUER" })},
		{"empty subject", ProblemIssuerName, reissue(func(c *x509.Certificate) { c.Subject = pkix.Name{} })},
		{"CA", ProblemIssuerIsCA, reissue(func(c *x509.Certificate) { c.IsCA = true })},
		{"CA without keyUsage", ProblemIssuerIsCA, reissue(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, 0 })},
		{"keyUsage without digitalSignature", ProblemIssuerKeyUsage,
			reissue(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment })},
		{"empty keyUsage", ProblemIssuerKeyUsage, reissue(func(c *x509.Certificate) {
			c.KeyUsage = 0
			c.ExtraExtensions = []pkix.Extension{{Id: encoding_asn1.ObjectIdentifier{2, 5, 29, 15}, Value: []byte{3, 1, 0}}}
		})},
		{"RSA key of 1024 bits", ProblemIssuerKey, rsaIssuer(1024)},
		{"RSA key of 8193 bits", ProblemIssuerKey, rsaIssuer(8193)},
		{"RSA key of 8192 bits", ProblemAlgorithm, rsaIssuer(8192)},
		{"key on P-224", ProblemIssuerKey, func(a *arguments) { a.issuer.PublicKey = testKeys()["P-224"].Public() }},
		{"key of unknown kind", ProblemIssuerKey, func(a *arguments) { a.issuer.PublicKey = "key" }},
		{"no key", ProblemIssuerKey, func(a *arguments) { a.issuer.PublicKey = nil }},
		{"key of another kind", ProblemAlgorithm, func(a *arguments) { a.issuer.PublicKey = testKeys()["Ed25519"].Public() }},
		{"key of another curve", ProblemSignature, func(a *arguments) { a.issuer.PublicKey = testKeys()["P-384"].Public() }},
		{"unknown algorithm", ProblemAlgorithm, func(a *arguments) {
			root := parseTree(t, a.ac.Raw)
			root.at(0, 3, 0).content = []byte{0x2a, 3}
			root.at(1, 0).content = []byte{0x2a, 3}
			a.ac = mustParse(t, root.encode())
		}},
		{"ECDSA with NULL parameters", ProblemAlgorithm, func(a *arguments) {
			root := parseTree(t, a.ac.Raw)
			root.at(0, 3).children = append(root.at(0, 3).children, leaf(asn1.NULL))
			root.at(1).children = append(root.at(1).children, leaf(asn1.NULL))
			a.ac = mustParse(t, root.encode())
		}},
		{"another hash", ProblemSignature, func(a *arguments) {
			root := parseTree(t, a.ac.Raw)
			root.at(0, 3, 0).content = []byte(oidECDSAWithSHA384)
			root.at(1, 0).content = []byte(oidECDSAWithSHA384)
			a.ac = mustParse(t, root.encode())
		}},
		{"changed attribute", ProblemSignature, func(a *arguments) {
			root := parseTree(t, a.ac.Raw)
			root.at(0, 6, 0, 1, 0).content[0]++
			a.ac = mustParse(t, root.encode())
		}},
		{"octets after the signature value", ProblemSignature, func(a *arguments) {
			root := parseTree(t, a.ac.Raw)
			root.at(2).content = append(root.at(2).content, 0)
			a.ac = mustParse(t, root.encode())
		}},
		{"empty signature", ProblemSignature, func(a *arguments) {
			root := parseTree(t, a.ac.Raw)
			root.at(2).content = []byte{0}
			a.ac = mustParse(t, root.encode())
		}},
		{"template", ProblemIssuerName, func(a *arguments) { a.ac = plainTemplate(t) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			issuer := selfSigned(t, issuerTemplate("Issuer"), key)
			der, err := Create(rand.Reader, plainTemplate(t), issuer, key)
			if err != nil {
				t.Fatal(err)
			}
			a := &arguments{mustParse(t, der), issuer}
			tt.edit(a)
			err = a.ac.CheckSignatureFrom(a.issuer)
			if tt.want != "" {
				wantProblem(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// mustParse parses what has to be right.
func mustParse(t testing.TB, der []byte) *AttributeCertificate {
	t.Helper()
	ac, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return ac
}

// TestEveryBitIsSigned flips every bit of a certificate: no result verifies,
// except one whose parsed content and signature are the same.
func TestEveryBitIsSigned(t *testing.T) {
	key := testKeys()["Ed25519"]
	issuer := selfSigned(t, issuerTemplate(""), key)
	der, err := Create(nil, plainTemplate(t), issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(der) {
		spoilt := bytes.Clone(der)
		spoilt[i/8] ^= 1 << (i % 8)
		ac, err := Parse(spoilt)
		if err != nil {
			continue
		}
		if ac.CheckSignatureFrom(issuer) == nil {
			t.Errorf("verifies with bit %d of octet %d flipped", i%8, i/8)
		}
	}
}

// TestSignatureAlgorithm covers which identifiers stand for an algorithm.
func TestSignatureAlgorithm(t *testing.T) {
	pss := func(hash, mgf, mgfHash string, parameters []byte, salt int64, trailer bool) []byte {
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tagContext(0, true), func(b *cryptobyte.Builder) {
				addAlgorithmIdentifier(b, AlgorithmIdentifier{constOID(hash), parameters})
			})
			b.AddASN1(tagContext(1, true), func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					addOID(b, constOID(mgf))
					addAlgorithmIdentifier(b, AlgorithmIdentifier{constOID(mgfHash), parameters})
				})
			})
			b.AddASN1(tagContext(2, true), func(b *cryptobyte.Builder) { b.AddASN1Int64(salt) })
			if trailer {
				b.AddASN1(tagContext(3, true), func(b *cryptobyte.Builder) { b.AddASN1Int64(1) })
			}
		})
		return b.BytesOrPanic()
	}
	null := []byte(derNull)
	for _, tt := range []struct {
		name       string
		oid        string
		parameters []byte
		want       x509.SignatureAlgorithm
	}{
		{"RSA", oidSHA256WithRSA, null, x509.SHA256WithRSA},
		{"RSA without parameters", oidSHA256WithRSA, nil, 0},
		{"RSA with other parameters", oidSHA512WithRSA, []byte{0x30, 0}, 0},
		{"ECDSA", oidECDSAWithSHA512, nil, x509.ECDSAWithSHA512},
		{"ECDSA with parameters", oidECDSAWithSHA384, null, 0},
		{"Ed25519", oidEd25519, nil, x509.PureEd25519},
		{"Ed25519 with parameters", oidEd25519, null, 0},
		{"hash function", oidSHA256, nil, 0},
		{"PSS", oidRSAPSS, pss(oidSHA256, oidMGF1, oidSHA256, null, 32, false), x509.SHA256WithRSAPSS},
		{"PSS without hash parameters", oidRSAPSS, pss(oidSHA384, oidMGF1, oidSHA384, nil, 48, false), x509.SHA384WithRSAPSS},
		{"PSS without parameters", oidRSAPSS, nil, 0},
		{"PSS with defaults", oidRSAPSS, []byte{0x30, 0}, 0},
		{"PSS with another salt", oidRSAPSS, pss(oidSHA256, oidMGF1, oidSHA256, null, 20, false), 0},
		{"PSS with a salt of another hash", oidRSAPSS, pss(oidSHA256, oidMGF1, oidSHA256, null, 64, false), 0},
		{"PSS with a negative salt", oidRSAPSS, pss(oidSHA256, oidMGF1, oidSHA256, null, -1, false), 0},
		{"PSS with two hashes", oidRSAPSS, pss(oidSHA256, oidMGF1, oidSHA512, null, 32, false), 0},
		{"PSS with another mask", oidRSAPSS, pss(oidSHA256, oidSHA256, oidSHA256, null, 32, false), 0},
		{"PSS with an unknown hash", oidRSAPSS, pss(oidData, oidMGF1, oidData, null, 32, false), 0},
		{"PSS with other hash parameters", oidRSAPSS, pss(oidSHA256, oidMGF1, oidSHA256, []byte{0x30, 0}, 32, false), 0},
		{"PSS with an encoded default", oidRSAPSS, pss(oidSHA256, oidMGF1, oidSHA256, null, 32, true), 0},
	} {
		if got := signatureAlgorithm(AlgorithmIdentifier{constOID(tt.oid), tt.parameters}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
