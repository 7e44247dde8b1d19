package verifier

import (
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

// restarts is what a simulation has for the time between an end and a start. The
// memory stays, as a file does. The clock may be another one then.
type restarts struct {
	kept      map[*association.Association]floorrecord.Newest // what the memory is given of the findings
	documents map[string]*entry                               // the findings, by the statement of that
	memory    floorrecord.Newest
	engine    *Verifier        // knows on which statements decisions rested since the start
	rested    delegation.Order // the highest of them, for incoming connections
	seen      time.Time        // when the statement was seen that was restored last
	restored  int
	behind    int // the floor was newer than the statement
}

var incomingKey = key{subject{source, service}, association.Incoming}

// learn notes what the memory is given of a finding.
func (s *simulation) learn(e *entry) {
	evidence, err := e.evidence.open()
	if err != nil {
		s.Fatal(err)
	}
	r := floorrecord.Newest(keeping(incomingKey, e.association, evidence, start))
	s.kept[e.association] = r
	if len(r.Statement) > 0 {
		s.documents[string(r.Statement)] = e
	}
}

// remember gives it to the memory, as of now.
func (s *simulation) remember(e *entry) {
	r := s.kept[e.association]
	if !r.Seen.IsZero() {
		r.Seen = s.now.clock
	}
	s.memory = s.memory.Join(r)
}

// begin is the start of a Verifier.
func (s *simulation) begin() {
	s.role, s.waiting, s.flying, s.late, s.unread = situation{}, [2]int{}, [2]bool{}, [2]bool{}, [2]bool{}
	s.rested = delegation.Order{}
	s.engine = &Verifier{config: Config{Now: func() time.Time { return s.now.clock }}, decided: map[subject]delegation.Order{}}
}

// restart ends it, and begins another one some time later by a clock that may have
// been set back. Another node may have written to the memory meanwhile.
func (s *simulation) restart() {
	pass := []time.Duration{-6 * time.Minute, -4 * time.Minute, 0, time.Minute, time.Hour, maxStored}[s.IntN(6)]
	if clock := s.now.clock.Add(pass); clock.After(start.Add(4 * time.Minute)) { // no statement is from the future
		s.now.clock = clock
	}
	s.now.count = 0
	if s.IntN(2) == 0 {
		s.other()
	}
	s.begin()
	s.send(event{kind: onQuestion, seat: 0}) // everybody comes back
	if s.IntN(2) == 0 {
		s.read(0)
	}
}

// other has another node find a statement, and returns its floor. That node may be
// one that does not keep it, or that leaves an older one there.
func (s *simulation) other() delegation.Floor {
	e := s.findings[s.IntN(6)]
	f := e.association.Floor()
	switch s.IntN(3) {
	case 0:
		s.remember(e)
	case 1:
		s.memory = s.memory.Join(floorrecord.Newest{Floor: f})
	default:
		s.memory.Floor = s.memory.Floor.Join(f)
	}
	return f
}

// read has a lookup read the memory, as Verifier.look does, and answers by what that
// holds, as Verifier.restore does.
func (s *simulation) read(i int) {
	s.unread[i] = false
	s.role.sure = s.now
	s.send(event{kind: onFloor, seat: elsewhere, floor: s.memory.Floor})
	if i == 0 && !s.role.closed {
		s.restore()
	}
	s.begun[i] = s.role.floor
}

func (s *simulation) restore() {
	found := s.documents[string(s.memory.Statement)]
	if !s.engine.restorable(incomingKey, floors.Record(s.memory)) || found == nil || !s.now.clock.Before(found.until) {
		return
	}
	if !found.association.Floor().Same(s.role.floor) {
		s.behind++
		return
	}
	e := newEntry(incomingKey, &made{association: found.association, known: s.role.floor, at: s.now, seen: s.memory.Seen}, kept{}, 0)
	s.seen = s.memory.Seen
	send := event{kind: onFound, seat: 0, floor: s.begun[0], found: e}
	before, age := s.role, s.now.clock.Sub(s.seen)
	s.send(send)
	s.law("seen", age < maxStored && age >= -limits.ClockSkew, before, send)
	s.law("once", s.rested.Compare(found.association.Floor().Order) < 0, before, send)
	e.asked = true
	s.restored++
	s.note(0, e)
}

// note notes on which statement the answer rests, as Verifier.settle does, if it does.
func (s *simulation) note(i int, found *entry) {
	is, f := s.role.seats[i].entry, found.association.Floor()
	if i != 0 || is == nil || is.looked != s.now {
		return
	}
	s.engine.noteDecided(incomingKey, f)
	if s.rested.Compare(f.Order) < 0 {
		s.rested = f.Order
	}
}
