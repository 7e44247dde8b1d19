package delegation

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/dertree"
	"github.com/dnasign/dnasign/keys"
)

// acSet is a spoiler that replaces one part of acinfo.
func acSet(with *dertree.Node, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { *info.At(path...) = *with })
}

// acContent is a spoiler that replaces the content of one primitive part of
// acinfo.
func acContent(content string, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { info.At(path...).Content = []byte(content) })
}

// acAdd is a spoiler that appends to a constructed part of acinfo.
func acAdd(child *dertree.Node, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { info.At(path...).Add(child) })
}

// acRemove is a spoiler that takes a child of a part of acinfo away.
func acRemove(i int, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { info.At(path...).Remove(i) })
}

func acTime(i int, text string) func(*trial) { return acContent(text, acValidity, i) }

func acSerialOf(octets ...byte) func(*trial) {
	return acSet(dertree.Primitive(tagInteger, octets...), acSerial)
}

// acSigned is a spoiler for a signer of a kind, an algorithm and its options.
func acSigned(kind string, algorithm *dertree.Node, opts crypto.SignerOpts) func(*trial) {
	return func(tr *trial) {
		tr.signer = tr.issue(kind, nil)
		withAC(acEdits{opts: opts, info: func(info *dertree.Node) { *info.At(acAlgorithm) = *algorithm }})(tr)
	}
}

func pssSalt(length int) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: length, Hash: crypto.SHA256}
}

// acBy is a spoiler for another signer's certificate.
func acBy(kind string, edit func(*x509.Certificate)) func(*trial) {
	return func(tr *trial) {
		tr.signer = tr.issue(kind, edit)
		withAC(acEdits{})(tr)
	}
}

// acMembers is a spoiler that changes the list of members of the message,
// which begins with the signer's certificate, its issuer's and the attribute
// certificate.
func acMembers(change func(tr *trial, members []*dertree.Node) []*dertree.Node) func(*trial) {
	return func(tr *trial) {
		withAC(acEdits{bag: func(signed *dertree.Node) {
			set := signed.At(bagCertificates)
			ac := slices.IndexFunc(set.Children, func(n *dertree.Node) bool { return n.Tag == tagContext(2) })
			members := []*dertree.Node{dertree.MustParse(tr.signer.Chain()[0].Raw), dertree.MustParse(tr.signer.Chain()[1].Raw), set.Children[ac]}
			set.Children = change(tr, members)
		}})(tr)
	}
}

// acMember is a spoiler that adds a member.
func acMember(make func(tr *trial, members []*dertree.Node) *dertree.Node) func(*trial) {
	return acMembers(func(tr *trial, members []*dertree.Node) []*dertree.Node {
		return append(members, make(tr, members))
	})
}

// acRetagged is a spoiler that adds the signer's certificate as another choice.
func acRetagged(tag byte) func(*trial) {
	return acMember(func(_ *trial, members []*dertree.Node) *dertree.Node {
		other := *members[0]
		other.Tag = tag
		return &other
	})
}

// acExtra is a spoiler that adds certificates that belong to no chain.
func acExtra(n int) func(*trial) {
	return acMembers(func(tr *trial, members []*dertree.Node) []*dertree.Node {
		for range n {
			members = append(members, dertree.MustParse(tr.issue("P-256", acNamed).Leaf().Raw))
		}
		return members
	})
}

// twoHosts is a statement whose holder has two names.
func twoHosts(spoil func(*trial)) func(*trial) {
	return func(tr *trial) {
		tr.statement.Targets = append(tr.statement.Targets,
			Target{Endpoint: Endpoint{"second.hosting.example", 5269}},
			Target{Endpoint: Endpoint{host, 5270}})
		spoil(tr)
	}
}

// revoking is a statement without targets.
func revoking(spoil func(*trial)) func(*trial) {
	return func(tr *trial) {
		tr.statement.Targets = nil
		spoil(tr)
	}
}

func swapped(path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { slices.Reverse(info.At(path...).Children) })
}

// withoutLeaf are the members of a message but the signer's certificate.
func withoutLeaf(tr *trial, signed *dertree.Node) []*dertree.Node {
	return slices.DeleteFunc(signed.At(bagCertificates).Children, func(n *dertree.Node) bool {
		return bytes.Equal(n.Bytes(), tr.signer.Leaf().Raw)
	})
}

