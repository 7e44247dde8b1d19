package vectors

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

var trustNotes = map[string]Note{
	"valid":        {[]string{"W4", "W7"}, "A signer that may sign.", "A verifier that refuses it locks out an honest owner."},
	"linear":       {[]string{"W1"}, "The certificates are a chain, the signer's first, and none repeats.", "Certificates of the same name make path validation try many signatures."},
	"certificate":  {[]string{"W1"}, "Each is a certificate and nothing more.", "Octets that nothing signs are a place for anything."},
	"keys":         {[]string{"W2"}, "Keys of certificates are of a kind and size that is safe, and cheap, to verify with.", "A check with a huge key takes a third of a second; a small key can be broken."},
	"authority":    {[]string{"W3"}, "The signer is no authority and no trust anchor.", "An authority signs for every domain, outside of all that holds authorities to their rules."},
	"version":      {[]string{"W3"}, "The signer's certificate is of version 3.", "A certificate without extensions says nothing about what its key is for."},
	"name":         {[]string{"W4"}, "The signer's certificate has the source as a dNSName, exactly.", "Whoever has a certificate for a part of the domain, or for a wildcard, delegates the domain."},
	"usage":        {[]string{"W5"}, "keyUsage and extKeyUsage, if there, allow it.", "A key for something else signs statements."},
	"path":         {[]string{"W7"}, "The chain leads to a trust anchor by the whole of RFC 5280, Section 6.", "An authority that is held to some names, to some depth or to another purpose goes beyond that."},
	"constraints":  {[]string{"W2", "W7"}, "An extension that is present and empty is present. Anchors have keys of the same kinds and sizes. Name constraints bind every name, wildcards and names in bad form included.", "A certificate that allows nothing is taken for one that allows everything; or an authority goes beyond what it is held to."},
	"policies":     {[]string{"W7"}, "What certificates of the chain say of certificate policies holds, though the verifier asks for none.", "An authority that is held to certificates of one policy issues others."},
	"anchors":      {[]string{"V1", "W7"}, "Trust anchors are those of the policy.", "Trust anchors that nobody named are believed."},
	"roots-sent":   {[]string{"W7", "W1"}, "A root among the certificates is not looked at.", "A root that was sent along is believed."},
	"tolerance":    {[]string{"W6", "W7"}, "The signer's certificate is valid from 5 minutes before its notBefore, and the path to it is validated at that moment.", "A certificate of this minute is refused by a verifier whose clock is slow; or the tolerance spreads to authorities."},
	"own-check":    {[]string{"W8"}, "The policy's own check must agree.", "A signer that the operator has ruled out is believed."},
	"missing":      {[]string{"V1"}, "A missing trust anchor set or time is refused.", "A zero time is read as now, or missing anchors as those of the system."},
	"signer-files": {[]string{"W2", "W5"}, "What a program that signs is given as certificate and key.", "A key that everybody can read signs for everybody."},
}

func trustFamily(w *world) *book {
	b := newBook(w, "trust", trustNotes)
	b.both(nil, trustNames()...)
	b.verify(nil, trustUsages()...)
	b.verify(nil, trustKeys()...)
	b.verify(nil, trustChains()...)
	b.both(nil, trustPaths()...)
	b.verify(nil, trustPolicies()...)
	b.trustPathCases()
	b.verify(nil, trustTolerance()...)
	b.signerFiles()
	return b
}

