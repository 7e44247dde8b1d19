package x509attr

import (
	"bytes"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Parse reads one attribute certificate from strict DER of at most MaxSize
// octets, with nothing after it. It checks the structure and those rules of RFC
// 5755 that need nothing but the certificate itself. It does not check the
// signature, the time and the critical extensions. The input is copied. An
// error is an [*Error].
//
//	AttributeCertificate ::= SEQUENCE {
//	    acinfo             AttributeCertificateInfo,
//	    signatureAlgorithm AlgorithmIdentifier,
//	    signatureValue     BIT STRING }
func Parse(der []byte) (*AttributeCertificate, error) {
	if len(der) > MaxSize {
		return nil, fail(ProblemLimit, "attribute certificate has %d octets, more than %d", len(der), MaxSize)
	}
	raw := bytes.Clone(der)
	input := cryptobyte.String(raw)
	var cert, info, algorithm cryptobyte.String
	var signature []byte
	if !input.ReadASN1(&cert, asn1.SEQUENCE) || !input.Empty() ||
		!cert.ReadASN1Element(&info, asn1.SEQUENCE) ||
		!cert.ReadASN1Element(&algorithm, asn1.SEQUENCE) ||
		!cert.ReadASN1BitStringAsBytes(&signature) ||
		!cert.Empty() {
		return nil, malformed("attribute certificate")
	}

	ac, rawAlgorithm, err := parseInfo(info)
	if err != nil {
		return nil, err
	}
	// RFC 5755, Section 4.2.4: both fields hold the same identifier. Compared
	// as bytes, so the outer one needs no reading of its own.
	if !bytes.Equal(algorithm, rawAlgorithm) {
		return nil, fail(ProblemAlgorithmMismatch, "signed signature algorithm differs from the one beside the signature")
	}
	ac.Raw = raw
	ac.Signature = signature
	return ac, nil
}

// parseInfo reads an AttributeCertificateInfo with nothing after it. Besides
// the certificate, with its fields Raw and Signature left empty, it returns
// the signature algorithm as encoded.
//
//	AttributeCertificateInfo ::= SEQUENCE {
//	    version                AttCertVersion, -- v2 (1)
//	    holder                 Holder,
//	    issuer                 AttCertIssuer,
//	    signature              AlgorithmIdentifier,
//	    serialNumber           CertificateSerialNumber,
//	    attrCertValidityPeriod AttCertValidityPeriod,
//	    attributes             SEQUENCE OF Attribute,
//	    issuerUniqueID         UniqueIdentifier OPTIONAL,
//	    extensions             Extensions OPTIONAL }
func parseInfo(raw []byte) (ac *AttributeCertificate, rawAlgorithm []byte, err error) {
	ac = &AttributeCertificate{RawACInfo: raw, Version: 2}
	input := cryptobyte.String(raw)
	var info, element cryptobyte.String
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() {
		return nil, nil, malformed("attribute certificate info")
	}
	if err := readVersion(&info); err != nil {
		return nil, nil, err
	}
	if err := readHolder(&info, &ac.Holder); err != nil {
		return nil, nil, err
	}
	if ac.RawIssuer, err = readIssuer(&info); err != nil {
		return nil, nil, err
	}

	if !info.ReadASN1Element(&element, asn1.SEQUENCE) {
		return nil, nil, malformed("signature algorithm")
	}
	rawAlgorithm = element
	if !readAlgorithmIdentifier(&element, &ac.SignatureAlgorithmID) {
		return nil, nil, malformed("signature algorithm")
	}
	ac.SignatureAlgorithm = signatureAlgorithm(ac.SignatureAlgorithmID)

	if ac.SerialNumber, err = readSerial(&info); err != nil {
		return nil, nil, err
	}
	if err := readValidity(&info, ac); err != nil {
		return nil, nil, err
	}
	if ac.Attributes, err = readAttributes(&info); err != nil {
		return nil, nil, err
	}
	if !readOptionalBitString(&info, &ac.IssuerUniqueID) {
		return nil, nil, malformed("issuerUniqueID")
	}
	if info.PeekASN1Tag(asn1.SEQUENCE) {
		if err := readExtensions(&info, ac); err != nil {
			return nil, nil, err
		}
	}
	if !info.Empty() {
		return nil, nil, malformed("attribute certificate info: octets left over")
	}
	return ac, rawAlgorithm, nil
}

// readVersion reads the version.
//
//	AttCertVersion ::= INTEGER { v2(1) }
func readVersion(s *cryptobyte.String) error {
	// X.509 of 1997 has an optional version and tags the next field, so a
	// certificate of version 1 announces itself by a context-specific tag. So
	// does a public key certificate, the likeliest thing to be passed by mistake.
	if s.PeekASN1Tag(tagContext(0, true)) || s.PeekASN1Tag(tagContext(1, true)) {
		return fail(ProblemVersion, "not a version 2 attribute certificate, but one of version 1 or a public key certificate")
	}
	var version *big.Int
	if !readInteger(s, &version, asn1.INTEGER) {
		return malformed("version")
	}
	if version.Cmp(big.NewInt(1)) != 0 {
		return fail(ProblemVersion, "version is not 2")
	}
	return nil
}

// readIssuer reads the issuer and returns its one directory name.
//
//	AttCertIssuer ::= CHOICE {
//	    v1Form     GeneralNames,
//	    v2Form [0] V2Form }
//	V2Form ::= SEQUENCE {
//	    issuerName            GeneralNames OPTIONAL,
//	    baseCertificateID [0] IssuerSerial OPTIONAL,
//	    objectDigestInfo  [1] ObjectDigestInfo OPTIONAL }
func readIssuer(s *cryptobyte.String) ([]byte, error) {
	// RFC 5755, Section 4.2.3: the v2Form, with exactly one directoryName in
	// issuerName and without the two other fields. These are refused, not
	// merely reported, because the name is all that ties an attribute
	// certificate to its issuer. If it is missing, or one of several, nothing
	// in this package would help.
	if s.PeekASN1Tag(asn1.SEQUENCE) {
		return nil, fail(ProblemIssuerV1, "issuer is in the v1Form")
	}
	var form, general cryptobyte.String
	if !s.ReadASN1(&form, tagContext(0, true)) {
		return nil, malformed("issuer")
	}
	if !form.PeekASN1Tag(asn1.SEQUENCE) {
		return nil, fail(ProblemIssuerForm, "issuer has no issuerName")
	}
	if !form.ReadASN1(&general, asn1.SEQUENCE) {
		return nil, malformed("issuer")
	}
	names, err := readGeneralNames(general, "issuer")
	if err != nil {
		return nil, err
	}
	if form.PeekASN1Tag(tagContext(0, true)) || form.PeekASN1Tag(tagContext(1, true)) {
		return nil, fail(ProblemIssuerForm, "issuer has a baseCertificateID or an objectDigestInfo")
	}
	if !form.Empty() {
		return nil, malformed("issuer")
	}
	if len(names) != 1 || names[0].Kind != NameDirectory {
		return nil, fail(ProblemIssuerForm, "issuer is not exactly one directory name")
	}
	return names[0].Value, nil
}

// readSerial reads the serial number.
//
//	CertificateSerialNumber ::= INTEGER
func readSerial(s *cryptobyte.String) (*big.Int, error) {
	var serial *big.Int
	if !readInteger(s, &serial, asn1.INTEGER) {
		return nil, malformed("serial number")
	}
	// RFC 5755, Section 4.2.5: positive, of up to 20 octets.
	if serial.Sign() <= 0 {
		return nil, fail(ProblemSerial, "serial number is not positive")
	}
	if serial.BitLen() > 8*maxSerialOctets-1 {
		return nil, fail(ProblemSerial, "serial number is longer than %d octets", maxSerialOctets)
	}
	return serial, nil
}

// readValidity reads the validity period.
//
//	AttCertValidityPeriod ::= SEQUENCE {
//	    notBeforeTime GeneralizedTime,
//	    notAfterTime  GeneralizedTime }
func readValidity(s *cryptobyte.String, ac *AttributeCertificate) error {
	var period cryptobyte.String
	if !s.ReadASN1(&period, asn1.SEQUENCE) {
		return malformed("validity period")
	}
	var err error
	if ac.NotBefore, err = readTime(&period); err != nil {
		return err
	}
	if ac.NotAfter, err = readTime(&period); err != nil {
		return err
	}
	if !period.Empty() {
		return malformed("validity period")
	}
	return nil
}

// readAttributes reads the attributes.
//
//	attributes SEQUENCE OF Attribute
func readAttributes(s *cryptobyte.String) ([]Attribute, error) {
	var list cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) {
		return nil, malformed("attributes")
	}
	// RFC 5755, Section 4.2.7: at least one attribute, and no type twice.
	if list.Empty() {
		return nil, fail(ProblemAttributes, "no attribute")
	}
	var attributes []Attribute
	for !list.Empty() {
		if len(attributes) == maxAttributes {
			return nil, fail(ProblemLimit, "more than %d attributes", maxAttributes)
		}
		attribute, err := readAttribute(&list)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(attributes, func(earlier Attribute) bool { return earlier.Type.Equal(attribute.Type) }) {
			return nil, fail(ProblemDuplicateAttribute, "attribute %d repeats the type of an earlier one", len(attributes)+1)
		}
		attributes = append(attributes, attribute)
	}
	return attributes, nil
}

