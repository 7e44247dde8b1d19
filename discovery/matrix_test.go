package discovery

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// The fault matrix: every fault in every place that is looked at, alone and
// together with every fault in every other place. What each cell must end with
// follows from what each place by itself amounts to, by the rules of
// docs/spec.md: see cell.expected.

// amounts is the result of a place with a fault: "good" if what is published
// arrives, "absent" if there is nothing, else the reason of the failure.
type amounts = reasons.Reason

const (
	good   amounts = "good"
	absent amounts = "absent"
)

// A dnsFault is a fault of the answers to one question.
type dnsFault struct {
	name    string
	fault   dnsserver.Fault
	records func(name, good string) []string // nil: the good record
	amounts amounts
}

func dnsFaults() []dnsFault {
	return []dnsFault{
		{name: "none", amounts: good},
		{name: "time-out", fault: dnsserver.Fault{Drop: true}, amounts: reasons.DNSTimeout},
		{name: "slow", fault: dnsserver.Fault{Delay: atOnce}, amounts: reasons.DNSTimeout},
		{name: "SERVFAIL", fault: dnsserver.Fault{Rcode: servfail}, amounts: reasons.DNSFailure},
		{name: "REFUSED", fault: dnsserver.Fault{Rcode: dns.RcodeRefused}, amounts: reasons.DNSFailure},
		{name: "NXDOMAIN", fault: dnsserver.Fault{Rcode: dns.RcodeNameError}, amounts: absent},
		{name: "NODATA", fault: dnsserver.Fault{NoData: true}, amounts: absent},
		{name: "truncation", fault: dnsserver.Fault{Truncated: true}, amounts: reasons.DNSFailure},
		{name: "cut message", fault: dnsserver.Fault{Truncated: true, Short: true}, amounts: reasons.DNSFailure},
		{name: "reset", fault: dnsserver.Fault{HangUp: true}, amounts: reasons.DNSFailure},
		{name: "wrong id first", fault: dnsserver.Fault{WrongID: true}, amounts: good},
		{name: "wrong question first", fault: dnsserver.Fault{WrongQuestion: true}, amounts: good},
		{name: "garbage first", fault: dnsserver.Fault{Garbage: true}, amounts: good},
		{name: "garbage only", fault: dnsserver.Fault{Raw: []byte("garbage")}, amounts: reasons.DNSTimeout},
		{name: "lame", fault: dnsserver.Fault{Lame: true}, amounts: reasons.DNSFailure},
		{name: "CNAME loop", records: func(name, _ string) []string { return []string{name + ". IN CNAME " + name + "."} }, amounts: reasons.AliasLoop},
		{name: "oversize", records: func(name, good string) (list []string) {
			for i := range limits.MaxSRVRecords + 1 {
				if strings.Contains(good, " SRV ") {
					list = append(list, fmt.Sprintf("%s. IN SRV 0 0 %d sip.hosting.example.", name, i+1))
				} else {
					list = append(list, fmt.Sprintf(`%s. IN TXT "v=DNA1; e=jws; s=%d"`, name, i))
				}
			}
			return list
		}, amounts: reasons.TooManyRecords},
	}
}

// A webFault is a fault of the web server, or of the addresses of its host.
type webFault struct {
	name    string
	wrap    func(good http.HandlerFunc) http.HandlerFunc // nil: the good one
	server  func(t *testing.T, honest webServer) webServer
	host    dnsserver.Fault // of the addresses, which are asked for then
	byName  bool            // the addresses are asked for
	filter  bool            // private addresses are not allowed
	amounts amounts
}

