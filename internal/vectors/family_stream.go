package vectors

import (
	"encoding/json"
	"strings"
	"time"
)

var streamNotes = map[string]Note{
	"valid":     {[]string{"X2", "X3"}, "Every place was asked and has nothing, and the statement from the stream proves itself.", "A verifier that refuses it locks out an owner who can publish nowhere."},
	"one":       {[]string{"X1", "V1"}, "At most one statement is from a stream.", "A stranger makes a verifier judge as many statements as the stranger likes."},
	"answered":  {[]string{"X2", "H4"}, "These answers say that a place has nothing.", "An owner without a web server is locked out."},
	"asked":     {[]string{"X2"}, "A place that was not asked may have a newer statement.", "A verifier that asks DNS alone never sees the revocation on the web server."},
	"failed":    {[]string{"X2", "V4"}, "A place that could not be looked at may have a newer statement.", "A former provider disturbs one lookup, and brings the statement that was revoked."},
	"present":   {[]string{"X2"}, "Where anything is published, good or bad, the stream does not count.", "A former provider brings an old statement beside the owner's new one, or beside the revocation."},
	"judged":    {[]string{"X3"}, "It is judged like any other candidate.", "What was brought is believed because it was brought."},
	"floor":     {[]string{"X3", "O2"}, "It is below the floor, or contradicts it.", "A former provider who was seen to be replaced comes back."},
	"cost":      {[]string{"X3", "V3"}, "It has 6 signature checks of its own.", "Whoever connects makes a verifier check more signatures than anybody who publishes can."},
	"line-end":  {[]string{"X3", "H5"}, "Nothing is taken off its end.", "One statement has several forms, and two verifiers read different ones."},
	"refresh":   {[]string{"X4", "V8"}, "The places are looked at again when the TTL of the TXT answer has passed.", "A revocation that was published meanwhile is not looked for."},
	"form":      {[]string{"V1"}, "Evidence is of the form of docs/reports.md.", "Two readers of one file see different evidence."},
	"table":     {[]string{"X2", "C1", "C2"}, "In the secure row a statement adds no name, wherever it comes from.", "Whoever connects adds hosts to those that the zone names."},
	"peer":      {[]string{"X2", "P1"}, "Peers are accepted by a statement from a stream as by any other.", "A peer that brings a statement is asked for no certificate."},
	"required":  {[]string{"X2", "C7"}, "A statement that is ignored marks nothing, and one that verifies does.", "A stranger takes the weaker ways from a source; or gets a weaker way."},
	"keeps":     {[]string{"X3", "O3"}, "The floor rises with a statement that verifies.", "The provider shows an older statement next time."},
	"elsewhere": {[]string{"X3", "V2"}, "A statement about another question does not count.", "A peer brings the statement of another domain, or for another service."},
}

func streamFamily(w *world) *book {
	b := newBook(w, "stream", streamNotes)
	b.both(place(inStream), streamPlaces()...)
	b.both(place(inStream), streamStatements()...)
	b.verify(place(inStream), streamEncodings()...)
	b.verify(place(inStream), streamCosts()...)
	b.verify(place(inStream), streamForms()...)
	b.associate(streamDealings(w)...)
	return b
}

// The documents of the usual case, in their order.
const (
	ofJWS = iota
	ofAC
)

// onPlace changes what the web server said about the document of an encoding.
func onPlace(i int, edit func(d *document)) step {
	return has(func(e *evidence) { edit(&e.Documents[i]) })
}

// onTXT changes the TXT answer.
func onTXT(edit func(a *txtAnswer)) step { return has(func(e *evidence) { edit(&e.TXT[0]) }) }

func notFetched(reason string) func(d *document) {
	return func(d *document) { *d = documentFailed(d.URL, reason) }
}

// refuses: every address of the web server refused the connection.
func refuses(d *document) {
	*d = documentFailed(d.URL, "https-failure")
	d.NoServer = true
}

