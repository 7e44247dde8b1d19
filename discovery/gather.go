package discovery

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// Gather looks in every place for a source domain and a role, and returns what
// it found. Both have the form of [delegation.CheckName] and
// [delegation.CheckService]. The second label of a role stands for the role.
// The members of [delegation.Evidence] say what is asked for, and when. A place
// that was not asked because of [Client.Via] is not in the evidence. A place
// that has not answered when Gather returns has the failure
// [reasons.Unanswered].
//
// Gather calls enough, if not nil, after each answer, with a copy that it may
// keep. If [Client.Validating] is set, the first call is made when it is known
// whether to ask about signers. There is never more than one call at a time. When enough returns true,
// Gather ends the lookups that are still running. With [ViaBoth] it is not
// called.
//
// All questions go out together, and those for a POSH file after the others have
// found nothing. Without a deadline in ctx Gather takes at most 10 seconds, 5 for
// each. When ctx ends, Gather returns what it has. It waits only for its
// own lookups to stop.
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
// service runs. It does not ask for statements. So no resolver caches the
// negative answer (RFC 2308) for a statement that is not published yet.
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
	role := delegation.RoleOf(service).Service
	e := &delegation.Evidence{Version: delegation.EvidenceVersion, Source: source, Service: role, Collected: c.now()}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := newFetcher(&connector, c.HTTPSRoots, c.logger())

	l := &lookups{evidence: e, look: look, resolver: connector.resolver, fetcher: f, arrivals: make(chan arrival, maxLookups)}
	l.askPlaces(ctx)
	l.collect(ctx, enough)
	cancel()
	l.running.Wait()
	return e, nil
}

// maxLookups is how many lookups there are at most: two SRV names, TXT, two
// documents, the signers, and POSH.
const maxLookups = 7

// lookups are those of one Gather. Only the collecting goroutine uses it.
type lookups struct {
	evidence *delegation.Evidence
	look     besides
	resolver *resolver
	fetcher  *fetcher
	arrivals chan arrival // has room for all: nobody waits to hand in
	waiting  int          // for as many answers
	running  sync.WaitGroup
}

func (l *lookups) begin(ctx context.Context, look func(context.Context) arrival) {
	l.waiting++
	l.running.Go(func() { l.arrivals <- look(ctx) })
}

// An arrival puts an answer in its place. Only the collecting goroutine calls
// it.
type arrival func()

// collect puts the answers in their places, or fewer of them if ctx ends or there
// is enough. After the end of ctx, a result is a lookup that was cut off, not an
// answer.
func (l *lookups) collect(ctx context.Context, enough func(*delegation.Evidence) bool) {
	for ; l.waiting > 0; l.waiting-- {
		select {
		case put := <-l.arrivals:
			if ctx.Err() != nil {
				return
			}
			put()
			l.askForSigners(ctx)
			l.askForPOSH(ctx)
			if enough != nil && !l.mayYetBeSecure() && enough(snapshot(l.evidence)) {
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
	s.SRV, s.TXT, s.Documents, s.Signers = slices.Clone(e.SRV), slices.Clone(e.TXT), slices.Clone(e.Documents), slices.Clone(e.Signers)
	s.POSH = slices.Clone(e.POSH)
	return &s
}

// askPlaces enters every question into the evidence as unanswered, and begins the
// lookups that will answer them.
func (l *lookups) askPlaces(ctx context.Context) {
	e := l.evidence
	for i, label := range delegation.RoleOf(e.Service).Labels() {
		name := delegation.SRVName(e.Source, label)
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: unanswered(name)})
		l.begin(ctx, func(ctx context.Context) arrival {
			a := l.resolver.srv(ctx, name)
			return func() { e.SRV[i] = a }
		})
	}
	if l.look.txt {
		name := delegation.TXTName(e.Source, e.Service)
		e.TXT = append(e.TXT, delegation.TXTAnswer{Answer: unanswered(name)})
		l.begin(ctx, func(ctx context.Context) arrival {
			a := l.resolver.txt(ctx, name)
			return func() { e.TXT[0] = a }
		})
	}
	if l.look.documents {
		for i, encoding := range delegation.Encodings() {
			url := delegation.DocumentURL(e.Source, e.Service, encoding)
			e.Documents = append(e.Documents, delegation.Document{URL: url, Failure: pending()})
			l.begin(ctx, func(ctx context.Context) arrival {
				d := l.fetcher.fetch(ctx, url, encoding.MediaType())
				return func() { e.Documents[i] = d }
			})
		}
	}
}

// askForSigners begins the lookup of the keys that may sign, once DNSSEC secures an
// answer: only then can its own answer count.
func (l *lookups) askForSigners(ctx context.Context) {
	e := l.evidence
	name := delegation.SignerName(e.Source, e.Service)
	if l.look == (besides{}) || len(e.Signers) > 0 || name == "" || !anySecure(e) {
		return
	}
	e.Signers = []delegation.TLSAAnswer{{Answer: unanswered(name)}}
	l.begin(ctx, func(ctx context.Context) arrival {
		a := l.resolver.tlsa(ctx, name)
		return func() { e.Signers[0] = a }
	})
}

// mayYetBeSecure reports whether an answer is still to come that can be the first
// secure one. Until then nobody knows whether the zone names the keys that may sign.
func (l *lookups) mayYetBeSecure() bool {
	e := l.evidence
	if !l.resolver.validating || len(e.Signers) > 0 {
		return false
	}
	return e.AwaitsSRV() || slices.ContainsFunc(e.TXT, func(a delegation.TXTAnswer) bool { return a.Unanswered() })
}

func anySecure(e *delegation.Evidence) bool {
	return slices.ContainsFunc(e.SRV, func(a delegation.SRVAnswer) bool { return a.DNSSEC == delegation.Secure }) ||
		slices.ContainsFunc(e.TXT, func(a delegation.TXTAnswer) bool { return a.DNSSEC == delegation.Secure })
}

func unanswered(name string) delegation.Answer {
	return delegation.Answer{Name: name, DNSSEC: delegation.Indeterminate, Failure: pending()}
}

func pending() *delegation.Failure {
	return fail(reasons.Unanswered, "the collection ended before an answer came").failure()
}

// srv asks for SRV records (RFC 2782).
func (r *resolver) srv(ctx context.Context, name string) delegation.SRVAnswer {
	found := r.lookup(ctx, question{name: name, qtype: dns.TypeSRV})
	a := delegation.SRVAnswer{Answer: found.Answer}
	for _, rr := range found.records {
		srv := rr.(*dns.SRV)
		a.Records = append(a.Records, delegation.SRVRecord{
			Priority: srv.Priority, Weight: srv.Weight, Port: srv.Port, Target: hostName(srv.Target),
		})
	}
	return a
}

// hostName is the form of [delegation.SRVRecord]: lower-case without the
// trailing dot, except "." alone. A name that is no host name keeps the
// escapes of its presentation form, which no statement can list.
func hostName(target string) string {
	if target == "." {
		return target
	}
	return strings.TrimSuffix(dns.CanonicalName(target), ".")
}

// txt asks for TXT records. The strings of one record belong together without
// anything between them. The library escapes octets outside printable ASCII;
// see [delegation.TXTAnswer].
func (r *resolver) txt(ctx context.Context, name string) delegation.TXTAnswer {
	found := r.lookup(ctx, question{name: name, qtype: dns.TypeTXT})
	a := delegation.TXTAnswer{Answer: found.Answer, Alias: found.alias}
	for _, rr := range found.records {
		a.Records = append(a.Records, strings.Join(rr.(*dns.TXT).Txt, ""))
	}
	return a
}
