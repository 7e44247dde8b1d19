package delegation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/keys"
)

// A path is a verified chain, leaf first and trust anchor last.
type path struct {
	chain []*x509.Certificate
	end   time.Time // the first moment at which it is no longer valid
}

// byName is a certificate whose name is written when somebody reads it.
type byName struct{ *x509.Certificate }

func (n byName) String() string { return keys.Name(n.Certificate) }

// longestPath returns, of all paths from the first certificate shown to a trust
// anchor, the one that lives longest. It serves signers and peers alike. The key is
// the cache's pathKey of them.
func longestPath(u use, k key, shown []*x509.Certificate, roots *x509.CertPool, cache *Cache, at time.Time) (best path, err error) {
	if cache != nil {
		roots = cache.roots
		if known, ok := cache.path(u, k, shown, at); ok {
			return known, nil
		}
	}
	good, found, err := goodPaths(u, shown, roots, at)
	for _, p := range good {
		if p.end.After(best.end) {
			best = p
		}
	}
	if best.chain == nil {
		return path{}, err
	}
	if cache != nil {
		cache.learn(u, k, shown, found, best, at)
	}
	return best, nil
}

// goodPaths returns all paths from the first certificate shown to a trust anchor,
// and everything that crypto/x509 found. crypto/x509 judges every path (RFC 5280,
// Section 6), and checkPath then refuses some more. The error says why there are no
// more good ones.
//
// This relies on Certificate.Verify to return every path it finds, not only the
// first or best. A path that checkPath refuses must not hide a good one. Verify
// tries every issuer of the right name, in both pools, and drops bad paths one
// by one. It stops early in two cases. A leaf that is itself a trust anchor has
// only that path. What checkPath says of the leaf then holds for any other path
// too. And after 100 signature checks it returns what it has. The limits on
// certificates keep strangers far below that (checksOf, limits.MaxPeerChecks); only
// the operator's own anchors could exceed it, with dozens of the same name.
func goodPaths(u use, shown []*x509.Certificate, roots *x509.CertPool, at time.Time) (good []path, found [][]*x509.Certificate, err error) {
	intermediates := x509.NewCertPool()
	for _, c := range shown[1:] {
		// A root that a signer sent along proves nothing and is not looked at.
		if u == forPeer || !selfIssued(c) {
			intermediates.AddCert(c)
		}
	}
	found, err = shown[0].Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	for _, chain := range found {
		if e := checkPath(chain); e != nil {
			err = e
		} else {
			good = append(good, path{chain, chainEnd(chain)})
		}
	}
	return good, found, err
}

// checkPath refuses a path that crypto/x509 accepts and this protocol does not.
func checkPath(chain []*x509.Certificate) error {
	constrained := false // by an authority above the certificate
	for _, c := range slices.Backward(chain) {
		if extension := emptyUsage(c); extension != "" {
			return fmt.Errorf("on the way to the trust anchor, the certificate of %.100s has an empty %s extension, which allows nothing", keys.Name(c), extension)
		}
		// crypto/x509 refuses other dNSNames that are no names, such as
		// .example.com, below an authority with name constraints. The empty one
		// it takes for a name outside of every excluded subtree.
		if constrained && slices.Contains(c.DNSNames, "") {
			return fmt.Errorf("an authority has name constraints, and the certificate of %.100s below it has an empty dNSName", keys.Name(c))
		}
		constrained = constrained || hasExtension(c, oidNameConstraints)
	}
	// The other keys were checked before any signature was (W2).
	anchor := chain[len(chain)-1]
	if err := keys.CheckSize(anchor.PublicKey); err != nil {
		return fmt.Errorf("the trust anchor %.100s: %w", keys.Name(anchor), err)
	}
	return nil
}

// emptyUsage names an extension of the certificate that is present and allows
// nothing (RFC 5280, Sections 4.2.1.3 and 4.2.1.12). crypto/x509 reads it as
// absent, and what is absent allows everything.
func emptyUsage(c *x509.Certificate) string {
	switch {
	case c.KeyUsage == 0 && hasExtension(c, oidKeyUsage):
		return "keyUsage"
	case len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 && hasExtension(c, oidExtKeyUsage):
		return "extKeyUsage"
	}
	return ""
}

var (
	oidKeyUsage        = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidExtKeyUsage     = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// hasExtension tells an extension that crypto/x509 parses to a zero value from
// one that is absent.
func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
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
