package jws_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
	"github.com/dnasign/dnasign/testvectors"
)

// A refusal is a token with one defect. Its signature is good over its own
// octets, as far as there can be one, so that nothing but the defect is
// reason to refuse it.
type refusal struct {
	name  string
	token string
	want  error
	jose  bool // go-jose accepts the token: the strictness is ours alone
}

const (
	joseAccepts = true
	joseRefuses = false
)

// headerRefusals are tokens whose header has a defect. Those that every other
// implementation refuses too are in the test vectors. In the texts, CHAIN is
// the good value of x5c, LEAF the base64 form of the signer's certificate.
func headerRefusals(t *testing.T, signer *keys.Signer) []refusal {
	const good = `"alg":"ES256","typ":"dna+jwt","x5c":CHAIN`
	chain := x5c(signer.Chain())
	leaf := std(signer.Leaf().Raw)
	six := make([]*x509.Certificate, keys.MaxChain+1)
	for i := range six {
		six[i] = signer.Leaf()
	}
	lastBit := bits(leaf[:len(leaf)-2]) + "=="
	x5cIs := func(value string) string { return `{"alg":"ES256","typ":"dna+jwt","x5c":` + value + `}` }

	var list []refusal
	for _, c := range []struct {
		name, header string
		want         error
		jose         bool
	}{
		// alg
		{"alg PS384", `{"alg":"PS384","typ":"dna+jwt","x5c":CHAIN}`, jws.ErrAlgorithm, joseRefuses},
		{"alg with a space", `{"alg":"ES256 ","typ":"dna+jwt","x5c":CHAIN}`, jws.ErrAlgorithm, joseRefuses},
		{"alg null", `{"alg":null,"typ":"dna+jwt","x5c":CHAIN}`, jws.ErrMalformed, joseRefuses},
		{"alg a list", `{"alg":["ES256"],"typ":"dna+jwt","x5c":CHAIN}`, jws.ErrHeader, joseRefuses},
		// typ
		{"typ JWT", `{"alg":"ES256","typ":"JWT","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ jwt", `{"alg":"ES256","typ":"jwt","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ JOSE", `{"alg":"ES256","typ":"JOSE","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ dna+JWT", `{"alg":"ES256","typ":"dna+JWT","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ application/dna+jwt", `{"alg":"ES256","typ":"application/dna+jwt","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ of a next version", `{"alg":"ES256","typ":"dna2+jwt","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ with a space", `{"alg":"ES256","typ":" dna+jwt","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ empty", `{"alg":"ES256","typ":"","x5c":CHAIN}`, jws.ErrType, joseAccepts},
		{"typ missing", `{"alg":"ES256","x5c":CHAIN}`, jws.ErrHeader, joseAccepts},
		{"typ null", `{"alg":"ES256","typ":null,"x5c":CHAIN}`, jws.ErrMalformed, joseAccepts},
		{"typ a number", `{"alg":"ES256","typ":1,"x5c":CHAIN}`, jws.ErrHeader, joseAccepts},
		{"typ a list", `{"alg":"ES256","typ":["dna+jwt"],"x5c":CHAIN}`, jws.ErrHeader, joseAccepts},
		// further parameters
		{"crit empty", `{` + good + `,"crit":[]}`, jws.ErrHeader, joseAccepts},
		{"crit null", `{` + good + `,"crit":null}`, jws.ErrMalformed, joseAccepts},
		{"crit b64", `{` + good + `,"crit":["b64"]}`, jws.ErrHeader, joseAccepts},
		{"crit x with x", `{` + good + `,"crit":["x"],"x":1}`, jws.ErrHeader, joseRefuses},
		{"crit typ", `{` + good + `,"crit":["typ"]}`, jws.ErrHeader, joseRefuses},
		{"crit a string", `{` + good + `,"crit":"b64"}`, jws.ErrHeader, joseRefuses},
		{"b64 true", `{` + good + `,"b64":true}`, jws.ErrMalformed, joseAccepts},
		{"b64 true and crit", `{` + good + `,"b64":true,"crit":["b64"]}`, jws.ErrMalformed, joseAccepts},
		{"b64 a string", `{` + good + `,"b64":"true"}`, jws.ErrHeader, joseAccepts},
		{"jwk", `{` + good + `,"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}`, jws.ErrHeader, joseAccepts},
		{"jku", `{` + good + `,"jku":"https://evil.example/"}`, jws.ErrHeader, joseAccepts},
		{"x5u", `{` + good + `,"x5u":"https://evil.example/"}`, jws.ErrHeader, joseAccepts},
		{"kid", `{` + good + `,"kid":"1"}`, jws.ErrHeader, joseAccepts},
		{"kid empty", `{` + good + `,"kid":""}`, jws.ErrHeader, joseAccepts},
		{"x5t", `{` + good + `,"x5t":"AAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, jws.ErrHeader, joseAccepts},
		{"x5t#S256", `{` + good + `,"x5t#S256":"AAAA"}`, jws.ErrHeader, joseAccepts},
		{"cty", `{` + good + `,"cty":"JWT"}`, jws.ErrHeader, joseAccepts},
		{"nonce", `{` + good + `,"nonce":"n"}`, jws.ErrHeader, joseAccepts},
		{"enc", `{` + good + `,"enc":"A128GCM"}`, jws.ErrHeader, joseAccepts},
		{"zip", `{` + good + `,"zip":"DEF"}`, jws.ErrHeader, joseAccepts},
		{"a claim in the header", `{` + good + `,"iss":"b.example"}`, jws.ErrHeader, joseAccepts},
		{"unknown name", `{` + good + `,"x":"y"}`, jws.ErrHeader, joseAccepts},
		{"empty name", `{` + good + `,"":"y"}`, jws.ErrHeader, joseAccepts},
		// names
		{"alg twice", `{"alg":"ES256",` + good + `}`, jws.ErrMalformed, joseRefuses},
		{"alg twice, different", `{"alg":"none",` + good + `}`, jws.ErrMalformed, joseRefuses},
		{"x5c twice", `{"x5c":CHAIN,` + good + `}`, jws.ErrMalformed, joseRefuses},
		{"unknown name twice", `{"x":"","x":"",` + good + `}`, jws.ErrMalformed, joseRefuses},
		{"TYP for typ", `{"alg":"ES256","TYP":"dna+jwt","x5c":CHAIN}`, jws.ErrHeader, joseAccepts},
		{"X5C for x5c", `{"alg":"ES256","typ":"dna+jwt","X5C":CHAIN}`, jws.ErrHeader, joseAccepts},
		{"ALG beside alg", `{` + good + `,"ALG":"none"}`, jws.ErrHeader, joseAccepts},
		{"Typ beside typ", `{"Typ":"JWT",` + good + `}`, jws.ErrHeader, joseAccepts},
		{"alg with an escape", `{"\u0061lg":"ES256","typ":"dna+jwt","x5c":CHAIN}`, jws.ErrMalformed, joseAccepts},
		{"typ with an escape", `{"alg":"ES256","t\u0079p":"dna+jwt","x5c":CHAIN}`, jws.ErrMalformed, joseAccepts},
		{"alg twice, once with an escape", `{"\u0061lg":"none",` + good + `}`, jws.ErrMalformed, joseRefuses},
		{"value of alg with an escape", `{"alg":"ES\u003256","typ":"dna+jwt","x5c":CHAIN}`, jws.ErrMalformed, joseAccepts},
		{"value of typ with an escape", `{"alg":"ES256","typ":"dna\u002bjwt","x5c":CHAIN}`, jws.ErrMalformed, joseAccepts},
		{"escaped solidus in x5c", x5cIs(strings.ReplaceAll(chain, "/", `\/`)), jws.ErrMalformed, joseAccepts},
		// JSON
		{"an empty object", `{}`, jws.ErrHeader, joseRefuses},
		{"an array", `[]`, jws.ErrHeader, joseRefuses},
		{"a string", `"alg"`, jws.ErrHeader, joseRefuses},
		{"a number", `1`, jws.ErrHeader, joseRefuses},
		{"null", `null`, jws.ErrMalformed, joseRefuses},
		{"only space", ` `, jws.ErrMalformed, joseRefuses},
		{"no closing brace", `{` + good, jws.ErrMalformed, joseRefuses},
		{"trailing comma", `{` + good + `,}`, jws.ErrMalformed, joseRefuses},
		{"a letter after the object", `{` + good + `}x`, jws.ErrMalformed, joseRefuses},
		{"NUL after the object", `{` + good + "}\x00", jws.ErrMalformed, joseRefuses},
		{"not ASCII", `{` + good + `,"x":"é"}`, jws.ErrMalformed, joseAccepts},
		{"invalid UTF-8", `{` + good + ",\"x\":\"\xff\"}", jws.ErrMalformed, joseAccepts},
		{"nested deep", `{` + good + `,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, jws.ErrMalformed, joseAccepts},
		{"a fraction", `{` + good + `,"x":1.5}`, jws.ErrMalformed, joseAccepts},
		// x5c
		{"x5c missing", `{"alg":"ES256","typ":"dna+jwt"}`, jws.ErrHeader, joseAccepts},
		{"x5c null", x5cIs(`null`), jws.ErrMalformed, joseAccepts},
		{"x5c empty", x5cIs(`[]`), jws.ErrCertificates, joseAccepts},
		{"x5c an object", x5cIs(`{"0":"LEAF"}`), jws.ErrHeader, joseRefuses},
		{"x5c of six", x5cIs(x5c(six)), jws.ErrCertificates, joseAccepts},
		{"x5c of 33", x5cIs(`[` + strings.Repeat(`"LEAF",`, 32) + `"LEAF"]`), jws.ErrMalformed, joseAccepts},
		{"x5c with null", x5cIs(`["LEAF",null]`), jws.ErrMalformed, joseRefuses},
		{"x5c with an array", x5cIs(`[["LEAF"]]`), jws.ErrCertificates, joseRefuses},
		{"x5c with half the padding", x5cIs(`["` + leaf[:len(leaf)-1] + `"]`), jws.ErrCertificates, joseRefuses},
		{"x5c with more padding", x5cIs(`["LEAF="]`), jws.ErrCertificates, joseRefuses},
		{"x5c with trailing bits", x5cIs(`["` + lastBit + `"]`), jws.ErrCertificates, joseAccepts},
		{"x5c with an escaped CR LF", x5cIs(`["` + leaf[:64] + `\r\n` + leaf[64:] + `"]`), jws.ErrMalformed, joseAccepts},
		{"x5c with LF", x5cIs(`["` + leaf[:64] + "\n" + leaf[64:] + `"]`), jws.ErrMalformed, joseRefuses},
		{"x5c with CR", x5cIs(`["` + leaf[:64] + "\r" + leaf[64:] + `"]`), jws.ErrMalformed, joseRefuses},
		{"x5c that ends in a space", x5cIs(`["LEAF "]`), jws.ErrCertificates, joseRefuses},
	} {
		text := strings.NewReplacer("CHAIN", chain, "LEAF", leaf).Replace(c.header)
		token := seal(t, url([]byte(text)), url(payload), keys.ES256, signer.Key())
		list = append(list, refusal{c.name, token, c.want, c.jose})
	}
	return list
}

var payload = []byte(`{"iss":"b.example"}`)

// formRefusals are tokens whose serialization has a defect.
func formRefusals(t *testing.T, signer *keys.Signer) []refusal {
	// Three texts whose base64url form has spare bits at the end.
	head := header(keys.ES256, signer)
	for len(head)%3 != 1 {
		head += " "
	}
	h, p := url([]byte(head)), url(payload)
	sealed := func(h, p string) string { return seal(t, h, p, keys.ES256, signer.Key()) }
	good := sealed(h, p)
	s := good[len(h)+len(p)+2:]
	mustAgree(t, good, signer.Leaf().PublicKey, payload)
	// RFC 7797: the payload is signed as it is, which go-jose does for a token
	// that carries it encoded.
	unencoded := url([]byte(strings.Replace(head, "{", `{"b64":false,"crit":["b64"],`, 1)))
	unencodedSignature, err := keys.ES256.Sign(signer.Key(), []byte(unencoded+"."+string(payload)))
	if err != nil {
		t.Fatal(err)
	}

	list := []refusal{
		{"nothing", "", jws.ErrMalformed, joseRefuses},
		{"one part", h, jws.ErrMalformed, joseRefuses},
		{"a dot in front", "." + good, jws.ErrMalformed, joseRefuses},
		{"only dots", "..", jws.ErrMalformed, joseRefuses},
		{"32,000 dots", strings.Repeat(".", 32000), jws.ErrMalformed, joseRefuses},
		{"payload empty", sealed(h, ""), jws.ErrMalformed, joseAccepts},
		{"trailing bits in the header", sealed(bits(h), p), jws.ErrMalformed, joseRefuses},
		{"trailing bits in the header, signed without", bits(h) + "." + p + "." + s, jws.ErrMalformed, joseAccepts},
		{"trailing bits in the payload", sealed(h, bits(p)), jws.ErrMalformed, joseRefuses},
		{"trailing bits in the payload, signed without", h + "." + bits(p) + "." + s, jws.ErrMalformed, joseAccepts},
		{"trailing bits in the signature", h + "." + p + "." + bits(s), jws.ErrMalformed, joseAccepts},
		{"one letter too many in the header", sealed(h+"AAA", p), jws.ErrMalformed, joseRefuses},
		{"one letter too many in the payload", sealed(h, p+"AAA"), jws.ErrMalformed, joseRefuses},
		{"standard alphabet in the payload", sealed(h, "+/+/"), jws.ErrMalformed, joseRefuses},
		{"not ASCII in the payload", sealed(h, "\u00e9\u00e9"), jws.ErrMalformed, joseRefuses},
		{"NUL at the end", good + "\x00", jws.ErrMalformed, joseRefuses},
		{"Bearer in front", "Bearer " + good, jws.ErrMalformed, joseRefuses},
		{"quotes around", `"` + good + `"`, jws.ErrMalformed, joseRefuses},
		{"JSON serialization, general", `{"payload":"` + p + `","signatures":[{"protected":"` + h + `","signature":"` + s + `"}]}`, jws.ErrMalformed, joseRefuses},
		{"payload not encoded", sealed(h, `{"a":1}`), jws.ErrMalformed, joseRefuses},
		{"payload signed unencoded", unencoded + "." + p + "." + url(unencodedSignature), jws.ErrMalformed, joseAccepts},
		{"payload detached", h + ".." + s, jws.ErrMalformed, joseRefuses},
	}
	for name, c := range map[string]string{
		"CR": "\r", "LF": "\n", "CR LF": "\r\n", "space": " ", "tab": "\t", "=": "=",
	} {
		skipped := strings.Trim(c, "\r\n") == "" // by go-jose, which verifies what is left
		for place, token := range map[string]string{
			"in the header, signed without":     h[:8] + c + h[8:] + "." + p + "." + s,
			"in the payload, signed without":    h + "." + p[:8] + c + p[8:] + "." + s,
			"after the header, signed without":  h + c + "." + p + "." + s,
			"after the payload, signed without": h + "." + p + c + "." + s,
			"in the signature":                  h + "." + p + "." + s[:8] + c + s[8:],
			"after the token":                   good + c,
			"before the token":                  c + good,
		} {
			list = append(list, refusal{name + " " + place, token, jws.ErrMalformed, skipped})
		}
		for place, token := range map[string]string{
			"in the header":     sealed(h[:8]+c+h[8:], p),
			"in the payload":    sealed(h, p[:8]+c+p[8:]),
			"after the header":  sealed(h+c, p),
			"after the payload": sealed(h, p+c),
		} {
			list = append(list, refusal{name + " " + place, token, jws.ErrMalformed, joseRefuses})
		}
	}
	return list
}

// bits sets the lowest bit of a base64 text's last character. With spare bits
// there the text still stands for the same octets.
func bits(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	last := len(text) - 1
	return text[:last] + string(alphabet[strings.IndexByte(alphabet, text[last])|1])
}

// signatureRefusals are tokens in good form that do not verify.
func signatureRefusals(t *testing.T, signer *keys.Signer) []refusal {
	h, p := url([]byte(header(keys.ES256, signer))), url(payload)
	good := seal(t, h, p, keys.ES256, signer.Key())
	s := good[len(h)+len(p)+2:]
	rs, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	again := seal(t, h, url([]byte(`{"iss":"c.example"}`)), keys.ES256, signer.Key())
	other := signerFor(t, keys.EdDSA)
	foreign := seal(t, url([]byte(header(keys.EdDSA, other))), p, keys.EdDSA, other.Key())
	relabel := func(a keys.Algorithm) string {
		return seal(t, url([]byte(header(a, signer))), p, keys.ES256, signer.Key())
	}
	return []refusal{
		{"PS256 with a P-256 key", relabel(keys.PS256), keys.ErrAlgorithmMismatch, joseRefuses},
		{"a good token of another key", foreign, keys.ErrAlgorithmMismatch, joseRefuses},
		{"chain cut", url([]byte(`{"alg":"ES256","typ":"dna+jwt","x5c":`+x5c(signer.Chain()[:1])+`}`)) + "." + p + "." + s, keys.ErrSignature, joseRefuses},
		{"signature with r and s swapped", h + "." + p + "." + url(slices.Concat(rs[32:], rs[:32])), keys.ErrSignature, joseRefuses},
		{"signature of another payload", h + "." + p + "." + again[strings.LastIndex(again, ".")+1:], keys.ErrSignature, joseRefuses},
		{"signature of one octet", h + "." + p + ".AA", keys.ErrSignature, joseRefuses},
		{"signature encoded twice", h + "." + p + "." + url([]byte(s)), keys.ErrSignature, joseRefuses},
	}
}

// causes are the errors of Parse for the reasons of the test vectors.
var causes = map[string]error{
	"statement-too-large": jws.ErrTooLarge, "malformed-token": jws.ErrMalformed, "bad-header": jws.ErrHeader, "wrong-type": jws.ErrType,
	"unsupported-algorithm": jws.ErrAlgorithm, "malformed-certificate": jws.ErrCertificates,
}

// TestVectorTokens: Parse refuses what is wrong with the tokens of the test vectors, and
// nothing else. What certificates are is not its business.
func TestVectorTokens(t *testing.T) {
	var file struct {
		Cases []struct {
			ID       string
			Evidence struct{ Documents []struct{ Body []byte } }
			Expect   struct{ Reason string }
		}
	}
	if err := json.Unmarshal(localca.Must(testvectors.Files.ReadFile("jws.json")), &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range file.Cases {
		want := causes[c.Expect.Reason]
		switch c.ID {
		case "jws-x5c-no-certificate", "jws-x5c-more", "jws-x5c-cut":
			want = nil
		}
		for _, d := range c.Evidence.Documents {
			if len(d.Body) == 0 {
				continue
			}
			n++
			if _, err := jws.Parse(d.Body, typ); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", c.ID, err, want)
			}
		}
	}
	if n < 240 {
		t.Errorf("only %d tokens", n)
	}
}

func TestRefusals(t *testing.T) {
	signer := signerFor(t, keys.ES256)
	cases := slices.Concat(headerRefusals(t, signer), formRefusals(t, signer), signatureRefusals(t, signer))
	seen, accepted := map[string]bool{}, 0
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		seen[c.name] = true
		if got, err := read(c.token, signer.Leaf().PublicKey); got != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %q, %v, want %v", c.name, got, err, c.want)
		}
		_, err := joseRead(c.token, signer.Leaf().PublicKey)
		if (err == nil) != c.jose {
			t.Errorf("%s: go-jose accepts: %t, noted: %t (%v)", c.name, err == nil, c.jose, err)
		}
		if c.jose {
			accepted++
		}
	}
	t.Logf("%d refusals; go-jose accepts %d of these tokens", len(cases), accepted)
	if len(cases) < 177 || accepted < 78 {
		t.Errorf("%d cases, %d of them accepted by go-jose: fewer than there were", len(cases), accepted)
	}
}

// TestRefusalSentinels: an error of Parse is exactly one of the six.
func TestRefusalSentinels(t *testing.T) {
	all := []error{jws.ErrTooLarge, jws.ErrMalformed, jws.ErrHeader, jws.ErrType, jws.ErrAlgorithm, jws.ErrCertificates}
	signer := signerFor(t, keys.ES256)
	for _, c := range slices.Concat(headerRefusals(t, signer), formRefusals(t, signer)) {
		_, err := jws.Parse([]byte(c.token), typ)
		matches := 0
		for _, sentinel := range all {
			if errors.Is(err, sentinel) {
				matches++
			}
		}
		if matches != 1 {
			t.Errorf("%s: %v is %d of the errors, want 1", c.name, err, matches)
		}
	}
}
