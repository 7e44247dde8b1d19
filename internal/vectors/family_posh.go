package vectors

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

var poshNotes = map[string]Note{
	"place":    {[]string{"F1", "V1"}, "A role has one address of a POSH file, or none.", "A file from elsewhere is slipped in."},
	"counts":   {[]string{"F2"}, "A POSH file counts only where nothing else can decide.", "A stale file on a web server that somebody took over undoes a revocation."},
	"required": {[]string{"F2", "C7"}, "It does not count while the floor requires more.", "Whoever hides the statement puts a file in its place."},
	"form":     {[]string{"F3"}, "A file has one meaning or none.", "Two verifiers accept different certificates by one file."},
	"hop":      {[]string{"F4"}, "A file may lead to one other file.", "A loop keeps a verifier busy, or a verifier fetches what a stranger likes."},
	"ends":     {[]string{"F5"}, "It counts for as long as both files say.", "A certificate that was taken out of the file is accepted for years."},
	"peer":     {[]string{"F6"}, "The peer's certificate is one that the file names.", "Another certificate is accepted; or a certificate of the source itself is refused."},
	"failed":   {[]string{"F7"}, "That the file could not be fetched is noted, and changes nothing else.", "Whoever disturbs one lookup more keeps peers out."},
}

// A poshFile is a POSH file on its way to its text.
type poshFile struct{ members []string }

func (f poshFile) text() string { return "{" + strings.Join(f.members, ",") + "}" }

