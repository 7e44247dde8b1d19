package renew

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

const (
	verified     = reasons.OutcomeVerified
	refused      = reasons.OutcomeRefused
	undetermined = reasons.OutcomeUndetermined
)

// TestRenew goes through the life of a delegation.
func TestRenew(t *testing.T) {
	l := newLab(t, "b.example")
	l.config("domains: [b.example]")

	// A dry run makes everything and writes nothing.
	dry := func(r *Runner) { r.DryRun = true }
	if e := l.entry(dry); e.Action != WouldSign || e.Why != Missing || l.updates() != 0 {
		t.Errorf("dry run: %+v, %d updates", e, l.updates())
	}
	first := l.entry()
	l.want(first, Signed, Missing, verified)
	// The second run signs nothing and says so.
	report := l.run()
	l.want(report.Delegations[0], Kept, "", verified)
	if got := text(report); got != "0 signed, 1 kept, 0 failed; nothing to do\n" {
		t.Errorf("second run: %q", got)
	}
	if e := report.Delegations[0]; e.ID != first.ID || l.updates() != 1 {
		t.Errorf("second run: %s after %s, %d updates", e.ID, first.ID, l.updates())
	}
	l.want(l.entry(func(r *Runner) { r.Force = true }), Signed, Forced, verified)

	// A new certificate with a new key: nothing of the old one is left.
	l.certificate("b.example", -time.Hour, 90*day)
	l.want(l.entry(), Signed, CertificateChanged, verified)
	if n := len(l.records("b.example")); n != 1 {
		t.Errorf("%d records", n)
	}
	later := func(r *Runner) { r.Now = func() time.Time { return l.Now.Add(10 * day) } }
	if e := l.entry(dry, later); e.Why != Expiring {
		t.Errorf("after ten days of fourteen: %+v", e)
	}
	l.config("domains: [{domain: b.example, targets: [h.example:5269, g.example:5269]}]")
	l.want(l.entry(), Signed, TargetsChanged, verified)
	l.config("domains: [{domain: b.example, targets: [h.example:5269, g.example:5269], formats: [jws, ac]}]")
	l.want(l.entry(), Signed, FormatsChanged, verified)
	if n := len(l.records("b.example")); n != 2 {
		t.Errorf("%d records in two formats", n)
	}
	l.want(l.entry(), Kept, "", verified)

	// Somebody removed it, and somebody put half a record there.
	l.Must(l.DNS.SetRecords(zone("b.example")))
	l.want(l.entry(), Signed, Missing, verified)
	half := `_xmpp-server._tcp._dna.b.example. 300 IN TXT "v=DNA1; e=jws; s=ey"`
	l.Must(l.DNS.SetRecords(append(zone("b.example"), half)))
	l.want(l.entry(), Signed, Unusable, verified)

	l.config("domains: [{domain: b.example, revoke: true, formats: [jws, ac]}]")
	l.want(l.entry(), Signed, TargetsChanged, verified)
	l.want(l.entry(), Kept, "", verified)
}

// TestTogether: what is kept and cannot be read beside it goes, without
// anything being signed.
func TestTogether(t *testing.T) {
	l := newLab(t, "b.example")
	l.config("domains: [b.example]")
	first := l.entry()
	var text strings.Builder
	text.WriteString(`_xmpp-server._tcp._dna.b.example. 300 IN TXT`)
	for piece := l.records("b.example")[0]; piece != ""; piece = piece[min(200, len(piece)):] {
		text.WriteString(` "` + piece[:min(200, len(piece))] + `"`)
	}
	l.Must(l.DNS.SetRecords(append(zone("b.example"), text.String(),
		`_xmpp-server._tcp._dna.b.example. 300 IN TXT "v=DNA1; e=jws; s=ey"`, `_xmpp-server._tcp._dna.b.example. 300 IN TXT "hello"`)))
	e := l.entry()
	l.want(e, Published, "", verified)
	if e.ID != first.ID || len(l.records("b.example")) != 2 {
		t.Errorf("%s after %s, records %q", e.ID, first.ID, l.records("b.example"))
	}
}

