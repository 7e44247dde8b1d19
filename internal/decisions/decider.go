package decisions

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// A Gatherer finds evidence, as discovery.Client does.
type Gatherer interface {
	Gather(ctx context.Context, source, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error)
}

// A Memory remembers the floors of sources, as the stores of package memory do.
type Memory interface {
	Floors(ctx context.Context, source string) ([]delegation.Floor, error)
	Raise(ctx context.Context, source string, floors []delegation.Floor) ([]delegation.Floor, error)
}

// A Config is what a Decider works with. Gatherer, Memory and Roots are
// required. The Decider changes none of it.
type Config struct {
	Gatherer Gatherer
	Memory   Memory
	// Roots are the trust anchors for the signers of statements.
	Roots *x509.CertPool
	// MaxLife is as in delegation.Policy.
	MaxLife time.Duration
	Limits  Limits
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Metrics counts what happens. Nil counts for nobody.
	Metrics *Metrics
	// Logger gets a line for each look-up at the debug level, and what an
	// operator must see. Nil discards.
	Logger *slog.Logger
}

// A Question is what [Decider.Decide] decides.
type Question struct {
	Source    string // in the form of delegation.CheckName
	Service   string // such as _xmpp-server._tcp
	Direction association.Direction
	// Peer is the address on whose account a look-up is made, if it is known.
	Peer netip.Addr
}

// A Decision is what is known now. Do not change it: others have it too.
type Decision struct {
	// Association is nil where there is an error.
	Association *association.Association
	// Cached says that it was known before the question.
	Cached bool
	// RefreshAt is when it is decided again, by the clock.
	RefreshAt time.Time
	// Required is that of the association, and beside an error what the memory
	// says. Where the memory does not say either, it is true.
	Required bool

	evidence []byte
}

// Evidence is what the decision rests on, in JSON.
func (d *Decision) Evidence() ([]byte, error) { return unpack(d.evidence) }

// A Decider decides and remembers. Its methods are safe for use by several
// goroutines at once.
type Decider struct {
	Config
	started  time.Time
	ctx      context.Context // of look-ups: that of no question
	cancel   context.CancelFunc
	running  sync.WaitGroup
	chains   *delegation.KnownChains
	known    budget
	stranger budget
	peers    *peers

	mu      sync.Mutex
	cache   *cache
	flights map[key]*flight // that have not answered
	waiting int
	closed  bool
}

