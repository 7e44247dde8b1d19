package association_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// These tests keep what a security review found mended.

// silent is evidence of a domain whose TXT records could not be looked at.
func silent(domain, label string, answers ...delegation.SRVAnswer) *delegation.Evidence {
	e := evidenceOf(domain, label, nil, answers...)
	e.TXT[0].Failure = &delegation.Failure{Reason: delegation.DNSTimeout, Detail: "no answer"}
	e.TXT[0].DNSSEC = delegation.Indeterminate
	return e
}

// TestNowhere: a service without a default port has nowhere to connect to, for
// the reason why there is no statement.
func TestNowhere(t *testing.T) {
	q := association.Question{Source: source, Service: direct, Direction: association.Outgoing}
	revocation := statement(t, targets(), func(s *delegation.Statement) { s.Service = direct })
	for _, c := range []struct {
		name     string
		evidence *delegation.Evidence
		want     delegation.Reason
	}{
		{"nothing", evidenceOf(source, direct, nil), delegation.NoStatement},
		{"look-up failed", silent(source, direct), delegation.DNSTimeout},
		{"revoked", evidenceOf(source, direct, []string{revocation}), delegation.Revoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decide(t, q, c.evidence).Dial()
			wantReason(t, c.want, err)
		})
	}
}

// TestFailedLookupEndsNothing: rule R2. A later decision whose look-up failed
// ends no pair, neither of the first source nor of one held by secure records.
func TestFailedLookupEndsNothing(t *testing.T) {
	for _, d := range []association.Direction{association.Incoming, association.Outgoing} {
		t.Run("first source, "+string(d), func(t *testing.T) {
			table := connected(t, fixed, d, of(t, host))
			later := decide(t, association.Question{Source: tenantA, Service: service, Direction: d}, silent(tenantA, service))
			_, err := table.Request("one", ours, later)
			wantReason(t, delegation.DNSTimeout, err)
			if ended := table.Update(later); len(ended) != 0 {
				t.Errorf("%q ended", ended)
			}
			if _, ok := table.Serves("one", ours, tenantA); !ok {
				t.Error("the pair has ended")
			}
		})
		t.Run("by secure records, "+string(d), func(t *testing.T) {
			table := connected(t, fixed, d, of(t, host))
			q := association.Question{Source: tenantB, Service: service, Direction: d}
			answer := delegation.SRVAnswer{
				Answer:  delegation.Answer{Name: delegation.SRVName(tenantB, service), DNSSEC: delegation.Secure, TTL: 3600},
				Records: []delegation.SRVRecord{recordOf(at)},
			}
			if _, err := table.Request("one", ours, decide(t, q, evidenceOf(tenantB, service, nil, answer))); err != nil {
				t.Fatal(err)
			}
			answer.DNSSEC, answer.Records = delegation.Indeterminate, nil
			answer.Failure = &delegation.Failure{Reason: delegation.DNSTimeout, Detail: "no answer"}
			if ended := table.Update(decide(t, q, evidenceOf(tenantB, service, nil, answer))); len(ended) != 0 {
				t.Errorf("%q ended", ended)
			}
			if _, ok := table.Serves("one", ours, tenantB); !ok {
				t.Error("the pair has ended")
			}
		})
	}
}

// TestOtherDecisionEndsNothing: a decision of the other direction is refused
// and is no later decision of this one.
func TestOtherDecisionEndsNothing(t *testing.T) {
	table := connected(t, fixed, association.Outgoing, of(t, host))
	if _, err := table.Request("one", ours, delegates(t, tenantB, association.Outgoing, at)); err != nil {
		t.Fatal(err)
	}
	_, err := table.Request("one", ours, delegates(t, tenantB, association.Incoming, at))
	wantReason(t, delegation.ServiceMismatch, err)
	if _, ok := table.Serves("one", ours, tenantB); !ok {
		t.Error("the pair has ended")
	}
}

// TestAddTwice: however often one connection is added at once, Remove takes
// out all of it.
func TestAddTwice(t *testing.T) {
	a := delegates(t, tenantA, association.Incoming, at)
	chain := of(t, host).Chain()
	for range 50 {
		table := newTable(fixed)
		var adding sync.WaitGroup
		for i := range 8 {
			adding.Go(func() {
				if _, err := table.Add("one", nowhere, chain, fmt.Sprint(i), a); err != nil {
					t.Error(err)
				}
			})
		}
		adding.Wait()
		if connections, pairs := table.Len(); connections != 1 || pairs != 1 {
			t.Fatalf("%d connections, %d pairs, want one", connections, pairs)
		}
		table.Remove("one")
		if connections, pairs := table.Len(); connections != 0 || pairs != 0 {
			t.Fatalf("%d connections, %d pairs left", connections, pairs)
		}
	}
}

// TestLabelOfAnyState: an endpoint that only the other label names is dialled
// as that label, in whatever state its records are.
func TestLabelOfAnyState(t *testing.T) {
	e := evidence([]string{statement(t, targets(at))},
		srv(service, delegation.Secure),
		srv(direct, delegation.Insecure, recordOf(delegation.Endpoint{Host: host, Port: 5270})))
	dial, err := decide(t, question(association.Outgoing), e).Dial()
	if err != nil {
		t.Fatal(err)
	}
	if len(dial) != 1 || dial[0].Service != direct || !dial[0].Direct {
		t.Errorf("%+v, want one, with TLS at once", dial)
	}
}
