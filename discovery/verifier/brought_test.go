package verifier

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// unpublished is a bubble in which every place answers that it has nothing.
func unpublished(t *testing.T, limits Limits, f func(l *lab)) {
	bubble(t, nil, limits, func(l *lab) {
		l.network.set(func(n *network) { n.status = 404 })
		f(l)
	})
}

// inStream is what a record holds, as a stream carries it.
func inStream(t testing.TB, record string) *delegation.StreamStatement {
	t.Helper()
	_, text, _ := strings.Cut(record, "; s=")
	s, err := delegation.ParseStreamStatement("jws", text)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

// brings has a peer bring a statement, and wants this reason, none if it is proven.
func (l *lab) brings(chain []*x509.Certificate, record string, want reasons.Reason) error {
	l.Helper()
	p := peer(chain)
	p.Addr = netip.MustParseAddr("192.0.2.1")
	if record != "" {
		p.Statement = inStream(l, record)
	}
	_, err := l.Check(l.Context(), source, service, p)
	synctest.Wait()
	if got := delegation.ReasonOf(err); got != want {
		l.Errorf("%s: reason %q, want %q (%v)", time.Since(start), got, want, err)
	}
	return err
}

// TestBrought: a lookup comes first; what a peer brings then decides for everybody, as
// if the lookup had found it, until its proof ends. It raises the floor, and the
// memory does not keep it for a restart.
func TestBrought(t *testing.T) {
	named := chain(t, host)
	unpublished(t, Limits{}, func(l *lab) {
		l.brings(named, statement(0, host), "")
		if took, n := time.Since(start), l.network.count(); took != 100*time.Millisecond || n != 1 {
			t.Errorf("after %s and %d lookups", took, n)
		}
		l.want(incoming, 1, host) // without it
		if floor := l.inMemory().Floor; floor != floorOf(0, host) || l.inMemory().Statement != nil || !l.inMemory().Seen.IsZero() {
			t.Errorf("the memory has %+v", l.inMemory())
		}
		d, err := l.decide(incoming)
		if err != nil || !d.Required || !d.Unpublished || d.RefreshAt.After(start.Add(maxNegative+time.Second)) {
			t.Errorf("decision: %+v, %v", d, err)
		}
		for time.Since(start) < 14*day-time.Hour {
			time.Sleep(time.Hour)
			l.brings(named, "", "")
		}
		time.Sleep(time.Hour)
		l.brings(named, "", reasons.NoStatement)
	})
	// A restart: nobody is let in by what no lookup found, before a lookup and without
	// the statement.
	unpublished(t, Limits{}, func(l *lab) {
		l.brings(named, statement(0, host), "")
		l.restart()
		l.brings(named, "", reasons.NoStatement)
		l.brings(named, statement(0, host), "")
		if n := l.network.count(); n != 2 {
			t.Errorf("%d lookups", n)
		}
	})
}

// TestBroughtRevoked: a revocation in DNS ends what a peer brought within 5 minutes, and
// what it brings again is below the floor.
func TestBroughtRevoked(t *testing.T) {
	named := chain(t, host)
	unpublished(t, Limits{}, func(l *lab) {
		l.brings(named, statement(0, host), "")
		p := peer(named)
		p.Statement = inStream(t, statement(0, host))
		ctx, release := l.Hold(l.Context(), l.proven(p))
		defer release()
		l.network.has(statement(time.Minute))
		time.Sleep(maxNegative + time.Second)
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("an open connection stays")
		}
		l.brings(named, statement(0, host), reasons.Revoked)
		l.network.has()
		time.Sleep(maxNegative)
		err := l.brings(named, statement(0, host), reasons.Superseded)
		if MayFallBack(err) {
			t.Error("it may fall back")
		}
	})
}

