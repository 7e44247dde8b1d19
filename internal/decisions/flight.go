package decisions

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/internal/memory"
)

// A flight is a look-up under way. It answers as soon as the SRV records are known
// and a statement verifies, or the records are secure, and goes on until every
// place was looked at: what comes later may be a newer statement, or a
// revocation.
type flight struct {
	key      key
	answered chan struct{} // closed when one of the next two is set
	entry    *entry
	failure  *failure
	result   string // for the metrics
}

// A failure is why a look-up came to no decision. Where nobody looked, nobody
// can say that there is no statement: else a peer that causes look-ups enough
// would choose that it is not required.
type failure struct {
	err      *delegation.Error
	required bool
}

// ending is the failure of a Decider that is being closed.
var ending = &failure{refuse(delegation.Unanswered, "the program is about to end"), true}

// launch begins a look-up. It is called with the lock held.
func (d *Decider) launch(k key, peer netip.Addr) *flight {
	f := &flight{key: k, answered: make(chan struct{}), result: "refused"}
	d.flights[k] = f
	d.running.Go(func() {
		start := time.Now()
		ctx, cancel := context.WithTimeout(d.ctx, lookupTimeout)
		defer cancel()
		err := d.look(ctx, f, peer)
		d.mu.Lock()
		defer d.mu.Unlock()
		if err != nil {
			d.answer(f, nil, err) // what there is stays, and the next question looks again
		}
		d.Metrics.lookups.WithLabelValues(f.result).Inc()
		d.Logger.Debug("look-up", "source", k.source, "service", k.service, "direction", k.direction,
			"result", f.result, "took", time.Since(start))
	})
	return f
}

// look makes a look-up. An error is why there is no decision, or none but one
// that was already given.
func (d *Decider) look(ctx context.Context, f *flight, peer netip.Addr) *failure {
	floors, err := d.Memory.Floors(ctx, f.key.source)
	if err != nil {
		return d.memoryFailed(f.key, "read", err)
	}
	budget := d.budget(floors)
	if len(floors) == 0 && !d.peers.allow(peer) {
		d.Metrics.refused.WithLabelValues("peer").Inc()
		return &failure{overloaded("peer"), true}
	}
	limit, release := budget.take()
	if limit != "" {
		d.Metrics.refused.WithLabelValues(limit).Inc()
		return &failure{overloaded(limit), true}
	}
	defer release()
	d.Metrics.inFlight.Inc()
	defer d.Metrics.inFlight.Dec()
	start := time.Now()
	defer func() { d.Metrics.latency.Observe(time.Since(start).Seconds()) }()

	var arrivals delegation.Arrivals
	var early *made // what was answered before all was known
	var refused *failure
	e, err := d.Gatherer.Gather(ctx, f.key.source, f.key.service, func(e *delegation.Evidence) bool {
		if early == nil && arrivals.Worth(e) {
			early, refused = d.first(ctx, f, e, floors)
		}
		return refused != nil
	})
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return &failure{refuse(delegation.DNSFailure, "%v", err), true}
	case d.ctx.Err() != nil:
		return ending
	case early != nil && !early.partly && arrivals.Seen(e):
		return nil // nothing that the first answer did not know
	}
	made, refused := d.decide(ctx, f.key, e, floors)
	if refused != nil {
		return refused
	}
	return d.settle(ctx, f, made)
}

// first answers before all is known, if what is known is authentic. Where that
// is no statement, one may still come.
func (d *Decider) first(ctx context.Context, f *flight, e *delegation.Evidence, floors []delegation.Floor) (*made, *failure) {
	m, refused := d.decide(ctx, f.key, e, floors)
	if refused != nil || !m.association.Authentic() {
		return nil, refused
	}
	m.partly = !m.association.Required()
	return m, d.settle(ctx, f, m)
}

// A made decision, with what it was made with.
type made struct {
	association *association.Association
	evidence    *delegation.Evidence
	remembered  []delegation.Floor
	at          moment
	partly      bool // not everywhere was looked for a statement yet
}

// decide judges evidence and raises the floors. While they turn out to stand
// higher than those it was decided with, it is decided again. Nothing is
// verified that is not remembered.
func (d *Decider) decide(ctx context.Context, k key, e *delegation.Evidence, floors []delegation.Floor) (*made, *failure) {
	for range maxRounds {
		judging := d.budget(floors).judging
		select {
		case judging <- struct{}{}:
		case <-ctx.Done():
			return nil, &failure{refuse(delegation.Unanswered, "other statements were judged until the time of this look-up had passed"), true}
		}
		at := d.now()
		a, err := association.Decide(k.question(), e, delegation.Policy{Roots: d.Roots, Known: d.chains, Time: at.clock, MaxLife: d.MaxLife, Floor: floors})
		<-judging
		if err != nil {
			return nil, &failure{asError(err), requires(floors, k.service, at.clock)}
		}
		if len(a.Floors()) == 0 {
			return &made{association: a, evidence: e, remembered: floors, at: at}, nil
		}
		remembered, err := d.Memory.Raise(ctx, k.source, a.Floors())
		if errors.Is(err, memory.ErrFull) {
			// What is remembered of others must not be lost for it: so much is
			// known of this source as the cache holds.
			remembered = raised(floors, a.Floors())
			d.Metrics.memory.WithLabelValues("full").Inc()
			d.Logger.Warn("a statement is not remembered", "source", k.source, "error", err)
		} else if err != nil {
			f := d.memoryFailed(k, "write", err)
			f.required = f.required || a.Required()
			return nil, f
		}
		if passes(a, remembered) {
			return &made{association: a, evidence: e, remembered: remembered, at: at}, nil
		}
		floors = remembered
	}
	return nil, &failure{refuse(delegation.MemoryFailed, "what is remembered of %s changes faster than it can be read", k.source), true}
}

// raised is what floors are after those that were verified with them, and so
// stand no lower.
func raised(floors, verified []delegation.Floor) []delegation.Floor {
	all := slices.Clone(verified)
	for _, f := range floors {
		if !slices.ContainsFunc(verified, func(v delegation.Floor) bool { return v.Service == f.Service }) {
			all = append(all, f)
		}
	}
	return all
}

// memoryFailed: nothing can be said, so the source may have a statement.
func (d *Decider) memoryFailed(k key, what string, err error) *failure {
	d.Metrics.memory.WithLabelValues(what).Inc()
	d.Logger.Error("the memory of statements fails", "what", what, "source", k.source, "error", err)
	return &failure{refuse(delegation.MemoryFailed, "the memory of statements could not be %s", map[string]string{"read": "read", "write": "written"}[what]), true}
}

// requires reports whether a statement is remembered whose proof has not ended:
// see association.Association.Required.
func requires(floors []delegation.Floor, service string, now time.Time) bool {
	return slices.ContainsFunc(floors, func(f delegation.Floor) bool {
		return slices.Contains(delegation.Services(service), f.Service) && now.Before(f.ValidUntil)
	})
}

// asError: Decide has no other errors.
func asError(err error) *delegation.Error {
	if e, ok := err.(*delegation.Error); ok {
		return e
	}
	return refuse(delegation.BadEvidence, "%v", err)
}
