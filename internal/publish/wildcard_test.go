package publish

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// inBind serves b.example with a real named. Options are those of the zone.
func inBind(t *testing.T, content, options string) string {
	t.Helper()
	return realtest.Bind(t, `zone "b.example" { type primary; file "b.zone"; `+options+` };
zone "dyn.example" { type primary; file "dyn.zone"; `+options+` };
`, map[string]string{"b.zone": content, "dyn.zone": "*.wild TXT \"for everybody\"\n"})
}

const updatedByKey = `allow-update { key owner-key; };`

// realServers are those that are asked what a wildcard does there.
var realServers = map[string]func(t *testing.T, content string) string{
	"BIND": func(t *testing.T, content string) string { return inBind(t, content, updatedByKey) },
	"PowerDNS": func(t *testing.T, content string) string {
		return realtest.PowerDNS(t, realtest.Zone{Name: "b.example", Content: content, Updated: true},
			realtest.Zone{Name: "dyn.example", Content: "*.wild TXT \"for everybody\"\n", Updated: true})
	},
	"Knot DNS": func(t *testing.T, content string) string {
		addr, _ := realtest.Knot(t, realtest.Zone{Name: "b.example", Content: content, Updated: true, Signed: true},
			realtest.Zone{Name: "dyn.example", Content: "*.wild TXT \"for everybody\"\n", Updated: true})
		return addr
	},
}

// keyed is a place in DNS at one server, which is the resolver too.
func keyed(t *testing.T, addr, key string) *DNS {
	t.Helper()
	return &DNS{
		Owner: Owner{Roots: around.CA.Pool()}, Server: addr, Authorities: []string{addr}, Resolver: addr,
		Key: mustKey(t, "hmac-sha256:"+key+":"+realtest.TSIGSecret),
	}
}

func mustKey(t *testing.T, text string) *TSIGKey {
	t.Helper()
	key, err := parseTSIGKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// txtAt are the texts that a server has at a name, without those of others that
// an alias leads to.
func txtAt(t *testing.T, addr, name string) []string {
	t.Helper()
	set := look(t.Context(), []nameServer{{addresses: mustServers(t, addr)}}, name)[0]
	if set.err != nil {
		t.Fatal(set.err)
	}
	return set.texts
}

// TestWildcard: an alias that a wildcard makes is not the owner's. Its target is
// left alone, and each service has a record of its own. An alias that is written
// out is followed, whatever wildcard is beside it.
func TestWildcard(t *testing.T) {
	const spf = "v=spf1 -all"
	own := map[string]string{"_xmpp-server._tcp": owner, "_xmpp-client._tcp": "_xmpp-client._tcp._dna.b.example."}
	dyn := map[string]string{"_xmpp-server._tcp": "s.dyn.example.", "_xmpp-client._tcp": "c.dyn.example."}
	for _, c := range []struct {
		name, content string
		want          map[string]string // where the record of each service is put
	}{
		{"to the apex", "* CNAME b.example.\n", own},
		{"of services to the apex", "*._tcp._dna CNAME b.example.\n", own},
		{"of the domain of statements", "*._dna CNAME b.example.\n", own},
		{"to another zone", "* CNAME www.dyn.example.\n", own},
		{"to nowhere", "* CNAME nowhere.example.net.\n", own},
		{"of TXT records", "* TXT \"for everybody\"\n", own},
		{"of TXT records of services", "*._tcp._dna TXT \"for everybody\"\n", own},
		{"none", "", own},
		{"beside aliases", "* CNAME b.example.\n_xmpp-server._tcp._dna CNAME s.dyn.example.\n_xmpp-client._tcp._dna CNAME c.dyn.example.\n", dyn},
		{"with the same target as the alias", "* CNAME s.dyn.example.\n*._tcp._dna CNAME s.dyn.example.\n_xmpp-server._tcp._dna CNAME s.dyn.example.\n_xmpp-client._tcp._dna CNAME c.dyn.example.\n", dyn},
		{"behind an alias", "_xmpp-server._tcp._dna CNAME s.alias\n_xmpp-client._tcp._dna CNAME c.alias\n*.alias CNAME b.example.\n",
			map[string]string{"_xmpp-server._tcp": "s.alias.b.example.", "_xmpp-client._tcp": "c.alias.b.example."}},
		{"of TXT records behind an alias", "_xmpp-server._tcp._dna CNAME s.wild.dyn.example.\n_xmpp-client._tcp._dna CNAME c.wild.dyn.example.\n",
			map[string]string{"_xmpp-server._tcp": "s.wild.dyn.example.", "_xmpp-client._tcp": "c.wild.dyn.example."}},
		{"none, all statements elsewhere", "_dna DNAME dyn.example.\n",
			map[string]string{"_xmpp-server._tcp": "_xmpp-server._tcp.dyn.example.", "_xmpp-client._tcp": "_xmpp-client._tcp.dyn.example."}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			for server, start := range realServers {
				t.Run(server, func(t *testing.T) {
					addr := start(t, "@ TXT \""+spf+"\"\n"+c.content)
					key := realtest.TSIGName
					if server == "Knot DNS" {
						key = realtest.TSIGAll
					}
					d := keyed(t, addr, key)
					for s, want := range c.want {
						place, raw := d.Place(source, s), draft{service: s}.sign(t)
						if views, err := place.Current(t.Context()); err != nil || len(views) != 1 || views[0].Err != nil || len(views[0].Found) != 0 {
							t.Errorf("%s: before: %+v, %v", s, views, err)
						}
						change, err := place.Publish(t.Context(), raw)
						if err != nil || !change.Changed || change.Replaced != 0 || change.Name != want {
							t.Fatalf("%s: %+v, %v; want a record at %s", s, change, err, want)
						}
						if err := place.Check(t.Context(), raw); err != nil {
							t.Error(err)
						}
						if diff := cmp.Diff([]string{delegation.JWS.TXTRecord(raw)}, txtAt(t, addr, want)); diff != "" {
							t.Errorf("%s: %s", want, diff)
						}
						next := draft{service: s, age: -1e9}.sign(t)
						if change, err := place.Publish(t.Context(), next); err != nil || change.Replaced != 1 {
							t.Errorf("%s: the next one: %+v, %v", s, change, err)
						}
					}
					if got := txtAt(t, addr, "b.example."); !slices.Equal(got, []string{spf}) {
						t.Errorf("the apex has %.80q", got)
					}
				})
			}
		})
	}
}
