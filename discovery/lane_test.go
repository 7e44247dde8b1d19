package discovery

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// fetcher gets documents as a Gather of the client would.
func (w webServer) fetcher(t testing.TB, client *Client) *fetcher {
	t.Helper()
	c, err := client.connector()
	if err != nil {
		t.Fatal(err)
	}
	return newFetcher(&dialer{c, w.roots}, client.logger())
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
	over := time.After(atOnce / 6)
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

// TestConnections: the documents of one host share few connections.
func TestConnections(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	connections := newGauge()
	web := runWeb(t, &http.Server{ConnState: connections.state, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		serve(200, "x", "Content-Type", jwsType)(w, r)
	})}, source)
	f := web.fetcher(t, web.client(startDNS(t)))
	var all sync.WaitGroup
	for range 4 * maxConnections {
		all.Go(func() {
			if d := f.fetch(t.Context(), docURL, delegation.JWS); string(d.Body) != "x" {
				t.Errorf("%+v, failure %+v", d, d.Failure)
			}
		})
	}
	all.Wait()
	f.close()
	if most > maxConnections || connections.all > maxConnections {
		t.Errorf("%d requests at a time over %d connections, at most %d", most, connections.all, maxConnections)
	}
	if !connections.settles(0) {
		t.Error("a connection is open after the end")
	}
}

// TestConnectionsOfRedirects: the bound holds for one Gather, not for each of
// the names that redirects lead through, whatever a hop leaves behind.
func TestConnectionsOfRedirects(t *testing.T) {
	const documents = 4 // two encodings for two labels
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
				exceeded = exceeded || !connections.settles(maxConnections)
				hop := 0
				fmt.Sscanf(r.URL.Path, "/%d", &hop)
				if hop == maxRedirects {
					w.WriteHeader(404)
					return
				}
				next++
				serve(302, body, "Location", fmt.Sprintf("https://%s/%d", names[next], hop+1))(w, r)
			})}, names...)
			client := web.client(startDNS(t))
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
				t.Errorf("more than %d connections at one time", maxConnections)
			}
			if !connections.settles(0) {
				t.Error("a connection is open after the end")
			}
		})
	}
}

// TestRedirectToSilence: names that do not answer take the time of their
// documents, and nothing from later ones.
func TestRedirectToSilence(t *testing.T) {
	t.Parallel()
	web := startWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/good" {
			serve(200, "x", "Content-Type", jwsType)(w, r)
			return
		}
		http.Redirect(w, r, "https://silent.example/", http.StatusFound)
	}, source)
	client := web.client(startDNS(t))
	client.ConnectTo = []ConnectTo{{Host: source, Addr: web.addr}, {Host: "silent.example", Addr: silentTCP(t)}}
	f := web.fetcher(t, client)
	promptly(t, func() {
		f.timeout = 200 * time.Millisecond
		var all sync.WaitGroup
		for range 3 * maxConnections {
			all.Go(func() {
				if d := f.fetch(t.Context(), docURL, delegation.JWS); failed(d.Failure) != delegation.HTTPSTimeout {
					t.Errorf("failure %+v, want %s", d.Failure, delegation.HTTPSTimeout)
				}
			})
		}
		all.Wait()
		f.timeout = relaxed.document
		for range maxConnections {
			if d := f.fetch(t.Context(), "https://"+source+"/good", delegation.JWS); string(d.Body) != "x" {
				t.Errorf("afterwards: %+v, failure %+v", d, d.Failure)
			}
		}
		f.close()
	})
}

// TestHangUp: a server may end a connection that it had answered on, and is
// asked again over another; one that never answers is asked once.
func TestHangUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		answers  int // on each connection
		fetches  int
		requests int
		reason   delegation.Reason
	}{
		{name: "after an answer", answers: 1, fetches: 2 * maxConnections, requests: 3 * maxConnections},
		{name: "at once", fetches: 2 * maxConnections, requests: 2 * maxConnections, reason: delegation.HTTPSFailure},
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
				if n == c.answers {
					panic(http.ErrAbortHandler) // ends the connection without a word
				}
				w.WriteHeader(404)
			}, source)
			f := web.fetcher(t, web.client(startDNS(t)))
			for range c.fetches {
				if d := f.fetch(t.Context(), docURL, delegation.JWS); failed(d.Failure) != c.reason {
					t.Errorf("%+v, failure %+v, want %q", d, d.Failure, c.reason)
				}
			}
			f.close()
			if requests != c.requests {
				t.Errorf("%d requests, want %d", requests, c.requests)
			}
		})
	}
}
