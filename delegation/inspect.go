package delegation

import (
	"crypto/x509"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// An Inspection is what a signed statement says, for a person to look at and
// for the owner's own tools. NOTHING in it is verified: anybody can write one.
type Inspection struct {
	Raw       []byte // the statement's octets, without a line end after them
	Encoding  Encoding
	Algorithm string // of the signature, by its name in the encoding
	Statement Statement
	// Certificates are those the statement carries, the signer's first.
	Certificates []*x509.Certificate
	// AttributeCertificate is the one of the encoding AC in DER, else nil.
	AttributeCertificate []byte
}

// Inspect reads a statement from a file in any encoding and checks its form
// and nothing else. The error is an *[Error].
func Inspect(raw []byte) (*Inspection, error) {
	encoding := sniff(raw)
	return inspect(encoding, trimDocument(encoding, raw))
}

// InspectTXT is Inspect for the text of a TXT record, its strings concatenated.
// ok says whether the record claims to be a statement, well-formed or not. If
// it does not, it belongs to somebody else, and there is no error.
func InspectTXT(text string) (in *Inspection, ok bool, err error) {
	if !isTXTRecord(text) {
		return nil, false, nil
	}
	encoding, raw, e := parseTXTRecord(text)
	if e != nil {
		return nil, true, e
	}
	in, err = inspect(encoding, raw)
	return in, true, err
}

func inspect(encoding Encoding, raw []byte) (*Inspection, error) {
	s, err := decode(encoding, raw, nil)
	if err != nil {
		return nil, asError(err)
	}
	in := &Inspection{Raw: raw, Encoding: encoding, Algorithm: s.algorithm, Statement: s.statement, AttributeCertificate: s.attributeCertificate}
	for i, der := range s.certificates {
		c, err := parseCertificate(der)
		if err != nil {
			return nil, Errorf(reasons.MalformedCertificate, "certificate %d: %v", i+1, err)
		}
		in.Certificates = append(in.Certificates, c)
	}
	return in, nil
}

// Check checks the statement against its own certificate at a time: it has not
// expired, its signer may sign for its source, and the signature is good. That
// is all an owner's tool can say. It does not verify the chain, so the result
// proves nothing to others. The error is an *[Error].
func (in *Inspection) Check(at time.Time) error {
	s, err := decode(in.Encoding, in.Raw, nil)
	if err != nil {
		return asError(err)
	}
	if err := s.statement.checkRole(); err != nil {
		return err
	}
	if err := s.statement.checkTime(&Policy{Time: wholeSecond(at), MaxLife: limits.LongestMaxLife}); err != nil {
		return err
	}
	chain, e := parseChain(s.certificates, s.unordered, nil)
	if e != nil {
		return e
	}
	leaf := chain[0]
	if err := checkSigner(leaf, s.statement.Source, namedKeys{}, at); err != nil {
		return err
	}
	if err := checkSignerTime(leaf, wholeSecond(at)); err != nil {
		return err
	}
	if _, err := s.statement.issuance(leaf); err != nil {
		return err
	}
	if err := s.verify(leaf); err != nil {
		return asError(err)
	}
	return nil
}

// Order is the place that the statement would have among those for its source
// and service. If every verifier refuses it for its signer's certificate, Order
// is zero, below all others.
func (in *Inspection) Order() Order {
	issuance, err := in.Statement.issuance(in.Certificates[0])
	if err != nil {
		return Order{}
	}
	return Order{issuance, in.Statement.Issued}
}
