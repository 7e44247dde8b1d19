package verifier

import (
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
)

// After a start nothing is cached, and everybody comes back. So a statement that
// the memory holds answers a question before its lookup has begun. It is verified
// like any other, and must be the newest known. But nobody knows yet whether there
// is a newer one. So it lets peers in, until the lookup has ended, and keeps nobody
// out. See docs/decisions.md.
//
// Only incoming connections are answered so. Where to connect depends on SRV
// records, which the memory does not hold. Which names an incoming peer may show
// depends on them only if they are secure, and then no statement is kept. Nor is
// one whose signer DNSSEC names: who may sign would have to be asked again.

// storedAs is the place of such a statement in evidence and explanations.
const storedAs = "the memory of statements"

// keeping is what the memory is to hold after a decision. Where SRV records are
// secure, that is to forget a statement that it holds: it adds no name (C2).
func keeping(k key, a *association.Association, e *delegation.Evidence, at time.Time) floors.Record {
	r := floors.Record{Floor: a.Floor()}
	result, err := a.Statement()
	switch reason := reasonOf(a); {
	case reason == reasons.NotUsed, reason == reasons.Conflict, err == nil && result.Proven().Named:
		r.Seen = at
	case err == nil && reason == reasons.Verified && delegation.RoleOf(k.service).SendsToo && len(e.Streams) == 0: // no lookup found that
		r.Statement, r.Seen = result.Document(e), at
	}
	return r
}

// restore answers those who wait for a lookup with the statement that the memory
// holds, if it may. The lookup goes on for nobody.
func (d *Verifier) restore(f *flight, stored floors.Record) {
	if !d.restorable(f.key, stored) {
		return
	}
	k := f.key
	e := delegation.Query{Source: k.source, Service: k.service}.FileEvidence(storedAs, stored.Statement)
	e.Collected = stored.Seen
	m, failure := d.judge(d.ctx, k, e, nil)
	if failure != nil {
		return
	}
	m.seen = stored.Seen
	if _, err := m.association.Statement(); err != nil {
		d.config.Logger.Debug("a statement in the memory is not used", "source", k.source, "service", k.service, "error", err)
		return
	}
	if !m.association.Floor().Same(m.known) {
		return
	}
	d.queue.linger(f.lookup)
	d.settle(f, m)
}

// restorable reports whether a statement in the memory may answer, if it
// verifies. A lookup must have found it lately, and no decision of this Verifier may
// rest on it or on a newer one: what has ended here does not come back.
func (d *Verifier) restorable(k key, stored floors.Record) bool {
	if k.direction != association.Incoming || d.config.AwaitStatement || d.config.LookFirst || stored.Statement == nil {
		return false
	}
	age := d.config.Now().Sub(stored.Seen)
	if age >= maxStored || age < -limits.ClockSkew {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	last, ok := d.decided[k.subject]
	return last.Compare(stored.Floor.Order) < 0 && (ok || len(d.decided) < maxDecided)
}

// noteDecided notes on which statement a decision rests. It is called with the lock
// held.
func (d *Verifier) noteDecided(k key, f delegation.Floor) {
	last, ok := d.decided[k.subject]
	if k.direction == association.Incoming && last.Compare(f.Order) < 0 && (ok || len(d.decided) < maxDecided) {
		d.decided[subject{strings.Clone(k.source), strings.Clone(k.service)}] = f.Order
	}
}
