package x509attr

import "encoding/pem"

// EncodePEM returns der as a PEM block with the label ATTRIBUTE CERTIFICATE
// (RFC 7468, Section 9). It does not look at der.
func EncodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "ATTRIBUTE CERTIFICATE", Bytes: der})
}