// New makes a Decider with an empty cache. Close it.
func New(config Config) (*Decider, error) {
	if config.Gatherer == nil || config.Memory == nil || config.Roots == nil {
		return nil, errors.New("decisions: there is no gatherer, no memory or no trust anchors")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Metrics == nil {
		config.Metrics = NewMetrics(nil)
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	l := &config.Limits
	l.CacheBytes = or(l.CacheBytes, DefaultLimits.CacheBytes)
	l.LookupsPerSecond = or(l.LookupsPerSecond, DefaultLimits.LookupsPerSecond)
	l.LookupsPerPeer = or(l.LookupsPerPeer, DefaultLimits.LookupsPerPeer)
	l.LookupsInFlight = or(l.LookupsInFlight, DefaultLimits.LookupsInFlight)
	l.Waiting = or(l.Waiting, DefaultLimits.Waiting)
	if min(l.CacheBytes, int64(l.LookupsInFlight), int64(l.Waiting)) < 0 || min(l.LookupsPerSecond, l.LookupsPerPeer) < 0 {
		return nil, errors.New("decisions: a limit is negative")
	}
	d := &Decider{
		Config: config, started: time.Now(), chains: delegation.NewKnownChains(config.Roots), flights: map[key]*flight{},
		known: newBudget(*l), stranger: newBudget(*l), peers: newPeers(l.LookupsPerPeer),
	}
	d.cache = newCache(l.CacheBytes, func(c class) { d.Metrics.evictions.WithLabelValues(c.String()).Inc() })
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

func or[T int | int64 | float64](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// Close ends all look-ups and waits for that. Whoever waits for one is told
// that it was not answered.
func (d *Decider) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.running.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cache.clear()
}

// now is the time by both measures.
func (d *Decider) now() moment {
	return moment{d.Now().Round(0), time.Since(d.started)}
}

// Size is the memory of the cache in octets, estimated.
func (d *Decider) Size() (octets int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.cache.of {
		octets += d.cache.of[i].weight
	}
	return octets
}

// Known gives the decision that is in the cache, fresh, or nil.
func (d *Decider) Known(q Question) *Decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fresh(keyOf(q))
}

// fresh is Known for whoever holds the lock.
func (d *Decider) fresh(k key) *Decision {
	e := d.cache.get(k)
	if e == nil || !e.fresh(d.now()) {
		return nil
	}
	e.asked = true
	d.Metrics.hits.Inc()
	return &e.cached
}

func keyOf(q Question) key { return key{q.Source, q.Service, q.Direction} }

// Decide answers from the cache, or looks up. Questions that are equal share a
// look-up, which goes on when ctx ends. A proof that has not ended answers also
// where looking again fails, or takes longer than ctx.
//
// The error is a *[delegation.Error]: about the question, or undetermined:
// [delegation.Unanswered] when ctx ends, [delegation.Overloaded],
// [delegation.MemoryFailed], [delegation.DNSFailure] where nothing could be
// asked. Of the Decision only Required is set then.
func (d *Decider) Decide(ctx context.Context, q Question) (*Decision, error) {
	if err := check(q); err != nil {
		return &Decision{}, err
	}
	k := keyOf(q)
	d.mu.Lock()
	if known := d.fresh(k); known != nil {
		d.mu.Unlock()
		return known, nil
	}
	result := "shared"
	f := d.flights[k]
	switch {
	case d.closed:
		d.mu.Unlock()
		return &Decision{Required: ending.required}, ending.err
	case d.waiting >= d.Limits.Waiting || f == nil && len(d.flights) >= 2*d.Limits.LookupsInFlight+d.Limits.Waiting:
		defer d.mu.Unlock()
		d.Metrics.refused.WithLabelValues("waiting").Inc()
		return d.without(k, &failure{overloaded("waiting"), true})
	case f == nil:
		result = "miss"
		f = d.launch(k, q.Peer)
	}
	d.waiting++
	d.mu.Unlock()
	d.Metrics.questions.WithLabelValues(result).Inc()

	var ended error
	select {
	case <-f.answered:
	case <-ctx.Done():
		ended = ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting--
	switch {
	case ended != nil:
		return d.without(k, &failure{refuse(delegation.Unanswered, "the look-up had no end in time: %v", ended), true})
	case f.failure != nil:
		return d.without(k, f.failure)
	}
	looked := f.entry.cached
	looked.Cached = false
	return &looked, nil
}

// without answers where a look-up has no answer: by a proof that has not
// ended, or by the failure. It is called with the lock held.
func (d *Decider) without(k key, f *failure) (*Decision, error) {
	if e := d.cache.get(k); e != nil && e.alive(d.now()) {
		return &e.cached, nil
	}
	return &Decision{Required: f.required}, f.err
}

func check(q Question) error {
	if q.Direction != association.Incoming && q.Direction != association.Outgoing {
		return refuse(delegation.MissingInput, "the question has no direction")
	}
	if err := delegation.CheckName(q.Source); err != nil {
		return refuse(delegation.BadQuery, "source: %v", err)
	}
	if err := delegation.CheckService(q.Service); err != nil {
		return refuse(delegation.BadQuery, "%v", err)
	}
	if name := delegation.TXTName(q.Source, q.Service); len(name) > delegation.MaxNameLength {
		return refuse(delegation.BadQuery, "%s is longer than %d octets", name, delegation.MaxNameLength)
	}
	return nil
}

func refuse(reason delegation.Reason, format string, args ...any) *delegation.Error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
