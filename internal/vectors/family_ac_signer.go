package vectors

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

// The cases of attribute certificates that are about extensions, holders and
// signers.

func acExtensionCases() []entry {
	null, empty := []byte{acder.TagNull, 0}, []byte{acder.TagSequence, 0}
	ext := func(dotted string, critical bool, value []byte) step {
		return adds(acder.Extension(dotted, critical, value), acder.PartExtensions)
	}
	rev := func(critical bool, value []byte) step {
		return set(acder.Extension(acder.OIDNoRevAvail, critical, value), acder.PartExtensions, 1)
	}
	key := func(critical bool, value []byte) step {
		return set(acder.Extension(acder.OIDAuthority, critical, value), acder.PartExtensions, 0)
	}
	flagged := func(octet byte) step {
		return adds(dertree.Constructed(acder.TagSequence, acder.ObjectID("2.25.1"), dertree.Primitive(0x01, octet), dertree.Primitive(acder.TagOctets)), acder.PartExtensions)
	}
	many := func(n int64) step {
		return info(func(info *dertree.Node) {
			for i := range n {
				info.At(acder.PartExtensions).Add(acder.Extension(fmt.Sprintf("1.2.%d", i), false, nil))
			}
		})
	}
	const crl, access = "2.5.29.31", "1.3.6.1.5.5.7.1.1"
	return []entry{
		bad("extensions-none", "extensions", "bad-revocation", "no extensions", removes(acder.PartExtensions)),
		bad("extensions-empty", "extensions der", "malformed-ac", "an empty list of extensions", set(dertree.Constructed(acder.TagSequence), acder.PartExtensions)),
		bad("no-rev-avail-none", "extensions", "bad-revocation", "no noRevAvail", removes(1, acder.PartExtensions)),
		bad("no-rev-avail-critical", "extensions", "malformed-ac", "noRevAvail is critical", rev(true, null)),
		bad("no-rev-avail-boolean", "extensions", "malformed-ac", "noRevAvail is TRUE and not NULL", rev(false, []byte{1, 1, 0xff})),
		bad("no-rev-avail-empty", "extensions", "malformed-ac", "noRevAvail has no value", rev(false, nil)),
		bad("no-rev-avail-twice", "extensions", "duplicate-extension", "noRevAvail twice", ext(acder.OIDNoRevAvail, false, null)),
		bad("crl-points", "extensions", "bad-revocation", "cRLDistributionPoints besides", ext(crl, false, empty)),
		bad("crl-points-instead", "extensions", "bad-revocation", "cRLDistributionPoints instead of noRevAvail", set(acder.Extension(crl, false, empty), acder.PartExtensions, 1)),
		bad("crl-points-critical", "extensions", "critical-extension", "cRLDistributionPoints, critical", ext(crl, true, empty)),
		bad("information-access", "extensions", "bad-revocation", "authorityInfoAccess besides", ext(access, false, empty)),
		bad("critical-unknown", "extensions", "critical-extension", "an unknown critical extension", ext("2.25.1", true, nil)),
		bad("critical-targets", "extensions", "critical-extension", "targetInformation of RFC 5755, critical", ext("2.5.29.55", true, empty)),
		bad("critical-false", "extensions der", "malformed-ac", "critical is written as FALSE, its default value", flagged(0)),
		bad("critical-1", "extensions der", "malformed-ac", "critical is the octet 0x01 and not 0xFF", flagged(1)),
		good("unknown", "extensions", "an unknown extension that is not critical and holds no DER", ext("2.25.1", false, []byte("anything"))),
		bad("unknown-twice", "extensions", "duplicate-extension", "an unknown extension twice", all(ext("2.25.1", false, nil), ext("2.25.1", false, null))),
		good("key-identifier-none", "extensions", "no authorityKeyIdentifier", removes(0, acder.PartExtensions)),
		good("key-identifier-other", "extensions", "an authorityKeyIdentifier of another key: nobody uses it", key(false, []byte{acder.TagSequence, 3, 0x80, 1, 7})),
		good("key-identifier-empty", "extensions", "an empty authorityKeyIdentifier", key(false, empty)),
		bad("key-identifier-critical", "extensions", "malformed-ac", "authorityKeyIdentifier is critical", key(true, empty)),
		bad("key-identifier-null", "extensions", "malformed-ac", "authorityKeyIdentifier is NULL and not its type", key(false, null)),
		good("extensions-64", "limits", "64 extensions", many(62)),
		bad("extensions-65", "limits", "malformed-ac", "65 extensions", many(63)),
	}
}