func withStatus(code int) func(d *document) { return func(d *document) { d.Status = code } }

func noAddress(d *document) { *d = document{URL: d.URL, NoAddress: true} }

var noServer = all(onPlace(ofJWS, refuses), onPlace(ofAC, refuses))

// publishes has a good statement, so changed, in a place where nothing is in the
// usual case.
func publishes(where string, steps ...step) step {
	return func(t *trial) {
		other := t.world.trial(steps...)
		has(func(e *evidence) {
			switch where {
			case inTXT:
				e.addRecord(other.record())
			case inDocument:
				e.Documents[ofJWS] = documentAt(service, jwsEncoding, other.signed())
			case inFile:
				e.Documents = append(e.Documents, document{File: "statement", Body: other.signed()})
			}
		})(t)
	}
}

func streamPlaces() []entry {
	const none = "no-statement"
	page := func(d *document) { d.Status, d.MediaType, d.Body = 200, "text/html", []byte("<html></html>") }
	html := func(d *document) { d.Status, d.MediaType = 200, "text/html" }
	without := func(i int) step {
		return has(func(e *evidence) { e.Documents = append(e.Documents[:i:i], e.Documents[i+1:]...) })
	}
	txtFails := func(reason string) step {
		return onTXT(func(a *txtAnswer) {
			*a = txtAnswer{Name: a.Name, DNSSEC: indeterminate, Failure: &failure{reason, "it did not work"}}
		})
	}
	records := func(list ...string) step { return onTXT(func(a *txtAnswer) { a.Records = list }) }
	served := func(i int, body string) step {
		return onPlace(i, func(d *document) {
			*d = documentAt(service, []string{jwsEncoding, acEncoding}[i], []byte(body))
		})
	}
	older := later(-time.Minute)
	list := []entry{
		good("usual", "valid", "TXT has no records, and both documents are not found", nil),
		good("gone", "answered", "both documents are gone", all(onPlace(ofJWS, withStatus(410)), onPlace(ofAC, withStatus(410)))),
		good("page", "answered", "the web server shows a page for any path", all(onPlace(ofJWS, page), onPlace(ofAC, html))),
		good("no-address", "answered", "the source has no address", all(onPlace(ofJWS, noAddress), onPlace(ofAC, noAddress))),
		good("no-server", "answered", "every address of the source refuses the connection", noServer),
		good("no-server-one", "answered", "every address refused the connection for one document, and the other was not found", onPlace(ofAC, refuses)),
		good("foreign-records", "answered", "TXT has records of other kinds", records("v=spf1 -all", "v=DNA2; e=jws; s=x")),
		good("indeterminate", "answered", "the DNSSEC state of the TXT answer is not known", onTXT(func(a *txtAnswer) { a.DNSSEC = indeterminate })),

		bad("txt-unasked", "asked", none, "TXT was not asked about", has(func(e *evidence) { e.TXT = []txtAnswer{} })),
		bad("jws-unasked", "asked", none, "the document of tokens was not asked for", without(ofJWS)),
		bad("ac-unasked", "asked", none, "the document of messages was not asked for", without(ofAC)),
		bad("documents-unasked", "asked", none, "no document was asked for", has(func(e *evidence) { e.Documents = []document{} })),

		bad("txt-bogus", "failed", "dns-bogus", "the TXT answer is bogus", onTXT(func(a *txtAnswer) { a.DNSSEC = bogus })),

		bad("record-bad", "present", "malformed-record", "a TXT record of version 1 that has no statement", records("v=DNA1")),
		bad("records-5", "present", "too-many-records", "five TXT records of version 1", records("v=DNA1", "v=DNA1", "v=DNA1", "v=DNA1", "v=DNA1")),
		bad("record-unknown", "present", "unsupported-encoding", "a TXT record with an encoding that nobody knows", records("v=DNA1; e=cbor; s=x")),
		bad("jws-bad", "present", "malformed-token", "a document that is no token", served(ofJWS, "x")),
		bad("ac-bad", "present", "malformed-bag", "a document that is no message", served(ofAC, "x")),
		bad("file-bad", "present", "malformed-token", "a file that is no token", has(func(e *evidence) { e.Documents = append(e.Documents, document{File: "x", Body: []byte("x")}) })),
		bad("record-expired", "present", "expired", "the TXT record has a statement that has expired", publishes(inTXT, says(func(s *statement) { s.issued, s.expires = now.Add(-5*day), now }))),
		bad("record-revokes", "present", "revoked", "the TXT record has a revocation, and the statement in the stream was issued later", publishes(inTXT, older, says(revokes))).gives(older, says(revokes)),
		bad("document-revokes", "present", "revoked", "a document has a revocation, and the statement in the stream was issued later", publishes(inDocument, older, says(revokes))).gives(older, says(revokes)),
		bad("file-revokes", "present", "revoked", "a file has a revocation, and the statement in the stream was issued later", publishes(inFile, older, says(revokes))).gives(older, says(revokes)),
		good("record-older", "present", "the TXT record delegates elsewhere, and the statement in the stream was issued later", publishes(inTXT, older, elsewhereTo), counts(older, elsewhereTo)),
		good("document-older", "present", "a document delegates elsewhere, and the statement in the stream was issued later", publishes(inDocument, older, elsewhereTo), counts(older, elsewhereTo)),
		good("record-equal", "present", "the TXT record delegates elsewhere, and is of the same order: what is ignored is no contradiction", publishes(inTXT, elsewhereTo), counts(elsewhereTo)),

		good("ttl-0", "refresh", "the TTL of the TXT answer is 0", onTXT(func(a *txtAnswer) { a.TTL = 0 }), refreshed(now.Add(5*time.Minute))),
		good("ttl-600", "refresh", "the TTL of the TXT answer is 10 minutes", onTXT(func(a *txtAnswer) { a.TTL = 600 }), refreshed(now.Add(10*time.Minute))),
		good("ttl-day", "refresh", "the TTL of the TXT answer is a day", onTXT(func(a *txtAnswer) { a.TTL = 86400 }), refreshed(now.Add(6*hour))),
		good("max-age", "refresh", "that a document is not found may be kept for 10 minutes: this does not matter", onPlace(ofJWS, func(d *document) {
			age := int64(600)
			d.MaxAge = &age
		})),
		bad("no-server-refused", "answered judged", "https-failure", "every address refuses the connection, and the statement has expired: the failed place leaves it open", at(expires), noServer),
	}
	for _, reason := range []string{"dns-timeout", "dns-failure", "dns-bogus", "alias-loop", "unanswered"} {
		list = append(list, bad("txt-"+reason, "failed", reason, "the lookup of TXT failed: "+reason, txtFails(reason)))
	}
	for i, reason := range []string{"https-timeout", "https-failure", "bad-redirect", "document-too-large", "address-not-allowed", "unanswered", "dns-timeout", "dns-bogus"} {
		list = append(list, bad("document-"+reason, "failed", reason, "a document could not be fetched: "+reason, onPlace(i%2, notFetched(reason))))
	}
	for i, code := range []struct {
		n  int
		id string
	}{{301, "301"}, {403, "403"}, {429, "429"}, {500, "500"}, {503, "503"}} {
		list = append(list, bad("status-"+code.id, "failed", "https-failure", "a document has the status "+code.id, onPlace(i%2, withStatus(code.n))))
	}
	return list
}

