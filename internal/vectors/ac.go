package vectors

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/dertree"
)

// The parts of an attribute certificate that cases change: numbers of the
// children of acinfo, and paths below them.
const (
	acVersion = iota
	acHolder
	acIssuer
	acAlgorithm
	acSerial
	acValidity
	acAttributes
	acExtensions
)

var (
	acValues     = []int{acAttributes, 0, 1}    // the set of the attribute's values
	acValue      = []int{acAttributes, 0, 1, 0} // the one in it
	acTarget     = []int{acAttributes, 0, 1, 0, 3, 0}
	acHolderList = []int{acHolder, 0}
	acIssuerForm = []int{acIssuer} // V2Form
	acIssuerList = []int{acIssuer, 0}
	acIssuerName = []int{acIssuer, 0, 0, 0}
)

// The parts of a CMS message: numbers of the children of SignedData.
const (
	bagVersion = iota
	bagDigests
	bagContent
	bagCertificates
	bagSigners
)

// Tags.
const (
	tagInteger   = 0x02
	tagBits      = 0x03
	tagOctets    = 0x04
	tagNull      = 0x05
	tagOID       = 0x06
	tagUTF8      = 0x0c
	tagPrintable = 0x13
	tagIA5       = 0x16
	tagUTCTime   = 0x17
	tagTime      = 0x18
	tagSequence  = 0x30
	tagSet       = 0x31
	tagDNSName   = 0x82 // in a GeneralName
)

// Object identifiers.
const (
	oidAttribute  = "2.25.123451849705716964283098282175778140751"
	oidSHA1       = "1.3.14.3.2.26"
	oidSHA256     = "2.16.840.1.101.3.4.2.1"
	oidSHA384     = "2.16.840.1.101.3.4.2.2"
	oidNoRevAvail = "2.5.29.56"
	oidAuthority  = "2.5.29.35" // authorityKeyIdentifier
)

// acEdits are what a case changes of a message, from the inside to the outside:
// what comes before the signature is signed as changed.
type acEdits struct {
	info   []func(info *dertree.Node) // acinfo; its algorithm also beside the signature
	opts   crypto.SignerOpts          // how it is signed, nil for what fits the key
	ac     []func(ac *dertree.Node)   // the attribute certificate with its signature
	bag    []func(signed *dertree.Node)
	octets []func(der []byte) []byte
}

// ac makes a CMS message.
func (t *trial) ac() []byte {
	e := t.acEdits
	info := t.acInfo()
	algorithm := info.At(acAlgorithm)
	for _, edit := range e.info {
		edit(info)
	}
	opts := e.opts
	if opts == nil {
		opts = acHash(t.signingKey().Public())
	}
	ac := acOf(info, algorithm.Bytes(), signOctets(t.signingKey(), opts, info.Bytes()))
	for _, edit := range e.ac {
		edit(ac)
	}
	message := acBag(ac, t.certificates())
	for _, edit := range e.bag {
		edit(message.At(1, 0))
	}
	der := message.Bytes()
	for _, edit := range e.octets {
		der = edit(der)
	}
	return der
}

// acInfo writes the signed part.
func (t *trial) acInfo() *dertree.Node {
	s := t.statement
	list := dertree.Constructed(tagSequence)
	var hosts []string
	for _, to := range s.targets {
		hosts = append(hosts, to.host)
		n := dertree.Constructed(tagSequence, ia5(to.host), integer(to.port), integer(to.priority), integer(to.weight))
		if len(to.pins) > 0 {
			n.Add(pinList(to.pins...))
		}
		list.Add(n)
	}
	if len(hosts) == 0 {
		hosts = []string{s.source}
	}
	holder := dertree.Constructed(context(1))
	for i, h := range hosts {
		if !slices.Contains(hosts[:i], h) {
			holder.Add(dnsName(h))
		}
	}
	hash := sha256.Sum256(t.certificates()[0])
	value := dertree.Constructed(tagSequence, integer(1), ia5(s.source), ia5(s.service), list,
		dertree.Primitive(tagOctets, hash[:]...))
	// RFC 7093, Section 2, method 1: of the octets of the BIT STRING.
	keyID := sha256.Sum256(dertree.MustParse(t.signer.leaf.RawSubjectPublicKeyInfo).At(1).Content[1:])
	return dertree.Constructed(tagSequence,
		integer(1),
		dertree.Constructed(tagSequence, holder),
		dertree.Constructed(context(0), dertree.Constructed(tagSequence,
			dertree.Constructed(context(4), dertree.MustParse(t.signer.leaf.RawSubject)))),
		acAlgorithmOf(t.signer.leaf.PublicKey),
		serial(s.id[:]),
		dertree.Constructed(tagSequence, generalizedTime(s.issued), generalizedTime(s.expires.Add(-time.Second))),
		dertree.Constructed(tagSequence, dertree.Constructed(tagSequence, objectID(oidAttribute),
			dertree.Constructed(tagSet, value))),
		dertree.Constructed(tagSequence,
			extension(oidAuthority, false, dertree.Constructed(tagSequence, dertree.Primitive(0x80, keyID[:20]...)).Bytes()),
			extension(oidNoRevAvail, false, []byte{tagNull, 0})))
}

