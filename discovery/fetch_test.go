package discovery

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// jwsType is the media type that is looked for.
var jwsType = delegation.JWS.MediaType()

// serve answers with a status, a header of pairs and a body.
func serve(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// raw answers with octets as they are and ends the connection in good order.
func raw(response string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			fmt.Fprint(conn, response)
			conn.Close()
		}
	}
}

// redirecting sends the paths /0, /1, ... n-1 on to the next and serves the
// last; the document itself goes to /0.
func redirecting(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at := 0
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &at); err == nil {
			at++
		}
		if at == n {
			serve(200, "moved", "Content-Type", jwsType)(w, r)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/%d", at), http.StatusFound)
	}
}

// untilGone writes a piece at a time until the client goes away.
func untilGone(piece []byte, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jwsType)
		for r.Context().Err() == nil {
			if _, err := w.Write(piece); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(pause):
			}
		}
	}
}

func TestDocuments(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    delegation.Document // Failure: the reason alone is compared
		reason  reasons.Reason
		detail  string
	}{
		{name: "found", handler: serve(200, "statement\n", "Content-Type", jwsType),
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1, Body: []byte("statement\n")}},
		{name: "parameters, case, max-age", handler: serve(200, "x", "Content-Type", "Application/DNA+JWT ; charset=utf-8", "Cache-Control", "public, Max-Age=300"),
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: 300, Body: []byte("x")}},
		{name: "as large as may be", handler: serve(200, strings.Repeat("x", maxDocument), "Content-Type", jwsType),
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1, Body: bytes.Repeat([]byte("x"), maxDocument)}},
		{name: "identity said aloud", handler: serve(200, "x", "Content-Type", jwsType, "Content-Encoding", "Identity"),
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1, Body: []byte("x")}},
		{name: "404", handler: serve(404, "no such page", "Content-Type", "text/plain"),
			want: delegation.Document{Status: 404, MediaType: "text/plain", MaxAge: -1}},
		{name: "404 with the right type", handler: serve(404, "no such page", "Content-Type", jwsType),
			want: delegation.Document{Status: 404, MediaType: jwsType, MaxAge: -1}},
		{name: "404 with a place", handler: serve(404, "", "Content-Type", "text/plain", "Location", "http://b.example/"),
			want: delegation.Document{Status: 404, MediaType: "text/plain", MaxAge: -1}},
		{name: "410", handler: serve(410, "", "Content-Type", "text/plain"),
			want: delegation.Document{Status: 410, MediaType: "text/plain", MaxAge: -1}},
		{name: "500", handler: serve(500, "oops", "Content-Type", "text/plain", "Cache-Control", "no-store"),
			want: delegation.Document{Status: 500, MediaType: "text/plain"}},
		{name: "redirect without a place", handler: serve(302, "", "Content-Type", "text/plain"),
			want: delegation.Document{Status: 302, MediaType: "text/plain", MaxAge: -1}},
		{name: "another type", handler: serve(200, "<html>", "Content-Type", "text/html; charset=utf-8"),
			want: delegation.Document{Status: 200, MediaType: "text/html", MaxAge: -1}},
		{name: "a large page for any path, compressed", handler: serve(200, strings.Repeat("x", 2*maxDocument), "Content-Type", "text/html", "Content-Encoding", "gzip"),
			want: delegation.Document{Status: 200, MediaType: "text/html", MaxAge: -1}},
		{name: "no legal type", handler: serve(200, "x", "Content-Type", "application/dna+jwt charset=utf-8"),
			want: delegation.Document{Status: 200, MediaType: "application/dna+jwt charset=utf-8", MaxAge: -1}},
		{name: "no type", handler: serve(200, "x", "Content-Type", ""),
			want: delegation.Document{Status: 200, MaxAge: -1}},
		{name: "as many redirects as may be", handler: redirecting(maxRedirects),
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1, Body: []byte("moved")}},

		{name: "one redirect too many", handler: redirecting(maxRedirects + 1), reason: reasons.BadRedirect, detail: "more than 3"},
		{name: "redirects in a loop", handler: serve(302, "", "Location", docURL), reason: reasons.BadRedirect},
		{name: "redirect to http", handler: serve(301, "", "Location", "http://b.example/"), reason: reasons.BadRedirect, detail: "not https"},
		{name: "redirect to another port", handler: serve(301, "", "Location", "https://b.example:8443/"), reason: reasons.BadRedirect, detail: "port 443"},
		{name: "redirect to an address", handler: serve(307, "", "Location", "https://169.254.169.254/"), reason: reasons.BadRedirect, detail: "IP address"},
		{name: "too large", handler: serve(200, strings.Repeat("x", maxDocument+1), "Content-Type", jwsType), reason: reasons.DocumentTooLarge,
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "endless", handler: untilGone(make([]byte, 4096), 0), reason: reasons.DocumentTooLarge,
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "a drop at a time", handler: untilGone([]byte("x"), 20*time.Millisecond), reason: reasons.HTTPSTimeout, detail: "not done after",
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "no answer", handler: func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, reason: reasons.HTTPSTimeout},
		{name: "hangs up", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, reason: reasons.HTTPSFailure},
		{name: "hangs up in the middle", handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", jwsType)
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, reason: reasons.HTTPSFailure, detail: "after 5 octets", want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "compressed", handler: serve(200, "x", "Content-Type", jwsType, "Content-Encoding", "gzip"), reason: reasons.HTTPSFailure, detail: `"gzip"`,
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "large header", handler: serve(200, "x", "Content-Type", jwsType, "X-Large", strings.Repeat("x", 2*maxHeader)), reason: reasons.HTTPSFailure, detail: "header"},
		{name: "compressed, says the second line", handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Encoding"] = []string{"identity", "gzip"}
			serve(200, "x", "Content-Type", jwsType)(w, r)
		}, reason: reasons.HTTPSFailure, detail: `"gzip"`, want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "no length", handler: raw("HTTP/1.1 200 OK\r\nContent-Type: " + jwsType + "\r\n\r\nx"), reason: reasons.HTTPSFailure, detail: "length",
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "no length, by an old server", handler: raw("HTTP/1.0 200 OK\r\nContent-Type: " + jwsType + "\r\n\r\n"), reason: reasons.HTTPSFailure, detail: "length",
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1}},
		{name: "no length, of something else", handler: raw("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nx"),
			want: delegation.Document{Status: 200, MediaType: "text/html", MaxAge: -1}},
		{name: "a length, by an old server", handler: raw("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Type: " + jwsType + "\r\n\r\nx"),
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1, Body: []byte("x")}},
		{name: "chunks", handler: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: " + jwsType + "\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
			want: delegation.Document{Status: 200, MediaType: jwsType, MaxAge: -1, Body: []byte("x")}},
		{name: "another protocol", handler: raw("220 mail.example ESMTP\r\n"), reason: reasons.HTTPSFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			web := startWeb(t, c.handler, source)
			var got delegation.Document
			client := web.client(setup.DNS(t))
			client.timeouts = timeoutsFor(c.reason)
			promptly(t, func() {
				rounds(func(unit time.Duration) bool {
					if c.reason == reasons.HTTPSTimeout {
						client.timeouts = &timeouts{lookup: unit, connect: unit, document: unit}
					}
					e := gather(t, client)
					if c.reason != "" {
						undetermined(t, e, c.reason)
					}
					got = e.Documents[0]
					return c.want.Status == 0 || got.Status == c.want.Status
				})
			})
			if failed(got.Failure) != c.reason {
				t.Fatalf("failure %+v, want %q", got.Failure, c.reason)
			}
			if got.Failure != nil && !strings.Contains(got.Failure.Detail, c.detail) {
				t.Errorf("detail %q, want %q in it", got.Failure.Detail, c.detail)
			}
			got.Failure, c.want.URL = nil, docURL
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestResetAddress: evidence goes to others, so it does not tell from where we asked.
func TestResetAddress(t *testing.T) {
	web := startWeb(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		tcp := conn.(*tls.Conn).NetConn().(*net.TCPConn)
		tcp.SetLinger(0)
		tcp.Close()
	}, source)
	for _, d := range gather(t, web.client(setup.DNS(t))).Documents {
		if failed(d.Failure) != reasons.HTTPSFailure || !strings.Contains(d.Failure.Detail, web.addr.String()) || strings.Contains(d.Failure.Detail, "->") {
			t.Errorf("failure %+v", d.Failure)
		}
	}
}

