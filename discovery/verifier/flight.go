package verifier

import (
	"context"
	"errors"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
)

// A flight is a lookup under way. It answers as soon as the SRV records are
// known and a statement verifies, or the records are secure. Then it goes on until
// every place was looked at: what comes later may be a newer statement, or a
// revocation. Where the memory holds the statement, there is an answer before that.
type flight struct {
	key      key
	lookup   *lookup       // its place in the queue
	restored chan struct{} // closed when the next is set
	stored   *Decision     // by a statement from the memory
	answered chan struct{} // closed when one of the next two is set
	decision *Decision
	failure  *failure
	begun    delegation.Floor // what was known when its evidence began to be gathered
	result   string           // for the metrics
}

// A failure is why a lookup came to no decision. If nobody looked, nobody can
// say that there is no statement. Otherwise a peer that causes enough lookups
// could make a statement not required.
type failure struct {
	err      *delegation.Error
	required bool
}

// ending is the failure of a Verifier that is being closed.
var ending = &failure{delegation.Errorf(reasons.Unanswered, "the program is about to end"), true}

// launch begins a flight, which waits for its turn. It is called with the lock
// held.
func (d *Verifier) launch(k key) *flight {
	f := &flight{key: k, lookup: d.queue.lookup(k.source), restored: make(chan struct{}), answered: make(chan struct{}), result: "refused"}
	d.flights[k] = f
	d.use(k.subject).flights++
	d.running.Go(func() {
		start := time.Now()
		defer d.queue.exit(f.lookup)
		err := d.look(f)
		d.mu.Lock()
		defer d.mu.Unlock()
		if err != nil {
			d.answer(f, nil, err) // what there is stays, and the next question looks again
		}
		d.use(k.subject).flights--
		d.release(k.subject)
		d.config.Metrics.Count("lookups", f.result)
		d.config.Logger.Debug("lookup", "source", k.source, "service", k.service, "direction", k.direction,
			"result", f.result, "took", time.Since(start))
	})
	return f
}

// refresh looks again with nobody waiting. It is called with the lock held.
func (d *Verifier) refresh(k key) {
	d.config.Metrics.Count("refreshes", "")
	d.queue.unasked(d.launch(k).lookup)
}

// look makes a lookup. An error is why there is no decision, or none but one
// that was already given.
func (d *Verifier) look(f *flight) *failure {
	have, err := d.read(d.ctx, f.key.subject)
	if err != nil {
		return memoryFailed("read")
	}
	d.restore(f, have)
	if limit := d.queue.enter(d.ctx, f.lookup, laneOf(have.Floor)); d.ctx.Err() != nil {
		return ending
	} else if limit != "" {
		if limit != limitWaiting { // which was counted for each question
			d.config.Metrics.Count("refused", limit)
		}
		return &failure{overloaded(limit), true}
	}
	ctx, cancel := context.WithTimeout(d.ctx, lookupTimeout)
	defer cancel()
	d.config.Metrics.Add("in-flight", 1)
	defer d.config.Metrics.Add("in-flight", -1)
	start := time.Now()
	defer func() { d.config.Metrics.Took(time.Since(start)) }()
	for range maxRounds {
		f.begun = d.floor(f.key.source, f.key.service)
		again, failure := d.gather(ctx, f)
		if failure != nil || !again {
			return failure
		}
	}
	return changing(f.key)
}

func changing(k key) *failure {
	return &failure{delegation.Errorf(reasons.MemoryFailed, "what is known of %s changes faster than it can be looked up", k.source), true}
}

// gather looks in every place, once, and decides by what is there. It reports
// whether to look again.
func (d *Verifier) gather(ctx context.Context, f *flight) (again bool, _ *failure) {
	var arrived arrivals
	var early *made // what was answered before all was known
	var refused *failure
	e, err := d.config.Discovery.Gather(ctx, f.key.source, f.key.service, func(e *delegation.Evidence) bool {
		if early == nil && arrived.worth(e) {
			early, _, refused = d.conclude(ctx, f, e, true)
		}
		return refused != nil || early != nil && d.config.AwaitStatement
	})
	switch {
	case refused != nil:
		return false, refused
	case err != nil:
		return false, &failure{delegation.Errorf(reasons.DNSFailure, "%v", err), true}
	case d.ctx.Err() != nil:
		return false, ending
	case early != nil && !early.partly && arrived.seen(e):
		return false, nil // nothing that the first answer did not know
	}
	_, again, refused = d.conclude(ctx, f, e, false)
	return again, refused
}

// conclude decides by evidence and settles that. Early, before all is known, it
// settles only what is authentic. Where that is no statement, one may still come.
func (d *Verifier) conclude(ctx context.Context, f *flight, e *delegation.Evidence, early bool) (m *made, again bool, _ *failure) {
	for range maxRounds {
		m, refused := d.decide(ctx, f.key, e, nil)
		if refused != nil || early && !m.association.Authentic() {
			return nil, false, refused
		}
		if _, err := m.association.Statement(); err != nil && early && d.config.AwaitStatement {
			return nil, false, nil
		}
		m.partly = early && !m.association.Required()
		if did := d.settle(f, m); did != decideAgain {
			return m, did == lookAgain, nil
		}
	}
	return nil, false, changing(f.key)
}

// A made decision, with what it was made with.
type made struct {
	association *association.Association
	evidence    *delegation.Evidence
	known       delegation.Floor
	at          moment
	partly      bool      // not everywhere was looked for a statement yet
	seen        time.Time // when a lookup found the statement, if this is from the memory
}

