package delegation

import (
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// attributeOID is 2.25.<UUID 5cdff61e-8f9b-448f-9391-a658110e324f>: an object
// identifier that needs no registration (Rec. ITU-T X.667).
var attributeOID = mustOID("2.25.123451849705716964283098282175778140751")

const attributeVersion = 1

// decodeAttribute reads the one value of the attribute, strict DER:
//
//	Delegation ::= SEQUENCE {
//	    version    INTEGER { v1(1) },
//	    source     IA5String,
//	    service    IA5String,
//	    targets    SEQUENCE OF Target,
//	    signerHash OCTET STRING (SIZE(32)) }
//
// Times and ID of a statement stand elsewhere in the certificate.
func decodeAttribute(der []byte) (decoded, Digest, *Error) {
	malformed := func(what string) (decoded, Digest, *Error) {
		return decoded{}, Digest{}, Errorf(reasons.MalformedAttribute, "%s", what)
	}
	input := cryptobyte.String(der)
	var content, targets, hash cryptobyte.String
	var d decoded
	var version int64
	if !input.ReadASN1(&content, asn1.SEQUENCE) || !input.Empty() {
		return malformed("it is not one SEQUENCE")
	}
	if !content.ReadASN1Integer(&version) {
		return malformed("it does not begin with a version")
	}
	if version != attributeVersion {
		return decoded{}, Digest{}, Errorf(reasons.AttributeVersion, "version %d of the attribute, not %d", version, attributeVersion)
	}
	if !readIA5(&content, &d.source) ||
		!readIA5(&content, &d.service) ||
		!content.ReadASN1(&targets, asn1.SEQUENCE) ||
		!content.ReadASN1(&hash, asn1.OCTET_STRING) ||
		!content.Empty() {
		return malformed("it is not version, source, service, targets and signerHash")
	}
	for !targets.Empty() {
		t, ok := decodeACTarget(&targets)
		if !ok {
			return malformed(noACTarget)
		}
		d.targets = append(d.targets, t)
	}
	signerHash, ok := fixed[Digest](hash)
	if !ok {
		return malformed("signerHash does not have 32 octets")
	}
	return d, signerHash, nil
}

// readIA5 reads an IA5String, which is ASCII.
func readIA5(input *cryptobyte.String, out *string) bool {
	var text cryptobyte.String
	if !input.ReadASN1(&text, asn1.IA5String) {
		return false
	}
	*out = string(text)
	return strings.IndexFunc(*out, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

func addIA5(b *cryptobyte.Builder, text string) {
	b.AddASN1(asn1.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}

// fixed copies octets of exactly the right number.
func fixed[T ~[32]byte](octets []byte) (out T, ok bool) {
	if len(octets) != len(out) {
		return out, false
	}
	return T(octets), true
}

// encodeAttribute writes the attribute's value for a statement that has been
// checked.
func encodeAttribute(s Statement, signerHash Digest) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(attributeVersion)
		addIA5(b, s.Source)
		addIA5(b, s.Service)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, t := range s.Targets {
				t.addTo(b)
			}
		})
		b.AddASN1OctetString(signerHash[:])
	})
	return b.Bytes()
}
