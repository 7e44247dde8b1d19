// Package acder writes attribute certificates and CMS messages in DER, by the
// specifications and without the code under test. A test changes one part of the
// tree and signs the rest as it is.
package acder

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

// The parts of an attribute certificate that cases change: numbers of the
// children of acinfo, and paths below them.
const (
	PartVersion = iota
	PartHolder
	PartIssuer
	PartAlgorithm
	PartSerial
	PartValidity
	PartAttributes
	PartExtensions
)

var (
	PathValues     = []int{PartAttributes, 0, 1}    // the set of the attribute's values
	PathValue      = []int{PartAttributes, 0, 1, 0} // the one in it
	PathTarget     = []int{PartAttributes, 0, 1, 0, 3, 0}
	PathHolderList = []int{PartHolder, 0}
	PathIssuerForm = []int{PartIssuer} // V2Form
	PathIssuerList = []int{PartIssuer, 0}
	PathIssuerName = []int{PartIssuer, 0, 0, 0}
)

// The parts of a CMS message: numbers of the children of SignedData.
const (
	BagVersion = iota
	BagDigests
	BagContent
	BagCertificates
	BagSigners
)

// Tags.
const (
	TagInteger   = 0x02
	TagBits      = 0x03
	TagOctets    = 0x04
	TagNull      = 0x05
	TagOID       = 0x06
	TagUTF8      = 0x0c
	TagPrintable = 0x13
	TagIA5       = 0x16
	TagUTCTime   = 0x17
	TagTime      = 0x18
	TagSequence  = 0x30
	TagSet       = 0x31
	TagDNSName   = 0x82 // in a GeneralName
)

// Object identifiers.
const (
	OIDAttribute  = "2.25.123451849705716964283098282175778140751"
	OIDSHA1       = "1.3.14.3.2.26"
	OIDSHA256     = "2.16.840.1.101.3.4.2.1"
	OIDSHA384     = "2.16.840.1.101.3.4.2.2"
	OIDNoRevAvail = "2.5.29.56"
	OIDAuthority  = "2.5.29.35" // authorityKeyIdentifier
)

// Sign signs octets as X.509 does.
func Sign(random io.Reader, key crypto.Signer, opts crypto.SignerOpts, octets []byte) []byte {
	if h := opts.HashFunc(); h != 0 {
		sum := h.New()
		sum.Write(octets)
		octets = sum.Sum(nil)
	}
	return must(key.Sign(random, octets, opts))
}

// Signed is a signed structure of X.509: what is signed, an algorithm, a signature.
func Signed(info *dertree.Node, algorithm, signature []byte) *dertree.Node {
	return dertree.Constructed(TagSequence, info, dertree.MustParse(algorithm), Bits(signature))
}

// Bag is a CMS message, its members in the order of DER.
func Bag(ac *dertree.Node, chain ...[]byte) *dertree.Node {
	certificates := dertree.Constructed(Context(0))
	for _, der := range chain {
		certificates.Add(dertree.MustParse(der))
	}
	member := *ac
	member.Tag = Context(2)
	certificates.Add(&member)
	SortMembers(certificates)
	return dertree.Constructed(TagSequence, ObjectID("1.2.840.113549.1.7.2"), dertree.Constructed(Context(0),
		dertree.Constructed(TagSequence,
			Integer(4),
			dertree.Constructed(TagSet),
			dertree.Constructed(TagSequence, ObjectID("1.2.840.113549.1.7.1")),
			certificates,
			dertree.Constructed(TagSet))))
}

