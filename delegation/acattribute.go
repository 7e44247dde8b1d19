package delegation

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// attributeOID is 2.25.<UUID 5cdff61e-8f9b-448f-9391-a658110e324f>: an object
// identifier that needs no registration (Rec. ITU-T X.667).
var attributeOID = mustOID("2.25.123451849705716964283098282175778140751")

const attributeVersion = 1

var pinsTag = asn1.Tag(0).ContextSpecific().Constructed()

// decodeAttribute reads the one value of the attribute, strict DER:
//
//	Delegation ::= SEQUENCE {
//	    version    INTEGER { v1(1) },
//	    source     IA5String,
//	    service    IA5String,
//	    targets    SEQUENCE OF Target,
//	    signerHash OCTET STRING (SIZE(32)) }
//
// It fills source, service and targets; times and ID stand elsewhere.
func decodeAttribute(der []byte) (*Statement, Digest, error) {
	malformed := func(what string) (*Statement, Digest, error) {
		return nil, Digest{}, refuse(MalformedAttribute, "%s", what)
	}
	input := cryptobyte.String(der)
	var d, source, service, targets, hash cryptobyte.String
	var version int64
	if !input.ReadASN1(&d, asn1.SEQUENCE) || !input.Empty() {
		return malformed("it is not one SEQUENCE")
	}
	if !d.ReadASN1Integer(&version) {
		return malformed("it does not begin with a version")
	}
	if version != attributeVersion {
		return nil, Digest{}, refuse(AttributeVersion, "version %d of the attribute, not %d", version, attributeVersion)
	}
	if !d.ReadASN1(&source, asn1.IA5String) ||
		!d.ReadASN1(&service, asn1.IA5String) ||
		!d.ReadASN1(&targets, asn1.SEQUENCE) ||
		!d.ReadASN1(&hash, asn1.OCTET_STRING) ||
		!d.Empty() {
		return malformed("it is not version, source, service, targets and signerHash")
	}
	s := &Statement{Source: string(source), Service: string(service)}
	for !targets.Empty() {
		if len(s.Targets) == MaxTargets {
			return nil, Digest{}, refuse(BadTargets, "more than %d targets", MaxTargets)
		}
		t, err := decodeACTarget(&targets)
		if err != nil {
			return nil, Digest{}, err
		}
		s.Targets = append(s.Targets, t)
	}
	signerHash, ok := fixed[Digest](hash)
	if !ok {
		return malformed("signerHash does not have 32 octets")
	}
	return s, signerHash, nil
}

// decodeACTarget reads
//
//	Target ::= SEQUENCE {
//	    host     IA5String,
//	    port     INTEGER (1..65535),
//	    priority INTEGER (0..65535),
//	    weight   INTEGER (0..65535),
//	    spki     [0] IMPLICIT SEQUENCE SIZE (1..4) OF OCTET STRING (SIZE(32)) OPTIONAL }
func decodeACTarget(input *cryptobyte.String) (Target, error) {
	var t Target
	var d, host, pins cryptobyte.String
	var pinned bool
	var port, priority, weight int64
	if !input.ReadASN1(&d, asn1.SEQUENCE) ||
		!d.ReadASN1(&host, asn1.IA5String) ||
		!d.ReadASN1Integer(&port) ||
		!d.ReadASN1Integer(&priority) ||
		!d.ReadASN1Integer(&weight) ||
		!d.ReadOptionalASN1(&pins, &pinned, pinsTag) ||
		!d.Empty() {
		return t, refuse(MalformedAttribute, "a target is not host, port, priority, weight and perhaps spki")
	}
	if min(port, priority, weight) < 0 || max(port, priority, weight) > 0xffff {
		return t, refuse(BadTargets, "a port, priority or weight is not between 0 and 65535")
	}
	t.Host, t.Port, t.Priority, t.Weight = string(host), uint16(port), uint16(priority), uint16(weight)
	if pinned && pins.Empty() {
		return t, refuse(BadTargets, "spki is there and empty: it would accept no key")
	}
	for !pins.Empty() {
		var octets cryptobyte.String
		if !pins.ReadASN1(&octets, asn1.OCTET_STRING) {
			return t, refuse(MalformedAttribute, "spki holds something other than octet strings")
		}
		p, ok := fixed[Pin](octets)
		if !ok {
			return t, refuse(MalformedAttribute, "a pin in spki does not have 32 octets")
		}
		if t.SPKI = append(t.SPKI, p); len(t.SPKI) > MaxPins {
			return t, refuse(BadTargets, "target %.260s has more than %d pins", t.Endpoint, MaxPins)
		}
	}
	return t, nil
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
					if len(t.SPKI) == 0 {
						return
					}
					b.AddASN1(pinsTag, func(b *cryptobyte.Builder) {
						for _, p := range t.SPKI {
							b.AddASN1OctetString(p[:])
						}
					})
				})
			}
		})
		b.AddASN1OctetString(signerHash[:])
	})
	return b.Bytes()
}
