package association_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// benchSizes are how many domains one connection serves.
var benchSizes = []int{10, 1_000, 100_000}

// benchTable is a table with one connection that serves so many domains. They
// are proven by secure SRV records, since making a certificate and a statement
// for each would take longer than the benchmark; what the table holds of them
// is the same.
func benchTable(b *testing.B, size int) (table *association.Table[int], sources []string) {
	b.Helper()
	table = association.NewTable[int](peers(), association.Limits{Connections: 1, Pairs: size})
	chain := of(b, host).Chain()
	for i := range size {
		domain := fmt.Sprintf("tenant-%d.customers.example", i)
		sources = append(sources, domain)
		a := secureDecision(b, domain)
		var err error
		if i == 0 {
			_, err = table.Add(1, at, chain, "local.example", a)
		} else {
			_, err = table.Request(1, "local.example", a)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return table, sources
}

// secureDecision is the outgoing decision for a domain whose secure SRV record
// names the host.
func secureDecision(b *testing.B, domain string) *association.Association {
	b.Helper()
	q := association.Question{Source: domain, Service: service, Direction: association.Outgoing}
	e := &delegation.Evidence{
		Version: delegation.EvidenceVersion, Source: domain, Service: service, Collected: now,
		SRV: []delegation.SRVAnswer{{
			Answer:  delegation.Answer{Name: delegation.SRVName(domain, service), DNSSEC: delegation.Secure, TTL: 86400},
			Records: []delegation.SRVRecord{{Port: at.Port, Target: at.Host}},
		}},
		TXT: []delegation.TXTAnswer{{Answer: delegation.Answer{Name: delegation.TXTName(domain, service), DNSSEC: delegation.Secure}}},
	}
	a, err := association.Decide(q, e, policy())
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkCachedVerdict is the question of every message: may this domain use
// this connection? It reports the memory that a domain takes.
func BenchmarkCachedVerdict(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("domains=%d", size), func(b *testing.B) {
			before := liveHeap()
			table, sources := benchTable(b, size)
			held := float64(liveHeap()-before) / float64(size)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := table.Serves(1, "local.example", sources[i]); !ok {
					b.Fatal("it may not")
				}
				if i++; i == len(sources) {
					i = 0
				}
			}
			b.ReportMetric(held, "B/domain")
			runtime.KeepAlive(table)
		})
	}
}

// BenchmarkCachedFind is a further domain that asks for a connection: the
// decision is there, and the certificate is held to it.
func BenchmarkCachedFind(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("domains=%d", size), func(b *testing.B) {
			table, sources := benchTable(b, size)
			a := secureDecision(b, sources[size/2])
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := table.Find("local.example", a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// liveHeap is the octets in use after garbage was collected.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
