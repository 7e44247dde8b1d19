package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestRealServe asks the daemon with a real curl; it finds the statement
// through a real knot and unbound.
func TestRealServe(t *testing.T) {
	realtest.Need(t, "curl", "jq", "knotd", "keymgr", "unbound")
	h := newHosting(t)
	_, resolver := realtest.KnotAndUnbound(t,
		realtest.Zone{Name: "b.example", Content: h.srv(s2s, 0, 5269) + h.txt("b.example", s2s, provider, time.Hour, 5269)},
		realtest.Zone{Name: "secure.example", Content: h.srv(s2s, 0, 5269), Signed: true},
		realtest.Zone{Name: "broken.example", Content: h.srv(s2s, 0, 5269), Signed: true, Broken: true})
	socket := filepath.Join(h.dir, "s")
	s := serving(t, socket, exec.Command(filepath.Join(h.bin, "dnaverify"), "serve", "--listen", "unix:"+socket, "--store", filepath.Join(h.dir, "memory.db"),
		"--validating-resolver", resolver, "--self-test", "secure.example,broken.example", "--via", "dns", "--roots", h.Roots))

	curl := func(arguments string) string {
		t.Helper()
		return realtest.Output(t, h.dir, "sh", "-c", "curl --silent --show-error --fail --unix-socket s "+arguments)
	}
	check := func(domain string) string {
		t.Helper()
		return curl(fmt.Sprintf(`http://daemon/v1/check --json "$(jq -n --rawfile chain provider.pem '{source: "%s", service: "xmpp-server", direction: "incoming", $chain}')"`, domain))
	}
	want(t, curl("http://daemon/healthz"), `"name":"resolver","ok":true`)
	want(t, check("b.example"), `"outcome":"verified"`, `"method":"delegation"`, `"cached":false`)
	want(t, check("b.example"), `"outcome":"verified"`, `"method":"delegation"`, `"cached":true`)
	want(t, curl("http://daemon/metrics"), `(?m)^dnaverify_cache_questions_total\{result="hit"\} 1$`, `(?m)^dnaverify_cache_questions_total\{result="miss"\} 1$`)
	want(t, check("secure.example"), `"outcome":"verified"`, `"method":"dnssec"`)
	want(t, check("broken.example"), `"outcome":"undetermined"`, `"reason":"dns-bogus"`)
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, s.stderr.Bytes())
	}
}