func acHolders() []entry {
	const mismatch = "holder-mismatch"
	two := says(func(s *statement) {
		s.targets = append(s.targets, target{host: "second.hosting.example", port: port}, target{host: host, port: 5270})
	})
	name := func(text string) step { return content(text, in(acder.PathHolderList, 0)...) }
	first := func(with *dertree.Node) step {
		return info(func(info *dertree.Node) { info.At(acder.PathHolderList...).Children[0] = with })
	}
	return []entry{
		good("holder-two", "holder", "three targets on two hosts: two names in the holder", two),
		bad("holder-order", "holder", mismatch, "the names of the holder in another order", info(func(info *dertree.Node) { slices.Reverse(info.At(acder.PathHolderList...).Children) }), two),
		bad("holder-less", "holder", mismatch, "one of two hosts is missing in the holder", removes(1, acder.PathHolderList...), two),
		bad("holder-twice", "holder", mismatch, "the host twice in the holder", adds(acder.DNSName(host), acder.PathHolderList...)),
		bad("holder-more", "holder", mismatch, "another host in the holder besides", adds(acder.DNSName(evil), acder.PathHolderList...)),
		bad("holder-other", "holder", mismatch, "another host in the holder", name(evil)),
		bad("holder-source", "holder", mismatch, "the source in the holder, though there is a target", name(source)),
		bad("holder-upper-case", "holder", mismatch, "the host in upper case", name("XMPP.hosting.example")),
		bad("holder-dot", "holder", mismatch, "the host with a trailing dot", name(host+".")),
		bad("holder-mail", "holder", mismatch, "the host as an rfc822Name", tagged(0x81, in(acder.PathHolderList, 0)...)),
		bad("holder-uri", "holder", mismatch, "the host as a URI", tagged(0x86, in(acder.PathHolderList, 0)...)),
		bad("holder-directory", "holder", mismatch, "the host as a directory name", first(dertree.Constructed(acder.Context(4), acder.DirectoryName(host)))),
		bad("holder-no-name", "holder der", "malformed-ac", "an entityName without a name", removes(0, acder.PathHolderList...)),
		bad("holder-none", "holder der", "malformed-ac", "an empty holder", removes(0, acder.PartHolder)),
		bad("holder-base", "holder", mismatch, "a baseCertificateID besides", info(func(info *dertree.Node) {
			info.At(acder.PartHolder).Insert(0, dertree.Constructed(acder.Context(0), dertree.Constructed(acder.TagSequence,
				dertree.Constructed(acder.Context(4), acder.DirectoryName("CA"))), acder.Integer(1)))
		})),
		bad("holder-digest", "holder", mismatch, "an objectDigestInfo besides", adds(dertree.Constructed(acder.Context(2), dertree.Primitive(0x0a, 0),
			acder.AlgorithmID(acder.OIDSHA256), acder.Bits(make([]byte, 32))), acder.PartHolder)),
		bad("holder-256", "limits holder", mismatch, "256 names in the holder", holders(255)),
		bad("holder-257", "limits", "malformed-ac", "257 names in the holder", holders(256)),

		bad("revocation", "revocation", "revoked", "no targets: the service is delegated to nobody, and the holder is the source", says(revokes)).gives(says(revokes)),
		bad("revocation-holder", "revocation holder", mismatch, "a revocation with a host as holder", all(says(revokes), name(host))),
		bad("revocation-holder-more", "revocation holder", mismatch, "a revocation with a host as holder besides the source", all(says(revokes), adds(acder.DNSName(host), acder.PathHolderList...))),
	}
}

// holders adds so many names to the holder.
func holders(n int) step {
	return info(func(info *dertree.Node) {
		for range n {
			info.At(acder.PathHolderList...).Add(acder.DNSName("x.example"))
		}
	})
}

