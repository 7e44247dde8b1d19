package daemon

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/decisions"
	"github.com/dnasign/dnasign/internal/localca"
	"github.com/dnasign/dnasign/internal/memory"
	"github.com/dnasign/dnasign/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	host    = "xmpp.hosting.example"
	day     = 24 * time.Hour
)

// A laboratory holds an authority and the certificates of names.
type laboratory struct {
	ca, strange *localca.Authority
	mu          sync.Mutex
	leaves      map[string]*keys.Signer
}

var lab = sync.OnceValue(func() *laboratory {
	l := &laboratory{leaves: map[string]*keys.Signer{}}
	for _, a := range []**localca.Authority{&l.ca, &l.strange} {
		root, err := localca.New("Test Root", time.Now())
		if err != nil {
			panic(err)
		}
		if *a, err = root.Intermediate("Test Intermediate", time.Now(), nil); err != nil {
			panic(err)
		}
	}
	return l
})

// of gives the certificate of a name, the same each time.
func of(name string) *keys.Signer {
	l := lab()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaves[name] == nil {
		s, err := l.ca.Issue("P-256", []string{name}, time.Now().Add(-day), time.Now().Add(60*day), nil)
		if err != nil {
			panic(err)
		}
		l.leaves[name] = s
	}
	return l.leaves[name]
}

func pemOf(chain ...*x509.Certificate) string { return string(localca.PEM(chain...)) }

// record is a TXT record by which the source delegates to hosts.
func record(hosts ...string) string {
	now := time.Now().Truncate(time.Second)
	s := delegation.Statement{Source: source, Service: service, Targets: []delegation.Target{}, Issued: now, Expires: now.Add(14 * day), ID: delegation.ID{1}}
	for _, h := range hosts {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: delegation.Endpoint{Host: h, Port: 5269}})
	}
	token, err := delegation.Sign(s, delegation.JWS, of(source))
	if err != nil {
		panic(err)
	}
	return delegation.TXTRecord(delegation.JWS, token)
}

// A network is what look-ups find: records of the source, nothing of others.
type network struct {
	records []string
	failure *delegation.Failure
	hold    chan struct{} // if not nil, look-ups wait until it is closed
	begun   chan struct{} // if not nil, gets a value for each look-up
}

func (n *network) Gather(ctx context.Context, domain, service string, _ func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	if n.begun != nil {
		n.begun <- struct{}{}
	}
	if n.hold != nil {
		select {
		case <-n.hold:
		case <-ctx.Done():
		}
	}
	answer := delegation.TXTAnswer{Answer: delegation.Answer{Name: delegation.TXTName(domain, service), DNSSEC: delegation.Insecure, TTL: 3600, Failure: n.failure}}
	if domain == source && n.failure == nil {
		answer.Records = n.records
	}
	return &delegation.Evidence{
		Version: delegation.EvidenceVersion, Source: domain, Service: service, Collected: time.Now(), TXT: []delegation.TXTAnswer{answer},
	}, nil
}

// newState makes a state that finds that. Its memory is a file.
func newState(t testing.TB, n decisions.Gatherer, m *Metrics, limits decisions.Limits) *State {
	t.Helper()
	store, err := memory.Open(t.Context(), filepath.Join(t.TempDir(), "memory.db"), memory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	decider, err := decisions.New(decisions.Config{Gatherer: n, Memory: store, Roots: lab().ca.Pool(), Limits: limits, Metrics: m.Decisions})
	if err != nil {
		t.Fatal(err)
	}
	return &State{
		Decider: decider, Peers: delegation.PeerPolicy{Roots: lab().ca.Pool(), Now: time.Now}, Health: &Health{Memory: store},
	}
}

// A running daemon, on a unix socket or a port.
type running struct {
	testing.TB
	handler *Handler
	network string
	address string
	stop    context.CancelFunc
	ended   chan error
	log     *safeBuffer
}

// start runs a daemon until the test ends.
func start(t testing.TB, n decisions.Gatherer, listen string, b bounds) *running {
	t.Helper()
	r := &running{TB: t, ended: make(chan error, 1), log: &safeBuffer{}}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	metrics := NewMetrics()
	r.handler = NewHandler(metrics, log)
	r.handler.Use(newState(t, n, metrics, decisions.Limits{}))
	if listen == "" {
		listen = "unix:" + filepath.Join(t.TempDir(), "s")
	}
	listeners, err := Listen([]string{listen}, false)
	if err != nil {
		t.Fatal(err)
	}
	r.network, r.address = listeners[0].Addr().Network(), listeners[0].Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- serve(ctx, r.handler, listeners, log, b) }()
	t.Cleanup(func() {
		cancel()
		if r.ended != nil {
			<-r.ended
		}
		r.handler.Use(nil).Close()
	})
	return r
}

// wait waits for the daemon to end, which stop begins.
func (r *running) wait() error {
	err := <-r.ended
	r.ended = nil
	return err
}

func (r *running) dial() net.Conn {
	r.Helper()
	conn, err := net.Dial(r.network, r.address)
	if err != nil {
		r.Fatal(err)
	}
	return conn
}

func (r *running) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, r.network, r.address)
		},
	}}
}

// send sends a request and returns status, header and body.
func (r *running) send(edit func(*http.Request), method, path, body string) (int, http.Header, string) {
	r.Helper()
	target := "daemon"
	if r.network == "tcp" {
		target = r.address
	}
	request, err := http.NewRequest(method, "http://"+target+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if edit != nil {
		edit(request)
	}
	response, err := r.client().Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

// ask asks about a peer that shows a chain.
func (r *running) ask(source string, direction string, chain []*x509.Certificate, more ...string) *Answer {
	r.Helper()
	status, _, body := r.send(nil, http.MethodPost, "/v1/check", ask(source, direction, chain, more...))
	if status != http.StatusOK {
		r.Fatalf("status %d: %s", status, body)
	}
	return r.read(body)
}

// read reads an answer, strictly.
func (r *running) read(body string) *Answer {
	r.Helper()
	var a Answer
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		r.Fatalf("%v: %s", err, body)
	}
	return &a
}

// ask is the JSON of a question; more are further members.
func ask(source, direction string, chain []*x509.Certificate, more ...string) string {
	text, err := json.Marshal(pemOf(chain...))
	if err != nil {
		panic(err)
	}
	members := append([]string{
		`"source":"` + source + `"`, `"service":"` + service + `"`, `"direction":"` + direction + `"`, `"chain":` + string(text),
	}, more...)
	return "{" + strings.Join(members, ",") + "}"
}

// A safeBuffer is written to by many goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
