package delegation

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/strictjson"
)

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
