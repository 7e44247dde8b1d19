package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/page"
	"github.com/dnasign/dnasign/internal/watch"
)

// TestPages: a person finds a form, the page about a domain, or what is wrong.
func TestPages(t *testing.T) {
	p := prober(Prober{Roots: "roots.pem"})
	for _, c := range []struct {
		target string
		code   int
		says   string
	}{
		{"/", 200, `<form action="/domain" method="get">`},
		{"/", 200, `value="xmpp-server"`},
		{"/domain?domain=B.Example.&service=xmpp-server&target=", 200, "<h1>b.example is not verified: the domain has published no delegation that could be found.</h1>"},
		{"/domain?domain=b.example&target=xmpp.hosting.example:5269", 200, "Asked about: xmpp.hosting.example:5269"},
		{"/domain", 400, "<h1>The parameter domain is missing.</h1>"},
		{"/domain?domain=localhost", 400, "What to do:</b> Write a domain such as b.example"},
		{"/domain?domain=b.example&resolver=192.0.2.1", 400, "<h1>There is no parameter "},
		{"/domain?domain=%3Cscript%3E", 400, "<h1>Not a usable domain name: "},
		{"/domain?domain=" + strings.Repeat("a", maxQuery), 414, "more than 2048 octets"},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9854"+c.target, nil)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%.60s: %d %s, want %d %s", c.target, w.Code, w.Body, c.code, c.says)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": page.SecurityPolicy(), "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%.60s: %s is %q, want %q", c.target, name, got, want)
			}
		}
	}
	if code, body := get(p, "/metrics"); code != http.StatusOK || !strings.Contains(body, `dnaverify_watch_refused_total{code="414"} 1`) {
		t.Errorf("%d %s", code, body)
	}
}

// TestDefaultTarget: a form that is sent without a target asks about none.
func TestDefaultTarget(t *testing.T) {
	var asked watch.Question
	p := prober(Prober{Default: watch.Question{Query: delegation.Query{Target: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}}},
		Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
			asked = q
			return reportOf(q), nil
		}})
	if _, body := get(p, "/"); !strings.Contains(body, `value="xmpp.hosting.example:5269"`) {
		t.Error(body)
	}
	if code, _ := get(p, "/domain?domain=b.example&target="); code != http.StatusOK || asked.Target.Host != "" {
		t.Errorf("%d, asked about %s", code, asked.Target)
	}
	if code, _ := get(p, "/domain?domain=b.example"); code != http.StatusOK || asked.Target.Host == "" {
		t.Errorf("%d, asked about %s", code, asked.Target)
	}
}

// TestList: with a list, the first page has its domains and nothing else is
// looked up.
func TestList(t *testing.T) {
	var looked atomic.Int32
	list := Prober{Public: true, Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
		looked.Add(1)
		if q.Source == "d2.example" {
			return watch.Report{}, errors.New("broken")
		}
		return reportOf(q), nil
	}}
	for i := range 2*maxListed + 1 {
		list.Domains = append(list.Domains, fmt.Sprintf("d%d.example", i))
	}
	p := prober(list)
	code, body := get(p, "/")
	if code != http.StatusOK || strings.Count(body, "/domain?domain=d") != maxListed || looked.Load() != maxListed {
		t.Errorf("%d, %d links, %d lookups", code, strings.Count(body, "/domain?domain=d"), looked.Load())
	}
	for _, want := range []string{`<a href="/?from=26">Next</a>`, "51 in all", `<a href="/domain?domain=d24.example">`, "d0.example is not verified: ", "The lookups for d2.example did not end."} {
		if !strings.Contains(body, want) {
			t.Errorf("without %s:\n%s", want, body)
		}
	}
	if _, body := get(p, "/?from=51"); !strings.Contains(body, `<a href="/?from=26">Previous</a>`) || strings.Contains(body, "Next") || strings.Count(body, "/domain?domain=d") != 1 {
		t.Error(body)
	}
	for _, bad := range []string{"/?from=0", "/?from=52", "/?from=x", "/?page=1"} {
		if code, body := get(p, bad); code != http.StatusBadRequest || !strings.Contains(body, "a number from 1 to 51") {
			t.Errorf("%s: %d %s", bad, code, body)
		}
	}
	if code, body := get(p, "/domain?domain=b.example"); code != http.StatusForbidden || !strings.Contains(body, "b.example is not in the list") {
		t.Errorf("%d %s", code, body)
	}
}

// TestKeptEvidence: the evidence of all kept reports has a bound.
func TestKeptEvidence(t *testing.T) {
	var looked atomic.Int32
	p := prober(Prober{Look: func(_ context.Context, q watch.Question) (watch.Report, error) {
		looked.Add(1)
		r := reportOf(q)
		r.Verdicts[0].Evidence = &delegation.Evidence{Documents: []delegation.Document{{Body: make([]byte, 600)}}}
		return r, nil
	}})
	p.cache.mostOctets = 1000
	for _, domain := range []string{"b.example", "b.example", "c.example", "c.example", "b.example"} {
		if code, _ := get(p, "/domain?domain="+domain); code != http.StatusOK {
			t.Errorf("%d", code)
		}
	}
	if looked.Load() != 3 || p.cache.octets != 600 {
		t.Errorf("%d lookups, %d octets", looked.Load(), p.cache.octets)
	}
}
