package association_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// wanted is the table of docs/connections.md, section 2, worked out by hand.
// Every line holds for all combinations of its first four columns, and every
// combination is in exactly one line.
//
// X and W are the SRV entries, the matching statement lists X and Y, the foreign
// one Z. Small letters are the same hosts on any port. B is the source on its
// default port. ! is the reason of what the SRV lookup ended with.
const wanted = `
SRV                     | direction | first  | statement     | dnssec     | delegation   | dial | required
secure                  | out       | no yes | matching      | X W        | not-used     | X W  | yes
secure                  | out       | no yes | foreign       | X W        | conflict     | X W  | yes
secure                  | out       | no yes | revoked       | X W        | not-used     | X W  | yes
secure                  | out       | no yes | none          | X W        | not-used     | X W  | no
secure                  | out       | no yes | failed        | X W        | not-used     | X W  | no
secure                  | out       | no yes | expired       | X W        | not-used     | X W  | no
secure                  | in        | no yes | matching      | x w        | not-used     | -    | yes
secure                  | in        | no yes | foreign       | x w        | conflict     | -    | yes
secure                  | in        | no yes | revoked       | x w        | not-used     | -    | yes
secure                  | in        | no yes | none          | x w        | not-used     | -    | no
secure                  | in        | no yes | failed        | x w        | not-used     | -    | no
secure                  | in        | no yes | expired       | x w        | not-used     | -    | no
unavailable-securely    | out       | no yes | matching      | !          | not-used     | !    | yes
unavailable-securely    | out       | no yes | foreign       | !          | not-used     | !    | yes
unavailable-securely    | out       | no yes | revoked       | !          | not-used     | !    | yes
unavailable-securely    | out       | no yes | none          | !          | not-used     | !    | no
unavailable-securely    | out       | no yes | failed        | !          | not-used     | !    | no
unavailable-securely    | out       | no yes | expired       | !          | not-used     | !    | no
unavailable-securely    | in        | no yes | matching      | !          | not-used     | -    | yes
unavailable-securely    | in        | no yes | foreign       | !          | not-used     | -    | yes
unavailable-securely    | in        | no yes | revoked       | !          | not-used     | -    | yes
unavailable-securely    | in        | no yes | none          | !          | not-used     | -    | no
unavailable-securely    | in        | no yes | failed        | !          | not-used     | -    | no
unavailable-securely    | in        | no yes | expired       | !          | not-used     | -    | no
insecure                | out       | no     | matching      | not-secure | X            | X    | yes
insecure                | out       | no     | foreign       | not-secure | target-mismatch | X W | yes
insecure                | out       | yes    | matching      | not-secure | X Y          | X Y  | yes
insecure                | out       | yes    | foreign       | not-secure | Z            | Z    | yes
insecure                | out       | no yes | revoked       | not-secure | revoked      | X W  | yes
insecure                | out       | no yes | none          | not-secure | no-statement | X W  | no
insecure                | out       | no yes | failed        | not-secure | dns-failure  | X W  | no
insecure                | out       | no yes | expired       | not-secure | expired      | X W  | no
unavailable             | out       | no     | matching      | not-secure | !            | !    | yes
unavailable             | out       | no     | foreign       | not-secure | !            | !    | yes
unavailable             | out       | yes    | matching      | not-secure | X Y          | X Y  | yes
unavailable             | out       | yes    | foreign       | not-secure | Z            | Z    | yes
unavailable             | out       | no yes | revoked       | not-secure | revoked      | !    | yes
unavailable             | out       | no yes | none          | not-secure | no-statement | !    | no
unavailable             | out       | no yes | failed        | not-secure | dns-failure  | !    | no
unavailable             | out       | no yes | expired       | not-secure | expired      | !    | no
absent absent-securely unasked | out | no yes | matching     | not-secure | X Y          | X Y  | yes
absent absent-securely unasked | out | no yes | foreign      | not-secure | Z            | Z    | yes
absent absent-securely unasked | out | no yes | revoked      | not-secure | revoked      | B    | yes
absent absent-securely unasked | out | no yes | none         | not-secure | no-statement | B    | no
absent absent-securely unasked | out | no yes | failed       | not-secure | dns-failure  | B    | no
absent absent-securely unasked | out | no yes | expired      | not-secure | expired      | B    | no
insecure unavailable absent absent-securely unasked | in | no yes | matching | not-secure | x y          | - | yes
insecure unavailable absent absent-securely unasked | in | no yes | foreign  | not-secure | z            | - | yes
insecure unavailable absent absent-securely unasked | in | no yes | revoked  | not-secure | revoked      | - | yes
insecure unavailable absent absent-securely unasked | in | no yes | none     | not-secure | no-statement | - | no
insecure unavailable absent absent-securely unasked | in | no yes | failed   | not-secure | dns-failure  | - | no
insecure unavailable absent absent-securely unasked | in | no yes | expired  | not-secure | expired      | - | no
bogus timeout too-many  | out       | no     | matching      | !          | !            | !    | yes
bogus timeout too-many  | out       | no     | foreign       | !          | !            | !    | yes
bogus timeout too-many  | out       | yes    | matching      | !          | X Y          | X Y  | yes
bogus timeout too-many  | out       | yes    | foreign       | !          | Z            | Z    | yes
bogus timeout too-many  | out       | no yes | revoked       | !          | revoked      | !    | yes
bogus timeout too-many  | out       | no yes | none          | !          | no-statement | !    | no
bogus timeout too-many  | out       | no yes | failed        | !          | dns-failure  | !    | no
bogus timeout too-many  | out       | no yes | expired       | !          | expired      | !    | no
bogus timeout too-many  | in        | no yes | matching      | !          | x y          | -    | yes
bogus timeout too-many  | in        | no yes | foreign       | !          | z            | -    | yes
bogus timeout too-many  | in        | no yes | revoked       | !          | revoked      | -    | yes
bogus timeout too-many  | in        | no yes | none          | !          | no-statement | -    | no
bogus timeout too-many  | in        | no yes | failed        | !          | dns-failure  | -    | no
bogus timeout too-many  | in        | no yes | expired       | !          | expired      | -    | no
`

