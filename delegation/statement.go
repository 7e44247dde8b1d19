package delegation

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

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

// A Statement says that the owner of Source delegates a role to Targets, and to
// nobody else, from Issued until before Expires. Without targets it is an
// explicit revocation: delegated to nobody.
type Statement struct {
	Source  string    // domain name, see CheckName
	Service string    // the role, such as _xmpp-server._tcp, see CheckService and RoleOf
	Targets []Target  // 0 to limits.MaxTargets, no Endpoint twice
	Issued  time.Time // whole seconds since 1970; its location is ignored
	Expires time.Time // exclusive; whole seconds; after Issued
	ID      ID
}

// An ID names one signing of a statement: 16 octets, not all zero. The first
// bit is 0, so that it is also a positive INTEGER of at most 16 octets.
type ID [16]byte

// Valid reports whether the ID has the form that is asked for.
func (id ID) Valid() bool { return id[0] < 0x80 && id != ID{} }

// Revoked reports whether the statement delegates to nobody.
func (s *Statement) Revoked() bool { return len(s.Targets) == 0 }

// check checks a statement as far as possible without a query, policy or key,
// in the order of docs/spec.md, section 11, step 4.
func (s *Statement) check() *Error {
	if !s.ID.Valid() {
		return Errorf(reasons.MalformedClaims, "the id is zero or has its first bit set")
	}
	if err := s.checkNames(); err != nil {
		return err
	}
	if err := s.checkTargets(); err != nil {
		return err
	}
	return s.checkTimes()
}

func (s *Statement) checkNames() *Error {
	if err := CheckName(s.Source); err != nil {
		return Errorf(reasons.BadName, "source: %v", err)
	}
	if err := CheckService(s.Service); err != nil {
		return Errorf(reasons.BadName, "%v", err)
	}
	if err := CheckTXTName(s.Source, s.Service); err != nil {
		return Errorf(reasons.BadName, "%v", err)
	}
	for _, t := range s.Targets {
		if err := CheckName(t.Host); err != nil {
			return Errorf(reasons.BadName, "target: %v", err)
		}
	}
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

// checkTimes: both times can be written as a NumericDate without a sign, and
// as any date of four digits for the year.
func (s *Statement) checkTimes() *Error {
	for _, t := range []time.Time{s.Issued, s.Expires} {
		if at := t.Unix(); at < 0 || at > maxTime {
			return Errorf(reasons.BadLifetime, "the time %s is not between 1970 and 9999", text.FineStamp(t))
		}
	}
	if s.Expires.Unix() <= s.Issued.Unix() {
		return Errorf(reasons.BadLifetime, "it expires at %s, not after it was issued at %s", text.FineStamp(s.Expires), text.FineStamp(s.Issued))
	}
	return nil
}

// checkLife: a statement that lives long is one that is hard to take back.
func (s *Statement) checkLife(most time.Duration) *Error {
	if life := s.Expires.Sub(s.Issued); life > most {
		return Errorf(reasons.LifeTooLong, "it lives %v, and at most %v is accepted", life, most)
	}
	return nil
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

// A moment is formatted as text.FineStamp does it, when somebody reads it.
type moment time.Time

func (m moment) String() string { return text.FineStamp(time.Time(m)) }
