package verifier

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A moment is the time by the clock, and by a counter. The clock may jump. The
// counter does not, but stands still while the machine sleeps.
type moment struct {
	clock time.Time
	count time.Duration
}

// within reports whether less than life has passed, by either. A clock that
// stands before since by more than ClockSkew was set back: then nobody knows.
func (m moment) within(since moment, life time.Duration) bool {
	age := m.clock.Sub(since.clock)
	return m.count-since.count < life && age < life && age >= -limits.ClockSkew
}

// A key is what a decision is about. Roots and policy belong to the Verifier.
type key struct {
	subject
	direction association.Direction
}

func (k key) question(statementFirst bool) association.Question {
	return association.Question{Source: k.source, Service: k.service, Direction: k.direction, StatementFirst: statementFirst && k.direction == association.Outgoing}
}

// An entry is a decision and how long it is good for. It does not change but
// for what says so; the Verifier's lock guards that.
type entry struct {
	key         key
	association *association.Association
	until       time.Time // of the last name that counts by more than PKIX
	evidence    kept
	known       delegation.Floor // that it was decided with
	decided     moment
	partly      bool // not everywhere was looked for a statement yet
	ended       bool // there was a proof before, which is over
	stored      bool // it is from the memory, and no lookup has found it since
	// brought is the statement that it rests on, if a peer brought that.
	brought *delegation.StreamStatement
	// nothing is the evidence of the last lookup, if that found that nothing is
	// published: then a peer may bring a statement.
	nothing kept
	ours    bool // that lookup gathered it; it was not read from a file

	looked   moment        // when the last lookup ended; later than decided if that one failed
	life     time.Duration // from looked on no other lookup is needed
	failures int           // lookups in a row that failed

	asked   bool        // changes: since looked
	refresh *time.Timer // changes: nil if there is none
	last    *Decision   // changes: what the last question was told
}

// newEntry is what a lookup found. failures counts those in a row before it.
func newEntry(k key, m *made, evidence kept, failures int) *entry {
	e := &entry{
		key: k, association: m.association, until: untilOf(m.association), evidence: evidence, known: m.known,
		decided: m.at, looked: m.at, partly: m.partly, life: m.association.RefreshAt().Sub(m.at.clock),
	}
	if m.association.Unpublished() {
		e.nothing, e.ours = evidence, !m.evidence.Replayed()
	}
	switch {
	case !m.seen.IsZero() && e.proves():
		e.stored, e.life = true, storedLife
		if end := m.seen.Add(maxStored); end.Before(e.until) {
			e.until = end
		}
	case e.proves():
	case unseen(m.association):
		e.failures = failures + 1
		e.life = retry(e.failures)
	default:
		e.life = min(maxNegative, e.life)
	}
	return e
}

// kept is the entry with the times of a lookup that did not replace it.
func (e *entry) kept(last *entry) *entry {
	k := *e
	k.looked, k.life, k.failures, k.asked, k.refresh = last.looked, last.life, last.failures, false, nil
	k.nothing, k.ours = last.nothing, last.ours
	return &k
}

// untried: it is from the memory, and no lookup has ended since.
func (e *entry) untried() bool { return e.stored && e.looked == e.decided }

// stop ends the wait for a refresh.
func (e *entry) stop() {
	if e.refresh != nil {
		e.refresh.Stop()
	}
}

// answer is the decision that a question gets, the same one as last time if
// nothing has changed. It is called with the lock held.
func (e *entry) answer(known knowledge, now moment) *Decision {
	if d := e.decision(known, now); e.last == nil || d != *e.last {
		changed := d // so that only this one is allocated
		e.last = &changed
	}
	return e.last
}

// proves reports whether names count by more than PKIX.
func (e *entry) proves() bool { return !e.until.IsZero() }

// delegates reports whether names count by a statement.
func (e *entry) delegates() bool {
	return slices.ContainsFunc(e.association.References(), func(r association.Reference) bool { return r.Method == association.Delegation })
}

// untilOf is when the last name ends that is proven for an endpoint, zero if there
// is none.
func untilOf(a *association.Association) time.Time {
	var until time.Time
	for _, r := range a.References() {
		if r.Method.ProvesEndpoints() && r.Until.After(until) {
			until = r.Until
		}
	}
	return until
}

// unseen reports whether a place could not be looked at, so that another
// lookup may find more.
func unseen(a *association.Association) bool {
	return slices.ContainsFunc(a.Proofs(), func(p association.Proof) bool {
		return p.Method.ProvesEndpoints() && p.Reason.Outcome() == reasons.OutcomeUndetermined
	})
}

// reasonOf is why a statement does not count.
func reasonOf(a *association.Association) reasons.Reason {
	for _, p := range a.Proofs() {
		if p.Method == association.Delegation {
			return p.Reason
		}
	}
	return ""
}

// result is what came of a lookup, for the metrics.
func (e *entry) result() string {
	switch {
	case e.proves():
		return "proven"
	case e.failures > 0:
		return "failed"
	}
	return "none"
}

// retry is how long not to try again after that many failures in a row.
func retry(failures int) time.Duration {
	wait := maxNegative
	if failures < 9 {
		wait = min(wait, firstRetry<<(failures-1))
	}
	return spread(wait, 0.8, 1)
}

// spread picks a part of d at random.
func spread(d time.Duration, from, to float64) time.Duration {
	return time.Duration(float64(d) * (from + rand.Float64()*(to-from)))
}
