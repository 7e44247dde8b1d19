package vectors

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A statement is what a token or an attribute certificate says, legal or not.
type statement struct {
	source, service string
	targets         []target
	issued, expires time.Time
	id              [16]byte
}

// A target as the claims have it.
type target struct {
	host             string
	port             int64
	priority, weight int64
	tls              string // "direct", or ""
	pins             [][]byte
}

func goodStatement() statement {
	return statement{
		source: source, service: service,
		targets: []target{{host: host, port: port, priority: 10, weight: 5}},
		issued:  issued, expires: expires,
		id: [16]byte{0x01, 15: 0x02},
	}
}

// claims writes the payload of a token.
func (s statement) claims() string {
	type jsonTarget struct {
		Host     string   `json:"host"`
		Port     int64    `json:"port"`
		Priority int64    `json:"priority"`
		Weight   int64    `json:"weight"`
		TLS      string   `json:"tls,omitempty"`
		SPKI     []string `json:"spki,omitempty"`
	}
	list := []jsonTarget{}
	for _, t := range s.targets {
		jt := jsonTarget{Host: t.host, Port: t.port, Priority: t.priority, Weight: t.weight, TLS: t.tls}
		for _, pin := range t.pins {
			jt.SPKI = append(jt.SPKI, base64url(pin))
		}
		list = append(list, jt)
	}
	return string(must(json.Marshal(struct {
		Issuer   string       `json:"iss"`
		Service  string       `json:"service"`
		Targets  []jsonTarget `json:"targets"`
		IssuedAt int64        `json:"iat"`
		Expires  int64        `json:"exp"`
		ID       string       `json:"jti"`
	}{s.source, s.service, list, s.issued.Unix(), s.expires.Unix(), base64url(s.id[:])})))
}

// digest is that of the specification: a line for each target.
func digest(targets []target) string {
	list := slices.Clone(targets)
	slices.SortFunc(list, func(a, b target) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.port, b.port))
	})
	var text strings.Builder
	for _, t := range list {
		fmt.Fprintf(&text, "%s %d %d %d", t.host, t.port, t.priority, t.weight)
		if t.tls != "" {
			text.WriteString(" " + t.tls)
		}
		var pins []string
		for _, pin := range t.pins {
			pins = append(pins, hex.EncodeToString(pin))
		}
		slices.Sort(pins)
		for _, pin := range pins {
			text.WriteString(" " + pin)
		}
		text.WriteString("\n")
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}

// contradiction stands for the targets of statements that contradict each other.
var contradiction = strings.Repeat("0", 64)

func base64url(octets []byte) string { return base64.RawURLEncoding.EncodeToString(octets) }

func fromBase64url(text string) []byte { return must(base64.RawURLEncoding.DecodeString(text)) }
