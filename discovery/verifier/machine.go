package verifier

import (
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// This is the state machine of a role: events come in, [situation.on] decides, and
// the Verifier does what it says. Here is no lock, no clock and no network.

// A situation is what is known of a source and role.
type situation struct {
	knowledge
	seats  [2]seat // of incoming and of outgoing connections
	closed bool
}

// A seat is one direction of a role.
type seat struct {
	entry   *entry // the last answer, nil if there is none
	looking bool   // a lookup is under way that has not answered
	held    bool   // open connections depend on the answer
}

// seatOf is the index of a direction, as in subject.keys.
func seatOf(d association.Direction) int {
	if d == association.Incoming {
		return 0
	}
	return 1
}

// An event is what happens to a role.
type event struct {
	kind kind
	seat int // that it is about; of onFloor, that of the lookup by which it came
	// floor is that of onFloor. Of onFound, it is what was known when the evidence
	// began to be gathered.
	floor  delegation.Floor
	found  *entry // of onFound and onBrought
	base   *entry // of onBrought: by which it was known that nothing is published
	waited bool   // of onFound: its lookup had not answered
	anew   bool   // of onQuestion: it wants what a lookup finds
}

// A kind is one of these.
type kind int

const (
	onQuestion kind = iota // somebody asks and waits
	onFloor                // a floor came to be known
	onFound                // a lookup has come to a decision
	onDue                  // an answer is to be looked up ahead of time
	onBrought              // a statement that a peer brought is the owner's word
)

// elsewhere is the seat of a floor that no lookup of this node raised.
const elsewhere = -1

// An effect is what the Verifier has to do at a seat.
type effect struct {
	do   action
	seat int
}

// An action is one of these.
type action int

const (
	answer      action = iota // give the entry to whoever asked
	refusal                   // say that the Verifier is closed
	join                      // wait for the lookup
	look                      // begin a lookup
	tell                      // have the held proofs looked at
	lockOut                   // say that a proof lets nobody new in
	replace                   // take the entry, answer who waits, tell who holds
	keep                      // the same, but it is the old proof
	decideAgain               // a newer statement came to be known since the decision was made
	lookAgain                 // and the evidence is from before that
	bring                     // take the entry by what a peer brought
)

// on is the transition function. It changes nothing that it is given.
func (r situation) on(e event, now moment) (situation, []effect) {
	switch e.kind {
	case onQuestion:
		return r.question(e, now)
	case onFloor:
		return r.rise(e, now)
	case onFound:
		return r.settle(e, now)
	case onBrought:
		return r.brought(e, now)
	}
	s := &r.seats[e.seat]
	if r.closed || s.looking || s.entry == nil || !s.entry.asked && !s.held {
		return r, nil
	}
	s.looking = true
	return r, []effect{{look, e.seat}}
}

func (r situation) question(e event, now moment) (situation, []effect) {
	s := &r.seats[e.seat]
	switch {
	case s.entry != nil && s.entry.state(r.knowledge, now) == fresh && !(e.anew && s.entry.untried()):
		return r, []effect{{answer, e.seat}}
	case r.closed:
		return r, []effect{{refusal, e.seat}}
	case s.looking:
		return r, []effect{{join, e.seat}}
	}
	s.looking = true
	return r, []effect{{look, e.seat}, {join, e.seat}}
}

// rise has proofs looked up immediately that the floor overtakes or renews, but that
// of the lookup by which it came.
func (r situation) rise(e event, now moment) (situation, []effect) {
	joined := r.floor.Join(e.floor)
	if joined.Same(r.floor) {
		r.floor = joined // the ends may be later
		return r, nil
	}
	r.floor, r.raised = joined, now
	var effects []effect
	for i := range r.seats {
		s := &r.seats[i]
		if s.held {
			effects = append(effects, effect{tell, i})
		}
		if s.entry == nil || i == e.seat || r.closed || s.looking {
			continue
		}
		switch s.entry.state(r.knowledge, now) {
		case overtaken:
			effects = append(effects, effect{lockOut, i})
		case due: // only renewed
		default:
			continue
		}
		s.looking = true
		effects = append(effects, effect{look, i})
	}
	return r, effects
}

// settle makes a decision the answer, unless a newer statement came to be known.
// Where that is not among the evidence, and the evidence was gathered before, there
// may be newer evidence.
func (r situation) settle(e event, now moment) (situation, []effect) {
	s := &r.seats[e.seat]
	switch {
	case r.closed:
		return r, []effect{{refusal, e.seat}}
	case !e.found.known.Same(r.floor):
		return r, []effect{{decideAgain, e.seat}}
	case !e.found.association.Authentic() && !e.floor.Same(r.floor):
		return r, []effect{{lookAgain, e.seat}}
	}
	before, did := over, replace
	if s.entry != nil {
		before = s.entry.state(r.knowledge, now)
	}
	entry, kept := after(s.entry, before, e.found)
	if kept {
		did = keep
	}
	s.entry, s.looking = entry, s.looking && !e.waited
	return r, []effect{{did, e.seat}}
}

// brought makes a statement that a peer brought the answer, until the lookup is due
// that would have been due without it. Somebody may have found something meanwhile,
// or a newer statement came to be known: then it has to be judged again.
func (r situation) brought(e event, now moment) (situation, []effect) {
	s := &r.seats[e.seat]
	switch {
	case r.closed:
		return r, []effect{{refusal, e.seat}}
	case s.entry != e.base || !now.within(e.base.looked, e.base.life) || !now.within(r.sure, maxUnsure) || !e.found.known.Same(r.floor):
		return r, []effect{{decideAgain, e.seat}}
	}
	s.entry = e.found.kept(e.base)
	return r, []effect{{bring, e.seat}}
}

// A state is what an entry is good for at a moment.
type state int

const (
	// over: it answers nobody.
	over state = iota
	// fresh: it answers everybody.
	fresh
	// due: a proof that has not ended and is to be looked up again. It
	// answers where that fails.
	due
	// overtaken: a proof that has not ended, but a newer statement is known. It
	// is not here, and it lists other targets or contradicts the proof. It
	// lets nobody new in. Open connections may stay until a lookup has ended,
	// or for maxOvertaken.
	overtaken
)

// knowledge is what this node knows of the statements of a source and role.
type knowledge struct {
	floor  delegation.Floor // of the newest one
	raised moment           // when that was learnt
	sure   moment           // when there was certainly no newer one
	now    bool             // and there is none now
}

func (e *entry) state(known knowledge, now moment) state {
	newest := e.known.Same(known.floor)
	renewed := e.association.Floor().RenewedBy(known.floor) && now.clock.Before(known.floor.ValidUntil)
	// Since the news of a renewal somebody has to look.
	young := now.within(e.looked, e.life) && (newest || e.looked.count > known.raised.count)
	switch {
	case !now.within(known.sure, maxUnsure):
		return over
	case !e.proves() && newest && young:
		return fresh
	case !e.proves() || !now.within(e.decided, e.until.Sub(e.decided.clock)):
		return over
	case !newest && !renewed && now.within(known.raised, maxOvertaken):
		return overtaken
	case !newest && !renewed:
		return over
	case young:
		return fresh
	}
	return due
}

// decision is what a question is told from the entry.
func (e *entry) decision(known knowledge, now moment) Decision {
	d := Decision{
		Association: e.association, Cached: true, evidence: e.evidence, Ended: e.ended, untried: e.untried(),
		Required:  e.association.Required() || e.partly || known.floor.Required(now.clock),
		RefreshAt: e.looked.clock.Add(e.life),
	}
	bound := func(end, refresh time.Time) {
		if d.Until.IsZero() || end.Before(d.Until) {
			d.Until = end
		}
		if refresh.Before(d.RefreshAt) {
			d.RefreshAt = refresh
		}
	}
	d.Unpublished = e.nothing != (kept{}) && e.state(known, now) == fresh
	if e.stored {
		bound(e.until, e.until)
	}
	if !known.now {
		end := known.sure.clock.Add(maxUnsure)
		bound(end, end)
	}
	if d.Overtaken = e.state(known, now) == overtaken; d.Overtaken {
		bound(known.raised.clock.Add(maxOvertaken), now.clock.Add(overtakenRetry))
	}
	d.RefreshAt, d.Until = whole(d.RefreshAt), whole(d.Until)
	return d
}

func whole(t time.Time) time.Time { return t.Truncate(time.Second).UTC() }

// after is the entry of a key when a lookup has ended, given the one that there
// was, or nil, in its state:
//
//   - What is authentic is the owner's word and replaces everything: a statement
//     that verifies, a revocation, a contradiction between verified statements,
//     secure SRV records.
//   - A proof that is the newest known stays otherwise. A failed lookup says
//     nothing. No statement, or one that is not good, is what anybody on the path
//     can bring about. The owner who takes a record away relies on the
//     statement's end, or revokes.
//   - A proof that was overtaken is over: the newest statement was not found.
func after(old *entry, s state, found *entry) (e *entry, kept bool) {
	switch {
	case old == nil || found.association.Authentic():
		return found, false
	case old.proves() && (s == fresh || s == due):
		return old.kept(found), true
	}
	ended := *found
	ended.ended = old.ended || old.proves()
	return &ended, false
}
