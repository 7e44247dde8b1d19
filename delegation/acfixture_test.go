package delegation

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"testing"
	"time"

	"github.com/dnasign/dnasign/encoding/x509attr"
	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// acInfoOf writes the signed part of a statement in any state, by the
// specification and without the code under test.
func acInfoOf(s Statement, signer *keys.Signer) *dertree.Node {
	leaf := signer.Leaf()
	holder, targets := dertree.Constructed(acder.Context(1)), dertree.Constructed(acder.TagSequence)
	var hosts []string
	for _, target := range s.Targets {
		hosts = append(hosts, target.Host)
		n := dertree.Constructed(acder.TagSequence, acder.IA5(target.Host), acder.Integer(int64(target.Port)),
			acder.Integer(int64(target.Priority)), acder.Integer(int64(target.Weight)))
		if len(target.SPKI) > 0 {
			pins := dertree.Constructed(acder.Context(0))
			for _, p := range target.SPKI {
				pins.Add(dertree.Primitive(acder.TagOctets, p[:]...))
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
			holder.Add(acder.DNSName(h))
		}
	}
	hash := sha256.Sum256(leaf.Raw)
	value := dertree.Constructed(acder.TagSequence, acder.Integer(1), acder.IA5(s.Source), acder.IA5(s.Service), targets,
		dertree.Primitive(acder.TagOctets, hash[:]...))
	keyID := leaf.SubjectKeyId
	if len(keyID) == 0 {
		info := dertree.MustParse(leaf.RawSubjectPublicKeyInfo)
		sum := sha256.Sum256(info.At(1).Content[1:]) // RFC 7093, Section 2, method 1
		keyID = sum[:20]
	}
	return dertree.Constructed(acder.TagSequence,
		acder.Integer(1),
		dertree.Constructed(acder.TagSequence, holder),
		dertree.Constructed(acder.Context(0), dertree.Constructed(acder.TagSequence,
			dertree.Constructed(acder.Context(4), dertree.MustParse(leaf.RawSubject)))),
		acder.AlgorithmOf(leaf.PublicKey),
		acder.Serial(s.ID[:]),
		dertree.Constructed(acder.TagSequence, acder.GeneralizedTime(s.Issued), acder.GeneralizedTime(s.Expires.Add(-time.Second))),
		dertree.Constructed(acder.TagSequence, dertree.Constructed(acder.TagSequence, acder.ObjectID(attributeOID.String()),
			dertree.Constructed(acder.TagSet, value))),
		dertree.Constructed(acder.TagSequence,
			acder.Extension(acder.OIDAuthority, false, dertree.Constructed(acder.TagSequence, dertree.Primitive(0x80, keyID...)).Bytes()),
			acder.Extension(acder.OIDNoRevAvail, false, []byte{acder.TagNull, 0})))
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
		e.opts = acder.Hash(tr.signer.Leaf().PublicKey)
	}
	if e.key == nil {
		e.key = tr.signer.Key()
	}
	info := acInfoOf(tr.statement, tr.signer)
	algorithm := info.At(acder.PartAlgorithm)
	if e.info != nil {
		e.info(info)
	}
	ac := acder.Signed(info, algorithm.Bytes(), acder.Sign(rand.Reader, e.key, e.opts, info.Bytes()))
	if e.ac != nil {
		e.ac(ac)
	}
	message := acder.Bag(ac, localca.TLS(tr.signer).Certificate...)
	if e.bag != nil {
		e.bag(message.At(1, 0))
	}
	der := message.Bytes()
	if e.octets != nil {
		der = e.octets(der)
	}
	return der
}

// withAC is a spoiler that has an attribute certificate judged instead of the
// token.
func withAC(e acEdits) func(*trial) {
	return func(tr *trial) { tr.evidence = evidenceOf(acDocument(tr.ac(e))) }
}

func acInfo(change func(info *dertree.Node)) func(*trial) { return withAC(acEdits{info: change}) }
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