// SortMembers puts the members of a SET into the order of DER.
func SortMembers(set *dertree.Node) {
	slices.SortFunc(set.Children, func(a, b *dertree.Node) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
}

// Context is a context-specific, constructed tag.
func Context(number byte) byte { return 0xa0 | number }

// IA5 is an IA5String.
func IA5(text string) *dertree.Node { return dertree.Primitive(TagIA5, []byte(text)...) }

// Bits is a BIT STRING of whole octets.
func Bits(octets []byte) *dertree.Node {
	return dertree.Primitive(TagBits, append([]byte{0}, octets...)...)
}

// Integer is an INTEGER.
func Integer(n int64) *dertree.Node {
	octets := []byte{byte(n)}
	for n >>= 8; n != 0 && n != -1 || (octets[0] >= 0x80) != (n < 0); n >>= 8 {
		octets = append([]byte{byte(n)}, octets...)
	}
	return dertree.Primitive(TagInteger, octets...)
}

// Serial is a positive INTEGER of those octets.
func Serial(octets []byte) *dertree.Node {
	octets = bytes.TrimLeft(octets, "\x00")
	if len(octets) == 0 || octets[0] >= 0x80 {
		octets = append([]byte{0}, octets...)
	}
	return dertree.Primitive(TagInteger, octets...)
}

// GeneralizedTime is a moment in UTC, to the second.
func GeneralizedTime(at time.Time) *dertree.Node {
	return dertree.Primitive(TagTime, []byte(at.UTC().Format("20060102150405Z"))...)
}

// ObjectID is an OBJECT IDENTIFIER in dotted form.
func ObjectID(dotted string) *dertree.Node {
	return dertree.Primitive(TagOID, must(must(x509.ParseOID(dotted)).MarshalBinary())...)
}

// Extension is an extension with a value in DER.
func Extension(dotted string, critical bool, value []byte) *dertree.Node {
	e := dertree.Constructed(TagSequence, ObjectID(dotted))
	if critical {
		e.Add(dertree.Primitive(0x01, 0xff))
	}
	e.Add(dertree.Primitive(TagOctets, value...))
	return e
}

// DNSName is a GeneralName.
func DNSName(name string) *dertree.Node { return dertree.Primitive(TagDNSName, []byte(name)...) }

// DirectoryName is a Name with a common name.
func DirectoryName(commonName string) *dertree.Node {
	return dertree.Constructed(TagSequence, dertree.Constructed(TagSet, dertree.Constructed(TagSequence,
		ObjectID("2.5.4.3"), dertree.Primitive(TagUTF8, []byte(commonName)...))))
}

// AlgorithmID is an AlgorithmIdentifier without parameters or with those.
func AlgorithmID(dotted string, parameters ...*dertree.Node) *dertree.Node {
	return dertree.Constructed(TagSequence, append([]*dertree.Node{ObjectID(dotted)}, parameters...)...)
}

// PSS is RSASSA-PSS with a hash function and a length of salt.
func PSS(hash string, salt int64) *dertree.Node {
	null := dertree.Primitive(TagNull)
	return PSSOf(AlgorithmID(hash, null), AlgorithmID(hash, null), salt)
}

// PSSOf is RSASSA-PSS with a hash function for the message and one for the mask.
func PSSOf(hash, mask *dertree.Node, salt int64) *dertree.Node {
	return AlgorithmID("1.2.840.113549.1.1.10", dertree.Constructed(TagSequence,
		dertree.Constructed(Context(0), hash),
		dertree.Constructed(Context(1), AlgorithmID("1.2.840.113549.1.1.8", mask)),
		dertree.Constructed(Context(2), Integer(salt))))
}

// AlgorithmOf is the algorithm that fits a key, and for keys that cannot sign
// a statement the one that would.
func AlgorithmOf(key crypto.PublicKey) *dertree.Node {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return AlgorithmID("1.2.840.113549.1.1.11", dertree.Primitive(TagNull))
	case ed25519.PublicKey:
		return AlgorithmID("1.3.101.112")
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return AlgorithmID("1.2.840.10045.4.3.3")
		}
	}
	return AlgorithmID("1.2.840.10045.4.3.2")
}

// Hash is the hash function that goes with it, 0 for none.
func Hash(key crypto.PublicKey) crypto.Hash {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return 0
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return crypto.SHA384
		}
	}
	return crypto.SHA256
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
