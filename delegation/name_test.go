package delegation

import (
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// longName is a legal name of n octets in labels of at most 63.
func longName(n int) string {
	name := "x.example"
	for rest := n - len(name); rest > 0; rest = n - len(name) {
		if rest == 1 {
			return "a" + name
		}
		name = label(min(limits.MaxLabelLength, rest-1)) + "." + name
	}
	return name
}

func label(n int) string { return strings.Repeat("a", n) }

// nameCases are names and whether they are legal. Each illegal one has one
// defect.
var nameCases = []struct {
	name  string
	text  string
	legal bool
}{
	{"two labels", "b.example", true},
	{"digits and hyphens inside", "a-1.0b.example", true},
	{"a label of digits", "1.b.example", true},
	{"test", "b.test", true},
	{"hyphens third and fourth without xn", "r3---sn.example", true},
	{"top label with digits", "b.example1", true},
	{"local inside", "local.example", true},
	{"label of 63 octets", label(63) + ".example", true},
	{"label of 64 octets", label(64) + ".example", false},
	{"name of 253 octets", longName(253), true},
	{"name of 254 octets", longName(254), false},
	{"A-label", "xn--bcher-kva.example", true},
	{"A-label at the top", "b.xn--p1ai", true},
	{"A-label of a sharp s", "xn--strae-oqa.example", true},
	{"A-label of a symbol", "xn--n3h.example", true},
	{"A-label with hyphens third and fourth", "xn--e--e-9oa.example", false},
	{"A-label with hyphens second and third, the first of two octets", "xn----x-9la.example", true},
	{"A-label of nothing", "xn--.example", false},
	{"A-label of ASCII only", "xn--abc-.example", false},
	{"A-label above the code space", "xn--99999999.example", false},
	{"A-label of an upper-case letter", "xn--bcher-2pa.example", false},
	{"A-label of a letter that is mapped", "xn--b-pca.example", false},
	{"A-label of a ligature", "xn--x-sy8h.example", false},
	{"A-label with a soft hyphen", "xn--ab-5da.example", false},
	{"A-label beginning with a mark", "xn--a-wbb.example", false},
	{"A-label with a joiner out of place", "xn--ab-m1t.example", false},
	{"A-label of two directions", "xn--a-zhc.example", false},
	{"A-label from right to left beside a digit first", "3com.xn--4dbrk0ce", true},
	{"A-label in upper case", "XN--BCHER-KVA.example", false},
	{"U-label", "bücher.example", false},
	{"empty", "", false},
	{"one label", "example", false},
	{"root", ".", false},
	{"trailing dot", "b.example.", false},
	{"leading dot", ".b.example", false},
	{"doubled dot", "b..example", false},
	{"upper case", "B.example", false},
	{"underscore", "_b.example", false},
	{"wildcard", "*.example", false},
	{"space", "b .example", false},
	{"line end", "b.example\n", false},
	{"NUL", "b\x00.example", false},
	{"hyphen first", "-b.example", false},
	{"hyphen last", "b-.example", false},
	{"port", "b.example:5269", false},
	{"address of version 4", "192.0.2.1", false},
	{"address of version 6", "2001:db8::1", false},
	{"address in brackets", "[2001:db8::1]", false},
	{"last label of digits", "b.123", false},
	{"localhost", "b.localhost", false},
	{"local", "b.local", false},
	{"onion", "b.onion", false},
	{"internal", "b.internal", false},
	{"invalid", "b.invalid", false},
	{"arpa", "2.0.192.in-addr.arpa", false},
}

func TestCheckName(t *testing.T) {
	if len(nameCases) < 48 {
		t.Errorf("only %d cases", len(nameCases))
	}
	for _, c := range nameCases {
		t.Run(c.name, func(t *testing.T) {
			if err := CheckName(c.text); (err == nil) != c.legal {
				t.Errorf("%q: got %v, want legal = %t", c.text, err, c.legal)
			}
		})
	}
}

// TestNamesInPlace holds every illegal name to each place a name has: the
// source and the host of a statement, and the query.
func TestNamesInPlace(t *testing.T) {
	for _, c := range nameCases {
		if c.legal || c.text == "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			s := goodStatement()
			s.Source = c.text
			wantRefusal(t, reasons.BadName, s.check())

			s = goodStatement()
			s.Targets[0].Host = c.text
			wantRefusal(t, reasons.BadName, s.check())

			_, err := Verify(Query{Source: c.text, Service: service}, evidenceOf(), newTrial(t).policy)
			wantRefusal(t, reasons.BadQuery, err)
			_, err = Verify(Query{Source: source, Service: service, Target: Endpoint{c.text, 1}}, evidenceOf(), newTrial(t).policy)
			wantRefusal(t, reasons.BadQuery, err)
		})
	}
}

