package delegation

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/keys"
)

// fixedTrial is a trial that is the same in every process, since fuzzing uses
// several: Ed25519 makes the same signatures again.
func fixedTrial(t testing.TB) *trial {
	key := func(seed byte) crypto.Signer {
		return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	}
	make := func(template, parent *x509.Certificate, key, signer crypto.Signer) *x509.Certificate {
		der, err := x509.CreateCertificate(nil, template, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		return parse(t, der)
	}
	rootKey, leafKey := key(1), key(2)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: now.Add(-10 * day), NotAfter: now.Add(80 * day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root := make(template, template, rootKey, rootKey)
	leaf := make(&x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{source}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, root, leafKey, rootKey)
	signer, err := keys.NewSigner([]*x509.Certificate{leaf}, leafKey)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return &trial{
		draft:  &draft{laboratory: &laboratory{t: t, signer: signer}, statement: goodStatement(), signer: signer},
		query:  Query{Source: source, Service: service},
		policy: Policy{Roots: roots, Time: now},
	}
}

// FuzzAC: what decodes is written again to the same octets of the attribute,
// Inspect agrees, and an error has a reason. Nothing is verified but the one
// statement that was signed, under its own signature.
func FuzzAC(f *testing.F) {
	tr := fixedTrial(f)
	good := tr.ac(acEdits{})
	genuine := acParse(f, good)
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
	f.Add(good)
	for _, base := range acBases(f) {
		f.Add(base.ac(acEdits{}))
		f.Add(base.ac(acEdits{bag: func(signed *dertree.Node) {
			members := signed.At(acder.BagCertificates).Children
			members[0], members[len(members)-1] = members[len(members)-1], members[0]
		}}))
	}
	for _, e := range []acEdits{
		{ac: func(ac *dertree.Node) { ac.At(2).Content[7] ^= 1 }},
		{key: other, info: func(info *dertree.Node) {
			info.At(acder.PartExtensions).Add(acder.Extension("2.25.1", false, []byte("x")))
		}},
		{key: other, info: func(info *dertree.Node) { info.At(acder.PathTarget...).At(1).Content = []byte{1} }},
		{bag: func(signed *dertree.Node) { signed.At(acder.BagSigners).Add(acder.Integer(1)) }},
		{octets: func(der []byte) []byte { return append(der, '\n') }},
	} {
		f.Add(tr.ac(e))
	}
	f.Add([]byte("0"))
	for _, der := range vectorSeeds(f).Messages {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		input := bytes.Clone(der)
		result, err := Verify(tr.query, evidenceOf(acDocument(der)), tr.policy)
		if !bytes.Equal(input, der) {
			t.Fatal("the input was changed")
		}
		received, formErr := decode(AC, der, nil)
		if formErr != nil {
			if err == nil || !ReasonOf(formErr).Known() || ReasonOf(formErr) != ReasonOf(err) {
				t.Fatalf("form: %v, verification: %v", formErr, err)
			}
			return
		}
		ac := acParse(t, der)
		hash, again := signerHashOf(t, ac.Attributes[0].Values[0]), received.statement
		if e := again.check(); e != nil {
			t.Fatal(e)
		}
		if value, err := encodeAttribute(again, hash); err != nil || !bytes.Equal(value, ac.Attributes[0].Values[0]) {
			t.Fatalf("the attribute is written again as\n%x (%v), was\n%x", value, err, ac.Attributes[0].Values[0])
		}
		if err != nil {
			wantRefusal(t, ReasonOf(err), err)
			return
		}
		if !bytes.Equal(ac.RawACInfo, genuine.RawACInfo) || !bytes.Equal(ac.Signature, genuine.Signature) {
			t.Fatalf("verified: %x", der)
		}
		if len(result.Targets()) != 1 || result.Targets()[0].Endpoint != endpoint {
			t.Fatalf("verified targets %v", result.Targets())
		}
	})
}

func signerHashOf(t *testing.T, value []byte) Digest {
	t.Helper()
	_, hash, e := decodeAttribute(value)
	if e != nil {
		t.Fatal(e)
	}
	return hash
}
