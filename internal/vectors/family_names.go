package vectors

import (
	"maps"
	"slices"
	"strings"
	"time"
)

var namesNotes = map[string]Note{
	"valid":   {[]string{"N1"}, "A name in legal form.", "A verifier that refuses it locks out an honest owner."},
	"form":    {[]string{"N1"}, "Names are ASCII in lower case, of labels between single dots, within their limits.", "Two spellings of one name are two keys of a cache, and one of them gets past a comparison."},
	"local":   {[]string{"N2"}, "Names of nobody in particular, and numbers, are no names.", "A statement leads into the verifier's own network."},
	"idn":     {[]string{"N3"}, "A label that begins with xn-- is a valid A-label.", "A label that means nothing, or the same as another one, is shown to a person as something else."},
	"service": {[]string{"N4"}, "A service is an underscore, a service name in lower case, and ._tcp or ._udp.", "Two spellings of one service, or a service that reaches over into the name behind it."},
	"length":  {[]string{"N5"}, "The owner name of a statement fits into DNS.", "A statement that can be published in one way only."},
	"query":   {[]string{"V1"}, "The question is in legal form, and complete.", "What a person typed reaches a comparison of octets."},
	"source":  {[]string{"V2", "N1"}, "The statement is of the very source asked about.", "The owner of a name speaks for the names below it, or for another one's."},
	"asked":   {[]string{"V6"}, "A target asked about is among the targets, host and port.", "Another program on the provider's host passes for the service."},
	"role":    {[]string{"V2", "V5"}, "A statement is for the role. A question may name the second SRV label, and is then about the role.", "A delegation of one service is taken for another; or each label has an order of its own, and an old statement for one counts beside the new one for the other."},
}

func namesFamily(w *world) *book {
	b := newBook(w, "names", namesNotes)
	b.names()
	b.verify(nil, serviceEntries()...)
	b.verify(nil, roleEntries()...)
	b.verify(nil, queryEntries()...)
	b.both(nil, sourceEntries()...)
	return b
}

// longName is a legal name of n octets, of labels of at most 63.
func longName(n int) string {
	name := "x.example"
	for rest := n - len(name); rest > 0; rest = n - len(name) {
		if rest == 1 {
			return "a" + name
		}
		name = strings.Repeat("a", min(63, rest-1)) + "." + name
	}
	return name
}

