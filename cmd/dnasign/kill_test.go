package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/keys"
)

// kills is how often a run is killed, each time a little later in its life.
const kills = 40

// TestKilled kills renew with SIGKILL, again and again, at moments spread over
// all of a run. Meanwhile a stranger verifies all the time and always finds a
// valid statement. The run after the last kill repairs what is left.
func TestKilled(t *testing.T) {
	server := setup.DNS(t,
		"b.example. 300 IN SOA ns.b.example. hostmaster.b.example. 1 3600 600 86400 60",
		"_xmpp-server._tcp.b.example. 300 IN SRV 0 0 5269 h.example.")
	killRuns(t, "b.example", server.Addr, realtest.TSIGKey, server.Addr)
}

// TestKilledReal does so with a real knotd, which signs the zone again after each
// update, looked at directly and through a validating resolver.
func TestKilledReal(t *testing.T) {
	knot, unbound := realtest.KnotAndUnbound(t, realtest.Zone{
		Name: "b.example", Content: "_xmpp-server._tcp SRV 0 0 5269 h.example.\n", Signed: true, Updated: true,
	})
	killRuns(t, "b.example", knot, realtest.TSIGKey, knot, unbound)
}

// killRuns kills runs that publish at a primary with a TSIG key; watched are the
// servers that are looked at.
func killRuns(t *testing.T, domain, primary, tsig string, watched ...string) {
	dir := t.TempDir()
	if err := clitest.WriteWorld(dir); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("owner.key", tsig)
	put("dna.yaml", fmt.Sprintf(`domains:
  - domain: %s
    services: [xmpp-server]
    targets: [h.example:5269]
    cert: b.pem
    key: b.key
    formats: [jws, ac]
    publish:
      - dns: {server: %q, authority: [%[2]q], tsig: owner.key, ttl: 1}
      - file: "out/{domain}.{format}"
`, domain, primary))
	program := filepath.Join(dir, "dnasign") // this test program is that too
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		args = append([]string{"renew", "--config", filepath.Join(dir, "dna.yaml"), "--roots", filepath.Join(dir, "roots.pem"), "--resolver", primary}, args...)
		cmd := exec.Command(program, args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		return cmd, &out
	}
	run := func(want string, args ...string) {
		t.Helper()
		cmd, out := command(args...)
		if err := cmd.Run(); err != nil || !strings.Contains(out.String(), want) {
			t.Fatalf("%v, want %q:\n%s", err, want, out)
		}
	}
	begin := time.Now()
	run("1 signed, 0 kept, 0 failed")
	run("1 signed, 0 kept, 0 failed", "--force")
	life := time.Since(begin) // of two runs

	roots, err := keys.LoadRoots(filepath.Join(dir, "roots.pem"))
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{t: t, query: delegation.Query{Source: domain, Service: "_xmpp-server._tcp"}, policy: delegation.Policy{Roots: roots}}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	for _, server := range watched {
		client := &discovery.Client{Resolver: server, Via: discovery.ViaDNS}
		watching.Go(func() { w.dns(ctx, client) })
	}
	watching.Go(func() { w.files(ctx, filepath.Join(dir, "out")) })

	// On a busy machine a run can end before it is killed, and the watchers can be
	// slow. Then there are more runs, and each is followed by a look.
	killed := 0
	for i := 0; i < kills || killed < kills/4 || w.different() < 3; i++ {
		if i == 10*kills {
			t.Fatalf("%d of %d runs killed, %d statements seen", killed, i, w.different())
		}
		before := w.looks.Load()
		cmd, out := command("--force")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(life*time.Duration(i%kills+1)/kills, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if cmd.ProcessState.ExitCode() == -1 {
			killed++
		} else if err != nil {
			t.Errorf("a run that was not killed: %v\n%s", err, out)
		}
		for w.looks.Load() == before && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
	}
	// The next run needs no help, and the one after it finds nothing to do.
	run("0 failed")
	run("0 signed, 1 kept, 0 failed; nothing to do")
	stop()
	watching.Wait()

	if entries, err := os.ReadDir(filepath.Join(dir, "out")); err != nil || len(entries) != 2 {
		t.Errorf("beside the two files: %v, %v", entries, err)
	}
	e, err := (&discovery.Client{Resolver: primary, Via: discovery.ViaDNS}).Gather(t.Context(), domain, "_xmpp-server._tcp", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(e.TXT[0].Records); n != 2 {
		t.Errorf("%d records", n)
	}
	t.Logf("%d runs killed, of at least %d, within %v, %d statements seen in %d looks", killed, kills, life, w.different(), w.looks.Load())
}

// A watch is a stranger who never stops looking.
type watch struct {
	t      *testing.T
	query  delegation.Query
	policy delegation.Policy
	looks  atomic.Int64
	seen   sync.Map // statements by their time of issue
}

func (w *watch) different() (n int) {
	w.seen.Range(func(any, any) bool { n++; return true })
	return n
}

func (w *watch) verify(where string, e *delegation.Evidence) {
	p := w.policy
	p.Time = time.Now()
	result, err := delegation.Verify(w.query, e, p)
	if err != nil {
		w.t.Errorf("%s: no valid statement: %v", where, err)
		return
	}
	w.looks.Add(1)
	w.seen.Store(result.Proven().Statement.Issued.Unix(), true)
}

func (w *watch) dns(ctx context.Context, client *discovery.Client) {
	for ctx.Err() == nil {
		e, err := client.Gather(ctx, w.query.Source, w.query.Service, nil)
		if err != nil {
			w.t.Error(err)
			return
		}
		if ctx.Err() != nil {
			return // and so does the lookup
		}
		if f := e.TXT[0].Failure; f != nil && f.Reason == reasons.DNSTimeout {
			continue // the machine is busy; a look still has to succeed after each run
		} else if f != nil {
			w.t.Errorf("%s: %+v", client.Resolver, f)
			continue
		}
		// Each encoding by itself, for those who know only one.
		for _, encoding := range delegation.Encodings() {
			one := *e
			one.TXT = slices.Clone(e.TXT[:1])
			one.TXT[0].Records = slices.DeleteFunc(slices.Clone(e.TXT[0].Records), func(r string) bool {
				return !strings.HasPrefix(r, "v=DNA1; e="+string(encoding)+";")
			})
			w.verify(client.Resolver+" "+string(encoding), &one)
		}
	}
}

func (w *watch) files(ctx context.Context, dir string) {
	for ctx.Err() == nil {
		for _, format := range []string{"jws", "ac"} {
			name := filepath.Join(dir, w.query.Source+"."+format)
			raw, err := os.ReadFile(name)
			if err != nil {
				w.t.Error(err)
				return
			}
			w.verify(name, w.query.FileEvidence(name, raw))
		}
		time.Sleep(time.Millisecond) // leave the runs something of the processor
	}
}
