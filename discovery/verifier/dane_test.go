package verifier

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// A pointing network also tells what DNS says of endpoints.
type pointing struct {
	*network
	records  atomic.Pointer[[]delegation.TLSARecord]
	fails    atomic.Bool
	takes    time.Duration
	asked    atomic.Int32
	under    atomic.Int32
	most     atomic.Int32
	insecure bool // the resolver does not validate
}

func (p *pointing) Validates() bool { return !p.insecure }

// has has TLSA records of usage 3 for keys at every endpoint.
func (p *pointing) has(keys ...*x509.Certificate) {
	records := []delegation.TLSARecord{}
	for _, c := range keys {
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		records = append(records, delegation.TLSARecord{Usage: 3, Selector: 1, Matching: 1, Data: sum[:]})
	}
	p.records.Store(&records)
}

func (p *pointing) GatherEndpoint(ctx context.Context, at delegation.Endpoint) (*delegation.EndpointAnswer, error) {
	p.asked.Add(1)
	n := p.under.Add(1)
	defer p.under.Add(-1)
	for most := p.most.Load(); n > most && !p.most.CompareAndSwap(most, n); most = p.most.Load() {
	}
	secure := delegation.Answer{Name: at.Host, DNSSEC: delegation.Secure, TTL: 3600}
	a := &delegation.EndpointAnswer{Endpoint: at, Collected: time.Now(), Address: delegation.AddressAnswer{Answer: secure}, TLSA: &delegation.TLSAAnswer{Answer: secure}}
	if !sleep(ctx, p.takes) || p.fails.Load() {
		a.TLSA.Failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
		return a, nil
	}
	a.TLSA.Records = *p.records.Load()
	return a, nil
}

func (p *pointing) DialEndpoint(context.Context, *delegation.EndpointAnswer) (net.Conn, error) {
	return nil, errAway
}

// stranger is a certificate that leads to no trust anchor.
func stranger() *x509.Certificate { return world.At(time.Now()).Of("nobody.example").Leaf() }

// pointed runs a test in a bubble, with a peer whose key the TLSA records name.
func pointed(t *testing.T, records []string, f func(l *lab, p *pointing)) {
	signer(source)
	synctest.Test(t, func(t *testing.T) {
		p := &pointing{network: newNetwork(records...), takes: 50 * time.Millisecond}
		l := &lab{T: t, network: p.network, store: newStore()}
		var err error
		l.Verifier, err = New(Config{Discovery: p, Floors: l.store, Roots: pool(), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Verifier.Close()
		synctest.Wait()
		f(l, p)
	})
}

// TestDANEHold: a proof by a TLSA record ends when the record is gone, within its
// TTL, and lasts as long as the record is there.
func TestDANEHold(t *testing.T) {
	mine, other := stranger(), stranger()
	in := Peer{Direction: association.Incoming, Chain: []*x509.Certificate{mine}}
	out := Peer{Direction: association.Outgoing, Chain: []*x509.Certificate{mine}, Endpoint: to(host, 5269)}
	const asked = time.Hour * 3 / 4 // at the earliest
	for _, c := range []struct {
		name     string
		peer     Peer
		happens  func(*pointing)
		from, to time.Duration
		reason   reasons.Reason
	}{
		{"the record stays", in, func(*pointing) {}, 13 * time.Hour, 13 * time.Hour, ""},
		{"the record stays, outgoing", out, func(*pointing) {}, 13 * time.Hour, 13 * time.Hour, ""},
		{"another key beside it", in, func(p *pointing) { p.has(other, mine) }, 13 * time.Hour, 13 * time.Hour, ""},
		{"the record is gone", in, func(p *pointing) { p.has() }, asked, time.Hour, reasons.PeerUntrusted},
		{"the record is gone, outgoing", out, func(p *pointing) { p.has() }, asked, time.Hour, reasons.PeerUntrusted},
		{"another key", in, func(p *pointing) { p.has(other) }, asked, time.Hour, reasons.PeerUntrusted},
		{"another key, outgoing", out, func(p *pointing) { p.has(other) }, asked, time.Hour, reasons.DANEMismatch},
		{"no answer", in, func(p *pointing) { p.fails.Store(true) }, asked, time.Hour, reasons.PeerUntrusted},
		{"no answer, outgoing", out, func(p *pointing) { p.fails.Store(true) }, 59 * time.Minute, time.Hour, reasons.ProofExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			pointed(t, []string{statement(0, host)}, func(l *lab, p *pointing) {
				p.has(mine)
				proof := l.proven(c.peer)
				if proof.TLSA == nil || proof.Reference.Method != association.Delegation || proof.Until.After(time.Now().Add(time.Hour)) {
					t.Fatalf("got %+v", proof)
				}
				ctx, release := l.Hold(l.Context(), proof)
				defer release()
				c.happens(p)
				lasted, err := lasts(ctx, 13*time.Hour)
				if lasted < c.from || lasted > c.to || delegation.ReasonOf(err) != c.reason {
					t.Errorf("it ended after %s: %v, want %s to %s, %s", lasted, err, c.from, c.to, c.reason)
				}
				if asked := p.asked.Load(); asked > 30 {
					t.Errorf("asked %d times", asked)
				}
			})
		})
	}
}

// TestDANEAsked: what DNS says of endpoints is asked for only where it may change the
// answer, once for all who wait, and remembered.
func TestDANEAsked(t *testing.T) {
	mine := stranger()
	named, own := chain(t, host), chain(t, source)
	in := func(chain ...*x509.Certificate) Peer { return Peer{Direction: association.Incoming, Chain: chain} }
	out := func(chain ...*x509.Certificate) Peer {
		return Peer{Direction: association.Outgoing, Chain: chain, Endpoint: to(host, 5269)}
	}
	for _, c := range []struct {
		name  string
		peer  Peer
		keys  []*x509.Certificate
		asked int32
		want  reasons.Reason
	}{
		{"a good certificate, incoming", in(named...), []*x509.Certificate{mine}, 0, reasons.Verified},
		{"a good certificate, outgoing", out(named...), []*x509.Certificate{mine}, 1, reasons.DANEMismatch},
		{"a good certificate, outgoing, and no records", out(named...), nil, 1, reasons.Verified},
		{"the source's own, incoming", in(own...), []*x509.Certificate{mine}, 0, reasons.Verified},
		{"the source's own, outgoing", out(own...), []*x509.Certificate{mine}, 0, reasons.Verified},
		{"its own key, incoming", in(mine), []*x509.Certificate{mine}, 1, reasons.Verified},
		{"another key, incoming", in(stranger()), []*x509.Certificate{mine}, 1, reasons.PeerUntrusted},
		{"no certificate, incoming", in(), []*x509.Certificate{mine}, 0, reasons.PeerUntrusted},
		{"another endpoint", Peer{Direction: association.Outgoing, Chain: named, Endpoint: to(host, 443)}, []*x509.Certificate{mine}, 0, reasons.PortMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			pointed(t, []string{statement(0, host)}, func(l *lab, p *pointing) {
				p.has(c.keys...)
				for range 3 {
					_, err := l.Check(l.Context(), source, service, c.peer)
					if got := delegation.ReasonOf(err); got != c.want && (err != nil || c.want != reasons.Verified) {
						t.Errorf("got %v, want %s", err, c.want)
					}
					if c.want == reasons.DANEMismatch && MayFallBack(err) {
						t.Error("something weaker may do")
					}
				}
				if got := p.asked.Load(); got != c.asked {
					t.Errorf("asked %d times, want %d", got, c.asked)
				}
			})
		})
	}
}

