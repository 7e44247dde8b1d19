package vectors

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

var acNotes = map[string]Note{
	"valid":       {[]string{"A1", "A4", "A8"}, "A message in good form.", "A verifier that refuses it locks out an honest owner."},
	"message":     {[]string{"A1"}, "A CMS certs-only message in strict DER.", "Two readers of a message that is not strict see different certificates in it."},
	"size":        {[]string{"A1"}, "A message has at most 32,768 octets.", "A stranger makes a verifier work for as long as the stranger likes."},
	"members":     {[]string{"A2"}, "One attribute certificate and 1 to 5 certificates, none twice.", "Of two attribute certificates, one verifier reads the first and another the second."},
	"order":       {[]string{"A1", "A9"}, "Certificates of the message are in any order.", "A verifier that wants one order refuses what common software writes."},
	"der":         {[]string{"A3"}, "An attribute certificate of version 2 in strict DER.", "Octets that one reader passes over are a place for anything, and two encodings of one thing have two hashes."},
	"limits":      {[]string{"A3"}, "Numbers of attributes, values, extensions, names and nesting are bounded.", "A stranger makes a verifier work for as long as the stranger likes."},
	"issuer":      {[]string{"A4"}, "The issuer is one directoryName, equal to the signer's subject octet for octet.", "The attribute certificate of one issuer is shown with the certificate of another."},
	"holder":      {[]string{"A4"}, "The holder is the list of the hosts of the targets.", "Software that reads the holder only sees another delegation than the attribute says."},
	"algorithm":   {[]string{"A4", "A8"}, "The signed algorithm and the one beside the signature are the same, and one of five.", "Whoever changes the algorithm that is not signed has the signature judged by another one."},
	"serial":      {[]string{"A4", "S5"}, "The serial number is jti: positive, of at most 127 bits.", "A statement that cannot be written in the other encoding."},
	"time":        {[]string{"A4", "S4"}, "GeneralizedTime in UTC, of 15 octets.", "A time with an offset or a fraction is read as another time."},
	"attribute":   {[]string{"A4", "A6"}, "Exactly the one attribute, with one value in strict DER.", "Of two attributes, one verifier reads the first and another the second."},
	"version":     {[]string{"A6"}, "The attribute says version 1.", "A later version means something that this verifier does not know."},
	"targets":     {[]string{"A6", "S2", "S3"}, "The rules about targets hold in this encoding as well.", "A number that wraps round leads to another port."},
	"tls":         {[]string{"A6", "S2"}, "directTLS is the octets 81 00 after the pins, or absent.", "A verifier connects in clear text where the owner said TLS, or two readers of a lax form disagree."},
	"extensions":  {[]string{"A4", "A5"}, "noRevAvail is there, nothing is critical, and nothing points to revocation information.", "An extension that must not be ignored is ignored."},
	"signer-hash": {[]string{"A7"}, "signerHash selects the signer's certificate.", "Another certificate for the same key, with other names or a longer life, is put into the message, which is not signed."},
	"signature":   {[]string{"A8"}, "The signature is over the octets of acinfo as received, by the signer's key.", "Whatever is not covered by the signature can be changed by anybody."},
	"chain":       {[]string{"A9", "W1"}, "All certificates of the message are one chain.", "A certificate that belongs to nothing makes path validation search."},
	"revocation":  {[]string{"O5", "A4"}, "A statement without targets delegates to nobody.", "The former provider stays in."},
	"other-thing": {[]string{"A1", "A3"}, "Other things that a TLS key signs, offered as a message or inside of one.", "What was signed in a handshake, or for an authority, is replayed as a statement."},
}

func acFamily(w *world) *book {
	b := newBook(w, "attribute-certificate", acNotes)
	b.verify(encoded(acEncoding), acMessages()...)
	b.verify(encoded(acEncoding), acMembers()...)
	b.verify(encoded(acEncoding), acInfos()...)
	b.verify(encoded(acEncoding), acAlgorithms()...)
	b.verify(encoded(acEncoding), acNumbers()...)
	b.verify(encoded(acEncoding), acAttribute()...)
	b.verify(encoded(acEncoding), acExtensionCases()...)
	b.verify(encoded(acEncoding), acHolders()...)
	b.verify(encoded(acEncoding), acSigners()...)
	b.verify(encoded(acEncoding), acOthers()...)
	return b
}

// withSubject gives the signer's certificate a subject, as many have.
func withSubject(c *x509.Certificate) {
	c.Subject = pkix.Name{CommonName: source, Organization: []string{"Example & Söhne"}}
}

