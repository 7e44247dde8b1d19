package verifier

import (
	"context"
	"crypto/x509"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// proven is the proof of a peer.
func (l *lab) proven(p Peer) *Proof {
	l.Helper()
	proof, err := l.Check(l.Context(), source, service, p)
	if err != nil {
		l.Fatal(err)
	}
	synctest.Wait()
	return proof
}

// forADay is a statement that ends after a day.
func forADay() string {
	return signedFor(source, 0, []string{host}, func(s *delegation.Statement) { s.Expires = start.Add(day) })
}

// lasts waits at most so long for the end of a held proof.
func lasts(ctx context.Context, most time.Duration) (time.Duration, error) {
	begun := time.Now()
	select {
	case <-ctx.Done():
	case <-time.After(most):
	}
	return time.Since(begun), context.Cause(ctx)
}

// TestHold: what ends a held proof, when, and for which reason. Nobody asks.
func TestHold(t *testing.T) {
	delegated, own := chain(t, host), chain(t, source)
	hidden := func(n *network) { n.records[source] = nil }
	timeout := func(n *network) {
		n.failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
	}
	secured := func(n *network) {
		n.records[source] = nil
		n.srv = delegation.SRVAnswer{
			Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 3600},
			Records: []delegation.SRVRecord{{Port: 5269, Target: host}},
		}
	}
	const (
		most  = 15 * day // that a proof is held, or 2 if it does not end
		none  = 0        // it does not end
		end   = day - time.Hour
		later = 14*day - time.Hour // of another statement
	)
	for _, c := range []struct {
		name     string
		chain    []*x509.Certificate
		before   func(*network)
		happens  func(*lab) // after an hour
		from, to time.Duration
		reason   reasons.Reason
	}{
		{"renewed", delegated, nil, func(l *lab) { l.network.has(statement(20*time.Minute, host)) }, later + 20*time.Minute, later + 20*time.Minute, reasons.ProofExpired},
		{"revoked", delegated, nil, func(l *lab) { l.network.has(statement(time.Minute)) }, 1, 7 * time.Hour, reasons.Revoked},
		{"moved", delegated, nil, func(l *lab) { l.network.has(statement(time.Minute, other)) }, 1, 7 * time.Hour, reasons.PeerNameMismatch},
		{"hidden", delegated, nil, func(l *lab) { l.network.set(hidden) }, end, end, reasons.ProofExpired},
		{"not to be found out", delegated, nil, func(l *lab) { l.network.set(timeout) }, end, end, reasons.ProofExpired},
		{"revoked, as another node has learnt", delegated, nil, func(l *lab) {
			l.network.has(statement(time.Minute))
			l.store.elsewhere(floorOf(time.Minute))
		}, 1, time.Second, reasons.Revoked},
		{"renewed, as another node has learnt", delegated, nil, func(l *lab) {
			l.network.has(statement(time.Minute, host))
			l.store.elsewhere(floorOf(time.Minute, host))
		}, later + time.Minute, later + time.Minute, reasons.ProofExpired},
		{"named beside another, as another node has learnt", delegated, nil, func(l *lab) {
			l.network.has(statement(time.Minute, other, host))
			l.store.elsewhere(floorOf(time.Minute, other, host))
		}, later + time.Minute, later + time.Minute, reasons.ProofExpired},
		{"moved, as another node has learnt, and the old one is shown", delegated, nil, func(l *lab) {
			l.store.elsewhere(floorOf(time.Minute, other))
		}, 1, time.Second, reasons.Superseded},
		{"revoked, as another node has learnt, and not to be found out", delegated, nil, func(l *lab) {
			l.network.set(timeout)
			l.store.elsewhere(floorOf(time.Minute))
		}, 1, time.Second, reasons.ProofExpired},
		{"revoked, as another node has learnt, and no lookup can be made", delegated, nil, func(l *lab) {
			l.full(laneKnown)
			l.store.elsewhere(floorOf(time.Minute))
		}, maxOvertaken, maxOvertaken, reasons.ProofExpired},
		{"the memory is away", delegated, nil, func(l *lab) { l.store.away(true) }, maxUnsure, maxUnsure, reasons.ProofExpired},
		{"the memory is away for a while", delegated, nil, func(l *lab) {
			l.store.away(true)
			time.AfterFunc(maxUnsure*4/5, func() { l.store.away(false) })
		}, end, end, reasons.ProofExpired},
		{"the memory tells nothing", delegated, nil, func(l *lab) { l.store.connect(false) }, end, end, reasons.ProofExpired},
		{"the memory tells nothing, and a revocation is seen elsewhere", delegated, nil, func(l *lab) {
			l.store.connect(false)
			l.store.elsewhere(floorOf(time.Minute))
		}, 1, maxUnsure, reasons.Superseded},
		{"pushed out, and hidden", delegated, nil, func(l *lab) { l.pushOut(); l.network.set(hidden) }, end, end, reasons.ProofExpired},
		{"pushed out, and revoked", delegated, nil, func(l *lab) { l.pushOut(); l.network.has(statement(time.Minute)) }, 1, 7 * time.Hour, reasons.Revoked},
		{"pushed out, and moved elsewhere", delegated, nil, func(l *lab) { l.pushOut(); l.store.elsewhere(floorOf(time.Minute, other)) }, 1, time.Second, reasons.Superseded},
		{"the clock jumps", delegated, nil, func(l *lab) { l.ahead.Store(int64(20 * day)) }, 1, maxHeldSleep, reasons.ProofExpired},
		{"its own certificate", own, nil, func(l *lab) {
			l.network.has(statement(time.Minute))
			l.store.elsewhere(floorOf(time.Minute))
		}, none, none, ""},
		{"secure records, looked up again and again", delegated, secured, func(*lab) {}, none, none, ""},
		{"secure records that are gone", delegated, secured, func(l *lab) { l.network.set(func(n *network) { n.srv = delegation.SRVAnswer{} }) }, 1, time.Hour, reasons.ProofExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, []string{forADay()}, Limits{}, func(l *lab) {
				if c.before != nil {
					l.network.set(c.before)
				}
				ctx, release := l.Hold(l.Context(), l.proven(peer(c.chain)))
				defer release()
				time.Sleep(time.Until(start.Add(time.Hour)))
				c.happens(l)
				if c.reason == "" {
					if took, cause := lasts(ctx, 2*day); cause != nil {
						t.Errorf("ended after %s: %v", took, cause)
					}
					return
				}
				took, cause := lasts(ctx, most)
				var e *Error
				if !errors.As(cause, &e) || e.Reason != c.reason || took < c.from || took > c.to {
					t.Errorf("ended after %s: %v, want %s after %s to %s", took, cause, c.reason, c.from, c.to)
				}
			})
		})
	}
}

