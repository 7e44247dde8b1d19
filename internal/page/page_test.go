package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/watch"
)

// TestReasons: the page says every reason in plain words, with something to do.
func TestReasons(t *testing.T) {
	list := reasons.Reasons()
	if len(list) < 95 {
		t.Fatalf("only %d reasons", len(list))
	}
	seen := map[string]reasons.Reason{}
	for _, r := range list {
		words := plain(r)
		switch {
		case words == "" || strings.Contains(words, "\n") || len(words) > 90:
			t.Errorf("%s: %q is no line", r, words)
		case strings.HasSuffix(words, "."):
			t.Errorf("%s: %q ends a sentence", r, words)
		case seen[words] != "":
			t.Errorf("%s and %s: the same text", r, seen[words])
		}
		seen[words] = r
		if r == reasons.Verified {
			continue
		}
		if hints.ForOwner(r) == "" {
			t.Errorf("%s: nothing to do", r)
		}
		report := watch.Report{Source: world.Source, Service: world.Service, Time: now, Verdicts: []watch.Verdict{{
			Resolver: "192.0.2.53:53", Outcome: r.Outcome(), Reason: r, Proof: delegation.Report{Outcome: r.Outcome(), Reason: r},
		}}}
		if r.Outcome() == reasons.OutcomeUndetermined {
			report.Status = watch.StatusUndetermined
		}
		page := html.UnescapeString(string(Domain(report, "")))
		for _, want := range []string{words + ".</h1>", "<code>" + string(r) + "</code>", "What to do:</b> " + sentence(hints.ForOwner(r))} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", r, want)
			}
		}
	}
}

// edgesOf are the tones of the path's edges, the peer's and that of DNSSEC.
func edgesOf(p path) (tones []Tone, reason reasons.Reason) {
	for _, s := range p.Steps {
		if s.Edge != nil {
			tones = append(tones, s.Edge.Tone)
			if s.Edge.Reason != "" {
				reason = s.Edge.Reason
			}
		}
	}
	return append(tones, p.DNSSEC.Tone), reason
}

// TestPath: an edge is green only if it holds, and the edge at which a
// verification ended has the reason.
func TestPath(t *testing.T) {
	other := world.At(now) // whom nobody trusts
	good := func() *delegation.Evidence { return found(provider, delegation.Insecure) }
	only := func(body []byte) *delegation.Evidence {
		e := nothing(delegation.Insecure)
		e.Documents[0].Status, e.Documents[0].MediaType, e.Documents[0].Body = 200, delegation.JWS.MediaType(), body
		return e
	}
	altered := bytes.Clone(statement(delegation.JWS, around.Of(world.Source)))
	last := len(altered) - 10
	altered[last] = map[bool]byte{true: 'A', false: 'B'}[altered[last] != 'A']
	bogus := good()
	bogus.SRV[0].DNSSEC = delegation.Bogus
	revoked := only(world.Sign(around.Statement(world.Day), delegation.JWS, around.Of(world.Source)))
	conflict := found(former, delegation.Secure)
	for _, c := range []struct {
		name     string
		evidence *delegation.Evidence
		reason   reasons.Reason
		edges    string // good, bad, open: of each edge, the peer's and DNSSEC's
	}{
		{"verified", good(), "", "ggggoo"},
		{"secure", found(provider, delegation.Secure), "", "ggggog"},
		{"nothing", nothing(delegation.Insecure), reasons.NoStatement, "booooo"},
		{"silent", silent(), reasons.DNSTimeout, "oooooo"},
		{"damaged", only([]byte("eyJ")), reasons.MalformedToken, "booooo"},
		{"altered", only(altered), reasons.BadSignature, "gboooo"},
		{"untrusted", only(statement(delegation.JWS, other.Of(world.Source))), reasons.UntrustedSigner, "ggbooo"},
		{"revoked", revoked, reasons.Revoked, "gggboo"},
		{"another host", found(former, delegation.Insecure), reasons.TargetMismatch, "gggboo"},
		{"conflict", conflict, reasons.Conflict, "gggbog"},
		{"bogus SRV", bogus, reasons.DNSBogus, "gggoob"},
	} {
		r := conclude(delegation.Endpoint{}, c.evidence)
		tones, reason := edgesOf(pathOf(r, r.Verdicts[0]))
		var letters string
		for _, tone := range tones {
			letters += string(tone[:1])
		}
		if letters != c.edges || reason != c.reason || c.reason != "" && r.Verdicts[0].Reason != c.reason {
			t.Errorf("%s: %s, %s (%s), want %s, %s", c.name, letters, reason, r.Verdicts[0].Detail, c.edges, c.reason)
		}
	}
	// Nobody delegated to the host that is asked about.
	r := conclude(former, good())
	if tones, reason := edgesOf(pathOf(r, r.Verdicts[0])); tones[delegated] != Bad || reason != reasons.TargetMismatch {
		t.Errorf("%v, %s", tones, reason)
	}
	if v := VerdictOf(r); v.Tone != Bad || v.Headline != "xmpp.former.example:5269 is not accepted for xmpp-server of b.example: the domain did not delegate to this host." {
		t.Errorf("%+v", v)
	}
}