// TestOneOfMany: whatever is wrong with one domain, the others are renewed, and
// what it had published stays and is valid.
func TestOneOfMany(t *testing.T) {
	domains := []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "i.example"}
	l := newLab(t, domains...)
	l.config("domains: [" + strings.Join(domains, ", ") + "]")
	if r := l.run(); r.Outcome != verified || r.Counts != (Counts{Signed: 8}) {
		t.Fatalf("first run: %+v", r)
	}
	l.Must(os.Chmod(l.Path("b.example.key"), 0o644))
	l.certificate("x.example", -day, 60*day)
	l.Must(os.Rename(l.Path("x.example.key"), l.Path("c.example.key")))
	l.certificate("d.example", time.Hour, 60*day)
	l.Must(os.Remove(l.Path("e.example.pem")))
	l.Must(os.Rename(l.Path("x.example.pem"), l.Path("f.example.pem")))
	l.certificate("x.example", -day, 60*day)
	l.Must(os.Rename(l.Path("x.example.key"), l.Path("f.example.key")))
	l.Must(os.Rename(l.Path("x.example.pem"), l.Path("f.example.pem")))
	l.Write("g.example.pem", "no PEM")
	l.certificate("i.example", -time.Hour, 60*day)

	report := l.run()
	for i, want := range []reasons.Reason{
		"", reasons.KeyReadable, reasons.KeyMismatch, reasons.SignerNotYetValid, reasons.BadFile,
		reasons.SignerNameMismatch, reasons.BadPEM, "",
	} {
		e := report.Delegations[i]
		switch {
		case i == 0:
			l.want(e, Kept, "", verified)
		case want == "":
			l.want(e, Signed, CertificateChanged, verified)
		case want == reasons.SignerNameMismatch:
			l.want(e, Failed, CertificateChanged, verified, want)
		default:
			l.want(e, Failed, "", verified, want)
		}
		if e.Expires == nil {
			t.Errorf("%s: the end of what is published is not told", e.Source)
		}
	}
	if want := (Counts{Signed: 1, Kept: 1, Failed: 6, Refused: 6}); report.Counts != want || report.Outcome != refused {
		t.Errorf("%+v, %s", report.Counts, report.Outcome)
	}
	for _, want := range []string{"is the clock right?", "run: chmod 600 ", "is " + l.Path("c.example.key") + " the key of"} {
		if !strings.Contains(text(report), want) {
			t.Errorf("%q is not said", want)
		}
	}
}

// TestPlaces: several places are kept the same, and one that fails does not
// stop the others. When it works again, it gets what they have.
func TestPlaces(t *testing.T) {
	l := newLab(t, "b.example")
	config := `domains:
  - domain: b.example
    formats: [jws, ac]
    publish:
      - file: "out/{domain}{service}.{format}"
      - https: {webroot: www}
      - dns: ` + l.place()
	l.config(config)
	l.Write("www", "a file where a folder should be")
	noWeb := func(r *Runner) { r.Client.Resolver = l.DNS.Addr }
	e := l.entry(noWeb)
	if e.Action != Signed || e.Outcome != refused {
		t.Errorf("%+v", e)
	}
	if ends := e.troubles(); len(ends) < 1 || ends[0].Reason != reasons.BadFile || !strings.Contains(ends[0].Detail, "www") {
		t.Errorf("troubles: %+v", ends)
	}
	if len(l.records("b.example")) != 2 {
		t.Errorf("records %q", l.records("b.example"))
	}
	updates := l.updates()
	l.Must(os.Remove(l.Path("www")))
	l.Must(os.Mkdir(l.Path("www"), 0o755))
	again := l.entry(noWeb)
	if again.Action != Published || again.ID != e.ID || l.updates() != updates {
		t.Errorf("%+v after %s, %d updates after %d", again, e.ID, l.updates(), updates)
	}
	web, err := os.ReadFile(l.Path("www/.well-known/dna/_xmpp-server._tcp.jws"))
	l.Must(err)
	file, err := os.ReadFile(l.Path("out/b.example_xmpp-server._tcp.jws"))
	l.Must(err)
	if string(web) != string(file) || delegation.JWS.TXTRecord(web) != l.records("b.example")[0] {
		t.Errorf("the places differ")
	}
	// Nobody serves the folder: a stranger says so, though the zone is good.
	if v := again.Verified; len(v) != 2 || v[0].Via != "https" || v[0].Outcome == verified || v[1].Via != "dns" || v[1].Outcome != verified {
		t.Errorf("verdicts %+v", v)
	}
	if p := again.Verified[0].Problem; !strings.Contains(p.Detail, "https://b.example/.well-known/dna/_xmpp-server._tcp.jws: no statement there: the host has no address") {
		t.Errorf("detail %q", p.Detail)
	}
	// A run that was killed has left files behind.
	leftover := l.Path("out/.b.example_xmpp-server._tcp.jws.123456.tmp")
	l.Must(os.WriteFile(leftover, []byte("half"), 0o600))
	l.Must(os.WriteFile(l.Path("out/b.example_xmpp-server._tcp.jws"), web[:100], 0o600))
	l.entry(noWeb)
	if _, err := os.Stat(leftover); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a leftover stays: %v", err)
	}
	if again, err := os.ReadFile(l.Path("out/b.example_xmpp-server._tcp.jws")); err != nil || string(again) != string(web) {
		t.Errorf("half a file is not mended: %v", err)
	}
}

