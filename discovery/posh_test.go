package discovery

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

const xmppServer = "_xmpp-server._tcp"

// poshWeb is a web server without statements. It serves files by the host and path
// that are asked for, and notes what was.
type poshWeb struct {
	webServer
	mu    sync.Mutex
	asked []string
}

func startPOSH(t testing.TB, files map[string]http.HandlerFunc) *poshWeb {
	w := &poshWeb{}
	w.webServer = startWeb(t, func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.Host+r.URL.Path)
		w.mu.Unlock()
		if h := files[r.Host+r.URL.Path]; h != nil {
			h(rw, r)
			return
		}
		http.NotFound(rw, r)
	}, source, "c.example", "d.example")
	return w
}

func (w *poshWeb) gather(t testing.TB, s *dnsserver.Server, edit func(*Client)) *delegation.Evidence {
	t.Helper()
	client := w.client(s)
	client.Via = ViaBoth
	if edit != nil {
		edit(client)
	}
	e, err := client.Gather(context.Background(), source, xmppServer, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (w *poshWeb) times(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(w.asked), func(a string) bool { return a != path }))
}

const (
	poshHere = "b.example/.well-known/posh/xmpp-server.json"
	poshHop  = "c.example/posh.json"
	poshNext = "d.example/posh.json"
)

func jsonFile(body string) http.HandlerFunc {
	return serve(200, body, "Content-Type", "application/json; charset=utf-8")
}

func leads(to string) http.HandlerFunc {
	return jsonFile(fmt.Sprintf(`{"url":"https://%s","expires":60}`, to))
}

// TestPOSH: one hop is followed, within the bounds of a redirect.
func TestPOSH(t *testing.T) {
	good := jsonFile(`{"fingerprints":[{"sha-256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}],"expires":60}`)
	moved := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+poshHop, http.StatusFound)
	}
	for _, c := range []struct {
		name    string
		files   map[string]http.HandlerFunc
		reason  reasons.Reason // of the last file, "" if it came
		asked   []string
		unasked string
		edit    func(*Client)
	}{
		{name: "file", files: map[string]http.HandlerFunc{poshHere: good}, asked: []string{poshHere}},
		{name: "redirect", files: map[string]http.HandlerFunc{poshHere: moved, poshHop: good}, asked: []string{poshHere, poshHop}},
		{name: "hop", files: map[string]http.HandlerFunc{poshHere: leads(poshHop), poshHop: good}, asked: []string{poshHere, poshHop}},
		{name: "second hop", files: map[string]http.HandlerFunc{poshHere: leads(poshHop), poshHop: leads(poshNext), poshNext: good}, asked: []string{poshHere, poshHop}, unasked: poshNext},
		{name: "hop to itself", files: map[string]http.HandlerFunc{poshHere: leads(poshHere)}, asked: []string{poshHere, poshHere}},
		{name: "to another port", files: map[string]http.HandlerFunc{poshHere: leads("c.example:8443/posh.json")}, asked: []string{poshHere}, unasked: poshHop},
		{name: "not there", asked: []string{poshHere}},
		{name: "10 MB", files: map[string]http.HandlerFunc{poshHere: jsonFile(strings.Repeat(" ", 10<<20))}, asked: []string{poshHere}, reason: reasons.DocumentTooLarge},
		{name: "hop to 10 MB", files: map[string]http.HandlerFunc{poshHere: leads(poshHop), poshHop: jsonFile(strings.Repeat(" ", 10<<20))}, asked: []string{poshHere, poshHop}, reason: reasons.DocumentTooLarge},
		{name: "redirects in a loop", files: map[string]http.HandlerFunc{poshHere: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}}, asked: slices.Repeat([]string{poshHere}, maxRedirects+1), reason: reasons.BadRedirect},
		{name: "a page of 10 MB", files: map[string]http.HandlerFunc{poshHere: serve(200, strings.Repeat(" ", 10<<20), "Content-Type", "text/html")}, asked: []string{poshHere}},
		{name: "hop to a private address", files: map[string]http.HandlerFunc{poshHere: leads(poshHop), poshHop: good}, asked: []string{poshHere}, unasked: poshHop, reason: reasons.HTTPSFailure,
			edit: func(c *Client) { c.ConnectTo[0].Host = source }}, // c.example is port 443 of this machine
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			web := startPOSH(t, c.files)
			e := web.gather(t, setup.DNS(t, "c.example. IN A 127.0.0.1"), c.edit)
			if n := len(e.POSH); n == 0 || n > 2 {
				t.Fatalf("%d files", n)
			}
			if last := e.POSH[len(e.POSH)-1]; failed(last.Failure) != c.reason || len(last.Body) > maxDocument {
				t.Errorf("%s: failure %+v, want %q", last.URL, last.Failure, c.reason)
			}
			for _, path := range c.asked {
				want := len(slices.DeleteFunc(slices.Clone(c.asked), func(a string) bool { return a != path }))
				if n := web.times(path); n != want {
					t.Errorf("%s was asked for %d times, want %d", path, n, want)
				}
			}
			if c.unasked != "" && web.times(c.unasked) > 0 {
				t.Errorf("%s was asked for", c.unasked)
			}
		})
	}
}

