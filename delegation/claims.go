package delegation

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/dnasign/dnasign/internal/strictjson"
)

// maxTime is the last second of the year 9999, the last that RFC 3339 and
// GeneralizedTime can write.
const maxTime = 253402300799

// decodeClaims reads the JSON form of a statement: exactly the members iss,
// service, targets, iat, exp and jti (RFC 7519, Section 4.1, and docs/spec.md).
func decodeClaims(payload []byte) (*Statement, error) {
	value, err := strictjson.Parse(payload)
	if err != nil {
		return nil, refuse(MalformedClaims, "%v", err)
	}
	f := value.Object("the claims set")
	s := &Statement{Source: f.String("iss"), Service: f.String("service")}
	targets, iat, exp, jti := f.Array("targets"), f.Integer("iat"), f.Integer("exp"), f.String("jti")
	if err := f.End(); err != nil {
		return nil, refuse(MalformedClaims, "%v", err)
	}
	s.Issued, s.Expires = time.Unix(iat, 0).UTC(), time.Unix(exp, 0).UTC()
	if !decodeFixed(s.ID[:], jti) {
		return nil, refuse(MalformedClaims, "jti is not 16 octets in canonical base64url")
	}
	for _, item := range targets {
		t, err := decodeTarget(item)
		if err != nil {
			return nil, err
		}
		s.Targets = append(s.Targets, t)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeTarget(value strictjson.Value) (Target, error) {
	f := value.Object("a target")
	t := Target{Endpoint: Endpoint{Host: f.String("host")}}
	port, priority, weight := f.Integer("port"), f.Integer("priority"), f.Integer("weight")
	pins, pinned := f.OptionalArray("spki")
	if err := f.End(); err != nil {
		return t, refuse(MalformedClaims, "%v", err)
	}
	if max(port, priority, weight) > 0xffff {
		return t, refuse(BadTargets, "a port, priority or weight above 65535")
	}
	t.Port, t.Priority, t.Weight = uint16(port), uint16(priority), uint16(weight)
	if pinned && len(pins) == 0 {
		return t, refuse(BadTargets, "spki is there and empty: it would accept no key")
	}
	for _, item := range pins {
		var p Pin
		if item.Kind != strictjson.String || !decodeFixed(p[:], item.Text) {
			return t, refuse(MalformedClaims, "a pin in spki is not 32 octets in canonical base64url")
		}
		t.SPKI = append(t.SPKI, p)
	}
	return t, nil
}

// decodeFixed fills dst from base64url of exactly its size. The text comes
// from strictjson and so holds no line ends for the decoder to pass over.
func decodeFixed(dst []byte, text string) bool {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(dst)) {
		return false
	}
	n, err := base64.RawURLEncoding.Strict().Decode(dst, []byte(text))
	return err == nil && n == len(dst)
}

// encodeClaims writes a statement that has been checked.
func encodeClaims(s Statement) []byte {
	type target struct {
		Host     string   `json:"host"`
		Port     uint16   `json:"port"`
		Priority uint16   `json:"priority"`
		Weight   uint16   `json:"weight"`
		SPKI     []string `json:"spki,omitempty"`
	}
	claims := struct {
		Issuer   string   `json:"iss"`
		Service  string   `json:"service"`
		Targets  []target `json:"targets"`
		IssuedAt int64    `json:"iat"`
		Expires  int64    `json:"exp"`
		ID       string   `json:"jti"`
	}{s.Source, s.Service, []target{}, s.Issued.Unix(), s.Expires.Unix(), base64.RawURLEncoding.EncodeToString(s.ID[:])}
	for _, t := range s.Targets {
		jt := target{Host: t.Host, Port: t.Port, Priority: t.Priority, Weight: t.Weight}
		for _, p := range t.SPKI {
			jt.SPKI = append(jt.SPKI, base64.RawURLEncoding.EncodeToString(p[:]))
		}
		claims.Targets = append(claims.Targets, jt)
	}
	out, err := json.Marshal(claims)
	if err != nil {
		panic("delegation: claims of strings and integers do not marshal: " + err.Error())
	}
	return out
}
