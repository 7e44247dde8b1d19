package decisions

import (
	"math/rand/v2"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// A moment is the time by the clock, which may jump, and by a counter, which
// does not, but stands still while the machine sleeps.
type moment struct {
	clock time.Time
	count time.Duration
}

// within reports whether less than life has passed, by either. A clock that
// stands before since by more than ClockSkew was set back: then nobody knows.
func (m moment) within(since moment, life time.Duration) bool {
	age := m.clock.Sub(since.clock)
	return m.count-since.count < life && age < life && age >= -delegation.ClockSkew
}

// A key is what a decision is about. Roots and policy belong to the Decider.
type key struct {
	source, service string
	direction       association.Direction
}

func (k key) question() association.Question {
	return association.Question{Source: k.source, Service: k.service, Direction: k.direction}
}

// family lists the keys whose decisions rest on the same statements: both labels
// of a role, both directions.
func (k key) family() []key {
	var keys []key
	for _, service := range delegation.Services(k.service) {
		for _, direction := range []association.Direction{association.Incoming, association.Outgoing} {
			keys = append(keys, key{k.source, service, direction})
		}
	}
	return keys
}

// An entry is a decision and how long it is good for. It does not change but
// for what says so; the Decider's lock guards that.
type entry struct {
	association *association.Association
	until       time.Time          // of the last name that counts by more than PKIX
	evidence    []byte             // packed
	remembered  []delegation.Floor // of the source when it was decided
	decided     moment
	partly      bool // not everywhere was looked for a statement yet

	looked   moment        // when the last look-up ended; later than decided if that one failed
	life     time.Duration // from looked on no other look-up is needed
	failures int           // look-ups in a row that failed

	cached Decision // as it is given to questions; see seal

	asked   bool        // changes: since looked
	refresh *time.Timer // changes: nil if there is none
}

// fresh: no look-up is needed.
func (e *entry) fresh(now moment) bool {
	return now.within(e.looked, e.life) && (!e.proves() || e.alive(now))
}

// stop ends the wait for a refresh.
func (e *entry) stop() {
	if e.refresh != nil {
		e.refresh.Stop()
	}
}

// proves reports whether names count by more than PKIX.
func (e *entry) proves() bool { return !e.until.IsZero() }

// untilOf is when the last name ends that counts by more than PKIX, zero if there
// is none.
func untilOf(a *association.Association) time.Time {
	var until time.Time
	for _, r := range a.References() {
		if r.Method != association.PKIX && r.Until.After(until) {
			until = r.Until
		}
	}
	return until
}

// alive reports whether the entry proves something that has not ended.
func (e *entry) alive(now moment) bool {
	return e.proves() && now.within(e.decided, e.until.Sub(e.decided.clock))
}

// passes reports whether the statements of the entry, if any, are still the
// newest.
func (e *entry) passes(remembered []delegation.Floor) bool {
	return passes(e.association, remembered)
}

func passes(a *association.Association, remembered []delegation.Floor) bool {
	for _, f := range a.Floors() {
		if f.CheckAgainst(remembered) != nil {
			return false
		}
	}
	return true
}

// failed reports whether a place could not be looked at, so that another
// look-up may find more.
func failed(a *association.Association) bool {
	for _, p := range a.Proofs() {
		if p.Reason.Outcome() == delegation.OutcomeUndetermined {
			return true
		}
	}
	return false
}

// seal makes what questions are given, when everything else is known.
func (e *entry) seal() {
	e.cached = Decision{
		Association: e.association, Cached: true, Required: e.association.Required() || e.partly, evidence: e.evidence,
		RefreshAt: e.looked.clock.Add(e.life).Truncate(time.Second).UTC(),
	}
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
