package association_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// rowOf is rule D4 of docs/spec.md worked out by hand: what the SRV answers of
// the two labels of a role come to. The line is the role's own label, the column
// the second one.
//
//	none      no records, or no answer in the evidence
//	unusable  insecure records, none with a host and a port to connect to
//	usable    insecure records, one of them usable
//	securely  secure records, none usable
//	secure    secure records, one of them usable
//	failed    a failure, a bogus answer, or 33 records
//
// A cell is the state of the row, and the labels whose records are used: 1 or 2.
// A * says that a failure is passed over. Of a failed row the label is the one
// whose reason is given.
const rowOf = `
own      | none       | unusable   | usable       | securely   | secure     | failed
none     | absent     | insecure   | insecure 2   | secure     | secure 2   | failed 2
unusable | insecure   | insecure   | insecure 2   | secure     | secure 2   | failed 2
usable   | insecure 1 | insecure 1 | insecure 1 2 | secure     | secure 2   | insecure 1 *
securely | secure     | secure     | secure       | secure     | secure 2   | secure *
secure   | secure 1   | secure 1   | secure 1     | secure 1   | secure 1 2 | secure 1 *
failed   | failed 1   | failed 1   | failed 1     | secure *   | secure 2 * | failed 1
`

// An answerKind is one thing that a lookup of a label can come to.
type answerKind struct {
	name, class string
	reason      reasons.Reason // of a failure
	answer      func(label string, e delegation.Endpoint) []delegation.SRVAnswer
}

func answerKinds() []answerKind {
	kinds := []answerKind{{"not asked", "none", "", func(string, delegation.Endpoint) []delegation.SRVAnswer { return nil }}}
	add := func(name, class string, reason reasons.Reason, state delegation.DNSSEC, records func(delegation.Endpoint) []delegation.SRVRecord) {
		kinds = append(kinds, answerKind{name, class, reason, func(label string, e delegation.Endpoint) []delegation.SRVAnswer {
			return []delegation.SRVAnswer{srv(label, state, records(e)...)}
		}})
	}
	empty := func(delegation.Endpoint) []delegation.SRVRecord { return nil }
	dot := func(delegation.Endpoint) []delegation.SRVRecord { return []delegation.SRVRecord{{Target: "."}} }
	unusable := func(e delegation.Endpoint) []delegation.SRVRecord {
		return []delegation.SRVRecord{{Target: e.Host}, {Target: "printer.local", Port: 9}}
	}
	usable := func(e delegation.Endpoint) []delegation.SRVRecord {
		return append(unusable(e), recordOf(e), delegation.SRVRecord{Target: "."})
	}
	many := func(e delegation.Endpoint) []delegation.SRVRecord {
		return slices.Repeat([]delegation.SRVRecord{recordOf(e)}, 33)
	}
	for state, classes := range map[delegation.DNSSEC][3]string{
		delegation.Secure: {"none", "securely", "secure"}, delegation.Insecure: {"none", "unusable", "usable"},
		delegation.Indeterminate: {"none", "unusable", "usable"}, // not known to be validated
	} {
		add("empty, "+string(state), classes[0], "", state, empty)
		add("dot, "+string(state), classes[1], "", state, dot)
		add("unusable, "+string(state), classes[1], "", state, unusable)
		add("usable, "+string(state), classes[2], "", state, usable)
		add("33 records, "+string(state), "failed", reasons.TooManyRecords, state, many)
	}
	for name, records := range map[string]func(delegation.Endpoint) []delegation.SRVRecord{"empty": empty, "dot": dot, "usable": usable} {
		add("bogus, "+name, "failed", reasons.DNSBogus, delegation.Bogus, records)
	}
	for _, reason := range []reasons.Reason{reasons.DNSTimeout, reasons.DNSFailure, reasons.Unanswered} {
		kinds = append(kinds, answerKind{string(reason), "failed", reason, func(label string, _ delegation.Endpoint) []delegation.SRVAnswer {
			a := srv(label, delegation.Indeterminate)
			a.Failure = &delegation.Failure{Reason: reason, Detail: "no answer"}
			return []delegation.SRVAnswer{a}
		}})
	}
	return kinds
}

