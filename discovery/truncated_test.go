package discovery

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// statementText is as long as the record of a statement: it never fits in UDP.
var statementText = "v=DNA1; e=jws; s=" + strings.Repeat("A", 3000)

func statementRecord() string {
	var pieces []string
	for text := statementText; text != ""; {
		n := min(len(text), 255)
		pieces, text = append(pieces, `"`+text[:n]+`"`), text[n:]
	}
	return txtName + ". IN TXT " + strings.Join(pieces, " ")
}

// Places in a message: the flags, the counts, and the end of the question.
const (
	flagsAt, answersAt, moreAt = 2, 6, 10
	truncatedFlag              = 0x02 // in the first byte of the flags
)

var questionEnd = 12 + len(txtName) + 2 + 4

// cut is a reply with TC=1 of which n bytes are left.
func cut(n int) func([]byte) []byte {
	return func(wire []byte) []byte {
		wire[flagsAt] |= truncatedFlag
		return wire[:n]
	}
}

// optAt is where the OPT record of a reply begins that ends with it and has no
// options.
func optAt(wire []byte) int { return len(wire) - 11 }

// withOptions puts options into the OPT record.
func withOptions(options ...byte) func([]byte) []byte {
	return func(wire []byte) []byte {
		binary.BigEndian.PutUint16(wire[optAt(wire)+9:], uint16(len(options)))
		return append(wire, options...)
	}
}

// TestTruncatedReplies: whatever is left of a truncated or damaged reply over
// UDP, the question goes out over TCP at once, and once.
func TestTruncatedReplies(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func([]byte) []byte
	}{
		{"nothing but the question", cut(questionEnd)},
		{"cut in the name of a record", cut(questionEnd + 1)},
		{"cut in the head of a record", cut(questionEnd + 9)},
		{"cut in a record", cut(questionEnd + 300)},
		{"cut at 512 bytes", cut(512)},
		{"cut at 1232 bytes", cut(1232)},
		{"cut before the OPT record", func(w []byte) []byte { return cut(optAt(w))(w) }},
		{"cut in the OPT record", func(w []byte) []byte { return cut(len(w) - 3)(w) }},
		{"whole", func(w []byte) []byte { return cut(len(w))(w) }},
		{"fewer records than promised", func(w []byte) []byte {
			binary.BigEndian.PutUint16(w[answersAt:], 7)
			return cut(questionEnd)(w)
		}},
		{"more records than promised", func(w []byte) []byte {
			binary.BigEndian.PutUint16(w[answersAt:], 0)
			return cut(questionEnd + 300)(w)
		}},
		{"all counts wrong", func(w []byte) []byte {
			for at := answersAt; at <= moreAt; at += 2 {
				binary.BigEndian.PutUint16(w[at:], 0xffff)
			}
			return cut(len(w))(w)
		}},
		{"a record without data", func(w []byte) []byte {
			binary.BigEndian.PutUint16(w[questionEnd+10:], 0)
			return cut(questionEnd + 12)(w)
		}},
		{"a name that points at itself", func(w []byte) []byte {
			binary.BigEndian.PutUint16(w[questionEnd:], 0xc000|uint16(questionEnd))
			return cut(len(w))(w)
		}},
		{"a string longer than its record", func(w []byte) []byte {
			w[len(w)-11-1-binary.Size(uint16(0))] = 0xff
			return cut(len(w))(w)
		}},
		{"noise behind the question", func(w []byte) []byte {
			return append(cut(questionEnd)(w), "\xff\xfe\xfdnoise\x00\x00"...)
		}},
		{"with SERVFAIL", func(w []byte) []byte { w[flagsAt+1] |= dns.RcodeServerFailure; return cut(questionEnd)(w) }},
		{"a damaged EDNS option", func(w []byte) []byte { w = cut(len(w))(w); return withOptions(0, 15, 0, 1, 6)(w) }},
		{"an EDNS option longer than its record", func(w []byte) []byte { w = cut(len(w))(w); return withOptions(0, 10, 0xff, 0xff, 1)(w) }},
		{"half of an EDNS option", func(w []byte) []byte { w = cut(len(w))(w); return withOptions(0, 10, 0)(w) }},

		// Something on the way cut the reply and did not say so.
		{"cut in a record, TC=0", func(w []byte) []byte { return w[:questionEnd+300] }},
		{"cut at 512 bytes, TC=0", func(w []byte) []byte { return w[:512] }},
		{"nothing but the question, TC=0", func(w []byte) []byte { return w[:questionEnd] }},
		{"fewer records than promised, TC=0", func(w []byte) []byte { w[answersAt+1]++; return w }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := setup.DNS(t, statementRecord())
			setFault(t, s, txtName, "TXT", dnsserver.Fault{EditUDP: c.edit})
			a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS}).TXT[0]
			if a.Failure != nil || len(a.Records) != 1 || a.Records[0] != statementText {
				t.Fatalf("failure %+v, %d records, want the statement", a.Failure, len(a.Records))
			}
			var networks []string
			for _, q := range s.Queries() {
				if q.Type == "TXT" {
					networks = append(networks, q.Network)
				}
			}
			if strings.Join(networks, " ") != "udp tcp" {
				t.Errorf("asked over %v, want UDP and at once TCP", networks)
			}
		})
	}
}

