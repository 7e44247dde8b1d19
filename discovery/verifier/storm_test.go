package verifier

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
)

// distant is how long a lookup takes whose resolver is 20 ms away. It has an
// answer that is cut and asked for again over TCP, the address of a web server,
// and its answer.
const distant = 100 * time.Millisecond

// silence is how long a lookup takes in zones whose servers say nothing: 5 seconds
// of DNS and twice 5 of HTTPS.
const silence = 15 * time.Second

// A tally counts how questions were answered.
type tally struct {
	mu      sync.Mutex
	reasons map[reasons.Reason]int // "" is a decision
	slowest time.Duration
}

// ask asks, and counts it.
func (y *tally) ask(l *lab, q Question) (*Decision, error) {
	asked := time.Now()
	d, err := l.ask(l.Context(), q)
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.reasons == nil {
		y.reasons = map[reasons.Reason]int{}
	}
	y.reasons[delegation.ReasonOf(err)]++
	y.slowest = max(y.slowest, time.Since(asked))
	return d, err
}

func (y *tally) String() string {
	return fmt.Sprintf("decisions and reasons %v, the slowest after %v", y.reasons, y.slowest)
}

func about(source string, peer netip.Addr) Question {
	q := incoming
	q.Source, q.Addr = source, peer
	return q
}

// TestNewDomains: so many new domains in one second from one address are all
// looked up, one after the other, and soon.
func TestNewDomains(t *testing.T) {
	for _, c := range []struct {
		name    string
		domains int
		source  string
	}{
		{"200", 200, "x%d.example"},
		{"600", 600, "x%d.example"},
		{"1,000", 1000, "x%d.example"},
		{"600 below one domain", 600, "x%d.hosting.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, Limits{}, func(l *lab) {
				l.network.set(func(n *network) { n.takes = distant })
				var y tally
				var all sync.WaitGroup
				for i := range c.domains {
					all.Go(func() { y.ask(l, about(fmt.Sprintf(c.source, i), netip.MustParseAddr("192.0.2.1"))) })
					time.Sleep(time.Second / time.Duration(c.domains))
				}
				all.Wait()
				t.Log(&y)
				if y.reasons[""] != c.domains || y.slowest > 10*time.Second {
					t.Error(&y)
				}
			})
		})
	}
}

// TestSilentZones: peers in 64 networks and one larger one say that they are
// domains whose servers are silent, each 12 times a second. Those who are not among
// them are answered.
func TestSilentZones(t *testing.T) {
	address := func(format string, args ...any) netip.Addr { return netip.MustParseAddr(fmt.Sprintf(format, args...)) }
	for _, c := range []struct {
		name                string
		networks, perSecond int
		takes               time.Duration
		stranger            func(network, i int) netip.Addr
	}{
		{"a /64 each", 64, 12, silence, func(network, i int) netip.Addr { return address("2001:db8:%x::%x", network, i) }},
		{"all in one /48", 64, 12, silence, func(network, i int) netip.Addr { return address("2001:db8:0:%x::%x", network, i) }},
		{"a /24 each", 64, 12, silence, func(network, i int) netip.Addr { return address("198.51.%d.%d", network, i%256) }},
		{"500 networks", 500, 1, silence, func(network, i int) netip.Addr { return address("2001:db8:%x::%x", network, i) }},
		{"thousands, not silent", 64, 12, distant, func(network, i int) netip.Addr { return address("2001:%x:%x::%x", 0x1000+i%2000, network, i) }},
	} {
		if raceDetector && c.name != "a /64 each" {
			continue // a run without it has them all
		}
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, Limits{}, func(l *lab) {
				l.network.set(func(n *network) {
					n.takes = distant
					n.slow = func(source string) time.Duration {
						if strings.HasPrefix(source, "silent") {
							return c.takes
						}
						return 0
					}
				})
				seconds := 40
				if raceDetector {
					seconds = 8
				}
				var honest, silent tally
				var all sync.WaitGroup
				streams := func(network, perSecond int, from func(i int) netip.Addr) {
					all.Go(func() {
						for i := range perSecond * seconds {
							source := fmt.Sprintf("silent%d-%d.example", network, i)
							all.Go(func() { silent.ask(l, about(source, from(i))) })
							time.Sleep(time.Second / time.Duration(perSecond))
						}
					})
				}
				for n := range c.networks {
					streams(n, c.perSecond, func(i int) netip.Addr { return c.stranger(n, i) })
				}
				streams(c.networks, 12, func(i int) netip.Addr { return address("2001:db8:ffff:%x::1", i) }) // one /48
				all.Go(func() {
					for i := range 4 * seconds {
						peer := address("203.0.113.1")
						switch i % 4 {
						case 1:
							peer = address("2001:db9::%x", i)
						case 2:
							peer = address("192.%d.2.1", i%256)
						}
						all.Go(func() { honest.ask(l, about(fmt.Sprintf("honest%d.example", i), peer)) })
						time.Sleep(time.Second / 4)
					}
				})
				all.Wait()
				t.Logf("honest: %v; silent: %v", &honest, &silent)
				if honest.reasons[""] < 4*seconds*95/100 || honest.slowest > 10*time.Second {
					t.Errorf("honest: %v", &honest)
				}
			})
		})
	}
}

