// Package probe answers what others conclude about a domain: Prometheus, in the
// manner of its blackbox_exporter, and people with a page.
//
//	GET /probe?domain=b.example&service=xmpp-server&target=host:port
//	GET /domain?domain=b.example&service=xmpp-server&target=host:port
//	GET /          a form, or the domains of the list
//	GET /metrics   about the program itself
//
// Anybody who can ask makes this machine ask the network. So the work in
// progress and the kept reports are bounded. With a list only its domains are
// looked up. Where other machines may ask, each network has limits of its own.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/watch"
)

const (
	// maxProbes is how many probes are in progress, including those that wait
	// for the same answer. More are turned away with 503.
	maxProbes = 64
	// maxConnections bounds the connections, so that those of strangers leave
	// enough for lookups. More wait until others end.
	maxConnections = 4 * maxProbes
	// probeTimeout bounds the lookups of one probe, all waiting included. It
	// is more than a lookup takes by itself.
	probeTimeout = 30 * time.Second
	// cacheLife is how long a report answers further probes for the same. Two
	// servers may scrape in turn, or somebody may press reload.
	cacheLife = 5 * time.Second
	// maxCached bounds the reports that are kept for that long.
	maxCached = 1024
	// maxEvidence bounds the evidence that is kept with them, in octets. The page
	// shows it.
	maxEvidence = 64 << 20
	// maxHeader bounds the header of a request in octets, and maxQuery what
	// stands behind the question mark.
	maxHeader = 16 << 10
	maxQuery  = 2 << 10
	// readTimeout bounds the time for a request to come in, and closeTimeout
	// for those under way to end when the server does.
	readTimeout  = 5 * time.Second
	closeTimeout = 5 * time.Second
)

// A Prober answers probes. Its fields are not changed once it serves.
type Prober struct {
	// Look looks a domain up; see [watch.Watcher.Look].
	Look func(context.Context, watch.Question) (watch.Report, error)
	// Default is what a probe asks that does not say: the service, the target
	// and the time to warn. Its source is not used.
	Default watch.Question
	// Domains are the only ones that are looked up; none means any.
	Domains []string
	// Public says that other machines may ask, under any name of this one.
	Public bool
	// Roots names the file with the trust anchors, for the page; "" means those
	// of the system.
	Roots string

	metrics  *metrics
	slots    chan struct{}
	cache    *cache
	domains  map[string]bool
	networks *networks
}

// New makes a Prober of its exported fields.
func New(p Prober) *Prober {
	p.metrics, p.slots = newMetrics(), make(chan struct{}, maxProbes)
	p.networks = newNetworks()
	p.cache = &cache{life: cacheLife, most: maxCached, mostOctets: maxEvidence, now: time.Now, entries: map[watch.Question]*entry{}}
	if len(p.Domains) > 0 {
		p.domains = map[string]bool{}
		for _, d := range p.Domains {
			p.domains[d] = true
		}
	}
	return &p
}

// Serve answers on a listener until ctx ends, and closes it.
func (p *Prober) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{
		Handler: p, MaxHeaderBytes: maxHeader, ReadTimeout: readTimeout, WriteTimeout: probeTimeout + readTimeout,
		ErrorLog: log.New(io.Discard, "", 0), // what strangers do wrong is theirs to know
	}
	if p.Public {
		l = share(l)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(netutil.LimitListener(l, maxConnections)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := s.Shutdown(limit); err != nil {
		s.Close()
	}
	<-ended
	return nil
}

// ServeHTTP sorts requests.
func (p *Prober) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case !p.local(r):
		p.refuse(w, http.StatusForbidden, "web pages and requests for another host are not answered")
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		p.refuse(w, http.StatusMethodNotAllowed, "only GET is answered")
	case r.URL.Path == "/metrics":
		p.metrics.handler.ServeHTTP(w, r)
	case r.URL.Path == "/probe":
		p.probe(w, r)
	case r.URL.Path == "/":
		p.start(w, r)
	case r.URL.Path == "/domain":
		p.domain(w, r)
	default:
		p.refuse(w, http.StatusNotFound, "there is /, /domain?domain=b.example, /probe?domain=b.example and /metrics")
	}
}

