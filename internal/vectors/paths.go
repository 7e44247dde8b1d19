package vectors

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

// A path leads from a certificate to trust anchors, in a way that signers and
// peers are judged alike.
type path struct {
	id, comment string
	good        bool
	// build issues a certificate with a name, and says which are the anchors.
	build func(w *world, issue issuing) ([][]byte, *signer)
	// end is when a good path ends, if that is before the certificate.
	end time.Time
}

// An issuing has an authority issue the certificate that the path is for, with
// edits.
type issuing func(ca *authority, edits ...func(*x509.Certificate)) *signer

// paths are the cases of trust and of association that are the same but for who
// shows the certificate. name is the one it must have, parent what stands above.
func paths(name, parent string) []path {
	root := func(edits ...func(*x509.Certificate)) *authority { return newRoot("P-256", "Another Root", edits...) }
	below := func(ca *authority, edits ...func(*x509.Certificate)) *authority {
		return ca.under("P-256", "Another Intermediate", edits...)
	}
	// chain has edits of an anchor, of an intermediate below it and of the leaf.
	chain := func(anchor, intermediate, end func(*x509.Certificate)) func(*world, issuing) ([][]byte, *signer) {
		return func(_ *world, issue issuing) ([][]byte, *signer) {
			top := root(anchor)
			return [][]byte{top.certificate.Raw}, issue(below(top, intermediate), end)
		}
	}
	same := func(*x509.Certificate) {}
	anchor := func(edit func(*x509.Certificate)) func(*world, issuing) ([][]byte, *signer) {
		return chain(edit, same, same)
	}
	intermediate := func(edit func(*x509.Certificate)) func(*world, issuing) ([][]byte, *signer) {
		return chain(same, edit, same)
	}
	// named: names of the leaf below an intermediate with constraints.
	names := func(constraints func(*x509.Certificate), more ...string) func(*world, issuing) ([][]byte, *signer) {
		return chain(same, constraints, named(append([]string{name}, more...)...))
	}
	keyed := func(kind string) func(*world, issuing) ([][]byte, *signer) {
		return func(_ *world, issue issuing) ([][]byte, *signer) {
			top := newRoot(kind, "Root with "+kind)
			return [][]byte{top.certificate.Raw}, issue(top.under("P-256", "Intermediate of that"))
		}
	}
	foreign := func(kind string) func(*world, issuing) ([][]byte, *signer) {
		return func(_ *world, issue issuing) ([][]byte, *signer) {
			top, ca := foreignRoot(kind)
			return [][]byte{top}, issue(ca)
		}
	}
	// two anchors with one name and key.
	two := func(first, second func(*x509.Certificate)) func(*world, issuing) ([][]byte, *signer) {
		return func(_ *world, issue issuing) ([][]byte, *signer) {
			a, b := root(first), root(second)
			return [][]byte{a.certificate.Raw, b.certificate.Raw}, issue(below(a))
		}
	}
	excluded := func(domains ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = domains, true }
	}
	permitted := func(domains ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = domains, true }
	}
	policy := func(id int, critical bool, value *dertree.Node) func(*x509.Certificate) {
		return raw(asn1.ObjectIdentifier{2, 5, 29, id}, critical, value.Bytes()...)
	}
	// subtrees is nameConstraints with one subtree of a kind.
	subtrees := func(kind byte, base *dertree.Node) func(*x509.Certificate) {
		return policy(30, true, dertree.Constructed(acder.TagSequence, dertree.Constructed(acder.Context(kind), dertree.Constructed(acder.TagSequence, base))))
	}
	const permits, excludes = 0, 1
	organization := dertree.Constructed(acder.Context(4), acder.DirectoryName("Example"))
	otherName := dertree.Constructed(acder.Context(0), acder.ObjectID("1.3.6.1.5.5.7.8.5"), dertree.Constructed(acder.Context(0), dertree.Primitive(acder.TagUTF8, []byte(source)...)))
	noPolicy := dertree.Constructed(acder.TagSequence, dertree.Primitive(0x80, 0))
	mapping := dertree.Constructed(acder.TagSequence, dertree.Constructed(acder.TagSequence, acder.ObjectID("2.23.140.1.2.1"), acder.ObjectID("2.23.140.1.2.2")))
	wildcard := "*." + parent
	early, late := now.Add(2*day), now.Add(3*day)
	ending := func(end time.Time) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotAfter = end }
	}
	return []path{
		{"intermediate-usage-empty", "the intermediate certificate has an empty keyUsage", false, intermediate(noUsage), time.Time{}},
		{"intermediate-purpose-empty", "the intermediate certificate has an empty extKeyUsage", false, intermediate(noPurpose), time.Time{}},
		{"intermediate-usage-none", "the intermediate certificate has no keyUsage", true, intermediate(func(c *x509.Certificate) { c.KeyUsage = 0 }), time.Time{}},
		{"anchor-usage-empty", "the trust anchor has an empty keyUsage", false, anchor(noUsage), time.Time{}},
		{"anchor-purpose-empty", "the trust anchor has an empty extKeyUsage", false, anchor(noPurpose), time.Time{}},
		{"anchor-usage-none", "the trust anchor has no keyUsage", true, anchor(func(c *x509.Certificate) { c.KeyUsage = 0 }), time.Time{}},
		{"anchor-usage-empty-first", "two trust anchors with one name and key, the first with an empty keyUsage", true, two(noUsage, same), time.Time{}},
		{"anchor-usage-empty-second", "two trust anchors with one name and key, the second with an empty extKeyUsage", true, two(same, noPurpose), time.Time{}},

		{"anchor-rsa-1024", "a trust anchor with RSA of 1024 bits", false, keyed("rsa-1024"), time.Time{}},
		{"anchor-rsa-2047", "a trust anchor with RSA of 2047 bits", false, keyed("rsa-2047"), time.Time{}},
		{"anchor-rsa-4097", "a trust anchor with RSA of 4097 bits", false, keyed("rsa-4097"), time.Time{}},
		{"anchor-p224", "a trust anchor on P-224", false, keyed("P-224"), time.Time{}},
		{"anchor-p192", "a trust anchor on P-192", false, foreign("p192"), time.Time{}},
		{"anchor-dsa", "a trust anchor with DSA", false, foreign("dsa"), time.Time{}},
		{"anchor-p521", "a trust anchor on P-521", true, keyed("P-521"), time.Time{}},
		{"anchor-ed25519", "a trust anchor with Ed25519", true, keyed("Ed25519"), time.Time{}},
		{"anchor-unreadable", "an anchor that is no certificate, and a good one", true, func(w *world, issue issuing) ([][]byte, *signer) {
			return [][]byte{[]byte("no certificate"), w.root.certificate.Raw}, issue(w.ca)
		}, time.Time{}},
		{"anchor-version-1", "a trust anchor of version 1", true, func(_ *world, issue issuing) ([][]byte, *signer) {
			top := root()
			der := remade(top.certificate.Raw, top.key, func(tbs *dertree.Node) {
				tbs.Remove(len(tbs.Children) - 1)
				tbs.Remove(0)
			})
			return [][]byte{der}, issue(below(top))
		}, time.Time{}},

		{"anchor-policy-constraints", "policyConstraints in the trust anchor, which nobody looks at", true, anchor(policy(36, true, noPolicy)), time.Time{}},
		{"anchor-inhibit-any", "inhibitAnyPolicy in the trust anchor, which nobody looks at", true, anchor(policy(54, true, acder.Integer(0))), time.Time{}},
		{"anchor-policy-mappings", "policyMappings in the trust anchor, which nobody looks at", true, anchor(policy(33, false, mapping)), time.Time{}},

		{"wildcard-excluded", "a wildcard among the names, and an authority that excludes a name under it", false, names(excluded("other."+parent), wildcard), time.Time{}},
		{"wildcard-excluded-below", "a wildcard among the names, and an authority that excludes a name two labels under it", true, names(excluded("a.other."+parent), wildcard), time.Time{}},
		{"wildcard-not-excluded", "a wildcard among the names, and an authority that excludes another domain", true, names(excluded("other.test"), wildcard), time.Time{}},
		{"wildcard-permitted", "a wildcard among the names, and an authority that is permitted for its domain", true, names(permitted(parent), wildcard), time.Time{}},
		{"wildcard-permitted-one", "a wildcard among the names, and an authority that is permitted for the one name only", false, names(permitted(name), wildcard), time.Time{}},
		{"name-excluded", "an authority that excludes the name", false, names(excluded(name)), time.Time{}},
		{"name-excluded-other-case", "an authority that excludes the name in other case", false, names(excluded("EXAMPLE")), time.Time{}},
		{"name-not-permitted-beside", "another name among the names, for which the authority is not permitted", false, names(permitted(parent), "other.test"), time.Time{}},
		{"name-dot", "a name with a leading dot among the names, and an authority that is permitted for its domain", false, names(permitted(parent), "."+parent), time.Time{}},
		{"name-dot-excluded", "a name with a leading dot among the names, and an authority that excludes another domain", false, names(excluded("other.test"), "."+parent), time.Time{}},
		{"name-empty", "an empty name among the names, and an authority that excludes another domain", false, names(excluded("other.test"), ""), time.Time{}},
		{"name-dot-free", "a name with a leading dot among the names, and no constraints", true, names(same, "."+parent), time.Time{}},

		{"directory-permitted", "critical nameConstraints that permit a directoryName", false, intermediate(subtrees(permits, organization)), time.Time{}},
		{"directory-permitted-subject", "critical nameConstraints that permit a directoryName, which the subject has", false,
			chain(same, subtrees(permits, organization), commonName("Example")), time.Time{}},
		{"directory-excluded", "critical nameConstraints that exclude a directoryName", false, intermediate(subtrees(excludes, organization)), time.Time{}},
		{"directory-excluded-subject", "critical nameConstraints that exclude a directoryName, which the subject has", false,
			chain(same, subtrees(excludes, organization), commonName("Example")), time.Time{}},
		{"directory-anchor", "critical nameConstraints in the trust anchor that exclude a directoryName", false, anchor(subtrees(excludes, organization)), time.Time{}},
		{"other-name-excluded", "critical nameConstraints that exclude an otherName", false, intermediate(subtrees(excludes, otherName)), time.Time{}},
		{"registered-id-excluded", "critical nameConstraints that exclude a registeredID", false, intermediate(subtrees(excludes, dertree.Primitive(0x88, 0x2a, 3))), time.Time{}},
		{"mail-excluded", "critical nameConstraints that exclude a domain of mail addresses, which every platform can read", true, intermediate(subtrees(excludes, dertree.Primitive(0x81, []byte("example.com")...))), time.Time{}},

		{"intermediate-begins", "the intermediate certificate begins in this second", true, intermediate(func(c *x509.Certificate) { c.NotBefore = now }), time.Time{}},
		{"intermediate-begins-later", "the intermediate certificate begins in the next second", false, intermediate(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }), time.Time{}},
		{"anchor-begins", "the trust anchor begins in this second", true, anchor(func(c *x509.Certificate) { c.NotBefore = now }), time.Time{}},
		{"anchor-begins-later", "the trust anchor begins in the next second", false, anchor(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }), time.Time{}},
		{"ends-anchor-before-intermediate", "the trust anchor ends before the intermediate certificate: the earlier end", true, chain(ending(early), ending(late), same), early},
		{"ends-intermediate-before-anchor", "the intermediate certificate ends before the trust anchor: the earlier end", true, chain(ending(late), ending(early), same), early},
		{"ends-first-anchor", "two trust anchors with one name and key, the first ends later: the later end", true, two(ending(late), ending(early)), late},
		{"ends-second-anchor", "two trust anchors with one name and key, the second ends later: the later end", true, two(ending(early), ending(late)), late},
		{"anchor-ended-beside", "two trust anchors with one name and key, one of them has ended", true, two(ending(now.Add(-day)), same), time.Time{}},
	}
}

