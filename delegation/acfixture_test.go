package delegation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"testing"
	"time"

	"github.com/dnasign/dnasign/encoding/x509attr"
	"github.com/dnasign/dnasign/internal/dertree"
	"github.com/dnasign/dnasign/keys"
)

// The parts of an attribute certificate that cases spoil: numbers of the
// children of acinfo as this package writes it, and paths below them.
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
	acValue      = []int{acAttributes, 0, 1, 0} // the attribute's one value
	acValues     = []int{acAttributes, 0, 1}    // the set it is in
	acTargets    = append(slices.Clone(acValue), 3)
	acTarget     = append(slices.Clone(acTargets), 0)
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
	tagInteger  = 0x02
	tagBits     = 0x03
	tagOctets   = 0x04
	tagNull     = 0x05
	tagOID      = 0x06
	tagUTF8     = 0x0c
	tagIA5      = 0x16
	tagUTCTime  = 0x17
	tagTime     = 0x18
	tagSequence = 0x30
	tagSet      = 0x31
	tagDNSName  = 0x82 // in a GeneralName
)

// tagContext is a context-specific, constructed tag.
func tagContext(number byte) byte { return 0xa0 | number }

func acInteger(n int64) *dertree.Node { return dertree.MustParse(derInteger(n)) }

func derInteger(n int64) []byte {
	octets := []byte{byte(n)}
	for n >>= 8; n != 0 && n != -1 || (octets[0] >= 0x80) != (n < 0); n >>= 8 {
		octets = append([]byte{byte(n)}, octets...)
	}
	return append([]byte{tagInteger, byte(len(octets))}, octets...)
}

// acOID is an OBJECT IDENTIFIER in dotted form.
func acOID(dotted string) *dertree.Node {
	oid, err := x509.ParseOID(dotted)
	if err != nil {
		panic(err)
	}
	content, err := oid.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return dertree.Primitive(tagOID, content...)
}

// acExtension is an extension with a value in DER.
func acExtension(dotted string, critical bool, value []byte) *dertree.Node {
	e := dertree.Constructed(tagSequence, acOID(dotted))
	if critical {
		e.Add(dertree.Primitive(0x01, 0xff))
	}
	e.Add(dertree.Primitive(tagOctets, value...))
	return e
}

func acDNSName(name string) *dertree.Node { return dertree.Primitive(tagDNSName, []byte(name)...) }

// acName is a Name with a common name.
func acName(commonName string) *dertree.Node {
	return dertree.Constructed(tagSequence, dertree.Constructed(tagSet, dertree.Constructed(tagSequence,
		acOID("2.5.4.3"), dertree.Primitive(tagUTF8, []byte(commonName)...))))
}

// acAlgorithmID is an AlgorithmIdentifier without parameters or with those.
func acAlgorithmID(dotted string, parameters ...*dertree.Node) *dertree.Node {
	return dertree.Constructed(tagSequence, append([]*dertree.Node{acOID(dotted)}, parameters...)...)
}

// acPSS is RSASSA-PSS with a hash function and a length of salt.
func acPSS(hash string, salt int64) *dertree.Node {
	h := func() *dertree.Node { return acAlgorithmID(hash, dertree.Primitive(tagNull)) }
	return acAlgorithmID("1.2.840.113549.1.1.10", dertree.Constructed(tagSequence,
		dertree.Constructed(tagContext(0), h()),
		dertree.Constructed(tagContext(1), acAlgorithmID("1.2.840.113549.1.1.8", h())),
		dertree.Constructed(tagContext(2), acInteger(salt))))
}

const (
	oidSHA1   = "1.3.14.3.2.26"
	oidSHA256 = "2.16.840.1.101.3.4.2.1"
	oidSHA384 = "2.16.840.1.101.3.4.2.2"
)

// acAlgorithmOf is the algorithm that signACInfo uses with a key.
func acAlgorithmOf(key crypto.PublicKey) *dertree.Node {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return acAlgorithmID("1.2.840.113549.1.1.11", dertree.Primitive(tagNull))
	case ed25519.PublicKey:
		return acAlgorithmID("1.3.101.112")
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P384():
			return acAlgorithmID("1.2.840.10045.4.3.3")
		case elliptic.P521():
			return acAlgorithmID("1.2.840.10045.4.3.4")
		}
	}
	return acAlgorithmID("1.2.840.10045.4.3.2")
}

