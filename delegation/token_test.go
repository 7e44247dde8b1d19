package delegation

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// token is a spoiler that changes the token, which a document carries, since a
// TXT record can hold few octets.
func token(change func(compact string) string) func(*trial) {
	return func(tr *trial) {
		tr.token = change
		tr.evidence = evidenceOf(document(tr.sign()))
	}
}

// part is a spoiler that changes one of the three parts of the token.
func part(i int, change func(part string) string) func(*trial) {
	return token(func(compact string) string {
		parts := strings.Split(compact, ".")
		parts[i] = change(parts[i])
		return strings.Join(parts, ".")
	})
}

// header is a spoiler that replaces a part of the header before it is signed.
func header(old, with string) func(*trial) {
	return func(tr *trial) { tr.header = replace(tr.t, old, with) }
}

// chain is a spoiler that changes the certificates in x5c.
func chain(change func(lab *laboratory, der [][]byte) [][]byte) func(*trial) {
	return func(tr *trial) {
		var der [][]byte
		for _, c := range tr.signer.Chain() {
			der = append(der, c.Raw)
		}
		tr.chain = change(tr.laboratory, der)
	}
}

// x5c is a spoiler that changes the text of the first certificate.
func x5c(change func(text string) string) func(*trial) {
	return func(tr *trial) {
		text := base64.StdEncoding.EncodeToString(tr.signer.Leaf().Raw)
		header(`"`+text+`"`, change(text))(tr)
	}
}

func repeated(n int) func(*trial) {
	return chain(func(_ *laboratory, der [][]byte) [][]byte {
		for len(der) < n {
			der = append(der, der[len(der)-1])
		}
		return der
	})
}

func flipLastBit(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + string(alphabet[last^1])
}

