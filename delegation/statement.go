package delegation

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Endpoint is a host name and a TCP or UDP port.
type Endpoint struct {
	Host string `json:"host"`
	Port uint16 `json:"port"`
}

func (e Endpoint) String() string { return fmt.Sprintf("%s:%d", e.Host, e.Port) }

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
	Priority uint16 `json:"priority"`       // lower is tried first
	Weight   uint16 `json:"weight"`         // share among equal priorities
	SPKI     []Pin  `json:"spki,omitempty"` // 0 to MaxPins; if any, the peer's key must match one
}

// A Statement says that the owner of Source delegates Service to Targets, and
// to nobody else, from Issued until before Expires. Without targets it is an
// explicit revocation: delegated to nobody.
type Statement struct {
	Source  string    // domain name, see CheckName
	Service string    // such as _xmpp-server._tcp, see CheckService
	Targets []Target  // 0 to MaxTargets, no Endpoint twice
	Issued  time.Time // whole seconds since 1970; its location is ignored
	Expires time.Time // exclusive; whole seconds; after Issued
	ID      ID
}

// An ID names one signing of a statement: 16 octets, not all zero, the first
// bit 0, so that it is also a positive INTEGER of 16 octets at most.
type ID [16]byte

// Valid reports whether the ID has the form that is asked for.
func (id ID) Valid() bool { return id[0] < 0x80 && id != ID{} }

// Revoked reports whether the statement delegates to nobody.
func (s *Statement) Revoked() bool { return len(s.Targets) == 0 }

// check is what can be said of a statement without a query, policy or key, in
// the order of docs/spec.md, section 11, step 4.
func (s *Statement) check() *Error {
	if !s.ID.Valid() {
		return refuse(MalformedClaims, "the id is zero or has its first bit set")
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
		return refuse(BadName, "source: %v", err)
	}
	if err := CheckService(s.Service); err != nil {
		return refuse(BadName, "%v", err)
	}
	if name := TXTName(s.Source, s.Service); len(name) > MaxNameLength {
		return refuse(BadName, "%s is longer than %d octets", name, MaxNameLength)
	}
	for _, t := range s.Targets {
		if err := CheckName(t.Host); err != nil {
			return refuse(BadName, "target: %v", err)
		}
	}
	return nil
}

func (s *Statement) checkTargets() *Error {
	if len(s.Targets) > MaxTargets {
		return refuse(BadTargets, "%d targets, at most %d", len(s.Targets), MaxTargets)
	}
	seen := map[Endpoint]bool{}
	for _, t := range s.Targets {
		if t.Port == 0 {
			return refuse(BadTargets, "target %s has port 0", t.Host)
		}
		if len(t.SPKI) > MaxPins {
			return refuse(BadTargets, "target %s has %d pins, at most %d", t.Endpoint, len(t.SPKI), MaxPins)
		}
		if seen[t.Endpoint] {
			return refuse(BadTargets, "target %s appears twice", t.Endpoint)
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
			return refuse(BadLifetime, "the time %s is not between 1970 and 9999", stamp(t))
		}
	}
	if s.Expires.Unix() <= s.Issued.Unix() {
		return refuse(BadLifetime, "it expires at %s, not after it was issued at %s", stamp(s.Expires), stamp(s.Issued))
	}
	return nil
}

// checkLife: a statement that lives long is one that is hard to take back.
func (s *Statement) checkLife(most time.Duration) *Error {
	if life := s.Expires.Sub(s.Issued); life > most {
		return refuse(LifeTooLong, "it lives %v, and at most %v is accepted", life, most)
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
//	host SP port SP priority SP weight *( SP pin ) LF
//
// numbers in decimal, pins in lower-case hexadecimal, sorted.
func DigestTargets(targets []Target) Digest {
	sorted := slices.Clone(targets)
	slices.SortFunc(sorted, func(a, b Target) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
	})
	var lines bytes.Buffer
	for _, t := range sorted {
		fmt.Fprintf(&lines, "%s %d %d %d", t.Host, t.Port, t.Priority, t.Weight)
		pins := slices.Clone(t.SPKI)
		slices.SortFunc(pins, func(a, b Pin) int { return bytes.Compare(a[:], b[:]) })
		for _, p := range pins {
			fmt.Fprintf(&lines, " %s", p)
		}
		lines.WriteByte('\n')
	}
	return sha256.Sum256(lines.Bytes())
}

// lists reports whether the targets hold an endpoint, and if not, whether
// they hold its host under another port.
func lists(targets []Target, e Endpoint) (listed, hostListed bool) {
	for _, t := range targets {
		if t.Host == e.Host {
			hostListed = true
			listed = listed || t.Port == e.Port
		}
	}
	return listed, hostListed
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// A moment is written as stamp does it, once it is.
type moment time.Time

func (m moment) String() string { return stamp(time.Time(m)) }
