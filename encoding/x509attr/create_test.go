package x509attr

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/cryptobyte/asn1"
	"pgregory.net/rapid"
)

// signings lists every kind of key with every algorithm it can sign with.
var signings = []struct {
	key       string
	algorithm x509.SignatureAlgorithm // asked for
	want      x509.SignatureAlgorithm
}{
	{"RSA-2048", 0, x509.SHA256WithRSA},
	{"RSA-2048", x509.SHA256WithRSA, x509.SHA256WithRSA},
	{"RSA-2048", x509.SHA384WithRSA, x509.SHA384WithRSA},
	{"RSA-2048", x509.SHA512WithRSA, x509.SHA512WithRSA},
	{"RSA-2048", x509.SHA256WithRSAPSS, x509.SHA256WithRSAPSS},
	{"RSA-2048", x509.SHA384WithRSAPSS, x509.SHA384WithRSAPSS},
	{"RSA-2048", x509.SHA512WithRSAPSS, x509.SHA512WithRSAPSS},
	{"P-256", 0, x509.ECDSAWithSHA256},
	{"P-256", x509.ECDSAWithSHA512, x509.ECDSAWithSHA512},
	{"P-384", 0, x509.ECDSAWithSHA384},
	{"P-521", 0, x509.ECDSAWithSHA512},
	{"Ed25519", 0, x509.PureEd25519},
}

// sameOID lets cmp compare object identifiers.
var sameOID = cmp.Comparer(func(a, b x509.OID) bool { return a.Equal(b) })

// sameInt lets cmp compare integers.
var sameInt = cmp.Comparer(func(a, b *big.Int) bool {
	return a == b || a != nil && b != nil && a.Cmp(b) == 0
})

// TestRoundTrip issues with every key and algorithm, with and without
// a subject, and checks what comes back.
func TestRoundTrip(t *testing.T) {
	for _, s := range signings {
		for _, subject := range []string{"", "Issuer"} {
			t.Run(s.key+"/"+s.want.String()+"/"+subject, func(t *testing.T) {
				key := testKeys()[s.key]
				issuer := selfSigned(t, issuerTemplate(subject), key)
				template := richTemplate(t)
				template.SignatureAlgorithm = s.algorithm
				before := *template
				der, err := Create(rand.Reader, template, issuer, key)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&before, template, sameOID, sameInt); diff != "" {
					t.Errorf("template was changed: %s", diff)
				}
				ac, err := Parse(der)
				if err != nil {
					t.Fatal(err)
				}
				if err := ac.CheckSignatureFrom(issuer); err != nil {
					t.Error(err)
				}
				if ac.SignatureAlgorithm != s.want {
					t.Errorf("algorithm is %v, want %v", ac.SignatureAlgorithm, s.want)
				}
				if !bytes.Equal(ac.RawIssuer, issuer.RawSubject) || !bytes.Equal(ac.Raw, der) {
					t.Error("raw fields differ")
				}
				if subject == "" && !bytes.Equal(ac.RawIssuer, []byte{0x30, 0}) {
					t.Errorf("issuer is %x, want an empty name", ac.RawIssuer)
				}
				checkReencodes(t, ac)

				want := *template
				want.Version = 2
				want.SignatureAlgorithm = s.want
				want.Raw, want.RawACInfo, want.RawIssuer = ac.Raw, ac.RawACInfo, ac.RawIssuer
				want.Signature, want.SignatureAlgorithmID = ac.Signature, ac.SignatureAlgorithmID
				want.Extensions = append(want.Extensions[:len(want.Extensions):len(want.Extensions)],
					Extension{ID: constOID(oidAuthorityKeyID), Value: element(asn1.SEQUENCE, element(tagContext(0, false), want.AuthorityKeyID...)...)},
					Extension{ID: constOID(oidNoRevAvail), Value: []byte{5, 0}})
				values := want.Attributes[1].Values
				want.Attributes[1].Values = [][]byte{values[2], values[1], values[0]}
				if diff := cmp.Diff(&want, ac, sameOID, sameInt); diff != "" {
					t.Errorf("parsed certificate differs from template: %s", diff)
				}
			})
		}
	}
}

