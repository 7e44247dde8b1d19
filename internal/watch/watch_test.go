package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	source  = world.Source
	service = world.Service
	day     = world.Day
)

var now = world.Noon

// The hosts that statements and SRV records in these tests name.
var (
	provider = delegation.Endpoint{Host: world.Host, Port: 5269}
	former   = delegation.Endpoint{Host: "old.hosting.example", Port: 5269}
)

// around is the world of these tests.
var around = world.At(now)

// sign makes a statement that was issued so long ago and lives so long from then.
func sign(s *keys.Signer, e delegation.Encoding, ago, life time.Duration, to ...delegation.Endpoint) []byte {
	statement := around.Statement(ago)
	statement.Expires = statement.Issued.Add(life)
	for _, target := range to {
		statement.Targets = append(statement.Targets, delegation.Target{Endpoint: target})
	}
	return world.Sign(statement, e, s)
}

// An edit puts something into an evidence.
type edit func(*delegation.Evidence)

// found is an evidence of an orderly look at everything, with nothing there but
// SRV records for the provider.
func found(edits ...edit) *delegation.Evidence {
	e := world.Nothing(source, service, delegation.Insecure, now)
	srv(provider)(e)
	for _, edit := range edits {
		edit(e)
	}
	return e
}

func srv(to ...delegation.Endpoint) edit {
	return func(e *delegation.Evidence) {
		e.SRV[0].Records = nil
		for _, t := range to {
			e.SRV[0].Records = append(e.SRV[0].Records, delegation.SRVRecord{Port: t.Port, Target: t.Host})
		}
	}
}

// second moves the SRV records to the second label of the role.
func second(to ...delegation.Endpoint) edit {
	return func(e *delegation.Evidence) {
		srv(to...)(e)
		e.SRV[1].Records, e.SRV[0].Records = e.SRV[0].Records, nil
	}
}

func txt(encoding delegation.Encoding, raw []byte) edit {
	return record(encoding.TXTRecord(raw))
}

func record(text string) edit {
	return func(e *delegation.Evidence) { e.TXT[0].Records = append(e.TXT[0].Records, text) }
}

func document(i int, encoding delegation.Encoding, raw []byte) edit {
	return func(e *delegation.Evidence) {
		e.Documents[i].Status, e.Documents[i].MediaType, e.Documents[i].Body = 200, encoding.MediaType(), raw
	}
}

// alias makes the name of the record an alias.
func alias(e *delegation.Evidence) { e.TXT[0].Alias = "b.example.dna.hosting.example" }

func web(encoding delegation.Encoding, raw []byte) edit {
	return document(slices.Index(delegation.Encodings(), encoding), encoding, raw)
}

func txtFails(reason reasons.Reason) edit {
	return func(e *delegation.Evidence) {
		e.TXT[0].DNSSEC, e.TXT[0].Failure = delegation.Indeterminate, &delegation.Failure{Reason: reason, Detail: "so it is"}
	}
}

func webFails(e *delegation.Evidence) {
	e.Documents[0].Failure = &delegation.Failure{Reason: reasons.HTTPSFailure, Detail: "so it is"}
}

