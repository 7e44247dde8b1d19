package delegation

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// These tests have other software read the statements of this package, and
// this package verify those of other software. They need no network.

// bouncyCastle lists BouncyCastle's libraries, where Debian installs them.
var bouncyCastle = []string{"/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"}

// debianPython is the interpreter that has Debian's modules, asn1crypto among
// them.
const (
	debianPython = "/usr/bin/python3"
	asn1crypto   = "/usr/lib/python3/dist-packages/asn1crypto"
	showScript   = "../encoding/x509attr/testdata/asn1crypto/show.py"
)

// runProgram runs a program for a bounded time and returns its output and exit code.
func runProgram(t *testing.T, program string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), realtest.Timeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0 || stderr.Len() > 0) {
		t.Fatalf("%s %q: %v\n%s%s", program, args, err, stdout.String(), stderr.String())
	}
	return stdout.String(), cmd.ProcessState.ExitCode()
}

// delegationJava compiles the program in testdata and returns how to run it.
func delegationJava(t *testing.T) func(args ...string) (string, int) {
	t.Helper()
	realtest.Need(t, "javac", "java")
	realtest.NeedFile(t, bouncyCastle...)
	classes := t.TempDir()
	path := strings.Join(bouncyCastle, string(os.PathListSeparator))
	if out, code := runProgram(t, "javac", "-cp", path, "-d", classes, "testdata/bc/Delegation.java"); code != 0 {
		t.Fatal(out)
	}
	path += string(os.PathListSeparator) + classes
	return func(args ...string) (string, int) {
		t.Helper()
		return runProgram(t, "java", append([]string{"-XX:TieredStopAtLevel=1", "-cp", path, "Delegation"}, args...)...)
	}
}

// interopStatements are what is signed: targets with everything, and none.
func interopStatements() map[string]Statement {
	full := goodStatement()
	full.Targets = append(full.Targets,
		Target{Endpoint: Endpoint{"second.hosting.example", 443}, Priority: 300, Weight: 65535, SPKI: []Pin{{1, 31: 2}, {0xff}}},
		Target{Endpoint: Endpoint{host, 5270}, SPKI: []Pin{{}}})
	full.ID = ID{0x7f, 1, 15: 0xff}
	revocation := goodStatement()
	revocation.Targets = nil
	return map[string]Statement{"full": full, "revocation": revocation}
}

// printed is what the Java program prints of a statement.
func printed(s Statement, ending ...string) string {
	lines := []string{"version 1", "source " + s.Source, "service " + s.Service}
	for _, t := range s.Targets {
		lines = append(lines, fmt.Sprintf("target %s priority %d weight %d", t.Endpoint, t.Priority, t.Weight))
		for _, p := range t.SPKI {
			lines = append(lines, "key must be sha256 "+p.String())
		}
	}
	for _, name := range holderNames(&s) {
		lines = append(lines, "holder "+string(name.Value))
	}
	lines = append(lines, "issued "+s.Issued.Format(time.RFC3339), "expires "+s.Expires.Format(time.RFC3339),
		"id "+strings.TrimLeft(hex.EncodeToString(s.ID[:]), "0"))
	return strings.Join(append(lines, ending...), "\n") + "\n"
}

// An interopCase is one statement by one signer.
type interopCase struct {
	name      string
	signer    *keys.Signer
	statement Statement
}

// write signs the statement and writes the file.
func (c interopCase) write(t *testing.T) string {
	der, err := Sign(c.statement, AC, c.signer)
	if err != nil {
		t.Fatal(err)
	}
	return realtest.WriteFile(t, t.TempDir(), "statement.p7c", string(der))
}

func interopCases(t *testing.T) []interopCase {
	var cases []interopCase
	signers := acSigners(newLaboratory(t))
	for signer := range signers {
		for name, s := range interopStatements() {
			cases = append(cases, interopCase{signer + ", " + name, signers[signer], s})
		}
	}
	if len(cases) != 16 {
		t.Errorf("%d cases", len(cases))
	}
	slices.SortFunc(cases, func(a, b interopCase) int { return strings.Compare(a.name, b.name) })
	return cases
}