// checkReencodes holds a parsed certificate to the law: its fields alone make
// the same octets again.
func checkReencodes(t rapid.TB, ac *AttributeCertificate) {
	t.Helper()
	info, err := marshalInfo(ac)
	if err != nil {
		t.Fatalf("cannot write again: %v", err)
	}
	if !bytes.Equal(info, ac.RawACInfo) {
		t.Fatalf("signed part is written again as\n%x, was\n%x", info, ac.RawACInfo)
	}
	der, err := assemble(info, ac.SignatureAlgorithmID, ac.Signature)
	if err != nil {
		t.Fatalf("cannot write again: %v", err)
	}
	if !bytes.Equal(der, ac.Raw) {
		t.Fatalf("written again as\n%x, was\n%x", der, ac.Raw)
	}
}

// TestCreateDefaults covers what Create adds and leaves out by itself.
func TestCreateDefaults(t *testing.T) {
	key := testKeys()["Ed25519"]
	issuer := selfSigned(t, issuerTemplate("Issuer"), key)
	template := plainTemplate(t)
	template.NotBefore = start.Add(999 * time.Millisecond).In(time.FixedZone("elsewhere", 3600))
	der, err := Create(rand.Reader, template, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	ac, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ac.AuthorityKeyID, issuer.SubjectKeyId) || len(ac.Extensions) != 1 || ac.NoRevAvail {
		t.Errorf("extensions are %v", ac.Extensions)
	}
	if !ac.NotBefore.Equal(start) || ac.NotBefore.Location() != time.UTC {
		t.Errorf("NotBefore is %v", ac.NotBefore)
	}

	// A parsed certificate is a template too, and makes the same signed part.
	again, err := Create(rand.Reader, ac, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, der) {
		t.Error("certificate issued again from the parsed one differs")
	}

	// What is listed wins over the field, and is not written twice.
	template.AuthorityKeyID = []byte("field")
	template.NoRevAvail = true
	template.Extensions = []Extension{
		{ID: constOID(oidNoRevAvail), Value: []byte{5, 0}},
		{ID: constOID(oidAuthorityKeyID), Value: element(asn1.SEQUENCE)},
	}
	if der, err = Create(rand.Reader, template, issuer, key); err != nil {
		t.Fatal(err)
	}
	if ac, err = Parse(der); err != nil {
		t.Fatal(err)
	}
	if len(ac.Extensions) != 2 || len(ac.AuthorityKeyID) != 0 || !ac.NoRevAvail {
		t.Errorf("extensions are %v", ac.Extensions)
	}
}

// brokenSigner claims a key and signs badly, or not at all.
type brokenSigner struct {
	crypto.Signer
	err error
}

func (s brokenSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := s.Signer.Sign(rand, make([]byte, len(digest)), opts)
	return signature, errors.Join(err, s.err)
}

// maxSaltSigner signs PSS with the longest salt, as some signers do unasked.
type maxSaltSigner struct{ crypto.Signer }

func (s maxSaltSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.Signer.Sign(rand, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: opts.HashFunc()})
}