func streamStatements() []entry {
	same := goodStatement().targets
	other := []target{{host: elsewhere, port: port}}
	const superseded, conflict = "superseded", "conflict"
	sub := func(t *trial) {
		t.query.Source = "sub." + source
		has(func(e *evidence) {
			e.TXT[0].Name = strings.Replace(e.TXT[0].Name, source, t.query.Source, 1)
			for i := range e.Documents {
				e.Documents[i].URL = strings.Replace(e.Documents[i].URL, source, t.query.Source, 1)
			}
		})(t)
	}
	return []entry{
		bad("revoked", "judged", "revoked", "a revocation in the stream", says(revokes)).gives(says(revokes)),
		bad("source", "elsewhere", "source-mismatch", "the statement of another domain", says(func(s *statement) { s.source = "c.example" })).givesNone(),
		bad("parent", "elsewhere", "parent-source", "the statement of the parent of the source asked about", sub).givesNone(),
		bad("role", "elsewhere", "service-mismatch", "a statement for another role", says(func(s *statement) { s.service = client })).givesNone(),
		bad("second-label", "elsewhere", "service-mismatch", "a statement for the second label of the role", forSecond).givesNone(),
		bad("target", "judged", "target-mismatch", "another target was asked about", func(t *trial) { t.query.Target = &Endpoint{evil, port} }).gives(),
		bad("srv", "judged", "target-mismatch", "the SRV record names another host", hasSRV(srvAt(service, insecure, to(evil, port)))).gives(),
		good("srv-good", "judged", "the SRV record names the target", hasSRV(srvAt(service, insecure, to(host, port)))),
		bad("expired", "judged", "expired", "it has expired", at(expires)).givesNone(),
		bad("not-yet", "judged", "not-yet-valid", "it was issued in more than 5 minutes", says(func(s *statement) { s.issued = now.Add(5*time.Minute + time.Second) })).givesNone(),
		bad("life", "judged", "life-too-long", "its lifetime is too long", says(func(s *statement) { s.expires = s.issued.Add(31*day + time.Second) })).givesNone(),
		bad("name", "judged", "signer-name-mismatch", "the certificate of another domain signed it", leaf(named("c.example"))).givesNone(),
		bad("untrusted", "judged", "untrusted-signer", "it leads to no trust anchor", func(t *trial) { t.policy.Roots = &[][]byte{} }).givesNone(),
		bad("rejected", "judged", "signer-rejected", "the policy's own check says no", func(t *trial) { t.policy.SignerCheck = "refuse" }).givesNone(),
		bad("superseded", "floor", superseded, "a newer statement was seen before", remembered(floorAt(0, time.Second, same))).givesNone(),
		bad("superseded-revocation", "floor", superseded, "a later revocation was seen before", remembered(floorAt(0, time.Second, nil))).givesNone(),
		bad("conflict", "floor", conflict, "another statement of the same order was seen before", remembered(floorAt(0, 0, other))).givesNone(),
		good("floor-equal", "floor", "this very statement was seen before", remembered(floorAt(0, 0, same))),
		good("floor-below", "floor", "an older statement was seen before", remembered(floorAt(0, -time.Second, other))),
	}
}

