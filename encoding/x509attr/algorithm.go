package x509attr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// The algorithms, as content octets.
const (
	oidSHA256WithRSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b" // 1.2.840.113549.1.1.11
	oidSHA384WithRSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c" // 1.2.840.113549.1.1.12
	oidSHA512WithRSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d" // 1.2.840.113549.1.1.13
	oidRSAPSS          = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" // 1.2.840.113549.1.1.10
	oidMGF1            = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" // 1.2.840.113549.1.1.8
	oidECDSAWithSHA256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"     // 1.2.840.10045.4.3.2
	oidECDSAWithSHA384 = "\x2a\x86\x48\xce\x3d\x04\x03\x03"     // 1.2.840.10045.4.3.3
	oidECDSAWithSHA512 = "\x2a\x86\x48\xce\x3d\x04\x03\x04"     // 1.2.840.10045.4.3.4
	oidEd25519         = "\x2b\x65\x70"                         // 1.3.101.112
	oidSHA256          = "\x60\x86\x48\x01\x65\x03\x04\x02\x01" // 2.16.840.1.101.3.4.2.1
	oidSHA384          = "\x60\x86\x48\x01\x65\x03\x04\x02\x02" // 2.16.840.1.101.3.4.2.2
	oidSHA512          = "\x60\x86\x48\x01\x65\x03\x04\x02\x03" // 2.16.840.1.101.3.4.2.3
)

// An AlgorithmIdentifier names an algorithm and its parameters (RFC 5280,
// Section 4.1.1.2).
type AlgorithmIdentifier struct {
	Algorithm x509.OID
	// Parameters is one DER element, or empty where they are absent.
	Parameters []byte
}

// derNull is the NULL element.
const derNull = "\x05\x00"

// readAlgorithmIdentifier reads an AlgorithmIdentifier.
//
//	AlgorithmIdentifier ::= SEQUENCE {
//	    algorithm  OBJECT IDENTIFIER,
//	    parameters ANY DEFINED BY algorithm OPTIONAL }
func readAlgorithmIdentifier(s *cryptobyte.String, out *AlgorithmIdentifier) bool {
	var id cryptobyte.String
	if !s.ReadASN1(&id, asn1.SEQUENCE) || !readOID(&id, &out.Algorithm) {
		return false
	}
	out.Parameters = nil
	if id.Empty() {
		return true
	}
	out.Parameters = id
	return validAny(&id, maxDepth) && id.Empty()
}

func addAlgorithmIdentifier(b *cryptobyte.Builder, id AlgorithmIdentifier) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, id.Algorithm)
		b.AddBytes(id.Parameters)
	})
}

func addOID(b *cryptobyte.Builder, oid x509.OID) {
	b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) {
		b.AddBytes([]byte(oidContent(oid)))
	})
}

// signatureAlgorithm says which algorithm an identifier stands for. It is
// UnknownSignatureAlgorithm if this package does not check the algorithm, or if
// the parameters are not exactly those of its specification.
func signatureAlgorithm(id AlgorithmIdentifier) x509.SignatureAlgorithm {
	oid := oidContent(id.Algorithm)
	for algorithm, s := range schemes {
		if s.oid == oid && slices.Contains(s.parameters, string(id.Parameters)) {
			return algorithm
		}
	}
	return x509.UnknownSignatureAlgorithm
}

// A scheme is what signing with an algorithm takes.
type scheme struct {
	oid  string      // of the algorithm
	hash crypto.Hash // 0: the message is signed as it is
	key  x509.PublicKeyAlgorithm
	// parameters are those of its identifier, in DER. There is one way to write
	// them, and more only if the specification asks for that. The first is ours.
	parameters []string
}

var (
	null   = []string{derNull} // RFC 4055, Section 5: PKCS #1 v1.5
	absent = []string{""}      // RFC 5758, Section 3.2 and RFC 8410, Section 3
)

