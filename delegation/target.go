package delegation

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/strictjson"
)

// All that a target is stands in this file: what it says, its form in each
// encoding, its limits, and its part of the digest.

// An Endpoint is a host name and a TCP or UDP port.
type Endpoint struct {
	Host string `json:"host"`
	Port uint16 `json:"port"`
}

func (e Endpoint) String() string { return e.Host + ":" + strconv.Itoa(int(e.Port)) }

// A Pin is the SHA-256 of a certificate's SubjectPublicKeyInfo in DER
// (RFC 7469, Section 2.4).
type Pin [sha256.Size]byte

func (p Pin) String() string { return hex.EncodeToString(p[:]) }

// MarshalText gives lower-case hexadecimal.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads hexadecimal of 32 octets.
func (p *Pin) UnmarshalText(text []byte) error { return unhex(p[:], text) }

// A Target is where a service is delegated to: what an SRV record says
// (RFC 2782), and optionally which keys the peer there may have.
type Target struct {
	Endpoint
	Priority uint16  `json:"priority"`       // lower is tried first
	Weight   uint16  `json:"weight"`         // share among equal priorities
	TLS      TLSMode `json:"tls,omitempty"`  // empty or Direct
	SPKI     []Pin   `json:"spki,omitempty"` // 0 to limits.MaxPins; if any, the peer's key must match one
}

// A TLSMode is how TLS begins at a target. If it is empty, TLS begins as the role
// says, see [Role.StartOf].
type TLSMode string

// Direct is TLS from the first byte.
const Direct TLSMode = "direct"

// A decodedTarget is a target as an encoding gives it, its numbers still of any
// size.
type decodedTarget struct {
	host                   string
	port, priority, weight int64
	direct                 bool
	pins                   []Pin
	pinned                 bool
}

// finish fills in the rest of a target whose host is there already, or refuses.
func (t *decodedTarget) finish(to *Target) *Error {
	if min(t.port, t.priority, t.weight) < 0 || max(t.port, t.priority, t.weight) > 0xffff {
		return Errorf(reasons.BadTargets, "target %s has a port, priority or weight that is not between 0 and 65535", t.host)
	}
	if t.pinned && len(t.pins) == 0 {
		return Errorf(reasons.BadTargets, "target %s has an empty list of pins, which would accept no key", t.host)
	}
	if t.direct {
		to.TLS = Direct
	}
	to.Port, to.Priority, to.Weight, to.SPKI = uint16(t.port), uint16(t.priority), uint16(t.weight), t.pins
	return nil
}

func (s *Statement) checkTargets() *Error {
	if len(s.Targets) > limits.MaxTargets {
		return Errorf(reasons.BadTargets, "%d targets, at most %d", len(s.Targets), limits.MaxTargets)
	}
	seen := map[Endpoint]bool{}
	for _, t := range s.Targets {
		if t.TLS != "" && t.TLS != Direct {
			return Errorf(reasons.MalformedClaims, "target %s has the TLS mode %.40q (want none, or %q)", t.Host, t.TLS, Direct)
		}
		if t.Port == 0 {
			return Errorf(reasons.BadTargets, "target %s has port 0", t.Host)
		}
		if len(t.SPKI) > limits.MaxPins {
			return Errorf(reasons.BadTargets, "target %s has %d pins, at most %d", t.Endpoint, len(t.SPKI), limits.MaxPins)
		}
		if seen[t.Endpoint] {
			return Errorf(reasons.BadTargets, "target %s appears twice", t.Endpoint)
		}
		seen[t.Endpoint] = true
	}
	return nil
}

// decodeTarget reads the JSON form.
func decodeTarget(value strictjson.Value) (decodedTarget, *Error) {
	f := value.Object("a target")
	t := decodedTarget{host: strings.Clone(f.String("host")), port: f.Integer("port"), priority: f.Integer("priority"), weight: f.Integer("weight")}
	tls, hasTLS := f.OptionalString("tls")
	pins, pinned := f.OptionalArray("spki")
	if err := f.End(); err != nil {
		return t, Errorf(reasons.MalformedClaims, "%v", err)
	}
	if t.direct = hasTLS; hasTLS && tls != string(Direct) {
		return t, Errorf(reasons.MalformedClaims, "a target has the tls %q (want %q, or no tls)", tls, Direct)
	}
	t.pinned = pinned
	for _, item := range pins {
		var p Pin
		if item.Kind != strictjson.String || !decodeFixed(p[:], item.Text) {
			return t, Errorf(reasons.MalformedClaims, "a pin in spki is not 32 octets in canonical base64url")
		}
		t.pins = append(t.pins, p)
	}
	return t, nil
}

// A targetClaim is the JSON form as it is written.
type targetClaim struct {
	Host     string   `json:"host"`
	Port     uint16   `json:"port"`
	Priority uint16   `json:"priority"`
	Weight   uint16   `json:"weight"`
	TLS      TLSMode  `json:"tls,omitempty"`
	SPKI     []string `json:"spki,omitempty"`
}

func (t Target) claim() targetClaim {
	c := targetClaim{Host: t.Host, Port: t.Port, Priority: t.Priority, Weight: t.Weight, TLS: t.TLS}
	for _, p := range t.SPKI {
		c.SPKI = append(c.SPKI, base64.RawURLEncoding.EncodeToString(p[:]))
	}
	return c
}

var (
	pinsTag   = asn1.Tag(0).ContextSpecific().Constructed()
	directTag = asn1.Tag(1).ContextSpecific()
)

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

const noACTarget = "a target is not host, port, priority, weight and perhaps spki, with pins of 32 octets, and directTLS"

// addTo writes what decodeACTarget reads.
func (t Target) addTo(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addIA5(b, t.Host)
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

// A Digest is the SHA-256 of a list of targets in canonical form. Two
// statements delegate to the same targets exactly when their digests are
// equal.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText gives lower-case hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads hexadecimal of 32 octets.
func (d *Digest) UnmarshalText(text []byte) error { return unhex(d[:], text) }

func unhex(dst, text []byte) error {
	if len(text) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("%d characters, not the %d of a SHA-256 in hexadecimal", len(text), hex.EncodedLen(len(dst)))
	}
	_, err := hex.Decode(dst, text)
	return err
}

// DigestTargets hashes targets: one line each, sorted by host and then port,
//
//	host SP port SP priority SP weight [ SP "direct" ] *( SP pin ) LF
//
// numbers in decimal, pins in lower-case hexadecimal, sorted.
func DigestTargets(targets []Target) Digest {
	sorted := slices.Clone(targets)
	slices.SortFunc(sorted, func(a, b Target) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
	})
	var lines []byte
	for _, t := range sorted {
		lines = append(lines, t.Host...)
		for _, n := range []uint16{t.Port, t.Priority, t.Weight} {
			lines = strconv.AppendUint(append(lines, ' '), uint64(n), 10)
		}
		if t.TLS == Direct {
			lines = append(lines, " direct"...)
		}
		pins := slices.Clone(t.SPKI)
		slices.SortFunc(pins, func(a, b Pin) int { return bytes.Compare(a[:], b[:]) })
		for _, p := range pins {
			lines = hex.AppendEncode(append(lines, ' '), p[:])
		}
		lines = append(lines, '\n')
	}
	return sha256.Sum256(lines)
}
