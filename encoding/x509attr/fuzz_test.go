package x509attr

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"testing"

	"github.com/dnasign/dnasign/testvectors"
)

// fuzzSeeds returns attribute certificates of every kind.
func fuzzSeeds(f *testing.F) [][]byte {
	f.Helper()
	seeds := [][]byte{create(f, richTemplate(f)), create(f, plainTemplate(f))}
	for _, s := range signings {
		key := testKeys()[s.key]
		template := interopTemplate(f)
		template.SignatureAlgorithm = s.algorithm
		der, err := Create(rand.Reader, template, selfSigned(f, issuerTemplate(""), key), key)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, der)
	}
	for _, der := range readTestdata(f, "real/*.der", 6) {
		seeds = append(seeds, der)
	}
	return seeds
}

// checkError fails the test unless err is of the type that is promised.
func checkError(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Problem == "" || e.Detail == "" {
		t.Fatalf("error is %#v", err)
	}
}

// FuzzParse holds Parse to the law: what it accepts is written again to the
// same octets from the fields alone.
func FuzzParse(f *testing.F) {
	for _, der := range fuzzSeeds(f) {
		f.Add(der)
	}
	seeds, err := testvectors.ReadSeeds()
	if err != nil {
		f.Fatal(err)
	}
	for _, der := range seeds.Messages {
		if bag, err := ParseBag(der); err == nil && len(bag.AttributeCertificates) > 0 {
			f.Add(bag.AttributeCertificates[0])
		}
	}
	key := testKeys()["Ed25519"]
	template := issuerTemplate("")
	template.SubjectKeyId = nil // so that Create adds nothing
	issuer := selfSigned(f, template, key)
	f.Fuzz(func(t *testing.T, der []byte) {
		input := bytes.Clone(der)
		ac, err := Parse(der)
		if !bytes.Equal(input, der) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			checkError(t, err)
			return
		}
		checkReencodes(t, ac)
		if err := ac.CheckSignatureFrom(issuer); err != nil {
			checkError(t, err)
		}
		if block, rest := pem.Decode(EncodePEM(der)); block == nil || len(rest) > 0 || !bytes.Equal(block.Bytes, der) {
			t.Fatal("lost in PEM")
		}
		ac.ValidAt(start)
		ac.UnhandledCriticalExtensions()
		for _, name := range ac.Holder.EntityName {
			_ = name.String()
		}

		// What was parsed can be issued anew and then says the same, unless it
		// ends before it begins or the new signature makes it too large.
		ac.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
		again, err := Create(nil, ac, issuer, key)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Problem != ProblemTime && e.Problem != ProblemLimit {
				t.Fatal(err)
			}
			return
		}
		if got := mustParse(t, again); !slices.Equal(describe(got), describe(ac)) {
			t.Fatal("issued anew, it says something else")
		}
	})
}

// FuzzParseBag checks the law of ParseBag: what it accepts is written again to
// the same octets, up to the order of the set of certificates. The set is then
// in the one order that DER has.
func FuzzParseBag(f *testing.F) {
	certs := readTestdata(f, "real/*.crt", 6)
	for _, der := range fuzzSeeds(f) {
		f.Add(marshalBag(f, &Bag{[][]byte{der}, [][]byte{certs["bouncycastle-p256.crt"]}}))
	}
	for _, der := range readTestdata(f, "real/*.p7c", 4) {
		f.Add(der)
	}
	seeds, err := testvectors.ReadSeeds()
	if err != nil {
		f.Fatal(err)
	}
	for _, der := range seeds.Messages {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		input := bytes.Clone(der)
		bag, err := ParseBag(der)
		if !bytes.Equal(input, der) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			checkError(t, err)
			return
		}
		again := marshalBag(t, bag)
		if len(again) != len(der) || !bytes.Equal(sortedOctets(again), sortedOctets(der)) {
			t.Fatalf("written again as\n%x, was\n%x", again, der)
		}
		second, err := ParseBag(again)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(marshalBag(t, second), again) {
			t.Fatal("written a third time to other octets")
		}
		if sorted := slices.IsSortedFunc(members(t, der), bytes.Compare); sorted != bytes.Equal(again, der) {
			t.Fatalf("in order: %v, but written again as\n%x, was\n%x", sorted, again, der)
		}
		if _, err := bag.Single(); err != nil {
			checkError(t, err)
		}
	})
}

// sortedOctets returns the octets of s in order, for comparing two strings up
// to the order of their parts.
func sortedOctets(s []byte) []byte {
	s = bytes.Clone(s)
	slices.Sort(s)
	return s
}

// members returns the elements of a bag's set of certificates as encoded.
func members(t *testing.T, bag []byte) [][]byte {
	t.Helper()
	signedData, err := readContentInfo(bytes.Clone(bag))
	if err != nil {
		t.Fatal(err)
	}
	// Of the fields of SignedData, the set is the fourth.
	fields := splitElements(t, signedData)
	return splitElements(t, contentOf(t, fields[3]))
}