func acMessages() []entry {
	const malformed, contents = "malformed-bag", "bag-contents"
	part := func(i int, with *dertree.Node) step {
		return message(func(signed *dertree.Node) { signed.Children[i] = with })
	}
	tree := func(edit func(m *dertree.Node)) step {
		return der(func(octets []byte) []byte {
			m := dertree.MustParse(octets)
			edit(m)
			return m.Bytes()
		})
	}
	signerInfo := dertree.Constructed(acder.TagSequence, acder.Integer(1))
	grown := func(n int) step {
		// An extension that is ignored makes a message of any size.
		return func(t *trial) {
			size := 0
			t.info = append(t.info, func(info *dertree.Node) {
				info.At(acder.PartExtensions).Add(acder.Extension("2.25.1", false, make([]byte, size)))
			})
			size = n - 3000
			size += n - len(t.ac())
			if len(t.ac()) != n {
				panic("vectors: no message of that size")
			}
		}
	}
	fixed := ofKind("Ed25519") // whose signatures have one length
	return []entry{
		good("usual", "valid", "the usual case: one target, ECDSA on P-256, a signer without a subject, a chain of two certificates", nil),
		good("subject", "valid issuer", "a signer with a subject", leaf(withSubject)),
		good("size-32768", "size", "a message of exactly 32,768 octets", all(fixed, grown(32768))),
		bad("size-32769", "size", "statement-too-large", "a message of 32,769 octets", grown(32769), fixed),
		bad("message-version-0", "message", malformed, "CMS version 0", part(acder.BagVersion, acder.Integer(0))),
		bad("message-version-1", "message", malformed, "CMS version 1", part(acder.BagVersion, acder.Integer(1))),
		bad("message-version-3", "message", malformed, "CMS version 3", part(acder.BagVersion, acder.Integer(3))),
		bad("message-version-5", "message", malformed, "CMS version 5", part(acder.BagVersion, acder.Integer(5))),
		bad("message-version-wraps", "message", malformed, "CMS version 4 and 2^32", part(acder.BagVersion, acder.Integer(4+1<<32))),
		bad("message-no-version", "message", malformed, "no CMS version", message(func(signed *dertree.Node) { signed.Remove(acder.BagVersion) })),
		bad("message-type", "message", malformed, "a ContentInfo of type id-data", tree(func(m *dertree.Node) { m.Children[0] = acder.ObjectID("1.2.840.113549.1.7.1") })),
		bad("message-indefinite", "message", malformed, "indefinite lengths, as in BER", tree(func(m *dertree.Node) {
			m.Form, m.At(1).Form, m.At(1, 0).Form = dertree.Indefinite, dertree.Indefinite, dertree.Indefinite
		})),
		bad("message-length", "message", malformed, "a length with an octet more than needed", tree(func(m *dertree.Node) { m.At(1, 0, acder.BagContent).Form = dertree.Padded })),
		bad("message-lf", "message", malformed, "a line feed after the message: no octet of DER is taken off", der(func(octets []byte) []byte { return append(octets, '\n') })),
		bad("message-cut", "message", malformed, "the last octet is missing", der(func(octets []byte) []byte { return octets[:len(octets)-1] })),
		bad("message-twice", "message", malformed, "the message twice", der(func(octets []byte) []byte { return slices.Concat(octets, octets) })),
		bad("message-pem", "message", malformed, "text instead of DER", der(func([]byte) []byte { return []byte("-----BEGIN PKCS7-----\n") })),
		bad("message-ac-alone", "message", malformed, "an attribute certificate without a message", der(func(octets []byte) []byte {
			m := dertree.MustParse(octets)
			set := m.At(1, 0, acder.BagCertificates)
			ac := set.Children[slices.IndexFunc(set.Children, func(n *dertree.Node) bool { return n.Tag == acder.Context(2) })]
			ac.Tag = acder.TagSequence
			return ac.Bytes()
		})),
		bad("message-inside", "message", malformed, "something after the signerInfos", message(func(signed *dertree.Node) { signed.Add(dertree.Primitive(acder.TagNull)) })),
		bad("signer-info", "message", contents, "a signerInfo", message(func(signed *dertree.Node) { signed.At(acder.BagSigners).Add(signerInfo) })),
		bad("digest-algorithm", "message", contents, "a digest algorithm", message(func(signed *dertree.Node) { signed.At(acder.BagDigests).Add(acder.AlgorithmID(acder.OIDSHA256)) })),
		bad("content", "message", contents, "content", message(func(signed *dertree.Node) {
			signed.At(acder.BagContent).Add(dertree.Constructed(acder.Context(0), dertree.Primitive(acder.TagOctets, 'x')))
		})),
		bad("content-empty", "message", contents, "content that is empty, which is not none", message(func(signed *dertree.Node) {
			signed.At(acder.BagContent).Add(dertree.Constructed(acder.Context(0), dertree.Primitive(acder.TagOctets)))
		})),
		bad("content-type", "message", contents, "another content type than id-data", part(acder.BagContent, dertree.Constructed(acder.TagSequence, acder.ObjectID("1.2.840.113549.1.7.2")))),
		bad("crls", "message", contents, "a revocation list", message(func(signed *dertree.Node) {
			signed.Insert(acder.BagSigners, dertree.Constructed(acder.Context(1), dertree.Constructed(acder.TagSequence)))
		})),
		bad("crls-empty", "message", contents, "an empty set of revocation lists, which is not none", message(func(signed *dertree.Node) {
			signed.Insert(acder.BagSigners, dertree.Constructed(acder.Context(1)))
		})),
	}
}

// members changes the list of members: the signer's certificate, its issuer's,
// and the attribute certificate.
func members(change func(t *trial, members []*dertree.Node) []*dertree.Node) step {
	return func(t *trial) {
		message(func(signed *dertree.Node) {
			set := signed.At(acder.BagCertificates)
			ac := set.Children[slices.IndexFunc(set.Children, func(n *dertree.Node) bool { return n.Tag == acder.Context(2) })]
			var list []*dertree.Node
			for _, c := range t.certificates() {
				list = append(list, dertree.MustParse(c))
			}
			set.Children = change(t, append(list, ac))
		})(t)
	}
}

