package jws

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"fmt"

	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/keys"
)

// Unverified is a token in good form whose signature nobody has checked.
type Unverified struct {
	// Algorithm is what alg says.
	Algorithm keys.Algorithm
	// Certificates is what x5c holds: 1 to [keys.MaxChain] octet strings that
	// claim to be DER certificates, the signer's first.
	Certificates [][]byte

	typ       string
	payload   []byte
	signed    []byte // header.payload as received: RFC 7515, Section 5.2, step 8
	signature []byte
}

// A Header is the header of a token that [Parse] has read. It saves reading the
// same header again, which is most of a token.
type Header struct {
	text, typ    string
	algorithm    keys.Algorithm
	certificates [][]byte
}

// Text is the first part of the token, as it was received.
func (h *Header) Text() string { return h.text }

// Header is that of the token. It shares no memory with the token, only with
// Certificates, which must not be changed from then on.
func (u *Unverified) Header() *Header {
	text, _, _ := bytes.Cut(u.signed, []byte("."))
	return &Header{string(text), u.typ, u.Algorithm, u.Certificates}
}

// Parse reads a token of the given typ, which must not be empty. It does no
// cryptography and its cost is linear in the size of the token.
func Parse(token []byte, typ string) (*Unverified, error) { return ParseWith(nil, token, typ) }

// ParseWith is [Parse], and faster if the token has exactly the known header, which
// may be nil.
func ParseWith(known *Header, token []byte, typ string) (*Unverified, error) {
	if len(token) > MaxSize {
		return nil, fmt.Errorf("%w: %d octets, at most %d", ErrTooLarge, len(token), MaxSize)
	}
	parts := bytes.Split(token, []byte("."))
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: %d parts between dots, not 3", ErrMalformed, len(parts))
	}
	u := &Unverified{typ: typ, signed: token[:len(parts[0])+1+len(parts[1])]}
	again := known != nil && known.typ == typ && known.text == string(parts[0])
	var room [4 << 10]byte // for most headers, of which only the certificates are kept
	var header []byte
	var err error
	if !again {
		if header, err = decodePart(room[:0], "header", parts[0]); err != nil {
			return nil, err
		}
	}
	if u.payload, err = decodePart(nil, "payload", parts[1]); err != nil {
		return nil, err
	}
	if u.signature, err = decodePart(nil, "signature", parts[2]); err != nil {
		return nil, err
	}
	if again {
		u.Algorithm, u.Certificates = known.algorithm, known.certificates
		return u, nil
	}
	if err := u.readHeader(header, typ); err != nil {
		return nil, err
	}
	return u, nil
}

func (u *Unverified) readHeader(header []byte, typ string) error {
	value, err := strictjson.Parse(header)
	if err != nil {
		return fmt.Errorf("%w: header: %w", ErrMalformed, err)
	}
	f := value.Object("the header")
	gotTyp, alg, x5c := f.String("typ"), f.String("alg"), f.Array("x5c")
	if err := f.End(); err != nil {
		return fmt.Errorf("%w: %w", ErrHeader, err)
	}
	if typ == "" {
		return fmt.Errorf("%w: the caller asks for none", ErrType)
	}
	if gotTyp != typ {
		return fmt.Errorf("%w: %.40q, not %q", ErrType, gotTyp, typ)
	}
	if u.Algorithm, err = keys.ParseAlgorithm(alg); err != nil {
		return fmt.Errorf("%w: %w", ErrAlgorithm, err)
	}
	if len(x5c) == 0 || len(x5c) > keys.MaxChain {
		return fmt.Errorf("%w: %d certificates, not 1 to %d", ErrCertificates, len(x5c), keys.MaxChain)
	}
	u.Certificates = make([][]byte, 0, len(x5c))
	for i, item := range x5c {
		if item.Kind != strictjson.String {
			return fmt.Errorf("%w: element %d is %s, not a string", ErrCertificates, i+1, item.Kind)
		}
		// RFC 7515, Section 4.1.6: base64, not base64url, with padding. A string
		// from strictjson holds no line ends for the decoder to pass over.
		der, err := base64std.DecodeString(item.Text)
		if err != nil || len(der) == 0 {
			return fmt.Errorf("%w: element %d is not canonical base64", ErrCertificates, i+1)
		}
		u.Certificates = append(u.Certificates, der)
	}
	return nil
}

// decodePart is the strict decoding of RFC 4648, Section 3.5, into the room if that
// is large enough. The decoder refuses non-zero trailing bits, and we refuse CR and LF,
// which it would skip.
func decodePart(room []byte, name string, text []byte) (part []byte, err error) {
	if i := max(bytes.IndexByte(text, '\r'), bytes.IndexByte(text, '\n')); i >= 0 {
		err = base64.CorruptInputError(i)
	} else {
		part, err = base64url.AppendDecode(room, text)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: the %s is not canonical base64url: %w", ErrMalformed, name, err)
	case len(part) == 0:
		return nil, fmt.Errorf("%w: the %s is empty", ErrMalformed, name)
	}
	return part, nil
}

var (
	base64url = base64.RawURLEncoding.Strict()
	base64std = base64.StdEncoding.Strict()
)

// UnverifiedPayload is what the token says, before anything is proven. It is
// for cheap checks that may refuse the token, and for showing it to a person.
func (u *Unverified) UnverifiedPayload() []byte { return u.payload }

// Verify checks the signature over the octets as received and returns the
// payload. It says nothing about who holds the key: the caller must have the
// certificate's chain judged as well. Bound the key's size first, with
// [keys.CheckSize]. The errors are [keys.ErrAlgorithmMismatch] and
// [keys.ErrSignature].
func (u *Unverified) Verify(leaf crypto.PublicKey) (payload []byte, err error) {
	if err := u.Algorithm.Verify(leaf, u.signed, u.signature); err != nil {
		return nil, err
	}
	return u.payload, nil
}
