package verifier

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery/floors"
)

// A subject is what a statement is about.
type subject struct{ source, service string }

func (s subject) keys() [2]key {
	return [2]key{{s, association.Incoming}, {s, association.Outgoing}}
}

// A role is a subject that is in use: there is an entry, a lookup or a hold. The
// Verifier's lock guards it.
type role struct {
	knowledge
	read    int // the subscription during which the floor was read from the memory
	flights int // under way
}

// knows is what is known of a role now. It is certain while the memory tells of
// every raise and what was raised before was read.
func (d *Verifier) knows(r *role, now moment) knowledge {
	k := r.knowledge
	if d.certain(r) {
		k.sure, k.now = now, true
	}
	return k
}

func (d *Verifier) certain(r *role) bool { return d.watching && r.read == d.subscription }

// floor is the floor that is known of a source and role that is in use. It is
// for delegation.PeerPolicy.
func (d *Verifier) floor(source, service string) delegation.Floor {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.roles[subject{source, service}]; r != nil {
		return r.floor
	}
	return delegation.Floor{}
}

// floors is floor for a role that need not be in use. Nobody tells of newer
// statements of one that is not, so what the memory holds counts too.
func (d *Verifier) floors(ctx context.Context, s subject) (func(source, service string) delegation.Floor, error) {
	d.mu.Lock()
	used := d.roles[s] != nil
	d.mu.Unlock()
	if used {
		return d.floor, nil
	}
	known, err := d.read(ctx, s)
	if err != nil {
		return nil, memoryFailed("read").err
	}
	return func(source, service string) delegation.Floor { return known.Floor.Join(d.floor(source, service)) }, nil
}

// read reads what the memory holds of a role and returns it with the floor that is
// known then.
func (d *Verifier) read(ctx context.Context, s subject) (floors.Record, error) {
	d.mu.Lock()
	subscription := 0
	if d.watching {
		subscription = d.subscription
	}
	d.mu.Unlock()
	have, err := d.config.Floors.Load(ctx, s.source, s.service)
	if err != nil {
		d.config.Metrics.Count("memory", "read")
		d.config.Logger.Error("the memory of statements cannot be read", "source", s.source, "service", s.service, "error", err)
		return have, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.roles[s]
	if r == nil {
		return have, nil
	}
	r.read, r.sure = max(r.read, subscription), d.now()
	d.learn(s, have.Floor, key{})
	have.Floor = r.floor
	return have, nil
}

// learn notes a floor that came to be known, by the lookup of a key if that is not
// zero. It is called with the lock held.
func (d *Verifier) learn(s subject, f delegation.Floor, by key) {
	r := d.roles[s]
	if r == nil {
		return
	}
	now, e := d.now(), event{kind: onFloor, seat: elsewhere, floor: f}
	if by != (key{}) {
		e.seat = seatOf(by.direction)
	}
	next, effects := d.situation(s, now).on(e, now)
	r.floor, r.raised = next.floor, next.raised
	d.run(s, effects)
}

// situation is that of a role now. It is called with the lock held.
func (d *Verifier) situation(s subject, now moment) situation {
	role := situation{closed: d.closed}
	if r := d.roles[s]; r != nil {
		role.knowledge = d.knows(r, now)
	}
	for i, k := range s.keys() {
		role.seats[i] = seat{d.cache.peek(k), d.flights[k] != nil, d.holds[k] != nil}
	}
	return role
}

// run does what the state machine says, but what answers a question or a lookup. It
// is called with the lock held.
func (d *Verifier) run(s subject, effects []effect) {
	for _, e := range effects {
		k := s.keys()[e.seat]
		switch e.do {
		case look:
			d.refresh(k)
		case tell:
			d.tell(k)
		case lockOut:
			d.config.Logger.Info("a newer statement is known: a proof lets nobody new in until it is found", "source", s.source, "service", s.service, "direction", k.direction)
		}
	}
}

// use makes a role that is in use, and release forgets one that is not. They are
// called with the lock held.
func (d *Verifier) use(s subject) *role {
	if d.roles[s] == nil {
		d.roles[s] = &role{}
	}
	return d.roles[s]
}

func (d *Verifier) release(s subject) {
	r := d.roles[s]
	if r == nil || r.flights > 0 {
		return
	}
	for _, k := range s.keys() {
		if d.cache.peek(k) != nil || d.holds[k] != nil {
			return
		}
	}
	delete(d.roles, s)
}

// A watcher is what the store tells: floors.Watcher.
type watcher struct{ *Verifier }

// Raised is a floor.
func (d watcher) Raised(source, service string, f delegation.Floor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.learn(subject{source, service}, f, key{})
}

// rereaders is how many floors are read at a time when a subscription begins.
const rereaders = 8

// Watching is a subscription. When one begins, all floors in use are read again.
// While there is none, they are
// read for each question.
func (d watcher) Watching(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	now := d.now()
	for _, r := range d.roles {
		if d.certain(r) {
			r.sure = now
		}
	}
	d.watching = on
	d.config.Metrics.Set("watched", "", 0)
	if !on {
		d.unsure()
		return
	}
	d.config.Metrics.Set("watched", "", 1)
	d.subscription++
	subscription, inUse := d.subscription, slices.Collect(maps.Keys(d.roles))
	var next atomic.Int64
	for range min(rereaders, len(inUse)) {
		d.running.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(inUse)); i = next.Add(1) - 1 {
				if !d.reread(inUse[i], subscription) {
					return
				}
			}
		})
	}
}

// reread reads a floor at the beginning of a subscription. It reports whether to
// go on.
func (d *Verifier) reread(s subject, subscription int) bool {
	d.mu.Lock()
	current := d.watching && d.subscription == subscription
	needed := d.roles[s] != nil && d.roles[s].read != subscription
	d.mu.Unlock()
	if !current || !needed {
		return current
	}
	_, err := d.read(d.ctx, s)
	return err == nil
}