// member adds one.
func member(make func(t *trial, members []*dertree.Node) *dertree.Node) step {
	return members(func(t *trial, list []*dertree.Node) []*dertree.Node { return append(list, make(t, list)) })
}

func acMembers() []entry {
	retagged := func(tag byte) step {
		return member(func(_ *trial, list []*dertree.Node) *dertree.Node {
			other := *list[0]
			other.Tag = tag
			return &other
		})
	}
	strangers := func(n int) step {
		return members(func(t *trial, list []*dertree.Node) []*dertree.Node {
			for i := range n {
				list = append(list, dertree.MustParse(t.ca.issue("P-256", commonName(fmt.Sprint("stranger ", i))).leaf.Raw))
			}
			return list
		})
	}
	arranged := func(order ...int) step {
		return members(func(_ *trial, list []*dertree.Node) []*dertree.Node {
			var out []*dertree.Node
			for _, i := range order {
				out = append(out, list[i])
			}
			return out
		})
	}
	three := signedBy(longChain(3))
	return []entry{
		good("order-ac-first", "order", "the attribute certificate is the first member", arranged(2, 0, 1)),
		good("order-ac-last", "order", "the attribute certificate is the last member", arranged(0, 1, 2)),
		good("order-reversed", "order", "the certificates from the trust anchor's side to the signer's", all(three, arranged(2, 1, 0, 3))),
		good("order-mixed", "order", "the certificates in no order", all(three, arranged(1, 3, 0, 2))),
		good("root-besides", "chain order", "the trust anchor is among the certificates", member(func(t *trial, _ []*dertree.Node) *dertree.Node {
			return dertree.MustParse(t.root.certificate.Raw)
		})),
		bad("choice-extended", "members", "malformed-bag", "an extendedCertificate", retagged(acder.Context(0))),
		bad("choice-version-1", "members", "malformed-bag", "an attribute certificate of version 1", retagged(acder.Context(1))),
		bad("choice-other", "members", "malformed-bag", "another certificate format", retagged(acder.Context(3))),
		bad("choice-4", "members", "malformed-bag", "a choice that does not exist", retagged(acder.Context(4))),
		bad("choice-octets", "members", "malformed-bag", "an octet string", member(func(*trial, []*dertree.Node) *dertree.Node { return dertree.Primitive(acder.TagOctets) })),
		bad("member-twice", "members", "bag-duplicate", "a certificate twice", member(func(_ *trial, list []*dertree.Node) *dertree.Node { return list[1] })),
		bad("ac-twice", "members", "bag-duplicate", "the attribute certificate twice", member(func(_ *trial, list []*dertree.Node) *dertree.Node { return list[2] })),
		bad("ac-none", "members", "bag-count", "no attribute certificate", arranged(0, 1)),
		bad("ac-as-certificate", "members", "bag-count", "the attribute certificate with the tag of a certificate", members(func(_ *trial, list []*dertree.Node) []*dertree.Node {
			list[2].Tag = acder.TagSequence
			return list
		})),
		bad("ac-two", "members", "bag-count", "two attribute certificates, of the same signer", member(func(t *trial, _ []*dertree.Node) *dertree.Node {
			other := *t
			other.statement.id[15]++
			info := other.acInfo()
			ac := acder.Signed(info, info.At(acder.PartAlgorithm).Bytes(), acder.Sign(nil, t.signer.key, crypto.SHA256, info.Bytes()))
			ac.Tag = acder.Context(2)
			return ac
		})),
		bad("certificates-absent", "members", "bag-count", "the field certificates is absent", message(func(signed *dertree.Node) { signed.Remove(acder.BagCertificates) })),
		bad("certificates-none", "members signer-hash", "signer-hash-mismatch", "an attribute certificate and no certificate", arranged(2)),
		bad("certificates-6", "members", "malformed-certificate", "6 certificates", strangers(4)),
		bad("certificates-15", "members", "malformed-certificate", "15 certificates: 16 members", strangers(13)),
		bad("certificates-16", "members", "malformed-bag", "16 certificates: 17 members", strangers(14)),
		bad("certificate-unrelated", "chain", "chain-not-linear", "a certificate of somebody else besides", strangers(1)),
		bad("authority-unrelated", "chain", "chain-not-linear", "an authority besides that issued nothing here", member(func(t *trial, _ []*dertree.Node) *dertree.Node {
			return dertree.MustParse(t.root.under("P-256", "Other Intermediate").certificate.Raw)
		})),
		bad("no-intermediate", "chain", "untrusted-signer", "without the intermediate certificate", arranged(0, 2)),
		bad("no-signer", "signer-hash", "signer-hash-mismatch", "without the signer's certificate", arranged(1, 2)),
		bad("empty-certificate", "chain", "malformed-certificate", "a member that is an empty sequence", member(func(*trial, []*dertree.Node) *dertree.Node {
			return dertree.Constructed(acder.TagSequence)
		})),
		bad("certificate-tail", "chain", "malformed-certificate", "octets after the signature of the intermediate certificate, within its sequence", members(func(_ *trial, list []*dertree.Node) []*dertree.Node {
			list[1].Tail = []byte("anything")
			return list
		})),
	}
}