// names are hosts of a target, and whether they are legal.
var names = []struct {
	id, flags, text string
	legal           bool
	comment         string
}{
	{"two-labels", "valid form", "h.example", true, "two labels"},
	{"digits", "form", "a-1.0b.example", true, "digits and hyphens inside"},
	{"label-of-digits", "form", "1.h.example", true, "a label of digits"},
	{"test", "local", "h.test", true, "under .test, which laboratories need"},
	{"hyphens", "idn", "r3---sn.example", true, "hyphens third and fourth, without xn"},
	{"top-digits", "local", "h.example1", true, "a last label with a digit"},
	{"local-inside", "local", "local.example", true, "local, but not last"},
	{"label-63", "form", strings.Repeat("a", 63) + ".example", true, "a label of 63 octets"},
	{"label-64", "form", strings.Repeat("a", 64) + ".example", false, "a label of 64 octets"},
	{"253", "form", longName(253), true, "a name of 253 octets"},
	{"254", "form", longName(254), false, "a name of 254 octets"},
	{"a-label", "idn", "xn--bcher-kva.example", true, "an A-label: bücher"},
	{"a-label-top", "idn", "h.xn--p1ai", true, "an A-label last: рф"},
	{"a-label-sharp-s", "idn", "xn--strae-oqa.example", true, "an A-label with a sharp s, which is not mapped"},
	{"a-label-symbol", "idn", "xn--n3h.example", true, "an A-label of a symbol: ☃"},
	{"a-label-hyphens", "idn", "xn--e--e-9oa.example", false, "an A-label with hyphens third and fourth"},
	{"a-label-hyphens-second", "idn", "xn----x-9la.example", true, "an A-label with hyphens second and third"},
	{"a-label-empty", "idn form", "xn--.example", false, "an A-label of nothing"},
	{"a-label-ascii", "idn form", "xn--abc-.example", false, "an A-label of ASCII only"},
	{"a-label-space", "idn", "xn--99999999.example", false, "an A-label above the code space"},
	{"a-label-upper", "idn", "xn--bcher-2pa.example", false, "an A-label of a capital letter, which is mapped"},
	{"a-label-mapped", "idn", "xn--b-pca.example", false, "an A-label of a letter that is mapped: µ"},
	{"a-label-ligature", "idn", "xn--x-sy8h.example", false, "an A-label of a ligature, which is mapped"},
	{"a-label-soft-hyphen", "idn", "xn--ab-5da.example", false, "an A-label with a soft hyphen, which is mapped to nothing"},
	{"a-label-mark", "idn", "xn--a-wbb.example", false, "an A-label that begins with a combining mark"},
	{"a-label-joiner", "idn", "xn--ab-m1t.example", false, "an A-label with a joiner out of its place"},
	{"a-label-directions", "idn", "xn--a-zhc.example", false, "an A-label of two directions"},
	{"a-label-bidi-name", "idn", "3com.xn--4dbrk0ce", true, "an A-label from right to left beside a label with a digit first, which only a rule for whole names refuses"},
	{"a-label-case", "idn form", "XN--BCHER-KVA.example", false, "an A-label in upper case"},
	{"empty", "form", "", false, "an empty name"},
	{"one-label", "form", "example", false, "one label"},
	{"root", "form", ".", false, "the root"},
	{"dot-last", "form", "h.example.", false, "a trailing dot"},
	{"dot-first", "form", ".h.example", false, "a leading dot"},
	{"dot-doubled", "form", "h..example", false, "a doubled dot"},
	{"upper-case", "form", "H.example", false, "an upper-case letter"},
	{"underscore", "form", "_h.example", false, "an underscore"},
	{"wildcard", "form", "*.example", false, "a wildcard"},
	{"space", "form", "h .example", false, "a space"},
	{"hyphen-first", "form", "-h.example", false, "a hyphen first in a label"},
	{"hyphen-last", "form", "h-.example", false, "a hyphen last in a label"},
	{"port", "form", "h.example:5269", false, "a port behind the name"},
	{"address-4", "local form", "192.0.2.1", false, "an IPv4 address"},
	{"address-6", "form", "2001:db8::1", false, "an IPv6 address"},
	{"address-brackets", "form", "[2001:db8::1]", false, "an IPv6 address in brackets"},
	{"digits-last", "local", "h.123", false, "a last label of digits"},
	{"localhost", "local", "h.localhost", false, "under .localhost"},
	{"local", "local", "h.local", false, "under .local"},
	{"onion", "local", "h.onion", false, "under .onion"},
	{"internal", "local", "h.internal", false, "under .internal"},
	{"invalid", "local", "h.invalid", false, "under .invalid"},
	{"arpa", "local", "2.0.192.in-addr.arpa", false, "under .arpa"},
}

// names has each name as the host of a target, those in turn in one encoding
// and in the other.
func (b *book) names() {
	for i, n := range names {
		change := says(func(s *statement) { s.targets[0].host = n.text })
		encoding := jwsEncoding
		if i%2 == 1 {
			encoding = acEncoding
		}
		e := good("host-"+n.id, n.flags, "the host: "+n.comment, change)
		if !n.legal {
			e = bad("host-"+n.id, n.flags, "bad-name", "the host: "+n.comment, change)
		}
		b.verify(encoded(encoding), e)
	}
}

// asks asks about another source or service, of evidence for that.
func asks(source, service string) step {
	return func(t *trial) {
		t.query.Source, t.query.Service = source, service
		t.place = inFile
	}
}

