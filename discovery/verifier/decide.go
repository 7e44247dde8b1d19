package verifier

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/floors"
)

// A Network is how a Verifier finds evidence and connects: a *discovery.Client,
// or what a test has in its place. TLSA records have a say only with the methods
// Validates, GatherEndpoint and DialEndpoint of discovery.Client besides.
type Network interface {
	// Gather is as that of discovery.Client.
	Gather(ctx context.Context, source, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error)
	// DialContext opens a TCP connection to a host name and a port.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// A Config is what a Verifier works with. Roots and Floors are required; [New]
// says so if they are missing. Every other field may be zero.
type Config struct {
	// Roots are the trust anchors for the signers of statements and for the
	// certificates of peers. Nil never means those of the system: see
	// keys.LoadRoots.
	Roots *x509.CertPool
	// Floors remembers the newest statements. Without it an older statement
	// would be accepted again. Close does not close it.
	Floors floors.Store
	// Discovery asks DNS and the web, and connects. Nil means the resolvers of the
	// system, no DNSSEC, and DNS and HTTPS together.
	Discovery Network
	// MaxLife is as in delegation.Policy: 0 means 31 days.
	MaxLife time.Duration
	// StatementFirst has Outgoing decisions connect to the statement's own
	// targets, whatever SRV records say that are not secure.
	StatementFirst bool
	// AwaitStatement is for reports. Decide waits for a verified statement that
	// delegates, or until every place was asked. Secure SRV records alone, or a
	// revocation, are not an answer yet. The lookup ends with the answer.
	AwaitStatement bool
	// LookFirst has each decision wait for its lookup, although Floors holds the
	// statement. It is for a Verifier that replaces another one, since somebody wants
	// everything to be looked up again.
	LookFirst bool
	// Limits bound memory and work.
	Limits Limits
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Metrics is told what happens. Nil discards.
	Metrics Metrics
	// Logger gets a line for each lookup and each target at the debug level, and
	// what an operator must see. Nil discards.
	Logger *slog.Logger
}

// A Question is what [Verifier.Decide] decides.
type Question struct {
	Source    string // a name in any form of delegation.ParseName, such as b.example
	Service   string // in any form of delegation.ParseService: a role, such as xmpp-server, or its second label
	Direction association.Direction
	// Addr is the address of the peer, on whose account a lookup is made. Zero
	// means unknown.
	Addr netip.Addr
	// Recheck says that the question is about a connection that is open because of
	// an earlier decision. It may get one that was overtaken.
	Recheck bool
	// Statement is what the peer brought in its XMPP stream (docs/stream.md), nil if it
	// brought nothing. It counts only if a lookup found that nothing is published.
	Statement *delegation.StreamStatement

	anew bool // it wants what a lookup finds, not a statement from the memory
}

// A Decision is what is known now. Do not change it: others have it too.
type Decision struct {
	// Association is the decision in full: every method, and why it gives names or
	// none, the verified statement, and each check.
	Association *association.Association
	// Cached says that it was known before the question.
	Cached bool
	// RefreshAt is when it is decided again, by the clock.
	RefreshAt time.Time
	// Required is that of the association, or of the newest statement that is
	// known: see Error.
	Required bool
	// Until, if not zero, is when it ends, whatever its names say.
	Until time.Time
	// Overtaken says that a newer statement is known that is not here yet, or one
	// that contradicts this one. Names that count by delegation keep open
	// connections and let nobody new in.
	Overtaken bool
	// Ended says that there was a proof which is over.
	Ended bool
	// Unpublished says that every place answered and none has a statement, good or
	// bad. A statement that the peer brings in its XMPP stream may then change the
	// decision.
	Unpublished bool

	evidence kept
	untried  bool // it is by a statement from the memory, and its lookup has not ended
}

// Evidence is what the decision rests on. It can be judged again, and saved as JSON.
func (d *Decision) Evidence() (*delegation.Evidence, error) { return d.evidence.open() }

// A Verifier looks up, verifies, remembers and checks. Make one for each process. Its
// methods are safe for use by several goroutines at once.
type Verifier struct {
	config  Config
	started time.Time
	ctx     context.Context // of lookups: that of no question
	cancel  context.CancelFunc
	running sync.WaitGroup
	proven  *delegation.Cache
	queue   *queue
	// endpoints are nil if TLSA records have no say.
	endpoints *endpoints
	judging   [lanes]chan struct{} // bounds the decisions made at a time
	// checking bounds the certificates of peers that are verified at a time.
	// Strangers' chains may take a tenth of a second each.
	checking chan struct{}

	mu           sync.Mutex
	cache        *cache
	roles        map[subject]*role
	flights      map[key]*flight // that have not answered
	holds        map[key]map[*hold]struct{}
	decided      map[subject]delegation.Order // of the newest statement that an incoming decision rested on
	watching     bool                         // the memory tells of raised floors
	subscription int                          // counts its subscriptions
	closed       bool
}

// New makes a Verifier with an empty cache. Close it. The error names the field that
// is missing or wrong.
func New(config Config) (*Verifier, error) {
	switch {
	case config.Roots == nil:
		return nil, errors.New("verifier: Config.Roots is missing: use keys.LoadRoots or x509.SystemCertPool")
	case config.Floors == nil:
		return nil, errors.New("verifier: Config.Floors is missing: without a memory an older statement would be accepted again")
	}
	if config.Discovery == nil {
		config.Discovery = &discovery.Client{HTTPSRoots: config.Roots}
	}
	if client, ok := config.Discovery.(*discovery.Client); ok {
		if err := client.Check(); err != nil {
			return nil, err
		}
	}
	now := config.Now
	if now == nil {
		now = time.Now
	}
	// Without the monotonic reading: a clock that was set back has to be seen.
	config.Now = func() time.Time { return now().Round(0) }
	if config.Metrics == nil {
		config.Metrics = nobody{}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	l := &config.Limits
	l.CacheBytes = cmp.Or(l.CacheBytes, DefaultLimits.CacheBytes)
	l.LookupsInFlight = cmp.Or(l.LookupsInFlight, DefaultLimits.LookupsInFlight)
	l.LookupsPerNetwork = cmp.Or(l.LookupsPerNetwork, DefaultLimits.LookupsPerNetwork)
	l.Waiting = cmp.Or(l.Waiting, DefaultLimits.Waiting)
	if min(l.CacheBytes, int64(l.LookupsInFlight), int64(l.LookupsPerNetwork), int64(l.Waiting)) < 0 {
		return nil, errors.New("verifier: a limit is negative")
	}
	d := &Verifier{
		config: config, started: time.Now(), proven: delegation.NewCache(config.Roots),
		roles: map[subject]*role{}, flights: map[key]*flight{}, holds: map[key]map[*hold]struct{}{}, decided: map[subject]delegation.Order{}, queue: newQueue(*l),
		checking: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	for i := range d.judging {
		d.judging[i] = make(chan struct{}, runtime.GOMAXPROCS(0))
	}
	d.cache = newCache(l.CacheBytes, func(e *entry) {
		d.config.Metrics.Count("evictions", e.class().String())
		d.release(e.key.subject)
	})
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.endpoints = newEndpoints(config.Discovery, d.now, d.background)
	d.running.Go(func() { d.config.Floors.Watch(d.ctx, watcher{d}) })
	return d, nil
}

// background runs a lookup that belongs to no question, unless d is closed.
func (d *Verifier) background(look func(context.Context)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.running.Go(func() { look(d.ctx) })
	return true
}

// Close ends all lookups and waits for that. Callers that wait for one are told
// that it was not answered.
func (d *Verifier) Close() {
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
func (d *Verifier) now() moment {
	return moment{d.config.Now(), time.Since(d.started)}
}

// known gives the decision that is in the cache, fresh, or nil. While the memory
// does not tell of raised floors, it is asked.
func (d *Verifier) known(ctx context.Context, q Question) *Decision {
	k := keyOf(q)
	d.mu.Lock()
	known, certain := d.fresh(k, q.anew)
	d.mu.Unlock()
	if known != nil && !certain {
		_, _ = d.read(ctx, k.subject) // where that fails, what was known last counts for a while
		d.mu.Lock()
		known, _ = d.fresh(k, q.anew)
		d.mu.Unlock()
	}
	if known != nil {
		d.config.Metrics.Count("questions", "hit")
	}
	return known
}

// fresh gives the decision in the cache, or nil, and whether it is certain that
// no newer statement is remembered. It is called with the lock held.
func (d *Verifier) fresh(k key, anew bool) (known *Decision, certain bool) {
	e, r, now := d.cache.get(k), d.roles[k.subject], d.now()
	if e == nil || anew && e.untried() {
		return nil, false
	}
	what := d.knows(r, now)
	if e.state(what, now) != fresh {
		return nil, false
	}
	e.asked = true
	return e.answer(what, now), what.now
}

func keyOf(q Question) key {
	return key{subject{q.Source, delegation.RoleOf(q.Service).Service}, q.Direction}
}

// Decide answers from the cache, or looks up. Questions that are equal share a
// lookup, which goes on when ctx ends. A proof that has not ended also answers
// if looking again fails, or takes longer than ctx. An overtaken proof does so
// only for an open connection.
//
// The error is an *[Error]: about the question, or undetermined:
// [reasons.Unanswered] when ctx ends, [reasons.Overloaded],
// [reasons.MemoryFailed], [reasons.DNSFailure] where nothing could be
// asked. That only the source's own certificate counts is no error.
func (d *Verifier) Decide(ctx context.Context, q Question) (*Decision, error) {
	known, err := d.ask(ctx, q)
	if err != nil {
		return nil, failed(ended(q.Recheck, known, err), known)
	}
	if q.Statement == nil {
		return known, nil
	}
	if err := check(&q); err != nil {
		return nil, failed(err, nil)
	}
	switch again, failure := d.weigh(ctx, q); {
	case failure != nil:
		return nil, failed(failure.err, &Decision{Required: failure.required})
	case again != nil:
		return again, nil
	}
	return known, nil
}

// ask is Decide. Of the Decision only Required and Ended are set beside an error.
func (d *Verifier) ask(ctx context.Context, q Question) (*Decision, error) {
	if err := check(&q); err != nil {
		return &Decision{Required: true}, err
	}
	if known := d.known(ctx, q); known != nil {
		return known, nil
	}
	k := keyOf(q)
	d.mu.Lock()
	now, result := d.now(), "shared"
	role := d.situation(k.subject, now)
	_, effects := role.on(event{kind: onQuestion, seat: seatOf(k.direction), anew: q.anew}, now)
	switch effects[0].do {
	case answer: // since then
		e := role.seats[seatOf(k.direction)].entry
		e.asked = true
		known := e.answer(role.knowledge, now)
		d.mu.Unlock()
		return known, nil
	case refusal:
		d.mu.Unlock()
		return &Decision{Required: ending.required}, ending.err
	case look:
		result = "miss"
		d.launch(k)
	}
	f := d.flights[k]
	t := d.queue.join(f.lookup, q.Addr)
	defer d.queue.leave(t)
	if q.Recheck && d.proof(q) != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, recheckWait)
		defer cancel()
	}
	d.mu.Unlock()
	d.config.Metrics.Add("waiting", 1)
	defer d.config.Metrics.Add("waiting", -1)
	d.config.Metrics.Count("questions", result)

	restored := f.restored
	if q.anew {
		restored = nil
	}
	var failed *failure
	select {
	case <-f.answered:
		failed = f.failure
	case <-restored:
		return f.stored, nil
	case <-t.out:
		d.config.Metrics.Count("refused", limitWaiting)
		failed = &failure{overloaded(limitWaiting), true}
	case <-ctx.Done():
		failed = &failure{delegation.Errorf(reasons.Unanswered, "the lookup had no end in time: %v", ctx.Err()), true}
	}
	if failed == nil {
		return f.decision, nil
	}
	select {
	case <-restored: // just now
		return f.stored, nil
	default:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.without(q, failed)
}

// without answers where a lookup has no answer: by a proof that has not ended,
// or by the failure. It is called with the lock held.
func (d *Verifier) without(q Question, f *failure) (*Decision, error) {
	if proof := d.proof(q); proof != nil {
		return proof, nil
	}
	e := d.cache.peek(keyOf(q))
	return &Decision{Required: f.required, Ended: e != nil && (e.ended || e.proves())}, f.err
}

// proof is the decision in the cache that may answer without another lookup, or
// nil. It is called with the lock held.
func (d *Verifier) proof(q Question) *Decision {
	k := keyOf(q)
	e, r, now := d.cache.get(k), d.roles[k.subject], d.now()
	if e == nil || !e.proves() {
		return nil
	}
	known := d.knows(r, now)
	switch e.state(known, now) {
	case over:
		return nil
	case overtaken:
		if e.delegates() && !q.Recheck {
			return nil
		}
	}
	return e.answer(known, now)
}

// check finds mistakes in a question, and puts the source and the service in
// the one form by which they are compared.
func check(q *Question) (err error) {
	if q.Direction != association.Incoming && q.Direction != association.Outgoing {
		return delegation.Errorf(reasons.MissingInput, "the question has no direction")
	}
	if delegation.CheckName(q.Source) != nil {
		if q.Source, err = delegation.ParseName(q.Source); err != nil {
			return delegation.Errorf(reasons.BadQuery, "source: %v", err)
		}
	}
	if q.Service, err = delegation.ParseService(q.Service); err != nil {
		return delegation.Errorf(reasons.BadQuery, "%v", err)
	}
	if err := delegation.CheckTXTName(q.Source, q.Service); err != nil {
		return delegation.Errorf(reasons.BadQuery, "%v", err)
	}
	return nil
}
