package vectors

import (
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"

	"github.com/dnasign/dnasign/internal/testkit/acder"
)

var jwsNotes = map[string]Note{
	"valid":       {[]string{"S1", "J2", "J4", "J5"}, "A token in good form.", "A verifier that refuses it locks out an honest owner."},
	"compact":     {[]string{"J1", "S6"}, "Three parts of canonical base64url with two dots between.", "Two spellings of one token get past a memory of tokens, and through filters that read another spelling."},
	"size":        {[]string{"J1"}, "A token has at most 32,768 octets.", "A stranger makes a verifier work for as long as the stranger likes."},
	"header":      {[]string{"J2"}, "The header has exactly alg, typ and x5c.", "crit, b64, jwk, jku, x5u and kid each let the token say how it is to be verified."},
	"type":        {[]string{"J3"}, "typ is exactly dna+jwt.", "Another JWT signed with the same key, or a statement of a later version, is taken for a statement."},
	"algorithm":   {[]string{"J4"}, "alg is one of five.", "alg none, or HMAC with the public key as the secret, needs no private key."},
	"key":         {[]string{"J5"}, "The algorithm fits the key of the signer's certificate.", "A signature is verified with a key that was made for something else."},
	"x5c":         {[]string{"J6"}, "x5c holds 1 to 5 certificates in canonical base64.", "A certificate that two verifiers read differently makes them disagree about the signer."},
	"json":        {[]string{"J7"}, "Header and claims are read by a strict parser.", "One reader takes the first of two members, another the last: they see different statements."},
	"signature":   {[]string{"J4", "J8"}, "The signature is over the octets as received.", "Whatever is not covered by the signature can be changed by anybody."},
	"not-unique":  {[]string{"J9", "O4"}, "Who holds a signature (r, s) can write another one.", "A replay memory or a cache by the token is got around."},
	"claims":      {[]string{"S1"}, "Six claims, and four to six members of a target, no other.", "A claim that one verifier knows and another ignores means two things."},
	"targets":     {[]string{"S2"}, "Hosts, ports, priorities and weights are in range, and no endpoint is there twice.", "A number that wraps round leads to another port."},
	"pins":        {[]string{"S3", "S6"}, "1 to 4 pins of 32 octets in base64url.", "An empty list of pins is taken for no restriction."},
	"tls":         {[]string{"S2"}, "tls is the text direct, or absent. An endpoint appears once, whatever tls says.", "A verifier connects in clear text where the owner said TLS, or the other way round."},
	"digest":      {[]string{"S2", "S3", "O3"}, "The digest of the targets has one form: sorted by host, then by port as a number, pins sorted.", "Two verifiers that share what they remember see a conflict where there is none, or none where there is one."},
	"life":        {[]string{"S4"}, "A statement ends after it begins, and within the year 9999.", "Times outside of what a clock can hold wrap round."},
	"id":          {[]string{"S5", "S6"}, "16 octets, the first bit 0, not all zero.", "A serial number that is negative or zero cannot be written in the other encoding."},
	"revocation":  {[]string{"O5", "S1"}, "A statement without targets delegates to nobody.", "The former provider stays in."},
	"other-jws":   {[]string{"J2", "J3"}, "Other JWS objects that the key of a TLS certificate may sign.", "An access token, a proof of possession or an ACME request is replayed as a statement."},
	"other-thing": {[]string{"J1", "J7"}, "Other things that a TLS key signs, offered as a token.", "What was signed in a handshake, or for an authority, is replayed as a statement."},
	"all-tokens":  {[]string{"J1"}, "A token that is cut or has more at its end.", "What follows the token is signed by nobody."},
}