func webFaults() []webFault {
	always := func(h http.HandlerFunc) func(http.HandlerFunc) http.HandlerFunc {
		return func(http.HandlerFunc) http.HandlerFunc { return h }
	}
	return []webFault{
		{name: "none", amounts: good},
		{name: "time-out", wrap: always(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), amounts: reasons.HTTPSTimeout},
		{name: "silent port", server: func(t *testing.T, w webServer) webServer { return webServer{silentTCP(t), w.roots} }, amounts: reasons.HTTPSTimeout},
		{name: "slow drip", wrap: always(untilGone([]byte("x"), 50*time.Millisecond)), amounts: reasons.HTTPSTimeout},
		{name: "oversize", wrap: always(untilGone(make([]byte, 4096), 0)), amounts: reasons.DocumentTooLarge},
		{name: "reset", wrap: always(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), amounts: reasons.HTTPSFailure},
		{name: "cut body", wrap: always(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", jwsType)
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}), amounts: reasons.HTTPSFailure},
		{name: "garbage", wrap: always(func(w http.ResponseWriter, r *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Write([]byte("\x00\xffgarbage\r\n"))
				conn.Close()
			}
		}), amounts: reasons.HTTPSFailure},
		{name: "TLS of another name", server: func(t *testing.T, w webServer) webServer {
			other := startWeb(t, serve(200, "x", "Content-Type", jwsType), "c.example")
			return webServer{other.addr, other.roots}
		}, amounts: reasons.HTTPSFailure},
		{name: "TLS of another authority", server: func(t *testing.T, w webServer) webServer {
			return webServer{startWeb(t, serve(200, "x", "Content-Type", jwsType), source).addr, w.roots}
		}, amounts: reasons.HTTPSFailure},
		{name: "redirect loop", wrap: always(serve(302, "", "Location", docURL)), amounts: reasons.BadRedirect},
		{name: "redirect to a private address", wrap: always(serve(302, "", "Location", "https://10.0.0.1/")), amounts: reasons.BadRedirect},
		{name: "redirect to http", wrap: always(serve(302, "", "Location", "http://b.example/")), amounts: reasons.BadRedirect},
		{name: "wrong media type", wrap: always(serve(200, "<html>", "Content-Type", "text/html")), amounts: absent},
		{name: "404", wrap: always(serve(404, "", "Content-Type", jwsType)), amounts: absent},
		{name: "410", wrap: always(serve(410, "")), amounts: absent},
		{name: "500", wrap: always(serve(500, "")), amounts: reasons.HTTPSFailure},
		{name: "503 with the statement", wrap: func(h http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", jwsType)
				w.WriteHeader(503)
				h(w, r)
			}
		}, amounts: reasons.HTTPSFailure},
		{name: "DNS rebinding", byName: true, filter: true, amounts: reasons.AddressNotAllowed},
		{name: "no such host", byName: true, host: dnsserver.Fault{Rcode: dns.RcodeNameError}, amounts: absent},
		{name: "addresses fail", byName: true, host: dnsserver.Fault{Rcode: servfail}, amounts: reasons.DNSFailure},
		{name: "addresses time out", byName: true, host: dnsserver.Fault{Drop: true}, amounts: reasons.DNSTimeout},
	}
}

// A cell is a fault in each place.
type cell struct {
	srv, txt dnsFault
	web      webFault
}

func (c cell) String() string {
	return fmt.Sprintf("SRV: %s, TXT: %s, HTTPS: %s", c.srv.name, c.txt.name, c.web.name)
}

// expected is what the cell must end with: rule V4 without a statement, V7 with
// one. Nobody's SRV record is secure here. What statement and SRV records
// amount to if they arrive, and all is well besides, is given.
func (c cell) expected(statement, srv reasons.Reason) reasons.Reason {
	arrived := c.txt.amounts == good || c.web.amounts == good
	failed := func(a amounts) bool { return a != good && a != absent && a.Outcome() == reasons.OutcomeUndetermined }
	switch {
	case arrived && statement == reasons.Verified && c.srv.amounts == absent:
		return reasons.Verified
	case arrived && statement == reasons.Verified && c.srv.amounts == good:
		return srv
	case arrived && statement == reasons.Verified:
		return c.srv.amounts
	case failed(c.txt.amounts):
		return c.txt.amounts
	case failed(c.web.amounts):
		return c.web.amounts
	case arrived:
		return statement
	case c.txt.amounts == reasons.TooManyRecords:
		return reasons.TooManyRecords
	}
	return reasons.NoStatement
}

// cells are all pairs of faults, the third place being good, and every fault
// alone with nothing in the other places.
func cells() []cell {
	dnsAll, webAll := dnsFaults(), webFaults()
	nothing, nothingWeb := dnsAll[5], webAll[14] // NXDOMAIN, 404
	var list []cell
	for _, a := range dnsAll {
		for _, b := range dnsAll {
			list = append(list, cell{a, b, webAll[0]})
		}
		for _, w := range webAll {
			list = append(list, cell{a, dnsAll[0], w}, cell{dnsAll[0], a, w})
		}
		list = append(list, cell{a, nothing, nothingWeb}, cell{nothing, a, nothingWeb})
	}
	for _, w := range webAll {
		list = append(list, cell{nothing, nothing, w})
	}
	return list
}

// A scene is what is published: a statement by a key, and SRV records.
type scene struct {
	name      string
	statement []byte
	reason    reasons.Reason // what the statement amounts to
	policy    delegation.Policy
	target    delegation.Endpoint // in the statement
	srv       string              // the target of the SRV records
	srvReason reasons.Reason      // what they amount to beside the statement
}

const inOrder = "in good order"

// There are three scenes. One is in good order. In one an attacker answers the
// question for SRV records. In one the statement is by an authority of the
// attacker's.
func scenes() []scene {
	order, evil, forged := newScene(true), newScene(true), newScene(false)
	order.name, evil.name, forged.name = inOrder, "evil SRV", "forged statement"
	evil.srv, evil.srvReason = "evil.example", reasons.TargetMismatch
	return []scene{order, evil, forged}
}

func newScene(honest bool) scene {
	now := time.Now().Truncate(time.Second)
	believed := world.At(now)
	s := scene{
		reason: reasons.Verified, policy: believed.Policy(),
		target: delegation.Endpoint{Host: "sip.hosting.example", Port: 5061},
		srv:    "sip.hosting.example", srvReason: reasons.Verified,
	}
	signer := believed.Of(source)
	if !honest {
		s.reason, signer = reasons.UntrustedSigner, world.At(now).Of(source)
	}
	signed := world.Statement(source, service, now.Add(-time.Minute))
	signed.Targets = []delegation.Target{{Endpoint: s.target}}
	s.statement = world.Sign(signed, delegation.JWS, signer)
	return s
}