// A row is one cell of rowOf.
type rowCell struct {
	state  string
	labels []int // 0 and 1
	partly bool
}

func rowCells(t *testing.T) map[[2]string]rowCell {
	t.Helper()
	split := func(line string) []string {
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		return cells
	}
	lines := strings.Split(strings.TrimSpace(rowOf), "\n")
	head := split(lines[0])
	out := map[[2]string]rowCell{}
	for _, line := range lines[1:] {
		cells := split(line)
		for i := 1; i < len(head); i++ {
			words := strings.Fields(cells[i])
			out[[2]string{cells[0], head[i]}] = rowCell{
				state: words[0], partly: slices.Contains(words, "*"),
				labels: slices.DeleteFunc([]int{0, 1}, func(label int) bool { return !slices.Contains(words, fmt.Sprint(label+1)) }),
			}
		}
	}
	if len(out) != 36 {
		t.Fatalf("%d cells", len(out))
	}
	return out
}

// TestRows holds every pair of answers to its cell, as ReadSRV gives it and as
// a decision follows from it.
func TestRows(t *testing.T) {
	cells, kinds := rowCells(t), answerKinds()
	labels := [2]string{service, direct}
	endpoints := [2]delegation.Endpoint{at, {Host: host, Port: 5270}}
	// How TLS begins is the other way round than at the labels.
	listed := []delegation.Target{directly(endpoints[0]), negotiated(endpoints[1]), negotiated(backup)}
	records := []string{statement(listed)}
	states := map[string]int{}
	for _, own := range kinds {
		for _, second := range kinds {
			cell := cells[[2]string{own.class, second.class}]
			states[cell.state]++
			name := own.name + " / " + second.name
			// In either order: the evidence is a set.
			answers := append(second.answer(labels[1], endpoints[1]), own.answer(labels[0], endpoints[0])...)
			r := expectedRow{cell, [2]reasons.Reason{own.reason, second.reason}}
			r.checkRead(t, name, answers)
			for _, with := range []bool{false, true} {
				for _, first := range []bool{false, true} {
					q, e := question(association.Outgoing), evidence(nil, answers...)
					q.StatementFirst = first
					if with {
						e.TXT[0].Records = records
					}
					r.checkDial(t, fmt.Sprintf("%s, statement %t, first %t", name, with, first), decide(t, q, e), with, first)
					if !first {
						q.Direction = association.Incoming
						r.checkIncoming(t, fmt.Sprintf("%s, statement %t, incoming", name, with), decide(t, q, e), with)
					}
				}
			}
		}
	}
	if len(kinds) != 22 || states["secure"] < 100 || states["insecure"] < 50 || states["failed"] < 50 || states["absent"] != 16 {
		t.Errorf("%d kinds, %v", len(kinds), states)
	}
}

// An expectedRow is a cell for two answers, with the reasons of those that
// failed.
type expectedRow struct {
	rowCell
	reasons [2]reasons.Reason
}

// reason is why there is nothing to connect to, or Verified.
func (r expectedRow) reason() reasons.Reason {
	switch {
	case r.state == "failed":
		return r.reasons[r.labels[0]]
	case r.state != "absent" && len(r.labels) == 0:
		return reasons.ServiceNotAvailable
	}
	return reasons.Verified
}

// endpointsOf are the endpoints that the records of the row name.
func (r expectedRow) endpointsOf() (list []string) {
	for _, label := range r.labels {
		if r.state != "failed" {
			list = append(list, [2]string{"xmpp.hosting.example:5269", "xmpp.hosting.example:5270"}[label])
		}
	}
	return list
}

