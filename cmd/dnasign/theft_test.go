package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/sct"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/keys"
)

const theftDoc = "../../docs/theft.md"

// A theft is the machine of an owner who follows docs/theft.md, and a thief.
// certbot is a program that hands out certificates that were prepared.
type theft struct {
	t      *testing.T
	root   string // stands for /
	ca     *localca.Authority
	server *dnsserver.Server
	blocks []block
}

const live = "etc/letsencrypt/live/b.example/"

func newTheft(t *testing.T) *theft {
	th := &theft{t: t, root: t.TempDir(), blocks: blocks(t, theftDoc)}
	root := localca.Must(localca.New("Root", time.Now()))
	th.ca = localca.Must(root.Intermediate("Intermediate", time.Now(), nil))
	th.server = setup.DNS(t,
		"b.example. 300 IN SOA ns.b.example. hostmaster.b.example. 1 3600 600 86400 60",
		"_xmpp-server._tcp.b.example. 300 IN SRV 0 0 5269 xmpp.hosting.example.")
	th.write("etc/dnasign/tsig.key", realtest.TSIGKey+"\n")
	th.write("roots.pem", string(localca.PEM(th.ca.Root())))
	th.write("etc/dnasign/dna.yaml", fmt.Sprintf(`domains:
  - domain: b.example
    services: [xmpp-server]
    targets: ["xmpp.hosting.example:5269"]
    cert: %[1]s/fullchain.pem
    key: %[1]s/privkey.pem
    publish:
      - dns: {server: %[2]q, authority: [%[2]q], tsig: tsig.key}
`, filepath.Join(th.root, live), th.server.Addr))
	programs, bin := build(t), filepath.Join(th.root, "bin")
	th.must(os.MkdirAll(bin, 0o755))
	for _, name := range []string{"dnasign", "dnaverify"} {
		realtest.Wrapper(t, bin, filepath.Join(programs, name), fmt.Sprintf("exec REAL \"$@\" --resolver %s --roots '%s/roots.pem'\n", th.server.Addr, th.root))
	}
	th.write("bin/certbot", fmt.Sprintf(`#!/bin/sh
echo "$1" >> '%[1]s/did'
if [ "$1" = certonly ]; then cp '%[1]s'/next/* '%[1]s/%[2]s'; fi
`, th.root, live))
	th.must(os.Chmod(filepath.Join(bin, "certbot"), 0o755))
	th.must(os.MkdirAll(filepath.Join(th.root, live), 0o755))
	return th
}

func (th *theft) must(err error) {
	th.t.Helper()
	if err != nil {
		th.t.Fatal(err)
	}
}

func (th *theft) write(name, text string) {
	th.t.Helper()
	file := filepath.Join(th.root, name)
	th.must(os.MkdirAll(filepath.Dir(file), 0o755))
	th.must(os.WriteFile(file, []byte(text), 0o600))
}

// certificate is issued so long ago, as the SCT in it says, and backdated by an
// hour.
func (th *theft) certificate(ago time.Duration) *keys.Signer {
	th.t.Helper()
	issued := time.Now().Add(-ago)
	return localca.Must(th.ca.Issue("P-256", []string{"b.example"}, issued.Add(-time.Hour), issued.AddDate(0, 3, 0), sct.Embed(issued)))
}

// next is the certificate that certbot gets.
func (th *theft) next(s *keys.Signer) {
	th.t.Helper()
	key := localca.Must(localca.KeyPEM(s.Key()))
	th.write("next/fullchain.pem", string(localca.PEM(s.Chain()...)))
	th.write("next/privkey.pem", string(key))
}

// page types the commands of the sections whose names begin so.
func (th *theft) page(section string) (stdout string, err error) {
	th.t.Helper()
	did := 0
	for _, b := range th.blocks {
		if !strings.HasPrefix(b.section, section) || b.kind != "console" {
			continue
		}
		for line := range strings.Lines(b.text) {
			did++
			cmd := exec.CommandContext(th.t.Context(), "sh", "-c", strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(line), "$ "), "/etc/", th.root+"/etc/"))
			cmd.Env = append(os.Environ(), "PATH="+filepath.Join(th.root, "bin")+":"+os.Getenv("PATH"))
			out, failed := cmd.CombinedOutput()
			th.t.Logf("%s%s", line, out)
			stdout += string(out)
			err = errors.Join(err, failed)
		}
	}
	if did == 0 {
		th.t.Fatalf("%s has no commands in section %s", theftDoc, section)
	}
	return stdout, err
}

// evil is a statement of the thief, of this second.
func (th *theft) evil(s *keys.Signer) []byte {
	th.t.Helper()
	now := time.Now()
	st := delegation.Statement{
		Source: "b.example", Service: "_xmpp-server._tcp", Issued: now, Expires: now.AddDate(0, 0, 31),
		Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: "evil.example", Port: 5269}}},
	}
	return localca.Must(signing.Sign(&st, []delegation.Encoding{delegation.JWS}, s))[delegation.JWS]
}

// A witness verifies and remembers.
type witness struct {
	th    *theft
	floor delegation.Floor
}

