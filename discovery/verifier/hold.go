package verifier

import (
	"context"
	"errors"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// A hold is a proof that open work depends on. The Verifier's lock guards what
// changes.
type hold struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	timer *time.Timer

	proof    *Proof
	due      time.Time // when to look at the proof again, by the clock
	told     bool      // something has changed: look now
	looking  bool
	failures int // in a row
}

// Hold returns a context for work that depends on a proof. Besides the end of
// parent and a call of release, it ends when
//
//   - the proof ends and could not be renewed;
//   - a newer decision does not accept the peer, because the owner revoked or
//     named other targets.
//
// In these two cases context.Cause is an *[Error] with the reason. A renewed
// statement that still names the peer does not end the context. Neither does a
// failed lookup, before the proof itself has ended. As long as a proof is held, the
// verifier looks again ahead of time, even if nobody asks. A held proof costs a
// timer, no goroutine. After [Verifier.Close] nothing renews it.
//
// Call release when the connection closes.
func (d *Verifier) Hold(parent context.Context, p *Proof) (ctx context.Context, release context.CancelFunc) {
	ctx, end := context.WithCancelCause(parent)
	release = func() { end(nil) }
	if err := p.check(); err != nil {
		end(failed(err, nil))
		return ctx, release
	}
	h := &hold{ctx: ctx, end: end, proof: p}
	k := key{subject{p.Source, p.Service}, p.Direction}
	d.mu.Lock()
	defer d.mu.Unlock()
	h.timer = time.AfterFunc(maxHeldSleep, func() { d.attend(h) })
	if p.Reference.Method != association.PKIX {
		if d.holds[k] == nil {
			d.holds[k] = map[*hold]struct{}{}
		}
		d.holds[k][h] = struct{}{}
		e, r, now := d.cache.peek(k), d.use(k.subject), d.now()
		h.told = e == nil || e.association != p.Decision.Association || e.state(d.knows(r, now), now) != fresh || !d.certain(r)
	}
	d.arm(h)
	context.AfterFunc(ctx, func() { d.drop(k, h) })
	return ctx, release
}

func (d *Verifier) drop(k key, h *hold) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h.timer.Stop()
	if delete(d.holds[k], h); len(d.holds[k]) == 0 {
		delete(d.holds, k)
		d.release(k.subject)
	}
}

// tell has the proofs of a key looked at. It is called with the lock held.
func (d *Verifier) tell(k key) {
	for h := range d.holds[k] {
		h.told = true
		d.arm(h)
	}
}

// unsure has all proofs looked at soon, since the memory no longer tells of newer
// statements. It is called with the lock held.
func (d *Verifier) unsure() {
	now := d.config.Now()
	for _, holds := range d.holds {
		for h := range holds {
			wait := spread(maxUnsure, 0.1, 0.9)
			switch due := now.Add(wait); {
			case h.looking:
				h.told = true
			case due.Before(h.due):
				h.due = due
				h.timer.Reset(wait)
			}
		}
	}
}

// arm sets the timer of a hold. It wakes up now and then, since the clock may jump
// and a machine may sleep. It is called with the lock held.
func (d *Verifier) arm(h *hold) {
	now, p := d.config.Now(), h.proof
	wait := p.Until.Sub(now)
	switch {
	case h.looking: // it arms itself in the end
		return
	case h.told:
		wait = 0
	case h.failures > 0:
		wait = min(wait, retry(h.failures))
	case p.Reference.Method != association.PKIX:
		// The lookup ahead of time has usually been made by then, and told.
		wait = min(wait, max(time.Second, spread(p.Decision.RefreshAt.Sub(now), refreshTo, 1)))
		if p.TLSA != nil {
			// What DNS says of the endpoint is asked again from refreshFrom on: see lifeOf.
			wait = min(wait, max(time.Second, spread(p.Until.Sub(now), refreshFrom, refreshTo)))
		}
	}
	h.due = now.Add(wait)
	if h.ctx.Err() == nil {
		h.timer.Reset(min(wait, maxHeldSleep))
	}
}

// attend proves the peer of a hold again, if it is time.
func (d *Verifier) attend(h *hold) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.looking {
		return
	}
	if !h.told && d.config.Now().Before(h.due) {
		d.arm(h)
		return
	}
	for h.looking = true; h.looking; h.looking = h.told && h.ctx.Err() == nil {
		h.told = false
		p := h.proof
		d.mu.Unlock()
		renewed, err := d.again(h.ctx, p)
		d.mu.Lock()
		switch {
		case h.told: // what came meanwhile decides
		case renewed == nil:
			h.end(err)
		case err == nil:
			h.proof, h.failures = renewed, 0
		default:
			h.failures++
		}
	}
	d.arm(h)
}

// again proves the peer of a proof again. Without a new proof, the error is final.
// With one, the error says why it is the old one, which has not ended.
func (d *Verifier) again(parent context.Context, p *Proof) (*Proof, error) {
	over := failed(delegation.Errorf(reasons.ProofExpired, "the proof by which %s was accepted ended at %s", p.Source, text.Stamp(p.Until)), p.Decision)
	left := p.Until.Sub(d.config.Now())
	if p.Reference.Method == association.PKIX {
		if left > 0 {
			return p, nil
		}
		return nil, over
	}
	ctx, cancel := context.WithTimeout(parent, left)
	defer cancel()
	peer := p.peer
	peer.Recheck = true
	renewed, err := d.Check(ctx, p.Source, p.Service, peer)
	var e *Error
	switch {
	case err == nil:
		return renewed, nil
	case errors.As(err, &e) && e.final():
		return nil, err
	}
	// What was found is nobody's word. Has the old proof ended, or was it overtaken?
	if _, refused := d.Prove(parent, p.Decision, p.peer); errors.As(refused, &e) && e.Outcome == reasons.OutcomeRefused {
		return nil, refused
	}
	if !d.config.Now().Before(p.Until) {
		return nil, over
	}
	return p, err
}

// final reports whether an error is the owner's word, or the end of a proof. What
// anybody on the path can bring about ends nothing.
func (e *Error) final() bool {
	return e.Outcome == reasons.OutcomeRefused && (e.Decision == nil || e.Decision.Ended || e.Decision.Association.Authentic())
}