func (r expectedRow) checkRead(t *testing.T, name string, answers []delegation.SRVAnswer) {
	t.Helper()
	got, err := delegation.ReadSRV(delegation.Query{Source: source, Service: service}, evidence(nil, answers...), policy())
	if reason := delegation.ReasonOf(err); reason != r.reason() && (err != nil || r.reason() != reasons.Verified) {
		t.Errorf("%s: %v, want %s", name, err, r.reason())
	}
	secure := got.State == delegation.Secure
	if secure != (r.state == "secure") && r.state != "failed" || got.Partly != r.partly {
		t.Errorf("%s: %s, partly %t, want %s, %t", name, got.State, got.Partly, r.state, r.partly)
	}
	var endpoints []string
	for _, e := range got.Entries {
		endpoints = append(endpoints, e.Target.Endpoint.String())
		if e.Label != map[uint16]string{5269: service, 5270: direct}[e.Target.Port] {
			t.Errorf("%s: %s is at %s", name, e.Target.Endpoint, e.Label)
		}
	}
	if !slices.Equal(endpoints, r.endpointsOf()) {
		t.Errorf("%s: entries %q, want %q", name, endpoints, r.endpointsOf())
	}
}

// checkDial is rule C3: where to connect, how TLS begins there, when to decide
// again.
func (r expectedRow) checkDial(t *testing.T, name string, a *association.Association, statement, first bool) {
	t.Helper()
	byLabel := map[string]string{"xmpp.hosting.example:5269": "b.example starttls", "xmpp.hosting.example:5270": "b.example direct"}
	byStatement := map[string]string{"xmpp.hosting.example:5269": "xmpp.hosting.example direct", "xmpp.hosting.example:5270": "xmpp.hosting.example starttls"}
	all := []string{"xmpp.hosting.example:5269 xmpp.hosting.example direct", "xmpp.hosting.example:5270 xmpp.hosting.example starttls", "backup.hosting.example:5270 backup.hosting.example starttls"}
	use := func(begins map[string]string) (list []string) {
		for _, e := range r.endpointsOf() {
			list = append(list, e+" "+begins[e])
		}
		return list
	}
	var want []string
	method, delegated := "not-secure", reasons.NoStatement
	refresh := 5 * time.Minute
	switch {
	case r.state == "secure":
		method, delegated, refresh, want = "verified", reasons.NotUsed, time.Hour, use(byLabel)
		if r.reason() != reasons.Verified {
			method, want = string(r.reason()), []string{string(r.reason())}
		}
	case statement && (first || r.state == "absent"):
		delegated, refresh, want = reasons.Verified, time.Hour, all
	case statement && r.reason() == reasons.Verified:
		delegated, refresh, want = reasons.Verified, time.Hour, use(byStatement)
	case r.reason() != reasons.Verified:
		want = []string{string(r.reason())}
		if statement {
			delegated = r.reason()
		}
	case r.state == "absent":
		want = []string{"b.example:5269 b.example starttls"}
	default:
		want = use(byLabel)
	}
	if r.state == "failed" {
		method = string(r.reason())
	}
	if r.partly {
		refresh = 5 * time.Minute
	}
	if got := dialled(a); !slices.Equal(got, want) {
		t.Errorf("%s: dial %q, want %q", name, got, want)
	}
	r.checkProofs(t, name, a, method, delegated)
	if got := a.RefreshAt(); !got.Equal(now.Add(refresh)) {
		t.Errorf("%s: refreshed in %s, want %s", name, got.Sub(now), refresh)
	}
	if a.Required() != statement {
		t.Errorf("%s: required = %t", name, a.Required())
	}
}

