package daemon

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
)

// TestKnownChain: the chain of a verified peer is parsed once, and judged for each
// question all the same.
func TestKnownChain(t *testing.T) {
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	kept := func(body string) bool {
		t.Helper()
		q, err := readQuestion([]byte(body), r.handler.chains)
		if err != nil {
			t.Fatal(err)
		}
		return q.known != 0
	}
	strange := localca.Must(lab().strange.Issue("P-256", []string{host}, time.Now().Add(-day), time.Now().Add(day), nil)).Chain()
	good := of(host).Chain()
	for _, c := range []struct {
		name, source string
		chain        []*x509.Certificate
		want         reasons.Reason
		kept         bool
	}{
		{"another name", source, of("evil.example").Chain(), reasons.PeerNameMismatch, false},
		{"another authority", source, strange, reasons.PeerUntrusted, false},
		{"good", source, good, reasons.Verified, true},
		{"known", source, good, reasons.Verified, true},
		{"known, for another source", "c.example", good, reasons.NoStatement, true},
	} {
		a := r.ask(c.source, "incoming", c.chain)
		if got := kept(ask(source, "incoming", c.chain)); a.Reason != c.want || got != c.kept {
			t.Errorf("%s: got %s, kept %t: %s", c.name, a.Reason, got, a.Message)
		}
	}
	if status, _, body := r.send(nil, "POST", "/v1/check", ask(source, "incoming", good, `"chain_verified":true`)); status != 400 {
		t.Errorf("chain_verified, with the chain: status %d, %s", status, body)
	}
}

// TestChainsWeight: what is kept takes no more memory than is counted, whatever
// is in the certificates.
func TestChainsWeight(t *testing.T) {
	short := func(i int) string { return string([]byte{'a' + byte(i/26%26), 'a' + byte(i%26)}) }
	for name, fill := range map[string]func(c *x509.Certificate, i int){
		"nothing":       func(*x509.Certificate, int) {},
		"DNS names":     func(c *x509.Certificate, i int) { c.DNSNames = append(c.DNSNames, short(i)) },
		"URIs":          func(c *x509.Certificate, i int) { c.URIs = append(c.URIs, &url.URL{Scheme: short(i)}) },
		"organisations": func(c *x509.Certificate, i int) { c.Subject.Organization = append(c.Subject.Organization, short(i)) },
		"policies": func(c *x509.Certificate, i int) {
			c.Policies = append(c.Policies, localca.Must(x509.OIDFromInts([]uint64{1, 2, uint64(i)})))
		},
	} {
		t.Run(name, func(t *testing.T) {
			signer := localca.Must(lab().ca.Issue("P-256", []string{host}, time.Now().Add(-day), time.Now().Add(day), func(c *x509.Certificate) {
				for i := range 600 {
					fill(c, i)
				}
			}))
			body := []byte(with(chainMember(pemOf(signer.Leaf()))))
			known := newChains()
			before := heap()
			for n := range 100 {
				q, err := readQuestion(body, known)
				if err != nil || q.unusable != nil || q.known != 0 {
					t.Fatal(err, q.unusable, q.known)
				}
				q.shown = fmt.Appendf(nil, "%09d%s", n, q.shown[9:]) // another text
				known.keep(q)
			}
			if took, counted := int64(heap()-before), known.known.Weight(); took > counted || counted > chainsRoom {
				t.Errorf("the chains take %d bytes, %d are counted", took, counted)
			}
			runtime.KeepAlive(known)
		})
	}
}
