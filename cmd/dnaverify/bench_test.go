package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// benchDomains is how many domains are in the list; a run goes over it as
// often as it needs.
const benchDomains = 1000

const benchService = world.Service

// A benchList is a list of domains that have delegated, and the DNS server
// that knows all about them.
type benchList struct {
	domains []string
	server  *dnsserver.Server
	client  *discovery.Client
	listing listing
}

// away is how long the server thinks about each question. Without it all is
// done by the processors of one machine; a resolver that is elsewhere, or has to
// ask somebody itself, leaves a verifier time between question and answer.
var away = []time.Duration{0, 10 * time.Millisecond, 30 * time.Millisecond}

// eachAway runs a benchmark for each distance of the server.
func eachAway(b *testing.B, run func(b *testing.B, l *benchList)) {
	for _, wait := range away {
		b.Run("away="+wait.String(), func(b *testing.B) { run(b, newBenchList(b, wait)) })
	}
}

func newBenchList(b *testing.B, wait time.Duration) *benchList {
	b.Helper()
	w := world.At(time.Now())
	l := &benchList{}
	var records []string
	for i := range benchDomains {
		domain := fmt.Sprintf("d%d.example", i)
		l.domains = append(l.domains, domain)
		records = append(records,
			fmt.Sprintf("%s. IN SRV 0 0 5269 %s.", delegation.SRVName(domain, benchService), world.Host),
			world.Line(world.Statement(domain, benchService, w.Now.Add(-time.Minute), world.Host), w.Of(domain)))
	}
	l.server = setup.DNS(b, records...)
	for _, domain := range l.domains {
		for _, q := range questions(domain) {
			if err := l.server.Fault(q.name, dns.TypeToString[q.qtype], dnsserver.Fault{Delay: wait}); err != nil {
				b.Fatal(err)
			}
		}
	}
	l.client = &discovery.Client{Resolver: l.server.Addr, Via: discovery.ViaDNS}
	var err error
	if l.listing, err = newListing(verifier.Config{Roots: w.CA.Pool(), Discovery: l.client}, benchService, 64); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.listing.verifier.Close)
	return l
}

// A question is one that a check asks.
type question struct {
	name  string
	qtype uint16
}

func questions(domain string) []question {
	list := []question{{delegation.TXTName(domain, benchService), dns.TypeTXT}}
	for _, label := range delegation.RoleOf(benchService).Labels() {
		list = append(list, question{delegation.SRVName(domain, label), dns.TypeSRV})
	}
	return list
}

// each runs f for b.N domains, as many at a time as a listing does.
func (l *benchList) each(b *testing.B, f func(domain string) error) {
	turns := make(chan struct{}, l.listing.parallel)
	var all sync.WaitGroup
	b.ResetTimer()
	for i := range b.N {
		turns <- struct{}{}
		all.Go(func() {
			if err := f(l.domains[i%len(l.domains)]); err != nil {
				b.Error(err)
			}
			<-turns
		})
	}
	all.Wait()
}

// BenchmarkFloorExchanges is the DNS questions of a check alone, by the DNS
// library's own client. They use UDP, and TCP if the answer does not fit.
func BenchmarkFloorExchanges(b *testing.B) {
	eachAway(b, func(b *testing.B, l *benchList) {
		l.each(b, func(domain string) error {
			var asking sync.WaitGroup
			for _, q := range questions(domain) {
				asking.Go(func() {
					if err := l.exchange(q.name, q.qtype); err != nil {
						b.Error(err)
					}
				})
			}
			asking.Wait()
			return nil
		})
	})
}

func (l *benchList) exchange(name string, qtype uint16) error {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	q.SetEdns0(1232, false)
	reply, _, err := new(dns.Client).Exchange(q, l.server.Addr)
	if err == nil && reply.Truncated {
		_, _, err = (&dns.Client{Net: "tcp"}).Exchange(q, l.server.Addr)
	}
	return err
}

// BenchmarkGather is the same questions by this project's client, which looks
// at nothing.
func BenchmarkGather(b *testing.B) {
	eachAway(b, func(b *testing.B, l *benchList) {
		l.each(b, func(domain string) error {
			_, err := l.client.Gather(context.Background(), domain, benchService, nil)
			return err
		})
	})
}

// BenchmarkCheckList is dnaverify check with a list: everything looked up and
// verified.
func BenchmarkCheckList(b *testing.B) {
	eachAway(b, func(b *testing.B, l *benchList) {
		domains := make([]string, b.N)
		for i := range domains {
			domains[i] = l.domains[i%len(l.domains)]
		}
		b.ResetTimer()
		err := l.listing.run(context.Background(), domains, func(r delegation.Report) error {
			if r.Outcome != reasons.OutcomeVerified {
				return fmt.Errorf("%s: %s: %s", r.Source, r.Reason, r.Detail)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
}