// TestTruncatedBySomebodyElse: what has another ID or question does not lead
// to TCP.
func TestTruncatedBySomebodyElse(t *testing.T) {
	for name, edit := range map[string]func([]byte) []byte{
		"another ID":            func(w []byte) []byte { w[0]++; return w },
		"another question":      func(w []byte) []byte { w[13]++; return w },
		"another type":          func(w []byte) []byte { w[questionEnd-3]++; return w },
		"no question":           func(w []byte) []byte { w[5] = 0; return w },
		"two questions":         func(w []byte) []byte { w[5] = 2; return w },
		"cut in the question":   func(w []byte) []byte { return w[:questionEnd-2] },
		"cut in the header":     func(w []byte) []byte { return w[:11] },
		"a question, not reply": func(w []byte) []byte { w[flagsAt] &^= 0x80; return w },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup.DNS(t, statementRecord())
			setFault(t, s, txtName, "TXT", dnsserver.Fault{EditUDP: func(w []byte) []byte { return edit(cut(questionEnd)(w)) }})
			a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS, timeouts: quick}).TXT[0]
			if failed(a.Failure) != reasons.DNSTimeout || !strings.Contains(a.Failure.Detail, "do not belong") {
				t.Errorf("failure %+v, want %s", a.Failure, reasons.DNSTimeout)
			}
			if n := countQueries(s, func(q dnsserver.Query) bool { return q.Network == "tcp" }); n != 0 {
				t.Errorf("%d questions over TCP", n)
			}
		})
	}
}

// damagedOptions are EDNS options that nobody can read, alone or behind others.
var damagedOptions = map[string][]byte{
	"an extended error of one byte":     {0, 15, 0, 1, 6},
	"a client subnet of nothing":        {0, 8, 0, 0},
	"a client subnet of no family":      {0, 8, 0, 5, 0, 9, 200, 0, 1},
	"a keep-alive of three bytes":       {0, 11, 0, 3, 1, 2, 3},
	"an expiry of one byte":             {0, 9, 0, 1, 1},
	"a lease of two bytes":              {0, 2, 0, 2, 0, 1},
	"a report channel that is no name":  {0, 18, 0, 2, 63, 1},
	"a zone version of nothing":         {0, 19, 0, 0},
	"longer than its record":            {0, 10, 0xff, 0xff, 1, 2, 3},
	"half of its head":                  {0, 10, 0},
	"one byte":                          {0},
	"a good one and half of another":    {0, 3, 0, 1, 'x', 0, 10},
	"a damaged one before a good one":   {0, 15, 0, 1, 6, 0, 3, 0, 1, 'x'},
	"a damaged one of the same again":   {0, 15, 0, 1, 6, 0, 15, 0, 0},
	"a good one, then a damaged subnet": {0, 12, 0, 2, 0, 0, 0, 8, 0, 1, 1},
}

// TestDamagedOptions: a damaged EDNS option is no reason to lose a reply, over
// UDP or TCP.
func TestDamagedOptions(t *testing.T) {
	for name, options := range damagedOptions {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(name+" over "+network, func(t *testing.T) {
				t.Parallel()
				record := txtName + `. IN TXT "here"`
				if network == "tcp" {
					record = statementRecord()
				}
				s := setup.DNS(t, record)
				setFault(t, s, txtName, "TXT", dnsserver.Fault{Edit: withOptions(options...)})
				a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS}).TXT[0]
				if a.Failure != nil || len(a.Records) != 1 {
					t.Fatalf("failure %+v, %d records, want one", a.Failure, len(a.Records))
				}
				for _, q := range s.Queries() {
					if q.Type == "TXT" && q.Network == "tcp" && network == "udp" {
						t.Error("asked over TCP for an option alone")
					}
				}
			})
		}
	}
}

// TestErrorBesideDamagedOption: the extended error and the response code are
// read all the same.
func TestErrorBesideDamagedOption(t *testing.T) {
	ede := []byte{0, 15, 0, 2, 0, 9}
	for name, options := range map[string][]byte{
		"before": append([]byte{0, 8, 0, 0}, ede...),
		"behind": append(append([]byte{}, ede...), 0, 8, 0xff, 0),
	} {
		s := setup.DNS(t)
		setFault(t, s, "", "", dnsserver.Fault{Rcode: servfail, Edit: withOptions(options...)})
		a := gather(t, &Client{Resolver: s.Addr, Validating: true, Via: ViaDNS}).TXT[0]
		if failed(a.Failure) != reasons.DNSBogus || !strings.Contains(a.Failure.Detail, "extended error 9 (DNSKEY Missing)") {
			t.Errorf("%s: failure %+v, want %s by the extended error", name, a.Failure, reasons.DNSBogus)
		}
	}
	s := setup.DNS(t)
	setFault(t, s, "", "", dnsserver.Fault{Rcode: dns.RcodeBadVers, Edit: withOptions(0, 8, 0, 0)})
	a := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS}).TXT[0]
	if failed(a.Failure) != reasons.DNSFailure || !strings.Contains(a.Failure.Detail, "BADSIG") {
		t.Errorf("failure %+v, want the extended response code", a.Failure)
	}
}