func acMessageCases() []verifyCase {
	set := func(i int, with *dertree.Node) func(*trial) {
		return acMessage(func(signed *dertree.Node) { signed.Children[i] = with })
	}
	insert := func(i int, child *dertree.Node) func(*trial) {
		return acMessage(func(signed *dertree.Node) { signed.Insert(i, child) })
	}
	signerInfo := dertree.Constructed(tagSequence, acInteger(1))
	return []verifyCase{
		{"good", withAC(acEdits{}), Verified},
		{"version 0", set(bagVersion, acInteger(0)), MalformedBag},
		{"version 1", set(bagVersion, acInteger(1)), MalformedBag},
		{"version 3", set(bagVersion, acInteger(3)), MalformedBag},
		{"version 5", set(bagVersion, acInteger(5)), MalformedBag},
		{"version 4 + 2^32", set(bagVersion, acInteger(4+1<<32)), MalformedBag},
		{"no version", acMessage(func(signed *dertree.Node) { signed.Remove(bagVersion) }), MalformedBag},
		{"content type data", acOctets(func(der []byte) []byte {
			message := dertree.MustParse(der)
			message.Children[0] = acOID("1.2.840.113549.1.7.1")
			return message.Bytes()
		}), MalformedBag},
		{"BER", acOctets(func(der []byte) []byte {
			message := dertree.MustParse(der)
			message.Form, message.At(1).Form, message.At(1, 0).Form = dertree.Indefinite, dertree.Indefinite, dertree.Indefinite
			return message.Bytes()
		}), MalformedBag},
		{"LF after it", acOctets(func(der []byte) []byte { return append(der, '\n') }), MalformedBag},
		{"cut", acOctets(func(der []byte) []byte { return der[:len(der)-1] }), MalformedBag},
		{"twice", acOctets(func(der []byte) []byte { return slices.Concat(der, der) }), MalformedBag},
		{"empty", acOctets(func([]byte) []byte { return nil }), MalformedBag},
		{"an attribute certificate alone", acOctets(func(der []byte) []byte {
			ac := dertree.MustParse(der).At(1, 0, bagCertificates, 2)
			ac.Tag = tagSequence
			return ac.Bytes()
		}), MalformedBag},
		{"without certificates", acMessage(func(signed *dertree.Node) { signed.Remove(bagCertificates) }), BagCount},
		{"signer infos without certificates", acMessage(func(signed *dertree.Node) {
			signed.At(bagSigners).Add(signerInfo)
			signed.Remove(bagCertificates)
		}), BagContents},
		{"a signer info", acMessage(func(signed *dertree.Node) { signed.At(bagSigners).Add(signerInfo) }), BagContents},
		{"a digest algorithm", acMessage(func(signed *dertree.Node) { signed.At(bagDigests).Add(acAlgorithmID(oidSHA256)) }), BagContents},
		{"content", acMessage(func(signed *dertree.Node) {
			signed.At(bagContent).Add(dertree.Constructed(tagContext(0), dertree.Primitive(tagOctets, 'x')))
		}), BagContents},
		{"empty content", acMessage(func(signed *dertree.Node) {
			signed.At(bagContent).Add(dertree.Constructed(tagContext(0), dertree.Primitive(tagOctets)))
		}), BagContents},
		{"another type of content", set(bagContent, dertree.Constructed(tagSequence, acOID("1.2.840.113549.1.7.2"))), BagContents},
		{"a revocation list", insert(bagSigners, dertree.Constructed(tagContext(1), dertree.Constructed(tagSequence))), BagContents},
		{"an empty set of revocation lists", insert(bagSigners, dertree.Constructed(tagContext(1))), BagContents},
		{"an extended certificate", acRetagged(tagContext(0)), MalformedBag},
		{"a version 1 attribute certificate", acRetagged(tagContext(1)), MalformedBag},
		{"another certificate format", acRetagged(tagContext(3)), MalformedBag},
		{"a choice that does not exist", acRetagged(tagContext(4)), MalformedBag},
		{"an octet string", acMember(func(*trial, []*dertree.Node) *dertree.Node { return dertree.Primitive(tagOctets) }), MalformedBag},
		{"a certificate twice", acMember(func(_ *trial, members []*dertree.Node) *dertree.Node { return members[1] }), BagDuplicate},
		{"the attribute certificate twice", acMember(func(_ *trial, members []*dertree.Node) *dertree.Node { return members[2] }), BagDuplicate},
		{"no attribute certificate", acMembers(func(_ *trial, members []*dertree.Node) []*dertree.Node { return members[:2] }), BagCount},
		{"the attribute certificate as a certificate", acMembers(func(_ *trial, members []*dertree.Node) []*dertree.Node {
			members[2].Tag = tagSequence
			return members
		}), BagCount},
		{"two attribute certificates", acMember(func(tr *trial, members []*dertree.Node) *dertree.Node {
			tr.statement.ID[15]++
			info := acInfoOf(tr.statement, tr.signer)
			other := acOf(info.Bytes(), info.At(acAlgorithm).Bytes(), signOctets(tr.t, tr.signer.Key(), crypto.SHA256, info.Bytes()))
			other.Tag = tagContext(2)
			return other
		}), BagCount},

		{"the root besides", acMember(func(tr *trial, _ []*dertree.Node) *dertree.Node {
			return dertree.MustParse(tr.root.Root().Raw)
		}), Verified},
		{"an unrelated certificate besides", acExtra(1), ChainNotLinear},
		{"an unrelated authority besides", acMember(func(tr *trial, _ []*dertree.Node) *dertree.Node {
			return dertree.MustParse(tr.authority(tr.root, "Other", nil).Certificate.Raw)
		}), ChainNotLinear},
		{"6 certificates", acExtra(4), MalformedCertificate},
		{"15 certificates", acExtra(13), MalformedCertificate},
		{"16 certificates", acExtra(14), MalformedBag},
		{"no intermediate", acMembers(func(_ *trial, members []*dertree.Node) []*dertree.Node {
			return []*dertree.Node{members[0], members[2]}
		}), UntrustedSigner},
		{"no signer", acMembers(func(_ *trial, members []*dertree.Node) []*dertree.Node { return members[1:] }), SignerHashMismatch},
		{"no certificate", acMembers(func(_ *trial, members []*dertree.Node) []*dertree.Node { return members[2:] }), SignerHashMismatch},
		{"a sequence that is no certificate", acMember(func(*trial, []*dertree.Node) *dertree.Node {
			return dertree.Constructed(tagSequence)
		}), MalformedCertificate},
		{"octets after the signature of a certificate", acMembers(func(_ *trial, members []*dertree.Node) []*dertree.Node {
			members[1].Tail = []byte("anything")
			return members
		}), MalformedCertificate},
	}
}

