package x509attr

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// Where the fields of the rich certificate are in its tree.
var (
	pathInfo       = []int{0}
	pathVersion    = []int{0, 0}
	pathX400       = []int{0, 1, 1, 3}
	pathHolder     = []int{0, 1}
	pathIssuer     = []int{0, 2}
	pathAlgorithm  = []int{0, 3}
	pathSerial     = []int{0, 4}
	pathAttributes = []int{0, 6}
	pathExtensions = []int{0, 8}
)

// leaf makes a primitive node.
func leaf(tag asn1.Tag, content ...byte) *node {
	return &node{tag: byte(tag), content: content}
}

// sequence makes a constructed node.
func sequence(tag asn1.Tag, children ...*node) *node {
	return &node{tag: byte(tag), children: children}
}

// refusals spoils the rich certificate in one way at a time. What the test vectors of
// attribute certificates spoil in the same way is not repeated, but for one of each problem.
var refusals = []struct {
	name string
	want Problem
	edit func(root *node)
}{
	{"empty certificate", ProblemSyntax, func(r *node) { r.children = nil }},
	{"no signature", ProblemSyntax, func(r *node) { r.remove(2) }},
	{"signature with unused bits", ProblemSyntax, func(r *node) {
		s := r.at(2)
		s.content = append([]byte{1}, s.content[1:]...)
		s.content[len(s.content)-1] = 0
	}},
	{"signature is an octet string", ProblemSyntax, func(r *node) { r.at(2).tag = byte(asn1.OCTET_STRING) }},
	{"set in place of sequence", ProblemSyntax, func(r *node) { r.at(pathInfo...).tag = byte(asn1.SET) }},

	{"outer algorithm differs", ProblemAlgorithmMismatch, func(r *node) { r.at(1, 0).content = []byte(oidECDSAWithSHA384) }},
	{"algorithm parameters are BER", ProblemSyntax, func(r *node) {
		r.at(pathAlgorithm...).children = append(r.at(pathAlgorithm...).children, leaf(asn1.BOOLEAN, 1))
	}},
	{"version 1 of X.509, subjectName", ProblemVersion, func(r *node) {
		r.at(pathInfo...).children[0] = sequence(tagContext(1, true))
	}},
	{"version 1 of X.509, baseCertificateID", ProblemVersion, func(r *node) {
		r.at(pathInfo...).children[0] = sequence(tagContext(0, true))
	}},
	{"version is no integer", ProblemSyntax, func(r *node) { r.at(pathVersion...).tag = byte(asn1.ENUM) }},

	{"empty holder", ProblemHolder, func(r *node) { r.at(pathHolder...).children = nil }},
	{"holder fields out of order", ProblemSyntax, func(r *node) { slices.Reverse(r.at(pathHolder...).children) }},
	{"holder has an unknown field", ProblemSyntax, func(r *node) {
		r.at(pathHolder...).children = append(r.at(pathHolder...).children, sequence(tagContext(3, true)))
	}},
	{"holder entityName without a name", ProblemSyntax, func(r *node) { r.at(0, 1, 1).children = nil }},
	{"holder entityName is primitive", ProblemSyntax, func(r *node) {
		*r.at(0, 1, 1) = *leaf(tagContext(1, false))
	}},
	{"holder has too many names", ProblemLimit, func(r *node) {
		names := r.at(0, 1, 1)
		for len(names.children) <= maxNames {
			names.children = append(names.children, leaf(tagContext(2, false), 'a'))
		}
	}},
	{"name of unknown kind", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 2).tag = byte(tagContext(9, false)) }},
	{"name with a universal tag", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 2).tag = byte(asn1.IA5String) }},
	{"DNS name is constructed", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 2).tag |= 0x20 }},
	{"directory name is primitive", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 4).tag &^= 0x20 }},
	{"DNS name is not ASCII", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 2).content[0] = 0xe9 }},
	{"URI is not ASCII", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 6).content[0] = 0x80 }},
	{"other name without a value", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 0).remove(1) }},
	{"other name with a value that is no element", ProblemSyntax, func(r *node) {
		*r.at(0, 1, 1, 0, 1) = node{tag: byte(tagContext(0, true)), tail: []byte{4}}
	}},
	{"registered ID is no identifier", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 8).content = []byte{0x80, 1} }},
	{"EDI party without a name", ProblemSyntax, func(r *node) { r.at(0, 1, 1, 5).children = nil }},
	{"EDI party with two assigners", ProblemSyntax, func(r *node) {
		assigner := sequence(tagContext(0, true), leaf(asn1.UTF8String), leaf(asn1.UTF8String))
		r.at(0, 1, 1, 5).children = append([]*node{assigner}, r.at(0, 1, 1, 5).children...)
	}},
	{"X.400 address with a constructed string", ProblemSyntax, func(r *node) {
		r.at(0, 1, 1, 3).children = []*node{sequence(0x24, leaf(asn1.OCTET_STRING))}
	}},
	{"name part is an empty set", ProblemSyntax, func(r *node) { r.at(0, 2, 0, 0, 0, 0).children = nil }},
	{"name part is a sequence", ProblemSyntax, func(r *node) { r.at(0, 2, 0, 0, 0, 0).tag = byte(asn1.SEQUENCE) }},
	{"name part is out of order", ProblemSyntax, func(r *node) {
		set := r.at(0, 2, 0, 0, 0, 0)
		set.children = append(set.children, sequence(asn1.SEQUENCE, leaf(asn1.OBJECT_IDENTIFIER, 1), leaf(asn1.UTF8String)))
	}},
	{"name part without a value", ProblemSyntax, func(r *node) { r.at(0, 2, 0, 0, 0, 0, 0).remove(1) }},
	{"base certificate without a serial", ProblemSyntax, func(r *node) { r.at(0, 1, 0).remove(1) }},
	{"base certificate without a name", ProblemSyntax, func(r *node) { r.at(0, 1, 0, 0).children = nil }},
	{"unique ID has bits beyond its end", ProblemSyntax, func(r *node) { r.at(0, 1, 0, 2).content = []byte{5, 0xa1} }},
	{"digested object is of no known kind", ProblemHolder, func(r *node) { r.at(0, 1, 2, 0).content = []byte{3} }},
	{"digested object is of a negative kind", ProblemHolder, func(r *node) { r.at(0, 1, 2, 0).content = []byte{0xff} }},
	{"digested object is of no kind", ProblemSyntax, func(r *node) { r.at(0, 1, 2).remove(0) }},
	{"digest without an algorithm", ProblemSyntax, func(r *node) { r.at(0, 1, 2).remove(2) }},
	{"digest is missing", ProblemSyntax, func(r *node) { r.at(0, 1, 2).remove(3) }},

	{"v1Form issuer", ProblemIssuerV1, func(r *node) {
		r.at(pathInfo...).children[2] = r.at(0, 2, 0)
	}},
	{"issuer by certificate only", ProblemIssuerForm, func(r *node) {
		base := *r.at(0, 1, 0)
		r.at(pathIssuer...).children = []*node{&base}
	}},
	{"issuer has no name in its list", ProblemSyntax, func(r *node) { r.at(0, 2, 0).children = nil }},
	{"issuer is of no known form", ProblemSyntax, func(r *node) { r.at(pathIssuer...).tag = byte(tagContext(1, true)) }},

	{"zero serial", ProblemSerial, func(r *node) { r.at(pathSerial...).content = []byte{0} }},
	{"negative serial is not minimal", ProblemSyntax, func(r *node) { r.at(pathSerial...).content = []byte{0xff, 0x80} }},

	{"time of 15 octets with an offset", ProblemTime, timeText("202603011200+01")},
	{"time with a comma fraction", ProblemTime, timeText("20260301120000,5Z")},
	{"time of 15 octets with a fraction", ProblemTime, timeText("202603011200.5Z")},
	{"29 February of a common year", ProblemTime, timeText("20260229120000Z")},
	{"month 0", ProblemTime, timeText("20260001120000Z")},
	{"time with a sign", ProblemTime, timeText("2026030112000-1Z")},
	{"empty time", ProblemTime, timeText("")},
	{"attribute without values", ProblemAttributes, func(r *node) { r.at(0, 6, 0, 1).children = nil }},
	{"attribute without a set", ProblemSyntax, func(r *node) { r.at(0, 6, 0).remove(1) }},
	{"attribute with a sequence of values", ProblemSyntax, func(r *node) { r.at(0, 6, 0, 1).tag = byte(asn1.SEQUENCE) }},
	{"attribute value is cut off", ProblemSyntax, func(r *node) { r.at(0, 6, 0, 1).tail = []byte{0x31, 1} }},
	{"attribute value is end-of-contents", ProblemSyntax, func(r *node) { r.at(0, 6, 0, 1).children = []*node{leaf(0)} }},
	{"duplicate attribute", ProblemDuplicateAttribute, func(r *node) {
		r.at(0, 6, 1, 0).content = r.at(0, 6, 0, 0).content
	}},
	{"empty extensions", ProblemSyntax, func(r *node) { r.at(pathExtensions...).children = nil }},
	{"critical is written FALSE", ProblemSyntax, func(r *node) { r.at(0, 8, 0, 1).content = []byte{0} }},
	{"critical is neither", ProblemSyntax, func(r *node) { r.at(0, 8, 0, 1).content = []byte{1} }},
	{"extension without a value", ProblemSyntax, func(r *node) { r.at(0, 8, 0).remove(2) }},
	{"extension value is a bit string", ProblemSyntax, func(r *node) { r.at(0, 8, 0, 2).tag = byte(asn1.BIT_STRING) }},
	{"extension value is constructed", ProblemSyntax, func(r *node) { r.at(0, 8, 0, 2).tag |= 0x20 }},
	{"duplicate extension", ProblemDuplicateExtension, func(r *node) {
		r.at(0, 8, 1, 0).content = r.at(0, 8, 0, 0).content
	}},
	{"too many extensions", ProblemLimit, func(r *node) {
		list := r.at(pathExtensions...)
		for i := 0; len(list.children) <= maxExtensions; i++ {
			list.children = append(list.children, sequence(asn1.SEQUENCE,
				leaf(asn1.OBJECT_IDENTIFIER, 1, byte(i)), leaf(asn1.OCTET_STRING)))
		}
	}},
	{"authorityKeyIdentifier is critical", ProblemExtension, func(r *node) { setCritical(r.at(0, 8, 2)) }},
	{"authorityKeyIdentifier is empty", ProblemExtension, extensionValue(2)},
	{"authorityKeyIdentifier has octets left over", ProblemExtension, extensionValue(2, 0x30, 0, 0)},
	{"authorityKeyIdentifier has an unknown field", ProblemExtension, extensionValue(2, 0x30, 2, 0x83, 0)},
	{"authorityKeyIdentifier has no issuer name", ProblemExtension, extensionValue(2, 0x30, 2, 0xa1, 0)},
	{"authorityKeyIdentifier has an empty serial", ProblemExtension, extensionValue(2, 0x30, 2, 0x82, 0)},
	{"noRevAvail is critical", ProblemExtension, func(r *node) { setCritical(r.at(0, 8, 3)) }},
	{"noRevAvail is not NULL", ProblemExtension, extensionValue(3, 1, 1, 0xff)},
	{"noRevAvail is empty", ProblemExtension, extensionValue(3)},
	{"noRevAvail has octets left over", ProblemExtension, extensionValue(3, 5, 0, 0)},
	{"issuerUniqueID after extensions", ProblemSyntax, func(r *node) { slices.Reverse(r.at(pathInfo...).children[7:]) }},
}

