package discovery

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

func TestCallersMistakes(t *testing.T) {
	pool := x509.NewCertPool()
	dir := t.TempDir()
	empty := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(empty, []byte("search example\nnameserver nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const resolver = "127.0.0.1:53"
	for _, c := range []struct {
		name            string
		client          Client
		source, service string
	}{
		{"no source", Client{Resolver: resolver, Via: ViaDNS}, "", service},
		{"trailing dot", Client{Resolver: resolver, Via: ViaDNS}, "b.example.", service},
		{"upper case", Client{Resolver: resolver, Via: ViaDNS}, "B.example", service},
		{"address", Client{Resolver: resolver, Via: ViaDNS}, "127.0.0.1", service},
		{"short service", Client{Resolver: resolver, Via: ViaDNS}, source, "imaps"},
		{"no roots", Client{Resolver: resolver}, source, service},
		{"no roots for https", Client{Resolver: resolver, Via: ViaHTTPS}, source, service},
		{"no roots for both", Client{Resolver: resolver, Via: ViaBoth}, source, service},
		{"unknown via", Client{Resolver: resolver, Via: "DNS", HTTPSRoots: pool}, source, service},
		{"resolver by name", Client{Resolver: "localhost:53", Via: ViaDNS}, source, service},
		{"resolver with port 0", Client{Resolver: "127.0.0.1:0", Via: ViaDNS}, source, service},
		{"resolver with a bad port", Client{Resolver: "127.0.0.1:dns", Via: ViaDNS}, source, service},
		{"validating nobody", Client{Validating: true, Via: ViaDNS}, source, service},
		{"no resolv.conf", Client{Via: ViaDNS, resolvConf: filepath.Join(dir, "missing")}, source, service},
		{"resolv.conf without a resolver", Client{Via: ViaDNS, resolvConf: empty}, source, service},
		{"fixed address without one", Client{Resolver: resolver, HTTPSRoots: pool, ConnectTo: []ConnectTo{{Host: source}}}, source, service},
		{"fixed address for no name", Client{Resolver: resolver, HTTPSRoots: pool, ConnectTo: []ConnectTo{{Host: "x", Addr: netip.MustParseAddrPort(resolver)}}}, source, service},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := c.client.Gather(t.Context(), c.source, c.service, nil)
			if !errors.Is(err, ErrConfig) || e != nil {
				t.Errorf("%+v, %v, want %v", e, err, ErrConfig)
			}
		})
	}
	if _, err := (&Client{Via: ViaDNS, resolvConf: filepath.Join(dir, "missing")}).Gather(t.Context(), source, service, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not say that the file is missing", err)
	}
}

