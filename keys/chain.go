package keys

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/internal/text"
)

// maxPaths bounds the ways from a leaf that are compared. A file with more has
// dozens of certificates with the same few names, and is no chain.
const maxPaths = 256

// A way leads from a leaf through certificates of a file, each the issuer of the
// one before, without roots.
type way struct {
	chain  []*x509.Certificate
	proven bool      // it leads to a trust anchor that was given
	rooted bool      // it leads to one, or to a root that is in the file
	until  time.Time // that path, with its anchor, or else the first certificate expires
}

// A builder makes a chain of the certificates in a file.
//
// ACME clients, Vault and cert-manager write more than the path that a
// statement may carry (docs/spec.md, W1). Their files may hold an authority
// that two others have certified, the root at the end, a certificate twice,
// unrelated certificates, and any order. What issued what is decided by the
// signatures, since authorities have other keys under the same name.
type builder struct {
	all     []*x509.Certificate
	roots   *x509.CertPool // nil: none are known
	at      time.Time
	issuers map[*x509.Certificate][]*x509.Certificate
	reached map[*x509.Certificate]bool
	ways    []way
}

// buildChain returns the chain of the leaf that has a public key. The chain is
// linear and has at most [MaxChain] certificates. If roots are given, a chain
// that leads to one of them is preferred. Then one that ends at a root in the
// file is preferred, then the one that lasts longest. Of equals it takes the
// newest leaf, then the most certificates. A root is never part of it. The
// warnings are for a person.
func buildChain(all []*x509.Certificate, key crypto.PublicKey, roots *x509.CertPool, at time.Time) (chain []*x509.Certificate, warnings []string, err error) {
	b := &builder{roots: roots, at: at, issuers: map[*x509.Certificate][]*x509.Certificate{}, reached: map[*x509.Certificate]bool{}}
	for _, c := range all {
		if !slices.ContainsFunc(b.all, c.Equal) {
			b.all = append(b.all, c)
		}
	}
	var leaves []*x509.Certificate
	for _, c := range b.all {
		if pub, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && pub.Equal(key) {
			leaves = append(leaves, c)
		}
	}
	for _, leaf := range leaves {
		if err := b.climb([]*x509.Certificate{leaf}); err != nil {
			return nil, nil, err
		}
	}
	if len(leaves) == 0 {
		return nil, nil, fmt.Errorf("%w: it is %s, and the certificates are %s", ErrKeyMismatch, Describe(key), namesOf(b.all))
	}
	if len(b.ways) > 1 || len(b.ways[0].chain) == 1 {
		for i := range b.ways {
			b.prove(&b.ways[i])
		}
	} // else there is no choice, and nothing to warn of
	best := slices.MaxFunc(b.ways, way.compare)
	if len(best.chain) > MaxChain {
		return nil, nil, fmt.Errorf("%w: the chain of %s has %d certificates without its root, more than %d; get a certificate from an authority nearer to its root",
			ErrPEM, Name(best.chain[0]), len(best.chain), MaxChain)
	}
	var strangers []*x509.Certificate
	for _, c := range b.all {
		if !b.reached[c] && !slices.ContainsFunc(leaves, c.Equal) {
			strangers = append(strangers, c)
		}
	}
	if len(strangers) > 0 {
		warnings = append(warnings, fmt.Sprintf("not part of the chain, and left out: %s", namesOf(strangers)))
	}
	if leaf := best.chain[0]; len(best.chain) == 1 && !best.rooted && !selfIssued(leaf) {
		warnings = append(warnings, fmt.Sprintf("the certificate of the issuer of %s (%s) is missing; "+
			"verifiers refuse that unless the issuer is a trust anchor of theirs: give the whole chain, as in fullchain.pem",
			Name(leaf), text.Printable(leaf.Issuer.String())))
	}
	return best.chain, warnings, nil
}

// climb follows a chain to all issuers of its last certificate. No subject comes
// twice (docs/spec.md, W1b), so that two authorities that have certified each
// other are no circle.
func (b *builder) climb(chain []*x509.Certificate) error {
	last := chain[len(chain)-1]
	rooted, on := selfIssued(last), false
	if !rooted {
		for _, issuer := range b.issuersOf(last) {
			b.reached[issuer] = true
			switch {
			case selfIssued(issuer):
				rooted = true
			case slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, issuer.RawSubject) }):
			default:
				on = true
				if err := b.climb(append(slices.Clip(chain), issuer)); err != nil {
					return err
				}
			}
		}
	}
	if on && !rooted {
		return nil // a part of other ways
	}
	if len(b.ways) == maxPaths {
		return fmt.Errorf("%w: there are more than %d ways through its certificates; give the chain of the leaf and nothing else", ErrPEM, maxPaths)
	}
	b.ways = append(b.ways, way{chain: chain, rooted: rooted, until: ends(chain)[0]})
	return nil
}

func (b *builder) issuersOf(c *x509.Certificate) []*x509.Certificate {
	list, known := b.issuers[c]
	if !known {
		for _, issuer := range b.all {
			if issuer != c && bytes.Equal(c.RawIssuer, issuer.RawSubject) && CheckSize(issuer.PublicKey) == nil && c.CheckSignatureFrom(issuer) == nil {
				list = append(list, issuer)
			}
		}
		b.issuers[c] = list
	}
	return list
}

// prove asks whether a way leads to one of the roots, and until when.
func (b *builder) prove(w *way) {
	if b.roots == nil || selfIssued(w.chain[0]) {
		return
	}
	between := x509.NewCertPool()
	for _, c := range w.chain[1:] {
		between.AddCert(c)
	}
	at := b.at
	if at.Before(w.chain[0].NotBefore) {
		at = w.chain[0].NotBefore
	}
	paths, err := w.chain[0].Verify(x509.VerifyOptions{Roots: b.roots, Intermediates: between, CurrentTime: at})
	if err != nil {
		return
	}
	w.proven, w.rooted, w.until = true, true, time.Time{}
	for _, path := range paths {
		if end := ends(path)[0]; end.After(w.until) {
			w.until = end
		}
	}
}

// compare is more than 0 if a way is better than another; see buildChain.
func (w way) compare(o way) int {
	return cmp.Or(yes(w.proven)-yes(o.proven), yes(len(w.chain) <= MaxChain)-yes(len(o.chain) <= MaxChain), yes(w.rooted)-yes(o.rooted),
		w.until.Compare(o.until), slices.CompareFunc(ends(w.chain), ends(o.chain), time.Time.Compare))
}

// ends is when the certificates expire, the first first.
func ends(chain []*x509.Certificate) (list []time.Time) {
	for _, c := range chain {
		list = append(list, c.NotAfter)
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

// selfIssued: a certificate that may be a root, or the new key of one. A
// statement must not rely on it (docs/spec.md, W7e).
func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// namesOf lists a few certificates for a message.
func namesOf(list []*x509.Certificate) string {
	const most = 4
	var names []string
	for i, c := range list {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		names = append(names, fmt.Sprintf("%.100s (%s)", Name(c), Describe(c.PublicKey)))
	}
	return strings.Join(names, ", ")
}
