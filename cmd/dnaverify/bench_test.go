package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/dnsserver"
	"github.com/dnasign/dnasign/internal/localca"
)

// benchDomains is how many domains are in the list; a run goes over it as
// often as it needs.
const benchDomains = 1000

const benchService = "_xmpp-server._tcp"

// A benchList is a list of domains that have delegated, and the DNS server
// that knows all about them.
type benchList struct {
	domains []string
	server  *dnsserver.Server
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
	now := time.Now()
	root, err := localca.New("Bench Root", now)
	if err != nil {
		b.Fatal(err)
	}
	ca, err := root.Intermediate("Bench Intermediate", now, nil)
	if err != nil {
		b.Fatal(err)
	}
	key, err := localca.NewKey("P-256")
	if err != nil {
		b.Fatal(err)
	}
	l := &benchList{}
	var records []string
	for i := range benchDomains {
		domain := fmt.Sprintf("d%d.example", i)
		signer, err := ca.IssueFor(key, []string{domain}, now.Add(-time.Hour), now.Add(240*time.Hour), nil)
		if err != nil {
			b.Fatal(err)
		}
		raw, err := delegation.Sign(delegation.Statement{
			Source: domain, Service: benchService, ID: delegation.ID{1},
			Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}}},
			Issued:  now.Add(-time.Minute), Expires: now.Add(24 * time.Hour),
		}, delegation.JWS, signer)
		if err != nil {
			b.Fatal(err)
		}
		l.domains = append(l.domains, domain)
		records = append(records,
			fmt.Sprintf("%s. IN SRV 0 0 5269 xmpp.hosting.example.", delegation.SRVName(domain, benchService)),
			fmt.Sprintf(`%s. IN TXT "%s"`, delegation.TXTName(domain, benchService), strings.Join(delegation.TXTStrings(delegation.JWS, raw), `" "`)))
	}
	if l.server, err = dnsserver.Start(records); err != nil {
		b.Fatal(err)
	}
	for _, domain := range l.domains {
		for _, service := range delegation.Services(benchService) {
			for name, rtype := range map[string]string{delegation.SRVName(domain, service): "SRV", delegation.TXTName(domain, service): "TXT"} {
				if err := l.server.Fault(name, rtype, dnsserver.Fault{Delay: wait}); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Cleanup(func() {
		if err := l.server.Close(); err != nil {
			b.Error(err)
		}
	})
	p := delegation.Policy{Roots: root.Pool(), Time: now}
	p.Known = delegation.NewKnownChains(p.Roots)
	l.listing = listing{
		client: &discovery.Client{Resolver: l.server.Addr, Via: discovery.ViaDNS},
		policy: p, service: benchService, parallel: 64,
	}
	return l
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
// library's own client: over UDP, and over TCP where the answer does not fit.
func BenchmarkFloorExchanges(b *testing.B) {
	eachAway(b, func(b *testing.B, l *benchList) {
		l.each(b, func(domain string) error {
			var questions sync.WaitGroup
			for _, service := range delegation.Services(benchService) {
				for name, qtype := range map[string]uint16{delegation.SRVName(domain, service): dns.TypeSRV, delegation.TXTName(domain, service): dns.TypeTXT} {
					questions.Go(func() {
						if err := l.exchange(name, qtype); err != nil {
							b.Error(err)
						}
					})
				}
			}
			questions.Wait()
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
			_, err := l.listing.client.Gather(context.Background(), domain, benchService, nil)
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
			if r.Outcome != delegation.OutcomeVerified {
				return fmt.Errorf("%s: %s: %s", r.Source, r.Reason, r.Detail)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
}