// TestRequest: what a web server is told about us, and that is all.
func TestRequest(t *testing.T) {
	requests := make(chan *http.Request, 10) // both documents are asked for at once
	web := startWeb(t, func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Clone(context.Background())
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "1"})
		if r.URL.Path != "/again" {
			http.Redirect(w, r, "/again", http.StatusFound)
		}
	}, source)
	gather(t, web.client(setup.DNS(t)))
	close(requests)
	paths := map[string]int{}
	want := http.Header{"User-Agent": {userAgent}, "Accept-Encoding": {"identity"}}
	for request := range requests {
		if diff := cmp.Diff(want, request.Header); diff != "" {
			t.Error(diff)
		}
		if request.Host != source || request.Method != http.MethodGet || request.Proto != "HTTP/1.1" {
			t.Errorf("%s %s of %s by %s", request.Method, request.URL, request.Host, request.Proto)
		}
		paths[request.URL.Path]++
	}
	if paths["/again"] != 2 || len(paths) != 3 {
		t.Errorf("asked for %v", paths)
	}
}

func TestWebServerIdentity(t *testing.T) {
	good := serve(200, "x", "Content-Type", jwsType)
	web, other := startWeb(t, good, source), startWeb(t, good, "c.example")
	for _, c := range []struct {
		name   string
		server webServer
		roots  *x509.CertPool
		detail string
	}{
		{"another name", other, other.roots, "not b.example"},
		{"another authority", web, other.roots, "unknown authority"},
		{"no authority", web, x509.NewCertPool(), "unknown authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := c.server.client(setup.DNS(t))
			client.HTTPSRoots = c.roots
			d := gather(t, client).Documents[0]
			if failed(d.Failure) != reasons.HTTPSFailure || !strings.Contains(d.Failure.Detail, c.detail) || d.Body != nil {
				t.Errorf("%+v, failure %+v, want %s with %q", d, d.Failure, reasons.HTTPSFailure, c.detail)
			}
		})
	}
}