func acInfoCases() []verifyCase {
	before := func(old, with string) string { return strings.Replace("20260701110000Z", old, with, 1) }
	return []verifyCase{
		{"version 1", acSet(acInteger(0), acVersion), MalformedAC},
		{"version 3", acSet(acInteger(2), acVersion), MalformedAC},
		{"no version", acRemove(acVersion), MalformedAC},

		{"v1Form", acInfo(func(info *dertree.Node) { *info.At(acIssuer) = *info.At(acIssuerList...) }), IssuerForm},
		{"v2Form with nothing", acRemove(0, acIssuerForm...), IssuerForm},
		{"two issuers", acAdd(dertree.Constructed(tagContext(4), acName("Other")), acIssuerList...), IssuerForm},
		{"the issuer twice", acInfo(func(info *dertree.Node) {
			list := info.At(acIssuerList...)
			list.Add(list.Children[0])
		}), IssuerForm},
		{"a dNSName as issuer", acInfo(func(info *dertree.Node) { info.At(acIssuerList...).Children[0] = acDNSName(source) }), IssuerForm},
		{"a dNSName besides", acAdd(acDNSName(source), acIssuerList...), IssuerForm},
		{"baseCertificateID besides", acAdd(dertree.Constructed(tagContext(0), dertree.Constructed(tagSequence,
			dertree.Constructed(tagContext(4), acName("CA"))), acInteger(1)), acIssuerForm...), IssuerForm},
		{"objectDigestInfo besides", acAdd(dertree.Constructed(tagContext(1)), acIssuerForm...), IssuerForm},
		{"another issuer", acSet(acName("Other"), acIssuerName...), IssuerNameMismatch},
		{"an empty issuer for a subject", func(tr *trial) {
			tr.signer = tr.issue("P-256", acNamed)
			acSet(dertree.Constructed(tagSequence), acIssuerName...)(tr)
		}, IssuerNameMismatch},
		{"the issuer in another string type", func(tr *trial) {
			tr.signer = tr.issue("P-256", func(c *x509.Certificate) { c.Subject.CommonName = source })
			acContentTag(0x0c, append(slices.Clone(acIssuerName), 0, 0, 1)...)(tr)
		}, IssuerNameMismatch},
		{"a signer with a subject", acBy("P-256", acNamed), Verified},

		{"algorithms that differ", acCert(func(ac *dertree.Node) { ac.Children[1] = acAlgorithmID("1.2.840.10045.4.3.3") }), InnerOuterMismatch},
		{"algorithms that differ in a parameter", acCert(func(ac *dertree.Node) { ac.At(1).Add(dertree.Primitive(tagNull)) }), InnerOuterMismatch},
		{"ECDSA with a parameter", acAdd(dertree.Primitive(tagNull), acAlgorithm), UnsupportedAlgorithm},
		{"RSA without a parameter", acSigned("RSA-2048", acAlgorithmID("1.2.840.113549.1.1.11"), crypto.SHA256), UnsupportedAlgorithm},
		{"RSASSA-PSS", acSigned("RSA-2048", acPSS(oidSHA256, 32), pssSalt(32)), Verified},
		{"RSASSA-PSS with a longer salt", acSigned("RSA-2048", acPSS(oidSHA256, 32), pssSalt(64)), BadSignature},
		{"RSASSA-PSS that says so", acSigned("RSA-2048", acPSS(oidSHA256, 64), pssSalt(64)), UnsupportedAlgorithm},
		{"RSASSA-PSS with SHA-384", acSigned("RSA-2048", acPSS(oidSHA384, 48), &rsa.PSSOptions{SaltLength: 48, Hash: crypto.SHA384}), UnsupportedAlgorithm},
		{"RSASSA-PSS with SHA-1", acSigned("RSA-2048", acPSS(oidSHA1, 20), &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA1}), UnsupportedAlgorithm},
		{"RSASSA-PSS with all defaults", acSigned("RSA-2048", acAlgorithmID("1.2.840.113549.1.1.10", dertree.Constructed(tagSequence)), pssSalt(32)), UnsupportedAlgorithm},
		{"SHA-1 with RSA", acSigned("RSA-2048", acAlgorithmID("1.2.840.113549.1.1.5", dertree.Primitive(tagNull)), crypto.SHA1), UnsupportedAlgorithm},
		{"SHA-1 with ECDSA", acSigned("P-256", acAlgorithmID("1.2.840.10045.4.1"), crypto.SHA1), UnsupportedAlgorithm},
		{"SHA-512 with RSA", acSigned("RSA-2048", acAlgorithmID("1.2.840.113549.1.1.13", dertree.Primitive(tagNull)), crypto.SHA512), UnsupportedAlgorithm},
		{"SHA-512 with P-384", acSigned("P-384", acAlgorithmID("1.2.840.10045.4.3.4"), crypto.SHA512), UnsupportedAlgorithm},
		{"SHA-384 with P-256", acSigned("P-256", acAlgorithmID("1.2.840.10045.4.3.3"), crypto.SHA384), AlgorithmMismatch},
		{"SHA-256 with P-384", acSigned("P-384", acAlgorithmID("1.2.840.10045.4.3.2"), crypto.SHA256), AlgorithmMismatch},
		{"SHA-256 with P-521", acSigned("P-521", acAlgorithmID("1.2.840.10045.4.3.2"), crypto.SHA256), AlgorithmMismatch},
		{"P-521", acBy("P-521", nil), UnsupportedAlgorithm},
		{"RSA with an ECDSA key", acSet(acAlgorithmID("1.2.840.113549.1.1.11", dertree.Primitive(tagNull)), acAlgorithm), AlgorithmMismatch},
		{"Ed25519 with an ECDSA key", acSet(acAlgorithmID("1.3.101.112"), acAlgorithm), AlgorithmMismatch},
		{"an unknown algorithm", acSet(acAlgorithmID("1.2.3.4"), acAlgorithm), UnsupportedAlgorithm},

		{"serial number 0", acSerialOf(0), BadSerial},
		{"negative serial number", acSerialOf(0x81), BadSerial},
		{"serial number -1", acSerialOf(0xff), BadSerial},
		{"empty serial number", acSerialOf(), MalformedAC},
		{"serial number with a zero in front", acSerialOf(0, 1), MalformedAC},
		{"serial number 1", acSerialOf(1), Verified},
		{"serial number of 127 bits", acSerialOf(append([]byte{0x7f}, make([]byte, 15)...)...), Verified},
		{"first bit of the ID", acSerialOf(append([]byte{0, 0x80}, make([]byte, 15)...)...), BadSerial},
		{"17 octets of serial number", acSerialOf(append([]byte{1}, make([]byte, 16)...)...), BadSerial},
		{"20 octets of serial number", acSerialOf(append([]byte{1}, make([]byte, 19)...)...), BadSerial},
		{"21 octets of serial number", acSerialOf(append([]byte{1}, make([]byte, 20)...)...), BadSerial},
		{"21 octets, the first zero", acSerialOf(append([]byte{0, 0x80}, make([]byte, 19)...)...), BadSerial},

		{"offset +0000", acTime(0, before("Z", "+0000")), BadACTime},
		{"offset +0100", acTime(0, before("Z", "+0100")), BadACTime},
		{"no zone", acTime(0, before("Z", "")), BadACTime},
		{"zone in lower case", acTime(0, before("Z", "z")), BadACTime},
		{"fraction of a second", acTime(0, before("Z", ".5Z")), BadACTime},
		{"fraction of zero", acTime(1, before("Z", ".0Z")), BadACTime},
		{"no seconds", acTime(0, "202607011100Z"), BadACTime},
		{"second 60", acTime(0, "20260701115960Z"), BadACTime},
		{"month 13", acTime(0, "20261301110000Z"), BadACTime},
		{"30 February", acTime(0, "20260230110000Z"), BadACTime},
		{"a space for a digit", acTime(0, before("0701", " 701")), BadACTime},
		{"year 0", acTime(0, before("2026", "0000")), BadACTime},
		{"year 1949", acTime(0, before("2026", "1949")), BadACTime},
		{"UTCTime", acSet(dertree.Primitive(tagUTCTime, []byte("260701110000Z")...), acValidity, 0), BadACTime},
		{"a time as text", acSet(dertree.Primitive(tagIA5, []byte("20260701110000Z")...), acValidity, 1), BadACTime},
		{"one time", acRemove(1, acValidity), MalformedAC},
		{"three times", acAdd(dertree.Primitive(tagTime, []byte("20260701110000Z")...), acValidity), MalformedAC},

		{"no attribute", acRemove(0, acAttributes), MalformedAC},
		{"an attribute of another type", acSet(acOID("2.25.1"), acAttributes, 0, 0), MalformedAttribute},
		{"the attribute twice", acInfo(func(info *dertree.Node) {
			list := info.At(acAttributes)
			list.Add(list.Children[0])
		}), DuplicateAttribute},
		{"a second attribute", acAdd(dertree.Constructed(tagSequence, acOID("1.2.3.4"),
			dertree.Constructed(tagSet, dertree.Primitive(tagNull))), acAttributes), MalformedAttribute},
		{"two values", acInfo(func(info *dertree.Node) { info.At(acValues...).Insert(0, dertree.Primitive(tagNull)) }), MalformedAttribute},
		{"two values in the wrong order", acAdd(dertree.Primitive(tagNull), acValues...), MalformedAC},
		{"the value twice", acInfo(func(info *dertree.Node) {
			values := info.At(acValues...)
			values.Add(values.Children[0])
		}), MalformedAttribute},
		{"no value", acRemove(0, acValues...), MalformedAC},
		{"65 attributes", acInfo(func(info *dertree.Node) {
			for i := range 64 {
				info.At(acAttributes).Add(dertree.Constructed(tagSequence, acOID("1.2."+big.NewInt(int64(i)).String()),
					dertree.Constructed(tagSet, dertree.Primitive(tagNull))))
			}
		}), MalformedAC},

		{"issuerUniqueID", acInfo(func(info *dertree.Node) { info.Insert(acExtensions, dertree.Primitive(tagBits, 0, 1)) }), MalformedAC},
		{"no extensions", acRemove(acExtensions), BadRevocation},
		{"an empty list of extensions", acSet(dertree.Constructed(tagSequence), acExtensions), MalformedAC},
		{"no noRevAvail", acRemove(1, acExtensions), BadRevocation},
		{"noRevAvail critical", acSet(acExtension("2.5.29.56", true, []byte{tagNull, 0}), acExtensions, 1), MalformedAC},
		{"noRevAvail that is not NULL", acSet(acExtension("2.5.29.56", false, []byte{0x01, 0x01, 0xff}), acExtensions, 1), MalformedAC},
		{"noRevAvail that is empty", acSet(acExtension("2.5.29.56", false, nil), acExtensions, 1), MalformedAC},
		{"noRevAvail twice", acAdd(acExtension("2.5.29.56", false, []byte{tagNull, 0}), acExtensions), DuplicateExtension},
		{"cRLDistributionPoints besides", acAdd(acExtension("2.5.29.31", false, []byte{tagSequence, 0}), acExtensions), BadRevocation},
		{"authorityInfoAccess besides", acAdd(acExtension("1.3.6.1.5.5.7.1.1", false, []byte{tagSequence, 0}), acExtensions), BadRevocation},
		{"cRLDistributionPoints instead", acSet(acExtension("2.5.29.31", false, []byte{tagSequence, 0}), acExtensions, 1), BadRevocation},
		{"a critical extension", acAdd(acExtension("2.25.1", true, nil), acExtensions), CriticalExtension},
		{"targets, critical", acAdd(acExtension("2.5.29.55", true, []byte{tagSequence, 0}), acExtensions), CriticalExtension},
		{"cRLDistributionPoints, critical", acAdd(acExtension("2.5.29.31", true, []byte{tagSequence, 0}), acExtensions), CriticalExtension},
		{"an unknown extension", acAdd(acExtension("2.25.1", false, []byte("anything, also no DER")), acExtensions), Verified},
		{"an unknown extension twice", acInfo(func(info *dertree.Node) {
			e := acExtension("2.25.1", false, nil)
			info.At(acExtensions).Add(e, e)
		}), DuplicateExtension},
		{"critical encoded as FALSE", acAdd(dertree.Constructed(tagSequence, acOID("2.25.1"),
			dertree.Primitive(0x01, 0), dertree.Primitive(tagOctets)), acExtensions), MalformedAC},
		{"critical encoded as 1", acAdd(dertree.Constructed(tagSequence, acOID("2.25.1"),
			dertree.Primitive(0x01, 1), dertree.Primitive(tagOctets)), acExtensions), MalformedAC},
		{"no authorityKeyIdentifier", acRemove(0, acExtensions), Verified},
		{"another authorityKeyIdentifier", acSet(acExtension("2.5.29.35", false, []byte{tagSequence, 3, 0x80, 1, 7}), acExtensions, 0), Verified},
		{"an empty authorityKeyIdentifier", acSet(acExtension("2.5.29.35", false, []byte{tagSequence, 0}), acExtensions, 0), Verified},
		{"authorityKeyIdentifier critical", acSet(acExtension("2.5.29.35", true, []byte{tagSequence, 0}), acExtensions, 0), MalformedAC},
		{"authorityKeyIdentifier malformed", acSet(acExtension("2.5.29.35", false, []byte{tagNull, 0}), acExtensions, 0), MalformedAC},
		{"65 extensions", acInfo(func(info *dertree.Node) {
			for i := range 63 {
				info.At(acExtensions).Add(acExtension("1.2."+big.NewInt(int64(i)).String(), false, nil))
			}
		}), MalformedAC},
		{"extensions twice", acInfo(func(info *dertree.Node) { info.Add(info.At(acExtensions)) }), MalformedAC},

		{"holder in another order", twoHosts(swapped(acHolderList...)), HolderMismatch},
		{"two hosts, one of them twice", twoHosts(withAC(acEdits{})), Verified},
		{"a holder twice", acAdd(acDNSName(host), acHolderList...), HolderMismatch},
		{"one holder more", acAdd(acDNSName("evil.example"), acHolderList...), HolderMismatch},
		{"one holder less", twoHosts(acRemove(1, acHolderList...)), HolderMismatch},
		{"another holder", acContent("evil.example", append(slices.Clone(acHolderList), 0)...), HolderMismatch},
		{"the source as holder", acContent(source, append(slices.Clone(acHolderList), 0)...), HolderMismatch},
		{"the holder in upper case", acContent("XMPP.hosting.example", append(slices.Clone(acHolderList), 0)...), HolderMismatch},
		{"the holder as an address", acContentTag(0x81, append(slices.Clone(acHolderList), 0)...), HolderMismatch},
		{"the holder as a URI", acContentTag(0x86, append(slices.Clone(acHolderList), 0)...), HolderMismatch},
		{"the holder as a directory name", acInfo(func(info *dertree.Node) {
			info.At(acHolderList...).Children[0] = dertree.Constructed(tagContext(4), acName(host))
		}), HolderMismatch},
		{"no name of a holder", acRemove(0, acHolderList...), MalformedAC},
		{"no holder", acRemove(0, acHolder), MalformedAC},
		{"baseCertificateID of a holder besides", acInfo(func(info *dertree.Node) {
			info.At(acHolder).Insert(0, dertree.Constructed(tagContext(0), dertree.Constructed(tagSequence,
				dertree.Constructed(tagContext(4), acName("CA"))), acInteger(1)))
		}), HolderMismatch},
		{"objectDigestInfo of a holder besides", acAdd(dertree.Constructed(tagContext(2), dertree.Primitive(0x0a, 0),
			acAlgorithmID(oidSHA256), dertree.Primitive(tagBits, make([]byte, 33)...)), acHolder), HolderMismatch},
		{"revocation", revoking(withAC(acEdits{})), Revoked},
		{"revocation with another holder", revoking(acContent(host, append(slices.Clone(acHolderList), 0)...)), HolderMismatch},
		{"revocation with a second holder", revoking(acAdd(acDNSName(host), acHolderList...)), HolderMismatch},
		{"257 holders", acInfo(func(info *dertree.Node) {
			for range 256 {
				info.At(acHolderList...).Add(acDNSName("x.example"))
			}
		}), MalformedAC},
	}
}

