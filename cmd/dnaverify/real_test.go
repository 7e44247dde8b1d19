package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// A session runs the built commands in a folder, as a person would.
type session struct {
	t        *testing.T
	bin, dir string
}

func newSession(t *testing.T) *session { return &session{t, build(t), t.TempDir()} }

// run runs a command line, which must end with that exit code, and returns
// what it printed on standard output and standard error.
func (s *session) run(code int, line string) (stdout, stderr string) {
	s.t.Helper()
	args := strings.Fields(line)
	cmd := exec.Command(filepath.Join(s.bin, args[0]), args[1:]...)
	cmd.Dir = s.dir
	var errout strings.Builder
	cmd.Stderr = &errout
	out, err := cmd.Output()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	if got != code {
		s.t.Fatalf("exit code %d, want %d: %s\n%s%s", got, code, line, out, errout.String())
	}
	return string(out), errout.String()
}

// reason runs dnaverify with --json, which must refuse for that reason.
func (s *session) reason(want reasons.Reason, line string) {
	s.t.Helper()
	out, _ := s.run(1, line+" --json")
	var report delegation.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		s.t.Fatal(err)
	}
	if report.Reason != want {
		s.t.Errorf("reason %s, want %s: %s", report.Reason, want, line)
	}
}

func (s *session) openssl(format string, args ...any) {
	s.t.Helper()
	realtest.Output(s.t, s.dir, "openssl", strings.Fields(fmt.Sprintf(format, args...))...)
}

// ca makes name.key and name.pem, a root.
func (s *session) ca(name string) {
	s.openssl("ecparam -name prime256v1 -genkey -noout -out %s.key", name)
	s.openssl("req -x509 -new -key %[1]s.key -subj /CN=%[1]s -days 3650 -out %[1]s.pem", name)
}

const serverExtensions = "subjectAltName=DNS:b.example\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"

