package verifier

import (
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// own is a key of the source with a certificate of its own.
var own = sync.OnceValue(func() *keys.Signer {
	return localca.Must(keys.SelfIssue(localca.Must(localca.NewKey("P-256")), source, start.Add(-day), start.Add(60*day)))
})

// byOwn is a statement by it.
func byOwn(issued time.Duration, hosts ...string) string {
	return world.Record(world.Statement(source, service, start.Add(issued), hosts...), own())
}

// names has a signed zone without SRV records name the keys of signers for ten
// minutes, or none.
func (n *network) names(signers ...*keys.Signer) {
	answer := func(name string, ttl uint32) delegation.Answer {
		return delegation.Answer{Name: name, DNSSEC: delegation.Secure, TTL: ttl}
	}
	n.srv = delegation.SRVAnswer{Answer: answer(delegation.SRVName(source, service), 3600)}
	a := delegation.TLSAAnswer{Answer: answer(delegation.SignerName(source, service), 600)}
	for _, s := range signers {
		sum := sha256.Sum256(s.Leaf().RawSubjectPublicKeyInfo)
		a.Records = append(a.Records, delegation.TLSARecord{Usage: 3, Selector: 1, Matching: 1, Data: sum[:]})
	}
	n.signers = []delegation.TLSAAnswer{a}
}

// TestNamedKey: a decision by a named key ends when the TTL has passed after the
// key was taken out of the zone, and so does an open stream.
func TestNamedKey(t *testing.T) {
	delegated := chain(t, host)
	own() // before the bubble
	for name, gone := range map[string]func(n *network){
		"another key":   func(n *network) { n.names(signer(source)) },
		"no key":        func(n *network) { n.names() },
		"no DNSSEC":     func(n *network) { n.srv, n.signers = delegation.SRVAnswer{}, nil },
		"a broken zone": func(n *network) { n.signers[0].DNSSEC, n.signers[0].Records = delegation.Bogus, nil },
		"no answer": func(n *network) {
			n.signers[0].Failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "silence"}
		},
		"a provider's":   func(n *network) { n.signers[0].Alias = true },
		"a wildcard now": func(n *network) { n.signers[0].Wildcard = true },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, []string{byOwn(0, host)}, Limits{}, func(l *lab) {
				l.network.set(func(n *network) { n.names(own()) })
				l.want(incoming, 1, host)
				proof := l.proven(peer(delegated))
				ctx, release := l.Hold(l.Context(), proof)
				defer release()
				l.network.set(func(n *network) {
					n.names(own()) // a new answer: the old one is evidence
					gone(n)
				})
				time.Sleep(9 * time.Minute)
				if got := l.names(incoming); len(got) != 1 || ctx.Err() != nil {
					t.Errorf("before the TTL has passed: %q, %v", got, ctx.Err())
				}
				time.Sleep(2 * time.Minute)
				if got := l.names(incoming); len(got) != 0 || ctx.Err() == nil {
					t.Errorf("after the TTL has passed: %q, %v", got, ctx.Err())
				}
			})
		})
	}
}

// TestNamedKeyStays: while the zone names the key, nothing ends.
func TestNamedKeyStays(t *testing.T) {
	delegated := chain(t, host)
	own()
	bubble(t, []string{byOwn(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.names(own()) })
		l.want(incoming, 1, host)
		ctx, release := l.Hold(l.Context(), l.proven(peer(delegated)))
		defer release()
		time.Sleep(2 * day)
		if ctx.Err() != nil {
			t.Error("the stream ended while its key is named")
		}
	})
}

// TestKinds: nodes that share a store and do not all validate DNSSEC. What one of
// them has seen shuts the older statement of the other kind out.
func TestKinds(t *testing.T) {
	own()
	bubble(t, []string{byOwn(0, host)}, Limits{}, func(l *lab) {
		l.network.set(func(n *network) { n.names(own()) })
		l.want(incoming, 1, host)
		plain, err := New(Config{Discovery: newNetwork(statement(time.Minute, host)), Floors: l.store, Roots: pool()})
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		d, err := plain.ask(l.Context(), outgoing)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Association.Statement(); delegation.ReasonOf(err) != reasons.Superseded {
			t.Errorf("%s, %v", told(d), err)
		}
	})
}