func streamEncodings() []entry {
	brought := func(edit func(s *streamStatement)) step {
		return has(func(e *evidence) { edit(&e.Streams[0]) })
	}
	body := func(text string) step { return brought(func(s *streamStatement) { s.Body = []byte(text) }) }
	ends := func(with string) step {
		return brought(func(s *streamStatement) { s.Body = append(s.Body, with...) })
	}
	named := func(encoding string) step { return brought(func(s *streamStatement) { s.Encoding = encoding }) }
	const malformed, unsupported = "malformed-token", "unsupported-encoding"
	ac := encoded(acEncoding)
	return []entry{
		bad("lf", "line-end", malformed, "a token and a line feed", ends("\n")),
		bad("crlf", "line-end", malformed, "a token, a carriage return and a line feed", ends("\r\n")),
		bad("lf-ac", "line-end", "malformed-bag", "a message and a line feed", ends("\n"), ac),
		bad("empty", "judged", malformed, "it has no octets", body("")),
		bad("text", "judged", malformed, "a text that is no token", body("x")),
		bad("record", "judged", malformed, "the text of a TXT record", brought(func(s *streamStatement) { s.Body = append([]byte("v=DNA1; e=jws; s="), s.Body...) })),
		bad("ac-as-jws", "judged", malformed, "a message that is said to be a token", named(jwsEncoding), ac),
		bad("jws-as-ac", "judged", "malformed-bag", "a token that is said to be a message", named(acEncoding)),
		bad("encoding-unknown", "judged", unsupported, "an encoding that nobody knows", named("cbor")),
		bad("encoding-case", "judged", unsupported, "an encoding in upper case", named("JWS")),
		bad("encoding-empty", "judged", unsupported, "an encoding without a name", named("")),
		bad("size-32768", "judged", malformed, "32,768 octets that are no token", body(strings.Repeat(".", 32768))),
		bad("size-32769", "judged", "statement-too-large", "32,769 octets", body(strings.Repeat(".", 32769))),
		bad("signature", "judged", "bad-signature", "another signature", token(func(compact string) string {
			return compact[:strings.LastIndexByte(compact, '.')+1] + base64url(make([]byte, 64))
		})),
	}
}