func acInfos() []entry {
	const malformed, form = "malformed-ac", "issuer-form"
	return []entry{
		bad("version-1", "der", malformed, "an attribute certificate of version 1", set(acder.Integer(0), acder.PartVersion)),
		bad("version-3", "der", malformed, "an attribute certificate of version 3", set(acder.Integer(2), acder.PartVersion)),
		bad("version-none", "der", malformed, "no version", removes(acder.PartVersion)),
		bad("unique-id", "der", malformed, "an issuerUniqueID", info(func(info *dertree.Node) { info.Insert(acder.PartExtensions, dertree.Primitive(acder.TagBits, 0, 1)) })),
		bad("left-over", "der", malformed, "something after the extensions", info(func(info *dertree.Node) { info.Add(dertree.Primitive(acder.TagNull)) })),
		bad("extensions-twice", "der", malformed, "the extensions twice", info(func(info *dertree.Node) { info.Add(info.At(acder.PartExtensions)) })),
		bad("length-padded", "der", malformed, "a length inside acinfo with an octet more than needed", info(func(info *dertree.Node) { info.At(acder.PartHolder).Form = dertree.Padded })),
		bad("length-indefinite", "der", malformed, "an indefinite length inside acinfo", info(func(info *dertree.Node) { info.At(acder.PartAttributes).Form = dertree.Indefinite })),

		bad("issuer-v1", "issuer", form, "the issuer in v1Form", info(func(info *dertree.Node) { *info.At(acder.PartIssuer) = *info.At(acder.PathIssuerList...) })),
		bad("issuer-nothing", "issuer", form, "v2Form without issuerName", removes(0, acder.PathIssuerForm...)),
		bad("issuer-two", "issuer", form, "two directory names as issuer", adds(dertree.Constructed(acder.Context(4), acder.DirectoryName("Other")), acder.PathIssuerList...)),
		bad("issuer-dns", "issuer", form, "a dNSName as issuer", info(func(info *dertree.Node) { info.At(acder.PathIssuerList...).Children[0] = acder.DNSName(source) })),
		bad("issuer-dns-besides", "issuer", form, "a dNSName besides the directory name", adds(acder.DNSName(source), acder.PathIssuerList...)),
		bad("issuer-base", "issuer", form, "a baseCertificateID besides", adds(dertree.Constructed(acder.Context(0), dertree.Constructed(acder.TagSequence,
			dertree.Constructed(acder.Context(4), acder.DirectoryName("CA"))), acder.Integer(1)), acder.PathIssuerForm...)),
		bad("issuer-digest", "issuer", form, "an objectDigestInfo besides", adds(dertree.Constructed(acder.Context(1), dertree.Primitive(0x0a, 0),
			acder.AlgorithmID(acder.OIDSHA256), acder.Bits(make([]byte, 32))), acder.PathIssuerForm...)),
		bad("issuer-other", "issuer", "issuer-name-mismatch", "the name of another issuer", set(acder.DirectoryName("Other"), acder.PathIssuerName...)),
		bad("issuer-empty", "issuer", "issuer-name-mismatch", "an empty issuer, where the signer has a subject", set(dertree.Constructed(acder.TagSequence), acder.PathIssuerName...), leaf(withSubject)),
		bad("issuer-string-type", "issuer", "issuer-name-mismatch", "the same text as the subject, in another type of string", tagged(acder.TagUTF8, in(acder.PathIssuerName, 0, 0, 1)...), leaf(commonName(source))),
		bad("issuer-case", "issuer", "issuer-name-mismatch", "the issuer in upper case", content("B.EXAMPLE", in(acder.PathIssuerName, 0, 0, 1)...), leaf(commonName(source))),
	}
}