// believes is the host that the witness accepts on the evidence, or the reason
// why none.
func (w *witness) believes(e *delegation.Evidence) string {
	w.th.t.Helper()
	e.SRV = nil // the targets of the statement itself
	result, err := delegation.Verify(delegation.Query{Source: e.Source, Service: e.Service}, e, delegation.Policy{Roots: w.th.ca.Pool(), Time: time.Now(), Floor: w.floor})
	if err != nil {
		var refused *delegation.Error
		if errors.As(err, &refused) {
			w.floor = w.floor.Join(refused.Floor)
		}
		return string(delegation.ReasonOf(err))
	}
	w.floor = w.floor.Join(result.Floor())
	return result.Targets()[0].Host
}

func (w *witness) looks() string {
	w.th.t.Helper()
	client := &discovery.Client{Resolver: w.th.server.Addr, Via: discovery.ViaDNS}
	e, err := client.Gather(w.th.t.Context(), "b.example", "_xmpp-server._tcp", nil)
	w.th.must(err)
	return w.believes(e)
}

func (w *witness) isShown(raw []byte) string {
	w.th.t.Helper()
	q := delegation.Query{Source: "b.example", Service: "_xmpp-server._tcp"}
	return w.believes(q.FileEvidence("shown", raw))
}

func (th *theft) want(what, got, want string) {
	th.t.Helper()
	if got != want {
		th.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// TestTheft follows docs/theft.md. The thief has the key, and gets a later
// certificate once, on an authorization that the authority reuses. In the end
// the owner is on top.
func TestTheft(t *testing.T) {
	const ours = "xmpp.hosting.example"
	th := newTheft(t)
	stolen := th.certificate(20 * 24 * time.Hour)
	th.next(stolen)
	if _, err := th.page("2."); err != nil { // long ago
		t.Fatal(err)
	}
	_, err := th.page("3.")
	th.must(err)
	th.must(os.Remove(filepath.Join(th.root, "did")))
	fresh, deceived := &witness{th: th}, &witness{th: th}
	th.want("before", fresh.looks(), ours)
	time.Sleep(1100 * time.Millisecond) // a later second
	th.want("the thief, with the stolen key", deceived.isShown(th.evil(stolen)), "evil.example")
	th.want("what the owner signed earlier", deceived.looks(), "superseded")

	// Steps 1 to 3.
	th.next(th.certificate(3 * time.Minute))
	for _, step := range []string{"1.", "2.", "3."} {
		_, err := th.page(step)
		th.must(err)
	}
	th.want("after step 3", fresh.looks(), ours)
	th.want("after step 3, deceived", deceived.looks(), ours)
	for name, w := range map[string]*witness{"fresh": fresh, "deceived": deceived} {
		th.want("the stolen key again, "+name, w.isShown(th.evil(stolen)), "superseded")
	}

	// The thief is issued a certificate once more, and plants a statement.
	again := th.certificate(2 * time.Minute)
	planted := th.evil(again)
	th.want("the thief's later certificate", deceived.isShown(planted), "evil.example")
	th.must(th.server.SetRecords([]string{
		"b.example. 300 IN SOA ns.b.example. hostmaster.b.example. 1 3600 600 86400 60", longTXT(delegation.JWS.TXTRecord(planted)),
	}))
	out, err := th.page("3.")
	if err == nil || !strings.Contains(out, "superseded: the certificate of a statement (published) was issued at ") || !strings.Contains(out, "docs/theft.md") {
		t.Errorf("the owner is not told: %v", err)
	}

	// Step 4.
	th.next(th.certificate(time.Minute))
	_, err = th.page("4.")
	th.must(err)
	for name, w := range map[string]*witness{"fresh": fresh, "deceived": deceived} {
		th.want("after step 4, "+name, w.looks(), ours)
		th.want("the stolen key in the end, "+name, w.isShown(th.evil(stolen)), "superseded")
		th.want("the thief's later certificate in the end, "+name, w.isShown(th.evil(again)), "superseded")
	}
	did, err := os.ReadFile(filepath.Join(th.root, "did"))
	th.must(err)
	if got := strings.Fields(string(did)); !slices.Equal(got, []string{"show_account", "certonly", "revoke", "revoke", "certonly"}) {
		t.Errorf("certbot did %q", got)
	}
}

// longTXT is a zone line with a TXT record.
func longTXT(text string) string {
	line := "_xmpp-server._tcp._dna.b.example. 300 IN TXT"
	for piece := range slices.Chunk([]byte(text), 250) {
		line += ` "` + string(piece) + `"`
	}
	return line
}

// TestTheftOrder: the page has the steps in the order in which they work.
func TestTheftOrder(t *testing.T) {
	page, err := os.ReadFile(theftDoc)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, step := range []string{"accounturi=", "certbot certonly", "certbot revoke", "dnasign renew", "certbot certonly", "dnasign renew"} {
		next := strings.Index(string(page)[at:], step)
		if next < 0 {
			t.Fatalf("%s does not come where it should", step)
		}
		at += next + 1
	}
}
