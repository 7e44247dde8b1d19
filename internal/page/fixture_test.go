package page

import (
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/watch"
	"github.com/dnasign/dnasign/keys"
)

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	day     = 24 * time.Hour
)

var (
	now      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	provider = delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}
	former   = delegation.Endpoint{Host: "xmpp.former.example", Port: 5269}
)

// A world has an authority and a signer, and makes evidence.
type world struct {
	ca     *localca.Authority
	signer *keys.Signer
}

func newWorld() *world {
	ca := localca.NewChain(now)
	return &world{ca, localca.Must(ca.Issue("P-256", []string{source}, now.Add(-5*day), now.Add(60*day), nil))}
}

func (w *world) statement(e delegation.Encoding, s *keys.Signer) []byte {
	return localca.Must(delegation.Sign(setup.Statement(source, service, now.Add(-4*day), provider.Host), e, s))
}

// found is evidence with the statement in all places, SRV records for a host,
// and answers in a DNSSEC state.
func (w *world) found(host delegation.Endpoint, state delegation.DNSSEC) *delegation.Evidence {
	jws, ac := w.statement(delegation.JWS, w.signer), w.statement(delegation.AC, w.signer)
	e := nothing(state)
	e.SRV[0].Records = []delegation.SRVRecord{{Port: host.Port, Target: host.Host}}
	e.TXT[0].Records = []string{delegation.JWS.TXTRecord(jws)}
	for i, body := range [][]byte{jws, ac} {
		encoding := delegation.Encodings()[i]
		e.Documents[i].Status, e.Documents[i].MediaType, e.Documents[i].Body = 200, encoding.MediaType(), body
	}
	return e
}

func nothing(state delegation.DNSSEC) *delegation.Evidence {
	return setup.Nothing(source, service, state, now)
}

// silent is evidence of servers that do not answer.
func silent() *delegation.Evidence {
	e := nothing(delegation.Indeterminate)
	for i := range e.SRV {
		e.SRV[i].Failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "no answer from 192.0.2.53:53 within 5 s"}
	}
	e.TXT[0].Failure = e.SRV[0].Failure
	for i := range e.Documents {
		e.Documents[i] = delegation.Document{URL: e.Documents[i].URL, Failure: &delegation.Failure{Reason: reasons.HTTPSTimeout, Detail: "no answer within 5 s"}}
	}
	return e
}

// conclude is the report about evidence through resolvers.
func (w *world) conclude(target delegation.Endpoint, evidence ...*delegation.Evidence) watch.Report {
	names := []string{"192.0.2.53:53", "198.51.100.53:53"}
	var list []watch.Observation
	for i, e := range evidence {
		list = append(list, watch.Observation{Resolver: names[i], Evidence: e})
	}
	q := watch.Question{Query: delegation.Query{Source: source, Service: service, Target: target}}
	return watch.Conclude(q, list, delegation.Policy{Time: now, Roots: w.ca.Pool()})
}

// samples are the reports that people look at: screenshots in docs/page.
func samples(t testing.TB) map[string]watch.Report {
	t.Helper()
	w := newWorld()
	return map[string]watch.Report{
		"verified":     w.conclude(provider, w.found(provider, delegation.Secure), w.found(provider, delegation.Insecure)),
		"refused":      w.conclude(delegation.Endpoint{}, w.found(former, delegation.Insecure)),
		"undetermined": w.conclude(delegation.Endpoint{}, silent()),
	}
}
