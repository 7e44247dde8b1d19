package x509attr

import (
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"math/big"
	"time"
)

// An AttributeCertificate is a version 2 X.509 attribute certificate as RFC
// 5755 profiles it. From [Parse] it is read and not yet believed: see
// CheckSignatureFrom and the package comment. For [Create] it is a template.
//
// The byte slices of a parsed certificate share memory and must not be
// changed.
type AttributeCertificate struct {
	// Raw is the whole certificate in DER, RawACInfo the part of it that is
	// signed. Create ignores both.
	Raw       []byte
	RawACInfo []byte

	// Version is 2 after Parse, for the encoded value 1. Create ignores it.
	Version int

	// Holder says whom the attributes belong to.
	Holder Holder

	// RawIssuer is the issuer's name, a Name in DER. It is to be compared with
	// x509.Certificate.RawSubject, byte for byte.
	//
	// RFC 5755, Section 4.2.3 asks for a name that is not empty. As its one
	// deviation, this package reads and writes an empty one (30 00) too. Many
	// certificates today have an empty subject and put their names in the
	// subjectAltName, and their keys could not issue anything otherwise. An
	// empty name fits every such certificate, so only the signature tells them
	// apart.
	//
	// Create ignores it and takes the issuer certificate's subject.
	RawIssuer []byte

	// SignatureAlgorithm is the algorithm of the signature, or
	// UnknownSignatureAlgorithm where this package cannot check it. For Create
	// the zero value chooses one that fits the key.
	SignatureAlgorithm x509.SignatureAlgorithm
	// SignatureAlgorithmID is the same as it was encoded. Create ignores it.
	SignatureAlgorithmID AlgorithmIdentifier
	// Signature is the signature value. Create ignores it. Signatures are not
	// unique: anybody can turn an ECDSA signature into a second valid one. So
	// do not use Raw as a key for a cache or a revocation list.
	Signature []byte

	// SerialNumber is positive and has up to 20 octets (RFC 5755, Section
	// 4.2.5). Create does not choose one.
	SerialNumber *big.Int

	// NotBefore and NotAfter are the ends of the validity period in UTC and
	// whole seconds, both inclusive (RFC 5755, Section 4.2.6). Years are 1950
	// to 9999. Parse does not compare the two: a certificate that ends before
	// it begins is never valid. Create cuts off fractions of a second.
	NotBefore, NotAfter time.Time

	// Attributes holds at least one attribute, each of another type.
	Attributes []Attribute

	// IssuerUniqueID is deprecated, or nil. RFC 5755, Section 4.2.8 allows it
	// only where the issuer's certificate has one.
	IssuerUniqueID *encoding_asn1.BitString

	// Extensions holds all extensions as encoded, including those that the
	// fields below are read from. Create writes it first and as it is, then
	// adds what the fields below say and Extensions does not contain.
	Extensions []Extension

	// AuthorityKeyID is the keyIdentifier of the authorityKeyIdentifier
	// extension (RFC 5755, Section 4.3.3), or empty. It helps to find the
	// issuer's certificate and proves nothing. If it is empty Create takes the
	// issuer certificate's SubjectKeyId.
	AuthorityKeyID []byte

	// NoRevAvail says that the noRevAvail extension is present: the issuer
	// will publish no revocation (RFC 5755, Section 4.3.6).
	NoRevAvail bool
}

// An Attribute is a type with its values (RFC 5755, Section 4.2.7).
type Attribute struct {
	// Type has arcs of any size, such as the 128 bits of 2.25.<UUID>.
	Type x509.OID
	// Values holds at least one value, each exactly one DER element. What is
	// inside an element is the business of those who know the type: it is
	// not even known to be DER. Create sorts the values, as DER demands.
	Values [][]byte
}

// An Extension is one extension (RFC 5280, Section 4.2).
type Extension struct {
	ID       x509.OID
	Critical bool
	// Value is the content of extnValue, by convention the DER encoding of a
	// type that ID implies. Parse does not look at it, except for those two
	// extensions that have a field of their own.
	Value []byte
}

// ValidAt says whether t lies in the validity period. Both ends belong to it
// (RFC 5755, Section 4.2.6). Times have a resolution of one second, so the
// whole last second belongs to it. Therefore t is cut to its second before it
// is compared; crypto/x509 does not do this.
func (ac *AttributeCertificate) ValidAt(t time.Time) bool {
	return t.Unix() >= ac.NotBefore.Unix() && t.Unix() <= ac.NotAfter.Unix()
}

// UnhandledCriticalExtensions returns the identifiers of the critical
// extensions that this package gives no effect to, in their order. By RFC 5755,
// Section 5 a verifier rejects a certificate with a critical extension that it
// does not support. So a caller must refuse unless it acts on each extension
// returned itself. targetInformation (2.5.29.55), which names the servers that
// may use the certificate, is the one to expect.
func (ac *AttributeCertificate) UnhandledCriticalExtensions() []x509.OID {
	// Parse refuses the extensions it handles where they are critical, so what
	// is critical is unhandled.
	var ids []x509.OID
	for _, e := range ac.Extensions {
		if e.Critical {
			ids = append(ids, e.ID)
		}
	}
	return ids
}
