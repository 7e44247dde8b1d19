package probe

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dnasign/dnasign/internal/watch"
)

var (
	errFull   = errors.New("too many different questions at a time")
	errBroken = errors.New("the lookup broke off")
)

// A cache keeps reports for a short time. Those who ask the same at the same
// time wait for one lookup.
type cache struct {
	life       time.Duration
	most       int
	mostOctets int // of evidence; a report that does not fit is not kept
	now        func() time.Time

	mu      sync.Mutex
	entries map[watch.Question]*entry
	octets  int
}

// An entry is a report, once done is closed.
type entry struct {
	done   chan struct{}
	report watch.Report
	took   time.Duration
	err    error
	until  time.Time // zero while not done
	octets int
}

// get answers from the cache, or looks. The end of ctx ends the wait for
// somebody else's lookup, and not one's own. Failures are not kept.
func (c *cache) get(ctx context.Context, q watch.Question, look func() (watch.Report, error)) (*entry, error) {
	c.mu.Lock()
	now := c.now()
	if e := c.entries[q]; e != nil && (e.until.IsZero() || now.Before(e.until)) {
		c.mu.Unlock()
		select {
		case <-e.done:
			return e, e.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for old, e := range c.entries {
		if !e.until.IsZero() && !now.Before(e.until) {
			delete(c.entries, old)
			c.octets -= e.octets
		}
	}
	if len(c.entries) >= c.most {
		c.mu.Unlock()
		return nil, errFull
	}
	e := &entry{done: make(chan struct{}), err: errBroken}
	c.entries[q] = e
	c.mu.Unlock()

	defer func() { // also if look panics: nobody waits for ever
		c.mu.Lock()
		defer c.mu.Unlock()
		end := c.now()
		e.took, e.until = end.Sub(now), end.Add(c.life)
		if size := octetsOf(e.report); e.err != nil || c.octets+size > c.mostOctets {
			delete(c.entries, q)
		} else {
			e.octets = size
			c.octets += size
		}
		close(e.done)
	}()
	e.report, e.err = look()
	return e, e.err
}

// octetsOf is about how much the evidence of a report takes.
func octetsOf(r watch.Report) (n int) {
	for _, v := range r.Verdicts {
		if v.Evidence == nil {
			continue
		}
		for _, d := range v.Evidence.Documents {
			n += len(d.Body)
		}
		for _, a := range v.Evidence.TXT {
			for _, record := range a.Records {
				n += len(record)
			}
		}
	}
	return n
}