// acContentTag is a spoiler that changes the tag of one part of acinfo.
func acContentTag(tag byte, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) {
		n := info.At(path...)
		if n.Tag == tag {
			n.Tag = 0x13 // PrintableString, where the certificate has UTF8String
			return
		}
		n.Tag = tag
	})
}

func acAttributeCases() []verifyCase {
	in := func(path []int, more ...int) []int { return slices.Concat(path, more) }
	return []verifyCase{
		{"version 0", acSet(acInteger(0), in(acValue, 0)...), AttributeVersion},
		{"version 2", acSet(acInteger(2), in(acValue, 0)...), AttributeVersion},
		{"version -1", acSet(acInteger(-1), in(acValue, 0)...), AttributeVersion},
		{"version 1 + 2^32", acSet(acInteger(1+1<<32), in(acValue, 0)...), AttributeVersion},
		{"version as text", acSet(dertree.Primitive(tagIA5, '1'), in(acValue, 0)...), MalformedAttribute},
		{"no version", acRemove(0, acValue...), MalformedAttribute},
		{"a later version with more in it", acInfo(func(info *dertree.Node) {
			value := info.At(acValue...)
			value.Children[0] = acInteger(2)
			value.Add(dertree.Primitive(tagNull))
		}), AttributeVersion},
		{"a set for the sequence", acContentTag(tagSet, acValue...), MalformedAttribute},
		{"no source", acRemove(1, acValue...), MalformedAttribute},
		{"source as UTF8String", acContentTag(tagUTF8, in(acValue, 1)...), MalformedAttribute},
		{"source as dNSName", acContentTag(tagDNSName, in(acValue, 1)...), MalformedAttribute},
		{"source outside ASCII", acContent("b\xfccher.example", in(acValue, 1)...), MalformedAttribute},
		{"source in UTF-8", acContent("bücher.example", in(acValue, 1)...), MalformedAttribute},
		{"service outside ASCII", acContent("_xmpp\x80._tcp", in(acValue, 2)...), MalformedAttribute},
		{"no service", acRemove(2, acValue...), MalformedAttribute},
		{"no targets", acRemove(3, acValue...), MalformedAttribute},
		{"no signerHash", acRemove(4, acValue...), MalformedAttribute},
		{"something after signerHash", acAdd(dertree.Primitive(tagNull), acValue...), MalformedAttribute},
		{"signerHash of 31 octets", acSet(dertree.Primitive(tagOctets, make([]byte, 31)...), in(acValue, 4)...), MalformedAttribute},
		{"signerHash of 33 octets", acSet(dertree.Primitive(tagOctets, make([]byte, 33)...), in(acValue, 4)...), MalformedAttribute},
		{"signerHash of SHA-384", acSet(dertree.Primitive(tagOctets, make([]byte, 48)...), in(acValue, 4)...), MalformedAttribute},
		{"host outside ASCII", acContent("xmpp.hosting.ex\xe4mple", in(acTarget, 0)...), MalformedAttribute},
		{"host as UTF8String", acContentTag(tagUTF8, in(acTarget, 0)...), MalformedAttribute},
		{"no host", acRemove(0, acTarget...), MalformedAttribute},
		{"no weight", acRemove(3, acTarget...), MalformedAttribute},
		{"a port as text", acSet(dertree.Primitive(tagIA5, []byte("5269")...), in(acTarget, 1)...), MalformedAttribute},
		{"a port of 9 octets", acSet(dertree.Primitive(tagInteger, 1, 0, 0, 0, 0, 0, 0, 0, 0), in(acTarget, 1)...), MalformedAttribute},
		{"something after a target's weight", acAdd(dertree.Primitive(tagNull), acTarget...), MalformedAttribute},
		{"pins with another tag", acAdd(dertree.Constructed(tagContext(1), dertree.Primitive(tagOctets, make([]byte, 32)...)), acTarget...), MalformedAttribute},
		{"pins twice", acInfo(func(info *dertree.Node) {
			pins := dertree.Constructed(tagContext(0), dertree.Primitive(tagOctets, make([]byte, 32)...))
			info.At(acTarget...).Add(pins, pins)
		}), MalformedAttribute},
		{"a pin of 31 octets", acAdd(dertree.Constructed(tagContext(0), dertree.Primitive(tagOctets, make([]byte, 31)...)), acTarget...), MalformedAttribute},
		{"a pin that is a bit string", acAdd(dertree.Constructed(tagContext(0), dertree.Primitive(tagBits, make([]byte, 32)...)), acTarget...), MalformedAttribute},
		{"a pin", acAdd(dertree.Constructed(tagContext(0), dertree.Primitive(tagOctets, make([]byte, 32)...)), acTarget...), Verified},
	}
}

