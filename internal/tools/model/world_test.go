package model

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/signing"
)

// A world is a state. It is small and comparable, since all states that were
// reached are remembered.
type world struct {
	now       int16
	certs     [4]uint8 // in the order of issue
	said      [8]uint16
	published uint16 // the one statement that the owner's places show
	nodes     [2]node
	store     uint16 // the floor that nodes share
	told      [2]uint16

	// What laws are about, and nobody in the world knows.
	seen      uint16 // the highest floor of the cluster
	heard     int16  // when the latest word of the owner that was seen was signed
	replaced  int16  // when the latest certificate of the owner of which a statement was seen was issued
	changedAt int16  // when what is published was published
}

// A node is a verifier.
type node struct {
	floor    uint16
	decision uint16
	due      int16 // of an honest network: when it looks again
}

// Rules are the settings of a scenario.
type rules struct {
	name        string
	authorities []authority
	certs       []cert // at the start
	maxCerts    int
	maxOwn      int // statements of the owner
	maxThief    int
	maxSecond   int // statements for the second label, of the owner's first edition
	until       int16
	life, ends  int16 // of statements and of certificates
	to          []target
	thiefTo     []target
	clocks      []int16 // how far the owner's clock is ahead
	offsets     []int16 // how far each verifier's clock is ahead; one or two nodes
	hijack      bool    // the thief gets one certificate for the name
	machines    bool    // the owner has two
	drafts      bool    // the owner signs and does not publish
	honest      bool    // the network shows what is published, and each node looks every 10 minutes
	brought     bool    // and a peer brings anything ever signed
	laws        []string
	states      int // at least so many
}

// An authority is how certificates are dated.
type authority string

const (
	exact    authority = "exact, with SCTs"
	hour     authority = "an hour back, with SCTs"
	midnight authority = "to midnight, with SCTs"
	later    authority = "post-dated by the applicant, with SCTs"
	private  authority = "exact, without SCTs"
)

// In the model an hour has 20 units and a day has 40.
func (a authority) issue(who actor, now, life int16) cert {
	c := cert{who: who, begins: now, logged: now, ends: now + life, issued: now}
	switch a {
	case hour:
		c.begins -= 20
	case midnight:
		c.begins -= now % 40
	case later:
		c.begins += skew
	case private:
		c.logged = none
	}
	return c
}

// A step is what somebody can do, and the world after it.
type step struct {
	words func() string
	world world
	// Of a look: which node, what it was shown, and what it concluded.
	node  int
	shown [2]uint16
	look  *look
}

func said(format string, args ...any) func() string {
	return func() string { return fmt.Sprintf(format, args...) }
}

// moves are all steps that are possible in a world.
func (l *lab) moves(w world, r *rules) iter.Seq[step] {
	return func(yield func(step) bool) {
		for _, group := range []func(world, *rules, func(step) bool) bool{l.time, l.certificates, l.ownerSigns, l.thiefSigns, l.tells, l.verifies} {
			if !group(w, r, yield) {
				return
			}
		}
	}
}

// time passes to the next multiple of 5 minutes, once the subscribers were told:
// that takes a second at most.
func (l *lab) time(w world, r *rules, yield func(step) bool) bool {
	for i := range r.offsets {
		if r.honest && w.nodes[i].due <= w.now || len(r.offsets) > 1 && w.told[i] != w.store {
			return true
		}
	}
	if w.now >= r.until {
		return true
	}
	w.now = (w.now/skew + 1) * skew
	return yield(step{words: said("time passes to %d", w.now), world: w})
}

func (l *lab) certificates(w world, r *rules, yield func(step) bool) bool {
	issued := l.certsOf(&w)
	n := len(issued)
	if n >= r.maxCerts {
		return true
	}
	who := []actor{owner}
	if r.machines {
		who = append(who, second)
	}
	if r.hijack && !slices.ContainsFunc(issued, func(c cert) bool { return c.who == thief }) {
		who = append(who, thief)
	}
	for _, a := range who {
		for _, from := range r.authorities {
			next := w
			next.certs[n] = l.cert(from.issue(a, w.now, r.ends))
			next.now++
			if !yield(step{words: said("%c gets certificate %d at %d, dated %s", a, n, w.now, from), world: next}) {
				return false
			}
		}
	}
	return true
}

