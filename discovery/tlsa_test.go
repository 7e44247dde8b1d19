package discovery

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

const signerName = "_signer." + txtName

var (
	keyDigest   = strings.Repeat("ab", 32)
	tlsaLine    = signerName + ". 600 IN TLSA 3 1 1 " + keyDigest
	labelsOfAll = dns.CountLabel(signerName + ".")
)

// signedWith adds a signature record over so many labels for each number to the
// answer to each question for TLSA, at the name of its last record. The resolver
// that it plays has validated them.
func signedWith(labels ...int) func([]byte) []byte {
	return func(wire []byte) []byte {
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil || len(m.Answer) == 0 {
			return wire
		}
		owner := m.Answer[len(m.Answer)-1].Header().Name
		for _, n := range labels {
			m.Answer = append(m.Answer, &dns.RRSIG{
				Hdr:         dns.RR_Header{Name: owner, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: 600},
				TypeCovered: dns.TypeTLSA, Algorithm: dns.ECDSAP256SHA256, Labels: uint8(n), OrigTtl: 600,
				Expiration: 2000000000, Inception: 1000000000, SignerName: source + ".", Signature: "AAAA",
			})
		}
		m.Compress = true
		wire, err := m.Pack()
		if err != nil {
			panic(err)
		}
		return wire
	}
}

// TestWildcardTLSA: signatures tell whether a wildcard made the records. Where
// they disagree, or say nothing, nobody knows.
func TestWildcardTLSA(t *testing.T) {
	wildcard := labelsOfAll - 3 // that of *._dna.b.example does not count
	const unknown = reasons.DNSFailure
	for _, c := range []struct {
		name    string
		labels  []int
		want    bool
		failure reasons.Reason
	}{
		{"no wildcard", []int{labelsOfAll}, false, ""},
		{"two keys, no wildcard", []int{labelsOfAll, labelsOfAll}, false, ""},
		{"wildcard", []int{wildcard}, true, ""},
		{"wildcard of the root", []int{0}, true, ""},
		{"wildcards", []int{wildcard, 0}, true, ""},
		{"a signature of another one before", []int{wildcard, labelsOfAll}, false, unknown},
		{"a signature of another one behind", []int{labelsOfAll, wildcard}, false, unknown},
		{"no signature", nil, false, unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, tlsaLine)
			setFault(t, s, signerName, "TLSA", dnsserver.Fault{Authentic: true, Edit: signedWith(c.labels...)})
			a := gather(t, &Client{Resolver: s.Addr, Validating: true, Via: ViaDNS}).Signers
			if len(a) != 0 {
				t.Fatal("asked although nothing is secure")
			}
			setFault(t, s, srvName, "SRV", dnsserver.Fault{Authentic: true})
			e := gather(t, &Client{Resolver: s.Addr, Validating: true, Via: ViaDNS})
			if len(e.Signers) != 1 {
				t.Fatalf("%d answers", len(e.Signers))
			}
			got := e.Signers[0]
			records := 1
			state := delegation.Secure
			if c.failure != "" {
				records, state = 0, delegation.Indeterminate
			}
			if failed(got.Failure) != c.failure || got.Wildcard != c.want || got.DNSSEC != state || len(got.Records) != records || got.Alias {
				t.Errorf("%+v, failure %+v", got, got.Failure)
			}
		})
	}
}

