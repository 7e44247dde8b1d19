package keys_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// What openssl x509 writes behind a certificate, in DER.
var (
	trustServers = []byte{0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1}
	trustMail    = []byte{0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 4}
	trustAny     = []byte{0x30, 0x08, 0x30, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x25, 0x00}
	rejectServer = []byte{0x30, 0x0c, 0xa0, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1}
	rejectMail   = []byte{0x30, 0x0c, 0xa0, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 4}
	rejectAny    = []byte{0x30, 0x08, 0xa0, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x25, 0x00}
	bothServers  = []byte{0x30, 0x18, 0x30, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1, 0xa0, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1}
	alias        = []byte{0x30, 0x03, 0x0c, 0x01, 'x'}
)

// A pemCase is a file with two roots as people have it.
type pemCase struct {
	name string
	text []byte
	want int    // certificates; 0: refused
	says string // in the refusal
	// anchor says whether the second may be a trust anchor where the file is
	// read. Nothing else depends on OpenSSL's trust settings.
	distrusted bool
}

func pemCases(t testing.TB) (first, second *x509.Certificate, cases []pemCase) {
	other := localca.Must(localca.New("Second Root", time.Now()))
	first, second = authority(t).Root(), other.Root()
	one, two := localca.PEM(first), localca.PEM(second)
	const bom = "\ufeff"
	replace := func(old, new string) []byte { return join(one, bytes.Replace(two, []byte(old), []byte(new), 1)) }
	labelled := func(label string, more ...byte) []byte {
		return join(one, block(label, append(bytes.Clone(second.Raw), more...)))
	}
	return first, second, []pemCase{
		{name: "two", text: join(one, two), want: 2},
		{name: "byte order mark", text: join([]byte(bom), one, two), want: 2},
		{name: "byte order mark before each", text: join([]byte(bom), one, []byte(bom), two), want: 2},
		{name: "two byte order marks", text: join([]byte(bom+bom), one, two), says: "line 1"},
		{name: "byte order mark inside", text: replace("MI", bom+"MI"), says: "is not base64"},
		{name: "UTF-16", text: []byte("\xff\xfe-\x00-\x00"), says: "is in UTF-16, and PEM is ASCII; run: iconv"},
		{name: "CR LF", text: bytes.ReplaceAll(join(one, two), []byte("\n"), []byte("\r\n")), want: 2},
		{name: "blanks at the ends of lines", text: bytes.ReplaceAll(join(one, two), []byte("\n"), []byte(" \t\n")), want: 2},
		{name: "no line end", text: bytes.TrimSpace(join(one, two)), want: 2},
		{name: "text around", text: join([]byte("# Test Root\nsubject= /CN=x\n"), one, []byte("\nsubject: y\n"), two, []byte("end")), want: 2},
		{name: "X509 CERTIFICATE", text: labelled("X509 CERTIFICATE"), want: 2},
		{name: "TRUSTED CERTIFICATE", text: labelled("TRUSTED CERTIFICATE"), want: 2},
		{name: "trusted for servers", text: labelled("TRUSTED CERTIFICATE", trustServers...), want: 2},
		{name: "trusted for all", text: labelled("TRUSTED CERTIFICATE", trustAny...), want: 2},
		{name: "with an alias", text: labelled("TRUSTED CERTIFICATE", alias...), want: 2},
		{name: "rejected for mail", text: labelled("TRUSTED CERTIFICATE", rejectMail...), want: 2},
		{name: "trusted for mail", text: labelled("TRUSTED CERTIFICATE", trustMail...), want: 2, distrusted: true},
		{name: "rejected for servers", text: labelled("TRUSTED CERTIFICATE", rejectServer...), want: 2, distrusted: true},
		{name: "rejected for all", text: labelled("TRUSTED CERTIFICATE", rejectAny...), want: 2, distrusted: true},
		{name: "trusted and rejected", text: labelled("TRUSTED CERTIFICATE", bothServers...), want: 2, distrusted: true},
		{name: "settings cut off", text: labelled("TRUSTED CERTIFICATE", trustServers[:9]...), says: "trust settings behind it cannot be read"},
		{name: "settings that are none", text: labelled("TRUSTED CERTIFICATE", 0x30, 0x03, 0x30, 0x01, 0x05), says: "trust settings behind it cannot be read"},
		{name: "settings behind CERTIFICATE", text: labelled("CERTIFICATE", trustServers...), says: "trailing data"},
		{name: "a key besides", text: join(one, pkcs8(t, newKey(t, "P-256")), two), want: 2},
		{name: "a request besides", text: join(one, block("CERTIFICATE REQUEST", []byte{0x30, 0}), two), want: 2},
		{name: "parameters besides", text: join(one, block("DH PARAMETERS", []byte{0x30, 0}), two), want: 2},
		{name: "a revocation list besides", text: join(one, block("X509 CRL", []byte{0x30, 0}), two), says: "-----BEGIN X509 CRL-----: revocation lists are not used"},
		{name: "CMS", text: labelled("PKCS7"), says: "openssl pkcs7 -print_certs"},
		{name: "another label", text: labelled("CERTIFICAT"), says: "-----BEGIN CERTIFICAT-----: a block of this kind is not read"},
		{name: "an attribute certificate", text: labelled("ATTRIBUTE CERTIFICATE"), says: "a block of this kind"},
		{name: "lower case", text: join(one, bytes.ToLower(two)), says: "broken PEM block"},
		{name: "lower case label", text: labelled("certificate"), says: "a block of this kind"},
		{name: "indented", text: join(one, []byte("  "), bytes.ReplaceAll(two, []byte("\n"), []byte("\n  "))), says: "broken PEM block"},
		{name: "quoted", text: join(one, []byte("> "), bytes.ReplaceAll(two, []byte("\n"), []byte("\n> "))), says: "broken PEM block"},
		{name: "joined without a line end", text: join(bytes.TrimSpace(one), two), says: "must end with a line that has -----END CERTIFICATE----- and nothing else"},
		{name: "four hyphens", text: replace("-----BEGIN CERTIFICATE-----", "----BEGIN CERTIFICATE----"), says: "broken PEM block"},
		{name: "dashes", text: replace("-----BEGIN CERTIFICATE-----", "—–BEGIN CERTIFICATE—–"), says: "broken PEM block"},
		{name: "no hyphens", text: replace("-----BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE"), says: "broken PEM block"},
		{name: "no beginning", text: replace("-----BEGIN CERTIFICATE-----\n", ""), says: "broken PEM block"},
		{name: "no end", text: replace("-----END CERTIFICATE-----\n", ""), says: "the end of it is missing (-----END CERTIFICATE-----)"},
		{name: "another end", text: replace("END CERTIFICATE", "END X509 CERTIFICATE"), says: "must end with a line"},
		{name: "text behind the end", text: replace("END CERTIFICATE-----", "END CERTIFICATE----- # x"), says: "must end with a line"},
		{name: "one line", text: join(one, bytes.ReplaceAll(two, []byte("\n"), nil)), says: "broken PEM block"},
		{name: "line ends written out", text: join(one, bytes.ReplaceAll(two, []byte("\n"), []byte(`\n`))), says: "broken PEM block"},
		{name: "a letter lost", text: replace("MII", "MI"), says: "is not base64"},
		{name: "nothing in it", text: join(one, []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), two), says: "malformed"},
		{name: "empty label", text: labelled(""), says: "broken PEM block"},
	}
}

