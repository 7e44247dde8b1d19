package delegation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// silent is evidence of which every place was asked and has nothing, with a
// statement from a stream.
func silent(body []byte) *Evidence {
	e := evidenceOf(txtAnswer(), nothingAt(JWS), nothingAt(AC))
	e.Streams = []StreamStatement{{JWS, body}}
	return e
}

func nothingAt(e Encoding) Document {
	return Document{URL: DocumentURL(source, service, e), Status: 404, MaxAge: -1}
}

// brought is a spoiler: the statement is in the stream, and everything else as
// change leaves it.
func brought(change func(e *Evidence)) func(*trial) {
	return func(tr *trial) {
		tr.evidence = silent(tr.sign())
		change(tr.evidence)
	}
}

func refuses(d *Document) {
	*d = Document{URL: d.URL, NoServer: true, Failure: &Failure{reasons.HTTPSFailure, "connection refused"}}
}

// streamCases: what else is known decides whether a statement from a stream counts.
func streamCases() []verifyCase {
	cases := []verifyCase{
		{"nothing anywhere", brought(func(*Evidence) {}), reasons.Verified},
		{"gone", brought(func(e *Evidence) { e.Documents[0].Status, e.Documents[1].Status = 410, 410 }), reasons.Verified},
		{"a page for any path", brought(func(e *Evidence) { e.Documents[0].Status, e.Documents[0].MediaType = 200, "text/html" }), reasons.Verified},
		{"no address", brought(func(e *Evidence) {
			for i, d := range e.Documents {
				e.Documents[i] = Document{URL: d.URL, NoAddress: true}
			}
		}), reasons.Verified},
		{"no web server", brought(func(e *Evidence) { refuses(&e.Documents[0]); refuses(&e.Documents[1]) }), reasons.Verified},
		{"records of other kinds", brought(func(e *Evidence) { e.TXT[0].Records = []string{"v=spf1 -all"} }), reasons.Verified},

		{"TXT not asked", brought(func(e *Evidence) { e.TXT = nil }), reasons.NoStatement},
		{"a document not asked for", brought(func(e *Evidence) { e.Documents = e.Documents[1:] }), reasons.NoStatement},
		{"TXT bogus", brought(func(e *Evidence) { e.TXT[0].DNSSEC = Bogus }), reasons.DNSBogus},
		{"a web server that fails", brought(func(e *Evidence) { e.Documents[1].Status = 503 }), reasons.HTTPSFailure},
		{"a bad record", brought(func(e *Evidence) { e.TXT[0].Records = []string{"v=DNA1"} }), reasons.MalformedRecord},
		{"too many bad records", brought(func(e *Evidence) { e.TXT[0].Records = slices.Repeat([]string{"v=DNA1"}, 5) }), reasons.TooManyRecords},
		{"a bad document", brought(func(e *Evidence) { e.Documents[0] = document([]byte("x")) }), reasons.MalformedToken},
		{"a bad file", brought(func(e *Evidence) { e.Documents = append(e.Documents, Document{File: "f", Body: []byte("x")}) }), reasons.MalformedToken},

		{"two", brought(func(e *Evidence) { e.Streams = slices.Repeat(e.Streams, 2) }), reasons.BadEvidence},
		{"no other place", brought(func(e *Evidence) { e.TXT, e.Documents = nil, nil }), reasons.MissingInput},
		{"an encoding that nobody knows", brought(func(e *Evidence) { e.Streams[0].Encoding = "cbor" }), reasons.UnsupportedEncoding},
		{"another encoding", brought(func(e *Evidence) { e.Streams[0].Encoding = AC }), reasons.MalformedBag},
		{"nothing in it", brought(func(e *Evidence) { e.Streams[0] = StreamStatement{} }), reasons.UnsupportedEncoding},
		{"too large", brought(func(e *Evidence) { e.Streams[0].Body = make([]byte, limits.MaxStatementSize+1) }), reasons.StatementTooLarge},
		{"a line end", brought(func(e *Evidence) { e.Streams[0].Body = append(e.Streams[0].Body, '\n') }), reasons.MalformedToken},

		{"no web server without a failure", brought(func(e *Evidence) { e.Documents[0].NoServer = true }), reasons.BadEvidence},
		{"no web server after a timeout", brought(func(e *Evidence) {
			refuses(&e.Documents[0])
			e.Documents[0].Failure.Reason = reasons.HTTPSTimeout
		}), reasons.BadEvidence},
		{"no web server of a file", brought(func(e *Evidence) { e.Documents = append(e.Documents, Document{File: "f", NoServer: true}) }), reasons.BadEvidence},
		{"no web server, and an expired statement", func(tr *trial) {
			brought(func(e *Evidence) { refuses(&e.Documents[0]) })(tr)
			tr.policy.Time = tr.statement.Expires
		}, reasons.HTTPSFailure},
	}
	for _, reason := range reasons.Reasons() {
		if !reason.OfLookup() {
			continue
		}
		f := &Failure{reason, "it did not work"}
		cases = append(cases,
			verifyCase{"TXT " + string(reason), brought(func(e *Evidence) { e.TXT[0].Failure = f }), reason},
			verifyCase{"document " + string(reason), brought(func(e *Evidence) { e.Documents[1] = Document{URL: e.Documents[1].URL, Failure: f} }), reason})
	}
	return cases
}