func serviceEntries() []entry {
	letters := strings.Repeat("a", 15)
	in := func(service string) step { return says(func(s *statement) { s.service = service }) }
	var list []entry
	for _, c := range []struct {
		id, text string
		legal    bool
		comment  string
	}{
		{"udp", "_sip._udp", true, "a service over UDP"},
		{"one", "_x._tcp", true, "one letter"},
		{"15", "_" + letters + "._tcp", true, "15 letters"},
		{"16", "_" + letters + "a._tcp", false, "16 letters"},
		{"digits", "_3com-1._tcp", true, "digits, a hyphen and letters"},
		{"no-letter", "_123._tcp", false, "digits only"},
		{"no-letter-hyphen", "_1-2._tcp", false, "digits and a hyphen only"},
		{"empty-name", "_._tcp", false, "no service name"},
		{"no-underscore", "xmpp-server._tcp", false, "no underscore"},
		{"underscores", "__xmpp._tcp", false, "two underscores"},
		{"underscore-inside", "_xmpp_server._tcp", false, "an underscore inside"},
		{"hyphen-first", "_-xmpp._tcp", false, "a hyphen first"},
		{"hyphen-last", "_xmpp-._tcp", false, "a hyphen last"},
		{"hyphens", "_xmpp--server._tcp", false, "a doubled hyphen"},
		{"upper-case", "_XMPP-server._tcp", false, "upper case"},
		{"sctp", "_xmpp._sctp", false, "another protocol"},
		{"protocol-case", "_xmpp._TCP", false, "the protocol in upper case"},
		{"no-protocol", "_xmpp", false, "no protocol"},
		{"dot", "_xmpp._tcp.", false, "a trailing dot"},
		{"labels", "_a._xmpp._tcp", false, "a label more"},
		{"name", "_xmpp._tcp.b.example", false, "a name behind it"},
		{"typed", "xmpp-server", false, "what a person types"},
		{"empty", "", false, "no service"},
	} {
		if c.legal {
			list = append(list, good("service-"+c.id, "service", "the service: "+c.comment, all(in(c.text), asks(source, c.text)), refreshed(now.Add(6*hour))))
			continue
		}
		list = append(list, bad("service-"+c.id, "service", "bad-name", "the service of the statement: "+c.comment, in(c.text)))
		if c.text != "" {
			list = append(list, bad("query-service-"+c.id, "service query", "bad-query", "the service asked about: "+c.comment, asks(source, c.text)))
		}
	}
	return list
}

func queryEntries() []entry {
	asked := func(host string, port uint16) step {
		return func(t *trial) { t.query.Target = &Endpoint{host, port} }
	}
	from := func(name string) step { return asks(name, service) }
	two := delegatesTo(target{host: host, port: port, priority: 10, weight: 5}, target{host: "backup.example", port: 5270, priority: 20})
	longest := 253 - len("_xmpp-server._tcp._dna.")
	of := func(n int) step {
		return all(says(func(s *statement) { s.source = longName(n) }), from(longName(n)), leaf(named(longName(n))))
	}
	only := func(host string) expectation { return dials(host) }
	const badQuery = "bad-query"
	return []entry{
		bad("query-no-source", "query", "missing-input", "no source is asked about", func(t *trial) { t.query.Source = "" }),
		bad("query-no-service", "query", "missing-input", "no service is asked about", func(t *trial) { t.query.Service = "" }),
		bad("query-upper-case", "query form", badQuery, "the source asked about in upper case", from("B.example")),
		bad("query-dot", "query form", badQuery, "the source asked about with a trailing dot", from(source+".")),
		bad("query-u-label", "query idn", badQuery, "a source with a U-label is asked about", from("bücher.example")),
		bad("query-one-label", "query form", badQuery, "a source of one label is asked about", from("example")),
		bad("query-wildcard", "query form", badQuery, "a wildcard is asked about", from("*.example")),
		bad("query-address", "query local", badQuery, "an address is asked about", from("192.0.2.1")),
		bad("query-localhost", "query local", badQuery, "a name under .localhost is asked about", from("b.localhost")),
		good("query-longest", "length", "a source whose owner name has 253 octets", of(longest), refreshed(now.Add(6*hour))),
		bad("query-too-long", "length query", badQuery, "a source whose owner name has 254 octets is asked about", from(longName(longest+1))),
		bad("source-too-long", "length", "bad-name", "a source whose owner name has 254 octets, in a statement", says(func(s *statement) { s.source = longName(longest + 1) })),
		good("idn", "idn valid", "an international source", all(says(func(s *statement) { s.source = "xn--bcher-kva.example" }),
			from("xn--bcher-kva.example"), leaf(named("xn--bcher-kva.example"))), refreshed(now.Add(6*hour))),

		good("asked", "asked", "the target asked about is the one", asked(host, port)),
		good("asked-second", "asked", "the second of two targets is asked about", all(two, asked("backup.example", 5270)), only("backup.example:5270")),
		bad("asked-port", "asked", "port-mismatch", "another port of the target's host is asked about", asked(host, 5270)),
		bad("asked-ports-mixed", "asked", "port-mismatch", "the host of one target with the port of the other", asked(host, 5270), two),
		bad("asked-host", "asked", "target-mismatch", "another host is asked about", asked(evil, port)),
		bad("asked-below", "asked", "target-mismatch", "a host below the target is asked about", asked("a."+host, port)),
		bad("asked-source", "asked", "target-mismatch", "the source itself is asked about as target", asked(source, port)),
		bad("asked-no-port", "asked query", badQuery, "a target without port", asked(host, 0)),
		bad("asked-no-host", "asked query", badQuery, "a target without host", asked("", port)),
		bad("asked-upper-case", "asked query", badQuery, "a target in upper case", asked(strings.ToUpper(host), port)),
		bad("asked-dot", "asked query", badQuery, "a target with a trailing dot", asked(host+".", port)),
		bad("asked-address", "asked query", badQuery, "a target that is an address", asked("192.0.2.1", port)),
		good("asked-srv-other", "asked", "a target is asked about, and secure SRV records name another host: they are not compared", all(asked(host, port), believes,
			hasSRV(srvAt(service, secure, to(evil, port))))),
		good("asked-srv-fails", "asked", "a target is asked about, and the SRV look-up failed", all(asked(host, port), hasSRV(srvFailed(service, "dns-timeout")))),
		good("asked-srv-passed-over", "asked", "a target is asked about, and a failed look-up of the second label was passed over: look again after 5 minutes", all(asked(host, port),
			hasSRV(srvAt(service, insecure, to(host, port)), srvFailed(second, "dns-timeout"))), refreshed(now.Add(5*time.Minute))),
		good("asked-srv-none", "asked", "a target is asked about, and the SRV target is .", all(asked(host, port), hasSRV(srvAt(service, insecure, to(".", 0))))),
		bad("asked-revoked", "asked", "revoked", "a target is asked about, and the statement is a revocation", says(revokes), asked(host, port)),
	}
}

