package delegation

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/encoding/x509attr"
	"github.com/dnasign/dnasign/keys"
)

// signAC makes an attribute certificate for a statement that has been checked
// and puts it into a CMS bag with the signer's chain.
func signAC(s Statement, signer *keys.Signer) ([]byte, error) {
	leaf := signer.Leaf()
	algorithm, err := keys.AlgorithmFor(leaf.PublicKey)
	if err != nil {
		return nil, err
	}
	value, err := encodeAttribute(s, sha256.Sum256(leaf.Raw))
	if err != nil {
		return nil, err
	}
	keyID, err := keyIdentifier(leaf)
	if err != nil {
		return nil, err
	}
	ac, err := x509attr.Create(rand.Reader, &x509attr.AttributeCertificate{
		Holder:             x509attr.Holder{EntityName: holderNames(&s)},
		SignatureAlgorithm: algorithm.X509(),
		SerialNumber:       serialOf(s.ID),
		NotBefore:          s.Issued,
		NotAfter:           s.Expires.Add(-time.Second), // inclusive there
		Attributes:         []x509attr.Attribute{{Type: attributeOID, Values: [][]byte{value}}},
		AuthorityKeyID:     keyID,
		NoRevAvail:         true,
	}, leaf, signer.Key())
	if err != nil {
		return nil, err
	}
	bag := &x509attr.Bag{AttributeCertificates: [][]byte{ac}}
	for _, c := range signer.Chain() {
		bag.Certificates = append(bag.Certificates, c.Raw)
	}
	return x509attr.MarshalBag(bag)
}

// keyIdentifier is the signer's subjectKeyIdentifier. Without one it is made
// from the key by RFC 7093, Section 2, method 1: the left-most 160 bits of the
// SHA-256 of the subjectPublicKey.
func keyIdentifier(leaf *x509.Certificate) ([]byte, error) {
	if len(leaf.SubjectKeyId) > 0 {
		return leaf.SubjectKeyId, nil
	}
	spki := cryptobyte.String(leaf.RawSubjectPublicKeyInfo)
	var info, algorithm cryptobyte.String
	var key []byte
	if !spki.ReadASN1(&info, asn1.SEQUENCE) || !info.ReadASN1(&algorithm, asn1.SEQUENCE) || !info.ReadASN1BitStringAsBytes(&key) {
		return nil, Errorf(reasons.MalformedCertificate, "the signer's SubjectPublicKeyInfo cannot be read")
	}
	sum := sha256.Sum256(key)
	return sum[:20], nil
}