// streamCosts are about the 6 signature checks: one for the statement, one for each
// certificate, and two for one with a key on P-521.
func streamCosts() []entry {
	below := func(kinds ...string) step {
		return signedBy(func(w *world) *signer {
			ca := w.ca
			for i, kind := range kinds {
				ca = ca.under(kind, "Intermediate "+string(rune('A'+i)))
			}
			return ca.issue("P-256")
		})
	}
	return []entry{
		good("checks-6", "cost", "5 certificates: 6 checks", signedBy(longChain(5))),
		good("checks-6-p521", "cost", "4 certificates, one of them with a key on P-521: 6 checks", below("P-521", "P-256")),
		bad("checks-7", "cost", "too-many-records", "5 certificates, one of them with a key on P-521: 7 checks", below("P-521", "P-256", "P-256")),
		bad("checks-8", "cost", "too-many-records", "5 certificates, two of them with keys on P-521: 8 checks", below("P-521", "P-521", "P-256")),
	}
}

func streamForms() []entry {
	const badEvidence = "bad-evidence"
	edited := func(old, with string) step {
		return func(t *trial) {
			t.raw = func(raw json.RawMessage) json.RawMessage { return json.RawMessage(replaced(old, with)(string(raw))) }
		}
	}
	onFirst := func(edit func(d *document)) step { return onPlace(ofJWS, edit) }
	return []entry{
		bad("none", "one", "no-statement", "the peer brought nothing", has(func(e *evidence) { e.Streams = nil })),
		bad("list-empty", "one", "no-statement", "a list without statements", all(has(func(e *evidence) { e.Streams = nil }), edited(`"version":2,`, `"version":2,"streams":[],`))),
		bad("two", "one", badEvidence, "two statements", func(t *trial) {
			other := t.world.trial(later(-time.Minute)).signed()
			has(func(e *evidence) { e.Streams = append(e.Streams, streamStatement{jwsEncoding, other}) })(t)
		}),
		bad("twice", "one", badEvidence, "one statement twice", has(func(e *evidence) { e.Streams = append(e.Streams, e.Streams[0]) })),
		bad("two-encodings", "one", badEvidence, "one statement in both encodings", func(t *trial) {
			has(func(e *evidence) { e.Streams = append(e.Streams, streamStatement{acEncoding, t.ac()}) })(t)
		}),
		bad("alone", "asked", "missing-input", "nothing but the stream: no place was looked at", has(func(e *evidence) { e.TXT, e.Documents = []txtAnswer{}, []document{} })),
		bad("member", "form", badEvidence, "a member that a statement from a stream does not have", edited(`"encoding":"jws",`, `"encoding":"jws","trusted":true,`)),
		bad("member-ttl", "form", badEvidence, "a TTL of a statement from a stream", edited(`"encoding":"jws",`, `"encoding":"jws","ttl":3600,`)),
		bad("body-text", "form", badEvidence, "a body that is not base64", edited(`"encoding":"jws","body":"`, `"encoding":"jws","body":"%`)),
		bad("encoding-number", "form", badEvidence, "an encoding that is a number", edited(`"encoding":"jws"`, `"encoding":1`)),
		bad("not-a-list", "form", badEvidence, "a statement that is not in a list", all(has(func(e *evidence) { e.Streams = nil }), edited(`"version":2,`, `"version":2,"streams":{"encoding":"jws"},`))),
		bad("no-server-alone", "form", badEvidence, "no web server, and no failure", onFirst(func(d *document) { *d = document{URL: d.URL, NoServer: true} })),
		bad("no-server-found", "form", badEvidence, "no web server, and a status", onFirst(func(d *document) { d.NoServer = true })),
		bad("no-server-timeout", "form", badEvidence, "no web server, and a lookup that timed out", onFirst(func(d *document) {
			*d = documentFailed(d.URL, "https-timeout")
			d.NoServer = true
		})),
		bad("no-server-file", "form", badEvidence, "no web server, of a file", has(func(e *evidence) {
			e.Documents = append(e.Documents, document{File: "x", Body: []byte("x"), NoServer: true})
		})),
	}
}

