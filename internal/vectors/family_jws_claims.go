package vectors

import (
	"bytes"
	"strings"
	"time"
)

// targetWith is the target of the usual case with one more member.
func targetWith(member string) string {
	return strings.TrimSuffix(goodTarget, "}") + "," + member + "}"
}

func jwsClaims() []entry {
	const malformed = "malformed-claims"
	targets := func(list string) step { return payload(goodTarget, list) }
	pins := func(n int) step {
		return targets(targetWith(`"spki":[` + strings.TrimSuffix(strings.Repeat(onePin+",", n), ",") + `]`))
	}
	pin := func(text string) step { return targets(targetWith(`"spki":["` + text + `"]`)) }
	a := strings.Repeat
	first := func(member string) step { return payload(`{"iss"`, `{`+member+`,"iss"`) }
	many := func(n int) step {
		return says(func(s *statement) {
			s.targets = nil
			for i := range n {
				s.targets = append(s.targets, target{host: host, port: int64(port + i)})
			}
		})
	}
	is := func(edit func(t *target)) step {
		return says(func(s *statement) { edit(&s.targets[0]) })
	}
	id := func(text string) step { return payload(goodID, `"`+text+`"`) }
	return []entry{
		bad("no-iss", "claims", malformed, "no iss", payload(`"iss":"b.example",`, ``)),
		bad("no-service", "claims", malformed, "no service", payload(`"service":"_xmpp-server._tcp",`, ``)),
		bad("no-targets", "claims", malformed, "no targets, which is not an empty list of them", payload(`"targets":[`+goodTarget+`],`, ``)),
		bad("no-iat", "claims", malformed, "no iat", payload(goodIAT+",", ``)),
		bad("no-exp", "claims", malformed, "no exp", payload(goodEXP+",", ``)),
		bad("no-jti", "claims", malformed, "no jti", payload(`,"jti":`+goodID, ``)),
		bad("claim-unknown", "claims", malformed, "an unknown claim", first(`"aud":"x"`)),
		bad("claim-nbf", "claims", malformed, "nbf: there is no post-dating", first(`"nbf":1782903600`)),
		bad("claim-upper-case", "claims", malformed, "the claim iss is called ISS", payload(`"iss"`, `"ISS"`)),
		bad("claim-twice", "json", malformed, "iss is there twice", first(`"iss":"c.example"`)),
		bad("claim-twice-escaped", "json", malformed, "iss is there twice, once written with an escape", first(`"\u0069ss":"b.example"`)),
		bad("claim-escape", "json", malformed, "a letter of the service is written with an escape", payload(`_xmpp-server._tcp"`, `_\u0078mpp-server._tcp"`)),
		bad("claim-solidus", "json", malformed, "an escaped solidus in a member that is unknown anyway", first(`"x":"\/"`)),
		bad("claim-depth-5", "json", malformed, "pins in an array too many: 5 nested objects and arrays", targets(targetWith(`"spki":[[`+onePin+`]]`))),
		bad("claim-true", "json", malformed, "a port that is true", targets(`{"host":"xmpp.hosting.example","port":true,"priority":10,"weight":5}`)),
		bad("claim-not-ascii", "json", malformed, "a source that is not ASCII", payload(`"b.example"`, `"bücher.example"`)),
		bad("claim-control", "json", malformed, "a tab inside the source", payload(`"b.example"`, "\"b.exam\tple\"")),
		bad("claim-unit-separator", "json", malformed, "the octet 0x1F inside the source", payload(`"b.example"`, "\"b.exam\x1fple\"")),
		bad("claim-line-feed", "json", malformed, "a line feed inside the source", payload(`"b.example"`, "\"b.exam\nple\"")),
		bad("form-feed", "json", malformed, "a form feed between the claims, which is no white space of JSON", payload(`{"iss"`, "{\f\"iss\"")),
		bad("vertical-tab", "json", malformed, "a vertical tab between the claims, which is no white space of JSON", payload(`{"iss"`, "{\v\"iss\"")),
		bad("no-break-space", "json", malformed, "a no-break space between the claims, which is no white space of JSON", payload(`{"iss"`, "{\u00a0\"iss\"")),
		bad("claim-delete", "json", malformed, "the octet 0x7F inside the source", payload(`"b.example"`, "\"b.exam\x7fple\"")),
		bad("iss-array", "claims", malformed, "iss is an array", payload(`"iss":"b.example"`, `"iss":["b.example"]`)),
		bad("service-number", "claims", malformed, "service is a number", payload(`"service":"_xmpp-server._tcp"`, `"service":1`)),
		bad("targets-object", "claims", malformed, "targets is an object", payload(`[`+goodTarget+`]`, `{}`)),
		bad("targets-null", "json claims", malformed, "targets is null", payload(`[`+goodTarget+`]`, `null`)),
		bad("iat-text", "claims", malformed, "iat is a text", payload(goodIAT, `"iat":"1782903600"`)),
		bad("exp-array", "claims", malformed, "exp is an array", payload(goodEXP, `"exp":[]`)),
		bad("jti-number", "claims", malformed, "jti is a number", payload(goodID, `1`)),
		bad("iat-fraction", "json", malformed, "iat has a fraction", payload(goodIAT, goodIAT+`.0`)),
		bad("iat-exponent", "json", malformed, "iat has an exponent", payload(goodIAT, `"iat":17829036e2`)),
		bad("iat-negative", "json life", malformed, "iat is before 1970", payload(goodIAT, `"iat":-1`)),
		bad("iat-plus", "json", malformed, "iat has a plus sign", payload(goodIAT, `"iat":+1782903600`)),
		bad("iat-leading-zero", "json", malformed, "iat has a leading zero", payload(goodIAT, `"iat":01782903600`)),
		bad("exp-2-53", "json", malformed, "exp is 2^53", payload(goodEXP, `"exp":9007199254740992`)),
		bad("exp-2-53-less-1", "json life", "bad-lifetime", "exp is 2^53-1, which JSON may say and a statement not", payload(goodEXP, `"exp":9007199254740991`)),
		bad("claims-array", "json", malformed, "the claims are an array", payloadText(func(text string) string { return "[" + text + "]" })),
		bad("claims-text", "json", malformed, "the claims are a text", payloadText(func(string) string { return `"b.example"` })),
		bad("claims-no-json", "json", malformed, "the claims are not JSON", payloadText(func(string) string { return "b.example" })),
		bad("claims-more", "json", malformed, "a second object after the claims", payload(goodID+`}`, goodID+`}{}`)),
		bad("claims-nul", "json", malformed, "an octet 0x00 after the claims", payload(goodID+`}`, goodID+"}\x00")),
		bad("claims-comma", "json", malformed, "a comma after the last claim", payload(goodID+`}`, goodID+`,}`)),
		bad("claims-bom", "json", malformed, "a byte order mark before the claims", payload(`{"iss"`, "\ufeff{\"iss\"")),

		bad("target-text", "claims", malformed, "a target is a text", targets(`"xmpp.hosting.example:5269"`)),
		bad("target-no-host", "claims", malformed, "a target without host", targets(`{"port":5269,"priority":10,"weight":5}`)),
		bad("target-no-port", "claims", malformed, "a target without port", targets(`{"host":"xmpp.hosting.example","priority":10,"weight":5}`)),
		bad("target-no-priority", "claims", malformed, "a target without priority", targets(`{"host":"xmpp.hosting.example","port":5269,"weight":5}`)),
		bad("target-no-weight", "claims", malformed, "a target without weight", targets(`{"host":"xmpp.hosting.example","port":5269,"priority":10}`)),
		bad("target-unknown", "claims", malformed, "a target with an unknown member", targets(targetWith(`"start":1`))),
		bad("target-twice", "json", malformed, "a member of a target is there twice", targets(targetWith(`"port":5269`))),
		bad("target-port-text", "claims", malformed, "a port is a text", targets(`{"host":"xmpp.hosting.example","port":"5269","priority":10,"weight":5}`)),
		bad("target-host-number", "claims", malformed, "a host is a number", targets(`{"host":1,"port":5269,"priority":10,"weight":5}`)),
		bad("port-0", "targets", "bad-targets", "port 0", is(func(t *target) { t.port = 0 })),
		good("port-1", "targets", "port 1", is(func(t *target) { t.port = 1 })),
		good("port-65535", "targets", "port 65535", is(func(t *target) { t.port = 65535 })),
		bad("port-65536", "targets", "bad-targets", "port 65536", is(func(t *target) { t.port = 65536 })),
		bad("port-wraps", "targets", "bad-targets", "port 5269 and 2^32", is(func(t *target) { t.port += 1 << 32 })),
		good("priority-0", "targets", "priority and weight 0", is(func(t *target) { t.priority, t.weight = 0, 0 })),
		good("priority-65535", "targets", "priority and weight 65535", is(func(t *target) { t.priority, t.weight = 65535, 65535 })),
		bad("priority-65536", "targets", "bad-targets", "priority 65536", is(func(t *target) { t.priority = 65536 })),
		bad("weight-65536", "targets", "bad-targets", "weight 65536", is(func(t *target) { t.weight = 65536 })),
		good("targets-16", "targets", "16 targets", many(16)),
		bad("targets-17", "targets", "bad-targets", "17 targets", many(17)),
		bad("targets-32", "targets json", "bad-targets", "32 targets, as many elements as JSON may have", many(32)),
		bad("targets-33", "json", malformed, "33 targets, more elements than JSON may have", many(33)),
		bad("endpoint-twice", "targets", "bad-targets", "an endpoint twice, with other priorities", says(func(s *statement) {
			s.targets = append(s.targets, target{host: host, port: port, priority: 20, weight: 5})
		})),
		good("host-twice", "targets", "a host twice, on other ports", says(func(s *statement) {
			s.targets = append(s.targets, target{host: host, port: 5270, priority: 10, weight: 5})
		})),

		good("tls-direct", "tls", "TLS from the first byte", is(func(t *target) { t.tls = "direct" })),
		good("tls-direct-pins", "tls pins digest", "TLS from the first byte, and a pin", all(pinned(1), is(func(t *target) { t.tls = "direct" }))),
		good("tls-one-of-two", "tls digest", "two ports of a host, one of them with TLS from the first byte", says(func(s *statement) {
			s.targets = append(s.targets, target{host: host, port: 5223, priority: 10, weight: 5, tls: "direct"})
		})),
		bad("tls-endpoint-twice", "tls targets", "bad-targets", "an endpoint twice, once with TLS from the first byte", says(func(s *statement) {
			s.targets = append(s.targets, target{host: host, port: port, priority: 10, weight: 5, tls: "direct"})
		})),
		bad("tls-empty", "tls claims", malformed, "tls is empty, which is not absent", targets(targetWith(`"tls":""`))),
		bad("tls-starttls", "tls claims", malformed, "tls is starttls, which absent means", targets(targetWith(`"tls":"starttls"`))),
		bad("tls-upper-case", "tls claims", malformed, "tls is in upper case", targets(targetWith(`"tls":"DIRECT"`))),
		bad("tls-space", "tls claims", malformed, "tls ends with a space", targets(targetWith(`"tls":"direct "`))),
		bad("tls-number", "tls claims", malformed, "tls is a number", targets(targetWith(`"tls":1`))),
		bad("tls-true", "tls json", malformed, "tls is true", targets(targetWith(`"tls":true`))),
		bad("tls-null", "tls json", malformed, "tls is null", targets(targetWith(`"tls":null`))),
		bad("tls-array", "tls claims", malformed, "tls is an array", targets(targetWith(`"tls":["direct"]`))),
		bad("tls-twice", "tls json", malformed, "tls is there twice", targets(targetWith(`"tls":"direct","tls":"direct"`))),
		bad("tls-in-claims", "tls claims", malformed, "tls is a claim, and not a member of a target", first(`"tls":"direct"`)),
		good("digest-ports", "digest", "ports 5269 and 10000 of a host: 5269 is first as a number, 10000 as a text", delegatesTo(
			target{host: host, port: 10000, priority: 10, weight: 5}, target{host: host, port: 5269, priority: 10, weight: 5})),
		good("digest-hosts", "digest", "hosts in an order that is not the sorted one, a hyphen and a dot among them", delegatesTo(
			target{host: "b.hosting.example", port: 5269}, target{host: "a.hosting.example", port: 5270}, target{host: "a-b.hosting.example", port: 5271}, target{host: "aa.hosting.example", port: 1})),
		good("digest-pins", "digest pins", "pins in an order that is not the sorted one", is(func(t *target) {
			t.pins = [][]byte{octets("pin 9", 32), bytes.Repeat([]byte{0xff}, 32), make([]byte, 32), octets("pin 1", 32)}
		})),
		good("digest-revocation", "digest", "a statement over a remembered revocation", remembered(floorAt(0, -time.Second, nil))),

		bad("spki-text", "claims pins", malformed, "spki is a text", targets(targetWith(`"spki":`+onePin))),
		bad("spki-number", "claims pins", malformed, "a pin is a number", targets(targetWith(`"spki":[1]`))),
		bad("pin-short", "pins", malformed, "a pin of 31 octets", pin(a("A", 42))),
		bad("pin-long", "pins", malformed, "a pin of 33 octets", pin(a("A", 44))),
		bad("pin-padding", "pins", malformed, "a pin with padding", pin(a("A", 43)+"=")),
		bad("pin-base64", "pins", malformed, "a pin with a character of the other alphabet", pin("+"+a("A", 42))),
		bad("pin-trailing-bits", "pins", malformed, "unused bits of the last character of a pin are not zero", pin(a("A", 42)+"B")),
		bad("pin-hex", "pins", malformed, "a pin in hexadecimal", pin(a("00", 32))),
		bad("pins-0", "pins", "bad-targets", "an empty list of pins", pins(0)),
		good("pins-1", "pins", "one pin", pinned(1)),
		good("pins-4", "pins", "4 pins, all the same", pinned(4)),
		bad("pins-5", "pins", "bad-targets", "5 pins", pins(5)),
		bad("pins-33", "json", malformed, "33 pins, more elements than JSON may have", pins(33)),

		bad("jti-zero", "id", malformed, "jti is all zero", id(a("A", 22))),
		bad("jti-first-bit", "id", malformed, "the first bit of jti is 1", id("g"+a("A", 21))),
		good("jti-second-bit", "id", "the second bit of jti is 1, and no other", id("Q"+a("A", 21))),
		good("jti-one", "id", "jti is the number 1", says(func(s *statement) { s.id = [16]byte{15: 1} })),
		bad("jti-15", "id", malformed, "jti has 15 octets", id("AQAAAAAAAAAAAAAAAAAA")),
		bad("jti-17", "id", malformed, "jti has 17 octets", id("AQAAAAAAAAAAAAAAAAAAAAA")),
		bad("jti-empty", "id", malformed, "jti is empty", id("")),
		bad("jti-padding", "id", malformed, "jti with padding", id("AQAAAAAAAAAAAAAAAAAAAg==")),
		bad("jti-trailing-bits", "id", malformed, "unused bits of the last character of jti are not zero", id("AQAAAAAAAAAAAAAAAAAAAh")),
		bad("jti-space", "id", malformed, "jti has a space", id("AQAAAAAAAAAAAAAAAAAA A")),

		bad("exp-before-iat", "life", "bad-lifetime", "exp is a second before iat", payload(goodEXP, `"exp":1782903599`)),
		bad("exp-equals-iat", "life", "bad-lifetime", "exp equals iat", payload(goodEXP, `"exp":1782903600`)),
		bad("exp-year-10000", "life", "bad-lifetime", "exp is in the year 10000", payload(goodEXP, `"exp":253402300800`)),
		bad("iat-year-10000", "life", "bad-lifetime", "iat is in the year 10000", payload(goodIAT, `"iat":253402300800`)),
		bad("exp-year-9999", "life", "life-too-long", "exp is the last second of the year 9999, which is legal and too long a life", payload(goodEXP, `"exp":253402300799`)),
		bad("iat-0", "life", "life-too-long", "iat is 0, which is legal; the life is too long", payload(goodIAT, `"iat":0`)),

		bad("revocation", "revocation", "revoked", "no targets: the service is delegated to nobody", says(revokes)).gives(says(revokes)),
	}
}

// pinned has pins of zeros at the target.
func pinned(n int) step {
	return says(func(s *statement) {
		for range n {
			s.targets[0].pins = append(s.targets[0].pins, make([]byte, 32))
		}
	})
}