// signed gives the ids of what was signed.
func (w *world) signed() []uint16 {
	n := slices.Index(w.said[:], 0)
	if n < 0 {
		n = len(w.said)
	}
	return w.said[:n]
}

// say adds a statement to what was ever signed. The ids are sorted, so that the
// order of signing makes no difference to a world.
func (w *world) say(id uint16) bool {
	all := w.signed()
	i, found := slices.BinarySearch(all, id)
	if found || len(all) == len(w.said) {
		return false
	}
	copy(w.said[i+1:], w.said[i:])
	w.said[i] = id
	return true
}

func (l *lab) count(w *world, match func(statement) bool) int {
	n := 0
	for _, id := range w.signed() {
		if match(l.statements[id]) {
			n++
		}
	}
	return n
}

// ownerSigns: only the machine with the newest certificate signs. It compares
// with everything that it has signed.
func (l *lab) ownerSigns(w world, r *rules, yield func(step) bool) bool {
	byOwner := func(s statement) bool { return s.by != thief && !s.second }
	newest := l.newestOfOwner(&w)
	if newest == (cert{}) {
		return true
	}
	if l.count(&w, byOwner) < r.maxOwn {
		for _, to := range r.to {
			for _, clock := range r.clocks {
				id := l.ownerStatement(&w, r, newest, to, clock)
				next := w
				if id == 0 || !next.say(id) {
					continue
				}
				next.now++
				if r.drafts && !yield(step{words: said("the owner signs %s and does not publish it", l.words(id)), world: next}) {
					return false
				}
				next.published, next.changedAt = id, w.now
				if !yield(step{words: said("the owner publishes %s", l.words(id)), world: next}) {
					return false
				}
			}
		}
	}
	if l.count(&w, func(s statement) bool { return s.second }) >= r.maxSecond {
		return true
	}
	for _, to := range r.to {
		issued := secondsOf(at(max(w.now, newest.issuance())))
		id := l.id(statement{newest, issued, r.end(issued), to, true, owner, w.now})
		next := w
		if id == 0 || !next.say(id) {
			continue
		}
		next.now++
		if !yield(step{words: said("the owner signs %s, with the first edition", l.words(id)), world: next}) {
			return false
		}
	}
	return true
}

// newestOfOwner is the owner's certificate that signs, the zero one if there is
// none.
func (l *lab) newestOfOwner(w *world) (newest cert) {
	for _, c := range l.certsOf(w) {
		if c.who != thief {
			newest = c
		}
	}
	return newest
}

// ownerStatement is what the owner's tools sign now, 0 if they refuse.
func (l *lab) ownerStatement(w *world, r *rules, c cert, to target, clock int16) uint16 {
	var earlier []signing.Earlier
	for _, id := range w.signed() {
		if s := l.statements[id]; s.by != thief && !s.second {
			earlier = append(earlier, signing.Earlier{Order: s.order(), Certificate: signing.Fingerprint(l.signer(s.cert).Leaf()), Where: "signed here"})
		}
	}
	moment, _, err := signing.Moment(l.signer(c).Leaf(), at(w.now+clock), earlier, false)
	if err != nil {
		return 0
	}
	issued := secondsOf(moment)
	return l.id(statement{c, issued, r.end(issued), to, false, owner, w.now})
}

// end is when a statement ends that is issued then.
func (r *rules) end(issued seconds) seconds {
	return issued + seconds(r.life)*seconds(unit/time.Second)
}

func (s statement) order() delegation.Order {
	return delegation.Order{Issuance: at(s.cert.issuance()), Issued: s.issued.time()}
}

func (l *lab) above(a, b statement) bool { return a.order().Compare(b.order()) > 0 }

