package x509attr

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
)

// TestRealCertificates reads what other software made, without that software.
func TestRealCertificates(t *testing.T) {
	issuers := readTestdata(t, "real/*.crt", 6)
	bags := readTestdata(t, "real/*.p7c", 4)
	for name, der := range readTestdata(t, "real/*.der", 6) {
		name := strings.TrimSuffix(name, ".der")
		t.Run(name, func(t *testing.T) {
			issuer, err := x509.ParseCertificate(issuers[name+".crt"])
			if err != nil {
				t.Fatal(err)
			}
			ac := mustParse(t, der)
			checkReencodes(t, ac)
			if err := ac.CheckSignatureFrom(issuer); err != nil {
				t.Error(err)
			}
			encoded, ok := bags[name+".p7c"]
			if !ok {
				return
			}
			bag, err := ParseBag(encoded)
			if err != nil {
				t.Fatal(err)
			}
			single, err := bag.Single()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(single, der) || len(bag.Certificates) != 1 || !bytes.Equal(bag.Certificates[0], issuer.Raw) {
				t.Error("the bag holds something else")
			}
		})
	}
}
