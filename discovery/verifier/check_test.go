package verifier

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/text"
)

// chain is a certificate for names.
func chain(t *testing.T, names ...string) []*x509.Certificate {
	t.Helper()
	return around.Issue(-10*day, 60*day, names...).Chain()
}

func peer(chain []*x509.Certificate) Peer { return Peer{Direction: association.Incoming, Chain: chain} }

// TestCheck: a peer counts by its own name without a lookup, by a statement with
// one, and otherwise not. Only what the error says decides on a fallback.
func TestCheck(t *testing.T) {
	delegated, own, strange := chain(t, host), chain(t, source), chain(t, other)
	foreign := world.At(start).Of(host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		proof, err := l.Check(l.Context(), source, service, peer(own))
		if err != nil || proof.Reference.Method != association.PKIX || proof.Decision != nil || l.network.count() != 0 {
			t.Errorf("its own certificate: %+v, %v", proof, err)
		}
		proof, err = l.Check(l.Context(), source, direct, peer(delegated))
		if err != nil || proof.Reference.Method != association.Delegation || proof.Reference.Name != host ||
			proof.Source != source || proof.Service != service || proof.Decision == nil || !proof.Until.Equal(start.Add(14*day)) {
			t.Errorf("delegated: %+v, %v", proof, err)
		}
		if got, want := proof.String(), host+" may act for "+source+" ("+service+", incoming) by delegation until "+text.Stamp(start.Add(14*day)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		alone := peer(foreign.Chain()[:1])
		if _, err = l.Check(l.Context(), source, service, alone); delegation.ReasonOf(err) != reasons.PeerUntrusted {
			t.Errorf("of another authority: %v", err)
		}
		alone.ChainVerified = true
		if proof, err = l.Check(l.Context(), source, service, alone); err != nil || proof.Reference.Name != host {
			t.Errorf("of another authority, by which the caller verified it: %+v, %v", proof, err)
		}
		if _, err = l.Check(l.Context(), source, service, Peer{Direction: association.Incoming, ChainVerified: true}); delegation.ReasonOf(err) != reasons.PeerUntrusted {
			t.Errorf("no certificate, which the caller verified: %v", err)
		}
		if _, err = l.Check(l.Context(), source, service, peer(strange)); delegation.ReasonOf(err) != reasons.PeerNameMismatch || MayFallBack(err) {
			t.Errorf("another name: %v, may fall back %t", err, MayFallBack(err))
		}
		if _, err = l.Check(l.Context(), source, service, peer(nil)); delegation.ReasonOf(err) != reasons.PeerUntrusted || MayFallBack(err) {
			t.Errorf("no certificate: %v, may fall back %t", err, MayFallBack(err))
		}
		if _, err = l.Check(l.Context(), "c.example", service, peer(strange)); delegation.ReasonOf(err) != reasons.NoStatement || !MayFallBack(err) {
			t.Errorf("no statement: %v, may fall back %t", err, MayFallBack(err))
		}
		if _, err = l.Check(l.Context(), "b.example:5269", service, peer(strange)); delegation.ReasonOf(err) != reasons.BadQuery || MayFallBack(err) {
			t.Errorf("a name that is none: %v, may fall back %t", err, MayFallBack(err))
		}
		l.store.away(true)
		if _, err = l.Check(l.Context(), "d.example", service, peer(strange)); delegation.ReasonOf(err) != reasons.MemoryFailed || MayFallBack(err) {
			t.Errorf("no memory: %v, may fall back %t", err, MayFallBack(err))
		}
	})
	for _, err := range []error{nil, errors.New("unknown"), delegation.Errorf(reasons.NoStatement, "x")} {
		if MayFallBack(err) {
			t.Errorf("%v: may fall back", err)
		}
	}
}