// acOf is a signed structure of X.509: what is signed, an algorithm, a signature.
func acOf(info *dertree.Node, algorithm, signature []byte) *dertree.Node {
	return dertree.Constructed(tagSequence, info, dertree.MustParse(algorithm), bits(signature))
}

// acBag is a CMS message, its members in the order of DER.
func acBag(ac *dertree.Node, chain [][]byte) *dertree.Node {
	certificates := dertree.Constructed(context(0))
	for _, der := range chain {
		certificates.Add(dertree.MustParse(der))
	}
	member := *ac
	member.Tag = context(2)
	certificates.Add(&member)
	sortMembers(certificates)
	return dertree.Constructed(tagSequence, objectID("1.2.840.113549.1.7.2"), dertree.Constructed(context(0),
		dertree.Constructed(tagSequence,
			integer(4),
			dertree.Constructed(tagSet),
			dertree.Constructed(tagSequence, objectID("1.2.840.113549.1.7.1")),
			certificates,
			dertree.Constructed(tagSet))))
}

func sortMembers(set *dertree.Node) {
	slices.SortFunc(set.Children, func(a, b *dertree.Node) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
}

// Elements of DER.

func context(number byte) byte { return 0xa0 | number } // constructed

func ia5(text string) *dertree.Node { return dertree.Primitive(tagIA5, []byte(text)...) }

func bits(octets []byte) *dertree.Node {
	return dertree.Primitive(tagBits, append([]byte{0}, octets...)...)
}

func integer(n int64) *dertree.Node {
	octets := []byte{byte(n)}
	for n >>= 8; n != 0 && n != -1 || (octets[0] >= 0x80) != (n < 0); n >>= 8 {
		octets = append([]byte{byte(n)}, octets...)
	}
	return dertree.Primitive(tagInteger, octets...)
}

// serial is a positive INTEGER of those octets.
func serial(octets []byte) *dertree.Node {
	octets = bytes.TrimLeft(octets, "\x00")
	if len(octets) == 0 || octets[0] >= 0x80 {
		octets = append([]byte{0}, octets...)
	}
	return dertree.Primitive(tagInteger, octets...)
}

func generalizedTime(at time.Time) *dertree.Node {
	return dertree.Primitive(tagTime, []byte(at.UTC().Format("20060102150405Z"))...)
}

func objectID(dotted string) *dertree.Node {
	return dertree.Primitive(tagOID, must(must(x509.ParseOID(dotted)).MarshalBinary())...)
}

func extension(dotted string, critical bool, value []byte) *dertree.Node {
	e := dertree.Constructed(tagSequence, objectID(dotted))
	if critical {
		e.Add(dertree.Primitive(0x01, 0xff))
	}
	e.Add(dertree.Primitive(tagOctets, value...))
	return e
}

func dnsName(name string) *dertree.Node { return dertree.Primitive(tagDNSName, []byte(name)...) }

// directoryName is a Name with a common name.
func directoryName(commonName string) *dertree.Node {
	return dertree.Constructed(tagSequence, dertree.Constructed(tagSet, dertree.Constructed(tagSequence,
		objectID("2.5.4.3"), dertree.Primitive(tagUTF8, []byte(commonName)...))))
}

func pinList(pins ...[]byte) *dertree.Node {
	list := dertree.Constructed(context(0))
	for _, pin := range pins {
		list.Add(dertree.Primitive(tagOctets, pin...))
	}
	return list
}

// algorithmID is an AlgorithmIdentifier without parameters or with those.
func algorithmID(dotted string, parameters ...*dertree.Node) *dertree.Node {
	return dertree.Constructed(tagSequence, append([]*dertree.Node{objectID(dotted)}, parameters...)...)
}

// pssID is RSASSA-PSS with a hash function and a length of salt.
func pssID(hash string, salt int64) *dertree.Node {
	null := dertree.Primitive(tagNull)
	return pssOf(algorithmID(hash, null), algorithmID(hash, null), salt)
}

// pssOf is RSASSA-PSS with a hash function for the message and one for the mask.
func pssOf(hash, mask *dertree.Node, salt int64) *dertree.Node {
	return algorithmID("1.2.840.113549.1.1.10", dertree.Constructed(tagSequence,
		dertree.Constructed(context(0), hash),
		dertree.Constructed(context(1), algorithmID("1.2.840.113549.1.1.8", mask)),
		dertree.Constructed(context(2), integer(salt))))
}

// acAlgorithmOf is the algorithm that fits a key, and for keys that cannot sign
// a statement the one that would.
func acAlgorithmOf(key crypto.PublicKey) *dertree.Node {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return algorithmID("1.2.840.113549.1.1.11", dertree.Primitive(tagNull))
	case ed25519.PublicKey:
		return algorithmID("1.3.101.112")
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return algorithmID("1.2.840.10045.4.3.3")
		}
	}
	return algorithmID("1.2.840.10045.4.3.2")
}

// acHash is the hash function that goes with it, 0 for none.
func acHash(key crypto.PublicKey) crypto.Hash {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return 0
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return crypto.SHA384
		}
	}
	return crypto.SHA256
}