// TestDANECrowd: many peers at one time share a lookup, and no more lookups are under
// way than there may be.
func TestDANECrowd(t *testing.T) {
	mine := stranger()
	pointed(t, []string{statement(0, host)}, func(l *lab, p *pointing) {
		p.has(mine)
		p.takes = time.Second
		list := make([]delegation.Endpoint, 2*maxEndpointLookups)
		for i := range list {
			list[i] = to(host, uint16(i+1))
		}
		done := make(chan []delegation.EndpointAnswer)
		for range 4 {
			go func() { done <- l.endpoints.about(l.Context(), list) }()
		}
		for range 4 {
			answers := <-done
			lost := slices.IndexFunc(answers, func(a delegation.EndpointAnswer) bool { return a.Address.Failure != nil })
			if lost != maxEndpointLookups {
				t.Errorf("answers for %d endpoints, want %d", lost, maxEndpointLookups)
			}
		}
		if got := p.asked.Load(); got != maxEndpointLookups || p.most.Load() > maxEndpointLookups {
			t.Errorf("asked %d times, %d at a time", got, p.most.Load())
		}
		// Too many records do not push out more than they weigh.
		if w := l.endpoints.known.Weight(); w <= 0 || w > maxEndpointBytes {
			t.Errorf("the answers weigh %d", w)
		}
	})
}

// TestDANEClosed: nothing is asked by a Verifier that is closed.
func TestDANEClosed(t *testing.T) {
	pointed(t, nil, func(l *lab, p *pointing) {
		p.has()
		l.Close()
		if a := l.endpoints.about(l.Context(), []delegation.Endpoint{to(host, 1)}); a[0].Address.Failure == nil || p.asked.Load() != 0 {
			t.Errorf("got %+v", a)
		}
	})
}

// TestDANENotValidating: a resolver that does not validate says nothing of endpoints.
func TestDANENotValidating(t *testing.T) {
	for name, n := range map[string]Network{"no such methods": newNetwork(), "does not validate": &pointing{network: newNetwork(), insecure: true}} {
		if newEndpoints(n, nil, nil) != nil {
			t.Errorf("%s: endpoints are asked about", name)
		}
	}
}
