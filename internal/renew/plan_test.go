package renew

import (
	"crypto/x509"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

const hour, day = time.Hour, world.Day

// around is the world of the tests of planning.
var around = world.At(time.Date(2026, 6, 1, 12, 0, 0, 500, time.UTC))

// delegation is what the configuration wants.
func wanted(formats ...delegation.Encoding) *Delegation {
	return &Delegation{
		Source: "b.example", Service: "_xmpp-server._tcp", Cert: "b.pem", Formats: formats,
		Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: "h.example", Port: 5269}}},
	}
}

// sign makes a statement as d wants it, of an age and a life, in formats.
func sign(d *Delegation, by *keys.Signer, age, life time.Duration, formats ...delegation.Encoding) (found []publish.Found) {
	s := world.Statement(d.Source, d.Service, around.Now.Add(-age))
	s.Targets, s.Expires = d.Targets, s.Issued.Add(life)
	for _, e := range formats {
		found = append(found, publish.Found{Where: "somewhere", Statement: localca.Must(delegation.Inspect(world.Sign(s, e, by)))})
	}
	return found
}

// recordOf is what is remembered after a statement was signed here.
func recordOf(found []publish.Found, kept bool) *signing.Record {
	s, err := signing.ReadState("")
	if err != nil {
		panic(err)
	}
	in := found[0].Statement
	s.Add(in, kept)
	return s.Of(in.Statement.Source, in.Statement.Service)
}

