package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestKeysElsewhere: sign and renew with the commands of docs/keys.md, and with
// no key in a file that dnasign knows. Others verify what they sign.
func TestKeysElsewhere(t *testing.T) {
	realtest.Need(t, "openssl")
	programs, dir := build(t), t.TempDir()
	ca := localca.NewChain(time.Now())
	signer := localca.Must(ca.Issue("P-256", []string{"b.example"}, time.Now().Add(-time.Hour), time.Now().Add(60*world.Day), nil))
	cert, key := setup.Write(t, dir, "b.example", signer)
	roots := realtest.WriteFile(t, dir, "roots.pem", string(localca.PEM(ca.Root())))
	elsewhere := filepath.Join(dir, "elsewhere.key")
	data, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	realtest.WriteFile(t, dir, "elsewhere.key", string(data))
	t.Setenv("SOFTHSM2_CONF", filepath.Join(dir, "softhsm2.conf"))
	hsm := realtest.SoftHSM(t)
	hsm.Import(t, key, "b.example", "01")
	run := func(program string, args ...string) string {
		return realtest.Output(t, dir, filepath.Join(programs, program), args...)
	}
	command := "openssl pkeyutl -sign -inkey " + elsewhere
	token := hsm.URI("object=b.example")
	for _, c := range []struct{ name, flag, flagged, configured string }{
		{"command", "--key-command", command, "command:" + command},
		{"token", "--key", token, hsm.URI("object={domain}")},
	} {
		t.Run(c.name, func(t *testing.T) {
			verify := func(file string) {
				run("dnaverify", "verify", "--domain", "b.example", "--service", "xmpp-server", "--roots", roots, file)
			}
			run("dnasign", "sign", "--domain", "b.example", "--service", "xmpp-server", "--target", "xmpp.hosting.example:5269",
				"--cert", cert, c.flag, c.flagged, "--roots", roots, "--offline", "--out", c.name+".jws")
			verify(c.name + ".jws")
			realtest.WriteFile(t, dir, c.name+".yaml", fmt.Sprintf(`defaults:
  cert: %q
  key: %q
  services: [xmpp-server]
  targets: ["xmpp.hosting.example:5269"]
  publish: [{file: "%s.{service}.{format}"}]
domains: [b.example]
`, cert, c.configured, c.name))
			for _, want := range []string{"1 signed, 0 kept, 0 failed", "0 signed, 1 kept, 0 failed"} {
				if out := run("dnasign", "renew", "--config", c.name+".yaml", "--roots", roots, "--resolver", "127.0.0.1:9"); !strings.Contains(out, want) {
					t.Errorf("%s, want %s", out, want)
				}
			}
			verify(c.name + "._xmpp-server._tcp.ac")
		})
	}
}
