package delegation

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/encoding/x509attr"
	"github.com/dnasign/dnasign/keys"
)

// The delegation profile of an attribute certificate: what a statement uses of
// RFC 5755, and how its fields map to a Statement. The attribute itself is in
// acattribute.go.

// Extensions that point to revocation information: cRLDistributionPoints
// (RFC 5755, Section 4.3.5) and authorityInfoAccess (Section 4.3.4). A
// statement says noRevAvail, and must not say both.
var revocationPointers = []x509.OID{mustOID("2.5.29.31"), mustOID("1.3.6.1.5.5.7.1.1")}

func mustOID(s string) x509.OID {
	oid, err := x509.ParseOID(s)
	if err != nil {
		panic("delegation: " + s + " is not an object identifier: " + err.Error())
	}
	return oid
}

// decodeAC reads a CMS bag with an attribute certificate and the signer's
// chain. The attribute's signerHash tells which certificate is the signer's.
func decodeAC(raw []byte) (*signed, error) {
	bag, err := x509attr.ParseBag(raw)
	if err != nil {
		return nil, bagError(err)
	}
	der, err := bag.Single()
	if err != nil {
		return nil, bagError(err)
	}
	ac, err := x509attr.Parse(der)
	if err != nil {
		return nil, err
	}
	if ac.IssuerUniqueID != nil {
		return nil, Errorf(reasons.MalformedAC, "the attribute certificate has an issuerUniqueID")
	}
	algorithm, err := algorithmOf(ac)
	if err != nil {
		return nil, err
	}
	s, signerHash, err := readProfile(ac)
	if err != nil {
		return nil, err
	}
	certificates, err := leafFirst(bag.Certificates, signerHash)
	if err != nil {
		return nil, err
	}
	return &signed{
		statement:    *s,
		algorithm:    ac.SignatureAlgorithm.String(),
		certificates: certificates,
		unordered:    true,

		attributeCertificate: der,
		verify: func(leaf *x509.Certificate) error {
			if err := algorithm.Fits(leaf.PublicKey); err != nil {
				return err
			}
			return ac.CheckSignatureFrom(leaf)
		},
	}, nil
}

// algorithmOf finds the algorithm of the profile that an attribute certificate
// is signed with.
func algorithmOf(ac *x509attr.AttributeCertificate) (keys.Algorithm, error) {
	for _, algorithm := range keys.Algorithms() {
		if algorithm.X509() == ac.SignatureAlgorithm {
			return algorithm, nil
		}
	}
	return "", Errorf(reasons.UnsupportedAlgorithm, "the attribute certificate is signed with %v (want one of %v)", ac.SignatureAlgorithm, keys.Algorithms())
}

// readProfile checks an attribute certificate against the profile.
func readProfile(ac *x509attr.AttributeCertificate) (*Statement, Digest, error) {
	if unknown := ac.UnhandledCriticalExtensions(); len(unknown) > 0 {
		return nil, Digest{}, Errorf(reasons.CriticalExtension, "the attribute certificate has the unknown critical extension %v", unknown[0])
	}
	if !ac.NoRevAvail {
		return nil, Digest{}, Errorf(reasons.BadRevocation, "the attribute certificate does not have noRevAvail")
	}
	for _, e := range ac.Extensions {
		if slices.ContainsFunc(revocationPointers, e.ID.Equal) {
			return nil, Digest{}, Errorf(reasons.BadRevocation, "the attribute certificate has noRevAvail and a pointer to revocation information, %v", e.ID)
		}
	}
	if len(ac.Attributes) != 1 || !ac.Attributes[0].Type.Equal(attributeOID) || len(ac.Attributes[0].Values) != 1 {
		return nil, Digest{}, Errorf(reasons.MalformedAttribute, "the attribute certificate does not have exactly the one attribute %v with one value", attributeOID)
	}
	d, signerHash, e := decodeAttribute(ac.Attributes[0].Values[0])
	if e != nil {
		return nil, Digest{}, e
	}
	if ac.SerialNumber.BitLen() > 127 {
		return nil, Digest{}, Errorf(reasons.BadSerial, "the serial number has more than 127 bits")
	}
	ac.SerialNumber.FillBytes(d.id[:])
	// The certificate's end is inclusive, the statement's exclusive.
	d.issued, d.expires = ac.NotBefore.Unix(), ac.NotAfter.Unix()+1
	s, e := d.statement()
	if e != nil {
		return nil, Digest{}, e
	}
	h := ac.Holder
	if h.BaseCertificateID != nil || h.ObjectDigestInfo != nil || !slices.EqualFunc(h.EntityName, holderNames(s), equalName) {
		return nil, Digest{}, Errorf(reasons.HolderMismatch, "the holder is not the list of the targets' hosts")
	}
	return s, signerHash, nil
}