func TestDecide(t *testing.T) {
	const jws, ac = delegation.JWS, delegation.AC
	leaf := around.Issue(-10*day, 60*day, world.Source)
	older, newer := around.Issue(-20*day, 60*day, world.Source), around.Issue(-5*day, 60*day, world.Source)
	short := around.Issue(-10*day, 3*day, world.Source)
	alone, err := keys.NewSigner(leaf.Chain()[:1], leaf.Key())
	if err != nil {
		t.Fatal(err)
	}
	d := wanted(jws)
	other := wanted(jws)
	other.Targets = []delegation.Target{{Endpoint: delegation.Endpoint{Host: "old.example", Port: 5269}}}
	moved := *other
	moved.Source = "c.example"
	revoked := wanted(jws)
	revoked.Targets = nil
	weekly := wanted(jws)
	weekly.Valid = 7 * day
	long := wanted(jws)
	long.Valid = 60 * day
	both := wanted(jws, ac)
	byRenew := sign(revoked, leaf, day, 31*day, jws)
	twin := around.Issue(-10*day, 50*day, world.Source)
	c := around.Issue(-day, 50*day, "c.example")
	planted := world.At(around.Now).Issue(-day, 50*day, world.Source) // by a stranger's authority
	garbage := publish.Found{Where: "somewhere", Err: errors.New("half")}
	altered := sign(d, leaf, day, 14*day, jws)
	altered[0].Statement.Raw[len(altered[0].Statement.Raw)-9] ^= 1

	for _, tt := range []struct {
		name  string
		d     *Delegation
		chain *keys.Signer
		found [][]publish.Found
		force bool
		// record is what was signed here.
		record  *signing.Record
		want    string // the cause, "" for keeping, or a reason
		standby bool
		revoke  bool // a revocation made by hand stays
		// When what stays or is signed was issued and ends, relative to now.
		issued, expires time.Duration
		note            string
	}{
		{name: "nothing there", d: d, want: "missing", expires: 14 * day},
		{name: "a life of one's own", d: weekly, want: "missing", expires: 7 * day},
		{name: "a long life", d: long, want: "missing", expires: 60 * day, note: "31 days at most"},
		{name: "a revocation", d: revoked, want: "missing", expires: 31 * day},
		{name: "a certificate that ends soon", d: d, chain: short, want: "missing", expires: 3 * day},
		{name: "what is wanted", d: d, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws)}, issued: -day, expires: 13 * day},
		{name: "forced", d: d, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws)}, force: true, want: "forced", expires: 14 * day},
		{name: "in two formats", d: both, found: [][]publish.Found{sign(d, leaf, day, 14*day, ac, jws)}, issued: -day, expires: 13 * day},
		{name: "at two places", d: d, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws), nil}, issued: -day, expires: 13 * day},
		{name: "a revocation, signed", d: revoked, found: [][]publish.Found{sign(revoked, leaf, day, 31*day, jws)}, issued: -day, expires: 30 * day},
		{name: "the newer of two", d: d, found: [][]publish.Found{sign(d, leaf, 2*day, 14*day, jws), sign(d, leaf, day, 14*day, jws)}, issued: -day, expires: 13 * day},
		{name: "a newer one with other targets", d: d, found: [][]publish.Found{sign(d, leaf, 2*day, 14*day, jws), sign(other, leaf, day, 14*day, jws)}, want: "targets-changed", expires: 14 * day},
		{name: "other targets", d: d, found: [][]publish.Found{sign(other, leaf, day, 14*day, jws)}, want: "targets-changed", expires: 14 * day},
		{name: "revoked by hand", d: d, found: [][]publish.Found{sign(revoked, leaf, day, 31*day, jws)}, issued: -day, expires: 30 * day, revoke: true, note: "To delegate again: type this"},
		{name: "revoked by hand, expiring", d: d, found: [][]publish.Found{sign(revoked, leaf, 9*day, 12*day, jws)}, want: "expiring", expires: 31 * day, revoke: true, note: "it stays revoked"},
		{name: "revoked by hand, another certificate", d: d, found: [][]publish.Found{sign(revoked, older, day, 31*day, jws)}, want: "certificate-changed", expires: 31 * day, revoke: true, note: "it stays revoked"},
		{name: "revoked by hand, renewed once", d: d, found: [][]publish.Found{byRenew}, record: recordOf(byRenew, true), issued: -day, expires: 30 * day, revoke: true, note: "it stays revoked"},
		{name: "revoked by hand, forced", d: d, found: [][]publish.Found{sign(revoked, leaf, day, 31*day, jws)}, force: true, want: "forced", expires: 14 * day},
		{name: "revoked by the configuration, and no longer", d: d, found: [][]publish.Found{byRenew}, record: recordOf(byRenew, false), want: "targets-changed", expires: 14 * day},
		{name: "an old revocation is back, and it was delegated since", d: d, found: [][]publish.Found{sign(revoked, leaf, day, 31*day, jws)}, record: recordOf(sign(d, leaf, hour, 14*day, jws), false), want: "targets-changed", expires: 14 * day},
		{name: "revoked by hand, after it was signed here", d: d, found: [][]publish.Found{sign(revoked, leaf, hour, 31*day, jws)}, record: recordOf(sign(d, leaf, day, 14*day, jws), false), issued: -hour, expires: 31*day - hour, revoke: true, note: "it stays revoked"},
		{name: "revoked by hand, renewed, and gone", d: d, record: recordOf(byRenew, true), want: "missing", expires: 31 * day, revoke: true, note: "it stays revoked"},
		{name: "revoked by hand, renewed, and an old delegation is back", d: d, found: [][]publish.Found{sign(d, leaf, 2*day, 14*day, jws)}, record: recordOf(byRenew, true), want: "targets-changed", expires: 31 * day, revoke: true, note: "it stays revoked"},
		{name: "revoked by hand, renewed, and delegated elsewhere since", d: d, found: [][]publish.Found{sign(d, leaf, hour, 14*day, jws)}, record: recordOf(byRenew, true), issued: -hour, expires: 14*day - hour},
		{name: "an older certificate", d: d, found: [][]publish.Found{sign(d, older, day, 14*day, jws)}, want: "certificate-changed", expires: 14 * day},
		{name: "a chain without issuer", d: d, found: [][]publish.Found{sign(d, alone, day, 14*day, jws)}, want: "certificate-changed", expires: 14 * day},
		{name: "a newer certificate", d: d, found: [][]publish.Found{sign(d, newer, day, 14*day, jws)}, issued: -day, expires: 13 * day, standby: true},
		{name: "a newer certificate, in one format of two", d: both, found: [][]publish.Found{sign(d, newer, day, 14*day, jws)}, issued: -day, expires: 13 * day, standby: true, note: "does not sign the format ac"},
		{name: "a newer certificate, other targets", d: d, found: [][]publish.Found{sign(other, newer, day, 14*day, jws)}, want: string(reasons.Superseded)},
		{name: "a newer certificate, which is not renewed", d: d, found: [][]publish.Found{sign(d, newer, 4*day, 5*day, jws)}, want: string(reasons.Superseded)},
		{name: "a newer certificate, forced", d: d, found: [][]publish.Found{sign(d, newer, day, 14*day, jws)}, force: true, want: "forced", expires: 14 * day, note: "get a new certificate"},
		{name: "a newer certificate of a stranger's authority", d: d, found: [][]publish.Found{sign(other, planted, day, 14*day, jws)}, want: "unusable", expires: 14 * day},
		{name: "a newer certificate signed here", d: d, record: recordOf(sign(d, newer, day, 14*day, jws), false), want: string(reasons.Superseded)},
		{name: "another certificate of the same moment", d: d, found: [][]publish.Found{sign(d, twin, day, 14*day, jws)}, want: "certificate-changed", expires: 14 * day, note: "can still sign above it"},
		{name: "a draft", d: d, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws)}, record: recordOf(sign(other, leaf, hour, 14*day, jws), false), issued: -day, expires: 13 * day, note: "is not published"},
		{name: "signed here a moment ago, and not published", d: d, record: recordOf(sign(d, leaf, -time.Minute, 14*day, jws), false), want: "missing", issued: 61 * time.Second, expires: 14*day + 61*time.Second},
		{name: "signed here in the future", d: d, record: recordOf(sign(d, leaf, -hour, 14*day, jws), false), want: string(reasons.ClockMismatch)},
		{name: "signed here in the future, with an older certificate", d: d, record: recordOf(sign(d, older, -hour, 14*day, jws), false), want: "missing", expires: 14 * day},
		{name: "a statement of another domain", d: d, found: [][]publish.Found{sign(&moved, c, day, 14*day, jws)}, want: "unusable", expires: 14 * day},
		{name: "one format of two", d: both, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws)}, want: "formats-changed", expires: 14 * day},
		{name: "formats signed apart", d: both, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws), sign(d, leaf, 2*day, 14*day, ac)}, want: "formats-changed", expires: 14 * day},
		{name: "a format too many", d: d, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws, ac)}, issued: -day, expires: 13 * day, note: "somewhere has a statement in the format ac"},
		{name: "a longer life than wanted", d: weekly, found: [][]publish.Found{sign(d, leaf, day, 14*day, jws)}, want: "life-changed", expires: 7 * day},
		{name: "a third of its life left", d: d, found: [][]publish.Found{sign(d, leaf, 6*day, 9*day, jws)}, issued: -6 * day, expires: 3 * day},
		{name: "less than a third left", d: d, found: [][]publish.Found{sign(d, leaf, 6*day+time.Second, 9*day, jws)}, want: "expiring", expires: 14 * day},
		{name: "ends with its certificate", d: d, chain: short, found: [][]publish.Found{sign(d, short, 9*day, 12*day, jws)}, issued: -9 * day, expires: 3 * day, note: "renew the certificate"},
		{name: "expired", d: d, found: [][]publish.Found{sign(d, leaf, 8*day, 7*day, jws)}, want: "unusable", expires: 14 * day},
		{name: "half a record", d: d, found: [][]publish.Found{{garbage}}, want: "unusable", expires: 14 * day},
		{name: "altered", d: d, found: [][]publish.Found{altered}, want: "unusable", expires: 14 * day},
		{name: "half a record beside", d: d, found: [][]publish.Found{append(sign(d, leaf, day, 14*day, jws), garbage)}, issued: -day, expires: 13 * day},
		{name: "signed this second", d: d, found: [][]publish.Found{sign(other, leaf, 0, 14*day, jws)}, want: "targets-changed", issued: time.Second, expires: 14*day + time.Second},
		{name: "signed by a clock that is a little fast", d: d, found: [][]publish.Found{sign(other, leaf, -time.Minute, 14*day, jws)}, want: "targets-changed", issued: 61 * time.Second, expires: 14*day + 61*time.Second},
		{name: "signed in the future", d: d, found: [][]publish.Found{sign(d, leaf, -hour, 14*day, jws)}, want: string(reasons.ClockMismatch)},
		{name: "signed in the future, forced", d: d, found: [][]publish.Found{sign(d, leaf, -hour, 14*day, jws)}, force: true, want: "forced", expires: 14 * day},
		{name: "signed in the future with an older certificate", d: d, found: [][]publish.Found{sign(d, older, -hour, 14*day, jws)}, want: "unusable", expires: 14 * day},
		{name: "certificate not yet valid", d: d, chain: around.Issue(hour, 60*day, world.Source), want: string(reasons.SignerNotYetValid)},
		{name: "certificate expired", d: d, chain: around.Issue(-60*day, -hour, world.Source), want: string(reasons.SignerExpired)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chain := leaf.Chain()
			if tt.chain != nil {
				chain = tt.chain.Chain()
			}
			var views []publish.View
			for _, f := range tt.found {
				views = append(views, publish.View{Where: "a place", Found: f})
			}
			owner := publish.Owner{Roots: around.CA.Pool(), Leaf: chain[0], Now: func() time.Time { return around.Now }}
			p, err := situation{
				delegation: tt.d, chain: chain, found: collect(tt.d, owner, views), record: tt.record, now: around.Now, force: tt.force, again: "type this",
			}.decide()
			if err != nil {
				if delegation.ReasonOf(err) != reasons.Reason(tt.want) || tt.want == "" {
					t.Errorf("refused: %v, want %q", err, tt.want)
				}
				return
			}
			if p.why != Why(tt.want) {
				t.Fatalf("signs because %q, want %q", p.why, tt.want)
			}
			start := around.Now.Truncate(time.Second)
			if !p.issued.Equal(start.Add(tt.issued)) || !p.expires.Equal(start.Add(tt.expires)) {
				t.Errorf("issued %v, expires %v after now; want %v, %v", p.issued.Sub(start), p.expires.Sub(start), tt.issued, tt.expires)
			}
			if notes := strings.Join(p.notes, "\n"); (tt.note == "") != (notes == "") || !strings.Contains(notes, tt.note) {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
			if p.standby != tt.standby || p.byHand != tt.revoke {
				t.Errorf("standby %t, by hand %t", p.standby, p.byHand)
			}
			if revokes := len(p.targets) == 0; revokes != (tt.revoke || len(tt.d.Targets) == 0) {
				t.Errorf("signs for %v", p.targets)
			}
			for _, e := range tt.d.Formats[:1] {
				if (p.raw[e] != nil) != (tt.want == "") {
					t.Errorf("kept %v, signs because %q", p.raw, p.why)
				}
			}
		})
	}
}

