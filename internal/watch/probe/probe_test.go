package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ends = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

// reportOf is what a lookup in these tests finds: two resolvers that differ.
func reportOf(q watch.Question) watch.Report {
	r := watch.Report{
		Version: watch.ReportVersion, Status: watch.StatusError, Source: q.Source, Service: q.Service, Agreeing: 1,
		Verdicts: []watch.Verdict{
			{Resolver: "192.0.2.1:53", Outcome: reasons.OutcomeVerified, Reason: reasons.Verified},
			{Resolver: "192.0.2.2:53", Outcome: reasons.OutcomeRefused, Reason: reasons.NoStatement},
		},
		StatementEnds: &ends, CertificateEnds: &ends,
		Findings: []watch.Finding{{Name: watch.Refused, Severity: watch.SeverityError, Reason: reasons.NoStatement}},
	}
	if q.Target != (delegation.Endpoint{}) {
		r.Target = &q.Target
		for i := range r.Verdicts {
			r.Verdicts[i].Host = &watch.HostVerdict{Outcome: r.Verdicts[i].Outcome, Reason: r.Verdicts[i].Reason}
		}
	}
	return r
}

func prober(p Prober) *Prober {
	p.Default.Service = "_xmpp-server._tcp"
	if p.Look == nil {
		p.Look = func(_ context.Context, q watch.Question) (watch.Report, error) { return reportOf(q), nil }
	}
	return New(p)
}

func get(h http.Handler, target string, edits ...func(*http.Request)) (int, string) {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9854"+target, nil)
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestProbe(t *testing.T) {
	p := prober(Prober{})
	code, body := get(p, "/probe?domain=B.Example.&service=xmpp-server&target=xmpp.hosting.example:5269")
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	for _, line := range []string{
		"probe_success 0", "dnaverify_probe_resolvers 2", "dnaverify_probe_resolvers_agreeing 1",
		`dnaverify_probe_status{status="error"} 1`, `dnaverify_probe_status{status="ok"} 0`,
		`dnaverify_probe_verdict{outcome="refused",reason="no-statement",resolver="192.0.2.2:53"} 1`,
		`dnaverify_probe_host{outcome="verified",reason="verified",resolver="192.0.2.1:53"} 1`,
		`dnaverify_probe_finding{name="refused"} 1`, `dnaverify_probe_finding{name="left-over"} 0`,
		`dnaverify_probe_findings{severity="error"} 1`, `dnaverify_probe_findings{severity="warning"} 0`,
		"dnaverify_probe_statement_expiry_timestamp_seconds 1.7960832e+09", "dnaverify_probe_certificate_expiry_timestamp_seconds 1.7960832e+09",
	} {
		if !strings.Contains(body, "\n"+line+"\n") {
			t.Errorf("without %s", line)
		}
	}
	if n := strings.Count(body, "\ndnaverify_probe_finding{"); n != len(watch.Names()) {
		t.Errorf("%d findings, want %d", n, len(watch.Names()))
	}
	if !strings.Contains(body, "\nprobe_duration_seconds ") {
		t.Errorf("no duration:\n%s", body)
	}
	if code, body := get(p, "/metrics"); code != http.StatusOK || !strings.Contains(body, `dnaverify_watch_probes_total{status="error"} 1`) || !strings.Contains(body, "go_goroutines") {
		t.Errorf("%d %s", code, body)
	}
}

// TestProbeDefaults: what a probe does not say is what the command said.
func TestProbeDefaults(t *testing.T) {
	var asked watch.Question
	target := delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}
	p := New(Prober{
		Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
			asked = q
			return watch.Report{Status: watch.StatusWarning}, nil
		},
		Default: watch.Question{Query: delegation.Query{Service: "_xmpp-client._tcp", Target: target}, Warn: time.Hour},
	})
	code, body := get(p, "/probe?domain=b.example")
	if code != http.StatusOK || !strings.Contains(body, "\nprobe_success 1\n") || strings.Contains(body, "expiry") {
		t.Errorf("%d %s", code, body)
	}
	want := watch.Question{Query: delegation.Query{Source: "b.example", Service: "_xmpp-client._tcp", Target: target}, Warn: time.Hour}
	if asked != want {
		t.Errorf("asked %+v, want %+v", asked, want)
	}
}

func TestProbeRefuses(t *testing.T) {
	p := prober(Prober{Domains: []string{"b.example"}, Look: func(context.Context, watch.Question) (watch.Report, error) {
		t.Error("looked up")
		return watch.Report{}, nil
	}})
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	long := strings.Repeat("a.", 118) + "example"
	for _, c := range []struct {
		target string
		edit   func(*http.Request)
		code   int
		says   string
	}{
		{"/other", nil, 404, "/probe?domain=b.example"},
		{"/probe", nil, 400, "domain is missing"},
		{"/probe?domain=", nil, 400, "empty or there twice"},
		{"/probe?domain=b.example&domain=c.example", nil, 400, "empty or there twice"},
		{"/probe?domain=b.example&targets=h.example:1", nil, 400, "no parameter"},
		{"/probe?domain=localhost", nil, 400, "not a usable domain name"},
		{"/probe?domain=192.0.2.1", nil, 400, "not a usable domain name"},
		{"/probe?domain=%ff", nil, 400, "not a usable domain name"},
		{"/probe?domain=%zz", nil, 400, "cannot be read"},
		{"/probe?domain=b.example&service=no%20service", nil, 400, "not a service"},
		{"/probe?domain=b.example&target=h.example", nil, 400, "not host:port"},
		{"/probe?domain=" + long, nil, 400, "longer than 253 octets"},
		{"/probe?domain=c.example", nil, 403, "not in the list"},
		{"/probe?domain=b.example", header("Origin", "https://evil.example"), 403, "web pages"},
		{"/probe?domain=b.example", host("evil.example:9854"), 403, "another host"},
		{"/metrics", host("192.0.2.1"), 403, "another host"},
		{"/probe?domain=b.example", func(r *http.Request) { r.Method = http.MethodPost }, 405, "only GET"},
	} {
		edit := c.edit
		if edit == nil {
			edit = func(*http.Request) {}
		}
		if code, body := get(p, c.target, edit); code != c.code || !strings.Contains(body, c.says) || len(body) > 600 {
			t.Errorf("%s: %d %s, want %d %s", c.target, code, body, c.code, c.says)
		}
	}
	if code, _ := get(prober(Prober{Public: true}), "/probe?domain=b.example", host("monitor.example:9854")); code != http.StatusOK {
		t.Errorf("%d to another machine, where that is meant", code)
	}
}

