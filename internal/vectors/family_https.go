package vectors

import (
	"encoding/json"
	"strings"
)

var httpsNotes = map[string]Note{
	"valid":     {[]string{"H4"}, "A statement in a document.", "A verifier that refuses it locks out an honest owner."},
	"status":    {[]string{"H4"}, "Only 404 and 410 say that there is no document; everything else but 200 says nothing.", "Whoever makes a web server fail makes a verifier believe that there is no statement."},
	"type":      {[]string{"H4"}, "A page of another media type is no statement.", "Sites that answer any path with a page would have a bad statement."},
	"failure":   {[]string{"H2", "H3", "H4", "V9"}, "A document that could not be fetched leaves the outcome open.", "Whoever disturbs the connection makes a verifier believe that there is no statement."},
	"line-end":  {[]string{"H5"}, "One line end at the very end of a token is not part of it.", "What else is passed over is a place for anything."},
	"body":      {[]string{"H5", "J1"}, "The body is a token or a message and nothing else.", "What else is passed over is a place for anything."},
	"sniffed":   {[]string{"H5"}, "A file is told by its first octet.", "A file is read as something that it is not."},
	"size":      {[]string{"J1", "A1"}, "A statement has at most 32,768 octets.", "A stranger makes a verifier work for as long as the stranger likes."},
	"evidence":  {[]string{"V1"}, "Documents are from the addresses of section 8, each once.", "A document from elsewhere is slipped in among good ones."},
	"places":    {[]string{"V1", "V2"}, "A role has two addresses of documents, one for each encoding.", "An owner who has one of them only is not found; or a document at another address is slipped in."},
	"same":      {[]string{"V2", "O4"}, "A statement that is found twice is one statement.", "Two copies of one statement contradict each other."},
	"addresses": {[]string{"H6"}, "Addresses that the registries do not call globally reachable are not connected to.", "A stranger's answer makes a verifier connect inside of its own network."},
	"embedded":  {[]string{"H6"}, "An address inside of another one is judged too.", "An IPv6 address stands for a private IPv4 address."},
}

func httpsFamily(w *world) *book {
	b := newBook(w, "https", httpsNotes)
	b.verify(nil, httpsAnswers()...)
	b.verify(nil, httpsBodies()...)
	b.verify(nil, httpsEvidence()...)
	for _, c := range addresses {
		reason := "verified"
		if !c.global {
			reason = "address-not-allowed"
		}
		b.add("https-address-"+c.id, c.flags, c.comment, Case{Operation: "address", Address: c.text}, ending(reason))
	}
	return b
}

// onDocument changes the document.
func onDocument(edit func(d *document)) step {
	return has(func(e *evidence) { edit(&e.Documents[0]) })
}

func httpsAnswers() []entry {
	status := func(code int) step { return onDocument(func(d *document) { d.Status = code }) }
	typed := func(text string) step { return onDocument(func(d *document) { d.MediaType = text }) }
	fails := func(reason string) step {
		return onDocument(func(d *document) { *d = documentFailed(d.URL, reason) })
	}
	ac := encoded(acEncoding)
	list := []entry{
		good("usual", "valid", "the usual case: a token", nil),
		good("ac", "valid", "a message", ac),
		bad("status-404", "status", "no-statement", "status 404", status(404)),
		bad("status-410", "status", "no-statement", "status 410", status(410)),
		bad("no-address", "status", "no-statement", "the host has no address", onDocument(func(d *document) { *d = document{URL: d.URL, NoAddress: true} })),
	}
	for _, code := range []struct {
		n  int
		id string
	}{{204, "204"}, {206, "206"}, {301, "301"}, {304, "304"}, {400, "400"}, {401, "401"}, {403, "403"}, {405, "405"}, {451, "451"}, {500, "500"}, {502, "502"}, {503, "503"}} {
		list = append(list, bad("status-"+code.id, "status", "https-failure", "status "+code.id, status(code.n)))
	}
	for _, t := range []struct{ id, text string }{
		{"html", "text/html"}, {"octets", "application/octet-stream"}, {"jose", "application/jose"}, {"jwt", "application/jwt"}, {"text", "text/plain"}, {"none", ""},
	} {
		list = append(list, bad("type-"+t.id, "type", "no-statement", "status 200 with the media type "+t.text, typed(t.text)))
	}
	list = append(list, bad("type-of-other", "type", "no-statement", "a message, as the media type of tokens", typed("application/dna+jwt"), ac))
	for _, reason := range []string{"https-timeout", "https-failure", "bad-redirect", "document-too-large", "address-not-allowed", "unanswered"} {
		list = append(list, bad("failure-"+reason, "failure", reason, "the document could not be fetched: "+reason, fails(reason)))
	}
	return list
}