func trustNames() []entry {
	with := func(names ...string) step { return leaf(named(names...)) }
	srv := func(t *trial) {
		leaf(func(c *x509.Certificate) {
			c.DNSNames, c.ExtraExtensions = nil, []pkix.Extension{srvNameExtension()}
		})(t)
	}
	const mismatch, wildcard = "signer-name-mismatch", "signer-wildcard"
	return []entry{
		good("name-case", "name valid", "the name in other case", with("B.Example")),
		good("name-among", "name valid", "the name among others, a wildcard for it too", with("a.example", "*.example", source, "c.example")),
		bad("name-other", "name", mismatch, "another name", with("c.example")),
		bad("name-parent", "name", mismatch, "the name of the parent", with("example")),
		bad("name-below", "name", mismatch, "a name below the source", with("www."+source)),
		bad("name-target", "name", mismatch, "the name of the target: the provider signs for the owner", with(host)),
		bad("name-wildcard", "name", wildcard, "a wildcard that covers the source", with("*.example")),
		bad("name-wildcard-case", "name", wildcard, "a wildcard that covers the source, in other case", with("*.EXAMPLE")),
		bad("name-wildcard-above", "name", mismatch, "a wildcard that stands for one label, and the source has two more", all(
			says(func(s *statement) { s.source = "a." + source }), asks("a."+source, service), with("*.example")), all(
			says(func(s *statement) { s.source = "a." + source }), asks("a."+source, service), with("a."+source))),
		bad("name-wildcard-below", "name", mismatch, "a wildcard for names below the source", with("*."+source)),
		bad("name-wildcard-part", "name", mismatch, "a wildcard within a label", with("b*.example")),
		bad("name-common", "name", "signer-cn-only", "the source as common name, and no dNSName", leaf(named(), commonName(source))),
		bad("name-common-case", "name", "signer-cn-only", "the source as common name in other case, and no dNSName", leaf(named(), commonName("B.EXAMPLE"))),
		bad("name-common-other", "name", mismatch, "the source as common name, and another dNSName", leaf(named("c.example"), commonName(source))),
		bad("name-none", "name", mismatch, "no name at all", with()),
		bad("name-kinds", "name", mismatch, "the source in a URI and a mail address, and an IP address", leaf(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = nil, []net.IP{{192, 0, 2, 1}}
			c.URIs = []*url.URL{{Scheme: "https", Host: source}}
			c.EmailAddresses = []string{"x@" + source}
		})),
		bad("name-srv", "name", mismatch, "the source in an SRVName (RFC 4985), which name constraints do not bind", srv),
	}
}

// srvNameExtension is a subjectAltName with only an SRVName (RFC 4985).
func srvNameExtension() pkix.Extension {
	other := dertree.Constructed(acder.Context(0), acder.ObjectID("1.3.6.1.5.5.7.8.7"), dertree.Constructed(acder.Context(0), acder.IA5("_xmpp-server."+source)))
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: dertree.Constructed(acder.TagSequence, other).Bytes()}
}

func trustUsages() []entry {
	usage := func(u x509.KeyUsage) step { return leaf(func(c *x509.Certificate) { c.KeyUsage = u }) }
	purposes := func(list ...x509.ExtKeyUsage) step {
		return leaf(func(c *x509.Certificate) { c.ExtKeyUsage = list })
	}
	raw := func(id asn1.ObjectIdentifier, value ...byte) step {
		return leaf(func(c *x509.Certificate) {
			if id[3] == 15 {
				c.KeyUsage = 0
			} else {
				c.ExtKeyUsage = nil
			}
			c.ExtraExtensions = []pkix.Extension{{Id: id, Value: value}}
		})
	}
	keyUsage, extKeyUsage := asn1.ObjectIdentifier{2, 5, 29, 15}, asn1.ObjectIdentifier{2, 5, 29, 37}
	const bad1, bad2 = "signer-key-usage", "signer-ext-key-usage"
	return []entry{
		good("usage-none", "usage valid", "no keyUsage", usage(0)),
		good("usage-more", "usage valid", "digitalSignature and keyAgreement", usage(x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement)),
		bad("usage-encipherment", "usage", bad1, "keyUsage is keyEncipherment", usage(x509.KeyUsageKeyEncipherment)),
		bad("usage-commitment", "usage", bad1, "keyUsage is contentCommitment", usage(x509.KeyUsageContentCommitment)),
		bad("usage-empty", "usage", bad1, "keyUsage is empty, which is not absent", raw(keyUsage, 3, 1, 0)),
		good("purpose-none", "usage valid", "no extKeyUsage", purposes()),
		good("purpose-both", "usage valid", "for clients and servers", purposes(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth)),
		bad("purpose-client", "usage", bad2, "for clients only", purposes(x509.ExtKeyUsageClientAuth)),
		bad("purpose-any", "usage", bad2, "for any purpose", purposes(x509.ExtKeyUsageAny)),
		bad("purpose-code", "usage", bad2, "for signing programs", purposes(x509.ExtKeyUsageCodeSigning)),
		bad("purpose-unknown", "usage", bad2, "for a purpose that nobody knows", leaf(func(c *x509.Certificate) {
			c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 99999}}
		})),
		bad("purpose-empty", "usage", bad2, "extKeyUsage is empty, which is not absent", raw(extKeyUsage, acder.TagSequence, 0)),
		good("no-constraints", "authority valid", "no basicConstraints", leaf(func(c *x509.Certificate) { c.BasicConstraintsValid = false })),
		bad("authority", "authority", "signer-is-ca", "the signer's certificate is an authority's", leaf(commonName("authority"), func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign
		})),
		bad("intermediate", "authority", "signer-is-ca", "the intermediate authority signs itself", func(t *trial) {
			t.signer = &signer{leaf: t.ca.certificate, key: t.ca.key, ca: t.root}
		}),
		bad("version-1", "version", "signer-version", "the signer's certificate is of version 1, without extensions", chain(func(w *world, der [][]byte) [][]byte {
			return [][]byte{versionOne(w), der[1]}
		})),
	}
}