// TestShows: a place is in order only if it has that one statement in its
// format, and nothing that cannot be read.
func TestShows(t *testing.T) {
	d, leaf := wanted(delegation.JWS), around.Issue(-10*day, 60*day, world.Source)
	one := sign(d, leaf, day, 14*day, delegation.JWS, delegation.AC)
	two := sign(d, leaf, 2*day, 14*day, delegation.JWS)
	for name, tt := range map[string]struct {
		view publish.View
		want bool
	}{
		"it":            {publish.View{Found: one[:1]}, true},
		"in two":        {publish.View{Found: one}, true},
		"nothing":       {publish.View{}, false},
		"another":       {publish.View{Found: two}, false},
		"another too":   {publish.View{Found: append(slices.Clone(one), two...)}, false},
		"it twice":      {publish.View{Found: append(slices.Clone(one), one[0])}, false},
		"half a record": {publish.View{Found: append(slices.Clone(one), publish.Found{Err: errors.New("half")})}, false},
		"not known":     {publish.View{Found: one, Err: errors.New("no answer")}, false},
	} {
		if got := shows(tt.view, delegation.JWS, one[0].Statement.Raw); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestSameChain(t *testing.T) {
	leaf := around.Issue(-day, day, world.Source)
	chain := leaf.Chain()
	if len(chain) != 2 {
		t.Fatalf("%d certificates", len(chain))
	}
	c, root := around.Issue(-day, day, world.Source).Leaf(), around.CA.Root()
	for i, tt := range []struct {
		a, b []*x509.Certificate
		want bool
	}{
		{chain, chain, true},
		{chain, chain[:1], false},
		{chain, []*x509.Certificate{c, chain[1]}, false},
		{chain, []*x509.Certificate{chain[0], c}, false},
		{append(slices.Clone(chain), root), []*x509.Certificate{chain[0], root, chain[1]}, true},
	} {
		if got := sameChain(tt.a, tt.b); got != tt.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}

func TestHook(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		env  map[string]string
		d    Delegation
		hook bool
		want bool
	}{
		{hook: false},
		{map[string]string{"RENEWED_DOMAINS": "a.example b.example"}, Delegation{Source: "b.example"}, true, true},
		{map[string]string{"RENEWED_DOMAINS": "*.b.example a.example"}, Delegation{Source: "b.example", Cert: "x/y"}, true, false},
		{map[string]string{"RENEWED_LINEAGE": dir + "/live/a"}, Delegation{Source: "b.example", Cert: "live/a/fullchain.pem"}, true, true},
		{map[string]string{"RENEWED_LINEAGE": dir + "/live/a"}, Delegation{Source: "b.example", Cert: "live/b/fullchain.pem"}, true, false},
		{map[string]string{"LEGO_CERT_DOMAIN": "b.example", "LEGO_CERT_PATH": "x.crt"}, Delegation{Source: "b.example", Cert: "y"}, true, true},
		{map[string]string{"LEGO_CERT_DOMAIN": "a.example", "LEGO_CERT_PATH": "certificates/a.example.crt"}, Delegation{Source: "b.example", Cert: dir + "/certificates/a.example.crt"}, true, true},
		{map[string]string{"LEGO_CERT_DOMAIN": "a.example", "LEGO_CERT_PATH": "certificates/a.example.crt"}, Delegation{Source: "b.example", Cert: "certificates/b.example.crt"}, true, false},
	} {
		h := HookFrom(func(name string) string { return tt.env[name] })
		if (h != nil) != tt.hook {
			t.Errorf("%d: hook %v", i, h)
		}
		if h != nil && h.Concerns(&tt.d) != tt.want {
			t.Errorf("%d: %s concerns %s signed with %s: not %v", i, h, tt.d.Source, tt.d.Cert, tt.want)
		}
	}
}
