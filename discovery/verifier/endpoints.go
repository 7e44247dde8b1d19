package verifier

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/lru"
)

// A pointer is a [Network] that can also find out what DNS says of an endpoint, as
// *discovery.Client does. TLSA records have a say only with such a network.
type pointer interface {
	// Validates reports whether answers may be secure.
	Validates() bool
	// GatherEndpoint is as that of discovery.Client.
	GatherEndpoint(ctx context.Context, at delegation.Endpoint) (*delegation.EndpointAnswer, error)
	// DialEndpoint opens a TCP connection to an address of the answer.
	DialEndpoint(ctx context.Context, answer *delegation.EndpointAnswer) (net.Conn, error)
}

// endpoints ask what DNS says of endpoints, for the certificates of peers. They
// remember the answers for a while, since a provider has many customers. A nil value
// knows nothing.
type endpoints struct {
	network pointer
	now     func() moment
	run     func(look func(context.Context)) bool // in the background, unless the Verifier is closed

	mu    sync.Mutex
	known *lru.Cache[delegation.Endpoint, *inquiry]
	under map[delegation.Endpoint]*inquiry // way: at most maxEndpointLookups
}

// An inquiry is an answer about an endpoint, or will be one when done is closed.
type inquiry struct {
	done   chan struct{}
	answer *delegation.EndpointAnswer // nil if nothing could be asked
	at     moment
	life   time.Duration
}

// newEndpoints is nil for a network that cannot tell or whose answers are never
// secure.
func newEndpoints(network Network, now func() moment, run func(func(context.Context)) bool) *endpoints {
	p, ok := network.(pointer)
	if !ok || !p.Validates() {
		return nil
	}
	return &endpoints{
		network: p, now: now, run: run,
		known: lru.New[delegation.Endpoint, *inquiry](maxEndpointBytes), under: map[delegation.Endpoint]*inquiry{},
	}
}

// gather asks about one endpoint and remembers the answer.
func (e *endpoints) gather(ctx context.Context, at delegation.Endpoint) (*delegation.EndpointAnswer, error) {
	asked := e.now()
	answer, err := e.network.GatherEndpoint(ctx, at)
	if err == nil && ctx.Err() == nil {
		e.mu.Lock()
		known := &inquiry{done: make(chan struct{}), answer: answer, at: asked, life: lifeOf(answer)}
		close(known.done)
		e.known.Put(at, known, weigh(answer))
		e.mu.Unlock()
	}
	return answer, err
}

// about gives the answers about some endpoints, those that are remembered and others
// that it asks for. One that does not come before ctx ends has failed.
func (e *endpoints) about(ctx context.Context, list []delegation.Endpoint) []delegation.EndpointAnswer {
	asked := make([]*inquiry, len(list))
	for i, at := range list {
		asked[i] = e.ask(at)
	}
	answers := make([]delegation.EndpointAnswer, len(list))
	for i, at := range list {
		if answer := asked[i].wait(ctx); answer != nil {
			answers[i] = *answer
			continue
		}
		failure := &delegation.Failure{Reason: reasons.Unanswered, Detail: "no answer about " + at.String() + " came in time"}
		address := delegation.Answer{Name: at.Host, DNSSEC: delegation.Indeterminate, Failure: failure}
		answers[i] = delegation.EndpointAnswer{Endpoint: at, Address: delegation.AddressAnswer{Answer: address}}
	}
	return answers
}

// wait gives the answer, nil if there is none before ctx ends.
func (t *inquiry) wait(ctx context.Context) *delegation.EndpointAnswer {
	select {
	case <-t.done:
		return t.answer
	case <-ctx.Done():
		return nil
	}
}

// ask gives what is remembered, or is being asked for, or begins to ask.
func (e *endpoints) ask(at delegation.Endpoint) *inquiry {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, ok := e.known.Get(at); ok && e.now().within(known.at, known.life) {
		return known
	}
	if t := e.under[at]; t != nil {
		return t
	}
	t := &inquiry{done: make(chan struct{})}
	if len(e.under) == maxEndpointLookups || !e.run(func(ctx context.Context) { e.look(ctx, at, t) }) {
		close(t.done)
		return t
	}
	e.under[at] = t
	return t
}

// look asks about an endpoint for everybody who waits. That nothing could be asked is
// as no answer.
func (e *endpoints) look(ctx context.Context, at delegation.Endpoint, t *inquiry) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	t.answer, _ = e.gather(ctx, at)
	e.mu.Lock()
	delete(e.under, at)
	e.mu.Unlock()
	close(t.done)
}

// lifeOf is how long an answer is given without asking again. It is a part of the time
// for which it counts (rule E6a): a peer that is accepted by it is checked again
// before that is over, and then another answer is due.
func lifeOf(a *delegation.EndpointAnswer) time.Duration {
	ttl := a.Address.TTL
	if a.TLSA != nil {
		ttl = min(ttl, a.TLSA.TTL)
	}
	if a.Address.Failure != nil || a.TLSA != nil && a.TLSA.Failure != nil {
		return endpointRetry
	}
	life := min(max(time.Duration(ttl)*time.Second, limits.MinRefresh), limits.MaxRefresh)
	return time.Duration(float64(life) * refreshFrom)
}

// weigh is about how many octets of memory an answer takes.
func weigh(a *delegation.EndpointAnswer) int64 {
	n := 1000 + 4*len(a.Host) + 24*len(a.Address.Addresses)
	if a.Address.Failure != nil {
		n += len(a.Address.Failure.Detail)
	}
	if a.TLSA != nil {
		for _, r := range a.TLSA.Records {
			n += 64 + len(r.Data)
		}
		if a.TLSA.Failure != nil {
			n += len(a.TLSA.Failure.Detail)
		}
	}
	return int64(n)
}