// TestCache: those who ask the same at the same time, or soon after, wait for
// one lookup; a failure is not kept.
func TestCache(t *testing.T) {
	var looked atomic.Int32
	release := make(chan struct{})
	fail := atomic.Bool{}
	p := prober(Prober{Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
		looked.Add(1)
		<-release
		if fail.Load() {
			return watch.Report{}, context.DeadlineExceeded
		}
		return reportOf(q), nil
	}})
	clock := time.Now()
	p.cache.now = func() time.Time { return clock }
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if code, body := get(p, "/probe?domain=b.example"); code != http.StatusOK {
				t.Errorf("%d %s", code, body)
			}
		})
	}
	close(release)
	all.Wait()
	if n := looked.Load(); n != 1 {
		t.Errorf("%d lookups", n)
	}
	clock = clock.Add(cacheLife)
	fail.Store(true)
	for range 2 {
		if code, _ := get(p, "/probe?domain=b.example"); code != http.StatusGatewayTimeout {
			t.Errorf("%d", code)
		}
	}
	fail.Store(false)
	if code, _ := get(p, "/probe?domain=b.example"); code != http.StatusOK || looked.Load() != 4 {
		t.Errorf("%d after %d lookups", code, looked.Load())
	}
}

// TestBounds: probes that are worked at, and reports that are kept.
func TestBounds(t *testing.T) {
	release := make(chan struct{})
	begun := make(chan struct{})
	p := prober(Prober{Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
		begun <- struct{}{}
		<-release
		return reportOf(q), nil
	}})
	p.slots = make(chan struct{}, 1)
	var one sync.WaitGroup
	one.Go(func() { get(p, "/probe?domain=b.example") })
	<-begun
	if code, body := get(p, "/probe?domain=c.example"); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, body)
	}
	close(release)
	one.Wait()

	full := prober(Prober{})
	full.cache.most = 3
	for i, want := range []int{200, 200, 200, 503, 503} {
		if code, body := get(full, fmt.Sprintf("/probe?domain=d%d.example", i)); code != want {
			t.Errorf("%d: %d %s, want %d", i, code, body, want)
		}
	}
	full.cache.now = func() time.Time { return time.Now().Add(cacheLife) }
	if code, _ := get(full, "/probe?domain=d4.example"); code != http.StatusOK || len(full.cache.entries) != 1 {
		t.Errorf("%d with %d kept", code, len(full.cache.entries))
	}
}

// TestPanic: a lookup that breaks off leaves nobody waiting.
func TestPanic(t *testing.T) {
	c := &cache{life: cacheLife, most: 1, mostOctets: maxEvidence, now: time.Now, entries: map[watch.Question]*entry{}}
	func() {
		defer func() { _ = recover() }()
		c.get(context.Background(), watch.Question{}, func() (watch.Report, error) { panic("broken") })
	}()
	if len(c.entries) != 0 {
		t.Error("something is kept")
	}
}

// TestGone: who goes away while another looks stops waiting.
func TestGone(t *testing.T) {
	c := &cache{life: cacheLife, most: 1, mostOctets: maxEvidence, now: time.Now, entries: map[watch.Question]*entry{}}
	release, begun := make(chan struct{}), make(chan struct{})
	var first sync.WaitGroup
	first.Go(func() {
		c.get(context.Background(), watch.Question{}, func() (watch.Report, error) {
			close(begun)
			<-release
			return watch.Report{}, nil
		})
	})
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.get(ctx, watch.Question{}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	first.Wait()
}

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- prober(Prober{}).Serve(ctx, l) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + l.Addr().String() + "/probe?domain=b.example")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || !strings.Contains(string(body), "probe_success 0") {
		t.Errorf("%s, %v", body, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := client.Get("http://" + l.Addr().String() + "/metrics"); err == nil {
		t.Error("it still answers")
	}
}

// TestConnections: idle connections do not use up what lookups need.
func TestConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	counting := &counter{Listener: l, accepted: make(chan struct{}, 2*maxConnections)}
	ended := make(chan error, 1)
	go func() { ended <- New(Prober{}).Serve(ctx, counting) }()
	var open []net.Conn
	for range maxConnections + 1 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	for range maxConnections {
		<-counting.accepted
	}
	select {
	case <-counting.accepted:
		t.Fatal("one more is accepted")
	case <-time.After(50 * time.Millisecond):
	}
	open[0].Close()
	<-counting.accepted
	for _, c := range open[1:] {
		c.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A counter tells of each connection that is accepted.
type counter struct {
	net.Listener
	accepted chan struct{}
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted <- struct{}{}
	}
	return conn, err
}