// leaf makes name.key and name.pem, issued by ca.
func (s *session) leaf(name, genkey, subject, extensions string) {
	s.openssl("%s -out %s.key", genkey, name)
	if err := os.Chmod(filepath.Join(s.dir, name+".key"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.openssl("req -new -key %[1]s.key -subj %[2]s -out %[1]s.csr", name, subject)
	realtest.WriteFile(s.t, s.dir, name+".ext", extensions)
	s.openssl("x509 -req -in %[1]s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile %[1]s.ext -out %[1]s.pem", name)
}

const genP256 = "ecparam -name prime256v1 -genkey -noout"

// TestOpenSSL signs and verifies with certificates that openssl made.
func TestOpenSSL(t *testing.T) {
	realtest.Need(t, "openssl")
	s := newSession(t)
	s.ca("ca")
	s.ca("other")
	const sign = "dnasign sign --offline --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 --cert %[1]s.pem --key %[1]s.key --out %[2]s --format %[3]s"
	const verify = "dnaverify verify %s --domain b.example --service xmpp-server --roots ca.pem"
	files := map[delegation.Encoding]string{delegation.JWS: "s.jws", delegation.AC: "s.p7c"}
	for name, genkey := range map[string]string{
		"p256": genP256, "p384": "ecparam -name secp384r1 -genkey -noout",
		"rsa": "genrsa", "ed25519": "genpkey -algorithm ed25519",
	} {
		for _, subject := range []string{"/", "/O=Example/CN=b.example"} {
			s.leaf(name, genkey, subject, serverExtensions)
			for encoding, file := range files {
				s.run(0, fmt.Sprintf(sign, name, file, encoding))
				out, _ := s.run(0, fmt.Sprintf(verify+" --target xmpp.hosting.example:5269", file))
				if !strings.Contains(out, "VERIFIED until") {
					t.Errorf("%s, subject %s, %s: no verdict:\n%s", name, subject, encoding, out)
				}
			}
		}
	}

	// Each way to be wrong has its own reason, in both encodings.
	for encoding, file := range files {
		s.run(0, fmt.Sprintf(sign, "p256", file, encoding))
		s.reason(reasons.SourceMismatch, "dnaverify verify "+file+" --domain c.example --service xmpp-server --roots ca.pem")
		s.reason(reasons.ParentSource, "dnaverify verify "+file+" --domain sub.b.example --service xmpp-server --roots ca.pem")
		s.reason(reasons.ServiceMismatch, "dnaverify verify "+file+" --domain b.example --service sip --roots ca.pem")
		s.reason(reasons.TargetMismatch, fmt.Sprintf(verify, file)+" --target evil.example:5269")
		s.reason(reasons.PortMismatch, fmt.Sprintf(verify, file)+" --target xmpp.hosting.example:5270")
		s.reason(reasons.UntrustedSigner, "dnaverify verify "+file+" --domain b.example --service xmpp-server --roots other.pem")
		s.reason(reasons.Expired, fmt.Sprintf(verify, file)+" --at 2099-01-01T00:00:00Z")
		s.spoil(file, "bad")
		s.reason(reasons.BadSignature, fmt.Sprintf(verify, "bad"))
	}
	s.run(2, fmt.Sprintf(verify, "missing.jws"))
	s.run(3, "dnaverify check b.example --resolver 127.0.0.1:9 --via dns --roots ca.pem")

	// A signer that may not sign: dnasign says so.
	for want, extensions := range map[reasons.Reason]string{
		reasons.SignerIsCA:           strings.Replace(serverExtensions, "CA:FALSE", "CA:TRUE", 1),
		reasons.SignerWildcard:       strings.Replace(serverExtensions, "DNS:b.example", "DNS:*.example", 1),
		reasons.SignerCommonNameOnly: strings.Replace(serverExtensions, "subjectAltName=DNS:b.example\n", "", 1),
		reasons.SignerNameMismatch:   strings.Replace(serverExtensions, "DNS:b.example", "DNS:c.example", 1),
		reasons.SignerKeyUsage:       strings.Replace(serverExtensions, "digitalSignature", "keyAgreement", 1),
		reasons.SignerExtKeyUsage:    strings.Replace(serverExtensions, "serverAuth", "clientAuth", 1),
	} {
		s.leaf("unfit", genP256, "/CN=b.example", extensions)
		if out, stderr := s.run(1, fmt.Sprintf(sign, "unfit", "unfit.jws", "jws")); !strings.Contains(stderr, "refused: "+string(want)+":") || out != "" {
			t.Errorf("dnasign says %q, want %s", stderr, want)
		}
	}
}

// spoil changes the last octet of a signature. For a JWS it changes the last
// character but one, whose bits are all used. For a bag, where the statement's
// signature is somewhere inside, it changes the last octet of that signature's
// BIT STRING.
func (s *session) spoil(file, to string) {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		s.t.Fatal(err)
	}
	in, err := delegation.Inspect(raw)
	if err != nil {
		s.t.Fatal(err)
	}
	at := len(raw) - 2
	if in.Encoding == delegation.AC {
		ac := in.AttributeCertificate
		at = strings.Index(string(raw), string(ac[4:])) + len(ac[4:]) - 1
	}
	if raw[at] == 'A' {
		raw[at] = 'B'
	} else {
		raw[at] = 'A'
	}
	realtest.WriteFile(s.t, s.dir, to, string(raw))
}

// TestRealServers publishes in a zone that knot signs and a web root that
// nginx serves, and finds it through unbound.
func TestRealServers(t *testing.T) {
	realtest.Need(t, "openssl", "knotd", "keymgr", "unbound", "nginx")
	s := newSession(t)
	s.ca("ca")
	// Three RSA certificates and targets with long names: over 4 KB of TXT.
	s.leaf("b", "genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:4096", "/O=Example", serverExtensions)
	for _, f := range []string{"b.pem", "ca.pem"} {
		realtest.Output(t, s.dir, "sh", "-c", "cat "+f+" >> chain.pem")
	}
	line := "dnasign sign --offline --domain b.example --service xmpp-server --cert chain.pem --key b.key"
	for i := range 14 {
		line += fmt.Sprintf(" --target xmpp%d.%s.example:5269/%d/0", i, strings.Repeat("hosting", 8), i)
	}
	s.run(0, line+" --out b.jws")
	s.run(0, line+" --out b.p7c --format ac")
	zoneLines, _ := s.run(0, "dnasign publish zone b.jws b.p7c")
	if longest := len(strings.SplitN(zoneLines, "\n", 2)[0]); longest < 4096 {
		t.Fatalf("the record has only %d octets: it does not show truncation", longest)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "www"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.run(0, "dnasign publish https --webroot www b.jws b.p7c")

	host := strings.Repeat("hosting", 8) + ".example"
	content := "@ A 127.0.0.1\n_xmpp-server._tcp SRV 0 0 5269 xmpp0." + host + ".\n" + zoneLines
	_, resolver := realtest.KnotAndUnbound(t,
		realtest.Zone{Name: "b.example", Content: content, Signed: true},
		realtest.Zone{Name: "c.example", Content: "_xmpp-server._tcp SRV 0 0 5269 xmpp0." + host + ".\n"})
	web := realtest.Nginx(t, filepath.Join(s.dir, "www"), filepath.Join(s.dir, "chain.pem"), filepath.Join(s.dir, "b.key"), nginxLocation(t, s))

	out, _ := s.run(0, "dnaverify check -v b.example --roots ca.pem --via dns --resolver "+resolver)
	want(t, out, `OK    txt +2 found`, `OK    srv +1 found \(insecure\)`, `jws in good form, \d+ octets`, `ac in good form, \d+ octets`, `VERIFIED until`)
	out, _ = s.run(0, "dnaverify check -v b.example --roots ca.pem --via dns --validating-resolver "+resolver)
	want(t, out, `OK    srv +1 found \(secure\)`)
	out, _ = s.run(0, "dnaverify check -v b.example --roots ca.pem --via both --allow-private-addresses --connect-to b.example:443:"+web+" --resolver "+resolver)
	want(t, out, `https://b.example/.well-known/dna/_xmpp-server._tcp.jws\n +OK    https +found`,
		`https://b.example/.well-known/dna/_xmpp-server._tcp.p7c\n +OK    https +found`, `VERIFIED until`)
	out, _ = s.run(0, "dnaverify check -v b.example --roots ca.pem --via https --allow-private-addresses --connect-to b.example:443:"+web+" --resolver "+resolver)
	want(t, out, `VERIFIED until`)
	if err := os.Remove(filepath.Join(s.dir, "www", delegation.DocumentPath("_xmpp-server._tcp", delegation.JWS))); err != nil {
		t.Fatal(err)
	}
	out, _ = s.run(0, "dnaverify check -v b.example --roots ca.pem --via https --allow-private-addresses --connect-to b.example:443:"+web+" --resolver "+resolver)
	want(t, out, `ac in good form`, `VERIFIED until`)
	s.reason(reasons.NoStatement, "dnaverify check c.example --roots ca.pem --via dns --resolver "+resolver)
}

// nginxLocation is the configuration that the help of dnasign shows.
func nginxLocation(t *testing.T, s *session) string {
	out, _ := s.run(0, "dnasign publish https --help")
	location := regexp.MustCompile(`(?s)location /\.well-known/dna/ \{.*?\n  \}`).FindString(out)
	if location == "" {
		t.Fatalf("the help shows no location for nginx:\n%s", out)
	}
	return location
}

func want(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(text) {
			t.Errorf("no %q in\n%s", p, text)
		}
	}
}
