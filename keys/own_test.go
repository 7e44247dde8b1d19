package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/keys"
)

// TestSelfIssue: the certificate is its own issuer, for signing alone, and says
// what it was told.
func TestSelfIssue(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	to := from.AddDate(1, 0, 0)
	for _, domain := range []string{"b.example", strings.Repeat("a.", 60) + "example"} {
		signer, err := keys.SelfIssue(key, domain, from, to)
		if err != nil {
			t.Fatal(err)
		}
		leaf := signer.Leaf()
		switch {
		case len(signer.Chain()) != 1 || !bytes.Equal(leaf.RawSubject, leaf.RawIssuer):
			t.Errorf("%s: a chain of %d, subject %s, issuer %s", domain, len(signer.Chain()), leaf.Subject, leaf.Issuer)
		case leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil:
			t.Errorf("%s: another key signed it", domain)
		case len(leaf.DNSNames) != 1 || leaf.DNSNames[0] != domain || len(leaf.Subject.CommonName) > 64:
			t.Errorf("%s: names %q, common name %q", domain, leaf.DNSNames, leaf.Subject.CommonName)
		case leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature || len(leaf.ExtKeyUsage) != 1:
			t.Errorf("%s: usages %v %v, authority %t", domain, leaf.KeyUsage, leaf.ExtKeyUsage, leaf.IsCA)
		case !leaf.NotBefore.Equal(from) || !leaf.NotAfter.Equal(to):
			t.Errorf("%s: valid from %s to %s", domain, leaf.NotBefore, leaf.NotAfter)
		}
	}
}
