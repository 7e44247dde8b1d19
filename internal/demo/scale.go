package demo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// Scale shows what delegation saves two hosting providers with that many
// domains each, of which every one talks with every one of the other. Each
// domain has a certificate and a statement of its own. Both providers prove
// every domain of the other, in both directions. They open a connection over
// loopback only if no existing one will do. Some more domains did not delegate
// to their provider, and must be refused. progress is told how many steps there
// are and returns what to call for each, from any goroutine.
func Scale(ctx context.Context, out io.Writer, domains int, progress func(total int) (step func())) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("demo: %w", err)
		}
	}()
	s := &scaling{World: world.At(time.Now().UTC().Truncate(time.Second)), ctx: ctx}
	s.policy = s.Policy()
	s.peers = delegation.PeerPolicy{Roots: s.policy.Roots, Now: time.Now}
	strangers := 2 * max(1, domains/200)         // every other one signs
	s.step = progress(6 * (domains + strangers)) // to sign, and to prove to two sides, in two directions

	started := time.Now()
	var providers []*provider
	for _, name := range []string{"one", "two"} {
		p, err := s.newProvider(name, domains, strangers)
		if p != nil {
			defer p.close()
		}
		if err != nil {
			return err
		}
		providers = append(providers, p)
	}
	one, two := providers[0], providers[1]
	signing := time.Since(started)

	started = time.Now()
	var lines []string
	for _, way := range [][2]*provider{{one, two}, {two, one}} {
		outgoing, incoming, err := s.talk(way[0], way[1])
		if err != nil {
			return err
		}
		lines = append(lines,
			fmt.Sprintf("%s connects to %s: %s", way[0].host, way[1].host, outgoing),
			fmt.Sprintf("%s is called by %s: %s", way[1].host, way[0].host, incoming))
	}
	proving := time.Since(started)

	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Fprintf(out, "Two hosting providers with %s domains each, every one with a certificate and a statement of its own.\n", thousands(domains))
	fmt.Fprintf(out, "Beside them each has %s domains that did not delegate to it, whatever DNS says.\n\n", thousands(strangers))
	for _, line := range lines {
		fmt.Fprintf(out, "  OK  %s\n", line)
	}
	fmt.Fprintf(out, `
Connections that are needed for every domain of one to talk with every domain of the other:
  without delegation %13s  one for each ordered pair of domains, 2 x %s x %[2]s
  with delegation    %13s  opened here, one by each provider; a single one where both use it both ways (XEP-0288)

%s statements signed in %.1f s.
%s decisions, for %s of the pairs, in %.1f s; the other pairs would ask for the same connections.
%d MB of memory.
`, thousands(2*domains*domains), thousands(domains), thousands(one.opened+two.opened),
		thousands(2*domains+strangers), signing.Seconds(), thousands(4*(domains+strangers)), thousands(2*domains), proving.Seconds(), memory.Sys>>20)
	return nil
}

// scaling is what the two providers have in common.
type scaling struct {
	*world.World
	ctx    context.Context
	policy delegation.Policy
	peers  delegation.PeerPolicy
	step   func()
}

// A link is a connection, and the question for which it was opened.
type link struct {
	opened association.Question
	at     delegation.Endpoint // that was dialled; zero for an incoming one
	chain  []*x509.Certificate
}

// serves says whether a source may use the connection.
func (l *link) serves(a *association.Association, peers delegation.PeerPolicy) error {
	_, err := a.AcceptFurther(l.opened, l.at, peers, l.chain)
	return err
}

// A provider hosts domains.
type provider struct {
	host     string
	endpoint delegation.Endpoint
	config   *tls.Config
	listener net.Listener
	tenants  []tenant
	accepted *tls.Conn // the last one that was opened to it
	incoming *link     // the same, once a domain was proven on it

	mu     sync.Mutex
	links  map[delegation.Endpoint]*link // that it opened
	opened int
	conns  []*tls.Conn
}

// A tenant is a domain with what DNS says of it: an SRV record that leads to
// the provider, and its statement, if it has one.
type tenant struct {
	domain   string
	record   string // TXT
	stranger bool   // did not delegate to the provider
}

func (s *scaling) newProvider(name string, domains, strangers int) (*provider, error) {
	p := &provider{host: "xmpp." + name + ".example", links: map[delegation.Endpoint]*link{}}
	p.endpoint = delegation.Endpoint{Host: p.host, Port: 5270}
	p.config = tlsConfig(s.Of(p.host))
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.tenants = make([]tenant, domains+strangers)
	return p, s.each(len(p.tenants), func(i int) error {
		p.tenants[i] = s.newTenant(fmt.Sprintf("d%d.customers-of-%s.example", i+1, name), p.endpoint, i-domains)
		return nil
	})
}

func (p *provider) close() {
	p.listener.Close()
	for _, c := range p.conns {
		c.Close()
	}
}

// newTenant has a domain sign. The strangers, counted from 0, say nothing, or
// delegate to somebody else.
func (s *scaling) newTenant(domain string, target delegation.Endpoint, stranger int) tenant {
	t := tenant{domain: domain, stranger: stranger >= 0}
	if t.stranger && stranger%2 == 0 {
		return t
	}
	if t.stranger {
		target.Host = "xmpp.elsewhere.example"
	}
	statement := world.Statement(domain, service, s.Now)
	statement.Targets = []delegation.Target{{Endpoint: target, TLS: delegation.Direct}}
	t.record = world.Record(statement, s.Issue(-world.Day, 60*world.Day, domain))
	return t
}

