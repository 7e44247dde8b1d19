package delegation

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// readSigner reads the certificates of a statement, unless the cache knows them.
func (s *signed) readSigner(cache *Cache) (*signerChain, *Error) {
	if known := cache.inBag(s); known != nil {
		return known, nil
	}
	chain, err := parseChain(s.certificates, s.unordered, cache)
	if err != nil {
		return nil, err
	}
	return &signerChain{certificates: chain, fingerprint: sha256.Sum256(chain[0].Raw), path: cache.pathKey(chain)}, nil
}

// parseChain reads the certificates of a statement, leaf first, with the SCTs
// of the leaf. It first checks what makes judging them cheap: key sizes, and a
// chain in which each certificate is the issuer of the one before and nothing
// appears twice. Names that repeat are how a chain makes crypto/x509 try many
// signatures.
func parseChain(der [][]byte, unordered bool, cache *Cache) ([]*x509.Certificate, *Error) {
	var chain []*x509.Certificate
	for i, raw := range der {
		c, err := cache.parse(raw)
		if err != nil {
			return nil, Errorf(reasons.MalformedCertificate, "certificate %d: %v", i+1, err)
		}
		chain = append(chain, c)
	}
	if _, _, err := latestSCT(chain[0]); err != nil {
		return nil, err
	}
	for i, c := range chain {
		if err := keys.CheckSize(c.PublicKey); err != nil {
			return nil, Errorf(reasons.UnsupportedKey, "certificate %d (%.100s): %v", i+1, keys.Name(c), err)
		}
	}
	if unordered {
		order(chain)
	}
	for i, c := range chain {
		for j, earlier := range chain[:i] {
			if bytes.Equal(earlier.RawSubject, c.RawSubject) {
				return nil, Errorf(reasons.ChainNotLinear, "certificates %d and %d have the same subject", j+1, i+1)
			}
		}
		if i > 0 && !bytes.Equal(chain[i-1].RawIssuer, c.RawSubject) {
			return nil, Errorf(reasons.ChainNotLinear, "certificate %d is not the issuer of certificate %d", i+1, i)
		}
	}
	return chain, nil
}

// checksOf is how many signature checks a statement with these certificates can
// take: its own, and one of each certificate. See docs/spec.md, V3.
func checksOf(chain []*x509.Certificate) int {
	checks := 1
	for _, c := range chain {
		checks += weight(c)
	}
	return checks
}

// weight is what a check with a certificate's key counts. A check with P-521
// takes forty times as long as with P-256. RSA-4096 with the largest exponent
// that crypto/rsa accepts takes twenty times as long, everything else up to ten
// times.
func weight(c *x509.Certificate) int {
	switch k := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P521() {
			return 2
		}
	case *rsa.PublicKey:
		if k.E > 65537 {
			return 2
		}
	}
	return 1
}

// order puts the issuer of each certificate behind it, as far as there is one.
func order(chain []*x509.Certificate) {
	for i := range chain[:len(chain)-1] {
		for j := i + 1; j < len(chain); j++ {
			if bytes.Equal(chain[i].RawIssuer, chain[j].RawSubject) {
				chain[i+1], chain[j] = chain[j], chain[i+1]
				break
			}
		}
	}
}

// checkSigner checks that the leaf may sign a statement for source. Its times
// and the chain to a trust anchor are checked elsewhere. crypto/x509 checks
// neither that a leaf is no authority nor its keyUsage, so we do. A key that
// DNSSEC names, at a time, needs no name in its certificate.
func checkSigner(leaf *x509.Certificate, source string, named namedKeys, at time.Time) *Error {
	if leaf.Version != 3 {
		return Errorf(reasons.SignerVersion, "the signer's certificate is of version %d, not 3", leaf.Version)
	}
	if leaf.IsCA {
		return Errorf(reasons.SignerIsCA, "the signer's certificate (%.100s) is a certification authority's", keys.Name(leaf))
	}
	checkName := func() *Error { return checkSignerName(leaf, source) }
	if named.any() {
		checkName = func() *Error { return named.check(leaf, at) }
	}
	if err := checkName(); err != nil {
		return err
	}
	// RFC 5280, Section 4.2.1.3.
	if hasExtension(leaf, oidKeyUsage) && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return Errorf(reasons.SignerKeyUsage, "the signer's certificate has keyUsage without digitalSignature")
	}
	// RFC 5280, Section 4.2.1.12. anyExtendedKeyUsage alone does not do.
	if hasExtension(leaf, oidExtKeyUsage) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		return Errorf(reasons.SignerExtKeyUsage, "the signer's certificate has extKeyUsage without serverAuth")
	}
	return nil
}

