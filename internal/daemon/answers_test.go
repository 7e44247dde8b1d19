package daemon

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
)

// known is how many answers are remembered.
func (r *running) known() int {
	r.handler.answers.mu.Lock()
	defer r.handler.answers.mu.Unlock()
	return r.handler.answers.known.Len()
}

// TestKnownAnswer: a question gets the answer that was given before only where it
// is about the same, and as long as nothing has changed.
func TestKnownAnswer(t *testing.T) {
	n := &network{records: []string{issuedAt(time.Now().Add(-time.Hour), host)}}
	r := start(t, n, "", defaultBounds)
	chain := of(host).Chain()
	at := func(port int) string { return fmt.Sprintf(`"target":{"host":"%s","port":%d}`, host, port) }
	steps := []struct {
		name, source, direction string
		more                    string
		before                  func()
		want                    reasons.Reason
		known                   int // afterwards
	}{
		{"new", source, "incoming", "", nil, reasons.Verified, 0},
		{"in the cache", source, "incoming", "", nil, reasons.Verified, 1},
		{"known", source, "incoming", "", nil, reasons.Verified, 1},
		{"with an address", source, "incoming", `"peer":"192.0.2.1"`, nil, reasons.Verified, 1},
		{"of an open connection", source, "incoming", `"recheck":true`, nil, reasons.Verified, 1},
		{"with a statement, which nobody needs", source, "incoming", `"statement":{"encoding":"jws","text":"x"}`, nil, reasons.Verified, 1},
		{"with evidence", source, "incoming", `"evidence":true`, nil, reasons.Verified, 1},
		{"another source", "c.example", "incoming", "", nil, reasons.NoStatement, 1},
		{"another direction", source, "outgoing", "", nil, reasons.Verified, 1},
		{"another direction, known", source, "outgoing", "", nil, reasons.Verified, 2},
		{"a target", source, "outgoing", at(5269), nil, reasons.Verified, 3},
		{"another target", source, "outgoing", at(5270), nil, reasons.PortMismatch, 3},
		{"another state", source, "incoming", "", func() {
			n.set(func() { n.records = nil })
			r.handler.Use(newState(t, n, NewMetrics(), verifier.Limits{})).Close()
		}, reasons.NoStatement, 3},
		{"found again", source, "incoming", "", func() {
			n.set(func() { n.records = []string{issuedAt(time.Now().Add(-time.Minute), host)} })
			r.handler.Use(newState(t, n, NewMetrics(), verifier.Limits{})).Close()
		}, reasons.Verified, 3},
		{"moved", source, "incoming", "", func() {
			n.set(func() { n.records = []string{issuedAt(time.Now(), other)} })
			r.raise(time.Now(), other)
		}, reasons.PeerNameMismatch, 3},
	}
	for _, s := range steps {
		if s.before != nil {
			s.before()
		}
		var more []string
		if s.more != "" {
			more = append(more, s.more)
		}
		a := r.ask(s.source, s.direction, chain, more...)
		if got := r.known(); a.Reason != s.want || got != s.known || (a.Evidence != nil) != strings.Contains(s.more, "evidence") || a.Source != s.source || string(a.Direction) != s.direction {
			t.Errorf("%s: %d answers are known, want %d; got %s: %s", s.name, got, s.known, a.Reason, a.Message)
		}
	}
}

// TestAnswersWeight: what is kept takes no more memory than is counted, and that has
// a bound, whatever strangers ask.
func TestAnswersWeight(t *testing.T) {
	known := newAnswers()
	for hosts := range 17 {
		before, counted := heap(), known.known.Weight()
		for i := range 60 {
			source := fmt.Sprintf("%d.%d.example", i, hosts)
			q := question{source: source, service: service, direction: "incoming", known: 1}
			a := newAnswer(q)
			a.Outcome, a.Reason, a.Cached = reasons.OutcomeVerified, reasons.Verified, true
			for h := range hosts {
				until := time.Now()
				a.Names = append(a.Names, Name{Name: strings.Repeat("a.", 100*(i%2)) + fmt.Sprint(h), Method: "delegation", Until: &until})
			}
			handler := NewHandler(NewMetrics(), nil)
			known.put(q, &told{a, handler.encode(a), verifier.Mark{}})
		}
		if took, counted := int64(heap()-before), known.known.Weight()-counted; took > counted {
			t.Errorf("%d names: the answers take %d bytes, %d are counted", hosts, took, counted)
		}
	}
	for i := range 20_000 {
		q := question{source: fmt.Sprintf("%d.example", i), service: service, direction: "incoming", known: 1}
		known.put(q, &told{newAnswer(q), make([]byte, 800), verifier.Mark{}})
	}
	if w, n := known.known.Weight(), known.known.Len(); w > answersRoom || n > answersRoom/emptyWeight {
		t.Errorf("%d answers weigh %d", n, w)
	}
	runtime.KeepAlive(known)
}