func httpsBodies() []entry {
	body := func(edit func(body string) string) step {
		return onDocument(func(d *document) { d.Body = []byte(edit(string(d.Body))) })
	}
	ends := func(with string) step { return body(func(b string) string { return b + with }) }
	is := func(text string) step { return body(func(string) string { return text }) }
	const malformed = "malformed-token"
	ac := encoded(acEncoding)
	sixHours := refreshed(now.Add(6 * hour))
	return []entry{
		good("lf", "line-end", "a line feed at the end", ends("\n")),
		good("crlf", "line-end", "a carriage return and a line feed at the end", ends("\r\n")),
		bad("lf-two", "line-end", malformed, "two line feeds at the end", ends("\n\n")),
		bad("crlf-two", "line-end", malformed, "two line ends at the end", ends("\r\n\r\n")),
		bad("cr", "line-end", malformed, "a carriage return at the end", ends("\r")),
		bad("lf-cr", "line-end", malformed, "a line feed and a carriage return at the end", ends("\n\r")),
		bad("cr-crlf", "line-end", malformed, "a carriage return more before the line end", ends("\r\r\n")),
		bad("lf-first", "line-end", malformed, "a line feed at the beginning", body(func(b string) string { return "\n" + b })),
		bad("space", "line-end", malformed, "a space at the end", ends(" ")),
		bad("nul", "line-end", malformed, "an octet 0x00 at the end", ends("\x00")),
		bad("ac-lf", "line-end", "malformed-bag", "a line feed after a message", ends("\n"), ac),
		bad("bom", "body", malformed, "a byte order mark at the beginning", body(func(b string) string { return "\ufeff" + b })),
		bad("record", "body", malformed, "the text of a TXT record", body(func(b string) string { return "v=DNA1; e=jws; s=" + b })),
		bad("json", "body", malformed, "a JSON text with the token in it", body(func(b string) string { return `{"token":"` + b + `"}` })),
		bad("empty", "body", malformed, "an empty body", is("")),
		bad("page", "body", malformed, "a page", is("<html></html>")),
		bad("ac-base64", "body", "malformed-bag", "a message in base64", body(func(b string) string { return string(must(json.Marshal([]byte(b)))) }), ac),
		bad("ac-in-jws-place", "body", malformed, "a message at the address of tokens", onDocument(func(d *document) {
			d.URL, d.MediaType = documentURL(service, jwsEncoding), mediaTypes[jwsEncoding]
		}), ac),
		bad("jws-in-ac-place", "body", "malformed-bag", "a token at the address of messages", onDocument(func(d *document) {
			d.URL, d.MediaType = documentURL(service, acEncoding), mediaTypes[acEncoding]
		})),
		bad("size-32768", "size", malformed, "32,768 octets that are no token", is(strings.Repeat(".", 32768))),
		bad("size-32769", "size", "statement-too-large", "32,769 octets", is(strings.Repeat(".", 32769))),
		bad("size-32768-lf", "size line-end", malformed, "32,768 octets and a line end, which does not count", is(strings.Repeat(".", 32768)+"\n")),

		good("file", "sniffed", "a token in a file", place(inFile), sixHours),
		good("file-lf", "sniffed line-end", "a token and a line end in a file", all(place(inFile), ends("\n")), sixHours),
		good("file-ac", "sniffed", "a message in a file", all(place(inFile), ac), sixHours),
		bad("file-empty", "sniffed", malformed, "an empty file", is(""), place(inFile)),
		bad("file-0", "sniffed", malformed, "a file that begins with the character 0, which is the octet 0x30 of DER", is("0"), place(inFile)).because("malformed-bag"),
	}
}