// timeText replaces notBefore's content.
func timeText(text string) func(*node) {
	return func(r *node) { r.at(0, 5, 0).content = []byte(text) }
}

// extensionValue replaces the value of the extension with number i.
func extensionValue(i int, value ...byte) func(*node) {
	return func(r *node) { r.at(0, 8, i).children[1].content = value }
}

// setCritical makes an extension critical.
func setCritical(extension *node) {
	extension.children = slices.Insert(extension.children, 1, leaf(asn1.BOOLEAN, 0xff))
}

// TestParseRefuses runs the table.
func TestParseRefuses(t *testing.T) {
	der := create(t, richTemplate(t))
	names := make(map[string]bool)
	for _, tt := range refusals {
		if names[tt.name] {
			t.Errorf("two cases are called %q", tt.name)
		}
		names[tt.name] = true
		t.Run(tt.name, func(t *testing.T) {
			root := parseTree(t, der)
			if !bytes.Equal(root.encode(), der) {
				t.Fatal("the tree is wrong")
			}
			tt.edit(root)
			ac, err := Parse(root.encode())
			wantProblem(t, err, tt.want)
			if ac != nil {
				t.Error("returned a certificate with the error")
			}
		})
	}
}

// TestParseAccepts holds what looks odd and is right.
func TestParseAccepts(t *testing.T) {
	der := create(t, richTemplate(t))
	for _, tt := range []struct {
		name  string
		edit  func(root *node)
		check func(ac *AttributeCertificate) bool
	}{
		{"serial of 20 octets", func(r *node) {
			r.at(pathSerial...).content = append([]byte{0x7f}, make([]byte, 19)...)
		}, func(ac *AttributeCertificate) bool { return ac.SerialNumber.BitLen() == 159 }},
		{"unknown algorithm", func(r *node) {
			r.at(0, 3, 0).content = []byte{0x2a, 3}
			r.at(1, 0).content = []byte{0x2a, 3}
		}, func(ac *AttributeCertificate) bool {
			return ac.SignatureAlgorithm == x509.UnknownSignatureAlgorithm && ac.SignatureAlgorithmID.Algorithm.String() == "1.2.3"
		}},
		{"ends before it begins", timeText("20300101000000Z"), func(ac *AttributeCertificate) bool {
			return !ac.ValidAt(ac.NotBefore) && !ac.ValidAt(ac.NotAfter)
		}},
		{"equal values", func(r *node) {
			set := r.at(0, 6, 0, 1)
			set.children = append(set.children, set.children[0])
		}, func(ac *AttributeCertificate) bool { return len(ac.Attributes[0].Values) == 2 }},
		{"authorityKeyIdentifier with all fields", extensionValue(2, 0x30, 10, 0x80, 1, 9, 0xa1, 2, 0x82, 0, 0x82, 1, 0xff),
			func(ac *AttributeCertificate) bool { return bytes.Equal(ac.AuthorityKeyID, []byte{9}) }},
		{"authorityKeyIdentifier without fields", extensionValue(2, 0x30, 0),
			func(ac *AttributeCertificate) bool { return len(ac.AuthorityKeyID) == 0 }},
		{"no optional field", func(r *node) { r.at(pathInfo...).children = r.at(pathInfo...).children[:7] },
			func(ac *AttributeCertificate) bool {
				return ac.IssuerUniqueID == nil && ac.Extensions == nil && !ac.NoRevAvail && len(ac.UnhandledCriticalExtensions()) == 0
			}},
		{"empty signature", func(r *node) { r.at(2).content = []byte{0} },
			func(ac *AttributeCertificate) bool { return len(ac.Signature) == 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := parseTree(t, der)
			tt.edit(root)
			ac, err := Parse(root.encode())
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(ac) {
				t.Errorf("wrong: %+v", ac)
			}
			checkReencodes(t, ac)
		})
	}
}

