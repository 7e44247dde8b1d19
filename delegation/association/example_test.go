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
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// What somebody finds out who wants to connect to b.example.
func ExampleDecide() {
	w := world.At(time.Now())
	statement := world.Statement("b.example", "_xmpp-server._tcp", w.Now, "xmpp.hosting.example")
	dns, err := dnsserver.Start([]string{
		world.Line(statement, w.Of("b.example")),
		"_xmpp-server._tcp.b.example. 300 IN SRV 10 0 5269 evil.example.",
		"_xmpp-server._tcp.b.example. 300 IN SRV 20 0 5269 xmpp.hosting.example.",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer dns.Close()
	client := &discovery.Client{Resolver: dns.Addr, Via: discovery.ViaDNS, HTTPSRoots: w.CA.Pool()}
	question := association.Question{Source: "b.example", Service: "_xmpp-server._tcp", Direction: association.Outgoing}
	evidence, err := client.Gather(context.Background(), question.Source, question.Service, nil)
	if err != nil {
		log.Fatal(err)
	}

	a, err := association.Decide(question, evidence, delegation.Policy{Roots: w.CA.Pool(), Time: time.Now()})
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
