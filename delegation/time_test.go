package delegation

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// at is a spoiler that verifies for another time.
func at(t time.Time) func(*trial) { return func(tr *trial) { tr.policy.Time = t } }

// certified is a spoiler for the times of the signer's certificate.
func certified(notBefore, notAfter time.Time) func(*trial) {
	return leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = notBefore, notAfter })
}

// both applies two spoilers.
func both(a, b func(*trial)) func(*trial) {
	return func(tr *trial) { a(tr); b(tr) }
}

func timeCases() []verifyCase {
	expires := goodStatement().Expires
	east := time.FixedZone("east", 14*3600)
	return []verifyCase{
		{"before exp in another zone", at(expires.Add(-time.Second).In(east)), reasons.Verified},
		{"at exp in another zone", at(expires.In(east)), reasons.Expired},
		{"far future", at(time.Date(200000, 1, 1, 0, 0, 0, 0, time.UTC)), reasons.Expired},
	}
}

func TestTime(t *testing.T) { runCases(t, 3, timeCases()) }

// TestEnds: the proof ends with the first thing it rests on.
func TestEnds(t *testing.T) {
	early := now.Add(3 * day)
	for _, c := range []struct {
		name  string
		spoil func(*trial)
		want  time.Time
	}{
		{"exp", func(*trial) {}, goodStatement().Expires},
		{"leaf", certified(now.Add(-10*day), early), early.Add(time.Second)},
		{"intermediate", below(func(c *x509.Certificate) { c.NotAfter = early }), early.Add(time.Second)},
		{"exp equals notAfter", certified(now.Add(-10*day), goodStatement().Expires), goodStatement().Expires},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			wantEnd(t, reasons.Verified, result, err)
			if got := result.ValidUntil(); !got.Equal(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := result.Proven().ValidUntil; !got.Equal(c.want) {
				t.Errorf("of the statement: got %s, want %s", got, c.want)
			}
			// One second earlier it can still be verified, and then no more.
			tr.policy.Time = c.want.Add(-time.Second)
			result, err = tr.verify()
			wantEnd(t, reasons.Verified, result, err)
			tr.policy.Time = c.want
			if _, err = tr.verify(); err == nil {
				t.Error("verified at the end of the proof")
			}
		})
	}
}

// TestRefresh: TTL or max-age within bounds, and never after the end.
func TestRefresh(t *testing.T) {
	ttl := func(seconds uint32) func(*trial) {
		return func(tr *trial) { tr.adjust = func(e *Evidence) { e.TXT[0].TTL = seconds } }
	}
	age := func(seconds int64) func(*trial) { return served(func(d *Document) { d.MaxAge = seconds }) }
	for _, c := range []struct {
		name  string
		spoil func(*trial)
		want  time.Duration
	}{
		{"TTL 0", ttl(0), limits.MinRefresh},
		{"TTL 299", ttl(299), limits.MinRefresh},
		{"TTL 301", ttl(301), 301 * time.Second},
		{"TTL an hour", ttl(3600), time.Hour},
		{"TTL of 6 hours and a second", ttl(6*3600 + 1), limits.MaxRefresh},
		{"TTL of the most", ttl(1<<32 - 1), limits.MaxRefresh},
		{"max-age unknown", age(-1), limits.MaxRefresh},
		{"max-age negative", age(-1 << 63), limits.MaxRefresh},
		{"max-age 0", age(0), limits.MinRefresh},
		{"max-age an hour", age(3600), time.Hour},
		{"max-age of the most", age(1<<63 - 1), limits.MaxRefresh},
		{"end of the proof", at(goodStatement().Expires.Add(-time.Minute)), time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			wantEnd(t, reasons.Verified, result, err)
			if got := result.RefreshAt().Sub(tr.policy.Time); got != c.want {
				t.Errorf("after %v, want %v", got, c.want)
			}
		})
	}
}
