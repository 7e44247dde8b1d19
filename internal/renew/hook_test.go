package renew

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestHookFiles: a client may name the certificate by any path, and it may have
// many names. The hook finds what is signed with it and nothing else.
func TestHookFiles(t *testing.T) {
	l := newLab(t)
	l.certificate("b.example", -day, 60*day)
	l.certificate("c.example", -day, 60*day)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(l.Path(name))
		must(err)
		return data
	}
	// As certbot keeps it, as lego does, and a copy.
	for _, dir := range []string{"archive/b.example", "live/b.example", "lego", "other"} {
		must(os.MkdirAll(l.Path(dir), 0o755))
	}
	must(os.WriteFile(l.Path("archive/b.example/fullchain1.pem"), read("b.example.pem"), 0o644))
	must(os.Symlink("../../archive/b.example/fullchain1.pem", l.Path("live/b.example/fullchain.pem")))
	must(os.WriteFile(l.Path("lego/b.example.crt"), read("b.example.pem"), 0o644))
	must(os.WriteFile(l.Path("copy.pem"), read("b.example.pem"), 0o644))
	must(os.WriteFile(l.Path("other/both.pem"), append(read("c.example.pem"), read("b.example.pem")...), 0o644))
	must(os.Symlink("live", l.Path("letsencrypt")))
	must(os.Symlink(l.Path("live/b.example/fullchain.pem"), l.Path("xmpp.pem")))
	must(os.Symlink("lego", l.Path("acme")))

	certbot := map[string]string{"RENEWED_LINEAGE": l.Path("live/b.example"), "RENEWED_DOMAINS": "www.b.example b.example"}
	lego4 := map[string]string{"LEGO_CERT_PATH": l.Path("lego/b.example.crt"), "LEGO_CERT_DOMAIN": "www.b.example"}
	lego5 := map[string]string{"LEGO_HOOK_CERT_PATH": l.Path("lego/b.example.crt"), "LEGO_HOOK_CERT_DOMAINS": "www.b.example,b.example,*.b.example"}
	for _, c := range []struct {
		name         string
		env          map[string]string
		source, cert string
		want         bool
	}{
		{"certbot", certbot, "b.example", "live/b.example/fullchain.pem", true},
		{"certbot, a name among several", certbot, "x.example", "live/b.example/fullchain.pem", true},
		{"certbot, folder behind a link", certbot, "x.example", "letsencrypt/b.example/fullchain.pem", true},
		{"certbot, file behind a link", certbot, "x.example", "xmpp.pem", true},
		{"certbot, archive", certbot, "x.example", "archive/b.example/fullchain1.pem", true},
		{"certbot, a copy", certbot, "x.example", "copy.pem", true},
		{"certbot, a copy in another order", certbot, "x.example", "other/both.pem", true},
		{"certbot, another certificate", certbot, "c.example", "c.example.pem", false},
		{"certbot, another certificate of the same name", certbot, "b.example", "c.example.pem", false},
		{"certbot, no file", certbot, "b.example", "none.pem", false},
		{"lego 4", lego4, "b.example", "lego/b.example.crt", true},
		{"lego 4, behind a link", lego4, "b.example", "acme/b.example.crt", true},
		{"lego 4, another file beside it", lego4, "c.example", "lego/c.example.crt", false},
		{"lego 5", lego5, "b.example", "lego/b.example.crt", true},
		{"lego 5, behind a link", lego5, "x.example", "acme/../acme/b.example.crt", true},
		{"lego 5, a copy", lego5, "x.example", "copy.pem", true},
		{"lego 5, another certificate", lego5, "c.example", "c.example.pem", false},
		{"lego 5, names only", map[string]string{"LEGO_HOOK_CERT_DOMAINS": "a.example,B.Example"}, "b.example", "none.pem", true},
		{"lego 5, names only, a wildcard", map[string]string{"LEGO_HOOK_CERT_DOMAINS": "a.example,*.example"}, "b.example", "none.pem", false},
		{"lego 5, cannot be read", map[string]string{"LEGO_HOOK_CERT_PATH": "none.crt", "LEGO_HOOK_CERT_DOMAINS": "a.example,b.example"}, "b.example", "b.example.pem", true},
		{"lego 5 before 4", map[string]string{"LEGO_HOOK_CERT_DOMAINS": "b.example", "LEGO_CERT_DOMAIN": "c.example"}, "c.example", "c.example.pem", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := HookFrom(func(name string) string { return c.env[name] })
			if h == nil {
				t.Fatal("no hook")
			}
			d := Delegation{Source: c.source, Cert: l.Path(c.cert)}
			if got := h.Concerns(&d); got != c.want {
				t.Errorf("%s concerns %s signed with %s: %v", h, d.Source, d.Cert, got)
			}
		})
	}

	// What is told if there is nothing.
	h := HookFrom(func(name string) string { return lego5[name] })
	other := &Config{File: "dna.yaml", Delegations: []Delegation{{Source: "c.example", Cert: l.Path("c.example.pem")}}}
	if got := h.Nothing(other); !strings.Contains(got, "dna.yaml has nothing that is signed with the renewed certificate of www.b.example, b.example ("+l.Path("lego/b.example.crt")+")") ||
		!strings.Contains(got, "--hook-for-all") {
		t.Error(got)
	}
	for want, env := range map[string]map[string]string{
		"certificate of a.example;": {"LEGO_HOOK_CERT_DOMAINS": "a.example"},
		"certificate of none.crt;":  {"LEGO_HOOK_CERT_PATH": "none.crt"},
	} {
		if got := HookFrom(func(name string) string { return env[name] }).Nothing(other); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	l.certificate("b.example", -time.Hour, 60*day)
	own := &Config{File: "dna.yaml", Delegations: []Delegation{{Source: "b.example", Cert: l.Path("b.example.pem")}}}
	if got := h.Nothing(own); h.Concerns(&own.Delegations[0]) || !strings.Contains(got, "b.example is signed with "+l.Path("b.example.pem")+", which is another") {
		t.Error(got)
	}
}
