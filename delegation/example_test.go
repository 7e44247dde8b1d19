package delegation_test

import (
	"fmt"
	"log"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/testkit/localca"
)

// The owner of b.example signs. A program has keys.LoadSigner for the
// certificate and the key, and time.Now for the time.
func ExampleSign() {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	ca, err := localca.New("Example Root", now)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := ca.Issue("P-256", []string{"b.example"}, now.AddDate(0, 0, -1), now.AddDate(0, 3, 0), nil)
	if err != nil {
		log.Fatal(err)
	}

	token, err := delegation.Sign(delegation.Statement{
		Source:  "b.example",
		Service: "_xmpp-server._tcp",
		Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}}},
		Issued:  now,
		Expires: now.Add(limits.DefaultLife),
		ID:      delegation.ID{0x2f, 0x91}, // 16 octets from crypto/rand in a program
	}, delegation.JWS, signer)
	if err != nil {
		log.Fatal(err)
	}
	record := delegation.JWS.TXTRecord(token)
	fmt.Println(delegation.TXTName("b.example", "_xmpp-server._tcp"))
	fmt.Println(record[:16])

	// A wildcard in place of the name is not enough, and nothing is signed.
	wildcard, err := ca.Issue("P-256", []string{"*.example"}, now.AddDate(0, 0, -1), now.AddDate(0, 3, 0), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = delegation.Sign(delegation.Statement{
		Source: "b.example", Service: "_xmpp-server._tcp",
		Issued: now, Expires: now.Add(limits.DefaultLife), ID: delegation.ID{1},
	}, delegation.JWS, wildcard)
	fmt.Println(err)
	// Output:
	// _xmpp-server._tcp._dna.b.example
	// v=DNA1; e=jws; s
	// refused: signer-wildcard: the signer's certificate names *.example and not b.example
}

// Somebody connects to b.example and has found a statement. A program has
// package discovery for the evidence and keys.LoadRoots for the trust anchors.
func ExampleVerify() {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	ca, err := localca.New("Example Root", now)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := ca.Issue("P-256", []string{"b.example"}, now.AddDate(0, 0, -1), now.AddDate(0, 3, 0), nil)
	if err != nil {
		log.Fatal(err)
	}
	token, err := delegation.Sign(delegation.Statement{
		Source:  "b.example",
		Service: "_xmpp-server._tcp",
		Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}}},
		Issued:  now, Expires: now.Add(limits.DefaultLife), ID: delegation.ID{0x2f, 0x91},
	}, delegation.JWS, signer)
	if err != nil {
		log.Fatal(err)
	}

	query := delegation.Query{Source: "b.example", Service: "_xmpp-server._tcp"}
	policy := delegation.Policy{Roots: ca.Pool(), Time: now.Add(time.Hour)}
	evidence := &delegation.Evidence{
		Version: delegation.EvidenceVersion, Source: query.Source, Service: query.Service,
		TXT: []delegation.TXTAnswer{{
			Answer:  delegation.Answer{Name: delegation.TXTName(query.Source, query.Service), DNSSEC: delegation.Insecure, TTL: 3600},
			Records: []string{delegation.JWS.TXTRecord(token)},
		}},
	}
	result, err := delegation.Verify(query, evidence, policy)
	if err != nil {
		log.Fatal(err)
	}
	for _, target := range result.Dial() {
		fmt.Println("connect to", target.Endpoint)
	}
	fmt.Println("until", result.ValidUntil())

	policy.Time = result.ValidUntil()
	_, err = delegation.Verify(query, evidence, policy)
	fmt.Println(err)
	// Output:
	// connect to xmpp.hosting.example:5269
	// until 2026-07-15 12:00:00 +0000 UTC
	// refused: expired: expired at 2026-07-15T12:00:00Z, and now it is 2026-07-15T12:00:00Z
}