// versionOne is the usual signer's certificate without version and extensions,
// signed anew.
func versionOne(w *world) []byte {
	return remade(w.signer.leaf.Raw, w.ca.key, func(tbs *dertree.Node) {
		tbs.Children = slices.DeleteFunc(tbs.Children, func(n *dertree.Node) bool { return n.Tag >= 0x80 })
	})
}

func trustKeys() []entry {
	const unsupported = "unsupported-key"
	below := func(kind string) step {
		return signedBy(func(w *world) *signer { return w.root.under(kind, "Intermediate with "+kind).issue("P-256") })
	}
	rooted := func(kind string) step {
		return func(t *trial) {
			root := newRoot(kind, "Root with "+kind)
			t.signer = root.under("P-256", "Intermediate of that").issue("P-256")
			roots := [][]byte{root.certificate.Raw}
			t.policy.Roots = &roots
		}
	}
	return []entry{
		good("ca-p384", "keys valid", "an authority on P-384", below("P-384")),
		good("ca-p521", "keys valid", "an authority on P-521", below("P-521")),
		good("ca-ed25519", "keys valid", "an authority with Ed25519", below("Ed25519")),
		good("ca-rsa-2048", "keys valid", "an authority with RSA of 2048 bits", below("rsa-2048")),
		good("ca-rsa-4096", "keys valid", "an authority with RSA of 4096 bits", below("rsa-4096")),
		good("root-p384", "keys valid", "a trust anchor on P-384", rooted("P-384")),
		good("root-rsa-4096", "keys valid", "a trust anchor with RSA of 4096 bits", rooted("rsa-4096")),
		bad("ca-rsa-1024", "keys", unsupported, "an authority with RSA of 1024 bits", below("rsa-1024")),
		bad("ca-rsa-2047", "keys", unsupported, "an authority with RSA of 2047 bits", below("rsa-2047")),
		bad("ca-rsa-4097", "keys", unsupported, "an authority with RSA of 4097 bits", below("rsa-4097")),
		bad("ca-p224", "keys", unsupported, "an authority on P-224", below("P-224")),
		bad("leaf-rsa-1024", "keys", unsupported, "the signer has RSA of 1024 bits", ofKind("rsa-1024")),
		bad("leaf-rsa-2047", "keys", unsupported, "the signer has RSA of 2047 bits", ofKind("rsa-2047")),
		good("leaf-rsa-2048", "keys valid", "the signer has RSA of 2048 bits", ofKind("rsa-2048")),
		good("leaf-rsa-4096", "keys valid", "the signer has RSA of 4096 bits", ofKind("rsa-4096")),
		bad("leaf-rsa-4097", "keys", unsupported, "the signer has RSA of 4097 bits", ofKind("rsa-4097")),
		bad("leaf-p224", "keys", unsupported, "the signer is on P-224", ofKind("P-224")),
	}
}

