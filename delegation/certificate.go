package delegation

import (
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// parseCertificate reads one certificate and nothing besides. crypto/x509
// ignores octets after the signature within the outer SEQUENCE. No signature
// covers them, so anybody could put anything there.
//
//	Certificate ::= SEQUENCE {
//	    tbsCertificate     TBSCertificate,
//	    signatureAlgorithm AlgorithmIdentifier,
//	    signatureValue     BIT STRING }
func parseCertificate(der []byte) (*x509.Certificate, error) {
	input := cryptobyte.String(der)
	var content cryptobyte.String
	if !input.ReadASN1(&content, asn1.SEQUENCE) || !input.Empty() ||
		!content.SkipASN1(asn1.SEQUENCE) ||
		!content.SkipASN1(asn1.SEQUENCE) ||
		!content.SkipASN1(asn1.BIT_STRING) ||
		!content.Empty() {
		return nil, errors.New("not a certificate in DER, and nothing after it")
	}
	return x509.ParseCertificate(der)
}
