package verifier

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestEarlyMayBeRequired: secure SRV records answer before the places of
// statements have. Nobody can say then that there is no statement.
func TestEarlyMayBeRequired(t *testing.T) {
	for name, late := range map[string][]string{"a statement comes": {statement(0, host)}, "none comes": nil} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, Limits{}, func(l *lab) {
				l.network.set(func(n *network) {
					n.srv = delegation.SRVAnswer{
						Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 3600},
						Records: []delegation.SRVRecord{{Port: 5269, Target: host}},
					}
					n.late = late // by HTTPS, a second later
				})
				for i, want := range []bool{true, len(late) > 0} {
					d, err := l.decide(incoming)
					if err != nil {
						t.Fatal(err)
					}
					if names := namesOf(d.Association); d.Required != want || len(names) != 1 {
						t.Errorf("answer %d: required %t, want %t; %q count", i+1, d.Required, want, names)
					}
					time.Sleep(2 * time.Second)
					synctest.Wait()
				}
			})
		})
	}
}

// TestAwaitStatement: neither secure SRV records nor a revocation answer early if
// a statement is waited for. A statement that delegates does, and so does the last
// place. The lookup ends with the answer.
func TestAwaitStatement(t *testing.T) {
	const first, all = 100 * time.Millisecond, 1100 * time.Millisecond
	for name, c := range map[string]struct {
		txt, late []string
		required  bool
		verified  bool
		after     time.Duration
	}{
		"a statement comes late":   {nil, []string{statement(0, host)}, true, true, all},
		"a revocation comes first": {[]string{statement(0)}, []string{statement(time.Second, host)}, true, true, all},
		"a revocation stays":       {[]string{statement(0)}, []string{statement(0)}, true, false, all},
		"a statement comes first":  {[]string{statement(0, host)}, []string{statement(time.Second)}, true, true, first},
		"none comes":               {nil, nil, false, false, first},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, Limits{}, func(l *lab) {
				l.config.AwaitStatement = true
				l.network.set(func(n *network) {
					n.srv = delegation.SRVAnswer{
						Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 3600},
						Records: []delegation.SRVRecord{{Port: 5269, Target: host}},
					}
					n.records[source], n.late = c.txt, c.late
				})
				begun := time.Now()
				d, err := l.decide(outgoing)
				if err != nil {
					t.Fatal(err)
				}
				_, err = d.Association.Statement()
				if took := time.Since(begun); took != c.after || d.Required != c.required || (err == nil) != c.verified || len(namesOf(d.Association)) == 0 {
					t.Errorf("after %s: required %t, %v, %q count", took, d.Required, err, namesOf(d.Association))
				}
				if l.network.under != 0 {
					t.Error("the lookup goes on")
				}
			})
		})
	}
}

// A dripping network hands in each place by itself, with junk in so many.
type dripping int

func (dripping) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errAway
}

func (n dripping) Gather(_ context.Context, source, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	e := &delegation.Evidence{Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: time.Now()}
	for _, label := range delegation.RoleOf(service).Labels() {
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: delegation.Answer{Name: delegation.SRVName(source, label), DNSSEC: delegation.Insecure}})
	}
	enough(e)
	if n > 0 {
		e.TXT = append(e.TXT, delegation.TXTAnswer{
			Answer:  delegation.Answer{Name: delegation.TXTName(source, service), DNSSEC: delegation.Insecure},
			Records: []string{"v=DNA1; e=jws; s=x"},
		})
		enough(e)
	}
	for i, encoding := range delegation.Encodings() {
		if int(n) > i+1 {
			e.Documents = append(e.Documents, delegation.Document{
				URL: delegation.DocumentURL(source, service, encoding), Status: 200, MediaType: encoding.MediaType(), Body: []byte("x"),
			})
			enough(e)
		}
	}
	return e, nil
}

// TestJudgedFewTimes: whoever sends junk bit by bit does not thereby choose how
// often all of it is judged.
func TestJudgedFewTimes(t *testing.T) {
	judged := func(places int) (times int) { // the clock is read for each
		synctest.Test(t, func(t *testing.T) {
			d, err := New(Config{Discovery: dripping(places), Floors: newStore(), Roots: pool(), Now: func() time.Time { times++; return time.Now() }})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			synctest.Wait()
			times = 0
			if _, err := d.Decide(t.Context(), incoming); err != nil {
				t.Fatal(err)
			}
		})
		return times
	}
	// With nothing, maxEarly times, and at the end.
	if one, most, more := judged(1), judged(maxEarly), judged(maxEarly+1); one >= most || most != more {
		t.Errorf("the clock was read %d, %d and %d times", one, most, more)
	}
}

func TestAwaitsSRV(t *testing.T) {
	answer := func(r reasons.Reason) (a delegation.SRVAnswer) {
		if r != "" {
			a.Failure = &delegation.Failure{Reason: r, Detail: "nothing"}
		}
		return a
	}
	for _, c := range []struct {
		name    string
		answers []delegation.SRVAnswer
		want    bool
	}{
		{"not asked", nil, false},
		{"none", []delegation.SRVAnswer{answer("")}, false},
		{"failed", []delegation.SRVAnswer{answer(reasons.DNSTimeout)}, false},
		{"one to come", []delegation.SRVAnswer{answer(""), answer(reasons.Unanswered)}, true},
	} {
		if got := awaitsDNS(&delegation.Evidence{SRV: c.answers}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestArrivals: hostile answers that come one after the other are not all
// verified again each time.
func TestArrivals(t *testing.T) {
	e := &delegation.Evidence{SRV: []delegation.SRVAnswer{{Answer: delegation.Answer{Failure: &delegation.Failure{Reason: reasons.Unanswered, Detail: "not yet"}}}}}
	var a arrivals
	var worth []int
	step := func() {
		if a.worth(e) {
			worth = append(worth, candidates(e))
		}
	}
	e.TXT = []delegation.TXTAnswer{{Records: []string{"one"}}}
	step()
	e.SRV[0].Failure, e.TXT = nil, nil
	step() // nothing, once
	step()
	for range 3 {
		e.TXT = append(e.TXT, delegation.TXTAnswer{}, delegation.TXTAnswer{Records: []string{"one", "two"}})
		step()
		step()
		e.Documents = append(e.Documents, delegation.Document{}, delegation.Document{Body: []byte("three")})
		step()
	}
	if want := []int{0, 2, 3}; !slices.Equal(worth, want) || len(want) != 1+maxEarly {
		t.Errorf("judged with %v candidates, want %v", worth, want)
	}
	if a.seen(e) {
		t.Error("what came later was seen")
	}
}