func TestSilentWebServer(t *testing.T) {
	t.Parallel()
	web := startWeb(t, nil, source)
	web.addr = silentTCP(t) // it never says hello
	var d delegation.Document
	client := web.client(setup.DNS(t))
	client.timeouts = quick
	promptly(t, func() { d = gather(t, client).Documents[0] })
	if failed(d.Failure) != reasons.HTTPSTimeout {
		t.Errorf("failure %+v, want %s", d.Failure, reasons.HTTPSTimeout)
	}
}

// TestAddressesOfWebServers: what DNS says of the host decides where to
// connect, or that nothing is connected to.
func TestAddressesOfWebServers(t *testing.T) {
	many := make([]string, maxAddresses+1)
	for i := range many {
		many[i] = fmt.Sprintf("%s. IN A 127.0.0.%d", source, i+1)
	}
	for _, c := range []struct {
		name       string
		records    []string
		fault      dnsserver.Fault // for A
		validating bool
		private    bool
		reason     reasons.Reason
		detail     string
		none       bool
	}{
		{name: "no such name", none: true},
		{name: "no address", records: []string{source + ". IN TXT x"}, none: true},
		{name: "loopback", records: []string{source + ". IN A 127.0.0.1"}, reason: reasons.AddressNotAllowed, detail: "127.0.0.1 is in 127.0.0.0/8 (loopback"},
		{name: "loopback by IPv6", records: []string{source + ". IN AAAA ::1"}, reason: reasons.AddressNotAllowed, detail: "::1 is not in 2000::/3"},
		{name: "loopback, mapped", records: []string{source + ". IN AAAA ::ffff:127.0.0.1"}, reason: reasons.AddressNotAllowed, detail: "loopback"},
		{name: "an alias of loopback", records: []string{source + ". IN CNAME c.example.", "c.example. IN A 127.0.0.1"}, reason: reasons.AddressNotAllowed},
		{name: "several, all private", records: []string{source + ". IN A 10.0.0.1", source + ". IN A 192.168.0.1", source + ". IN AAAA fd00::1"}, reason: reasons.AddressNotAllowed},
		{name: "too many", records: many, private: true, reason: reasons.HTTPSFailure, detail: "17 addresses, at most 16"},
		{name: "nobody listens", records: []string{source + ". IN A 127.0.0.1"}, private: true, reason: reasons.HTTPSFailure, detail: "refused"},
		{name: "A fails, no AAAA", fault: dnsserver.Fault{Rcode: servfail}, reason: reasons.DNSFailure},
		{name: "A is silent, no AAAA", fault: dnsserver.Fault{Drop: true}, reason: reasons.DNSTimeout},
		{name: "A fails, AAAA goes on", records: []string{source + ". IN AAAA ::1"}, fault: dnsserver.Fault{Rcode: servfail}, reason: reasons.AddressNotAllowed},
		{name: "A bogus, AAAA not dialled", records: []string{source + ". IN A 127.0.0.1", source + ". IN AAAA ::1"}, fault: dnsserver.Fault{Bogus: true},
			validating: true, private: true, reason: reasons.DNSBogus},
		{name: "alias loop", records: []string{source + ". IN CNAME " + source + "."}, reason: reasons.AliasLoop},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := setup.DNS(t, c.records...)
			setFault(t, s, source, "A", c.fault)
			d := gather(t, &Client{
				Resolver: s.Addr, Validating: c.validating, Via: ViaHTTPS, HTTPSRoots: x509.NewCertPool(),
				AllowPrivateAddresses: c.private, timeouts: timeoutsFor(c.reason),
			}).Documents[0]
			if failed(d.Failure) != c.reason || d.NoAddress != c.none || d.Status != 0 {
				t.Fatalf("%+v, failure %+v, want %q, no address %v", d, d.Failure, c.reason, c.none)
			}
			if d.Failure != nil && !strings.Contains(d.Failure.Detail, c.detail) {
				t.Errorf("detail %q, want %q in it", d.Failure.Detail, c.detail)
			}
		})
	}
}