// TestSigners: what is asked, with which flags, and what comes of it.
func TestSigners(t *testing.T) {
	alias := signerName + ". 600 IN CNAME keys.hosting.example."
	elsewhere := strings.Replace(tlsaLine, signerName, "keys.hosting.example", 1)
	all := signedWith(labelsOfAll)
	for _, c := range []struct {
		name    string
		records []string
		fault   dnsserver.Fault
		check   func(a delegation.TLSAAnswer) bool
	}{
		{"a record", []string{tlsaLine}, dnsserver.Fault{Authentic: true, Edit: all}, func(a delegation.TLSAAnswer) bool {
			return a.DNSSEC == delegation.Secure && a.TTL == 600 && fmt.Sprintf("%d %d %d %x", a.Records[0].Usage, a.Records[0].Selector, a.Records[0].Matching, a.Records[0].Data) == "3 1 1 "+keyDigest
		}},
		{"none, securely", nil, dnsserver.Fault{Authentic: true}, func(a delegation.TLSAAnswer) bool {
			return a.DNSSEC == delegation.Secure && a.Failure == nil && len(a.Records) == 0
		}},
		{"insecure", []string{tlsaLine}, dnsserver.Fault{}, func(a delegation.TLSAAnswer) bool {
			return a.DNSSEC == delegation.Insecure && a.Failure == nil && len(a.Records) == 1
		}},
		{"alias", []string{alias, elsewhere}, dnsserver.Fault{Authentic: true, Edit: signedWith(3)}, func(a delegation.TLSAAnswer) bool {
			return a.DNSSEC == delegation.Secure && a.Alias && !a.Wildcard && len(a.Records) == 1
		}},
		{"alias that leads nowhere", []string{alias}, dnsserver.Fault{Authentic: true}, func(a delegation.TLSAAnswer) bool {
			return a.Alias && a.Failure == nil && len(a.Records) == 0
		}},
		{"bogus", []string{tlsaLine}, dnsserver.Fault{Bogus: true}, func(a delegation.TLSAAnswer) bool {
			return a.DNSSEC == delegation.Bogus && failed(a.Failure) == reasons.DNSBogus
		}},
		{"SERVFAIL", []string{tlsaLine}, dnsserver.Fault{Rcode: servfail}, func(a delegation.TLSAAnswer) bool {
			return a.DNSSEC == delegation.Indeterminate && failed(a.Failure) == reasons.DNSFailure
		}},
		{"only a signature", []string{tlsaLine}, dnsserver.Fault{Authentic: true, Edit: func(wire []byte) []byte {
			m := new(dns.Msg)
			if m.Unpack(all(wire)) != nil || len(m.Answer) != 2 {
				return nil
			}
			m.Answer = m.Answer[1:]
			wire, _ = m.Pack()
			return wire
		}}, func(a delegation.TLSAAnswer) bool { return failed(a.Failure) == reasons.DNSFailure }},
		{"other numbers and lengths", []string{signerName + ". 600 IN TLSA 0 255 7 00"}, dnsserver.Fault{Authentic: true, Edit: all}, func(a delegation.TLSAAnswer) bool {
			r := a.Records[0]
			return r.Usage == 0 && r.Selector == 255 && r.Matching == 7 && len(r.Data) == 1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t, c.records...)
			setFault(t, s, "", "TLSA", c.fault)
			setFault(t, s, txtName, "TXT", dnsserver.Fault{Authentic: true})
			e := gather(t, &Client{Resolver: s.Addr, Validating: true, Via: ViaDNS})
			if len(e.Signers) != 1 || e.Signers[0].Name != signerName || !c.check(e.Signers[0]) {
				t.Errorf("%+v", e.Signers)
			}
			for _, q := range s.Queries() {
				if q.DO != (q.Type == "TLSA") {
					t.Errorf("%s %s with DO %t", q.Name, q.Type, q.DO)
				}
			}
		})
	}
}

// TestManySigners: as many records as a message holds are in the evidence, for
// the verdict to refuse.
func TestManySigners(t *testing.T) {
	const most = 3900
	var records []string
	for i := range most {
		records = append(records, fmt.Sprintf("%s. 600 IN TLSA %d %d 255 00", signerName, i/256, i%256))
	}
	s := setup.DNS(t, append(records, txtName+`. IN TXT "v=DNA1; e=jws; s=x"`)...)
	setFault(t, s, signerName, "TLSA", dnsserver.Fault{Authentic: true, Edit: signedWith(labelsOfAll)})
	setFault(t, s, txtName, "TXT", dnsserver.Fault{Authentic: true})
	e := gather(t, &Client{Resolver: s.Addr, Validating: true, Via: ViaDNS})
	if got := e.Signers[0]; got.Failure != nil || len(got.Records) != most {
		t.Fatalf("%d records, failure %+v", len(got.Records), got.Failure)
	}
	_, err := delegation.Verify(delegation.Query{Source: source, Service: service}, e, delegation.Policy{Roots: x509.NewCertPool(), Time: e.Collected})
	if delegation.ReasonOf(err) != reasons.TooManyRecords {
		t.Errorf("%v, want %s", err, reasons.TooManyRecords)
	}
}

