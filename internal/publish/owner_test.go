package publish

import (
	"cmp"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// by signs the draft with a certificate of a world that begins an hour after the
// usual one.
func (d draft) by(t testing.TB, w *world.World) []byte {
	t.Helper()
	return d.with(t, w.Issue(time.Hour-10*world.Day, 60*world.Day, cmp.Or(d.source, source)))
}

func (d draft) with(t testing.TB, s *keys.Signer) []byte {
	t.Helper()
	in, err := delegation.Inspect(d.sign(t))
	if err != nil {
		t.Fatal(err)
	}
	return world.Sign(in.Statement, in.Encoding, s)
}

// TestRank: what counts is what leads to the owner's trust anchors, or was
// signed with the owner's own certificate.
func TestRank(t *testing.T) {
	private := draft{}.by(t, strangers)
	for _, c := range []struct {
		name string
		raw  []byte
		at   time.Duration
		want Rank
	}{
		{"verified", draft{}.sign(t), 0, Counts},
		{"a revocation", draft{host: "nobody"}.sign(t), 0, Counts},
		{"as attribute certificate", draft{encoding: delegation.AC}.sign(t), 0, Counts},
		{"that lives for long", draft{life: 80 * 24 * time.Hour}.by(t, around), 0, Counts},
		{"expired", draft{age: time.Hour, life: time.Minute}.sign(t), 0, Worthless},
		{"spoiled", draft{spoil: true}.sign(t), 0, Worthless},
		{"by a stranger's authority", private, 0, Worthless},
		{"from the future", draft{}.sign(t), -time.Hour, Ahead},
		{"from the future, by a stranger's authority", private, -time.Hour, Worthless},
		{"of another domain", draft{source: "c.example"}.sign(t), 0, Others},
		{"of another role", draft{service: "_xmpp-client._tcp"}.sign(t), 0, Others},
		{"of another domain, from the future", draft{source: "c.example"}.sign(t), -time.Hour, Others},
		{"of another domain, by a stranger's authority", draft{source: "c.example"}.by(t, strangers), 0, Worthless},
	} {
		in, err := delegation.Inspect(c.raw)
		if err != nil {
			t.Fatal(err)
		}
		o := Owner{Roots: around.CA.Pool(), Now: func() time.Time { return testNow.Add(c.at) }}
		if got := o.Rank(in, source, service); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	in, err := delegation.Inspect(private)
	if err != nil {
		t.Fatal(err)
	}
	if got := (Owner{Leaf: in.Certificates[0]}).Rank(in, source, service); got != Counts {
		t.Errorf("signed with the owner's certificate: %d", got)
	}
	if got := (Owner{}).Rank(in, source, service); got != Worthless {
		t.Errorf("without trust anchors: %d", got)
	}
}

// TestLockedOut: a stranger who can write to a place cannot keep the owner from
// publishing there.
func TestLockedOut(t *testing.T) {
	text := func(e delegation.Encoding, raw []byte) string { return e.TXTRecord(raw) }
	own := draft{}.sign(t)
	ofOther := func(n string) string {
		return text(delegation.JWS, draft{source: n + ".example"}.by(t, strangers))
	}
	theirs := text(delegation.JWS, draft{source: "c.example"}.sign(t))
	for name, c := range map[string]struct{ there, stay []string }{
		"for the domain, newer":       {[]string{text(delegation.JWS, draft{host: "evil.example"}.by(t, strangers))}, nil},
		"a revocation, newer":         {[]string{text(delegation.JWS, draft{host: "nobody"}.by(t, strangers))}, nil},
		"in the other encoding":       {[]string{text(delegation.AC, draft{encoding: delegation.AC, host: "nobody"}.by(t, strangers))}, nil},
		"the place is full":           {[]string{ofOther("d"), ofOther("e"), ofOther("f"), ofOther("g"), ofOther("h")}, nil},
		"full of unknown encodings":   {[]string{"v=DNA1; e=a; s=AA", "v=DNA1; e=b; s=AA", "v=DNA1; e=c; s=AA", "v=DNA1; e=d; s=AA"}, nil},
		"full, and one that is valid": {[]string{ofOther("d"), ofOther("e"), ofOther("f"), theirs}, []string{theirs}},
	} {
		t.Run(name, func(t *testing.T) {
			records := zone()
			for _, r := range c.there {
				records = append(records, line(r))
			}
			s := setup.DNS(t, records...)
			if _, err := at(t, s).Place(source, service).Publish(t.Context(), own); err != nil {
				t.Fatal(err)
			}
			there := map[string]bool{}
			for _, r := range recordsAt(t, s.Addr) {
				there[r] = true
			}
			if !there[text(delegation.JWS, own)] || len(there) > limits.MaxTXTRecords {
				t.Errorf("%d records, ours among them: %t", len(there), there[text(delegation.JWS, own)])
			}
			for _, r := range c.stay {
				if !there[r] {
					t.Errorf("gone: %.60s", r)
				}
			}
		})
	}
}

// TestForce: what is refused is done if somebody insists.
func TestForce(t *testing.T) {
	own := draft{age: time.Minute}.sign(t)
	later := draft{host: "nobody"}.by(t, around)
	twin := draft{age: time.Minute, host: "two.example"}.sign(t)
	foreign := draft{source: "c.example"}.sign(t)
	role := draft{service: "_xmpp-client._tcp"}.sign(t)
	for name, c := range map[string]struct {
		there []byte
		want  reasons.Reason
	}{
		"a newer one":          {later, reasons.Superseded},
		"one of the same time": {twin, reasons.Conflict},
		"of another domain":    {foreign, reasons.SourceMismatch},
		"of another role":      {role, reasons.ServiceMismatch},
		"from the future":      {draft{age: -time.Hour}.sign(t), reasons.ClockMismatch},
	} {
		root := t.TempDir()
		web := webRoot(root)
		file := filepath.Join(root, document)
		mkdir(t, filepath.Dir(file))
		if err := os.WriteFile(file, c.there, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := web.Place(source, service).Publish(t.Context(), own)
		wantReason(t, err, c.want)
		if there, err := os.ReadFile(file); err != nil || string(there) != string(c.there) {
			t.Errorf("%s: it was written over: %v", name, err)
		}
		web.Force = true
		if _, err := web.Place(source, service).Publish(t.Context(), own); err != nil {
			t.Errorf("%s, forced: %v", name, err)
		}
	}
	// In DNS, where others fill the place.
	records := zone(record(delegation.JWS, later))
	for _, d := range []string{"d.example", "e.example", "f.example", "g.example"} {
		records = append(records, record(delegation.JWS, draft{source: d}.sign(t)))
	}
	s := setup.DNS(t, records...)
	d := at(t, s)
	_, err := d.Place(source, service).Publish(t.Context(), own)
	wantReason(t, err, reasons.Superseded)
	d.Force = true
	if _, err := d.Place(source, service).Publish(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	if n := len(recordsAt(t, s.Addr)); n != limits.MaxTXTRecords {
		t.Errorf("%d records", n)
	}
}

// TestLessTrusted: what the owner's trust anchors do not accept replaces nothing that
// they accept, unless somebody insists.
func TestLessTrusted(t *testing.T) {
	good, other := draft{age: time.Hour}.sign(t), draft{}.by(t, strangers)
	dns := at(t, setup.DNS(t, zone(record(delegation.JWS, good))...))
	web := webRoot(t.TempDir())
	if _, err := web.Place(source, service).Publish(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	_, err := dns.Place(source, service).Publish(t.Context(), other)
	wantReason(t, err, reasons.UntrustedSigner)
	_, err = web.Place(source, service).Publish(t.Context(), other)
	wantReason(t, err, reasons.UntrustedSigner)
	dns.Force, web.Force = true, true
	if _, err := dns.Place(source, service).Publish(t.Context(), other); err != nil {
		t.Error(err)
	}
	if _, err := web.Place(source, service).Publish(t.Context(), other); err != nil {
		t.Error(err)
	}
}

// TestReadBack: somebody without the lock writes at the same time, and the newer
// one wins.
func TestReadBack(t *testing.T) {
	newer := draft{host: "nobody"}.sign(t)
	for name, c := range map[string]struct {
		theirs []byte
		want   reasons.Reason
	}{
		"a newer statement":  {newer, reasons.Superseded},
		"an older statement": {draft{age: time.Hour}.sign(t), reasons.UpdateRaced},
		"nonsense":           {[]byte("x"), reasons.UpdateRaced},
	} {
		root := t.TempDir()
		place := webRoot(root).Place(source, service)
		place.written = func() {
			if err := os.WriteFile(filepath.Join(root, document), c.theirs, 0o644); err != nil {
				t.Error(err)
			}
		}
		_, err := place.Publish(t.Context(), draft{age: time.Minute}.sign(t))
		if got := delegation.ReasonOf(err); got != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestNotRemembered: the resolver is not asked for a name before there is
// something, since it would remember that there is nothing.
func TestNotRemembered(t *testing.T) {
	s := setup.DNS(t, zone()...)
	d := &DNS{Resolver: s.Addr, port: netip.MustParseAddrPort(s.Addr).Port()}
	views, err := d.Place(source, service).Current(t.Context())
	if err != nil || len(views) != 1 || views[0].Err != nil {
		t.Fatalf("%+v, %v", views, err)
	}
	asked := 0
	for _, q := range s.Queries() {
		if q.Name != owner {
			continue
		}
		if asked++; q.RD {
			t.Errorf("the resolver was asked for %s %s", q.Name, q.Type)
		}
	}
	if asked < 2 {
		t.Errorf("%d questions about the record", asked)
	}
	// Where that is in vain, the resolver is asked.
	d.port = netip.MustParseAddrPort(closedPort(t)).Port()
	if _, err := d.Place(source, service).Current(t.Context()); err != nil {
		t.Error(err)
	}
	if last := s.Queries()[len(s.Queries())-1]; !last.RD {
		t.Errorf("the last question was %+v", last)
	}
}