func tokenCases() []verifyCase {
	return []verifyCase{
		{"two parts", token(func(c string) string { return c[:strings.LastIndexByte(c, '.')] }), reasons.MalformedToken},
		{"four parts", token(func(c string) string { return c + ".AAAA" }), reasons.MalformedToken},
		{"five parts, as encrypted tokens have", token(func(c string) string { return c + ".AAAA.AAAA" }), reasons.MalformedToken},
		{"dot at the end", token(func(c string) string { return c + "." }), reasons.MalformedToken},
		{"empty header", part(0, func(string) string { return "" }), reasons.MalformedToken},
		{"empty payload", part(1, func(string) string { return "" }), reasons.MalformedToken},
		{"empty signature", part(2, func(string) string { return "" }), reasons.MalformedToken},
		{"padding", part(1, func(p string) string { return p + "=" }), reasons.MalformedToken},
		{"LF inside", part(1, func(p string) string { return p[:8] + "\n" + p[8:] }), reasons.MalformedToken},
		{"CR LF inside", part(2, func(p string) string { return p[:8] + "\r\n" + p[8:] }), reasons.MalformedToken},
		{"space inside", part(0, func(p string) string { return p[:8] + " " + p[8:] }), reasons.MalformedToken},
		{"other alphabet", part(2, func(p string) string { return "+/" + p[2:] }), reasons.MalformedToken},
		{"one octet too few for base64", part(2, func(p string) string { return p + "AAA" }), reasons.MalformedToken},
		{"trailing bits of the signature", part(2, flipLastBit), reasons.MalformedToken},
		{"JSON serialization", token(func(c string) string {
			p := strings.Split(c, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		}), reasons.MalformedToken},

		{"header is no JSON", func(tr *trial) { tr.header = func(string) string { return "alg" } }, reasons.MalformedToken},
		{"header with something after it", header(`]}`, `]} {}`), reasons.MalformedToken},
		{"header with a name twice", header(`{"alg"`, `{"typ":"dna+jwt","alg"`), reasons.MalformedToken},
		{"header with a name twice, once escaped", header(`{"alg"`, `{"t\u0079p":"dna+jwt","alg"`), reasons.MalformedToken},
		{"header with an escape", header(`"dna+jwt"`, `"dna\u002bjwt"`), reasons.MalformedToken},
		{"header with a byte order mark", header(`{"alg"`, "\ufeff{\"alg\""), reasons.MalformedToken},
		{"b64 false", header(`{"alg"`, `{"b64":false,"alg"`), reasons.MalformedToken},
		{"crit null", header(`{"alg"`, `{"crit":null,"alg"`), reasons.MalformedToken},
		{"header nested too deep", header(`{"alg"`, `{"x":[[[[]]]],"alg"`), reasons.MalformedToken},
		{"header with 33 certificates", repeated(33), reasons.MalformedToken},
		{"header with white space and in another order", func(tr *trial) {
			tr.header = func(json string) string {
				alg, rest, _ := strings.Cut(strings.TrimPrefix(json, "{"), ",")
				return " {\n" + strings.TrimSuffix(rest, "}") + "\t,\r\n" + alg + " } "
			}
		}, reasons.Verified},

		{"header is an array", func(tr *trial) { tr.header = func(json string) string { return "[" + json + "]" } }, reasons.BadHeader},
		{"no alg", header(`"alg":"ES256",`, ``), reasons.BadHeader},
		{"no typ", header(`"typ":"dna+jwt",`, ``), reasons.BadHeader},
		{"no x5c", func(tr *trial) { tr.header = func(string) string { return `{"alg":"ES256","typ":"dna+jwt"}` } }, reasons.BadHeader},
		{"alg of another kind", header(`"ES256"`, `256`), reasons.BadHeader},
		{"typ of another kind", header(`"dna+jwt"`, `["dna+jwt"]`), reasons.BadHeader},
		{"x5c of another kind", func(tr *trial) {
			tr.header = func(string) string { return `{"alg":"ES256","typ":"dna+jwt","x5c":"MII="}` }
		}, reasons.BadHeader},
		{"alg in upper case", header(`"alg"`, `"ALG"`), reasons.BadHeader},
		{"crit", header(`{"alg"`, `{"crit":["exp"],"alg"`), reasons.BadHeader},
		{"crit empty", header(`{"alg"`, `{"crit":[],"alg"`), reasons.BadHeader},
		{"crit b64", header(`{"alg"`, `{"crit":["b64"],"alg"`), reasons.BadHeader},
		{"jwk", header(`{"alg"`, `{"jwk":{},"alg"`), reasons.BadHeader},
		{"jku", header(`{"alg"`, `{"jku":"https://evil.example/","alg"`), reasons.BadHeader},
		{"x5u", header(`{"alg"`, `{"x5u":"https://evil.example/","alg"`), reasons.BadHeader},
		{"x5t", header(`{"alg"`, `{"x5t":"AAAA","alg"`), reasons.BadHeader},
		{"kid", header(`{"alg"`, `{"kid":"1","alg"`), reasons.BadHeader},
		{"cty", header(`{"alg"`, `{"cty":"JWT","alg"`), reasons.BadHeader},
		{"zip", header(`{"alg"`, `{"zip":"DEF","alg"`), reasons.BadHeader},
		{"unknown parameter", header(`{"alg"`, `{"x":"","alg"`), reasons.BadHeader},

		{"typ JWT", header(`"dna+jwt"`, `"JWT"`), reasons.WrongType},
		{"typ empty", header(`"dna+jwt"`, `""`), reasons.WrongType},
		{"typ in upper case", header(`"dna+jwt"`, `"DNA+JWT"`), reasons.WrongType},
		{"typ as a media type", header(`"dna+jwt"`, `"application/dna+jwt"`), reasons.WrongType},
		{"typ of a later version", header(`"dna+jwt"`, `"dna2+jwt"`), reasons.WrongType},

		{"alg none", header(`"ES256"`, `"none"`), reasons.UnsupportedAlgorithm},
		{"alg None", header(`"ES256"`, `"None"`), reasons.UnsupportedAlgorithm},
		{"alg HS256", header(`"ES256"`, `"HS256"`), reasons.UnsupportedAlgorithm},
		{"alg ES512", header(`"ES256"`, `"ES512"`), reasons.UnsupportedAlgorithm},
		{"alg RS1", header(`"ES256"`, `"RS1"`), reasons.UnsupportedAlgorithm},
		{"alg Ed25519", header(`"ES256"`, `"Ed25519"`), reasons.UnsupportedAlgorithm},
		{"alg in lower case", header(`"ES256"`, `"es256"`), reasons.UnsupportedAlgorithm},
		{"alg empty", header(`"ES256"`, `""`), reasons.UnsupportedAlgorithm},

		{"x5c empty", chain(func(*laboratory, [][]byte) [][]byte { return [][]byte{} }), reasons.MalformedCertificate},
		{"x5c with 6 certificates", repeated(6), reasons.MalformedCertificate},
		{"x5c with a number", x5c(func(string) string { return `1` }), reasons.MalformedCertificate},
		{"x5c with an empty string", x5c(func(string) string { return `""` }), reasons.MalformedCertificate},
		{"x5c without padding", x5c(func(text string) string { return `"` + strings.TrimRight(text+"A", "=") + `"` }), reasons.MalformedCertificate},
		{"x5c with a space", x5c(func(text string) string { return `"` + text[:8] + " " + text[8:] + `"` }), reasons.MalformedCertificate},
		{"x5c in base64url", x5c(func(text string) string { return `"-_` + text[2:] + `"` }), reasons.MalformedCertificate},
		{"x5c with trailing bits", x5c(func(string) string { return `"MIB="` }), reasons.MalformedCertificate},
		{"x5c that is not a certificate", x5c(func(string) string { return `"MIIB"` }), reasons.MalformedCertificate},
		{"x5c with octets after the certificate", chain(func(_ *laboratory, der [][]byte) [][]byte {
			return [][]byte{append(der[0][:len(der[0]):len(der[0])], 0), der[1]}
		}), reasons.MalformedCertificate},
		{"x5c with a broken intermediate", chain(func(_ *laboratory, der [][]byte) [][]byte {
			return [][]byte{der[0], der[1][:len(der[1])-1]}
		}), reasons.MalformedCertificate},
	}
}

func TestToken(t *testing.T) { runCases(t, 68, tokenCases()) }

// signature is a spoiler for a signer of a kind whose signature is changed.
func signature(kind string, algorithm keys.Algorithm, change func(signature []byte) []byte) func(*trial) {
	return func(tr *trial) {
		tr.signer, tr.algorithm = tr.issue(kind, nil), algorithm
		part(2, func(p string) string {
			raw, err := base64.RawURLEncoding.DecodeString(p)
			if err != nil {
				tr.t.Fatal(err)
			}
			return base64.RawURLEncoding.EncodeToString(change(raw))
		})(tr)
	}
}

func same(s []byte) []byte { return s }

// zero is a signature of zeros, the one that CVE-2022-21449 was about.
func zero(s []byte) []byte { return make([]byte, len(s)) }

func longer(s []byte) []byte  { return append(s, 0) }
func shorter(s []byte) []byte { return s[:len(s)-1] }

func mirrored(s []byte) []byte {
	n, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	new(big.Int).Sub(n, new(big.Int).SetBytes(s[32:])).FillBytes(s[32:])
	return s
}

func asDER(s []byte) []byte {
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(s[:32]), new(big.Int).SetBytes(s[32:])})
	if err != nil {
		panic(err)
	}
	return der
}