// TestBroughtUnused: something is published, or a place was not answered. Then nothing
// is different from a peer that brings nothing.
func TestBroughtUnused(t *testing.T) {
	named := chain(t, host)
	expired := signedFor(source, -5*day, []string{host}, func(s *delegation.Statement) { s.Expires = start.Add(-day) })
	for _, c := range []struct {
		name string
		set  func(*network)
		want reasons.Reason
	}{
		{"a good one for another host", func(n *network) { n.records[source] = []string{statement(0, other)} }, reasons.PeerNameMismatch},
		{"a bad one", func(n *network) { n.records[source] = []string{expired} }, reasons.Expired},
		{"no DNS", func(n *network) { n.failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "x"} }, reasons.DNSTimeout},
		{"a web server that fails", func(n *network) { n.status = 503 }, reasons.HTTPSFailure},
		{"HTTPS not asked", func(n *network) { n.status = 0 }, reasons.NoStatement},
		{"secure SRV records", func(n *network) {
			n.srv = delegation.SRVAnswer{
				Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 86400},
				Records: []delegation.SRVRecord{{Port: 5269, Target: other}},
			}
		}, reasons.PeerNameMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			unpublished(t, Limits{}, func(l *lab) {
				l.network.set(c.set)
				l.brings(named, statement(time.Minute, host), c.want)
				if d, err := l.decide(incoming); err == nil && d.Unpublished {
					t.Errorf("it says that nothing is published: %s", told(d))
				}
			})
		})
	}
}

// TestBroughtBad: what is not good changes nothing for anybody, and says why.
func TestBroughtBad(t *testing.T) {
	named := chain(t, host)
	signer("c.example")
	stranger := world.At(start).Of(source)
	for _, c := range []struct {
		name, record string
		want         reasons.Reason
	}{
		{"of another authority", world.Record(world.Statement(source, service, start, host), stranger), reasons.UntrustedSigner},
		{"for another source", signedFor("c.example", 0, []string{host}), reasons.SourceMismatch},
		{"expired", signedFor(source, -5*day, []string{host}, func(s *delegation.Statement) { s.Expires = start.Add(-day) }), reasons.Expired},
		{"no statement", "; s=x", reasons.MalformedToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			unpublished(t, Limits{}, func(l *lab) {
				before, err := l.decide(incoming)
				if err != nil {
					t.Fatal(err)
				}
				if refused := l.brings(named, c.record, c.want); !MayFallBack(refused) {
					t.Error("it may not fall back")
				}
				after, err := l.decide(incoming)
				if err != nil || after.Association != before.Association || after.Required || after.RefreshAt != before.RefreshAt {
					t.Errorf("the decision has changed: %s, %v", told(after), err)
				}
				if n := l.network.count(); n != 1 || !l.inMemory().Floor.IsZero() || l.store.raised != 0 {
					t.Errorf("%d lookups, floor %+v", n, l.inMemory().Floor)
				}
			})
		})
	}
}

// TestBroughtNewer: a newer statement replaces the older, which another peer brought, or
// which was published once; and never the other way round.
func TestBroughtNewer(t *testing.T) {
	named, another := chain(t, host), chain(t, other)
	unpublished(t, Limits{}, func(l *lab) {
		l.brings(named, statement(0, host), "")
		l.brings(another, "", reasons.PeerNameMismatch)
		l.brings(another, statement(time.Minute, other), "")
		l.want(incoming, 1, other)
		l.brings(named, statement(0, host), reasons.Superseded)
		l.want(incoming, 1, other)
	})
	unpublished(t, Limits{}, func(l *lab) {
		l.network.has(statement(0, host))
		l.brings(named, "", "")
		l.network.has()
		time.Sleep(day)
		l.brings(named, "", "") // C10a
		l.brings(another, statement(time.Minute, other), "")
		l.want(incoming, 2, other)
	})
}

