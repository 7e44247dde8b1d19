package realtest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
)

// An ACME is a real certification authority on the loopback address, and what
// its clients must know about it (RFC 8555).
type ACME struct {
	Directory  string // URL
	Management string // URL of its own roots and intermediates
	// CA is a PEM file with the trust anchor of Directory, and Roots one with
	// that of the certificates it issues, which is another.
	CA, Roots string
	// The ports of 127.0.0.1 at which it looks for answers to challenges:
	// http-01 (RFC 8555) and tls-alpn-01 (RFC 8737).
	HTTPPort, TLSPort int
}

// Pebble starts the test server of Let's Encrypt. It resolves the names to be
// proven by a resolver, and connects to the address that it finds.
func Pebble(t testing.TB, resolver string) *ACME {
	t.Helper()
	Need(t, "pebble", "env")
	dir := t.TempDir()
	root := localca.Must(localca.New("Root of the directory", time.Now()))
	server, err := root.Issue("P-256", []string{"localhost"}, time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour), func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
	if err != nil {
		t.Fatal(err)
	}
	key := localca.Must(localca.KeyPEM(server.Key()))
	a := &ACME{HTTPPort: Port(t), TLSPort: Port(t), CA: WriteFile(t, dir, "ca.pem", string(localca.PEM(root.Root())))}
	listen, manage := fmt.Sprintf("127.0.0.1:%d", Port(t)), fmt.Sprintf("127.0.0.1:%d", Port(t))
	a.Directory, a.Management = "https://"+listen+"/dir", "https://"+manage
	// With more than one profile it would choose one by chance, and so it would
	// the form of Retry-After, if told to send any: caddy 2.6 knows only one.
	config := WriteFile(t, dir, "pebble.json", fmt.Sprintf(`{"pebble": {
  "listenAddress": %q, "managementListenAddress": %q, "certificate": %q, "privateKey": %q,
  "httpPort": %d, "tlsPort": %d, "keyAlgorithm": "ecdsa",
  "profiles": {"default": {"description": "ninety days", "validityPeriod": 7776000}}
}}
`, listen, manage, WriteFile(t, dir, "cert.pem", string(localca.PEM(server.Leaf()))), WriteFile(t, dir, "key.pem", string(key)), a.HTTPPort, a.TLSPort))
	Server(t, func() bool { return open(listen) && open(manage) },
		"env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "pebble", "-config", config, "-dnsserver", resolver)

	client := &http.Client{Timeout: Timeout, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: root.Pool()}, DisableKeepAlives: true}}
	reply, err := client.Get("https://" + manage + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	pem, err := io.ReadAll(io.LimitReader(reply.Body, 1<<16))
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("the root of pebble: %s, %v", reply.Status, err)
	}
	a.Roots = WriteFile(t, dir, "roots.pem", string(pem))
	return a
}

// Certbot writes into a folder a program "certbot" that is the real one with
// this authority, and with etc for /etc/letsencrypt. As any certificate is
// young here, it renews all of them.
func (a *ACME) Certbot(t testing.TB, bin, etc string) {
	t.Helper()
	Need(t, "certbot")
	work := t.TempDir()
	Wrapper(t, bin, "certbot", fmt.Sprintf(`export REQUESTS_CA_BUNDLE=%s XDG_CONFIG_HOME=%s
for word; do [ "$word" != renew ] || set -- "$@" --force-renewal --no-random-sleep-on-renew; done
exec REAL "$@" --non-interactive --agree-tos --no-eff-email --email owner@b.example \
  --http-01-address 127.0.0.1 --http-01-port %d --server %s \
  --config-dir %s --work-dir %[2]s --logs-dir %[2]s
`, quoted(a.CA), quoted(work), a.HTTPPort, a.Directory, quoted(etc)))
}

// Lego writes into a folder a program "lego" that is the real one with this
// authority, and that renews all certificates too.
func (a *ACME) Lego(t testing.TB, bin string) {
	t.Helper()
	Need(t, "lego")
	Wrapper(t, bin, "lego", fmt.Sprintf(`export LEGO_CA_CERTIFICATES=%s
for word; do [ "$word" != renew ] || set -- "$@" --days 1000 --no-random-sleep; done
exec REAL --server %s --accept-tos --http.port 127.0.0.1:%d "$@"
`, quoted(a.CA), a.Directory, a.HTTPPort))
}

// Lego5 is Lego for version 5, which has another command line. No Debian has it,
// and the module proxy not all that it is built from: LEGO5 in the environment
// names it, and without that the test is skipped.
func (a *ACME) Lego5(t testing.TB, bin string) {
	t.Helper()
	program := os.Getenv("LEGO5")
	if program == "" {
		t.Skip("LEGO5 names no lego of version 5")
	}
	wrapper := WriteFile(t, bin, "lego", fmt.Sprintf(`#!/bin/sh
export LEGO_CA_CERTIFICATES=%s
exec %s "$@" --server %s --accept-tos --http.address 127.0.0.1:%d --renew-force --no-random-sleep
`, quoted(a.CA), quoted(program), a.Directory, a.HTTPPort))
	if err := os.Chmod(wrapper, 0o755); err != nil {
		t.Fatal(err)
	}
}

// Caddy runs a web server that gets its own certificate for a domain, until
// stop is called or the test ends. It keeps the certificate under data, as it
// does in /var/lib/caddy/.local/share/caddy. Where renew is true it finds that
// every certificate is due when it starts. It serves nothing but the challenge.
func (a *ACME) Caddy(t testing.TB, data, domain string, renew bool) (stop func()) {
	t.Helper()
	Need(t, "caddy", "env")
	dir := t.TempDir()
	window := 1. / 3 // of the life of a certificate
	if renew {
		window = 0.99999999 // it is due within the first second
	}
	addr := fmt.Sprintf("127.0.0.1:%d", a.TLSPort)
	config := WriteFile(t, dir, "caddy.json", fmt.Sprintf(`{
  "admin": {"disabled": true},
  "storage": {"module": "file_system", "root": %q},
  "apps": {
    "tls": {
      "certificates": {"automate": [%q]},
      "automation": {"policies": [{
        "renewal_window_ratio": %g, "disable_ocsp_stapling": true,
        "issuers": [{"module": "acme", "ca": %q, "trusted_roots_pem_files": [%q], "challenges": {"http": {"disabled": true}}}]
      }]}
    },
    "http": {"https_port": %d, "servers": {"one": {"listen": [%q], "tls_connection_policies": [{}], "automatic_https": {"disable": true}}}}
  }
}
`, data, domain, window, a.Directory, a.CA, a.TLSPort, addr))
	return Server(t, func() bool { return open(addr) },
		"env", "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "caddy", "run", "--config", config)
}

// Wrapper writes into a folder a shell script with the name of a program, to be
// run in its place. The word REAL in it stands for the program itself.
func Wrapper(t testing.TB, bin, program, script string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	wrapper := WriteFile(t, bin, filepath.Base(program), "#!/bin/sh\n"+strings.ReplaceAll(script, "REAL", quoted(path)))
	if err := os.Chmod(wrapper, 0o755); err != nil {
		t.Fatal(err)
	}
}

// quoted is one word for the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