// TestCreateRefuses spoils one argument at a time.
func TestCreateRefuses(t *testing.T) {
	type arguments struct {
		template *AttributeCertificate
		issuer   *x509.Certificate
		key      crypto.Signer
	}
	tests := []struct {
		name string
		want Problem
		edit func(a *arguments)
	}{
		{"no template", ProblemTemplate, func(a *arguments) { a.template = nil }},
		{"no issuer", ProblemTemplate, func(a *arguments) { a.issuer = nil }},
		{"no signer", ProblemTemplate, func(a *arguments) { a.key = nil }},
		{"issuer without a key", ProblemIssuerKey, func(a *arguments) { a.issuer = &x509.Certificate{} }},
		{"other key", ProblemSigner, func(a *arguments) { a.key = testKeys()["P-384"] }},
		{"signer fails", ProblemSigner, func(a *arguments) { a.key = brokenSigner{a.key, errors.New("no")} }},
		{"signer signs something else", ProblemSignature, func(a *arguments) { a.key = brokenSigner{a.key, nil} }},
		{"signer uses another salt", ProblemSignature, func(a *arguments) {
			key := testKeys()["RSA-2048"]
			a.key, a.issuer = maxSaltSigner{key}, selfSigned(t, issuerTemplate(""), key)
			a.template.SignatureAlgorithm = x509.SHA256WithRSAPSS
		}},
		{"issuer is a CA", ProblemIssuerIsCA, func(a *arguments) {
			template := issuerTemplate("CA")
			template.IsCA = true
			a.issuer = selfSigned(t, template, a.key)
		}},
		{"issuer may not sign", ProblemIssuerKeyUsage, func(a *arguments) {
			template := issuerTemplate("Issuer")
			template.KeyUsage = x509.KeyUsageKeyAgreement
			a.issuer = selfSigned(t, template, a.key)
		}},
		{"key on P-224", ProblemIssuerKey, func(a *arguments) {
			a.key = testKeys()["P-224"]
			a.issuer = selfSigned(t, issuerTemplate(""), testKeys()["P-256"])
			a.issuer.PublicKey = a.key.Public()
		}},
		{"algorithm of another key", ProblemAlgorithm, func(a *arguments) { a.template.SignatureAlgorithm = x509.SHA256WithRSA }},
		{"SHA-1", ProblemAlgorithm, func(a *arguments) { a.template.SignatureAlgorithm = x509.ECDSAWithSHA1 }},
		{"no serial", ProblemTemplate, func(a *arguments) { a.template.SerialNumber = nil }},
		{"zero serial", ProblemSerial, func(a *arguments) { a.template.SerialNumber = new(big.Int) }},
		{"negative serial", ProblemSerial, func(a *arguments) { a.template.SerialNumber = big.NewInt(-1) }},
		{"overlong serial", ProblemSerial, func(a *arguments) { a.template.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 159) }},
		{"no times", ProblemTime, func(a *arguments) { a.template.NotBefore, a.template.NotAfter = time.Time{}, time.Time{} }},
		{"ends first", ProblemTime, func(a *arguments) { a.template.NotAfter = start.Add(-time.Second) }},
		{"year 10000", ProblemTime, func(a *arguments) { a.template.NotAfter = start.AddDate(8000, 0, 0) }},
		{"no holder", ProblemHolder, func(a *arguments) { a.template.Holder = Holder{} }},
		{"holder without serial", ProblemTemplate, func(a *arguments) {
			a.template.Holder.BaseCertificateID = &IssuerSerial{Issuer: a.template.Holder.EntityName}
		}},
		{"holder without names", ProblemSyntax, func(a *arguments) {
			a.template.Holder.BaseCertificateID = &IssuerSerial{Serial: big.NewInt(1)}
		}},
		{"unknown kind of name", ProblemTemplate, func(a *arguments) { a.template.Holder.EntityName[0].Kind = 0x24 }},
		{"unknown kind of name in holder's issuer", ProblemTemplate, func(a *arguments) {
			a.template.Holder.BaseCertificateID = &IssuerSerial{Issuer: []GeneralName{{Kind: 9}}, Serial: big.NewInt(1)}
		}},
		{"directory name is two names", ProblemSyntax, func(a *arguments) {
			a.template.Holder.EntityName[0] = GeneralName{Kind: NameDirectory, Value: []byte{0x30, 0, 0x30, 0}}
		}},
		{"unknown digested object", ProblemHolder, func(a *arguments) {
			a.template.Holder.ObjectDigestInfo = &ObjectDigestInfo{Object: 3}
		}},
		{"bit string longer than its octets", ProblemSyntax, func(a *arguments) {
			a.template.IssuerUniqueID = &encoding_asn1.BitString{Bytes: []byte{1}, BitLength: 9}
		}},
		{"bits set beyond the end", ProblemSyntax, func(a *arguments) {
			a.template.IssuerUniqueID = &encoding_asn1.BitString{Bytes: []byte{1}, BitLength: 7}
		}},
		{"no attributes", ProblemAttributes, func(a *arguments) { a.template.Attributes = nil }},
		{"no values", ProblemAttributes, func(a *arguments) { a.template.Attributes[0].Values = nil }},
		{"no type", ProblemSyntax, func(a *arguments) { a.template.Attributes[0].Type = x509.OID{} }},
		{"value is two elements", ProblemTemplate, func(a *arguments) { a.template.Attributes[0].Values[0] = []byte{5, 0, 5, 0} }},
		{"value is empty", ProblemTemplate, func(a *arguments) { a.template.Attributes[0].Values[0] = nil }},
		{"value is end-of-contents", ProblemTemplate, func(a *arguments) { a.template.Attributes[0].Values[0] = []byte{0, 0} }},
		{"duplicate attribute", ProblemDuplicateAttribute, func(a *arguments) {
			a.template.Attributes = append(a.template.Attributes, a.template.Attributes[0])
		}},
		{"duplicate extension", ProblemDuplicateExtension, func(a *arguments) {
			e := Extension{ID: oid(t, "2.5.29.55")}
			a.template.Extensions = []Extension{e, e}
		}},
		{"critical noRevAvail", ProblemExtension, func(a *arguments) {
			a.template.Extensions = []Extension{{ID: constOID(oidNoRevAvail), Critical: true, Value: []byte{5, 0}}}
		}},
		{"too large", ProblemLimit, func(a *arguments) {
			a.template.Attributes[0].Values[0] = element(asn1.OCTET_STRING, make([]byte, MaxSize)...)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := testKeys()["P-256"]
			a := &arguments{plainTemplate(t), selfSigned(t, issuerTemplate("Issuer"), key), key}
			tt.edit(a)
			der, err := Create(rand.Reader, a.template, a.issuer, a.key)
			wantProblem(t, err, tt.want)
			if der != nil {
				t.Error("returned a certificate with the error")
			}
		})
	}
}

