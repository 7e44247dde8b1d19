package prosody

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// TestDANE: Prosody 13 with use_dane looks at TLSA records of incoming peers before
// the module is asked. A record that matches is Prosody's own proof. One that does
// not match refuses nobody whom the owner delegates to: dialback is left to such a
// peer, and to no other.
func TestDANE(t *testing.T) {
	realtest.Need(t, "knotd", "keymgr", "unbound", "prosodyctl")
	if version := realtest.Output(t, ".", "sh", "-c", "prosodyctl about 2>/dev/null"); !strings.HasPrefix(version, "Prosody 13") {
		t.Skipf("%.20q: use_dane came with Prosody 13", version)
	}
	const without = domainN
	zones := []realtest.Zone{
		{Name: "alpha.example", Content: "xmpp A 127.0.0.1\n", Signed: true}, {Name: "beta.example", Content: "xmpp A 127.0.0.1\n", Signed: true},
		{Name: domainA, Updated: true, Signed: true}, {Name: domainB, Updated: true, Signed: true}, {Name: "c.example", Updated: true, Signed: true}, {Name: without, Updated: true, Signed: true},
	}
	var names []string
	for _, z := range zones {
		names = append(names, z.Name)
	}
	f := &field{site: newSite(t)}
	var anchors []string
	f.authority, anchors = realtest.Knot(t, zones...)
	f.resolver = realtest.Unbound(t, f.authority, anchors, names...)

	var says mouth
	url, questions := xmpptest.Daemon(t, says.respond)
	signer, certB, keyB := f.Certify(hostB)
	_, certA, keyA := f.Certify(hostA, domainA)
	trusted := fmt.Sprintf(`{ resolvconf = false; hoststxt = false; forward = %q; trustfile = %q; options = { ["do-not-query-localhost:"] = "no" } }`,
		strings.Replace(f.resolver, ":", "@", 1), realtest.WriteFile(t, f.Dir, "anchors.ds", strings.Join(anchors, "\n")+"\n"))
	a := f.prosody(certA, keyA, f.resolver, withModule(t, url).and(options{"use_dane": "true", "unbound": trusted}), domainA)
	b := f.prosody(certB, keyB, f.resolver, nil, domainB, "c.example", without)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of A:\n%s\nlog of B:\n%s", a.Log, b.Log)
		}
	})
	f.update(fmt.Sprintf("_xmpp-server._tcp.%s. 300 SRV 0 0 %d %s.", domainA, a.Server, hostA), domainA)
	for _, domain := range []string{domainB, "c.example", without} {
		f.update(fmt.Sprintf("_xmpp-server._tcp.%s. 300 SRV 0 0 %d %s.", domain, b.Server, hostB), domain)
	}
	f.update(fmt.Sprintf("_xmpp-server.%s. 300 TLSA 3 1 1 %x", domainB, sha256.Sum256(signer.Leaf().RawSubjectPublicKeyInfo)), domainB)
	f.update(fmt.Sprintf("_xmpp-server.c.example. 300 TLSA 3 1 1 %x", sha256.Sum256(nil)), "c.example")

	to := login(t, f.Pool(), a, hostA, domainA)
	refuse := func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) }
	verify := func(q fakedaemon.Question) any { return q.Verified(hostB) }
	says.say(refuse)
	matches := login(t, f.Pool(), b, hostB, domainB)
	delivered(matches, to, "the key is the one of the record")
	if len(questions) > 0 {
		t.Errorf("asked about a peer that DANE proves: %+v", <-questions)
	}
	for domain, asked := range map[string]string{"c.example": "another key", without: "no record"} {
		from := login(t, f.Pool(), b, hostB, domain)
		says.say(refuse)
		bounced(from, to, asked+", and revoked")
		if q := <-questions; q.Source != domain || q.Direction != "incoming" {
			t.Errorf("asked %+v", q)
		}
		says.say(verify)
		delivered(from, to, asked+", and delegated")
		for len(questions) > 0 { // dialback has A connect to the domain too
			<-questions
		}
	}
}