// noUsage and noPurpose are extensions that are present and allow nothing.
var (
	noUsage = func(c *x509.Certificate) {
		c.KeyUsage = 0
		raw(asn1.ObjectIdentifier{2, 5, 29, 15}, true, acder.TagBits, 1, 0)(c)
	}
	noPurpose = func(c *x509.Certificate) {
		c.ExtKeyUsage = nil
		raw(asn1.ObjectIdentifier{2, 5, 29, 37}, true, acder.TagSequence, 0)(c)
	}
)

// raw adds an extension in DER.
func raw(id asn1.ObjectIdentifier, critical bool, value ...byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: bytes.Clone(value)})
	}
}

// foreignRoot is a trust anchor with a key that no program here can sign with,
// and an authority below it: keys/KIND-chain.pem was made once, by OpenSSL.
func foreignRoot(kind string) (anchor []byte, below *authority) {
	top, rest := pem.Decode(must(keyFiles.ReadFile("keys/" + kind + "-chain.pem")))
	block, _ := pem.Decode(rest)
	certificate := must(x509.ParseCertificate(block.Bytes))
	key := newKey("P-256", certificate.Subject.CommonName)
	return top.Bytes, &authority{certificate: certificate, key: key, above: &authority{certificate: &x509.Certificate{Raw: top.Bytes}}}
}

