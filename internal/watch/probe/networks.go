package probe

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dnasign/dnasign/internal/watch"
)

const (
	// maxPerNetwork is how many of the probes in progress one network may have. As
	// many lookups as four networks may have are under way through one resolver; the
	// others wait for them.
	maxPerNetwork = watch.DefaultParallel / 4
	// perNetwork is how often a network may ask about domains of its choice, and
	// burst how many it may ask about at once: somebody who looks at a few.
	perNetwork = rate.Limit(0.5)
	burst      = 20
	// maxNetworks bounds the networks that are known at a time. One that has not
	// asked for burst / perNetwork = 40 s is forgotten.
	maxNetworks = 1 << 14
)

// networks has an account for each network: an IPv4 /24, or an IPv6 /48. Those
// without a known address share one.
type networks struct {
	now func() time.Time

	mu       sync.Mutex
	accounts map[netip.Prefix]*account
}

// An account is what a network uses up.
type account struct {
	busy  int
	limit *rate.Limiter
}

func newNetworks() *networks {
	return &networks{now: time.Now, accounts: map[netip.Prefix]*account{}}
}

// enter notes a request from an address. A free one is about something that the
// visitor chose.
func (n *networks) enter(client netip.Addr, free bool) (leave func(), no *refusal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now, key := n.now(), networkOf(client)
	a := n.accounts[key]
	if a == nil {
		if len(n.accounts) >= maxNetworks {
			n.forget(now)
		}
		if len(n.accounts) >= maxNetworks {
			return nil, &refusal{http.StatusServiceUnavailable, "too many networks ask at a time", later}
		}
		a = &account{limit: rate.NewLimiter(perNetwork, burst)}
		n.accounts[key] = a
	}
	switch {
	case a.busy >= maxPerNetwork:
		return nil, &refusal{http.StatusTooManyRequests, "your network has too many lookups under way", "Wait until some have ended."}
	case free && !a.limit.AllowN(now, 1):
		return nil, &refusal{http.StatusTooManyRequests, "your network has asked too often", "Wait for a minute, or run dnaverify on your own machine."}
	}
	a.busy++
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		a.busy--
	}, nil
}

// forget drops the accounts that would be the same if they were new.
func (n *networks) forget(now time.Time) {
	for key, a := range n.accounts {
		if a.busy == 0 && a.limit.TokensAt(now) >= burst {
			delete(n.accounts, key)
		}
	}
}

// networkOf is the network on whose account an address is.
func networkOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, _ := a.Prefix(bits) // the zero prefix for no address
	return p
}

// clientOf is the address of a visitor. A proxy on this machine says whom it asks
// for in X-Forwarded-For, and only the last address there is its own word. Another
// machine is believed only about itself.
func clientOf(r *http.Request) netip.Addr {
	peer := peerOf(r.RemoteAddr)
	if peer.IsValid() && !peer.IsLoopback() {
		return peer
	}
	forwarded := r.Header.Values("X-Forwarded-For")
	if len(forwarded) == 0 {
		return peer
	}
	last := forwarded[len(forwarded)-1]
	client, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]))
	if err != nil {
		return peer
	}
	return client
}

// peerOf is the address of the other end of a connection, none for a unix socket.
func peerOf(remote string) netip.Addr {
	a, _ := netip.ParseAddrPort(remote)
	return a.Addr().Unmap()
}
