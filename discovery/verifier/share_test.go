package verifier

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
)

const further = "c.example"

// TestShare: which further source a connection of b.example's may serve. Rule R1 is
// tested in package association.
func TestShare(t *testing.T) {
	signer(further) // before the bubble
	exact, wildcard, both := chain(t, host), chain(t, "*.hosting.example"), chain(t, host, further)
	at := delegation.Endpoint{Host: host, Port: 5269}
	in, out := association.Incoming, association.Outgoing
	for _, c := range []struct {
		name    string
		opened  Peer
		records []string // of the further source
		want    reasons.Reason
	}{
		{"delegated to the same host", Peer{Direction: in, Chain: exact}, []string{signedFor(further, 0, []string{host})}, ""},
		{"delegated to the same endpoint", Peer{Direction: out, Endpoint: at, Chain: exact}, []string{signedFor(further, 0, []string{host})}, ""},
		{"at an endpoint that nobody tells", Peer{Direction: out, Chain: exact}, []string{signedFor(further, 0, []string{host})}, reasons.MissingInput},
		{"delegated to another host", Peer{Direction: in, Chain: exact}, []string{signedFor(further, 0, []string{other})}, reasons.PeerNameMismatch},
		{"delegated to another endpoint", Peer{Direction: out, Endpoint: at, Chain: exact}, []string{signedFor(further, 0, []string{other})}, reasons.TargetMismatch},
		{"by a wildcard", Peer{Direction: in, Chain: wildcard}, []string{signedFor(further, 0, []string{host})}, reasons.PeerNameMismatch},
		{"by its own name only", Peer{Direction: in, Chain: both}, nil, reasons.NoStatement},
		{"revoked", Peer{Direction: in, Chain: exact}, []string{signedFor(further, 0, nil)}, reasons.Revoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
				l.network.set(func(n *network) { n.records[further] = c.records })
				first := l.proven(c.opened)
				shared, err := l.Share(l.Context(), first, further)
				if delegation.ReasonOf(err) != c.want || (err == nil) != (c.want == "") {
					t.Fatalf("got %v, want %q", err, c.want)
				}
				if err != nil {
					return
				}
				if shared.Source != further || shared.Service != service || shared.Direction != c.opened.Direction || shared.Endpoint != c.opened.Endpoint || shared.Reference.Name != host {
					t.Errorf("got %+v", shared)
				}
				if again, err := l.Share(l.Context(), shared, source); err != nil || again.Source != source {
					t.Errorf("the source that it was opened for: %+v, %v", again, err)
				}
			})
		})
	}
}

// TestShareStaysStrict: what serves a further source is held to the strict rule
// from then on, whatever names the certificate has besides.
func TestShareStaysStrict(t *testing.T) {
	signer(further)
	both := chain(t, host, further)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.records[further] = []string{signedFor(further, 0, []string{host})} })
		first := l.proven(peer(both))
		shared, err := l.Share(l.Context(), first, further)
		if err != nil || shared.Reference.Method != association.Delegation {
			t.Fatalf("got %+v, %v", shared, err)
		}
		opened, release := l.Hold(l.Context(), first)
		defer release()
		serves, release := l.Hold(l.Context(), shared)
		defer release()
		l.network.set(func(n *network) { n.records[further] = []string{signedFor(further, time.Minute, nil)} })
		time.Sleep(time.Minute)
		if took, cause := lasts(serves, day); delegation.ReasonOf(cause) != reasons.Revoked {
			t.Errorf("ended after %s: %v", took, cause)
		}
		if _, err := l.Share(l.Context(), shared, further); delegation.ReasonOf(err) != reasons.Revoked {
			t.Errorf("shared again: %v", err)
		}
		if cause := context.Cause(opened); cause != nil {
			t.Errorf("the source that it was opened for ended too: %v", cause)
		}
		if _, err := l.Check(l.Context(), further, service, peer(both)); err != nil {
			t.Errorf("a connection of its own: %v", err)
		}
	})
}

// TestShareOvertaken: an open connection may stay where a newer statement is known
// that is not here yet. That lets no further source in.
func TestShareOvertaken(t *testing.T) {
	signer(further)
	exact := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.records[further] = []string{signedFor(further, 0, []string{host})} })
		first := l.proven(peer(exact))
		shared, err := l.Share(l.Context(), first, further)
		if err != nil {
			t.Fatal(err)
		}
		l.full(laneKnown)
		f := shared.Decision.Association.Floor()
		f.Order.Issued, f.Targets = f.Order.Issued.Add(time.Minute), floorOf(0, other).Targets
		if _, err := l.store.Raise(l.Context(), further, service, floors.Record{Floor: f}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		open := shared.peer
		open.Recheck = true
		stays, err := l.Check(l.Context(), further, service, open)
		if err != nil {
			t.Fatalf("an open connection: %v", err)
		}
		if _, err := l.Share(l.Context(), stays, further); delegation.ReasonOf(err) != reasons.Overloaded || MayFallBack(err) {
			t.Errorf("a further source: %v", err)
		}
	})
}
