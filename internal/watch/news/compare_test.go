package news

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/watch"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
)

// report is one with an accepted statement and findings, each as "severity name".
func report(accepted *watch.Accepted, found ...string) watch.Report {
	r := watch.Report{Version: watch.ReportVersion, Source: source, Service: service, Accepted: accepted}
	for _, f := range found {
		severity, name, _ := strings.Cut(f, " ")
		name, detail, _ := strings.Cut(name, " ")
		r.Findings = append(r.Findings, watch.Finding{Severity: watch.Severity(severity), Name: watch.Name(name), Detail: detail, Hint: "do this"})
	}
	return r
}

// accepted is a statement of so many hours after the start.
func accepted(host string, hours int, certificate byte) *watch.Accepted {
	return &watch.Accepted{
		Issued: start.Add(time.Duration(hours) * time.Hour), Targets: []delegation.Endpoint{{Host: host, Port: 5269}},
		Signer: "b.example", Certificate: delegation.Digest{certificate},
	}
}

func TestCompare(t *testing.T) {
	first, renewed := accepted("xmpp.hosting.example", 0, 1), accepted("xmpp.hosting.example", 240, 1)
	known := accepted("xmpp.hosting.example", 1, 2)
	known.Known = true
	type look struct {
		after  time.Duration // since the start
		report watch.Report
		want   []string
	}
	for _, c := range []struct {
		name  string
		looks []look
	}{
		{"all is well", []look{
			{0, report(first), []string{"begins the accepted statement is one of 2026-03-01T12:00:00Z, by a certificate of b.example, to xmpp.hosting.example:5269"}},
			{time.Hour, report(first), nil},
			{240 * time.Hour, report(renewed), nil},
		}},
		{"a finding comes, stays and goes", []look{
			{0, report(first), []string{"begins"}},
			{time.Hour, report(first, "warning statement-ends in 3 days"), []string{"new warning statement-ends in 3 days"}},
			{2 * time.Hour, report(first, "warning statement-ends in 2 days"), nil},
			{168 * time.Hour, report(first, "warning statement-ends in 2 days"), nil},
			{169 * time.Hour, report(first, "warning statement-ends in 1 day"), []string{"still warning statement-ends in 1 day"}},
			{170 * time.Hour, report(renewed), []string{"over warning statement-ends in 1 day"}},
			{171 * time.Hour, report(renewed), nil},
		}},
		{"it is worse", []look{
			{0, report(first, "warning left-over"), []string{"begins", "new warning left-over"}},
			{time.Hour, report(nil, "error refused"), []string{"new error refused", "over warning left-over"}},
		}},
		{"it passes by itself", []look{
			{0, report(nil, "undetermined undetermined"), []string{"begins no statement is accepted"}},
			{time.Hour, report(first, "warning channel-failed"), nil},
			{2 * time.Hour, report(first), nil},
		}},
		{"it does not", []look{
			{0, report(nil, "undetermined undetermined"), []string{"begins"}},
			{time.Hour, report(nil, "undetermined undetermined"), []string{"new undetermined undetermined"}},
			{2 * time.Hour, report(first), []string{"over undetermined undetermined"}},
		}},
		{"each unknown certificate is news", []look{
			{0, report(first, "error unknown-certificate one"), []string{"begins", "new error unknown-certificate one"}},
			{time.Hour, report(first, "error unknown-certificate one", "error unknown-certificate two"), []string{"new error unknown-certificate two"}},
		}},
		{"other targets", []look{
			{0, report(first), []string{"begins"}},
			{time.Hour, report(nil, "error refused"), []string{"new error refused"}},
			{2 * time.Hour, report(accepted("evil.example", 2, 1)), []string{"changed other targets are accepted: one of 2026-03-01T14:00:00Z, by a certificate of b.example, to evil.example:5269; before, it was one of", "over error refused"}},
		}},
		{"another certificate", []look{
			{0, report(first), []string{"begins"}},
			{time.Hour, report(accepted("xmpp.hosting.example", 1, 2)), []string{"changed another certificate has signed, with SHA-256 0200"}},
		}},
		{"another certificate, and the owner knows it", []look{
			{0, report(first), []string{"begins"}},
			{time.Hour, report(known), nil},
		}},
		{"an older statement", []look{
			{0, report(renewed), []string{"begins"}},
			{time.Hour, report(first), []string{"changed an older statement than before is accepted"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var state State
			for i, l := range c.looks {
				items, next := Compare(state, []watch.Report{l.report}, start.Add(l.after))
				var got []string
				for _, item := range items {
					s := string(item.Kind)
					if f := item.Finding; f != nil {
						s = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", s, f.Severity, f.Name, f.Detail))
					} else {
						s += " " + item.Detail
					}
					got = append(got, s)
				}
				if !slices.EqualFunc(got, l.want, strings.HasPrefix) {
					t.Errorf("look %d: %q, want %q", i, got, l.want)
				}
				state = next
			}
		})
	}
}

// TestForgets: what another list watches is kept for a while.
func TestForgets(t *testing.T) {
	_, state := Compare(State{}, []watch.Report{report(nil, "error refused")}, start)
	other := report(nil)
	other.Source = "c.example"
	for after, want := range map[time.Duration]int{forgetAfter - 1: 2, forgetAfter: 1} {
		if _, next := Compare(state, []watch.Report{other}, start.Add(after)); len(next.Domains) != want || len(state.Domains) != 1 {
			t.Errorf("after %s: %d domains are known, want %d; %d before", after, len(next.Domains), want, len(state.Domains))
		}
	}
}