// TestPEM: each certificate of a file is read, or the file is refused; none is
// lost.
func TestPEM(t *testing.T) {
	first, second, cases := pemCases(t)
	file := filepath.Join(t.TempDir(), "roots.pem")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			write(t, file, c.text, 0o644)
			list, err := keys.LoadCertificates(file)
			switch {
			case c.want == 0 && (!errors.Is(err, keys.ErrPEM) || !strings.Contains(err.Error(), c.says)):
				t.Errorf("got %v, want ErrPEM with %q", err, c.says)
			case c.want > 0 && (err != nil || !slices.EqualFunc(list, []*x509.Certificate{first, second}, (*x509.Certificate).Equal)):
				t.Errorf("got %d certificates, %v", len(list), err)
			}
			pool, err := keys.LoadRoots(file)
			switch want := c.want > 0 && !c.distrusted; {
			case !want && (!errors.Is(err, keys.ErrPEM) || pool != nil):
				t.Errorf("as anchors: got %v, want ErrPEM", err)
			case want && (err != nil || !pool.Equal(poolOf(first, second))):
				t.Errorf("as anchors: %v", err)
			case c.distrusted && !strings.Contains(err.Error(), "do not let CN=Second Root stand for TLS servers"):
				t.Error(err)
			}
		})
	}
}

func poolOf(list ...*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range list {
		pool.AddCert(c)
	}
	return pool
}

// TestPEMAsOpenSSL: what OpenSSL finds in a file is what we find, or the file
// is refused. An anchor here is an anchor for OpenSSL, for TLS servers.
func TestPEMAsOpenSSL(t *testing.T) {
	realtest.Need(t, "openssl")
	_, second, cases := pemCases(t)
	dir := t.TempDir()
	root := filepath.Join(dir, "second.pem")
	write(t, root, localca.PEM(second), 0o644)
	agreed := 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(dir, "roots.pem")
			write(t, file, c.text, 0o644)
			list, err := keys.LoadCertificates(file)
			if err == nil {
				if theirs := opensslFinds(t, dir, file); !slices.Equal(theirs, serials(list)) {
					t.Errorf("openssl finds %d certificates %v, we %d", len(theirs), theirs, len(list))
				}
				agreed++
			}
			_, err = keys.LoadRoots(file)
			out, refused := exec.Command("openssl", "verify", "-purpose", "sslserver", "-CAfile", file, root).CombinedOutput()
			if err == nil && refused != nil {
				t.Errorf("an anchor here, and not for openssl: %s", out)
			}
			if c.distrusted && refused == nil {
				t.Errorf("no anchor here, and one for openssl: %s", out)
			}
		})
	}
	if agreed < 18 {
		t.Errorf("only %d files were read", agreed)
	}
}

// opensslFinds are the serial numbers of the certificates that openssl finds in a file.
func opensslFinds(t testing.TB, dir, file string) (list []string) {
	t.Helper()
	p7 := filepath.Join(dir, "all.p7")
	for _, args := range [][]string{{"crl2pkcs7", "-nocrl", "-certfile", file, "-out", p7}, {"pkcs7", "-in", p7, "-print_certs", "-out", p7 + ".pem"}} {
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	text, err := os.ReadFile(p7 + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.SplitAfter(string(text), "-----END CERTIFICATE-----\n") {
		if !strings.Contains(part, "BEGIN") {
			continue
		}
		one := fmt.Sprintf("%s.%d", p7, i)
		write(t, one, []byte(part), 0o644)
		out, err := exec.Command("openssl", "x509", "-in", one, "-noout", "-serial").Output()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, strings.TrimSpace(strings.TrimPrefix(string(out), "serial=")))
	}
	return list
}

func serials(list []*x509.Certificate) (numbers []string) {
	for _, c := range list {
		numbers = append(numbers, fmt.Sprintf("%02X", c.SerialNumber.Bytes()))
	}
	return numbers
}
