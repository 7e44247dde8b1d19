package verifier

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

// A simulation runs the state machine of one role on random events, and does what it
// says as the Verifier would.
type simulation struct {
	*testing.T
	*rand.Rand
	findings []*entry
	floors   []delegation.Floor
	role     situation
	now      moment
	begun    [2]delegation.Floor // of the lookup under way
	flying   [2]bool             // it was begun and has not answered
	late     [2]bool             // a lookup goes on that has answered
	waiting  [2]int
	unread   [2]bool // the lookup under way has not read the memory yet
	kinds    map[action]int
	restarts
}

// TestMachine: the laws hold whatever comes in whatever order.
func TestMachine(t *testing.T) {
	silent, secured, unpublished := newNetwork(), newNetwork(), newNetwork()
	silent.fails()
	unpublished.status = 404
	secured.srv = delegation.SRVAnswer{
		Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 86400},
		Records: []delegation.SRVRecord{{Port: 5269, Target: host}},
	}
	s := &simulation{T: t, Rand: rand.New(rand.NewPCG(1, 2)), kinds: map[action]int{}, restarts: restarts{
		kept: map[*association.Association]floorrecord.Newest{}, documents: map[string]*entry{},
	}}
	s.findings = []*entry{
		entryOf(t, statement(0, host)), entryOf(t, statement(time.Minute, host)), entryOf(t, statement(2*time.Minute, other)),
		entryOf(t, statement(3*time.Minute)), entryOf(t, statement(4*time.Minute, host), statement(4*time.Minute, other)),
		entryOf(t, statement(5*time.Minute, host)), foundIn(t, unpublished), foundIn(t, silent), foundIn(t, secured),
	}
	for _, e := range s.findings {
		if f := e.association.Floor(); !f.IsZero() {
			s.floors = append(s.floors, f)
			s.learn(e)
		}
	}
	if len(s.floors) != 6 {
		t.Fatalf("%d findings have a floor", len(s.floors))
	}
	for range 20_000 {
		s.now, s.memory = at(10*time.Minute), floorrecord.Newest{}
		s.begin()
		for range 40 {
			s.step()
		}
	}
	for a := answer; a <= bring; a++ {
		if s.kinds[a] < 1000 {
			t.Errorf("action %d happened %d times only", a, s.kinds[a])
		}
	}
	if s.restored < 1000 || s.behind < 200 {
		t.Errorf("a stored statement answered %d times, and was not the newest %d times", s.restored, s.behind)
	}
}

// step lets time pass and something happen.
func (s *simulation) step() {
	if s.IntN(3) > 0 {
		pass := []time.Duration{time.Second, time.Minute, 4 * time.Minute, time.Hour, day}[s.IntN(5)]
		s.now = moment{s.now.clock.Add(pass), s.now.count + pass}
	}
	if s.IntN(8) > 0 {
		s.role.sure = s.now
	}
	i := s.IntN(2)
	seat := &s.role.seats[i]
	switch what := s.IntN(20); {
	case s.unread[i] && s.IntN(2) == 0:
		s.read(i)
	case what < 6:
		s.send(event{kind: onQuestion, seat: i, anew: s.IntN(3) == 0})
	case what < 8:
		s.send(event{kind: onFloor, seat: elsewhere, floor: s.other()})
	case what < 10:
		s.send(event{kind: onDue, seat: i})
	case what < 11:
		seat.held = !seat.held
	case what < 12 && !seat.looking && !seat.held: // pushed out
		seat.entry = nil
	case what < 13 && seat.looking: // it came to no decision, and who waits is told
		seat.looking, s.flying[i], s.waiting[i], s.unread[i] = false, false, 0, false
	case what < 14 && s.IntN(20) == 0:
		s.role.closed = true
	case what < 14 && s.IntN(4) == 0:
		s.restart()
	case what < 15 && seat.entry != nil && seat.entry.nothing != (kept{}):
		s.bring(i)
	case seat.looking || s.late[i]:
		s.find(i)
	}
}

// find has a lookup come to a decision, as Verifier.decide does.
func (s *simulation) find(i int) {
	if s.unread[i] {
		s.read(i)
	}
	e := *s.findings[s.IntN(len(s.findings))]
	stale := s.role.floor
	if f := e.association.Floor(); !f.IsZero() {
		s.send(event{kind: onFloor, seat: i, floor: f})
		s.remember(&e)
		if !f.Same(s.role.floor) {
			e = *s.findings[6] // superseded
		}
	}
	e.known, e.decided, e.looked = s.role.floor, s.now, s.now
	if s.IntN(10) == 0 {
		e.known = stale
	}
	e.life = min(time.Hour, e.life)
	waited := s.role.seats[i].looking
	s.send(event{kind: onFound, seat: i, floor: s.begun[i], found: &e, waited: waited})
	s.note(i, &e)
}

