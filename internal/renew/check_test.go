package renew

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// checks tries everything once.
func (l *lab) checks(edit ...func(*Runner)) *CheckReport {
	l.Helper()
	c, err := ReadConfig(l.Path("dna.yaml"))
	l.Must(err)
	r := &Runner{Config: c, Roots: l.CA.Pool()}
	r.Client.Resolver, r.Client.HTTPSRoots, r.Client.AllowPrivateAddresses = l.DNS.Addr, l.CA.Pool(), true
	for _, e := range edit {
		e(r)
	}
	report := r.Check(l.Context())
	var b strings.Builder
	l.Must(report.WriteText(&b))
	l.Logf("%s", b.String())
	return report
}

// reasons are what went wrong, by check.
func (r *CheckReport) reasons() (list []string) {
	for _, c := range r.Checks {
		if c.Problem != nil {
			list = append(list, c.Check+" "+string(c.Problem.Reason))
		}
	}
	return list
}

// files are the names and sizes of all files in a folder.
func (l *lab) files() string {
	l.Helper()
	var list []string
	l.Must(filepath.Walk(l.Dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			list = append(list, fmt.Sprintf("%s %s %d %s", path, info.Mode(), info.Size(), info.ModTime()))
		}
		return err
	}))
	return strings.Join(list, "\n")
}

// TestCheck: each thing that is wrong is found before anything is due, and
// nothing is changed to find it.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(l *lab, r *Runner)
		want []string
	}{
		{"all is well", nil, nil},
		{"an unknown key", func(l *lab, _ *Runner) { l.DNS.AllowUpdates(realtest.TSIGName, "") }, []string{"key tsig-rejected"}},
		{"another secret", func(l *lab, _ *Runner) { l.DNS.AllowUpdates(realtest.TSIGName, "AAAAAAAAAAAAAAAAAAAAAAAAAAAA") }, []string{"key tsig-rejected"}},
		{"a key that may not", func(l *lab, _ *Runner) { l.Must(l.DNS.Fault("", "UPDATE", dnsserver.Fault{Rcode: 5})) }, []string{"key update-refused"}},
		{"no key file", func(l *lab, _ *Runner) { l.Must(os.Remove(l.Path("tsig.key"))) }, []string{"key bad-file"}},
		{"primary away", func(l *lab, r *Runner) { r.Config.Delegations[0].Publish[0].DNS.Server = l.away() }, []string{"key update-failed"}},
		{"a server away", func(l *lab, r *Runner) {
			d := r.Config.Delegations[0].Publish[0].DNS
			d.Authorities = append(d.Authorities, l.away())
		}, []string{"servers dns-timeout"}},
		{"resolver away", func(l *lab, r *Runner) { r.Client.Resolver = l.away() }, []string{"resolver dns-timeout"}},
		{"other SRV records", func(l *lab, r *Runner) {
			r.Client.Resolver = setup.DNS(l, "_xmpp-server._tcp.b.example. 300 IN SRV 0 0 5269 other.example.").Addr
		}, []string{"resolver target-mismatch"}},
		{"no certificate", func(l *lab, _ *Runner) { l.Must(os.Remove(l.Path("b.example.pem"))) }, []string{"certificate bad-file"}},
		{"a certificate of another domain", func(l *lab, _ *Runner) { l.WriteKeys("b.example", l.Issue(-day, 60*day, "c.example")) }, []string{"certificate signer-name-mismatch"}},
		{"an expired certificate", func(l *lab, _ *Runner) { l.certificate("b.example", -60*day, -day) }, []string{"certificate signer-expired"}},
		{"another authority", func(l *lab, r *Runner) {
			r.Roots = world.At(time.Now()).CA.Pool()
		}, []string{"certificate untrusted-signer"}},
		{"no web root", func(l *lab, _ *Runner) { l.Must(os.RemoveAll(l.Path("www"))) }, []string{"web-root bad-file"}},
		{"a pipe in the web root", func(l *lab, _ *Runner) { l.Must(syscall.Mkfifo(l.Path("www/.well-known"), 0o600)) }, []string{"web-root bad-file"}},
		{"a link out of the web root", func(l *lab, _ *Runner) { l.Must(os.Symlink(l.Dir, l.Path("www/.well-known"))) }, []string{"web-root bad-file"}},
		{"a file where a folder should be", func(l *lab, _ *Runner) { l.Write("out", "") }, []string{"folder bad-file"}},
		{"no folder for the memory", func(l *lab, r *Runner) {
			s, err := signing.ReadState(l.Path("none/state.json"))
			l.Must(err)
			r.State = s
		}, []string{"memory bad-file"}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			l := newLab(t, "b.example")
			l.config("domains: [{domain: b.example, publish: [dns: " + l.place() + ", https: {webroot: www}, file: \"out/{domain}.{format}\"]}]")
			l.Must(os.Mkdir(l.Path("www"), 0o755))
			var before string
			report := l.checks(l.remembering("state.json"), func(r *Runner) {
				if c.edit != nil {
					c.edit(l, r)
				}
				before = l.files()
			})
			// The domain has no web server in this lab.
			want := append(slices.Clone(c.want), "web-server https-failure")
			got := report.reasons()
			slices.Sort(want)
			if slices.Sort(got); !slices.Equal(got, want) && !(c.name == "resolver away" && len(got) > 0) {
				t.Errorf("%q, want %q", got, want)
			}
			if after := l.files(); after != before {
				t.Errorf("files:\n%s\nbefore:\n%s", after, before)
			}
			if n := len(l.records("b.example")); n != 0 {
				t.Errorf("%d records", n)
			}
		})
	}
}

