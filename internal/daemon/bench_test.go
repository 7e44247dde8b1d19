package daemon

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/internal/decisions"
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
		signer, err := lab().ca.Issue("P-256", []string{domain}, now.Add(-day), now.Add(60*day), nil)
		if err != nil {
			b.Fatal(err)
		}
		token, err := delegation.Sign(delegation.Statement{
			Source: domain, Service: service, ID: delegation.ID{1}, Issued: now, Expires: now.Add(14 * day),
			Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: host, Port: 5269}}},
		}, delegation.JWS, signer)
		if err != nil {
			b.Fatal(err)
		}
		h.domains, h.records[domain] = append(h.domains, domain), delegation.TXTRecord(delegation.JWS, token)
	}
	return h
}

// Gather takes no time, so that a benchmark measures everything else.
func (h *hosted) Gather(_ context.Context, domain, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	e := &delegation.Evidence{
		Version: delegation.EvidenceVersion, Source: domain, Service: service, Collected: time.Now(),
		TXT: []delegation.TXTAnswer{{
			Answer:  delegation.Answer{Name: delegation.TXTName(domain, service), Resolver: "127.0.0.1:53", DNSSEC: delegation.Insecure, TTL: 3600},
			Records: []string{strings.Clone(h.records[domain])},
		}},
	}
	for _, label := range delegation.Services(service) {
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: delegation.Answer{Name: delegation.SRVName(domain, label), Resolver: "127.0.0.1:53", DNSSEC: delegation.Insecure, TTL: 3600}})
	}
	copied := *e
	enough(&copied)
	return e, nil
}

// forgetful is a Memory that takes no time and no room.
type forgetful struct{}

func (forgetful) Floors(context.Context, string) ([]delegation.Floor, error) { return nil, nil }

func (forgetful) Raise(_ context.Context, _ string, f []delegation.Floor) ([]delegation.Floor, error) {
	return f, nil
}

// generous limits are never reached.
var generous = decisions.Limits{CacheBytes: 64 << 30, LookupsPerSecond: 1e9, LookupsInFlight: 1000}

func deciderOf(b *testing.B, g decisions.Gatherer, m decisions.Memory) *decisions.Decider {
	b.Helper()
	d, err := decisions.New(decisions.Config{Gatherer: g, Memory: m, Roots: lab().ca.Pool(), Limits: generous})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// BenchmarkCachedQuestion is a question whose source is in the cache: over
// HTTP on a unix socket with the peer's certificates checked, the same without
// HTTP, and the cache alone.
func BenchmarkCachedQuestion(b *testing.B) {
	h := newHosted(b, 1)
	body := ask(h.domains[0], "incoming", of(host).Chain())
	q, err := decode([]byte(body))
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
				if a := s.answer(b.Context(), handler, q); a.Outcome != delegation.OutcomeVerified {
					b.Error(a.Message)
				}
			}
		})
	})
	b.Run("cache", func(b *testing.B) {
		d := deciderOf(b, h, forgetful{})
		defer d.Close()
		asked := decisions.Question{Source: q.source, Service: q.service, Direction: q.direction}
		if _, err := d.Decide(b.Context(), asked); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if d.Known(asked) == nil {
				b.Fatal("it is not known")
			}
		}
	})
}

// BenchmarkUncachedQuestion is a question about a source that is new, with
// look-ups that take no time and a memory in a file on the disk; "cold" is the
// decision alone.
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
		d := deciderOf(b, h, forgetful{})
		for b.Loop() {
			if i == len(h.domains) {
				i = 0
				b.StopTimer()
				d.Close()
				d = deciderOf(b, h, forgetful{})
				b.StartTimer()
			}
			if _, err := d.Decide(b.Context(), decisions.Question{Source: h.domains[i], Service: service, Direction: association.Incoming}); err != nil {
				b.Fatal(err)
			}
			i++
		}
		d.Close()
	})
}

// benchmarkHTTP asks by many connections at once. When all domains have been
// asked about, the cache is emptied.
func benchmarkHTTP(b *testing.B, h *hosted, body func(int) string) {
	metrics := NewMetrics()
	r := start(b, h, "", defaultBounds)
	state := newState(b, h, metrics, generous)
	r.handler.Use(state).Close()
	var n atomic.Int64
	b.SetParallelism(16)
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, r.network, r.address)
		},
	}}
	defer client.CloseIdleConnections()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(1) - 1)
			if len(h.domains) > 1 && i > 0 && i%len(h.domains) == 0 {
				go r.handler.Use(newState(b, h, metrics, generous)).Close()
			}
			response, err := client.Post("http://daemon/v1/check", "application/json", strings.NewReader(body(i)))
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
				d := deciderOf(b, h, forgetful{})
				before := heap()
				for _, domain := range h.domains {
					if _, err := d.Decide(b.Context(), decisions.Question{Source: domain, Service: service, Direction: association.Incoming}); err != nil {
						b.Fatal(err)
					}
				}
				after := heap()
				b.ReportMetric(float64(after-before)/float64(n), "B/domain")
				b.ReportMetric(float64(d.Size())/float64(n), "estimated-B/domain")
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
