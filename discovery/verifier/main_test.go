package verifier

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tests run in a bubble of time that begins here (package synctest).
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	source  = world.Source
	service = world.Service
	direct  = world.Direct
	host    = world.Host
	other   = "xmpp.other.example"
	day     = world.Day
)

var incoming = Question{Source: source, Service: service, Direction: association.Incoming}

var outgoing = Question{Source: source, Service: service, Direction: association.Outgoing}

// around is the world of these tests.
var around = world.At(start)

func signer(domain string) *keys.Signer { return around.Of(domain) }

// signedFor makes a TXT record of a domain that delegates to hosts, issued so
// long after start, for 14 days unless edited.
func signedFor(domain string, issued time.Duration, hosts []string, edits ...func(*delegation.Statement)) string {
	s := world.Statement(domain, service, start.Add(issued), hosts...)
	for _, edit := range edits {
		edit(&s)
	}
	return world.Record(s, signer(domain))
}

func statement(issued time.Duration, hosts ...string) string {
	return signedFor(source, issued, hosts)
}

// A network is what lookups find. Its fields are changed between lookups
// only, by set.
type network struct {
	mu      sync.Mutex
	records map[string][]string // TXT, by source
	late    []string            // statements that HTTPS delivers, after a second
	srv     delegation.SRVAnswer
	signers []delegation.TLSAAnswer
	failure *delegation.Failure // of TXT
	status  int                 // of the web server, 0: not asked
	takes   time.Duration
	slow    func(source string) time.Duration // if not 0, what lookups of this source take
	asked   map[string]int
	under   int // way
	most    int // under way at a time
}

func newNetwork(records ...string) *network {
	return &network{records: map[string][]string{source: records}, asked: map[string]int{}, takes: 100 * time.Millisecond}
}

