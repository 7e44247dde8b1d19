package probe

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/watch"
)

// from makes a request one of a visitor, by way of proxies if any are named.
func from(address string, forwarded ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.RemoteAddr, r.Host = address, "dna.example"
		for _, f := range forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
	}
}

// TestClient: a visitor cannot choose on whose account a request is.
func TestClient(t *testing.T) {
	for _, c := range []struct {
		remote    string
		forwarded []string
		want      string // network
	}{
		{"192.0.2.77:1234", nil, "192.0.2.0/24"},
		{"192.0.2.77:1234", []string{"203.0.113.1"}, "192.0.2.0/24"},
		{"[2001:db8:1:2::3]:1234", nil, "2001:db8:1::/48"},
		{"[::ffff:192.0.2.1]:1234", nil, "192.0.2.0/24"},
		{"127.0.0.1:1234", nil, "127.0.0.0/24"},
		{"127.0.0.1:1234", []string{"203.0.113.1"}, "203.0.113.0/24"},
		{"127.0.0.1:1234", []string{"198.51.100.1, 203.0.113.1"}, "203.0.113.0/24"},
		{"127.0.0.1:1234", []string{"198.51.100.1", "203.0.113.1"}, "203.0.113.0/24"},
		{"[::1]:1234", []string{"2001:db8:1:2::3"}, "2001:db8:1::/48"},
		{"127.0.0.1:1234", []string{"unknown"}, "127.0.0.0/24"},
		{"127.0.0.1:1234", []string{"203.0.113.1,"}, "127.0.0.0/24"},
		{"@", []string{"203.0.113.1"}, "203.0.113.0/24"}, // a unix socket
		{"@", nil, "invalid Prefix"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := networkOf(clientOf(r)).String(); got != c.want {
			t.Errorf("%s %q: on the account of %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

// TestRate: a network that asks too often is told to wait, others are not, and
// where nobody can choose the domain it does not matter.
func TestRate(t *testing.T) {
	p := prober(Prober{Public: true})
	clock := time.Now()
	p.networks.now = func() time.Time { return clock }
	asked := 0
	ask := func(edit func(*http.Request)) int {
		asked++
		path := []string{"/domain", "/probe"}[asked%2]
		code, _ := get(p, fmt.Sprintf("%s?domain=d%d.example", path, asked), edit)
		return code
	}
	for i := range burst {
		if code := ask(from(fmt.Sprintf("192.0.2.%d:1", i))); code != http.StatusOK {
			t.Fatalf("%d: %d", i, code)
		}
	}
	if code := ask(from("192.0.2.200:1")); code != http.StatusTooManyRequests {
		t.Errorf("%d after %d questions", code, burst)
	}
	if code := ask(from("192.0.3.1:1")); code != http.StatusOK {
		t.Errorf("%d to another network", code)
	}
	code, body := get(p, "/domain?domain=b.example", from("192.0.2.200:1"))
	if code != http.StatusTooManyRequests || !strings.Contains(body, "asked too often") || !strings.Contains(body, "What to do:</b> Wait for a minute") {
		t.Errorf("%d %s", code, body)
	}
	clock = clock.Add(2 * time.Second)
	if code := ask(from("192.0.2.200:1")); code != http.StatusOK {
		t.Errorf("%d two seconds later", code)
	}

	for _, free := range []Prober{{}, {Public: true, Domains: []string{"b.example"}}} {
		p := prober(free)
		for range burst + 1 {
			if code, body := get(p, "/domain?domain=b.example"); code != http.StatusOK {
				t.Fatalf("%d %s", code, body)
			}
		}
	}
}

// TestRateOfChoice: of a domain of a list, a visitor can choose the service and the
// host. Each is a lookup, or a report, of its own.
func TestRateOfChoice(t *testing.T) {
	p := prober(Prober{Public: true, Domains: []string{"b.example"}})
	p.networks.now = func() time.Time { return ends }
	for i := range burst + 1 {
		chosen := fmt.Sprintf("service=s%d", i)
		if i%2 == 1 {
			chosen = fmt.Sprintf("target=h%d.example:1", i)
		}
		want := http.StatusOK
		if i == burst {
			want = http.StatusTooManyRequests
		}
		if code, body := get(p, "/domain?domain=b.example&"+chosen, from("192.0.2.1:1")); code != want {
			t.Fatalf("%d: %d %s", i, code, body)
		}
	}
}

// TestStarving: a network that asks about domains whose servers are silent leaves
// lookups to others.
func TestStarving(t *testing.T) {
	gate, release := make(chan struct{}, watch.DefaultParallel), make(chan struct{})
	begun := make(chan struct{})
	p := prober(Prober{Public: true, Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
		gate <- struct{}{}
		defer func() { <-gate }()
		if q.Source != "b.example" {
			begun <- struct{}{}
			<-release
		}
		return reportOf(q), nil
	}})
	var all sync.WaitGroup
	held := 0
	for i := range watch.DefaultParallel {
		refused := make(chan struct{})
		all.Go(func() {
			if code, _ := get(p, fmt.Sprintf("/domain?domain=d%d.example", i), from("192.0.2.1:1")); code == http.StatusTooManyRequests {
				close(refused)
			}
		})
		select {
		case <-begun:
			held++
		case <-refused:
		}
	}
	if held > watch.DefaultParallel/4 {
		t.Errorf("one network holds %d of %d lookups", held, watch.DefaultParallel)
	} else if code, _ := get(p, "/domain?domain=b.example", from("198.51.100.1:1")); code != http.StatusOK {
		t.Errorf("%d to another network", code)
	}
	close(release)
	all.Wait()
}

// TestShare: a network holds a quarter of the lookups at most.
func TestShare(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	p := prober(Prober{Public: true, Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
		begun <- struct{}{}
		<-release
		return reportOf(q), nil
	}})
	var all sync.WaitGroup
	for i := range maxPerNetwork {
		all.Go(func() { get(p, fmt.Sprintf("/domain?domain=d%d.example", i), from("192.0.2.1:1")) })
		<-begun
	}
	code, body := get(p, "/domain?domain=b.example", from("192.0.2.2:1"))
	if code != http.StatusTooManyRequests || !strings.Contains(body, "too many lookups under way") {
		t.Errorf("%d %s", code, body)
	}
	all.Go(func() {
		if code, _ := get(p, "/domain?domain=c.example", from("198.51.100.1:1")); code != http.StatusOK {
			t.Errorf("%d to another network", code)
		}
	})
	<-begun
	close(release)
	all.Wait()
	for key, a := range p.networks.accounts {
		if a.busy != 0 {
			t.Errorf("%s holds %d", key, a.busy)
		}
	}
}

// TestForget: networks that have not asked for a while make room for others.
func TestForget(t *testing.T) {
	n := newNetworks()
	clock := time.Now()
	n.now = func() time.Time { return clock }
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}) }
	for i := range maxNetworks {
		leave, no := n.enter(address(i), true)
		if no != nil {
			t.Fatal(no.detail)
		}
		if i > 0 {
			leave()
		}
	}
	if _, no := n.enter(netip.MustParseAddr("192.0.2.1"), true); no == nil || no.code != http.StatusServiceUnavailable {
		t.Errorf("%+v", no)
	}
	clock = clock.Add(2 * time.Second)
	if _, no := n.enter(netip.MustParseAddr("192.0.2.1"), true); no != nil {
		t.Errorf("%+v", no)
	}
	if len(n.accounts) != 2 { // the one that still waits, and the new one
		t.Errorf("%d accounts", len(n.accounts))
	}
}
