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
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/sct"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

const theftDoc = "../../docs/theft.md"

// A theft is the machine of an owner who follows docs/theft.md, and a thief.
// certbot is a program that hands out certificates that were prepared.
type theft struct {
	*setup.Site
	blocks []block
}

const live = "etc/letsencrypt/live/b.example/"

func newTheft(t *testing.T) *theft {
	th := &theft{blocks: blocks(t, theftDoc), Site: setup.NewSite(t,
		"b.example. 300 IN SOA ns.b.example. hostmaster.b.example. 1 3600 600 86400 60",
		"_xmpp-server._tcp.b.example. 300 IN SRV 0 0 5269 xmpp.hosting.example.")}
	th.Write("etc/dnasign/tsig.key", realtest.TSIGKey+"\n")
	th.Write("etc/dnasign/dna.yaml", fmt.Sprintf(`domains:
  - domain: b.example
    services: [xmpp-server]
    targets: ["xmpp.hosting.example:5269"]
    cert: %[1]s/fullchain.pem
    key: %[1]s/privkey.pem
    publish:
      - dns: {server: %[2]q, authority: [%[2]q], tsig: tsig.key}
`, th.Path(live), th.DNS.Addr))
	programs, bin := build(t), filepath.Join(th.Dir, "bin")
	th.Must(os.MkdirAll(bin, 0o755))
	for _, name := range []string{"dnasign", "dnaverify"} {
		realtest.Wrapper(t, bin, filepath.Join(programs, name), fmt.Sprintf("exec REAL \"$@\" --resolver %s --roots '%s/roots.pem'\n", th.DNS.Addr, th.Dir))
	}
	th.Write("bin/certbot", fmt.Sprintf(`#!/bin/sh
echo "$1" >> '%[1]s/did'
if [ "$1" = certonly ]; then cp '%[1]s'/next/* '%[1]s/%[2]s'; fi
`, th.Dir, live))
	th.Must(os.Chmod(filepath.Join(bin, "certbot"), 0o755))
	th.Must(os.MkdirAll(th.Path(live), 0o755))
	return th
}

// certificate is issued so long ago, as the SCT in it says, and backdated by an
// hour.
func (th *theft) certificate(ago time.Duration) *keys.Signer {
	th.Helper()
	issued := time.Now().Add(-ago)
	return localca.Must(th.CA.Issue("P-256", []string{"b.example"}, issued.Add(-time.Hour), issued.AddDate(0, 3, 0), sct.Embed(issued)))
}

// next is the certificate that certbot gets.
func (th *theft) next(s *keys.Signer) {
	th.Helper()
	key := localca.Must(localca.KeyPEM(s.Key()))
	th.Write("next/fullchain.pem", string(localca.PEM(s.Chain()...)))
	th.Write("next/privkey.pem", string(key))
}

// page types the commands of the sections whose names begin so.
func (th *theft) page(section string) (stdout string, err error) {
	th.Helper()
	did := 0
	for _, b := range th.blocks {
		if !strings.HasPrefix(b.section, section) || b.kind != "console" {
			continue
		}
		for line := range strings.Lines(b.text) {
			did++
			cmd := exec.CommandContext(th.Context(), "sh", "-c", strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(line), "$ "), "/etc/", th.Dir+"/etc/"))
			cmd.Env = append(os.Environ(), "PATH="+filepath.Join(th.Dir, "bin")+":"+os.Getenv("PATH"))
			out, failed := cmd.CombinedOutput()
			th.Logf("%s%s", line, out)
			stdout += string(out)
			err = errors.Join(err, failed)
		}
	}
	if did == 0 {
		th.Fatalf("%s has no commands in section %s", theftDoc, section)
	}
	return stdout, err
}

// evil is a statement of the thief, of this second.
func (th *theft) evil(s *keys.Signer) []byte {
	th.Helper()
	st := world.Statement("b.example", world.Service, time.Now(), "evil.example")
	st.Expires = st.Issued.AddDate(0, 0, 31)
	return world.Sign(st, delegation.JWS, s)
}

// A witness verifies and remembers.
type witness struct {
	th    *theft
	floor delegation.Floor
}

// believes is the host that the witness accepts on the evidence, or the reason
// why none.
func (w *witness) believes(e *delegation.Evidence) string {
	w.th.Helper()
	e.SRV = nil // the targets of the statement itself
	result, err := delegation.Verify(delegation.Query{Source: e.Source, Service: e.Service}, e, delegation.Policy{Roots: w.th.CA.Pool(), Time: time.Now(), Floor: w.floor})
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
	w.th.Helper()
	client := &discovery.Client{Resolver: w.th.DNS.Addr, Via: discovery.ViaDNS}
	e, err := client.Gather(w.th.Context(), "b.example", "_xmpp-server._tcp", nil)
	w.th.Must(err)
	return w.believes(e)
}

func (w *witness) isShown(raw []byte) string {
	w.th.Helper()
	q := delegation.Query{Source: "b.example", Service: "_xmpp-server._tcp"}
	return w.believes(q.FileEvidence("shown", raw))
}

func (th *theft) want(what, got, want string) {
	th.Helper()
	if got != want {
		th.Errorf("%s: %s, want %s", what, got, want)
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
	th.Must(err)
	th.Must(os.Remove(filepath.Join(th.Dir, "did")))
	fresh, deceived := &witness{th: th}, &witness{th: th}
	th.want("before", fresh.looks(), ours)
	time.Sleep(1100 * time.Millisecond) // a later second
	th.want("the thief, with the stolen key", deceived.isShown(th.evil(stolen)), "evil.example")
	th.want("what the owner signed earlier", deceived.looks(), "superseded")

	// Steps 1 to 3.
	th.next(th.certificate(3 * time.Minute))
	for _, step := range []string{"1.", "2.", "3."} {
		_, err := th.page(step)
		th.Must(err)
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
	th.Must(th.DNS.SetRecords([]string{
		"b.example. 300 IN SOA ns.b.example. hostmaster.b.example. 1 3600 600 86400 60", longTXT(delegation.JWS.TXTRecord(planted)),
	}))
	out, err := th.page("3.")
	if err == nil || !strings.Contains(out, "superseded: the certificate of a statement (published) was issued at ") || !strings.Contains(out, "docs/theft.md") {
		t.Errorf("the owner is not told: %v", err)
	}

	// Step 4.
	th.next(th.certificate(time.Minute))
	_, err = th.page("4.")
	th.Must(err)
	for name, w := range map[string]*witness{"fresh": fresh, "deceived": deceived} {
		th.want("after step 4, "+name, w.looks(), ours)
		th.want("the stolen key in the end, "+name, w.isShown(th.evil(stolen)), "superseded")
		th.want("the thief's later certificate in the end, "+name, w.isShown(th.evil(again)), "superseded")
	}
	did, err := os.ReadFile(filepath.Join(th.Dir, "did"))
	th.Must(err)
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