// TestFile: what somebody carries further is verified as it is.
func TestFile(t *testing.T) {
	l := newLab(t, "b.example")
	l.config(`domains: [{domain: b.example, publish: [file: "{domain}.{format}"]}]`)
	l.want(l.entry(), Signed, Missing, verified)
	l.want(l.entry(), Kept, "", verified)
	l.want(l.entry(func(r *Runner) { r.Roots = world.At(l.Now).CA.Pool() }), Kept, "", refused, reasons.UntrustedSigner)
	// The file cannot be written: it is a folder.
	l.config(`domains: [{domain: b.example, publish: [file: "there"]}]`)
	l.Must(os.Mkdir(l.Path("there"), 0o755))
	if e := l.entry(); e.Action != Failed || e.Outcome != refused {
		t.Errorf("%+v", e)
	}
	// It is a file that the run needs.
	for _, name := range []string{"dna.yaml", "signed.json", "b.example.pem", "b.example.key"} {
		l.config(fmt.Sprintf("domains: [{domain: b.example, publish: [file: %q]}]", name))
		before, _ := os.ReadFile(l.Path(name))
		if e := l.entry(l.remembering("signed.json")); e.Action != Failed || e.Published[0].Problem == nil || !strings.Contains(e.Published[0].Problem.Detail, "so it is not written to") {
			t.Errorf("%s: %s, %+v", name, e.Action, e.Published)
		}
		if after, _ := os.ReadFile(l.Path(name)); name != "signed.json" && string(after) != string(before) || bytes.HasPrefix(after, []byte("ey")) {
			t.Errorf("%s was written over", name)
		}
	}
}