// decide verifies the statement of a domain and makes the decision.
func (s *scaling) decide(t tenant, host delegation.Endpoint, d association.Direction) (*association.Association, error) {
	e := world.Nothing(t.domain, service, delegation.Insecure, s.Now)
	e.SRV[1].Records = []delegation.SRVRecord{{Port: host.Port, Target: host.Host}} // at the label for direct TLS
	e.Documents = nil
	if t.record != "" {
		e.TXT[0].Records = []string{t.record}
	}
	return association.Decide(association.Question{Source: t.domain, Service: service, Direction: d}, e, s.policy)
}

// talk lets each domain of one provider send to one of the other: the one
// provider finds a connection, and the other lets the domain use it.
func (s *scaling) talk(from, to *provider) (outgoing, incoming *tally, err error) {
	outgoing, incoming = newTally(), newTally()
	find := func(i int) error {
		a, err := s.decide(to.tenants[i], to.endpoint, association.Outgoing)
		if err != nil {
			return err
		}
		return outgoing.count(to.tenants[i], s.find(from, to, a))
	}
	request := func(i int) error {
		a, err := s.decide(from.tenants[i], from.endpoint, association.Incoming)
		if err != nil {
			return err
		}
		if i == 0 {
			to.incoming = &link{a.Question(), delegation.Endpoint{}, to.accepted.ConnectionState().PeerCertificates}
		}
		return incoming.count(from.tenants[i], to.incoming.serves(a, s.peers))
	}
	for _, ask := range []func(int) error{find, request} {
		// The connection is opened for the first one.
		if err := s.each(1, ask); err != nil {
			return nil, nil, err
		}
		if err := s.each(len(to.tenants)-1, func(i int) error { return ask(i + 1) }); err != nil {
			return nil, nil, err
		}
	}
	return outgoing, incoming, nil
}

// find asks for a connection that the source of a may use, and opens one if there is
// none to its endpoint.
func (s *scaling) find(from, to *provider, a *association.Association) error {
	dial, err := a.Dial()
	if err != nil {
		return err
	}
	from.mu.Lock()
	l := from.links[dial[0].Endpoint]
	if l == nil {
		defer from.mu.Unlock()
		return s.open(from, to, dial[0], a)
	}
	from.mu.Unlock()
	return l.serves(a, s.peers)
}

// open connects to the other provider, each holding the other to its
// certificate: the caller at once, the called for each claim that comes.
func (s *scaling) open(from, to *provider, target association.Dial, a *association.Association) error {
	config := from.config.Clone()
	config.ServerName, config.InsecureSkipVerify = target.ServerName, true
	config.VerifyConnection = func(state tls.ConnectionState) error {
		_, err := a.Accept(target.Endpoint, s.peers, state.PeerCertificates)
		return err
	}
	accepted := make(chan error, 1)
	go func() {
		raw, err := to.listener.Accept()
		if err == nil {
			to.accepted = tls.Server(raw, verifier.ServerConfig(to.config))
			to.conns = append(to.conns, to.accepted)
			err = to.accepted.HandshakeContext(s.ctx)
		}
		accepted <- err
	}()
	dialer := tls.Dialer{Config: config}
	raw, err := dialer.DialContext(s.ctx, "tcp", to.listener.Addr().String())
	if err != nil {
		return err
	}
	conn := raw.(*tls.Conn)
	from.conns = append(from.conns, conn)
	from.opened++
	if err := <-accepted; err != nil {
		return err
	}
	from.links[target.Endpoint] = &link{a.Question(), target.Endpoint, conn.ConnectionState().PeerCertificates}
	return nil
}

// each calls a function for 0 to n-1, as many at once as there are processors,
// until one fails.
func (s *scaling) each(n int, do func(i int) error) error {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	work := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range work {
				if err := do(i); err != nil {
					cancel(err)
				}
				s.step()
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		work <- i
	}
	close(work)
	workers.Wait()
	return context.Cause(ctx)
}

// A tally counts who was accepted and why the others were not.
type tally struct {
	mu       sync.Mutex
	accepted int
	refused  map[reasons.Reason]int
}

func newTally() *tally { return &tally{refused: map[reasons.Reason]int{}} }

// count notes what became of a domain, which must be what it deserves.
func (c *tally) count(t tenant, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var e *delegation.Error
	switch {
	case err == nil && !t.stranger:
		c.accepted++
	case errors.As(err, &e) && e.Outcome == reasons.OutcomeRefused && t.stranger:
		c.refused[e.Reason]++
	default:
		return fmt.Errorf("%s, which delegated to its provider: %t: got %v", t.domain, !t.stranger, err)
	}
	return nil
}

func (c *tally) String() string {
	total, reasons := 0, []string{}
	for _, reason := range slices.Sorted(maps.Keys(c.refused)) {
		total += c.refused[reason]
		reasons = append(reasons, fmt.Sprintf("%s %s", thousands(c.refused[reason]), reason))
	}
	return fmt.Sprintf("%s accepted, %s refused (%s)", thousands(c.accepted), thousands(total), strings.Join(reasons, ", "))
}

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