func acAlgorithms() []entry {
	const unsupported, mismatch = "unsupported-algorithm", "algorithm-mismatch"
	by := func(algorithm *dertree.Node, opts crypto.SignerOpts) step {
		return all(set(algorithm, acder.PartAlgorithm), func(t *trial) { t.opts = opts })
	}
	outer := func(with *dertree.Node) step {
		return signedAC(func(ac *dertree.Node) { ac.Children[1] = with })
	}
	null := dertree.Primitive(acder.TagNull)
	rs, p384, ed := ofKind("rsa-2048"), ofKind("P-384"), ofKind("Ed25519")
	goodPSS := by(acder.PSS(acder.OIDSHA256, 32), pss(32))
	plainHash := acder.AlgorithmID(acder.OIDSHA256)
	return []entry{
		good("p384", "valid algorithm", "ECDSA with SHA-384, on P-384", p384),
		good("rsa", "valid algorithm", "RSA with a key of 2048 bits", rs),
		good("rsa-4096", "valid algorithm", "RSA with a key of 4096 bits", ofKind("rsa-4096")),
		good("ed25519", "valid algorithm", "Ed25519", ed),
		good("pss", "valid algorithm", "RSASSA-PSS", all(rs, goodPSS)),
		good("pss-no-null", "valid algorithm", "RSASSA-PSS, the parameters of SHA-256 absent in both places", all(rs, by(acder.PSSOf(plainHash, plainHash, 32), pss(32)))),
		good("pss-one-null", "valid algorithm", "RSASSA-PSS, the parameters of SHA-256 absent in one place", all(rs, by(acder.PSSOf(acder.AlgorithmID(acder.OIDSHA256, null), plainHash, 32), pss(32)))),
		bad("pss-salt-64", "signature", "bad-signature", "RSASSA-PSS with a salt of 64 octets where the parameters say 32", func(t *trial) { t.opts = pss(64) }, rs, goodPSS),
		bad("pss-says-64", "algorithm", unsupported, "RSASSA-PSS whose parameters say 64 octets of salt", by(acder.PSS(acder.OIDSHA256, 64), pss(64)), rs),
		bad("pss-sha384", "algorithm", unsupported, "RSASSA-PSS with SHA-384", by(acder.PSS(acder.OIDSHA384, 48), &rsa.PSSOptions{SaltLength: 48, Hash: crypto.SHA384}), rs),
		bad("pss-sha1", "algorithm", unsupported, "RSASSA-PSS with SHA-1", by(acder.PSS(acder.OIDSHA1, 20), &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA1}), rs),
		bad("pss-defaults", "algorithm", unsupported, "RSASSA-PSS with empty parameters, which mean SHA-1", by(acder.AlgorithmID("1.2.840.113549.1.1.10", dertree.Constructed(acder.TagSequence)), pss(32)), rs),
		bad("outer-differs", "algorithm", "inner-outer-mismatch", "the algorithm beside the signature is another one", outer(acder.AlgorithmID("1.2.840.10045.4.3.3"))),
		bad("outer-null", "algorithm", "inner-outer-mismatch", "the algorithm beside the signature has a NULL more", outer(acder.AlgorithmID("1.2.840.10045.4.3.2", null))),
		bad("inner-differs", "algorithm", "inner-outer-mismatch", "the signed algorithm is ECDSA with SHA-384, the one beside the signature and the signature itself are not", all(
			set(acder.AlgorithmID("1.2.840.10045.4.3.3"), acder.PartAlgorithm), outer(acder.AlgorithmID("1.2.840.10045.4.3.2")))),
		bad("ecdsa-null", "algorithm", unsupported, "ECDSA with a NULL as parameters", adds(null, acder.PartAlgorithm)),
		bad("rsa-no-null", "algorithm", unsupported, "RSA without the NULL", by(acder.AlgorithmID("1.2.840.113549.1.1.11"), crypto.SHA256), rs),
		bad("ed25519-null", "algorithm", unsupported, "Ed25519 with a NULL as parameters", adds(null, acder.PartAlgorithm), ed),
		bad("rsa-sha1", "algorithm", unsupported, "RSA with SHA-1", by(acder.AlgorithmID("1.2.840.113549.1.1.5", null), crypto.SHA1), rs),
		bad("rsa-sha512", "algorithm", unsupported, "RSA with SHA-512", by(acder.AlgorithmID("1.2.840.113549.1.1.13", null), crypto.SHA512), rs),
		bad("ecdsa-sha1", "algorithm", unsupported, "ECDSA with SHA-1", by(acder.AlgorithmID("1.2.840.10045.4.1"), crypto.SHA1)),
		bad("ecdsa-sha512", "algorithm", unsupported, "ECDSA with SHA-512, on P-521", by(acder.AlgorithmID("1.2.840.10045.4.3.4"), crypto.SHA512), ofKind("P-384")),
		bad("unknown-algorithm", "algorithm", unsupported, "an algorithm that nobody knows", set(acder.AlgorithmID("1.2.3.4"), acder.PartAlgorithm)),
		bad("p256-sha384", "algorithm", mismatch, "ECDSA with SHA-384, on P-256", by(acder.AlgorithmID("1.2.840.10045.4.3.3"), crypto.SHA384)),
		bad("p384-sha256", "algorithm", mismatch, "ECDSA with SHA-256, on P-384", by(acder.AlgorithmID("1.2.840.10045.4.3.2"), crypto.SHA256), p384),
		bad("p521-sha256", "algorithm", mismatch, "ECDSA with SHA-256, on P-521", ofKind("P-521")),
		bad("ecdsa-called-rsa", "algorithm", mismatch, "the algorithm is RSA, the key is on P-256", set(acder.AlgorithmID("1.2.840.113549.1.1.11", null), acder.PartAlgorithm)),
		bad("ecdsa-called-ed25519", "algorithm", mismatch, "the algorithm is Ed25519, the key is on P-256", set(acder.AlgorithmID("1.3.101.112"), acder.PartAlgorithm)),
	}
}

