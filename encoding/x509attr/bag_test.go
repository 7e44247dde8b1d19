package x509attr

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/cryptobyte/asn1"
	"pgregory.net/rapid"
)

// testBag holds one attribute certificate and two others.
func testBag(t testing.TB) *Bag {
	keys := testKeys()
	return &Bag{
		AttributeCertificates: [][]byte{create(t, richTemplate(t))},
		Certificates: [][]byte{
			selfSigned(t, issuerTemplate("Issuer"), keys["P-256"]).Raw,
			selfSigned(t, issuerTemplate("Another"), keys["RSA-2048"]).Raw,
		},
	}
}

// marshalBag writes what has to be right.
func marshalBag(t rapid.TB, bag *Bag) []byte {
	t.Helper()
	der, err := MarshalBag(bag)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestBagRoundTrip writes and reads a bag.
func TestBagRoundTrip(t *testing.T) {
	bag := testBag(t)
	before := &Bag{slices.Clone(bag.AttributeCertificates), slices.Clone(bag.Certificates)}
	der := marshalBag(t, bag)
	if diff := cmp.Diff(before, bag); diff != "" {
		t.Errorf("bag was changed: %s", diff)
	}
	got, err := ParseBag(der)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(bag.Certificates, bytes.Compare)
	if diff := cmp.Diff(bag, got); diff != "" {
		t.Error(diff)
	}
	if again := marshalBag(t, got); !bytes.Equal(again, der) {
		t.Error("written again to other octets")
	}
	single, err := got.Single()
	if err != nil {
		t.Fatal(err)
	}
	ac := mustParse(t, single)
	checkReencodes(t, ac)
	issuer, err := x509.ParseCertificate(bag.Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(issuer.RawSubject, ac.RawIssuer) {
		if issuer, err = x509.ParseCertificate(bag.Certificates[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := ac.CheckSignatureFrom(issuer); err != nil {
		t.Error(err)
	}

	// Any order of the set is read; writing sorts it.
	root := parseTree(t, der)
	slices.Reverse(root.at(1, 0, 3).children)
	reversed, err := ParseBag(root.encode())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(marshalBag(t, reversed), der) {
		t.Error("the reversed bag is written to other octets")
	}
}

// TestBagSingle covers counts.
func TestBagSingle(t *testing.T) {
	_, err := new(Bag).Single()
	wantProblem(t, err, ProblemBagNone)
	bag := testBag(t)
	bag.AttributeCertificates = append(bag.AttributeCertificates, create(t, plainTemplate(t)))
	bag, err = ParseBag(marshalBag(t, bag))
	if err != nil {
		t.Fatal(err)
	}
	if len(bag.AttributeCertificates) != 2 {
		t.Fatalf("%d attribute certificates", len(bag.AttributeCertificates))
	}
	_, err = bag.Single()
	wantProblem(t, err, ProblemBagMany)
}

// TestParseBagRefuses spoils a bag in one way at a time. Its tree has the
// content type at 0 and SignedData at 1,0.
func TestParseBagRefuses(t *testing.T) {
	der := marshalBag(t, testBag(t))
	null := func() *node { return leaf(asn1.NULL) }
	for _, tt := range []struct {
		name string
		want Problem
		edit func(root *node)
	}{
		{"content type data", ProblemBagType, func(r *node) { r.at(0).content = []byte(oidData) }},
		{"no content", ProblemSyntax, func(r *node) { r.remove(1) }},
		{"content is implicit", ProblemSyntax, func(r *node) { r.at(1).children = r.at(1, 0).children }},
		{"version 1", ProblemBagVersion, func(r *node) { r.at(1, 0, 0).content = []byte{1} }},
		{"version 3", ProblemBagVersion, func(r *node) { r.at(1, 0, 0).content = []byte{3} }},
		{"version 5", ProblemBagVersion, func(r *node) { r.at(1, 0, 0).content = []byte{5} }},
		{"version not minimal", ProblemSyntax, func(r *node) { r.at(1, 0, 0).content = []byte{0, 4} }},
		{"digest algorithm", ProblemBagSigners, func(r *node) { r.at(1, 0, 1).children = []*node{null()} }},
		{"signer", ProblemBagSigners, func(r *node) { r.at(1, 0, 4).children = []*node{null()} }},
		{"content", ProblemBagContent, func(r *node) {
			info := r.at(1, 0, 2)
			info.children = append(info.children, sequence(tagContext(0, true), leaf(asn1.OCTET_STRING, 'x')))
		}},
		{"empty content", ProblemBagContent, func(r *node) {
			info := r.at(1, 0, 2)
			info.children = append(info.children, sequence(tagContext(0, true), leaf(asn1.OCTET_STRING)))
		}},
		{"content of another type", ProblemBagContent, func(r *node) { r.at(1, 0, 2, 0).content = []byte(oidSignedData) }},
		{"revocation list", ProblemBagCRLs, func(r *node) {
			data := r.at(1, 0)
			data.children = slices.Insert(data.children, 4, sequence(tagContext(1, true), sequence(asn1.SEQUENCE)))
		}},
		{"empty set of revocation lists", ProblemBagCRLs, func(r *node) {
			data := r.at(1, 0)
			data.children = slices.Insert(data.children, 4, sequence(tagContext(1, true)))
		}},
		{"certificates absent", ProblemBagNone, func(r *node) { r.at(1, 0).remove(3) }},
		{"certificates empty", ProblemBagNone, func(r *node) { r.at(1, 0, 3).children = nil }},
		{"no attribute certificate", ProblemBagNone, func(r *node) { r.at(1, 0, 3).remove(2) }},
		{"no attribute certificate, fitting version", ProblemBagNone, func(r *node) {
			r.at(1, 0, 3).remove(2)
			r.at(1, 0, 0).content = []byte{1}
		}},
		{"attribute certificate twice", ProblemBagDuplicate, func(r *node) {
			set := r.at(1, 0, 3)
			set.children = append(set.children, set.children[2])
		}},
		{"certificate twice", ProblemBagDuplicate, func(r *node) {
			set := r.at(1, 0, 3)
			set.children = append(set.children, set.children[0])
		}},
		{"extended certificate", ProblemBagChoice, func(r *node) { r.at(1, 0, 3, 0).tag = byte(tagContext(0, true)) }},
		{"version 1 attribute certificate", ProblemBagChoice, func(r *node) { r.at(1, 0, 3, 2).tag = byte(tagContext(1, true)) }},
		{"other certificate", ProblemBagChoice, func(r *node) { r.at(1, 0, 3, 2).tag = byte(tagContext(3, true)) }},
		{"primitive attribute certificate", ProblemBagChoice, func(r *node) {
			*r.at(1, 0, 3, 2) = *leaf(tagContext(2, false))
		}},
		{"too many", ProblemLimit, func(r *node) {
			set := r.at(1, 0, 3)
			for i := range maxBagMembers {
				set.children = append(set.children, sequence(asn1.SEQUENCE, leaf(asn1.INTEGER, byte(i))))
			}
		}},
		{"too large", ProblemLimit, func(r *node) { r.tail = make([]byte, MaxBagSize) }},
		{"octets left over in certificates", ProblemSyntax, func(r *node) { r.at(1, 0, 3).tail = []byte{0x30} }},
		{"no signers field", ProblemSyntax, func(r *node) { r.at(1, 0).remove(4) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := parseTree(t, der)
			tt.edit(root)
			bag, err := ParseBag(root.encode())
			wantProblem(t, err, tt.want)
			if bag != nil {
				t.Error("returned a bag with the error")
			}
		})
	}
	for i := range der {
		if _, err := ParseBag(der[:i]); err == nil {
			t.Fatalf("the first %d octets are accepted", i)
		}
	}
}

// TestBagStrictEverywhere spoils every element of the bag's own structure.
func TestBagStrictEverywhere(t *testing.T) {
	der := marshalBag(t, testBag(t))
	ways := map[string]func(n *node){
		"octet left over":   func(n *node) { n.tail = []byte{0} },
		"element left over": func(n *node) { n.tail = []byte{5, 0} },
		"length not minimal": func(n *node) {
			n.header = func(tag byte, l int) []byte { return []byte{tag, 0x83, 0, byte(l >> 8), byte(l)} }
		},
		"indefinite length": func(n *node) {
			n.tail = []byte{0, 0}
			n.header = func(tag byte, _ int) []byte { return []byte{tag, 0x80} }
		},
	}
	applied := 0
	for name, apply := range ways {
		parseTree(t, der).walk(nil, func(path []int, n *node) {
			if len(path) > 3 && slices.Equal(path[:3], []int{1, 0, 3}) && !(len(path) == 4 && n.tag == 0x30 && name != "octet left over" && name != "element left over") {
				return // inside a certificate, for its own parser
			}
			if n.tag&0x20 == 0 && name != "length not minimal" {
				return
			}
			root := parseTree(t, der)
			apply(root.at(path...))
			applied++
			_, err := ParseBag(root.encode())
			var e *Error
			if err == nil {
				t.Errorf("%s: accepted at %v", name, path)
			} else if !errors.As(err, &e) {
				t.Errorf("error is a %T", err)
			}
		})
	}
	if applied < 20 {
		t.Errorf("applied %d times only", applied)
	}
}

// TestMarshalBagRefuses covers what cannot be written.
func TestMarshalBagRefuses(t *testing.T) {
	ac := create(t, plainTemplate(t))
	cert := selfSigned(t, issuerTemplate(""), testKeys()["P-256"]).Raw
	for _, tt := range []struct {
		name string
		want Problem
		bag  *Bag
	}{
		{"nothing", ProblemTemplate, nil},
		{"empty", ProblemBagNone, &Bag{}},
		{"certificates only", ProblemBagNone, &Bag{Certificates: [][]byte{cert}}},
		{"certificate twice", ProblemBagDuplicate, &Bag{[][]byte{ac}, [][]byte{cert, cert}}},
		{"attribute certificate twice", ProblemBagDuplicate, &Bag{[][]byte{ac, ac}, nil}},
		{"octets left over", ProblemTemplate, &Bag{[][]byte{append(ac[:len(ac):len(ac)], 0)}, nil}},
		{"two in one", ProblemTemplate, &Bag{[][]byte{ac}, [][]byte{slices.Concat(cert, cert)}}},
		{"no element", ProblemTemplate, &Bag{[][]byte{nil}, nil}},
		{"tagged already", ProblemTemplate, &Bag{[][]byte{{0xa2, 0}}, nil}},
		{"too many", ProblemLimit, &Bag{[][]byte{ac}, slices.Collect(func(yield func([]byte) bool) {
			for i := range maxBagMembers {
				if !yield(element(asn1.SEQUENCE, 2, 1, byte(i))) {
					return
				}
			}
		})}},
		{"too large", ProblemLimit, &Bag{[][]byte{ac}, [][]byte{element(asn1.SEQUENCE, make([]byte, MaxBagSize)...)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der, err := MarshalBag(tt.bag)
			wantProblem(t, err, tt.want)
			if der != nil {
				t.Error("returned a bag with the error")
			}
		})
	}
}