func acSignerCases() []verifyCase {
	return []verifyCase{
		{"signerHash of nothing", acSet(dertree.Primitive(tagOctets, make([]byte, 32)...), append(slices.Clone(acValue), 4)...), SignerHashMismatch},
		{"signerHash of the intermediate", func(tr *trial) {
			hash := sha256.Sum256(tr.signer.Chain()[1].Raw)
			withAC(acEdits{
				info: func(info *dertree.Node) { info.At(acValue...).At(4).Content = hash[:] },
				bag:  func(signed *dertree.Node) { signed.At(bagCertificates).Children = withoutLeaf(tr, signed) },
			})(tr)
		}, SignerIsCA},
		{"another certificate for the same key and name", acMembers(func(tr *trial, members []*dertree.Node) []*dertree.Node {
			other, err := tr.intermediate.IssueFor(tr.signer.Key(), []string{source}, now.Add(-10*day), now.Add(80*day), nil)
			if err != nil {
				tr.t.Fatal(err)
			}
			members[0] = dertree.MustParse(other.Leaf().Raw)
			return members
		}), SignerHashMismatch},
		{"such a certificate besides", acMember(func(tr *trial, _ []*dertree.Node) *dertree.Node {
			other, err := tr.intermediate.IssueFor(tr.signer.Key(), []string{source}, now.Add(-10*day), now.Add(80*day), nil)
			if err != nil {
				tr.t.Fatal(err)
			}
			return dertree.MustParse(other.Leaf().Raw)
		}), ChainNotLinear},
		{"an authority", acBy("P-256", func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign
		}), SignerIsCA},
		{"another name", acBy("P-256", func(c *x509.Certificate) { c.DNSNames = []string{"c.example"} }), SignerNameMismatch},
		{"keyUsage without digitalSignature", acBy("RSA-2048", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), SignerKeyUsage},
		{"a signer of the past", acBy("P-256", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), SignerExpired},
		{"an anchor that is not trusted", func(tr *trial) {
			tr.policy.Roots = x509.NewCertPool()
			withAC(acEdits{})(tr)
		}, UntrustedSigner},
		{"another key", func(tr *trial) {
			withAC(acEdits{key: tr.issue("P-256", nil).Key()})(tr)
		}, BadSignature},
		{"a changed signature", acCert(func(ac *dertree.Node) {
			signature := ac.At(2).Content
			signature[len(signature)-1] ^= 1
		}), BadSignature},
		{"a changed signature of Ed25519", func(tr *trial) {
			tr.signer = tr.issue("Ed25519", nil)
			acCert(func(ac *dertree.Node) { ac.At(2).Content[1] ^= 1 })(tr)
		}, BadSignature},
		{"an empty signature", acCert(func(ac *dertree.Node) { ac.At(2).Content = []byte{0} }), BadSignature},
		{"a signature of zeros", acCert(func(ac *dertree.Node) { clear(ac.At(2).Content) }), BadSignature},
		{"a signature with R and S of 32 octets each", acCert(func(ac *dertree.Node) {
			rs := dertree.MustParse(ac.At(2).Content[1:])
			raw := make([]byte, 65)
			new(big.Int).SetBytes(rs.At(0).Content).FillBytes(raw[1:33])
			new(big.Int).SetBytes(rs.At(1).Content).FillBytes(raw[33:])
			ac.At(2).Content = raw
		}), BadSignature},
		{"a signature with octets inside after S", acCert(func(ac *dertree.Node) {
			rs := dertree.MustParse(ac.At(2).Content[1:])
			rs.Tail = []byte{0}
			ac.At(2).Content = append([]byte{0}, rs.Bytes()...)
		}), BadSignature},
		{"a signature in BER", acCert(func(ac *dertree.Node) {
			rs := dertree.MustParse(ac.At(2).Content[1:])
			rs.Form = dertree.Padded
			ac.At(2).Content = append([]byte{0}, rs.Bytes()...)
		}), BadSignature},
		{"a signature of a number of bits", acCert(func(ac *dertree.Node) {
			signature := ac.At(2).Content
			signature[0], signature[len(signature)-1] = 4, signature[len(signature)-1]&0xf0
		}), MalformedAC},
		{"no signature", acCert(func(ac *dertree.Node) { ac.Remove(2) }), MalformedAC},
		{"two signatures", acCert(func(ac *dertree.Node) { ac.Add(ac.At(2)) }), MalformedAC},
		{"claims altered", acCert(func(ac *dertree.Node) {
			info := ac.At(0)
			info.At(acTarget...).At(1).Content = []byte{1, 2}
		}), BadSignature},
	}
}