// checkProvable checks for the signer what path validation refuses of a leaf
// whatever is above it. Verifiers leave it to crypto/x509 (W7a to W7d), after the
// cheaper checks. A certificate that issued itself has no path: DNSSEC may name
// its key.
func checkProvable(leaf *x509.Certificate) *Error {
	if selfIssued(leaf) {
		return nil
	}
	if unknown := leaf.UnhandledCriticalExtensions; len(unknown) > 0 {
		return Errorf(reasons.UntrustedSigner, "the signer's certificate (%.100s) has the critical extension %v, which verifiers do not know and so refuse; get a certificate without it", keys.Name(leaf), unknown[0])
	}
	switch leaf.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1, x509.UnknownSignatureAlgorithm:
		return Errorf(reasons.UntrustedSigner, "the signer's certificate (%.100s) is signed with %v, which verifiers refuse; get a certificate that is signed with SHA-256 or better", keys.Name(leaf), leaf.SignatureAlgorithm)
	}
	return nil
}

// checkSignerTime checks that the leaf is valid at a time. A certificate of
// this minute must work for a verifier whose clock is slow, so the start has
// the same tolerance as iat.
func checkSignerTime(leaf *x509.Certificate, at time.Time) *Error {
	if at.Before(leaf.NotBefore.Add(-limits.ClockSkew)) {
		return Errorf(reasons.SignerNotYetValid, "the signer's certificate is valid from %s, and now it is %s", text.FineStamp(leaf.NotBefore), text.FineStamp(at))
	}
	logged, ok, err := lastLogged(leaf)
	if err != nil {
		return err
	}
	if ok && logged.After(at.Add(limits.ClockSkew)) {
		return Errorf(reasons.SignerNotYetValid, "the signer's certificate has an SCT of %s, and now it is %s", text.FineStamp(logged), text.FineStamp(at))
	}
	if at.After(leaf.NotAfter) {
		return Errorf(reasons.SignerExpired, "the signer's certificate was valid until %s, and now it is %s", text.FineStamp(leaf.NotAfter), text.FineStamp(at))
	}
	return nil
}

// checkSignerName: an exact dNSName (RFC 9525, Section 6.3). Wildcards are not
// accepted: a certificate for *.example is often in the hands of somebody who
// serves only one host of it.
func checkSignerName(leaf *x509.Certificate, source string) *Error {
	// DNS names compare without regard to case (RFC 4343). x509 has refused other
	// octets than ASCII.
	names := func(name string) bool {
		return slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return strings.EqualFold(n, name) })
	}
	if names(source) {
		return nil
	}
	_, parent, _ := strings.Cut(source, ".")
	if names("*." + parent) {
		return Errorf(reasons.SignerWildcard, "the signer's certificate names *.%s and not %s", parent, source)
	}
	if len(leaf.DNSNames) == 0 && strings.EqualFold(leaf.Subject.CommonName, source) {
		return Errorf(reasons.SignerCommonNameOnly, "the signer's certificate names %s only in its common name", source)
	}
	return Errorf(reasons.SignerNameMismatch, "the signer's certificate names %.300q and not %s", leaf.DNSNames, source)
}

// trustChain returns the path from the signer's certificate to a trust anchor
// of the policy.
//
// It is judged for the policy's time, or for the start of the signer's
// certificate if that is later: checkSignerTime allows a few minutes.
func trustChain(signer *signerChain, p *Policy) (path, *Error) {
	chain := signer.certificates
	leaf, at := chain[0], p.Time
	if selfIssued(leaf) {
		return path{}, Errorf(reasons.UntrustedSigner, "the signer's certificate was issued by itself, and nothing that DNSSEC secures names its key")
	}
	if at.Before(leaf.NotBefore) {
		at = leaf.NotBefore
	}
	best, err := longestPath(forSigner, signer.path, chain, p.Roots, p.Cache, at)
	if err != nil {
		return path{}, Errorf(reasons.UntrustedSigner, "%v%s", err, incomplete(chain, err))
	}
	if len(best.chain) < 2 {
		// The pool of trust anchors holds the leaf itself.
		return path{}, Errorf(reasons.SignerIsCA, "the signer's certificate is itself a trust anchor")
	}
	return best, nil
}

// incomplete adds to an error what most often causes it.
func incomplete(chain []*x509.Certificate, err error) string {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) && len(chain) == 1 {
		return " (the statement carries no intermediate certificate: was it signed with cert.pem instead of fullchain.pem?)"
	}
	return ""
}