func TestConclude(t *testing.T) {
	signer, short := around.Of(source), around.Issue(-10*day, 3*day, source)
	jws := sign(signer, delegation.JWS, time.Hour, 14*day, provider)
	ac := sign(signer, delegation.AC, time.Hour, 14*day, provider)
	earlier := sign(signer, delegation.JWS, 2*time.Hour, 14*day, provider)
	earlierAC := sign(signer, delegation.AC, 2*time.Hour, 14*day, provider)
	moved := sign(signer, delegation.JWS, 2*time.Hour, 14*day, former)
	movedAC := sign(signer, delegation.AC, 2*time.Hour, 14*day, former)
	twin := sign(signer, delegation.JWS, time.Hour, 14*day, former)
	revoked := sign(signer, delegation.JWS, time.Minute, 14*day)
	gone := sign(signer, delegation.JWS, 10*time.Hour, time.Hour, provider)
	two := sign(signer, delegation.JWS, time.Hour, 14*day, provider, former)
	late := sign(signer, delegation.JWS, 2*time.Hour, 2*day, provider)
	dying := sign(short, delegation.JWS, time.Hour, 14*day, provider)
	together := sign(short, delegation.JWS, time.Hour, 3*day+time.Hour, provider)

	signed, err := delegation.Inspect(jws)
	if err != nil {
		t.Fatal(err)
	}
	atOnce := signed.Statement
	atOnce.Targets = []delegation.Target{{Endpoint: provider, TLS: delegation.Direct}}
	direct := world.Sign(atOnce, delegation.JWS, signer)

	type want = []string // severity and name, and the reason if there is one
	for _, c := range []struct {
		name     string
		evidence []*delegation.Evidence
		target   delegation.Endpoint
		warn     time.Duration
		want     want
		agreeing int
	}{
		{"all is well, in both encodings and channels", []*delegation.Evidence{
			found(txt(delegation.JWS, jws), txt(delegation.AC, ac), web(delegation.JWS, jws), web(delegation.AC, ac)),
			found(txt(delegation.JWS, jws), txt(delegation.AC, ac), web(delegation.JWS, jws), web(delegation.AC, ac))}, provider, 0, nil, 2},
		{"the channels have one encoding each", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.AC, ac))}, provider, 0, nil, 1},
		{"another TXT record beside it", []*delegation.Evidence{found(txt(delegation.JWS, jws), record("v=spf1 -all"), web(delegation.JWS, jws))}, provider, 0, nil, 1},
		{"nothing at all", []*delegation.Evidence{found()}, delegation.Endpoint{}, 0, want{"error refused no-statement"}, 1},
		{"nobody was asked", nil, delegation.Endpoint{}, 0, want{"undetermined undetermined missing-input"}, 0},
		{"no evidence", []*delegation.Evidence{nil}, provider, 0, want{"error refused missing-input", "error host-not-accepted missing-input"}, 1},
		{"another host", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws))}, former, 0, want{"error host-not-accepted target-mismatch"}, 1},
		{"revoked", []*delegation.Evidence{found(txt(delegation.JWS, revoked), web(delegation.JWS, revoked))}, delegation.Endpoint{}, 0, want{"error refused revoked"}, 1},
		{"revoked through one resolver alone", []*delegation.Evidence{
			found(txt(delegation.JWS, revoked), web(delegation.JWS, revoked)), found(txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			delegation.Endpoint{}, 0, want{"error refused revoked", "error resolvers-differ", "error resolvers-differ"}, 1},
		{"revoked in DNS alone", []*delegation.Evidence{found(txt(delegation.JWS, revoked), web(delegation.JWS, jws))}, delegation.Endpoint{}, 0,
			want{"error refused revoked", "error channels-differ"}, 1},
		{"resolvers with other targets", []*delegation.Evidence{
			found(txt(delegation.JWS, jws), web(delegation.JWS, jws)), found(txt(delegation.JWS, moved), srv(former), web(delegation.JWS, jws))},
			delegation.Endpoint{}, 0, want{"error refused target-mismatch", "error resolvers-differ", "error channels-differ", "warning srv-differs"}, 1},
		{"resolvers with another age", []*delegation.Evidence{
			found(txt(delegation.JWS, jws), web(delegation.JWS, jws)), found(txt(delegation.JWS, earlier), web(delegation.JWS, earlier)), found(txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			delegation.Endpoint{}, 0, want{"warning resolvers-differ", "warning resolvers-differ"}, 3},
		{"one of three resolvers fails", []*delegation.Evidence{
			found(txt(delegation.JWS, jws), web(delegation.JWS, jws)), found(txtFails(reasons.DNSFailure)), found(txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			delegation.Endpoint{}, 0, want{"undetermined undetermined dns-failure"}, 2},
		{"one resolver has nothing", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws)), found()},
			delegation.Endpoint{}, 0, want{"error refused no-statement"}, 1},
		{"the web server has other targets", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, moved))},
			delegation.Endpoint{}, 0, want{"error channels-differ"}, 1},
		{"the web server has an older one", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, earlier))},
			delegation.Endpoint{}, 0, want{"warning channels-differ"}, 1},
		{"the encodings have other targets", []*delegation.Evidence{found(txt(delegation.JWS, jws), txt(delegation.AC, movedAC), web(delegation.JWS, jws))},
			delegation.Endpoint{}, 0, want{"error encodings-differ"}, 1},
		{"the encodings were signed one by one", []*delegation.Evidence{found(txt(delegation.JWS, jws), txt(delegation.AC, earlierAC), web(delegation.JWS, jws))},
			delegation.Endpoint{}, 0, want{"warning encodings-differ"}, 1},
		{"same order, other targets", []*delegation.Evidence{found(txt(delegation.JWS, jws), txt(delegation.JWS, twin))},
			delegation.Endpoint{}, 0, want{"error refused conflict", "warning channel-missing"}, 1},
		{"an old one beside it", []*delegation.Evidence{found(txt(delegation.JWS, moved), txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			provider, 0, want{"warning left-over"}, 1},
		{"an expired one beside it", []*delegation.Evidence{found(txt(delegation.JWS, gone), txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			provider, 0, want{"warning left-over expired"}, 1},
		{"an expired one alone", []*delegation.Evidence{found(txt(delegation.JWS, gone), web(delegation.JWS, gone))},
			delegation.Endpoint{}, 0, want{"error refused expired"}, 1},
		{"a broken one beside it", []*delegation.Evidence{found(txt(delegation.JWS, jws[:len(jws)-10]), txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			provider, 0, want{"warning bad-statement bad-signature"}, 1},
		{"an encoding that nobody knows", []*delegation.Evidence{found(record("v=DNA1; e=new; s=abcd"), txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			provider, 0, want{"warning bad-statement unsupported-encoding"}, 1},
		{"five records of version 1", []*delegation.Evidence{found(record("v=DNA1"), record("v=DNA1"), record("v=DNA1"), record("v=DNA1"), txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			provider, 0, want{"warning bad-statement too-many-records"}, 1},
		{"five records, two of version 1", []*delegation.Evidence{found(record("a"), record("b"), record("c"), txt(delegation.JWS, earlier), txt(delegation.JWS, jws), web(delegation.JWS, jws))},
			provider, 0, want{"warning left-over"}, 1},
		{"DNS fails, the web server has it", []*delegation.Evidence{found(txtFails(reasons.DNSBogus), web(delegation.JWS, jws))},
			provider, 0, want{"warning channel-failed dns-bogus"}, 1},
		{"the web server fails, DNS has it", []*delegation.Evidence{found(txt(delegation.JWS, jws), webFails)},
			provider, 0, want{"warning channel-failed https-failure"}, 1},
		{"both fail", []*delegation.Evidence{found(txtFails(reasons.DNSTimeout), webFails)},
			provider, 0, want{"undetermined undetermined dns-timeout", "undetermined host-not-accepted dns-timeout"}, 1},
		{"an alias to nothing", []*delegation.Evidence{found(alias)}, delegation.Endpoint{}, 0, want{"error refused no-statement", "error alias-empty"}, 1},
		{"an alias to nothing, and the web server", []*delegation.Evidence{found(alias, web(delegation.JWS, jws))}, provider, 0, want{"warning channel-missing", "warning alias-empty"}, 1},
		{"an alias to a statement", []*delegation.Evidence{found(alias, txt(delegation.JWS, jws), web(delegation.JWS, jws))}, provider, 0, nil, 1},
		{"an alias to what does not answer", []*delegation.Evidence{found(alias, txtFails(reasons.DNSTimeout))}, delegation.Endpoint{}, 0, want{"undetermined undetermined dns-timeout"}, 1},
		{"DNS has none", []*delegation.Evidence{found(web(delegation.JWS, jws))}, provider, 0, want{"warning channel-missing"}, 1},
		{"the web server has none", []*delegation.Evidence{found(txt(delegation.JWS, jws))}, provider, 0, want{"warning channel-missing"}, 1},
		{"the web server was not asked", []*delegation.Evidence{found(txt(delegation.JWS, jws), func(e *delegation.Evidence) { e.Documents = nil })}, provider, 0, nil, 1},
		{"SRV with a host more", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws), srv(provider, former))}, provider, 0, want{"warning srv-disagrees"}, 1},
		{"SRV with a host less", []*delegation.Evidence{found(txt(delegation.JWS, two), web(delegation.JWS, two))}, provider, 0, want{"warning srv-disagrees"}, 1},
		{"SRV with another host", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws), srv(former))}, delegation.Endpoint{}, 0, want{"error refused target-mismatch"}, 1},
		{"SRV at the second label", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws), second(provider))}, provider, 0, want{"warning srv-disagrees"}, 1},
		{"SRV at the second label, and signed so", []*delegation.Evidence{found(txt(delegation.JWS, direct), web(delegation.JWS, direct), second(provider))}, provider, 0, nil, 1},
		{"no SRV", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws), srv())}, provider, 0, nil, 1},
		{"a quarter of the life is left, and an hour", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws))}, provider, 13 * day, nil, 1},
		{"less than the time to warn", []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws))}, provider, 14 * day, want{"warning statement-ends"}, 1},
		{"a short life, just begun", []*delegation.Evidence{found(txt(delegation.JWS, late), web(delegation.JWS, late))}, provider, 0, nil, 1},
		{"the certificate ends before the statement", []*delegation.Evidence{found(txt(delegation.JWS, dying), web(delegation.JWS, dying))}, provider, 0, want{"warning certificate-ends"}, 1},
		{"the certificate ends with the statement", []*delegation.Evidence{found(txt(delegation.JWS, together), web(delegation.JWS, together))}, provider, 4 * day, want{"warning certificate-ends"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var observations []Observation
			for i, e := range c.evidence {
				observations = append(observations, Observation{Resolver: fmt.Sprintf("resolver %d", i), Evidence: e})
			}
			q := Question{Query: delegation.Query{Source: source, Service: service, Target: c.target}, Warn: c.warn}
			r := Conclude(q, observations, around.Policy())
			var got want
			for _, f := range r.Findings {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Severity, f.Name, f.Reason)))
				if f.Hint == "" || f.Detail == "" || f.Resolvers == nil || !slices.Contains(Names(), f.Name) {
					t.Errorf("not whole: %+v", f)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("findings %q, want %q\n%+v", got, c.want, r.Findings)
			}
			status := "ok"
			if len(c.want) > 0 {
				status, _, _ = strings.Cut(c.want[0], " ")
			}
			if string(r.Status) != status {
				t.Errorf("status %s, want %s", r.Status, status)
			}
			if r.Agreeing != c.agreeing || len(r.Verdicts) != len(c.evidence) {
				t.Errorf("%d of %d agree, want %d of %d", r.Agreeing, len(r.Verdicts), c.agreeing, len(c.evidence))
			}
			for i, v := range r.Verdicts {
				if (v.Host != nil) != (c.target != delegation.Endpoint{}) {
					t.Errorf("verdict %d about the host: %+v", i, v.Host)
				}
			}
		})
	}
}

