package discovery

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// FuzzConnectTo: what is read is written and read again as the same, and leads
// to nothing but an address.
func FuzzConnectTo(f *testing.F) {
	for _, text := range []string{
		"b.example:443:127.0.0.1:8443", "::127.0.0.1:1", "b.example::[::1]:8443", "B.example:1:[fe80::1%eth0]:2", "b.example:0:127.0.0.1:1",
		"b.example:443:localhost:1", "b.example:443:127.0.0.1", "*.example:443:127.0.0.1:1", ":::", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConnectTo(text)
		if err != nil {
			if c != (ConnectTo{}) {
				t.Fatalf("%+v beside %v", c, err)
			}
			return
		}
		if !c.Addr.IsValid() || c.Addr.Port() == 0 || c.Host != "" && delegation.CheckName(c.Host) != nil {
			t.Fatalf("%q is read as %+v", text, c)
		}
		if again, err := ParseConnectTo(c.String()); err != nil || again != c {
			t.Fatalf("%q is written as %q and that read as %+v, %v", text, c, again, err)
		}
	})
}

// FuzzTXTReply: a reply to a question for TXT gives the octets of its strings
// one after the other, for every record of the name. A statement in them is the
// same statement.
func FuzzTXTReply(f *testing.F) {
	q := question{name: txtName + ".", qtype: dns.TypeTXT}
	query := q.message()
	query.Id = 0x1234
	for _, strs := range [][]string{{"v=DNA1; e=jws; s=a.b.c"}, {"v=DNA1; e=", "jws; s=", strings.Repeat("A", 255)}, {""}, {`\000\255\"`}} {
		reply := new(dns.Msg).SetReply(query)
		reply.RecursionAvailable = true
		reply.Answer = []dns.RR{
			&dns.TXT{Hdr: dns.RR_Header{Name: q.name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60}, Txt: strs},
			&dns.TXT{Hdr: dns.RR_Header{Name: q.name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60}, Txt: []string{"v=spf1 -all"}},
		}
		wire, err := reply.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
		f.Add(wire[:len(wire)-3])
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		reply, err := dnsexchange.Read(query, wire)
		if err != nil || usable(reply, q) != nil {
			return
		}
		records, _, _ := newChain(q.name, q.qtype).follow(reply)
		for _, rr := range records {
			text := strings.Join(rr.(*dns.TXT).Txt, "")
			// Octets that presentation form escapes have a backslash, and no
			// legal record has one. So a record without one is on the wire as
			// it is.
			if strings.Contains(text, `\`) {
				continue
			}
			onWire := make([]byte, dns.Len(rr))
			n, err := dns.PackRR(rr, onWire, 0, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			packed := string(onWire[:n])
			for _, s := range rr.(*dns.TXT).Txt {
				if len(s) > 255 || !strings.Contains(packed, string([]byte{byte(len(s))})+s) {
					t.Fatalf("%q is not in %q", s, packed)
				}
			}
		}
	})
}

// FuzzHeaders reads what a web server says of a document. No age is out of
// bounds, and no media type holds more than a person can look at. A redirect
// leads to https on port 443 of a legal name, or nowhere.
func FuzzHeaders(f *testing.F) {
	for _, h := range [][3]string{
		{"application/dna+jwt", "max-age=60", "https://www.b.example/x"},
		{"text/html; charset=utf-8", `public, max-age="1", no-cache`, "//evil.example:443/"},
		{"x", "max-age=99999999999999999999", "http://b.example/"},
		{";;", "MAX-AGE=-1, max-age", "https://user@b.example/"},
		{"a/b; c=d; c=e", ",,,", "https://b.example:8443/"},
		{"", "", "/.well-known/../dna"}, {"", "", "https://127.0.0.1/"}, {"", "", "https://B.example:/"}, {"", "", "\x00"},
	} {
		f.Add(h[0], h[1], h[2])
	}
	from, err := url.Parse(docURL)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, contentType, cacheControl, location string) {
		if age := freshness([]string{cacheControl}); age < -1 || age > maxAge {
			t.Fatalf("%q: %d seconds", cacheControl, age)
		}
		if shown := mediaType(contentType); len(shown) > maxQuoted+40 {
			t.Fatalf("%q: %d octets", contentType, len(shown))
		}
		to, err := redirect(from, location)
		if err != nil {
			if to != nil || len(err.Error()) > 6*maxQuoted+4*limits.MaxNameLength+200 {
				t.Fatalf("%v beside an error of %d octets", to, len(err.Error()))
			}
			return
		}
		// The request is for what was checked, whatever the library makes of it.
		r, err := http.NewRequest(http.MethodGet, to.String(), nil)
		if err != nil {
			return
		}
		if r.URL.Scheme != "https" || r.URL.User != nil || r.URL.Port() != "" && r.URL.Port() != "443" || delegation.CheckName(r.URL.Hostname()) != nil {
			t.Fatalf("%q leads to %q", location, r.URL)
		}
	})
}