// bring has a peer bring a statement, as Verifier.judgeBrought does.
func (s *simulation) bring(i int) {
	base := s.role.seats[i].entry
	e := *s.findings[s.IntN(6)]
	stale := s.role.floor
	f := e.association.Floor()
	if s.send(event{kind: onFloor, seat: i, floor: f}); !f.Same(s.role.floor) {
		return // superseded
	}
	e.known, e.decided, e.looked = s.role.floor, s.now, s.now
	switch s.IntN(10) {
	case 0:
		e.known = stale
	case 1:
		replaced := *base // meanwhile
		base = &replaced
	}
	s.send(event{kind: onBrought, seat: i, found: &e, base: base})
	s.note(i, &e)
}

// send sends an event, checks the laws and does what the machine says.
func (s *simulation) send(e event) {
	before := s.role
	after, effects := before.on(e, s.now)
	s.role = after
	for _, effect := range effects {
		s.kinds[effect.do]++
		s.effect(before, e, effect)
	}
	s.laws(before, e, effects)
}

// effect does what the machine says, and checks whether it may.
func (s *simulation) effect(before situation, e event, effect effect) {
	i := effect.seat
	was, is := before.seats[i], s.role.seats[i]
	switch effect.do {
	case look:
		s.law("closed", !before.closed, before, e)
		s.law("single", !was.looking && is.looking, before, e)
		s.law("wanted", e.kind != onDue || was.held || was.entry.asked, before, e)
		s.begun[i], s.flying[i], s.unread[i] = s.role.floor, true, true
	case join:
		s.law("waits", s.flying[i], before, e)
		s.waiting[i]++
	case answer:
		age := s.now.clock.Sub(was.entry.looked.clock)
		s.law("fresh", age < was.entry.life && s.now.within(before.sure, maxUnsure), before, e)
		s.law("anew", !e.anew || !was.entry.untried(), before, e)
		was.entry.asked = true
	case refusal:
		s.law("closed", before.closed, before, e)
		s.role.seats[i].looking, s.flying[i], s.waiting[i], s.unread[i] = false, false, 0, false
	case lookAgain:
		s.begun[i] = s.role.floor
	case bring:
		s.law("closed", !before.closed, before, e)
		s.law("newest", e.found.known.Same(before.floor), before, e)
		s.law("meanwhile", was.entry == e.base && is.entry.association == e.found.association, before, e)
		s.law("due", is.entry.looked == was.entry.looked && s.now.clock.Sub(is.entry.looked.clock) < is.entry.life, before, e)
	case replace, keep:
		s.law("closed", !before.closed, before, e)
		s.law("newest", e.found.known.Same(before.floor), before, e)
		authentic := e.found.association.Authentic()
		s.law("owner", !authentic || is.entry == e.found, before, e)
		s.law("gathered", authentic || e.floor.Same(before.floor), before, e)
		if was.entry != nil && was.entry.proves() && !authentic {
			state := was.entry.state(before.knowledge, s.now)
			s.law("kept", (state == fresh || state == due) == (is.entry.association == was.entry.association), before, e)
			s.law("ended", effect.do == keep || is.entry.ended, before, e)
		}
		if e.found.untried() {
			break // its lookup goes on
		}
		s.late[i] = s.IntN(2) == 0
		s.waiting[i], s.flying[i] = 0, s.flying[i] && !e.waited
	}
}

// laws are those of every moment.
func (s *simulation) laws(before situation, e event, effects []effect) {
	r := s.role
	s.law("rises", r.floor.Same(before.floor.Join(r.floor)), before, e)
	news := !before.floor.Same(r.floor)
	for i, seat := range r.seats {
		s.law("waits", seat.looking == s.flying[i] && (seat.looking || s.waiting[i] == 0), before, e)
		told := false
		for _, effect := range effects {
			told = told || effect.do == tell && effect.seat == i
		}
		s.law("told", told == (news && seat.held), before, e)
		if seat.entry == nil {
			continue
		}
		state := seat.entry.state(r.knowledge, s.now)
		if news && state == overtaken {
			s.law("overtaken", seat.looking || r.closed || i == e.seat, before, e)
		}
		if state == over {
			continue
		}
		d := seat.entry.decision(r.knowledge, s.now)
		if end := s.seen.Add(maxStored); seat.entry.stored {
			s.law("stored", i == 0 && s.now.clock.Before(end) && !d.Until.After(end), before, e)
		}
		s.law("required", d.Required || !r.floor.Required(s.now.clock), before, e)
		if seat.entry.delegates() {
			s.law("below", d.Overtaken || seat.entry.association.Floor().CheckProof(r.floor) == nil, before, e)
			s.law("lives", s.now.clock.Before(seat.entry.until), before, e)
		}
	}
}

func (s *simulation) law(name string, holds bool, before situation, e event) {
	if !holds {
		s.broken(name, before, e)
	}
}

func (s *simulation) broken(law string, before situation, e event) {
	s.Helper()
	show := func(x *entry) string {
		if x == nil {
			return "nothing"
		}
		return fmt.Sprintf("%q (%s)", namesOf(x.association), reasonOf(x.association))
	}
	s.Fatalf("%s is broken:\n%s and %s, floor of %s, then event %d at %d with %s", law,
		show(before.seats[0].entry), show(before.seats[1].entry), before.floor.Order.Issued, e.kind, e.seat, show(e.found))
}
