package vectors

import (
	"encoding/json"
	"strings"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

var txtNotes = map[string]Note{
	"valid":    {[]string{"T1"}, "A statement in a TXT record.", "A verifier that refuses it locks out an honest owner."},
	"grammar":  {[]string{"T1"}, "A record of version 1 has one form, to the octet.", "Two readers of a lax form see different statements in one record."},
	"not-ours": {[]string{"T1"}, "Records that are not of version 1 are ignored.", "Whoever may add a record of another kind blocks the statement."},
	"number":   {[]string{"T2"}, "More than 4 records of version 1: none is looked at.", "A stranger makes a verifier work for as long as the stranger likes."},
	"encoding": {[]string{"T3"}, "The encoding is jws or ac; of the latter the value is canonical base64.", "A value that two readers decode differently is two statements."},
	"failure":  {[]string{"V2", "V9"}, "A place that could not be looked at leaves the outcome open.", "Whoever can make a look-up fail makes a verifier believe that there is no statement."},
	"choice":   {[]string{"V4"}, "Any verified statement decides; else a failed look-up; else a refusal, the one that got furthest; else there is none.", "A broken statement, added by whoever can, hides a good one, or the true reason."},
	"evidence": {[]string{"V1"}, "Evidence is about the question asked, about the places of sections 7 to 9, each once, and says only what evidence can.", "Answers about other names, or two answers for one place, are slipped in among good ones."},
	"missing":  {[]string{"V1", "V9"}, "What is missing is refused; it is no default.", "An empty answer is taken for a denial, or a missing part for permission."},
	"dnssec":   {[]string{"V2", "D2"}, "The DNSSEC state of a TXT answer does not matter, except that a bogus answer is a failure.", "A statement that only a signed zone may have locks out those without one."},
	"cost":     {[]string{"V3"}, "Signature checks for statements that they refuse are counted.", "A stranger makes a verifier check signatures by expensive keys for as long as the stranger likes."},
	"one-role": {[]string{"V1", "V2"}, "A role has one name in DNS, whatever number of SRV labels it has.", "A statement at another name is slipped in among good ones."},
}

func txtFamily(w *world) *book {
	b := newBook(w, "txt", txtNotes)
	b.verify(place(inTXT), txtRecords()...)
	b.verify(place(inTXT), txtFailures()...)
	b.verify(place(inTXT), txtChoices()...)
	b.verify(place(inTXT), txtEvidence()...)
	b.verify(place(inTXT), txtCosts()...)
	return b
}

func txtRecords() []entry {
	record := func(edit func(text string) string) step {
		return has(func(e *evidence) { e.TXT[0].Records[0] = edit(e.TXT[0].Records[0]) })
	}
	prefixed := func(old, with string) step {
		return record(func(text string) string { return with + strings.TrimPrefix(text, old) })
	}
	ends := func(with string) step { return record(func(text string) string { return text + with }) }
	only := func(records ...string) step {
		return has(func(e *evidence) { e.TXT[0].Records = append([]string{}, records...) })
	}
	beside := func(records ...string) step {
		return has(func(e *evidence) { e.TXT[0].Records = append(records, e.TXT[0].Records...) })
	}
	value := func(edit func(value string) string) step {
		return record(func(text string) string {
			head, rest, _ := strings.Cut(text, "; s=")
			return head + "; s=" + edit(rest)
		})
	}
	ac := encoded(acEncoding)
	const malformed, none = "malformed-record", "no-statement"
	return []entry{
		good("usual", "valid", "the usual case: one record", nil),
		good("ac", "valid encoding", "a record with a message in base64", ac),
		bad("only-version", "grammar", malformed, "nothing but the version: in a zone file, a semicolon outside quotes starts a comment", only("v=DNA1")),
		bad("version-semicolon", "grammar", malformed, "the version and a semicolon", only("v=DNA1;")),
		bad("no-encoding", "grammar", malformed, "no encoding", prefixed("v=DNA1; e=jws; s=", "v=DNA1; s=")),
		bad("empty-encoding", "grammar", malformed, "an empty encoding", prefixed("v=DNA1; e=jws", "v=DNA1; e=")),
		bad("encoding-upper-case", "grammar", malformed, "the encoding in upper case", prefixed("v=DNA1; e=jws", "v=DNA1; e=JWS")),
		bad("encoding-digit", "grammar", malformed, "an encoding with a digit", prefixed("v=DNA1; e=jws", "v=DNA1; e=jws2")),
		bad("encoding-unknown", "encoding", "unsupported-encoding", "an encoding that nobody knows", prefixed("v=DNA1; e=jws", "v=DNA1; e=cbor")),
		bad("no-value", "grammar", malformed, "no statement", only("v=DNA1; e=jws")),
		bad("empty-value", "grammar", malformed, "an empty statement", only("v=DNA1; e=jws; s=")),
		bad("other-order", "grammar", malformed, "the statement before the encoding", record(func(text string) string {
			return "v=DNA1; s=" + strings.TrimPrefix(text, "v=DNA1; e=jws; s=") + "; e=jws"
		})),
		bad("no-space", "grammar", malformed, "no space after the first semicolon", prefixed("v=DNA1; e=jws", "v=DNA1;e=jws")),
		bad("two-spaces", "grammar", malformed, "two spaces after the first semicolon", prefixed("v=DNA1; e=jws", "v=DNA1;  e=jws")),
		bad("space-before", "grammar", malformed, "a space before the first semicolon", prefixed("v=DNA1; e=jws", "v=DNA1 ; e=jws")),
		bad("member", "grammar", malformed, "another member between", prefixed("v=DNA1; e=jws", "v=DNA1; e=jws; x=1")),
		bad("semicolon-end", "grammar", malformed, "a semicolon at the end", ends(";")),
		bad("space-end", "grammar", malformed, "a space at the end", ends(" ")),
		bad("lf-end", "grammar", malformed, "a line feed at the end: nothing is taken off a record", ends("\n")),
		bad("escape", "grammar", malformed, "a foreign octet, with a backslash in presentation form", ends(`\233`)),
		bad("percent", "grammar", malformed, "a character that is of no base64", ends("%")),
		bad("version-underscore", "grammar", malformed, "the version and an octet that is neither letter nor digit", only("v=DNA1_")),
		bad("jws-base64", "encoding", "malformed-token", "a token with characters of base64, which the grammar allows", ends("+/=")),
		bad("ac-base64url", "encoding", malformed, "a message in base64url", value(func(v string) string { return v[:4] + "-_" + v[6:] }), ac),
		bad("ac-no-padding", "encoding", malformed, "a message without padding", value(func(v string) string { return strings.TrimRight(v, "=") }), ac, paddedMessage),
		bad("ac-trailing-bits", "encoding", malformed, "unused bits of the last character are not zero", value(func(v string) string {
			text := strings.TrimRight(v, "=")
			return text[:len(text)-1] + string(rune(text[len(text)-1]+1)) + v[len(text):]
		}), ac, paddedMessage),
		bad("ac-twice-padded", "encoding", malformed, "padding and more base64 after it", value(func(v string) string { return v + "AAAA" }), ac, paddedMessage),
		bad("ac-called-jws", "encoding", "malformed-token", "a message that is called a token", prefixed("v=DNA1; e=ac", "v=DNA1; e=jws"), ac),
		bad("jws-called-ac", "encoding", malformed, "a token that is called a message", prefixed("v=DNA1; e=jws", "v=DNA1; e=ac")),

		bad("none", "missing", none, "the name has no record", only()),
		bad("version-2", "not-ours", none, "a record of version 2", prefixed("v=DNA1", "v=DNA2")),
		bad("version-10", "not-ours", none, "a record of version 10", prefixed("v=DNA1", "v=DNA10")),
		bad("version-1a", "not-ours", none, "a record of version 1a", prefixed("v=DNA1", "v=DNA1a")),
		bad("version-1-upper-a", "not-ours", none, "a record of version 1A", prefixed("v=DNA1", "v=DNA1A")),
		bad("version-lower-case", "not-ours", none, "the version in lower case", prefixed("v=DNA1", "v=dna1")),
		bad("name-upper-case", "not-ours", none, "V for v", prefixed("v=DNA1", "V=DNA1")),
		bad("space-first", "not-ours", none, "a space before the version", prefixed("v=DNA1", " v=DNA1")),
		good("foreign-beside", "not-ours", "records of other kinds beside", beside("v=spf1 -all", "", "v=DNA2; e=x; s=y", "v=DNA", "site-verification=x")),
		good("bad-beside", "choice grammar", "a record of version 1 in bad form beside", beside("v=DNA1")),
		good("records-4", "number", "4 records of version 1, three of them in bad form", beside("v=DNA1", "v=DNA1;", "v=DNA1; e=jws")),
		bad("records-5", "number", "too-many-records", "5 records of version 1", beside("v=DNA1", "v=DNA1;", "v=DNA1; e=jws", "v=DNA1; x")),
		good("records-5-one-other", "number not-ours", "5 records, 4 of them of version 1", beside("v=DNA1", "v=DNA1;", "v=DNA1; e=jws", "v=DNA2")),
	}
}

// paddedMessage makes a message whose base64 has padding, and unused bits: by an
// extension that is ignored, with a key whose signatures have one length.
func paddedMessage(t *trial) {
	size := 0
	ofKind("Ed25519")(t)
	info(func(info *dertree.Node) {
		info.At(acder.PartExtensions).Add(acder.Extension("2.25.1", false, make([]byte, size)))
	})(t)
	for len(t.ac())%3 != 1 {
		size++
	}
}

func txtFailures() []entry {
	fails := func(reason string) step {
		return has(func(e *evidence) {
			e.TXT[0] = txtAnswer{Name: e.TXT[0].Name, DNSSEC: indeterminate, Failure: &failure{reason, "it did not work"}}
		})
	}
	state := func(s string) step { return has(func(e *evidence) { e.TXT[0].DNSSEC = s }) }
	var list []entry
	for _, reason := range []string{
		"unanswered", "dns-timeout", "dns-failure", "dns-bogus", "alias-loop", "https-timeout", "https-failure",
		"bad-redirect", "document-too-large", "address-not-allowed",
	} {
		list = append(list, bad("failure-"+reason, "failure", reason, "the look-up failed: "+reason, fails(reason)))
	}
	return append(list,
		bad("bogus", "dnssec failure", "dns-bogus", "the answer is bogus: its records are used for nothing", state(bogus)),
		good("secure", "dnssec", "the answer is secure", state(secure)),
		good("indeterminate", "dnssec", "the DNSSEC state is not known", state(indeterminate)),
	)
}

func txtChoices() []entry {
	withDocument := func(steps ...step) step {
		return func(t *trial) {
			other := t.world.trial(steps...)
			t.evidence = append(t.evidence, func(e *evidence) {
				e.Documents = append(e.Documents, documentAt(service, jwsEncoding, other.jws()))
			})
		}
	}
	fetched := func(d document) step { return has(func(e *evidence) { e.Documents = append(e.Documents, d) }) }
	url := documentURL(service, jwsEncoding)
	timeout := documentFailed(url, "https-timeout")
	absent := document{URL: url, Status: 404}
	records := func(list ...string) step {
		return has(func(e *evidence) { e.TXT[0].Records = append([]string{}, list...) })
	}
	failed := has(func(e *evidence) {
		e.TXT[0] = txtAnswer{Name: txtName(service), DNSSEC: indeterminate, Failure: &failure{"dns-timeout", "silence"}}
	})
	jwt := header(`"dna+jwt"`, `"JWT"`)
	expired := says(func(s *statement) { s.issued, s.expires = now.Add(-2*day), now.Add(-day) })
	alone := chain(func(_ *world, der [][]byte) [][]byte { return der[:1] })
	return []entry{
		good("verified-refused", "choice", "a good record, and a document of another type", withDocument(jwt)),
		good("verified-failed", "choice failure", "a good record, and a document that could not be fetched", fetched(timeout)),
		good("verified-absent", "choice", "a good record, and no document", fetched(absent)),
		good("refused-verified", "choice", "a bad record, and a good document", all(records("v=DNA1"), withDocument())),
		good("failed-verified", "choice failure", "a look-up that failed, and a good document", all(failed, withDocument())),
		good("absent-verified", "choice", "no record, and a good document", all(records(), withDocument())),
		bad("refused-refused", "choice", "wrong-type", "a record in bad form, and a document of another type, which got further", all(records("v=DNA1"), withDocument(jwt))),
		bad("refused-failed", "choice failure", "https-timeout", "a record in bad form, and a document that could not be fetched", all(records("v=DNA1"), fetched(timeout))),
		bad("refused-absent", "choice", "malformed-record", "a record in bad form, and no document", all(records("v=DNA1"), fetched(absent))),
		bad("failed-refused", "choice failure", "dns-timeout", "a look-up that failed, and a document of another type", all(failed, withDocument(jwt))),
		bad("failed-failed", "choice failure", "dns-timeout", "neither could be looked at: TXT comes first", all(failed, fetched(timeout))),
		bad("failed-absent", "choice failure", "dns-timeout", "a look-up that failed, and no document", all(failed, fetched(absent))),
		bad("absent-refused", "choice", "wrong-type", "no record, and a document of another type", all(records(), withDocument(jwt))),
		bad("absent-failed", "choice failure", "https-timeout", "no record, and a document that could not be fetched", all(records(), fetched(timeout))),
		bad("absent-absent", "choice missing", "no-statement", "no record, and no document", all(records(), fetched(absent))),
		bad("furthest-first", "choice", "untrusted-signer", "three bad ones, the one that got furthest first", choices(records(), alone, expired, nil)),
		bad("furthest-last", "choice", "untrusted-signer", "three bad ones, the one that got furthest last", choices(records("v=DNA1"), expired, alone, nil)),
		bad("second-label", "one-role", "service-mismatch", "a statement for the second label of the role, at the name of the role", says(func(s *statement) { s.service = second })),
	}
}

// documentFailed is a document that could not be fetched.
func documentFailed(url, reason string) document {
	return document{URL: url, Failure: &failure{reason, "it did not work"}}
}

// choices replaces the records by those of statements, after a first step.
func choices(first step, second, third, fourth step) step {
	return func(t *trial) {
		first(t)
		for _, s := range []step{second, third, fourth} {
			if s != nil {
				beside(s)(t)
			}
		}
	}
}

func txtEvidence() []entry {
	const badEvidence, missing = "bad-evidence", "missing-input"
	edit := func(change func(e *evidence)) step { return has(change) }
	placeAt := func(name string) step {
		return edit(func(e *evidence) { e.TXT = append(e.TXT, txtAnswer{Name: name, DNSSEC: insecure, Records: []string{}}) })
	}
	srvAnswerAt := func(name string) step {
		return edit(func(e *evidence) {
			a := srvAt(service, insecure, to(host, port))
			a.Name = name
			e.SRV = []srvAnswer{a}
		})
	}
	reason := func(text string) step {
		return edit(func(e *evidence) {
			e.TXT[0] = txtAnswer{Name: txtName(service), DNSSEC: indeterminate, Failure: &failure{text, "it did not work"}}
		})
	}
	state := func(text string) step { return edit(func(e *evidence) { e.TXT[0].DNSSEC = text }) }
	return []entry{
		bad("evidence-none", "missing", missing, "there is no evidence", func(t *trial) { t.raw = func(json.RawMessage) json.RawMessage { return nil } }),
		bad("evidence-no-place", "missing", missing, "no place was looked at", edit(func(e *evidence) { e.TXT = []txtAnswer{} })),
		bad("evidence-only-srv", "missing", missing, "only SRV was asked", edit(func(e *evidence) {
			e.TXT, e.SRV = []txtAnswer{}, []srvAnswer{srvAt(service, insecure, to(host, port))}
		})),
		bad("evidence-version-0", "evidence", badEvidence, "evidence of version 0", edit(func(e *evidence) { e.Version = 0 })),
		bad("evidence-version-1", "evidence", badEvidence, "evidence of version 1", edit(func(e *evidence) { e.Version = 1 })),
		bad("evidence-version-3", "evidence", badEvidence, "evidence of version 3", edit(func(e *evidence) { e.Version = 3 })),
		good("evidence-resolver", "evidence", "an answer that says which resolver gave it", edit(func(e *evidence) { e.TXT[0].Resolver = "192.0.2.53:53" })),
		good("evidence-lists-missing", "evidence", "the lists of SRV answers and documents are missing", func(t *trial) {
			t.raw = func(raw json.RawMessage) json.RawMessage {
				return json.RawMessage(replaced(`,"documents":[]`, "")(replaced(`"srv":[],`, "")(string(raw))))
			}
		}),
		bad("evidence-failure-records", "evidence", "dns-failure", "an answer with a failure and with records", edit(func(e *evidence) {
			e.TXT[0].Failure = &failure{"dns-failure", "SERVFAIL"}
		})),
		bad("evidence-member", "evidence", badEvidence, "evidence with a member that version 2 does not have", func(t *trial) {
			t.raw = func(raw json.RawMessage) json.RawMessage {
				return json.RawMessage(replaced(`{"version":2,`, `{"version":2,"trusted":true,`)(string(raw)))
			}
		}),
		bad("evidence-source", "evidence", badEvidence, "evidence for another source", edit(func(e *evidence) { e.Source = "c.example" })),
		bad("evidence-service", "evidence", badEvidence, "evidence for another service", edit(func(e *evidence) { e.Service = "_imap._tcp" })),
		bad("evidence-second-label", "evidence one-role", badEvidence, "evidence for the second label of the role", edit(func(e *evidence) { e.Service = second })),
		bad("evidence-place-second-label", "evidence one-role", badEvidence, "TXT at the name that a statement for the second label would have", placeAt(txtName(second))),
		good("evidence-srv-second-label", "evidence", "SRV at the name of the second label", srvAnswerAt(srvName(second))),
		bad("evidence-srv-other-role", "evidence", badEvidence, "SRV at the name of another role", srvAnswerAt(srvName(client))),
		bad("evidence-place-other-source", "evidence", badEvidence, "the place of another source too", placeAt(service+"._dna.c.example")),
		bad("evidence-place-other-role", "evidence", badEvidence, "the place of another role too", placeAt(txtName(client))),
		bad("evidence-place-empty", "evidence", badEvidence, "a place without a name too", placeAt("")),
		bad("evidence-place-upper-case", "evidence", badEvidence, "the place in upper case too", placeAt(strings.ToUpper(txtName(service)))),
		bad("evidence-place-dot", "evidence", badEvidence, "the place with a trailing dot too", placeAt(txtName(service)+".")),
		bad("evidence-place-twice", "evidence", badEvidence, "the same place twice", placeAt(txtName(service))),
		bad("evidence-place-srv", "evidence", badEvidence, "TXT at the name of SRV", placeAt(srvName(service))),
		bad("evidence-srv-strange", "evidence", badEvidence, "SRV at another name", srvAnswerAt("evil.example")),
		bad("evidence-srv-txt", "evidence", badEvidence, "SRV at the name of TXT", srvAnswerAt(txtName(service))),
		bad("evidence-srv-twice", "evidence", badEvidence, "SRV at the same name twice", edit(func(e *evidence) {
			e.SRV = []srvAnswer{srvAt(service, insecure, to(host, port)), srvAt(service, insecure, to(host, port))}
		})),
		bad("evidence-failure-empty", "evidence", badEvidence, "a look-up that failed for no reason", reason("")),
		bad("evidence-failure-verified", "evidence", badEvidence, "a look-up that failed, and the reason is verified", reason("verified")),
		bad("evidence-failure-revoked", "evidence", badEvidence, "a look-up that failed, and the reason is of a statement", reason("revoked")),
		bad("evidence-failure-absent", "evidence", badEvidence, "a look-up that failed, and the reason is that there is none", reason("no-statement")),
		bad("evidence-failure-connect", "evidence", badEvidence, "a look-up that failed, and the reason is of a connection", reason("connect-failed")),
		bad("evidence-failure-self-test", "evidence", badEvidence, "a look-up that failed, and the reason is of the self-test", reason("self-test-failed")),
		bad("evidence-failure-program", "evidence", badEvidence, "a look-up that failed, and the reason is one of a program around a verifier", reason("overloaded")),
		bad("evidence-failure-unknown", "evidence", badEvidence, "a look-up that failed for a reason that nobody knows", reason("because")),
		bad("evidence-state-upper-case", "evidence", badEvidence, "a DNSSEC state in upper case", state("SECURE")),
		bad("evidence-state-empty", "evidence", badEvidence, "no DNSSEC state", state("")),
	}
}
