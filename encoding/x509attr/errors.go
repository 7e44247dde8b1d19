package x509attr

import "fmt"

// A Problem names one way in which an input is refused. The set is closed:
// every [*Error] of this package carries one of the constants below. A layer
// above can map them one to one to its own codes. The strings are stable.
type Problem string

// Problems of an attribute certificate as such, found by [Parse].
const (
	// ProblemSyntax: not strict DER, or not the ASN.1 structure of RFC 5755.
	// This includes non-minimal lengths and integers, indefinite lengths, an
	// encoded DEFAULT, a SET OF out of order, and bytes left over at any level.
	ProblemSyntax Problem = "syntax"
	// ProblemLimit: longer or more numerous than a limit in limits.go.
	ProblemLimit Problem = "limit"
	// ProblemVersion: the version is not v2 (RFC 5755, Section 4.1).
	ProblemVersion Problem = "version"
	// ProblemHolder: the holder is empty, or its object digest names an
	// unknown kind of object (RFC 5755, Section 4.2.2).
	ProblemHolder Problem = "holder"
	// ProblemIssuerV1: the issuer is in the v1Form, which RFC 5755,
	// Section 4.2.3 rules out.
	ProblemIssuerV1 Problem = "issuer-v1-form"
	// ProblemIssuerForm: the issuer is in the v2Form but is something other
	// than exactly one directoryName (RFC 5755, Section 4.2.3).
	ProblemIssuerForm Problem = "issuer-form"
	// ProblemAlgorithmMismatch: the signed signature algorithm and the one
	// beside the signature differ (RFC 5755, Section 4.2.4).
	ProblemAlgorithmMismatch Problem = "algorithm-mismatch"
	// ProblemSerial: the serial number is zero, negative or longer than 20
	// octets (RFC 5755, Section 4.2.5).
	ProblemSerial Problem = "serial"
	// ProblemTime: a time is not a GeneralizedTime in whole seconds ending in
	// Z, not a date, or before 1950. Create gives it also for an end before the
	// beginning (RFC 5755, Section 4.2.6).
	ProblemTime Problem = "time"
	// ProblemAttributes: there is no attribute, or an attribute without a
	// value (RFC 5755, Section 4.2.7).
	ProblemAttributes Problem = "attributes"
	// ProblemDuplicateAttribute: two attributes have one type (RFC 5755,
	// Section 4.2.7).
	ProblemDuplicateAttribute Problem = "duplicate-attribute"
	// ProblemDuplicateExtension: two extensions have one identifier (RFC
	// 5280, Section 4.2).
	ProblemDuplicateExtension Problem = "duplicate-extension"
	// ProblemExtension: an extension that this package reads is malformed
	// or critical where RFC 5755, Section 4.3 says it must not be.
	ProblemExtension Problem = "extension"
)

// Problems between an attribute certificate and its issuer's certificate,
// found by [AttributeCertificate.CheckSignatureFrom] and [Create].
const (
	// ProblemIssuerName: the certificate's subject is not the name of the
	// attribute certificate's issuer, byte for byte.
	ProblemIssuerName Problem = "issuer-name"
	// ProblemIssuerIsCA: the certificate is a CA's (RFC 5755, Section 4.5).
	ProblemIssuerIsCA Problem = "issuer-is-ca"
	// ProblemIssuerKeyUsage: the certificate has a keyUsage without
	// digitalSignature (RFC 5755, Section 4.5).
	ProblemIssuerKeyUsage Problem = "issuer-key-usage"
	// ProblemIssuerKey: the certificate's key is of a kind or size that this
	// package does not use.
	ProblemIssuerKey Problem = "issuer-key"
	// ProblemAlgorithm: the signature algorithm is not supported, or does not
	// belong to the issuer's kind of key.
	ProblemAlgorithm Problem = "algorithm"
	// ProblemSignature: the signature does not verify.
	ProblemSignature Problem = "signature"
	// ProblemSigner: the signer failed, or its public key is not the one in
	// the issuer's certificate. From Create only.
	ProblemSigner Problem = "signer"
	// ProblemTemplate: an argument is missing, or a part of the template
	// cannot be encoded. From Create and MarshalBag only.
	ProblemTemplate Problem = "template"
)

// Problems of a CMS bag, found by [ParseBag], [Bag.Single] and [MarshalBag].
// A bag that is not DER, or of another structure, is ProblemSyntax, and one
// that is too large is ProblemLimit.
const (
	// ProblemBagType: the CMS content type is not signedData.
	ProblemBagType Problem = "bag-type"
	// ProblemBagVersion: there are attribute certificates, but the version is
	// not 4 (RFC 5652, Section 5.1).
	ProblemBagVersion Problem = "bag-version"
	// ProblemBagContent: there is content, or its type is not id-data.
	ProblemBagContent Problem = "bag-content"
	// ProblemBagSigners: there is a signer, or a digest algorithm, which only
	// a signer needs.
	ProblemBagSigners Problem = "bag-signers"
	// ProblemBagCRLs: there is a set of revocation lists.
	ProblemBagCRLs Problem = "bag-crls"
	// ProblemBagChoice: a member of the set is neither a certificate nor a
	// version 2 attribute certificate.
	ProblemBagChoice Problem = "bag-choice"
	// ProblemBagDuplicate: a member of the set is there twice.
	ProblemBagDuplicate Problem = "bag-duplicate"
	// ProblemBagNone: there is no attribute certificate.
	ProblemBagNone Problem = "bag-no-attribute-certificate"
	// ProblemBagMany: there are two or more attribute certificates where one
	// was asked for.
	ProblemBagMany Problem = "bag-many-attribute-certificates"
)

// An Error is the error type of every function in this package.
type Error struct {
	// Problem is the class of the error, for programs.
	Problem Problem
	// Detail says what was wrong and where, for people. It may quote the
	// input, always escaped, and is not stable.
	Detail string
}

// Error returns the detail and the problem's name.
func (e *Error) Error() string {
	return "x509attr: " + e.Detail + " (" + string(e.Problem) + ")"
}

func fail(p Problem, format string, args ...any) error {
	return &Error{Problem: p, Detail: fmt.Sprintf(format, args...)}
}

// malformed is fail for the commonest case: the part being read is not the DER
// encoding of what it should be.
func malformed(part string) error {
	return fail(ProblemSyntax, "malformed %s", part)
}
