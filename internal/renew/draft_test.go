package renew

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestDraftOf: the SRV records of both labels become one list of targets.
func TestDraftOf(t *testing.T) {
	record := func(host string, port uint16) delegation.SRVRecord {
		return delegation.SRVRecord{Priority: 1, Weight: 2, Target: host, Port: port}
	}
	type records = []delegation.SRVRecord
	var many records
	for i := range limits.MaxTargets {
		many = append(many, record("h.example", uint16(i+1)))
	}
	for _, c := range []struct {
		name       string
		own, other records
		want       string // targets, with spaces between
		note       string
		reason     reasons.Reason
	}{
		{name: "none"},
		{name: "the first label", own: records{record("a.example", 5269)}, want: "a.example:5269"},
		{name: "the second label", other: records{record("a.example", 5270)}, want: "a.example:5270+direct", note: "the SRV records of _xmpps-server._tcp (b.example) are in the statement for _xmpp-server._tcp"},
		{name: "both", own: records{record("a.example", 5269)}, other: records{record("a.example", 5270)}, want: "a.example:5269 a.example:5270+direct", note: "are in the statement for"},
		{name: "one endpoint at both", own: records{record("a.example", 443)}, other: records{record("a.example", 443)}, want: "a.example:443", note: "a.example:443 is in the SRV records of both"},
		{name: "one endpoint twice", own: records{record("a.example", 443), record("a.example", 443)}, want: "a.example:443"},
		{name: "no such service", own: records{record(".", 0)}, note: "b.example says in DNS that it has no service _xmpp-server._tcp"},
		{name: "no direct TLS", own: records{record("a.example", 5269)}, other: records{record(".", 0)}, want: "a.example:5269", note: "no service _xmpps-server._tcp"},
		{name: "too many together", own: many, other: records{record("a.example", 5270)}, reason: reasons.BadTargets},
		{name: "no host", own: records{record("-.example", 5269)}, reason: reasons.BadTargets},
		{name: "no port", other: records{record("a.example", 0)}, reason: reasons.BadTargets},
	} {
		e := &delegation.Evidence{Source: "b.example", Service: "_xmpp-server._tcp"}
		for i, label := range delegation.RoleOf(e.Service).Labels() {
			e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: delegation.Answer{Name: delegation.SRVName(e.Source, label)}, Records: []records{c.own, c.other}[i]})
		}
		draft, notes, err := DraftOf(e)
		if delegation.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, want %q", c.name, err, c.reason)
		}
		var got []string
		for _, target := range draft.Targets {
			text := target.Endpoint.String()
			if target.TLS == delegation.Direct {
				text += "+direct"
			}
			got = append(got, text)
		}
		if text := strings.Join(got, " "); text != c.want || err == nil && draft.Service != e.Service {
			t.Errorf("%s: %q of %s, want %q", c.name, text, draft.Service, c.want)
		}
		if text := fmt.Sprint(notes); !strings.Contains(text, c.note) || (c.note == "") != (len(notes) == 0) {
			t.Errorf("%s: notes %q, want %q", c.name, notes, c.note)
		}
		if told := strings.Contains(fmt.Sprint(notes), "as /direct"); told != strings.Contains(c.want, "+direct") {
			t.Errorf("%s: notes %q, and the targets are %q", c.name, notes, c.want)
		}
	}
	failed := &delegation.Evidence{Source: "b.example", Service: "_xmpp-server._tcp", SRV: []delegation.SRVAnswer{
		{Answer: delegation.Answer{Name: "_xmpp-server._tcp.b.example"}, Records: records{record("a.example", 5269)}},
		{Answer: delegation.Answer{Name: "_xmpps-server._tcp.b.example", Failure: &delegation.Failure{Reason: reasons.DNSFailure}}},
	}}
	if _, _, err := DraftOf(failed); delegation.ReasonOf(err) != reasons.DNSFailure {
		t.Errorf("one label failed: %v", err)
	}
}
