package association_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/dnsserver"
	"github.com/dnasign/dnasign/internal/localca"
)

// serve takes one connection, on which the peer says for which domain it speaks,
// and finds out whether it may. In XMPP this is the from of the stream header.
func serve(l net.Listener, own *tls.Config, client *discovery.Client, roots *x509.CertPool) (*association.Acceptance, error) {
	peers := delegation.PeerPolicy{Roots: roots, Now: time.Now}
	conn, err := tls.NewListener(l, association.ServerConfig(own, nil, peers)).Accept()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	from, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return nil, err
	}
	question := association.Question{Source: strings.TrimSpace(from), Service: "_xmpp-server._tcp", Direction: association.Incoming}
	evidence, err := client.Gather(context.Background(), question.Source, question.Service, nil)
	if err != nil {
		return nil, err
	}
	a, err := association.Decide(question, evidence, delegation.Policy{Roots: roots, Time: time.Now()})
	if err != nil {
		return nil, err
	}
	return a.Accept(delegation.Endpoint{}, peers, conn.(*tls.Conn).ConnectionState().PeerCertificates)
}

// A server is told by a hosting provider that it speaks for b.example, which
// has delegated to it, and then for c.example, which has not.
func ExampleServerConfig() {
	ca, err := localca.New("Example Root", time.Now())
	if err != nil {
		log.Fatal(err)
	}
	dns, err := dnsserver.Start([]string{publish(ca, "b.example", "xmpp.hosting.example", 5269)})
	if err != nil {
		log.Fatal(err)
	}
	defer dns.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	client := &discovery.Client{Resolver: dns.Addr, Via: discovery.ViaDNS, HTTPSRoots: ca.Pool()}

	for _, from := range []string{"b.example", "c.example"} {
		go speakFor(from, listener.Addr().String(), certificate(newLeaf(ca, "xmpp.hosting.example")))
		acceptance, err := serve(listener, &tls.Config{Certificates: []tls.Certificate{certificate(newLeaf(ca, "d.example"))}}, client, ca.Pool())
		if err != nil {
			fmt.Println(from+":", delegation.ReasonOf(err))
			continue
		}
		fmt.Println(from+": by", acceptance.Reference.Method, "as", acceptance.Reference.Name)
	}
	// Output:
	// b.example: by delegation as xmpp.hosting.example
	// c.example: peer-name-mismatch
}

// speakFor connects as a peer and makes its claim.
func speakFor(from, addr string, own tls.Certificate) {
	conn, err := tls.Dial("tcp", addr, &tls.Config{Certificates: []tls.Certificate{own}, InsecureSkipVerify: true})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, from)
	_, _ = conn.Read(make([]byte, 1)) // until the server has gone
}