// TestEnds: the quarter of a life and the bound on it, to the second.
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		life time.Duration
		left time.Duration // at which the warning begins
	}{{8 * day, 2 * day}, {28 * day, MaxWarn}, {31 * day, MaxWarn}} {
		raw := sign(around.Of(source), delegation.JWS, time.Hour, c.life, provider)
		ends := now.Add(c.life - time.Hour)
		for at, want := range map[time.Time]int{ends.Add(-c.left): 0, ends.Add(1 - c.left).Add(time.Second): 1} {
			o := []Observation{{Resolver: "r", Evidence: found(txt(delegation.JWS, raw), web(delegation.JWS, raw))}}
			r := Conclude(Question{Query: delegation.Query{Source: source, Service: service}}, o, delegation.Policy{Roots: around.CA.Pool(), Time: at})
			if len(r.Findings) != want {
				t.Errorf("life %s, %s left: %+v", c.life, ends.Sub(at), r.Findings)
			}
			if r.StatementEnds == nil || !r.StatementEnds.Equal(ends) || r.CertificateEnds == nil || !r.CertificateEnds.Equal(now.Add(60*day)) {
				t.Errorf("ends %v and %v", r.StatementEnds, r.CertificateEnds)
			}
		}
	}
}

// TestNames: every finding has a place in the documentation, and every one that
// no reason explains says what to do.
func TestNames(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../../docs/watch.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(Names()) != 16 {
		t.Errorf("%d findings", len(Names()))
	}
	for _, n := range Names() {
		if !bytes.Contains(page, []byte("| `"+string(n)+"` |")) {
			t.Errorf("docs/watch.md does not explain %s", n)
		}
		if n.hint() == "" && n != Refused && n != Undetermined && n != HostNotAccepted && n != BadStatement {
			t.Errorf("%s has no hint", n)
		}
	}
}

