package starttls

import (
	"bytes"
	"fmt"
	"io"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// The tags of RFC 4511 that occur here.
const (
	tagInteger      = 0x02
	tagOctets       = 0x04
	tagEnumerated   = 0x0a
	tagMessage      = 0x30
	tagResponse     = 0x78 // [APPLICATION 24]
	tagResponseName = 0x8a // [10]
)

const (
	// startTLSName names the operation.
	startTLSName = "1.3.6.1.4.1.1466.20037"
	// startTLSRequest is message 1, an ExtendedRequest ([APPLICATION 23]) with
	// that name ([0]).
	startTLSRequest = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + startTLSName
)

// ldap asks for TLS as RFC 4511, Section 4.14 says. A referral is not followed:
// anybody on the path could have written it.
func ldap(w *wire, _ Request) error {
	if err := w.say(startTLSRequest, "answer to StartTLS"); err != nil {
		return err
	}
	r, err := ldapResponse(w)
	switch {
	case err != nil:
		return err
	case r.code == 2: // protocolError (RFC 4511, Section 4.14.2)
		return delegation.Errorf(reasons.STARTTLSMissing, "the peer does not know StartTLS: %q", shown(r.diagnostic))
	case r.code == 10: // referral
		return delegation.Errorf(reasons.STARTTLSFailed, "the peer refers to another server, which is not asked")
	case r.code != 0: // success
		return delegation.Errorf(reasons.STARTTLSFailed, "the peer refuses StartTLS with result %d: %q", r.code, shown(r.diagnostic))
	case r.name != "" && r.name != startTLSName:
		return delegation.Errorf(reasons.STARTTLSFailed, "the peer answers StartTLS with a response of the name %q", shown(r.name))
	}
	return nil
}

// An extendedResponse is what is looked at in one.
type extendedResponse struct {
	code       byte
	diagnostic string
	name       string // "" if it has none
}

// ldapResponse reads the response to message 1:
//
//	SEQUENCE { messageID INTEGER, [APPLICATION 24] SEQUENCE {
//	    resultCode ENUMERATED, matchedDN, diagnosticMessage OCTET STRING,
//	    referral [3] OPTIONAL, responseName [10] OPTIONAL, responseValue [11] OPTIONAL } }
//
// A success has nothing of this but the name.
func ldapResponse(w *wire) (r extendedResponse, err error) {
	message, err := element(w, tagMessage)
	if err != nil && w.err != nil {
		return r, w.err
	}
	outer := bytes.NewReader(message)
	id, idErr := element(outer, tagInteger)
	if idErr == nil && len(id) == 1 && id[0] == 0 { // RFC 4511, Section 4.4
		return r, delegation.Errorf(reasons.STARTTLSFailed, "the peer sends a notice where the %s should come, such as that it ends the connection", w.waiting)
	}
	response, responseErr := element(outer, tagResponse)
	inner := bytes.NewReader(response)
	code, codeErr := element(inner, tagEnumerated)
	_, dnErr := element(inner, tagOctets)
	diagnostic, diagnosticErr := element(inner, tagOctets)
	for _, e := range []error{err, idErr, responseErr, codeErr, dnErr, diagnosticErr} {
		if e != nil {
			return r, delegation.Errorf(reasons.STARTTLSFailed, "what should be the %s is not LDAP: %v", w.waiting, e)
		}
	}
	if len(id) != 1 || id[0] != 1 || len(code) != 1 || outer.Len() > 0 {
		return r, delegation.Errorf(reasons.STARTTLSFailed, "what should be the %s is another message of LDAP", w.waiting)
	}
	r = extendedResponse{code: code[0], diagnostic: string(diagnostic)}
	if r.code == 0 && inner.Len() > 0 {
		name, err := element(inner, tagResponseName)
		if err != nil || inner.Len() > 0 {
			return r, delegation.Errorf(reasons.STARTTLSFailed, "the peer answers StartTLS with a success that has more than a name")
		}
		r.name = string(name)
	}
	return r, nil
}

// element reads an element of BER with a tag, and gives its content. The length
// can have more octets than it needs, as that of Active Directory has.
func element(from io.Reader, tag byte) ([]byte, error) {
	var head [1]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	if head[0] != tag {
		return nil, fmt.Errorf("an element begins with %#02x, not %#02x", head[0], tag)
	}
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	length := int(head[0])
	if head[0] >= 0x80 {
		var octets [4]byte
		n := int(head[0] & 0x7f)
		if n < 1 || n > len(octets) {
			return nil, fmt.Errorf("a length begins with %#02x", head[0])
		}
		if _, err := io.ReadFull(from, octets[:n]); err != nil {
			return nil, err
		}
		length = 0
		for _, octet := range octets[:n] {
			length = length<<8 | int(octet)
		}
	}
	if length < 0 || length > maxOctets {
		return nil, fmt.Errorf("an element has more than %d octets", maxOctets)
	}
	content := make([]byte, length)
	_, err := io.ReadFull(from, content)
	return content, err
}