// target of the usual case, and parts of its claims, as they are written.
const (
	goodTarget = `{"host":"xmpp.hosting.example","port":5269,"priority":10,"weight":5}`
	goodID     = `"AQAAAAAAAAAAAAAAAAAAAg"`
	goodIAT    = `"iat":1782903600`
	goodEXP    = `"exp":1784030400`
	onePin     = `"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
)

func jwsFamily(w *world) *book {
	b := newBook(w, "jws", jwsNotes)
	b.verify(nil, jwsForm()...)
	b.verify(nil, jwsHeader()...)
	b.verify(nil, jwsCertificates()...)
	b.verify(nil, jwsSignatures()...)
	b.verify(nil, jwsClaims()...)
	b.verify(nil, jwsOthers()...)
	return b
}

func jwsForm() []entry {
	always := func(text string) func(string) string { return func(string) string { return text } }
	// White space makes a token of any size and has no effect on what it says.
	grown := func(n int) step {
		return func(t *trial) {
			inHeader, inPayload := 0, 0
			headerText(func(json string) string { return json + strings.Repeat(" ", inHeader) })(t)
			payloadText(func(json string) string { return json + strings.Repeat(" ", inPayload) })(t)
			usual := len(t.jws())
			for inPayload = range 3 {
				least := (n-usual)*3/4 - 6
				for inHeader = least; inHeader < least+12; inHeader++ {
					if len(t.jws()) == n {
						return
					}
				}
			}
			panic("vectors: no token of that size")
		}
	}
	return []entry{
		good("usual", "valid", "the usual case: one target, ES256, a chain of two certificates, in a document", nil),
		good("white-space", "valid json", "white space, and members in another order, in header and claims", all(
			headerText(func(json string) string {
				alg, rest, _ := strings.Cut(strings.TrimPrefix(json, "{"), ",")
				return " {\n" + strings.TrimSuffix(rest, "}") + "\t,\r\n" + alg + " } "
			}),
			payloadText(always(" {\t\"jti\":"+goodID+" ,\r\n"+goodEXP+","+goodIAT+`,"targets":[ `+
				`{"weight":5,"priority":10,"port":5269,"host":"xmpp.hosting.example"} ],"service":"_xmpp-server._tcp","iss":"b.example" } `)))),
		good("size-32768", "size", "a token of exactly 32,768 octets", grown(32768)),
		bad("size-32769", "size", "statement-too-large", "a token of 32,769 octets", grown(32769)),
		bad("two-parts", "compact", "malformed-token", "the token has no signature part",
			token(func(c string) string { return c[:strings.LastIndexByte(c, '.')] })),
		bad("four-parts", "compact all-tokens", "malformed-token", "a fourth part", token(func(c string) string { return c + ".AAAA" })),
		bad("five-parts", "compact all-tokens", "malformed-token", "five parts, as encrypted tokens have", token(func(c string) string { return c + ".AAAA.AAAA" })),
		bad("dot-at-end", "compact all-tokens", "malformed-token", "a dot at the end", token(func(c string) string { return c + "." })),
		bad("space-at-end", "compact all-tokens", "malformed-token", "a space at the end", token(func(c string) string { return c + " " })),
		bad("empty-header", "compact", "malformed-token", "the header is empty", part(0, always(""))),
		bad("empty-payload", "compact", "malformed-token", "the payload is empty", part(1, always(""))),
		bad("empty-signature", "compact", "malformed-token", "the signature is empty", part(2, always(""))),
		bad("padding", "compact", "malformed-token", "the payload has padding", part(1, func(p string) string { return p + "=" })),
		bad("lf-inside", "compact", "malformed-token", "a line feed inside the payload", part(1, func(p string) string { return p[:8] + "\n" + p[8:] })),
		bad("cr-inside", "compact", "malformed-token", "a carriage return inside the payload", part(1, func(p string) string { return p[:8] + "\r" + p[8:] })),
		bad("crlf-inside", "compact", "malformed-token", "a line end inside the signature", part(2, func(p string) string { return p[:8] + "\r\n" + p[8:] })),
		bad("cr-in-header", "compact", "malformed-token", "a carriage return inside the header", part(0, func(p string) string { return p[:8] + "\r" + p[8:] })),
		bad("space-inside", "compact", "malformed-token", "a space inside the header", part(0, func(p string) string { return p[:8] + " " + p[8:] })),
		bad("other-alphabet", "compact", "malformed-token", "the signature in the alphabet of base64, with + and /", part(2, func(p string) string { return "+/" + p[2:] })),
		bad("length-of-no-octets", "compact", "malformed-token", "the signature has a number of characters that base64url never has",
			part(2, func(p string) string { return p + "AAA" })),
		bad("trailing-bits", "compact", "malformed-token", "unused bits of the last character of the signature are not zero", part(2, flipLastBit)),
		bad("trailing-bits-payload", "compact", "malformed-token", "unused bits of the last character of the payload are not zero",
			all(payloadText(func(json string) string { // a length that leaves bits over
				for len(json)%3 == 0 {
					json += " "
				}
				return json
			}), part(1, flipLastBit))),
		bad("json-serialization", "compact", "malformed-token", "the flattened JSON serialization", token(func(c string) string {
			p := strings.Split(c, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		})),
		bad("bom", "compact", "malformed-token", "a byte order mark before the token", token(func(c string) string { return "\ufeff" + c })),
	}
}

// flipLastBit changes the lowest bit of the last character.
func flipLastBit(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + string(alphabet[last^1])
}

func jwsHeader() []entry {
	first := func(member string) step { return header(`{"alg"`, `{`+member+`,"alg"`) }
	alg := func(name string) step { return header(`"ES256"`, `"`+name+`"`) }
	typ := func(name string) step { return header(`"dna+jwt"`, `"`+name+`"`) }
	var list []entry
	for _, c := range []struct{ id, comment, member string }{
		{"crit", "crit names an extension", `"crit":["exp"]`},
		{"crit-empty", "crit is an empty list", `"crit":[]`},
		{"crit-b64", "crit names b64", `"crit":["b64"]`},
		{"b64-text", "b64 is there, as a text", `"b64":"true"`},
		{"jwk", "a key in the header", `"jwk":{"kty":"EC"}`},
		{"jku", "an address of keys", `"jku":"https://evil.example/"`},
		{"x5u", "an address of certificates", `"x5u":"https://evil.example/"`},
		{"x5t", "a digest of the certificate", `"x5t":"AAAA"`},
		{"kid", "a name for the key", `"kid":"1"`},
		{"cty", "a content type", `"cty":"JWT"`},
		{"zip", "compression", `"zip":"DEF"`},
		{"unknown", "a parameter that nobody knows", `"x":""`},
	} {
		list = append(list, bad("header-"+c.id, "header", "bad-header", c.comment, first(c.member)))
	}
	return append(list,
		bad("header-b64-false", "json header", "malformed-token", "b64 is false, and false is no JSON of this profile", first(`"b64":false`)),
		bad("header-crit-null", "json header", "malformed-token", "crit is null, and null is no JSON of this profile", first(`"crit":null`)),
		bad("header-no-json", "json", "malformed-token", "the header is not JSON", headerText(func(string) string { return "alg" })),
		bad("header-more", "json", "malformed-token", "something after the header's object", header(`]}`, `]} {}`)),
		bad("header-twice", "json", "malformed-token", "typ is there twice", first(`"typ":"dna+jwt"`)),
		bad("header-twice-escaped", "json", "malformed-token", "typ is there twice, once written with an escape", first(`"t\u0079p":"dna+jwt"`)),
		bad("header-escape", "json", "malformed-token", "typ is written with an escape", header(`"dna+jwt"`, `"dna\u002bjwt"`)),
		bad("header-bom", "json", "malformed-token", "a byte order mark before the header's object", header(`{"alg"`, "\ufeff{\"alg\"")),
		bad("header-depth-5", "json", "malformed-token", "an unknown parameter with 5 nested objects and arrays, the header included", first(`"x":[[[[]]]]`)),
		bad("header-depth-4", "json header", "bad-header", "an unknown parameter with 4 nested objects and arrays, the header included", first(`"x":[[[]]]`)),
		bad("header-members-17", "json", "malformed-token", "17 members in the header", first(numbered(14))),
		bad("header-members-16", "json header", "bad-header", "16 members in the header", first(numbered(13))),
		bad("header-elements-33", "json", "malformed-token", "33 elements in x5c", chain(repeated(33))),
		bad("header-array", "header", "bad-header", "the header is an array", headerText(func(json string) string { return "[" + json + "]" })),
		bad("header-no-alg", "header", "bad-header", "no alg", header(`"alg":"ES256",`, ``)),
		bad("header-no-typ", "header", "bad-header", "no typ", header(`"typ":"dna+jwt",`, ``)),
		bad("header-no-x5c", "header", "bad-header", "no x5c", headerText(func(string) string { return `{"alg":"ES256","typ":"dna+jwt"}` })),
		bad("header-alg-number", "header", "bad-header", "alg is a number", header(`"ES256"`, `256`)),
		bad("header-typ-array", "header", "bad-header", "typ is an array", header(`"dna+jwt"`, `["dna+jwt"]`)),
		bad("header-x5c-text", "header", "bad-header", "x5c is one text and no array", headerText(func(string) string { return `{"alg":"ES256","typ":"dna+jwt","x5c":"MII="}` })),
		bad("header-alg-upper-case", "header", "bad-header", "the parameter alg is called ALG", header(`"alg"`, `"ALG"`)),

		bad("typ-jwt", "type", "wrong-type", "typ is JWT", typ("JWT")),
		bad("typ-empty", "type", "wrong-type", "typ is empty", typ("")),
		bad("typ-upper-case", "type", "wrong-type", "typ is in upper case", typ("DNA+JWT")),
		bad("typ-media-type", "type", "wrong-type", "typ is the whole media type", typ("application/dna+jwt")),
		bad("typ-version-2", "type", "wrong-type", "typ of a later version", typ("dna2+jwt")),

		bad("alg-none", "algorithm", "unsupported-algorithm", "alg is none", alg("none")),
		bad("alg-none-upper-case", "algorithm", "unsupported-algorithm", "alg is None", alg("None")),
		bad("alg-hs256", "algorithm", "unsupported-algorithm", "alg is HS256", alg("HS256")),
		bad("alg-es512", "algorithm", "unsupported-algorithm", "alg is ES512", alg("ES512")),
		bad("alg-es256k", "algorithm", "unsupported-algorithm", "alg is ES256K", alg("ES256K")),
		bad("alg-rs1", "algorithm", "unsupported-algorithm", "alg is RS1", alg("RS1")),
		bad("alg-rs512", "algorithm", "unsupported-algorithm", "alg is RS512, with an RSA key", header(`"RS256"`, `"RS512"`), ofKind("rsa-2048")),
		bad("alg-ed25519", "algorithm", "unsupported-algorithm", "alg is Ed25519, the newer name of EdDSA, with such a key", header(`"EdDSA"`, `"Ed25519"`), ofKind("Ed25519")),
		bad("alg-lower-case", "algorithm", "unsupported-algorithm", "alg is in lower case", alg("es256")),
		bad("alg-empty", "algorithm", "unsupported-algorithm", "alg is empty", alg("")),
	)
}

// numbered are n members that nobody knows.
func numbered(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"x%d":0`, i))
	}
	return strings.Join(list, ",")
}

