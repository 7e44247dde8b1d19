package x509attr

import (
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Holder says whom the attributes belong to, in one to three ways.
//
// RFC 5755, Section 4.2.2 advises to use one way only. A certificate with more
// is parsed, since such are in use. Each way is then a statement of the issuer,
// and the caller decides which of them it requires. The name forms are not
// restricted either. The caller checks that a baseCertificateID names its
// issuer by exactly one non-empty directory name.
type Holder struct {
	// BaseCertificateID names a public key certificate by issuer and serial
	// number, or is nil.
	BaseCertificateID *IssuerSerial
	// EntityName names the holder itself, or is empty.
	EntityName []GeneralName
	// ObjectDigestInfo holds the digest of a key, a certificate or another
	// object, or is nil.
	ObjectDigestInfo *ObjectDigestInfo
}

// An IssuerSerial names a public key certificate.
type IssuerSerial struct {
	// Issuer is the certificate's issuer, at least one name.
	Issuer []GeneralName
	// Serial is the certificate's serial number. It is the other issuer's, so
	// it may be anything that ASN.1 calls an integer.
	Serial *big.Int
	// IssuerUniqueID is the certificate's issuerUniqueID, or nil.
	IssuerUniqueID *encoding_asn1.BitString
}

// A DigestedObject is the kind of object that an [ObjectDigestInfo] is of.
type DigestedObject int

// The kinds of RFC 5755, Section 7.3. That section's profile rules the
// last one out; it is parsed nevertheless.
const (
	DigestedPublicKey   DigestedObject = 0 // a SubjectPublicKeyInfo in DER
	DigestedCertificate DigestedObject = 1 // a Certificate in DER
	DigestedOtherType   DigestedObject = 2 // as OtherObjectType says
)

// An ObjectDigestInfo ties the holder to the digest of an object.
type ObjectDigestInfo struct {
	Object DigestedObject
	// OtherObjectType is the object's type, or nil. It belongs to
	// DigestedOtherType only, which is for the caller to check.
	OtherObjectType *x509.OID
	// DigestAlgorithm is the hash function.
	DigestAlgorithm AlgorithmIdentifier
	// Digest is the hash function's value, its length unchecked.
	Digest encoding_asn1.BitString
}

// readHolder reads a Holder.
//
//	Holder ::= SEQUENCE {
//	    baseCertificateID [0] IssuerSerial OPTIONAL,
//	    entityName        [1] GeneralNames OPTIONAL,
//	    objectDigestInfo  [2] ObjectDigestInfo OPTIONAL }
func readHolder(s *cryptobyte.String, out *Holder) error {
	var holder, base, names, digest cryptobyte.String
	var hasBase, hasNames, hasDigest bool
	if !s.ReadASN1(&holder, asn1.SEQUENCE) ||
		!holder.ReadOptionalASN1(&base, &hasBase, tagContext(0, true)) ||
		!holder.ReadOptionalASN1(&names, &hasNames, tagContext(1, true)) ||
		!holder.ReadOptionalASN1(&digest, &hasDigest, tagContext(2, true)) ||
		!holder.Empty() {
		return malformed("holder")
	}
	// ITU-T X.509: at least one of the three is present.
	if !hasBase && !hasNames && !hasDigest {
		return fail(ProblemHolder, "empty holder")
	}
	var err error
	if hasBase {
		if out.BaseCertificateID, err = readIssuerSerial(base); err != nil {
			return err
		}
	}
	if hasNames {
		if out.EntityName, err = readGeneralNames(names, "holder entityName"); err != nil {
			return err
		}
	}
	if hasDigest {
		if out.ObjectDigestInfo, err = readObjectDigestInfo(digest); err != nil {
			return err
		}
	}
	return nil
}

// readIssuerSerial reads the content of an IssuerSerial up to its end.
//
//	IssuerSerial ::= SEQUENCE {
//	    issuer    GeneralNames,
//	    serial    CertificateSerialNumber,
//	    issuerUID UniqueIdentifier OPTIONAL }
func readIssuerSerial(s cryptobyte.String) (*IssuerSerial, error) {
	var out IssuerSerial
	var issuer cryptobyte.String
	if !s.ReadASN1(&issuer, asn1.SEQUENCE) ||
		!readInteger(&s, &out.Serial, asn1.INTEGER) ||
		!readOptionalBitString(&s, &out.IssuerUniqueID) ||
		!s.Empty() {
		return nil, malformed("holder baseCertificateID")
	}
	var err error
	out.Issuer, err = readGeneralNames(issuer, "holder baseCertificateID")
	return &out, err
}

// readObjectDigestInfo reads the content of an ObjectDigestInfo up to its
// end.
//
//	ObjectDigestInfo ::= SEQUENCE {
//	    digestedObjectType ENUMERATED {
//	        publicKey (0), publicKeyCert (1), otherObjectTypes (2) },
//	    otherObjectTypeID  OBJECT IDENTIFIER OPTIONAL,
//	    digestAlgorithm    AlgorithmIdentifier,
//	    objectDigest       BIT STRING }
func readObjectDigestInfo(s cryptobyte.String) (*ObjectDigestInfo, error) {
	var out ObjectDigestInfo
	var object *big.Int
	if !readInteger(&s, &object, asn1.ENUM) {
		return nil, malformed("holder objectDigestInfo")
	}
	if object.Sign() < 0 || object.Cmp(big.NewInt(int64(DigestedOtherType))) > 0 {
		return nil, fail(ProblemHolder, "unknown kind of digested object")
	}
	out.Object = DigestedObject(object.Int64())
	if s.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) {
		out.OtherObjectType = new(x509.OID)
		if !readOID(&s, out.OtherObjectType) {
			return nil, malformed("holder objectDigestInfo")
		}
	}
	if !readAlgorithmIdentifier(&s, &out.DigestAlgorithm) ||
		!s.ReadASN1BitString(&out.Digest) ||
		!s.Empty() {
		return nil, malformed("holder objectDigestInfo")
	}
	return &out, nil
}

func addHolder(b *cryptobyte.Builder, h Holder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if id := h.BaseCertificateID; id != nil {
			b.AddASN1(tagContext(0, true), func(b *cryptobyte.Builder) {
				addGeneralNames(b, id.Issuer, asn1.SEQUENCE)
				b.AddASN1BigInt(id.Serial)
				if id.IssuerUniqueID != nil {
					addBitString(b, *id.IssuerUniqueID)
				}
			})
		}
		if len(h.EntityName) > 0 {
			addGeneralNames(b, h.EntityName, tagContext(1, true))
		}
		if info := h.ObjectDigestInfo; info != nil {
			b.AddASN1(tagContext(2, true), func(b *cryptobyte.Builder) {
				b.AddASN1Enum(int64(info.Object))
				if info.OtherObjectType != nil {
					addOID(b, *info.OtherObjectType)
				}
				addAlgorithmIdentifier(b, info.DigestAlgorithm)
				addBitString(b, info.Digest)
			})
		}
	})
}
