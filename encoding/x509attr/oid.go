package x509attr

import "crypto/x509"

// Object identifiers as their DER content octets. Strings of octets, unlike
// asn1.ObjectIdentifier, hold arcs of any size, can be constants and serve as
// map keys.
const (
	oidAuthorityKeyID = "\x55\x1d\x23" // 2.5.29.35
	oidNoRevAvail     = "\x55\x1d\x38" // 2.5.29.56

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

	oidData       = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01" // 1.2.840.113549.1.7.1
	oidSignedData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" // 1.2.840.113549.1.7.2
)

// oidFrom turns content octets into an OID. It refuses an empty identifier,
// an unfinished last arc and an arc that is not in its shortest form (X.690,
// Section 8.19.2); the size of a single arc does not matter.
func oidFrom(content []byte) (x509.OID, bool) {
	var oid x509.OID
	if len(content) > maxOIDOctets {
		return x509.OID{}, false
	}
	if err := oid.UnmarshalBinary(content); err != nil {
		return x509.OID{}, false
	}
	return oid, true
}

// oidContent is the reverse of oidFrom. It is empty for the zero OID, which
// no reader accepts.
func oidContent(oid x509.OID) string {
	content, err := oid.MarshalBinary()
	if err != nil {
		return ""
	}
	return string(content)
}

// constOID is oidFrom for a constant of this file.
func constOID(content string) x509.OID {
	oid, _ := oidFrom([]byte(content))
	return oid
}
