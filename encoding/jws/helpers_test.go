package jws_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

const typ = "dna+jwt"

// kinds is the kind of key that the tests use with each algorithm.
var kinds = map[keys.Algorithm]string{
	keys.ES256: "P-256", keys.ES384: "P-384", keys.RS256: "RSA-2048", keys.PS256: "RSA-2048", keys.EdDSA: "Ed25519",
}

// stock keeps the signers of a test run by kind of key.
var stock struct {
	sync.Mutex
	issuing *localca.Authority
	signers map[string]*keys.Signer
}

// signerFor returns the test run's signer for an algorithm: a leaf for
// b.example and one issuing authority.
func signerFor(t testing.TB, a keys.Algorithm) *keys.Signer {
	t.Helper()
	stock.Lock()
	defer stock.Unlock()
	if stock.issuing == nil {
		stock.issuing = localca.NewChain(time.Now())
		stock.signers = map[string]*keys.Signer{}
	}
	kind := kinds[a]
	// Most of a leaf's bits are random. One in some tries has a base64 form
	// with two padding characters and one of those that base64url replaces. The
	// tests need both.
	for stock.signers[kind] == nil {
		signer := localca.Must(stock.issuing.Issue(kind, []string{"b.example"}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), nil))
		if text := std(signer.Leaf().Raw); strings.HasSuffix(text, "==") && strings.ContainsAny(text, "+/") {
			stock.signers[kind] = signer
		}
	}
	return stock.signers[kind]
}

func std(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
func url(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// x5c is a chain as the value of that parameter.
func x5c(chain []*x509.Certificate) string {
	var list []string
	for _, c := range chain {
		list = append(list, `"`+std(c.Raw)+`"`)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// header is a good protected header.
func header(a keys.Algorithm, signer *keys.Signer) string {
	return `{"alg":"` + string(a) + `","typ":"` + typ + `","x5c":` + x5c(signer.Chain()) + `}`
}

// seal signs two parts as they are and puts a token together, so that a token
// with a defect in either still has a good signature.
func seal(t testing.TB, headerPart, payloadPart string, a keys.Algorithm, key crypto.Signer) string {
	t.Helper()
	input := headerPart + "." + payloadPart
	signature, err := a.Sign(key, []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + url(signature)
}

// read is Parse and Verify.
func read(token string, pub crypto.PublicKey) ([]byte, error) {
	u, err := jws.Parse([]byte(token), typ)
	if err != nil {
		return nil, err
	}
	return u.Verify(pub)
}

// joseRead is the same by go-jose.
func joseRead(token string, pub crypto.PublicKey) ([]byte, error) {
	var algorithms []jose.SignatureAlgorithm
	for _, a := range keys.Algorithms() {
		algorithms = append(algorithms, jose.SignatureAlgorithm(a))
	}
	object, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	return object.Verify(pub)
}

// mustAgree fails the test unless we and go-jose both accept the token with
// that payload.
func mustAgree(t interface {
	Helper()
	Fatalf(string, ...any)
}, token string, pub crypto.PublicKey, payload []byte) {
	t.Helper()
	if got, err := read(token, pub); err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("we read %q, %v, want %q from %s", got, err, payload, token)
	}
	if got, err := joseRead(token, pub); err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("go-jose reads %q, %v, want %q from %s", got, err, payload, token)
	}
}