// repeated repeats the last certificate until there are n.
func repeated(n int) func(*world, [][]byte) [][]byte {
	return func(_ *world, der [][]byte) [][]byte {
		for len(der) < n {
			der = append(der, der[len(der)-1])
		}
		return der
	}
}

func jwsCertificates() []entry {
	x5c := func(edit func(text string) string) step {
		return func(t *trial) {
			text := base64.StdEncoding.EncodeToString(t.signer.leaf.Raw)
			header(`"`+text+`"`, edit(text))(t)
		}
	}
	quoted := func(edit func(text string) string) step {
		return x5c(func(text string) string { return `"` + edit(text) + `"` })
	}
	return []entry{
		bad("x5c-empty", "x5c", "malformed-certificate", "x5c is an empty list", chain(func(*world, [][]byte) [][]byte { return [][]byte{} })),
		good("x5c-5", "x5c", "5 certificates", signedBy(longChain(5))),
		bad("x5c-6", "x5c", "malformed-certificate", "6 certificates", signedBy(longChain(6))),
		bad("x5c-number", "x5c", "malformed-certificate", "the first element is a number", x5c(func(string) string { return `1` })),
		bad("x5c-empty-text", "x5c", "malformed-certificate", "the first element is empty", quoted(func(string) string { return "" })),
		bad("x5c-no-padding", "x5c", "malformed-certificate", "base64 without its padding", all(paddedLeaf, quoted(func(text string) string { return strings.TrimRight(text, "=") }))),
		bad("x5c-space", "x5c", "malformed-certificate", "a space inside the base64", quoted(func(text string) string { return text[:8] + " " + text[8:] })),
		bad("x5c-base64url", "x5c", "malformed-certificate", "characters of the alphabet of base64url", quoted(func(text string) string { return text[:4] + "-_" + text[6:] })),
		bad("x5c-trailing-bits", "x5c", "malformed-certificate", "unused bits of the last character are not zero", all(paddedLeaf, quoted(func(text string) string {
			trimmed := strings.TrimRight(text, "=")
			return trimmed[:len(trimmed)-1] + string(rune(trimmed[len(trimmed)-1]+1)) + text[len(trimmed):]
		}))),
		bad("x5c-no-certificate", "x5c", "malformed-certificate", "the first element is DER and no certificate", quoted(func(string) string { return "MAA=" })),
		bad("x5c-more", "x5c", "malformed-certificate", "an octet after the signer's certificate", chain(func(_ *world, der [][]byte) [][]byte {
			return [][]byte{append(der[0][:len(der[0]):len(der[0])], 0), der[1]}
		})),
		bad("x5c-cut", "x5c", "malformed-certificate", "the second certificate is cut short", chain(func(_ *world, der [][]byte) [][]byte {
			return [][]byte{der[0], der[1][:len(der[1])-1]}
		})),
		bad("x5c-pem", "x5c", "malformed-certificate", "PEM instead of base64", quoted(func(text string) string {
			return "-----BEGIN CERTIFICATE-----" + text + "-----END CERTIFICATE-----"
		})),
	}
}

