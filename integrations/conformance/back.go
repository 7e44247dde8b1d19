package main

import (
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A back is the server of the source, to which the SRV record leads. The server
// under test connects to it for dialback, and to deliver what is for the source.
type back struct {
	listener    net.Listener
	certificate tls.Certificate
	domain      string // that connects
	patience    time.Duration

	mu    sync.Mutex
	conns map[net.Conn]bool
	count int
	comes chan visit // one for each connection, when it is known how it went
}

// A visit is how far the server under test went on a connection.
type visit struct {
	delivered bool // a stanza came, after authentication by the peer's certificate
	weaker    bool // dialback began
	end       string
	ended     chan struct{} // closed at the end of the connection
}

func newBack(address string, c config) (*back, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	b := &back{listener: listener, certificate: c.certificate, domain: c.domain, patience: c.patience, conns: map[net.Conn]bool{}, comes: make(chan visit, 100)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.count++
			b.conns[conn] = true
			b.mu.Unlock()
			go b.serve(conn)
		}
	}()
	return b, nil
}

// asked is how many connections came.
func (b *back) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count
}

func (b *back) close() {
	b.listener.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		conn.Close()
	}
}

// serve answers one connection until its end.
func (b *back) serve(conn net.Conn) {
	v := visit{ended: make(chan struct{})}
	told := false
	tell := func(how string) {
		if !told {
			told, v.end = true, how
			b.comes <- v
		}
	}
	defer close(v.ended)
	defer conn.Close()
	raw := conn
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.conns, raw)
	}()
	features := "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	decoder := xml.NewDecoder(conn)
	for {
		// Longer than anybody waits for the other side to end it.
		_ = conn.SetReadDeadline(time.Now().Add(2 * b.patience))
		start, err := nextStart(decoder)
		if err != nil {
			tell(err.Error())
			return
		}
		switch start.Name.Local {
		case "stream":
			fmt.Fprintf(conn, "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "+
				"xmlns:db='jabber:server:dialback' from='%s' to='%s' id='1' version='1.0'><stream:features>%s</stream:features>", attribute(start, "to"), b.domain, features)
			continue
		case "starttls":
			fmt.Fprint(conn, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{b.certificate}})
			features = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms><dialback xmlns='urn:xmpp:features:dialback'/>"
			decoder = xml.NewDecoder(conn)
			continue
		case "auth":
			fmt.Fprint(conn, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			features, decoder = "", xml.NewDecoder(conn)
			continue
		case "result", "verify":
			v.weaker = true
			tell("dialback")
		case "iq", "message", "presence":
			v.delivered = true
			tell("a stanza")
		}
		if err := decoder.Skip(); err != nil {
			tell(err.Error())
			return
		}
	}
}

// nextStart is the next element that begins. The end of the stream is io.EOF.
func nextStart(decoder *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := decoder.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return xml.StartElement{}, io.EOF
		case xml.StartElement:
			return token.Copy(), nil
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return strings.NewReplacer("&", "&amp;", "<", "&lt;", "'", "&apos;").Replace(a.Value)
		}
	}
	return ""
}

// visited has the server under test connect to the source, and says how that went.
// A peer of the source asks something, and the answer needs a connection of the
// server's own. It asks again, because a server may wait after one that failed.
// meanwhile is done before it asks.
func (s *stage) visited(meanwhile func()) (visit, error) {
	p, err := s.open()
	if err != nil {
		return visit{}, err
	}
	defer p.close()
	if !p.accepted {
		return visit{}, fmt.Errorf("the peer that asks was not accepted: %s", p.said)
	}
	meanwhile()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	over := time.After(s.patience)
	for {
		if err := p.send("<iq type='get' id='1' from='" + s.source + "' to='" + s.domain + "'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
			return visit{}, err
		}
		select {
		case v := <-s.back.comes:
			return v, nil
		case <-over:
			return visit{}, errors.New("the server did not connect to the source")
		case <-again.C:
		}
	}
}
