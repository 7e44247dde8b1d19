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
)

// TestCareless: a server that accepts everybody and asks nobody is found out.
func TestCareless(t *testing.T) {
	now := time.Now()
	issue := localca.NewChain(now).Leaves(now.Add(-time.Hour), now.Add(time.Hour))
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go careless(conn, &tls.Config{Certificates: []tls.Certificate{localca.TLS(issue("a.example"))}})
		}
	}()
	certificate := localca.TLS(issue("peer.example"))
	certificate.Leaf = issue("peer.example").Leaf()
	c := config{
		server: server.Addr().String(), domain: "a.example", source: "b.example", daemon: "127.0.0.1:0", back: "127.0.0.1:0",
		certificate: certificate, patience: time.Second,
	}
	var out strings.Builder
	if err := run(t.Context(), c, &out); err == nil {
		t.Error("all rules are kept")
	}
	kept := 0
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "kept") && !strings.HasPrefix(line, "kept    verified ") {
			t.Error(line)
		} else if strings.HasPrefix(line, "kept") {
			kept++
		}
	}
	if n := strings.Count(out.String(), "BROKEN"); n+kept != len(rules()) || n < 12 {
		t.Errorf("%d rules are broken:\n%s", n, &out)
	}
}

// careless is a stream with it.
func careless(conn net.Conn, config *tls.Config) {
	defer func() { conn.Close() }()
	decoder := xml.NewDecoder(conn)
	features := "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	for {
		token, err := decoder.Token()
		if err != nil {
			return
		}
		switch start, _ := token.(xml.StartElement); start.Name.Local {
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
		}
	}
}
