package discovery

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// A realm is what the zones of TestRealSigners hold: statements of XMPP servers by
// keys with a certificate of their own, and by one of an authority.
type realm struct {
	*world.World
	own *keys.Signer
}

const (
	xmpp    = world.Service
	ttlTLSA = 600
)

// signer gives that of a domain, with the own key, or by the authority.
func (r realm) signer(domain string, byAuthority bool) *keys.Signer {
	from, to := r.Now.Add(-time.Hour), r.Now.AddDate(0, 1, 0)
	if byAuthority {
		return localca.Must(r.CA.IssueFor(r.own.Key(), []string{domain}, from, to, nil))
	}
	return localca.Must(keys.SelfIssue(r.own.Key(), domain, from, to))
}

// statement is a record of a domain.
func (r realm) statement(domain string, byAuthority bool) string {
	s := world.Statement(domain, xmpp, r.Now.Add(-time.Minute), world.Host)
	return world.Line(s, r.signer(domain, byAuthority)) + "\n"
}

// names is the record that names the key, or one that is not it.
func (r realm) names(owner string, right bool) string {
	sum := sha256.Sum256(r.own.Leaf().RawSubjectPublicKeyInfo)
	if !right {
		sum[0] ^= 1
	}
	return fmt.Sprintf("%s. %d IN TLSA 3 1 1 %x\n", owner, ttlTLSA, sum)
}

// at is where the records about signers of a domain are.
func at(domain string) string { return delegation.SignerName(domain, xmpp) }