// TestUsualForms: whoever writes the name of a source in another form asks about
// the same source, and gets the same decision.
func TestUsualForms(t *testing.T) {
	delegated, strange := chain(t, host), chain(t, other)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		for _, form := range [][2]string{
			{source, service}, {"B.Example", "xmpp-server"}, {"b.example.", "_XMPP-Server._TCP"}, {"\uff22.EXAMPLE.", "xmpps-server"}, {source, direct},
		} {
			proof, err := l.Check(l.Context(), form[0], form[1], peer(delegated))
			if err != nil || proof.Source != source || proof.Service != service || proof.Reference.Name != host {
				t.Errorf("%q: %+v, %v", form, proof, err)
			}
			if _, err = l.Check(l.Context(), form[0], form[1], peer(strange)); delegation.ReasonOf(err) != reasons.PeerNameMismatch || MayFallBack(err) {
				t.Errorf("%q, another name: %v, may fall back %t", form, err, MayFallBack(err))
			}
			d, err := l.Decide(l.Context(), Question{Source: form[0], Service: form[1], Direction: association.Incoming})
			if err != nil || !d.Cached || d.Association.Question().Source != source {
				t.Errorf("%q: %+v, %v", form, d, err)
			}
		}
		if n := l.network.count(); n != 1 {
			t.Errorf("%d lookups", n)
		}
		long := strings.Repeat("a", 400) + "." + strings.Repeat("\u00ad", 400) + source
		for _, form := range [][2]string{{"", service}, {"example", service}, {"*.example", service}, {"b..example", service}, {long, service}, {source, ""}, {source, "xmpp server"}, {source, "xmpp._sctp"}} {
			_, err := l.Check(l.Context(), form[0], form[1], peer(delegated))
			_, err2 := l.Decide(l.Context(), Question{Source: form[0], Service: form[1], Direction: association.Incoming})
			if delegation.ReasonOf(err) != reasons.BadQuery || delegation.ReasonOf(err2) != reasons.BadQuery || MayFallBack(err) || MayFallBack(err2) {
				t.Errorf("%q: %v, %v", form, err, err2)
			}
		}
	})
}

// TestFloorAtThatMoment: a newer statement becomes known while the peer's chain is
// about to be checked. The decision from before lets nobody in by delegation.
func TestFloorAtThatMoment(t *testing.T) {
	delegated, both := chain(t, host), chain(t, host, source)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		d, err := l.Decide(l.Context(), incoming)
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string, recheck bool, chain []*x509.Certificate, want reasons.Reason) {
			t.Helper()
			p := peer(chain)
			p.Recheck = recheck
			if _, err := l.Prove(l.Context(), d, p); delegation.ReasonOf(err) != want {
				t.Errorf("%s: got %v, want %q", when, err, want)
			}
		}
		if _, err := l.Prove(l.Context(), d, Peer{Direction: association.Outgoing, Chain: delegated}); delegation.ReasonOf(err) != reasons.MissingInput {
			t.Errorf("another direction: %v", err)
		}
		check("before", false, delegated, "")
		l.store.elsewhere(floorOf(time.Hour, other))
		check("after", false, delegated, reasons.Superseded)
		check("after, its own certificate", false, both, "")
		check("after, an open connection", true, delegated, reasons.Superseded)
		d.Overtaken = true // as the Verifier says, once it knows
		check("overtaken", false, delegated, reasons.Superseded)
		check("overtaken, an open connection", true, delegated, "")
	})
}

// TestProveLater: a decision that somebody kept proves nobody once it has ended,
// neither while the memory is away nor for an open connection. None proves nobody
// either.
func TestProveLater(t *testing.T) {
	delegated, both := chain(t, host), chain(t, host, source)
	recheck := peer(delegated)
	recheck.Recheck = true
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.store.away(true)
		synctest.Wait()
		unsure, err := l.Decide(l.Context(), incoming)
		if err != nil || unsure.Until.IsZero() {
			t.Fatalf("got %+v, %v", unsure, err)
		}
		l.proves("at once", unsure, peer(delegated), "")
		time.Sleep(maxUnsure)
		l.proves("without the memory", unsure, peer(delegated), reasons.ProofExpired)
		l.proves("its own certificate", unsure, peer(both), "")
		l.proves("no decision", nil, peer(both), reasons.MissingInput)
	})
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.network.set(func(n *network) { n.takes = time.Hour })
		l.store.elsewhere(floorOf(time.Hour, other))
		synctest.Wait()
		overtaken, err := l.Decide(l.Context(), Question{Source: source, Service: service, Direction: association.Incoming, Recheck: true})
		if err != nil || !overtaken.Overtaken {
			t.Fatalf("got %+v, %v", overtaken, err)
		}
		l.proves("at once", overtaken, recheck, "")
		time.Sleep(maxOvertaken)
		l.proves("an open connection", overtaken, recheck, reasons.ProofExpired)
	})
}

