// Package xmppserver is a small server on the loopback address that speaks just
// enough XMPP to begin TLS, for tests. It can be told to misbehave. After the
// handshake it waits for the peer to leave.
package xmppserver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A Fault is what a server does instead of the right thing.
type Fault string

// The faults. None is a server in good order.
const (
	None        Fault = "none"
	Strip       Fault = "strip"        // does not offer STARTTLS
	Refuse      Fault = "refuse"       // answers STARTTLS with <failure/>
	Unknown     Fault = "unknown"      // ends the stream with <host-unknown/>
	Stall       Fault = "stall"        // says nothing after the stream header
	Silent      Fault = "silent"       // accepts and says nothing
	Garbage     Fault = "garbage"      // is no XMPP server
	Endless     Fault = "endless"      // sends features without end
	Inject      Fault = "inject"       // plain text in one piece with <proceed/>
	InjectLater Fault = "inject-later" // plain text after <proceed/>
	Hang        Fault = "hang"         // says nothing after <proceed/>
	Close       Fault = "close"        // ends the connection after the stream header
	Direct      Fault = "direct"       // no fault: TLS begins at once
)

// Faults lists them all.
func Faults() []Fault {
	return []Fault{None, Strip, Refuse, Unknown, Stall, Silent, Garbage, Endless, Inject, InjectLater, Hang, Close, Direct}
}

const (
	streams = "http://etherx.jabber.org/streams"
	tlsNS   = "urn:ietf:params:xml:ns:xmpp-tls"
	// Planted is what an attacker would like to have read as if TLS protected it.
	Planted = "<iq from='b.example' type='set'><planted/></iq>"
	// patience bounds how long the server waits for a peer.
	patience = time.Minute
)

// A Server serves until Close.
type Server struct {
	// Addr is the address and port it listens on.
	Addr string

	fault    Fault
	config   *tls.Config
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	header []string
	states []tls.ConnectionState
}

// Start serves with a TLS configuration on a free port of 127.0.0.1.
func Start(config *tls.Config, fault Fault) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), fault: fault, config: config, listener: l, conns: map[net.Conn]bool{}}
	s.running.Go(s.accept)
	return s, nil
}

// Close ends all connections and returns when the server has stopped.
func (s *Server) Close() {
	s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.running.Wait()
}

// Headers are the stream headers that peers sent, as they came.
func (s *Server) Headers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.header...)
}

// States are the handshakes that were finished.
func (s *Server) States() []tls.ConnectionState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]tls.ConnectionState(nil), s.states...)
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.conns == nil {
			c.Close()
		} else {
			s.conns[c] = true
		}
		s.mu.Unlock()
		s.running.Go(func() {
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(patience))
			_ = s.serve(c) // the peer's side says what went wrong
		})
	}
}

// serve plays one connection.
func (s *Server) serve(c net.Conn) error {
	wait := func() error { _, err := io.Copy(io.Discard, c); return err }
	if s.fault == Direct {
		return s.handshake(c)
	}
	switch s.fault {
	case Silent:
		return wait()
	case Garbage:
		fmt.Fprint(c, "220 mail.example ESMTP\r\n")
		return wait()
	}
	r := bufio.NewReader(c)
	header, err := until(r, "<stream:stream")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.header = append(s.header, header)
	s.mu.Unlock()
	namespace := "jabber:server"
	if strings.Contains(header, "jabber:client") {
		namespace = "jabber:client"
	}
	fmt.Fprintf(c, "<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='%s' id='1' version='1.0'>", namespace, streams)
	switch s.fault {
	case Stall:
		return wait()
	case Close:
		return nil
	case Unknown:
		fmt.Fprint(c, "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>who is that?</text></stream:error></stream:stream>")
		return wait()
	case Strip:
		fmt.Fprint(c, "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>")
		return wait()
	case Endless:
		for err == nil {
			_, err = fmt.Fprint(c, "<stream:features>", strings.Repeat("<a/>", 1000))
		}
		return err
	}
	fmt.Fprintf(c, "<stream:features><starttls xmlns='%s'><required/></starttls></stream:features>", tlsNS)
	if _, err := until(r, "<starttls"); err != nil {
		return err
	}
	switch s.fault {
	case Refuse:
		fmt.Fprintf(c, "<failure xmlns='%s'/></stream:stream>", tlsNS)
		return wait()
	case Inject:
		fmt.Fprintf(c, "<proceed xmlns='%s'/>%s", tlsNS, Planted)
	case InjectLater:
		fmt.Fprintf(c, "<proceed xmlns='%s'/>", tlsNS)
		time.Sleep(20 * time.Millisecond) // a packet of its own
		fmt.Fprint(c, Planted)
	default:
		fmt.Fprintf(c, "<proceed xmlns='%s'/>", tlsNS)
	}
	if s.fault == Hang {
		return wait()
	}
	return s.handshake(c)
}

func (s *Server) handshake(c net.Conn) error {
	conn := tls.Server(c, s.config)
	if err := conn.Handshake(); err != nil {
		return err
	}
	s.mu.Lock()
	s.states = append(s.states, conn.ConnectionState())
	s.mu.Unlock()
	_, err := io.Copy(io.Discard, conn)
	return err
}

// until reads to the end of the tag that begins so.
func until(r *bufio.Reader, tag string) (string, error) {
	var all strings.Builder
	for {
		piece, err := r.ReadString('>')
		all.WriteString(piece)
		if err != nil || strings.Contains(piece, tag) {
			return all.String(), err
		}
	}
}
