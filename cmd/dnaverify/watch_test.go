package main

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// watched is a session in which b.example has published a statement.
func watched(t *testing.T) (*session, *dnsserver.Server) {
	t.Helper()
	s := newSession(t)
	if err := clitest.WriteWorld(s.dir); err != nil {
		t.Fatal(err)
	}
	s.run(0, "dnasign sign --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 --cert b.pem --key b.key --out b.jws")
	zone, _ := s.run(0, "dnasign publish zone b.jws")
	return s, setup.DNS(t, strings.Split(strings.TrimSpace(zone), "\n")...)
}

// TestWatchListen starts the probe endpoint as a person would, scrapes it, and
// ends it.
func TestWatchListen(t *testing.T) {
	s, dns := watched(t)

	cmd := exec.Command(filepath.Join(s.bin, "dnaverify"), strings.Fields("watch b.example --listen 127.0.0.1:0 --via dns --roots roots.pem --resolver "+dns.Addr)...)
	cmd.Dir = s.dir
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(stderr).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("%q, %v", line, err)
	}
	address = "http://" + address
	get := func(path string) (int, string) {
		t.Helper()
		response, err := http.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	code, body := get("/probe?domain=b.example&target=xmpp.hosting.example:5269")
	for _, line := range []string{"probe_success 1", `dnaverify_probe_status{status="ok"} 1`, `dnaverify_probe_verdict{outcome="verified",reason="verified",resolver="` + dns.Addr + `"} 1`,
		`dnaverify_probe_host{outcome="verified",reason="verified",resolver="` + dns.Addr + `"} 1`, "dnaverify_probe_resolvers_agreeing 1"} {
		if code != http.StatusOK || !strings.Contains(body, "\n"+line+"\n") {
			t.Errorf("%d, without %s:\n%s", code, line, body)
		}
	}
	if code, body := get("/probe?domain=b.example&target=evil.example:5269"); code != http.StatusOK || !strings.Contains(body, "\nprobe_success 0\n") || !strings.Contains(body, `dnaverify_probe_finding{name="host-not-accepted"} 1`) {
		t.Errorf("%d %s", code, body)
	}
	code, body = get("/domain?domain=b.example&service=xmpp-server")
	if code != http.StatusOK || !strings.Contains(body, "<h1>b.example has delegated xmpp-server to xmpp.hosting.example, and the proof holds.</h1>") {
		t.Errorf("%d %s", code, body)
	}
	want(t, s.replay(0, body), `^VERIFIED until `, "\nnote: replayed evidence\n")
	if code, body := get("/"); code != http.StatusOK || !strings.Contains(body, `<a href="/domain?domain=b.example">`) {
		t.Errorf("%d %s", code, body)
	}
	asked := len(dns.Queries())
	if code, _ := get("/probe?domain=c.example"); code != http.StatusForbidden || len(dns.Queries()) != asked {
		t.Errorf("%d for a domain that is not in the list, %d questions", code, len(dns.Queries())-asked)
	}
	if code, body := get("/metrics"); code != http.StatusOK || !strings.Contains(body, `dnaverify_watch_probes_total{status="ok"} 1`) {
		t.Errorf("%d %s", code, body)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
}