var letters = map[string]delegation.Endpoint{
	"X": at, "Y": backup, "Z": {Host: "xmpp.elsewhere.example", Port: 5269},
	"W": {Host: "second.hosting.example", Port: 5269}, "B": {Host: source, Port: 5269},
}

// srvKinds are what a lookup of SRV records can come to, and the reason of the
// one it ended with, if it did.
var srvKinds = []struct {
	name    string
	answers []delegation.SRVAnswer
	reason  reasons.Reason
}{
	{"secure", one(delegation.Secure, letters["X"], letters["W"]), ""},
	{"insecure", one(delegation.Insecure, letters["X"], letters["W"]), ""},
	{"absent", one(delegation.Insecure), ""},
	{"absent-securely", one(delegation.Secure), ""},
	{"unasked", nil, ""},
	{"bogus", one(delegation.Bogus), reasons.DNSBogus},
	{"timeout", []delegation.SRVAnswer{failing(reasons.DNSTimeout)}, reasons.DNSTimeout},
	{"too-many", one(delegation.Insecure, slices.Repeat([]delegation.Endpoint{letters["X"]}, 33)...), reasons.TooManyRecords},
	{"unavailable", one(delegation.Insecure, delegation.Endpoint{Host: "."}), reasons.ServiceNotAvailable},
	{"unavailable-securely", one(delegation.Secure, delegation.Endpoint{Host: "."}), reasons.ServiceNotAvailable},
}

func one(state delegation.DNSSEC, endpoints ...delegation.Endpoint) []delegation.SRVAnswer {
	a := srv(service, state)
	for _, e := range endpoints {
		a.Records = append(a.Records, recordOf(e))
	}
	return []delegation.SRVAnswer{a}
}

func failing(reason reasons.Reason) delegation.SRVAnswer {
	a := srv(service, delegation.Indeterminate)
	a.Failure = &delegation.Failure{Reason: reason, Detail: "it did not work"}
	return a
}

// statementKinds are what a lookup of statements can come to.
var statementKinds = []string{"matching", "foreign", "none", "revoked", "failed", "expired"}

