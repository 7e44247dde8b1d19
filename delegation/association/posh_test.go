package association_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestPOSHLaw: a POSH file changes nothing but its own method, and counts only where
// nothing else can decide. A peer by it is the one that it names.
func TestPOSHLaw(t *testing.T) {
	unproven := func(c *x509.Certificate) { c.DNSNames = []string{"posh.hosting.example"} }
	named, other := issue(unproven).Chain(), issue(unproven).Chain()
	sum := sha256.Sum256(named[0].Raw)
	file := delegation.Document{
		URL: delegation.POSHURL(source, service), Status: 200, MediaType: delegation.POSHMediaType,
		Body: fmt.Appendf(nil, `{"expires":3600,"fingerprints":[{"sha-256":%q}]}`, base64.StdEncoding.EncodeToString(sum[:])),
	}
	good, revoked := statement(targets(at)), statement(targets())
	states := []delegation.DNSSEC{delegation.Secure, delegation.Insecure, delegation.Bogus, delegation.Indeterminate}
	counted := 0
	rapid.Check(t, func(r *rapid.T) {
		maybe := func(what string) bool { return rapid.IntRange(0, 3).Draw(r, what) == 0 }
		e := evidence(nil)
		e.POSH = nil
		clean := true // nothing else can decide
		for _, encoding := range delegation.Encodings() {
			d := delegation.Document{URL: delegation.DocumentURL(source, service, encoding), Status: 404, MaxAge: -1}
			if maybe("no document") {
				clean = false
				continue
			}
			if maybe("document fails") {
				clean = false
				d.Status = 500
			}
			e.Documents = append(e.Documents, d)
		}
		if maybe("published") {
			clean = false
			e.TXT[0].Records = []string{rapid.SampledFrom([]string{good, revoked, "v=DNA1"}).Draw(r, "record")}
		}
		if maybe("stream") {
			clean = false
			e.Streams = []delegation.StreamStatement{{Encoding: delegation.JWS, Body: []byte("x")}}
		}
		state := rapid.SampledFrom(states).Draw(r, "SRV")
		records := []delegation.SRVRecord{}
		if maybe("no SRV") {
			e.SRV = []delegation.SRVAnswer{srv(service, state)}
		} else {
			records = append(records, recordOf(at))
			e.SRV = []delegation.SRVAnswer{srv(service, state, records...)}
		}
		if state == delegation.Bogus || state == delegation.Secure && len(records) > 0 {
			clean = false
		}
		q := question(rapid.SampledFrom([]association.Direction{association.Outgoing, association.Incoming}).Draw(r, "direction"))

		without := decide(t, q, e)
		e2 := *e
		e2.POSH = []delegation.Document{file}
		with := decide(t, q, &e2)
		proofs := with.Proofs()
		for i, p := range without.Proofs() {
			if p.Method != association.POSH && !reflect.DeepEqual(p, proofs[i]) {
				r.Fatalf("with a POSH file: %+v, without: %+v", proofs[i], p)
			}
		}
		a, _ := with.Dial()
		b, _ := without.Dial()
		if !reflect.DeepEqual(a, b) || with.Required() != without.Required() || !with.RefreshAt().Equal(without.RefreshAt()) || with.Authentic() != without.Authentic() {
			r.Fatal("a POSH file changes the decision")
		}
		if got := proofs[len(proofs)-1].Reason == reasons.Verified; got != clean {
			r.Fatalf("it counts: %t, want %t: %+v", got, clean, proofs)
		}
		policy := peers()
		for _, c := range []struct {
			chain []*x509.Certificate
			want  bool
		}{{named, clean}, {named[:1], clean}, {other, false}, {append([]*x509.Certificate{other[0]}, named...), false}} {
			by, err := with.AcceptAnywhere(policy, c.chain)
			if (err == nil) != c.want || c.want && (by.Reference.Method != association.POSH || by.Reference.Name != source || by.Until.After(now.Add(time.Hour))) {
				r.Fatalf("accepted %+v, %v; want %t", by, err, c.want)
			}
		}
		if clean {
			counted++
		}
	})
	if counted == 0 {
		t.Error("it counted nowhere")
	}
}
