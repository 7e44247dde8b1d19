package verifier

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// storm is how many checks run at the same time.
const storm = 1000

// A fate is a source domain and what is the matter with it.
type fate struct {
	source string
	server peerserver.Fault
	dns    dnsserver.Fault // of its TXT records
	web    http.HandlerFunc
	target string // whom SRV names, if not the host that the statement does
	good   bool   // may be verified and connected to
	plain  bool   // has no statement, and a server without a certificate for it
}

func fates() []fate {
	var list []fate
	for _, f := range peerserver.Faults() {
		list = append(list, fate{source: "s-" + strings.ReplaceAll(string(f), "-", "") + ".example", server: f, good: f == peerserver.None})
	}
	return append(list,
		fate{source: "d-servfail.example", dns: dnsserver.Fault{Rcode: 2}},
		fate{source: "d-silent.example", dns: dnsserver.Fault{Drop: true}},
		fate{source: "d-cut.example", dns: dnsserver.Fault{Truncated: true, Short: true}},
		fate{source: "d-counts.example", dns: dnsserver.Fault{WrongCounts: true}},
		fate{source: "d-forged.example", dns: dnsserver.Fault{WrongID: true, WrongQuestion: true, Garbage: true}, good: true},
		fate{source: "d-slow.example", dns: dnsserver.Fault{Delay: 100 * time.Millisecond}, good: true},
		fate{source: "d-none.example", dns: dnsserver.Fault{NoData: true}, plain: true},
		fate{source: "w-slow.example", good: true, web: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", delegation.JWS.MediaType())
			for range 1000 {
				_, err := io.WriteString(w, "a")
				if err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		}},
		fate{source: "w-500.example", good: true, web: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		fate{source: "w-loop.example", good: true, web: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }},
		fate{source: "w-large.example", good: true, web: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", path.Join("application", "dna+jwt"))
			_, _ = w.Write(make([]byte, 1<<20))
		}},
		fate{source: "w-reset.example", good: true, web: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		fate{source: "x-srv.example", target: evil}, // to a server with a certificate for its own name alone
	)
}

// A stage is the servers of all fates, and who connects to them.
type stage struct {
	*dialing
	fates  []fate
	client *discovery.Client // over DNS and HTTPS
	proven *delegation.Cache
	roots  *x509.CertPool
}

func newStage(t *testing.T) *stage {
	s := &stage{dialing: newDialing(t), fates: fates()}
	s.roots = s.CA.Pool()
	s.proven = delegation.NewCache(s.roots)
	var names []string
	handlers := map[string]http.HandlerFunc{}
	for _, f := range s.fates {
		names = append(names, f.source)
		handlers[f.source] = f.web
		name := "xmpp." + f.source
		fault := f.server
		if fault == "" {
			fault = peerserver.None
		}
		server, err := peerserver.StartXMPP(config(s.Of(name)), fault)
		must(t, err)
		t.Cleanup(server.Close)
		s.reach(name, 5269, server.Addr)
		if f.target == evil {
			s.reach(evil, 5269, server.Addr)
			name = evil
		}
		s.add(fmt.Sprintf("%s.%s. 60 IN SRV 0 0 5269 %s.", service, f.source, name))
		if !f.plain {
			s.publish(f.source, service, 24*time.Hour, delegation.Target{Endpoint: to("xmpp."+f.source, 5269)})
		}
		s.fault(delegation.TXTName(f.source, service), "TXT", f.dns)
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handle := handlers[r.Host]; handle != nil {
			handle(w, r)
			return
		}
		http.NotFound(w, r)
	})}
	address := setup.Web(t, web, config(s.Issue(-day, day, names...)))
	s.reach("", 443, address.String())
	s.client = &discovery.Client{
		Resolver: s.DNS.Addr, Via: discovery.ViaBoth, AllowPrivateAddresses: true, HTTPSRoots: s.roots,
		ConnectTo: []discovery.ConnectTo{{Port: 443, Addr: address}},
	}
	return s
}

