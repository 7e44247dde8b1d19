package vectors

import (
	"crypto"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
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
	algorithm := info.At(acder.PartAlgorithm)
	for _, edit := range e.info {
		edit(info)
	}
	opts := e.opts
	if opts == nil {
		opts = acder.Hash(t.signingKey().Public())
	}
	ac := acder.Signed(info, algorithm.Bytes(), acder.Sign(nil, t.signingKey(), opts, info.Bytes()))
	for _, edit := range e.ac {
		edit(ac)
	}
	message := acder.Bag(ac, t.certificates()...)
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
	list := dertree.Constructed(acder.TagSequence)
	var hosts []string
	for _, to := range s.targets {
		hosts = append(hosts, to.host)
		n := dertree.Constructed(acder.TagSequence, acder.IA5(to.host), acder.Integer(to.port), acder.Integer(to.priority), acder.Integer(to.weight))
		if len(to.pins) > 0 {
			n.Add(pinList(to.pins...))
		}
		if to.tls != "" {
			n.Add(directTLS())
		}
		list.Add(n)
	}
	if len(hosts) == 0 {
		hosts = []string{s.source}
	}
	holder := dertree.Constructed(acder.Context(1))
	for i, h := range hosts {
		if !slices.Contains(hosts[:i], h) {
			holder.Add(acder.DNSName(h))
		}
	}
	hash := sha256.Sum256(t.certificates()[0])
	value := dertree.Constructed(acder.TagSequence, acder.Integer(1), acder.IA5(s.source), acder.IA5(s.service), list,
		dertree.Primitive(acder.TagOctets, hash[:]...))
	// RFC 7093, Section 2, method 1: of the octets of the BIT STRING.
	keyID := sha256.Sum256(dertree.MustParse(t.signer.leaf.RawSubjectPublicKeyInfo).At(1).Content[1:])
	return dertree.Constructed(acder.TagSequence,
		acder.Integer(1),
		dertree.Constructed(acder.TagSequence, holder),
		dertree.Constructed(acder.Context(0), dertree.Constructed(acder.TagSequence,
			dertree.Constructed(acder.Context(4), dertree.MustParse(t.signer.leaf.RawSubject)))),
		acder.AlgorithmOf(t.signer.leaf.PublicKey),
		acder.Serial(s.id[:]),
		dertree.Constructed(acder.TagSequence, acder.GeneralizedTime(s.issued), acder.GeneralizedTime(s.expires.Add(-time.Second))),
		dertree.Constructed(acder.TagSequence, dertree.Constructed(acder.TagSequence, acder.ObjectID(acder.OIDAttribute),
			dertree.Constructed(acder.TagSet, value))),
		dertree.Constructed(acder.TagSequence,
			acder.Extension(acder.OIDAuthority, false, dertree.Constructed(acder.TagSequence, dertree.Primitive(0x80, keyID[:20]...)).Bytes()),
			acder.Extension(acder.OIDNoRevAvail, false, []byte{acder.TagNull, 0})))
}

func pinList(pins ...[]byte) *dertree.Node {
	list := dertree.Constructed(acder.Context(0))
	for _, pin := range pins {
		list.Add(dertree.Primitive(acder.TagOctets, pin...))
	}
	return list
}

// directTLS is the field of a target that says so.
func directTLS() *dertree.Node { return dertree.Primitive(0x81) }