func TestStream(t *testing.T) { runCases(t, 40, streamCases()) }

// TestStreamBeside: a statement that is published, wherever, is the one that is used,
// although the one in the stream is newer.
func TestStreamBeside(t *testing.T) {
	for _, revoked := range []bool{false, true} {
		for _, place := range []string{"txt", "document", "file"} {
			t.Run(fmt.Sprintf("%s, revoked %t", place, revoked), func(t *testing.T) {
				tr := newTrial(t)
				newer := tr.another(func(d *draft) { d.statement.Issued = d.statement.Issued.Add(time.Minute) })
				if tr.statement.Targets[0].Host = "other.example"; revoked {
					tr.statement.Targets = nil
				}
				tr.evidence = silent(newer)
				switch published := tr.sign(); place {
				case "txt":
					tr.evidence.TXT[0].Records = []string{JWS.TXTRecord(published)}
				case "document":
					tr.evidence.Documents[0] = document(published)
				default:
					tr.evidence.Documents = append(tr.evidence.Documents, Document{File: "f", Body: published})
				}
				result, err := tr.verify()
				if revoked {
					wantEnd(t, reasons.Revoked, result, err)
					return
				}
				wantEnd(t, reasons.Verified, result, err)
				if host := result.Dial()[0].Host; host != "other.example" {
					t.Errorf("it leads to %s", host)
				}
			})
		}
	}
}

// TestStreamChecks: what comes in a stream may cost 6 signature checks.
func TestStreamChecks(t *testing.T) {
	for kind, want := range map[string]reasons.Reason{"P-384": reasons.UntrustedSigner, "P-521": reasons.TooManyRecords} {
		tr := newTrial(t)
		encoding, body := longChain("P-384", kind, 5)(t, 0)
		tr.evidence = silent(body)
		tr.evidence.Streams[0].Encoding = encoding
		result, err := tr.verify()
		wantEnd(t, want, result, err)
	}
}

// TestStreamRefresh: the places are looked at again when the TXT answer has ended.
func TestStreamRefresh(t *testing.T) {
	for ttl, want := range map[uint32]time.Duration{0: limits.MinRefresh, 600: 10 * time.Minute, 1 << 31: limits.MaxRefresh} {
		tr := newTrial(t)
		tr.evidence = silent(tr.sign())
		tr.evidence.TXT[0].TTL = ttl
		result, err := tr.verify()
		wantEnd(t, reasons.Verified, result, err)
		if got := result.RefreshAt().Sub(now); got != want {
			t.Errorf("TTL %d: again after %s, want %s", ttl, got, want)
		}
	}
}

// answerOf is everything that Verify says, but for the lines about the stream.
func answerOf(q Query, e *Evidence, p Policy) (string, reasons.Reason) {
	result, err := Verify(q, e, p)
	report := NewReport(q, result, err)
	report.Checks = slices.DeleteFunc(report.Checks, func(c Check) bool { return c.Origin == "stream" })
	text, marshalErr := json.Marshal(report)
	if marshalErr != nil {
		return marshalErr.Error(), ""
	}
	return string(text), ReasonOf(err)
}

// mayChange reports whether a statement from a stream may change an answer: only
// that of nothing, and that of no web server.
func mayChange(e *Evidence, reason reasons.Reason) bool {
	refused := slices.ContainsFunc(e.Documents, func(d Document) bool { return d.NoServer })
	return reason == reasons.NoStatement || refused && reason == reasons.HTTPSFailure
}

