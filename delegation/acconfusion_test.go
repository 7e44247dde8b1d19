package delegation

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// These tests check the last section of docs/threat-model.md. Nothing else that
// the key of a TLS certificate signs is a statement, and no statement is
// something else that such a key signs.

// A signedThing is what a key signs in another protocol.
type signedThing struct {
	name    string
	message []byte // what is signed
	der     []byte // the whole structure, nil where there is none
}

// signedThings makes one thing of every kind with the signer's key.
func signedThings(t *testing.T, signer *keys.Signer) []signedThing {
	t.Helper()
	must := func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	leaf, key := signer.Leaf(), signer.Key()
	// A self-made authority with the same key: crypto/x509 asks for one to
	// sign lists and answers with.
	authority := *leaf
	authority.IsCA, authority.KeyUsage, authority.SubjectKeyId = true, x509.KeyUsageCRLSign|x509.KeyUsageCertSign, []byte{1}
	tbs := func(der []byte) []byte { return dertree.MustParse(der).At(0).Bytes() }

	hash := bytes.Repeat([]byte{0x5a}, crypto.SHA256.Size())
	tls13 := strings.Repeat(" ", 64) + "TLS 1.3, server CertificateVerify\x00" + string(hash)
	// RFC 8422, Section 5.4: two random values and an ECDH key on a named curve.
	parameters := append([]byte{3, 0, 0x1d, 32}, hash...)
	honest := append(bytes.Repeat([]byte{0x11}, 64), parameters...)
	// The peer chooses the first 32 octets: those of a statement here.
	hostile := append(bytes.Clone(acInfoOf(goodStatement(), signer).Bytes()[:32]), honest[32:]...)

	csr := must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: source}, DNSNames: []string{source}}, key))
	certificate := must(x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, DNSNames: []string{source},
	}, &authority, leaf.PublicKey, key))
	crl := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: leaf.NotBefore, NextUpdate: leaf.NotAfter,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(2), RevocationTime: leaf.NotBefore}},
	}, &authority, key))
	// Package ocsp does not sign with Ed25519; what is signed is the same.
	responder := key
	if acder.Hash(leaf.PublicKey) == 0 {
		responder = newLaboratory(t).signer.Key()
	}
	response := must(ocsp.CreateResponse(&authority, leaf, ocsp.Response{
		Status: ocsp.Good, SerialNumber: leaf.SerialNumber, ThisUpdate: leaf.NotBefore, NextUpdate: leaf.NotAfter,
	}, responder))
	basic := dertree.MustParse(dertree.MustParse(response).At(1, 0, 1).Content)
	return []signedThing{
		{"TLS 1.3 CertificateVerify", []byte(tls13), nil},
		{"TLS 1.2 ServerKeyExchange", honest, nil},
		{"TLS 1.2 ServerKeyExchange with a chosen random value", hostile, nil},
		{"certificate request", tbs(csr), csr},
		{"certificate", tbs(certificate), certificate},
		{"revocation list", tbs(crl), crl},
		{"OCSP response", basic.At(0).Bytes(), response},
	}
}

// TestConfusedWithStatement offers each of them as a statement, with a valid
// signature by the right certificate.
func TestConfusedWithStatement(t *testing.T) {
	cases := 0
	for _, kind := range acKinds {
		tr := newTrial(t)
		tr.signer = tr.issue(kind, acNamed)
		for _, thing := range signedThings(t, tr.signer) {
			signature := acder.Sign(rand.Reader, tr.signer.Key(), acder.Hash(tr.signer.Leaf().PublicKey), thing.message)
			offer := func(name string, d Document, want reasons.Reason) {
				cases++
				t.Run(kind+"/"+thing.name+"/"+name, func(t *testing.T) {
					trial := newTrial(t)
					trial.evidence = evidenceOf(d)
					result, err := trial.verify()
					wantEnd(t, want, result, err)
				})
			}
			offer("as a signed part", acDocument(bagAround(tr.signer, thing.message, signature)), reasons.MalformedAC)
			offer("as a JWS", document([]byte(string(thing.message)+"."+base64.RawURLEncoding.EncodeToString(signature))), reasons.MalformedToken)
			if thing.der == nil {
				continue
			}
			offer("as a document", acDocument(thing.der), reasons.MalformedBag)
			offer("as a file", Document{File: "file", Body: thing.der}, reasons.MalformedBag)
			member := dertree.MustParse(thing.der)
			offer("as an attribute certificate", acDocument(acder.Bag(member, localca.TLS(tr.signer).Certificate...).Bytes()), reasons.MalformedAC)
			offer("in the alphabet of a JWS", document([]byte(base64.RawURLEncoding.EncodeToString(thing.message)+"."+
				base64.RawURLEncoding.EncodeToString(signature))), reasons.MalformedToken)
		}
	}
	if cases != 4*(7*2+4*4) {
		t.Errorf("%d cases", cases)
	}
}

// bagAround is a CMS message with an attribute certificate of which the signed
// part is any octets.
func bagAround(signer *keys.Signer, message, signature []byte) []byte {
	ac := dertree.Constructed(acder.TagSequence)
	ac.Tail = slices.Concat(message, acder.AlgorithmOf(signer.Leaf().PublicKey).Bytes(),
		dertree.Primitive(acder.TagBits, append([]byte{0}, signature...)...).Bytes())
	return acder.Bag(ac, localca.TLS(signer).Certificate...).Bytes()
}

// TestStatementConfused wraps the signed part of statements, with its valid
// signature, in all that is built like it, for crypto/x509 to read.
func TestStatementConfused(t *testing.T) {
	for name, signer := range acSigners(newLaboratory(t)) {
		tr := newTrial(t)
		tr.signer = signer
		for _, statement := range []func(s *Statement){func(*Statement) {}, func(s *Statement) { s.Targets = nil }} {
			tr.statement = goodStatement()
			statement(&tr.statement)
			der := acParse(t, tr.ac(acEdits{})).Raw
			if _, err := x509.ParseCertificate(der); err == nil {
				t.Errorf("%s: a certificate", name)
			}
			if _, err := x509.ParseCertificateRequest(der); err == nil {
				t.Errorf("%s: a certificate request", name)
			}
			if _, err := x509.ParseRevocationList(der); err == nil {
				t.Errorf("%s: a revocation list", name)
			}
			basic := dertree.Constructed(acder.TagSequence, acder.ObjectID("1.3.6.1.5.5.7.48.1.1"), dertree.Primitive(acder.TagOctets, der...))
			response := dertree.Constructed(acder.TagSequence, dertree.Primitive(0x0a, 0), dertree.Constructed(acder.Context(0), basic))
			if _, err := ocsp.ParseResponse(response.Bytes(), nil); err == nil {
				t.Errorf("%s: an OCSP response", name)
			}
		}
	}
}