// streamDealings are decisions with a statement from a stream.
func streamDealings(w *world) []dealing {
	brings := on(place(inStream))
	secureSRV := on(believes, hasSRV(srvAt(service, secure, to(host, port))))
	insecureSRV := on(hasSRV(srvAt(service, insecure, to(host, port), to(elsewhere, port))))
	fails := on(onTXT(func(a *txtAnswer) {
		*a = txtAnswer{Name: a.Name, DNSSEC: indeterminate, Failure: &failure{"dns-timeout", "no answer"}}
	}))
	decided := func(delegation string, required bool, names ...string) *Expect {
		e := ending("verified")
		e.Methods = map[string]string{"pkix": "verified", "dnssec": "not-secure", "delegation": delegation}
		e.References, e.Required = append([]string{source}, names...), &required
		return e
	}
	securely := func(delegation string) *Expect {
		e := decided(delegation, true, host)
		e.Methods["dnssec"] = "verified"
		return e
	}
	broken := decided("dns-bogus", true)
	broken.Outcome, broken.Reason, broken.Methods["dnssec"] = "undetermined", "dns-bogus", "dns-bogus"
	brokenIn := decided("verified", true, host)
	brokenIn.Methods["dnssec"] = "dns-bogus"
	keeps := func(e *Expect, floor *Floor) *Expect {
		e.Floor = Remembered{true, floor}
		return e
	}
	atHost := func(e *Expect, name string) *Expect {
		e.Dial = dialled(Dial{Endpoint{host, port}, name, "starttls"}).Dial
		return e
	}
	shown, owner := named(host), named(source)
	byStatement := accepted(host, "delegation", expires)
	bySRV := accepted(host, "dnssec", now.Add(hour))
	byName := accepted(source, "pkix", peerEnds.Add(time.Second))
	const no = "peer-name-mismatch"
	ended := on(says(func(s *statement) { s.issued, s.expires = now.Add(-5*day), now }))
	elsewhereFirst := on(publishes(inTXT, later(-time.Minute), elsewhereTo))
	return []dealing{
		{"out", "required keeps", "outgoing: connect to the targets", brings, atHost(keeps(decided("verified", true, host), w.trial().floor()), host)},
		{"in", "required keeps", "incoming", moves(brings, incoming), keeps(decided("verified", true, host), w.trial().floor())},
		{"first", "required", "outgoing, the statement first, and SRV names another host", moves(brings, first, on(hasSRV(srvAt(service, insecure, to(evil, port))))), atHost(decided("verified", true, host), host)},
		{"chosen", "table", "outgoing, and insecure SRV records choose among the targets", moves(brings, insecureSRV), atHost(decided("verified", true, host), host)},
		{"revoked-in", "required keeps", "incoming, and the stream has a revocation", moves(brings, incoming, on(says(revokes))), keeps(decided("revoked", true), w.trial(says(revokes)).floor())},
		{"expired-in", "required keeps", "incoming, and the statement has expired", moves(brings, incoming, ended), keeps(decided("expired", false), nil)},
		{"failed-in", "required keeps failed", "incoming, and the lookup of TXT failed", moves(brings, incoming, fails), keeps(decided("dns-timeout", false), nil)},
		{"unasked-in", "required asked", "incoming, and no document was asked for", moves(brings, incoming, on(has(func(e *evidence) { e.Documents = []document{} }))), decided("no-statement", false)},
		{"published-in", "present", "incoming, and TXT has an older statement for another host", moves(brings, incoming, elsewhereFirst), decided("verified", true, elsewhere)},
		{"no-server-in", "required answered", "incoming, and the source has no web server", moves(brings, incoming, on(noServer)), decided("verified", true, host)},
		{"remembered-in", "required floor", "incoming, and a newer statement was seen before", moves(brings, incoming, on(remembered(floorAt(0, time.Second, goodStatement().targets)))), decided("superseded", true)},
		{"secure", "table", "outgoing, and secure SRV records", moves(brings, secureSRV), atHost(securely("not-used"), source)},
		{"secure-in", "table", "incoming, and secure SRV records", moves(brings, incoming, secureSRV), securely("not-used")},
		{"secure-foreign-in", "table", "incoming, and secure SRV records without a target of the statement", moves(brings, incoming, secureSRV, on(elsewhereTo)), securely("conflict")},
		{"broken", "table", "outgoing, and bogus SRV records", moves(brings, on(hasSRV(srvAt(service, bogus)))), broken},
		{"broken-in", "table", "incoming, and bogus SRV records", moves(brings, incoming, on(hasSRV(srvAt(service, bogus)))), brokenIn},

		{"peer", "peer", "the provider that was delegated to", moves(brings, shows(shown)), byStatement},
		{"peer-in", "peer", "the provider that was delegated to, incoming", moves(brings, shows(shown), incoming), byStatement},
		{"peer-untold", "peer", "the provider, where another program dialled", moves(brings, shows(shown), untold), byStatement},
		{"peer-port", "peer", "the provider at another port", moves(brings, shows(shown), reaches(host, 5270)), ending("port-mismatch")},
		{"peer-source-in", "peer", "the source itself", moves(brings, shows(owner), incoming), byName},
		{"peer-revoked-in", "peer present", "a former provider brings its statement, and TXT has a revocation", moves(brings, shows(shown), incoming, on(publishes(inTXT, later(-time.Minute), says(revokes)))), ending(no)},
		{"peer-elsewhere-in", "peer present", "a former provider brings its statement, and TXT delegates elsewhere", moves(brings, shows(shown), incoming, elsewhereFirst), ending(no)},
		{"peer-failed-in", "peer failed", "a provider brings its statement, and the lookup of TXT failed", moves(brings, shows(shown), incoming, fails), ending(no)},
		{"peer-superseded-in", "peer floor", "a former provider brings its statement, and a newer one was seen before", moves(brings, shows(shown), incoming, on(remembered(floorAt(0, time.Second, goodStatement().targets)))), ending(no)},
		{"peer-later-in", "peer floor", "a former provider brings its statement, and a revocation was seen between the decision and the connection", moves(brings, shows(shown), incoming, func(d *deal) {
			f := floorAt(0, time.Second, nil)
			d.peer.Floor = &f
		}), ending("superseded")},
		{"peer-secure-in", "peer table", "the host of secure SRV records brings a statement that delegates elsewhere", moves(brings, shows(shown), incoming, secureSRV, on(elsewhereTo)), bySRV},
		{"peer-added-in", "peer table", "a host that only the statement names, and secure SRV records", moves(brings, on(delegatesTo(targetAt(host, port), targetAt(elsewhere, port))), shows(named(elsewhere)), incoming, secureSRV), ending(no)},
	}
}
