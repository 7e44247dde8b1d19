package x509attr

import (
	"bytes"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Bag is a set of attribute certificates and of the public key certificates
// that help to check them. It travels as a CMS SignedData that signs nothing,
// the certs-only message of RFC 8551, Section 3.8, usually in a file named
// *.p7c. Nothing protects a bag: anybody can add or remove certificates.
type Bag struct {
	// AttributeCertificates are version 2 attribute certificates in DER, at
	// least one, each for Parse to read.
	AttributeCertificates [][]byte
	// Certificates are public key certificates in DER, each for
	// x509.ParseCertificate to read. There may be none.
	Certificates [][]byte
}

// Single returns the bag's attribute certificate, and an error if there is
// none (ProblemBagNone) or more than one (ProblemBagMany).
func (bag *Bag) Single() ([]byte, error) {
	switch len(bag.AttributeCertificates) {
	case 0:
		return nil, fail(ProblemBagNone, "bag has no attribute certificate")
	case 1:
		return bag.AttributeCertificates[0], nil
	}
	return nil, fail(ProblemBagMany, "bag has %d attribute certificates", len(bag.AttributeCertificates))
}

// ParseBag reads a bag from strict DER of at most MaxBagSize octets, with
// nothing after it. The certificates are told apart by their tags. There are at
// most 16 of both kinds together, and no two are the same. Parse and
// crypto/x509 judge what is inside them. There has to be at least one attribute
// certificate; for exactly one, use [Bag.Single].
//
// The set of certificates may be in any order. Only here DER is not demanded:
// some software sorts such a set by other rules than X.690, Section 11.6. The
// order within each kind is kept. The input is copied. An error is an [*Error].
func ParseBag(der []byte) (*Bag, error) {
	if len(der) > MaxBagSize {
		return nil, fail(ProblemLimit, "bag has %d octets, more than %d", len(der), MaxBagSize)
	}
	signedData, err := readContentInfo(bytes.Clone(der))
	if err != nil {
		return nil, err
	}
	return readSignedData(signedData)
}

// readContentInfo reads a ContentInfo with nothing after it and returns the
// content of its SignedData.
//
//	ContentInfo ::= SEQUENCE {
//	    contentType ContentType, -- OBJECT IDENTIFIER
//	    content [0] EXPLICIT ANY DEFINED BY contentType }
func readContentInfo(der []byte) (cryptobyte.String, error) {
	input := cryptobyte.String(der)
	var info, contentType, content, signedData cryptobyte.String
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1(&contentType, asn1.OBJECT_IDENTIFIER) {
		return nil, malformed("bag")
	}
	if string(contentType) != oidSignedData {
		return nil, fail(ProblemBagType, "bag is not a CMS SignedData")
	}
	if !info.ReadASN1(&content, tagContext(0, true)) || !info.Empty() ||
		!content.ReadASN1(&signedData, asn1.SEQUENCE) || !content.Empty() {
		return nil, malformed("bag")
	}
	return signedData, nil
}

// readSignedData reads the content of a SignedData up to its end.
//
//	SignedData ::= SEQUENCE {
//	    version          CMSVersion, -- INTEGER
//	    digestAlgorithms SET OF AlgorithmIdentifier,
//	    encapContentInfo SEQUENCE {
//	        eContentType ContentType,
//	        eContent     [0] EXPLICIT OCTET STRING OPTIONAL },
//	    certificates [0] IMPLICIT SET OF CertificateChoices OPTIONAL,
//	    crls         [1] IMPLICIT SET OF RevocationInfoChoice OPTIONAL,
//	    signerInfos      SET OF SignerInfo }
func readSignedData(s cryptobyte.String) (*Bag, error) {
	var version *big.Int
	var digests, content, contentType, certificates, signers cryptobyte.String
	if !readInteger(&s, &version, asn1.INTEGER) ||
		!s.ReadASN1(&digests, asn1.SET) ||
		!s.ReadASN1(&content, asn1.SEQUENCE) ||
		!content.ReadASN1(&contentType, asn1.OBJECT_IDENTIFIER) {
		return nil, malformed("bag")
	}
	if string(contentType) != oidData || content.PeekASN1Tag(tagContext(0, true)) {
		return nil, fail(ProblemBagContent, "bag has content")
	}
	if !content.Empty() ||
		!s.ReadOptionalASN1(&certificates, nil, tagContext(0, true)) {
		return nil, malformed("bag")
	}
	// RFC 5652, Section 5.1: absent where there are none. Even an empty set is
	// something that one reader might look into and another not.
	if s.PeekASN1Tag(tagContext(1, true)) {
		return nil, fail(ProblemBagCRLs, "bag has revocation lists")
	}
	if !s.ReadASN1(&signers, asn1.SET) || !s.Empty() {
		return nil, malformed("bag")
	}
	if !signers.Empty() || !digests.Empty() {
		return nil, fail(ProblemBagSigners, "bag is signed")
	}
	bag, err := readCertificates(certificates)
	if err != nil {
		return nil, err
	}
	if len(bag.AttributeCertificates) == 0 {
		return nil, fail(ProblemBagNone, "bag has no attribute certificate")
	}
	// RFC 5652, Section 5.1: the version is 4 with attribute certificates of
	// version 2 and without the choices refused above.
	if version.Cmp(big.NewInt(4)) != 0 {
		return nil, fail(ProblemBagVersion, "bag's version is not 4")
	}
	return bag, nil
}

// readCertificates reads the content of a set of certificates up to its end.
//
//	CertificateChoices ::= CHOICE {
//	    certificate         Certificate, -- SEQUENCE
//	    extendedCertificate [0] IMPLICIT ExtendedCertificate, -- obsolete
//	    v1AttrCert          [1] IMPLICIT AttributeCertificateV1, -- obsolete
//	    v2AttrCert          [2] IMPLICIT AttributeCertificateV2,
//	    other               [3] IMPLICIT OtherCertificateFormat }
func readCertificates(s cryptobyte.String) (*Bag, error) {
	bag := new(Bag)
	for !s.Empty() {
		var element cryptobyte.String
		var tag asn1.Tag
		if !s.ReadAnyASN1Element(&element, &tag) {
			return nil, malformed("certificate in bag")
		}
		if len(bag.Certificates)+len(bag.AttributeCertificates) == maxBagMembers {
			return nil, fail(ProblemLimit, "bag has more than %d certificates", maxBagMembers)
		}
		list := &bag.Certificates
		switch tag {
		case asn1.SEQUENCE:
		case tagContext(2, true):
			// The implicit tag replaced that of the SEQUENCE, which is one
			// octet too. So the element gets its own form back in place. The
			// signature does not cover it.
			element[0] = byte(asn1.SEQUENCE)
			list = &bag.AttributeCertificates
		default:
			return nil, fail(ProblemBagChoice, "bag has a member that is not a certificate")
		}
		if slices.ContainsFunc(*list, func(earlier []byte) bool { return bytes.Equal(earlier, element) }) {
			return nil, fail(ProblemBagDuplicate, "bag has a certificate twice")
		}
		*list = append(*list, element)
	}
	return bag, nil
}

// MarshalBag writes a bag in DER. It writes the set of certificates in the
// order of DER, whatever their order in bag. It refuses what ParseBag would: no
// attribute certificate, a certificate twice, or too much. That a member is one
// DER SEQUENCE is checked, what is inside it is not. An error is an [*Error].
func MarshalBag(bag *Bag) ([]byte, error) {
	if bag == nil {
		return nil, fail(ProblemTemplate, "no bag")
	}
	var members [][]byte
	for _, list := range [][][]byte{bag.Certificates, bag.AttributeCertificates} {
		for _, der := range list {
			if !isElement(der) || der[0] != byte(asn1.SEQUENCE) {
				return nil, fail(ProblemTemplate, "member of bag is not one DER SEQUENCE")
			}
			members = append(members, slices.Clone(der))
		}
	}
	for _, member := range members[len(bag.Certificates):] {
		member[0] = byte(tagContext(2, true))
	}
	slices.SortFunc(members, bytes.Compare)

	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, constOID(oidSignedData))
		b.AddASN1(tagContext(0, true), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { addSignedData(b, members) })
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fail(ProblemTemplate, "cannot encode bag: %v", err)
	}
	if _, err := ParseBag(der); err != nil {
		return nil, err
	}
	return der, nil
}

func addSignedData(b *cryptobyte.Builder, members [][]byte) {
	b.AddASN1Int64(4)
	b.AddASN1(asn1.SET, func(*cryptobyte.Builder) {})
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, constOID(oidData)) })
	b.AddASN1(tagContext(0, true), func(b *cryptobyte.Builder) {
		for _, member := range members {
			b.AddBytes(member)
		}
	})
	b.AddASN1(asn1.SET, func(*cryptobyte.Builder) {})
}