func TestACMessage(t *testing.T)   { runCases(t, 44, acMessageCases()) }
func TestACInfo(t *testing.T)      { runCases(t, 118, acInfoCases()) }
func TestACAttribute(t *testing.T) { runCases(t, 33, acAttributeCases()) }
func TestACSigner(t *testing.T)    { runCases(t, 21, acSignerCases()) }

// TestACSameReason: what is wrong with a statement, and not with its encoding,
// has the same reason in both encodings.
func TestACSameReason(t *testing.T) {
	target := targetJSON(host, 5269, 10, 5)
	pinList := func(n int) *dertree.Node {
		list := dertree.Constructed(tagContext(0))
		for range n {
			list.Add(dertree.Primitive(tagOctets, make([]byte, 32)...))
		}
		return list
	}
	number := func(i int, n int64) func(*trial) {
		return acSet(acInteger(n), append(slices.Clone(acTarget), i)...)
	}
	cases := []struct {
		name      string
		statement func(s *Statement) // the defect, or
		jws, ac   func(*trial)       // the defect in each encoding, that Statement cannot hold
		want      Reason
	}{
		{"source in upper case", func(s *Statement) { s.Source = "B.example" }, nil, nil, BadName},
		{"source of one label", func(s *Statement) { s.Source = "example" }, nil, nil, BadName},
		{"source with a trailing dot", func(s *Statement) { s.Source += "." }, nil, nil, BadName},
		{"source empty", func(s *Statement) { s.Source = "" }, nil, nil, BadName},
		{"source a wildcard", func(s *Statement) { s.Source = "*.example" }, nil, nil, BadName},
		{"source an address", func(s *Statement) { s.Source = "192.0.2.1" }, nil, nil, BadName},
		{"source that is local", func(s *Statement) { s.Source = "b.local" }, nil, nil, BadName},
		{"source with a bad A-label", func(s *Statement) { s.Source = "xn--a.example" }, nil, nil, BadName},
		{"source with a space", func(s *Statement) { s.Source = "b .example" }, nil, nil, BadName},
		{"owner name too long", func(s *Statement) { s.Source = longName(253) }, nil, nil, BadName},
		{"service without underscore", func(s *Statement) { s.Service = "xmpp-server._tcp" }, nil, nil, BadName},
		{"service over sctp", func(s *Statement) { s.Service = "_xmpp-server._sctp" }, nil, nil, BadName},
		{"service empty", func(s *Statement) { s.Service = "" }, nil, nil, BadName},
		{"host in upper case", func(s *Statement) { s.Targets[0].Host = "Xmpp.hosting.example" }, nil, nil, BadName},
		{"host empty", func(s *Statement) { s.Targets[0].Host = "" }, nil, nil, BadName},
		{"host too long", func(s *Statement) { s.Targets[0].Host = longName(254) }, nil, nil, BadName},
		{"port 0", func(s *Statement) { s.Targets[0].Port = 0 }, nil, nil, BadTargets},
		{"endpoint twice", func(s *Statement) { s.Targets = append(s.Targets, s.Targets[0]) }, nil, nil, BadTargets},
		{"17 targets", func(s *Statement) {
			for i := range uint16(MaxTargets) {
				s.Targets = append(s.Targets, Target{Endpoint: Endpoint{host, 1 + i}})
			}
		}, nil, nil, BadTargets},
		{"5 pins", func(s *Statement) { s.Targets[0].SPKI = make([]Pin, 5) }, nil, nil, BadTargets},
		{"exp equals iat", func(s *Statement) { s.Expires = s.Issued }, nil, nil, BadLifetime},
		{"exp before iat", func(s *Statement) { s.Expires = s.Issued.Add(-time.Hour) }, nil, nil, BadLifetime},
		{"exp after the year 9999", func(s *Statement) { s.Expires = time.Unix(maxTime+1, 0) }, nil, nil, BadLifetime},
		{"another source", func(s *Statement) { s.Source = "c.example" }, nil, nil, SourceMismatch},
		{"a parent of the source", func(s *Statement) { s.Source = "sub.b.example" }, nil, nil, SourceMismatch},
		{"another service", func(s *Statement) { s.Service = "_xmpp-client._tcp" }, nil, nil, ServiceMismatch},
		{"not yet issued", func(s *Statement) { s.Issued = now.Add(ClockSkew + time.Second) }, nil, nil, NotYetValid},
		{"expired", func(s *Statement) { s.Expires = now }, nil, nil, Expired},
		{"a life too long", func(s *Statement) { s.Expires = s.Issued.Add(DefaultMaxLife + time.Second) }, nil, nil, LifeTooLong},
		{"issued long before its signer", func(s *Statement) { s.Issued = now.Add(-10*day - ClockSkew - time.Second) }, nil, nil, IssuedBeforeSigner},
		{"revoked", func(s *Statement) { s.Targets = nil }, nil, nil, Revoked},

		{"port 65536", nil, targets(targetJSON(host, 65536, 10, 5)), number(1, 65536), BadTargets},
		{"port 5269 + 2^32", nil, targets(targetJSON(host, 5269+1<<32, 10, 5)), number(1, 5269+1<<32), BadTargets},
		{"priority 65536", nil, targets(targetJSON(host, 5269, 65536, 5)), number(2, 65536), BadTargets},
		{"weight 65536", nil, targets(targetJSON(host, 5269, 10, 65536)), number(3, 65536), BadTargets},
		{"no pins in the list", nil, targets(pins(0)), acAdd(pinList(0), acTarget...), BadTargets},
		{"6 pins", nil, targets(pins(6)), acAdd(pinList(6), acTarget...), BadTargets},
		{"a bad name and a bad port", nil, payload(target, targetJSON("X.example", 65536, 10, 5)), acInfo(func(info *dertree.Node) {
			info.At(acTarget...).Children[0] = dertree.Primitive(tagIA5, []byte("X.example")...)
			info.At(acTarget...).Children[1] = acInteger(65536)
		}), BadName},
		{"a bad port and a bad life", nil, func(tr *trial) {
			payload(target, targetJSON(host, 65536, 10, 5))(tr)
			tr.statement.Expires = tr.statement.Issued
		}, func(tr *trial) {
			tr.statement.Expires = tr.statement.Issued
			number(1, 65536)(tr)
		}, BadTargets},
	}
	if len(cases) < 39 {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		jws, ac := c.jws, c.ac
		if c.statement != nil {
			jws = func(tr *trial) { c.statement(&tr.statement) }
			ac = acStatement(c.statement)
		}
		for name, spoil := range map[Encoding]func(*trial){JWS: jws, AC: ac} {
			t.Run(c.name+"/"+string(name), func(t *testing.T) {
				tr := newTrial(t)
				spoil(tr)
				result, err := tr.verify()
				wantEnd(t, c.want, result, err)
			})
		}
	}
}

