package x509attr

import "crypto/x509"

// Object identifiers as their DER content octets. Strings of octets, unlike
// asn1.ObjectIdentifier, hold arcs of any size, can be constants and serve as
// map keys.
const (
	oidAuthorityKeyID = "\x55\x1d\x23" // 2.5.29.35
	oidNoRevAvail     = "\x55\x1d\x38" // 2.5.29.56

	oidData       = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01" // 1.2.840.113549.1.7.1
	oidSignedData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" // 1.2.840.113549.1.7.2
)

// oidFrom turns content octets into an OID. It refuses an empty identifier, an
// unfinished last arc, and an arc that is not in its shortest form (X.690,
// Section 8.19.2). The size of an arc does not matter.
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

// constOID is oidFrom for a constant.
func constOID(content string) x509.OID {
	oid, _ := oidFrom([]byte(content))
	return oid
}