// TestBouncyCastleReads: it reads every statement, matches the issuer and
// finds the signature valid; of a changed one it does not.
func TestBouncyCastleReads(t *testing.T) {
	java := delegationJava(t)
	dir := t.TempDir()
	var want, wantChanged string
	var files, changed []string
	for i, c := range interopCases(t) {
		der, err := Sign(c.statement, AC, c.signer)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		files = append(files, realtest.WriteFile(t, dir, fmt.Sprintf("%d.p7c", i), string(der)))
		want += printed(c.statement, "issuer matches", "signature valid")

		// The same with a year more, which changes no length.
		bad := c.statement
		bad.Issued = bad.Issued.AddDate(1, 0, 0)
		old, with := c.statement.Issued.Format("20060102150405Z"), bad.Issued.Format("20060102150405Z")
		if bytes.Count(der, []byte(old)) != 1 {
			t.Fatalf("%s: %s is not there once", c.name, old)
		}
		changed = append(changed, realtest.WriteFile(t, dir, fmt.Sprintf("changed%d.p7c", i), strings.Replace(string(der), old, with, 1)))
		wantChanged += printed(bad, "issuer matches", "signature INVALID")
	}
	out, code := java(append([]string{"show"}, files...)...)
	if diff := cmp.Diff(want, out); diff != "" || code != 0 {
		t.Errorf("exit code %d, (-want +got)\n%s", code, diff)
	}
	out, code = java(append([]string{"show"}, changed...)...)
	if diff := cmp.Diff(wantChanged, out); diff != "" || code != 1 {
		t.Errorf("changed: exit code %d, (-want +got)\n%s", code, diff)
	}
	if out, code = java("show", changed[0]); code != 1 || !strings.HasSuffix(out, "signature INVALID\n") {
		t.Errorf("one changed: exit code %d\n%s", code, out)
	}
}