// TestCheckPermissions: a folder that the user may not write to.
func TestCheckPermissions(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	l := newLab(t, "b.example")
	l.config("domains: [{domain: b.example, publish: [file: \"out/{domain}.{format}\"]}]")
	l.Must(os.Mkdir(l.Path("out"), 0o555))
	if got := l.checks().reasons(); !slices.Equal(got, []string{"folder bad-file"}) {
		t.Errorf("%q", got)
	}
}

// TestNotYours: a real server lets the key change the record of one service and
// not of the other. That is told on the first day, and what can be done.
func TestNotYours(t *testing.T) {
	l := newLab(t, "b.example")
	const content = "_xmpp-server._tcp SRV 0 0 5269 h.example.\n_xmpp-client._tcp SRV 0 0 5222 h.example.\n"
	addr, _ := realtest.Knot(t, realtest.Zone{Name: "b.example", Content: content, Updated: true, Services: []string{"_xmpp-server._tcp"}})
	l.config(fmt.Sprintf(`domains:
  - domain: b.example
    services: {xmpp-server: [h.example:5269], xmpp-client: [h.example:5222]}
    publish: [dns: {server: %q, authority: [%[1]q], tsig: tsig.key}]`, addr))
	here := func(r *Runner) { r.Client.Resolver = addr }
	const says = "knows the key owner-key (hmac-sha256) and does not let it change TXT _xmpp-client._tcp._dna.b.example. (BADKEY)"
	report := l.checks(here)
	if got := report.reasons(); !slices.Equal(got, []string{"key update-refused"}) || report.Outcome != refused {
		t.Fatalf("%q, %s", got, report.Outcome)
	}
	hint := "let the key change this record at the server (\"dnasign publish dns --help\" has the lines), or, if nobody is to run _xmpp-client._tcp of b.example, take it out of " + l.Path("dna.yaml")
	for _, one := range report.Checks {
		if p := one.Problem; p != nil && (one.Of != "TXT _xmpp-client._tcp._dna.b.example" || !strings.Contains(p.Detail, says) || !strings.Contains(p.Hint, hint)) {
			t.Errorf("%+v, %+v", one, p)
		}
	}
	run := l.run(here)
	l.want(run.Delegations[0], Signed, Missing, verified)
	if e := run.Delegations[1]; e.Action != Failed || len(e.troubles()) != 2 || e.troubles()[0].Reason != reasons.UpdateRefused || !strings.Contains(e.troubles()[0].Detail, says) || !strings.Contains(e.troubles()[0].Hint, hint) {
		t.Errorf("%+v", e.troubles()[0])
	}
	// What is told helps.
	l.config(fmt.Sprintf(`domains:
  - domain: b.example
    services: {xmpp-server: [h.example:5269]}
    publish: [dns: {server: %q, authority: [%[1]q], tsig: tsig.key}]`, addr))
	if report := l.checks(here); report.Outcome != verified {
		t.Errorf("%q", report.reasons())
	}
	if run := l.run(here, l.remembering("state.json")); run.Outcome != verified || len(run.Unlisted) != 0 {
		t.Errorf("%s, %+v", run.Outcome, run.Unlisted)
	}
}

// TestCommandPlace: a program that can do nothing is found out before anything is due,
// and what it says is shown, with what to do.
func TestCommandPlace(t *testing.T) {
	l := newLab(t, "b.example")
	place := func(script string) {
		l.Helper()
		l.config(fmt.Sprintf("domains: [{domain: b.example, publish: [{command: [sh, -c, %q, secret], authority: [%q]}]}]", script, l.DNS.Addr))
	}
	place("exit 0")
	if got := l.checks().reasons(); len(got) != 0 {
		t.Errorf("%q", got)
	}
	place("echo the token has expired >&2; exit 1")
	report := l.checks()
	if got := report.reasons(); !slices.Equal(got, []string{"command update-failed"}) {
		t.Fatalf("%q", got)
	}
	run := l.run()
	for _, trouble := range append(run.Delegations[0].troubles()[:1], report.Checks[slices.IndexFunc(report.Checks, func(c CheckResult) bool { return c.Problem != nil })].Problem) {
		if !strings.Contains(trouble.Detail, "failed (exit status 1): it says: the token has expired") || !strings.Contains(trouble.Hint, "call the program by hand") || strings.Contains(trouble.Detail, "secret") {
			t.Errorf("%+v", trouble)
		}
	}
	l.want(run.Delegations[0], Failed, Missing, refused, reasons.UpdateFailed, reasons.NoStatement)
}

// TestProviderLimit: a record that the provider of the zone does not take is told of in
// a run, and refused by the check.
func TestProviderLimit(t *testing.T) {
	l := newLab(t, "b.example")
	l.Must(l.DNS.SetRecords([]string{
		"b.example. 300 IN SOA ns1.loopia.se. h.b.example. 1 60 60 60 60", "b.example. 300 IN NS ns1.loopia.se.",
		"ns1.loopia.se. 300 IN A 127.0.0.1", "_xmpp-server._tcp.b.example. 300 IN SRV 0 0 5269 h.example.",
	}))
	// Updates go to the server of the lab; those that should show them, at port 53, do not answer.
	l.config(fmt.Sprintf("domains: [{domain: b.example, publish: [dns: {server: %q, tsig: tsig.key}]}]", l.DNS.Addr))
	const says = "characters, and Loopia takes 450 (format jws): sign with the format ac"
	if got := l.checks().reasons(); !slices.Contains(got, "size update-too-large") {
		t.Errorf("%q", got)
	}
	if notes := l.run().Delegations[0].Notes; len(notes) != 1 || !strings.Contains(notes[0], says) {
		t.Errorf("%q", notes)
	}
}