// because replaces the reason.
func (e entry) because(reason string) entry {
	e.reason = reason
	return e
}

func httpsEvidence() []entry {
	const badEvidence = "bad-evidence"
	adds := func(d document) step { return has(func(e *evidence) { e.Documents = append(e.Documents, d) }) }
	url := func(text string) step { return adds(document{URL: text, Status: 404}) }
	files := func(n int) step {
		return has(func(e *evidence) {
			for range n {
				e.Documents = append(e.Documents, document{File: "another", Body: []byte("x")})
			}
		})
	}
	usual := documentURL(service, jwsEncoding)
	return []entry{
		bad("place-strange", "evidence", badEvidence, "a document from another address too", url("https://evil.example/")),
		bad("place-http", "evidence", badEvidence, "a document over http too", url(strings.Replace(documentURL(service, acEncoding), "https:", "http:", 1))),
		bad("place-port", "evidence", badEvidence, "a document from another port too", url(strings.Replace(documentURL(service, acEncoding), source, source+":8443", 1))),
		bad("place-twice", "evidence", badEvidence, "the same address twice", url(usual)),
		bad("place-none", "evidence", badEvidence, "a document from nowhere", adds(document{Status: 404})),
		bad("file-failed", "evidence", badEvidence, "a file that failed", adds(document{File: "another", Failure: &failure{"https-failure", "it did not work"}})),
		bad("failure-unknown", "evidence", badEvidence, "a document that failed for a reason that nobody knows", adds(documentFailed(documentURL(service, acEncoding), "because"))),
		good("files-8", "evidence", "8 documents", files(7)),
		bad("files-9", "evidence", badEvidence, "9 documents", files(8)),
		good("place-both", "places", "the addresses of both encodings; there is nothing at the second", url(documentURL(service, acEncoding))),
		bad("place-second-label", "places evidence", badEvidence, "the address that a statement for the second SRV label would have", url(documentURL(second, jwsEncoding))),
		bad("second-label", "places", "service-mismatch", "a statement for the second SRV label, at the address of the role", says(func(s *statement) { s.service = second })),
		good("both-encodings", "same", "the same statement in both encodings", func(t *trial) {
			t.evidence = append(t.evidence, func(e *evidence) {
				e.Documents = append(e.Documents, documentAt(service, acEncoding, t.ac()))
			})
		}),
		good("twice", "same", "the same token in a record and in a document", func(t *trial) {
			t.evidence = append(t.evidence, func(e *evidence) { e.addRecord(t.record()) })
		}),
	}
}

