package x509attr

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"io"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Create issues an attribute certificate and returns it in DER. Its arguments
// are those of x509.CreateCertificate. The template says what to write, issuer
// is the issuer's certificate, and signer holds that certificate's key. The key
// is RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) or Ed25519. rand is
// handed to the signer and not used otherwise.
//
// The template needs a holder, a serial number, both ends of the validity
// period and an attribute. These of its fields are used: Holder,
// SerialNumber, NotBefore, NotAfter, Attributes, IssuerUniqueID, Extensions,
// AuthorityKeyID, NoRevAvail and SignatureAlgorithm, one of SHA256WithRSA,
// SHA256WithRSAPSS, ECDSAWithSHA256, their forms with SHA-384 and SHA-512,
// and PureEd25519. It is not changed.
//
// Create makes nothing that Parse or CheckSignatureFrom would refuse. It writes
// the template and reads it again before it uses the key, and checks the
// signature before it returns. It does not look at the validity of the issuer's
// certificate. An attribute certificate that outlives it is of little use. An
// error is an [*Error].
func Create(rand io.Reader, template *AttributeCertificate, issuer *x509.Certificate, signer crypto.Signer) ([]byte, error) {
	if template == nil || issuer == nil || signer == nil {
		return nil, fail(ProblemTemplate, "template, issuer and signer are all needed")
	}
	if err := checkIssuer(issuer); err != nil {
		return nil, err
	}
	keyKind, algorithm, err := keyAlgorithm(issuer.PublicKey)
	if err != nil {
		return nil, err
	}
	if !samePublicKey(issuer.PublicKey, signer.Public()) {
		return nil, fail(ProblemSigner, "signer's public key is not the one in the issuer's certificate")
	}
	if template.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		algorithm = template.SignatureAlgorithm
	}
	scheme, ok := schemes[algorithm]
	if !ok {
		return nil, fail(ProblemAlgorithm, "cannot sign with %v", algorithm)
	}
	if scheme.key != keyKind {
		return nil, fail(ProblemAlgorithm, "%v does not belong to a key of %v", algorithm, keyKind)
	}
	if template.NotAfter.Before(template.NotBefore) {
		return nil, fail(ProblemTime, "validity ends before it begins")
	}

	full := *template
	full.RawIssuer = issuer.RawSubject
	full.SignatureAlgorithmID = scheme.identifier()
	// RFC 5755, Section 4.3.3: authorityKeyIdentifier should be there.
	keyID := template.AuthorityKeyID
	if len(keyID) == 0 {
		keyID = issuer.SubjectKeyId
	}
	full.Extensions = withFields(template, keyID)
	info, err := marshalInfo(&full)
	if err != nil {
		return nil, err
	}
	if _, _, err := parseInfo(info); err != nil {
		return nil, err
	}

	signature, err := signatureOf(rand, signer, scheme, info)
	if err != nil {
		return nil, err
	}
	der, err := assemble(info, full.SignatureAlgorithmID, signature)
	if err != nil {
		return nil, err
	}
	ac, err := Parse(der)
	if err != nil {
		return nil, err
	}
	// A signer may be a device or a service, and may sign wrongly. Such a
	// signature must not leave this function.
	if err := ac.CheckSignatureFrom(issuer); err != nil {
		return nil, err
	}
	return der, nil
}

// samePublicKey compares two public keys of the standard library's types.
func samePublicKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

func signatureOf(rand io.Reader, signer crypto.Signer, s scheme, message []byte) ([]byte, error) {
	digest := message
	var opts crypto.SignerOpts = s.hash
	if s.hash != 0 {
		h := s.hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	if s.oid == oidRSAPSS {
		// Other verifiers refuse any other length, and so do we.
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}
	}
	signature, err := signer.Sign(rand, digest, opts)
	if err != nil {
		return nil, fail(ProblemSigner, "signer: %v", err)
	}
	return signature, nil
}

// assemble writes an AttributeCertificate around its signed part.
func assemble(info []byte, algorithm AlgorithmIdentifier, signature []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(info)
		addAlgorithmIdentifier(b, algorithm)
		b.AddASN1BitString(signature)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fail(ProblemTemplate, "cannot encode attribute certificate: %v", err)
	}
	return der, nil
}
