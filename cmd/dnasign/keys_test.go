package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// TestKeysElsewhere: sign and renew with the commands of docs/keys.md, and with
// no key in a file that dnasign knows. Others verify what they sign.
func TestKeysElsewhere(t *testing.T) {
	realtest.Need(t, "openssl")
	programs, at := build(t), setup.NewSite(t)
	dir, roots := at.Dir, at.Roots
	cert, key := at.WriteKeys("b.example", at.Of("b.example"))
	_, elsewhere := at.WriteKeys("elsewhere", at.Of("b.example"))
	t.Setenv("SOFTHSM2_CONF", at.Path("softhsm2.conf"))
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