// TestRedirectToAnotherHost: its addresses come from DNS and pass the filter,
// whatever was allowed for the first host.
func TestRedirectToAnotherHost(t *testing.T) {
	web := startWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Host, "www.") {
			serve(200, "x", "Content-Type", jwsType)(w, r)
			return
		}
		http.Redirect(w, r, "https://WWW.b.example:443/x", http.StatusPermanentRedirect)
	}, source, "www.b.example")
	s := setup.DNS(t, "www.b.example. IN A 127.0.0.1")

	client := web.client(s)
	if d := gather(t, client).Documents[0]; string(d.Body) != "x" {
		t.Errorf("%+v, failure %+v", d, d.Failure)
	}
	client.ConnectTo = []ConnectTo{{Host: source, Port: 443, Addr: web.addr}}
	client.AllowPrivateAddresses = false
	if d := gather(t, client).Documents[0]; failed(d.Failure) != reasons.AddressNotAllowed {
		t.Errorf("a fixed private address: failure %+v, want %s", d.Failure, reasons.AddressNotAllowed)
	}

	// Only the first host is let through, as if its address were global.
	r, err := client.resolver()
	if err != nil {
		t.Fatal(err)
	}
	c := &connector{resolver: r, timeouts: *relaxed}
	f := newFetcher(c, web.roots, client.logger())
	let := &connector{connectTo: client.ConnectTo, timeouts: *relaxed, private: true}
	f.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == source+":443" {
			return let.dial(ctx, network, address)
		}
		return c.dial(ctx, network, address)
	}
	doc := f.fetch(t.Context(), docURL, jwsType)
	if failed(doc.Failure) != reasons.AddressNotAllowed {
		t.Errorf("redirected to a private address: %+v, failure %+v, want %s", doc, doc.Failure, reasons.AddressNotAllowed)
	}
	if err := s.SetRecords(nil); err != nil {
		t.Fatal(err)
	}
	doc = f.fetch(t.Context(), docURL, jwsType)
	if failed(doc.Failure) != reasons.HTTPSFailure || doc.NoAddress {
		t.Errorf("redirected to no address: %+v, failure %+v, want %s", doc, doc.Failure, reasons.HTTPSFailure)
	}
}

func TestRedirectTargets(t *testing.T) {
	from := mustURL(t, docURL)
	for location, want := range map[string]string{
		"/x":                               "https://b.example/x",
		"x?y#z":                            "https://b.example/.well-known/dna/x?y#z",
		"//c.example/":                     "https://c.example/",
		"HTTPS://C.example:443/":           "https://c.example:443/",
		"http://b.example/":                "",
		"ftp://b.example/":                 "",
		"https:b.example":                  "",
		"https://b.example:80/":            "",
		"https://b.example:/":              "",
		"https://b.example:99999/":         "",
		"https://user@b.example/":          "",
		"https://user:password@b.example/": "",
		"https://127.0.0.1/":               "",
		"https://[::1]/":                   "",
		"https://2130706433/":              "",
		"https://0x7f.1/":                  "",
		"https://localhost/":               "",
		"https://printer.local/":           "",
		"https://b.example./":              "",
		"https://b\u00fccher.example/":     "",
		"https://a b/":                     "",
		"https:///x":                       "",
		"::":                               "",
		"javascript:alert(1)":              "",
		"\x00":                             "",
	} {
		to, err := redirect(from, location)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is accepted as %s", location, to)
		case want == "" && failed(err.(*problem).failure()) != reasons.BadRedirect:
			t.Errorf("%q: %v", location, err)
		case want != "" && (err != nil || to.String() != want):
			t.Errorf("%q: %v, %v, want %s", location, to, err, want)
		}
	}
}

