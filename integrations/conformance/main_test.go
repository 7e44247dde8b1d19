package main

import (
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// TestCareless: a server that accepts everybody and asks nobody is found out, in
// both directions.
func TestCareless(t *testing.T) {
	issue := world.At(time.Now()).Of
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	back := fmt.Sprintf("127.0.0.1:%d", realtest.Port(t))
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go careless(conn, &tls.Config{Certificates: []tls.Certificate{localca.TLS(issue("a.example"))}}, back)
		}
	}()
	certificate := localca.TLS(issue("peer.example"))
	certificate.Leaf = issue("peer.example").Leaf()
	c := config{
		server: server.Addr().String(), domain: "a.example", source: "b.example", daemon: "127.0.0.1:0", back: back,
		certificate: certificate, patience: 3 * time.Second,
	}
	var out strings.Builder
	if err := run(t.Context(), c, &out); err == nil {
		t.Error("all rules are kept")
	}
	kept := 0
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "kept") && !strings.HasPrefix(line, "kept    verified ") && !strings.HasPrefix(line, "kept    verified-out ") {
			t.Error(line)
		} else if strings.HasPrefix(line, "kept") {
			kept++
		}
	}
	if n := strings.Count(out.String(), "BROKEN"); n+kept != len(rules()) || kept != 2 {
		t.Errorf("%d rules are broken:\n%s", n, &out)
	}
}

// careless is a stream with it. It answers a question on a stream of its own.
func careless(conn net.Conn, config *tls.Config, back string) {
	defer func() { conn.Close() }()
	decoder := xml.NewDecoder(conn)
	features := "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	for name := range xmpptest.Begins(&decoder) {
		switch name {
		case "stream":
			fmt.Fprintf(conn, "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' id='1'><stream:features>%s</stream:features>", features)
		case "starttls":
			fmt.Fprint(conn, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			conn = tls.Server(conn, config)
			decoder = xml.NewDecoder(conn)
			features = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
		case "auth":
			fmt.Fprint(conn, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			decoder = xml.NewDecoder(conn)
		case "result":
			fmt.Fprint(conn, "<db:result type='valid'/>")
		case "iq":
			go deliver(back)
		}
	}
}

// deliver brings something to a server, whatever its certificate says.
func deliver(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { conn.Close() }()
	decoder := xml.NewDecoder(conn)
	const open = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='a.example' to='b.example' version='1.0'>"
	fmt.Fprint(conn, open)
	for name := range xmpptest.Begins(&decoder) {
		switch name {
		case "starttls":
			fmt.Fprint(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		case "proceed":
			conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
			decoder = xml.NewDecoder(conn)
			fmt.Fprint(conn, open)
		case "mechanism":
			fmt.Fprint(conn, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
		case "success":
			decoder = xml.NewDecoder(conn)
			fmt.Fprint(conn, open+"<iq type='result' id='1'/>")
		}
	}
}
