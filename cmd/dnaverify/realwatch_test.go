package main

import (
	"path/filepath"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestRealWatch watches a domain whose two authoritative servers differ: one of
// them was forgotten when the owner changed the provider. Each is seen through
// a validating resolver of its own, and the web server has the new statement.
func TestRealWatch(t *testing.T) {
	realtest.Need(t, "knotd", "keymgr", "unbound", "nginx", "prove")
	s := newSession(t)
	if err := clitest.WriteWorld(s.dir); err != nil {
		t.Fatal(err)
	}
	s.run(0, "dnasign sign --domain b.example --service xmpp-server --target xmpp.hosting.example:5269 --cert b.pem --key b.key --out new.jws")
	s.run(0, "dnasign sign --domain b.example --service xmpp-server --target xmpp.former.example:5269 --cert older.pem --key older.key --out old.jws")
	s.run(0, "dnasign publish https --webroot "+s.dir+" new.jws")

	resolverOf := func(statement, host string) string {
		lines, _ := s.run(0, "dnasign publish zone "+statement)
		_, resolver := realtest.KnotAndUnbound(t, realtest.Zone{
			Name: "b.example", Content: "@ A 127.0.0.1\n_xmpp-server._tcp SRV 0 0 5269 " + host + ".\n" + lines, Signed: true})
		return resolver
	}
	fresh, stale := resolverOf("new.jws", "xmpp.hosting.example"), resolverOf("old.jws", "xmpp.former.example")
	web := realtest.Nginx(t, s.dir, filepath.Join(s.dir, "b.pem"), filepath.Join(s.dir, "b.key"), nginxLocation(t, s))
	common := "dnaverify watch b.example --roots roots.pem --allow-private-addresses --connect-to b.example:443:" + web + " --target xmpp.hosting.example:5269"

	out, _ := s.run(0, common+" --strict --validating-resolver "+fresh)
	want(t, out, `^OK            b.example  xmpp.hosting.example:5269, statement until `, `; xmpp.hosting.example:5269 is accepted through 1 of 1\n$`)

	// Through the forgotten one the new statement is on the web server alone, and
	// the secure SRV records contradict it.
	out, _ = s.run(1, common+" --validating-resolver "+fresh+" --validating-resolver "+stale)
	want(t, out, `^ERROR         b.example  xmpp.hosting.example:5269, .*, through 1 of 2 resolvers; xmpp.hosting.example:5269 is accepted through 2 of 2\n`,
		`    error         refused            conflict: .*\(through `+stale+`\)`,
		`    error         resolvers-differ   over DNS: through `+fresh+` one of .* to xmpp.hosting.example:5269, through `+stale+` one of .* to xmpp.former.example:5269\n`,
		`    error         channels-differ    .*\(through `+stale+`\)`,
		`    warning       srv-differs  `)

	out, _ = s.run(1, common+" --tap --validating-resolver "+fresh+" --validating-resolver "+stale)
	file := realtest.WriteFile(t, s.dir, "watch.tap", out)
	realtest.Output(t, s.dir, "sh", "-c", "prove --exec cat "+file+" >proven; test $? -eq 1")
	want(t, realtest.Output(t, s.dir, "cat", "proven"), `Tests: 16 Failed: 3\)`, `Failed tests:  1, 5-6\n`)
}
