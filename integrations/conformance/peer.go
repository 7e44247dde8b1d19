package main

import (
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// A peer is a server that connects to the one under test.
type peer struct {
	stage    *stage
	conn     net.Conn
	decoder  *xml.Decoder
	accepted bool
	said     string // instead
}

// An element is any child of a stream.
type element struct {
	XMLName xml.Name
	Type    string `xml:"type,attr"`
	Inner   string `xml:",innerxml"`
}

// begin opens a stream with TLS, in which the peer shows its certificate.
func (s *stage) begin() (p *peer, err error) {
	conn, err := (&net.Dialer{Timeout: s.patience}).DialContext(s.ctx, "tcp", s.server)
	if err != nil {
		return nil, err
	}
	p = &peer{stage: s, conn: conn}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if _, err := p.stream(); err != nil {
		return nil, err
	}
	if err := p.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return nil, err
	}
	if e, err := p.next(); err != nil || e.XMLName.Local != "proceed" {
		return nil, fmt.Errorf("no TLS: <%s> %v", e.XMLName.Local, err)
	}
	// Whether the server is the right one is not what is tested.
	p.conn = tls.Client(conn, &tls.Config{ServerName: s.domain, Certificates: []tls.Certificate{s.certificate}, InsecureSkipVerify: true})
	features, err := p.stream()
	p.said = features.Inner
	return p, err
}

// open authenticates by the certificate, if it is let. It asks for the domain that
// the stream is from (XEP-0178).
func (s *stage) open() (*peer, error) {
	p, err := s.begin()
	if err != nil {
		return nil, err
	}
	if !strings.Contains(p.said, "EXTERNAL") {
		return p, nil
	}
	if err := p.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"); err != nil {
		return p, nil
	}
	e, err := p.next()
	if err != nil {
		p.said = err.Error()
		return p, nil
	}
	p.said = "<" + e.XMLName.Local + "> " + e.Inner
	if e.XMLName.Local != "success" {
		return p, nil
	}
	p.accepted = true
	_, err = p.stream()
	return p, err
}

func (p *peer) close() { p.conn.Close() }

func (p *peer) send(text string) error {
	_, err := io.WriteString(p.conn, text)
	return err
}

// stream begins a stream, also anew, and returns the features.
func (p *peer) stream() (element, error) {
	if err := p.send("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
		"xmlns:db='jabber:server:dialback' from='" + p.stage.source + "' to='" + p.stage.domain + "' version='1.0'>"); err != nil {
		return element{}, err
	}
	p.decoder = xml.NewDecoder(p.conn)
	for {
		token, err := p.decoder.Token()
		if err != nil {
			return element{}, fmt.Errorf("no stream: %w", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "stream" {
			return p.next()
		}
	}
}

// next waits for an element. The end of the stream is io.EOF.
func (p *peer) next() (e element, err error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(p.stage.patience)); err != nil {
		return e, err
	}
	start, err := nextStart(p.decoder)
	if err != nil {
		return e, err
	}
	return e, p.decoder.DecodeElement(&e, &start)
}

// dialback claims a source without a certificate for it, and returns the result.
func (p *peer) dialback(source string) (string, error) {
	if err := p.send("<db:result from='" + source + "' to='" + p.stage.domain + "'>key</db:result>"); err != nil {
		return "", err
	}
	for {
		e, err := p.next()
		if err != nil || e.XMLName.Local == "result" {
			return e.Type, err
		}
	}
}

// ends waits for the end of the stream, which is not to come before a time.
func (p *peer) ends(notBefore time.Time) error {
	for {
		_, err := p.next()
		var timeout net.Error
		switch {
		case err == nil:
		case errors.As(err, &timeout) && timeout.Timeout():
			return fmt.Errorf("the stream is still open after %s", p.stage.patience)
		case time.Now().Before(notBefore):
			return fmt.Errorf("the stream ended %s too early", time.Until(notBefore).Round(time.Second))
		default:
			return nil
		}
	}
}