// TestProveForgotten: of a decision that is no longer in the cache nobody tells that
// it was overtaken, so the memory is asked.
func TestProveForgotten(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		d, err := l.Decide(l.Context(), incoming)
		synctest.Wait()
		if err != nil {
			t.Fatal(err)
		}
		l.mu.Lock()
		l.cache.clear()
		clear(l.roles)
		l.mu.Unlock()
		l.proves("still the newest", d, peer(delegated), "")
		l.store.read = errAway
		l.proves("the memory is away", d, peer(delegated), reasons.MemoryFailed)
		l.store.read = nil
		l.store.elsewhere(floorOf(time.Hour, other))
		l.proves("overtaken", d, peer(delegated), reasons.Superseded)
	})
	bubble(t, nil, Limits{}, func(l *lab) {
		d, err := l.Decide(l.Context(), incoming)
		synctest.Wait()
		if err != nil || d.Required {
			t.Fatalf("got %+v, %v", d, err)
		}
		l.mu.Lock()
		l.cache.clear()
		clear(l.roles)
		l.mu.Unlock()
		l.store.elsewhere(floorOf(0, host))
		l.proves("nothing then, a statement now", d, peer(delegated), reasons.NoStatement)
	})
}

// proves holds a peer to a decision and wants that reason, "" for a proof.
func (l *lab) proves(when string, d *Decision, p Peer, want reasons.Reason) {
	l.Helper()
	proof, err := l.Prove(l.Context(), d, p)
	if delegation.ReasonOf(err) != want || err != nil && MayFallBack(err) || err == nil && !proof.Until.After(l.now().clock) {
		l.Errorf("%s: got %+v, %v, want %q", when, proof, err, want)
	}
}

// TestRecheckMeanwhile: the newer statement comes to be known while an answer
// about an open connection waits for a processor. That ends it no more than if
// it had been asked about a moment later.
func TestRecheckMeanwhile(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.want(incoming, 1, host)
		l.network.set(func(n *network) { n.takes = time.Hour })
		for range cap(l.checking) {
			l.checking <- struct{}{}
		}
		var proof *Proof
		var err error
		told := make(chan struct{})
		go func() {
			defer close(told)
			p := peer(delegated)
			p.Recheck = true
			proof, err = l.Check(l.Context(), source, service, p)
		}()
		synctest.Wait() // it has its decision
		l.store.elsewhere(floorOf(time.Hour, host, other))
		for range cap(l.checking) {
			<-l.checking
		}
		<-told
		if err != nil || proof == nil || proof.Until.After(start.Add(maxOvertaken)) || proof.Decision.RefreshAt.After(time.Now().Add(overtakenRetry)) {
			t.Errorf("an open connection is told %+v, %v", proof, err)
		}
	})
}

// TestServerConfig: a peer is asked for a certificate, and may have none. What the
// server requires, and its other configurations, stay.
func TestServerConfig(t *testing.T) {
	if c := ServerConfig(nil); c.ClientAuth != tls.RequestClientCert || !c.SessionTicketsDisabled || c.MinVersion != tls.VersionTLS12 {
		t.Errorf("of nothing: %+v", c)
	}
	base := &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert}
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{ClientAuth: tls.RequireAnyClientCert, ServerName: "other"}, nil
	}
	c := ServerConfig(base)
	if c.ClientAuth != tls.RequestClientCert || c.MinVersion != tls.VersionTLS13 || base.SessionTicketsDisabled {
		t.Errorf("of a base: %+v, which is now %+v", c, base)
	}
	further, err := c.GetConfigForClient(nil)
	if err != nil || further.ClientAuth != tls.RequireAnyClientCert || !further.SessionTicketsDisabled || further.MinVersion != tls.VersionTLS12 || further.ServerName != "other" {
		t.Errorf("for a client: %+v, %v", further, err)
	}
}

// TestExamplesAreShort: a client takes at most 10 lines, a server 15.
func TestExamplesAreShort(t *testing.T) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "example_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	most := map[string]int{"reach": 10, "serve": 15}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || most[fn.Name.Name] == 0 {
			continue
		}
		if n := files.Position(fn.Body.Rbrace).Line - files.Position(fn.Body.Lbrace).Line - 1; n > most[fn.Name.Name] {
			t.Errorf("%s has %d lines", fn.Name.Name, n)
		}
		delete(most, fn.Name.Name)
	}
	if len(most) > 0 {
		t.Errorf("not found: %v", most)
	}
}