// addresses are what names may resolve to.
var addresses = []struct {
	id, flags, text string
	global          bool
	comment         string
}{
	{"global", "addresses", "8.8.8.8", true, "an address of the Internet"},
	{"global-6", "addresses", "2606:4700::1111", true, "an address of the Internet"},
	{"this-host", "addresses", "0.0.0.0", false, "this host, RFC 791"},
	{"this-network", "addresses", "0.1.2.3", false, "this network, RFC 791"},
	{"private-10", "addresses", "10.0.0.1", false, "private use, RFC 1918"},
	{"below-10", "addresses", "9.255.255.255", true, "the last address before 10.0.0.0/8"},
	{"above-10", "addresses", "11.0.0.0", true, "the first address after 10.0.0.0/8"},
	{"shared", "addresses", "100.64.0.1", false, "shared address space, RFC 6598"},
	{"below-shared", "addresses", "100.63.255.255", true, "the last address before 100.64.0.0/10"},
	{"above-shared", "addresses", "100.128.0.0", true, "the first address after 100.64.0.0/10"},
	{"loopback", "addresses", "127.0.0.1", false, "loopback"},
	{"loopback-last", "addresses", "127.255.255.254", false, "loopback is a whole block"},
	{"link-local", "addresses", "169.254.169.254", false, "link local, where clouds have their metadata"},
	{"private-172", "addresses", "172.31.255.255", false, "the last address of 172.16.0.0/12"},
	{"above-172", "addresses", "172.32.0.0", true, "the first address after 172.16.0.0/12"},
	{"protocol", "addresses", "192.0.0.8", false, "IETF protocol assignments"},
	{"documentation-1", "addresses", "192.0.2.1", false, "documentation, RFC 5737"},
	{"private-192", "addresses", "192.168.1.1", false, "private use, RFC 1918"},
	{"benchmark", "addresses", "198.19.255.255", false, "benchmarking, RFC 2544"},
	{"documentation-2", "addresses", "198.51.100.1", false, "documentation, RFC 5737"},
	{"documentation-3", "addresses", "203.0.113.1", false, "documentation, RFC 5737"},
	{"multicast", "addresses", "224.0.0.1", false, "multicast"},
	{"reserved", "addresses", "240.0.0.1", false, "reserved, RFC 1112"},
	{"broadcast", "addresses", "255.255.255.255", false, "broadcast"},
	{"unspecified-6", "addresses", "::", false, "the unspecified address"},
	{"loopback-6", "addresses", "::1", false, "loopback"},
	{"unique-local", "addresses", "fd00::1", false, "unique local, RFC 4193"},
	{"link-local-6", "addresses", "fe80::1", false, "link local"},
	{"multicast-6", "addresses", "ff02::1", false, "multicast"},
	{"discard", "addresses", "100::1", false, "discard only, RFC 6666"},
	{"documentation-6", "addresses", "2001:db8::1", false, "documentation, RFC 3849"},
	{"documentation-6-new", "addresses", "3fff::1", false, "documentation, RFC 9637"},
	{"benchmark-6", "addresses", "2001:2::1", false, "benchmarking, RFC 5180"},
	{"mapped-private", "embedded", "::ffff:10.0.0.1", false, "a private IPv4 address, mapped"},
	{"mapped-loopback", "embedded", "::ffff:127.0.0.1", false, "the IPv4 loopback address, mapped"},
	{"nat64-private", "embedded", "64:ff9b::192.168.1.1", false, "a private IPv4 address behind NAT64"},
	{"nat64-loopback", "embedded", "64:ff9b::127.0.0.1", false, "the IPv4 loopback address behind NAT64"},
	{"mapped-global", "embedded", "::ffff:8.8.8.8", true, "an IPv4 address of the Internet, mapped"},
	{"nat64-global", "embedded", "64:ff9b::8.8.8.8", true, "an IPv4 address of the Internet behind NAT64"},
	{"nat64-local", "embedded", "64:ff9b:1::8.8.8.8", false, "the prefix of NAT64 for local use, RFC 8215"},
	{"6to4", "embedded", "2002:a00:1::1", false, "6to4 around a private IPv4 address"},
	{"teredo", "embedded", "2001:0:a00:1::1", false, "Teredo"},
	{"compatible", "embedded", "::127.0.0.1", false, "an IPv4-compatible address"},
	{"as112", "addresses", "192.31.196.1", false, "anycast of AS112, which the registry calls globally reachable"},
	{"orchid", "addresses", "2001:20::1", false, "ORCHIDv2, RFC 7343"},
	{"not-assigned", "addresses", "4000::1", false, "outside of 2000::/3"},
	{"above-benchmark-6", "addresses", "2001:200::1", true, "the first block after 2001::/23"},
	{"site-local", "addresses", "fec0::1", false, "site local, RFC 3879"},
}