func sha256Of(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func sha512Of(der []byte) string {
	sum := sha512.Sum512(der)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func poshAt(url, body string) document {
	return document{URL: url, Status: 200, MediaType: "application/json", Body: []byte(body)}
}

const (
	poshURL   = "https://" + source + "/.well-known/posh/xmpp-server.json"
	clientURL = "https://" + source + "/.well-known/posh/xmpp-client.json"
	hopURL    = "https://" + host + "/.well-known/posh/xmpp-server.json"
)

func poshFamily(w *world) *book {
	b := newBook(w, "posh", poshNotes)
	b.associate(poshDealings(w)...)
	found := b.deal(unpublished, posh(poshAt(poshURL, poshText(86400, w.poshPeer())))).build()
	found.Operation, found.Peer = "reuse", &Peer{Roots: [][]byte{w.root.certificate.Raw}, Time: stamp(now)}
	opened := b.trial(place(inTXT), leaf(named("a.example")), says(func(s *statement) { s.source = "a.example" })).found()
	opened.Source, opened.TXT[0].Name = "a.example", service+"._dna.a.example"
	found.Connection = &Connection{
		Service: service, Direction: "outgoing", Endpoint: &Endpoint{host, port},
		Chain:     w.certificateOf(named(host)).chain(),
		OpenedFor: OpenedFor{Source: "a.example", Evidence: must(json.Marshal(opened))},
	}
	b.add("posh-reuse", "peer", "a connection that was opened for another source, whose certificate the file names", found, ending("no-statement"))
	return b
}

// poshPeer is the certificate of the usual peer.
func (w *world) poshPeer() []byte { return w.certificateOf(named(host)).leaf.Raw }

// poshText is a usual file, for certificates.
func poshText(expires int64, der ...[]byte) string {
	var list []string
	for _, c := range der {
		list = append(list, fmt.Sprintf(`{"sha-256":%q}`, sha256Of(c)))
	}
	return poshFile{[]string{fmt.Sprintf(`"fingerprints":[%s]`, strings.Join(list, ",")), fmt.Sprintf(`"expires":%d`, expires)}}.text()
}

// unpublished: every place was asked, and has nothing.
var unpublished = on(place(inStream), has(func(e *evidence) { e.Streams = nil }))

// posh has POSH files.
func posh(files ...document) move {
	return on(has(func(e *evidence) { e.POSH = files }))
}

func poshDealings(w *world) []dealing {
	peer := w.poshPeer()
	const day1 = 86400
	good := poshText(day1, peer)
	file := func(text string) move { return posh(poshAt(poshURL, text)) }
	with := func(members ...string) move { return file(poshFile{members}.text()) }
	usual := moves(unpublished, file(good), shows(named(host)))
	expires := fmt.Sprintf(`"expires":%d`, day1)
	prints := func(list ...string) string { return `"fingerprints":[` + strings.Join(list, ",") + `]` }
	right256, right512 := fmt.Sprintf(`"sha-256":%q`, sha256Of(peer)), fmt.Sprintf(`"sha-512":%q`, sha512Of(peer))
	wrong256, wrong512 := fmt.Sprintf(`"sha-256":%q`, sha256Of(nil)), fmt.Sprintf(`"sha-512":%q`, sha512Of(nil))
	one := func(digests ...string) string { return "{" + strings.Join(digests, ",") + "}" }
	leads := func(url string, expires int64) document {
		return poshAt(poshURL, fmt.Sprintf(`{"url":%q,"expires":%d}`, url, expires))
	}
	// said: how the method fares, and what comes of a peer.
	said := func(e *Expect, posh string) *Expect {
		e.Methods = map[string]string{"pkix": "verified", "dnssec": "not-secure", "delegation": "no-statement", "posh": posh}
		return e
	}
	yes := func(life time.Duration) *Expect { return said(accepted(source, "posh", now.Add(life)), "verified") }
	no := func(posh string) *Expect { return said(ending("peer-name-mismatch"), posh) }
	delegated := func(e *Expect, delegation string) *Expect {
		e.Methods["delegation"] = delegation
		return e
	}
	byName := func(posh string) *Expect {
		return said(accepted(source, "pkix", peerEnds.Add(time.Second)), posh)
	}
	collected := func(age time.Duration) move { return on(has(func(e *evidence) { e.Collected = now.Add(-age) })) }
	isPeer := moves(unpublished, shows(named(host)))
	bare := func(m ...move) move { return moves(append([]move{isPeer}, m...)...) }
	failed := func(reason string) document { return documentFailed(poshURL, reason) }
	floor := func(end time.Time, targets []target) Floor {
		f := floorAt(0, 0, targets)
		f.ValidUntil = end
		return f
	}
	remembers := func(f Floor) move { return on(remembered(f)) }
	knows := func(f Floor) move { return func(d *deal) { d.peer.Floor = &f } }
	targets := goodStatement().targets
	selfSigned := newRoot("P-256", "A peer of its own").certificate.Raw
	showsOnly := func(chain ...[]byte) move { return func(d *deal) { d.peer.Chain = chain } }
	ended := w.certificateOf(named(host), lives(now.Add(-10*day), now.Add(-time.Second)))
	later := w.certificateOf(named(host), lives(now.Add(time.Second), now.Add(10*day)))
	soon := w.certificateOf(named(host), lives(now.Add(-10*day), now.Add(hour)))
	weak := w.ca.issue("P-224", named(host))
	lookup := func(state string) move { return on(believes, hasSRV(srvAt(service, state, to(host, port)))) }
	cases := []dealing{
		{"file", "place peer ends", "the file names the peer's certificate", usual, yes(day)},
		{"file-in", "peer", "the file names the peer's certificate, incoming", moves(usual, incoming), yes(day)},
		{"untold", "peer", "the file names the peer's certificate, where another program dialled", moves(usual, untold), yes(day)},
		{"elsewhere", "peer", "the file names the peer's certificate: the endpoint does not matter", moves(usual, reaches(elsewhere, 443)), yes(day)},
		{"sha-512", "form peer", "by its SHA-512", bare(with(expires, prints(one(right512)))), yes(day)},
		{"both", "form peer", "by both digests", bare(with(expires, prints(one(right256, right512)))), yes(day)},
		{"both-one-wrong", "peer", "by both digests, and the second one is of another certificate", bare(with(expires, prints(one(right256, wrong512)))), no("verified")},
		{"both-other-wrong", "peer", "by both digests, and the first one is of another certificate", bare(with(expires, prints(one(wrong256, right512)))), no("verified")},
		{"second", "peer", "the second of two certificates", bare(with(expires, prints(one(wrong256), one(right256)))), yes(day)},
		{"unknown-beside", "form", "a digest that nobody knows beside a right one", bare(with(expires, prints(one(`"sha-1000":"AA=="`, right256)))), yes(day)},
		{"unknown-other", "form", "a certificate with a digest that nobody knows, and the right one", bare(with(expires, prints(one(`"sha-1":"AAAA"`), one(right256)))), yes(day)},
		{"unknown-only", "form", "only a digest that nobody knows", bare(with(expires, prints(one(`"sha-1000":"AA=="`)))), no("malformed-posh")},
		{"mismatch", "peer", "another certificate", bare(file(poshText(day1, selfSigned))), no("verified")},
		{"mismatch-source", "peer", "another certificate than the source's own, which counts", moves(unpublished, file(poshText(day1, selfSigned)), shows(named(source))), byName("verified")},
		{"match-source", "peer", "the source's own certificate: it counts by its name first", moves(unpublished, file(poshText(day1, w.certificateOf(named(source)).leaf.Raw)), shows(named(source))), byName("verified")},
		{"intermediate", "peer", "the authority above the peer's certificate", bare(file(poshText(day1, w.ca.certificate.Raw))), no("verified")},
		{"self-signed", "peer", "a self-signed certificate of an authority, which names nobody", bare(file(poshText(day1, selfSigned)), showsOnly(selfSigned)), yes(day)},
		{"self-signed-unnamed", "peer", "a self-signed certificate that the file does not name", bare(file(good), showsOnly(selfSigned)), said(ending("peer-untrusted"), "verified")},
		{"ended", "peer ends", "the file names a certificate that has expired", bare(file(poshText(day1, ended.leaf.Raw)), showsOnly(ended.chain()...)), said(ending("peer-untrusted"), "verified")},
		{"not-yet", "peer ends", "the file names a certificate that is not valid yet", bare(file(poshText(day1, later.leaf.Raw)), showsOnly(later.chain()...)), said(ending("peer-untrusted"), "verified")},
		{"ends-soon", "ends", "the file names a certificate that ends in an hour", bare(file(poshText(day1, soon.leaf.Raw)), showsOnly(soon.chain()...)), yes(hour + time.Second)},
		{"weak", "peer", "the file names a certificate with a key of a kind that is not accepted", bare(file(poshText(day1, weak.leaf.Raw)), showsOnly(weak.chain()...)), said(ending("unsupported-key"), "verified")},
		{"many", "peer", "the file names the first of 11 certificates", bare(file(good), func(d *deal) {
			d.peer.Chain = append(d.peer.Chain, slices.Repeat([][]byte{selfSigned}, 9)...)
		}), said(ending("peer-untrusted"), "verified")},

		{"hop", "hop", "the file leads to another one", bare(posh(leads(hopURL, day1), poshAt(hopURL, good))), yes(day)},
		{"hop-in", "hop", "the file leads to another one, incoming", moves(bare(posh(leads(hopURL, day1), poshAt(hopURL, good))), incoming), yes(day)},
		{"hop-port", "hop", "the file leads to another one, with the port", bare(posh(leads("https://"+host+":443/x?y=1", day1), poshAt("https://"+host+":443/x?y=1", good))), yes(day)},
		{"hop-first-sooner", "hop ends", "the first file counts for an hour, the second for a day", bare(posh(leads(hopURL, 3600), poshAt(hopURL, good))), yes(hour)},
		{"hop-second-sooner", "hop ends", "the first file counts for a day, the second for an hour", bare(posh(leads(hopURL, day1), poshAt(hopURL, poshText(3600, peer)))), yes(hour)},
		{"hop-both", "hop form", "the file names certificates and leads elsewhere: it is not followed", bare(with(expires, prints(one(right256)), fmt.Sprintf(`"url":%q`, hopURL))), yes(day)},
		{"hop-twice", "hop", "the second file leads to a third", bare(posh(leads(hopURL, day1), poshAt(hopURL, fmt.Sprintf(`{"url":"https://elsewhere.example/","expires":%d}`, day1)))), no("malformed-posh")},
		{"hop-loop", "hop", "the second file leads back to the first", bare(posh(leads(hopURL, day1), poshAt(hopURL, fmt.Sprintf(`{"url":%q,"expires":%d}`, poshURL, day1)))), no("malformed-posh")},
		{"hop-self", "hop", "the file leads to itself", bare(posh(leads(poshURL, day1), leads(poshURL, day1))), no("malformed-posh")},
		{"hop-unasked", "hop", "the second file was not asked for", bare(posh(leads(hopURL, day1))), no("no-posh")},
		{"hop-other", "hop", "the second file is from another address than the first one says", bare(posh(leads(hopURL, day1), poshAt("https://"+evil+"/", good))), no("no-posh")},
		{"hop-404", "hop", "the second file is not there", bare(posh(leads(hopURL, day1), document{URL: hopURL, Status: 404})), no("no-posh")},
		{"hop-failed", "hop failed", "the second file could not be fetched", bare(posh(leads(hopURL, day1), documentFailed(hopURL, "https-timeout"))), no("https-timeout")},
		{"hop-bad", "hop", "the second file is no JSON", bare(posh(leads(hopURL, day1), poshAt(hopURL, "x"))), no("malformed-posh")},
		{"hop-unneeded", "hop", "a second file, although the first one names certificates: it is not looked at", bare(posh(poshAt(poshURL, good), poshAt(hopURL, "x"))), yes(day)},

		{"expires-huge", "ends", "it would count for 2^53-1 seconds: for 31 days", bare(file(poshText(1<<53-1, peer))), yes(31 * day)},
		{"expires-31-days", "ends", "it counts for 31 days", bare(file(poshText(31*86400, peer))), yes(31 * day)},
		{"expires-1", "ends", "it counts for a second: for 5 minutes", bare(file(poshText(1, peer))), yes(5 * time.Minute)},
		{"expires-301", "ends", "it counts for 301 seconds", bare(file(poshText(301, peer))), yes(301 * time.Second)},
		{"expires-0", "ends form", "expires is 0, which takes it back", bare(file(poshText(0, peer))), no("malformed-posh")},
		{"expires-none", "form", "expires is missing", bare(with(prints(one(right256)))), no("malformed-posh")},
		{"expires-text", "form", "expires is a string", bare(with(prints(one(right256)), `"expires":"86400"`)), no("malformed-posh")},
		{"expires-negative", "form", "expires is negative", bare(with(prints(one(right256)), `"expires":-1`)), no("malformed-posh")},
		{"expires-above", "form", "expires is 2^53", bare(with(prints(one(right256)), `"expires":9007199254740992`)), no("malformed-posh")},
		{"expires-hop-0", "ends hop", "the file leads elsewhere, and its expires is 0", bare(posh(leads(hopURL, 0), poshAt(hopURL, good))), no("malformed-posh")},
		{"old", "ends", "collected a second less than a day ago, and it counts for a day", bare(file(good), collected(day-time.Second)), yes(time.Second)},
		{"old-ended", "ends", "collected a day ago, and it counts for a day", bare(file(good), collected(day)), no("proof-expired")},
		{"old-later", "ends", "it ends between the decision and the connection", bare(file(good), meets(now.Add(day))), said(ending("proof-expired"), "verified")},
		{"old-last", "ends", "a second before it ends", bare(file(good), meets(now.Add(day-time.Second))), yes(day)},
		{"old-future", "ends", "collected in an hour by somebody's clock", bare(file(good), collected(-hour)), yes(day)},

		{"json-none", "form", "no JSON", bare(file("x")), no("malformed-posh")},
		{"json-empty", "form", "nothing", bare(file("")), no("malformed-posh")},
		{"json-array", "form", "an array", bare(file("[" + good + "]")), no("malformed-posh")},
		{"json-twice", "form", "a name twice", bare(with(expires, expires, prints(one(right256)))), no("malformed-posh")},
		{"json-twice-digest", "form", "a digest twice", bare(with(expires, prints(one(wrong256, right256)))), no("malformed-posh")},
		{"json-more", "form", "something after the file", bare(file(good + "{}")), no("malformed-posh")},
		{"json-space", "form", "white space around", bare(file(" \r\n\t" + good + "\n")), yes(day)},
		{"json-escape", "form", "an escape in a string", bare(file(strings.Replace(good, "sha-256", `sha\u002d256`, 1))), no("malformed-posh")},
		{"json-null", "form", "a member that is null", bare(with(expires, prints(one(right256)), `"note":null`)), no("malformed-posh")},
		{"json-member", "form", "a member that nobody knows", bare(with(expires, prints(one(right256)), `"note":[1,"x",{}]`)), yes(day)},
		{"prints-33", "form", "33 certificates", bare(with(expires, prints(slices.Repeat([]string{one(right256)}, 33)...))), no("malformed-posh")},
		{"prints-32", "form", "32 certificates, the last one right", bare(with(expires, prints(append(slices.Repeat([]string{one(wrong256)}, 31), one(right256))...))), yes(day)},
		{"prints-empty", "form", "no certificate", bare(with(expires, prints())), no("malformed-posh")},
		{"prints-object", "form", "certificates that are no list", bare(with(expires, `"fingerprints":`+one(right256))), no("malformed-posh")},
		{"prints-string", "form", "a certificate that is no object", bare(with(expires, prints(fmt.Sprintf("%q", sha256Of(peer))))), no("malformed-posh")},
		{"digest-hex", "form", "a digest in hexadecimal", bare(with(expires, prints(one(fmt.Sprintf(`"sha-256":"%x"`, sha256.Sum256(peer)))))), no("malformed-posh")},
		{"digest-unpadded", "form", "a digest without padding", bare(with(expires, prints(one(strings.Replace(right256, "=", "", 1))))), no("malformed-posh")},
		{"digest-bits", "form", "a digest whose unused bits are not zero", bare(with(expires, prints(one(nonCanonical(right256))))), no("malformed-posh")},
		{"digest-short", "form", "a digest of 31 bytes", bare(with(expires, prints(one(fmt.Sprintf(`"sha-256":%q`, base64.StdEncoding.EncodeToString(make([]byte, 31))))))), no("malformed-posh")},
		{"digest-number", "form", "a digest that is a number", bare(with(expires, prints(one(`"sha-256":1`)))), no("malformed-posh")},
		{"digest-case", "form", "the name of a digest in upper case, which nobody knows", bare(with(expires, prints(one(strings.Replace(right256, "sha", "SHA", 1))))), no("malformed-posh")},
		{"no-member", "form", "neither certificates nor an address", bare(with(expires)), no("malformed-posh")},

		{"none", "place", "no POSH file was asked for", isPeer, no("no-posh")},
		{"status-404", "place", "there is no file", bare(posh(document{URL: poshURL, Status: 404})), no("no-posh")},
		{"status-410", "place", "the file is gone", bare(posh(document{URL: poshURL, Status: 410})), no("no-posh")},
		{"status-500", "failed", "the web server fails", bare(posh(document{URL: poshURL, Status: 500})), no("https-failure")},
		{"status-500-json", "failed", "the web server fails, with the file", bare(func(d *deal) {
			f := poshAt(poshURL, good)
			f.Status = 500
			posh(f)(d)
		}), no("https-failure")},
		{"type-html", "place", "the file is served as text/html", bare(func(d *deal) {
			f := poshAt(poshURL, good)
			f.MediaType = "text/html"
			posh(f)(d)
		}), no("no-posh")},
		{"no-address", "place", "the source has no address", bare(posh(document{URL: poshURL, NoAddress: true})), no("no-posh")},
		{"no-server", "failed", "every address refuses the connection", bare(posh(document{URL: poshURL, NoServer: true, Failure: &failure{"https-failure", "connection refused"}})), no("https-failure")},

		{"statement", "counts", "a statement verifies", moves(on(place(inStream), publishes(inTXT), has(func(e *evidence) { e.Streams = nil })), file(good), shows(named(elsewhere))), delegated(no("not-used"), "verified")},
		{"revoked", "counts", "a revocation", moves(on(place(inStream), publishes(inTXT, says(revokes)), has(func(e *evidence) { e.Streams = nil })), file(good), shows(named(host))), delegated(no("not-used"), "revoked")},
		{"revoked-document", "counts", "a revocation in a document", moves(on(place(inStream), publishes(inDocument, says(revokes)), has(func(e *evidence) { e.Streams = nil })), file(good), shows(named(host))), delegated(no("not-used"), "revoked")},
		{"statement-expired", "counts", "a statement that has expired", moves(on(place(inStream), publishes(inTXT, says(func(s *statement) { s.issued, s.expires = now.Add(-5*day), now })), has(func(e *evidence) { e.Streams = nil })), file(good), shows(named(host))), delegated(no("not-used"), "expired")},
		{"record-bad", "counts", "a bad TXT record", bare(file(good), on(onTXT(func(a *txtAnswer) { a.Records = []string{"v=DNA1"} }))), delegated(no("not-used"), "malformed-record")},
		{"stream-good", "counts", "a statement from a stream", moves(on(place(inStream)), file(good), shows(named(elsewhere))), delegated(no("not-used"), "verified")},
		{"stream-bad", "counts", "a bad statement from a stream", bare(file(good), on(has(func(e *evidence) { e.Streams = []streamStatement{{jwsEncoding, []byte("x")}} }))), delegated(no("not-used"), "malformed-token")},
		{"txt-failed", "counts", "the lookup of TXT failed", bare(file(good), on(onTXT(func(a *txtAnswer) {
			*a = txtAnswer{Name: a.Name, DNSSEC: indeterminate, Failure: &failure{"dns-timeout", "no answer"}}
		}))), delegated(no("not-used"), "dns-timeout")},
		{"txt-bogus", "counts", "the TXT answer is bogus", bare(file(good), on(onTXT(func(a *txtAnswer) { a.DNSSEC = bogus }))), delegated(no("not-used"), "dns-bogus")},
		{"document-failed", "counts", "a document could not be fetched", bare(file(good), on(onPlace(ofAC, notFetched("https-timeout")))), delegated(no("not-used"), "https-timeout")},
		{"document-unasked", "counts", "a document was not asked for", bare(file(good), on(has(func(e *evidence) { e.Documents = e.Documents[:1] }))), no("not-used")},
		{"secure", "counts", "secure SRV records", bare(file(poshText(day1, selfSigned)), showsOnly(selfSigned), lookup(secure)), &Expect{Outcome: "refused", Reason: "peer-untrusted", Methods: map[string]string{"pkix": "verified", "dnssec": "verified", "delegation": "not-used", "posh": "not-used"}}},
		{"insecure", "counts", "insecure SRV records", bare(file(good), lookup(insecure)), yes(day)},
		{"bogus", "counts", "bogus SRV records", bare(file(good), lookup(bogus)), &Expect{Outcome: "refused", Reason: "peer-name-mismatch", Methods: map[string]string{"pkix": "verified", "dnssec": "dns-bogus", "delegation": "no-statement", "posh": "not-used"}}},
		{"bogus-in", "counts", "bogus SRV records, incoming", moves(bare(file(good), lookup(bogus)), incoming), &Expect{Outcome: "refused", Reason: "peer-name-mismatch", Methods: map[string]string{"pkix": "verified", "dnssec": "dns-bogus", "delegation": "no-statement", "posh": "not-used"}}},

		{"required", "required", "a statement is remembered whose proof has not ended", bare(file(good), remembers(floor(now.Add(day), targets))), no("not-used")},
		{"required-30-days", "required", "a statement is remembered whose proof ended 30 days ago", bare(file(good), remembers(floor(now.Add(-30*day), targets))), no("not-used")},
		{"required-ended", "required", "a statement is remembered whose proof ended 31 days ago", bare(file(good), remembers(floor(now.Add(-31*day), targets))), yes(day)},
		{"required-revoked", "required", "a revocation is remembered", bare(file(good), remembers(floor(now.Add(time.Second), nil))), no("not-used")},
		{"required-revoked-ended", "required", "a revocation is remembered that has ended", bare(file(good), remembers(floor(now, nil))), yes(day)},
		{"required-later", "required", "a statement was seen between the decision and the connection", bare(file(good), knows(floor(now.Add(day), targets))), no("verified")},
		{"required-later-in", "required", "a revocation was seen between the decision and the connection, incoming", moves(bare(file(good), knows(floor(now.Add(day), nil))), incoming), no("verified")},
		{"required-later-ended", "required", "a statement is known at the connection whose proof ended 31 days ago", bare(file(good), knows(floor(now.Add(-31*day), targets))), yes(day)},

		{"client", "place", "the file for clients, outgoing", bare(ofClients, posh(poshAt(clientURL, good))), yes(day)},
		{"client-in", "place peer", "the file for clients, incoming", moves(bare(ofClients, posh(poshAt(clientURL, good))), incoming), ending("peer-name-mismatch")},
		{"second-label", "place", "asked about by the second label of the role", bare(file(good), func(d *deal) { d.question.Service = second }), yes(day)},
		{"place-client", "place", "the file for clients, for the role between servers", bare(posh(poshAt(clientURL, good))), ending("bad-evidence")},
		{"place-http", "place", "a file over http", bare(posh(poshAt(strings.Replace(poshURL, "https", "http", 1), good))), ending("bad-evidence")},
		{"place-evil", "place", "a file from another host", bare(posh(poshAt("https://"+evil+"/.well-known/posh/xmpp-server.json", good))), ending("bad-evidence")},
		{"place-three", "place", "three files", bare(posh(poshAt(poshURL, good), poshAt(hopURL, good), poshAt(hopURL, good))), ending("bad-evidence")},
		{"place-file", "place", "a file of this machine", bare(posh(document{File: "posh.json", Body: []byte(good)})), ending("bad-evidence")},
		{"place-imap", "place", "a role that has no POSH file", bare(ofRole("_imap._tcp"), posh(poshAt("https://"+source+"/.well-known/posh/imap.json", good))), ending("bad-evidence")},
		{"failure-unknown", "place", "a failure of a reason that nobody knows", bare(posh(failed("because"))), ending("bad-evidence")},
	}
	for _, reason := range []string{"https-timeout", "https-failure", "bad-redirect", "document-too-large", "address-not-allowed", "unanswered", "dns-bogus"} {
		cases = append(cases, dealing{"failed-" + reason, "failed", "the file could not be fetched: " + reason, bare(posh(failed(reason))), no(reason)})
	}
	for _, to := range []struct{ id, url string }{
		{"http", "http://" + host + "/"}, {"port", "https://" + host + ":8443/"}, {"user", "https://user@" + host + "/"}, {"address", "https://192.0.2.1/"},
		{"fragment", "https://" + host + "/#x"}, {"case", "HTTPS://" + host + "/"}, {"empty", ""}, {"long", "https://" + host + "/" + strings.Repeat("x", 2048)},
	} {
		cases = append(cases, dealing{"hop-to-" + to.id, "hop", "the file leads where nobody goes: " + to.id, bare(posh(leads(to.url, day1))), no("malformed-posh")})
	}
	return cases
}

// nonCanonical sets an unused bit of a digest in base64.
func nonCanonical(member string) string {
	i := strings.LastIndexByte(member, '=') - 1
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return member[:i] + string(alphabet[strings.IndexByte(alphabet, member[i])|1]) + member[i+1:]
}

// ofRole asks about another role, of which nothing is published.
func ofRole(role string) move {
	return func(d *deal) {
		d.question.Service, d.query.Service = role, role
		d.evidence = append(d.evidence, func(e *evidence) {
			e.TXT = []txtAnswer{txtAt(role)}
			e.Documents = []document{{URL: documentURL(role, jwsEncoding), Status: 404}, {URL: documentURL(role, acEncoding), Status: 404}}
		})
	}
}

var ofClients = ofRole(client)
