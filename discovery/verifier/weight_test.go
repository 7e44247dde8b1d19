package verifier

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// TestWeight: whoever has a zone, or a certificate, can bring about entries as
// large as they can be. What they take is what is counted, or less, so that
// the limit of the cache is one.
func TestWeight(t *testing.T) {
	const many = 40
	pad := strings.Repeat("a", 60)
	long := func(kind string, i int) string {
		return fmt.Sprintf("%s%02d%s.%s.%s.%s.example", kind, i, pad[:40], pad, pad, pad[:56])
	}
	answers := func(state delegation.DNSSEC, srv, targets int) func(*testing.T, string) *delegation.Evidence {
		return func(_ *testing.T, domain string) *delegation.Evidence {
			return evidenceOf(domain, state, srv, targets, long)
		}
	}
	for _, c := range []struct {
		name     string
		evidence func(t *testing.T, domain string) *delegation.Evidence
	}{
		{"secure SRV", answers(delegation.Secure, limits.MaxSRVRecords, 0)},
		{"insecure SRV", answers(delegation.Insecure, limits.MaxSRVRecords, 0)},
		{"statements", answers(delegation.Insecure, 0, limits.MaxTargets)},
		{"statements and SRV", answers(delegation.Insecure, limits.MaxSRVRecords, limits.MaxTargets)},
		{"statements and secure SRV", answers(delegation.Secure, limits.MaxSRVRecords, limits.MaxTargets)},
		{"small statements", func(_ *testing.T, domain string) *delegation.Evidence {
			return evidenceOf(domain, delegation.Insecure, 0, 1, func(kind string, i int) string { return fmt.Sprintf("%s%d.hosting.example", kind, i) })
		}},
		{"nothing that is good", junk},
		{"white space", spacious},
	} {
		for _, direction := range []association.Direction{association.Incoming, association.Outgoing} {
			t.Run(c.name+" "+string(direction), func(t *testing.T) {
				name := func(i int) string { return fmt.Sprintf("a%d.example", i) }
				for i := range many {
					signer(name(i))
				}
				entries := make([]*entry, many)
				before := heap()
				for i := range entries {
					entries[i] = decided(t, association.Question{Source: name(i), Service: service, Direction: direction}, c.evidence(t, name(i)))
				}
				took := int64(heap()-before) / many
				weight := entries[0].weight()
				t.Logf("an entry takes %d octets, and is counted as %d", took, weight)
				if weight < took {
					t.Errorf("an entry takes %d octets, and is counted as %d", took, weight)
				}
				runtime.KeepAlive(entries)
			})
		}
	}
}

// heap is how much is in use.
func heap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools keep goes with the second
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// evidenceOf is about a domain with a number of SRV records at both labels. Its
// statement has a number of targets, each with another long name.
func evidenceOf(domain string, state delegation.DNSSEC, srv, targets int, long func(string, int) string) *delegation.Evidence {
	e := world.Nothing(domain, service, state, start)
	e.Documents = nil
	for n := range e.SRV {
		var hosts []string
		for i := range max(srv, targets) {
			hosts = append(hosts, long(fmt.Sprint("x", n), i))
		}
		for _, host := range hosts[:srv] {
			e.SRV[n].Records = append(e.SRV[n].Records, delegation.SRVRecord{Target: strings.Clone(host), Port: 5269})
		}
		if targets > 0 && n == 0 {
			e.TXT[0].Records = []string{signedFor(domain, 0, hosts[:targets], func(s *delegation.Statement) {
				for i := range s.Targets {
					s.Targets[i].SPKI = []delegation.Pin{{1}, {2}, {3}, {4}}
				}
			})}
		}
	}
	return e
}

// junk is evidence of places that are full of what is no statement.
func junk(_ *testing.T, domain string) *delegation.Evidence {
	e := evidenceOf(domain, delegation.Insecure, 0, 0, nil)
	for r := range 4 {
		e.TXT[0].Records = append(e.TXT[0].Records, "v=DNA1; e=jws; s="+strings.Repeat(fmt.Sprint(r), 16_000))
	}
	for _, encoding := range delegation.Encodings() {
		e.Documents = append(e.Documents, delegation.Document{
			URL: delegation.DocumentURL(domain, service, encoding), Status: 200, MediaType: encoding.MediaType(), MaxAge: -1,
			Body: bytes.Repeat([]byte("A"), 65_000),
		})
	}
	return e
}

// spacious is evidence of a statement whose payload is mostly white space.
func spacious(t *testing.T, domain string) *delegation.Evidence {
	e := evidenceOf(domain, delegation.Insecure, 0, 0, nil)
	claims := fmt.Sprintf(`{"iss":%q,"service":%q,"targets":[{"host":%q,"port":5269,"priority":0,"weight":0}],"iat":%d,"exp":%d,"jti":"AQAAAAAAAAAAAAAAAAAAAA"}`,
		domain, service, host, start.Unix(), start.Add(day).Unix())
	token, err := jws.Sign([]byte(claims+strings.Repeat(" ", 20_000)), delegation.Type, keys.ES256, signer(domain))
	if err != nil {
		t.Fatal(err)
	}
	e.TXT[0].Records = []string{delegation.JWS.TXTRecord(token)}
	return e
}

// decided is the entry that a question and evidence make.
func decided(t *testing.T, q association.Question, e *delegation.Evidence) *entry {
	t.Helper()
	at := moment{clock: start}
	a, err := association.Decide(q, e, delegation.Policy{Roots: pool(), Time: start})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := pack(e)
	if err != nil {
		t.Fatal(err)
	}
	k := key{subject{q.Source, q.Service}, q.Direction}
	return newEntry(k, &made{association: a, evidence: e, known: a.Floor(), at: at}, kept{packed: packed}, 0)
}
