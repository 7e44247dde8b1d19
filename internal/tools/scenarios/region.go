package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/daemon"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

const (
	service = world.Service
	host    = world.Host
)

// A region has a resolver, and domains that delegate to one host.
type region struct {
	*world.World
	dns     *dnsserver.Server
	domains []string
	chain   string // of the host, in PEM
	bytes   int    // of a statement
}

// newRegion makes so many domains. Their certificates have a chain of the usual
// length, and the resolver is near until somebody moves it.
func newRegion(o options) (*region, error) {
	w := &region{World: world.At(time.Now().UTC().Truncate(time.Second))}
	w.chain = string(localca.PEM(w.Of(host).Chain()...))
	var zone []string
	for i := range o.domains {
		domain := fmt.Sprintf("d%d.example", i)
		raw := world.Sign(world.Statement(domain, service, w.Now, host), o.encoding, w.Of(domain))
		w.domains, w.bytes = append(w.domains, domain), len(raw)
		zone = append(zone,
			fmt.Sprintf("%s. 3600 IN TXT %s", delegation.TXTName(domain, service), quoted(o.encoding.TXTRecord(raw))),
			fmt.Sprintf("%s. 3600 IN SRV 0 0 5269 %s.", delegation.SRVName(domain, service), host))
	}
	var err error
	w.dns, err = dnsserver.Start(zone)
	return w, err
}

// quoted is text as the strings of a TXT record.
func quoted(text string) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(text), 255) {
		fmt.Fprintf(&b, ` "%s"`, part)
	}
	return b.String()
}

// resolver says how the resolver behaves from now on.
func (w *region) resolver(f dnsserver.Fault) error { return w.dns.Fault("", "", f) }

// A running daemon answers over HTTP.
type running struct {
	*verifier.Verifier
	region *region
	server *http.Server
	client *http.Client
	url    string
}

// start starts a daemon that has nothing in its cache.
func (w *region) start(store floors.Store) (*running, error) {
	metrics := daemon.NewMetrics()
	v, err := verifier.New(verifier.Config{
		Roots: w.CA.Pool(), Floors: store, Metrics: metrics.Engine,
		Discovery: &discovery.Client{Resolver: w.dns.Addr, AllowPrivateAddresses: true, HTTPSRoots: w.CA.Pool()},
	})
	if err != nil {
		return nil, err
	}
	handler := daemon.NewHandler(metrics, nil)
	handler.Use(&daemon.State{Verifier: v, Health: &daemon.Health{Memory: store}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		v.Close()
		return nil, err
	}
	r := &running{
		Verifier: v, region: w, server: &http.Server{Handler: handler}, url: "http://" + listener.Addr().String() + "/v1/check",
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
	}
	go r.server.Serve(listener)
	return r, nil
}

// withNewDaemon runs f with a daemon that has never seen anything, and with a
// resolver that is as far away as the flags say.
func withNewDaemon(o options, f func(*running) error) (err error) {
	w, err := newRegion(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.dns.Close()) }()
	if err := w.resolver(dnsserver.Fault{Delay: o.distance, Drop: o.silent}); err != nil {
		return err
	}
	store := floors.InMemory()
	defer store.Close()
	r, err := w.start(store)
	if err != nil {
		return err
	}
	defer r.stop()
	return f(r)
}

func (r *running) stop() {
	r.client.CloseIdleConnections()
	r.server.Close()
	r.Close()
}

// ask asks whether the host may speak for a domain, as the server does to which it
// has connected from an address.
func (r *running) ask(ctx context.Context, domain, peer string) (*daemon.Answer, error) {
	body, err := json.Marshal(map[string]any{
		"source": domain, "service": service, "direction": association.Incoming, "chain": r.region.chain, "peer": peer,
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var a daemon.Answer
	return &a, json.Unmarshal(text, &a)
}

// fillers is how many questions are under way while the memory is filled.
const fillers = 16

// fill asks about all domains until each is verified, a few at a time.
func (r *running) fill(ctx context.Context) error {
	var filling sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, fillers)
	for f := range fillers {
		filling.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(r.region.domains)) && errs[f] == nil; i = next.Add(1) - 1 {
				errs[f] = r.verified(ctx, r.region.domains[i], address(int(i)))
			}
		})
	}
	filling.Wait()
	return errors.Join(errs...)
}

// verified asks about a domain until it is verified, a few times.
func (r *running) verified(ctx context.Context, domain, peer string) error {
	var last *daemon.Answer
	for range 5 {
		a, err := r.ask(ctx, domain, peer)
		if err != nil || a.Outcome == reasons.OutcomeVerified {
			return err
		}
		last = a
		time.Sleep(time.Second)
	}
	return errors.New(last.Message)
}

// address: each peer is in a network of its own, up to 65,536.
func address(i int) string { return fmt.Sprintf("198.%d.%d.1", i%256, i/256%256) }

// A tally is how questions were answered.
type tally struct {
	mu      sync.Mutex
	right   int
	reasons map[reasons.Reason]int // of the others
	took    []time.Duration
}

// all asks about all domains, one after the other during a time, without waiting
// for answers.
func (r *running) all(ctx context.Context, over time.Duration, peer func(i int) string) (*tally, error) {
	y := &tally{reasons: map[reasons.Reason]int{}}
	var asking sync.WaitGroup
	var failed error
	begun := time.Now()
	for i, domain := range r.region.domains {
		time.Sleep(time.Until(begun.Add(over * time.Duration(i) / time.Duration(len(r.region.domains)))))
		if ctx.Err() != nil {
			break
		}
		asking.Go(func() {
			asked := time.Now()
			a, err := r.ask(ctx, domain, peer(i))
			y.mu.Lock()
			defer y.mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			y.took = append(y.took, time.Since(asked))
			if a.Outcome == reasons.OutcomeVerified && *a.Method == association.Delegation {
				y.right++
			} else {
				y.reasons[a.Reason]++
			}
		})
	}
	asking.Wait()
	slices.Sort(y.took)
	return y, failed
}

// print prints it. It is an error if less than a share was answered rightly, or if
// the slowest took longer than most.
func (y *tally) print(out io.Writer, share float64, most time.Duration) error {
	slowest := y.took[len(y.took)-1]
	fmt.Fprintf(out, "answered rightly %d of %d, overloaded %d, median %s, slowest %s\n",
		y.right, len(y.took), y.reasons[reasons.Overloaded], round(y.took[len(y.took)/2]), round(slowest))
	if len(y.reasons) > 0 {
		fmt.Fprintf(out, "the others: %v\n", y.reasons)
	}
	if float64(y.right) < share*float64(len(y.took)) || slowest > most {
		return errMissed
	}
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
