package verifier_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/floors/filestore"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// A laboratory is b.example, which delegates to xmpp.hosting.example, on
// loopback.
type laboratory struct {
	config verifier.Config
	hosted tls.Certificate // of xmpp.hosting.example
	close  []func()
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func newLaboratory() *laboratory {
	return newLaboratoryFor("_xmpp-server._tcp", delegation.Target{Endpoint: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}})
}

func newLaboratoryFor(service string, target delegation.Target) *laboratory {
	w := world.At(time.Now())
	l := &laboratory{hosted: localca.TLS(w.Of("xmpp.hosting.example"))}
	server := must(peerserver.StartXMPP(&tls.Config{Certificates: []tls.Certificate{l.hosted}}, peerserver.None))
	statement := world.Statement("b.example", service, w.Now.Add(-time.Minute))
	statement.Targets = []delegation.Target{target}
	dns := must(dnsserver.Start([]string{
		delegation.SRVName("b.example", service) + fmt.Sprintf(". 60 IN SRV 0 0 %d xmpp.hosting.example.", target.Port),
		world.Line(statement, w.Of("b.example")),
	}))
	dir := must(os.MkdirTemp("", "example"))
	store := must(filestore.Open(context.Background(), filepath.Join(dir, "floors.db"), nil))
	l.config = verifier.Config{Roots: w.CA.Pool(), Floors: store, Discovery: &discovery.Client{
		Resolver: dns.Addr, Via: discovery.ViaDNS, AllowPrivateAddresses: true,
		ConnectTo: []discovery.ConnectTo{must(discovery.ParseConnectTo("xmpp.hosting.example:5269:" + server.Addr))},
	}}
	l.close = []func(){server.Close, func() { _ = dns.Close() }, func() { _ = store.Close() }, func() { _ = os.RemoveAll(dir) }}
	return l
}

func (l *laboratory) Close() {
	for _, end := range l.close {
		end()
	}
}

// reach connects to b.example, wherever it is.
func reach(ctx context.Context, config verifier.Config) (*tls.Conn, *verifier.Proof, error) {
	v, err := verifier.New(config) // with Roots and Floors
	if err != nil {
		return nil, nil, err
	}
	defer v.Close()
	return v.Dial(ctx, "b.example", "_xmpp-server._tcp", nil)
}

// A client connects to b.example, which somebody else hosts.
func ExampleVerifier_Dial() {
	l := newLaboratory()
	defer l.Close()
	conn, proof, err := reach(context.Background(), l.config)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(proof.Source, "is", proof.Reference.Name, "by", proof.Reference.Method)
	// Output: b.example is xmpp.hosting.example by delegation
}

// serve takes one connection and finds out for whom the peer may speak.
func serve(ctx context.Context, tcp net.Listener, own *tls.Config, config verifier.Config) (*verifier.Proof, error) {
	v, err := verifier.New(config)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	conn, err := tls.NewListener(tcp, verifier.ServerConfig(own)).Accept()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	source, err := io.ReadAll(conn) // the peer says for whom it speaks
	if err != nil {
		return nil, err
	}
	return v.Check(ctx, string(source), "_xmpp-server._tcp", verifier.Accepted(conn.(*tls.Conn)))
}

// A provider speaks for b.example, which has delegated to it, and then for
// c.example, which has not. There the server may fall back to dialback.
func ExampleVerifier_Check() {
	l := newLaboratory()
	defer l.Close()
	tcp := must(net.Listen("tcp", "127.0.0.1:0"))
	defer tcp.Close()
	own := &tls.Config{Certificates: []tls.Certificate{l.hosted}}
	for _, source := range []string{"b.example", "c.example"} {
		go call(tcp.Addr().String(), l.hosted, source)
		proof, err := serve(context.Background(), tcp, own, l.config)
		if err != nil {
			fmt.Printf("%s: %s, may fall back: %t\n", source, delegation.ReasonOf(err), verifier.MayFallBack(err))
			continue
		}
		fmt.Println(proof.Source, "is", proof.Reference.Name, "by", proof.Reference.Method)
	}
	// Output:
	// b.example is xmpp.hosting.example by delegation
	// c.example: no-statement, may fall back: true
}

// call is the peer.
func call(address string, own tls.Certificate, source string) {
	conn := must(tls.Dial("tcp", address, &tls.Config{Certificates: []tls.Certificate{own}, InsecureSkipVerify: true}))
	must(io.WriteString(conn, source))
	_ = conn.Close()
}

// greet connects to the IMAP server of b.example and reads its first line. The
// program itself connects, as a library for IMAP would.
func greet(ctx context.Context, v *verifier.Verifier, dial func(target string) (net.Conn, error)) (string, error) {
	known, err := v.Decide(ctx, verifier.Question{Source: "b.example", Service: "imap", Direction: association.Outgoing})
	if err != nil {
		return "", err
	}
	for _, to := range known.Targets() {
		var tcp net.Conn
		if tcp, err = dial(to.Endpoint.String()); err != nil {
			continue
		}
		conn := tls.Client(tcp, v.ClientConfig(ctx, known, to, nil))
		defer conn.Close()
		return bufio.NewReader(conn).ReadString('\n') // the handshake comes first, and proves the server
	}
	return "", err
}

// An IMAP client reads mail at a provider that has no certificate for b.example.
func ExampleVerifier_ClientConfig() {
	l := newLaboratoryFor("_imap._tcp", delegation.Target{Endpoint: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 993}, TLS: delegation.Direct})
	defer l.Close()
	imap := must(tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{l.hosted}}))
	defer imap.Close()
	go func() {
		conn := must(imap.Accept())
		_ = must(io.WriteString(conn, "* OK IMAP4rev1 at your service\r\n"))
	}()
	v := must(verifier.New(l.config))
	defer v.Close()
	line, err := greet(context.Background(), v, func(target string) (net.Conn, error) {
		fmt.Println("connecting to", target)
		return net.Dial("tcp", imap.Addr().String())
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(line)
	// Output:
	// connecting to xmpp.hosting.example:993
	// * OK IMAP4rev1 at your service
}