// longChain is a signer that sends n certificates.
func longChain(n int) func(w *world) *signer {
	return func(w *world) *signer {
		ca := w.ca
		for i := 2; i < n; i++ {
			ca = ca.under("P-256", fmt.Sprintf("Intermediate %d", i))
		}
		return ca.issue("P-256")
	}
}

// paddedLeaf signs with a certificate whose base64 has padding and zero unused
// bits that a change can set.
func paddedLeaf(t *trial) {
	for subject := "x"; len(t.signer.leaf.Raw)%3 != 1; subject += "x" {
		t.signer = t.ca.issue("P-256", commonName(subject))
	}
}

func jwsSignatures() []entry {
	raw := func(edit func(signature []byte) []byte) step {
		return part(2, func(p string) string { return base64url(edit(fromBase64url(p))) })
	}
	zero := func(s []byte) []byte { return make([]byte, len(s)) }
	longer := func(s []byte) []byte { return append(s, 0) }
	shorter := func(s []byte) []byte { return s[:len(s)-1] }
	by := func(algorithm string) step { return func(t *trial) { t.algorithm = algorithm } }
	white := func(p string) string { return base64url(append([]byte(" "), fromBase64url(p)...)) }
	rs256, ed := ofKind("rsa-2048"), ofKind("Ed25519")
	ps256 := all(rs256, by("PS256"))
	const mismatch = "algorithm-mismatch"
	return []entry{
		good("es384", "valid signature", "ES384", ofKind("P-384")),
		good("rs256", "valid signature", "RS256 with a key of 2048 bits", rs256),
		good("rs256-3072", "valid signature", "RS256 with a key of 3072 bits", ofKind("rsa-3072")),
		good("rs256-4096", "valid signature", "RS256 with a key of 4096 bits", ofKind("rsa-4096")),
		good("ps256", "valid signature", "PS256", ps256),
		good("eddsa", "valid signature", "EdDSA with Ed25519", ed),

		bad("es384-p256", "key", mismatch, "ES384 with a key on P-256", by("ES384")),
		bad("es256-p384", "key", mismatch, "ES256 with a key on P-384", by("ES256"), ofKind("P-384")),
		bad("es256-p521", "key", mismatch, "ES256 with a key on P-521", ofKind("P-521")),
		bad("rs256-p256", "key", mismatch, "RS256 with a key on P-256", by("RS256")),
		bad("ps256-ed25519", "key", mismatch, "PS256 with a key of Ed25519", by("PS256"), ed),
		bad("eddsa-p256", "key", mismatch, "EdDSA with a key on P-256", by("EdDSA")),
		bad("es256-rsa", "key", mismatch, "ES256 with an RSA key", by("ES256"), rs256),
		bad("eddsa-rsa", "key", mismatch, "EdDSA with an RSA key", by("EdDSA"), rs256),

		bad("ps256-called-rs256", "signature", "bad-signature", "alg says RS256, the signature is RSASSA-PSS", all(by("PS256"), header(`"PS256"`, `"RS256"`)), rs256),
		bad("rs256-called-ps256", "signature", "bad-signature", "alg says PS256, the signature is PKCS #1 v1.5", header(`"RS256"`, `"PS256"`), rs256),
		bad("ps256-salt-64", "signature", "bad-signature", "PS256 with a salt of 64 octets", pssWithSalt(64), ps256),
		bad("ps256-salt-20", "signature", "bad-signature", "PS256 with a salt of 20 octets", pssWithSalt(20), ps256),
		bad("es256-zero", "signature", "bad-signature", "an ES256 signature of zeros", raw(zero)),
		bad("es384-zero", "signature", "bad-signature", "an ES384 signature of zeros", raw(zero), ofKind("P-384")),
		bad("eddsa-zero", "signature", "bad-signature", "an EdDSA signature of zeros", raw(zero), ed),
		bad("rs256-zero", "signature", "bad-signature", "an RS256 signature of zeros", raw(zero), rs256),
		bad("es256-longer", "signature", "bad-signature", "an ES256 signature with an octet more", raw(longer)),
		bad("es256-shorter", "signature", "bad-signature", "an ES256 signature with an octet less", raw(shorter)),
		bad("es256-der", "signature", "bad-signature", "an ES256 signature in DER", raw(func(s []byte) []byte {
			return must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(s[:32]), new(big.Int).SetBytes(s[32:])}))
		})),
		bad("rs256-longer", "signature", "bad-signature", "an RS256 signature with an octet more", raw(longer), rs256),
		bad("ps256-shorter", "signature", "bad-signature", "a PS256 signature with an octet less", raw(shorter), ps256),
		bad("eddsa-longer", "signature", "bad-signature", "an EdDSA signature with an octet more", raw(longer), ed),
		bad("other-key", "signature", "bad-signature", "signed with another key", func(t *trial) { t.key = newKey("P-256", "other") }),
		bad("claims-altered", "signature", "bad-signature", "a host in the claims is another one than was signed", part(1, func(p string) string {
			return base64url([]byte(replaced("xmpp.hosting", "evil.hosting")(string(fromBase64url(p)))))
		})),
		bad("claims-space", "signature", "bad-signature", "white space was added to the claims, which say the same", part(1, white)),
		bad("header-space", "signature", "bad-signature", "white space was added to the header, which says the same", part(0, white)),
		good("mirrored", "not-unique", "(r, n-s) for (r, s): as good a signature", raw(mirrored)),
		good("mirrored-beside", "not-unique", "the same statement twice, the second time with (r, n-s) for (r, s)", func(t *trial) {
			has(func(e *evidence) {
				other := strings.Split(string(e.Documents[0].Body), ".")
				other[2] = base64url(mirrored(fromBase64url(other[2])))
				e.addRecord("v=DNA1; e=jws; s=" + strings.Join(other, "."))
			})(t)
		}),
	}
}

func mirrored(s []byte) []byte {
	n := curves["P-256"].Params().N
	out := append([]byte(nil), s...)
	new(big.Int).Sub(n, new(big.Int).SetBytes(s[32:])).FillBytes(out[32:])
	return out
}

// pssWithSalt signs again, with a salt of another length.
func pssWithSalt(length int) step {
	return func(t *trial) {
		t.parts = append(t.parts, func(parts []string) {
			parts[2] = base64url(acder.Sign(nil, t.signer.key, pss(length), []byte(parts[0]+"."+parts[1])))
		})
	}
}