func sourceEntries() []entry {
	of := func(name string) step { return says(func(s *statement) { s.source = name }) }
	service := func(name string) step { return says(func(s *statement) { s.service = name }) }
	const mismatch = "source-mismatch"
	return []entry{
		bad("source-other", "source", mismatch, "a statement of another source", of("c.example")),
		bad("source-below", "source", mismatch, "a statement of a name below the source", of("sub.b.example")),
		bad("source-parent", "source", "parent-source", "a statement of the parent of the source asked about", asks("sub."+source, "_xmpp-server._tcp")),
		bad("source-grandparent", "source", "parent-source", "a statement of the parent's parent", asks("a.sub."+source, "_xmpp-server._tcp")),
		bad("source-suffix", "source", mismatch, "a statement of a source that ends in the same letters", asks("a"+source, "_xmpp-server._tcp")),
		bad("source-upper-case", "source form", "bad-name", "a statement of the source in upper case", of("B.example")),
		bad("source-dot", "source form", "bad-name", "a statement of the source with a trailing dot", of(source+".")),
		bad("source-empty", "source form", "bad-name", "a statement of no source", of("")),
		bad("service-other", "role", "service-mismatch", "a statement for clients, asked about servers", service(client)),
		bad("service-unrelated", "role", "service-mismatch", "a statement for another service", service("_imap._tcp")),
		bad("service-udp", "role", "service-mismatch", "a statement for the same service over UDP", service("_xmpp-server._udp")),
		bad("service-second", "role", "service-mismatch", "a statement for the second label of the role", service(second)),
		bad("service-second-asked", "role", "service-mismatch", "a statement for the second label, asked about by that", service(second), asks(source, second)),
	}
}

// roleEntries are the table of roles: each second label as a question and as a
// claim, and services that look like second labels and are roles.
func roleEntries() []entry {
	service := func(name string) step { return says(func(s *statement) { s.service = name }) }
	sixHours := refreshed(now.Add(6 * hour))
	var list []entry
	for _, label := range slices.Sorted(maps.Keys(roles)) {
		id := strings.TrimSuffix(label[1:], "._tcp")
		role := roles[label]
		list = append(list,
			good("role-"+id, "role", "a statement for "+role+", asked about by "+label, all(service(role), asks(source, label)), sixHours),
			bad("claim-"+id, "role", "service-mismatch", "a statement for "+label+", which has none of its own", service(label), service(role), asks(source, role)))
	}
	for _, own := range []string{"_sips._tcp", "_caldavs._tcp", "_xmpps-server._udp", "_https._tcp"} {
		id := strings.ReplaceAll(strings.Trim(own, "_"), "._", "-")
		list = append(list, good("own-role-"+id, "role", own+" is a role of its own", all(service(own), asks(source, own)), sixHours))
	}
	return append(list, bad("own-role-sip", "role", "service-mismatch", "a statement for _sip._tcp, asked about _sips._tcp: these are two roles", service("_sip._tcp"), service("_sips._tcp"), asks(source, "_sips._tcp")))
}
