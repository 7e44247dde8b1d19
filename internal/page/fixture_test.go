package page

import (
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/watch"
	"github.com/dnasign/dnasign/keys"
)

var (
	now      = world.Noon
	provider = delegation.Endpoint{Host: world.Host, Port: 5269}
	former   = delegation.Endpoint{Host: "xmpp.former.example", Port: 5269}
)

// around is the world of these tests.
var around = world.At(now)

// statement delegates to the provider.
func statement(e delegation.Encoding, s *keys.Signer) []byte {
	return world.Sign(around.Statement(4*world.Day, world.Host), e, s)
}

// found is evidence with the statement in all places, SRV records for a host,
// and answers in a DNSSEC state.
func found(host delegation.Endpoint, state delegation.DNSSEC) *delegation.Evidence {
	signer := around.Of(world.Source)
	jws, ac := statement(delegation.JWS, signer), statement(delegation.AC, signer)
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
	return world.Nothing(world.Source, world.Service, state, now)
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
func conclude(target delegation.Endpoint, evidence ...*delegation.Evidence) watch.Report {
	names := []string{"192.0.2.53:53", "198.51.100.53:53"}
	var list []watch.Observation
	for i, e := range evidence {
		list = append(list, watch.Observation{Resolver: names[i], Evidence: e})
	}
	q := watch.Question{Query: delegation.Query{Source: world.Source, Service: world.Service, Target: target}}
	return watch.Conclude(q, list, around.Policy())
}

// samples are the reports that people look at: screenshots in docs/page.
func samples(t testing.TB) map[string]watch.Report {
	t.Helper()
	return map[string]watch.Report{
		"verified":     conclude(provider, found(provider, delegation.Secure), found(provider, delegation.Insecure)),
		"refused":      conclude(delegation.Endpoint{}, found(former, delegation.Insecure)),
		"undetermined": conclude(delegation.Endpoint{}, silent()),
	}
}
