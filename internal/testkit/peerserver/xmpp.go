package peerserver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
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
)

// StartXMPP starts a server that speaks just enough XMPP to begin TLS.
func StartXMPP(config *tls.Config, fault Fault) (*Server, error) {
	return start(config, func(s *Server, c net.Conn) error { return s.stream(c, fault) })
}

// stream plays one connection.
func (s *Server) stream(c net.Conn, fault Fault) error {
	wait := func() error { _, err := io.Copy(io.Discard, c); return err }
	if fault == Direct {
		return s.handshake(c)
	}
	switch fault {
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
	s.hear(header)
	namespace := "jabber:server"
	if strings.Contains(header, "jabber:client") {
		namespace = "jabber:client"
	}
	fmt.Fprintf(c, "<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='%s' id='1' version='1.0'>", namespace, streams)
	switch fault {
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
	switch fault {
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
	if fault == Hang {
		return wait()
	}
	return s.handshake(c)
}

// Offer has the server open a stream after TLS from now on, with these features in
// XML. To an assertion (docs/stream.md) it says that the statement is verified, and
// offers EXTERNAL.
func (s *Server) Offer(features string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offers = features
}

// after plays XMPP after TLS.
func (s *Server) after(c net.Conn, offers string) error {
	r := bufio.NewReader(c)
	if _, err := until(r, "<stream:stream"); err != nil {
		return err
	}
	fmt.Fprintf(c, "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='%s' id='2' version='1.0'><stream:features>%s</stream:features>", streams, offers)
	brought, err := until(r, "</assert>")
	if err != nil {
		return err
	}
	s.hear(brought)
	fmt.Fprint(c, "<result xmlns='urn:uuid:1b0c9ee8-2582-444b-9588-3ee63b2ff654' outcome='verified' reason='verified'/>"+
		"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>")
	_, err = io.Copy(io.Discard, r)
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
