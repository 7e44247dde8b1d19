package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
)

// Silent peers come from so many networks, and one more, with so many connections a
// second from each.
const (
	silentNetworks = 64
	silentRate     = 12
)

// flood: honest peers beside those that name domains with silent servers.
var flood = scenario{
	name: "flood", about: "peers in 65 networks name domains whose servers are silent, 12 a second each; others are honest",
	options: options{domains: 160, over: 40 * time.Second, distance: 20 * time.Millisecond, encoding: delegation.JWS},
	run:     runFlood,
}

func runFlood(ctx context.Context, out io.Writer, o options) error {
	return withNewDaemon(o, func(r *running) error {
		flooding, stop := context.WithTimeout(ctx, o.over)
		defer stop()
		var all sync.WaitGroup
		var asked atomic.Int64
		for n := range silentNetworks {
			all.Go(func() {
				r.silent(flooding, &asked, n, func(i int) string { return fmt.Sprintf("2001:db8:%x::%x", n, i) })
			})
		}
		all.Go(func() { // all of a /48, a /64 each
			r.silent(flooding, &asked, silentNetworks, func(i int) string { return fmt.Sprintf("2001:db8:ffff:%x::1", i) })
		})
		y, err := r.all(ctx, o.over, func(i int) string {
			return []string{"203.0.113.1", fmt.Sprintf("2001:db9::%x", i), fmt.Sprintf("192.%d.2.1", i%256)}[i%3]
		})
		stop()
		all.Wait()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "silent zones asked about: %d\n", asked.Load())
		return y.print(out, 0.95, 10*time.Second)
	})
}

// silent asks about domains of one network until ctx ends, waits for no answer, and
// counts.
func (r *running) silent(ctx context.Context, asked *atomic.Int64, network int, peer func(i int) string) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for i := 0; ctx.Err() == nil; i++ {
		domain := fmt.Sprintf("silent%d-%d.example", network, i)
		names := []string{domain, delegation.TXTName(domain, service)}
		for _, label := range delegation.RoleOf(service).Labels() {
			names = append(names, delegation.SRVName(domain, label))
		}
		for _, name := range names {
			if err := r.region.dns.Fault(name, "", dnsserver.Fault{Drop: true}); err != nil {
				panic(err) // every type was meant
			}
		}
		asked.Add(1)
		asking.Go(func() { _, _ = r.ask(ctx, domain, peer(i)) })
		time.Sleep(time.Second / silentRate)
	}
}
