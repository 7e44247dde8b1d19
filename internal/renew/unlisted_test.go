package renew

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/wholefile"
)

const client = "_xmpp-client._tcp"

// twoServices is b.example with both services, at the server of the lab and in a
// web root; then one of them only.
func twoServices(t *testing.T) (l *lab, one func()) {
	l = newLab(t, "b.example")
	l.Must(os.Mkdir(l.Path("www"), 0o755))
	places := "publish: [dns: " + l.place() + ", file: \"out/{service}.{format}\"]"
	l.config("domains: [{domain: b.example, services: {xmpp-server: [h.example:5269], xmpp-client: [h.example:5222]}, " + places + "}]")
	return l, func() {
		l.config("domains: [{domain: b.example, " + places + "}]")
	}
}

// clients are the statements for clients that are published, in DNS and in files.
func (l *lab) clients() (dns, files int) {
	l.Helper()
	d := &publish.DNS{Server: l.DNS.Addr, Authorities: []string{l.DNS.Addr}, Resolver: l.DNS.Addr}
	views, err := d.Place("b.example", client).Current(l.Context())
	l.Must(err)
	if _, err := os.Stat(l.Path("out/" + client + ".jws")); err == nil {
		files++
	}
	return len(views[0].Found), files
}

// TestUnlisted: a service was taken out of the configuration. What is still
// published for it is reported as long as it is valid, and removed on request.
func TestUnlisted(t *testing.T) {
	l, one := twoServices(t)
	mine := l.remembering("state.json")
	if r := l.run(mine); len(r.Unlisted) != 0 || r.Counts.Signed != 2 {
		t.Fatalf("%+v", r)
	}
	one()
	prune := func(r *Runner) { r.Prune = true }
	for _, edit := range []func(*Runner){func(*Runner) {}, func(r *Runner) { r.DryRun = true }, func(r *Runner) { r.DryRun, r.Prune = true, true }} {
		r := l.run(mine, edit)
		if len(r.Unlisted) != 1 || r.Unlisted[0].Service != client || len(r.Unlisted[0].Places) != 2 || r.Unlisted[0].Removed {
			t.Fatalf("%+v", r.Unlisted)
		}
		if !strings.Contains(text(r), "warning: "+client+" of b.example is no longer in "+l.Path("dna.yaml")+", and its statement is still published at TXT "+client+"._dna.b.example and "+l.Path("out/"+client+".jws")+", valid until 20") ||
			!strings.Contains(text(r), "dnasign renew --config "+l.Path("dna.yaml")+" --prune") {
			t.Errorf("says %q", text(r))
		}
		if dns, files := l.clients(); dns != 1 || files != 1 {
			t.Errorf("%d in DNS and %d files", dns, files)
		}
	}
	// A run that is about other domains does not look.
	other := func(r *Runner) { r.Config = r.Config.Only(func(d *Delegation) bool { return false }) }
	if r := l.run(mine, other); len(r.Unlisted) != 0 {
		t.Errorf("%+v", r.Unlisted)
	}
	// A server that fails.
	l.DNS.AllowUpdates(realtest.TSIGName, "")
	if r := l.run(mine, prune); r.Outcome != refused || r.Unlisted[0].Problem == nil || r.Unlisted[0].Problem.Reason != reasons.TSIGRejected || r.Unlisted[0].Removed {
		t.Errorf("%s, %+v", r.Outcome, r.Unlisted)
	}
	l.DNS.AllowUpdates(realtest.TSIGName, realtest.TSIGSecret)
	r := l.run(mine, prune)
	if len(r.Unlisted) != 1 || !r.Unlisted[0].Removed || r.Outcome != verified || !strings.Contains(text(r), "removed     "+client+" of b.example, from TXT ") {
		t.Errorf("%s, %+v", text(r), r.Unlisted)
	}
	if dns, files := l.clients(); dns != 0 || files != 0 {
		t.Errorf("%d in DNS and %d files", dns, files)
	}
	if len(l.records("b.example")) != 1 {
		t.Error("the other service is gone")
	}
	if r := l.run(mine, prune); len(r.Unlisted) != 0 || r.Counts.Kept != 1 {
		t.Errorf("%+v", r)
	}
}

