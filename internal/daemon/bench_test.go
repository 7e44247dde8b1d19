package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// hosted are domains that delegate to the host, by TXT records. Authority,
// intermediate and leaves are P-256; a statement with its two certificates has
// about 2,000 octets.
type hosted struct {
	domains []string
	records map[string]string
}

func newHosted(b *testing.B, n int) *hosted {
	b.Helper()
	h := &hosted{records: map[string]string{}}
	now := time.Now().Truncate(time.Second)
	for i := range n {
		domain := fmt.Sprintf("d%d.example", i)
		h.domains, h.records[domain] = append(h.domains, domain), world.Record(world.Statement(domain, service, now, host), of(domain))
	}
	return h
}

// Gather takes no time, so that a benchmark measures everything else.
func (h *hosted) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("nothing is dialled")
}

func (h *hosted) Gather(_ context.Context, domain, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	e := world.Nothing(domain, service, delegation.Insecure, time.Now())
	e.Documents = nil
	e.TXT[0].Resolver, e.TXT[0].Records = "127.0.0.1:53", []string{strings.Clone(h.records[domain])}
	for i := range e.SRV {
		e.SRV[i].Resolver = "127.0.0.1:53"
	}
	copied := *e
	enough(&copied)
	return e, nil
}

// forgetful is a store that takes no time and no room.
type forgetful struct{}

func (forgetful) Load(context.Context, string, string) (r floors.Record, err error) {
	return r, nil
}

func (forgetful) Raise(_ context.Context, _, _ string, r floors.Record) (delegation.Floor, error) {
	return r.Floor, nil
}

func (forgetful) Close() error { return nil }

func (forgetful) Watch(ctx context.Context, w floors.Watcher) {
	w.Watching(true)
	<-ctx.Done()
}

// generous limits are never reached.
var generous = verifier.Limits{CacheBytes: 64 << 30, LookupsInFlight: 1000}

func engineOf(b *testing.B, g verifier.Network, m floors.Store, counts verifier.Metrics) *verifier.Verifier {
	b.Helper()
	d, err := verifier.New(verifier.Config{Discovery: g, Floors: m, Roots: around.CA.Pool(), Limits: generous, Metrics: counts})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// bytesOf keeps what the cache believes that it takes.
type bytesOf struct {
	sizes sync.Map // by class
}

func (*bytesOf) Count(string, string) {}
func (*bytesOf) Add(string, int)      {}
func (*bytesOf) Took(time.Duration)   {}

func (s *bytesOf) Set(name, label string, value int64) {
	if name == "bytes" {
		s.sizes.Store(label, value)
	}
}

func (s *bytesOf) all() (octets int64) {
	s.sizes.Range(func(_, value any) bool { octets += value.(int64); return true })
	return octets
}

// BenchmarkCachedQuestion is a question whose source is in the cache. It is
// measured over HTTP on a unix socket with the peer's certificates checked,
// without HTTP, and with the cache alone.
func BenchmarkCachedQuestion(b *testing.B) {
	h := newHosted(b, 1)
	body := ask(h.domains[0], "incoming", of(host).Chain())
	q, err := readQuestion([]byte(body), newChains())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("http", func(b *testing.B) { benchmarkHTTP(b, h, func(int) string { return body }) })
	b.Run("direct", func(b *testing.B) {
		s := newState(b, h, NewMetrics(), generous)
		defer s.Close()
		handler := NewHandler(NewMetrics(), nil)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if a, _ := s.answer(b.Context(), handler, q); a.Outcome != reasons.OutcomeVerified {
					b.Error(a.Message)
				}
			}
		})
	})
	b.Run("cache", func(b *testing.B) {
		d := engineOf(b, h, forgetful{}, nil)
		defer d.Close()
		asked := verifier.Question{Source: q.source, Service: q.service, Direction: q.direction}
		if _, err := d.Decide(b.Context(), asked); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if known, err := d.Decide(b.Context(), asked); err != nil || !known.Cached {
				b.Fatal("it is not known", err)
			}
		}
	})
}

