package watch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// TestKnown: a certificate that the owner does not know is an error, whether it
// signs or is that of the web server. Without a set of known ones nothing is said.
func TestKnown(t *testing.T) {
	signer, short := around.Of(source), around.Issue(-10*day, 3*day, source)
	mine, other := signer.Leaf(), short.Leaf()
	raw := sign(signer, delegation.JWS, time.Hour, 14*day, provider)
	late := sign(short, delegation.JWS, time.Hour, day, former)
	forged := slices.Concat(late[:len(late)-2], []byte("AA"))
	for _, c := range []struct {
		name   string
		known  *Known
		served *x509.Certificate
		edits  []edit
		want   []string // how the findings of this name begin
	}{
		{"nothing is known", nil, other, []edit{web(delegation.JWS, late)}, nil},
		{"all are known", NewKnown([]*x509.Certificate{other, mine}), mine, []edit{web(delegation.JWS, late)}, nil},
		{"the signer is not", NewKnown([]*x509.Certificate{other}), nil, nil, []string{"the signer of a statement has"}},
		{"a signer in one place is not", NewKnown([]*x509.Certificate{mine}), nil, []edit{web(delegation.JWS, late)}, []string{"the signer of a statement has a certificate that is not among the known ones: b.example, "}},
		{"nor if the signature is bad", NewKnown([]*x509.Certificate{mine}), nil, []edit{web(delegation.JWS, forged)}, nil},
		{"the web server's is not", NewKnown([]*x509.Certificate{mine}), other, nil, []string{"the web server has a certificate"}},
		{"an empty set", NewKnown(nil), mine, nil, []string{"the signer of", "the web server has"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := question(source)
			q.Known = c.known
			edits := append([]edit{txt(delegation.JWS, raw), web(delegation.JWS, raw)}, c.edits...)
			r := Conclude(q, []Observation{{Resolver: "r", Evidence: found(edits...), Served: c.served}}, around.Policy())
			var got []Finding
			for _, f := range r.Findings {
				if f.Name == UnknownCertificate {
					got = append(got, f)
				}
			}
			if known := c.known != nil && c.known.digests[sha256.Sum256(mine.Raw)]; c.edits == nil && (r.Accepted == nil || r.Accepted.Known != known) {
				t.Errorf("accepted %+v, known: %t", r.Accepted, known)
			}
			if len(got) != len(c.want) {
				t.Fatalf("findings %+v, want %q", got, c.want)
			}
			for i, f := range got {
				if !strings.HasPrefix(f.Detail, c.want[i]) || f.Severity != SeverityError || f.Hint == "" {
					t.Errorf("%+v, want %q", f, c.want[i])
				}
			}
		})
	}
}

// TestServed: a Watcher that has a set of known certificates asks the web server of
// a domain for its own.
func TestServed(t *testing.T) {
	host := localca.Must(around.CA.Issue("P-256", []string{source}, time.Now().Add(-day), time.Now().Add(day), nil))
	site := setup.Web(t, &http.Server{Handler: http.NotFoundHandler()}, &tls.Config{Certificates: []tls.Certificate{localca.TLS(host)}})
	dns := setup.DNS(t, zoneOf(source, sign(around.Of(source), delegation.JWS, time.Hour, 14*day, provider))...)
	to, err := discovery.ParseConnectTo(source + ":443:" + site.String())
	if err != nil {
		t.Fatal(err)
	}
	client := &discovery.Client{Resolver: dns.Addr, HTTPSRoots: around.CA.Pool(), ConnectTo: []discovery.ConnectTo{to}, AllowPrivateAddresses: true}
	watcher := NewWatcher([]Resolver{{"one", client}}, around.Policy(), nil, 1)
	q := question(source)
	q.Known = NewKnown(nil)
	r, err := watcher.Look(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	var details []string
	for _, f := range r.Findings {
		if f.Name == UnknownCertificate {
			details = append(details, f.Detail)
		}
	}
	if len(details) != 2 || !strings.HasPrefix(details[1], "the web server has") {
		t.Errorf("%q\n%+v", details, r.Findings)
	}
}
