package x509attr

import (
	"bytes"
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Readers of primitive types. They follow the manner of cryptobyte: each takes
// one element off s and says whether it was there and well-formed. cryptobyte
// itself checks that lengths are definite and minimal (X.690, Section 10.1).
// This file checks what it leaves open.

// tagContext is the tag of an element in the context-specific class, by its
// number and whether its content is constructed.
func tagContext(number uint8, constructed bool) asn1.Tag {
	tag := asn1.Tag(number).ContextSpecific()
	if constructed {
		tag = tag.Constructed()
	}
	return tag
}

// readOID reads an OBJECT IDENTIFIER with arcs of any size.
// cryptobyte's own reader stops at 31 bits an arc.
func readOID(s *cryptobyte.String, out *x509.OID) bool {
	var content cryptobyte.String
	if !s.ReadASN1(&content, asn1.OBJECT_IDENTIFIER) {
		return false
	}
	oid, ok := oidFrom(content)
	*out = oid
	return ok
}

// readInteger reads an INTEGER of any sign and size in its shortest form
// (X.690, Section 8.3.2), under the tag given.
func readInteger(s *cryptobyte.String, out **big.Int, tag asn1.Tag) bool {
	var element cryptobyte.String
	if !s.ReadASN1Element(&element, tag) {
		return false
	}
	if tag != asn1.INTEGER {
		element = bytes.Clone(element)
		element[0] = byte(asn1.INTEGER) // a tag is one octet
	}
	*out = new(big.Int)
	return element.ReadASN1Integer(*out)
}

// readOptionalBitString reads a BIT STRING, or leaves *out nil where none
// follows. Unused bits must be zero (X.690, Section 11.2.1).
func readOptionalBitString(s *cryptobyte.String, out **encoding_asn1.BitString) bool {
	*out = nil
	if !s.PeekASN1Tag(asn1.BIT_STRING) {
		return true
	}
	*out = new(encoding_asn1.BitString)
	return s.ReadASN1BitString(*out)
}

// addBitString is the reverse of the BIT STRING readers. cryptobyte's own
// writer knows whole octets only.
func addBitString(b *cryptobyte.Builder, bits encoding_asn1.BitString) {
	b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) {
		b.AddUint8(uint8(len(bits.Bytes)*8 - bits.BitLength))
		b.AddBytes(bits.Bytes)
	})
}

// timeLayout is GeneralizedTime as RFC 5755 profiles it.
const timeLayout = "20060102150405Z"

// readTime reads a time of the validity period.
//
// RFC 5755, Section 4.2.6: GeneralizedTime, in UTC, with seconds, without a
// fraction. That leaves one form of exactly 15 octets, and one octet string
// for each instant. cryptobyte's reader also takes offsets and year 0.
func readTime(s *cryptobyte.String) (time.Time, error) {
	var content cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return time.Time{}, malformed("validity period")
	}
	if tag != asn1.GeneralizedTime {
		return time.Time{}, fail(ProblemTime, "time is not a GeneralizedTime")
	}
	text := string(content)
	// time.Parse takes a fraction of a second that the layout does not have,
	// so the length has to be looked at first.
	if len(text) != len(timeLayout) {
		return time.Time{}, fail(ProblemTime, "time %.30q is not in the form YYYYMMDDHHMMSSZ", text)
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil {
		return time.Time{}, fail(ProblemTime, "time %q is not in the form YYYYMMDDHHMMSSZ", text)
	}
	if t.Year() < minYear {
		return time.Time{}, fail(ProblemTime, "time %q is before %d", text, minYear)
	}
	return t, nil
}

// inOrder says whether the elements of a SET OF are in ascending order
// (X.690, Section 11.6). Equal neighbours pass: ASN.1 allows them, and
// whether they make sense is for the reader of the set's type to say.
// As no element is a prefix of another, plain comparison gives the same
// order as the standard's comparison of padded ones.
func inOrder(elements [][]byte) bool {
	return slices.IsSortedFunc(elements, bytes.Compare)
}

// isElement says whether der is exactly one element, the inside of which is
// not looked at.
func isElement(der []byte) bool {
	s := cryptobyte.String(der)
	return skipElement(&s) && s.Empty()
}

// skipElement reads over one element of any type. A tag of zero is the
// end-of-contents marker of indefinite lengths, which DER does not have.
func skipElement(s *cryptobyte.String) bool {
	var element cryptobyte.String
	var tag asn1.Tag
	return s.ReadAnyASN1Element(&element, &tag) && tag != 0
}

// validAny reads over one element of any type and checks what can be checked
// without knowing the type. Every element inside must be DER up to the last
// octet. It is used for the parts that belong to this package's structures but
// are of no fixed structure, such as algorithm parameters. Tag numbers above 30
// are refused: no such part uses them.
func validAny(s *cryptobyte.String, depth int) bool {
	var content, element cryptobyte.String
	var tag asn1.Tag
	if depth <= 0 || !s.ReadAnyASN1Element(&element, &tag) {
		return false
	}
	whole := element
	if !whole.ReadASN1(&content, tag) {
		return false
	}
	const (
		class       = 0xc0 // 0 for universal
		constructed = 0x20
	)
	if tag&class == 0 && !validUniversal(tag, content, element) {
		return false
	}
	return tag&constructed == 0 || validAll(content, depth-1)
}

// validAll is validAny of every element up to the end.
func validAll(s cryptobyte.String, depth int) bool {
	for !s.Empty() {
		if !validAny(&s, depth) {
			return false
		}
	}
	return true
}

// validUniversal checks an element of the universal class. It must be
// constructed exactly where DER says so, which is never for string types
// (X.690, Section 10.2). Simple types must have their one form.
func validUniversal(tag asn1.Tag, content, element cryptobyte.String) bool {
	const (
		constructed   = asn1.Tag(0x20)
		endOfContents = asn1.Tag(0)
		external      = asn1.Tag(8)
		embeddedPDV   = asn1.Tag(11)
	)
	switch tag {
	case endOfContents:
		return false
	case asn1.BOOLEAN:
		var v bool
		return element.ReadASN1Boolean(&v)
	case asn1.INTEGER, asn1.ENUM:
		var v *big.Int
		return readInteger(&element, &v, tag)
	case asn1.BIT_STRING:
		var v encoding_asn1.BitString
		return element.ReadASN1BitString(&v)
	case asn1.NULL:
		return content.Empty()
	case asn1.OBJECT_IDENTIFIER:
		var v x509.OID
		return readOID(&element, &v)
	}
	switch tag | constructed {
	case asn1.SEQUENCE, asn1.SET, external | constructed, embeddedPDV | constructed:
		return tag&constructed != 0
	}
	return tag&constructed == 0
}
