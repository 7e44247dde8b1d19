package decisions

import (
	"net/netip"
	"runtime"
	"sync"

	"golang.org/x/time/rate"

	"github.com/dnasign/dnasign/delegation"
)

// A budget bounds look-ups: how many begin, how many are under way, and how many
// are judged at a time. Sources that are remembered and all others have one each:
// names that somebody makes up must not keep those waiting that have proven
// something before.
type budget struct {
	rate    *rate.Limiter
	slots   chan struct{}
	judging chan struct{}
}

func newBudget(l Limits) budget {
	return budget{
		rate:    rate.NewLimiter(rate.Limit(l.LookupsPerSecond), burst(l.LookupsPerSecond)),
		slots:   make(chan struct{}, l.LookupsInFlight),
		judging: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// budget is that of a source of which so much is remembered.
func (d *Decider) budget(floors []delegation.Floor) budget {
	if len(floors) == 0 {
		return d.stranger
	}
	return d.known
}

// take begins a look-up, or says which limit is reached. After it, release.
func (b budget) take() (limit string, release func()) {
	select {
	case b.slots <- struct{}{}:
	default:
		return "in-flight", nil
	}
	release = func() { <-b.slots }
	if !b.rate.Allow() {
		release()
		return "rate", nil
	}
	return "", release
}

// peers are the budgets of the addresses that peers come from.
type peers struct {
	perSecond float64

	mu sync.Mutex
	of lru[netip.Prefix, *rate.Limiter]
}

func newPeers(perSecond float64) *peers {
	return &peers{perSecond: perSecond, of: newLRU[netip.Prefix, *rate.Limiter](maxPeers)}
}

// allow counts a look-up that a peer causes. An address that is not known has
// no budget of its own.
func (p *peers) allow(addr netip.Addr) bool {
	if !addr.IsValid() {
		return true
	}
	network := networkOf(addr)
	p.mu.Lock()
	limiter, ok := p.of.get(network)
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(p.perSecond), burst(p.perSecond))
		p.of.put(network, limiter, 1)
	}
	p.mu.Unlock()
	return limiter.Allow()
}

// networkOf is what one subscriber has: an IPv4 address, or an IPv6 /64.
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	network, _ := addr.Prefix(bits) // never fails for these lengths
	return network
}

func overloaded(what string) *delegation.Error {
	return refuse(delegation.Overloaded, "%s", map[string]string{
		"in-flight": "too many look-ups are under way",
		"rate":      "too many look-ups were begun in the last seconds",
		"peer":      "this peer has caused too many look-ups in the last seconds",
		"waiting":   "too many questions wait for look-ups",
	}[what])
}