// TestBouncyCastleIssues: Verify accepts what it issues, with its order of the
// members.
func TestBouncyCastleIssues(t *testing.T) {
	java := delegationJava(t)
	dir := t.TempDir()
	cases := interopCases(t)
	pss := interopCase{"PS256", newLaboratory(t).issue("RSA-2048", nil), goodStatement()}
	cases = append(cases, pss)
	javaNames := map[string][2]string{
		"P-256": {"EC", "SHA256withECDSA"}, "P-384": {"EC", "SHA384withECDSA"},
		"RSA-2048": {"RSA", "SHA256withRSA"}, "Ed25519": {"Ed25519", "Ed25519"},
	}
	var files []string
	out := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%d.p7c", i)) }
	for i, c := range cases {
		key, err := x509.MarshalPKCS8PrivateKey(c.signer.Key())
		if err != nil {
			t.Fatal(err)
		}
		java := javaNames[keys.Describe(c.signer.Leaf().PublicKey)]
		if c.name == pss.name {
			java[1] = "SHA256withRSAandMGF1"
		}
		text := fmt.Sprintf("kind=%s\nalgorithm=%s\ncertificates=%s\nkey=%s\nout=%s\nsource=%s\nservice=%s\nissued=%s\nexpires=%s\nid=%x\n",
			java[0], java[1],
			realtest.WriteFile(t, dir, fmt.Sprintf("%d.pem", i), string(localca.PEM(c.signer.Chain()...))),
			realtest.WriteFile(t, dir, fmt.Sprintf("%d.key", i), string(key)), out(i), c.statement.Source, c.statement.Service,
			c.statement.Issued.Format(time.RFC3339), c.statement.Expires.Format(time.RFC3339), c.statement.ID[:])
		for j, target := range c.statement.Targets {
			text += fmt.Sprintf("target.%d=%s %d %d %d", j+1, target.Host, target.Port, target.Priority, target.Weight)
			for _, p := range target.SPKI {
				text += " " + p.String()
			}
			text += "\n"
		}
		files = append(files, realtest.WriteFile(t, dir, fmt.Sprintf("%d.properties", i), text))
	}
	if text, code := java(append([]string{"issue"}, files...)...); code != 0 || text != "" {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	first := 0
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			der, err := os.ReadFile(out(i))
			if err != nil {
				t.Fatal(err)
			}
			if acBagMembers(der)[0].Tag == acder.Context(2) {
				first++
			}
			tr := newTrial(t)
			tr.signer = nil
			tr.evidence = evidenceOf(acDocument(der))
			result, err := tr.verify()
			if c.statement.Revoked() {
				wantEnd(t, reasons.Revoked, result, err)
				return
			}
			wantEnd(t, reasons.Verified, result, err)
			if diff := cmp.Diff(c.statement, result.Proven().Statement); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if first == 0 {
		t.Error("no message has the attribute certificate first, as BouncyCastle writes it")
	}
}

// TestOpenSSLReads: OpenSSL shows the structure; it has no verifier.
func TestOpenSSLReads(t *testing.T) {
	realtest.Need(t, "openssl")
	for _, c := range interopCases(t) {
		t.Run(c.name, func(t *testing.T) {
			path := c.write(t)
			serial := strings.ToUpper(strings.TrimLeft(hex.EncodeToString(c.statement.ID[:]), "0"))
			for _, program := range []struct {
				args []string
				want []string
			}{
				{[]string{"cms", "-cmsout", "-print", "-inform", "DER", "-in", path}, []string{
					"contentType: pkcs7-signedData", "version: 4", "eContentType: pkcs7-data", "eContent: <ABSENT>",
					"d.certificate:", "d.v2AttrCert:", "crls: <ABSENT>", "signerInfos: <EMPTY>",
					"GENERALIZEDTIME :20260701110000Z", "GENERALIZEDTIME :20260714115959Z", "X509v3 No Revocation Available",
				}},
				{[]string{"asn1parse", "-inform", "DER", "-in", path}, []string{
					"OBJECT :pkcs7-signedData", "OBJECT :pkcs7-data",
					"GENERALIZEDTIME :20260701110000Z", "GENERALIZEDTIME :20260714115959Z",
					"IA5STRING :" + source, "IA5STRING :" + service, serial,
					"X509v3 No Revocation Available",
				}},
			} {
				out, code := runProgram(t, "openssl", program.args...)
				if code != 0 {
					t.Fatalf("exit code %d\n%s", code, out)
				}
				out = strings.Join(strings.Fields(out), " ")
				for _, want := range program.want {
					if !strings.Contains(out, want) {
						t.Errorf("%s does not show %q:\n%s", program.args[0], want, out)
					}
				}
				for _, target := range c.statement.Targets {
					if program.args[0] == "asn1parse" && !strings.Contains(out, "IA5STRING :"+target.Host) {
						t.Errorf("asn1parse does not show %s", target.Host)
					}
				}
			}
		})
	}
}

// TestASN1CryptoReads: Python's asn1crypto reads every field.
func TestASN1CryptoReads(t *testing.T) {
	realtest.NeedFile(t, debianPython, asn1crypto)
	for _, c := range interopCases(t) {
		t.Run(c.name, func(t *testing.T) {
			info := acInfoOf(c.statement, c.signer)
			want := []string{"version=4", "signers=0", "certificates=2",
				"serial=" + serialOf(c.statement.ID).String(),
				fmt.Sprint("notBefore=", c.statement.Issued.Unix()), fmt.Sprint("notAfter=", c.statement.Expires.Unix()-1)}
			for _, name := range info.At(acder.PathHolderList...).Children {
				want = append(want, fmt.Sprintf("holder=%x", name.Bytes()))
			}
			want = append(want, fmt.Sprintf("attribute=%s:%x", attributeOID, info.At(acder.PathValue...).Bytes()),
				"extension=2.5.29.35", "extension=2.5.29.56")
			out, code := runProgram(t, debianPython, showScript, "bag", c.write(t))
			if diff := cmp.Diff(strings.Join(want, "\n")+"\n", out); diff != "" || code != 0 {
				t.Errorf("exit code %d (-want +got)\n%s", code, diff)
			}
		})
	}
}