func trustChains() []entry {
	const linear, malformed = "chain-not-linear", "malformed-certificate"
	sent := func(order ...int) step {
		return chain(func(_ *world, der [][]byte) [][]byte {
			var out [][]byte
			for _, i := range order {
				out = append(out, der[i])
			}
			return out
		})
	}
	with := func(make func(w *world) []byte) step {
		return chain(func(w *world, der [][]byte) [][]byte { return append(der, make(w)) })
	}
	root := func(w *world) []byte { return w.root.certificate.Raw }
	unrelated := func(w *world) []byte { return w.root.under("P-256", "Unrelated").certificate.Raw }
	three := signedBy(longChain(3))
	tail := func(i int) step {
		return chain(func(_ *world, der [][]byte) [][]byte {
			c := dertree.MustParse(der[i])
			c.Tail = []byte("anything")
			der[i] = c.Bytes()
			return der
		})
	}
	return []entry{
		good("from-root", "linear valid", "issued by the trust anchor itself", signedBy(func(w *world) *signer { return w.root.issue("P-256") })),
		good("three", "linear valid", "a chain of three", three),
		good("root-sent", "roots-sent", "the trust anchor is sent too", with(root)),
		good("root-impostor", "roots-sent", "another root of the same name is sent too", with(func(*world) []byte { return impostorRoot().certificate.Raw })),
		bad("self-issued-authority", "roots-sent", "untrusted-signer", "an authority that has the name of the trust anchor and was signed by it, as for a new key: it is ignored like a root", signedBy(func(w *world) *signer {
			again := &authority{key: newKey("P-384", "Test Root again"), above: w.root}
			again.certificate = sign(authorityTemplate("Test Root", nil), w.root.certificate, again.key, w.root.key)
			return again.issue("P-256")
		})),
		bad("root-twice", "linear", linear, "the trust anchor is sent twice", all(with(root), with(root))),
		bad("reversed", "linear", linear, "the intermediate first", sent(1, 0)),
		bad("swapped", "linear", linear, "two intermediates in the wrong order", sent(0, 2, 1), three),
		bad("leaf-twice", "linear", linear, "the signer's certificate twice", sent(0, 0, 1)),
		bad("intermediate-twice", "linear", linear, "the intermediate certificate twice", sent(0, 1, 1)),
		bad("same-name", "linear", linear, "another authority of the intermediate's name", with(func(*world) []byte {
			return impostorRoot().under("P-384", "Test Intermediate").certificate.Raw
		})),
		bad("unrelated-last", "linear", linear, "an unrelated authority last", with(unrelated)),
		bad("unrelated-between", "linear", linear, "an unrelated authority between", chain(func(w *world, der [][]byte) [][]byte {
			return [][]byte{der[0], unrelated(w), der[1]}
		})),
		bad("leaf-tail", "certificate", malformed, "octets after the signature of the signer's certificate, within its sequence", tail(0)),
		bad("intermediate-tail", "certificate", malformed, "octets after the signature of the intermediate certificate, within its sequence", tail(1)),
		bad("altered-leaf", "path", "untrusted-signer", "a bit of the signature on the signer's certificate is changed", chain(func(_ *world, der [][]byte) [][]byte {
			c := slices.Clone(der[0])
			c[len(c)-1] ^= 1
			return [][]byte{c, der[1]}
		})),
		bad("no-intermediate", "path", "untrusted-signer", "without the intermediate certificate", sent(0)),
	}
}

// impostorRoot has the name of the trust anchor and another key.
func impostorRoot() *authority { return newRoot("P-384", "Test Root") }

