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

var (
	pinsTag   = asn1.Tag(0).ContextSpecific().Constructed()
	directTag = asn1.Tag(1).ContextSpecific()
)

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
			return malformed("a target is not host, port, priority, weight and perhaps spki, with pins of 32 octets, and directTLS")
		}
		d.targets = append(d.targets, t)
	}
	signerHash, ok := fixed[Digest](hash)
	if !ok {
		return malformed("signerHash does not have 32 octets")
	}
	return d, signerHash, nil
}

// decodeACTarget reads
//
//	Target ::= SEQUENCE {
//	    host     IA5String,
//	    port     INTEGER (1..65535),
//	    priority INTEGER (0..65535),
//	    weight   INTEGER (0..65535),
//	    spki     [0] IMPLICIT SEQUENCE SIZE (1..4) OF OCTET STRING (SIZE(32)) OPTIONAL,
//	    directTLS [1] IMPLICIT NULL OPTIONAL }
func decodeACTarget(input *cryptobyte.String) (t decodedTarget, ok bool) {
	var content, pins, direct cryptobyte.String
	if !input.ReadASN1(&content, asn1.SEQUENCE) ||
		!readIA5(&content, &t.host) ||
		!content.ReadASN1Integer(&t.port) ||
		!content.ReadASN1Integer(&t.priority) ||
		!content.ReadASN1Integer(&t.weight) ||
		!content.ReadOptionalASN1(&pins, &t.pinned, pinsTag) ||
		!content.ReadOptionalASN1(&direct, &t.direct, directTag) ||
		!direct.Empty() ||
		!content.Empty() {
		return t, false
	}
	for !pins.Empty() {
		var octets cryptobyte.String
		if !pins.ReadASN1(&octets, asn1.OCTET_STRING) {
			return t, false
		}
		p, ok := fixed[Pin](octets)
		if !ok {
			return t, false
		}
		t.pins = append(t.pins, p)
	}
	return t, true
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
	ia5 := func(b *cryptobyte.Builder, text string) {
		b.AddASN1(asn1.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(attributeVersion)
		ia5(b, s.Source)
		ia5(b, s.Service)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, t := range s.Targets {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					ia5(b, t.Host)
					b.AddASN1Int64(int64(t.Port))
					b.AddASN1Int64(int64(t.Priority))
					b.AddASN1Int64(int64(t.Weight))
					if len(t.SPKI) > 0 {
						b.AddASN1(pinsTag, func(b *cryptobyte.Builder) {
							for _, p := range t.SPKI {
								b.AddASN1OctetString(p[:])
							}
						})
					}
					if t.TLS == Direct {
						b.AddASN1(directTag, func(*cryptobyte.Builder) {})
					}
				})
			}
		})
		b.AddASN1OctetString(signerHash[:])
	})
	return b.Bytes()
}