// decide judges evidence and raises the floor. While that turns out to be higher
// than the one it was decided with, it is decided again. Nothing is verified that
// is not remembered. But what was verified overtakes older proofs in any case. The
// base is as for judge.
func (d *Verifier) decide(ctx context.Context, k key, e *delegation.Evidence, base *entry) (*made, *failure) {
	for range maxRounds {
		m, failure := d.judge(ctx, k, e, base)
		if failure != nil {
			return nil, failure
		}
		verified := m.association.Floor()
		if verified.IsZero() {
			return m, nil
		}
		d.verified(k, verified)
		remembered, err := d.config.Floors.Raise(ctx, k.source, k.service, keeping(k, m.association, e, m.at.clock))
		if errors.Is(err, floors.ErrFull) {
			// What is remembered of others must not be lost for it.
			d.config.Metrics.Count("memory", "full")
			d.config.Logger.Warn("a statement is not remembered", "source", k.source, "service", k.service, "error", err)
		} else if err != nil {
			d.config.Metrics.Count("memory", "write")
			d.config.Logger.Error("the memory of statements cannot be written", "source", k.source, "service", k.service, "error", err)
			return nil, memoryFailed("written")
		}
		if m.known = d.verified(k, remembered); m.known.Same(verified) {
			return m, nil
		}
	}
	return nil, changing(k)
}

// judge decides by evidence and by the floor that is known. As many decisions are
// made at a time as there are processors, of each lane. The base is the entry whose
// evidence the cache kept, if this is that and what a peer brought, and nil otherwise.
func (d *Verifier) judge(ctx context.Context, k key, e *delegation.Evidence, base *entry) (*made, *failure) {
	floor := d.floor(k.source, k.service)
	in := laneOf(floor)
	if base != nil {
		in = laneStream
	}
	judging := d.judging[in]
	select {
	case judging <- struct{}{}:
	case <-ctx.Done():
		return nil, &failure{delegation.Errorf(reasons.Unanswered, "other statements were judged until the time of this lookup had passed"), true}
	}
	defer func() { <-judging }()
	at := d.now()
	a, err := association.Decide(k.question(d.config.StatementFirst), e, delegation.Policy{
		Roots: d.config.Roots, Cache: d.proven, Time: at.clock, MaxLife: d.config.MaxLife, Floor: floor,
		BelieveReplayedDNSSEC: base != nil && base.ours,
	})
	if err != nil {
		return nil, &failure{asError(err), floor.Required(at.clock)}
	}
	return &made{association: a, evidence: e, known: floor, at: at}, nil
}

// verified notes the floor of what a lookup verified and returns what is known.
func (d *Verifier) verified(k key, f delegation.Floor) delegation.Floor {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.learn(k.subject, f, k)
	return d.roles[k.subject].floor
}

// memoryFailed: nothing can be said, so the source may have a statement.
func memoryFailed(what string) *failure {
	return &failure{delegation.Errorf(reasons.MemoryFailed, "the memory of statements could not be %s", what), true}
}

// asError: Decide has no other errors.
func asError(err error) *delegation.Error {
	if e, ok := err.(*delegation.Error); ok {
		return e
	}
	return delegation.Errorf(reasons.BadEvidence, "%v", err)
}

// laneOf is that of a source of which so much is remembered.
func laneOf(floor delegation.Floor) lane {
	if floor.IsZero() {
		return laneNew
	}
	return laneKnown
}

// settle makes a decision the answer of a flight and an entry of the cache, if the
// state machine says so.
func (d *Verifier) settle(f *flight, m *made) action {
	evidence := d.keep(m.evidence)
	d.mu.Lock()
	defer d.mu.Unlock()
	now, at := d.now(), seatOf(f.key.direction)
	role, failures := d.situation(f.key.subject, now), 0
	if old := role.seats[at].entry; old != nil {
		failures = old.failures
	}
	e := event{kind: onFound, seat: at, floor: f.begun, found: newEntry(f.key, m, evidence, failures), waited: m.seen.IsZero() && d.flights[f.key] == f}
	next, effects := role.on(e, now)
	settled := next.seats[at].entry
	did := effects[0].do
	switch did {
	case refusal:
		d.answer(f, nil, ending)
		return did
	case decideAgain, lookAgain:
		return did
	case keep:
		f.result = "kept"
		d.config.Logger.Info("a proof stays although looking again does not find it", "source", f.key.source,
			"service", f.key.service, "until", settled.until, "found", reasonOf(m.association))
	}
	d.noteDecided(f.key, m.association.Floor())
	d.put(settled)
	looked := settled.decision(role.knowledge, now)
	if !m.seen.IsZero() { // the lookup has yet to begin
		settled.asked = true // if this lookup is not made, another one is
		f.stored = &looked
		close(f.restored)
		return did
	}
	if did == replace {
		f.result = settled.result()
	}
	looked.Cached = false
	d.answer(f, &looked, nil)
	return did
}

// answer tells those who wait, once. Nobody joins the flight after that: its
// answer may not be the last word for long. It is called with the lock held.
func (d *Verifier) answer(f *flight, decision *Decision, failure *failure) {
	select {
	case <-f.answered:
	default:
		f.decision, f.failure = decision, failure
		close(f.answered)
		delete(d.flights, f.key)
	}
}

// put enters and arranges for the refresh of what is proven.
func (d *Verifier) put(e *entry) {
	k := e.key
	d.cache.put(k, e)
	d.sizes()
	if d.cache.peek(k) != e { // too heavy to stay
		return
	}
	d.tell(k)
	if !e.proves() {
		return
	}
	left := max(0, e.life-(d.now().count-e.looked.count)) // of what a peer brought, part has passed
	e.refresh = time.AfterFunc(spread(left, refreshFrom, refreshTo), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.cache.peek(k) != e {
			return
		}
		now := d.now()
		_, effects := d.situation(k.subject, now).on(event{kind: onDue, seat: seatOf(k.direction)}, now)
		d.run(k.subject, effects)
	})
}
