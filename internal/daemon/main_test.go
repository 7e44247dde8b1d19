package daemon

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
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
	"github.com/dnasign/dnasign/discovery/floors/filestore"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	source  = world.Source
	service = world.Service
	host    = world.Host
	day     = world.Day
)

// around is the world of these tests, and strangers are another one.
var (
	around    = world.At(time.Now())
	strangers = world.At(time.Now())
)

// of gives the certificate of a name, the same each time.
func of(name string) *keys.Signer { return around.Of(name) }

func pemOf(chain ...*x509.Certificate) string { return string(localca.PEM(chain...)) }

// record is a TXT record by which the source delegates to hosts, issued now.
func record(hosts ...string) string { return issuedAt(time.Now(), hosts...) }

func issuedAt(at time.Time, hosts ...string) string {
	return world.Record(world.Statement(source, service, at, hosts...), of(source))
}

// A network is what lookups find: records of the source, nothing of others.
type network struct {
	mu      sync.Mutex
	records []string
	failure *delegation.Failure
	web     bool          // the web server answers, and has nothing
	hold    chan struct{} // if not nil, lookups wait until it is closed
	begun   chan struct{} // if not nil, gets a value for each lookup
}

func (n *network) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

func (n *network) Gather(ctx context.Context, domain, service string, _ func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	n.mu.Lock()
	records, failure, web, hold, begun := n.records, n.failure, n.web, n.hold, n.begun
	n.mu.Unlock()
	if begun != nil {
		begun <- struct{}{}
	}
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	e := world.Nothing(domain, service, delegation.Insecure, time.Now())
	if e.TXT[0].Failure = failure; domain == source && failure == nil {
		e.TXT[0].Records = records
	}
	if e.SRV = nil; !web {
		e.Documents = nil
	}
	return e, nil
}

func (n *network) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("nothing is dialled")
}

// newState makes a state that finds that. Its memory is a file.
func newState(t testing.TB, n verifier.Network, m *Metrics, limits verifier.Limits) *State {
	t.Helper()
	store, err := filestore.Open(t.Context(), filepath.Join(t.TempDir(), "memory.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	engine, err := verifier.New(verifier.Config{Discovery: n, Floors: store, Roots: around.CA.Pool(), Limits: limits, Metrics: m.Engine})
	if err != nil {
		t.Fatal(err)
	}
	return &State{
		Verifier: engine, Health: &Health{Memory: store},
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
func start(t testing.TB, n verifier.Network, listen string, b bounds) *running {
	t.Helper()
	r := &running{TB: t, ended: make(chan error, 1), log: &safeBuffer{}}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	metrics := NewMetrics()
	r.handler = NewHandler(metrics, log)
	r.handler.Use(newState(t, n, metrics, verifier.Limits{}))
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
