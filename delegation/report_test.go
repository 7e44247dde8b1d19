package delegation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// members are those of the report in JSON.
func members(t *testing.T, report Report) map[string]any {
	t.Helper()
	data, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestReportVerified(t *testing.T) {
	tr := newTrial(t)
	tr.statement.Targets[0].SPKI = []Pin{{0xab}}
	tr.policy.SignerCheck = func([]*x509.Certificate) error { return nil }
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	m := members(t, NewReport(tr.query, result, err))
	if checks, ok := m["checks"].([]any); !ok || len(checks) < 7 {
		t.Errorf("checks: %v", m["checks"])
	}
	delete(m, "checks")
	want := map[string]any{
		"version": 1.0, "outcome": "verified", "reason": "verified", "source": source, "service": service,
		"targets": []any{map[string]any{"host": host, "port": 5269.0, "priority": 10.0, "weight": 5.0,
			"spki": []any{"ab" + strings.Repeat("00", 31)}}},
		"dial":    []any{map[string]any{"host": host, "port": 5269.0}},
		"expires": "2026-07-14T12:00:00Z", "refresh_at": "2026-07-01T13:00:00Z",
		"notes": []any{"signer checked by the policy's own function"},
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestReportNamesNobody: a refused or undetermined report names no target
// outside unverified and checks, and no times.
func TestReportNamesNobody(t *testing.T) {
	reports := 0
	for _, table := range tables() {
		for _, c := range table.cases {
			if c.want == reasons.Verified {
				continue
			}
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			report := NewReport(tr.query, result, err)
			if report.Outcome != c.want.Outcome() || report.Reason != c.want || report.Detail == "" {
				t.Errorf("%s/%s: %+v", table.name, c.name, report)
			}
			if len(report.Targets)+len(report.Dial) > 0 || report.Expires != nil || report.RefreshAt != nil {
				t.Errorf("%s/%s: targets or times in %+v", table.name, c.name, report)
			}
			reports++
		}
	}
	if reports < 350 {
		t.Errorf("only %d reports", reports)
	}
	m := members(t, NewReport(Query{}, nil, Errorf(reasons.NoStatement, "x")))
	for _, name := range []string{"version", "outcome", "reason", "detail", "source", "service", "targets", "dial", "expires", "refresh_at", "checks"} {
		if _, ok := m[name]; !ok {
			t.Errorf("no %q", name)
		}
	}
}

// TestReportOfOtherErrors: an error that Verify did not make is a refusal.
func TestReportOfOtherErrors(t *testing.T) {
	report := NewReport(Query{}, nil, errors.New("something"))
	if report.Outcome != reasons.OutcomeRefused || report.Detail != "something" {
		t.Errorf("%+v", report)
	}
}

// TestResultIsImmutable: what a result gives away can be changed without harm.
func TestResultIsImmutable(t *testing.T) {
	tr := newTrial(t)
	tr.statement.Targets[0].SPKI = []Pin{{1}}
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	want := NewReport(tr.query, result, nil)
	for _, targets := range [][]Target{result.Targets(), result.Dial(), result.Proven().Statement.Targets} {
		targets[0].Host = "evil.example"
		targets[0].SPKI[0] = Pin{2}
	}
	result.Checks()[0].Detail = ""
	report := NewReport(tr.query, result, nil)
	*report.Expires = report.Expires.Add(day)
	report.Checks[0].Detail = ""
	if diff := cmp.Diff(want, NewReport(tr.query, result, nil)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if result.Source() != source || result.Service() != service {
		t.Errorf("%s of %s", result.Service(), result.Source())
	}
}

// TestProven is what a verified statement rests on.
func TestProven(t *testing.T) {
	tr := newTrial(t)
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	p := result.Proven()
	want := Proven{
		Statement: goodStatement(), Encoding: JWS, Origin: txtPlace, Signer: source,
		Fingerprint: sha256.Sum256(tr.signer.Leaf().Raw), ValidUntil: goodStatement().Expires,
		Floor: floorAt(0, 0, goodStatement().Targets), maxAge: 3600,
	}
	if diff := cmp.Diff(want, p, cmp.AllowUnexported(Proven{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if p.Statement.Revoked() {
		t.Error("a statement with targets counts as revoked")
	}
}