// readAttribute reads one attribute.
//
//	Attribute ::= SEQUENCE {
//	    type   OBJECT IDENTIFIER,
//	    values SET OF ANY DEFINED BY type }
func readAttribute(s *cryptobyte.String) (Attribute, error) {
	var out Attribute
	var attribute, values cryptobyte.String
	if !s.ReadASN1(&attribute, asn1.SEQUENCE) ||
		!readOID(&attribute, &out.Type) ||
		!attribute.ReadASN1(&values, asn1.SET) ||
		!attribute.Empty() {
		return Attribute{}, malformed("attribute")
	}
	// RFC 5280, Appendix A.1: an attribute has at least one value.
	if values.Empty() {
		return Attribute{}, fail(ProblemAttributes, "attribute without a value")
	}
	for !values.Empty() {
		if len(out.Values) == maxValues {
			return Attribute{}, fail(ProblemLimit, "attribute with more than %d values", maxValues)
		}
		rest := values
		if !skipElement(&values) {
			return Attribute{}, malformed("attribute value")
		}
		out.Values = append(out.Values, rest[:len(rest)-len(values)])
	}
	// X.690, Section 11.6. Without the order one set of values would have
	// several encodings. What is parsed could not be written again to the same
	// bytes from its fields.
	if !inOrder(out.Values) {
		return Attribute{}, fail(ProblemSyntax, "attribute values are not in the order of DER")
	}
	return out, nil
}