var schemes = map[x509.SignatureAlgorithm]scheme{
	x509.SHA256WithRSA:    {oidSHA256WithRSA, crypto.SHA256, x509.RSA, null},
	x509.SHA384WithRSA:    {oidSHA384WithRSA, crypto.SHA384, x509.RSA, null},
	x509.SHA512WithRSA:    {oidSHA512WithRSA, crypto.SHA512, x509.RSA, null},
	x509.SHA256WithRSAPSS: {oidRSAPSS, crypto.SHA256, x509.RSA, pssParameters(oidSHA256, crypto.SHA256)},
	x509.SHA384WithRSAPSS: {oidRSAPSS, crypto.SHA384, x509.RSA, pssParameters(oidSHA384, crypto.SHA384)},
	x509.SHA512WithRSAPSS: {oidRSAPSS, crypto.SHA512, x509.RSA, pssParameters(oidSHA512, crypto.SHA512)},
	x509.ECDSAWithSHA256:  {oidECDSAWithSHA256, crypto.SHA256, x509.ECDSA, absent},
	x509.ECDSAWithSHA384:  {oidECDSAWithSHA384, crypto.SHA384, x509.ECDSA, absent},
	x509.ECDSAWithSHA512:  {oidECDSAWithSHA512, crypto.SHA512, x509.ECDSA, absent},
	x509.PureEd25519:      {oidEd25519, 0, x509.Ed25519, absent},
}

func (s scheme) identifier() AlgorithmIdentifier {
	return AlgorithmIdentifier{constOID(s.oid), []byte(s.parameters[0])}
}

// pssParameters are the parameters of RSASSA-PSS. As in crypto/x509 the mask
// generation must use the hash of the message, and the salt must have its
// length. Other combinations are not in use and look like accidents. The
// trailer field has its default value in all of them, so DER does not write it.
//
// RFC 4055, Section 2.1: a hash function's parameters are NULL or absent, and
// both have to be accepted. Section 3.1: NULL is to be written.
//
//	RSASSA-PSS-params ::= SEQUENCE {
//	    hashAlgorithm    [0] HashAlgorithm DEFAULT sha1,
//	    maskGenAlgorithm [1] MaskGenAlgorithm DEFAULT mgf1SHA1,
//	    saltLength       [2] INTEGER DEFAULT 20,
//	    trailerField     [3] INTEGER DEFAULT 1 }
func pssParameters(hashOID string, hash crypto.Hash) (all []string) {
	for _, ofHash := range []string{derNull, ""} {
		for _, ofMask := range []string{derNull, ""} {
			var b cryptobyte.Builder
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(tagContext(0, true), func(b *cryptobyte.Builder) {
					addAlgorithmIdentifier(b, AlgorithmIdentifier{constOID(hashOID), []byte(ofHash)})
				})
				b.AddASN1(tagContext(1, true), func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						addOID(b, constOID(oidMGF1))
						addAlgorithmIdentifier(b, AlgorithmIdentifier{constOID(hashOID), []byte(ofMask)})
					})
				})
				b.AddASN1(tagContext(2, true), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(hash.Size())) })
			})
			all = append(all, string(b.BytesOrPanic()))
		}
	}
	return all
}

// keyAlgorithm says what kind of key pub is and which signature algorithm fits
// it best. For ECDSA it takes the hash of the curve's size (RFC 5480, Section
// 4). It refuses other kinds and curves, and RSA keys outside the limits.
func keyAlgorithm(pub crypto.PublicKey) (x509.PublicKeyAlgorithm, x509.SignatureAlgorithm, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if bits := pub.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return 0, 0, fail(ProblemIssuerKey, "RSA key has %d bits, not %d to %d", bits, minRSABits, maxRSABits)
		}
		return x509.RSA, x509.SHA256WithRSA, nil
	case *ecdsa.PublicKey:
		switch pub.Curve {
		case elliptic.P256():
			return x509.ECDSA, x509.ECDSAWithSHA256, nil
		case elliptic.P384():
			return x509.ECDSA, x509.ECDSAWithSHA384, nil
		case elliptic.P521():
			return x509.ECDSA, x509.ECDSAWithSHA512, nil
		}
		return 0, 0, fail(ProblemIssuerKey, "ECDSA key is not on P-256, P-384 or P-521")
	case ed25519.PublicKey:
		return x509.Ed25519, x509.PureEd25519, nil
	}
	return 0, 0, fail(ProblemIssuerKey, "key is not of RSA, ECDSA or Ed25519")
}
