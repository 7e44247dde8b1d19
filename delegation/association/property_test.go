package association_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// TestLaws holds random decisions to what must hold for all.
func TestLaws(t *testing.T) {
	pool := []delegation.Endpoint{at, {Host: host, Port: 5270}, backup, {Host: "elsewhere.example", Port: 5269}}
	states := []delegation.DNSSEC{delegation.Secure, delegation.Insecure, delegation.Bogus, delegation.Indeterminate}
	signed := map[string]string{} // records, by what they say: signing takes time
	subset := func(r *rapid.T, label string) (list []delegation.Endpoint, key string) {
		bits := rapid.IntRange(0, 1<<len(pool)-1).Draw(r, label)
		for i, e := range pool {
			if bits>>i&1 == 1 {
				list = append(list, e)
			}
		}
		return list, string(rune('a' + bits))
	}
	rapid.Check(t, func(r *rapid.T) {
		var answers []delegation.SRVAnswer
		allowed := []string{source}
		for _, label := range []string{service, direct} {
			if !rapid.Bool().Draw(r, "asked "+label) {
				continue
			}
			answer := srv(label, rapid.SampledFrom(states).Draw(r, "state"))
			list, _ := subset(r, "SRV")
			for _, e := range list {
				answer.Records = append(answer.Records, recordOf(e))
				if answer.DNSSEC == delegation.Secure {
					allowed = append(allowed, e.Host)
				}
			}
			if rapid.Bool().Draw(r, "failed") {
				answer.Failure = &delegation.Failure{Reason: reasons.DNSTimeout, Detail: "silence"}
			}
			answers = append(answers, answer)
		}
		list, key := subset(r, "targets")
		mode := rapid.SampledFrom([]delegation.TLSMode{"", delegation.Direct}).Draw(r, "TLS")
		expires := rapid.SampledFrom([]time.Time{now, now.Add(day)}).Draw(r, "expires")
		key += string(mode) + expires.String()
		if signed[key] == "" {
			signed[key] = statement(targets(list...), func(s *delegation.Statement) {
				s.Expires = expires
				for i := range s.Targets {
					s.Targets[i].TLS = mode
				}
			})
		}
		for _, e := range list {
			allowed = append(allowed, e.Host)
		}
		q := question(rapid.SampledFrom([]association.Direction{association.Outgoing, association.Incoming}).Draw(r, "direction"))
		q.StatementFirst = rapid.Bool().Draw(r, "first")

		with := decide(t, q, evidence([]string{signed[key]}, answers...))
		without := decide(t, q, evidence(nil, answers...))
		for _, a := range []*association.Association{with, without} {
			pkix := a.Proofs()[0]
			if len(pkix.References) != 1 || pkix.References[0].Name != source || pkix.Reason != reasons.Verified {
				r.Fatalf("pkix: %+v", pkix)
			}
			for _, reference := range a.References() {
				if !slices.Contains(allowed, reference.Name) {
					r.Fatalf("%s counts by %s", reference.Name, reference.Method)
				}
			}
		}
		// A statement says nothing beside secure records.
		if with.Proofs()[1].Reason == reasons.Verified {
			if got, want := len(with.References()), len(without.References()); got != want {
				r.Fatalf("%d references with the statement, %d without", got, want)
			}
		}
		// Taking a statement away adds no name: all that count without it count
		// with it.
		for _, reference := range without.References() {
			if !slices.ContainsFunc(with.References(), func(o association.Reference) bool {
				return o.Name == reference.Name && o.Method == reference.Method && o.Endpoint == reference.Endpoint && o.Until.Equal(reference.Until)
			}) {
				r.Fatalf("%+v counts only without the statement", reference)
			}
		}
		// Where a statement says where to connect, it says how TLS begins.
		start := delegation.STARTTLS
		if mode == delegation.Direct {
			start = delegation.DirectTLS
		}
		dial, _ := with.Dial()
		for _, d := range dial {
			if with.Proofs()[2].Reason == reasons.Verified && d.Start != start {
				r.Fatalf("%s begins with %q", d.Endpoint, d.Start)
			}
		}
		// Where names count by delegation, none counts by dnssec, and the reverse.
		if proofs := with.Proofs(); len(proofs[1].References) > 0 && len(proofs[2].References) > 0 {
			r.Fatalf("both methods have references: %+v", proofs)
		}
	})
}
