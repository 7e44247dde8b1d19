package decisions

import (
	"context"
	"net/netip"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// settle makes a decision the answer of a flight and an entry of the cache. But
// a proof that has not ended stays, unless the new decision is authentic:
//
//   - a failed look-up says nothing;
//   - no statement, or one that is not good, is what anybody on the path can
//     bring about. The owner who takes a record away relies on the statement's
//     end, or revokes;
//   - a statement that verifies, a revocation, a contradiction between verified
//     statements and secure SRV records are the owner's word, and count at once.
//
// Nor does a proof stay if a newer statement came to be remembered meanwhile.
func (d *Decider) settle(ctx context.Context, f *flight, m *made) *failure {
	for {
		higher := d.enter(f, m)
		if higher == nil {
			return nil
		}
		var err *failure
		if m, err = d.decide(ctx, f.key, m.evidence, higher); err != nil {
			return err
		}
	}
}

// enter is settle, unless an entry of the family knows of a newer statement, or
// of one at all: then it returns the floors to decide with again. That the memory
// says so too is the rule; a full one remembers no new source.
func (d *Decider) enter(f *flight, m *made) (higher []delegation.Floor) {
	packed, err := pack(m.evidence)
	if err != nil {
		d.Logger.Error("evidence cannot be kept", "source", f.key.source, "error", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		d.answer(f, nil, ending)
		return nil
	}
	for _, k := range f.key.family() {
		e := d.cache.peek(k)
		switch {
		case e == nil:
		case !passes(m.association, e.remembered), !m.association.Required() && requires(e.remembered, f.key.service, m.at.clock):
			return e.remembered
		case k == f.key: // is replaced below, or kept
		case !e.passes(m.remembered), !e.cached.Required && requires(m.remembered, k.service, m.at.clock):
			// An answer that a newer statement has ended, or that does not know
			// of any.
			d.cache.remove(k)
		}
	}
	e := &entry{
		association: m.association, until: untilOf(m.association), evidence: packed, remembered: m.remembered,
		decided: m.at, looked: m.at, partly: m.partly,
	}
	old := d.cache.get(f.key)
	if failed(m.association) && !e.proves() {
		e.failures = 1
		if old != nil {
			e.failures += old.failures
		}
	}
	switch {
	case e.proves():
		e.life = m.association.RefreshAt().Sub(m.at.clock)
	case e.failures > 0:
		e.life = retry(e.failures)
	default:
		e.life = min(maxNegative, m.association.RefreshAt().Sub(m.at.clock))
	}
	if old != nil && old.alive(m.at) && !m.association.Authentic() && old.passes(m.remembered) {
		e = old.kept(e)
		f.result = "kept"
		d.Logger.Info("a proof stays although looking again does not find it", "source", f.key.source,
			"service", f.key.service, "until", e.until, "found", reasonOf(m.association))
	} else {
		f.result = e.result()
	}
	e.seal()
	d.put(f.key, e)
	d.answer(f, e, nil)
	return nil
}

// kept is the entry with the times of a look-up that did not replace it.
func (e *entry) kept(last *entry) *entry {
	k := *e
	k.looked, k.life, k.failures, k.asked, k.refresh = last.looked, last.life, last.failures, false, nil
	return &k
}

// result is what came of a look-up, for the metrics.
func (e *entry) result() string {
	switch {
	case e.proves():
		return "proven"
	case e.failures > 0:
		return "failed"
	}
	return "none"
}

// reasonOf is why a statement does not count.
func reasonOf(a *association.Association) delegation.Reason {
	for _, p := range a.Proofs() {
		if p.Method == association.Delegation {
			return p.Reason
		}
	}
	return ""
}

// answer tells those who wait, once. Nobody joins the flight after that: its
// answer may not be the last word for long. It is called with the lock held.
func (d *Decider) answer(f *flight, e *entry, failure *failure) {
	select {
	case <-f.answered:
	default:
		f.entry, f.failure = e, failure
		close(f.answered)
		delete(d.flights, f.key)
	}
}

// put enters and arranges for the refresh of what is proven.
func (d *Decider) put(k key, e *entry) {
	d.cache.put(k, e)
	d.Metrics.size(d.cache)
	if !e.proves() || d.cache.peek(k) != e { // too heavy to stay
		return
	}
	e.refresh = time.AfterFunc(spread(e.life, refreshFrom, refreshTo), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.closed || d.cache.peek(k) != e || !e.asked || d.flights[k] != nil {
			return
		}
		d.Metrics.refreshes.Inc()
		d.launch(k, netip.Addr{})
	})
}
