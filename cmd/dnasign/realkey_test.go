package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestKeyOfOwn: the owner of a signed zone, without a web server and without a
// certificate of an authority, makes a key, names it, signs, publishes and renews.
// Others verify it until the key is taken out of the zone.
func TestKeyOfOwn(t *testing.T) {
	authority, anchors := realtest.Knot(t, realtest.Zone{
		Name: "b.example", Updated: true, Signed: true,
		Content: "_xmpp-server._tcp SRV 0 0 5269 xmpp.hosting.example.\n",
	})
	bin, dir := build(t), t.TempDir()
	if err := clitest.WriteWorld(dir); err != nil {
		t.Fatal(err)
	}
	tsig := realtest.TSIGFile(t, dir, realtest.TSIGName, realtest.TSIGSecret)
	run := func(code int, line string) (stdout, stderr string) {
		t.Helper()
		args := strings.Fields(line)
		cmd := exec.Command(filepath.Join(bin, args[0]), args[1:]...)
		var out, said bytes.Buffer
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
		err := cmd.Run()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Fatalf("%s: %v, want exit code %d\n%s%s", line, err, code, &out, &said)
		}
		return out.String(), said.String()
	}
	has := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
	// resolver has nothing in its cache.
	resolver := func() string { return realtest.Unbound(t, authority, anchors, "b.example") }

	const newKey = "dnasign key new --domain b.example --service xmpp-server --service xmpps-server --cert own.pem --key own.key"
	line, said := run(0, newKey)
	has(line, "_signer._xmpp-server._tcp._dna.b.example. 3600 IN TLSA 3 1 1 ")
	has(said, "next: put what is printed into the zone of b.example")
	if info, err := os.Stat(filepath.Join(dir, "own.key")); err != nil || info.Mode().Perm() != 0o600 || strings.Count(line, "\n") != 1 {
		t.Errorf("%v, %v, %q", info, err, line)
	}
	_, said = run(2, newKey)
	has(said, "is there already")
	if again, _ := run(0, "dnasign key tlsa --domain b.example --service xmpp-server --cert own.pem"); again != line {
		t.Errorf("%s, then %s", line, again)
	}

	sign := "dnasign sign --roots roots.pem --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 --allow-private-addresses --resolver "
	own := " --cert own.pem --key own.key --out s.jws"
	_, said = run(0, sign+resolver()+" --authority "+authority+own)
	has(said, "put this record into the zone: "+strings.TrimSpace(line))
	_, said = run(0, sign+"127.0.0.1:1 --offline"+own)
	has(said, "only if the zone has this record: "+strings.TrimSpace(line))

	changeRecord(t, authority, line, (*dns.Msg).Insert)
	_, said = run(0, sign+resolver()+" --authority "+authority+own)
	has(said, "only those who validate DNSSEC accept what this key signs")
	_, said = run(0, sign+resolver()+" --authority "+authority+" --cert b.pem --key b.key --out other.jws --state none")
	has(said, "the zone names other keys")
	run(0, "dnasign publish dns --roots roots.pem --server "+authority+" --authority "+authority+" --resolver "+resolver()+" --tsig "+tsig+" s.jws")

	check := "dnaverify check b.example --via dns --roots roots.pem --verbose "
	out, _ := run(0, check+"--validating-resolver "+resolver())
	has(out, "VERIFIED", "signers", "keys named: 1, TTL 3600 s; no other may sign", "the zone names this key")
	out, _ = run(1, check+"--resolver "+resolver())
	has(out, "untrusted-signer", "nothing that DNSSEC secures names its key")

	_, said = run(0, "dnasign init --config init.yaml --cert own.pem --key own.key --resolver "+resolver())
	has(said, "found the service _xmpp-server._tcp")
	realtest.WriteFile(t, dir, "dna.yaml", fmt.Sprintf(`defaults:
  cert: own.pem
  key: own.key
  services: [xmpp-server]
  targets: [xmpp.hosting.example:5269, xmpp.hosting.example:5270]
  publish:
    - dns: {server: "%s", tsig: "%s", authority: ["%[1]s"]}
domains: [b.example]
`, authority, tsig))
	renew := "dnasign renew --config dna.yaml --roots roots.pem --allow-private-addresses --resolver "
	out, _ = run(0, renew+resolver()+" --check")
	has(out, "TLSA _signer._xmpp-server._tcp._dna.b.example: only those who validate DNSSEC")
	out, _ = run(0, renew+resolver())
	has(out, "only those who validate DNSSEC accept what this key signs")
	out, _ = run(0, renew+resolver()) // by the same key: it is the owner's own, and stays
	has(out, "kept")

	changeRecord(t, authority, line, (*dns.Msg).Remove)
	out, _ = run(1, check+"--validating-resolver "+resolver())
	has(out, "untrusted-signer")
	out, _ = run(1, renew+resolver()+" --check")
	has(out, "put this record into the zone: "+strings.TrimSpace(line))
	out, _ = run(1, renew+resolver())
	has(out, "untrusted-signer")

	// One key with both: the zone names the key of the certificate, too.
	both, _ := run(0, "dnasign key tlsa --domain b.example --service xmpp-server --cert b.pem")
	changeRecord(t, authority, both, (*dns.Msg).Insert)
	time.Sleep(time.Second) // two statements of one second contradict each other
	run(0, sign+resolver()+" --authority "+authority+" --cert b.pem --key b.key --out other.jws --force --state none")
	run(0, "dnasign publish dns --force --roots roots.pem --server "+authority+" --authority "+authority+" --resolver "+resolver()+" --tsig "+tsig+" other.jws")
	for _, kind := range []string{"--resolver ", "--validating-resolver "} {
		out, _ = run(0, check+kind+resolver())
		has(out, "VERIFIED")
	}
}

// changeRecord changes a zone as its administrator does.
func changeRecord(t *testing.T, server, line string, change func(*dns.Msg, []dns.RR)) {
	t.Helper()
	rr, err := dns.NewRR(line)
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg).SetUpdate("b.example.")
	change(m, []dns.RR{rr})
	m.SetTsig(realtest.TSIGAll+".", dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{Net: "tcp", TsigSecret: map[string]string{realtest.TSIGAll + ".": realtest.TSIGSecret}}
	reply, _, err := client.Exchange(m, server)
	if err != nil || reply.Rcode != dns.RcodeSuccess {
		t.Fatalf("%v, %v", reply, err)
	}
}