// trustPaths are about path validation, in both encodings.
func trustPaths() []entry {
	const untrusted = "untrusted-signer"
	under := func(edit func(c *x509.Certificate)) step {
		return signedBy(func(w *world) *signer { return w.root.under("P-256", "Another Intermediate", edit).issue("P-256") })
	}
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999}, Critical: true, Value: []byte{acder.TagNull, 0}}}
	}
	permitted := func(names ...string) func(c *x509.Certificate) {
		return func(c *x509.Certificate) { c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = names, true }
	}
	short := func(c *x509.Certificate) { c.MaxPathLenZero = true }
	policies := needs("certificate-policies")
	domainValidated := func(c *x509.Certificate) {
		c.Policies = []x509.OID{must(x509.OIDFromInts([]uint64{2, 23, 140, 1, 2, 1}))}
	}
	// asking is an intermediate with requireExplicitPolicy (RFC 5280, Section
	// 4.2.1.11), in force at once.
	asking := func(w *world) *authority {
		constraints := dertree.Constructed(acder.TagSequence, dertree.Primitive(0x80, 0))
		return w.root.under("P-256", "Another Intermediate", domainValidated, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: constraints.Bytes()}}
		})
	}
	// anchor makes everything anew below a trust anchor of its own.
	anchor := func(edit func(c *x509.Certificate)) step {
		return func(t *trial) {
			root := newRoot("P-256", "Another Root", edit)
			t.signer = root.under("P-256", "Another Intermediate").issue("P-256")
			roots := [][]byte{root.certificate.Raw}
			t.policy.Roots = &roots
		}
	}
	return []entry{
		bad("anchor-ended", "path anchors", untrusted, "the trust anchor ended a second ago", anchor(func(c *x509.Certificate) { c.NotAfter = now.Add(-1e9) })),
		bad("anchor-path-length", "path anchors", untrusted, "a trust anchor of path length 0 above an intermediate", anchor(short)),
		bad("anchor-usage", "path anchors", untrusted, "the trust anchor may not sign certificates", anchor(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })),
		bad("anchor-client", "path anchors", untrusted, "the trust anchor is for clients", anchor(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })),
		bad("anchor-names", "path anchors", untrusted, "the trust anchor is permitted for another domain", anchor(permitted("c.example"))),
		bad("anchor-critical", "path anchors", untrusted, "an unknown critical extension in the trust anchor", anchor(critical)),
		bad("anchor-no-constraints", "path anchors", untrusted, "the trust anchor has no basicConstraints", anchor(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false })),
		good("anchor-names-own", "path anchors", "the trust anchor is permitted for the source", anchor(permitted(source))),
		bad("other-anchor", "path anchors", untrusted, "another trust anchor of the same name", func(t *trial) {
			roots := [][]byte{impostorRoot().certificate.Raw}
			t.policy.Roots = &roots
		}),
		bad("other-intermediate-key", "path", untrusted, "an intermediate of the right name and another key", chain(func(w *world, der [][]byte) [][]byte {
			return [][]byte{der[0], w.root.under("P-384", "Test Intermediate").certificate.Raw}
		})),
		bad("self-signed", "path", untrusted, "the signer's certificate signed itself", func(t *trial) {
			key := newKey("P-256", "leaf")
			template := &x509.Certificate{DNSNames: []string{source}, Subject: pkix.Name{CommonName: "self"}, NotBefore: begins, NotAfter: ends}
			t.signer = &signer{leaf: sign(template, template, key, key), key: key, ca: t.root}
		}),
		bad("intermediate-ended", "path", untrusted, "the intermediate certificate ended a second ago", under(func(c *x509.Certificate) { c.NotAfter = now.Add(-1e9) })),
		good("intermediate-last", "path", "the intermediate certificate ends in this second", under(func(c *x509.Certificate) { c.NotAfter = now }), until(now.Add(1e9)), refreshed(now.Add(1e9))),
		bad("intermediate-future", "path", untrusted, "the intermediate certificate begins in a second", under(func(c *x509.Certificate) { c.NotBefore = now.Add(1e9) })),
		bad("intermediate-leaf", "path", untrusted, "the intermediate certificate is no authority's", under(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature })),
		bad("intermediate-no-constraints", "path", untrusted, "the intermediate certificate has no basicConstraints", under(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false })),
		bad("intermediate-usage", "path", untrusted, "the intermediate certificate may not sign certificates", under(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })),
		bad("intermediate-client", "path", untrusted, "the intermediate certificate is for clients", under(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })),
		good("intermediate-server", "path valid", "the intermediate certificate is for servers", under(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })),
		good("intermediate-any", "path valid", "the intermediate certificate is for any purpose", under(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} })),
		bad("intermediate-critical", "path", untrusted, "an unknown critical extension in the intermediate certificate", under(critical)),
		bad("leaf-critical", "path", untrusted, "an unknown critical extension in the signer's certificate", leaf(critical)),
		good("names-permitted", "path valid", "the intermediate is permitted for the source", under(permitted(source))),
		bad("names-permitted-other", "path", untrusted, "the intermediate is permitted for another domain", under(permitted("c.example"))),
		bad("names-excluded", "path", untrusted, "the intermediate is excluded from the source's parent", under(func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example"} })),
		bad("policies-missing", "path policies", untrusted, "the intermediate asks for a certificate policy, and the signer's certificate has none",
			signedBy(func(w *world) *signer { return asking(w).issue("P-256") }), policies),
		good("policies", "path policies valid", "the intermediate asks for a certificate policy, and the signer's certificate has it", all(policies,
			signedBy(func(w *world) *signer { return asking(w).issue("P-256", domainValidated) }))),
		good("path-length-0", "path valid", "an intermediate of path length 0 above the signer", under(short)),
		bad("path-length-exceeded", "path", untrusted, "an intermediate of path length 0 above another one", signedBy(func(w *world) *signer {
			return w.root.under("P-256", "Above", short).under("P-256", "Below").issue("P-256")
		})),
		bad("leaf-issues", "path", untrusted, "a certificate that is no authority's has issued the signer's", signedBy(func(w *world) *signer {
			victim := w.ca.issueFor(newKey("P-256", "victim"), named("c.example"), commonName("c.example"))
			return (&authority{certificate: victim.leaf, key: victim.key, above: w.ca}).issue("P-256")
		})),
	}
}