// TestParseInput holds Parse to a limit and to an input of its own.
func TestParseInput(t *testing.T) {
	_, err := Parse(make([]byte, MaxSize+1))
	wantProblem(t, err, ProblemLimit)
	_, err = Parse(nil)
	wantProblem(t, err, ProblemSyntax)
	key := testKeys()["P-256"]
	_, err = Parse(selfSigned(t, issuerTemplate(""), key).Raw)
	wantProblem(t, err, ProblemVersion)

	der := create(t, richTemplate(t))
	for i := range der {
		if _, err := Parse(der[:i]); err == nil {
			t.Fatalf("the first %d octets are accepted", i)
		}
	}
	ac, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	clear(der)
	checkReencodes(t, ac)
}

// opaque says whether a path lies inside an attribute value, the only part
// with elements that this package does not look into.
func opaque(path []int) bool {
	return len(path) > 5 && slices.Equal(path[:2], pathAttributes)
}

// TestStrictEverywhere spoils every element of the rich certificate in every
// way in which DER is stricter than BER, and with octets left over.
func TestStrictEverywhere(t *testing.T) {
	der := create(t, richTemplate(t))
	longForm := func(tag byte, length int) []byte {
		return []byte{tag, 0x83, byte(length >> 16), byte(length >> 8), byte(length)}
	}
	ways := []struct {
		name  string
		apply func(path []int, n *node) bool // false: does not fit this element
	}{
		{"length not minimal", func(_ []int, n *node) bool { n.header = longForm; return true }},
		{"indefinite length", func(_ []int, n *node) bool {
			n.tail = []byte{0, 0}
			n.header = func(tag byte, _ int) []byte { return []byte{tag, 0x80} }
			return n.tag&0x20 != 0
		}},
		{"high tag form", func(_ []int, n *node) bool {
			n.header = func(tag byte, length int) []byte {
				whole := element(asn1.OCTET_STRING, make([]byte, length)...)
				return append([]byte{tag | 0x1f, tag & 0x1f}, whole[1:len(whole)-length]...)
			}
			return true
		}},
		{"octet left over", func(_ []int, n *node) bool { n.tail = []byte{0}; return n.tag&0x20 != 0 }},
		{"NULL left over", func(path []int, n *node) bool {
			n.tail = []byte{5, 0}
			// A set of values takes any element, if in order, and the structure of
			// an X.400 address is not looked at.
			inSet := len(path) == 4 && slices.Equal(path[:2], pathAttributes)
			inX400 := len(path) >= 4 && slices.Equal(path[:4], pathX400)
			return n.tag&0x20 != 0 && !inSet && !inX400
		}},
		{"integer not minimal", func(_ []int, n *node) bool {
			if n.tag != byte(asn1.INTEGER) && n.tag != byte(asn1.ENUM) {
				return false
			}
			sign := byte(0)
			if n.content[0]&0x80 != 0 {
				sign = 0xff
			}
			n.content = append([]byte{sign}, n.content...)
			return true
		}},
		{"integer empty", func(_ []int, n *node) bool {
			n.content = nil
			return n.tag == byte(asn1.INTEGER) || n.tag == byte(asn1.ENUM)
		}},
		{"identifier not minimal", func(_ []int, n *node) bool {
			n.content = append([]byte{0x80}, n.content...)
			return n.tag == byte(asn1.OBJECT_IDENTIFIER)
		}},
		{"identifier unfinished", func(_ []int, n *node) bool {
			n.content = append(n.content[:len(n.content):len(n.content)], 0x81)
			return n.tag == byte(asn1.OBJECT_IDENTIFIER)
		}},
		{"identifier empty", func(_ []int, n *node) bool { n.content = nil; return n.tag == byte(asn1.OBJECT_IDENTIFIER) }},
		{"bit string empty", func(_ []int, n *node) bool { n.content = nil; return n.tag == byte(asn1.BIT_STRING) }},
		{"bit string with 8 unused bits", func(_ []int, n *node) bool {
			if n.tag != byte(asn1.BIT_STRING) {
				return false
			}
			n.content = append([]byte{8}, n.content[1:]...)
			return true
		}},
		{"constructed string", func(_ []int, n *node) bool {
			inner := *n
			inner.tag = byte(asn1.OCTET_STRING)
			n.content, n.children = nil, []*node{&inner}
			universalString := n.tag < 0x20 && n.tag != byte(asn1.INTEGER)
			n.tag |= 0x20
			return universalString
		}},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			applied := 0
			parseTree(t, der).walk(nil, func(path []int, _ *node) {
				root := parseTree(t, der)
				if opaque(path) || !way.apply(path, root.at(path...)) {
					return
				}
				// An element directly in a set of values is opaque but for its
				// own header, which has to be DER.
				if len(path) == 5 && slices.Equal(path[:2], pathAttributes) && root.at(path...).header == nil {
					return
				}
				applied++
				spoilt := root.encode()
				ac, err := Parse(spoilt)
				var e *Error
				if err == nil || ac != nil {
					t.Errorf("accepted at %v: %x", path, spoilt)
				} else if !errors.As(err, &e) {
					t.Errorf("error is a %T", err)
				}
			})
			if applied < 3 {
				t.Errorf("applied %d times only", applied)
			}
		})
	}
}

