package association_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// What somebody finds out who wants to connect to b.example.
func ExampleDecide() {
	ca, err := localca.New("Example Root", time.Now())
	if err != nil {
		log.Fatal(err)
	}
	dns, err := dnsserver.Start([]string{
		publish(ca, "b.example", "xmpp.hosting.example", 5269),
		"_xmpp-server._tcp.b.example. 300 IN SRV 10 0 5269 evil.example.",
		"_xmpp-server._tcp.b.example. 300 IN SRV 20 0 5269 xmpp.hosting.example.",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer dns.Close()
	client := &discovery.Client{Resolver: dns.Addr, Via: discovery.ViaDNS, HTTPSRoots: ca.Pool()}
	question := association.Question{Source: "b.example", Service: "_xmpp-server._tcp", Direction: association.Outgoing}
	evidence, err := client.Gather(context.Background(), question.Source, question.Service, nil)
	if err != nil {
		log.Fatal(err)
	}

	a, err := association.Decide(question, evidence, delegation.Policy{Roots: ca.Pool(), Time: time.Now()})
	if err != nil {
		log.Fatal(err)
	}
	for _, proof := range a.Proofs() {
		fmt.Println(proof.Method, proof.Reason, "-", proof.Detail)
	}
	list, err := a.Dial()
	if err != nil {
		log.Fatal(err)
	}
	for _, dial := range list {
		fmt.Println("connect to", dial.Endpoint, "with the server name", dial.ServerName)
	}
	fmt.Println("required:", a.Required())
	// Output:
	// pkix verified - b.example
	// dnssec not-secure - there are no SRV records that DNSSEC secures
	// delegation verified - xmpp.hosting.example
	// posh not-used - a POSH file counts only where nothing else can decide
	// connect to xmpp.hosting.example:5269 with the server name xmpp.hosting.example
	// required: true
}

// newLeaf is a certificate of a domain; a program has keys.LoadSigner.
func newLeaf(ca *localca.Authority, domain string) *keys.Signer {
	signer, err := ca.Issue("P-256", []string{domain}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), nil)
	if err != nil {
		log.Fatal(err)
	}
	return signer
}

// publish is the zone line of a domain that delegates.
func publish(ca *localca.Authority, domain, host string, port uint16) string {
	token, err := delegation.Sign(delegation.Statement{
		Source: domain, Service: "_xmpp-server._tcp", ID: delegation.ID{1},
		Targets: []delegation.Target{{Endpoint: delegation.Endpoint{Host: host, Port: port}}},
		Issued:  time.Now(), Expires: time.Now().Add(time.Hour),
	}, delegation.JWS, newLeaf(ca, domain))
	if err != nil {
		log.Fatal(err)
	}
	line := delegation.TXTName(domain, "_xmpp-server._tcp") + ". 300 IN TXT"
	for text := delegation.JWS.TXTRecord(token); text != ""; {
		n := min(len(text), 255)
		line, text = line+` "`+text[:n]+`"`, text[n:]
	}
	return line
}