// remembered makes so many domains, with statements that the memory knows.
func remembered(l *lab, domains []string) {
	for _, domain := range domains {
		l.network.records[domain] = []string{signedFor(domain, 0, []string{host})}
		f := floorOf(0, host)
		if _, err := l.store.Raise(l.Context(), domain, service, floors.Record{Floor: f}); err != nil {
			l.Fatal(err)
		}
	}
}

// domainsOf names domains and makes their signers, outside of any bubble.
func domainsOf(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("d%d.example", i))
		signer(list[i])
	}
	return list
}

// TestRestart: 10,000 domains are remembered and nothing is cached. All of them are
// asked about within a minute.
func TestRestart(t *testing.T) {
	n := 10_000
	if raceDetector {
		n = 1000
	}
	all := domainsOf(n)
	for name, c := range map[string]struct {
		domains int
		peer    func(i int) netip.Addr
	}{
		"from one address":   {len(all), func(int) netip.Addr { return netip.MustParseAddr("192.0.2.1") }},
		"from many networks": {len(all) / 10, func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, byte(i), byte(i / 256), 1}) }},
	} {
		t.Run(name, func(t *testing.T) {
			domains := all[:c.domains]
			bubble(t, nil, Limits{}, func(l *lab) {
				remembered(l, domains)
				l.network.set(func(n *network) { n.takes = distant })
				var y tally
				var asking sync.WaitGroup
				for i, domain := range domains {
					asking.Go(func() {
						d, err := y.ask(l, about(domain, c.peer(i)))
						if err == nil && len(namesOf(d.Association)) != 1 {
							t.Errorf("%s is not verified", domain)
						}
					})
					time.Sleep(time.Minute / 10_000)
				}
				asking.Wait()
				t.Log(&y)
				if y.reasons[""] != len(domains) || y.slowest > 5*time.Second {
					t.Error(&y)
				}
			})
		})
	}
}

// TestRestartBesideOne: an address that comes with thousands of remembered names,
// whose servers are silent now, keeps no other remembered domain waiting.
func TestRestartBesideOne(t *testing.T) {
	domains := domainsOf(200)
	bubble(t, nil, Limits{}, func(l *lab) {
		remembered(l, domains)
		const silent = 3000
		for i := range silent {
			if _, err := l.store.Raise(l.Context(), fmt.Sprintf("silent%d.example", i), service, floors.Record{Floor: floorOf(0, host)}); err != nil {
				t.Fatal(err)
			}
		}
		l.network.set(func(n *network) {
			n.takes = distant
			n.slow = func(source string) time.Duration {
				if strings.HasPrefix(source, "silent") {
					return silence
				}
				return 0
			}
		})
		var y, others tally
		var all sync.WaitGroup
		for i := range silent {
			all.Go(func() { others.ask(l, about(fmt.Sprintf("silent%d.example", i), netip.MustParseAddr("192.0.2.1"))) })
		}
		time.Sleep(time.Second)
		for i, domain := range domains {
			all.Go(func() { y.ask(l, about(domain, netip.AddrFrom4([4]byte{198, 51, byte(i), 1}))) })
			time.Sleep(10 * time.Millisecond)
		}
		all.Wait()
		t.Logf("%v; of the one: %v", &y, &others)
		if y.reasons[""] != len(domains) || y.slowest > 5*time.Second {
			t.Error(&y)
		}
	})
}