// TestTemplateLaw makes templates at random: what Create issues from one
// says what the template says, and is written again to the same octets.
func TestTemplateLaw(t *testing.T) {
	key := testKeys()["Ed25519"]
	issuer := selfSigned(t, issuerTemplate(""), key)
	names := rapid.Custom(func(t *rapid.T) GeneralName {
		kind := rapid.SampledFrom([]NameKind{NameEmail, NameDNS, NameURI, NameIP}).Draw(t, "kind")
		return GeneralName{Kind: kind, Value: []byte(rapid.StringMatching(`[ -~]{0,40}`).Draw(t, "value"))}
	})
	values := rapid.Custom(func(t *rapid.T) []byte {
		tag := rapid.SampledFrom([]asn1.Tag{asn1.OCTET_STRING, asn1.UTF8String, asn1.SEQUENCE, tagContext(3, false)}).Draw(t, "tag")
		return element(tag, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "value")...)
	})
	dotted := rapid.StringMatching(`2\.25\.[1-9][0-9]{0,37}`)
	rapid.Check(t, func(r *rapid.T) {
		template := &AttributeCertificate{
			Holder:       Holder{EntityName: rapid.SliceOfN(names, 1, 20).Draw(r, "holder")},
			SerialNumber: new(big.Int).SetBytes(append([]byte{1}, rapid.SliceOfN(rapid.Byte(), 0, 19).Draw(r, "serial")...)),
			NotBefore:    time.Unix(rapid.Int64Range(-631152000, 253402300799).Draw(r, "begin"), 0).UTC(),
			NoRevAvail:   rapid.Bool().Draw(r, "noRevAvail"),
		}
		template.NotAfter = time.Unix(rapid.Int64Range(template.NotBefore.Unix(), 253402300799).Draw(r, "end"), 0).UTC()
		for _, id := range rapid.SliceOfNDistinct(dotted, 1, 6, rapid.ID[string]).Draw(r, "attributes") {
			template.Attributes = append(template.Attributes,
				Attribute{Type: oid(t, id), Values: rapid.SliceOfN(values, 1, 5).Draw(r, "values")})
		}
		for _, id := range rapid.SliceOfNDistinct(dotted, 0, 4, rapid.ID[string]).Draw(r, "extensions") {
			template.Extensions = append(template.Extensions, Extension{
				ID: oid(t, id), Critical: rapid.Bool().Draw(r, "critical"),
				Value: rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(r, "value")})
		}
		der, err := Create(nil, template, issuer, key)
		if err != nil {
			r.Fatal(err)
		}
		ac, err := Parse(der)
		if err != nil {
			r.Fatal(err)
		}
		checkReencodes(r, ac)
		if ac.SerialNumber.Cmp(template.SerialNumber) != 0 ||
			!ac.NotBefore.Equal(template.NotBefore) || !ac.NotAfter.Equal(template.NotAfter) ||
			ac.NoRevAvail != template.NoRevAvail ||
			len(ac.Attributes) != len(template.Attributes) ||
			!cmp.Equal(ac.Holder, template.Holder, sameInt) {
			r.Fatalf("%+v became %+v", template, ac)
		}
	})
}