// TestSignACRefuses: Sign refuses for this encoding what it refuses for the
// other, and makes nothing.
func TestSignACRefuses(t *testing.T) {
	lab := newLaboratory(t)
	for _, c := range []struct {
		name   string
		signer *keys.Signer
		spoil  func(s *Statement)
		want   Reason
	}{
		{"a bad name", lab.signer, func(s *Statement) { s.Source = "B.example" }, BadName},
		{"no life", lab.signer, func(s *Statement) { s.Expires = s.Issued }, BadLifetime},
		{"a zero ID", lab.signer, func(s *Statement) { s.ID = ID{} }, MalformedClaims},
		{"another domain's certificate", lab.issue("P-256", func(c *x509.Certificate) { c.DNSNames = []string{"c.example"} }), func(*Statement) {}, SignerNameMismatch},
		{"P-521", lab.issue("P-521", nil), func(*Statement) {}, UnsupportedKey},
		{"an authority", lab.issue("P-256", func(c *x509.Certificate) { c.IsCA = true }), func(*Statement) {}, SignerIsCA},
		{"a key that may not sign", lab.issue("RSA-2048", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), func(*Statement) {}, SignerKeyUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := goodStatement()
			c.spoil(&s)
			raw, err := Sign(s, AC, c.signer)
			if got := ReasonOf(err); got != c.want || raw != nil {
				t.Errorf("%v and %d octets, want %s", err, len(raw), c.want)
			}
		})
	}
}

