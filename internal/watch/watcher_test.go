package watch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// zoneOf are the lines of a domain that delegates to the provider.
func zoneOf(domain string, raw []byte) []string {
	return []string{
		fmt.Sprintf("%s. IN SRV 0 0 5269 %s.", delegation.SRVName(domain, service), provider.Host),
		world.TextLine(domain, service, delegation.JWS.TXTRecord(raw)),
	}
}

// through makes a Watcher of DNS servers.
func through(servers ...*dnsserver.Server) *Watcher {
	var resolvers []Resolver
	for _, s := range servers {
		resolvers = append(resolvers, Resolver{s.Addr, &discovery.Client{Resolver: s.Addr, Via: discovery.ViaDNS}})
	}
	return NewWatcher(resolvers, around.Policy(), nil, DefaultParallel)
}

func question(domain string) Question {
	return Question{Query: delegation.Query{Source: domain, Service: service}}
}

func TestWatcher(t *testing.T) {
	jws := sign(around.Of(source), delegation.JWS, time.Hour, 14*day, provider)
	good, empty, broken := setup.DNS(t, zoneOf(source, jws)...), setup.DNS(t), setup.DNS(t, zoneOf(source, jws)...)
	if err := broken.Fault("", "TXT", dnsserver.Fault{Rcode: 2}); err != nil {
		t.Fatal(err)
	}
	r, err := through(good, empty, broken).Look(context.Background(), question(source))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range r.Verdicts {
		got = append(got, v.Resolver+" "+string(v.Reason))
	}
	want := fmt.Sprintf("%s verified, %s no-statement, %s dns-failure", good.Addr, empty.Addr, broken.Addr)
	if strings.Join(got, ", ") != want || r.Status != StatusError {
		t.Errorf("%s: %s, want %s", r.Status, got, want)
	}
}

// TestWatcherEnds: when the context ends, there is no report, however far the
// lookups are: what was cut off is no observation.
func TestWatcherEnds(t *testing.T) {
	silent := setup.DNS(t)
	if err := silent.Fault("", "", dnsserver.Fault{Drop: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for len(silent.Queries()) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if r, err := through(silent).Look(ctx, question(source)); !errors.Is(err, context.Canceled) || r.Status != "" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := through(setup.DNS(t)).Look(ctx, question(source)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWatcherConfig(t *testing.T) {
	w := NewWatcher([]Resolver{{"nonsense", &discovery.Client{Resolver: "nonsense", Via: discovery.ViaDNS}}}, delegation.Policy{}, nil, 1)
	if _, err := w.Look(context.Background(), question(source)); !errors.Is(err, discovery.ErrConfig) {
		t.Error(err)
	}
}

// TestGate: never more at once than it lets through, and everybody gets in.
func TestGate(t *testing.T) {
	const atOnce, all = 3, 60
	g := newGate(atOnce, 1e6)
	var inside, most, done atomic.Int32
	var wait sync.WaitGroup
	for range all {
		wait.Go(func() {
			leave, err := g.enter(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			defer leave()
			n := inside.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			done.Add(1)
			inside.Add(-1)
		})
	}
	wait.Wait()
	if most.Load() > atOnce || done.Load() != all {
		t.Errorf("%d at once, at most %d; %d got in, want %d", most.Load(), atOnce, done.Load(), all)
	}
}

// TestGateRate: what is begun in a second is bounded. A turn that would come
// after the end of the context is refused, and gives its place back.
func TestGateRate(t *testing.T) {
	g := newGate(2, 0.001)
	leave, err := g.enter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	leave()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	cancel()
	for range 3 {
		if _, err := g.enter(ctx); err == nil {
			t.Fatal("two in a thousand seconds, at most one")
		}
	}
	if len(g.slots) != 0 {
		t.Errorf("%d places are taken", len(g.slots))
	}
}

// BenchmarkWatch is watch with a list of domains, all places of each looked at
// through two resolvers, and the gates as they are.
func BenchmarkWatch(b *testing.B) { benchmarkWatch(b, false) }

// BenchmarkWatchUnbounded is the same with gates that bound no rate: what this
// machine can do.
func BenchmarkWatchUnbounded(b *testing.B) { benchmarkWatch(b, true) }

func benchmarkWatch(b *testing.B, open bool) {
	key := localca.Must(localca.NewKey("P-256"))
	var zone, domains []string
	statements, certificates := map[string][]byte{}, map[string]*tls.Certificate{}
	for i := range 500 {
		domain := fmt.Sprintf("d%d.example", i)
		signer := localca.Must(around.CA.IssueFor(key, []string{domain}, now.Add(-day), time.Now().Add(60*day), nil))
		raw := world.Sign(world.Statement(domain, service, now.Add(-time.Hour), world.Host), delegation.JWS, signer)
		c := localca.TLS(signer)
		domains, zone = append(domains, domain), append(zone, zoneOf(domain, raw)...)
		statements[domain], certificates[domain] = raw, &c
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != delegation.DocumentPath(service, delegation.JWS) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", delegation.JWS.MediaType())
		w.Write(statements[r.Host])
	})}
	address := setup.Web(b, web, &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return certificates[h.ServerName], nil }})

	w := through(setup.DNS(b, zone...), setup.DNS(b, zone...))
	w.policy.Cache = delegation.NewCache(w.policy.Roots)
	to := discovery.ConnectTo{Addr: address}
	for i, r := range w.resolvers {
		r.Client.Via, r.Client.HTTPSRoots, r.Client.ConnectTo, r.Client.AllowPrivateAddresses = discovery.ViaBoth, around.CA.Pool(), []discovery.ConnectTo{to}, true
		if open {
			w.gates[i] = newGate(DefaultParallel, 1e6)
		}
	}
	if open {
		w.web = newGate(webLookups, 1e6)
	}
	ahead := make(chan struct{}, 4*DefaultParallel)
	var all sync.WaitGroup
	b.ResetTimer()
	for i := range b.N {
		ahead <- struct{}{}
		all.Go(func() {
			defer func() { <-ahead }()
			r, err := w.Look(context.Background(), question(domains[i%len(domains)]))
			if err != nil || r.Status != StatusOK {
				b.Errorf("%+v, %v", r, err)
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Minutes(), "domains/min")
}
