package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// documented returns the line of the documentation that begins with a prefix,
// of which there must be exactly one.
func documented(t *testing.T, file, prefix string) (line string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for l := range strings.Lines(string(text)) {
		if strings.HasPrefix(l, prefix) {
			line, found = strings.TrimSpace(l), found+1
		}
	}
	if found != 1 {
		t.Fatalf("%s has %d lines that begin with %q, want 1", file, found, prefix)
	}
	return line
}

// configure writes the configuration of an owner whose zone takes updates.
func (l *laboratory) configure(cert, key string) {
	l.t.Helper()
	l.write("/etc/dnasign/dna.yaml", fmt.Sprintf(`defaults:
  cert: %q
  key: %q
  services: [xmpp-server]
  targets: ["xmpp.hosting.example:5269"]
  publish:
    - dns: {server: %q, authority: [%[3]q], tsig: tsig.key, ttl: 1}
domains: [b.example]
`, l.path(cert), l.path(key), l.knot))
}

// TestHooks: a certificate is issued, and the hook signs and publishes a
// statement that others verify. It is renewed with a new key, twice. Each time
// the hook signs anew, and nothing is left of the statement before. The
// commands are those of the documentation.
func TestHooks(t *testing.T) {
	const (
		certbotLive = "/etc/letsencrypt/live/b.example/"
		legoFiles   = "/etc/lego/certificates/b.example"
		lego        = "lego --path /etc/lego --email owner@b.example --domains b.example --http"
		timersRun   = "certbot -q renew" // what the timer of Debian's package runs
	)
	for _, c := range []struct {
		name      string
		cert, key string
		client    func(l *laboratory)
		issue     string
		renewals  []string
	}{
		{
			name: "certbot", cert: certbotLive + "fullchain.pem", key: certbotLive + "privkey.pem",
			client: func(l *laboratory) { l.acme.Certbot(l.t, l.bin, l.path("/etc/letsencrypt")) },
			// It remembers the hook, so its timer needs to be told nothing.
			issue: "certbot certonly ", renewals: []string{timersRun},
		},
		{
			// The certificate is older than the hook.
			name: "certbot-folder", cert: certbotLive + "fullchain.pem", key: certbotLive + "privkey.pem",
			client: func(l *laboratory) {
				l.acme.Certbot(l.t, l.bin, l.path("/etc/letsencrypt"))
				l.run("certbot certonly --standalone -d b.example")
				l.run(documented(t, renewDoc, "printf "))
			},
			issue: timersRun, renewals: []string{timersRun},
		},
		{
			name: "lego", cert: legoFiles + ".crt", key: legoFiles + ".key",
			client: func(l *laboratory) { l.acme.Lego(l.t, l.bin) },
			issue:  lego + " run ", renewals: []string{lego + " renew ", lego + " renew "},
		},
		{
			name: "lego-5", cert: legoFiles + ".crt", key: legoFiles + ".key",
			client: func(l *laboratory) { l.acme.Lego5(l.t, l.bin) },
			issue:  "lego run ", renewals: []string{"lego run ", "lego run "},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLaboratory(t, realtest.Zone{Name: "b.example", Content: zoneOfB, Signed: true, Updated: true})
			l.configure(c.cert, c.key)
			c.client(l)
			command := func(line string) string {
				if line == timersRun {
					return line
				}
				return documented(t, renewDoc, line)
			}
			l.run(command(c.issue))
			cert, key := l.wantSigner(c.cert, c.key)
			for _, line := range c.renewals {
				l.run(command(line))
				newCert, newKey := l.wantSigner(c.cert, c.key)
				if newCert == cert || newKey == key {
					t.Fatalf("%s: the certificate or its key is the old one", line)
				}
				cert, key = newCert, newKey
			}
		})
	}
}

// TestCaddy: caddy has no hook of its own; the command of the timer finds what
// it has renewed.
func TestCaddy(t *testing.T) {
	l := newLaboratory(t, realtest.Zone{Name: "b.example", Content: zoneOfB, Signed: true, Updated: true})
	const data = "/var/lib/caddy/.local/share/caddy"
	timer := strings.Replace(documented(t, filepath.Join(unitFolder, "dnasign-renew.service"), "ExecStart="), "ExecStart=", "", 1)

	stop := l.acme.Caddy(t, l.path(data), "b.example", false)
	pattern := l.path(data + "/certificates/*/b.example/b.example.")
	// Its last file is that with the particulars.
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(50 * time.Millisecond) {
		if files, _ := filepath.Glob(pattern + "json"); len(files) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("caddy has no certificate after %v", realtest.Timeout)
		}
	}
	stop()
	files, _ := filepath.Glob(pattern + "crt")
	certFile, err := filepath.Rel(l.root, files[0])
	if err != nil {
		t.Fatal(err)
	}
	keyFile := strings.TrimSuffix(certFile, "crt") + "key"
	l.configure(certFile, keyFile)
	l.run(timer)
	cert, _ := l.wantSigner(certFile, keyFile)
	if out := l.run(timer); !strings.Contains(out, "nothing to do") {
		t.Error(out)
	}

	old, err := os.ReadFile(l.path(certFile))
	if err != nil {
		t.Fatal(err)
	}
	stop = l.acme.Caddy(t, l.path(data), "b.example", true)
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(50 * time.Millisecond) {
		if now, err := os.ReadFile(l.path(certFile)); err != nil || string(now) != string(old) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("caddy has not renewed its certificate after %v", realtest.Timeout)
		}
	}
	stop()
	l.run(timer)
	// Old ones keep their key: 2.6 does.
	if renewed, _ := l.wantSigner(certFile, keyFile); renewed == cert {
		t.Error("the certificate is the old one")
	}
}

// TestHookOfAnother: certbot renews a certificate that signs nothing here. Its
// hook fails, and says what to do; that for all certificates does not.
func TestHookOfAnother(t *testing.T) {
	l := newLaboratory(t, realtest.Zone{Name: "b.example", Content: zoneOfB + "www A 127.0.0.1\n", Signed: true, Updated: true})
	const live = "/etc/letsencrypt/live/b.example/"
	l.configure(live+"fullchain.pem", live+"privkey.pem")
	l.acme.Certbot(l.t, l.bin, l.path("/etc/letsencrypt"))
	const call = `certbot certonly --standalone -d www.b.example --deploy-hook "dnasign renew %s--config /etc/dnasign/dna.yaml"`
	_, out, _ := l.try(fmt.Sprintf(call, ""))
	for _, want := range []string{"reported error code 2", "has nothing that is signed with the renewed certificate of www.b.example", "add --hook-for-all"} {
		if !strings.Contains(out, want) {
			t.Errorf("certbot does not say %q:\n%s", want, out)
		}
	}
	_, out, err := l.try(fmt.Sprintf(call, "--hook-for-all ") + " --force-renewal")
	if err != nil || strings.Contains(out, "error code") || !strings.Contains(out, "nothing was done") {
		t.Errorf("for all: %v\n%s", err, out)
	}
}