// TestACKeyIdentifier: authorityKeyIdentifier is the signer's
// subjectKeyIdentifier, else made of its key.
func TestACKeyIdentifier(t *testing.T) {
	lab := newLaboratory(t)
	for _, id := range [][]byte{nil, {1, 2, 3}} {
		signer := lab.issue("P-256", func(c *x509.Certificate) { c.SubjectKeyId = id })
		raw, err := Sign(goodStatement(), AC, signer)
		if err != nil {
			t.Fatal(err)
		}
		got := acParse(t, raw).AuthorityKeyID
		if id == nil && len(got) != 20 || id != nil && !bytes.Equal(got, id) {
			t.Errorf("%x for %x", got, id)
		}
	}
}

// TestACReasonOrder holds messages with several defects to the order of
// docs/spec.md, section 11, steps 3, 4 and 11.
func TestACReasonOrder(t *testing.T) {
	defects := []struct {
		want  Reason
		spoil func(e *acEdits)
	}{
		{BagContents, inMessage(func(signed *dertree.Node) { signed.At(bagSigners).Add(acInteger(1)) })},
		{BagDuplicate, inMessage(func(signed *dertree.Node) {
			set := signed.At(bagCertificates)
			set.Add(set.Children[0])
		})},
		{MalformedAC, inInfo(func(info *dertree.Node) { info.Children[acVersion] = acInteger(2) })},
		{IssuerForm, inInfo(func(info *dertree.Node) { info.At(acIssuerList...).Add(acDNSName(source)) })},
		{BadSerial, inInfo(func(info *dertree.Node) { info.Children[acSerial] = acInteger(0) })},
		{BadACTime, inInfo(func(info *dertree.Node) { info.At(acValidity, 0).Content = []byte("20260701110000+0000") })},
		{DuplicateExtension, inInfo(func(info *dertree.Node) {
			list := info.At(acExtensions)
			list.Add(list.Children[0])
		})},
		{UnsupportedAlgorithm, inInfo(func(info *dertree.Node) { *info.At(acAlgorithm) = *acAlgorithmID("1.2.3.4") })},
		{CriticalExtension, inInfo(func(info *dertree.Node) { info.At(acExtensions).Add(acExtension("2.25.1", true, nil)) })},
		{BadRevocation, inInfo(func(info *dertree.Node) {
			info.At(acExtensions).Add(acExtension("2.5.29.31", false, []byte{tagSequence, 0}))
		})},
		{AttributeVersion, inInfo(func(info *dertree.Node) { info.At(acValue...).Children[0] = acInteger(2) })},
		{BadName, inInfo(func(info *dertree.Node) { info.At(acValue...).At(1).Content = []byte("B.example") })},
		{BadTargets, inInfo(func(info *dertree.Node) { info.At(acTarget...).Children[1] = acInteger(0) })},
		{HolderMismatch, inInfo(func(info *dertree.Node) { info.At(acHolderList...).Children[0] = acDNSName(source) })},
		{SignerHashMismatch, inInfo(func(info *dertree.Node) { clear(info.At(acValue...).At(4).Content) })},
	}
	if len(defects) < 15 {
		t.Errorf("%d defects", len(defects))
	}
	for i, first := range defects {
		t.Run(string(first.want), func(t *testing.T) {
			tr := newTrial(t)
			var e acEdits
			for _, d := range defects[i:] {
				d.spoil(&e)
			}
			withAC(e)(tr)
			result, err := tr.verify()
			wantEnd(t, first.want, result, err)
		})
	}
}

// inInfo and inMessage add a change to the changes that there are.
func inInfo(change func(*dertree.Node)) func(*acEdits) {
	return func(e *acEdits) { e.info = acAfter(e.info, change) }
}

func inMessage(change func(*dertree.Node)) func(*acEdits) {
	return func(e *acEdits) { e.bag = acAfter(e.bag, change) }
}

func acAfter(earlier, change func(*dertree.Node)) func(*dertree.Node) {
	return func(n *dertree.Node) {
		if earlier != nil {
			earlier(n)
		}
		change(n)
	}
}