// TestSignersNotAsked: nobody asks where no answer can be secure, nor for a name
// that DNS cannot have.
func TestSignersNotAsked(t *testing.T) {
	asked := func(s *dnsserver.Server) int {
		return countQueries(s, func(q dnsserver.Query) bool { return q.Type == "TLSA" })
	}
	authentic := dnsserver.Fault{Authentic: true}
	s := setup.DNS(t, tlsaLine)
	setFault(t, s, "", "", authentic)
	gather(t, &Client{Resolver: s.Addr, Via: ViaDNS})
	if asked(s) != 0 {
		t.Error("asked although the resolver is not known to validate")
	}
	if _, err := (&Client{Resolver: s.Addr, Validating: true, Via: ViaDNS, timeouts: relaxed}).GatherSRV(t.Context(), source, service); err != nil || asked(s) != 0 {
		t.Errorf("%v, asked although no statement is looked for", err)
	}
	long := strings.Repeat(strings.Repeat("a", 49)+".", 4) + strings.Repeat("a", 30) // too long for _signer. alone
	if delegation.SignerName(long, service) != "" {
		t.Fatal("the name is not too long")
	}
	if _, err := (&Client{Resolver: s.Addr, Validating: true, Via: ViaDNS, timeouts: relaxed}).Gather(t.Context(), long, service, nil); err != nil || asked(s) != 0 {
		t.Errorf("%v, asked for a name that is too long", err)
	}
}

// TestEnoughAwaitsSigners: with a validating resolver nobody is asked whether
// there is enough before it is known whether the zone names keys. A secure
// answer never comes without the place of the signers.
func TestEnoughAwaitsSigners(t *testing.T) {
	web := startWeb(t, http.NotFound, source)
	for _, late := range []string{"TXT", "SRV", "TLSA"} {
		t.Run(late, func(t *testing.T) {
			s := setup.DNS(t, tlsaLine)
			setFault(t, s, "", "", dnsserver.Fault{Authentic: true, Edit: signedWith(labelsOfAll)})
			setFault(t, s, "", late, dnsserver.Fault{Drop: true})
			client := web.client(s)
			client.Via, client.Validating, client.timeouts = ViaAuto, true, quick
			calls := 0
			e, err := client.Gather(context.Background(), source, service, func(e *delegation.Evidence) bool {
				calls++
				secure := slices.ContainsFunc(e.SRV, func(a delegation.SRVAnswer) bool { return a.DNSSEC == delegation.Secure }) ||
					slices.ContainsFunc(e.TXT, func(a delegation.TXTAnswer) bool { return a.DNSSEC == delegation.Secure })
				if !secure || len(e.Signers) != 1 {
					t.Errorf("asked with secure %t and %d places of signers", secure, len(e.Signers))
				}
				return false
			})
			if err != nil || calls == 0 || len(e.Signers) != 1 {
				t.Errorf("%v, %d calls, %+v", err, calls, e.Signers)
			}
		})
	}
	// Nothing is secure: the answers of DNS come first all the same.
	s := setup.DNS(t)
	setFault(t, s, "", "TXT", dnsserver.Fault{Drop: true})
	client := web.client(s)
	client.Via, client.Validating, client.timeouts = ViaAuto, true, quick
	_, err := client.Gather(context.Background(), source, service, func(e *delegation.Evidence) bool {
		if e.TXT[0].Unanswered() || e.SRV[0].Unanswered() {
			t.Error("asked while an answer is to come that can be secure")
		}
		return true
	})
	if err != nil {
		t.Error(err)
	}
}