// TestServers: what the servers may do.
func TestServers(t *testing.T) {
	type change = func(l *lab, r *Runner)
	fault := func(f dnsserver.Fault) change {
		return func(l *lab, _ *Runner) { l.Must(l.DNS.Fault("", "UPDATE", f)) }
	}
	for _, tt := range []struct {
		name   string
		change change
		action Action
		why    Why
		shown  reasons.Outcome
		want   []reasons.Reason
	}{
		{"updates refused", fault(dnsserver.Fault{Rcode: 5}), Failed, Forced, verified, []reasons.Reason{reasons.UpdateRefused}},
		{"updates fail", fault(dnsserver.Fault{Rcode: 2}), Failed, Forced, verified, []reasons.Reason{reasons.UpdateFailed}},
		{"no key known", func(l *lab, _ *Runner) { l.DNS.AllowUpdates(realtest.TSIGName, "") }, Failed, Forced, verified, []reasons.Reason{reasons.TSIGRejected}},
		{"bad key file", func(l *lab, _ *Runner) { l.Write("tsig.key", "nonsense") }, Failed, "", verified, []reasons.Reason{reasons.BadTSIGKey}},
		{"primary away", func(l *lab, r *Runner) {
			r.Config.Delegations[0].Publish[0].DNS.Server = l.away()
		}, Failed, Forced, verified, []reasons.Reason{reasons.UpdateFailed}},
		{"a server lags", func(l *lab, r *Runner) {
			d := r.Config.Delegations[0].Publish[0].DNS
			d.Authorities = append(d.Authorities, setup.DNS(l, zone("b.example")...).Addr)
		}, Signed, Forced, verified, []reasons.Reason{reasons.NotEverywhere}},
		{"a resolver with the old answer", func(l *lab, r *Runner) {
			r.Client.Resolver = setup.DNS(l, append(zone("b.example"), zoneLine(l.records("b.example")[0]))...).Addr
		}, Signed, Forced, verified, nil},
		{"a resolver that knows of none", func(l *lab, r *Runner) {
			r.Client.Resolver = setup.DNS(l, zone("b.example")...).Addr
		}, Signed, Forced, verified, nil},
		{"a resolver that is away", func(l *lab, r *Runner) { r.Client.Resolver = l.away() }, Signed, Forced, undetermined, []reasons.Reason{reasons.DNSTimeout}},
		{"another SRV record", func(l *lab, r *Runner) {
			r.Client.Resolver = setup.DNS(l, "_xmpp-server._tcp.b.example. 300 IN SRV 0 0 5269 other.example.", zoneLine(l.records("b.example")[0])).Addr
		}, Signed, Forced, refused, []reasons.Reason{reasons.TargetMismatch}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, "b.example")
			l.config("domains: [b.example]")
			l.entry()
			old := l.records("b.example")[0]
			e := l.entry(func(r *Runner) { r.Force = true; tt.change(l, r) })
			l.want(e, tt.action, tt.why, tt.shown, tt.want...)
			if now := l.records("b.example"); len(now) != 1 || (now[0] == old) != (tt.action == Failed) {
				t.Errorf("records %q, before %q", now, old)
			}
			if strings.HasPrefix(tt.name, "a resolver with") && !strings.Contains(e.Verified[0].Note, "for 300 s at most") {
				t.Errorf("note %q", e.Verified[0].Note)
			}
		})
	}
}

// away is an address at which nobody listens.
func (l *lab) away() string {
	s, err := dnsserver.Start(nil)
	l.Must(err)
	l.Must(s.Close())
	return s.Addr
}

// zoneLine is a zone line with a statement.
func zoneLine(text string) string {
	return world.TextLine("b.example", "_xmpp-server._tcp", text)
}

// TestTwoAtOnce: runs without the lock lose nothing.
func TestTwoAtOnce(t *testing.T) {
	l := newLab(t, "b.example")
	l.config("domains: [b.example]")
	l.entry()
	var runs sync.WaitGroup
	for range 4 {
		runs.Go(func() {
			c, err := ReadConfig(l.Path("dna.yaml"))
			if err != nil {
				t.Error(err)
				return
			}
			r := &Runner{Config: c, Roots: l.CA.Pool(), Force: true}
			r.Client.Resolver = l.DNS.Addr
			r.Run(t.Context())
		})
	}
	runs.Wait()
	if n := len(l.records("b.example")); n != 1 {
		t.Errorf("%d records", n)
	}
	l.want(l.entry(), Kept, "", verified)
}

