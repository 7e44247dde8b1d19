package delegation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// payload is a spoiler that replaces a part of the claims.
func payload(old, with string) func(*trial) {
	return func(tr *trial) { tr.payload = replace(tr.t, old, with) }
}

// targets is a spoiler that replaces the target of the claims.
func targets(list string) func(*trial) {
	return payload(`{"host":"xmpp.hosting.example","port":5269,"priority":10,"weight":5}`, list)
}

func targetJSON(host string, port, priority, weight int) string {
	return fmt.Sprintf(`{"host":%q,"port":%d,"priority":%d,"weight":%d}`, host, port, priority, weight)
}

const (
	onePin  = `"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
	goodJTI = `"AQAAAAAAAAAAAAAAAAAAAg"`
	goodIAT = `"iat":1782903600`
	goodEXP = `"exp":1784030400`
)

func pins(n int) string {
	return targetWith(`"spki":[` + strings.TrimSuffix(strings.Repeat(onePin+",", n), ",") + `]`)
}

// targetWith is the target of the base case with one more member.
func targetWith(member string) string {
	return `{"host":"xmpp.hosting.example","port":5269,"priority":10,"weight":5,` + member + `}`
}

// TestClaimsOrder holds claims with one defect of each kind to the order of
// the specification: form, names, targets, life.
func TestClaimsOrder(t *testing.T) {
	form := replace(t, goodJTI, `"AAAAAAAAAAAAAAAAAAAAAA"`)
	name := replace(t, `"xmpp.hosting.example"`, `"Xmpp.hosting.example"`)
	target := replace(t, `"port":5269`, `"port":65536`)
	life := replace(t, goodEXP, `"exp":253402300800`)
	for _, c := range []struct {
		name    string
		defects []func(string) string
		want    reasons.Reason
	}{
		{"form, name, target, life", []func(string) string{form, name, target, life}, reasons.MalformedClaims},
		{"name, target, life", []func(string) string{name, target, life}, reasons.BadName},
		{"target, life", []func(string) string{target, life}, reasons.BadTargets},
		{"life", []func(string) string{life}, reasons.BadLifetime},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := string(encodeClaims(goodStatement()))
			for _, defect := range c.defects {
				text = defect(text)
			}
			_, err := decodeClaims([]byte(text))
			wantRefusal(t, c.want, err)
		})
	}
}

// TestSignRefusesForm: what decodeClaims refuses, Sign refuses before it signs.
func TestSignRefusesForm(t *testing.T) {
	lab := newLaboratory(t)
	for _, c := range []struct {
		name  string
		spoil func(*Statement)
		want  reasons.Reason
	}{
		{"source", func(s *Statement) { s.Source = "B.example" }, reasons.BadName},
		{"service", func(s *Statement) { s.Service = "xmpp-server" }, reasons.BadName},
		{"owner name", func(s *Statement) { s.Source = longName(253) }, reasons.BadName},
		{"host", func(s *Statement) { s.Targets[0].Host = "192.0.2.1" }, reasons.BadName},
		{"17 targets", func(s *Statement) {
			for port := range uint16(limits.MaxTargets) {
				s.Targets = append(s.Targets, Target{Endpoint: Endpoint{host, 1 + port}})
			}
		}, reasons.BadTargets},
		{"port 0", func(s *Statement) { s.Targets[0].Port = 0 }, reasons.BadTargets},
		{"5 pins", func(s *Statement) { s.Targets[0].SPKI = make([]Pin, 5) }, reasons.BadTargets},
		{"endpoint twice", func(s *Statement) { s.Targets = append(s.Targets, s.Targets[0]) }, reasons.BadTargets},
		{"zero id", func(s *Statement) { s.ID = ID{} }, reasons.MalformedClaims},
		{"id with the first bit", func(s *Statement) { s.ID[0] = 0x80 }, reasons.MalformedClaims},
		{"no life", func(s *Statement) { s.Expires = s.Issued }, reasons.BadLifetime},
		{"a life within one second", func(s *Statement) { s.Expires = s.Issued.Add(time.Second - 1) }, reasons.BadLifetime},
		{"before 1970", func(s *Statement) { s.Issued = time.Unix(-1, 0) }, reasons.BadLifetime},
		{"zero times", func(s *Statement) { s.Issued, s.Expires = time.Time{}, time.Time{} }, reasons.BadLifetime},
		{"after the year 9999", func(s *Statement) { s.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, reasons.BadLifetime},
		{"a life of 90 days and a second", func(s *Statement) { s.Expires = s.Issued.Add(limits.LongestMaxLife + time.Second) }, reasons.LifeTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := goodStatement()
			c.spoil(&s)
			raw, err := Sign(s, JWS, lab.signer)
			wantRefusal(t, c.want, err)
			if raw != nil {
				t.Error("a token beside the error")
			}
		})
	}
}

// TestSignCutsFractions: a statement counts whole seconds.
func TestSignCutsFractions(t *testing.T) {
	s := goodStatement()
	s.Issued, s.Expires = s.Issued.Add(time.Second-1), s.Expires.Add(time.Second-1)
	tr := newTrial(t)
	raw, err := Sign(s, JWS, tr.signer)
	if err != nil {
		t.Fatal(err)
	}
	tr.evidence = evidenceOf(document(raw))
	result, err := tr.verify()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(goodStatement(), result.Proven().Statement); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