// TestUnlistedStays: what is not this configuration's own is left alone.
func TestUnlistedStays(t *testing.T) {
	prune := func(r *Runner) { r.Prune = true }
	for _, c := range []struct {
		name   string
		change func(l *lab) func(*Runner)
		says   string // "": nothing
	}{
		{"signed elsewhere meanwhile", func(l *lab) func(*Runner) {
			l.certificate("b.example", -time.Hour, 60*day)
			l.run(l.remembering("elsewhere.json"))
			return l.remembering("state.json")
		}, ""},
		{"another configuration signs it", func(l *lab) func(*Runner) {
			mine := l.remembering("state.json")
			return func(r *Runner) {
				mine(r)
				l.Must(os.Rename(l.Path("dna.yaml"), l.Path("other.yaml")))
				var err error
				r.Config, err = ReadConfig(l.Path("other.yaml"))
				l.Must(err)
			}
		}, ""},
		{"a revocation", func(l *lab) func(*Runner) {
			l.config("domains: [{domain: b.example, services: [xmpp-server, xmpp-client], revoke: true, publish: [dns: " + l.place() + "]}]")
			l.run(l.remembering("state.json"))
			return l.remembering("state.json")
		}, "and its revocation at TXT " + client},
		{"it has expired", func(l *lab) func(*Runner) {
			return func(r *Runner) {
				l.remembering("state.json")(r)
				r.Now = func() time.Time { return l.Now.Add(15 * day) }
			}
		}, ""},
		{"nobody can look", func(l *lab) func(*Runner) {
			l.Must(l.DNS.Fault(client+"._dna.b.example.", "", dnsFails))
			return l.remembering("state.json")
		}, "it cannot be seen whether its statement is still published"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			l := newLab(t, "b.example")
			places := "publish: [dns: " + l.place() + "]"
			l.config("domains: [{domain: b.example, services: {xmpp-server: [h.example:5269], xmpp-client: [h.example:5222]}, " + places + "}]")
			l.run(l.remembering("state.json"))
			edit := c.change(l)
			l.config("domains: [{domain: b.example, " + places + "}]")
			r := l.run(edit, prune)
			if (len(r.Unlisted) > 0) != (c.says != "") || !strings.Contains(text(r), c.says) {
				t.Errorf("%+v\n%s", r.Unlisted, text(r))
			}
			l.Must(l.DNS.Fault(client+"._dna.b.example.", "", noFault))
			if dns, _ := l.clients(); dns != 1 {
				t.Errorf("%d in DNS", dns)
			}
		})
	}
}

// TestFolderOfSomebody: whoever owns a web root, or can read a folder, cannot
// keep a run busy, nor other runs waiting.
func TestFolderOfSomebody(t *testing.T) {
	for _, c := range []struct {
		name string
		hold func(l *lab) (let func())
		want Action
	}{
		{"locked", func(l *lab) func() {
			unlock, err := wholefile.Lock(l.Context(), l.Path("www/.well-known/dna"))
			l.Must(err)
			return unlock
		}, Signed},
		{"a pipe", func(l *lab) func() {
			l.Must(os.RemoveAll(l.Path("www/.well-known/dna")))
			l.Must(syscall.Mkfifo(l.Path("www/.well-known/dna"), 0o666))
			return func() { l.Must(os.Remove(l.Path("www/.well-known/dna"))) }
		}, Failed},
		{"the folder of the configuration is locked", func(l *lab) func() {
			unlock, err := wholefile.Lock(l.Context(), l.Dir)
			l.Must(err)
			return unlock
		}, Signed},
		{"a pipe for a file", func(l *lab) func() {
			file := l.Path("www/.well-known/dna/_xmpp-server._tcp.jws")
			l.Must(os.RemoveAll(file))
			l.Must(syscall.Mkfifo(file, 0o666))
			return func() { l.Must(os.Remove(file)) }
		}, Failed},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			l := newLab(t, "b.example", "c.example")
			l.Must(os.Mkdir(l.Path("www"), 0o755))
			l.config("domains: [{domain: b.example, publish: [https: {webroot: www}]}, c.example]")
			mine := l.remembering("state.json")
			begun := time.Now()
			l.run(mine)
			usual := time.Since(begun)
			let := c.hold(l)
			begun = time.Now()
			released := make(chan struct{})
			ended := make(chan *Report)
			go func() {
				ended <- l.run(mine, func(r *Runner) {
					r.Force = true
					r.Release = func() { close(released) }
				})
			}()
			<-released
			if took := time.Since(begun); took >= folderTime && took > 4*usual {
				t.Errorf("the run held its lock for %v, and usually does for %v", took, usual)
			}
			let()
			r := <-ended
			if r.Delegations[0].Action != c.want || r.Delegations[1].Action != Signed {
				t.Errorf("%s, %s", r.Delegations[0].Action, r.Delegations[1].Action)
			}
			for _, p := range r.Delegations[0].Published {
				if p.Changed != (c.want == Signed) {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

var (
	dnsFails = dnsserver.Fault{Rcode: 2}
	noFault  dnsserver.Fault
)