// statementsOf gives the TXT answer of a kind.
func statementsOf(t testing.TB) map[string]func(*delegation.Evidence) {
	records := func(list ...string) func(*delegation.Evidence) {
		return func(e *delegation.Evidence) { e.TXT[0].Records = list }
	}
	matching := targets(at, backup)
	return map[string]func(*delegation.Evidence){
		"matching": records(statement(matching)),
		"foreign":  records(statement(targets(letters["Z"]))),
		"revoked":  records(statement(targets())),
		"expired": records(statement(matching, func(s *delegation.Statement) {
			s.Issued, s.Expires = now.Add(-5*day), now
		})),
		"none": records(),
		"failed": func(e *delegation.Evidence) {
			e.TXT[0].Failure = &delegation.Failure{Reason: reasons.DNSFailure, Detail: "SERVFAIL"}
		},
	}
}

// A combination is one call of Decide.
type combination struct {
	srv, direction, first, statement string
	reason                           reasons.Reason // of the SRV lookup
	association                      *association.Association
}

// combinations calls Decide for each of them.
func combinations(t testing.TB) []combination {
	t.Helper()
	statements := statementsOf(t)
	var list []combination
	for _, kind := range srvKinds {
		for _, direction := range []association.Direction{association.Outgoing, association.Incoming} {
			for _, first := range []bool{false, true} {
				for _, s := range statementKinds {
					e := evidence(nil, kind.answers...)
					statements[s](e)
					q := question(direction)
					q.StatementFirst = first
					c := combination{kind.name, "out", "no", s, kind.reason, decide(t, q, e)}
					if direction == association.Incoming {
						c.direction = "in"
					}
					if first {
						c.first = "yes"
					}
					list = append(list, c)
				}
			}
		}
	}
	return list
}

// TestTable holds every combination to the one line of wanted it stands in.
func TestTable(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(wanted), "\n")[1:]
	list := combinations(t)
	if len(list) != 240 || len(lines) < 60 {
		t.Errorf("%d combinations and %d lines", len(list), len(lines))
	}
	seen := map[reasons.Reason]int{}
	for _, c := range list {
		name := fmt.Sprintf("%s %s first=%s %s", c.srv, c.direction, c.first, c.statement)
		found := 0
		for _, line := range lines {
			cells := strings.Split(line, "|")
			if len(cells) != 8 {
				t.Fatalf("the line %q", line)
			}
			in := func(i int, value string) bool { return slices.Contains(strings.Fields(cells[i]), value) }
			if in(0, c.srv) && in(1, c.direction) && in(2, c.first) && in(3, c.statement) {
				found++
				t.Run(name, func(t *testing.T) { c.check(t, cells[4:], seen) })
			}
		}
		if found != 1 {
			t.Errorf("%d lines for %s", found, name)
		}
	}
	for _, reason := range []reasons.Reason{reasons.NotSecure, reasons.NotUsed, reasons.Conflict} {
		if seen[reason] == 0 {
			t.Errorf("no combination has %s", reason)
		}
	}
}

// check holds the association to the last four columns of a line.
func (c combination) check(t *testing.T, cells []string, seen map[reasons.Reason]int) {
	for i := range cells {
		cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "!", string(c.reason))
	}
	proofs := c.association.Proofs()
	methods := []association.Method{association.PKIX, association.DNSSEC, association.Delegation, association.POSH}
	wanted := []string{"b.example", cells[0], cells[1], string(reasons.NotUsed)}
	if len(proofs) != len(methods) {
		t.Fatalf("%d proofs", len(proofs))
	}
	total := 0
	for i, p := range proofs {
		got := string(p.Reason)
		if p.Reason == reasons.Verified {
			got = spell(t, p, c.direction == "in")
		}
		if p.Method != methods[i] || got != wanted[i] {
			t.Errorf("%s: %s, want %s: %s", p.Method, got, methods[i], wanted[i])
		}
		if p.Detail == "" || (p.Reason == reasons.Verified) != (len(p.References) > 0) {
			t.Errorf("%s: detail %q, references %v, reason %s", p.Method, p.Detail, p.References, p.Reason)
		}
		seen[p.Reason]++
		total += len(p.References)
	}
	if got := c.association.References(); len(got) != total {
		t.Errorf("%d references, %d in the proofs", len(got), total)
	}
	dial, err := c.association.Dial()
	var spelled []string
	for _, d := range dial {
		spelled = append(spelled, letterOf(t, d.Endpoint))
	}
	got := strings.Join(spelled, " ")
	switch {
	case err != nil && got == "":
		got = string(delegation.ReasonOf(err))
	case err == nil && got == "":
		got = "-"
	}
	if got != cells[2] {
		t.Errorf("dial %s (%v), want %s", got, err, cells[2])
	}
	if required := c.association.Required(); required != (cells[3] == "yes") {
		t.Errorf("required = %t", required)
	}
	if _, err := c.association.Statement(); err == nil && c.statement != "matching" && c.statement != "foreign" {
		t.Errorf("a result of a statement that is %s", c.statement)
	}
	if at := c.association.RefreshAt(); at.Before(now.Add(5*time.Minute)) || at.After(now.Add(6*time.Hour)) {
		t.Errorf("refreshed at %s", at)
	}
}