// checkIncoming: SRV records count only if they are secure; otherwise all hosts
// of the statement do.
func (r expectedRow) checkIncoming(t *testing.T, name string, a *association.Association, statement bool) {
	t.Helper()
	method, delegated := "not-secure", reasons.NoStatement
	switch {
	case r.state == "secure" && r.reason() == reasons.Verified:
		method, delegated = "verified", reasons.NotUsed
	case r.state == "secure":
		method, delegated = string(r.reason()), reasons.NotUsed
	case r.state == "failed":
		method = string(r.reason())
	}
	if statement && r.state != "secure" {
		delegated = reasons.Verified
	}
	r.checkProofs(t, name, a, method, delegated)
	if n := len(a.Proofs()[2].References); delegated == reasons.Verified && n != 3 {
		t.Errorf("%s: %d names by delegation", name, n)
	}
}

func (r expectedRow) checkProofs(t *testing.T, name string, a *association.Association, dnssec string, delegated reasons.Reason) {
	t.Helper()
	proofs := a.Proofs()
	if proofs[0].Reason != reasons.Verified || string(proofs[1].Reason) != dnssec || proofs[2].Reason != delegated {
		t.Errorf("%s: %s, %s, %s, want verified, %s, %s", name, proofs[0].Reason, proofs[1].Reason, proofs[2].Reason, dnssec, delegated)
	}
}

// TestSecondLabelBeside: which records of two labels come to one endpoint, and
// what a statement has in common with the row.
func TestSecondLabelBeside(t *testing.T) {
	both := func(state delegation.DNSSEC) *delegation.Evidence {
		own, second := srvAt(service, state, at), srvAt(direct, state, at)
		second.Records[0].Priority, second.Records[0].Weight = 99, 98
		return evidence(nil, second, own)
	}
	for _, state := range []delegation.DNSSEC{delegation.Secure, delegation.Insecure} {
		dial, err := decide(t, question(association.Outgoing), both(state)).Dial()
		if err != nil || len(dial) != 1 || dial[0].Priority != 5 || dial[0].Weight != 1 || dial[0].Start != delegation.STARTTLS {
			t.Errorf("%s: %+v, %v", state, dial, err)
		}
	}
	elsewhere := delegation.Endpoint{Host: "elsewhere.example", Port: 5270}
	otherPort := delegation.Endpoint{Host: host, Port: 5270}
	for _, c := range []struct {
		name    string
		answers []delegation.SRVAnswer
		want    reasons.Reason // of delegation
	}{
		{"only the second label names a target", []delegation.SRVAnswer{srvAt(service, delegation.Insecure, elsewhere), srvAt(direct, delegation.Insecure, at)}, reasons.Verified},
		{"another host, and another port at the second label", []delegation.SRVAnswer{srvAt(service, delegation.Insecure, elsewhere), srvAt(direct, delegation.Insecure, otherPort)}, reasons.PortMismatch},
		{"another port, and another host at the second label", []delegation.SRVAnswer{srvAt(service, delegation.Insecure, otherPort), srvAt(direct, delegation.Insecure, elsewhere)}, reasons.PortMismatch},
		{"other hosts at both labels", []delegation.SRVAnswer{srvAt(service, delegation.Insecure, elsewhere), srvAt(direct, delegation.Insecure, elsewhere)}, reasons.TargetMismatch},
		{"secure, only the second label names a target", []delegation.SRVAnswer{srvAt(service, delegation.Secure, elsewhere), srvAt(direct, delegation.Secure, at)}, reasons.NotUsed},
		{"secure, another port at both labels", []delegation.SRVAnswer{srvAt(service, delegation.Secure, otherPort), srvAt(direct, delegation.Secure, otherPort)}, reasons.Conflict},
		{"secure at the second label only, which names another host", []delegation.SRVAnswer{srvAt(service, delegation.Insecure, at), srvAt(direct, delegation.Secure, elsewhere)}, reasons.Conflict},
	} {
		a := decide(t, question(association.Outgoing), evidence([]string{statement(targets(at))}, c.answers...))
		if got := a.Proofs()[2].Reason; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
