package delegation

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/internal/text"
)

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

// maxTime is the last second of the year 9999, the last that RFC 3339 and
// GeneralizedTime can write.
const maxTime = 253402300799

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

// A decoded is a statement as an encoding gives it: in good form, its numbers
// still of any size.
type decoded struct {
	source, service string
	targets         []decodedTarget
	issued, expires int64 // seconds since 1970
	id              ID
}

// statement makes a statement of it, or refuses, in the order of
// docs/spec.md, section 11, step 4: names, targets, times.
func (d *decoded) statement() (*Statement, *Error) {
	s := &Statement{
		Source: d.source, Service: d.service, ID: d.id,
		Issued: time.Unix(d.issued, 0).UTC(), Expires: time.Unix(d.expires, 0).UTC(),
	}
	for _, t := range d.targets {
		s.Targets = append(s.Targets, Target{Endpoint: Endpoint{Host: t.host}})
	}
	if err := s.checkNames(); err != nil {
		return nil, err
	}
	for i, t := range d.targets {
		if err := t.finish(&s.Targets[i]); err != nil {
			return nil, err
		}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// decodeClaims reads the JSON form of a statement: exactly the members iss,
// service, targets, iat, exp and jti (RFC 7519, Section 4.1). The statement
// shares no memory with the payload. It may be kept for long, and white space
// can make the payload as large as a token.
func decodeClaims(payload []byte) (*Statement, *Error) {
	value, err := strictjson.Parse(payload)
	if err != nil {
		return nil, Errorf(reasons.MalformedClaims, "%v", err)
	}
	f := value.Object("the claims set")
	d := decoded{source: strings.Clone(f.String("iss")), service: strings.Clone(f.String("service"))}
	targets, jti := f.Array("targets"), f.String("jti")
	d.issued, d.expires = f.Integer("iat"), f.Integer("exp")
	if err := f.End(); err != nil {
		return nil, Errorf(reasons.MalformedClaims, "%v", err)
	}
	if !decodeFixed(d.id[:], jti) || !d.id.Valid() {
		return nil, Errorf(reasons.MalformedClaims, "jti is not 16 octets in canonical base64url, not all zero, the first bit 0")
	}
	for _, item := range targets {
		t, err := decodeTarget(item)
		if err != nil {
			return nil, err
		}
		d.targets = append(d.targets, t)
	}
	return d.statement()
}

var strictBase64URL = base64.RawURLEncoding.Strict()

// decodeFixed fills dst from base64url of exactly its size. The text comes
// from strictjson and so holds no line ends for the decoder to pass over.
func decodeFixed(dst []byte, text string) bool {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(dst)) {
		return false
	}
	n, err := strictBase64URL.Decode(dst, []byte(text))
	return err == nil && n == len(dst)
}

// encodeClaims writes a statement that has been checked.
func encodeClaims(s Statement) []byte {
	claims := struct {
		Issuer   string        `json:"iss"`
		Service  string        `json:"service"`
		Targets  []targetClaim `json:"targets"`
		IssuedAt int64         `json:"iat"`
		Expires  int64         `json:"exp"`
		ID       string        `json:"jti"`
	}{s.Source, s.Service, []targetClaim{}, s.Issued.Unix(), s.Expires.Unix(), base64.RawURLEncoding.EncodeToString(s.ID[:])}
	for _, t := range s.Targets {
		claims.Targets = append(claims.Targets, t.claim())
	}
	out, err := json.Marshal(claims)
	if err != nil {
		panic("delegation: claims of strings and integers do not marshal: " + err.Error())
	}
	return out
}

// A moment is formatted as text.FineStamp does it, when somebody reads it.
type moment time.Time

func (m moment) String() string { return text.FineStamp(time.Time(m)) }