// trustTolerance are about a verifier whose clock is slow: the path is validated
// for the signer's notBefore, if that is later.
func trustTolerance() []entry {
	const minutes = 5 * time.Minute
	begun := issued.Add(minutes) // of the signer's certificate
	// under has an intermediate with edits, and is asked at the second of iat.
	under := func(edit func(c *x509.Certificate)) step {
		return all(at(issued), signedBy(func(w *world) *signer {
			return w.root.under("P-256", "Another Intermediate", edit).issue("P-256", lives(begun, ends))
		}))
	}
	from := func(begin, end time.Time) step { return under(lives(begin, end)) }
	usual := now.AddDate(1, 0, 0)
	alone := func(edit func(c *x509.Certificate)) step {
		return all(at(issued), signedBy(func(w *world) *signer { return w.root.under("P-256", "Another Intermediate", edit).issue("P-256") }))
	}
	return []entry{
		good("slow-clock", "tolerance", "5 minutes before notBefore of the signer's and of the intermediate certificate", from(begun, usual)),
		bad("slow-clock-intermediate", "tolerance", "untrusted-signer", "5 minutes before notBefore of the signer's certificate, a second more before that of the intermediate", from(begun.Add(time.Second), usual)),
		bad("slow-clock-ended", "tolerance", "untrusted-signer", "5 minutes before notBefore of the signer's certificate, and the intermediate ends before that", from(now.AddDate(-5, 0, 0), begun.Add(-time.Second))),
		good("slow-clock-ends", "tolerance", "5 minutes before notBefore of the signer's certificate, and the intermediate ends in that second", from(now.AddDate(-5, 0, 0), begun), until(begun.Add(time.Second)), refreshed(begun.Add(time.Second))),
		bad("no-tolerance-intermediate", "tolerance", "untrusted-signer", "the intermediate certificate begins in a second, the signer's has begun", alone(lives(issued.Add(time.Second), usual))),
	}
}

func trustPolicies() []entry {
	roots := func(list ...[]byte) step {
		return func(t *trial) { l := append([][]byte{}, list...); t.policy.Roots = &l }
	}
	check := func(answer string) step { return func(t *trial) { t.policy.SignerCheck = answer } }
	return []entry{
		good("usual", "valid", "the usual case: one intermediate authority below the trust anchor", nil),
		bad("roots-none", "missing anchors", "missing-input", "the policy has no set of trust anchors", func(t *trial) { t.policy.Roots = nil }),
		bad("roots-empty", "anchors", "untrusted-signer", "the policy has an empty set of trust anchors", roots()),
		bad("time-none", "missing", "missing-input", "the policy has no time", func(t *trial) { t.policy.Time = "" }),
		good("roots-two", "anchors", "two trust anchors", func(t *trial) {
			list := append([][]byte{newRoot("P-384", "Another Root").certificate.Raw}, *t.policy.Roots...)
			t.policy.Roots = &list
		}),
		bad("anchor-signs", "authority anchors", "signer-is-ca", "the signer's certificate is itself among the trust anchors", func(t *trial) {
			list := append([][]byte{t.signer.leaf.Raw}, *t.policy.Roots...)
			t.policy.Roots = &list
		}),
		good("intermediate-anchor", "anchors", "the trust anchor is the intermediate, and no root", func(t *trial) { roots(t.ca.certificate.Raw)(t) }),
		good("own-check-agrees", "own-check", "the policy's own check agrees", check("accept")),
		bad("own-check-refuses", "own-check", "signer-rejected", "the policy's own check says no", check("refuse")),
		bad("own-check-refuses-ac", "own-check", "signer-rejected", "the policy's own check says no, of an attribute certificate", check("refuse"), encoded(acEncoding)),
	}
}
