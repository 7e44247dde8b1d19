package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestPublishToKnot: the built command updates a real, signed zone, and others
// see through a validating resolver what it did.
func TestPublishToKnot(t *testing.T) {
	authority, resolver := realtest.KnotAndUnbound(t, realtest.Zone{
		Name: "b.example", Updated: true, Signed: true,
		Content: "_xmpp-server._tcp SRV 0 0 5269 xmpp.hosting.example.\n",
	})
	second, transfer := realtest.KnotSecondary(t, authority, "b.example")
	bin, dir := build(t), t.TempDir()
	if err := clitest.WriteWorld(dir); err != nil {
		t.Fatal(err)
	}
	key := realtest.TSIGFile(t, dir, realtest.TSIGName, realtest.TSIGSecret)
	wrong := realtest.TSIGFile(t, dir, "wrong", realtest.TSIGSecret)
	run := func(code int, line string) string {
		t.Helper()
		args := strings.Fields(line)
		cmd := exec.Command(filepath.Join(bin, args[0]), args[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Fatalf("%s: %v, want exit code %d\n%s", line, err, code, out)
		}
		return string(out)
	}
	publish := "dnasign publish dns --ttl 1s --server " + authority + " --authority " + authority + " --resolver " + resolver + " --tsig "
	check := "dnaverify check b.example --via dns --roots roots.pem --resolver " + resolver

	run(0, "dnasign sign --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 --cert b.pem --key b.key --out s.jws")
	if out := run(1, publish+wrong+" s.jws"); !strings.Contains(out, "tsig-rejected") {
		t.Error(out)
	}
	run(0, publish+key+" s.jws")
	if out := run(0, check); !strings.Contains(out, "VERIFIED") {
		t.Error(out)
	}
	if out := run(0, publish+key+" s.jws"); !strings.Contains(out, "nothing was sent") {
		t.Error(out)
	}
	if out := run(3, publish+key+" --wait 0 --authority "+second+" s.jws"); !strings.Contains(out, "not-everywhere") || !strings.Contains(out, second) {
		t.Error(out)
	}
	transfer()
	run(0, publish+key+" --wait 30s --authority "+second+" s.jws")

	time.Sleep(time.Second) // two statements of one second contradict each other
	run(0, "dnasign revoke --domain b.example --service xmpp-server --cert b.pem --key b.key --out r.jws")
	run(0, publish+key+" r.jws")
	// The resolver has the old one for another second.
	for deadline := time.Now().Add(realtest.Timeout); ; {
		cmd := exec.Command(filepath.Join(bin, "dnaverify"), strings.Fields(check)[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if cmd.ProcessState.ExitCode() == 1 {
			if !strings.Contains(string(out), "REFUSED: revoked") {
				t.Errorf("%s", out)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not revoked after %v:\n%s", realtest.Timeout, out)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if out := run(1, publish+key+" s.jws"); !strings.Contains(out, "superseded") {
		t.Error(out)
	}
}
