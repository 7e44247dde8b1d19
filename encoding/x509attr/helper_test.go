package x509attr

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	encoding_asn1 "encoding/asn1"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"pgregory.net/rapid"
)

// uuidOID is a type with an arc of 128 bits.
const uuidOID = "2.25.299488364207934482341853061489462189513"

// testKeys makes one key of each supported kind, once.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	keys := make(map[string]crypto.Signer)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	keys["RSA-2048"] = rsaKey
	for name, curve := range map[string]elliptic.Curve{
		"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521(), "P-224": elliptic.P224(),
	} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			panic(err)
		}
		keys[name] = key
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	keys["Ed25519"] = edKey
	return keys
})

// start is when everything in these tests becomes valid.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// issuerTemplate is a usual end-entity certificate.
func issuerTemplate(subject string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(77),
		NotBefore:             start,
		NotAfter:              start.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		SubjectKeyId:          []byte("key identifier"),
		DNSNames:              []string{"b.example"},
	}
	if subject != "" {
		template.Subject = pkix.Name{CommonName: subject, Organization: []string{"Example"}}
	}
	return template
}

// selfSigned turns a template into a certificate.
func selfSigned(t testing.TB, template *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// oid parses an object identifier in dotted form.
func oid(t testing.TB, dotted string) x509.OID {
	t.Helper()
	id, err := x509.ParseOID(dotted)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// element encodes one element.
func element(tag asn1.Tag, content ...byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}

// plainTemplate is a small template with one of everything that is needed.
func plainTemplate(t testing.TB) *AttributeCertificate {
	return &AttributeCertificate{
		Holder:       Holder{EntityName: []GeneralName{{Kind: NameDNS, Value: []byte("host.example")}}},
		SerialNumber: big.NewInt(1234567890),
		NotBefore:    start,
		NotAfter:     start.Add(24 * time.Hour),
		Attributes:   []Attribute{{Type: oid(t, uuidOID), Values: [][]byte{element(asn1.UTF8String, 'x')}}},
	}
}

// richTemplate is a template with everything that this package can encode.
func richTemplate(t testing.TB) *AttributeCertificate {
	id := oid(t, "1.3.6.1.5.5.7.10.4")
	name := selfSigned(t, issuerTemplate("Directory"), testKeys()["P-256"]).RawSubject
	otherName := append(element(asn1.OBJECT_IDENTIFIER, 0x2a, 0x03), element(tagContext(0, true), element(asn1.UTF8String, 'o')...)...)
	template := plainTemplate(t)
	template.Holder = Holder{
		BaseCertificateID: &IssuerSerial{
			Issuer:         []GeneralName{{Kind: NameDirectory, Value: name}},
			Serial:         big.NewInt(-129),
			IssuerUniqueID: &encoding_asn1.BitString{Bytes: []byte{0xa0}, BitLength: 3},
		},
		EntityName: []GeneralName{
			{Kind: NameOther, Value: otherName},
			{Kind: NameEmail, Value: []byte("a@b.example")},
			{Kind: NameDNS, Value: []byte("host.example")},
			{Kind: NameX400, Value: element(asn1.SEQUENCE)},
			{Kind: NameDirectory, Value: element(asn1.SEQUENCE)},
			{Kind: NameEDIParty, Value: element(tagContext(1, true), element(asn1.UTF8String, 'e')...)},
			{Kind: NameURI, Value: []byte("xmpp:host.example")},
			{Kind: NameIP, Value: []byte{192, 0, 2, 1}},
			{Kind: NameRegisteredID, Value: []byte(oidData)},
		},
		ObjectDigestInfo: &ObjectDigestInfo{
			Object:          DigestedOtherType,
			OtherObjectType: &id,
			DigestAlgorithm: AlgorithmIdentifier{Algorithm: constOID(oidSHA256), Parameters: []byte(derNull)},
			Digest:          encoding_asn1.BitString{Bytes: make([]byte, 32), BitLength: 256},
		},
	}
	template.Attributes = append(template.Attributes, Attribute{Type: id, Values: [][]byte{
		element(asn1.SEQUENCE, element(asn1.INTEGER, 5)...),
		element(asn1.OCTET_STRING, 1, 2, 3),
		element(asn1.INTEGER, 7),
	}})
	template.IssuerUniqueID = &encoding_asn1.BitString{Bytes: []byte{1, 2}, BitLength: 16}
	template.Extensions = []Extension{
		{ID: oid(t, "2.5.29.55"), Critical: true, Value: element(asn1.SEQUENCE)},
		{ID: oid(t, uuidOID), Value: []byte("anything")},
	}
	template.AuthorityKeyID = []byte("another key identifier")
	template.NoRevAvail = true
	return template
}

// create issues from a template with the P-256 key.
func create(t testing.TB, template *AttributeCertificate) []byte {
	t.Helper()
	key := testKeys()["P-256"]
	der, err := Create(rand.Reader, template, selfSigned(t, issuerTemplate("Issuer"), key), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// wantProblem fails the test unless err is an *Error with the problem given.
func wantProblem(t testing.TB, err error, want Problem) {
	t.Helper()
	var e *Error
	switch {
	case err == nil:
		t.Fatalf("accepted, want %q", want)
	case !errors.As(err, &e):
		t.Fatalf("error is a %T: %v", err, err)
	case e.Problem != want:
		t.Fatalf("problem is %q (%v), want %q", e.Problem, err, want)
	}
}

// readTestdata returns the files that match a pattern below testdata, at
// least min of them, by name.
func readTestdata(t testing.TB, pattern string, min int) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < min {
		t.Fatalf("%d files match testdata/%s, want at least %d", len(paths), pattern, min)
	}
	files := make(map[string][]byte)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = content
	}
	return files
}

// A node is one element of a DER tree that a test can spoil.
type node struct {
	tag      byte
	content  []byte  // of a primitive element
	children []*node // of a constructed one
	tail     []byte  // octets after the children
	header   func(tag byte, length int) []byte
}

// parseTree reads one element and everything in it.
func parseTree(t testing.TB, der []byte) *node {
	t.Helper()
	s := cryptobyte.String(der)
	var content cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&content, &tag) || !s.Empty() {
		t.Fatalf("not one element: %x", der)
	}
	n := &node{tag: byte(tag), content: bytes.Clone(content)}
	if tag&0x20 == 0 {
		return n
	}
	n.content = nil
	for !content.Empty() {
		var child cryptobyte.String
		if !content.ReadAnyASN1Element(&child, &tag) {
			t.Fatalf("not an element: %x", content)
		}
		n.children = append(n.children, parseTree(t, child))
	}
	return n
}

// encode writes the tree, with right lengths except where header is set.
func (n *node) encode() []byte {
	content := append([]byte{}, n.content...)
	for _, child := range n.children {
		content = append(content, child.encode()...)
	}
	content = append(content, n.tail...)
	if n.header != nil {
		return append(n.header(n.tag, len(content)), content...)
	}
	return element(asn1.Tag(n.tag), content...)
}

// at follows a path of child numbers.
func (n *node) at(path ...int) *node {
	for _, i := range path {
		n = n.children[i]
	}
	return n
}

// remove takes away child i.
func (n *node) remove(i int) {
	n.children = append(n.children[:i:i], n.children[i+1:]...)
}

// walk calls f for every node, with the path to it.
func (n *node) walk(path []int, f func(path []int, n *node)) {
	f(path, n)
	for i, child := range n.children {
		child.walk(append(path[:len(path):len(path)], i), f)
	}
}

// splitElements cuts octets into elements.
func splitElements(t testing.TB, s cryptobyte.String) [][]byte {
	t.Helper()
	var elements [][]byte
	for !s.Empty() {
		var e cryptobyte.String
		var tag asn1.Tag
		if !s.ReadAnyASN1Element(&e, &tag) {
			t.Fatalf("not an element: %x", s)
		}
		elements = append(elements, e)
	}
	return elements
}

// contentOf returns the content of one element.
func contentOf(t rapid.TB, der []byte) []byte {
	t.Helper()
	s := cryptobyte.String(der)
	var content cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		t.Fatalf("not an element: %x", der)
	}
	return content
}