// TestRealSigners: zones of Knot DNS, which signs them, through unbound, which
// validates.
func TestRealSigners(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	key := localca.Must(localca.NewKey("P-256"))
	r := realm{world.At(now), localca.Must(keys.SelfIssue(key, "own.example", now, now.AddDate(0, 1, 0)))}
	const provider = "keys.hosting.example"
	below := func(domain string) string { return xmpp + "._dna." + domain }
	cases := []struct {
		zone        string
		byAuthority bool
		unsigned    bool
		records     func(domain string) string
		want        reasons.Reason
	}{
		{"own", false, false, func(d string) string { return r.names(at(d), true) }, reasons.Verified},
		{"both", true, false, func(d string) string { return r.names(at(d), true) }, reasons.Verified},
		{"none", false, false, nil, reasons.UntrustedSigner},
		{"none-ca", true, false, nil, reasons.Verified},
		{"wrong", false, false, func(d string) string { return r.names(at(d), false) }, reasons.SignerNotNamed},
		{"wrong-ca", true, false, func(d string) string { return r.names(at(d), false) }, reasons.SignerNotNamed},
		{"insecure", false, true, func(d string) string { return r.names(at(d), true) }, reasons.UntrustedSigner},
		{"insecure-ca", true, true, func(d string) string { return r.names(at(d), false) }, reasons.Verified},
		{"wildcard", false, false, func(d string) string { return r.names("*."+below(d), true) }, reasons.UntrustedSigner},
		{"wildcard-ca", true, false, func(d string) string { return r.names("*."+below(d), false) }, reasons.Verified},
		{"alias", false, false, func(d string) string { return at(d) + ". IN CNAME _signer." + provider + ".\n" }, reasons.UntrustedSigner},
		{"alias-ca", true, false, func(d string) string { return at(d) + ". IN CNAME _signer." + provider + ".\n" }, reasons.Verified},
		{"tree", false, false, func(d string) string { return below(d) + ". IN DNAME " + provider + ".\n" }, reasons.UntrustedSigner},
		{"many", true, false, func(d string) string {
			var list strings.Builder
			for i := range 9 {
				fmt.Fprintf(&list, "%s. %d IN TLSA 3 1 1 %064x\n", at(d), ttlTLSA, i)
			}
			return list.String()
		}, reasons.TooManyRecords},
	}
	zones := []realtest.Zone{
		{Name: "hosting.example", Signed: true, Content: r.names("_signer."+provider, true)},
		// The statement is a document: DNS has none that can be believed.
		{Name: "bogus.example", Signed: true, Content: "_dna IN NS ns.invalid.\n_dna IN DS 1 13 2 " + strings.Repeat("00", 32) + "\n"},
		{Name: "_dna.bogus.example", Signed: true, Content: r.names(at("bogus.example"), true)},
		{Name: "moving.example", Signed: true, Updated: true, Content: r.statement("moving.example", false) + r.names(at("moving.example"), true)},
	}
	for _, c := range cases {
		domain := c.zone + ".example"
		content := r.statement(domain, c.byAuthority)
		if c.records != nil {
			content += c.records(domain)
		}
		zones = append(zones, realtest.Zone{Name: domain, Signed: !c.unsigned, Content: content})
	}
	authority, anchors := realtest.Knot(t, zones...)
	var all []string
	for _, z := range zones {
		all = append(all, z.Name)
	}
	// The child has a DS record that is not its own.
	var known []string
	for _, a := range anchors {
		if !strings.HasPrefix(a, "_dna.bogus.") {
			known = append(known, a)
		}
	}
	ask := func(resolver, domain string) *delegation.Evidence {
		t.Helper()
		c := &Client{Resolver: resolver, Validating: true, Via: ViaBoth, HTTPSRoots: r.CA.Pool(), timeouts: relaxed, Now: func() time.Time { return now }}
		e, err := c.Gather(t.Context(), domain, xmpp, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	verify := func(e *delegation.Evidence, when time.Duration, floor delegation.Floor) (*delegation.Result, error) {
		return delegation.Verify(delegation.Query{Source: e.Source, Service: xmpp}, e, delegation.Policy{Roots: r.CA.Pool(), Time: now.Add(when), Floor: floor})
	}
	ends := func(t *testing.T, want reasons.Reason, err error) {
		t.Helper()
		got := reasons.Verified
		if err != nil {
			got = delegation.ReasonOf(err)
		}
		if got != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	resolver := realtest.Unbound(t, authority, known, all...)
	for _, c := range cases {
		t.Run(c.zone, func(t *testing.T) {
			e := ask(resolver, c.zone+".example")
			_, err := verify(e, 0, delegation.Floor{})
			if ends(t, c.want, err); t.Failed() {
				t.Logf("%+v", e.Signers)
			}
		})
	}

	t.Run("bogus", func(t *testing.T) {
		e := ask(resolver, "bogus.example")
		signed := world.Record(world.Statement("bogus.example", xmpp, now.Add(-time.Minute), world.Host), r.signer("bogus.example", true))
		e.Documents = append(e.Documents, delegation.Document{File: "statement", Body: []byte(strings.TrimPrefix(signed, "v=DNA1; e=jws; s="))})
		if e.TXT[0].DNSSEC != delegation.Bogus || len(e.Signers) != 1 || e.Signers[0].DNSSEC != delegation.Bogus {
			t.Fatalf("%+v, %+v", e.TXT[0], e.Signers)
		}
		_, err := verify(e, 0, delegation.Floor{})
		ends(t, reasons.DNSBogus, err)
	})

	// A signed zone, no web server, no certificate of an authority. The key is
	// taken out of the zone. Who has seen it there believes it until the TTL has
	// passed, and nobody else does.
	t.Run("key removed", func(t *testing.T) {
		before := ask(resolver, "moving.example")
		if d := before.Documents[0]; !d.NoAddress {
			t.Errorf("a web server: %+v", d)
		}
		result, err := verify(before, 0, delegation.Floor{})
		if ends(t, reasons.Verified, err); err != nil {
			t.FailNow()
		}
		if p := result.Proven(); !p.Named || p.ValidUntil.After(now.Add(ttlTLSA*time.Second)) {
			t.Errorf("%+v", p)
		}
		update(t, authority, "moving.example", strings.TrimSuffix(r.names(at("moving.example"), true), "\n"))
		_, err = verify(before, 299*time.Second, delegation.Floor{})
		ends(t, reasons.Verified, err)
		_, err = verify(before, ttlTLSA*time.Second, delegation.Floor{})
		ends(t, reasons.ProofExpired, err)
		after := ask(realtest.Unbound(t, authority, known, all...), "moving.example")
		_, err = verify(after, 0, delegation.Floor{})
		ends(t, reasons.UntrustedSigner, err)
	})

	t.Run("DNSSEC lost", func(t *testing.T) {
		plain := realtest.Unbound(t, authority, nil, all...) // the parent has no DS record any more
		for domain, want := range map[string]reasons.Reason{"own.example": reasons.UntrustedSigner, "both.example": reasons.Verified, "wrong-ca.example": reasons.Verified} {
			e := ask(plain, domain)
			_, err := verify(e, 0, delegation.Floor{})
			ends(t, want, err)
			if e.Signers != nil {
				t.Errorf("%s: asked about signers", domain)
			}
		}
	})

	t.Run("floors of one kind before the other", func(t *testing.T) {
		floor := func(domain string) delegation.Floor {
			result, err := verify(ask(resolver, domain), 0, delegation.Floor{})
			if err != nil {
				t.Fatal(err)
			}
			return result.Floor()
		}
		_, err := verify(ask(resolver, "own.example"), 0, floor("none-ca.example"))
		ends(t, reasons.Verified, err) // its certificate is as old as the statement
		_, err = verify(ask(resolver, "none-ca.example"), 0, floor("own.example"))
		ends(t, reasons.Superseded, err)
	})
}

// update removes a record of a zone.
func update(t *testing.T, server, zone, record string) {
	t.Helper()
	rr, err := dns.NewRR(record)
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg).SetUpdate(zone + ".")
	m.Remove([]dns.RR{rr})
	m.SetTsig(realtest.TSIGAll+".", dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{Net: "tcp", TsigSecret: map[string]string{realtest.TSIGAll + ".": realtest.TSIGSecret}}
	reply, _, err := client.Exchange(m, server)
	if err != nil || reply.Rcode != dns.RcodeSuccess {
		t.Fatalf("%v, %v", reply, err)
	}
}
