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
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/dnsserver"
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

func TestSystemResolvers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	text := "# comment\nnameserver 192.0.2.1\nnameserver\nnameserver example\nnameserver 2001:db8::1\nnameserver fe80::1%eth0\nnameserver 192.0.2.4\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	servers, err := systemServers(file)
	want := []netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:53"), netip.MustParseAddrPort("[fe80::1%eth0]:53"),
	}
	if err != nil || !slices.Equal(servers, want) {
		t.Errorf("%v, %v, want %v", servers, err, want)
	}
}

// TestPlaces: which places are in the evidence, in which order, and which are
// asked.
func TestPlaces(t *testing.T) {
	s := startDNS(t)
	web := startWeb(t, http.NotFound, source)
	for _, c := range []struct {
		via  Via
		want []string
	}{
		{"", places(true, true)},
		{ViaAuto, places(true, true)},
		{ViaBoth, places(true, true)},
		{ViaDNS, places(true, false)},
		{ViaHTTPS, places(false, true)},
	} {
		client := web.client(s)
		client.Via = c.via
		client.Now = func() time.Time { return time.Unix(1e9, 0) }
		e, err := client.Gather(t.Context(), source, "_xmpps-server._tcp", nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range e.SRV {
			got = append(got, a.Name+" SRV")
		}
		for _, a := range e.TXT {
			got = append(got, a.Name+" TXT")
		}
		for _, d := range e.Documents {
			got = append(got, d.URL)
			if d.Status != 404 {
				t.Errorf("via %q: %+v, failure %+v", c.via, d, d.Failure)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("via %q: %s", c.via, diff)
		}
		if e.Version != delegation.EvidenceVersion || e.Source != source || e.Service != "_xmpps-server._tcp" || !e.Collected.Equal(time.Unix(1e9, 0)) || e.Replayed() {
			t.Errorf("via %q: %+v", c.via, e)
		}
		// The seam: complete evidence without a statement is a clear no.
		_, err = delegation.Verify(delegation.Query{Source: source, Service: "_xmpps-server._tcp"}, e, delegation.Policy{Roots: web.roots, Time: time.Now()})
		if delegation.ReasonOf(err) != delegation.NoStatement {
			t.Errorf("via %q: %v, want %s", c.via, err, delegation.NoStatement)
		}
	}
}

// TestGatherSRV: no look-up but those of SRV is made, whatever Via says.
func TestGatherSRV(t *testing.T) {
	s := startDNS(t)
	client := &Client{Resolver: s.Addr, Via: ViaDNS}
	e, err := client.GatherSRV(t.Context(), source, "_xmpps-server._tcp")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.SRV) != 2 || len(e.TXT)+len(e.Documents) != 0 || e.SRV[0].Failure != nil {
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

func places(txt, https bool) []string {
	list := []string{"_xmpps-server._tcp.b.example SRV", "_xmpp-server._tcp.b.example SRV"}
	if txt {
		list = append(list, "_xmpps-server._tcp._dna.b.example TXT", "_xmpp-server._tcp._dna.b.example TXT")
	}
	if https {
		for _, service := range []string{"_xmpps-server._tcp", "_xmpp-server._tcp"} {
			for _, encoding := range delegation.Encodings() {
				list = append(list, delegation.DocumentURL(source, service, encoding))
			}
		}
	}
	return list
}

// TestEnough: the look-ups still under way are ended and stay unanswered.
func TestEnough(t *testing.T) {
	s := startDNS(t, srvName+". IN SRV 1 2 3 host.example.", txtName+". IN TXT here")
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
	if failed(e.SRV[0].Failure) != delegation.Unanswered || failed(e.Documents[0].Failure) != delegation.Unanswered {
		t.Errorf("SRV %+v, document %+v, want %s", e.SRV[0].Failure, e.Documents[0].Failure, delegation.Unanswered)
	}
	if diff := cmp.Diff(snapshots[0].TXT, e.TXT); diff != "" {
		t.Error(diff)
	}
}

// TestSnapshotsAreKept: later answers do not change an earlier snapshot.
func TestSnapshotsAreKept(t *testing.T) {
	s := startDNS(t)
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
			if failed(f) == delegation.Unanswered {
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
	s := startDNS(t, txtName+". IN TXT here")
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
	s := startDNS(t, txtName+". IN TXT here")
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
			if len(e.TXT[0].Records) != 1 || failed(e.SRV[0].Failure) != delegation.Unanswered || failed(e.Documents[0].Failure) != delegation.Unanswered {
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
		if err != nil || failed(e.SRV[0].Failure) != delegation.Unanswered {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestLogger(t *testing.T) {
	var lines bytes.Buffer
	web := startWeb(t, http.NotFound, source)
	client := web.client(startDNS(t))
	client.Via = ViaAuto
	client.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	gather(t, client)
	for _, want := range []string{"name=" + srvName, "name=" + txtName, "url=" + docURL} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no line with %s in:\n%s", want, &lines)
		}
	}
}

// undetermined checks that evidence with a failure is in a form that the
// verifier takes, saved and read back too, and decides nothing by accident.
func undetermined(t *testing.T, e *delegation.Evidence, want delegation.Reason) {
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
		if !errors.As(err, &refusal) || refusal.Reason != want || refusal.Reason.Outcome() != delegation.OutcomeUndetermined {
			t.Errorf("the verifier says %v, want %s", err, want)
		}
	}
}
