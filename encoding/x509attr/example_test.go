package x509attr_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"log"
	"math/big"
	"time"

	"github.com/dnasign/dnasign/encoding/x509attr"
)

// newIssuer makes a key and a certificate for it that no CA has signed. Real
// ones come from files.
func newIssuer(now time.Time) (*ecdsa.PrivateKey, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "Attribute Authority"},
		NotBefore:    now,
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	return key, cert
}

// issue makes an attribute certificate for a host.
func issue(now time.Time, key *ecdsa.PrivateKey, cert *x509.Certificate) []byte {
	colour, err := x509.ParseOID("2.25.299488364207934482341853061489462189513")
	if err != nil {
		log.Fatal(err)
	}
	value, err := asn1.Marshal("blue")
	if err != nil {
		log.Fatal(err)
	}
	der, err := x509attr.Create(rand.Reader, &x509attr.AttributeCertificate{
		Holder: x509attr.Holder{EntityName: []x509attr.GeneralName{
			{Kind: x509attr.NameDNS, Value: []byte("host.example")},
		}},
		SerialNumber: big.NewInt(4711),
		NotBefore:    now,
		NotAfter:     now.Add(24 * time.Hour),
		Attributes:   []x509attr.Attribute{{Type: colour, Values: [][]byte{value}}},
		NoRevAvail:   true,
	}, cert, key)
	if err != nil {
		log.Fatal(err)
	}
	return der
}

// Issue an attribute certificate and verify it.
func Example() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, cert := newIssuer(now)
	der := issue(now, key, cert)

	// The other side has der and, from somewhere it trusts, cert.
	ac, err := x509attr.Parse(der)
	if err != nil {
		log.Fatal(err)
	}
	if err := ac.CheckSignatureFrom(cert); err != nil {
		log.Fatal(err)
	}
	if !ac.ValidAt(now.Add(time.Hour)) {
		log.Fatal("expired, or not yet valid")
	}
	if ids := ac.UnhandledCriticalExtensions(); len(ids) > 0 {
		log.Fatal("critical extensions: ", ids)
	}
	fmt.Println("holder:", ac.Holder.EntityName[0])
	for _, attribute := range ac.Attributes {
		fmt.Println("attribute:", attribute.Type)
		for _, value := range attribute.Values {
			var text string
			if rest, err := asn1.Unmarshal(value, &text); err != nil || len(rest) > 0 {
				log.Fatal("malformed value")
			}
			fmt.Println("value:", text)
		}
	}
	// Output:
	// holder: dNSName:"host.example"
	// attribute: 2.25.299488364207934482341853061489462189513
	// value: blue
}

// Send an attribute certificate together with its issuer's certificate, and
// find the issuer's certificate at the other end.
func ExampleParseBag() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, cert := newIssuer(now)
	message, err := x509attr.MarshalBag(&x509attr.Bag{
		AttributeCertificates: [][]byte{issue(now, key, cert)},
		Certificates:          [][]byte{cert.Raw},
	})
	if err != nil {
		log.Fatal(err)
	}

	bag, err := x509attr.ParseBag(message)
	if err != nil {
		log.Fatal(err)
	}
	der, err := bag.Single()
	if err != nil {
		log.Fatal(err)
	}
	ac, err := x509attr.Parse(der)
	if err != nil {
		log.Fatal(err)
	}
	for _, raw := range bag.Certificates {
		candidate, err := x509.ParseCertificate(raw)
		if err != nil {
			log.Fatal(err)
		}
		// A bag proves nothing: whether candidate is to be trusted remains to be
		// checked with candidate.Verify.
		if ac.CheckSignatureFrom(candidate) == nil {
			fmt.Println("signed by", candidate.Subject)
		}
	}
	// Output:
	// signed by CN=Attribute Authority
}