func acNumbers() []entry {
	is := func(octets ...byte) step {
		return set(dertree.Primitive(acder.TagInteger, octets...), acder.PartSerial)
	}
	zeros := func(first []byte, n int) []byte { return append(first, make([]byte, n)...) }
	begin := func(text string) step { return content(text, acder.PartValidity, 0) }
	end := func(text string) step { return content(text, acder.PartValidity, 1) }
	another := func(tag byte, text string) step {
		return set(dertree.Primitive(tag, []byte(text)...), acder.PartValidity, 0)
	}
	return []entry{
		good("serial-1", "serial", "serial number 1", is(1)),
		good("serial-127-bits", "serial", "a serial number of 127 bits", is(zeros([]byte{0x7f}, 15)...)),
		bad("serial-128-bits", "serial", "bad-serial", "a serial number of 128 bits: the first bit of jti would be 1", is(zeros([]byte{0, 0x80}, 15)...)),
		bad("serial-17", "serial", "bad-serial", "a serial number of 17 octets", is(zeros([]byte{1}, 16)...)),
		bad("serial-20", "serial", "bad-serial", "a serial number of 20 octets, which RFC 5755 allows and this profile does not", is(zeros([]byte{1}, 19)...)),
		bad("serial-21", "serial", "bad-serial", "a serial number of 21 octets", is(zeros([]byte{1}, 20)...)),
		bad("serial-0", "serial", "bad-serial", "serial number 0", is(0)),
		bad("serial-negative", "serial", "bad-serial", "a negative serial number", is(0x81)),
		bad("serial-minus-1", "serial", "bad-serial", "serial number -1", is(0xff)),
		bad("serial-empty", "serial der", "malformed-ac", "a serial number without octets", is()),
		bad("serial-padded", "serial der", "malformed-ac", "a serial number with a zero octet in front that is not needed", is(0, 1)),

		bad("time-offset-0", "time", "bad-ac-time", "a time with the offset +0000", begin("20260701110000+0000")),
		bad("time-offset-1", "time", "bad-ac-time", "a time with the offset +0100", begin("20260701110000+0100")),
		bad("time-no-zone", "time", "bad-ac-time", "a time without a zone", begin("20260701110000")),
		bad("time-lower-case", "time", "bad-ac-time", "a time that ends in a small z", begin("20260701110000z")),
		bad("time-fraction", "time", "bad-ac-time", "a time with half a second", begin("20260701110000.5Z")),
		bad("time-fraction-0", "time", "bad-ac-time", "an end with a fraction of zero", end("20260714115959.0Z")),
		bad("time-no-seconds", "time", "bad-ac-time", "a time without seconds", begin("202607011100Z")),
		bad("time-second-60", "time", "bad-ac-time", "second 60", begin("20260701105960Z")),
		bad("time-hour-24", "time", "bad-ac-time", "hour 24", begin("20260630240000Z")),
		bad("time-month-13", "time", "bad-ac-time", "month 13", begin("20261301110000Z")),
		bad("time-30-february", "time", "bad-ac-time", "30 February", begin("20260230110000Z")),
		bad("time-space", "time", "bad-ac-time", "a space where a zero should be", begin("2026 701110000Z")),
		bad("time-year-0", "time", "bad-ac-time", "the year 0", begin("00000701110000Z")),
		bad("time-year-1949", "time", "bad-ac-time", "the year 1949", begin("19490701110000Z")),
		bad("time-year-1950", "time", "bad-lifetime", "the year 1950, which the syntax allows and a statement not", begin("19500701110000Z")),
		bad("time-utc", "time", "bad-ac-time", "a UTCTime", another(acder.TagUTCTime, "260701110000Z")),
		bad("time-text", "time", "bad-ac-time", "a time as text", another(acder.TagIA5, "20260701110000Z")),
		bad("time-one", "time der", "malformed-ac", "only the beginning, and no end", removes(1, acder.PartValidity)),
		bad("time-three", "time der", "malformed-ac", "a third time", adds(dertree.Primitive(acder.TagTime, []byte("20260701110000Z")...), acder.PartValidity)),
		bad("time-end-equals", "time", "bad-lifetime", "the end is a second before the beginning: exp equals iat", end("20260701105959Z")),
		bad("time-year-9999", "time", "life-too-long", "the end is the last second but one of the year 9999", end("99991231235958Z")),
		bad("time-year-10000", "time", "bad-lifetime", "the end is the last second of the year 9999, and so exp is in the year 10000", end("99991231235959Z")),
	}
}