// TestStreamAddsNothing: a statement from a stream, good or bad, changes no answer
// but that of nothing. The evidence is that of all vectors.
func TestStreamAddsNothing(t *testing.T) {
	tr := newTrial(t)
	good := tr.sign()
	same, changed := 0, 0
	for _, raw := range vectorSeeds(t).Evidence {
		var without Evidence
		if json.Unmarshal(raw, &without) != nil || len(without.Streams) > 0 {
			continue
		}
		without.replayed = false
		q := Query{Source: without.Source, Service: without.Service}
		want, reason := answerOf(q, &without, tr.policy)
		for _, body := range [][]byte{good, []byte("x"), nil} {
			with := without
			with.Streams = []StreamStatement{{JWS, body}}
			got, _ := answerOf(q, &with, tr.policy)
			switch {
			case got == want:
				same++
			case !mayChange(&without, reason):
				t.Fatalf("%s\nwith a stream (-want +got)\n%s", raw, cmp.Diff(want, got))
			default:
				changed++
			}
		}
	}
	if same < 500 || changed < 3 {
		t.Errorf("only %d were the same and %d changed", same, changed)
	}
}

// TestStreamLaw: the same for any evidence of pieces that count or do not.
func TestStreamLaw(t *testing.T) {
	tr := newTrial(t)
	good, other := tr.sign(), tr.another(func(d *draft) { d.statement.Targets = nil; d.statement.Issued = now.Add(-2 * time.Hour) })
	records := []string{"v=spf1 -all", "v=DNA1", "v=DNA1; e=cbor; s=x", JWS.TXTRecord(good), JWS.TXTRecord(other)}
	statuses := []int{200, 204, 301, 404, 410, 500}
	types := []string{"", "text/html", JWS.MediaType(), AC.MediaType()}
	bodies := [][]byte{nil, []byte("x"), good, other}
	lookups := slices.DeleteFunc(reasons.Reasons(), func(r reasons.Reason) bool { return !r.OfLookup() })
	rapid.Check(t, func(t *rapid.T) {
		maybe := func(what string) bool { return rapid.Bool().Draw(t, what) }
		failure := func() *Failure { return &Failure{rapid.SampledFrom(lookups).Draw(t, "reason"), "x"} }
		e := evidenceOf()
		if maybe("TXT") {
			a := txtAnswer(rapid.SliceOfN(rapid.SampledFrom(records), 0, 6).Draw(t, "records")...)
			a.DNSSEC = rapid.SampledFrom([]DNSSEC{Secure, Insecure, Bogus, Indeterminate}).Draw(t, "state")
			if maybe("TXT fails") {
				a.Failure = failure()
			}
			e.TXT = append(e.TXT, a)
		}
		for _, encoding := range Encodings() {
			d := nothingAt(encoding)
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				continue
			case 1:
				d.Failure = failure()
			case 2:
				refuses(&d)
			case 3:
				d = Document{URL: d.URL, NoAddress: true}
			default:
				d.Status, d.MediaType = rapid.SampledFrom(statuses).Draw(t, "status"), rapid.SampledFrom(types).Draw(t, "type")
				d.Body = rapid.SampledFrom(bodies).Draw(t, "body")
			}
			e.Documents = append(e.Documents, d)
		}
		if maybe("file") {
			e.Documents = append(e.Documents, Document{File: "f", Body: rapid.SampledFrom(bodies).Draw(t, "file's body")})
		}
		want, reason := answerOf(tr.query, e, tr.policy)
		e.Streams = []StreamStatement{{rapid.SampledFrom(append(Encodings(), "cbor")).Draw(t, "encoding"), rapid.SampledFrom(bodies).Draw(t, "brought")}}
		if got, _ := answerOf(tr.query, e, tr.policy); got != want && !mayChange(e, reason) {
			t.Fatalf("(-want +got)\n%s", cmp.Diff(want, got))
		}
	})
}

// TestStreamNotRepeated: what a stranger brings is not in the explanation.
func TestStreamNotRepeated(t *testing.T) {
	tr := newTrial(t)
	tr.evidence = silent([]byte("x"))
	tr.evidence.Streams[0].Encoding = Encoding(strings.Repeat("evil\x1b", 1000))
	_, err := tr.verify()
	if e := wantRefusal(t, reasons.UnsupportedEncoding, err); len(e.Detail) > 300 || strings.Contains(e.Detail, "\x1b") {
		t.Errorf("the detail is %q", e.Detail)
	}
}
