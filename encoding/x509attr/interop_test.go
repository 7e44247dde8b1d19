package x509attr

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"iter"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// These tests run other software on what this package writes, and this
// package on what other software writes. They need no network.

// bouncyCastle lists BouncyCastle's libraries, where Debian installs them.
var bouncyCastle = []string{"/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"}

// debianPython is the interpreter that has Debian's modules, and asn1crypto
// is one of these.
const (
	debianPython = "/usr/bin/python3"
	asn1crypto   = "/usr/lib/python3/dist-packages/asn1crypto"
)

// interopSignings are the keys that other software is tried with, and their
// names in Java.
var interopSignings = []struct {
	key, kind, algorithm string
	want                 x509.SignatureAlgorithm
}{
	{"P-256", "EC", "SHA256withECDSA", x509.ECDSAWithSHA256},
	{"P-384", "EC", "SHA384withECDSA", x509.ECDSAWithSHA384},
	{"P-521", "EC", "SHA512withECDSA", x509.ECDSAWithSHA512},
	{"RSA-2048", "RSA", "SHA256withRSA", x509.SHA256WithRSA},
	{"RSA-2048", "RSA", "SHA256withRSAandMGF1", x509.SHA256WithRSAPSS},
	{"Ed25519", "Ed25519", "Ed25519", x509.PureEd25519},
}

// run runs a program and returns its standard output.
func run(t testing.TB, program string, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", program, args, err, out, stderr.Bytes())
	}
	return out
}