// trustPathCases hold signers to the paths.
func (b *book) trustPathCases() {
	for _, p := range paths(source, "example") {
		change := func(t *trial) {
			roots, s := p.build(t.world, func(ca *authority, edits ...func(*x509.Certificate)) *signer { return ca.issue("P-256", edits...) })
			t.signer, t.policy.Roots = s, &roots
		}
		if !p.good {
			b.verify(nil, bad("path-"+p.id, "path constraints", "untrusted-signer", p.comment, change))
			continue
		}
		e := good("path-"+p.id, "path constraints", p.comment, change)
		if !p.end.IsZero() {
			e.expect = append(e.expect, until(p.end.Add(time.Second)))
		}
		b.verify(nil, e)
	}
}

// peerPathCases hold peers to the paths.
func (b *book) peerPathCases() {
	for _, p := range paths(host, "hosting.example") {
		change := func(d *deal) {
			roots, s := p.build(d.world, func(ca *authority, edits ...func(*x509.Certificate)) *signer {
				return ca.issueFor(newKey("P-256", "peer"), append([]func(*x509.Certificate){named(host), lives(begins, peerEnds)}, edits...)...)
			})
			d.peer = &Peer{Chain: s.chain(), Roots: roots, Time: stamp(now), Endpoint: &Endpoint{host, port}}
		}
		e := ending("peer-untrusted")
		if p.good {
			end := expires
			if !p.end.IsZero() {
				end = p.end.Add(time.Second)
			}
			e = accepted(host, "delegation", end)
		}
		b.associate(dealing{"path-" + p.id, "path", "a peer: " + p.comment, change, e})
	}
}