// TestPlaces: which places are in the evidence, in which order, and which are
// asked. It tries a role with a second label, the second label of that role,
// and a role with one label.
func TestPlaces(t *testing.T) {
	web := startWeb(t, http.NotFound, source)
	tested := 0
	for _, c := range []struct {
		via        Via
		txt, https bool
	}{{"", true, true}, {ViaAuto, true, true}, {ViaBoth, true, true}, {ViaDNS, true, false}, {ViaHTTPS, false, true}} {
		for _, service := range []string{"_xmpp-server._tcp", "_xmpps-server._tcp", "_imaps._tcp", "_sips._tcp"} {
			s := setup.DNS(t)
			role := delegation.RoleOf(service)
			client := web.client(s)
			client.Via = c.via
			client.Now = func() time.Time { return time.Unix(1e9, 0) }
			e, err := client.Gather(t.Context(), source, service, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got, inDNS []string
			for _, a := range e.SRV {
				inDNS = append(inDNS, a.Name+" SRV")
			}
			for _, a := range e.TXT {
				inDNS = append(inDNS, a.Name+" TXT")
			}
			got = slices.Clone(inDNS)
			for _, d := range e.Documents {
				got = append(got, d.URL)
				if d.Status != 404 {
					t.Errorf("via %q: %+v, failure %+v", c.via, d, d.Failure)
				}
			}
			if diff := cmp.Diff(places(role, c.txt, c.https), got); diff != "" {
				t.Errorf("via %q, %s: %s", c.via, service, diff)
			}
			// The server heard these questions, each once, and no other.
			var heard []string
			for _, q := range s.Queries() {
				heard = append(heard, strings.TrimSuffix(q.Name, ".")+" "+q.Type)
			}
			slices.Sort(heard)
			slices.Sort(inDNS)
			if diff := cmp.Diff(inDNS, heard); diff != "" {
				t.Errorf("via %q, %s, asked: %s", c.via, service, diff)
			}
			if e.Version != delegation.EvidenceVersion || e.Source != source || e.Service != role.Service || !e.Collected.Equal(time.Unix(1e9, 0)) || e.Replayed() {
				t.Errorf("via %q: %+v", c.via, e)
			}
			// The seam: complete evidence without a statement is a clear no.
			_, err = delegation.Verify(delegation.Query{Source: source, Service: service}, e, delegation.Policy{Roots: web.roots, Time: time.Now()})
			if delegation.ReasonOf(err) != reasons.NoStatement {
				t.Errorf("via %q: %v, want %s", c.via, err, reasons.NoStatement)
			}
			tested++
		}
	}
	if tested != 20 {
		t.Errorf("%d tested", tested)
	}
}

// TestQuestions: how many questions a lookup asks.
func TestQuestions(t *testing.T) {
	for service, want := range map[string][3]int{ // SRV, TXT, documents and the POSH file
		"_xmpp-server._tcp": {2, 1, 3}, "_xmpps-server._tcp": {2, 1, 3}, "_ldap._tcp": {2, 1, 2},
		"_sips._tcp": {1, 1, 2}, "_turn._udp": {1, 1, 2},
	} {
		var documents atomic.Int32
		web := startWeb(t, func(w http.ResponseWriter, r *http.Request) {
			documents.Add(1)
			http.NotFound(w, r)
		}, source)
		s := setup.DNS(t)
		client := web.client(s)
		client.Via = ViaBoth
		if _, err := client.Gather(t.Context(), source, service, nil); err != nil {
			t.Fatal(err)
		}
		asked := func(rtype string) int {
			return countQueries(s, func(q dnsserver.Query) bool { return q.Type == rtype })
		}
		if got := [3]int{asked("SRV"), asked("TXT"), int(documents.Load())}; got != want || len(s.Queries()) != want[0]+want[1] {
			t.Errorf("%s: %v of %d questions in DNS, want %v", service, got, len(s.Queries()), want)
		}
	}
}

// TestGatherSRV: no lookup but those of SRV is made, whatever Via says.
func TestGatherSRV(t *testing.T) {
	s := setup.DNS(t)
	client := &Client{Resolver: s.Addr, Via: ViaDNS}
	e, err := client.GatherSRV(t.Context(), source, "_xmpps-server._tcp")
	if err != nil {
		t.Fatal(err)
	}
	if e.Service != "_xmpp-server._tcp" || len(e.SRV) != 2 || len(e.TXT)+len(e.Documents) != 0 || e.SRV[0].Failure != nil {
		t.Errorf("%+v", e)
	}
	for _, q := range s.Queries() {
		if q.Type != "SRV" {
			t.Errorf("%s %s was asked", q.Name, q.Type)
		}
	}
	if len(s.Queries()) != 2 {
		t.Errorf("%d questions", len(s.Queries()))
	}
	if _, err := client.GatherSRV(t.Context(), "b..example", "_xmpps-server._tcp"); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

func places(role delegation.Role, txt, https bool) (list []string) {
	for _, label := range role.Labels() {
		list = append(list, label+".b.example SRV")
	}
	if txt {
		list = append(list, role.Service+"._dna.b.example TXT")
	}
	if https {
		for _, encoding := range delegation.Encodings() {
			list = append(list, delegation.DocumentURL(source, role.Service, encoding))
		}
	}
	return list
}

// TestEnough: the lookups still under way are ended and stay unanswered.
func TestEnough(t *testing.T) {
	s := setup.DNS(t, srvName+". IN SRV 1 2 3 host.example.", txtName+". IN TXT here")
	setFault(t, s, srvName, "SRV", dnsserver.Fault{Drop: true})
	web := startWeb(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, source)
	client := web.client(s)
	client.Via, client.timeouts = ViaAuto, patient

	var snapshots []*delegation.Evidence
	var e *delegation.Evidence
	promptly(t, func() {
		var err error
		e, err = client.Gather(t.Context(), source, service, func(e *delegation.Evidence) bool {
			snapshots = append(snapshots, e)
			return len(e.TXT[0].Records) > 0
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if len(snapshots) != 1 || e.TXT[0].Failure != nil {
		t.Errorf("%d calls, TXT %+v, want one call and an answer", len(snapshots), e.TXT[0])
	}
	if failed(e.SRV[0].Failure) != reasons.Unanswered || failed(e.Documents[0].Failure) != reasons.Unanswered {
		t.Errorf("SRV %+v, document %+v, want %s", e.SRV[0].Failure, e.Documents[0].Failure, reasons.Unanswered)
	}
	if diff := cmp.Diff(snapshots[0].TXT, e.TXT); diff != "" {
		t.Error(diff)
	}
}

// TestSnapshotsAreKept: later answers do not change an earlier snapshot.
func TestSnapshotsAreKept(t *testing.T) {
	s := setup.DNS(t)
	web := startWeb(t, http.NotFound, source)
	client := web.client(s)
	client.Via = ViaAuto
	var unanswered []int
	var snapshots []*delegation.Evidence
	var busy sync.Mutex
	count := func(e *delegation.Evidence) int {
		failures := []*delegation.Failure{e.SRV[0].Failure, e.TXT[0].Failure}
		for _, d := range e.Documents {
			failures = append(failures, d.Failure)
		}
		n := 0
		for _, f := range failures {
			if failed(f) == reasons.Unanswered {
				n++
			}
		}
		return n
	}
	_, err := client.Gather(t.Context(), source, service, func(e *delegation.Evidence) bool {
		if !busy.TryLock() {
			t.Error("called twice at a time")
			return false
		}
		defer busy.Unlock()
		snapshots = append(snapshots, e)
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range snapshots {
		unanswered = append(unanswered, count(e))
	}
	if diff := cmp.Diff([]int{3, 2, 1, 0}, unanswered); diff != "" {
		t.Error(diff)
	}
}

func TestBothWaitsForAll(t *testing.T) {
	s := setup.DNS(t, txtName+". IN TXT here")
	setFault(t, s, txtName, "TXT", dnsserver.Fault{Delay: 200 * time.Millisecond})
	web := startWeb(t, serve(200, "x", "Content-Type", jwsType), source)
	client := web.client(s)
	client.Via = ViaBoth
	e, err := client.Gather(t.Context(), source, service, func(*delegation.Evidence) bool {
		t.Error("asked whether there is enough")
		return true
	})
	if err != nil || len(e.TXT[0].Records) != 1 || len(e.Documents[0].Body) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestContextEnds: at once, with what there is, whatever is waited for.
func TestContextEnds(t *testing.T) {
	s := setup.DNS(t, txtName+". IN TXT here")
	setFault(t, s, srvName, "SRV", dnsserver.Fault{Drop: true})
	dead := startWeb(t, nil, source)
	dead.addr = silentTCP(t)
	slow := startWeb(t, untilGone([]byte("x"), 20*time.Millisecond), source)
	for name, web := range map[string]webServer{"in TLS": dead, "in the body": slow} {
		t.Run(name, func(t *testing.T) {
			client := web.client(s)
			client.Via, client.timeouts = ViaAuto, patient
			ctx, cancel := context.WithCancel(t.Context())
			var e *delegation.Evidence
			promptly(t, func() {
				var err error
				e, err = client.Gather(ctx, source, service, func(*delegation.Evidence) bool {
					time.AfterFunc(50*time.Millisecond, cancel)
					return false
				})
				if err != nil {
					t.Fatal(err)
				}
			})
			if len(e.TXT[0].Records) != 1 || failed(e.SRV[0].Failure) != reasons.Unanswered || failed(e.Documents[0].Failure) != reasons.Unanswered {
				t.Errorf("TXT %+v, SRV %+v, document %+v", e.TXT[0], e.SRV[0].Failure, e.Documents[0].Failure)
			}
		})
	}
	t.Run("before it begins", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e, err := dead.client(s).Gather(ctx, source, service, func(*delegation.Evidence) bool {
			t.Error("asked whether nothing is enough")
			return true
		})
		if err != nil || failed(e.SRV[0].Failure) != reasons.Unanswered {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestLogger(t *testing.T) {
	var lines bytes.Buffer
	web := startWeb(t, http.NotFound, source)
	client := web.client(setup.DNS(t))
	client.Via = ViaAuto
	client.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	gather(t, client)
	for _, want := range []string{"name=" + srvName, "name=" + txtName, "url=" + docURL} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no line with %s in:\n%s", want, &lines)
		}
	}
}

// undetermined checks that the verifier accepts the form of evidence with a
// failure, saved and read back too. Such evidence decides nothing by accident.
func undetermined(t *testing.T, e *delegation.Evidence, want reasons.Reason) {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	again := new(delegation.Evidence)
	if err := json.Unmarshal(data, again); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*delegation.Evidence{e, again} {
		_, err := delegation.Verify(delegation.Query{Source: source, Service: service}, e, delegation.Policy{Roots: x509.NewCertPool(), Time: time.Now()})
		var refusal *delegation.Error
		if !errors.As(err, &refusal) || refusal.Reason != want || refusal.Reason.Outcome() != reasons.OutcomeUndetermined {
			t.Errorf("the verifier says %v, want %s", err, want)
		}
	}
}
