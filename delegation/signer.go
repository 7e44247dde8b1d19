package delegation

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/keys"
)

// parseChain reads the certificates of a statement, leaf first, and holds them
// to what makes judging them cheap: key sizes, and a chain in which each
// certificate is the issuer of the one before and nothing appears twice. Names
// that repeat are how a chain makes crypto/x509 try many signatures.
func parseChain(der [][]byte, unordered bool, known *KnownChains) ([]*x509.Certificate, *Error) {
	var chain []*x509.Certificate
	for i, raw := range der {
		c, err := known.parse(raw)
		if err != nil {
			return nil, refuse(MalformedCertificate, "certificate %d: %v", i+1, err)
		}
		chain = append(chain, c)
	}
	for i, c := range chain {
		if err := keys.CheckSize(c.PublicKey); err != nil {
			return nil, refuse(UnsupportedKey, "certificate %d (%.100s): %v", i+1, keys.Name(c), err)
		}
	}
	if unordered {
		order(chain)
	}
	for i, c := range chain {
		for j, earlier := range chain[:i] {
			if bytes.Equal(earlier.RawSubject, c.RawSubject) {
				return nil, refuse(ChainNotLinear, "certificates %d and %d have the same subject", j+1, i+1)
			}
		}
		if i > 0 && !bytes.Equal(chain[i-1].RawIssuer, c.RawSubject) {
			return nil, refuse(ChainNotLinear, "certificate %d is not the issuer of certificate %d", i+1, i)
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

// weight is what a check with a certificate's key counts. With P-521 it takes
// forty times as long as with P-256, with RSA-4096 and the largest exponent
// that crypto/rsa accepts twenty times, with everything else up to ten times.
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

// checkSigner holds a leaf to what the signer of a statement for source must
// be at a time, all but the chain to a trust anchor. crypto/x509 checks
// neither that a leaf is no authority nor its keyUsage: so we do.
func checkSigner(leaf *x509.Certificate, source string, at time.Time) *Error {
	if leaf.Version != 3 {
		return refuse(SignerVersion, "the signer's certificate is of version %d, not 3", leaf.Version)
	}
	if leaf.IsCA {
		return refuse(SignerIsCA, "the signer's certificate (%.100s) is a certification authority's", keys.Name(leaf))
	}
	if err := checkSignerName(leaf, source); err != nil {
		return err
	}
	// RFC 5280, Section 4.2.1.3.
	if hasExtension(leaf, oidKeyUsage) && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return refuse(SignerKeyUsage, "the signer's certificate has keyUsage without digitalSignature")
	}
	// RFC 5280, Section 4.2.1.12. anyExtendedKeyUsage alone does not do.
	if hasExtension(leaf, oidExtKeyUsage) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		return refuse(SignerExtKeyUsage, "the signer's certificate has extKeyUsage without serverAuth")
	}
	if at.Before(leaf.NotBefore) {
		return refuse(SignerNotYetValid, "the signer's certificate is valid from %s", stamp(leaf.NotBefore))
	}
	if at.After(leaf.NotAfter) {
		return refuse(SignerExpired, "the signer's certificate was valid until %s", stamp(leaf.NotAfter))
	}
	return nil
}

var (
	oidKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// hasExtension tells an extension that allows nothing, which crypto/x509
// parses to a zero value, from one that is absent.
func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
}

// checkSignerName: an exact dNSName (RFC 9525, Section 6.3, without its
// wildcards: a certificate that says *.example is often in the hands of
// somebody who serves one host of it).
func checkSignerName(leaf *x509.Certificate, source string) *Error {
	if slices.Contains(lowered(leaf.DNSNames), source) {
		return nil
	}
	_, parent, _ := strings.Cut(source, ".")
	if slices.Contains(lowered(leaf.DNSNames), "*."+parent) {
		return refuse(SignerWildcard, "the signer's certificate names *.%s and not %s", parent, source)
	}
	if len(leaf.DNSNames) == 0 && strings.EqualFold(leaf.Subject.CommonName, source) {
		return refuse(SignerCommonNameOnly, "the signer's certificate names %s only in its common name", source)
	}
	return refuse(SignerNameMismatch, "the signer's certificate names %.300q and not %s", leaf.DNSNames, source)
}

// lowered gives names in lower case: DNS names compare so (RFC 4343), and a
// certificate may have any. x509 has refused other octets than ASCII.
func lowered(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToLower(name)
	}
	return out
}

// checkIssuedAfter: a statement older than its certificate was not signed with
// it. Without this, iat could be anything, and so the order of statements.
func (s *Statement) checkIssuedAfter(leaf *x509.Certificate) *Error {
	if s.Issued.Before(leaf.NotBefore.Add(-ClockSkew)) {
		return refuse(IssuedBeforeSigner, "issued at %s, before the signer's certificate was, at %s",
			stamp(s.Issued), stamp(leaf.NotBefore))
	}
	return nil
}

// A path is a verified chain, leaf first and trust anchor last.
type path struct {
	chain  []*x509.Certificate
	end    time.Time // the first moment at which it is no longer valid
	anchor string    // the trust anchor's name, for a person
}

// trustChain lets crypto/x509 judge whether a chain leads to a trust anchor at
// the policy's time, by RFC 5280, Section 6, and returns the path that lives
// longest.
func trustChain(chain []*x509.Certificate, p *Policy) (path, *Error) {
	if known, ok := p.Known.below(chain, p.Time); ok {
		return known, nil
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		// A root that was sent along proves nothing and is not looked at.
		if !bytes.Equal(c.RawSubject, c.RawIssuer) {
			intermediates.AddCert(c)
		}
	}
	verified, err := chain[0].Verify(x509.VerifyOptions{
		Roots:         p.Roots,
		Intermediates: intermediates,
		CurrentTime:   p.Time,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return path{}, refuse(UntrustedSigner, "%v%s", err, incomplete(chain, err))
	}
	var best path
	for _, candidate := range verified {
		if e := chainEnd(candidate); e.After(best.end) {
			best.chain, best.end = candidate, e
		}
	}
	if len(best.chain) < 2 {
		// The pool of trust anchors holds the leaf itself.
		return path{}, refuse(SignerIsCA, "the signer's certificate is itself a trust anchor")
	}
	best.anchor = keys.Name(best.chain[len(best.chain)-1])
	p.Known.learn(chain, verified, best.anchor)
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

// chainEnd is the first moment at which a chain is no longer valid: notAfter
// is inclusive and counts whole seconds (RFC 5280, Section 4.1.2.5).
func chainEnd(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end.Add(time.Second)
}