func TestLock(t *testing.T) {
	file := filepath.Join(write(t, map[string]string{"dna.yaml": ""}), "dna.yaml")
	unlock, err := Lock(t.Context(), file, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(t.Context(), file, 10*time.Millisecond); !errors.Is(err, ErrLocked) {
		t.Errorf("second: %v", err)
	}
	waited := make(chan error)
	go func() {
		unlock, err := Lock(t.Context(), file, time.Minute)
		if err == nil {
			unlock()
		}
		waited <- err
	}()
	unlock()
	if err := <-waited; err != nil {
		t.Errorf("after the first: %v", err)
	}
	if _, err := Lock(t.Context(), file+"x", time.Minute); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestManyWithOneCertificate: pairs of files are read once and then forgotten.
func TestManyWithOneCertificate(t *testing.T) {
	l := newLab(t)
	l.certificate("b.example", -day, 60*day)
	d := Delegation{Cert: l.Path("b.example.pem"), Key: l.Path("b.example.key")}
	s := newSigners(keys.Loader{}, []Delegation{d, d, d})
	first, _, err := s.take(&d)
	l.Must(err)
	l.certificate("b.example", -day, 60*day)
	if second, _, err := s.take(&d); err != nil || second != first || len(s.pairs) != 1 {
		t.Errorf("read again, %v", err)
	}
	if _, _, err := s.take(&d); err != nil || len(s.pairs) != 0 {
		t.Errorf("not forgotten, %v", err)
	}
}

// TestConclude: the worst decides, whatever comes first.
func TestConclude(t *testing.T) {
	later := &Trouble{Outcome: undetermined, Reason: reasons.UpdateFailed, Detail: "later"}
	no := &Trouble{Outcome: refused, Reason: reasons.BadFile, Detail: "no"}
	entry := func(p, v *Trouble) Entry {
		return Entry{Action: Kept, Published: []Publication{{Problem: p}}, Verified: []Verdict{{Problem: v}}}
	}
	for i, tt := range []struct {
		entries []Entry
		want    reasons.Outcome
		counts  Counts
	}{
		{[]Entry{entry(nil, nil)}, verified, Counts{Kept: 1}},
		{[]Entry{entry(later, no)}, refused, Counts{Kept: 1, Refused: 1}},
		{[]Entry{entry(no, later)}, refused, Counts{Kept: 1, Refused: 1}},
		{[]Entry{entry(nil, nil), entry(later, later)}, undetermined, Counts{Kept: 2, Undetermined: 1}},
		{[]Entry{entry(later, nil), entry(nil, no), entry(nil, later)}, refused, Counts{Kept: 3, Refused: 1, Undetermined: 2}},
	} {
		r := &Report{Delegations: tt.entries}
		if r.conclude(); r.Outcome != tt.want || r.Counts != tt.counts {
			t.Errorf("%d: %s, %+v", i, r.Outcome, r.Counts)
		}
	}
}

// TestReportJSON: the members that docs/renew.md describes.
func TestReportJSON(t *testing.T) {
	l := newLab(t, "b.example")
	l.config("domains: [b.example]")
	data, err := json.Marshal(l.run())
	l.Must(err)
	var got map[string]any
	l.Must(json.Unmarshal(data, &got))
	e := got["delegations"].([]any)[0].(map[string]any)
	p := e["published"].([]any)[0].(map[string]any)
	for name, pair := range map[string][2]any{
		"version": {got["version"], 1.0}, "outcome": {got["outcome"], "verified"}, "dry_run": {got["dry_run"], false},
		"source": {e["source"], "b.example"}, "action": {e["action"], "signed"}, "why": {e["why"], "missing"},
		"where": {p["where"], l.DNS.Addr}, "changed": {p["changed"], true}, "format": {p["format"], "jws"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
}

// TestCarriedNewer: a run that is late does not put its statement into the
// place of a newer one, which may revoke it. Its lock on the configuration may
// be on a file that an editor has replaced.
func TestCarriedNewer(t *testing.T) {
	l := newLab(t, "b.example")
	const config = `domains: [{domain: b.example, publish: [file: "{domain}.{format}"]`
	l.config(config + "}]")
	l.want(l.entry(), Signed, Missing, verified)
	late, err := os.ReadFile(l.Path("b.example.jws"))
	l.Must(err)
	c, err := ReadConfig(l.Path("dna.yaml"))
	l.Must(err)
	l.config(config + ", revoke: true}]")
	l.want(l.entry(), Signed, TargetsChanged, verified)
	want, err := os.ReadFile(l.Path("b.example.jws"))
	l.Must(err)
	d := &c.Delegations[0]
	place, err := newPlaces(&Runner{}).place(d.Publish[0], d, 0)
	l.Must(err)
	if change, err := place.Publish(t.Context(), late); delegation.ReasonOf(err) != reasons.Superseded || change.Changed {
		t.Errorf("%+v, %v", change, err)
	}
	if got, err := os.ReadFile(l.Path("b.example.jws")); err != nil || string(got) != string(want) {
		t.Errorf("the newer statement is gone: %v", err)
	}
}
