package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
)

// A Resolver is a way to ask the network, under a name for a person.
type Resolver struct {
	Name   string
	Client *discovery.Client
}

// A Watcher looks domains up through several resolvers, gently, and concludes.
// Its methods may be called by several goroutines at once.
type Watcher struct {
	policy    delegation.Policy
	now       func() time.Time
	resolvers []Resolver
	gates     []*gate // one for each resolver
	web       *gate   // for all of them
}

// NewWatcher makes a Watcher. It has up to the given number of lookups under
// way through each resolver, from 1 to [MaxParallel]. The clients should look
// at all of the places ([discovery.ViaBoth]) without an end before that. now is
// the time of each conclusion; nil means that of the policy.
func NewWatcher(resolvers []Resolver, p delegation.Policy, now func() time.Time, parallel int) *Watcher {
	w := &Watcher{policy: p, now: now, resolvers: resolvers, web: newGate(webLookups, webLookupsPerSecond)}
	for range resolvers {
		w.gates = append(w.gates, newGate(parallel, lookupsPerSecond))
	}
	return w
}

// Look looks a domain up through all resolvers together and concludes. The
// error is that of ctx, or wraps [discovery.ErrConfig] for a mistake of the
// caller's.
func (w *Watcher) Look(ctx context.Context, q Question) (Report, error) {
	observations := make([]Observation, len(w.resolvers))
	errs := make([]error, len(w.resolvers))
	var all sync.WaitGroup
	for i := range w.resolvers {
		all.Go(func() { observations[i], errs[i] = w.observe(ctx, i, q) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return Report{}, err
		}
	}
	p := w.policy
	if w.now != nil {
		p.Time = w.now()
	}
	return Conclude(q, observations, p), nil
}

// observe looks a domain up through one resolver, when it is its turn.
func (w *Watcher) observe(ctx context.Context, i int, q Question) (Observation, error) {
	r := w.resolvers[i]
	for _, g := range []*gate{w.gates[i], w.web} {
		leave, err := g.enter(ctx)
		if err != nil {
			return Observation{}, err
		}
		defer leave()
	}
	e, err := r.Client.Gather(ctx, q.Source, q.Service, nil)
	if err == nil {
		err = ctx.Err() // what was cut off is no observation
	}
	if err != nil {
		return Observation{}, fmt.Errorf("through %s: %w", r.Name, err)
	}
	o := Observation{Resolver: r.Name, Evidence: e}
	if q.Known != nil && r.Client.Via != discovery.ViaDNS {
		o.Served = served(ctx, r.Client, q.Source)
	}
	return o, nil
}
