package discovery

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// TestNoServer: there is no web server if all addresses of the source are known, and
// each of them refuses the connection. Nothing listens on port 443 of the loopback
// addresses here.
func TestNoServer(t *testing.T) {
	a := func(host, address string) string { return host + ". IN A " + address }
	hangsUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, c := range []struct {
		name    string
		records []string
		fault   dnsserver.Fault  // for AAAA
		handler http.HandlerFunc // of a web server of the source; nil: none
		public  bool             // only global addresses are allowed
		connect time.Duration    // 0: as usual
		want    bool
		reason  reasons.Reason
	}{
		{name: "one address refuses", records: []string{a(source, "127.0.0.1")}, want: true, reason: reasons.HTTPSFailure},
		{name: "every address refuses", records: []string{a(source, "127.0.0.1"), a(source, "127.0.0.2"), a(source, "127.0.0.3")}, want: true, reason: reasons.HTTPSFailure},
		{name: "one address cannot be reached", records: []string{a(source, "127.0.0.1"), a(source, "224.0.0.1")}, reason: reasons.HTTPSFailure},
		{name: "no address answers in time", records: []string{a(source, "127.0.0.1"), a(source, "127.0.0.2")}, connect: time.Nanosecond, reason: reasons.HTTPSTimeout},
		{name: "some addresses are not known", records: []string{a(source, "127.0.0.1")}, fault: dnsserver.Fault{Rcode: servfail}, reason: reasons.HTTPSFailure},
		{name: "not allowed", records: []string{a(source, "127.0.0.1")}, public: true, reason: reasons.AddressNotAllowed},
		{name: "no address"},
		{name: "hangs up", handler: hangsUp, reason: reasons.HTTPSFailure},
		{name: "fails", handler: serve(503, "")},
		{name: "redirected to a host that refuses", records: []string{a("c.example", "127.0.0.1")}, handler: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://c.example/", http.StatusFound)
		}, reason: reasons.HTTPSFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			web := startWeb(t, c.handler, source)
			s := setup.DNS(t, c.records...)
			setFault(t, s, source, "AAAA", c.fault)
			client := web.client(s)
			client.ConnectTo, client.AllowPrivateAddresses = nil, !c.public
			if c.handler != nil {
				client.ConnectTo = []ConnectTo{{Host: source, Addr: web.addr}}
			}
			limits := *relaxed
			if c.connect != 0 {
				limits.connect = c.connect
			}
			client.timeouts = &limits
			e := gather(t, client)
			if len(e.Documents) != 2 {
				t.Fatalf("%d documents", len(e.Documents))
			}
			for _, d := range e.Documents {
				if d.NoServer != c.want || c.reason != "" && failed(d.Failure) != c.reason {
					t.Errorf("%s: no server %t, failure %+v; want %t, %s", d.URL, d.NoServer, d.Failure, c.want, c.reason)
				}
			}
		})
	}
}

// TestNoServerLate: that the time is over when the refusal is seen changes nothing.
func TestNoServerLate(t *testing.T) {
	f := newFetcher(&connector{timeouts: *relaxed}, nil, (&Client{}).logger())
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if p := f.explain(ctx, errRefused); p.Reason != reasons.HTTPSFailure {
		t.Errorf("got %s, want %s", p.Reason, reasons.HTTPSFailure)
	}
	if p := f.explain(ctx, net.ErrClosed); p.Reason != reasons.HTTPSTimeout {
		t.Errorf("got %s, want %s", p.Reason, reasons.HTTPSTimeout)
	}
}
