package daemon

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestTargets: where to connect, in which order, and which names count there.
func TestTargets(t *testing.T) {
	s := world.Statement(source, service, time.Now(), "first.example", "second.example", "third.example")
	s.Targets[0].Priority, s.Targets[1].Priority, s.Targets[2].Priority = 20, 10, 30
	s.Targets[1].SPKI = []delegation.Pin{{0xab}}
	s.Targets[2].TLS = delegation.Direct
	r := start(t, &network{records: []string{world.Record(s, of(source))}}, "", defaultBounds)
	status, _, body := r.send(nil, http.MethodPost, "/v1/targets", `{"source":"`+source+`","service":"xmpp-server"}`)
	a := r.read(body)
	if status != http.StatusOK || a.Outcome != reasons.OutcomeVerified || !a.Required || a.Method != nil || a.ValidUntil != nil || a.RefreshAt == nil {
		t.Fatalf("%d, %s", status, body)
	}
	var got []string
	for _, to := range a.Targets {
		text := fmt.Sprintf("%s:%d %s %s", to.Host, to.Port, to.Start, to.ServerName)
		for _, n := range to.Names {
			pins := ""
			if len(n.Pins) > 0 {
				pins = " " + n.Pins[0][:2]
			}
			text += fmt.Sprintf(" [%s %s%s]", n.Name.Name, n.Method, pins)
			if (n.Until == nil) != (n.Method == association.PKIX) {
				t.Errorf("%s until %v", n.Name.Name, n.Until)
			}
		}
		got = append(got, text)
	}
	want := []string{
		"second.example:5269 starttls second.example [b.example pkix] [second.example delegation ab]",
		"first.example:5269 starttls first.example [b.example pkix] [first.example delegation]",
		"third.example:5269 direct third.example [b.example pkix] [third.example delegation]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s,\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTargetsRefused: nothing is listed where there is nothing, or nobody knows.
func TestTargetsRefused(t *testing.T) {
	question := `{"source":"` + source + `","service":"xmpp-server"}`
	failure := &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "nobody answers"}
	for _, c := range []struct {
		name, question string
		network        *network
		status         int
		outcome        reasons.Outcome
		reason         reasons.Reason
		targets        int
	}{
		{"no statement", question, &network{}, 200, reasons.OutcomeVerified, reasons.Verified, 1},                       // the source itself
		{"revoked", question, &network{records: []string{record()}}, 200, reasons.OutcomeVerified, reasons.Verified, 1}, // the source itself
		{"nowhere", `{"source":"b.example","service":"imap"}`, &network{}, 200, reasons.OutcomeRefused, reasons.NoStatement, 0},
		{"resolver down", `{"source":"b.example","service":"imap"}`, &network{failure: failure}, 200, reasons.OutcomeUndetermined, reasons.DNSTimeout, 0},
		{"no service", `{"source":"b.example"}`, &network{}, 400, reasons.OutcomeRefused, reasons.MissingInput, 0},
		{"a chain", `{"source":"b.example","service":"xmpp-server","chain":""}`, &network{}, 400, reasons.OutcomeRefused, reasons.BadQuery, 0},
		{"upper case", `{"source":"B.example","service":"xmpp-server"}`, &network{}, 400, reasons.OutcomeRefused, reasons.BadQuery, 0},
		{"no name", `{"source":"-","service":"xmpp-server"}`, &network{}, 400, reasons.OutcomeRefused, reasons.BadQuery, 0},
		{"no JSON", `source=b.example`, &network{}, 400, reasons.OutcomeRefused, reasons.BadQuery, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, c.network, "", defaultBounds)
			status, _, body := r.send(nil, http.MethodPost, "/v1/targets", c.question)
			if a := r.read(body); status != c.status || a.Outcome != c.outcome || a.Reason != c.reason || len(a.Targets) != c.targets {
				t.Errorf("%d, %s", status, body)
			}
		})
	}
}
