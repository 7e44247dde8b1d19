package verifier

import (
	"cmp"
	"context"
	"crypto/tls"
	"slices"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/starttls"
)

// A peer can bring a statement about itself in its XMPP stream (docs/stream.md). A
// lookup comes first, as always. Only if it found that nothing is published, the
// evidence of that lookup is judged again with the statement in it. What verifies
// is the owner's word and becomes the decision. What does not verify changes
// nothing for anybody.

// maxShown is how many targets are asked for the statement that they show.
const maxShown = 2

// weigh decides with the statement that a question brings. It returns nil if that
// makes no difference, since something is published or was not answered. Where the
// statement is not good, only this question gets to know.
func (d *Verifier) weigh(ctx context.Context, q Question) (*Decision, *failure) {
	k, asked := keyOf(q), false
	for range maxRounds {
		base, known, stale := d.unpublished(k, *q.Statement)
		if stale && !asked {
			// The floor rose since, as by the same statement from somebody else.
			plain := q
			plain.Statement, asked = nil, true
			if known, err := d.ask(ctx, plain); err != nil {
				return nil, &failure{asError(err), known.Required}
			}
			continue
		}
		if base == nil {
			return known, nil
		}
		known, again, failure := d.judgeBrought(ctx, q, base)
		d.mu.Lock()
		d.use(k.subject).flights--
		d.release(k.subject)
		d.mu.Unlock()
		if failure != nil || !again {
			return known, failure
		}
	}
	return nil, changing(k)
}

// unpublished gives the entry of a key if it is fresh and its lookup found that
// nothing is published. Its role then stays in use until the caller ends that. If
// the entry rests on the statement already, it gives the decision instead. stale
// says that the entry was such a one, and is not fresh any more.
func (d *Verifier) unpublished(k key, s delegation.StreamStatement) (base *entry, settled *Decision, stale bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, r, now := d.cache.get(k), d.roles[k.subject], d.now()
	if e == nil || d.closed || e.nothing == (kept{}) {
		return nil, nil, false
	}
	known := d.knows(r, now)
	if e.state(known, now) != fresh {
		return nil, nil, true
	}
	e.asked = true
	if b := e.brought; b != nil && b.Encoding == s.Encoding && slices.Equal(b.Body, s.Body) {
		return nil, e.answer(known, now), false
	}
	r.flights++
	return e, nil, false
}

// judgeBrought judges the statement of a question, on the account of the peer's
// network. It reports whether to begin again, since the entry changed meanwhile.
func (d *Verifier) judgeBrought(ctx context.Context, q Question, base *entry) (known *Decision, again bool, _ *failure) {
	evidence, err := base.nothing.open()
	if err != nil {
		return nil, false, &failure{delegation.Errorf(reasons.BadEvidence, "%v", err), true}
	}
	evidence.Streams = []delegation.StreamStatement{*q.Statement}
	lookup := d.queue.lookup(q.Source)
	defer d.queue.exit(lookup)
	defer d.queue.leave(d.queue.join(lookup, q.Addr))
	if limit := d.queue.enter(ctx, lookup, laneStream); limit != "" {
		d.config.Metrics.Count("brought", "refused")
		return nil, false, &failure{overloaded(limit), true}
	}
	m, failure := d.decide(ctx, base.key, evidence, base)
	if failure != nil {
		return nil, false, failure
	}
	packed := d.keep(evidence)
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	role := d.situation(base.key.subject, now)
	if !m.association.Authentic() {
		d.config.Metrics.Count("brought", "none")
		bad := base.decision(role.knowledge, now)
		bad.Association, bad.Cached, bad.evidence = m.association, false, packed
		return &bad, false, nil
	}
	found := newEntry(base.key, m, packed, base.failures)
	found.brought = q.Statement
	at := seatOf(base.key.direction)
	next, effects := role.on(event{kind: onBrought, seat: at, found: found, base: base}, now)
	if effects[0].do != bring {
		return nil, true, nil
	}
	d.config.Metrics.Count("brought", "proven")
	settled := next.seats[at].entry
	d.noteDecided(base.key, m.association.Floor())
	d.put(settled)
	looked := settled.decision(role.knowledge, now)
	looked.Cached = false
	return &looked, false, nil
}

// weighed proves a peer by the statement that it brings, after it was refused
// without. It returns the error of before if the statement makes no difference.
func (d *Verifier) weighed(ctx context.Context, q Question, p Peer, refused error) (*Proof, error) {
	if err := check(&q); err != nil {
		return nil, failed(err, nil)
	}
	known, failure := d.weigh(ctx, q)
	switch {
	case failure != nil:
		return nil, failed(failure.err, &Decision{Required: failure.required})
	case known == nil:
		return nil, refused
	}
	return d.Prove(ctx, known, p)
}

// shown asks the targets whose certificate does not name the source for the statement
// that they show in their XMPP stream, and decides again with it. It returns nil if
// there is no such statement, or it makes no difference. It keeps no connection.
func (d *Verifier) shown(ctx context.Context, known *Decision, attempts []*Attempt, opt *DialOptions) *Decision {
	q := known.Association.Question()
	if !known.Unpublished || q.Service != delegation.RoleOf("_xmpp-server._tcp").Service {
		return nil
	}
	asked := 0
	for _, a := range attempts {
		if delegation.ReasonOf(a.Err) != reasons.PeerNameMismatch || asked == maxShown {
			continue
		}
		asked++
		statement := d.shownBy(ctx, known, a.To, opt)
		if statement == nil {
			continue
		}
		// The receiver chose the statement, and we chose the receiver: the question is on
		// nobody's account.
		again, failure := d.weigh(ctx, Question{Source: q.Source, Service: q.Service, Direction: q.Direction, Statement: statement})
		if failure == nil && again != nil {
			return again
		}
	}
	return nil
}

// shownBy reads what a target shows in the features of its stream. Nothing of this
// connection is believed: the statement proves itself.
func (d *Verifier) shownBy(ctx context.Context, known *Decision, to association.Dial, opt *DialOptions) *delegation.StreamStatement {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(opt.TargetTimeout, defaultTargetTimeout))
	defer cancel()
	raw, err := d.begin(ctx, known, opt, &Attempt{To: to})
	if err != nil {
		return nil
	}
	defer raw.Close()
	q := known.Association.Question()
	conn := tls.Client(raw, clientConfig(&tls.Config{Certificates: opt.Certificates}, q.Service, to, func(tls.ConnectionState) error { return nil }))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil
	}
	_, features, err := starttls.OpenStream(ctx, conn, starttls.Request{Role: q.Service, To: q.Source, From: opt.From})
	switch {
	case err != nil:
		d.config.Logger.Debug("a target shows no stream features", "source", q.Source, "target", to.Endpoint.String(), "error", err)
		return nil
	case features.Unusable != nil:
		d.config.Logger.Debug("what a target shows is no statement", "source", q.Source, "target", to.Endpoint.String(), "error", features.Unusable)
	}
	return features.Statement
}