// TestBroughtAtOnce: many peers bring the same statement while the first is looked up,
// and others bring bad ones. All are answered from one lookup, and another where somebody
// asks just when the first statement has become known.
func TestBroughtAtOnce(t *testing.T) {
	named := chain(t, host)
	good, bad := inStream(t, statement(0, host)), inStream(t, "; s=x.y.z")
	unpublished(t, Limits{}, func(l *lab) {
		failures := make(chan error, 200)
		for i := range 200 {
			go func() {
				p := peer(named)
				p.Addr, p.Statement = netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", i)), good
				if i%2 == 1 {
					p.Statement = bad
				}
				_, err := l.Check(l.Context(), source, service, p)
				if i%2 == 0 {
					failures <- err
				}
			}()
		}
		for range 100 {
			if err := <-failures; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if got := l.names(incoming); !slices.Equal(got, []string{host}) || l.network.count() > 2 {
			t.Errorf("the names %q count after %d lookups", got, l.network.count())
		}
		empty(l)
	})
}

// TestBroughtLane: judging what peers bring has slots of its own. Where they are taken,
// nothing else waits, and the peer hears why.
func TestBroughtLane(t *testing.T) {
	named := chain(t, host)
	unpublished(t, Limits{}, func(l *lab) {
		l.full(laneStream)
		err := l.brings(named, statement(0, host), reasons.Overloaded)
		if MayFallBack(err) {
			t.Error("it may fall back")
		}
		if took := time.Since(start); took != 100*time.Millisecond+queueTimeout {
			t.Errorf("after %s", took)
		}
		l.network.has(statement(time.Minute, other))
		time.Sleep(maxNegative)
		asked := time.Now()
		l.want(incoming, 2, other)
		if took := time.Since(asked); took != 100*time.Millisecond {
			t.Errorf("another question waited %s", took)
		}
	})
}

// TestBroughtMeanwhile: while a statement is judged, a lookup finds something else. The
// owner's word counts.
func TestBroughtMeanwhile(t *testing.T) {
	named := chain(t, host)
	unpublished(t, Limits{}, func(l *lab) {
		l.why(incoming, reasons.NoStatement)
		l.store.beforeRaise = func() { l.network.has(statement(time.Minute)) }
		l.brings(named, statement(0, host), "")
		time.Sleep(maxNegative)
		l.why(incoming, reasons.Revoked)
	})
	// The memory knows a newer one, which no place has.
	unpublished(t, Limits{}, func(l *lab) {
		l.why(incoming, reasons.NoStatement)
		l.store.elsewhere(floorOf(time.Minute, other))
		l.brings(named, statement(0, host), reasons.Superseded)
	})
}

// TestShown: an outgoing connection reads the statement in the receiver's features, where
// nothing is published, and connects again. What is handed out is a fresh connection.
func TestShown(t *testing.T) {
	w := newDialing(t)
	w.dialer.Client.Via, w.dialer.Client.HTTPSRoots = discovery.ViaBoth, w.dialer.roots
	w.add(srv(service, 0, 0, 5269, host))
	statement := world.Statement(source, service, time.Now().Add(-time.Hour), host)
	show := func(s delegation.Statement) string {
		text := inStream(t, world.Record(s, w.Of(s.Source))).Text()
		return "<dna xmlns='urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654'><statement encoding='jws'>" + text + "</statement></dna>"
	}
	server := w.serve(host, 5269, peerserver.None, host)
	server.Offer("<dialback xmlns='urn:xmpp:features:dialback'/>")
	w.refused(reasons.PeerNameMismatch, reasons.PeerNameMismatch)
	server.Offer(show(statement))
	before := len(server.States())
	conn := w.accepted(to(host, 5269), association.Delegation, 1)
	if _, err := conn.Write([]byte("<?xml version='1.0'?>")); err != nil {
		t.Error(err)
	}
	for waited := time.Now(); len(server.States()) != before+2; time.Sleep(time.Millisecond) { // it notes them a little later
		if time.Since(waited) > patience {
			t.Fatalf("%d handshakes", len(server.States())-before)
		}
	}
	// Anybody can show something.
	w.dialer.Floors = newStore()
	for name, features := range map[string]string{
		"nothing": "<dna xmlns='urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654'/>", "two": show(statement) + show(statement), "huge": strings.Repeat("<a/>", 20000),
		"broken": "<dna><", "for others": show(world.Statement("c.example", service, time.Now().Add(-time.Hour), host)),
		"other hosts": show(world.Statement(source, service, time.Now().Add(-time.Hour), other)),
	} {
		server.Offer(features)
		if _, err := w.dial(); !slices.Contains([]reasons.Reason{reasons.PeerNameMismatch, reasons.TargetMismatch}, delegation.ReasonOf(err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
