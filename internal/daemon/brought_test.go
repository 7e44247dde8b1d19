package daemon

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// member is the member of a question for what a peer brought.
func member(encoding, text string) string {
	return `"statement":{"encoding":` + escaped(encoding) + `,"text":` + escaped(text) + `}`
}

// TestBrought: what a peer brings counts where nothing is published, and the answer says
// so. What is no statement is the peer's fault, and changes nothing but the reason.
func TestBrought(t *testing.T) {
	n := &network{web: true}
	r := start(t, n, "", defaultBounds)
	_, good, _ := strings.Cut(record(host), "; s=")
	chain := of(host).Chain()

	a := r.ask(source, "incoming", chain)
	if a.Reason != reasons.NoStatement || !a.Unpublished || a.Found != nil || a.Required {
		t.Errorf("nothing is brought: %+v", a)
	}
	for _, c := range []struct {
		name, encoding, text string
		want                 reasons.Reason
	}{
		{"empty", "jws", "", reasons.MalformedRecord},
		{"white space", "jws", " " + good, reasons.MalformedRecord},
		{"not base64", "ac", "x", reasons.MalformedRecord},
		{"base64 with line ends", "ac", "MIIB\nMIIB", reasons.MalformedRecord},
		{"another encoding", "cose", good, reasons.UnsupportedEncoding},
		{"too large", "jws", strings.Repeat("x", limits.MaxStatementSize+1), reasons.StatementTooLarge},
		{"too large in base64", "ac", strings.Repeat("AAAA", 10924), reasons.StatementTooLarge},
		{"no token", "jws", "x.y.z", reasons.MalformedToken},
		{"in the other encoding", "ac", "AAAA", reasons.MalformedBag},
	} {
		a := r.ask(source, "incoming", chain, member(c.encoding, c.text))
		if a.Reason != c.want || a.Outcome != reasons.OutcomeRefused || a.Required || !a.Unpublished || a.Found != nil {
			t.Errorf("%s: %s, want %s; %+v", c.name, a.Reason, c.want, a)
		}
	}
	if status, _, body := r.send(nil, http.MethodPost, "/v1/check", ask(source, "incoming", chain, member("jws", strings.Repeat("x", maxBody)))); status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d: %s", status, body)
	}

	a = r.ask(source, "incoming", chain, member("jws", good), `"evidence":true`)
	if a.Outcome != reasons.OutcomeVerified || a.Found == nil || *a.Found != "stream" || !a.Required || len(a.Evidence.Streams) != 1 {
		t.Errorf("a good one: %+v", a)
	}
	a = r.ask(source, "outgoing", chain, member("jws", good))
	if a.Outcome != reasons.OutcomeVerified || *a.Found != "stream" {
		t.Errorf("outgoing: %+v", a)
	}
	a = r.ask(source, "incoming", of("xmpp.other.example").Chain(), member("jws", good))
	if a.Reason != reasons.PeerNameMismatch || !a.Required || !a.Unpublished {
		t.Errorf("a peer that it does not name: %+v", a)
	}
	_, _, metrics := r.send(nil, http.MethodGet, "/metrics", "")
	for _, line := range []string{`dnaverify_statements_brought_total{result="proven"} 2`, `dnaverify_statements_brought_total{result="none"} 2`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics have no line %s", line)
		}
	}

	// Published, it is found there, and what is brought is not looked at.
	n.set(func() { n.records = []string{record(host)} })
	other := start(t, n, "", defaultBounds)
	a = other.ask(source, "incoming", chain, member("jws", "x.y.z"))
	if a.Outcome != reasons.OutcomeVerified || *a.Found != "dns" || a.Unpublished {
		t.Errorf("published: %+v", a)
	}
}