// TestSelfContained: a page asks for nothing, and has no script and no style but
// its own.
func TestSelfContained(t *testing.T) {
	for name, r := range samples(t) {
		page := string(Domain(r, ""))
		for _, forbidden := range []string{"<script", "javascript:", " src=", "<link", "@import", "url(", " style=", " onload", "http-equiv=\"refresh\""} {
			if strings.Contains(page, forbidden) {
				t.Errorf("%s has %s", name, forbidden)
			}
		}
		_, rest, _ := strings.Cut(page, "<style>")
		inside, _, _ := strings.Cut(rest, "</style>")
		hash := sha256.Sum256([]byte(inside))
		want := "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
		if !strings.Contains(SecurityPolicy(), want) || !strings.Contains(html.UnescapeString(page), ownPolicy()) {
			t.Errorf("%s: the policy does not let the browser use the style", name)
		}
		for _, want := range []string{`<html lang="en">`, "<title>b.example: ", "name=\"viewport\"", "<h1>"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s is without %s", name, want)
			}
		}
		if len(page) > 100_000 {
			t.Errorf("%s has %d octets", name, len(page))
		}
	}
}

var link = regexp.MustCompile(`href="data:application/json;base64,([^"]+)" download="([^"]+)"`)

// evidenceIn is what the page has to download.
func evidenceIn(t *testing.T, page []byte) (list [][]byte) {
	t.Helper()
	for _, m := range link.FindAllStringSubmatch(string(page), -1) {
		data, err := base64.StdEncoding.DecodeString(html.UnescapeString(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, data)
	}
	return list
}

// TestEvidence: what the page has to download gives the same verdict again.
func TestEvidence(t *testing.T) {
	for name, e := range map[string]*delegation.Evidence{
		"verified": found(provider, delegation.Insecure), "refused": found(former, delegation.Insecure), "undetermined": silent(),
	} {
		r := conclude(delegation.Endpoint{}, e)
		list := evidenceIn(t, Domain(r, "roots.pem"))
		if len(list) != 1 {
			t.Fatalf("%s: %d downloads", name, len(list))
		}
		var again delegation.Evidence
		if err := json.Unmarshal(list[0], &again); err != nil {
			t.Fatal(err)
		}
		if got := conclude(delegation.Endpoint{}, &again).Verdicts[0]; got.Reason != r.Verdicts[0].Reason || string(got.Outcome) != name {
			t.Errorf("%s: %s: %s", name, got.Outcome, got.Reason)
		}
	}
}

// hostile is a report in which strangers wrote whatever they could, in so many
// checks and findings.
func hostile(t testing.TB, rows int) watch.Report {
	t.Helper()
	const text = "<script>alert(1)</script>\x1b[31m\u202egnp.exe\u2066\x00\xff\"'><img src=x onerror=alert(1)>&#x202e;"
	long := text + strings.Repeat("A", 5000)
	e := found(provider, delegation.Insecure)
	e.SRV[0].Name, e.SRV[0].Records[0].Target, e.SRV[0].DNSSEC = text, long, delegation.DNSSEC(text)
	e.TXT[0].Resolver, e.TXT[0].Records = text, []string{long}
	e.Documents[0].URL, e.Documents[1].Failure = text, &delegation.Failure{Reason: reasons.Reason(text), Detail: long}
	target := delegation.Endpoint{Host: text, Port: 1}
	check := delegation.Check{Name: text, Outcome: delegation.CheckFail, Reason: reasons.Reason(text), Origin: text, Detail: long}
	r := watch.Report{
		Source: text, Service: text, Target: &target, Time: now, Status: watch.StatusError,
		Verdicts: []watch.Verdict{{Resolver: text, Outcome: reasons.OutcomeRefused, Reason: reasons.Reason(text), Detail: long, Evidence: e,
			Dial: []delegation.Endpoint{target}, Host: &watch.HostVerdict{Outcome: reasons.OutcomeRefused, Reason: reasons.BadName, Detail: long},
			Proof: delegation.Report{Outcome: reasons.OutcomeRefused, Reason: reasons.Reason(text)}}},
	}
	for range rows {
		r.Verdicts[0].Proof.Checks = append(r.Verdicts[0].Proof.Checks, check)
		r.Findings = append(r.Findings, watch.Finding{Name: watch.Name(text), Severity: watch.SeverityError, Detail: long, Hint: long, Resolvers: []string{text}})
	}
	return r
}

// TestHostile: what strangers wrote is text, of a bounded length, and what is not
// printable is visible.
func TestHostile(t *testing.T) {
	page := string(Domain(hostile(t, 2*maxRows), "roots $(x).pem"))
	for _, forbidden := range []string{"<script", "<img", "&#x202e;", "&#8238;"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("it has %s", forbidden)
		}
	}
	if at := strings.IndexFunc(page, func(r rune) bool { return r != '\n' && (!unicode.IsPrint(r) || r == unicode.ReplacementChar) }); at >= 0 {
		t.Errorf("it has %q", page[at:at+8])
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;?[31m?gnp.exe?") {
		t.Error("what was written cannot be seen")
	}
	if !strings.Contains(html.UnescapeString(page), "--roots 'roots $(x).pem'") {
		t.Error("the name of the file is no word for a shell")
	}
	if len(page) > 2<<20 {
		t.Errorf("%d octets", len(page))
	}
}

// TestRoom: evidence that is too large for a page is left out, and the page says so.
func TestRoom(t *testing.T) {
	var list []*delegation.Evidence
	for range 2 {
		e := silent()
		e.TXT[0].Failure = nil
		e.TXT[0].Records = []string{strings.Repeat("a", maxEvidence-1<<13)}
		list = append(list, e)
	}
	fits := conclude(delegation.Endpoint{}, list...)
	if n := len(evidenceIn(t, Domain(fits, ""))); n != 2 {
		t.Errorf("%d downloads, want 2", n)
	}
	list[0].TXT[0].Records[0] += strings.Repeat("a", 1<<13)
	page := Domain(conclude(delegation.Endpoint{}, list...), "")
	if n := len(evidenceIn(t, page)); n != 1 || !bytes.Contains(page, []byte("too large for a page")) {
		t.Errorf("%d downloads, want 1", n)
	}
	second := fits.Verdicts[1]
	fits.Verdicts = []watch.Verdict{second, second, second}
	if n := len(evidenceIn(t, Domain(fits, ""))); n != 2 {
		t.Errorf("%d downloads, want 2 of 3", n)
	}
}