func TestParseService(t *testing.T) {
	for text, want := range map[string]string{
		"xmpp-server": "_xmpp-server._tcp", "_xmpp-server._tcp": "_xmpp-server._tcp", "XMPP-Server._TCP": "_xmpp-server._tcp",
		"_sip._udp": "_sip._udp", "_xmpps-client": "_xmpps-client._tcp",
		"": "", "_": "", "xmpp server": "", "__xmpp": "", "_xmpp._tcp.": "", "_xmpp._sctp": "", "_xmpp._tcp.b.example": "",
		"xmpp\u212A": "", // the sign of Kelvin, which is k in lower case
	} {
		if got, err := ParseService(text); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
}

func TestCheckService(t *testing.T) {
	cases := []struct {
		name  string
		text  string
		legal bool
	}{
		{"xmpp-server", "_xmpp-server._tcp", true},
		{"udp", "_sip._udp", true},
		{"one letter", "_x._tcp", true},
		{"15 octets", "_" + label(15) + "._tcp", true},
		{"16 octets", "_" + label(16) + "._tcp", false},
		{"digits with a letter", "_3com-1._tcp", true},
		{"digits only", "_123._tcp", false},
		{"digits and a hyphen only", "_1-2._tcp", false},
		{"empty name", "_._tcp", false},
		{"no underscore", "xmpp-server._tcp", false},
		{"two underscores", "__xmpp._tcp", false},
		{"underscore inside", "_xmpp_server._tcp", false},
		{"hyphen first", "_-xmpp._tcp", false},
		{"hyphen last", "_xmpp-._tcp", false},
		{"hyphens doubled", "_xmpp--server._tcp", false},
		{"upper case", "_XMPP-server._tcp", false},
		{"other protocol", "_xmpp._sctp", false},
		{"protocol in upper case", "_xmpp._TCP", false},
		{"no protocol", "_xmpp", false},
		{"trailing dot", "_xmpp._tcp.", false},
		{"more labels", "_a._xmpp._tcp", false},
		{"name behind it", "_xmpp._tcp.b.example", false},
		{"what a person types", "xmpp-server", false},
		{"not ASCII", "_xmpé._tcp", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := CheckService(c.text); (err == nil) != c.legal {
				t.Errorf("%q: got %v, want legal = %t", c.text, err, c.legal)
			}
			_, err := Verify(Query{Source: source, Service: c.text}, evidenceOf(), newTrial(t).policy)
			if !c.legal {
				wantRefusal(t, reasons.BadQuery, err)
			}
			s := goodStatement()
			s.Service = c.text
			if err := s.check(); !c.legal {
				wantRefusal(t, reasons.BadName, err)
			} else if err != nil {
				t.Errorf("in a statement: %v", err)
			}
		})
	}
}

// TestOwnerName: service._dna.source has at most 253 octets (RFC 1035).
func TestOwnerName(t *testing.T) {
	longest := limits.MaxNameLength - len(TXTName("", service))
	for _, c := range []struct {
		name string
		n    int
		fits bool
	}{
		{"253 octets", longest, true},
		{"254 octets", longest + 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := goodStatement()
			s.Source = longName(c.n)
			_, err := Verify(Query{Source: s.Source, Service: service}, nil, newTrial(t).policy)
			if c.fits {
				if err := s.check(); err != nil {
					t.Error(err)
				}
				wantRefusal(t, reasons.MissingInput, err)
				return
			}
			wantRefusal(t, reasons.BadName, s.check())
			wantRefusal(t, reasons.BadQuery, err)
		})
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{TXTName(source, service), "_xmpp-server._tcp._dna.b.example"},
		{SRVName(source, service), "_xmpp-server._tcp.b.example"},
		{DocumentURL(source, service, JWS), "https://b.example/.well-known/dna/_xmpp-server._tcp.jws"},
		{DocumentPath(service, JWS), "/.well-known/dna/_xmpp-server._tcp.jws"},
		{JWS.MediaType(), "application/dna+jwt"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