func acAttribute() []entry {
	const malformed = "malformed-attribute"
	null := dertree.Primitive(acder.TagNull)
	value := func(i int, with *dertree.Node) step { return set(with, in(acder.PathValue, i)...) }
	of := func(i int, with *dertree.Node) step { return set(with, in(acder.PathTarget, i)...) }
	zeros := func(n int) *dertree.Node { return dertree.Primitive(acder.TagOctets, make([]byte, n)...) }
	pins := func(n int) step {
		list := dertree.Constructed(acder.Context(0))
		for range n {
			list.Add(zeros(32))
		}
		return adds(list, acder.PathTarget...)
	}
	direct := says(func(s *statement) { s.targets[0].tls = "direct" })
	paddedTLS := directTLS()
	paddedTLS.Form = dertree.Padded
	values := func(n int) step {
		return info(func(info *dertree.Node) {
			for i := range n - 1 {
				info.At(acder.PathValues...).Insert(i, null)
			}
		})
	}
	long := func(n int) step {
		// An arc of the identifier takes 7 bits of an octet.
		id := append([]byte{0x2a}, append(bytes.Repeat([]byte{0x81}, n-2), 1)...)
		return info(func(info *dertree.Node) { info.At(acder.PartAttributes, 0, 0).Content = id })
	}
	nested := func(levels int) step {
		inner := dertree.Constructed(acder.TagSequence)
		for range levels - 1 {
			inner = dertree.Constructed(acder.TagSequence, inner)
		}
		return set(acder.AlgorithmID("1.2.3.4", inner), acder.PartAlgorithm)
	}
	attribute := func(n int64) *dertree.Node {
		return dertree.Constructed(acder.TagSequence, acder.ObjectID(fmt.Sprintf("1.2.%d", n)), dertree.Constructed(acder.TagSet, null))
	}
	extra := func(n int64) step {
		return info(func(info *dertree.Node) {
			for i := range n {
				info.At(acder.PartAttributes).Add(attribute(i))
			}
		})
	}
	return []entry{
		bad("attribute-none", "attribute", "malformed-ac", "no attribute", removes(0, acder.PartAttributes)),
		bad("attribute-other", "attribute", malformed, "an attribute of another type", set(acder.ObjectID("2.25.1"), acder.PartAttributes, 0, 0)),
		bad("attribute-second", "attribute", malformed, "a second attribute, of another type", extra(1)),
		bad("attribute-twice", "attribute", "duplicate-attribute", "the attribute twice", info(func(info *dertree.Node) {
			list := info.At(acder.PartAttributes)
			list.Add(list.Children[0])
		})),
		bad("attributes-64", "limits attribute", malformed, "64 attributes", extra(63)),
		bad("attributes-65", "limits", "malformed-ac", "65 attributes", extra(64)),
		bad("values-none", "attribute", "malformed-ac", "the attribute without a value", removes(0, acder.PathValues...)),
		bad("values-two", "attribute", malformed, "two values", info(func(info *dertree.Node) { info.At(acder.PathValues...).Insert(0, null) })),
		bad("values-1024", "limits attribute", malformed, "1,024 values", values(1024)),
		bad("values-1025", "limits", "malformed-ac", "1,025 values", values(1025)),
		bad("identifier-256", "limits attribute", malformed, "an attribute whose type has 256 octets", long(256)),
		bad("identifier-257", "limits", "malformed-ac", "an attribute whose type has 257 octets", long(257)),
		bad("nesting-16", "limits algorithm", "unsupported-algorithm", "parameters of an unknown algorithm with 16 levels of nesting", nested(16)),
		bad("nesting-17", "limits", "malformed-ac", "parameters of an unknown algorithm with 17 levels of nesting", nested(17)),
		bad("values-unsorted", "attribute der", "malformed-ac", "two values in an order that is not that of DER", adds(null, acder.PathValues...)),

		bad("attribute-version-0", "version", "attribute-version", "version 0", value(0, acder.Integer(0))),
		bad("attribute-version-2", "version", "attribute-version", "version 2", value(0, acder.Integer(2))),
		bad("attribute-version-negative", "version", "attribute-version", "version -1", value(0, acder.Integer(-1))),
		bad("attribute-version-wraps", "version", "attribute-version", "version 1 and 2^32", value(0, acder.Integer(1+1<<32))),
		bad("attribute-version-more", "version", "attribute-version", "version 2, with more in it: the version is looked at first", info(func(info *dertree.Node) {
			info.At(acder.PathValue...).Children[0] = acder.Integer(2)
			info.At(acder.PathValue...).Add(null)
		})),
		bad("attribute-version-text", "version attribute", malformed, "the version is a text", value(0, acder.IA5("1"))),
		bad("attribute-no-version", "version attribute", malformed, "no version", removes(0, acder.PathValue...)),
		bad("attribute-set", "attribute", malformed, "a SET instead of the SEQUENCE", tagged(acder.TagSet, acder.PathValue...)),
		bad("attribute-length", "attribute der", malformed, "a length with an octet more than needed", info(func(info *dertree.Node) { info.At(acder.PathTarget...).Form = dertree.Padded })),
		bad("source-none", "attribute", malformed, "no source", removes(1, acder.PathValue...)),
		bad("source-utf8", "attribute", malformed, "the source is an UTF8String", tagged(acder.TagUTF8, in(acder.PathValue, 1)...)),
		bad("source-context", "attribute", malformed, "the source has the tag of a dNSName", tagged(acder.TagDNSName, in(acder.PathValue, 1)...)),
		bad("source-latin-1", "attribute", malformed, "an octet above 0x7F in the source", content("b\xfccher.example", in(acder.PathValue, 1)...)),
		bad("service-octet", "attribute", malformed, "the octet 0x80 in the service", content("_xmpp\x80._tcp", in(acder.PathValue, 2)...)),
		bad("service-none", "attribute", malformed, "no service", removes(2, acder.PathValue...)),
		bad("targets-none", "attribute", malformed, "the list of targets is missing, which is not an empty list", removes(3, acder.PathValue...)),
		bad("hash-none", "attribute", malformed, "no signerHash", removes(4, acder.PathValue...)),
		bad("hash-31", "attribute", malformed, "signerHash of 31 octets", value(4, zeros(31))),
		bad("hash-33", "attribute", malformed, "signerHash of 33 octets", value(4, zeros(33))),
		bad("value-more", "attribute", malformed, "something after signerHash", adds(null, acder.PathValue...)),
		bad("host-utf8", "attribute", malformed, "a host is an UTF8String", tagged(acder.TagUTF8, in(acder.PathTarget, 0)...)),
		bad("host-none", "attribute", malformed, "a target without host", removes(0, acder.PathTarget...)),
		bad("weight-none", "attribute", malformed, "a target without weight", removes(3, acder.PathTarget...)),
		bad("port-text", "attribute", malformed, "a port is a text", of(1, acder.IA5("5269"))),
		bad("port-padded", "attribute der", malformed, "a port with a zero octet in front that is not needed", of(1, dertree.Primitive(acder.TagInteger, 0, 0x14, 0x95))),
		bad("port-9-octets", "attribute", malformed, "a port of 9 octets", of(1, dertree.Primitive(acder.TagInteger, 1, 0, 0, 0, 0, 0, 0, 0, 0))),
		bad("target-more", "attribute", malformed, "something after a target's weight", adds(null, acder.PathTarget...)),
		bad("pins-tag", "attribute", malformed, "pins with the tag [1]", adds(dertree.Constructed(acder.Context(1), zeros(32)), acder.PathTarget...)),
		bad("pins-twice", "attribute", malformed, "two lists of pins", all(pins(1), pins(1))),
		bad("pin-31", "attribute", malformed, "a pin of 31 octets", adds(dertree.Constructed(acder.Context(0), zeros(31)), acder.PathTarget...)),
		bad("pin-bits", "attribute", malformed, "a pin is a BIT STRING", adds(dertree.Constructed(acder.Context(0), acder.Bits(make([]byte, 31))), acder.PathTarget...)),
		good("tls-direct", "tls", "TLS from the first byte", direct),
		good("tls-direct-pins", "tls", "TLS from the first byte, and two pins", all(pinned(2), direct)),
		bad("tls-before-pins", "tls", malformed, "directTLS before the pins", all(direct, pins(1))),
		bad("tls-twice", "tls", malformed, "directTLS twice", all(direct, adds(directTLS(), acder.PathTarget...))),
		bad("tls-content", "tls", malformed, "directTLS with an octet in it", adds(dertree.Primitive(0x81, 0), acder.PathTarget...)),
		bad("tls-boolean", "tls", malformed, "directTLS with the octet FF in it, as a BOOLEAN would have", adds(dertree.Primitive(0x81, 0xff), acder.PathTarget...)),
		bad("tls-constructed", "tls", malformed, "directTLS with the bit of a constructed element", adds(dertree.Constructed(acder.Context(1)), acder.PathTarget...)),
		bad("tls-explicit", "tls", malformed, "directTLS with an explicit tag", adds(dertree.Constructed(acder.Context(1), null), acder.PathTarget...)),
		bad("tls-null", "tls", malformed, "a NULL with its universal tag", adds(null, acder.PathTarget...)),
		bad("tls-true", "tls", malformed, "a BOOLEAN", adds(dertree.Primitive(0x01, 0xff), acder.PathTarget...)),
		bad("tls-tag-2", "tls", malformed, "the tag [2]", adds(dertree.Primitive(0x82), acder.PathTarget...)),
		bad("tls-application", "tls", malformed, "the tag of an application, and not of the context", adds(dertree.Primitive(0x41), acder.PathTarget...)),
		bad("tls-length", "tls der", malformed, "a length with an octet more than needed", adds(paddedTLS, acder.PathTarget...)),
		bad("tls-endpoint-twice", "tls targets", "bad-targets", "an endpoint twice, once with TLS from the first byte", says(func(s *statement) {
			other := s.targets[0]
			other.tls = "direct"
			s.targets = append(s.targets, other)
		})),
		good("pins-4", "targets", "4 pins", pinned(4)),
		bad("pins-0", "targets", "bad-targets", "an empty list of pins", pins(0)),
		bad("pins-5", "targets", "bad-targets", "5 pins", pins(5)),
		bad("port-0", "targets", "bad-targets", "port 0", of(1, acder.Integer(0))),
		bad("port-negative", "targets", "bad-targets", "port -1", of(1, acder.Integer(-1))),
		bad("port-65536", "targets", "bad-targets", "port 65536", of(1, acder.Integer(65536))),
		bad("port-8-octets", "targets", "bad-targets", "a port of 8 octets: 5269 and 2^62", of(1, acder.Integer(5269+1<<62))),
		bad("priority-65536", "targets", "bad-targets", "priority 65536", of(2, acder.Integer(65536))),
		bad("weight-negative", "targets", "bad-targets", "weight -1", of(3, acder.Integer(-1))),
		good("targets-16", "targets", "16 targets on one host, which the holder names once", says(ports(16))),
		bad("targets-17", "targets", "bad-targets", "17 targets", says(ports(17))),
		bad("targets-33", "targets", "bad-targets", "33 targets: there is no limit but that of a statement", says(ports(33))),
		bad("endpoint-twice", "targets", "bad-targets", "an endpoint twice", says(func(s *statement) { s.targets = append(s.targets, s.targets[0]) })),
	}
}

// ports are n targets on one host.
func ports(n int) func(s *statement) {
	return func(s *statement) {
		s.targets = nil
		for i := range n {
			s.targets = append(s.targets, target{host: host, port: int64(port + i)})
		}
	}
}