func (l *lab) thiefSigns(w world, r *rules, yield func(step) bool) bool {
	if l.count(&w, func(s statement) bool { return s.by == thief }) >= r.maxThief {
		return true
	}
	for _, c := range l.certsOf(&w) {
		if c.who != both && c.who != thief || w.now > c.ends {
			continue
		}
		times := []seconds{secondsOf(at(w.now)), secondsOf(at(w.now + skew))}
		if p := l.statements[w.published]; w.published != 0 && p.cert == c {
			times = append(times, p.issued) // the very order of the owner's
		}
		for _, to := range r.thiefTo {
			for _, issued := range times {
				for _, second := range []bool{false, true} {
					if second && r.maxSecond == 0 {
						continue
					}
					id := l.id(statement{c, issued, r.end(issued), to, second, thief, w.now})
					next := w
					if id == 0 || !next.say(id) {
						continue
					}
					next.now++
					if !yield(step{words: said("the THIEF signs %s", l.words(id)), world: next}) {
						return false
					}
				}
			}
		}
	}
	return true
}

// tells: a node hears of the floor in the store.
func (l *lab) tells(w world, r *rules, yield func(step) bool) bool {
	if len(r.offsets) < 2 {
		return true
	}
	for i := range r.offsets {
		if w.told[i] == w.store {
			continue
		}
		next := w
		next.told[i] = w.store
		if !yield(step{words: said("node %d is told of floor %d", i, w.store), world: next}) {
			return false
		}
	}
	return true
}

// knows is the floor that a node knows of at this moment.
func (l *lab) knows(w *world, i int) uint16 { return l.join(w.nodes[i].floor, w.told[i]) }

// verifies: a node decides again, on what the network shows it.
func (l *lab) verifies(w world, r *rules, yield func(step) bool) bool {
	for i, offset := range r.offsets {
		for _, shown := range l.shows(&w, r) {
			// Judging reads the store, and raises it.
			floor := l.join(l.knows(&w, i), w.store)
			found := l.look(question{shown, w.now + offset, floor})
			next := l.after(w, i, floor, shown, found)
			s := step{world: next, node: i, shown: shown, look: &found, words: func() string {
				return fmt.Sprintf("node %d at %d sees [%s; %s]: %s", i, w.now+offset, l.words(shown[0]), l.words(shown[1]), found.reason)
			}}
			if !yield(s) {
				return false
			}
		}
	}
	return true
}

// after is the world after a look. What is authentic replaces the decision; else
// a proof stays, as long as it is the newest (docs/connections.md, C10).
func (l *lab) after(w world, i int, known uint16, shown [2]uint16, found look) world {
	n := &w.nodes[i]
	n.floor = l.join(known, found.floor)
	n.due = w.now + 2*skew
	switch {
	case found.authentic:
		n.decision = found.decision
	case n.decision != 0 && !l.passes(n.decision, n.floor):
		n.decision = 0
	}
	w.store = l.join(w.store, n.floor)
	w.told[i] = l.join(w.told[i], n.floor)
	w.seen = l.join(w.seen, found.floor)
	if a, b := l.statements[shown[0]], l.statements[shown[1]]; found.reason == reasons.Conflict && shown[1] != 0 && a.order() == b.order() {
		w.seen = l.join(w.seen, l.floor(delegation.Floor{Order: a.order()})) // whatever the verifier makes of it
	}
	if s := l.statements[found.used]; found.used != 0 && s.by != thief {
		w.heard = max(w.heard, s.signed)
		w.replaced = max(w.replaced, s.cert.issued)
	}
	return w
}

// shows are the statements that the network may show: what is published; or
// anything ever signed, alone or with another one; or nothing.
func (l *lab) shows(w *world, r *rules) [][2]uint16 {
	if r.honest {
		shown := [][2]uint16{{w.published}}
		if r.brought && w.published == 0 { // nothing is there, so what a peer brings is looked at
			for _, id := range w.signed() {
				shown = append(shown, [2]uint16{id})
			}
		}
		return shown
	}
	shown := [][2]uint16{{}}
	all := w.signed()
	for i, a := range all {
		shown = append(shown, [2]uint16{a})
		for _, b := range all[:i] {
			shown = append(shown, [2]uint16{a, b})
		}
	}
	return shown
}

func (l *lab) words(id uint16) string {
	if id == 0 {
		return "nothing"
	}
	s := l.statements[id]
	to, label := "nobody", ""
	if s.to != nobody {
		to = string(rune(s.to))
	}
	if s.second {
		label = ", second label"
	}
	return fmt.Sprintf("%c to %s at %d by a certificate of %d%s", s.by, to, int64(s.issued.time().Sub(start)/unit), s.cert.issued, label)
}