func (n *network) set(change func(*network)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

func (n *network) has(records ...string) {
	n.set(func(n *network) { n.records[source], n.failure = records, nil })
}

func (n *network) fails() {
	n.set(func(n *network) {
		n.failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
	})
}

func (n *network) count() (all int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.asked {
		all += c
	}
	return all
}

func (n *network) Gather(ctx context.Context, source, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	n.mu.Lock()
	n.asked[source]++
	n.under++
	n.most = max(n.most, n.under)
	takes, late := n.takes, n.late
	if n.slow != nil {
		takes = cmp.Or(n.slow(source), takes)
	}
	records, failure, srv, signers, status := n.records[source], n.failure, n.srv, n.signers, n.status
	n.mu.Unlock()
	defer n.set(func(n *network) { n.under-- })

	unanswered := &delegation.Failure{Reason: reasons.Unanswered, Detail: "not yet"}
	e := world.Nothing(source, service, delegation.Indeterminate, time.Now())
	e.SRV, e.Documents = e.SRV[:1], nil
	e.SRV[0].Failure, e.TXT[0].Failure = unanswered, unanswered
	if !sleep(ctx, takes) {
		return e, nil
	}
	e = world.Nothing(source, service, delegation.Insecure, e.Collected)
	e.SRV, e.Signers = e.SRV[:1], signers
	if srv.Name != "" {
		e.SRV[0] = srv
	}
	if e.TXT[0].Failure = failure; failure == nil {
		e.TXT[0].Records = records
	}
	for i := range e.Documents {
		e.Documents[i].Status = status
	}
	if status == 0 {
		e.Documents = nil
	}
	copied := *e
	if enough != nil && enough(&copied) || len(late) == 0 || !sleep(ctx, time.Second) {
		return e, nil
	}
	for _, record := range late {
		doc := delegation.Document{URL: delegation.DocumentURL(source, service, delegation.JWS), Status: 200, MediaType: delegation.JWS.MediaType(), MaxAge: 3600}
		doc.Body = []byte(record[len("v=DNA1; e=jws; s="):])
		e.Documents = append(slices.Clone(e.Documents), doc)
	}
	return e, nil
}

func (n *network) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errAway
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

var errAway = errors.New("away")

// A store is a Memory that lives as long as the test.
type store struct {
	mu           sync.Mutex
	records      map[subject]floorrecord.Newest
	read, write  error
	full         bool   // remembers nothing
	beforeRaise  func() // somebody else does something first
	raised, asks int
	watchers     []floors.Watcher
	cut          bool // Watch tells nothing
	bare         bool // keeps no statements
}

func newStore() *store { return &store{records: map[subject]floorrecord.Newest{}} }

func (s *store) Close() error { return nil }

func (s *store) Load(_ context.Context, source, service string) (floors.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks++
	return floors.Record(s.records[subject{source, service}]), s.read
}

func (s *store) Raise(_ context.Context, source, service string, r floors.Record) (delegation.Floor, error) {
	s.mu.Lock()
	if s.beforeRaise != nil {
		s.beforeRaise()
		s.beforeRaise = nil
	}
	about := subject{source, service}
	switch {
	case s.write != nil:
		defer s.mu.Unlock()
		return delegation.Floor{}, s.write
	case s.full:
		defer s.mu.Unlock()
		return delegation.Floor{}, fmt.Errorf("%w: test", floors.ErrFull)
	}
	s.raised++
	before := s.records[about]
	if s.bare {
		r = floors.Record{Floor: r.Floor}
	}
	now := before.Join(floorrecord.Newest(r))
	s.records[about] = now
	var tell []floors.Watcher
	if !s.cut && now.Floor != before.Floor {
		tell = slices.Clone(s.watchers)
	}
	s.mu.Unlock()
	for _, w := range tell {
		w.Raised(source, service, now.Floor)
	}
	return now.Floor, nil
}

func (s *store) Watch(ctx context.Context, w floors.Watcher) {
	s.mu.Lock()
	s.watchers = append(s.watchers, w)
	s.mu.Unlock()
	w.Watching(true)
	<-ctx.Done()
}

// elsewhere is a floor that another node raises.
func (s *store) elsewhere(f delegation.Floor) {
	if _, err := s.Raise(context.Background(), source, service, floors.Record{Floor: f}); err != nil {
		panic(err)
	}
}

// connect ends the subscriptions of all nodes, or begins others.
func (s *store) connect(on bool) {
	s.mu.Lock()
	s.cut = !on
	s.mu.Unlock()
	for _, w := range s.watchers {
		w.Watching(on)
	}
}

// away is whether the store can be reached.
func (s *store) away(away bool) {
	s.mu.Lock()
	s.read, s.write = nil, nil
	if away {
		s.read, s.write = errAway, errAway
	}
	s.mu.Unlock()
	s.connect(!away)
}

// floorOf is that of a statement, as statement makes it.
func floorOf(issued time.Duration, hosts ...string) delegation.Floor {
	s := world.Statement(source, service, start.Add(issued), hosts...)
	return delegation.Floor{
		Order:   delegation.Order{Issuance: start.Add(-10 * day), Issued: s.Issued},
		Targets: delegation.DigestTargets(s.Targets), ValidUntil: s.Expires, SignerUntil: start.Add(60*day + time.Second),
	}
}

// A lab is a Verifier with what is around it.
type lab struct {
	*testing.T
	*Verifier
	network *network
	store   *store
	ahead   atomic.Int64 // a duration: of the clock, which is not always right
}

// bubble runs a test in a bubble of time.
func bubble(t *testing.T, records []string, limits Limits, f func(l *lab)) {
	signer(source) // before the bubble, whose time is another
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, network: newNetwork(records...), store: newStore()}
		var err error
		l.Verifier, err = New(Config{
			Discovery: l.network, Floors: l.store, Roots: pool(), Limits: limits,
			Now: func() time.Time { return set(time.Now(), time.Duration(l.ahead.Load())) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Verifier.Close()
		synctest.Wait() // until the memory is watched
		f(l)
	})
}

func pool() *x509.CertPool { return around.CA.Pool() }

// decide asks, and waits until nothing moves any more: an answer may come before
// the lookup has ended.
func (l *lab) decide(q Question) (*Decision, error) {
	defer synctest.Wait()
	return l.ask(l.Context(), q)
}

// names asks and returns the names that count besides the source's own.
func (l *lab) names(q Question) []string {
	l.Helper()
	d, err := l.decide(q)
	if err != nil {
		l.Fatal(err)
	}
	return namesOf(d.Association)
}

func namesOf(a *association.Association) []string {
	var names []string
	for _, r := range a.References() {
		if r.Method != association.PKIX {
			names = append(names, r.Name)
		}
	}
	return names
}

// want asks and wants these names, and that many lookups by then.
func (l *lab) want(q Question, lookups int, names ...string) {
	l.Helper()
	if got := l.names(q); !slices.Equal(got, names) {
		l.Errorf("%s: the names %q count, want %q", time.Since(start), got, names)
	}
	if got := l.network.count(); got != lookups {
		l.Errorf("%s: %d lookups, want %d", time.Since(start), got, lookups)
	}
}

// reason asks and wants no decision, for that reason.
func (l *lab) reason(q Question, want reasons.Reason) *Decision {
	l.Helper()
	d, err := l.decide(q)
	if got := delegation.ReasonOf(err); got != want {
		l.Errorf("%s: reason %q, want %q (%v)", time.Since(start), got, want, err)
	}
	return d
}

// why asks and wants a decision without a statement, for that reason.
func (l *lab) why(q Question, want reasons.Reason) {
	l.Helper()
	d, err := l.decide(q)
	if err != nil {
		l.Fatal(err)
	}
	if got := reasonOf(d.Association); got != want {
		l.Errorf("%s: reason %q, want %q", time.Since(start), got, want)
	}
}