// one checks a source, by a lookup or by a connection, and returns whether it
// came out well. Nothing may come out well that must not.
func (s *stage) one(ctx context.Context, f fate, connect bool) (bool, error) {
	if connect {
		conn, err := s.dialer.Dial(ctx, f.source, service)
		if err == nil {
			conn.Close()
			if !f.good {
				return true, fmt.Errorf("%s: connected", f.source)
			}
			return true, nil
		}
		var e *Error
		if !errors.As(err, &e) || e.Outcome == reasons.OutcomeVerified || !e.Reason.Known() {
			return false, fmt.Errorf("%s: an error of another kind: %v", f.source, err)
		}
		return false, nil
	}
	evidence, err := s.client.Gather(ctx, f.source, service, nil)
	if err != nil {
		return false, fmt.Errorf("%s: %v", f.source, err)
	}
	policy := delegation.Policy{Roots: s.roots, Time: time.Now(), Cache: s.proven}
	_, err = delegation.Verify(delegation.Query{Source: f.source, Service: service}, evidence, policy)
	if err == nil {
		if f.plain || f.target != "" || f.dns.Rcode != 0 || f.dns.Drop {
			return true, fmt.Errorf("%s: verified", f.source)
		}
		return true, nil
	}
	var e *delegation.Error
	if !errors.As(err, &e) || e.Outcome == reasons.OutcomeVerified || !e.Reason.Known() {
		return false, fmt.Errorf("%s: an error of another kind: %v", f.source, err)
	}
	return false, nil
}

// rage runs so many checks at the same time, most of which are cancelled at some
// moment, and returns how many came out well.
func (s *stage) rage(t *testing.T, seed uint64, checks int) int {
	t.Helper()
	var all sync.WaitGroup
	var well atomic.Int64
	begin := make(chan struct{})
	for i := range checks {
		random := mathrand.New(mathrand.NewPCG(seed, uint64(i)))
		f := s.fates[random.IntN(len(s.fates))]
		all.Go(func() {
			<-begin
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if random.IntN(4) > 0 {
				timer := time.AfterFunc(time.Duration(random.IntN(2000))*time.Millisecond, cancel)
				defer timer.Stop()
			}
			good, err := s.one(ctx, f, random.IntN(2) == 0)
			if err != nil {
				t.Error(err)
			}
			if good {
				well.Add(1)
			}
		})
	}
	close(begin)
	all.Wait()
	return int(well.Load())
}

// openFiles counts the descriptors of this process, and -1 where nobody tells.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

// liveHeap is the octets in use after collection.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers let go
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestStorm: 1,000 checks at the same time of domains with every fault, most of
// them cancelled at some moment. None accepts anybody wrongly or leaves
// anything behind: no goroutine (TestMain looks), no file, no socket, no
// memory. With a duration in DNA_STORM it goes on for that long.
func TestStorm(t *testing.T) {
	if len(fates()) < 25 {
		t.Errorf("only %d fates", len(fates()))
	}
	var long time.Duration
	if text := os.Getenv("DNA_STORM"); text != "" {
		var err error
		long, err = time.ParseDuration(text)
		must(t, err)
	}
	// What the runtime opens for itself is open after this.
	t.Run("a breeze", func(t *testing.T) { newStage(t).rage(t, 0, 20) })
	files, heap := openFiles(), liveHeap()

	rounds := 0
	t.Run("the storm", func(t *testing.T) {
		seed, well := mathrand.Uint64(), 0
		t.Logf("seed %d", seed)
		s := newStage(t)
		s.dialer.TargetTimeout = 3 * time.Second
		for end := time.Now().Add(long); rounds == 0 || time.Now().Before(end); rounds++ {
			well += s.rage(t, seed+uint64(rounds), storm)
		}
		t.Logf("%d checks in %d rounds, %d came out well", rounds*storm, rounds, well)
		s.dialer.TargetTimeout = patience
		good, err := false, error(nil)
		for end := time.Now().Add(patience); !good && err == nil && time.Now().Before(end); {
			good, err = s.one(t.Context(), s.fates[0], true) // lookups can be late on a busy machine
		}
		if !good || err != nil {
			t.Errorf("after the storm, a server in good order: %t, %v", good, err)
		}
	})
	// The runtime closes some files a little later.
	for end := time.Now().Add(patience); openFiles() != files && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	after, left := openFiles(), liveHeap()
	t.Logf("%d files before and %d after; %d KB in use before and %d KB after", files, after, heap>>10, left>>10)
	if after != files {
		t.Errorf("%d files before, %d after", files, after)
	}
	// What libraries keep does not grow with the rounds.
	if left > heap+16<<20 {
		t.Errorf("%d octets in use before, %d after %d rounds", heap, left, rounds)
	}
}