// waits reports whether the cell has a fault that is seen only by waiting.
func (c cell) waits() bool {
	for _, a := range []amounts{c.srv.amounts, c.txt.amounts, c.web.amounts} {
		if a == reasons.DNSTimeout || a == reasons.HTTPSTimeout {
			return true
		}
	}
	return false
}

// timeouts end what never answers in their first round. A machine with much to
// do makes other answers late too: such a cell gets another round.
func (c cell) timeouts(round int) *timeouts {
	if !c.waits() {
		return relaxed
	}
	unit := time.Second << (2 * round)
	return &timeouts{try: unit, lookup: 2 * unit, connect: 2 * unit, document: 3 * unit}
}

// TestFaultMatrix runs every cell in every scene. With -v it prints what it did.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	list := cells()
	if len(list) < 1000 {
		t.Fatalf("only %d cells", len(list))
	}
	var mu sync.Mutex
	tried, wrong, ends := 0, 0, map[reasons.Reason]int{}
	for _, s := range scenes() {
		m := newMatrix(t, s)
		waiting, working := make(chan struct{}, 120), make(chan struct{}, 8)
		var all sync.WaitGroup
		for _, c := range list {
			turns := working
			if c.waits() {
				if s.name != inOrder {
					continue // waiting is the same in every scene
				}
				turns = waiting
			}
			all.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				want := c.expected(s.reason, s.srvReason)
				got := m.run(t, c, 0)
				for round := 1; got != want && c.waits() && round < 3; round++ {
					got = m.run(t, c, round)
				}
				mu.Lock()
				defer mu.Unlock()
				tried++
				ends[got]++
				if got != want {
					wrong++
					t.Errorf("scene %s, %s: %s, want %s", s.name, c, got, want)
				}
			})
		}
		all.Wait()
	}
	t.Logf("%d cells tried, %d wrong verdicts; ends: %v", tried, wrong, ends)
	if ends[reasons.Verified] == 0 || len(ends) < 13 {
		t.Errorf("the matrix is not what it should be: %v", ends)
	}
}

// A matrix has a DNS server for each pair of faults, and a web server for each
// fault.
type matrix struct {
	scene scene
	mu    sync.Mutex
	dns   map[string]*dnsserver.Server
	web   map[string]webServer
}

func newMatrix(t *testing.T, s scene) *matrix {
	m := &matrix{scene: s, dns: map[string]*dnsserver.Server{}, web: map[string]webServer{}}
	document := func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".jws") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", jwsType)
		w.Write(m.scene.statement)
	}
	for _, f := range webFaults() {
		handler := document
		if f.wrap != nil {
			handler = f.wrap(document)
		}
		server := startWeb(t, handler, source)
		if f.server != nil {
			server = f.server(t, server)
		}
		m.web[f.name] = server
	}
	return m
}

// server is the one DNS server of a cell.
func (m *matrix) server(t *testing.T, c cell) *dnsserver.Server {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := c.srv.name + "/" + c.txt.name
	if c.web.byName {
		name += "/" + c.web.name
	}
	if s := m.dns[name]; s != nil {
		return s
	}
	records := []string{source + ". IN A 127.0.0.1"}
	publish := func(f dnsFault, name, good string) {
		if f.records == nil {
			records = append(records, good)
			return
		}
		records = append(records, f.records(name, good)...)
	}
	publish(c.srv, srvName, fmt.Sprintf("%s. IN SRV 0 0 %d %s.", srvName, m.scene.target.Port, m.scene.srv))
	publish(c.txt, txtName, world.TextLine(source, service, delegation.JWS.TXTRecord(m.scene.statement)))
	s := setup.DNS(t, records...)
	setFault(t, s, srvName, "SRV", c.srv.fault)
	setFault(t, s, txtName, "TXT", c.txt.fault)
	setFault(t, s, source, "", c.web.host)
	m.dns[name] = s
	return s
}

// run is one cell: everything is looked at and judged.
func (m *matrix) run(t *testing.T, c cell, round int) reasons.Reason {
	web := m.web[c.web.name]
	client := &Client{
		Resolver: m.server(t, c).Addr, Via: ViaBoth, HTTPSRoots: web.roots, timeouts: c.timeouts(round),
		AllowPrivateAddresses: !c.web.filter,
	}
	if client.HTTPSRoots == nil {
		client.HTTPSRoots = x509.NewCertPool()
	}
	if !c.web.byName {
		client.ConnectTo = []ConnectTo{{Addr: web.addr}}
	}
	var result *delegation.Result
	var err error
	promptly(t, func() {
		var e *delegation.Evidence
		if e, err = client.Gather(context.Background(), source, service, nil); err == nil {
			result, err = delegation.Verify(delegation.Query{Source: source, Service: service}, e, m.scene.policy)
		}
	})
	if err != nil {
		return delegation.ReasonOf(err)
	}
	if dial := result.Dial(); len(dial) != 1 || dial[0].Endpoint != m.scene.target {
		t.Errorf("%s: leads to %v", c, dial)
	}
	return reasons.Verified
}