// spell gives the letters of a proof's references.
func spell(t *testing.T, p association.Proof, incoming bool) string {
	t.Helper()
	var out []string
	for _, r := range p.References {
		if r.Method != p.Method {
			t.Errorf("%s among those of %s", r.Method, p.Method)
		}
		if p.Method == association.PKIX {
			if r.Endpoint != nowhere || !r.Until.IsZero() || len(r.SPKI) > 0 {
				t.Errorf("pkix has bounds: %+v", r)
			}
			out = append(out, r.Name)
			continue
		}
		if r.Until.IsZero() {
			t.Errorf("%s by %s counts for ever", r.Name, r.Method)
		}
		if incoming {
			if r.Endpoint != nowhere {
				t.Errorf("an incoming reference has an endpoint: %+v", r)
			}
			for letter, e := range letters {
				if e.Host == r.Name {
					out = append(out, strings.ToLower(letter))
				}
			}
			continue
		}
		if r.Endpoint.Host != r.Name {
			t.Errorf("%s counts at %s", r.Name, r.Endpoint)
		}
		out = append(out, letterOf(t, r.Endpoint))
	}
	return strings.Join(out, " ")
}

func letterOf(t *testing.T, e delegation.Endpoint) string {
	t.Helper()
	for letter, endpoint := range letters {
		if endpoint == e {
			return letter
		}
	}
	t.Errorf("nobody speaks of %s", e)
	return "?"
}

// TestDecideRefuses: only a wrong call is an error.
func TestDecideRefuses(t *testing.T) {
	good := evidence([]string{statement(targets(at))})
	replayed, first := *good, *good
	replayed.Service, first.Version = direct, 1
	cases := []struct {
		name string
		q    association.Question
		e    *delegation.Evidence
		p    delegation.Policy
		want reasons.Reason
	}{
		{"zero question", association.Question{}, good, policy(), reasons.MissingInput},
		{"no direction", question(""), good, policy(), reasons.MissingInput},
		{"unknown direction", question("sideways"), good, policy(), reasons.MissingInput},
		{"no source", association.Question{Service: service, Direction: association.Outgoing}, good, policy(), reasons.MissingInput},
		{"no service", association.Question{Source: source, Direction: association.Incoming}, good, policy(), reasons.MissingInput},
		{"source in upper case", association.Question{Source: "B.example", Service: service, Direction: association.Incoming}, good, policy(), reasons.BadQuery},
		{"service without underscore", association.Question{Source: source, Service: "xmpp-server", Direction: association.Incoming}, good, policy(), reasons.BadQuery},
		{"no evidence", question(association.Outgoing), nil, policy(), reasons.MissingInput},
		{"empty evidence", question(association.Outgoing), &delegation.Evidence{}, policy(), reasons.BadEvidence},
		{"nothing looked at", question(association.Outgoing), &delegation.Evidence{Version: delegation.EvidenceVersion, Source: source, Service: service}, policy(), reasons.MissingInput},
		{"evidence of version 1", question(association.Outgoing), &first, policy(), reasons.BadEvidence},
		{"evidence about the second label", question(association.Outgoing), &replayed, policy(), reasons.BadEvidence},
		{"zero policy", question(association.Outgoing), good, delegation.Policy{}, reasons.MissingInput},
		{"no trust anchors", question(association.Incoming), good, delegation.Policy{Time: now}, reasons.MissingInput},
		{"no time", question(association.Incoming), good, delegation.Policy{Roots: around.CA.Pool()}, reasons.MissingInput},
	}
	if len(cases) < 15 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, err := association.Decide(c.q, c.e, c.p)
			var e *delegation.Error
			if a != nil || !errors.As(err, &e) || e.Reason != c.want {
				t.Errorf("got %v, %v, want %s", a, err, c.want)
			}
		})
	}
}