// BenchmarkUncachedQuestion is a question about a source that is new. Lookups
// take no time, and the memory is in a file on the disk. "cold" is the decision
// alone.
func BenchmarkUncachedQuestion(b *testing.B) {
	h := newHosted(b, 2000)
	chain := of(host).Chain()
	bodies := make([]string, len(h.domains))
	for i, domain := range h.domains {
		bodies[i] = ask(domain, "incoming", chain)
	}
	b.Run("http", func(b *testing.B) { benchmarkHTTP(b, h, func(i int) string { return bodies[i%len(bodies)] }) })
	b.Run("cold", func(b *testing.B) {
		i := 0
		d := engineOf(b, h, forgetful{}, nil)
		for b.Loop() {
			if i == len(h.domains) {
				i = 0
				b.StopTimer()
				d.Close()
				d = engineOf(b, h, forgetful{}, nil)
				b.StartTimer()
			}
			if _, err := d.Decide(b.Context(), verifier.Question{Source: h.domains[i], Service: service, Direction: association.Incoming}); err != nil {
				b.Fatal(err)
			}
			i++
		}
		d.Close()
	})
}

// benchmarkHTTP asks a daemon that logs what people read. When all domains have
// been asked about, the cache is emptied.
func benchmarkHTTP(b *testing.B, h *hosted, body func(int) string) {
	metrics := NewMetrics()
	handler := NewHandler(metrics, slog.New(slog.NewTextHandler(io.Discard, nil)))
	handler.Use(newState(b, h, metrics, generous))
	b.Cleanup(func() { handler.Use(nil).Close() })
	post(b, handler, func(i int) string {
		if len(h.domains) > 1 && i > 0 && i%len(h.domains) == 0 {
			go handler.Use(newState(b, h, metrics, generous)).Close()
		}
		return body(i)
	})
}

// BenchmarkFloorHTTP is what a question over HTTP cannot be faster than: a plain
// handler that reads and writes as many bytes, by the same server and client.
func BenchmarkFloorHTTP(b *testing.B) {
	body := ask("d0.example", "incoming", of(host).Chain())
	answer := []byte(`{"outcome":"verified"}` + strings.Repeat(" ", 778))
	post(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question := make([]byte, len(body))
		if _, err := io.ReadFull(r.Body, question); err != nil {
			b.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}), func(int) string { return body })
}

// post asks by many connections at once, over a unix socket. There are 32 MB of
// live heap, so that the garbage collector runs about as often as in a daemon.
func post(b *testing.B, handler http.Handler, body func(int) string) {
	listeners, err := Listen([]string{"unix:" + filepath.Join(b.TempDir(), "s")}, false)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := serve(ctx, handler, listeners, slog.New(slog.DiscardHandler), defaultBounds); err != nil {
			b.Error(err)
		}
	})
	defer running.Wait()
	defer stop()
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			address := listeners[0].Addr()
			return (&net.Dialer{}).DialContext(ctx, address.Network(), address.String())
		},
	}}
	defer client.CloseIdleConnections()
	live := make([]*[1 << 10]byte, 32<<10)
	for i := range live {
		live[i] = new([1 << 10]byte)
	}
	defer runtime.KeepAlive(live)
	var n atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			response, err := client.Post("http://daemon/v1/check", "application/json", strings.NewReader(body(int(n.Add(1)-1))))
			if err != nil {
				b.Error(err)
				return
			}
			answer, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || !bytes.Contains(answer, []byte(`"outcome":"verified"`)) {
				b.Errorf("got %s, %v", answer, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "questions/s")
}

// BenchmarkMemory is what a domain takes in the cache, in one direction, and
// what the cache believes that it takes.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := newHosted(b, n)
			for b.Loop() {
				size := &bytesOf{}
				d := engineOf(b, h, forgetful{}, size)
				before := heap()
				for _, domain := range h.domains {
					if _, err := d.Decide(b.Context(), verifier.Question{Source: domain, Service: service, Direction: association.Incoming}); err != nil {
						b.Fatal(err)
					}
				}
				after := heap()
				b.ReportMetric(float64(after-before)/float64(n), "B/domain")
				b.ReportMetric(float64(size.all())/float64(n), "estimated-B/domain")
				d.Close()
			}
			runtime.KeepAlive(h)
		})
	}
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one only marked, pools among it
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
