package delegation

import (
	"bytes"
	"crypto/x509"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/keys"
)

// An Encoding is one of the forms a statement is carried in.
type Encoding string

// The encodings, by the value of e= in a TXT record.
const (
	JWS Encoding = "jws" // compact JWS, package encoding/jws
	AC  Encoding = "ac"  // X.509 attribute certificate, package encoding/x509attr
)

// Encodings lists every [Encoding].
func Encodings() []Encoding { return []Encoding{JWS, AC} }

// suffix is the end of the path of a document.
func (e Encoding) suffix() string {
	if e == AC {
		return ".p7c" // RFC 8551, Section 3.2.1
	}
	return "." + string(e)
}

// MediaType is the media type a document in the encoding is served with,
// without parameters.
func (e Encoding) MediaType() string {
	if e == AC {
		return "application/pkcs7-mime" // RFC 8551, Section 3.2
	}
	return "application/" + Type
}

// Type is the typ of a statement's JWS header (RFC 8725, Section 3.11), and
// application/ before it its media type. A second version would have another.
const Type = "dna+jwt"

// sniff tells the encoding of a file from its first octet: 0x30 begins a DER
// SEQUENCE. It cannot begin a JWS, where it would stand for an octet above
// 0xCF, and a header is ASCII.
func sniff(raw []byte) Encoding {
	if len(raw) > 0 && raw[0] == 0x30 {
		return AC
	}
	return JWS
}

// A signed is a statement as it was received: decoded, and not yet believed.
type signed struct {
	statement    Statement
	algorithm    string          // by its name in the encoding, for a person
	certificates [][]byte        // the signer's first
	unordered    bool            // the others are in any order
	token        *jws.Unverified // of the encoding JWS
	// attributeCertificate is that of the encoding AC, for a person.
	attributeCertificate []byte
	// verify checks the signature with the signer's certificate.
	verify func(leaf *x509.Certificate) error
}

// decode reads a statement in an encoding without any cryptography. known is the
// header of an earlier token with the same one, or nil.
func decode(e Encoding, raw []byte, known *jws.Header) (*signed, error) {
	if len(raw) > limits.MaxStatementSize {
		return nil, Errorf(reasons.StatementTooLarge, "%d octets, at most %d", len(raw), limits.MaxStatementSize)
	}
	switch e {
	case JWS:
		return decodeJWS(raw, known)
	case AC:
		return decodeAC(raw)
	}
	return nil, Errorf(reasons.UnsupportedEncoding, "unknown encoding %.40q (want one of %v)", e, Encodings())
}

func decodeJWS(raw []byte, known *jws.Header) (*signed, error) {
	token, err := jws.ParseWith(known, raw, Type)
	if err != nil {
		return nil, err
	}
	statement, e := decodeClaims(token.UnverifiedPayload())
	if e != nil {
		return nil, e
	}
	return &signed{
		token:        token,
		statement:    *statement,
		algorithm:    string(token.Algorithm),
		certificates: token.Certificates,
		verify: func(leaf *x509.Certificate) error {
			_, err := token.Verify(leaf.PublicKey)
			return err
		},
	}, nil
}

// Sign encodes and signs a statement; fractions of a second are cut off its
// times. It refuses what no verifier would accept, and gives a verifier's
// reason. Examples are a malformed statement, a signer that may not sign for
// the source, and a statement older than its certificate or longer than
// [limits.LongestMaxLife]. It does not ask whether the chain leads to a trust anchor,
// which is the verifier's question. But it refuses a certificate with which no
// chain can. A nil or zero signer is refused.
func Sign(s Statement, e Encoding, signer *keys.Signer) ([]byte, error) {
	if signer == nil || len(signer.Chain()) == 0 {
		return nil, Errorf(reasons.MissingInput, "there is no signer")
	}
	s.Issued, s.Expires = s.Issued.Truncate(time.Second), s.Expires.Truncate(time.Second)
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := s.checkRole(); err != nil {
		return nil, err
	}
	if err := s.checkLife(limits.LongestMaxLife); err != nil {
		return nil, err
	}
	leaf := signer.Leaf()
	if err := checkSigner(leaf, s.Source, namedKeys{}, s.Issued); err != nil {
		return nil, err
	}
	if _, err := s.issuance(leaf); err != nil {
		return nil, err
	}
	if err := checkSignerTime(leaf, s.Issued); err != nil {
		return nil, err
	}
	var der [][]byte
	for _, c := range signer.Chain() {
		der = append(der, c.Raw)
	}
	if _, err := parseChain(der, false, nil); err != nil {
		return nil, err
	}
	if err := checkProvable(leaf); err != nil {
		return nil, err
	}
	raw, err := encode(s, e, signer)
	if err != nil {
		return nil, err
	}
	if len(raw) > limits.MaxStatementSize {
		return nil, Errorf(reasons.StatementTooLarge, "%d octets, at most %d", len(raw), limits.MaxStatementSize)
	}
	return raw, nil
}

func encode(s Statement, e Encoding, signer *keys.Signer) ([]byte, error) {
	switch e {
	case JWS:
		algorithm, err := keys.AlgorithmFor(signer.Leaf().PublicKey)
		if err != nil {
			return nil, err
		}
		return jws.Sign(encodeClaims(s), Type, algorithm, signer)
	case AC:
		return signAC(s, signer)
	}
	return nil, Errorf(reasons.UnsupportedEncoding, "unknown encoding %.40q (want one of %v)", e, Encodings())
}

// trimDocument takes one line end from the end of a JWS in a document or file,
// which editors and shells add. In a TXT record there is none to take, and in
// DER every octet counts.
func trimDocument(e Encoding, body []byte) []byte {
	if e != JWS {
		return body
	}
	text, found := bytes.CutSuffix(body, []byte("\n"))
	if found {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return text
}
