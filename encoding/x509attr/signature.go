package x509attr

import (
	"bytes"
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
)

// CheckSignatureFrom says whether issuer's certificate issued ac. Its subject
// must be the issuer's name byte for byte, and it must not be a CA's. Its
// keyUsage, if there is one, must have digitalSignature. Its key must have made
// the signature. The checks come in this order, so the costly one is last. The
// key must be RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) or Ed25519.
// The algorithm must be one that [Create] can sign with.
//
// It does not check issuer itself: its signature, its chain to anything
// trusted, its validity, its revocation, or whether it may issue attribute
// certificates. Nor does it check ac's validity period, critical extensions or
// revocation. The caller does all that. An error is an [*Error].
func (ac *AttributeCertificate) CheckSignatureFrom(issuer *x509.Certificate) error {
	if issuer == nil {
		return fail(ProblemIssuerName, "no issuer certificate")
	}
	if !bytes.Equal(issuer.RawSubject, ac.RawIssuer) {
		return fail(ProblemIssuerName, "certificate's subject is not the attribute certificate's issuer")
	}
	if err := checkIssuer(issuer); err != nil {
		return err
	}
	keyKind, _, err := keyAlgorithm(issuer.PublicKey)
	if err != nil {
		return err
	}
	scheme, ok := schemes[ac.SignatureAlgorithm]
	if !ok {
		return fail(ProblemAlgorithm, "unsupported signature algorithm")
	}
	if scheme.key != keyKind {
		return fail(ProblemAlgorithm, "%v does not belong to a key of %v", ac.SignatureAlgorithm, keyKind)
	}
	if err := issuer.CheckSignature(ac.SignatureAlgorithm, ac.RawACInfo, ac.Signature); err != nil {
		return fail(ProblemSignature, "signature does not verify")
	}
	return nil
}

// checkIssuer applies the rules for the certificate of an attribute
// certificate's issuer.
func checkIssuer(issuer *x509.Certificate) error {
	// RFC 5755, Section 4.5: an issuer of attribute certificates is not also a
	// CA, so its certificate never has cA TRUE.
	if issuer.IsCA {
		return fail(ProblemIssuerIsCA, "issuer's certificate is a CA's")
	}
	// RFC 5755, Section 4.5: a keyUsage, if present, must not rule out the
	// checking of signatures by this key. KeyUsage is 0 both where the
	// extension is absent and where it allows nothing.
	keyUsage := encoding_asn1.ObjectIdentifier{2, 5, 29, 15}
	present := issuer.KeyUsage != 0
	for _, e := range issuer.Extensions {
		present = present || e.Id.Equal(keyUsage)
	}
	if present && issuer.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return fail(ProblemIssuerKeyUsage, "issuer's keyUsage does not have digitalSignature")
	}
	return nil
}
