package delegation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func manyTargets(n int) string {
	var list []string
	for i := range n {
		list = append(list, targetJSON(host, 5269+i, 0, 0))
	}
	return strings.Join(list, ",")
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

func claimsCases() []verifyCase {
	return []verifyCase{
		{"good", func(*trial) {}, reasons.Verified},
		{"other order of members and white space", func(tr *trial) {
			tr.payload = func(string) string {
				return " {\t\"jti\":" + goodJTI + " ,\r\n" + goodEXP + "," + goodIAT + `,"targets":[ ` +
					`{"weight":5,"priority":10,"port":5269,"host":"xmpp.hosting.example"} ],"service":"_xmpp-server._tcp","iss":"b.example" } `
			}
		}, reasons.Verified},

		{"no iss", payload(`"iss":"b.example",`, ``), reasons.MalformedClaims},
		{"no service", payload(`"service":"_xmpp-server._tcp",`, ``), reasons.MalformedClaims},
		{"no targets", payload(`"targets":[`+targetJSON(host, 5269, 10, 5)+`],`, ``), reasons.MalformedClaims},
		{"no iat", payload(goodIAT+",", ``), reasons.MalformedClaims},
		{"no exp", payload(goodEXP+",", ``), reasons.MalformedClaims},
		{"no jti", payload(`,"jti":`+goodJTI, ``), reasons.MalformedClaims},
		{"unknown claim", payload(`{"iss"`, `{"aud":"x","iss"`), reasons.MalformedClaims},
		{"nbf", payload(`{"iss"`, `{"nbf":1782903600,"iss"`), reasons.MalformedClaims},
		{"claim in upper case", payload(`"iss"`, `"ISS"`), reasons.MalformedClaims},
		{"claim twice", payload(`{"iss"`, `{"iss":"b.example","iss"`), reasons.MalformedClaims},
		{"claim twice, once escaped", payload(`{"iss"`, `{"\u0069ss":"b.example","iss"`), reasons.MalformedClaims},

		{"iss of another kind", payload(`"iss":"b.example"`, `"iss":["b.example"]`), reasons.MalformedClaims},
		{"service of another kind", payload(`"service":"_xmpp-server._tcp"`, `"service":1`), reasons.MalformedClaims},
		{"targets of another kind", payload(`[`+targetJSON(host, 5269, 10, 5)+`]`, `{}`), reasons.MalformedClaims},
		{"targets null", payload(`[`+targetJSON(host, 5269, 10, 5)+`]`, `null`), reasons.MalformedClaims},
		{"iat of another kind", payload(goodIAT, `"iat":"1782903600"`), reasons.MalformedClaims},
		{"exp of another kind", payload(goodEXP, `"exp":[]`), reasons.MalformedClaims},
		{"jti of another kind", payload(goodJTI, `1`), reasons.MalformedClaims},
		{"iat with a fraction", payload(goodIAT, goodIAT+`.0`), reasons.MalformedClaims},
		{"iat with an exponent", payload(goodIAT, `"iat":1e9`), reasons.MalformedClaims},
		{"iat negative", payload(goodIAT, `"iat":-1`), reasons.MalformedClaims},
		{"iat with a leading zero", payload(goodIAT, `"iat":01782903600`), reasons.MalformedClaims},
		{"exp above 2^53-1", payload(goodEXP, `"exp":9007199254740992`), reasons.MalformedClaims},
		{"claims are an array", payload(`{"iss"`, `[{"iss"`), reasons.MalformedClaims},
		{"claims are a string", func(tr *trial) { tr.payload = func(string) string { return `"b.example"` } }, reasons.MalformedClaims},
		{"claims are not JSON", func(tr *trial) { tr.payload = func(string) string { return "b.example" } }, reasons.MalformedClaims},
		{"something after the claims", payload(goodJTI+`}`, goodJTI+`}{}`), reasons.MalformedClaims},
		{"byte order mark", payload(`{"iss"`, "\ufeff{\"iss\""), reasons.MalformedClaims},
		{"a source that is not ASCII", payload(`"b.example"`, `"bücher.example"`), reasons.MalformedClaims},

		{"target of another kind", targets(`"xmpp.hosting.example:5269"`), reasons.MalformedClaims},
		{"target without host", targets(`{"port":5269,"priority":10,"weight":5}`), reasons.MalformedClaims},
		{"target without port", targets(`{"host":"xmpp.hosting.example","priority":10,"weight":5}`), reasons.MalformedClaims},
		{"target without priority", targets(`{"host":"xmpp.hosting.example","port":5269,"weight":5}`), reasons.MalformedClaims},
		{"target without weight", targets(`{"host":"xmpp.hosting.example","port":5269,"priority":10}`), reasons.MalformedClaims},
		{"target with an unknown member", targets(targetWith(`"tls":1`)), reasons.MalformedClaims},
		{"target with a member twice", targets(targetWith(`"port":5269`)), reasons.MalformedClaims},
		{"target with a port as text", targets(`{"host":"xmpp.hosting.example","port":"5269","priority":10,"weight":5}`), reasons.MalformedClaims},
		{"target with a host as number", targets(`{"host":1,"port":5269,"priority":10,"weight":5}`), reasons.MalformedClaims},
		{"spki of another kind", targets(targetWith(`"spki":` + onePin)), reasons.MalformedClaims},
		{"pin of another kind", targets(targetWith(`"spki":[1]`)), reasons.MalformedClaims},
		{"pin too short", targets(targetWith(`"spki":["` + strings.Repeat("A", 42) + `"]`)), reasons.MalformedClaims},
		{"pin too long", targets(targetWith(`"spki":["` + strings.Repeat("A", 44) + `"]`)), reasons.MalformedClaims},
		{"pin with padding", targets(targetWith(`"spki":["` + strings.Repeat("A", 43) + `="]`)), reasons.MalformedClaims},
		{"pin in base64 of the other alphabet", targets(targetWith(`"spki":["+` + strings.Repeat("A", 42) + `"]`)), reasons.MalformedClaims},
		{"pin with trailing bits", targets(targetWith(`"spki":["` + strings.Repeat("A", 42) + `B"]`)), reasons.MalformedClaims},
		{"pin in hexadecimal", targets(targetWith(`"spki":["` + strings.Repeat("00", 32) + `"]`)), reasons.MalformedClaims},
		{"1 pin", targets(pins(1)), reasons.Verified},
		{"4 pins", targets(pins(4)), reasons.Verified},
		{"0 pins", targets(pins(0)), reasons.BadTargets},
		{"5 pins", targets(pins(5)), reasons.BadTargets},
		{"33 pins", targets(pins(33)), reasons.MalformedClaims},

		{"port 0", targets(targetJSON(host, 0, 10, 5)), reasons.BadTargets},
		{"port 1", targets(targetJSON(host, 1, 10, 5)), reasons.Verified},
		{"port 65535", targets(targetJSON(host, 65535, 10, 5)), reasons.Verified},
		{"port 65536", targets(targetJSON(host, 65536, 10, 5)), reasons.BadTargets},
		{"port 5269 and 2^32", targets(targetJSON(host, 5269+1<<32, 10, 5)), reasons.BadTargets},
		{"priority and weight 0", targets(targetJSON(host, 5269, 0, 0)), reasons.Verified},
		{"priority and weight 65535", targets(targetJSON(host, 5269, 65535, 65535)), reasons.Verified},
		{"priority 65536", targets(targetJSON(host, 5269, 65536, 5)), reasons.BadTargets},
		{"weight 65536", targets(targetJSON(host, 5269, 10, 65536)), reasons.BadTargets},
		{"16 targets", targets(manyTargets(16)), reasons.Verified},
		{"17 targets", targets(manyTargets(17)), reasons.BadTargets},
		{"33 targets", targets(manyTargets(33)), reasons.MalformedClaims},
		{"endpoint twice", targets(targetJSON(host, 5269, 10, 5) + "," + targetJSON(host, 5269, 20, 5)), reasons.BadTargets},
		{"host twice with other ports", targets(targetJSON(host, 5269, 10, 5) + "," + targetJSON(host, 5270, 10, 5)), reasons.Verified},

		{"jti all zero", payload(goodJTI, `"AAAAAAAAAAAAAAAAAAAAAA"`), reasons.MalformedClaims},
		{"jti with the first bit", payload(goodJTI, `"gAAAAAAAAAAAAAAAAAAAAA"`), reasons.MalformedClaims},
		{"jti with the second bit", payload(goodJTI, `"QAAAAAAAAAAAAAAAAAAAAA"`), reasons.Verified},
		{"jti of 15 octets", payload(goodJTI, `"AQAAAAAAAAAAAAAAAAAA"`), reasons.MalformedClaims},
		{"jti of 17 octets", payload(goodJTI, `"AQAAAAAAAAAAAAAAAAAAAAA"`), reasons.MalformedClaims},
		{"jti empty", payload(goodJTI, `""`), reasons.MalformedClaims},
		{"jti with padding", payload(goodJTI, `"AQAAAAAAAAAAAAAAAAAAAg=="`), reasons.MalformedClaims},
		{"jti with trailing bits", payload(goodJTI, `"AQAAAAAAAAAAAAAAAAAAAh"`), reasons.MalformedClaims},
		{"jti with a space", payload(goodJTI, `"AQAAAAAAAAAAAAAAAAAA A"`), reasons.MalformedClaims},

		{"exp before iat", payload(goodEXP, `"exp":1782903599`), reasons.BadLifetime},
		{"exp equals iat", payload(goodEXP, `"exp":1782903600`), reasons.BadLifetime},
		{"exp after the year 9999", payload(goodEXP, `"exp":253402300800`), reasons.BadLifetime},
		{"iat after the year 9999", payload(goodIAT, `"iat":253402300800`), reasons.BadLifetime},
		{"exp at the end of the year 9999", payload(goodEXP, `"exp":253402300799`), reasons.LifeTooLong},
	}
}

func TestClaims(t *testing.T) { runCases(t, 75, claimsCases()) }

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
			for port := range uint16(MaxTargets) {
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
		{"a life of 90 days and a second", func(s *Statement) { s.Expires = s.Issued.Add(LongestMaxLife + time.Second) }, reasons.LifeTooLong},
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
