package decisions

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/internal/localca"
	"github.com/dnasign/dnasign/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tests run in a bubble of time that begins here (package synctest).
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	direct  = "_xmpps-server._tcp"
	host    = "xmpp.hosting.example"
	other   = "xmpp.other.example"
	day     = 24 * time.Hour
)

var incoming = Question{Source: source, Service: service, Direction: association.Incoming}

// A laboratory holds an authority and the certificates of domains.
var laboratory = sync.OnceValue(func() *localca.Authority {
	root, err := localca.New("Test Root", start)
	if err != nil {
		panic(err)
	}
	return root
})

var (
	signersMu sync.Mutex
	signers   = map[string]*keys.Signer{}
)

func signer(domain string) *keys.Signer {
	signersMu.Lock()
	defer signersMu.Unlock()
	if signers[domain] == nil {
		s, err := laboratory().Issue("P-256", []string{domain}, start.Add(-10*day), start.Add(60*day), nil)
		if err != nil {
			panic(err)
		}
		signers[domain] = s
	}
	return signers[domain]
}

// signedFor makes a TXT record of a domain that delegates to hosts, issued so
// long after start, for 14 days unless edited.
func signedFor(domain string, issued time.Duration, hosts []string, edits ...func(*delegation.Statement)) string {
	s := delegation.Statement{
		Source: domain, Service: service, Targets: []delegation.Target{},
		Issued: start.Add(issued), Expires: start.Add(issued + 14*day), ID: delegation.ID{1},
	}
	for _, h := range hosts {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: delegation.Endpoint{Host: h, Port: 5269}})
	}
	for _, edit := range edits {
		edit(&s)
	}
	token, err := delegation.Sign(s, delegation.JWS, signer(domain))
	if err != nil {
		panic(err)
	}
	return delegation.TXTRecord(delegation.JWS, token)
}

func statement(issued time.Duration, hosts ...string) string {
	return signedFor(source, issued, hosts)
}

// A network is what look-ups find. Its fields are changed between look-ups
// only, by set.
type network struct {
	mu      sync.Mutex
	records map[string][]string // TXT, by source
	late    []string            // statements that HTTPS delivers, after a second
	srv     delegation.SRVAnswer
	failure *delegation.Failure // of TXT
	takes   time.Duration
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
		n.failure = &delegation.Failure{Reason: delegation.DNSTimeout, Detail: "nobody answers"}
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
	unanswered := &delegation.Failure{Reason: delegation.Unanswered, Detail: "not yet"}
	txt := delegation.TXTAnswer{Answer: delegation.Answer{Name: delegation.TXTName(source, service), DNSSEC: delegation.Insecure, TTL: 3600, Failure: n.failure}}
	if n.failure == nil {
		txt.Records = n.records[source]
	}
	srv := n.srv
	n.mu.Unlock()
	defer n.set(func(n *network) { n.under-- })

	e := &delegation.Evidence{Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: time.Now()}
	e.SRV = []delegation.SRVAnswer{{Answer: delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Indeterminate, Failure: unanswered}}}
	e.TXT = []delegation.TXTAnswer{{Answer: delegation.Answer{Name: txt.Name, DNSSEC: delegation.Indeterminate, Failure: unanswered}}}
	if !sleep(ctx, takes) {
		return e, nil
	}
	if srv.Name == "" {
		srv.Answer = delegation.Answer{Name: e.SRV[0].Name, DNSSEC: delegation.Insecure, TTL: 3600}
	}
	e.SRV, e.TXT = []delegation.SRVAnswer{srv}, []delegation.TXTAnswer{txt}
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
	floors       map[string][]delegation.Floor
	read, write  error
	beforeRaise  func() // somebody else does something first
	raised, asks int
}

func newStore() *store { return &store{floors: map[string][]delegation.Floor{}} }

func (s *store) Floors(_ context.Context, source string) ([]delegation.Floor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks++
	return slices.Clone(s.floors[source]), s.read
}

func (s *store) Raise(_ context.Context, source string, floors []delegation.Floor) ([]delegation.Floor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beforeRaise != nil {
		s.beforeRaise()
		s.beforeRaise = nil
	}
	if s.write != nil {
		return nil, s.write
	}
	s.raised++
	byService := map[string]delegation.Floor{}
	for _, f := range append(slices.Clone(s.floors[source]), floors...) {
		if old, ok := byService[f.Service]; !ok || f.Order.Compare(old.Order) > 0 {
			byService[f.Service] = f
		}
	}
	s.floors[source] = slices.Collect(maps.Values(byService))
	return slices.Clone(s.floors[source]), nil
}

// A lab is a Decider with what is around it.
type lab struct {
	*testing.T
	*Decider
	network *network
	store   *store
	ahead   time.Duration // of the clock, which is not always right
}

// bubble runs a test in a bubble of time.
func bubble(t *testing.T, records []string, limits Limits, f func(l *lab)) {
	signer(source) // before the bubble, whose time is another
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, network: newNetwork(records...), store: newStore()}
		var err error
		l.Decider, err = New(Config{
			Gatherer: l.network, Memory: l.store, Roots: pool(), Limits: limits,
			Now: func() time.Time { return time.Now().Add(l.ahead) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Decider.Close()
		f(l)
	})
}

func pool() *x509.CertPool { return laboratory().Pool() }

// names asks and returns the names that count besides the source's own.
func (l *lab) names(q Question) []string {
	l.Helper()
	d, err := l.Decide(l.Context(), q)
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

// want asks and wants these names, and that many look-ups by then.
func (l *lab) want(q Question, lookups int, names ...string) {
	l.Helper()
	if got := l.names(q); !slices.Equal(got, names) {
		l.Errorf("%s: the names %q count, want %q", time.Since(start), got, names)
	}
	if got := l.network.count(); got != lookups {
		l.Errorf("%s: %d look-ups, want %d", time.Since(start), got, lookups)
	}
}

// reason asks and wants no decision, for that reason.
func (l *lab) reason(q Question, want delegation.Reason) *Decision {
	l.Helper()
	d, err := l.Decide(l.Context(), q)
	if got := delegation.ReasonOf(err); got != want {
		l.Errorf("%s: reason %q, want %q (%v)", time.Since(start), got, want, err)
	}
	return d
}

// why asks and wants a decision without a statement, for that reason.
func (l *lab) why(q Question, want delegation.Reason) {
	l.Helper()
	d, err := l.Decide(l.Context(), q)
	if err != nil {
		l.Fatal(err)
	}
	if got := reasonOf(d.Association); got != want {
		l.Errorf("%s: reason %q, want %q", time.Since(start), got, want)
	}
}
