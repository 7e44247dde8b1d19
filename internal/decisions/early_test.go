package decisions

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
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
					d, err := l.Decide(l.Context(), incoming)
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

// A dripping network hands in each place by itself, with junk in it.
type dripping struct{}

func (dripping) Gather(_ context.Context, source, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	e := &delegation.Evidence{Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: time.Now()}
	for _, label := range delegation.Services(service) {
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: delegation.Answer{Name: delegation.SRVName(source, label), DNSSEC: delegation.Insecure}})
	}
	enough(e)
	for i, label := range delegation.Services(service) {
		e.TXT = append(e.TXT, delegation.TXTAnswer{
			Answer:  delegation.Answer{Name: delegation.TXTName(source, label), DNSSEC: delegation.Insecure},
			Records: []string{fmt.Sprintf("v=DNA1; e=jws; s=x%d", i)},
		})
		enough(e)
		for _, encoding := range delegation.Encodings() {
			e.Documents = append(e.Documents, delegation.Document{
				URL: delegation.DocumentURL(source, label, encoding), Status: 200, MediaType: encoding.MediaType(), Body: []byte("x"),
			})
			enough(e)
		}
	}
	return e, nil
}

// TestJudgedFewTimes: whoever sends junk bit by bit does not thereby choose how
// often all of it is judged.
func TestJudgedFewTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		judged := 0 // the clock is read for each, and for nothing else
		d, err := New(Config{Gatherer: dripping{}, Memory: newStore(), Roots: pool(), Now: func() time.Time { judged++; return time.Now() }})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if _, err := d.Decide(t.Context(), incoming); err != nil {
			t.Fatal(err)
		}
		if want := 1 + delegation.MaxEarly + 1; judged != want { // with nothing, early, and at the end
			t.Errorf("judged %d times, want %d", judged, want)
		}
	})
}