// TestPOSHAsked: the file is asked for where it can count, and nowhere else.
func TestPOSHAsked(t *testing.T) {
	const srv, txt = xmppServer + "." + source, xmppServer + "._dna." + source
	record := srv + ". IN SRV 0 0 5269 xmpp.hosting.example."
	statement := map[string]http.HandlerFunc{"b.example/.well-known/dna/" + xmppServer + ".jws": serve(200, "x", "Content-Type", jwsType)}
	secureSRV := map[string]dnsserver.Fault{"SRV": {Authentic: true}}
	fails := map[string]http.HandlerFunc{"b.example/.well-known/dna/" + xmppServer + ".p7c": serve(503, "")}
	for _, c := range []struct {
		name    string
		records []string
		files   map[string]http.HandlerFunc
		fault   map[string]dnsserver.Fault // by SRV or TXT
		edit    func(*Client)
		asked   bool
	}{
		{name: "nothing", asked: true},
		{name: "insecure SRV", records: []string{record}, asked: true},
		{name: "records of another kind", records: []string{txt + `. IN TXT "v=spf1 -all"`}, asked: true},
		{name: "secure SRV", records: []string{record}, fault: secureSRV, edit: func(c *Client) { c.Validating = true }},
		{name: "secure denial of SRV", fault: secureSRV, edit: func(c *Client) { c.Validating = true }, asked: true},
		{name: "SRV fails", fault: map[string]dnsserver.Fault{"SRV": {Rcode: servfail}}},
		{name: "a record", records: []string{txt + `. IN TXT "v=DNA1; e=jws; s=x"`}},
		{name: "TXT fails", fault: map[string]dnsserver.Fault{"TXT": {Rcode: servfail}}},
		{name: "a document", files: statement},
		{name: "a document fails", files: fails},
		{name: "only DNS", edit: func(c *Client) { c.Via = ViaDNS }},
		{name: "only HTTPS", edit: func(c *Client) { c.Via = ViaHTTPS }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			web := startPOSH(t, c.files)
			s := setup.DNS(t, c.records...)
			setFault(t, s, srv, "SRV", c.fault["SRV"])
			setFault(t, s, txt, "TXT", c.fault["TXT"])
			e := web.gather(t, s, c.edit)
			if asked := web.times(poshHere) > 0; asked != c.asked || asked != (len(e.POSH) > 0) {
				t.Errorf("asked %t, want %t; %d files", asked, c.asked, len(e.POSH))
			}
		})
	}
}

// TestPOSHTime: both files together have the time of one document.
func TestPOSHTime(t *testing.T) {
	t.Parallel()
	web := startPOSH(t, map[string]http.HandlerFunc{poshHere: leads(poshHop), poshHop: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
	promptly(t, func() {
		e := web.gather(t, setup.DNS(t), func(c *Client) {
			limits := *relaxed
			limits.document = 4 * time.Second
			c.timeouts = &limits
		})
		if len(e.POSH) != 2 || failed(e.POSH[1].Failure) != reasons.HTTPSTimeout {
			t.Errorf("%+v", e.POSH)
		}
	})
}
