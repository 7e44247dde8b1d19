// Package sct writes signed certificate timestamps (RFC 6962) into
// certificates, for tests and test vectors. Their signatures are not real: a
// verifier of statements does not check them.
package sct

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// OID is the extension with the list of embedded SCTs (RFC 6962, Section 3.3).
var OID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// The parts of an SCT whose values do not matter here.
const (
	sha256, ecdsa = 4, 3 // RFC 5246, Section 7.4.1.4.1
	signatureSize = 71   // that of most ECDSA signatures on P-256
)

// V1 is a version 1 SCT with a timestamp in milliseconds since 1970
// (RFC 6962, Section 3.2).
func V1(timestamp uint64) []byte {
	var b cryptobyte.Builder
	b.AddUint8(0)
	b.AddBytes(make([]byte, 32)) // the log's ID
	b.AddUint64(timestamp)
	b.AddUint16(0) // no extensions
	b.AddUint8(sha256)
	b.AddUint8(ecdsa)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(make([]byte, signatureSize)) })
	return b.BytesOrPanic()
}

// List is a SignedCertificateTimestampList.
func List(scts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, sct := range scts {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(sct) })
		}
	})
	return b.BytesOrPanic()
}

// Value is what the extension holds: a list in an OCTET STRING.
func Value(list []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(der.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddBytes(list) })
	return b.BytesOrPanic()
}

// Extension holds these SCTs.
func Extension(scts ...[]byte) pkix.Extension {
	return pkix.Extension{Id: OID, Value: Value(List(scts...))}
}

// Embed is an edit for a certificate that is about to be signed: it embeds an
// SCT for each of these moments.
func Embed(moments ...time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		var scts [][]byte
		for _, t := range moments {
			scts = append(scts, V1(uint64(t.UnixMilli())))
		}
		c.ExtraExtensions = append(c.ExtraExtensions, Extension(scts...))
	}
}
