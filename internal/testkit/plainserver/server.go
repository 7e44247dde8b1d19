// Package plainserver is a server on the loopback address that speaks a written
// dialogue in clear text and then TLS, for tests of STARTTLS.
package plainserver

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// HangUp is a part of a dialogue that ends the connection at once.
const HangUp = "\x00hang up"

// patience bounds how long the server waits for a peer.
const patience = time.Minute

// dialogues are what a server in good order says before TLS.
var dialogues = map[string][]string{
	"_imap._tcp":       {"* OK ready\r\n", "* CAPABILITY IMAP4rev2 STARTTLS LOGINDISABLED\r\na OK done\r\n", "b OK begin\r\n"},
	"_pop3._tcp":       {"+OK ready\r\n", "+OK\r\nUIDL\r\nSTLS\r\n.\r\n", "+OK begin\r\n"},
	"_submission._tcp": {"220 mail.example ready\r\n", "250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n", "220 begin\r\n"},
	"_ldap._tcp":       {"", "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"},
}

// Dialogue is what a server of a role in good order says before TLS.
func Dialogue(role string) []string { return append([]string(nil), dialogues[role]...) }

// A Server serves until Close.
type Server struct {
	// Addr is the address and port it listens on.
	Addr string

	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	heard strings.Builder
}

// Start serves on a free port of 127.0.0.1. To each peer it says the parts, the
// next one when it has heard something. Then it begins TLS, unless config is nil,
// and waits for the peer to leave.
func Start(config *tls.Config, parts ...string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), listener: l}
	s.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.running.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				s.serve(c, config, parts)
			})
		}
	})
	return s, nil
}

// Close ends all connections and returns when the server has stopped.
func (s *Server) Close() {
	s.listener.Close()
	s.mu.Lock()
	for _, c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// Heard is what the peers have said in clear text.
func (s *Server) Heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard.String()
}

func (s *Server) hear(words []byte) {
	s.mu.Lock()
	s.heard.Write(words)
	s.mu.Unlock()
}

// serve plays one connection. The peer's side says what went wrong.
func (s *Server) serve(c net.Conn, config *tls.Config, parts []string) {
	buffer := make([]byte, 4096)
	for i, part := range parts {
		if part == HangUp {
			return
		}
		if i > 0 {
			n, err := c.Read(buffer)
			if err != nil {
				return
			}
			s.hear(buffer[:n])
		}
		if _, err := io.WriteString(c, part); err != nil {
			return
		}
	}
	if config != nil {
		t := tls.Server(c, config)
		if err := t.Handshake(); err == nil {
			_, _ = io.Copy(io.Discard, t)
		}
		return
	}
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		s.hear(buffer[:n])
	}
}
