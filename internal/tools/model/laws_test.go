package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// broken lists the laws that a world breaks, with what is wrong.
func (l *lab) broken(w *world, r *rules) map[string]string {
	found := map[string]string{}
	for i, offset := range r.offsets {
		d := l.decisions[w.nodes[i].decision]
		s := l.statements[d.statement]
		report := func(law, format string, args ...any) {
			found[law] = fmt.Sprintf("node %d accepts %s at %d: ", i, l.words(d.statement), w.now) + fmt.Sprintf(format, args...)
		}
		accepts := func(to target) bool {
			return l.accepts(connection{w.nodes[i].decision, to, w.now + offset, l.knows(w, i)})
		}
		for to := range l.peers {
			if to != s.to && accepts(to) {
				report("S2", "and %c besides", to)
			}
		}
		if !accepts(s.to) {
			continue
		}
		now, late := at(w.now), time.Duration(1<<62)
		for _, id := range w.signed() {
			if other := l.statements[id]; other.to == s.to {
				late = min(late, now.Sub(other.expires.time()))
			}
		}
		if late >= limits.ClockSkew {
			report("S1", "every statement for it ended %s ago", late)
		}
		heardAlike := slices.ContainsFunc(w.signed(), func(id uint16) bool {
			other := l.statements[id]
			return other.by != thief && other.signed == w.heard && other.to == s.to
		})
		switch {
		case w.told[i] != w.store: // a second later it is told
		case l.below(l.floor(l.proofs[w.nodes[i].decision].Floor()), w.seen) && l.floors[w.seen].Targets != delegation.DigestTargets(targets(s.to)):
			report("S2", "a higher floor was seen")
		case s.by != thief && s.signed < w.heard && !heardAlike:
			report("S2r", "a later word of the owner, of %d, was seen", w.heard)
		case s.by == thief && s.cert.issued < w.replaced:
			report("S3", "a statement by the replacement of %d was seen", w.replaced)
		}
		if p := l.statements[w.published]; r.honest && w.published != 0 && s.by != thief && s.to != p.to && w.now > w.changedAt+4*skew {
			report("S1n", "it was replaced at %d in an honest network", w.changedAt)
		}
	}
	if slices.Contains(r.laws, "L2") && w.published != 0 {
		if wait := l.recovery(w, r); wait > 0 {
			found["L2"] = fmt.Sprintf("at %d a new certificate and statement are not accepted, or can be outranked, for %d units", w.now, wait)
		}
	}
	return found
}

// brokenBy lists the laws that a look breaks. A verifier whose clock stands more
// than 5 minutes before the owner's may find what is published too new.
func (l *lab) brokenBy(w *world, r *rules, s *step) map[string]string {
	found := map[string]string{}
	if s.look == nil || w.published == 0 || !slices.Contains(s.shown[:], w.published) {
		return found
	}
	p := l.statements[w.published]
	later := func(c cert) bool {
		return c != cert{} && (c.who == thief || c.who == both) && c.issued >= p.cert.issued
	}
	switch s.look.reason {
	case reasons.Superseded, reasons.Conflict:
		found["L1"] = fmt.Sprintf("what the owner published is refused: %s", s.look.reason)
		if !slices.ContainsFunc(l.certsOf(w), later) {
			found["L1r"] = found["L1"]
		}
	case reasons.SignerNotYetValid:
		found["L4"] = "what the owner published is refused: " + string(s.look.reason)
	case reasons.Verified, reasons.Revoked:
		if l.statements[s.look.used].to != p.to && !p.issued.time().After(at(w.now+r.offsets[s.node]+skew)) {
			found["L1i"] = "what the owner published last does not count: " + l.words(s.look.used)
		}
	}
	return found
}

// recovery is how long the owner has to wait until every node accepts a new
// certificate and a statement signed with it within 10 minutes. Nothing that
// the thief holds can then rank above it.
func (l *lab) recovery(w *world, r *rules) int16 {
	for wait := int16(0); ; wait += skew {
		if wait > 20*skew || slices.ContainsFunc(r.authorities, func(a authority) bool { return l.recovers(w, r, a, w.now+wait) }) {
			return wait
		}
	}
}

func (l *lab) recovers(w *world, r *rules, from authority, now int16) bool {
	c := from.issue(owner, now, r.ends)
	next := *w
	next.now = now
	id := l.ownerStatement(&next, r, c, 'A', 0)
	if id == 0 {
		return false
	}
	for i, offset := range r.offsets {
		floor := l.join(l.knows(w, i), w.store)
		if l.look(question{[2]uint16{id}, now + 2*skew + offset, floor}).reason != reasons.Verified {
			return false
		}
	}
	s := l.statements[id]
	for _, held := range l.certsOf(w) {
		if held.who != both && held.who != thief || held.ends < now {
			continue
		}
		best := statement{cert: held, issued: secondsOf(at(now + skew + 1))}
		if !l.above(s, best) {
			return false
		}
	}
	return true
}
