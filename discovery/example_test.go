package discovery_test

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
)

// A DNS server on loopback stands in for the resolver. A program names its own
// one, or none for those of the system.
func ExampleClient_Gather() {
	server, err := dnsserver.Start([]string{
		`_imap._tcp._dna.b.example. 300 IN TXT "v=DNA1; e=jws; s=" "eyJhbGciOi..."`,
		`_imap._tcp.b.example.      300 IN SRV 10 0 143 mail.hosting.example.`,
		`_imaps._tcp.b.example.     300 IN SRV 10 0 993 mail.hosting.example.`,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	client := &discovery.Client{
		Resolver:   server.Addr,
		HTTPSRoots: x509.NewCertPool(), // in a program: keys.LoadRoots
	}
	evidence, err := client.Gather(context.Background(), "b.example", "_imap._tcp", func(e *delegation.Evidence) bool {
		// In a program: delegation.Verify says that e is enough.
		return len(e.TXT[0].Records) > 0 && len(e.SRV[0].Records) > 0 && len(e.SRV[1].Records) > 0
	})
	if err != nil {
		fmt.Println(err) // a mistake of ours; the network's are in the evidence
		return
	}
	fmt.Println(evidence.TXT[0].Name, evidence.TXT[0].Records[0])
	for _, srv := range evidence.SRV {
		fmt.Println(srv.Name, srv.Records[0].Target, srv.Records[0].Port, srv.DNSSEC)
	}
	// Output:
	// _imap._tcp._dna.b.example v=DNA1; e=jws; s=eyJhbGciOi...
	// _imap._tcp.b.example mail.hosting.example 143 insecure
	// _imaps._tcp.b.example mail.hosting.example 993 insecure
}
