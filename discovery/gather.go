package discovery

import (
	"context"
	"slices"
	"sync"

	"github.com/dnasign/dnasign/delegation"
)

// Gather looks in every place for a source domain and a service, both in the
// form of [delegation.CheckName] and [delegation.CheckService], and returns
// what it found: SRV and TXT answers for each label of
// [delegation.Services] and documents for each of [delegation.Encodings], in
// that order whatever came first. A place that was not asked because of
// [Client.Via] is not in the evidence; one that has not answered when Gather
// returns is there with the failure [delegation.Unanswered].
//
// enough, if not nil, is called each time an answer has come in, with a copy
// that it may keep, never twice at a time. When it returns true, Gather ends
// the look-ups that are still under way. With [ViaBoth] it is not called.
//
// All questions go out together, two documents at a time. Without a deadline
// in ctx Gather takes at most 5 seconds for DNS and, beside it, 5 seconds for
// each two documents. When ctx ends, so does Gather, at once, with what it has.
// It returns only when its look-ups have ended.
//
// The error is nil or wraps [ErrConfig], and then nothing was asked.
func (c *Client) Gather(ctx context.Context, source, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	via := c.via()
	if via == ViaBoth {
		enough = nil
	}
	return c.gather(ctx, source, service, besides{txt: via != ViaHTTPS, documents: via != ViaDNS}, enough)
}

// GatherSRV is [Client.Gather] for the SRV records alone, which say where a
// service runs. It looks for no statement, so that no resolver remembers, for
// the time of a negative answer (RFC 2308), that there is none yet.
func (c *Client) GatherSRV(ctx context.Context, source, service string) (*delegation.Evidence, error) {
	return c.gather(ctx, source, service, besides{}, nil)
}

// besides are the places to look in besides the SRV records.
type besides struct{ txt, documents bool }

func (c *Client) gather(ctx context.Context, source, service string, look besides, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	if err := c.check(source, service); err != nil {
		return nil, err
	}
	connector, err := c.connector()
	if err != nil {
		return nil, err
	}
	e := &delegation.Evidence{Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: c.now()}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := newFetcher(&dialer{connector, c.HTTPSRoots}, c.logger())

	tasks := plan(e, look, connector.resolver, f)
	arrivals := make(chan arrival, len(tasks)) // nobody waits to hand in
	var running sync.WaitGroup
	for _, look := range tasks {
		running.Go(func() { arrivals <- look(ctx) })
	}
	collect(ctx, e, arrivals, len(tasks), enough)
	cancel()
	running.Wait()
	f.close()
	return e, nil
}

// An arrival puts an answer in its place. Only the collecting goroutine calls
// it.
type arrival func()

// plan enters every question into the evidence as unanswered and returns the
// look-ups that will answer them.
func plan(e *delegation.Evidence, look besides, r *resolver, f *fetcher) []func(context.Context) arrival {
	var tasks []func(context.Context) arrival
	services := delegation.Services(e.Service)
	for i, service := range services {
		name := delegation.SRVName(e.Source, service)
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: unanswered(name)})
		tasks = append(tasks, func(ctx context.Context) arrival {
			a := r.srv(ctx, name)
			return func() { e.SRV[i] = a }
		})
	}
	if look.txt {
		for i, service := range services {
			name := delegation.TXTName(e.Source, service)
			e.TXT = append(e.TXT, delegation.TXTAnswer{Answer: unanswered(name)})
			tasks = append(tasks, func(ctx context.Context) arrival {
				a := r.txt(ctx, name)
				return func() { e.TXT[i] = a }
			})
		}
	}
	if look.documents {
		for _, service := range services {
			for _, encoding := range delegation.Encodings() {
				i, url := len(e.Documents), delegation.DocumentURL(e.Source, service, encoding)
				e.Documents = append(e.Documents, delegation.Document{URL: url, Failure: pending()})
				tasks = append(tasks, func(ctx context.Context) arrival {
					d := f.fetch(ctx, url, encoding)
					return func() { e.Documents[i] = d }
				})
			}
		}
	}
	return tasks
}

func unanswered(name string) delegation.Answer {
	return delegation.Answer{Name: name, DNSSEC: delegation.Indeterminate, Failure: pending()}
}

func pending() *delegation.Failure {
	return fail(delegation.Unanswered, "the collection ended before an answer came").failure()
}

// collect puts n answers in their places, or fewer if ctx ends or there is
// enough. What comes after the end of ctx is a look-up that was cut off, not
// an answer.
func collect(ctx context.Context, e *delegation.Evidence, arrivals <-chan arrival, n int, enough func(*delegation.Evidence) bool) {
	for range n {
		select {
		case put := <-arrivals:
			if ctx.Err() != nil {
				return
			}
			put()
			if enough != nil && enough(snapshot(e)) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// snapshot copies what later answers would change: the places. An answer that
// has come is never changed.
func snapshot(e *delegation.Evidence) *delegation.Evidence {
	s := *e
	s.SRV, s.TXT, s.Documents = slices.Clone(e.SRV), slices.Clone(e.TXT), slices.Clone(e.Documents)
	return &s
}