// TestValidAt covers both ends of the period.
func TestValidAt(t *testing.T) {
	ac := &AttributeCertificate{NotBefore: start, NotAfter: start.Add(time.Hour)}
	for _, tt := range []struct {
		at   time.Duration
		want bool
	}{
		{-time.Second, false}, {-time.Nanosecond, false}, {0, true}, {time.Minute, true},
		{time.Hour, true}, {time.Hour + 999999999, true}, {time.Hour + time.Second, false},
	} {
		if got := ac.ValidAt(start.Add(tt.at).In(time.FixedZone("elsewhere", -7200))); got != tt.want {
			t.Errorf("%v after the beginning: %v", tt.at, got)
		}
	}
	early := &AttributeCertificate{NotBefore: time.Unix(-5, 0), NotAfter: time.Unix(-3, 0)}
	if early.ValidAt(time.Unix(-3, 1)) != true || early.ValidAt(time.Unix(-2, 0)) || early.ValidAt(time.Unix(-6, 999)) {
		t.Error("wrong before 1970")
	}
	if new(AttributeCertificate).ValidAt(start) {
		t.Error("the zero certificate is valid")
	}
}

// TestUnhandledCriticalExtensions: such extensions are reported in order.
func TestUnhandledCriticalExtensions(t *testing.T) {
	template := richTemplate(t)
	template.Extensions[1].Critical = true
	ac, err := Parse(create(t, template))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(ac.UnhandledCriticalExtensions()); got != "[2.5.29.55 "+uuidOID+"]" {
		t.Errorf("reported %s", got)
	}
}