// pushOut makes the cache forget the source.
func (l *lab) pushOut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cache.remove(keyOf(incoming))
	l.release(incoming.subject())
}

func (q Question) subject() subject { return keyOf(q).subject }

// TestHoldEnds: the end of the parent and a release are no errors, and leave
// nothing behind.
func TestHoldEnds(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		proof := l.proven(peer(delegated))
		before := runtime.NumGoroutine()
		parent, cancel := context.WithCancelCause(l.Context())
		var releases []context.CancelFunc
		var held []context.Context
		for range 100 {
			ctx, release := l.Hold(parent, proof)
			held, releases = append(held, ctx), append(releases, release)
		}
		synctest.Wait()
		// Goroutines of the runtime and of earlier tests come and go.
		if n := runtime.NumGoroutine() - before; n > 50 {
			t.Errorf("100 held proofs cost %d goroutines", n)
		}
		for _, release := range releases[:50] {
			release()
		}
		cancel(errAway)
		synctest.Wait()
		if first, last := context.Cause(held[0]), context.Cause(held[99]); first != context.Canceled || last != errAway {
			t.Errorf("a release ends with %v, the parent with %v", first, last)
		}
		l.pushOut()
		if len(l.holds) != 0 || len(l.roles) != 0 {
			t.Errorf("%d keys and %d roles are left", len(l.holds), len(l.roles))
		}
		lookups := l.network.count()
		if time.Sleep(20 * day); l.network.count() != lookups {
			t.Error("somebody looks for nobody")
		}
	})
}

// TestHoldNothing: what this package has not proven is not held and not shared.
func TestHoldNothing(t *testing.T) {
	bubble(t, nil, Limits{}, func(l *lab) {
		for _, p := range []*Proof{nil, {}, {Source: source, Service: service, Direction: association.Incoming, Until: start.Add(day)}} {
			ctx, release := l.Hold(l.Context(), p)
			defer release()
			if err := context.Cause(ctx); delegation.ReasonOf(err) != reasons.MissingInput || MayFallBack(err) {
				t.Errorf("%+v: %v", p, err)
			}
			if _, err := l.Share(l.Context(), p, "c.example"); delegation.ReasonOf(err) != reasons.MissingInput || MayFallBack(err) {
				t.Errorf("%+v: shared, %v", p, err)
			}
		}
	})
}

// TestHoldLate: what was revoked between the proof and Hold ends at once.
func TestHoldLate(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		proof := l.proven(peer(delegated))
		l.network.has(statement(time.Minute))
		l.store.elsewhere(floorOf(time.Minute))
		time.Sleep(time.Second)
		ctx, release := l.Hold(l.Context(), proof)
		defer release()
		if took, cause := lasts(ctx, day); took > time.Second || delegation.ReasonOf(cause) != reasons.Revoked {
			t.Errorf("ended after %s: %v", took, cause)
		}
	})
}

// TestHoldUnsure: a memory that went away between the proof and Hold lets the proof
// live for 5 minutes.
func TestHoldUnsure(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{}, func(l *lab) {
		proof := l.proven(peer(delegated))
		l.store.away(true)
		ctx, release := l.Hold(l.Context(), proof)
		defer release()
		if took, cause := lasts(ctx, day); took > maxUnsure || took <= maxUnsure-time.Second || delegation.ReasonOf(cause) != reasons.ProofExpired {
			t.Errorf("ended after %s: %v", took, cause)
		}
	})
}

// TestHoldClosed: after Close a proof ends at its end, and nothing renews it.
func TestHoldClosed(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{forADay()}, Limits{}, func(l *lab) {
		ctx, release := l.Hold(l.Context(), l.proven(peer(delegated)))
		defer release()
		l.network.has(statement(time.Hour, host))
		l.Close()
		took, cause := lasts(ctx, 20*day)
		if end := start.Add(day); !time.Now().Equal(end) || delegation.ReasonOf(cause) != reasons.ProofExpired {
			t.Errorf("ended after %s: %v, want at %s", took, cause, end)
		}
	})
}

// TestHoldTooHeavy: a proof that the cache cannot keep is held all the same, and
// not looked up without end.
func TestHoldTooHeavy(t *testing.T) {
	delegated := chain(t, host)
	bubble(t, []string{statement(0, host)}, Limits{CacheBytes: 100}, func(l *lab) {
		ctx, release := l.Hold(l.Context(), l.proven(peer(delegated)))
		defer release()
		time.Sleep(day)
		if n := l.network.count(); context.Cause(ctx) != nil || n > 30 { // one an hour
			t.Errorf("%v, after %d lookups", context.Cause(ctx), n)
		}
	})
}
