package page

import (
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
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

func (w *world) statement(t testing.TB, e delegation.Encoding, s *keys.Signer) []byte {
	t.Helper()
	return localca.Must(delegation.Sign(delegation.Statement{
		Source: source, Service: service, ID: delegation.ID{1}, Issued: now.Add(-4 * day), Expires: now.Add(10 * day),
		Targets: []delegation.Target{{Endpoint: provider}},
	}, e, s))
}

// found is evidence with the statement in all places, SRV records for a host,
// and answers in a DNSSEC state.
func (w *world) found(t testing.TB, host delegation.Endpoint, state delegation.DNSSEC) *delegation.Evidence {
	t.Helper()
	jws, ac := w.statement(t, delegation.JWS, w.signer), w.statement(t, delegation.AC, w.signer)
	e := nothing(state)
	e.SRV[0].Records = []delegation.SRVRecord{{Port: host.Port, Target: host.Host}}
	e.TXT[0].Records = []string{delegation.JWS.TXTRecord(jws)}
	for i, body := range [][]byte{jws, ac} {
		encoding := delegation.Encodings()[i]
		e.Documents[i].Status, e.Documents[i].MediaType, e.Documents[i].Body = 200, encoding.MediaType(), body
	}
	return e
}

// nothing is evidence of an orderly look at every place, with nothing there.
func nothing(state delegation.DNSSEC) *delegation.Evidence {
	e := &delegation.Evidence{Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: now}
	answer := func(name string) delegation.Answer { return delegation.Answer{Name: name, DNSSEC: state, TTL: 3600} }
	for _, label := range delegation.RoleOf(service).Labels() {
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: answer(delegation.SRVName(source, label)), Records: []delegation.SRVRecord{}})
	}
	e.TXT = append(e.TXT, delegation.TXTAnswer{Answer: answer(delegation.TXTName(source, service)), Records: []string{}})
	for _, encoding := range delegation.Encodings() {
		e.Documents = append(e.Documents, delegation.Document{URL: delegation.DocumentURL(source, service, encoding), Status: 404, MaxAge: -1})
	}
	return e
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
		"verified":     w.conclude(provider, w.found(t, provider, delegation.Secure), w.found(t, provider, delegation.Insecure)),
		"refused":      w.conclude(delegation.Endpoint{}, w.found(t, former, delegation.Insecure)),
		"undetermined": w.conclude(delegation.Endpoint{}, silent()),
	}
}
