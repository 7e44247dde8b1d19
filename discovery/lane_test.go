package discovery

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// fetcher gets documents as a Gather of the client would.
func (w webServer) fetcher(t testing.TB, client *Client) *fetcher {
	t.Helper()
	c, err := client.connector()
	if err != nil {
		t.Fatal(err)
	}
	return newFetcher(&c, w.roots, client.logger())
}

// A gauge counts the connections that a web server has open.
type gauge struct {
	mu      sync.Mutex
	open    map[net.Conn]bool
	all     int           // ever opened
	changed chan struct{} // closed at every change
}

func newGauge() *gauge {
	return &gauge{open: map[net.Conn]bool{}, changed: make(chan struct{})}
}

// state has the form of [net/http.Server.ConnState].
func (g *gauge) state(c net.Conn, s http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch s {
	case http.StateNew:
		g.open[c] = true
		g.all++
	case http.StateClosed, http.StateHijacked:
		delete(g.open, c)
	}
	close(g.changed)
	g.changed = make(chan struct{})
}

// settles reports whether at most n are open, now or once the server has seen
// what the client closed before it opened another.
func (g *gauge) settles(n int) bool {
	over := time.After(atOnce)
	for {
		g.mu.Lock()
		open, changed := len(g.open), g.changed
		g.mu.Unlock()
		if open <= n {
			return true
		}
		select {
		case <-changed:
		case <-over:
			return false
		}
	}
}

// TestConnections: each document is fetched over one connection, which is closed
// in the end.
func TestConnections(t *testing.T) {
	connections := newGauge()
	web := runWeb(t, &http.Server{ConnState: connections.state, Handler: serve(200, "x", "Content-Type", jwsType)}, source)
	e := gather(t, web.client(setup.DNS(t)))
	if len(e.Documents) != documents || connections.all > documents {
		t.Errorf("%d connections for %d documents", connections.all, len(e.Documents))
	}
	for _, d := range e.Documents {
		if d.Status != 200 {
			t.Errorf("%+v, failure %+v", d, d.Failure)
		}
	}
	if !connections.settles(0) {
		t.Error("a connection is open after the end")
	}
}

// documents is how many a Gather fetches: one for each encoding.
const documents = 2

// TestConnectionsOfRedirects: no more connections are open at one time, under
// however many names redirects lead on, whatever a hop leaves behind.
func TestConnectionsOfRedirects(t *testing.T) {
	for name, body := range map[string]string{"idle": "", "half read": "Moved."} {
		t.Run(name, func(t *testing.T) {
			names := []string{source}
			for i := range documents * maxRedirects {
				names = append(names, fmt.Sprintf("h%d.example", i))
			}
			var mu sync.Mutex
			next, requests, exceeded := 0, 0, false
			connections := newGauge()
			web := runWeb(t, &http.Server{ConnState: connections.state, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				requests++
				exceeded = exceeded || !connections.settles(documents)
				hop := 0
				fmt.Sscanf(r.URL.Path, "/%d", &hop)
				if hop == maxRedirects {
					w.WriteHeader(404)
					return
				}
				next++
				serve(302, body, "Location", fmt.Sprintf("https://%s/%d", names[next], hop+1))(w, r)
			})}, names...)
			client := web.client(setup.DNS(t))
			client.timeouts = patient
			e, err := client.Gather(t.Context(), source, "_xmpp-server._tcp", nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Documents) != documents || requests != documents*(maxRedirects+1) {
				t.Errorf("%d documents, %d requests", len(e.Documents), requests)
			}
			for _, d := range e.Documents {
				if d.Status != 404 {
					t.Errorf("%+v, failure %+v", d, d.Failure)
				}
			}
			if exceeded {
				t.Errorf("more than %d connections at one time", documents)
			}
			if !connections.settles(0) {
				t.Error("a connection is open after the end")
			}
		})
	}
}

// TestRedirectToSilence: names that do not answer take the time of their
// documents.
func TestRedirectToSilence(t *testing.T) {
	t.Parallel()
	web := startWeb(t, serve(302, "", "Location", "https://silent.example/"), source)
	client := web.client(setup.DNS(t))
	client.ConnectTo = []ConnectTo{{Host: source, Addr: web.addr}, {Host: "silent.example", Addr: silentTCP(t)}}
	client.timeouts = &timeouts{lookup: time.Minute, document: time.Second, connect: time.Minute}
	promptly(t, func() {
		for _, d := range gather(t, client).Documents {
			if failed(d.Failure) != reasons.HTTPSTimeout {
				t.Errorf("%s: failure %+v, want %s", d.URL, d.Failure, reasons.HTTPSTimeout)
			}
		}
	})
}

// TestHangUp: a server may end a connection that it had answered on, and is
// asked again over another. A server that never answers is asked once.
func TestHangUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		answers  int // on each connection
		requests int
		reason   reasons.Reason
	}{
		{name: "after an answer", answers: 1, requests: 3},
		{name: "at once", requests: 1, reason: reasons.HTTPSFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			requests, answered := 0, map[string]int{}
			web := startWeb(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				requests++
				n := answered[r.RemoteAddr]
				answered[r.RemoteAddr]++
				mu.Unlock()
				switch {
				case n == c.answers:
					panic(http.ErrAbortHandler) // ends the connection without a word
				case r.URL.Path == "/elsewhere":
					w.WriteHeader(404)
				default:
					serve(302, "", "Location", "/elsewhere")(w, r)
				}
			}, source)
			d := web.fetcher(t, web.client(setup.DNS(t))).fetch(t.Context(), docURL, delegation.JWS.MediaType())
			if failed(d.Failure) != c.reason || c.reason == "" && d.Status != 404 {
				t.Errorf("%+v, failure %+v, want %q", d, d.Failure, c.reason)
			}
			if requests != c.requests {
				t.Errorf("%d requests, want %d", requests, c.requests)
			}
		})
	}
}