// TestNameString covers the text form of names.
func TestNameString(t *testing.T) {
	for _, tt := range []struct {
		name GeneralName
		want string
	}{
		{GeneralName{NameDNS, []byte("a\x1b.example")}, `dNSName:"a\x1b.example"`},
		{GeneralName{NameIP, []byte{192, 0, 2, 1}}, "iPAddress:c0000201"},
		{GeneralName{NameDirectory, []byte{0x30, 0}}, "directoryName:3000"},
		{GeneralName{9, nil}, "NameKind(9):"},
	} {
		if got := tt.name.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// TestOIDConstants compares the constants with the dotted forms beside them.
func TestOIDConstants(t *testing.T) {
	for content, dotted := range map[string]string{
		oidAuthorityKeyID: "2.5.29.35", oidNoRevAvail: "2.5.29.56",
		oidSHA256WithRSA: "1.2.840.113549.1.1.11", oidSHA384WithRSA: "1.2.840.113549.1.1.12",
		oidSHA512WithRSA: "1.2.840.113549.1.1.13", oidRSAPSS: "1.2.840.113549.1.1.10",
		oidMGF1: "1.2.840.113549.1.1.8", oidECDSAWithSHA256: "1.2.840.10045.4.3.2",
		oidECDSAWithSHA384: "1.2.840.10045.4.3.3", oidECDSAWithSHA512: "1.2.840.10045.4.3.4",
		oidEd25519: "1.3.101.112", oidSHA256: "2.16.840.1.101.3.4.2.1",
		oidSHA384: "2.16.840.1.101.3.4.2.2", oidSHA512: "2.16.840.1.101.3.4.2.3",
		oidData: "1.2.840.113549.1.7.1", oidSignedData: "1.2.840.113549.1.7.2",
	} {
		if !constOID(content).Equal(oid(t, dotted)) {
			t.Errorf("%x is %v, not %s", content, constOID(content), dotted)
		}
	}
	if oidContent(x509.OID{}) != "" {
		t.Error("the zero OID has content")
	}
}

// TestErrorText: an error names its problem and quotes hostile text safely.
func TestErrorText(t *testing.T) {
	root := parseTree(t, create(t, plainTemplate(t)))
	root.at(0, 5, 0).content = append([]byte("\x1b[2J\n"), bytes.Repeat([]byte("x"), 500)...)
	_, err := Parse(root.encode())
	wantProblem(t, err, ProblemTime)
	text := err.Error()
	if strings.ContainsAny(text, "\x1b\n") || len(text) > 200 || !strings.HasSuffix(text, "(time)") {
		t.Errorf("error is %q", text)
	}
}

// TestMemory: a hostile input makes Parse allocate a small multiple of its
// own length.
func TestMemory(t *testing.T) {
	template := plainTemplate(t)
	template.SerialNumber = big.NewInt(1)
	template.Attributes = nil
	for i := range maxAttributes {
		values := make([][]byte, 480)
		for j := range values {
			values[j] = []byte{5, 0}
		}
		template.Attributes = append(template.Attributes, Attribute{Type: oid(t, fmt.Sprintf("2.25.%d", i)), Values: values})
	}
	der := create(t, template)
	if len(der) < MaxSize*9/10 {
		t.Fatalf("only %d octets", len(der))
	}
	const runs = 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		if _, err := Parse(der); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / runs; got > 64*MaxSize {
		t.Errorf("%d octets allocated for %d", got, len(der))
	}
}