// acHash is the hash function that goes with it, 0 for none.
func acHash(key crypto.PublicKey) crypto.Hash {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return 0
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P384():
			return crypto.SHA384
		case elliptic.P521():
			return crypto.SHA512
		}
	}
	return crypto.SHA256
}

// signOctets signs octets as X.509 does.
func signOctets(t testing.TB, key crypto.Signer, opts crypto.SignerOpts, octets []byte) []byte {
	t.Helper()
	if h := opts.HashFunc(); h != 0 {
		sum := h.New()
		sum.Write(octets)
		octets = sum.Sum(nil)
	}
	signature, err := key.Sign(rand.Reader, octets, opts)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// acInfoOf writes the signed part of a statement in any state, by the
// specification and without the code under test.
func acInfoOf(s Statement, signer *keys.Signer) *dertree.Node {
	leaf := signer.Leaf()
	ia5 := func(text string) *dertree.Node { return dertree.Primitive(tagIA5, []byte(text)...) }
	date := func(at time.Time) *dertree.Node {
		return dertree.Primitive(tagTime, []byte(at.UTC().Format("20060102150405Z"))...)
	}
	holder, targets := dertree.Constructed(tagContext(1)), dertree.Constructed(tagSequence)
	var hosts []string
	for _, target := range s.Targets {
		hosts = append(hosts, target.Host)
		n := dertree.Constructed(tagSequence, ia5(target.Host), acInteger(int64(target.Port)),
			acInteger(int64(target.Priority)), acInteger(int64(target.Weight)))
		if len(target.SPKI) > 0 {
			pins := dertree.Constructed(tagContext(0))
			for _, p := range target.SPKI {
				pins.Add(dertree.Primitive(tagOctets, p[:]...))
			}
			n.Add(pins)
		}
		targets.Add(n)
	}
	if len(hosts) == 0 {
		hosts = []string{s.Source}
	}
	for i, h := range hosts {
		if !slices.Contains(hosts[:i], h) {
			holder.Add(acDNSName(h))
		}
	}
	hash := sha256.Sum256(leaf.Raw)
	value := dertree.Constructed(tagSequence, acInteger(1), ia5(s.Source), ia5(s.Service), targets,
		dertree.Primitive(tagOctets, hash[:]...))
	serial := bytes.TrimLeft(s.ID[:], "\x00")
	if len(serial) == 0 || serial[0] >= 0x80 {
		serial = append([]byte{0}, serial...)
	}
	keyID := leaf.SubjectKeyId
	if len(keyID) == 0 {
		info := dertree.MustParse(leaf.RawSubjectPublicKeyInfo)
		sum := sha256.Sum256(info.At(1).Content[1:]) // RFC 7093, Section 2, method 1
		keyID = sum[:20]
	}
	return dertree.Constructed(tagSequence,
		acInteger(1),
		dertree.Constructed(tagSequence, holder),
		dertree.Constructed(tagContext(0), dertree.Constructed(tagSequence,
			dertree.Constructed(tagContext(4), dertree.MustParse(leaf.RawSubject)))),
		acAlgorithmOf(leaf.PublicKey),
		dertree.Primitive(tagInteger, serial...),
		dertree.Constructed(tagSequence, date(s.Issued), date(s.Expires.Add(-time.Second))),
		dertree.Constructed(tagSequence, dertree.Constructed(tagSequence, acOID(attributeOID.String()),
			dertree.Constructed(tagSet, value))),
		dertree.Constructed(tagSequence,
			acExtension("2.5.29.35", false, dertree.Constructed(tagSequence, dertree.Primitive(0x80, keyID...)).Bytes()),
			acExtension("2.5.29.56", false, []byte{tagNull, 0})))
}

// acEdits are what a case changes, from the inside to the outside. What lies
// inside is signed after it was changed, so that the change is the only defect.
type acEdits struct {
	info   func(info *dertree.Node) // acinfo, with its algorithm also beside the signature
	opts   crypto.SignerOpts        // how it is signed; nil for what fits the key
	key    crypto.Signer            // with which key; nil for the signer's
	ac     func(ac *dertree.Node)   // the attribute certificate with its signature
	bag    func(signed *dertree.Node)
	octets func(der []byte) []byte
}

// ac makes a CMS message of the trial's statement and signer.
func (tr *trial) ac(e acEdits) []byte {
	tr.t.Helper()
	if e.opts == nil {
		e.opts = acHash(tr.signer.Leaf().PublicKey)
	}
	if e.key == nil {
		e.key = tr.signer.Key()
	}
	info := acInfoOf(tr.statement, tr.signer)
	algorithm := info.At(acAlgorithm)
	if e.info != nil {
		e.info(info)
	}
	ac := acOf(info.Bytes(), algorithm.Bytes(), signOctets(tr.t, e.key, e.opts, info.Bytes()))
	if e.ac != nil {
		e.ac(ac)
	}
	message := acBag(ac, tr.signer.Chain()...)
	if e.bag != nil {
		e.bag(message.At(1, 0))
	}
	der := message.Bytes()
	if e.octets != nil {
		der = e.octets(der)
	}
	return der
}

// acOf is a signed structure of X.509: what is signed, an algorithm, a signature.
func acOf(info, algorithm, signature []byte) *dertree.Node {
	return dertree.Constructed(tagSequence, dertree.MustParse(info), dertree.MustParse(algorithm),
		dertree.Primitive(tagBits, append([]byte{0}, signature...)...))
}

// acBag is a CMS message, its certificates in the order of DER.
func acBag(ac *dertree.Node, chain ...*x509.Certificate) *dertree.Node {
	certificates := dertree.Constructed(tagContext(0))
	for _, c := range chain {
		certificates.Add(dertree.MustParse(c.Raw))
	}
	member := *ac
	member.Tag = tagContext(2)
	certificates.Add(&member)
	slices.SortFunc(certificates.Children, func(a, b *dertree.Node) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	return dertree.Constructed(tagSequence, acOID("1.2.840.113549.1.7.2"), dertree.Constructed(tagContext(0),
		dertree.Constructed(tagSequence,
			acInteger(4),
			dertree.Constructed(tagSet),
			dertree.Constructed(tagSequence, acOID("1.2.840.113549.1.7.1")),
			certificates,
			dertree.Constructed(tagSet))))
}

// withAC is a spoiler that has an attribute certificate judged instead of the
// token.
func withAC(e acEdits) func(*trial) {
	return func(tr *trial) { tr.evidence = evidenceOf(acDocument(tr.ac(e))) }
}

func acInfo(change func(info *dertree.Node)) func(*trial) { return withAC(acEdits{info: change}) }
func acCert(change func(ac *dertree.Node)) func(*trial)   { return withAC(acEdits{ac: change}) }
func acMessage(change func(signed *dertree.Node)) func(*trial) {
	return withAC(acEdits{bag: change})
}
func acOctets(change func(der []byte) []byte) func(*trial) { return withAC(acEdits{octets: change}) }

// acStatement is a spoiler that changes the statement.
func acStatement(change func(s *Statement)) func(*trial) {
	return func(tr *trial) {
		change(&tr.statement)
		withAC(acEdits{})(tr)
	}
}

func acDocument(der []byte) Document {
	return Document{URL: DocumentURL(source, service, AC), Status: 200, MediaType: AC.MediaType(), MaxAge: -1, Body: der}
}

// acKinds are the keys that a statement can be signed with.
var acKinds = []string{"P-256", "P-384", "RSA-2048", "Ed25519"}

// acNamed gives a certificate a subject, as many have.
func acNamed(c *x509.Certificate) {
	c.Subject = pkix.Name{CommonName: source, Organization: []string{"Example & Söhne"}}
}

// acSigners makes a signer of every kind, with and without a subject.
func acSigners(lab *laboratory) map[string]*keys.Signer {
	signers := map[string]*keys.Signer{}
	for _, kind := range acKinds {
		signers[kind] = lab.issue(kind, nil)
		signers[kind+" with a subject"] = lab.issue(kind, acNamed)
	}
	return signers
}

// acParse reads the attribute certificate in a message.
func acParse(t testing.TB, der []byte) *x509attr.AttributeCertificate {
	t.Helper()
	bag, err := x509attr.ParseBag(der)
	if err != nil {
		t.Fatal(err)
	}
	single, err := bag.Single()
	if err != nil {
		t.Fatal(err)
	}
	ac, err := x509attr.Parse(single)
	if err != nil {
		t.Fatal(err)
	}
	return ac
}