func mismatch(kind string, algorithm keys.Algorithm) func(*trial) {
	return func(tr *trial) { tr.signer, tr.algorithm = tr.issue(kind, nil), algorithm }
}

func signatureCases() []verifyCase {
	return []verifyCase{
		{"ES256", signature("P-256", keys.ES256, same), reasons.Verified},
		{"ES384", signature("P-384", keys.ES384, same), reasons.Verified},
		{"RS256", signature("RSA-2048", keys.RS256, same), reasons.Verified},
		{"PS256", signature("RSA-2048", keys.PS256, same), reasons.Verified},
		{"EdDSA", signature("Ed25519", keys.EdDSA, same), reasons.Verified},

		{"ES384 with P-256", mismatch("P-256", keys.ES384), reasons.AlgorithmMismatch},
		{"ES256 with P-384", mismatch("P-384", keys.ES256), reasons.AlgorithmMismatch},
		{"ES256 with P-521", mismatch("P-521", keys.ES256), reasons.AlgorithmMismatch},
		{"RS256 with P-256", mismatch("P-256", keys.RS256), reasons.AlgorithmMismatch},
		{"PS256 with Ed25519", mismatch("Ed25519", keys.PS256), reasons.AlgorithmMismatch},
		{"EdDSA with P-256", mismatch("P-256", keys.EdDSA), reasons.AlgorithmMismatch},
		{"ES256 with RSA", mismatch("RSA-2048", keys.ES256), reasons.AlgorithmMismatch},
		{"EdDSA with RSA", mismatch("RSA-2048", keys.EdDSA), reasons.AlgorithmMismatch},

		{"RS256 signature, PS256 header", func(tr *trial) {
			tr.signer, tr.algorithm = tr.issue("RSA-2048", nil), keys.RS256
			header(`"RS256"`, `"PS256"`)(tr)
		}, reasons.BadSignature},
		{"ES256 all zero", signature("P-256", keys.ES256, zero), reasons.BadSignature},
		{"ES384 all zero", signature("P-384", keys.ES384, zero), reasons.BadSignature},
		{"EdDSA all zero", signature("Ed25519", keys.EdDSA, zero), reasons.BadSignature},
		{"RS256 all zero", signature("RSA-2048", keys.RS256, zero), reasons.BadSignature},
		{"ES256 an octet longer", signature("P-256", keys.ES256, longer), reasons.BadSignature},
		{"ES256 an octet shorter", signature("P-256", keys.ES256, shorter), reasons.BadSignature},
		{"ES256 in DER", signature("P-256", keys.ES256, asDER), reasons.BadSignature},
		{"ES256 as (r, n-s)", signature("P-256", keys.ES256, mirrored), reasons.Verified},
		{"RS256 an octet longer", signature("RSA-2048", keys.RS256, longer), reasons.BadSignature},
		{"PS256 an octet shorter", signature("RSA-2048", keys.PS256, shorter), reasons.BadSignature},
		{"EdDSA an octet longer", signature("Ed25519", keys.EdDSA, longer), reasons.BadSignature},
		{"PS256 with the longest salt", func(tr *trial) {
			tr.signer, tr.algorithm = tr.issue("RSA-2048", nil), keys.PS256
			token(func(compact string) string {
				signed := compact[:strings.LastIndexByte(compact, '.')]
				digest := sha256.Sum256([]byte(signed))
				s, err := rsa.SignPSS(rand.Reader, tr.signer.Key().(*rsa.PrivateKey), crypto.SHA256, digest[:],
					&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto})
				if err != nil {
					tr.t.Fatal(err)
				}
				return signed + "." + base64.RawURLEncoding.EncodeToString(s)
			})(tr)
		}, reasons.BadSignature},

		{"claims altered", part(1, func(p string) string {
			raw, _ := base64.RawURLEncoding.DecodeString(p)
			return base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), "xmpp.hosting", "evil.hosting", 1)))
		}), reasons.BadSignature},
		{"white space added to the claims", part(1, func(p string) string {
			raw, _ := base64.RawURLEncoding.DecodeString(p)
			return base64.RawURLEncoding.EncodeToString(append([]byte(" "), raw...))
		}), reasons.BadSignature},
		{"white space added to the header", part(0, func(p string) string {
			raw, _ := base64.RawURLEncoding.DecodeString(p)
			return base64.RawURLEncoding.EncodeToString(append([]byte(" "), raw...))
		}), reasons.BadSignature},
		{"signed with another key", func(tr *trial) {
			other := tr.issue("P-256", nil)
			chain(func(_ *laboratory, der [][]byte) [][]byte { return der })(tr)
			tr.signer = other
		}, reasons.BadSignature},
	}
}

func TestSignature(t *testing.T) { runCases(t, 29, signatureCases()) }