// holderNames is the holder of a statement: the host of each target once, in
// order. Without targets it is the source itself.
func holderNames(s *Statement) []x509attr.GeneralName {
	hosts := []string{s.Source}
	if !s.Revoked() {
		hosts = nil
	}
	for _, t := range s.Targets {
		if !slices.Contains(hosts, t.Host) {
			hosts = append(hosts, t.Host)
		}
	}
	var names []x509attr.GeneralName
	for _, host := range hosts {
		names = append(names, x509attr.GeneralName{Kind: x509attr.NameDNS, Value: []byte(host)})
	}
	return names
}

func equalName(a, b x509attr.GeneralName) bool {
	return a.Kind == b.Kind && string(a.Value) == string(b.Value)
}

// leafFirst moves the certificate with that hash to the front. The hash binds
// the statement to a certificate, not to a key only: the bag is not signed.
func leafFirst(bag [][]byte, hash Digest) ([][]byte, error) {
	if len(bag) > keys.MaxChain {
		return nil, Errorf(reasons.MalformedCertificate, "%d certificates, at most %d", len(bag), keys.MaxChain)
	}
	for i, der := range bag {
		if sha256.Sum256(der) == hash {
			return slices.Concat(bag[i:i+1], bag[:i], bag[i+1:]), nil
		}
	}
	return nil, Errorf(reasons.SignerHashMismatch, "none of the %d certificates in the bag has the hash that the statement names", len(bag))
}

// bagError gives the errors of the bag reasons of their own, where the same
// problem in an attribute certificate has another.
func bagError(err error) error {
	var e *x509attr.Error
	if errors.As(err, &e) && (e.Problem == x509attr.ProblemSyntax || e.Problem == x509attr.ProblemLimit) {
		return Errorf(reasons.MalformedBag, "%s", e.Detail)
	}
	return err
}

// problems maps what x509attr refuses to reasons. What is not listed cannot
// come from reading.
var problems = map[x509attr.Problem]reasons.Reason{
	x509attr.ProblemBagType:      reasons.MalformedBag,
	x509attr.ProblemBagVersion:   reasons.MalformedBag,
	x509attr.ProblemBagChoice:    reasons.MalformedBag,
	x509attr.ProblemBagContent:   reasons.BagContents,
	x509attr.ProblemBagSigners:   reasons.BagContents,
	x509attr.ProblemBagCRLs:      reasons.BagContents,
	x509attr.ProblemBagDuplicate: reasons.BagDuplicate,
	x509attr.ProblemBagNone:      reasons.BagCount,
	x509attr.ProblemBagMany:      reasons.BagCount,

	x509attr.ProblemSyntax:             reasons.MalformedAC,
	x509attr.ProblemLimit:              reasons.MalformedAC,
	x509attr.ProblemVersion:            reasons.MalformedAC,
	x509attr.ProblemHolder:             reasons.MalformedAC,
	x509attr.ProblemAttributes:         reasons.MalformedAC,
	x509attr.ProblemExtension:          reasons.MalformedAC,
	x509attr.ProblemIssuerV1:           reasons.IssuerForm,
	x509attr.ProblemIssuerForm:         reasons.IssuerForm,
	x509attr.ProblemAlgorithmMismatch:  reasons.InnerOuterMismatch,
	x509attr.ProblemSerial:             reasons.BadSerial,
	x509attr.ProblemTime:               reasons.BadACTime,
	x509attr.ProblemDuplicateAttribute: reasons.DuplicateAttribute,
	x509attr.ProblemDuplicateExtension: reasons.DuplicateExtension,

	x509attr.ProblemIssuerName:     reasons.IssuerNameMismatch,
	x509attr.ProblemIssuerIsCA:     reasons.SignerIsCA,
	x509attr.ProblemIssuerKeyUsage: reasons.SignerKeyUsage,
	x509attr.ProblemIssuerKey:      reasons.UnsupportedKey,
	x509attr.ProblemAlgorithm:      reasons.AlgorithmMismatch,
	x509attr.ProblemSignature:      reasons.BadSignature,
}

// serialOf is the serial number that equals an ID.
func serialOf(id ID) *big.Int { return new(big.Int).SetBytes(id[:]) }