func TestDays(t *testing.T) {
	for d, want := range map[time.Duration]string{
		13*day + 5*time.Hour: "13 days", 48 * time.Hour: "2 days", 48*time.Hour - 1: "47 hours",
		2*time.Hour - 1: "119 minutes", -time.Hour: "0 minutes",
	} {
		if got := Days(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// tapOf writes the reports of an orderly domain, of one with warnings and of
// one that is refused.
func tapOf(t *testing.T, strict bool) string {
	t.Helper()
	jws := sign(around.Of(source), delegation.JWS, time.Hour, 14*day, provider)
	var out bytes.Buffer
	tap, err := NewTAP(&out, 3, strict)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*delegation.Evidence{found(txt(delegation.JWS, jws), web(delegation.JWS, jws)), found(txt(delegation.JWS, jws)), found()} {
		r := Conclude(Question{Query: delegation.Query{Source: source, Service: service}}, []Observation{{Resolver: "r\n\x1b", Evidence: e}}, around.Policy())
		if err := tap.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestTAP(t *testing.T) {
	n := len(Names())
	missing := fmt.Sprintf("not ok %d - b.example channel-missing", n+1+slices.Index(Names(), ChannelMissing)) // of the second domain
	refused := fmt.Sprintf("not ok %d - b.example refused\n  ---\n", 2*n+1)                                    // of the third
	for strict, want := range map[bool][]string{
		false: {missing + " # TODO warning\n  ---\n  - severity: warning\n", refused},
		true:  {missing + "\n  ---\n", refused},
	} {
		out := tapOf(t, strict)
		if !strings.HasPrefix(out, fmt.Sprintf("TAP version 13\n1..%d\nok 1 - ", 3*n)) {
			t.Errorf("begins %.60q", out)
		}
		if ok, not := strings.Count("\n"+out, "\nok "), strings.Count("\n"+out, "\nnot ok "); ok != 3*n-2 || not != 2 {
			t.Errorf("%d ok and %d not ok", ok, not)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("without %q:\n%s", w, out)
			}
		}
		if strings.Contains(out, "\x1b") {
			t.Error("an escape went through")
		}
	}
}

// TestProve gives the output to prove, the TAP harness of Perl.
func TestProve(t *testing.T) {
	realtest.Need(t, "prove")
	dir := t.TempDir()
	for strict, want := range map[bool]string{false: "Failed: 1)", true: "Failed: 2)"} {
		file := realtest.WriteFile(t, dir, fmt.Sprintf("%t.tap", strict), tapOf(t, strict))
		out, err := exec.Command("prove", "--exec", "cat", file).CombinedOutput()
		if err == nil {
			t.Errorf("prove finds nothing wrong with %s", file)
		}
		if text := string(out); !strings.Contains(text, want) || !strings.Contains(text, fmt.Sprintf("Tests: %d ", 3*len(Names()))) || strings.Contains(text, "Parse errors") {
			t.Errorf("strict %t: prove says\n%s", strict, text)
		}
	}
}

// TestReportJSON: the members that docs/watch.md promises are there even when
// there is nothing to say.
func TestReportJSON(t *testing.T) {
	data, err := json.Marshal(Conclude(Question{}, nil, delegation.Policy{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{`"version":1`, `"status":"undetermined"`, `"verdicts":[]`, `"agreeing":0`, `"statement_ends":null`, `"certificate_ends":null`, `"accepted":null`, `"resolvers":[]`} {
		if !strings.Contains(string(data), member) {
			t.Errorf("without %s: %s", member, data)
		}
	}
}
