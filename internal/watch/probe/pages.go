package probe

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/dnasign/dnasign/internal/page"
	"github.com/dnasign/dnasign/internal/text"
)

// maxListed is how many domains of a list one page shows. All of them are looked
// up for it, unless that was done just before.
const maxListed = 25

// start is the first page: a form, or the domains of the list.
func (p *Prober) start(w http.ResponseWriter, r *http.Request) {
	if p.domains == nil {
		f := page.Form{Service: text.ServiceName(p.Default.Service)}
		if p.Default.Target.Host != "" {
			f.Target = p.Default.Target.String()
		}
		p.show(w, http.StatusOK, f.HTML())
		return
	}
	from, err := p.from(r.URL.RawQuery)
	if err != nil {
		p.showRefusal(w, refusal{http.StatusBadRequest, err.Error(), "Begin at the first page."})
		return
	}
	leave, no := p.enter(r, false)
	if no != nil {
		p.showRefusal(w, *no)
		return
	}
	defer leave()
	end := min(from+maxListed, len(p.Domains))
	l := page.List{Service: text.ServiceName(p.Default.Service), From: from + 1, Of: len(p.Domains), Rows: make([]page.Row, end-from)}
	if from > 0 {
		l.Previous = fmt.Sprintf("/?from=%d", max(from-maxListed, 0)+1)
	}
	if end < len(p.Domains) {
		l.Next = fmt.Sprintf("/?from=%d", end+1)
	}
	var all sync.WaitGroup
	for i, domain := range p.Domains[from:end] {
		all.Go(func() { l.Rows[i] = p.row(r, domain) })
	}
	all.Wait()
	p.show(w, http.StatusOK, l.HTML())
}

// from reads the number of the first row, less one.
func (p *Prober) from(raw string) (int, error) {
	if raw == "" {
		return 0, nil
	}
	text, found := strings.CutPrefix(raw, "from=")
	n, err := strconv.Atoi(text)
	if !found || err != nil || n < 1 || n > len(p.Domains) {
		return 0, fmt.Errorf("there is ?from= with a number from 1 to %d", len(p.Domains))
	}
	return n - 1, nil
}

// row looks a domain of the list up.
func (p *Prober) row(r *http.Request, domain string) page.Row {
	q := p.Default
	q.Source = domain
	row := page.Row{Domain: domain, Link: "/domain?" + url.Values{"domain": {domain}}.Encode()}
	e, err := p.look(r.Context(), q)
	if err != nil {
		row.Verdict = page.Unknown(fmt.Sprintf("The lookups for %s did not end.", domain))
		return row
	}
	row.Verdict = page.VerdictOf(e.report)
	return row
}

func (p *Prober) domain(w http.ResponseWriter, r *http.Request) {
	e, no := p.find(r)
	if no != nil {
		p.showRefusal(w, *no)
		return
	}
	p.show(w, http.StatusOK, page.Domain(e.report, p.Roots))
}

func (p *Prober) showRefusal(w http.ResponseWriter, no refusal) {
	p.metrics.refused.WithLabelValues(strconv.Itoa(no.code)).Inc()
	if no.code == http.StatusTooManyRequests || no.code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	p.show(w, no.code, page.Refusal{Code: no.code, Detail: no.detail, ToDo: no.todo}.HTML())
}

func (p *Prober) show(w http.ResponseWriter, code int, content []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", page.SecurityPolicy())
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(code)
	_, _ = w.Write(content) // who has gone does not need it
}