// local refuses what a web page could send through somebody's browser. This is
// a request with an Origin and, unless other machines may ask, one for a host
// name that is not this machine's, however it resolves.
func (p *Prober) local(r *http.Request) bool {
	if r.Header.Get("Origin") != "" {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return p.Public || host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func (p *Prober) refuse(w http.ResponseWriter, code int, format string, args ...any) {
	p.metrics.refused.WithLabelValues(strconv.Itoa(code)).Inc()
	http.Error(w, text.Short(fmt.Sprintf(format, args...), 500), code)
}

func (p *Prober) probe(w http.ResponseWriter, r *http.Request) {
	e, no := p.find(r)
	if no != nil {
		p.refuse(w, no.code, "%s", no.detail)
		return
	}
	p.metrics.probes.WithLabelValues(string(e.report.Status)).Inc()
	answer(e.report, e.took).ServeHTTP(w, r)
}

// A refusal says why a request got no report.
type refusal struct {
	code   int
	detail string
	todo   string
}

const (
	later     = "Try again in a minute."
	writeWell = "Write a domain such as b.example, a service such as xmpp-server, and a host such as xmpp.hosting.example:5269 or none."
)

// find gives the report that a request asks for, from the cache or from a lookup.
func (p *Prober) find(r *http.Request) (*entry, *refusal) {
	if len(r.URL.RawQuery) > maxQuery {
		return nil, &refusal{http.StatusRequestURITooLong, fmt.Sprintf("the parameters have more than %d octets", maxQuery), writeWell}
	}
	q, err := p.question(r.URL.RawQuery)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, err.Error(), writeWell}
	}
	if p.domains != nil && !p.domains[q.Source] {
		return nil, &refusal{http.StatusForbidden, q.Source + " is not in the list", "Ask about a domain of the list."}
	}
	leave, no := p.enter(r, p.domains == nil || q.Service != p.Default.Service || q.Target != p.Default.Target)
	if no != nil {
		return nil, no
	}
	defer leave()
	e, err := p.look(r.Context(), q)
	switch {
	case errors.Is(err, errFull):
		return nil, &refusal{http.StatusServiceUnavailable, err.Error() + "; try again", later}
	case err != nil:
		return nil, &refusal{http.StatusGatewayTimeout, fmt.Sprintf("the lookups did not end: %v", err), later}
	}
	return e, nil
}

// enter takes a slot for a request, and notes it on the account of its network. The
// usual question about a domain of a list is not free: it is looked up once in a
// while, whoever asks.
func (p *Prober) enter(r *http.Request, free bool) (leave func(), no *refusal) {
	left := func() {}
	if p.Public {
		if left, no = p.networks.enter(clientOf(r), free); no != nil {
			return nil, no
		}
	}
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots; left() }, nil
	default:
		left()
		return nil, &refusal{http.StatusServiceUnavailable, fmt.Sprintf("%d probes are being worked at; try again", maxProbes), later}
	}
}

// look answers from the cache, or looks.
func (p *Prober) look(ctx context.Context, q watch.Question) (*entry, error) {
	return p.cache.get(ctx, q, func() (watch.Report, error) {
		// Others that wait for the same want it even if the first has gone.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		began := time.Now()
		defer func() { p.metrics.latency.Observe(time.Since(began).Seconds()) }()
		return p.Look(ctx, q)
	})
}

// question reads the parameters of a probe: each once and no others, so that a
// slip does not silently ask for less.
func (p *Prober) question(raw string) (watch.Question, error) {
	q := p.Default
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, fmt.Errorf("the parameters cannot be read: %w", err)
	}
	for name, v := range values {
		if !slices.Contains([]string{"domain", "service", "target"}, name) {
			return q, fmt.Errorf("there is no parameter %.40q; there are domain, service and target", name)
		}
		if name == "target" && len(v) == 1 && v[0] == "" { // a form sends it so
			q.Target = delegation.Endpoint{}
			delete(values, name)
			continue
		}
		if len(v) != 1 || v[0] == "" {
			return q, fmt.Errorf("the parameter %s is empty or there twice", name)
		}
	}
	if !values.Has("domain") {
		return q, errors.New("the parameter domain is missing")
	}
	if q.Source, err = cli.Domain(values.Get("domain")); err != nil {
		return q, err
	}
	if values.Has("service") {
		if q.Service, err = cli.Service(values.Get("service")); err != nil {
			return q, err
		}
	}
	if values.Has("target") {
		if q.Target, err = cli.Endpoint(values.Get("target")); err != nil {
			return q, err
		}
	}
	return q, delegation.CheckTXTName(q.Source, q.Service)
}