func acSigners() []entry {
	hash := func(octets []byte) step {
		return set(dertree.Primitive(acder.TagOctets, octets...), in(acder.PathValue, 4)...)
	}
	sum := func(der []byte) []byte {
		h := sha256.Sum256(der)
		return h[:]
	}
	// A second certificate for the same key and name, as after a renewal.
	other := func(t *trial) *dertree.Node {
		return dertree.MustParse(t.ca.issue("P-256", lives(begins, ends.Add(day))).leaf.Raw)
	}
	signature := func(edit func(octets []byte) []byte) step {
		return signedAC(func(ac *dertree.Node) { ac.At(2).Content = edit(ac.At(2).Content) })
	}
	inner := func(edit func(rs *dertree.Node)) step {
		return signature(func(octets []byte) []byte {
			rs := dertree.MustParse(octets[1:])
			edit(rs)
			return append([]byte{0}, rs.Bytes()...)
		})
	}
	flipped := func(octets []byte) []byte {
		octets[len(octets)-1] ^= 1
		return octets
	}
	const wrong = "bad-signature"
	return []entry{
		bad("hash-zero", "signer-hash", "signer-hash-mismatch", "signerHash of nothing in the message", hash(make([]byte, 32))),
		bad("hash-intermediate", "signer-hash", "signer-is-ca", "signerHash of the intermediate certificate, and no other certificate", func(t *trial) {
			hash(sum(t.ca.certificate.Raw))(t)
			members(func(_ *trial, list []*dertree.Node) []*dertree.Node { return list[1:] })(t)
		}),
		bad("hash-other", "signer-hash", "signer-hash-mismatch", "another certificate of the same key, name and issuer in the place of the signer's", members(func(t *trial, list []*dertree.Node) []*dertree.Node {
			return append(list[1:], other(t))
		})),
		bad("hash-other-besides", "signer-hash chain", "chain-not-linear", "another certificate of the same key, name and issuer besides the signer's", member(func(t *trial, _ []*dertree.Node) *dertree.Node { return other(t) })),
		bad("other-key", "signature", wrong, "signed with another key", func(t *trial) { t.key = newKey("P-256", "other") }),
		bad("signature-flipped", "signature", wrong, "the last bit of the signature is changed", signature(flipped)),
		bad("signature-flipped-ed25519", "signature", wrong, "the last bit of an Ed25519 signature is changed", signature(flipped), ofKind("Ed25519")),
		bad("signature-flipped-rsa", "signature", wrong, "the last bit of an RSA signature is changed", signature(flipped), ofKind("rsa-2048")),
		bad("signature-empty", "signature", wrong, "a signature without octets", signature(func([]byte) []byte { return []byte{0} })),
		bad("signature-zero", "signature", wrong, "a signature of zeros", signature(func(octets []byte) []byte { return make([]byte, len(octets)) })),
		bad("signature-raw", "signature", wrong, "R and S of 32 octets each, as in a token", signature(func(octets []byte) []byte {
			rs := dertree.MustParse(octets[1:])
			raw := make([]byte, 65)
			new(big.Int).SetBytes(rs.At(0).Content).FillBytes(raw[1:33])
			new(big.Int).SetBytes(rs.At(1).Content).FillBytes(raw[33:])
			return raw
		})),
		bad("signature-tail", "signature", wrong, "an octet after S, within the signature's sequence", inner(func(rs *dertree.Node) { rs.Tail = []byte{0} })),
		bad("signature-ber", "signature", wrong, "a signature whose length has an octet more than needed", inner(func(rs *dertree.Node) { rs.Form = dertree.Padded })),
		bad("signature-bits", "signature der", "malformed-ac", "a signature of a number of bits that is no number of octets", signature(func(octets []byte) []byte {
			octets[0], octets[len(octets)-1] = 4, octets[len(octets)-1]&0xf0
			return octets
		})),
		bad("signature-none", "signature der", "malformed-ac", "no signature", signedAC(func(ac *dertree.Node) { ac.Remove(2) })),
		bad("signature-two", "signature der", "malformed-ac", "two signatures", signedAC(func(ac *dertree.Node) { ac.Add(ac.At(2)) })),
		bad("altered", "signature", wrong, "the port is another one than was signed", signedAC(func(ac *dertree.Node) {
			ac.At(0).At(in(acder.PathTarget, 1)...).Content = []byte{0x14, 0x96}
		})),
		bad("altered-serial", "signature", wrong, "the serial number is another one than was signed", signedAC(func(ac *dertree.Node) {
			serial := bytes.Clone(ac.At(0).At(acder.PartSerial).Content)
			serial[len(serial)-1]++
			ac.At(0).At(acder.PartSerial).Content = serial
		})),
	}
}

// acOthers are other signed things, offered as messages and inside of them.
func acOthers() []entry {
	var list []entry
	for i, name := range []string{"tls13", "tls12", "csr", "certificate", "crl", "ocsp"} {
		list = append(list, bad("other-"+name, "other-thing", "malformed-ac", "as the signed part of an attribute certificate, with a valid signature: "+thingNames[i], func(t *trial) {
			message := things(t.signer)[i].message
			ac := dertree.Constructed(acder.TagSequence)
			ac.Tail = slices.Concat(message, acder.AlgorithmOf(t.signer.leaf.PublicKey).Bytes(),
				acder.Bits(acder.Sign(nil, t.signer.key, crypto.SHA256, message)).Bytes())
			der(func([]byte) []byte { return acder.Bag(ac, t.certificates()...).Bytes() })(t)
		}))
		if i < 2 {
			continue
		}
		list = append(list,
			bad("other-"+name+"-document", "other-thing", "malformed-bag", "instead of the message: "+thingNames[i], func(t *trial) {
				whole := things(t.signer)[i].whole
				der(func([]byte) []byte { return whole })(t)
			}),
			bad("other-"+name+"-member", "other-thing", "malformed-ac", "with the tag of an attribute certificate: "+thingNames[i], func(t *trial) {
				whole := dertree.MustParse(things(t.signer)[i].whole)
				der(func([]byte) []byte { return acder.Bag(whole, t.certificates()...).Bytes() })(t)
			}))
	}
	return append(list, bad("other-profile", "other-thing attribute", "malformed-attribute", "an attribute certificate of the signer's for something else: a role (RFC 5755, Section 4.4.5)", info(func(info *dertree.Node) {
		role := dertree.Constructed(acder.TagSequence, dertree.Constructed(acder.Context(1), dertree.Primitive(0x86, []byte("urn:example:admin")...)))
		*info.At(acder.PartAttributes, 0) = *dertree.Constructed(acder.TagSequence, acder.ObjectID("2.5.4.72"), dertree.Constructed(acder.TagSet, role))
	})))
}
