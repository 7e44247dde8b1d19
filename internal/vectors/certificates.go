package vectors

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

// The usual case, of which every other one is a change: b.example delegates its
// XMPP server to a hosting provider. All times are relative to now, which is
// fixed.
const (
	source    = "b.example"
	service   = "_xmpp-server._tcp"
	second    = "_xmpps-server._tcp" // the second SRV label of the role
	client    = "_xmpp-client._tcp"
	host      = "xmpp.hosting.example"
	port      = 5269
	elsewhere = "xmpp.elsewhere.example"
	evil      = "evil.example"
)

// roles are the services that have a second SRV label, by that.
var roles = map[string]string{
	second: service, "_xmpps-client._tcp": client,
	"_imaps._tcp": "_imap._tcp", "_pop3s._tcp": "_pop3._tcp",
	"_submissions._tcp": "_submission._tcp", "_ldaps._tcp": "_ldap._tcp",
}

// roleOf is the role of an SRV label.
func roleOf(label string) string {
	if role, ok := roles[label]; ok {
		return role
	}
	return label
}

const (
	hour = time.Hour
	day  = 24 * hour
)

var (
	now     = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	issued  = now.Add(-time.Hour)
	expires = now.Add(13 * day)
	// The signer's certificate.
	begins = now.Add(-10 * day)
	ends   = now.Add(80 * day)
)

// A signer is a certificate with its key and the certificates above it, the
// trust anchor not among them.
type signer struct {
	leaf *x509.Certificate
	key  crypto.Signer
	ca   *authority
}

// chain is what the signer sends, its own certificate first.
func (s *signer) chain() [][]byte {
	list := [][]byte{s.leaf.Raw}
	for ca := s.ca; ca.above != nil; ca = ca.above {
		list = append(list, ca.certificate.Raw)
	}
	return list
}

// An authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	above       *authority // nil: it is a trust anchor
}

// newRoot makes a trust anchor with a key of a kind.
func newRoot(kind, name string, edits ...func(*x509.Certificate)) *authority {
	template := authorityTemplate(name, edits)
	key := newKey(kind, name)
	return &authority{certificate: sign(template, template, key, key), key: key}
}

// under makes an authority below this one.
func (a *authority) under(kind, name string, edits ...func(*x509.Certificate)) *authority {
	key := newKey(kind, name)
	return &authority{certificate: sign(authorityTemplate(name, edits), a.certificate, key, a.key), key: key, above: a}
}

func authorityTemplate(name string, edits []func(*x509.Certificate)) *x509.Certificate {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.AddDate(-5, 0, 0),
		NotAfter:              now.AddDate(5, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	for _, edit := range edits {
		edit(template)
	}
	return template
}

// issue makes a leaf for a key of a kind: the source as its one name, for
// server authentication, without a subject, unless edits change that.
func (a *authority) issue(kind string, edits ...func(*x509.Certificate)) *signer {
	return a.issueFor(newKey(kind, "leaf"), edits...)
}

func (a *authority) issueFor(key crypto.Signer, edits ...func(*x509.Certificate)) *signer {
	return &signer{leaf: sign(leafTemplate(edits), a.certificate, key, a.key), key: key, ca: a}
}

// selfIssued is a signer whose certificate no authority issued: one of the
// source, signed with its own key of a kind, unless edits change that.
func selfIssued(kind string, edits ...func(*x509.Certificate)) *signer {
	key := newKey(kind, "own")
	template := leafTemplate(append([]func(*x509.Certificate){commonName(source)}, edits...))
	return &signer{leaf: sign(template, template, key, key), key: key, ca: &authority{}}
}

func leafTemplate(edits []func(*x509.Certificate)) *x509.Certificate {
	template := &x509.Certificate{
		DNSNames:              []string{source},
		NotBefore:             begins,
		NotAfter:              ends,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, edit := range edits {
		edit(template)
	}
	return template
}

// sign makes a certificate. The serial number follows from the rest, so that
// no two certificates of an authority share one.
func sign(template, parent *x509.Certificate, key, by crypto.Signer) *x509.Certificate {
	template.SerialNumber = big.NewInt(1)
	draft := must(x509.CreateCertificate(nil, template, parent, key.Public(), by))
	template.SerialNumber = new(big.Int).SetBytes(octets(string(draft), 15))
	template.SerialNumber.SetBit(template.SerialNumber, 118, 1)
	return must(x509.ParseCertificate(must(x509.CreateCertificate(nil, template, parent, key.Public(), by))))
}

// remade changes what is signed of a certificate, and signs it again.
func remade(certificate []byte, by crypto.Signer, edit func(tbs *dertree.Node)) []byte {
	c := dertree.MustParse(certificate)
	edit(c.At(0))
	*c.At(2) = *acder.Bits(acder.Sign(nil, by, acder.Hash(by.Public()), c.At(0).Bytes()))
	return c.Bytes()
}

// named gives the names of a leaf.
func named(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

// lives gives the life of a certificate.
func lives(from, to time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, to }
}

// A world is the authority and the certificate of the usual case.
type world struct {
	root   *authority
	ca     *authority // below it
	signer *signer
}

func newWorld() *world {
	root := newRoot("P-256", "Test Root")
	ca := root.under("P-256", "Test Intermediate")
	return &world{root: root, ca: ca, signer: ca.issue("P-256")}
}

// commonName gives a leaf a subject.
func commonName(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.Subject.CommonName = name }
}