// write puts a file into a folder and returns its path.
func write(t testing.TB, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read returns a file's content.
func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// pkcs8 encodes a private key.
func pkcs8(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// describe says what a certificate says in the lines of the helper programs
// below testdata, sorted.
func describe(ac *AttributeCertificate) []string {
	lines := []string{
		fmt.Sprint("serial=", ac.SerialNumber),
		fmt.Sprint("notBefore=", ac.NotBefore.Unix()),
		fmt.Sprint("notAfter=", ac.NotAfter.Unix()),
	}
	for _, n := range ac.Holder.EntityName {
		lines = append(lines, fmt.Sprintf("holder=%x", element(tagContext(uint8(n.Kind), n.Kind.constructed()), n.Value...)))
	}
	if base := ac.Holder.BaseCertificateID; base != nil {
		lines = append(lines, fmt.Sprint("holder-serial=", base.Serial))
	}
	for _, a := range ac.Attributes {
		line := "attribute=" + a.Type.String()
		for _, value := range a.Values {
			line += fmt.Sprintf(":%x", value)
		}
		lines = append(lines, line)
	}
	for _, e := range ac.Extensions {
		lines = append(lines, "extension="+e.ID.String())
		if e.Critical {
			lines = append(lines, "critical="+e.ID.String())
		}
	}
	slices.Sort(lines)
	return lines
}

// wantLines compares a helper's output with sorted lines.
func wantLines(t testing.TB, out []byte, want []string, more ...string) {
	t.Helper()
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	want = append(slices.Clone(want), more...)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the other software reads something else: %s", diff)
	}
}

// javaHelper compiles the Java helper and returns a function that runs it.
func javaHelper(t testing.TB) func(t testing.TB, args ...string) []byte {
	t.Helper()
	realtest.Need(t, "javac", "java")
	realtest.NeedFile(t, bouncyCastle...)
	classes := t.TempDir()
	path := strings.Join(bouncyCastle, string(os.PathListSeparator))
	run(t, "javac", "-cp", path, "-d", classes, filepath.Join("testdata", "bc", "AttrCert.java"))
	path += string(os.PathListSeparator) + classes
	return func(t testing.TB, args ...string) []byte {
		t.Helper()
		return run(t, "java", append([]string{"-XX:TieredStopAtLevel=1", "-cp", path, "AttrCert"}, args...)...)
	}
}

// TestBouncyCastle goes both ways with every kind of key.
func TestBouncyCastle(t *testing.T) {
	java := javaHelper(t)
	for _, s := range interopSignings {
		for _, subject := range []string{"", "Issuer"} {
			t.Run(s.algorithm+"/"+subject, func(t *testing.T) {
				dir := t.TempDir()
				key := testKeys()[s.key]
				issuer := selfSigned(t, issuerTemplate(subject), key)
				issuerPath := write(t, dir, "issuer.crt", issuer.Raw)

				// It reads ours.
				template := interopTemplate(t)
				template.SignatureAlgorithm = s.want
				der, err := Create(rand.Reader, template, issuer, key)
				if err != nil {
					t.Fatal(err)
				}
				want := describe(mustParse(t, der))
				valid := []string{"issuer-matches=true", "signature=valid"}
				wantLines(t, java(t, "show", "ac="+write(t, dir, "ac.der", der), "issuer="+issuerPath), want, valid...)
				another := selfSigned(t, issuerTemplate("Another"), key)
				bag := marshalBag(t, &Bag{[][]byte{der}, [][]byte{another.Raw, issuer.Raw}})
				wantLines(t, java(t, "show", "bag="+write(t, dir, "bag.p7c", bag)), want,
					append(valid, "version=4", "signers=0", "content=false", "certificates=2")...)

				// We read its.
				out, outBag := filepath.Join(dir, "out.der"), filepath.Join(dir, "out.p7c")
				java(t, "issue", "issuer="+issuerPath, "key="+write(t, dir, "key.p8", pkcs8(t, key)),
					"kind="+s.kind, "algorithm="+s.algorithm, "out="+out, "bag="+outBag, "serial=1208925819614629174706175",
					fmt.Sprint("notBefore=", start.Unix()), fmt.Sprint("notAfter=", start.Unix()+3600),
					"dns=a.example", "dns=b.example", "attribute="+uuidOID+":0c0178:30030201ff", "attribute=1.2.3:0500",
					"noRevAvail=yes", "keyID=yes")
				theirs, err := ParseBag(read(t, outBag))
				if err != nil {
					t.Fatal(err)
				}
				single, err := theirs.Single()
				if err != nil {
					t.Fatal(err)
				}
				if len(theirs.Certificates) != 1 || !bytes.Equal(theirs.Certificates[0], issuer.Raw) || !bytes.Equal(single, read(t, out)) {
					t.Error("the bag holds something else")
				}
				ac := mustParse(t, single)
				checkReencodes(t, ac)
				if err := ac.CheckSignatureFrom(issuer); err != nil {
					t.Error(err)
				}
				if ac.SignatureAlgorithm != s.want {
					t.Errorf("algorithm is %v, want %v", ac.SignatureAlgorithm, s.want)
				}
				if !ac.NoRevAvail || !bytes.Equal(ac.AuthorityKeyID, issuer.SubjectKeyId) {
					t.Errorf("extensions are %v", ac.Extensions)
				}
				wantLines(t, []byte(strings.Join(describe(ac), "\n")), []string{
					"serial=1208925819614629174706175", fmt.Sprint("notBefore=", start.Unix()), fmt.Sprint("notAfter=", start.Unix()+3600),
					fmt.Sprintf("holder=8209%x", "a.example"), fmt.Sprintf("holder=8209%x", "b.example"),
					"attribute=" + uuidOID + ":0c0178:30030201ff", "attribute=1.2.3:0500", "extension=2.5.29.35", "extension=2.5.29.56",
				})
			})
		}
	}
}

// interopTemplate has what the other programs can show.
func interopTemplate(t testing.TB) *AttributeCertificate {
	template := plainTemplate(t)
	template.Holder.EntityName = append(template.Holder.EntityName,
		GeneralName{Kind: NameDNS, Value: []byte("second.example")},
		GeneralName{Kind: NameURI, Value: []byte("xmpp:host.example")})
	template.Holder.BaseCertificateID = &IssuerSerial{
		Issuer: []GeneralName{{Kind: NameDirectory, Value: selfSigned(t, issuerTemplate("CA"), testKeys()["P-256"]).RawSubject}},
		Serial: big.NewInt(99),
	}
	template.Attributes = append(template.Attributes, Attribute{Type: oid(t, "1.2.3.4"), Values: [][]byte{
		element(asn1.SEQUENCE, element(asn1.INTEGER, 5)...), element(asn1.OCTET_STRING, 1, 2, 3),
	}})
	template.Extensions = []Extension{{ID: oid(t, "2.5.29.55"), Critical: true, Value: element(asn1.SEQUENCE)}}
	template.NoRevAvail = true
	return template
}

// issuedForOthers gives issuers and what each issued: one without a subject, and one
// with it.
func issuedForOthers(t *testing.T) iter.Seq2[*x509.Certificate, []byte] {
	key := testKeys()["P-256"]
	return func(yield func(*x509.Certificate, []byte) bool) {
		for _, subject := range []string{"", "Issuer"} {
			issuer := selfSigned(t, issuerTemplate(subject), key)
			der, err := Create(rand.Reader, interopTemplate(t), issuer, key)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(issuer, der) {
				return
			}
		}
	}
}

// TestASN1Crypto has another parser read certificates of ours and of others.
func TestASN1Crypto(t *testing.T) {
	realtest.NeedFile(t, debianPython, asn1crypto)
	script := filepath.Join("testdata", "asn1crypto", "show.py")
	dir := t.TempDir()
	for issuer, der := range issuedForOthers(t) {
		want := describe(mustParse(t, der))
		wantLines(t, run(t, debianPython, script, "ac", write(t, dir, "ac.der", der)), want)
		bag := marshalBag(t, &Bag{[][]byte{der}, [][]byte{issuer.Raw}})
		wantLines(t, run(t, debianPython, script, "bag", write(t, dir, "bag.p7c", bag)), want,
			"version=4", "signers=0", "certificates=1")
	}
	for name, der := range readTestdata(t, "real/*.der", 5) {
		t.Run(name, func(t *testing.T) {
			wantLines(t, run(t, debianPython, script, "ac", filepath.Join("testdata", "real", name)), describe(mustParse(t, der)))
		})
	}
}

// TestOpenSSL has OpenSSL read the structure; it has no verifier.
func TestOpenSSL(t *testing.T) {
	realtest.Need(t, "openssl")
	dir := t.TempDir()
	for issuer, der := range issuedForOthers(t) {
		text := string(run(t, "openssl", "asn1parse", "-inform", "DER", "-in", write(t, dir, "ac.der", der)))
		for _, part := range []string{"GENERALIZEDTIME   :20260301120000Z", "ecdsa-with-SHA256", "INTEGER           :499602D2"} {
			if !strings.Contains(text, part) {
				t.Errorf("asn1parse does not show %q:\n%s", part, text)
			}
		}
		text = string(run(t, "openssl", "asn1parse", "-in", write(t, dir, "ac.pem", EncodePEM(der))))
		if !strings.Contains(text, "ecdsa-with-SHA256") {
			t.Errorf("asn1parse does not read PEM:\n%s", text)
		}
		bag := marshalBag(t, &Bag{[][]byte{der}, [][]byte{issuer.Raw}})
		text = string(run(t, "openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", write(t, dir, "bag.p7c", bag)))
		for _, part := range []string{"pkcs7-signedData", "version: 4", "d.v2AttrCert", "d.certificate", "499602D2"} {
			if !strings.Contains(text, part) {
				t.Errorf("cms does not show %q:\n%s", part, text)
			}
		}
	}
}

// TestStrongSwan reads what strongSwan issues. Its crypto plugins that every
// installation has sign with RSA only.
func TestStrongSwan(t *testing.T) {
	realtest.Need(t, "pki")
	dir := t.TempDir()
	key := testKeys()["RSA-2048"]
	issuer := selfSigned(t, issuerTemplate("Issuer"), key)
	holder := selfSigned(t, issuerTemplate("Holder"), testKeys()["RSA-2048"])
	toPEM := func(label string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
	}
	issuerPath := write(t, dir, "issuer.pem", toPEM("CERTIFICATE", issuer.Raw))
	holderPath := write(t, dir, "holder.pem", toPEM("CERTIFICATE", holder.Raw))
	keyPath := write(t, dir, "key.pem", toPEM("PRIVATE KEY", pkcs8(t, key)))
	for _, tt := range []struct {
		want x509.SignatureAlgorithm
		args []string
	}{
		{x509.SHA256WithRSA, []string{"--digest", "sha256"}},
		{x509.SHA384WithRSA, []string{"--digest", "sha384"}},
		{x509.SHA512WithRSA, []string{"--digest", "sha512", "--outform", "pem"}},
		{x509.SHA256WithRSAPSS, []string{"--digest", "sha256", "--rsa-padding", "pss"}},
		{x509.SHA512WithRSAPSS, []string{"--digest", "sha512", "--rsa-padding", "pss"}},
	} {
		t.Run(tt.want.String(), func(t *testing.T) {
			out := run(t, "pki", append([]string{"--acert", "--issuercert", issuerPath, "--issuerkey", keyPath, "--in", holderPath,
				"--group", "one", "--group", "two", "--serial", "00f1e2d3", "--lifetime", "24"}, tt.args...)...)
			if block, _ := pem.Decode(out); block != nil {
				out = block.Bytes
			}
			ac, err := Parse(out)
			if err != nil {
				t.Fatal(err)
			}
			checkReencodes(t, ac)
			if err := ac.CheckSignatureFrom(issuer); err != nil {
				t.Error(err)
			}
			if ac.SignatureAlgorithm != tt.want {
				t.Errorf("algorithm is %v", ac.SignatureAlgorithm)
			}
			base := ac.Holder.BaseCertificateID
			if base == nil || base.Serial.Cmp(holder.SerialNumber) != 0 || !bytes.Equal(base.Issuer[0].Value, holder.RawIssuer) {
				t.Errorf("holder is %+v", ac.Holder)
			}
			if ac.SerialNumber.Cmp(big.NewInt(0xf1e2d3)) != 0 || !ac.NoRevAvail || len(ac.AuthorityKeyID) != 20 {
				t.Errorf("serial %v, extensions %v", ac.SerialNumber, ac.Extensions)
			}
			if !ac.ValidAt(ac.NotBefore.Add(time.Hour)) {
				t.Error("not valid in its first hour")
			}
			if len(ac.Attributes) != 1 || ac.Attributes[0].Type.String() != "1.3.6.1.5.5.7.10.4" ||
				!bytes.Contains(ac.Attributes[0].Values[0], []byte("two")) {
				t.Errorf("attributes are %v", ac.Attributes)
			}
		})
	}
}
