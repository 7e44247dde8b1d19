package xmpptest

import (
	"encoding/xml"
	"fmt"
	"iter"
	"net"
	"testing"
)

// Begins are the names of the elements that begin in a stream, whatever they are in. The
// decoder may be replaced on the way.
func Begins(decoder **xml.Decoder) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			token, err := (*decoder).Token()
			if err != nil {
				return
			}
			if start, ok := token.(xml.StartElement); ok && !yield(start.Name.Local) {
				return
			}
		}
	}
}

// Attacker is a server without TLS that agrees to any dialback, for a domain. It
// returns its port.
func Attacker(t *testing.T, from, to string) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		decoder := xml.NewDecoder(conn)
		for name := range Begins(&decoder) {
			switch name {
			case "stream":
				fmt.Fprintf(conn, "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' id='1' from='%s' to='%s' version='1.0'>"+
					"<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>", from, to)
			case "result":
				fmt.Fprintf(conn, "<db:result from='%s' to='%s' type='valid'/>", from, to)
			case "message":
				t.Errorf("the attacker got a message")
			}
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}
