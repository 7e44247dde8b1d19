package vectors

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"

	"golang.org/x/crypto/ocsp"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

// A thing is something else that the key of a TLS certificate signs.
type thing struct {
	id, name string
	message  []byte // what is signed
	whole    []byte // the whole structure in DER, nil where there is none
}

// things are one of every kind, by the signer's key.
func things(s *signer) []thing {
	// An authority with the same key: crypto/x509 wants one to sign lists and
	// answers with.
	authority := *s.leaf
	authority.IsCA, authority.KeyUsage, authority.SubjectKeyId = true, x509.KeyUsageCRLSign|x509.KeyUsageCertSign, []byte{1}
	tbs := func(der []byte) []byte { return dertree.MustParse(der).At(0).Bytes() }

	hash := bytes.Repeat([]byte{0x5a}, crypto.SHA256.Size())
	tls13 := strings.Repeat(" ", 64) + "TLS 1.3, server CertificateVerify\x00" + string(hash)
	// RFC 8422, Section 5.4: two random values and an ECDH key on a named curve.
	tls12 := append(bytes.Repeat([]byte{0x11}, 64), append([]byte{3, 0, 0x1d, 32}, hash...)...)

	csr := must(x509.CreateCertificateRequest(nil, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: source}, DNSNames: []string{source}}, s.key))
	certificate := must(x509.CreateCertificate(nil, &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: begins, NotAfter: ends, DNSNames: []string{source},
	}, &authority, s.leaf.PublicKey, s.key))
	crl := must(x509.CreateRevocationList(nil, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: begins, NextUpdate: ends,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(2), RevocationTime: begins}},
	}, &authority, s.key))
	response := dertree.MustParse(must(ocsp.CreateResponse(&authority, s.leaf, ocsp.Response{
		Status: ocsp.Good, SerialNumber: s.leaf.SerialNumber, ThisUpdate: begins, NextUpdate: ends,
	}, s.key)))
	// Package ocsp puts in the time of day: the first and only GeneralizedTime
	// at that level of ResponseData.
	basic := dertree.MustParse(response.At(1, 0, 1).Content)
	for _, field := range basic.At(0).Children {
		if field.Tag == acder.TagTime {
			*field = *acder.GeneralizedTime(now)
		}
	}
	*basic.At(2) = *acder.Bits(acder.Sign(nil, s.key, crypto.SHA256, basic.At(0).Bytes()))
	response.At(1, 0, 1).Content = basic.Bytes()
	return []thing{
		{"tls13", "a TLS 1.3 CertificateVerify", []byte(tls13), nil},
		{"tls12", "a TLS 1.2 ServerKeyExchange", tls12, nil},
		{"csr", "a certificate request", tbs(csr), csr},
		{"certificate", "a certificate", tbs(certificate), certificate},
		{"crl", "a revocation list", tbs(crl), crl},
		{"ocsp", "an OCSP response", basic.At(0).Bytes(), response.Bytes()},
	}
}

// jwsOthers are other tokens and other signed things, offered as tokens.
func jwsOthers() []entry {
	jwt := func(typ string) step {
		return all(header(`"dna+jwt"`, `"`+typ+`"`), payloadText(func(string) string {
			return `{"iss":"b.example","sub":"somebody","aud":"xmpp.hosting.example","iat":1782903600,"exp":1784030400,"jti":"AQAAAAAAAAAAAAAAAAAAAg"}`
		}))
	}
	list := []entry{
		bad("other-jwt", "other-jws", "wrong-type", "a JWT with the signer's chain", jwt("JWT")),
		bad("other-access-token", "other-jws", "wrong-type", "an access token of RFC 9068", jwt("at+jwt")),
		bad("other-dpop", "other-jws", "bad-header", "a proof of possession of RFC 9449, with its key in the header", all(
			jwt("dpop+jwt"), header(`{"alg"`, `{"jwk":{"kty":"EC","crv":"P-256"},"alg"`))),
		bad("other-acme", "other-jws", "bad-header", "a request of ACME (RFC 8555)", all(
			headerText(func(string) string {
				return `{"alg":"ES256","nonce":"AAAA","url":"https://acme.example/order","kid":"https://acme.example/account/1"}`
			}), payloadText(func(string) string { return `{"identifiers":[{"type":"dns","value":"b.example"}]}` }))),
		bad("other-no-typ", "other-jws", "bad-header", "a JWT without typ", header(`,"typ":"dna+jwt"`, ``)),
	}
	// Of these the signature is valid, over what was signed.
	offer := func(message func(t *trial) []byte) step {
		return func(t *trial) {
			signed := message(t)
			t.token = append(t.token, func(string) string {
				return base64url(signed) + "." + base64url(jwsSignature("ES256", t.signer.key, signed))
			})
		}
	}
	for i, kind := range []string{"tls13", "tls12", "csr", "certificate", "crl", "ocsp"} {
		list = append(list, bad("other-"+kind, "other-thing", "malformed-token", "offered in the alphabet of a token: "+thingNames[i],
			offer(func(t *trial) []byte { return things(t.signer)[i].message })))
	}
	return append(list, bad("other-raw-certificate", "other-thing", "malformed-token", "a certificate in DER instead of a token", func(t *trial) {
		whole := things(t.signer)[3].whole
		t.token = append(t.token, func(string) string { return string(whole) })
	}))
}

var thingNames = []string{
	"a TLS 1.3 CertificateVerify", "a TLS 1.2 ServerKeyExchange", "a certificate request", "a certificate", "a revocation list", "an OCSP response",
}