func TestFreshness(t *testing.T) {
	for _, c := range []struct {
		want   int64
		header []string
	}{
		{-1, nil},
		{-1, []string{"public, s-maxage=60"}},
		{300, []string{"max-age=300"}},
		{300, []string{` public , MAX-AGE = "300" , immutable`}},
		{0, []string{"max-age=0"}},
		{0, []string{"no-store"}},
		{0, []string{"max-age=300, No-Cache"}},
		{0, []string{"no-cache=\"Set-Cookie\"", "max-age=300"}},
		{60, []string{"max-age=300", "max-age=60"}},
		{0, []string{"max-age=-1"}},
		{0, []string{"max-age=1.5"}},
		{0, []string{"max-age"}},
		{0, []string{"max-age=ten"}},
		{maxAge, []string{"max-age=99999999999999999999999"}},
		{maxAge, []string{"max-age=2147483648"}},
	} {
		if got := freshness(c.header); got != c.want {
			t.Errorf("%q: %d, want %d", c.header, got, c.want)
		}
	}
}

func TestConnectTo(t *testing.T) {
	addr := netip.MustParseAddrPort("127.0.0.1:8443")
	for text, want := range map[string]ConnectTo{
		"b.example:443:127.0.0.1:8443": {"b.example", 443, addr},
		"B.Example::127.0.0.1:8443":    {"b.example", 0, addr},
		"::127.0.0.1:8443":             {"", 0, addr},
		":443:[::1]:8443":              {"", 443, netip.MustParseAddrPort("[::1]:8443")},
	} {
		got, err := ParseConnectTo(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
			continue
		}
		if again, err := ParseConnectTo(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which is %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{
		"", "b.example", "b.example:443", "b.example:443:127.0.0.1", "b.example:443:localhost:8443", "b.example:0:127.0.0.1:8443",
		"b.example:65536:127.0.0.1:8443", "b.example:https:127.0.0.1:8443", "b.example:443:127.0.0.1:0", "b.example:443:::1:8443", "b_x:443:127.0.0.1:8443",
	} {
		if c, err := ParseConnectTo(text); err == nil {
			t.Errorf("%q is accepted as %+v", text, c)
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestParametersAreIgnored: rule H3a, whatever the parameters are. A revocation
// must be seen however the web server adorns its type.
func TestParametersAreIgnored(t *testing.T) {
	ignored := []string{
		"", ";", "; ", " ; charset=utf-8", "\t;charset=utf-8", ";charset=UTF-8;", "; charset", "; charset=", "; charset=utf 8", "; charset=utf-8; charset=utf-8",
		"; charset=utf-8; charset=latin1", `; charset="utf-8`, `; charset="utf-8\`, "; =", "; =utf-8", ";;;", "; charset=utf-8, text/html", "; a/b",
		"; charset=\xff", "; q=0.1;;", "; charset*=utf-8''x", "; charset*0=a; charset*2=b", "; x=" + strings.Repeat("y", 5000), "; ; charset=utf-8", "; charset = utf-8",
	}
	if len(ignored) < 20 {
		t.Fatalf("only %d cases", len(ignored))
	}
	for _, parameters := range ignored {
		if got := mediaType(jwsType + parameters); got != jwsType {
			t.Errorf("%.80q: %q, want %q", parameters, got, jwsType)
		}
	}
	for _, other := range []string{
		"", ";", "; application/dna+jwt", "application/dna+jwt/x", "application/dna+jwt x; charset=utf-8", "text/html", "application/ dna+jwt", "application/dna+jwt, text/html",
		`"application/dna+jwt"`, "application/jwt", "application", "\u00a0application/dna+jwt", "application/pKcs7-mime\u200b",
	} {
		if got := mediaType(other); got == jwsType || got == delegation.AC.MediaType() {
			t.Errorf("%q is taken for %q", other, got)
		}
	}
	if got := mediaType("application/p\u212acs7-mime"); got == delegation.AC.MediaType() {
		t.Error("a Kelvin sign is taken for a k")
	}
	// Through a web server: a statement that revokes is read.
	for _, parameters := range []string{"; charset", "; charset=utf 8", `; charset="utf-8`, "; charset=a; charset=b"} {
		web := startWeb(t, serve(200, "revoked", "Content-Type", jwsType+parameters), source)
		d := gather(t, web.client(setup.DNS(t))).Documents[0]
		if d.Failure != nil || string(d.Body) != "revoked" || d.MediaType != jwsType {
			t.Errorf("%q: %+v, failure %+v, want the body", parameters, d, d.Failure)
		}
	}
}
